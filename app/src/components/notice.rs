//! A notice: its first line says it all, its text is one sentence, its actions stand on the right.

use leptos::prelude::*;

use super::{Icon, badge::tone_icon};

#[component]
pub fn Notice(
    /// `info`, `ok`, `warn` or `bad`.
    #[prop(into)]
    tone: String,
    #[prop(into)] title: String,
    /// The shape; without one the tone's own.
    #[prop(optional, into)]
    icon: Option<String>,
    /// Announced at once when it appears in answer to what the reader did.
    #[prop(optional)]
    live: bool,
    /// Buttons and links of the notice.
    #[prop(optional, into)]
    actions: Option<ViewFnOnce>,
    children: Children,
) -> impl IntoView {
    let icon = icon.unwrap_or_else(|| tone_icon(&tone).to_owned());
    let role = live.then_some("status");

    view! {
        <div class=format!("notice {tone}") role=role>
            <Icon name=icon/>
            <p class="notice-title">{title}</p>
            <div>{children()}</div>
            {actions.map(|actions| view! { <div class="notice-actions">{actions.run()}</div> })}
        </div>
    }
}
