//! The link of the first mail: confirming the address. Programs that look into mail open every link, so that opening
//! it changes nothing; the button does.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Error},
    api::{error::ApiError, extract::Path},
    context::Context,
};
use leptos::prelude::*;

use super::{kept_to_ourselves, parts, tried::Tried, without_address};
use crate::pages::shell::{Page, Visit};

pub async fn verify_page(Path(token): Path<String>, visit: Visit) -> Response {
    page(token, &Tried::default(), visit)
}

pub async fn verify(
    State(ctx): State<Context>,
    Path(token): Path<String>,
    client: Client,
    visit: Visit,
) -> Result<Response, ApiError> {
    match account::verify_email(&ctx, &token, &client).await {
        Ok(user) => {
            let to = match visit.caller.user() {
                Some(caller) if caller.id == user.id => "/account?done=verified",
                Some(_) => "/account?done=verified-other",
                None => "/sign-in?done=verified",
            };
            Ok(Redirect::to(to).into_response())
        }
        Err(Error::InvalidToken) => Ok(dead(visit)),
        Err(error) => {
            let tried = Tried::failed(&ctx, error)?;
            Ok(page(token, &tried, visit))
        }
    }
}

fn page(token: String, tried: &Tried, visit: Visit) -> Response {
    let last = tried.clone();
    let page = Page::new("Confirm your address", "Confirm the mail address of your account.", move || {
        view(&token, &last)
    });
    kept_to_ourselves(tried.answer(page, &without_address(visit)))
}

fn dead(visit: Visit) -> Response {
    let unverified = visit.caller.user().is_some_and(|user| !user.email_verified);
    let text = "It works once, for a day. If you have used it, your address is confirmed and there is nothing more to do.";
    parts::dead_link(visit, "The link to confirm has ended", text, move || {
        if unverified {
            view! {
                <form method="post" action="/account/verify">
                    <button class="button primary large" type="submit">"Send a new link"</button>
                </form>
            }
            .into_any()
        } else {
            view! { <a class="button primary large" href="/account">"Go to your account"</a> }.into_any()
        }
    })
}

fn view(token: &str, tried: &Tried) -> AnyView {
    let action = format!("/verify/{token}");
    let lead = parts::lead("One press, and we know that this address is yours.");

    let form = view! {
        <form method="post" action=action>
            <div class="form-actions">
                <button class="button primary large" type="submit">"Confirm address"</button>
            </div>
        </form>
        <p class="auth-links"><a href="/">"I made no account"</a></p>
    }
    .into_any();
    parts::frame("Confirm your address", Some(lead), tried, form)
}
