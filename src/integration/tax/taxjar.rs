//! Tax as TaxJar computes it: `POST /v2/taxes`.
//!
//! TaxJar knows where we have to collect. It does not know which of a company's VAT numbers make the buyer owe the tax,
//! so that is decided here, as by our own table.

use std::time::Duration;

use reqwest::{
    Client, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::{
    Error, OUTSIDE, Purchase, REVERSE_CHARGE, country_name, country_of, decimal, no_tax, rate_of_told,
    table::{display_rate, is_reverse_charged},
    untaxed,
};
use crate::{
    config::Secret,
    contract::{
        money::{Currency, Rate, decimal as decimal_text},
        payment::LineTax,
    },
    integration::http::{self, NoAnswer},
};

const JSON: &str = "application/json";
const NOT_TAXED: &str = "No tax: this is not taxed there";
const ADDRESS: &str = "The tax cannot be worked out for this address. Check country, state and postal code.";
const ADD_PLACE: &str = "Add the state and the postal code: the tax depends on them.";
/// A question changes nothing, so it may be asked twice.
const TRIES: u32 = 2;
const WAIT: Duration = Duration::from_millis(500);

pub struct TaxJar {
    client: Client,
    url: String,
    key: Secret<String>,
    home: String,
}

impl TaxJar {
    pub(super) fn new(url: &str, key: Secret<String>, home: &str) -> Self {
        Self { client: http::client(), url: format!("{url}/v2/taxes"), key, home: home.to_owned() }
    }

    pub(super) async fn calculate(&self, purchase: &Purchase<'_>) -> Result<Vec<LineTax>, Error> {
        let country = country_of(purchase.address, &self.home);
        if is_reverse_charged(&country, purchase.tax_id, &self.home) {
            return Ok(untaxed(purchase, REVERSE_CHARGE));
        }
        let question = Question::new(purchase, &country, &self.home)?;
        let question = serde_json::to_vec(&question).map_err(Error::Unreadable)?;
        let answer = self.ask(&question).await?;
        answer.tax.lines(purchase, &country)
    }

    async fn ask(&self, question: &[u8]) -> Result<Answer, Error> {
        let mut tries = 1;
        loop {
            match self.ask_once(question).await {
                Err(error) if error.is_temporary() && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(WAIT).await;
                }
                other => return other,
            }
        }
    }

    async fn ask_once(&self, question: &[u8]) -> Result<Answer, Error> {
        let call = self
            .client
            .post(&self.url)
            .bearer_auth(self.key.expose())
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, JSON)
            .body(question.to_vec());
        let response = call.send().await.map_err(|error| unavailable(&http::no_answer(&error)))?;
        let status = response.status();
        let body = http::body(response).await.map_err(|error| unavailable(&error))?;
        match status {
            _ if status.is_success() => serde_json::from_slice(&body).map_err(Error::Unreadable),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Unauthorized),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Error::Address(ADDRESS))
            }
            _ => Err(Error::Unavailable(format!("TaxJar answered {}", status.as_u16()))),
        }
    }
}

fn unavailable(no_answer: &NoAnswer) -> Error {
    Error::Unavailable(no_answer.words().to_owned())
}

#[derive(Serialize)]
struct Question<'a> {
    from_country: &'a str,
    to_country: &'a str,
    to_zip: &'a str,
    to_state: &'a str,
    to_city: &'a str,
    to_street: &'a str,
    amount: Number,
    shipping: Number,
    line_items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    id: String,
    quantity: u32,
    unit_price: Number,
}

fn number(amount: i64, currency: Currency) -> Number {
    decimal::number(&decimal_text(currency.of(amount)))
}

