//! What the pages ask about countries: which there are, which have postal codes, and where somebody is likely to be.

pub use devforge::contract::country::COUNTRIES;
use devforge::contract::{country, money::Currency};

/// Where letters find their way without a postal code.
const WITHOUT_POSTAL_CODES: [&str; 62] = [
    "AE", "AG", "AO", "AW", "BF", "BI", "BJ", "BO", "BQ", "BS", "BW", "BZ", "CD", "CF", "CG", "CI", "CK",
    "CM", "CW", "DJ", "DM", "ER", "FJ", "GA", "GD", "GH", "GM", "GQ", "GY", "HK", "JM", "KI", "KM", "KN",
    "KP", "LY", "ML", "MO", "MR", "MW", "NR", "NU", "QA", "RW", "SB", "SC", "SL", "SR", "ST", "SX", "SY",
    "TD", "TF", "TG", "TK", "TL", "TO", "TV", "UG", "VU", "YE", "ZW",
];

pub fn is_country(code: &str) -> bool {
    country::name(code).is_some()
}

pub fn has_postal_codes(code: &str) -> bool {
    !WITHOUT_POSTAL_CODES.contains(&code)
}

/// Where somebody is, as a first guess that they can change: where their request came from, or else where their
/// currency is at home. `home` is where we are.
pub fn likely(seen: Option<&str>, currency: Currency, home: &str) -> String {
    let guess = seen.filter(|code| is_country(code)).unwrap_or(match currency {
        Currency::Usd => "US",
        Currency::Gbp => "GB",
        Currency::Jpy => "JP",
        Currency::Eur => home,
    });
    guess.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_countries_are_without_postal_codes() {
        assert!(WITHOUT_POSTAL_CODES.iter().all(|code| is_country(code)));
        assert!(has_postal_codes("DE") && !has_postal_codes("HK"));
    }

    #[test]
    fn the_guess_goes_by_the_network_and_then_by_the_currency() {
        assert_eq!(likely(Some("SE"), Currency::Usd, "DE"), "SE");
        assert_eq!(likely(Some("XX"), Currency::Jpy, "DE"), "JP");
        assert_eq!(likely(None, Currency::Eur, "DE"), "DE");
        assert_eq!(likely(None, Currency::Gbp, "DE"), "GB");
    }
}
