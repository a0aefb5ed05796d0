//! Moments written out for people, always in UTC and always saying so where an hour is named.

use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// "20 November 2026, 10:05 UTC".
pub fn moment(at: OffsetDateTime) -> String {
    let format = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

/// "20 November 2026".
pub fn day(at: OffsetDateTime) -> String {
    let format = format_description!("[day padding:none] [month repr:long] [year]");
    at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{day, moment};

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(moment(datetime!(2026-11-20 10:05 UTC)), "20 November 2026, 10:05 UTC");
        assert_eq!(moment(datetime!(2026-11-20 00:30 +2)), "19 November 2026, 22:30 UTC");
    }

    #[test]
    fn a_day_is_the_one_in_utc() {
        assert_eq!(day(datetime!(2026-12-05 23:59 UTC)), "5 December 2026");
        assert_eq!(day(datetime!(2026-12-06 00:30 +2)), "5 December 2026");
    }
}
