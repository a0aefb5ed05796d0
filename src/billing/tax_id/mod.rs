//! VAT numbers: of the EU's members, Northern Ireland, the United Kingdom, Switzerland and Norway.
//!
//! What always holds: reading forgives how a number is written (spaces, dots, hyphens, small letters, no prefix where the
//! country is known) and not what it is; every number that has check digits is held against them. Whether somebody was
//! given the number is not known here.

mod checks;
mod kinds;

use checks::Verdict;
use kinds::{KINDS, Kind};

const EMPTY: &str = "Write the number, or leave this empty.";
const UNKNOWN: &str = "We can read VAT numbers of the EU, the United Kingdom, Switzerland and Norway, which begin with the \
                       letters of their country. Leave this empty if you have none of these.";
/// Longer than any number with all its separators.
const LONGEST: usize = 60;

/// A VAT number that is written right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxId {
    /// Two letters of who gave it out; `XI` for Northern Ireland.
    pub country: String,
    /// As it stands on an invoice, with its prefix: `DE136695976`, `CHE-107.787.577 IVA`.
    pub number: String,
}

/// What somebody typed, who says to be in `country`. The error is for them.
pub fn parse(text: &str, country: &str) -> Result<TaxId, &'static str> {
    if text.len() > LONGEST {
        return Err(UNKNOWN);
    }
    let number: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '.' | ',' | '-' | '–' | '/' | '\''))
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    if number.is_empty() {
        return Err(EMPTY);
    }
    let own = of_country(country);
    let read = match own {
        Some(kind) => match without_prefix(kind, &number) {
            Some(rest) => return kind.read(rest),
            None => kind.read(&number),
        },
        None => Err(UNKNOWN),
    };
    if read.is_ok() {
        return read;
    }
    // Not one of this country's without its prefix: then it is what its letters say it is.
    let other = KINDS.iter().find_map(|kind| Some((kind, without_prefix(kind, &number)?)));
    other.map_or(read, |(kind, rest)| kind.read(rest))
}

fn of_country(country: &str) -> Option<&'static Kind> {
    let country = country.trim().to_ascii_uppercase();
    let country = match country.as_str() {
        "EL" => "GR",
        // These have the numbers of whom they are taxed with.
        "MC" => "FR",
        "IM" | "UK" => "GB",
        other => other,
    };
    KINDS.iter().find(|kind| kind.country == country)
}

fn without_prefix<'a>(kind: &Kind, number: &'a str) -> Option<&'a str> {
    kind.prefixes.iter().find_map(|prefix| number.strip_prefix(*prefix))
}