impl<'a> Question<'a> {
    fn new(purchase: &Purchase<'a>, country: &'a str, home: &'a str) -> Result<Self, Error> {
        let address = purchase.address;
        let missing = match country {
            "US" => address.postal_code.trim().is_empty() || address.region.trim().is_empty(),
            "CA" => address.region.trim().is_empty(),
            _ => false,
        };
        if missing {
            return Err(Error::Address(ADD_PLACE));
        }
        let currency = purchase.currency;
        let items = purchase.nets.iter().enumerate().map(|(place, net)| Item {
            id: place.to_string(),
            quantity: 1,
            unit_price: number(*net, currency),
        });
        Ok(Self {
            from_country: home,
            to_country: country,
            to_zip: address.postal_code.trim(),
            to_state: address.region.trim(),
            to_city: address.city.trim(),
            to_street: address.line1.trim(),
            amount: number(purchase.nets.iter().sum(), currency),
            shipping: Number::from(0),
            line_items: items.collect(),
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    tax: Tax,
}

#[derive(Deserialize)]
struct Tax {
    amount_to_collect: Number,
    rate: Option<Number>,
    #[serde(default)]
    has_nexus: bool,
    breakdown: Option<Breakdown>,
    jurisdictions: Option<Jurisdictions>,
}

#[derive(Deserialize)]
struct Breakdown {
    line_items: Option<Vec<Told>>,
}

#[derive(Deserialize)]
struct Told {
    /// A text, as we sent it; some answers have made a number of it.
    id: Value,
    tax_collectable: Number,
    combined_tax_rate: Option<Number>,
}

#[derive(Deserialize)]
struct Jurisdictions {
    state: Option<String>,
}

impl Told {
    fn is_about(&self, place: usize) -> bool {
        match &self.id {
            Value::String(id) => *id == place.to_string(),
            other => other.as_u64() == u64::try_from(place).ok(),
        }
    }
}

impl Tax {
    fn lines(&self, purchase: &Purchase<'_>, country: &str) -> Result<Vec<LineTax>, Error> {
        let digits = purchase.currency.digits();
        let whole = amount(&self.amount_to_collect, digits)?;
        if !self.has_nexus || whole == 0 {
            if whole != 0 {
                return Err(Error::Disagrees("there is a tax where none is collected"));
            }
            return Ok(untaxed(purchase, if self.has_nexus { NOT_TAXED } else { OUTSIDE }));
        }
        let told = self.breakdown.as_ref().and_then(|breakdown| breakdown.line_items.as_deref());
        let told = told.ok_or(Error::Disagrees("the lines are missing"))?;
        let mut sum = 0;
        let mut taxes = Vec::with_capacity(purchase.nets.len());
        for (place, net) in purchase.nets.iter().enumerate() {
            let (named, tax) = match told.iter().find(|told| told.is_about(place)) {
                Some(told) => (
                    told.combined_tax_rate.as_ref().or(self.rate.as_ref()),
                    amount(&told.tax_collectable, digits)?,
                ),
                // A line of nothing may be left out.
                None if *net == 0 => (self.rate.as_ref(), 0),
                None => return Err(Error::Disagrees("a line is missing")),
            };
            sum += tax;
            let rate = rate_of_told(*net, named.map_or(Ok(Rate::ZERO), rate)?, tax)?;
            taxes.push(self.line(*net, rate, country));
        }
        // The whole is rounded once, and each line by itself.
        if whole.abs_diff(sum) > taxes.len() as u64 {
            return Err(Error::Disagrees("the taxes of the lines are not the tax of the whole"));
        }
        Ok(taxes)
    }

    fn line(&self, net: i64, rate: Rate, country: &str) -> LineTax {
        if rate == Rate::ZERO {
            return no_tax(NOT_TAXED);
        }
        let tax = match country {
            "US" => "Sales tax",
            _ if display_rate(country).is_some() => "VAT",
            _ => "Tax",
        };
        let name = country_name(country).unwrap_or(country);
        let state = self.jurisdictions.as_ref().and_then(|place| place.state.as_deref());
        let place = match state.filter(|state| !state.is_empty()) {
            Some(state) if matches!(country, "US" | "CA") => format!("{state}, {name}"),
            _ => name.to_owned(),
        };
        LineTax {
            rate,
            amount: rate.of(net),
            country: country.to_owned(),
            reason: format!("{tax} {rate} ({place})"),
        }
    }
}

fn amount(number: &Number, digits: u32) -> Result<i64, Error> {
    decimal::of_number(number, digits).ok_or(Error::Disagrees("an amount cannot be read"))
}

/// TaxJar's rates are shares: 0.19 is 19 %.
fn rate(share: &Number) -> Result<Rate, Error> {
    decimal::of_number(share, 6)
        .and_then(|millionths| u32::try_from(millionths).ok())
        .map(Rate)
        .ok_or(Error::Disagrees("a rate cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::payment::Address;

    fn lines(answer: &str, nets: &[i64], currency: Currency, country: &str) -> Result<Vec<LineTax>, Error> {
        let answer: Answer = serde_json::from_str(answer).expect("an answer");
        let address = Address::default();
        answer.tax.lines(&Purchase { currency, address: &address, tax_id: None, nets }, country)
    }

    #[test]
    fn an_answer_for_the_usa_is_read() {
        let answer = r#"{"tax":{"order_total_amount":20.0,"shipping":0.0,"taxable_amount":20.0,
            "amount_to_collect":1.95,"rate":0.0975,"has_nexus":true,"freight_taxable":false,
            "tax_source":"destination","jurisdictions":{"country":"US","state":"CA","city":"LOS ANGELES"},
            "breakdown":{"combined_tax_rate":0.0975,"line_items":[
                {"id":"0","tax_collectable":1.85,"combined_tax_rate":0.0975,"state_sales_tax_rate":0.0625},
                {"id":"1","tax_collectable":0.1,"combined_tax_rate":0.0975}]}}}"#;
        let taxes = lines(answer, &[1900, 100], Currency::Usd, "US").expect("reads");
        assert_eq!(taxes[0].amount, 185);
        assert_eq!((taxes[1].amount, taxes[1].rate), (10, Rate(97_500)));
        assert_eq!(taxes[0].reason, "Sales tax 9.75 % (CA, United States)");
        assert_eq!(taxes[0].country, "US");
    }

    #[test]
    fn where_nothing_is_collected_that_is_the_reason() {
        let nowhere = r#"{"tax":{"amount_to_collect":0,"rate":0,"has_nexus":false,"breakdown":null}}"#;
        assert_eq!(lines(nowhere, &[1900, 5], Currency::Usd, "US").expect("reads"), vec![no_tax(OUTSIDE); 2]);
        let free = r#"{"tax":{"amount_to_collect":0.0,"rate":0.0,"has_nexus":true}}"#;
        assert_eq!(lines(free, &[1900], Currency::Usd, "US").expect("reads"), [no_tax(NOT_TAXED)]);
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        for answer in [
            r#"{"tax":{"amount_to_collect":1.9,"rate":0.1,"has_nexus":true}}"#,
            r#"{"tax":{"amount_to_collect":1.9,"rate":0.1,"has_nexus":false}}"#,
            r#"{"tax":{"amount_to_collect":1.9,"rate":0.1,"has_nexus":true,"breakdown":{"line_items":[
                {"id":"7","tax_collectable":1.9,"combined_tax_rate":0.1}]}}}"#,
            r#"{"tax":{"amount_to_collect":2.9,"rate":0.1,"has_nexus":true,"breakdown":{"line_items":[
                {"id":0,"tax_collectable":1.9,"combined_tax_rate":0.1}]}}}"#,
            r#"{"tax":{"amount_to_collect":-1.9,"rate":0.1,"has_nexus":true,"breakdown":{"line_items":[
                {"id":0,"tax_collectable":-1.9,"combined_tax_rate":0.1}]}}}"#,
        ] {
            let answer = lines(answer, &[1900], Currency::Usd, "US");
            assert!(matches!(answer, Err(Error::Disagrees(_))), "{answer:?}");
        }
    }

    #[test]
    fn a_line_of_nothing_keeps_the_rate() {
        let answer = r#"{"tax":{"amount_to_collect":361,"rate":0.19,"has_nexus":true,"breakdown":{"line_items":[
            {"id":"1","tax_collectable":361,"combined_tax_rate":0.19}]}}}"#;
        let taxes = lines(answer, &[0, 1900], Currency::Jpy, "DE").expect("reads");
        assert_eq!((taxes[0].rate, taxes[0].amount), (Rate::percent(19), 0));
        assert_eq!((taxes[1].amount, taxes[1].reason.as_str()), (361, "VAT 19 % (Germany)"));
    }
}
