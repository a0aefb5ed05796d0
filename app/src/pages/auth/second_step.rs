//! After a right password: a code, a recovery code, or a passkey. What ties the two steps together is a ticket in a
//! cookie of its own.

use axum::{
    Form,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Error, rules, sign_in::Proof},
    api::{error::ApiError, extract::Query},
    context::Context,
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
    pages::shell::{Page, Visit},
};

pub async fn second_step_page(
    State(ctx): State<Context>,
    Query(query): Query<Landing>,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, ApiError> {
    let next = rules::safe_next(&query.next).to_owned();
    let Some(ticket) = cookies::ticket(&headers) else {
        return Ok(Redirect::to(&with_next("/sign-in", &next)).into_response());
    };
    show(&ctx, ticket, next, &Tried::default(), &visit).await
}

#[derive(Deserialize)]
pub struct Second {
    #[serde(default)]
    code: String,
    /// That of the passkey's challenge; the one of the sign-in is in the cookie.
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    next: String,
}

pub async fn second_step(
    State(ctx): State<Context>,
    client: Client,
    headers: HeaderMap,
    visit: Visit,
    Form(sent): Form<Second>,
) -> Result<Response, ApiError> {
    let next = rules::safe_next(&sent.next).to_owned();
    let Some(ticket) = cookies::ticket(&headers) else {
        return Ok(begin_again(&ctx, &next));
    };
    let code = sent.code.trim();
    let proof = if sent.credential.is_empty() {
        Proof::Code(code)
    } else {
        Proof::Passkey { ticket: &sent.ticket, credential: &sent.credential }
    };
    let tried = if matches!(proof, Proof::Code("")) {
        Tried::at("code", "Enter the code that your app shows, or a recovery code.")
    } else {
        match Box::pin(account::sign_in::second_step(&ctx, ticket, proof, &client)).await {
            Ok(opened) => return enter(&ctx, &visit, &opened, &next).await,
            Err(Error::InvalidCode) => {
                Tried::at("code", "This code is not right, or not any more. Enter the one shown now.")
            }
            // The sign-in has run out, or the account asks for something else by now.
            Err(Error::InvalidToken | Error::InvalidCredentials) if matches!(proof, Proof::Code(_)) => {
                return Ok(begin_again(&ctx, &next));
            }
            // Either the passkey's challenge has run out or the sign-in has, which showing the page finds out.
            Err(Error::InvalidToken | Error::InvalidCredentials) => {
                Tried::whole("The passkey was not accepted. Try it once more, or use a code.")
            }
            Err(error) => Tried::failed(&ctx, error)?,
        }
    };
    show(&ctx, ticket, next, &tried, &visit).await
}

pub async fn second_step_options(
    State(ctx): State<Context>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let ticket = cookies::ticket(&headers).ok_or(Error::InvalidToken)?;
    Ok(challenge(account::sign_in::second_step_challenge(&ctx, ticket).await?))
}

async fn show(
    ctx: &Context,
    ticket: &str,
    next: String,
    tried: &Tried,
    visit: &Visit,
) -> Result<Response, ApiError> {
    let (has_passkeys, tried) = match account::sign_in::second_step_account(ctx, ticket).await {
        Ok(step) => (step.has_passkeys, tried.clone()),
        Err(Error::InvalidToken) => return Ok(begin_again(ctx, &next)),
        // Locked between the two steps.
        Err(error) => (false, Tried::failed(ctx, error)?),
    };
    let support = ctx.config.operator.email.clone();
    let last = tried.clone();
    let page = Page::new("Enter your code", "The second step of signing in.", move || {
        view(next, has_passkeys, support, &last)
    });
    let page = if has_passkeys { page.with_script("passkey.js") } else { page };
    Ok(tried.answer(page, visit))
}

fn begin_again(ctx: &Context, next: &str) -> Response {
    let to = with_next("/sign-in?done=expired", next);
    cookies::without_ticket(ctx, Redirect::to(&to).into_response())
}

fn view(next: String, has_passkeys: bool, support: String, tried: &Tried) -> AnyView {
    let code_error = tried.of("code");
    let focus = !tried.is_refused();
    let other = with_next("/sign-in", &next);
    let support_address = format!("mailto:{support}");
    let passkey = has_passkeys.then(|| {
        parts::passkey(PasskeyForm {
            options: "/sign-in/two-factor/options",
            action: "/sign-in/two-factor",
            next: next.clone(),
            label: "Use a passkey",
            autofill: false,
        })
    });

    let form = view! {
        <form method="post" action="/sign-in/two-factor" novalidate=true>
            <input type="hidden" name="next" value=next/>
            <Field
                name="code"
                label="Code"
                error=code_error
                hint="Six digits from your authenticator app, or one of your recovery codes."
                autocomplete="one-time-code"
                maxlength=40
                autofocus=focus
            />
            <div class="form-actions">
                <button class="button primary large" type="submit">"Sign in"</button>
            </div>
        </form>
        {passkey}
        <p class="auth-links"><a href=other>"Sign in as somebody else"</a></p>
        <p class="meta">
            "Neither the app nor a recovery code at hand? Write to " <a href=support_address>{support}</a> "."
        </p>
    }
    .into_any();
    parts::frame("Enter your code", None, tried, form)
}
