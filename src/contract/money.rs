//! Money: whole minor units with their currency, and the arithmetic that never makes or loses one.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What we sell in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Currency {
    Usd,
    Eur,
    Gbp,
    Jpy,
}

impl Currency {
    pub const ALL: [Self; 4] = [Self::Usd, Self::Eur, Self::Gbp, Self::Jpy];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Eur => "eur",
            Self::Gbp => "gbp",
            Self::Jpy => "jpy",
        }
    }

    /// `USD`, as people write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Gbp => "GBP",
            Self::Jpy => "JPY",
        }
    }

    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Usd => "$",
            Self::Eur => "€",
            Self::Gbp => "£",
            Self::Jpy => "¥",
        }
    }

    /// How many digits stand behind the point (ISO 4217).
    pub const fn digits(self) -> u32 {
        match self {
            Self::Jpy => 0,
            Self::Usd | Self::Eur | Self::Gbp => 2,
        }
    }

    /// The least that can be charged: Stripe takes no smaller sum above zero.
    pub const fn minimum_charge(self) -> i64 {
        match self {
            Self::Usd | Self::Eur | Self::Jpy => 50,
            Self::Gbp => 30,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.as_str().eq_ignore_ascii_case(text))
    }

    pub const fn of(self, amount: i64) -> Money {
        Money { amount, currency: self }
    }
}

/// An amount in minor units: `1900` of `usd` are $19.00, `1900` of `jpy` are ¥1,900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Money {
    pub amount: i64,
    pub currency: Currency,
}

impl Money {
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// None when the currencies differ, or the sum does not fit.
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        Some(self.currency.of(self.amount.checked_add(other.amount)?))
    }

    /// None when the currencies differ, or the difference does not fit.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.currency.of(other.amount.checked_neg()?))
    }

    pub fn times(self, count: u32) -> Option<Self> {
        Some(self.currency.of(self.amount.checked_mul(i64::from(count))?))
    }
}

/// `$19.00`, `−€5.00`, `¥1,900`: the sign, then thousands with commas, then all the digits the currency has.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.amount < 0 {
            f.write_str("−")?;
        }
        f.write_str(self.currency.symbol())?;
        f.write_str(&plain(self.amount, self.currency, true))
    }
}

/// `1234.50`: without sign of the currency and without commas, for tables that programs read.
pub fn decimal(money: Money) -> String {
    let sign = if money.amount < 0 { "-" } else { "" };
    format!("{sign}{}", plain(money.amount, money.currency, false))
}

