//! Our own table: the standard rates of VAT in the EU, the United Kingdom, Switzerland and Norway.
//!
//! Software sold over the internet is a service taxed where the buyer is. Consumers pay the rate of their country. A
//! business elsewhere than us, in a country whose businesses owe the VAT on services from abroad themselves, pays none
//! when it gives its VAT number. Everywhere else nothing is collected, and the line says so.
//!
//! What it does not know, and how it treats it:
//! - Åland, the French overseas departments and Saint Martin under their own country codes: as elsewhere, no tax. With
//!   the code of Finland or France: at the rate of the mainland.
//! - The Azores, Madeira, Jungholz and Mittelberg, which have lower rates: at the rate of the mainland.
//! - Northern Ireland, which follows the EU for goods only: as the United Kingdom, also with an XI number.
//! - The states of the USA, the provinces of Canada, GST and the like: no tax. Whoever has to collect there uses Stripe
//!   Tax or TaxJar.
//! - Thresholds below which a small seller may tax at home.

use time::{Date, macros::date};

use super::{OUTSIDE, Purchase, REVERSE_CHARGE, country_of, untaxed};
use crate::{
    billing::tax_id::TaxId,
    clock::Clock,
    contract::{
        money::Rate,
        payment::{Address, LineTax},
    },
};

/// Which VAT number lets a business elsewhere than us owe the VAT itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Business {
    /// That of any member of the EU but our own.
    OfTheUnion,
    /// That of its own country.
    OfItsCountry,
    /// None: a seller who is registered there taxes everybody.
    Taxed,
}

struct Place {
    code: &'static str,
    name: &'static str,
    business: Business,
}

const fn member(code: &'static str, name: &'static str) -> Place {
    Place { code, name, business: Business::OfTheUnion }
}

static PLACES: [Place; 30] = [
    member("AT", "Austria"),
    member("BE", "Belgium"),
    member("BG", "Bulgaria"),
    member("CY", "Cyprus"),
    member("CZ", "Czechia"),
    member("DE", "Germany"),
    member("DK", "Denmark"),
    member("EE", "Estonia"),
    member("ES", "Spain"),
    member("FI", "Finland"),
    member("FR", "France"),
    member("GR", "Greece"),
    member("HR", "Croatia"),
    member("HU", "Hungary"),
    member("IE", "Ireland"),
    member("IT", "Italy"),
    member("LT", "Lithuania"),
    member("LU", "Luxembourg"),
    member("LV", "Latvia"),
    member("MT", "Malta"),
    member("NL", "Netherlands"),
    member("PL", "Poland"),
    member("PT", "Portugal"),
    member("RO", "Romania"),
    member("SE", "Sweden"),
    member("SI", "Slovenia"),
    member("SK", "Slovakia"),
    Place { code: "GB", name: "United Kingdom", business: Business::OfItsCountry },
    Place { code: "NO", name: "Norway", business: Business::OfItsCountry },
    Place { code: "CH", name: "Switzerland", business: Business::Taxed },
];

/// The first day of this table. Nothing was sold before.
const START: Date = date!(2026 - 01 - 01);

/// From when on which standard rate is in force. A change is one more line; the old one stays.
static RATES: [(&str, Date, Rate); 30] = [
    ("AT", START, Rate::percent(20)),
    ("BE", START, Rate::percent(21)),
    ("BG", START, Rate::percent(20)),
    ("CH", START, Rate(81_000)),
    ("CY", START, Rate::percent(19)),
    ("CZ", START, Rate::percent(21)),
    ("DE", START, Rate::percent(19)),
    ("DK", START, Rate::percent(25)),
    ("EE", START, Rate::percent(24)),
    ("ES", START, Rate::percent(21)),
    ("FI", START, Rate(255_000)),
    ("FR", START, Rate::percent(20)),
    ("GB", START, Rate::percent(20)),
    ("GR", START, Rate::percent(24)),
    ("HR", START, Rate::percent(25)),
    ("HU", START, Rate::percent(27)),
    ("IE", START, Rate::percent(23)),
    ("IT", START, Rate::percent(22)),
    ("LT", START, Rate::percent(21)),
    ("LU", START, Rate::percent(17)),
    ("LV", START, Rate::percent(21)),
    ("MT", START, Rate::percent(18)),
    ("NL", START, Rate::percent(21)),
    ("NO", START, Rate::percent(25)),
    ("PL", START, Rate::percent(23)),
    ("PT", START, Rate::percent(23)),
    ("RO", START, Rate::percent(21)),
    ("SE", START, Rate::percent(25)),
    ("SI", START, Rate::percent(22)),
    ("SK", START, Rate::percent(23)),
];