impl Kind {
    /// A number without its prefix.
    fn read(&self, number: &str) -> Result<TaxId, &'static str> {
        let suffix = self.suffixes.iter().find(|suffix| number.ends_with(**suffix));
        let number = suffix.map_or(number, |suffix| &number[..number.len() - suffix.len()]);
        let number = match (self.country, number.len()) {
            // As they were written before these countries put a zero in front.
            ("BE", 9) | ("GR", 8) => format!("0{number}"),
            _ => number.to_owned(),
        };
        if !number.is_ascii() {
            return Err(self.other);
        }
        if !self.lengths.contains(&number.len()) {
            return Err(self.counted.get(number.len()).copied().unwrap_or(self.more));
        }
        match (self.check)(number.as_bytes()) {
            Verdict::Good => Ok(TaxId {
                country: self.country.to_owned(),
                number: self.written(&number, suffix.copied().unwrap_or_default()),
            }),
            Verdict::Form => Err(self.other),
            Verdict::Digits => Err(self.wrong),
        }
    }

    fn written(&self, number: &str, suffix: &str) -> String {
        match self.country {
            "CH" => {
                let suffix = if suffix.is_empty() { "MWST" } else { suffix };
                format!("CHE-{}.{}.{} {suffix}", &number[..3], &number[3..6], &number[6..])
            }
            "NO" => format!("{number}MVA"),
            _ => format!("{}{number}", self.prefixes[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers that their owners, tax offices and manuals have published.
    const PUBLISHED: [&str; 43] = [
        "ATU13585627",
        "BE0428759497",
        "BG175074752",
        "CY10259033P",
        "CZ25123891",
        "CZ7103192745",
        "CZ640903926",
        "DE136695976",
        "DK13585628",
        "EE100931558",
        "EE100594102",
        "EL094259216",
        "ESB58378431",
        "ESB64717838",
        "ES54362315K",
        "ESX2482300W",
        "ESJ99216582",
        "FI20774740",
        "FR40303265045",
        "FR23334175221",
        "FRK7399859412",
        "GB980780684",
        "HR33392005961",
        "HU12892312",
        "IE6433435F",
        "IE6433435OA",
        "IE8D79739I",
        "IT00743110157",
        "LT119511515",
        "LT100001919017",
        "LU15027442",
        "LV40003521600",
        "LV16117519997",
        "MT11679112",
        "NL004495445B01",
        "NL123456789B13",
        "PL8567346215",
        "PT501964843",
        "RO18547290",
        "SE123456789701",
        "SE556188840401",
        "SI50223054",
        "SK2022749619",
    ];

    #[test]
    fn published_numbers_are_read_with_and_without_their_prefix() {
        for number in PUBLISHED {
            let country = if number.starts_with("EL") { "GR" } else { &number[..2] };
            let wanted = Ok(TaxId { country: country.to_owned(), number: number.to_owned() });
            assert_eq!(parse(number, country), wanted);
            assert_eq!(parse(number, "US"), wanted, "from anywhere");
            assert_eq!(parse(&number[2..], country), wanted, "without its prefix");
            assert_eq!(parse(&number.to_lowercase(), "PL"), wanted, "from another country");
            let spaced: String = number.chars().flat_map(|letter| [letter, ' ']).collect();
            assert_eq!(parse(&spaced, country), wanted, "{spaced}");
        }
    }

    #[test]
    fn writing_is_forgiven() {
        for (typed, country, number) in [
            (" de 136.695-976 ", "de", "DE136695976"),
            ("GR 94259216", "GR", "EL094259216"),
            ("EL 094259216", "EL", "EL094259216"),
            ("BE 428759497", "BE", "BE0428759497"),
            ("980 7806 84", "IM", "GB980780684"),
            ("40 303 265 045", "MC", "FR40303265045"),
            ("GB GD001", "GB", "GBGD001"),
            ("xi 980 7806 84", "GB", "XI980780684"),
            ("CHE-107.787.577 IVA", "CH", "CHE-107.787.577 IVA"),
            ("che 107787577", "CH", "CHE-107.787.577 MWST"),
            ("107.787.577 tva", "CH", "CHE-107.787.577 TVA"),
            ("NO 995 525 828 MVA", "NO", "995525828MVA"),
            ("995525828", "NO", "995525828MVA"),
        ] {
            assert_eq!(parse(typed, country).map(|id| id.number).as_deref(), Ok(number), "{typed}");
        }
        // What is printed is read again.
        assert!(parse("995525828MVA", "NO").is_ok());
        assert_eq!(parse("XI980780684", "US").map(|id| id.country).as_deref(), Ok("XI"));
    }

    #[test]
    fn mistakes_are_named() {
        for (typed, country, words) in [
            ("SE 556188840", "SE", "A Swedish VAT number has 12 digits after SE. This one has 9."),
            ("556188840", "SE", "A Swedish VAT number has 12 digits after SE. This one has 9."),
            (
                "SE556188840301",
                "SE",
                "The check digits of this Swedish VAT number do not fit. Look for a typing mistake.",
            ),
            (
                "DE13669597X",
                "DE",
                "A German VAT number has 9 digits after DE. This one has something else in it.",
            ),
            ("DE", "DE", "A German VAT number has 9 digits after DE. This one has none."),
            ("DE13669597613669597", "DE", "A German VAT number has 9 digits after DE. This one has more."),
            ("12345", "US", UNKNOWN),
            (" - ", "DE", EMPTY),
        ] {
            assert_eq!(parse(typed, country).map(|id| id.number), Err(words), "{typed}");
        }
    }

    #[test]
    fn a_changed_digit_is_nearly_always_found() {
        let (mut tried, mut passed) = (0, 0);
        for number in PUBLISHED {
            for (place, letter) in number.char_indices().skip(2).filter(|(_, letter)| letter.is_ascii_digit())
            {
                for digit in ('0'..='9').filter(|digit| *digit != letter) {
                    let changed = format!("{}{digit}{}", &number[..place], &number[place + 1..]);
                    tried += 1;
                    passed += u32::from(parse(&changed, "US").is_ok());
                }
            }
        }
        assert!(passed * 20 < tried, "{passed} of {tried}");
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,40}", country in ".{0,3}") {
            let _ = parse(&text, &country);
        }

        #[test]
        fn what_looks_like_a_number_never_panics(prefix in 0..KINDS.len(), number in "[0-9A-Z+*ä ]{0,16}") {
            let kind = &KINDS[prefix];
            if let Ok(id) = parse(&format!("{}{number}", kind.prefixes[0]), kind.country) {
                let again = parse(&id.number, &id.country);
                prop_assert_eq!(again, Ok(id));
            }
        }
    }
}
