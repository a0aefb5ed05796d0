//! What tax a purchase bears, from one of three makers: Stripe Tax, TaxJar, or a table of our own.
//!
//! What always holds: there is one answer for each line, in order, with its reason in words; a line's tax is its rate of
//! the line's net, rounded half away from zero, because that is how the checkout computes what is charged; when a maker
//! outside does not answer, there is an error and never a tax of nothing.

mod decimal;
mod stripe_tax;
mod table;
mod taxjar;

use crate::{
    billing::tax_id::TaxId,
    clock::Clock,
    config::PaymentsConfig,
    contract::{
        money::{Currency, Rate},
        payment::{Address, LineTax},
    },
    integration::stripe::{self, Stripe},
};
use stripe_tax::StripeTax;
use table::Table;
pub use table::{country_name, display_rate};
use taxjar::TaxJar;

const REVERSE_CHARGE: &str = "Reverse charge: the buyer owes the VAT";
const OUTSIDE: &str = "No tax: outside the places where we collect it";
const NOTHING_TO_TAX: &str = "No tax: nothing is paid";

/// How far a maker's tax of a line may be from what its rate comes to: country, state, county, city and district each
/// round their own part.
const ROUNDINGS: u64 = 3;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What to add to the address, for people.
    #[error("{0}")]
    Address(&'static str),
    #[error("the tax service is not available: {0}")]
    Unavailable(String),
    #[error("the tax service does not take our key")]
    Unauthorized,
    #[error("what the tax service says does not add up: {0}")]
    Disagrees(&'static str),
    #[error("the tax service's answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("Stripe Tax did not answer")]
    Stripe(#[from] stripe::Error),
}

impl Error {
    /// Whether the same question may be answered later.
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Stripe(error) => error.is_temporary(),
            Self::Address(_) | Self::Unauthorized | Self::Disagrees(_) | Self::Unreadable(_) => false,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Purchase<'a> {
    pub currency: Currency,
    /// Its country decides. Without one the buyer is where we are.
    pub address: &'a Address,
    pub tax_id: Option<&'a TaxId>,
    /// Of each line, after discount and before tax.
    pub nets: &'a [i64],
}

pub enum TaxCalculator {
    Table(Table),
    StripeTax(StripeTax),
    TaxJar(TaxJar),
}

impl TaxCalculator {
    pub fn from_config(config: &PaymentsConfig, stripe: Option<&Stripe>, clock: &Clock) -> Self {
        let home = &config.home_country;
        match (&config.taxjar_key, stripe) {
            (Some(key), _) => Self::TaxJar(TaxJar::new(&config.taxjar_url, key.clone(), home)),
            (None, Some(stripe)) if config.stripe_tax => Self::StripeTax(StripeTax::new(stripe, home)),
            _ => Self::Table(Table::new(home, clock)),
        }
    }

    /// One for each net, in order.
    pub async fn calculate(&self, purchase: &Purchase<'_>) -> Result<Vec<LineTax>, Error> {
        match self {
            Self::Table(table) => Ok(table.calculate(purchase)),
            _ if purchase.nets.iter().all(|net| *net == 0) => Ok(untaxed(purchase, NOTHING_TO_TAX)),
            Self::StripeTax(stripe_tax) => stripe_tax.calculate(purchase).await,
            Self::TaxJar(taxjar) => taxjar.calculate(purchase).await,
        }
    }

    pub const fn maker(&self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::StripeTax(_) => "stripe_tax",
            Self::TaxJar(_) => "taxjar",
        }
    }
}

/// No tax on any line, for one reason.
fn untaxed(purchase: &Purchase<'_>, reason: &str) -> Vec<LineTax> {
    purchase.nets.iter().map(|_| no_tax(reason)).collect()
}

fn no_tax(reason: &str) -> LineTax {
    LineTax { rate: Rate::ZERO, amount: 0, country: String::new(), reason: reason.to_owned() }
}

/// The two letters of the buyer's country, as ISO has them.
fn country_of(address: &Address, home: &str) -> String {
    let country = address.country.trim().to_ascii_uppercase();
    match country.as_str() {
        "" => home.to_owned(),
        "EL" => "GR".to_owned(),
        "UK" => "GB".to_owned(),
        _ => country,
    }
}

/// The rate of a line whose tax a maker outside tells, such that the rate of the net is that tax. `rate` is the one it
/// names. It is not the whole truth where only a part of a price is taxed, as some states do with software: then it is
/// the tax that counts.
fn rate_of_told(net: i64, rate: Rate, told: i64) -> Result<Rate, Error> {
    if rate.of(net).abs_diff(told) <= ROUNDINGS {
        return Ok(rate);
    }
    if net == 0 {
        return Err(Error::Disagrees("there is tax on a line of nothing"));
    }
    let millionths = (i128::from(told) * 2_000_000 / i128::from(net) + 1) / 2;
    match u32::try_from(millionths) {
        Ok(millionths @ 0..=1_000_000) => Ok(Rate(millionths)),
        _ => Err(Error::Disagrees("the tax is no share of what it is on")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_named_rate_stands_when_it_comes_to_the_tax() {
        assert_eq!(rate_of_told(1900, Rate::percent(19), 361).ok(), Some(Rate::percent(19)));
        // Two parts that round up, each by itself.
        assert_eq!(rate_of_told(1050, Rate(85_000), 90).ok(), Some(Rate(85_000)));
        assert_eq!(rate_of_told(0, Rate::percent(19), 0).ok(), Some(Rate::percent(19)));
    }

    #[test]
    fn where_a_part_is_taxed_the_tax_counts() {
        // 8.25 % on four fifths of it.
        let rate = rate_of_told(10_000, Rate(82_500), 660).expect("a rate");
        assert_eq!((rate, rate.of(10_000)), (Rate(66_000), 660));
        assert!(rate_of_told(0, Rate::ZERO, 100).is_err());
        assert!(rate_of_told(100, Rate::ZERO, 1000).is_err());
        assert!(rate_of_told(1000, Rate::percent(10), -900).is_err());
    }

    #[test]
    fn a_country_is_known_by_its_other_letters() {
        for (typed, country) in [("", "DE"), (" fr ", "FR"), ("EL", "GR"), ("uk", "GB")] {
            let address = Address { country: typed.to_owned(), ..Address::default() };
            assert_eq!(country_of(&address, "DE"), country);
        }
    }

    proptest! {
        #[test]
        fn what_is_charged_is_near_what_was_told(net in 1_i64..400_000, told in 0_i64..400_000, rate in 0_u32..=300_000) {
            if let Ok(rate) = rate_of_told(net, Rate(rate), told) {
                prop_assert!(rate.of(net).abs_diff(told) <= ROUNDINGS);
            } else {
                prop_assert!(told > net);
            }
        }
    }
}
