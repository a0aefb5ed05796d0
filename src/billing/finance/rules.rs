//! Periods, and the arithmetic of figures. Days are days in UTC, and a period includes its first and its last.

use std::ops::AddAssign;

use time::{Date, Duration, Month, OffsetDateTime, macros::format_description};

use crate::contract::money::{self, Currency, Rate};

/// Currencies whose smallest unit is the unit itself, and those with three digits, as the payment provider counts them.
const NO_DIGITS: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];
const THREE_DIGITS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// Whole days, at least one and at most a leap year of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: Date,
    last: Date,
}

impl Period {
    pub const MOST_DAYS: i64 = 366;

    /// None when the days are in the wrong order, too many, or of no year that is kept books for.
    pub fn new(first: Date, last: Date) -> Option<Self> {
        let known = |day: Date| (2000..3000).contains(&day.year());
        let days = (last - first).whole_days() + 1;
        (known(first) && known(last) && (1..=Self::MOST_DAYS).contains(&days)).then_some(Self { first, last })
    }

    /// `2026-11`, `2026-Q4` or `2026`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, part) = match text.split_once('-') {
            Some((year, part)) => (year, Some(part)),
            None => (text, None),
        };
        let year = i32::from(number(year, 4)?);
        let (from, to) = match part {
            None => (Month::January, Month::December),
            Some("Q1") => (Month::January, Month::March),
            Some("Q2") => (Month::April, Month::June),
            Some("Q3") => (Month::July, Month::September),
            Some("Q4") => (Month::October, Month::December),
            Some(month) => {
                let month = Month::try_from(u8::try_from(number(month, 2)?).ok()?).ok()?;
                (month, month)
            }
        };
        let first = Date::from_calendar_date(year, from, 1).ok()?;
        let last = Date::from_calendar_date(year, to, to.length(year)).ok()?;
        Self::new(first, last)
    }

    /// The last days up to and including the one of `now`.
    pub fn last_days(now: OffsetDateTime, days: u16) -> Self {
        let last = now.date();
        let days = i64::from(days).clamp(1, Self::MOST_DAYS);
        Self { first: last.saturating_sub(Duration::days(days - 1)), last }
    }

    pub const fn first(self) -> Date {
        self.first
    }

    pub const fn last(self) -> Date {
        self.last
    }

    pub fn start(self) -> OffsetDateTime {
        self.first.midnight().assume_utc()
    }

    /// The first moment after it.
    pub fn end(self) -> OffsetDateTime {
        self.last.saturating_add(Duration::DAY).midnight().assume_utc()
    }

    pub fn days(self) -> usize {
        usize::try_from((self.last - self.first).whole_days() + 1).unwrap_or_default()
    }

    /// As many days, directly before.
    pub fn before(self) -> Self {
        let length = self.last - self.first;
        let last = self.first.saturating_sub(Duration::DAY);
        Self { first: last.saturating_sub(length), last }
    }

    /// Every day of it, in order.
    pub fn each_day(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.first), |day| day.next_day()).take(self.days())
    }

    /// Which day of it, counted from zero, this is.
    pub fn place_of(self, day: Date) -> Option<usize> {
        usize::try_from((day - self.first).whole_days()).ok().filter(|place| *place < self.days())
    }
}

/// As many digits and nothing else.
fn number(text: &str, digits: usize) -> Option<u16> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `2026-11-20`.
pub fn day_text(day: Date) -> String {
    day.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

pub fn parse_day(text: &str) -> Option<Date> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    day.filter(|day| (2000..3000).contains(&day.year()))
}

/// What happened to money in some days, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// What customers paid, tax included.
    pub gross: i64,
    /// What went back to them, tax included. Refunds that failed are taken off.
    pub refunds: i64,
    /// Tax that is owed on what was sold and not given back.
    pub tax: i64,
    /// Shares, payouts and corrections, as far as they move revenue.
    pub other: i64,
    /// What is left of what was sold: `gross − refunds − tax + other`.
    pub net: i64,
    /// What banks took back.
    pub disputes: i64,
    /// What the payment provider kept.
    pub fees: i64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, day: Self) {
        self.gross += day.gross;
        self.refunds += day.refunds;
        self.tax += day.tax;
        self.other += day.other;
        self.net += day.net;
        self.disputes += day.disputes;
        self.fees += day.fees;
    }
}

/// What running subscriptions bring each month: a yearly one counts a twelfth. Rounded down once, after adding, so that no
/// cent is lost on each of many.
pub fn monthly(each_month: i64, each_year: i64) -> i64 {
    each_month.saturating_add(each_year.div_euclid(12))
}

/// To a tenth of a percent. None of nothing.
pub fn share(part: i64, whole: i64) -> Option<Rate> {
    if part < 0 || whole <= 0 {
        return None;
    }
    let tenths = (i128::from(part) * 1_000 + i128::from(whole) / 2) / i128::from(whole);
    u32::try_from(tenths).ok()?.checked_mul(1_000).map(Rate)
}

