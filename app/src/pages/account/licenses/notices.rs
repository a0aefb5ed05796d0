//! What the owner of a license should know or do now: that it ends or has ended, is paused, or was taken away, and why.

use devforge::{
    contract::{
        license::{LicenseOrigin, LicenseStatus},
        payment::SubscriptionStatus,
    },
    license::{License, rules::Cause},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::runs;
use crate::{components::Notice, pages::moments::day};

struct Told {
    tone: &'static str,
    icon: &'static str,
    title: String,
    text: String,
    way: (String, &'static str),
}

pub fn state_notice(
    license: &License,
    paid_by: Option<SubscriptionStatus>,
    support: &str,
    now: OffsetDateTime,
) -> Option<AnyView> {
    let Told { tone, icon, title, text, way: (address, words) } = told(license, paid_by, support, now)?;
    let way = move || view! { <a class="button secondary small" href=address>{words}</a> };
    Some(view! { <Notice tone=tone icon=icon title=title actions=way><p>{text}</p></Notice> }.into_any())
}

fn told(
    license: &License,
    paid_by: Option<SubscriptionStatus>,
    support: &str,
    now: OffsetDateTime,
) -> Option<Told> {
    Some(match license.status(now) {
        LicenseStatus::Active => return None,
        LicenseStatus::Grace => grace(license, paid_by),
        LicenseStatus::Expired => expired(license, paid_by, now),
        LicenseStatus::Suspended => suspended(license, support),
        LicenseStatus::Revoked => revoked(license, support),
    })
}

fn subscription(words: &'static str) -> (String, &'static str) {
    ("/account/billing/subscription".to_owned(), words)
}

fn pricing() -> (String, &'static str) {
    ("/pricing".to_owned(), "See pricing")
}

fn grace(license: &License, paid_by: Option<SubscriptionStatus>) -> Told {
    let until = license.good_until.map(day).unwrap_or_default();
    let (text, way) = if runs(paid_by) {
        ("The next payment has not arrived yet.", subscription("Look at the subscription"))
    } else {
        ("It has reached its end, and goes on for a few days.", pricing())
    };
    let title = format!("Everything works until {until}");
    Told { tone: "warn", icon: "clock", title, text: text.to_owned(), way }
}

fn expired(license: &License, paid_by: Option<SubscriptionStatus>, now: OffsetDateTime) -> Told {
    let end = license.expires_at.unwrap_or(now);
    let text = if license.fallback {
        format!(
            "Versions of the editor that came out by {} go on with all of it. Newer ones use the free tier.",
            day(end)
        )
    } else {
        "The editor uses the free tier. Your files and settings stay as they are.".to_owned()
    };
    let what = if license.origin == LicenseOrigin::Trial { "The trial ended" } else { "This license ended" };
    let way = if runs(paid_by) { subscription("Look at the subscription") } else { pricing() };
    Told { tone: "info", icon: "clock", title: format!("{what} on {}", day(end)), text, way }
}

fn suspended(license: &License, support: &str) -> Told {
    let write = (support.to_owned(), "Write to support");
    let (title, way) = match license.suspended_by.iter().max() {
        Some(Cause::Dispute) => ("This license is paused while a payment is questioned", write),
        Some(Cause::Subscription) => {
            ("This license is paused with its subscription", subscription("Look at the subscription"))
        }
        _ => ("We paused this license", write),
    };
    let text = "The editor uses the free tier. Nothing on your machines was removed.".to_owned();
    Told { tone: "warn", icon: "lock", title: title.to_owned(), text, way }
}

fn revoked(license: &License, support: &str) -> Told {
    let (title, way) = match license.revoked_by.iter().max() {
        Some(Cause::Refund) => ("This license ended with its refund", pricing()),
        Some(Cause::Dispute) => ("This license ended: your bank gave the money back", pricing()),
        _ => ("We took this license away", (support.to_owned(), "Write to support")),
    };
    let text = "The editor uses the free tier. Your files and settings stay as they are.".to_owned();
    Told { tone: "bad", icon: "x", title: title.to_owned(), text, way }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::pages::license_parts::fixtures;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    /// A license that ended so many days ago and is taken as good for a week after its end.
    fn ended(days: i64) -> License {
        let end = NOW - Duration::days(days);
        let good_until = Some(end + Duration::days(7));
        License { expires_at: Some(end), good_until, ..fixtures::license() }
    }

    #[test]
    fn a_payment_is_waited_for_only_where_a_subscription_runs() {
        let subscription = "/account/billing/subscription";
        for (days, word) in [(1, "Everything works until 26 November 2026"), (8, "12 November 2026")] {
            for paid_by in [Some(SubscriptionStatus::PastDue), Some(SubscriptionStatus::Ended), None] {
                let told = told(&ended(days), paid_by, "/support", NOW).expect("there is something to say");
                assert!(told.title.contains(word), "{}", told.title);
                assert_eq!(told.way.0 == subscription, runs(paid_by), "{days}");
                assert!(runs(paid_by) || !told.text.contains("payment"), "{}", told.text);
            }
        }
    }

    #[test]
    fn a_license_that_is_good_says_nothing() {
        assert!(told(&fixtures::license(), Some(SubscriptionStatus::Active), "/support", NOW).is_none());
    }
}
