//! What Dev Forge costs: the tiers beside each other, switched by links, and what people ask before they buy.
//!
//! What always holds: every price on it is of the catalogue; where the law expects prices with tax, they are shown so; it
//! reads and works without script.

mod questions;
pub mod reading;
mod view;

use axum::{extract::State, response::Response};
use devforge::{
    api::{error::ApiError, extract::Query},
    billing::{catalogue, order::MAX_SEATS},
    context::Context,
    contract::{money::Currency, payment::Interval},
};
use serde::Deserialize;

use self::{
    reading::Country,
    view::{Shown, pricing},
};
use super::shell::{Area, Page, Visit};

pub use self::view::reading as reading_view;

const PATH: &str = "/pricing";

/// All as text: what is nothing that we know chooses nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PricingQuery {
    interval: String,
    currency: String,
    seats: String,
    country: String,
}

/// What prices are shown for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    interval: Interval,
    currency: Currency,
    seats: u32,
    /// Whose tax is in the prices. None where they are shown without.
    country: Option<Country>,
}

impl Choice {
    fn of(query: &PricingQuery) -> Self {
        let currency = Currency::parse(&query.currency).unwrap_or(Currency::Usd);
        let seats = query.seats.trim().parse().ok().filter(|seats| (1..=MAX_SEATS).contains(seats));
        let usual = Country::usual(currency);
        Self {
            interval: Interval::parse(&query.interval).unwrap_or(Interval::Month),
            currency,
            seats: seats.unwrap_or(1),
            // Only where prices are shown with tax is it asked for whose.
            country: usual.map(|usual| Country::find(&query.country).unwrap_or(usual)),
        }
    }

    /// Where this is shown. What is usual is left out, so that the plain page has one address.
    fn address(self) -> String {
        let mut pairs = Vec::new();
        if self.interval != Interval::Month {
            pairs.push(format!("interval={}", self.interval.as_str()));
        }
        if self.currency != Currency::Usd {
            pairs.push(format!("currency={}", self.currency.as_str()));
        }
        if self.seats != 1 {
            pairs.push(format!("seats={}", self.seats));
        }
        if let Some(country) = self.country.filter(|country| Some(*country) != Country::usual(self.currency))
        {
            pairs.push(format!("country={}", country.code));
        }
        if pairs.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", pairs.join("&")) }
    }

    fn with_interval(self, interval: Interval) -> Self {
        Self { interval, ..self }
    }

    /// Another currency is another country's.
    fn with_currency(self, currency: Currency) -> Self {
        Self { currency, country: Country::usual(currency), ..self }
    }
}

pub async fn pricing_page(
    State(ctx): State<Context>,
    Query(query): Query<PricingQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let mut choice = Choice::of(&query);
    let mut sold = catalogue::pricing(&ctx, choice.currency).await?;
    if let Some(first) =
        sold.currencies.first().copied().filter(|_| !sold.currencies.contains(&choice.currency))
    {
        choice = choice.with_currency(first);
        sold = catalogue::pricing(&ctx, first).await?;
    }
    let shown = Shown {
        choice,
        pricing: sold,
        groups: catalogue::comparison(&ctx).await?,
        can_buy: ctx.stripe.is_some(),
        email: ctx.config.operator.email.clone(),
    };
    let description = "What the Free, Pro and Enterprise tiers of Dev Forge include, and what they cost.";
    let page = Page::new("Pricing", description, move || pricing(shown));
    Ok(page.area(Area::Pricing).public(PATH).render(&visit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(interval: &str, currency: &str, seats: &str, country: &str) -> Choice {
        let own = str::to_owned;
        Choice::of(&PricingQuery {
            interval: own(interval),
            currency: own(currency),
            seats: own(seats),
            country: own(country),
        })
    }

    #[test]
    fn what_is_not_known_chooses_nothing() {
        let plain = asked("", "", "", "");
        assert_eq!(plain.address(), "/pricing");
        for (interval, currency, seats, country) in [
            ("week", "chf", "0", "DE"),
            ("MONTH", "<b>", "10001", "XX"),
            ("", "", "-1", ""),
            ("", "", "x", ""),
        ] {
            assert_eq!(asked(interval, currency, seats, country), plain);
        }
    }

    #[test]
    fn an_address_leads_to_what_it_was_made_from() {
        assert_eq!(
            asked("year", "eur", "3", "AT").address(),
            "/pricing?interval=year&currency=eur&seats=3&country=AT"
        );
        assert_eq!(
            asked("once", "GBP", "10000", "").address(),
            "/pricing?interval=once&currency=gbp&seats=10000"
        );
    }

    #[test]
    fn euros_and_pounds_are_shown_with_tax_and_dollars_and_yen_without() {
        let code = |currency: &str, country: &str| asked("", currency, "", country).country.map(|at| at.code);
        assert_eq!(code("eur", ""), Some("DE"));
        assert_eq!(code("eur", "fr"), Some("FR"));
        assert_eq!(code("eur", "US"), Some("DE"), "nobody collects it there");
        assert_eq!(code("gbp", ""), Some("GB"));
        assert_eq!(code("usd", "DE"), None);
        assert_eq!(code("jpy", ""), None);
        assert_eq!(asked("", "eur", "", "FR").with_currency(Currency::Gbp).country, Country::find("GB"));
    }
}
