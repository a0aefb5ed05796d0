//! Decimal numbers as whole ones, without going through a floating point.

use serde_json::Number;

/// A decimal text in units of the last of `digits` behind its point: `19.5` with two digits is 1950. What lies behind
/// those is rounded half away from zero. None when it is no decimal number, or does not fit.
pub(super) fn parse(text: &str, digits: u32) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(digits as usize));
    let width = digits as usize;
    let value: i64 = format!("{whole}{kept:0<width$}").parse().ok()?;
    let up = rest.bytes().next().is_some_and(|byte| byte >= b'5');
    Some(sign * (value + i64::from(up)))
}

/// A number of a JSON document. It is read from the shortest text that is this number, which has the digits that were
/// sent as long as those are at most fifteen.
pub(super) fn of_number(number: &Number, digits: u32) -> Option<i64> {
    parse(&number.to_string(), digits)
}

/// The number that is written as this decimal text.
pub(super) fn number(text: &str) -> Number {
    serde_json::from_str(text).expect("digits with a point between them are a number")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::money::{Currency, decimal};

    #[test]
    fn digits_are_kept_and_the_rest_is_rounded() {
        for (text, digits, value) in [
            ("19.5", 2, Some(1950)),
            ("19", 2, Some(1900)),
            ("19.995", 2, Some(2000)),
            ("19.994", 2, Some(1999)),
            ("-0.005", 2, Some(-1)),
            ("1900", 0, Some(1900)),
            ("1900.5", 0, Some(1901)),
            ("0.0925", 6, Some(92_500)),
            ("0.0843755", 6, Some(84_376)),
            ("25.5", 4, Some(255_000)),
            ("", 2, None),
            (".5", 2, None),
            ("1e3", 2, None),
            ("1.-5", 2, None),
            ("--1", 2, None),
            ("9999999999999", 2, None),
        ] {
            assert_eq!(parse(text, digits), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn amounts_survive_json(amount in 0_i64..10_000_000_000, index in 0_usize..4) {
            let currency = Currency::ALL[index];
            let sent = serde_json::to_string(&number(&decimal(currency.of(amount)))).expect("writes");
            let read: Number = serde_json::from_str(&sent).expect("reads");
            prop_assert_eq!(of_number(&read, currency.digits()), Some(amount));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,30}", digits in 0_u32..8) {
            let _ = parse(&text, digits);
        }
    }
}
