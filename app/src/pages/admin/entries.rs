//! Entries of the audit log as rows: what was done, by whom, to whom, with what, and where it stands in the chain.

use devforge::{audit::AuditItem, contract::id::UserId};
use leptos::prelude::*;
use serde_json::Value;
use time::OffsetDateTime;

use crate::components::RelativeTime;

pub fn entries(items: Vec<AuditItem>, now: OffsetDateTime) -> AnyView {
    let rows = items.into_iter().map(|item| entry(item, now)).collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn entry(item: AuditItem, now: OffsetDateTime) -> AnyView {
    let at = item.at;
    let actor = actor(&item);
    let subject = subject(&item);
    let detail = detail(&item.detail);
    let chain = match item.sealed {
        Some(number) => format!("Number {number} in the chain"),
        None => "Not in the chain yet".to_owned(),
    };
    let request = item.request.map(|id| view! { <p><code>{id.to_string()}</code></p> });

    view! {
        <li class="row admin-entry">
            <div>
                <p class="row-title"><code>{item.action}</code></p>
                <p>"By "{actor}", about "{subject}</p>
                {detail}
            </div>
            <div class="admin-trace meta">
                <p><RelativeTime at=at now=now/></p>
                <p>{chain}</p>
                {request}
            </div>
        </li>
    }
    .into_any()
}

pub fn actor(item: &AuditItem) -> AnyView {
    match (item.actor, item.actor_kind.as_str()) {
        (Some(id), _) => person(id, item.actor_name.clone()),
        (None, "system") => "the system".into_any(),
        (None, _) => "somebody not signed in".into_any(),
    }
}

fn subject(item: &AuditItem) -> AnyView {
    match item.subject_id.parse::<UserId>() {
        Ok(id) => person(id, item.subject_name.clone()),
        Err(_) => {
            let id = item.subject_id.clone();
            view! { {item.subject_kind.clone()}" "<code>{id}</code> }.into_any()
        }
    }
}

fn person(id: UserId, name: Option<String>) -> AnyView {
    let name = name.unwrap_or_else(|| id.to_string());
    view! { <a href=format!("/admin/users/{id}")>{name}</a> }.into_any()
}

fn detail(detail: &Value) -> Option<AnyView> {
    let pairs = detail.as_object().filter(|pairs| !pairs.is_empty())?;
    let pairs = pairs
        .iter()
        .map(|(name, value)| view! { <div><dt>{name.replace('_', " ")}</dt><dd>{words(value)}</dd></div> })
        .collect_view();
    Some(view! { <dl class="admin-detail">{pairs}</dl> }.into_any())
}

/// A value as people would write it: texts without their quotes, lists with commas.
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::words;

    #[test]
    fn values_read_like_words() {
        let told = [json!("admin"), json!(3), json!(true), json!(null), json!(["a", 2])];
        assert_eq!(told.map(|value| words(&value)), ["admin", "3", "yes", "none", "a, 2"]);
    }
}
