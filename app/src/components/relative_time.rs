//! A moment as a distance from now, with the exact time in its attribute and on hover.

use leptos::prelude::*;
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[component]
pub fn RelativeTime(at: OffsetDateTime, now: OffsetDateTime) -> impl IntoView {
    let at = at.to_offset(UtcOffset::UTC);
    let machine = at.format(&Rfc3339).unwrap_or_default();

    view! { <time datetime=machine title=exact(at)>{relative(at, now)}</time> }
}

/// "20 Nov 2026, 14:02 UTC".
fn exact(at: OffsetDateTime) -> String {
    format!("{}, {:02}:{:02} UTC", date(at), at.hour(), at.minute())
}

fn date(at: OffsetDateTime) -> String {
    format!("{} {} {}", at.day(), MONTHS[usize::from(u8::from(at.month())) - 1], at.year())
}

/// "2 hours ago", "in 5 days"; beyond thirty days the date, which is then easier to place.
fn relative(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let away = (now - at).abs();
    if away < Duration::minutes(1) {
        return "now".to_owned();
    }
    if away >= Duration::days(30) {
        return date(at);
    }
    let (count, unit) = if away < Duration::hours(1) {
        (away.whole_minutes(), "minute")
    } else if away < Duration::days(1) {
        (away.whole_hours(), "hour")
    } else {
        (away.whole_days(), "day")
    };
    let plural = if count == 1 { "" } else { "s" };
    if at <= now { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_said_in_the_largest_whole_unit() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_777);
        let ago = |away: Duration| relative(now - away, now);
        assert_eq!(ago(Duration::seconds(59)), "now");
        assert_eq!(ago(Duration::minutes(1)), "1 minute ago");
        assert_eq!(ago(Duration::minutes(119)), "1 hour ago");
        assert_eq!(ago(Duration::hours(49)), "2 days ago");
        assert_eq!(ago(-Duration::days(5)), "in 5 days");
        assert_eq!(ago(Duration::days(30)), date(now - Duration::days(30)));
    }

    #[test]
    fn the_exact_time_names_its_zone() {
        assert_eq!(exact(OffsetDateTime::UNIX_EPOCH), "1 Jan 1970, 00:00 UTC");
    }
}
