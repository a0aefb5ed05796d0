//! Tax as Stripe Tax computes it. What kind of goods is sold, and where we are registered, stands in the account's tax
//! settings.

use super::{
    Error, OUTSIDE, Purchase, REVERSE_CHARGE, country_name, country_of, decimal, no_tax, rate_of_told,
};
use crate::{
    billing::tax_id::TaxId,
    contract::{
        money::Rate,
        payment::{Address, LineTax},
    },
    integration::stripe::{
        self, BuyerTaxId, NewTaxCalculation, Stripe,
        objects::{TaxBreakdown, TaxCalculation, TaxCalculationLine},
    },
};

const ADDRESS: &str = "The tax cannot be worked out for this address. Check country, state and postal code.";

pub struct StripeTax {
    stripe: Stripe,
    home: String,
}

impl StripeTax {
    pub(super) fn new(stripe: &Stripe, home: &str) -> Self {
        Self { stripe: stripe.clone(), home: home.to_owned() }
    }

    pub(super) async fn calculate(&self, purchase: &Purchase<'_>) -> Result<Vec<LineTax>, Error> {
        let country = country_of(purchase.address, &self.home);
        let address = Address { country: country.clone(), ..purchase.address.clone() };
        let tax_id = purchase.tax_id.map(for_stripe);
        let new = NewTaxCalculation {
            currency: purchase.currency,
            address: &address,
            tax_id: tax_id.as_ref(),
            nets: purchase.nets,
        };
        let calculation = self.stripe.tax_calculation(&new).await.map_err(|error| match error {
            stripe::Error::Invalid { ref param, ref code, .. }
                if code.as_deref() == Some("customer_tax_location_invalid")
                    || param
                        .as_deref()
                        .is_some_and(|param| param.starts_with("customer_details[address]")) =>
            {
                Error::Address(ADDRESS)
            }
            other => Error::Stripe(other),
        })?;
        read(&calculation, purchase.nets, &country)
    }
}

/// As Stripe takes the number: how it is printed is how it is wanted. Northern Ireland's are of the EU.
fn for_stripe(tax_id: &TaxId) -> BuyerTaxId {
    let number = tax_id.number.clone();
    match tax_id.country.as_str() {
        "GB" => BuyerTaxId::Britain(number),
        "CH" => BuyerTaxId::Switzerland(number),
        "NO" => BuyerTaxId::Norway(number),
        _ => BuyerTaxId::Eu(number),
    }
}

fn read(calculation: &TaxCalculation, nets: &[i64], country: &str) -> Result<Vec<LineTax>, Error> {
    let told = calculation.line_items.as_ref().map(|list| list.data.as_slice()).unwrap_or_default();
    let mut sum = 0;
    let mut taxes = Vec::with_capacity(nets.len());
    for (place, net) in nets.iter().enumerate() {
        let reference = place.to_string();
        let line = told
            .iter()
            .find(|line| line.reference.as_deref() == Some(reference.as_str()))
            .ok_or(Error::Disagrees("a line is missing"))?;
        if line.amount != *net {
            return Err(Error::Disagrees("a line has another amount"));
        }
        sum += line.amount_tax;
        taxes.push(line_tax(line, country)?);
    }
    if sum != calculation.tax_amount_exclusive {
        return Err(Error::Disagrees("the taxes of the lines are not the tax of the whole"));
    }
    Ok(taxes)
}

fn line_tax(line: &TaxCalculationLine, country: &str) -> Result<LineTax, Error> {
    let taxing = || line.tax_breakdown.iter().filter(|part| is_taxing(part));
    let mut rate = Rate::ZERO;
    for part in taxing() {
        rate = Rate(rate.0.saturating_add(rate_of(part)?.0));
    }
    let rate = rate_of_told(line.amount, rate, line.amount_tax)?;
    if rate == Rate::ZERO {
        let reason = line.tax_breakdown.iter().find_map(|part| part.taxability_reason.as_deref());
        return Ok(no_tax(words(reason)));
    }
    let first = taxing().next();
    let place = first.and_then(|part| part.jurisdiction.as_ref());
    let country = place.and_then(|place| place.country.as_deref()).unwrap_or(country);
    let name = country_name(country).unwrap_or(country);
    let place = match taxing().find_map(|part| part.jurisdiction.as_ref()?.state.as_deref()) {
        Some(state) => format!("{state}, {name}"),
        None => name.to_owned(),
    };
    let tax = first
        .and_then(|part| part.tax_rate_details.as_ref()?.display_name.as_deref())
        .filter(|name| !name.is_empty())
        .unwrap_or("Tax");
    Ok(LineTax {
        rate,
        amount: rate.of(line.amount),
        country: country.to_owned(),
        reason: format!("{tax} {rate} ({place})"),
    })
}

