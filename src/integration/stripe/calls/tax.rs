//! Stripe Tax: what it says of a purchase. Used by `integration::tax` only.

use stripe_client_core::{RequestBuilder, StripeRequest};
use stripe_misc::tax_calculation::{
    CreateTaxCalculation, CreateTaxCalculationCustomerDetails, CreateTaxCalculationCustomerDetailsAddress,
    CreateTaxCalculationCustomerDetailsAddressSource, CreateTaxCalculationCustomerDetailsTaxIds,
    CreateTaxCalculationCustomerDetailsTaxIdsType as TaxIdType, CreateTaxCalculationLineItems,
    CreateTaxCalculationLineItemsTaxBehavior,
};

use super::{currency, expand, given};
use crate::{
    contract::{money::Currency, payment::Address},
    integration::stripe::{Error, Stripe, objects::TaxCalculation},
};

/// The kinds of tax ids that we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuyerTaxId {
    Eu(String),
    Britain(String),
    Switzerland(String),
    Norway(String),
}

#[derive(Debug, Clone, Copy)]
pub struct NewTaxCalculation<'a> {
    pub currency: Currency,
    /// Its country is given.
    pub address: &'a Address,
    pub tax_id: Option<&'a BuyerTaxId>,
    /// Before tax; each becomes a line whose reference is its place.
    pub nets: &'a [i64],
}

impl Stripe {
    /// Has no key: a calculation changes nothing, and goes by itself.
    pub async fn tax_calculation(&self, new: &NewTaxCalculation<'_>) -> Result<TaxCalculation, Error> {
        self.transport.call(create(new), None).await
    }
}

fn create(new: &NewTaxCalculation<'_>) -> RequestBuilder {
    let lines: Vec<_> = new
        .nets
        .iter()
        .enumerate()
        // Which kind of goods these are is set once, in the account's tax settings.
        .map(|(place, net)| CreateTaxCalculationLineItems {
            reference: Some(place.to_string()),
            tax_behavior: Some(CreateTaxCalculationLineItemsTaxBehavior::Exclusive),
            ..CreateTaxCalculationLineItems::new(*net)
        })
        .collect();
    let address = CreateTaxCalculationCustomerDetailsAddress {
        city: given(&new.address.city),
        line1: given(&new.address.line1),
        line2: given(&new.address.line2),
        postal_code: given(&new.address.postal_code),
        state: given(&new.address.region),
        ..CreateTaxCalculationCustomerDetailsAddress::new(new.address.country.as_str())
    };
    let tax_ids = new.tax_id.map(|tax_id| {
        let (kind, value) = match tax_id {
            BuyerTaxId::Eu(value) => (TaxIdType::EuVat, value),
            BuyerTaxId::Britain(value) => (TaxIdType::GbVat, value),
            BuyerTaxId::Switzerland(value) => (TaxIdType::ChVat, value),
            BuyerTaxId::Norway(value) => (TaxIdType::NoVat, value),
        };
        vec![CreateTaxCalculationCustomerDetailsTaxIds::new(kind, value)]
    });
    let buyer = CreateTaxCalculationCustomerDetails {
        address: Some(address),
        address_source: Some(CreateTaxCalculationCustomerDetailsAddressSource::Billing),
        tax_ids,
        ..CreateTaxCalculationCustomerDetails::new()
    };
    CreateTaxCalculation::new(currency(new.currency), lines)
        .customer_details(buyer)
        .expand(expand(&["line_items", "line_items.data.tax_breakdown"]))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_before_tax_and_keep_their_places() {
        let address =
            Address { country: "FR".to_owned(), postal_code: "75001".to_owned(), ..Address::default() };
        let tax_id = BuyerTaxId::Eu("FR40303265045".to_owned());
        let new = NewTaxCalculation {
            currency: Currency::Eur,
            address: &address,
            tax_id: Some(&tax_id),
            nets: &[1900, 5],
        };
        let body = create(&new).body.expect("a body");
        let body: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        for (name, value) in [
            ("currency", "eur"),
            ("line_items[0][amount]", "1900"),
            ("line_items[1][amount]", "5"),
            ("line_items[1][reference]", "1"),
            ("line_items[0][tax_behavior]", "exclusive"),
            ("customer_details[address][country]", "FR"),
            ("customer_details[address_source]", "billing"),
            ("customer_details[tax_ids][0][type]", "eu_vat"),
            ("customer_details[tax_ids][0][value]", "FR40303265045"),
        ] {
            assert!(body.contains(&(name.to_owned(), value.to_owned())), "{name} in {body:?}");
        }
    }
}
