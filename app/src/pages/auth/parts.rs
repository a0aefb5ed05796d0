//! What the pages of signing in have in common.

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;

use super::{kept_to_ourselves, tried::Tried, without_address};
use crate::{
    components::{Icon, Notice},
    pages::shell::{Page, Visit},
};

/// One heading, what was wrong the time before, and then the form.
pub fn frame(title: &'static str, before: Option<AnyView>, tried: &Tried, form: AnyView) -> AnyView {
    let summary = tried.mistakes.summary();
    let support = tried.support.clone().map(write_to_support);

    view! {
        <div class="auth page">
            <h1 class="page-title">{title}</h1>
            {before}
            {summary}
            {support}
            {form}
        </div>
    }
    .into_any()
}

/// A sentence or two under the heading.
pub fn lead(text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <p class="auth-lead">{text}</p> }.into_any()
}

/// What was done, or what came of it, before coming here.
pub fn note(tone: &'static str, title: &'static str, text: &'static str) -> AnyView {
    view! { <Notice tone=tone title=title>{text}</Notice> }.into_any()
}

fn write_to_support(email: String) -> AnyView {
    let address = format!("mailto:{email}");
    view! {
        <p class="auth-lead">
            "Write to " <a href=address>{email}</a> " if you think that it should not be. Nothing in it is lost."
        </p>
    }
    .into_any()
}

/// A form that `passkey.js` fills in and sends.
pub struct PasskeyForm {
    /// Where the challenge comes from.
    pub options: &'static str,
    pub action: &'static str,
    pub next: String,
    pub label: &'static str,
    /// The browser also offers passkeys in the address field, before anything is pressed.
    pub autofill: bool,
}

/// Nothing of it is there without script, or where the browser knows no passkeys.
pub fn passkey(form: PasskeyForm) -> AnyView {
    let PasskeyForm { options, action, next, label, autofill } = form;

    view! {
        <div class="auth-or" data-passkey-only="" hidden=true>
            <form
                method="post"
                action=action
                data-passkey="get"
                data-options=options
                data-passkey-autofill=autofill.then_some("")
            >
                <input type="hidden" name="ticket" autocomplete="off" value=""/>
                <input type="hidden" name="credential" autocomplete="off" value=""/>
                <input type="hidden" name="next" value=next/>
                <button class="button secondary large full" type="submit"><Icon name="key"/>{label}</button>
                <p class="hint" role="status" data-passkey-status=""></p>
            </form>
        </div>
    }
    .into_any()
}

/// In place of a page whose link has been used, has run out, or never was one: the three look the same.
pub fn dead_link(
    visit: Visit,
    title: &'static str,
    text: impl Into<String>,
    ways: impl FnOnce() -> AnyView + Send + 'static,
) -> Response {
    let text: String = text.into();
    let page = Page::new(title, "A link from one of our mails that cannot be used any more.", move || {
        let ways = ways();
        let body = view! { <div class="form-actions">{ways}</div> }.into_any();
        frame("This link is no longer good", Some(lead(text)), &Tried::default(), body)
    });
    kept_to_ourselves(page.status(StatusCode::UNPROCESSABLE_ENTITY).render(&without_address(visit)))
}
