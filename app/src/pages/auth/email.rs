//! The links of a change of address, one to the old and one to the new: both have to agree. Opening a link changes
//! nothing; the button does.

use axum::{extract::State, http::StatusCode, response::Response};
use devforge::{
    account::{self, ChangeEnd, ChangeOutcome, Client, Error},
    api::{error::ApiError, extract::Path},
    context::Context,
};
use leptos::prelude::*;

use super::{kept_to_ourselves, parts, tried::Tried, without_address};
use crate::pages::shell::{Page, Visit};

const DESCRIPTION: &str = "Change the mail address of your account.";

pub async fn email_page(
    State(ctx): State<Context>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let change = match account::check_email_change(&ctx, &token).await {
        Ok(change) => change,
        Err(Error::InvalidToken) => return Ok(dead(visit)),
        Err(error) => return Err(error.into()),
    };
    let page = Page::new("Change your mail address", DESCRIPTION, move || {
        view(&token, &change.new_email, matches!(change.end, ChangeEnd::Old))
    });
    Ok(kept_to_ourselves(page.render(&without_address(visit))))
}

pub async fn email_confirm(
    State(ctx): State<Context>,
    Path(token): Path<String>,
    client: Client,
    visit: Visit,
) -> Result<Response, ApiError> {
    let mut status = StatusCode::OK;
    let (title, text, done) = match account::confirm_email_change(&ctx, &token, &client).await {
        Ok(ChangeOutcome::Done) => (
            "Your address is changed",
            "From now on you sign in with the new address, and our mail goes there.",
            true,
        ),
        Ok(ChangeOutcome::WaitingForNew) => (
            "The old address has agreed",
            "One thing is left: open the mail that we sent to the new address, and confirm there as well.",
            false,
        ),
        Ok(ChangeOutcome::WaitingForOld) => (
            "The new address is confirmed",
            "One thing is left: open the mail that we sent to the old address, and agree there as well.",
            false,
        ),
        Err(Error::InvalidToken) => return Ok(dead(visit)),
        Err(Error::EmailTaken) => {
            status = StatusCode::CONFLICT;
            (
                "The address is not free any more",
                "Another account has it by now. Your account keeps the address it has.",
                false,
            )
        }
        Err(error) => return Err(error.into()),
    };
    let page = Page::new(title, DESCRIPTION, move || {
        let label = if done { "Go to your account" } else { "Look at your account" };
        let rest = view! {
            <div class="form-actions"><a class="button primary large" href="/account/profile">{label}</a></div>
        }
        .into_any();
        parts::frame(title, Some(parts::lead(text)), &Tried::default(), rest)
    });
    Ok(kept_to_ourselves(page.status(status).render(&without_address(visit))))
}

fn dead(visit: Visit) -> Response {
    let text = "It works once, for a day, and not after the change was called off.";
    parts::dead_link(visit, "The link to change has ended", text, || {
        view! { <a class="button primary large" href="/account/profile">"Look at your account"</a> }
            .into_any()
    })
}

fn view(token: &str, new_email: &str, is_old: bool) -> AnyView {
    let action = format!("/email/{token}");
    let new_email = new_email.to_owned();
    let (before, after, button) = if is_old {
        (
            "Someone who is signed in to your account wants to change its address to ",
            ". The account is yours only as long as its address is. If this was not you, leave it, and set a new password.",
            "Agree to the change",
        )
    } else {
        (
            "This makes ",
            " the address you sign in with. The old address has to agree as well.",
            "Confirm the new address",
        )
    };
    let way_out = is_old.then(|| {
        view! { <p class="auth-links"><a href="/forgot">"This was not me: set a new password"</a></p> }
    });

    let form = view! {
        <p class="auth-lead">{before}<strong>{new_email}</strong>{after}</p>
        <form method="post" action=action>
            <div class="form-actions">
                <button class="button primary large" type="submit">{button}</button>
            </div>
        </form>
        {way_out}
    }
    .into_any();
    parts::frame("Change your mail address", None, &Tried::default(), form)
}
