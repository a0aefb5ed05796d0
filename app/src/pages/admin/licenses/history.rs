//! What happened to a license, in words: what was done, by whom, when, and why. From the audit log, newest first.

use devforge::{audit::AuditItem, license::staff::MAX_HISTORY};
use leptos::prelude::*;
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    components::RelativeTime,
    pages::{
        admin::entries::{actor, words},
        moments::moment,
    },
};

/// Of more than these, the list says that it goes on.
const MOST: usize = MAX_HISTORY as usize;

pub fn history(items: &[AuditItem], now: OffsetDateTime) -> AnyView {
    if items.is_empty() {
        return view! { <p class="quiet small">"Nothing is written about this license."</p> }.into_any();
    }
    let rows = items.iter().map(|item| entry(item, now)).collect_view();
    let more = (items.len() >= MOST).then(
        || view! { <p class="quiet small">{format!("The newest {MOST}. The audit log has the rest.")}</p> },
    );
    view! { <ul class="rows">{rows}</ul>{more} }.into_any()
}

fn entry(item: &AuditItem, now: OffsetDateTime) -> AnyView {
    let at = item.at;
    let facts = facts(&item.detail);
    let reason = facts
        .iter()
        .find(|(name, _)| name == "reason")
        .map(|(_, why)| view! { <p class="admin-reason" dir="auto">{why.clone()}</p> });
    let pairs = facts
        .into_iter()
        .filter(|(name, _)| name != "reason")
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> })
        .collect_view();
    view! {
        <li class="row admin-entry">
            <div>
                <p class="row-title">{sentence(&item.action, &item.detail)}</p>
                {reason}
                <dl class="admin-detail">
                    <div><dt>"by"</dt><dd>{actor(item)}</dd></div>
                    {pairs}
                </dl>
            </div>
            <p class="meta"><RelativeTime at=at now=now/></p>
        </li>
    }
    .into_any()
}

/// What was done. An action of which nothing is known here is told by its own words.
fn sentence(action: &str, detail: &Value) -> String {
    let why = detail.get("why").and_then(Value::as_str).unwrap_or_default();
    let known = match action {
        "license.issued" => match detail.get("origin").and_then(Value::as_str) {
            Some("order") => "Made for an order",
            Some("staff") => "Given by staff",
            Some("trial") => "Begun as a trial",
            Some("split") => "Split off another license",
            _ => "Made",
        },
        "license.activated" => "Activated on a machine",
        "license.address_refused" => "Tried with an address that it is not good for",
        "license.deactivated" => match why {
            "deactivated" => "Deactivated in the editor",
            "unseen" => "A machine that was not heard of for long was taken off",
            "removed" => "A machine was taken off on the site",
            "transferred" => "A machine was taken off, because the license has a new owner",
            _ => "A machine was taken off",
        },
        "license.suspended" => "Held back",
        "license.reinstated" => "Reinstated",
        "license.revoked" => "Taken away",
        "license.renewed" => "Prolonged",
        "license.rotated" => "The key was replaced",
        "license.revealed" => "The key was shown to its owner",
        "license.transferred" => "Given to somebody else",
        "license.split" => "Split into licenses of one seat",
        "license.owner_left" => "The account of its owner was closed",
        "license.machine_renamed" => "A machine was renamed",
        "license.machine_file" => "A file was made for a machine without a connection",
        _ => return in_words(action.split_once('.').map_or(action, |(_, what)| what)),
    };
    known.to_owned()
}

/// `grace_ended` as "Grace ended".
fn in_words(action: &str) -> String {
    let text = action.replace(['_', '.'], " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What else stands in an entry, as a name and a value each. What one of them holds inside stands beside the others.
fn facts(detail: &Value) -> Vec<(String, String)> {
    let Some(pairs) = detail.as_object() else { return Vec::new() };
    let mut facts = Vec::new();
    for (name, value) in pairs {
        match value {
            Value::Null => {}
            Value::Object(_) => facts.extend(self::facts(value)),
            Value::Array(values) if values.is_empty() => {}
            _ => facts.push((label(name), told(name, value))),
        }
    }
    facts
}

/// `expiresAt` as "expires at".
fn label(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        match c {
            '_' => text.push(' '),
            c if c.is_uppercase() => {
                text.push(' ');
                text.extend(c.to_lowercase());
            }
            c => text.push(c),
        }
    }
    text
}

/// A value as people read it: moments are seconds in the log.
fn told(name: &str, value: &Value) -> String {
    let lower = name.to_ascii_lowercase();
    let is_moment = lower.ends_with("at") || lower.ends_with("until") || lower == "from" || lower == "end";
    value
        .as_i64()
        .filter(|_| is_moment)
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .map_or_else(|| words(value), moment)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_are_told_in_words_and_moments_as_moments() {
        let detail = json!({
            "origin": "staff", "expiresAt": 1_795_168_800, "order": null, "detail": { "reason": "A speaker", "count": 2 },
        });
        assert_eq!(sentence("license.issued", &detail), "Given by staff");
        let facts = facts(&detail);
        assert!(facts.contains(&("reason".to_owned(), "A speaker".to_owned())), "{facts:?}");
        assert!(facts.contains(&("count".to_owned(), "2".to_owned())), "{facts:?}");
        assert!(
            facts.contains(&("expires at".to_owned(), "20 November 2026, 10:00 UTC".to_owned())),
            "{facts:?}"
        );
        assert!(!facts.iter().any(|(name, _)| name == "order"), "{facts:?}");
    }

    #[test]
    fn an_action_of_tomorrow_is_told_by_its_own_words() {
        assert_eq!(sentence("license.grace_ended", &json!({})), "Grace ended");
        assert_eq!(sentence("license.deactivated", &json!({ "why": "unseen" })).split(' ').next(), Some("A"));
        assert_eq!(sentence("", &json!(null)), "");
    }
}
