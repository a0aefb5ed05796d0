//! A state in a word, with its shape and colour.

use leptos::prelude::*;

use super::Icon;

#[component]
pub fn Badge(
    /// `ok`, `warn`, `bad`, `info`, `hot` or `plain`.
    #[prop(into)]
    tone: String,
    /// The shape; without one the tone's own.
    #[prop(optional, into)]
    icon: Option<String>,
    #[prop(into)] label: String,
) -> impl IntoView {
    let icon = icon.unwrap_or_else(|| tone_icon(&tone).to_owned());

    view! {
        <span class=format!("badge {tone}")>
            <Icon name=icon size=14/>
            {label}
        </span>
    }
}

/// The shape that goes with a tone, so that a state never rests on its colour.
pub(super) fn tone_icon(tone: &str) -> &'static str {
    match tone {
        "ok" => "ok",
        "warn" => "warn",
        "bad" => "bad",
        "hot" => "pulse",
        "plain" => "clock",
        _ => "info",
    }
}
