//! What the pages of licenses share: how a license stands, its row in the lists of other pages, and reading what was
//! typed.

use devforge::license::{License, rules::Cause};
use leptos::prelude::*;
use time::{Date, OffsetDateTime, macros::format_description};

use super::PATH;
pub use crate::pages::license_parts::status_badge;
use crate::{
    components::Icon,
    pages::{checkout::summary::in_words, forms::Mistakes, moments::day},
};

pub fn panel(id: &'static str, title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="admin-panel" aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// `Pro, 3 seats`.
pub fn what(license: &License) -> String {
    in_words(license.tier.label(), license.seats)
}

/// Whether the account that it was in is closed: nothing is known of its owner any more.
pub fn is_of_the_gone(license: &License) -> bool {
    let no_address = license.email.is_empty() || license.email.ends_with("@deleted.invalid");
    license.account.is_none() && no_address
}

/// By what its owner is known.
pub fn whose(license: &License) -> String {
    if is_of_the_gone(license) { "a closed account".to_owned() } else { license.email.clone() }
}

/// `2 of 9`.
pub fn machines(license: &License) -> String {
    format!("{} of {}", license.machines_used, license.machine_limit())
}

/// When it ends, in a word or a day.
pub fn ends(license: &License) -> String {
    license.expires_at.map_or_else(|| "Never".to_owned(), last_day)
}

/// The day on which something ends. What ends when a day begins was good to the end of the day before.
pub fn last_day(end: OffsetDateTime) -> String {
    day(end - time::Duration::SECOND)
}

/// Licenses on the page of a person or of an order.
pub fn license_rows(licenses: &[License], now: OffsetDateTime) -> AnyView {
    let rows = licenses
        .iter()
        .map(|license| {
            let end = license.expires_at.map(|end| format!(", ends {}", last_day(end))).unwrap_or_default();
            let about = format!("{}, {} machines{end}", license.origin.label(), machines(license));
            view! {
                <li class="row">
                    <div class="admin-who">
                        <p class="row-title"><a href=format!("{PATH}/{}", license.id)>{what(license)}</a></p>
                        <p class="meta"><code>{license.masked_key()}</code></p>
                        <p class="meta">{about}</p>
                    </div>
                    {status_badge(license.status(now))}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

/// Why a license is held back or was taken away.
pub const fn because(cause: Cause) -> &'static str {
    match cause {
        Cause::Staff => "one of us decided it; the history says who and why",
        Cause::Refund => "the money went back",
        Cause::Dispute => "a bank questions the payment, or has decided against it",
        Cause::Subscription => "its subscription is paused",
    }
}

/// A `<select>` with its label and error.
pub fn select(name: &'static str, label: &'static str, options: AnyView, wrong: &Mistakes) -> AnyView {
    let error = wrong.of(name);
    let error_id = format!("{name}-error");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then(|| error_id.clone());
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="select" id=name name=name aria-invalid=invalid aria-describedby=described_by>
                {options}
            </select>
            {error.map(|error| view! {
                <p class="field-error" id=error_id><Icon name="bad" size=16/><span>{error}</span></p>
            })}
        </div>
    }
    .into_any()
}

/// A whole number as people write it: `1,000` too.
pub fn number<T: std::str::FromStr>(typed: &str) -> Option<T> {
    typed.trim().replace(',', "").parse().ok()
}

/// The day that was typed, as it begins in UTC.
pub fn start_of_day(typed: &str) -> Option<OffsetDateTime> {
    let date = Date::parse(typed.trim(), format_description!("[year]-[month]-[day]")).ok()?;
    (1970..=9998).contains(&date.year()).then(|| date.midnight().assume_utc())
}

/// The first moment at which that day is over, so that the day itself still counts.
pub fn end_of_day(typed: &str) -> Option<OffsetDateTime> {
    start_of_day(typed).map(|start| start + time::Duration::DAY)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::pages::license_parts::fixtures;

    #[test]
    fn a_last_day_is_told_as_it_was_typed() {
        let end = end_of_day(" 2027-12-31 ").expect("a day");
        assert_eq!(end, datetime!(2028-01-01 00:00 UTC));
        assert_eq!(last_day(end), "31 December 2027");
        assert_eq!(last_day(datetime!(2027-12-31 10:00 UTC)), "31 December 2027");
    }

    #[test]
    fn what_is_no_day_or_number_is_none() {
        for typed in ["", "soon", "2027-13-01", "9999-12-31", "-001-01-01", "31.12.2027"] {
            assert_eq!(end_of_day(typed), None, "{typed}");
        }
        assert_eq!(
            (number::<u32>(" 1,000 "), number::<u32>("-1"), number::<u32>("")),
            (Some(1_000), None, None)
        );
    }

    #[test]
    fn a_license_of_a_closed_account_has_a_name_to_be_linked_by() {
        let license = fixtures::license();
        assert_eq!(whose(&license), "ada@example.com");
        // Nobody has proven the address of what a guest bought.
        assert_eq!(whose(&License { account: None, ..license.clone() }), "ada@example.com");
        for email in ["", "deleted-01h2xcejqtf2nbrexx3vqjhp41@deleted.invalid"] {
            let gone = License { account: None, email: email.to_owned(), ..license.clone() };
            assert_eq!(whose(&gone), "a closed account");
        }
    }
}