/// An amount as people read it: `$19.00`, or `CHF 19.00` of a currency that we do not sell in.
pub fn shown(amount: i64, currency: &str) -> String {
    match Currency::parse(currency) {
        Some(known) => known.of(amount).to_string(),
        None => {
            let sign = if amount < 0 { "−" } else { "" };
            format!("{sign}{} {}", currency.to_uppercase(), unsigned(amount, currency))
        }
    }
}

/// An amount as programs read it: `-19.00`.
pub fn decimal(amount: i64, currency: &str) -> String {
    match Currency::parse(currency) {
        Some(known) => money::decimal(known.of(amount)),
        None => format!("{}{}", if amount < 0 { "-" } else { "" }, unsigned(amount, currency)),
    }
}

/// How many digits stand behind the point.
pub fn digits(currency: &str) -> u32 {
    match Currency::parse(currency) {
        Some(known) => known.digits(),
        None if NO_DIGITS.contains(&currency) => 0,
        None if THREE_DIGITS.contains(&currency) => 3,
        None => 2,
    }
}

fn unsigned(amount: i64, currency: &str) -> String {
    let digits = digits(currency);
    let unit = 10_u64.pow(digits);
    let amount = amount.unsigned_abs();
    let whole = amount / unit;
    if digits == 0 {
        return whole.to_string();
    }
    let width = digits as usize;
    format!("{whole}.{:0width$}", amount % unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn months_quarters_and_years_are_whole() {
        for (text, first, last) in [
            ("2026-11", date!(2026 - 11 - 01), date!(2026 - 11 - 30)),
            ("2024-02", date!(2024 - 02 - 01), date!(2024 - 02 - 29)),
            ("2026-Q1", date!(2026 - 01 - 01), date!(2026 - 03 - 31)),
            ("2024", date!(2024 - 01 - 01), date!(2024 - 12 - 31)),
        ] {
            let period = Period::parse(text).expect(text);
            assert_eq!((period.first(), period.last()), (first, last), "{text}");
        }
        for text in [
            "",
            "2026-",
            "2026-13",
            "2026-+1",
            "2026-Q5",
            "2026-1",
            "26-11",
            "0001-01",
            "-2026",
            "2026-11-01",
        ] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_ends_when_its_last_day_does() {
        let period = Period::new(date!(2026 - 11 - 20), date!(2026 - 11 - 20)).expect("a day");
        assert_eq!(period.start(), datetime!(2026-11-20 00:00 UTC));
        assert_eq!(period.end(), datetime!(2026-11-21 00:00 UTC));
        assert_eq!(period.days(), 1);
        assert_eq!(period.before().last(), date!(2026 - 11 - 19));
        assert_eq!(Period::new(date!(2026 - 11 - 20), date!(2026 - 11 - 19)), None);
        assert_eq!(Period::new(date!(2025 - 01 - 01), date!(2026 - 01 - 02)), None);
    }

    #[test]
    fn monthly_revenue_is_rounded_once() {
        assert_eq!(monthly(1_900, 12_000), 2_900);
        // Three yearly ones of 100.03 a year: a twelfth of each, rounded by itself, would lose two cents.
        assert_eq!(monthly(0, 3 * 10_003), 2_500);
        assert_eq!(monthly(0, 11), 0);
    }

    #[test]
    fn shares_are_to_a_tenth_of_a_percent() {
        let told = |part, whole| share(part, whole).map(|rate| rate.to_string());
        assert_eq!(told(1, 8).as_deref(), Some("12.5 %"));
        assert_eq!(told(2, 3).as_deref(), Some("66.7 %"));
        assert_eq!(told(0, 5).as_deref(), Some("0 %"));
        assert_eq!(told(1, 0), None);
    }

    #[test]
    fn currencies_we_do_not_sell_in_are_told_by_their_code() {
        assert_eq!(shown(-1_234, "chf"), "−CHF 12.34");
        assert_eq!(shown(1_234, "krw"), "KRW 1234");
        assert_eq!(shown(1_234, "kwd"), "KWD 1.234");
        assert_eq!(shown(1_900, "usd"), "$19.00");
        assert_eq!(decimal(-5, "chf"), "-0.05");
        assert_eq!(decimal(-1_900, "jpy"), "-1900");
    }

    proptest! {
        #[test]
        fn the_period_before_is_as_long_and_touches(start in 0_i64..300_000, length in 0_i64..366) {
            let first = date!(2001 - 01 - 01) + Duration::days(start);
            let period = Period::new(first, first + Duration::days(length)).expect("a period");
            let before = period.before();
            prop_assert_eq!(before.days(), period.days());
            prop_assert_eq!(before.end(), period.start());
            prop_assert_eq!(period.each_day().count(), period.days());
            prop_assert_eq!(period.each_day().last(), Some(period.last()));
            for (place, day) in period.each_day().enumerate() {
                prop_assert_eq!(period.place_of(day), Some(place));
                prop_assert_eq!(before.place_of(day), None);
            }
        }

        #[test]
        fn reading_a_period_never_panics(text in ".{0,12}") {
            let _ = (Period::parse(&text), parse_day(&text));
        }
    }
}
