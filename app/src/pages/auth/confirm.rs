//! Proving again who one is, before what protects the account is changed.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Error, FRESH_FOR, passkey, rules, sign_in::Proof},
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::account::User,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    Landing, challenge, cookies,
    parts::{self, PasskeyForm},
    tried::Tried,
};
use crate::{
    components::Field,
    pages::{
        page_above,
        shell::{Page, Visit},
    },
};

pub async fn confirm_page(
    State(ctx): State<Context>,
    Query(query): Query<Landing>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let next = back_to(&query.next);
    show(&ctx, next, &Tried::default(), &visit).await
}

/// The page asked for, or the one on which the form stands whose address was asked for.
fn back_to(next: &str) -> String {
    let next = rules::safe_next(next);
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let page = page_above(path);
    if page == path { next.to_owned() } else { page.to_owned() }
}

#[derive(Deserialize)]
pub struct Again {
    #[serde(default)]
    password: String,
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    next: String,
}

pub async fn confirm(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(sent): Form<Again>,
) -> Result<Response, ApiError> {
    let next = back_to(&sent.next);
    let by_passkey = !sent.credential.is_empty();
    let proof = if by_passkey {
        Proof::Passkey { ticket: &sent.ticket, credential: &sent.credential }
    } else {
        Proof::Password(&sent.password)
    };
    let tried = if !by_passkey && sent.password.is_empty() {
        Tried::at("password", "Enter your password.")
    } else {
        match Box::pin(account::sign_in::confirm(&ctx, &visit.caller, proof, &client)).await {
            Ok(opened) => {
                return Ok(cookies::with_session(&ctx, Redirect::to(&next).into_response(), &opened));
            }
            Err(Error::InvalidCredentials | Error::InvalidToken | Error::InvalidCode) if by_passkey => {
                Tried::whole("The passkey was not accepted. Try it once more, or use your password.")
            }
            Err(Error::InvalidCredentials) => {
                Tried::at("password", "This is not the password of your account.")
            }
            Err(error) => Tried::failed(&ctx, error)?,
        }
    };
    show(&ctx, next, &tried, &visit).await
}

pub async fn confirm_options(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    Ok(challenge(account::sign_in::confirm_challenge(&ctx, &visit.caller).await?))
}

async fn show(ctx: &Context, next: String, tried: &Tried, visit: &Visit) -> Result<Response, ApiError> {
    let user = visit.caller.user().cloned().ok_or_else(ApiError::unauthenticated)?;
    let has_passkeys = passkey::has_any(ctx, user.id).await?;
    let last = tried.clone();
    let page = Page::new("Confirm it is you", "Prove again who you are.", move || {
        view(user, next, has_passkeys, &last)
    });
    let page = if has_passkeys { page.with_script("passkey.js") } else { page };
    Ok(tried.answer(page, visit))
}

fn view(user: User, next: String, has_passkeys: bool, tried: &Tried) -> AnyView {
    let password_error = tried.of("password");
    let focus = !tried.is_refused();
    let lead = parts::lead(format!(
        "What comes next protects your account, so we ask once more. It counts for {} minutes.",
        FRESH_FOR.whole_minutes()
    ));
    let passkey = has_passkeys.then(|| {
        parts::passkey(PasskeyForm {
            options: "/account/confirm/options",
            action: "/account/confirm",
            next: next.clone(),
            label: "Use a passkey",
            autofill: false,
        })
    });
    let who = format!("Signed in as {}", user.email);

    let form = view! {
        <form method="post" action="/account/confirm" novalidate=true>
            <input type="hidden" name="next" value=next/>
            // For password managers, which keep the password under the address.
            <input type="email" autocomplete="username" value=user.email readonly=true hidden=true/>
            <Field
                name="password"
                label="Password"
                kind="password"
                error=password_error
                hint=who
                autocomplete="current-password"
                maxlength=1024
                autofocus=focus
            />
            <div class="form-actions">
                <button class="button primary large" type="submit">"Confirm"</button>
            </div>
        </form>
        {passkey}
        <p class="auth-links">
            <a href="/account">"Not now"</a>
            <a href="/forgot">"Forgot your password?"</a>
        </p>
    }
    .into_any();
    parts::frame("Confirm it is you", Some(lead), tried, form)
}
