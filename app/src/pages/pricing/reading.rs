//! How a price reads: its amount with or without tax, and what is said beside it.
//!
//! What always holds: the amount with tax is what checkout computes for the same country and nobody with a tax id, by
//! the same rounding.

use devforge::{
    contract::{
        money::{Currency, Money, Rate},
        payment::{Interval, Price},
    },
    integration::tax::display_rate,
};

use crate::pages::checkout::countries::COUNTRIES;

/// Where prices are shown with tax, and with how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    pub code: &'static str,
    pub name: &'static str,
    pub rate: Rate,
}

impl Country {
    /// Everywhere that tax is taken by our own table, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES
            .into_iter()
            .filter_map(|(code, name)| display_rate(code).map(|rate| Self { code, name, rate }))
            .filter(|country| country.rate != Rate::ZERO)
    }

    pub fn find(code: &str) -> Option<Self> {
        Self::all().find(|country| country.code.eq_ignore_ascii_case(code.trim()))
    }

    /// Where most of those are who pay in this currency, if the law there expects prices with tax.
    pub fn usual(currency: Currency) -> Option<Self> {
        match currency {
            Currency::Eur => Self::find("DE"),
            Currency::Gbp => Self::find("GB"),
            Currency::Usd | Currency::Jpy => None,
        }
    }
}

/// What stands about a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// `$19`.
    pub amount: String,
    /// `per seat and month`.
    pub per: &'static str,
    /// `Includes 19 % VAT (Germany). €18 without.`
    pub tax: Option<String>,
    /// Computed from the monthly price, where a yearly one costs less.
    pub saving: Option<String>,
    pub trial: Option<String>,
}

impl Reading {
    /// `month` is the monthly price of the same tier, if it is sold so.
    pub fn of(price: &Price, month: Option<&Price>, country: Option<Country>) -> Self {
        let net = money(price);
        let gross = with_tax(net, country);
        Self {
            amount: short(gross),
            per: per(price),
            tax: country.map(|country| {
                format!("Includes {} VAT ({}). {} without.", country.rate, country.name, short(net))
            }),
            saving: month.and_then(|month| saving(price, month, country)),
            trial: (price.trial_days > 0)
                .then(|| format!("Signed in, the first {} days are free.", price.trial_days)),
        }
    }
}

/// What so many seats come to: `3 seats: $57.00 a month before tax`.
pub fn sum(price: &Price, seats: u32, country: Option<Country>) -> Option<String> {
    let sum = with_tax(money(price).times(seats)?, country);
    let each = match price.interval {
        Interval::Month => " a month",
        Interval::Year => " a year",
        Interval::Once => "",
    };
    let tax = if country.is_some() { "with VAT" } else { "before tax" };
    Some(format!("{seats} seats: {sum}{each} {tax}"))
}

fn money(price: &Price) -> Money {
    price.currency.of(price.amount)
}

fn with_tax(net: Money, country: Option<Country>) -> Money {
    let tax = country.map_or(0, |country| country.rate.of(net.amount));
    net.currency.of(net.amount.saturating_add(tax))
}

fn saving(price: &Price, month: &Price, country: Option<Country>) -> Option<String> {
    if price.interval != Interval::Year || month.interval != Interval::Month {
        return None;
    }
    let year_of_months = with_tax(money(month), country).times(12)?;
    let saved = year_of_months.minus(with_tax(money(price), country))?;
    (saved.amount > 0).then(|| format!("{} less than twelve months.", short(saved)))
}

const fn per(price: &Price) -> &'static str {
    match (price.interval, price.per_seat) {
        (Interval::Month, true) => "per seat and month",
        (Interval::Month, false) => "per month",
        (Interval::Year, true) => "per seat and year",
        (Interval::Year, false) => "per year",
        (Interval::Once, true) => "per seat, paid once",
        (Interval::Once, false) => "paid once",
    }
}

/// `$19` for `$19.00`, and `$19.50` as it is.
pub fn short(money: Money) -> String {
    let text = money.to_string();
    text.strip_suffix(".00").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use devforge::contract::id::PriceId;

    use super::*;

    fn price(interval: Interval, money: Money, trial_days: u16) -> Price {
        let id = "prc_01h2xcejqtf2nbrexx3vqjhp41".parse::<PriceId>().expect("an id");
        Price { id, interval, amount: money.amount, currency: money.currency, per_seat: true, trial_days }
    }

    #[test]
    fn without_a_country_a_price_is_what_the_catalogue_says() {
        let month = price(Interval::Month, Currency::Usd.of(1900), 14);
        let reading = Reading::of(&month, Some(&month), None);
        assert_eq!((reading.amount.as_str(), reading.per), ("$19", "per seat and month"));
        assert_eq!((reading.tax, reading.saving), (None, None));
        assert_eq!(reading.trial.as_deref(), Some("Signed in, the first 14 days are free."));
    }

    #[test]
    fn with_a_country_its_tax_is_in_the_price() {
        let germany = Country::find("DE");
        let once = price(Interval::Once, Currency::Eur.of(37_900), 0);
        let reading = Reading::of(&once, None, germany);
        assert_eq!((reading.amount.as_str(), reading.per), ("€451.01", "per seat, paid once"));
        assert_eq!(reading.tax.as_deref(), Some("Includes 19 % VAT (Germany). €379 without."));
        assert_eq!(reading.trial, None);
    }

    #[test]
    fn what_a_year_saves_is_computed_and_only_said_where_it_saves() {
        let month = price(Interval::Month, Currency::Usd.of(1900), 0);
        let year = price(Interval::Year, Currency::Usd.of(19_000), 0);
        let saving = |year: &Price, country| Reading::of(year, Some(&month), country).saving;
        assert_eq!(saving(&year, None).as_deref(), Some("$38 less than twelve months."));
        assert_eq!(saving(&price(Interval::Year, Currency::Usd.of(22_800), 0), None), None);
        assert_eq!(saving(&price(Interval::Once, Currency::Usd.of(100), 0), None), None);
        // Another currency says nothing about this one.
        assert_eq!(saving(&price(Interval::Year, Currency::Eur.of(100), 0), None), None);
    }

    #[test]
    fn a_sum_is_taxed_as_one_line() {
        let month = price(Interval::Month, Currency::Eur.of(1799), 0);
        assert_eq!(sum(&month, 3, None).as_deref(), Some("3 seats: €53.97 a month before tax"));
        // 19 % of 53.97 is 10.2543.
        assert_eq!(sum(&month, 3, Country::find("DE")).as_deref(), Some("3 seats: €64.22 a month with VAT"));
        let yen = price(Interval::Once, Currency::Jpy.of(59_000), 0);
        assert_eq!(sum(&yen, 10_000, None).as_deref(), Some("10000 seats: ¥590,000,000 before tax"));
    }

    #[test]
    fn amounts_are_short_where_nothing_is_lost() {
        assert_eq!(short(Currency::Usd.of(1950)), "$19.50");
        assert_eq!(short(Currency::Jpy.of(2900)), "¥2,900");
        assert_eq!(short(Currency::Gbp.of(0)), "£0");
    }
}
