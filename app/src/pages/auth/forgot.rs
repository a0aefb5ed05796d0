//! Asking for a link to set a new password. The answer is the same whether or not there is such an account.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, ticket::Kind},
    api::{error::ApiError, extract::Query},
    context::Context,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Landing, parts, tried::Tried};
use crate::{
    components::Field,
    pages::shell::{Page, Visit},
};

const DESCRIPTION: &str = "Get a link to set a new password.";

pub async fn forgot_page(Query(query): Query<Landing>, visit: Visit) -> Response {
    if query.done == "sent" {
        return Page::new("Look into your mail", DESCRIPTION, sent).render(&visit);
    }
    page(String::new(), &Tried::default(), &visit)
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    email: String,
}

pub async fn forgot(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(asked): Form<Asked>,
) -> Result<Response, ApiError> {
    let tried = if asked.email.trim().is_empty() {
        Tried::at("email", "Enter the address of your account.")
    } else {
        match account::start_reset(&ctx, &asked.email, &client).await {
            Ok(()) => return Ok(Redirect::to("/forgot?done=sent").into_response()),
            Err(error) => Tried::failed(&ctx, error)?,
        }
    };
    Ok(page(asked.email, &tried, &visit))
}

fn page(email: String, tried: &Tried, visit: &Visit) -> Response {
    let last = tried.clone();
    let page = Page::new("Reset your password", DESCRIPTION, move || view(email, &last));
    tried.answer(page, visit)
}

fn view(email: String, tried: &Tried) -> AnyView {
    let email_error = tried.of("email");
    let lead = parts::lead(format!("We send a link to your address. It works once, for {}.", lasts()));

    let form = view! {
        <form method="post" action="/forgot" novalidate=true>
            <Field
                name="email"
                label="Mail address"
                kind="email"
                value=email
                error=email_error
                inputmode="email"
                autocomplete="username"
                maxlength=254
            />
            <div class="form-actions">
                <button class="button primary large" type="submit">"Send the link"</button>
            </div>
        </form>
        <p class="auth-links"><a href="/sign-in">"Back to signing in"</a></p>
    }
    .into_any();
    parts::frame("Reset your password", Some(lead), tried, form)
}

/// How long the link is good, in words.
pub fn lasts() -> String {
    format!("{} minutes", Kind::ResetPassword.lasts().whole_minutes())
}

fn sent() -> AnyView {
    let lead = parts::lead(format!(
        "If there is an account with this address, a mail is on its way. Its link works once, for {}.",
        lasts()
    ));
    let rest = view! {
        <p class="auth-lead">
            "Nothing there after a few minutes? Look into the junk folder, and check that the address is the one of your account."
        </p>
        <p class="auth-links">
            <a href="/forgot">"Try another address"</a>
            <a href="/sign-in">"Back to signing in"</a>
        </p>
    }
    .into_any();
    parts::frame("Look into your mail", Some(lead), &Tried::default(), rest)
}
