//! How somebody signs in, and where they are signed in: one page out of four parts.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Profile, passkey, two_factor},
    api::{error::ApiError, extract::Query},
    context::Context,
    session,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    layout::{Done, DoneQuery, ProofFirst, Section, back_at, done_notice, part, section_page},
    passkeys::passkeys_part,
    sessions::sessions_part,
    two_factor::two_factor_part,
};
use crate::components::Field;
use crate::pages::{
    auth::with_session,
    forms::{Mistakes, mistakes},
    moments::day,
    shell::{Page, Visit},
};

fn done(word: &str) -> Option<Done> {
    Some(match word {
        "password" => (
            "Your password is changed",
            "You stay signed in here. Everywhere else the new password is asked for.",
        ),
        "two-factor-on" => {
            ("Two-factor sign-in is on", "From the next sign-in a code from your app is asked for.")
        }
        "two-factor-off" => ("Two-factor sign-in is off", "Your recovery codes are no longer good."),
        "new-codes" => ("You have new recovery codes", "The codes from before are no longer good."),
        "passkey-added" => ("The passkey is added", "You can sign in with it from now on."),
        "passkey-removed" => {
            ("The passkey is removed", "Delete it on the device as well, where it is of no use now.")
        }
        "session-ended" => ("The session is ended", "It is signed out at its next request."),
        "sessions-ended" => ("All other sessions are ended", "You are signed in here only."),
        _ => return None,
    })
}

/// What the page shows beyond what is stored.
#[derive(Default)]
pub struct Shown {
    pub done: Option<Done>,
    pub wrong: Mistakes,
    /// The name typed for a new passkey.
    pub passkey_name: String,
}

pub async fn security_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let shown = Shown { done: done(&query.done), ..Shown::default() };
    show(&ctx, &visit, shown, StatusCode::OK).await
}

#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
}

pub async fn change_password(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(form): Form<PasswordForm>,
) -> Result<Response, ApiError> {
    let changed = account::change_password(&ctx, &visit.caller, &form.current, &form.password, &client).await;
    let (status, wrong) = match changed {
        Ok(opened) => {
            let done = Redirect::to("/account/security?done=password").into_response();
            return Ok(with_session(&ctx, done, &opened));
        }
        // Who is signed in knows which of the two was wrong.
        Err(account::Error::InvalidCredentials) => {
            let mut wrong = Mistakes::default();
            wrong.add("current", "This is not your password. Type the one you sign in with now.");
            (StatusCode::UNPROCESSABLE_ENTITY, wrong)
        }
        Err(error) => mistakes(error)?,
    };
    show(&ctx, &visit, Shown { wrong, ..Shown::default() }, status).await
}

/// The page again, with what was wrong with one of its forms.
pub(super) async fn show(
    ctx: &Context,
    visit: &Visit,
    shown: Shown,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let profile = account::profile(ctx, &visit.caller).await?;
    let two_factor = two_factor::status(ctx, &visit.caller).await?;
    let passkeys = passkey::list(ctx, &visit.caller).await?;
    let sessions = session::list(ctx, &visit.caller).await?;
    let proof = ProofFirst::asked(ctx, visit, "/account/security");
    let now = ctx.clock.now();
    let description = "Your password, two-factor sign-in, passkeys, and where you are signed in.";
    let page = Page::new("Sign-in and security", description, move || {
        let content = view! {
            {shown.wrong.summary()}
            {done_notice(shown.done)}
            {proof.map(ProofFirst::view)}
            {password_part(&profile, &shown.wrong)}
            {two_factor_part(&two_factor)}
            {passkeys_part(&passkeys, &shown, now)}
            {sessions_part(&sessions, now)}
        };
        section_page(Section::Security, None, content.into_any())
    });
    Ok(page.with_script("passkey.js").status(status).render(&back_at(visit, Section::Security.path())))
}

fn password_part(profile: &Profile, wrong: &Mistakes) -> AnyView {
    let changed = profile.password_changed_at.map(|at| {
        let changed = format!("Changed on {}.", day(at));
        view! { <p class="quiet small">{changed}</p> }
    });
    let hint = if profile.user.two_factor_enabled {
        "At least 8 characters. Several words are easier to remember than signs."
    } else {
        "At least 12 characters, or 8 once two-factor sign-in is on."
    };
    let content = view! {
        {changed}
        <form class="account-form" method="post" action="/account/security/password" novalidate=true>
            // Password managers want to know whose password it is.
            <input type="text" name="username" autocomplete="username" value=profile.user.email.clone() hidden=true readonly=true/>
            <Field name="current" label="Current password" kind="password" autocomplete="current-password"
                maxlength=1024 error=wrong.of("current")/>
            <Field name="password" label="New password" kind="password" autocomplete="new-password"
                maxlength=1024 error=wrong.of("password") hint=hint/>
            <div class="form-actions">
                <button class="button secondary" type="submit">"Change password"</button>
            </div>
        </form>
    };
    part("password-part", "Password", None, content.into_any())
}