/// Parts of members of the EU where its VAT is not, by the beginning of their postal codes.
const WITHOUT_VAT: [(&str, &str, &str); 9] = [
    ("DE", "27498", "Heligoland"),
    ("DE", "78266", "Büsingen am Hochrhein"),
    ("ES", "35", "the Canary Islands"),
    ("ES", "38", "the Canary Islands"),
    ("ES", "51", "Ceuta"),
    ("ES", "52", "Melilla"),
    ("GR", "63086", "Mount Athos"),
    ("IT", "22061", "Campione d’Italia"),
    ("IT", "23041", "Livigno"),
];

/// Places outside the table that the other makers name.
const ELSEWHERE: [(&str, &str); 14] = [
    ("AU", "Australia"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("IN", "India"),
    ("IS", "Iceland"),
    ("JP", "Japan"),
    ("KR", "South Korea"),
    ("LI", "Liechtenstein"),
    ("MX", "Mexico"),
    ("NZ", "New Zealand"),
    ("SG", "Singapore"),
    ("TR", "Türkiye"),
    ("US", "United States"),
    ("ZA", "South Africa"),
];

/// The country whose tax is taken of buyers in `country`.
fn taxed_by(country: &str) -> &str {
    match country {
        "EL" => "GR",
        "IM" | "UK" | "XI" => "GB",
        "MC" => "FR",
        other => other,
    }
}

fn place(country: &str) -> Option<&'static Place> {
    let country = taxed_by(country);
    PLACES.iter().find(|place| place.code == country)
}

fn rate_on(country: &str, day: Date) -> Option<Rate> {
    RATES
        .iter()
        .filter(|(code, from, _)| *code == country && *from <= day)
        .max_by_key(|(_, from, _)| *from)
        .map(|(_, _, rate)| *rate)
}

/// The standard rate in a country, for prices shown with tax: the newest of the table, as a page that is kept for a
/// while cannot say of which day it is. None where nothing is collected.
pub fn display_rate(country: &str) -> Option<Rate> {
    let country = country.trim().to_ascii_uppercase();
    rate_on(taxed_by(&country), Date::MAX)
}

/// A country's name, where its tax is known to us or to another maker.
pub fn country_name(country: &str) -> Option<&'static str> {
    let named = || ELSEWHERE.iter().find(|(code, _)| *code == country).map(|(_, name)| *name);
    place(country).map(|place| place.name).or_else(named)
}

/// Whether the buyer is a business that owes the VAT itself.
pub(super) fn is_reverse_charged(country: &str, tax_id: Option<&TaxId>, home: &str) -> bool {
    let (Some(place), Some(tax_id), home) = (place(country), tax_id, taxed_by(home)) else { return false };
    if place.code == home {
        return false;
    }
    let given_by = taxed_by(&tax_id.country);
    match place.business {
        Business::OfTheUnion => {
            // The VAT number of a company of ours is that of somebody who is taxed here.
            given_by != home
                && PLACES.iter().any(|place| place.code == given_by && place.business == Business::OfTheUnion)
        }
        Business::OfItsCountry => given_by == place.code,
        Business::Taxed => false,
    }
}

fn without_vat(country: &str, address: &Address) -> Option<&'static str> {
    let code: String = address.postal_code.chars().filter(char::is_ascii_digit).collect();
    WITHOUT_VAT
        .iter()
        .find(|(of, begins, _)| *of == country && code.len() == 5 && code.starts_with(*begins))
        .map(|(_, _, name)| *name)
}

pub struct Table {
    home: String,
    clock: Clock,
}

impl Table {
    pub(super) fn new(home: &str, clock: &Clock) -> Self {
        Self { home: home.to_owned(), clock: clock.clone() }
    }