/// Whether this part is a tax that we take, and not one that somebody is free of.
fn is_taxing(part: &TaxBreakdown) -> bool {
    part.taxability_reason
        .as_deref()
        .is_none_or(|reason| reason.ends_with("_rated") || reason == "taxable_basis_reduced")
}

fn rate_of(part: &TaxBreakdown) -> Result<Rate, Error> {
    let Some(percent) = part.tax_rate_details.as_ref().and_then(|rate| rate.percentage_decimal.as_deref())
    else {
        return Ok(Rate::ZERO);
    };
    decimal::parse(percent, 4)
        .and_then(|millionths| u32::try_from(millionths).ok())
        .map(Rate)
        .ok_or(Error::Disagrees("a percentage cannot be read"))
}

/// Why nothing is taken, from Stripe's word for it.
fn words(reason: Option<&str>) -> &'static str {
    match reason {
        Some("reverse_charge") => REVERSE_CHARGE,
        Some("customer_exempt") => "No tax: the buyer is exempt",
        Some("product_exempt" | "product_exempt_holiday" | "portion_product_exempt" | "zero_rated") => {
            "No tax: this is not taxed there"
        }
        _ => OUTSIDE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn calculation(tax: i64, lines: &Value) -> TaxCalculation {
        serde_json::from_value(json!({ "tax_amount_exclusive": tax, "line_items": { "data": lines } }))
            .expect("a calculation")
    }

    fn part(amount: i64, reason: &str, percent: &str, place: &Value) -> Value {
        json!({
            "amount": amount,
            "taxability_reason": reason,
            "jurisdiction": place,
            "tax_rate_details": { "percentage_decimal": percent, "display_name": "Sales Tax" },
        })
    }

    #[test]
    fn parts_of_a_tax_are_added_up() {
        let texas = json!({ "country": "US", "state": "TX" });
        let lines = json!([{
            "amount": 10_000, "amount_tax": 825, "reference": "0",
            "tax_breakdown": [
                part(625, "standard_rated", "6.25", &texas),
                part(200, "standard_rated", "2.0", &texas),
                part(0, "not_subject_to_tax", "1.5", &texas),
            ],
        }]);
        let taxes = read(&calculation(825, &lines), &[10_000], "US").expect("reads");
        assert_eq!(
            taxes,
            [LineTax {
                rate: Rate(82_500),
                amount: 825,
                country: "US".to_owned(),
                reason: "Sales Tax 8.25 % (TX, United States)".to_owned(),
            }]
        );
    }

    #[test]
    fn no_tax_has_its_reason() {
        for (reason, words) in [
            ("reverse_charge", REVERSE_CHARGE),
            ("not_collecting", OUTSIDE),
            ("customer_exempt", "No tax: the buyer is exempt"),
            ("zero_rated", "No tax: this is not taxed there"),
        ] {
            let lines = json!([{
                "amount": 100, "amount_tax": 0, "reference": "0",
                "tax_breakdown": [part(0, reason, "0.0", &json!({ "country": "FR" }))],
            }]);
            let taxes = read(&calculation(0, &lines), &[100], "FR").expect("reads");
            assert_eq!(taxes, [no_tax(words)], "{reason}");
        }
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let line = |amount: i64, tax: i64, reference: &str| {
            json!([{
                "amount": amount, "amount_tax": tax, "reference": reference, "tax_breakdown": null,
            }])
        };
        assert!(matches!(
            read(&calculation(19, &line(100, 19, "1")), &[100], "DE"),
            Err(Error::Disagrees(_))
        ));
        assert!(matches!(read(&calculation(19, &line(90, 19, "0")), &[100], "DE"), Err(Error::Disagrees(_))));
        assert!(matches!(
            read(&calculation(20, &line(100, 19, "0")), &[100], "DE"),
            Err(Error::Disagrees(_))
        ));
        assert!(read(&calculation(19, &line(100, 19, "0")), &[100], "DE").is_ok());
    }
}
