//! The calendar that periods run by, in UTC.
//!
//! What always holds: a period by months ends on the anchor's day, or on the last day of a month that is too short for it;
//! the day after a short month is the anchor's again (31 January, 28 February, 31 March).

use serde_json::Value;

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    Days(i64),
    Months(i64),
}

impl Interval {
    /// None for a price that is paid once.
    pub fn of(price: &Value) -> Option<Self> {
        let recurring = &price["recurring"];
        let count = recurring["interval_count"].as_i64().unwrap_or(1).max(1);
        match recurring["interval"].as_str()? {
            "day" => Some(Self::Days(count)),
            "week" => Some(Self::Days(7 * count)),
            "month" => Some(Self::Months(count)),
            "year" => Some(Self::Months(12 * count)),
            _ => None,
        }
    }

    /// The first moment after this one at which a period ends, when they are counted from the anchor.
    pub fn next(self, anchor: i64, after: i64) -> i64 {
        match self {
            Self::Days(days) => {
                let step = days * DAY;
                anchor + ((after - anchor).div_euclid(step) + 1) * step
            }
            Self::Months(step) => {
                let passed = (month_number(after) - month_number(anchor)).div_euclid(step);
                let this_month = plus_months(anchor, passed * step);
                if this_month > after { this_month } else { plus_months(anchor, (passed + 1) * step) }
            }
        }
    }
}

fn month_number(at: i64) -> i64 {
    let (year, month, _) = date(at.div_euclid(DAY));
    year * 12 + month - 1
}

/// The same day and time this many months later, or the last day of that month.
fn plus_months(at: i64, months: i64) -> i64 {
    let (_, _, day) = date(at.div_euclid(DAY));
    let number = month_number(at) + months;
    let (year, month) = (number.div_euclid(12), number.rem_euclid(12) + 1);
    let last = day_number(year, month + 1, 1) - day_number(year, month, 1);
    day_number(year, month, day.min(last)) * DAY + at.rem_euclid(DAY)
}

/// The days from 1 January 1970 to this one. The month may be 13: January of the year after.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 12 { (year + 1, month - 12) } else { (year, month) };
    // Years that begin in March have their odd day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day counted from 1 January 1970.
fn date(number: i64) -> (i64, i64, i64) {
    let shifted = number + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + of_era + later, month, of_month)
}

/// `21 Nov 2026`
pub fn day_text(at: i64) -> String {
    let (year, month, day) = date(at.div_euclid(DAY));
    let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
    format!("{day} {month} {year}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(year: i64, month: i64, day: i64) -> i64 {
        day_number(year, month, day) * DAY + 3_600
    }

    #[test]
    fn the_anchor_day_survives_a_short_month() {
        let anchor = at(2027, 1, 31);
        let month = Interval::Months(1);
        assert_eq!(month.next(anchor, anchor), at(2027, 2, 28));
        assert_eq!(month.next(anchor, at(2027, 2, 28)), at(2027, 3, 31));
        assert_eq!(month.next(anchor, at(2027, 3, 31)), at(2027, 4, 30));
        assert_eq!(Interval::Months(12).next(at(2028, 2, 29), at(2028, 2, 29)), at(2029, 2, 28));
        assert_eq!(Interval::Months(12).next(at(2028, 2, 29), at(2031, 2, 28)), at(2032, 2, 29));
        assert_eq!(Interval::Days(7).next(anchor, anchor), anchor + 7 * DAY);
    }

    #[test]
    fn days_are_told_as_people_write_them() {
        assert_eq!(day_text(0), "1 Jan 1970");
        assert_eq!(day_text(at(2026, 11, 21)), "21 Nov 2026");
        assert_eq!(day_text(at(2028, 2, 29)), "29 Feb 2028");
    }

    proptest! {
        #[test]
        fn dates_and_days_are_each_others_inverse(number in -200_000_i64..200_000) {
            let (year, month, day) = date(number);
            prop_assert_eq!(day_number(year, month, day), number);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
        }

        #[test]
        fn periods_always_move_on_and_keep_to_the_anchor(
            anchor in 0_i64..4_000_000_000, later in 0_i64..400_000_000, months in 1_i64..37,
        ) {
            let interval = Interval::Months(months);
            let after = anchor + later;
            let next = interval.next(anchor, after);
            prop_assert!(next > after);
            // Nothing lies between: the end before it is not after.
            let passed = month_number(next) - month_number(anchor);
            prop_assert_eq!(passed % months, 0);
            prop_assert!(plus_months(anchor, passed - months) <= after);
            let (_, _, anchor_day) = date(anchor.div_euclid(DAY));
            let (_, _, day) = date(next.div_euclid(DAY));
            prop_assert!(day == anchor_day || (day < anchor_day && day >= 28));
            prop_assert_eq!(next.rem_euclid(DAY), anchor.rem_euclid(DAY));
        }
    }
}