    pub(super) fn calculate(&self, purchase: &Purchase<'_>) -> Vec<LineTax> {
        let country = country_of(purchase.address, &self.home);
        let Some(place) = place(&country) else { return untaxed(purchase, OUTSIDE) };
        if let Some(name) = without_vat(&country, purchase.address) {
            return untaxed(purchase, &format!("No tax: {name} has no VAT of the EU"));
        }
        if is_reverse_charged(&country, purchase.tax_id, &self.home) {
            return untaxed(purchase, REVERSE_CHARGE);
        }
        let Some(rate) = rate_on(place.code, self.clock.now().date()) else {
            return untaxed(purchase, OUTSIDE);
        };
        let line = |net: &i64| LineTax {
            rate,
            amount: rate.of(*net),
            country: place.code.to_owned(),
            reason: format!("VAT {rate} ({})", place.name),
        };
        purchase.nets.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{billing::tax_id, contract::money::Currency};

    fn table(home: &str) -> Table {
        Table::new(home, &Clock::fixed(datetime!(2026-11-20 10:00 UTC)))
    }

    fn buys(
        home: &str,
        country: &str,
        postal_code: &str,
        number: Option<&str>,
        nets: &[i64],
    ) -> Vec<LineTax> {
        let address = Address {
            country: country.to_owned(),
            postal_code: postal_code.to_owned(),
            ..Address::default()
        };
        let tax_id = number.map(|number| tax_id::parse(number, country).expect("a VAT number"));
        let purchase = Purchase { currency: Currency::Eur, address: &address, tax_id: tax_id.as_ref(), nets };
        table(home).calculate(&purchase)
    }

    fn of_one(home: &str, country: &str, number: Option<&str>) -> (i64, String, String) {
        let tax = buys(home, country, "", number, &[10_000]).remove(0);
        assert_eq!(tax.amount, tax.rate.of(10_000));
        (tax.amount, tax.country, tax.reason)
    }

    #[test]
    fn every_place_has_a_rate() {
        for place in &PLACES {
            let rate = display_rate(place.code).expect(place.code);
            assert!(rate >= Rate(81_000) && rate <= Rate::percent(27), "{}", place.code);
            assert_eq!(rate_on(place.code, date!(2025 - 12 - 31)), None);
        }
        assert!(RATES.iter().all(|(code, _, _)| PLACES.iter().any(|place| place.code == *code)));
        assert_eq!(display_rate(" fi "), Some(Rate(255_000)));
        assert_eq!(display_rate("US"), None);
    }

    #[test]
    fn consumers_pay_the_rate_of_their_country() {
        for (country, amount, by, reason) in [
            ("DE", 1900, "DE", "VAT 19 % (Germany)"),
            ("FI", 2550, "FI", "VAT 25.5 % (Finland)"),
            ("el", 2400, "GR", "VAT 24 % (Greece)"),
            ("CH", 810, "CH", "VAT 8.1 % (Switzerland)"),
            ("GB", 2000, "GB", "VAT 20 % (United Kingdom)"),
            ("NO", 2500, "NO", "VAT 25 % (Norway)"),
            ("MC", 2000, "FR", "VAT 20 % (France)"),
            ("", 1900, "DE", "VAT 19 % (Germany)"),
        ] {
            assert_eq!(of_one("DE", country, None), (amount, by.to_owned(), reason.to_owned()), "{country}");
        }
    }

    #[test]
    fn elsewhere_nothing_is_collected_and_that_is_said() {
        for country in ["US", "JP", "AX", "XX"] {
            assert_eq!(of_one("DE", country, None), (0, String::new(), OUTSIDE.to_owned()), "{country}");
        }
        for (country, code, name) in [
            ("ES", "35001", "Canary"),
            ("ES", "E-51001", "Ceuta"),
            ("DE", "27498", "Heligoland"),
            ("IT", "23041", "Livigno"),
        ] {
            let tax = buys("DE", country, code, None, &[10_000]).remove(0);
            assert!(tax.amount == 0 && tax.reason.contains(name), "{code}: {}", tax.reason);
        }
        assert_eq!(buys("DE", "ES", "28001", None, &[10_000])[0].amount, 2100);
        assert_eq!(buys("DE", "FR", "35000", None, &[10_000])[0].amount, 2000);
    }

    #[test]
    fn businesses_in_other_countries_owe_the_tax_themselves() {
        for (home, country, number) in [
            ("DE", "FR", "FR40303265045"),
            ("DE", "GR", "EL094259216"),
            ("DE", "FR", "IT00743110157"),
            ("DE", "GB", "GB980780684"),
            ("DE", "NO", "995525828MVA"),
            ("CH", "DE", "DE136695976"),
        ] {
            let wanted = (0, String::new(), REVERSE_CHARGE.to_owned());
            assert_eq!(of_one(home, country, Some(number)), wanted, "{home} {number}");
        }
    }

    #[test]
    fn businesses_at_home_and_numbers_of_elsewhere_pay_tax() {
        for (home, country, number, amount) in [
            ("DE", "DE", "DE136695976", 1900),
            ("DE", "DE", "FR40303265045", 1900),
            ("DE", "FR", "DE136695976", 2000),
            ("DE", "FR", "GB980780684", 2000),
            ("DE", "GB", "FR40303265045", 2000),
            ("DE", "CH", "CHE-107.787.577 MWST", 810),
            ("FR", "MC", "FR40303265045", 2000),
        ] {
            assert_eq!(of_one(home, country, Some(number)).0, amount, "{home} {country} {number}");
        }
    }

    #[test]
    fn each_line_is_rounded_by_itself() {
        let taxes = buys("DE", "DE", "", None, &[50, 50, 0, 3]);
        let amounts: Vec<i64> = taxes.iter().map(|tax| tax.amount).collect();
        assert_eq!(amounts, [10, 10, 0, 1]);
    }
}