/// The amount without its sign.
fn plain(amount: i64, currency: Currency, commas: bool) -> String {
    let amount = amount.unsigned_abs();
    let unit = 10_u64.pow(currency.digits());
    let whole = (amount / unit).to_string();
    let mut text = String::with_capacity(whole.len() + 8);
    for (index, digit) in whole.chars().enumerate() {
        if commas && index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if currency.digits() > 0 {
        let width = currency.digits() as usize;
        text.push_str(&format!(".{:0width$}", amount % unit));
    }
    text
}

/// What `19.5` or `1,900` typed by a person is in minor units. None when it is no amount of this currency.
pub fn parse_amount(text: &str, currency: Currency) -> Option<i64> {
    let text = text.trim().trim_start_matches(currency.symbol()).replace([',', ' '], "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = currency.digits() as usize;
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 12
        || fraction.len() > digits
        || !all_digits(whole)
        || !all_digits(fraction)
    {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// A share in parts of a million: 19 % are 190,000. Tax rates have up to four digits behind the point of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Rate(pub u32);

impl Rate {
    pub const ZERO: Self = Self(0);
    const WHOLE: i128 = 1_000_000;

    pub const fn percent(percent: u32) -> Self {
        Self(percent * 10_000)
    }

    /// The share of an amount, rounded half away from zero: the rule for every tax and every discount of a line.
    pub fn of(self, amount: i64) -> i64 {
        let exact = i128::from(amount) * i128::from(self.0);
        let half = Self::WHOLE / 2 * exact.signum();
        // A rate is below 4,295 times the amount only in theory; it saturates rather than wraps.
        i64::try_from((exact + half) / Self::WHOLE).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
    }
}

/// `19 %`, `8.1 %`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", percent_text(*self))
    }
}

/// `19`, `8.1`: as Stripe takes a percentage.
pub fn percent_text(rate: Rate) -> String {
    let fraction = format!("{:04}", rate.0 % 10_000);
    let fraction = fraction.trim_end_matches('0');
    let whole = rate.0 / 10_000;
    if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
}

/// Splits an amount by weights so that the parts add up to it exactly: each gets its share rounded down, and what is
/// left goes one by one to those with the largest remainder, the first of equals first. All weights zero count as equal.
pub fn split(amount: i64, weights: &[u64]) -> Vec<i64> {
    if weights.is_empty() {
        return Vec::new();
    }
    let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let equal = total == 0;
    let total = if equal { weights.len() as u128 } else { total };
    let weight = |index: usize| if equal { 1 } else { u128::from(weights[index]) };
    let magnitude = u128::from(amount.unsigned_abs());
    let mut parts: Vec<u128> = (0..weights.len()).map(|index| magnitude * weight(index) / total).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(magnitude * weight(index) % total));
    let left = magnitude - parts.iter().sum::<u128>();
    for &index in order.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[index] += 1;
    }
    parts
        .into_iter()
        .map(|part| {
            // No part is larger than the amount it is a part of.
            let part = i64::try_from(part).unwrap_or(i64::MAX);
            if amount < 0 { -part } else { part }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_that_can_be_charged_is_what_stripe_says() {
        let least = Currency::ALL.map(|currency| currency.of(currency.minimum_charge()).to_string());
        assert_eq!(least, ["$0.50", "€0.50", "£0.30", "¥50"]);
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        for (money, text) in [
            (Currency::Usd.of(1900), "$19.00"),
            (Currency::Usd.of(5), "$0.05"),
            (Currency::Eur.of(-500), "−€5.00"),
            (Currency::Jpy.of(1_234_567), "¥1,234,567"),
            (Currency::Gbp.of(100_000), "£1,000.00"),
        ] {
            assert_eq!(money.to_string(), text);
        }
        assert_eq!(decimal(Currency::Usd.of(-123_456)), "-1234.56");
        assert_eq!(decimal(Currency::Jpy.of(1900)), "1900");
    }

    #[test]
    fn only_amounts_of_the_currency_are_read() {
        assert_eq!(parse_amount("19.5", Currency::Usd), Some(1950));
        assert_eq!(parse_amount("$1,900.00", Currency::Usd), Some(190_000));
        assert_eq!(parse_amount("1900", Currency::Jpy), Some(1900));
        for text in ["", "-1", "1.234", "1e5", "abc", "1.2.3", ".5", "99999999999999"] {
            assert_eq!(parse_amount(text, Currency::Usd), None, "{text}");
        }
        assert_eq!(parse_amount("19.5", Currency::Jpy), None);
    }

    #[test]
    fn a_rate_rounds_half_away_from_zero() {
        assert_eq!(Rate::percent(19).of(1900), 361);
        assert_eq!(Rate::percent(10).of(5), 1);
        assert_eq!(Rate::percent(10).of(4), 0);
        assert_eq!(Rate::percent(10).of(-5), -1);
        assert_eq!(Rate(81_000).to_string(), "8.1 %");
        assert_eq!(percent_text(Rate::percent(20)), "20");
    }

    #[test]
    fn currencies_do_not_mix() {
        assert_eq!(Currency::Usd.of(1).plus(Currency::Eur.of(1)), None);
        assert_eq!(Currency::Usd.of(i64::MAX).plus(Currency::Usd.of(1)), None);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(amount in -1_000_000_000_000_i64..1_000_000_000_000, weights in prop::collection::vec(0_u64..1_000_000, 1..20)) {
            let parts = split(amount, &weights);
            prop_assert_eq!(parts.len(), weights.len());
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            for part in &parts {
                prop_assert!(*part == 0 || part.signum() == amount.signum());
            }
        }

        #[test]
        fn a_part_is_within_one_of_its_exact_share(amount in 0_i64..1_000_000_000, weights in prop::collection::vec(1_u64..1000, 1..12)) {
            let total: u64 = weights.iter().sum();
            for (part, weight) in split(amount, &weights).into_iter().zip(&weights) {
                let exact = i128::from(amount) * i128::from(*weight) / i128::from(total);
                prop_assert!(i128::from(part) - exact <= 1 && i128::from(part) >= exact);
            }
        }

        #[test]
        fn a_share_and_its_rest_are_the_amount(amount in -1_000_000_000_i64..1_000_000_000, rate in 0_u32..=1_000_000) {
            let share = Rate(rate).of(amount);
            prop_assert!(share.abs() <= amount.abs());
            prop_assert_eq!(Rate(rate).of(-amount), -share);
        }

        #[test]
        fn what_is_written_reads_back(amount in 0_i64..100_000_000_000, index in 0_usize..4) {
            let currency = Currency::ALL[index];
            prop_assert_eq!(parse_amount(&decimal(currency.of(amount)), currency), Some(amount));
            prop_assert_eq!(parse_amount(&currency.of(amount).to_string(), currency), Some(amount));
        }
    }
}
