//! Signing in with a password or a passkey, and signing out.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Error, passkey, rules, sign_in::Step},
    api::{error::ApiError, extract::Query},
    context::Context,
    session,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    Landing, challenge, cookies, enter,
    parts::{self, PasskeyForm},
    tried::Tried,
    with_next,
};
use crate::{
    components::Field,
    pages::{
        forms::Mistakes,
        shell::{Page, Visit},
    },
};

pub async fn sign_in_page(Query(query): Query<Landing>, visit: Visit) -> Response {
    let next = rules::safe_next(&query.next).to_owned();
    if visit.caller.user().is_some() {
        let to: &str = if query.done == "verified" { "/account?done=verified" } else { &next };
        return Redirect::to(to).into_response();
    }
    let before = before(&query.done);
    page(Shown { next, before, ..Shown::default() }, &Tried::default(), &visit)
}

/// What came before, as (tone, title, text).
type Before = (&'static str, &'static str, &'static str);

fn before(done: &str) -> Option<Before> {
    Some(match done {
        "reset" => ("ok", "Your new password is set", "Sign in with it. Every other device was signed out."),
        "verified" => ("ok", "Your address is confirmed", "Sign in to go on."),
        "expired" => ("info", "That took too long", "Sign in again, and have your code at hand."),
        _ => return None,
    })
}

#[derive(Deserialize)]
pub struct Credentials {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    /// Sent when the box is checked.
    #[serde(default)]
    remember: String,
    #[serde(default)]
    next: String,
}

pub async fn sign_in(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(sent): Form<Credentials>,
) -> Result<Response, ApiError> {
    let next = rules::safe_next(&sent.next).to_owned();
    let remember = !sent.remember.is_empty();
    let mut missing = Mistakes::default();
    if sent.email.trim().is_empty() {
        missing.add("email", "Enter the address of your account.");
    }
    if sent.password.is_empty() {
        missing.add("password", "Enter your password.");
    }
    let tried = if missing.is_empty() {
        match account::sign_in::with_password(&ctx, &sent.email, &sent.password, remember, &client).await {
            Ok(Step::Done(opened)) => return enter(&ctx, &visit, &opened, &next).await,
            Ok(Step::Second(ticket)) => {
                let to = Redirect::to(&with_next("/sign-in/two-factor", &next)).into_response();
                return Ok(cookies::with_ticket(&ctx, to, &ticket));
            }
            Err(error) => Tried::failed(&ctx, error)?,
        }
    } else {
        Tried::refused(missing)
    };
    Ok(page(Shown { email: sent.email, remember, next, before: None }, &tried, &visit))
}

pub async fn passkey_options(State(ctx): State<Context>, client: Client) -> Result<Response, ApiError> {
    Ok(challenge(passkey::begin_open_sign_in(&ctx, &client).await?))
}

#[derive(Deserialize)]
pub struct Credential {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    remember: String,
    #[serde(default)]
    next: String,
}

pub async fn passkey_sign_in(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(sent): Form<Credential>,
) -> Result<Response, ApiError> {
    let next = rules::safe_next(&sent.next).to_owned();
    let remember = !sent.remember.is_empty();
    let opening = account::sign_in::with_passkey(&ctx, &sent.ticket, &sent.credential, remember, &client);
    let tried = match Box::pin(opening).await {
        Ok(opened) => return enter(&ctx, &visit, &opened, &next).await,
        Err(Error::InvalidCredentials | Error::InvalidCode) => {
            Tried::whole("This passkey belongs to no account here. Sign in with your password.")
        }
        Err(Error::InvalidToken) => Tried::whole("The passkey came too late. Try it once more."),
        Err(error) => Tried::failed(&ctx, error)?,
    };
    Ok(page(Shown { next, ..Shown::default() }, &tried, &visit))
}

pub async fn sign_out(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    session::sign_out(&ctx, &visit.caller).await?;
    // The cookie goes too, whether or not anything stood behind it.
    Ok(cookies::without_session(&ctx, Redirect::to("/").into_response()))
}

#[derive(Default)]
struct Shown {
    email: String,
    remember: bool,
    next: String,
    before: Option<Before>,
}

fn page(shown: Shown, tried: &Tried, visit: &Visit) -> Response {
    let last = tried.clone();
    let page = Page::new("Sign in", "Sign in to your Dev Forge account.", move || view(shown, &last))
        .with_script("passkey.js");
    tried.answer(page, visit)
}

fn view(shown: Shown, tried: &Tried) -> AnyView {
    let Shown { email, remember, next, before } = shown;
    let email_error = tried.of("email");
    let password_error = tried.of("password");
    let register = with_next("/register", &next);
    let before = before.map(|(tone, title, text)| parts::note(tone, title, text));
    // Its session is never one that outlives the window: the next touch of the passkey is as quick.
    let passkey = parts::passkey(PasskeyForm {
        options: "/sign-in/passkey/options",
        action: "/sign-in/passkey",
        next: next.clone(),
        label: "Sign in with a passkey",
        autofill: true,
    });

    let form = view! {
        <form method="post" action="/sign-in" novalidate=true>
            <input type="hidden" name="next" value=next/>
            <Field
                name="email"
                label="Mail address"
                kind="email"
                value=email
                error=email_error
                inputmode="email"
                autocomplete="username webauthn"
                maxlength=254
            />
            <Field
                name="password"
                label="Password"
                kind="password"
                error=password_error
                autocomplete="current-password"
                maxlength=1024
            />
            <label class="check">
                <input type="checkbox" name="remember" value="yes" checked=remember/>
                "Keep me signed in on this device"
            </label>
            <div class="form-actions">
                <button class="button primary large" type="submit">"Sign in"</button>
            </div>
        </form>
        {passkey}
        <p class="auth-links">
            <a href=register>"Create an account"</a>
            <a href="/forgot">"Forgot your password?"</a>
        </p>
        <p class="meta">"The editor works without an account."</p>
    }
    .into_any();
    parts::frame("Sign in", before, tried, form)
}
