//! The link of a reset mail: setting a new password.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Error},
    api::{error::ApiError, extract::Path},
    context::Context,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{forgot, kept_to_ourselves, parts, tried::Tried, without_address};
use crate::{
    components::Field,
    pages::shell::{Page, Visit},
};

pub async fn reset_page(
    State(ctx): State<Context>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    match account::check_reset(&ctx, &token).await {
        Ok(()) => Ok(page(token, &Tried::default(), visit)),
        Err(Error::InvalidToken) => Ok(dead(visit)),
        Err(error) => Err(error.into()),
    }
}

#[derive(Deserialize)]
pub struct NewPassword {
    #[serde(default)]
    password: String,
}

pub async fn reset(
    State(ctx): State<Context>,
    Path(token): Path<String>,
    client: Client,
    visit: Visit,
    Form(sent): Form<NewPassword>,
) -> Result<Response, ApiError> {
    match account::finish_reset(&ctx, &token, &sent.password, &client).await {
        Ok(_) => Ok(Redirect::to("/sign-in?done=reset").into_response()),
        Err(Error::InvalidToken) => Ok(dead(visit)),
        Err(error) => {
            let tried = Tried::failed(&ctx, error)?;
            Ok(page(token, &tried, visit))
        }
    }
}

fn page(token: String, tried: &Tried, visit: Visit) -> Response {
    let last = tried.clone();
    let page = Page::new("Set a new password", "Set a new password for your Dev Forge account.", move || {
        view(&token, &last)
    });
    kept_to_ourselves(tried.answer(page, &without_address(visit)))
}

fn dead(visit: Visit) -> Response {
    let text = format!("A link to set a new password works once, for {}.", forgot::lasts());
    parts::dead_link(visit, "The link to reset has ended", text, || {
        view! { <a class="button primary large" href="/forgot">"Send a new link"</a> }.into_any()
    })
}

fn view(token: &str, tried: &Tried) -> AnyView {
    let action = format!("/reset/{token}");
    let password_error = tried.of("password");
    let lead = parts::lead("Everywhere you are signed in now, you will be signed out.");

    let form = view! {
        <form method="post" action=action novalidate=true>
            <Field
                name="password"
                label="New password"
                kind="password"
                error=password_error
                hint="At least 12 characters. A few words you can remember are good."
                autocomplete="new-password"
                maxlength=1024
            />
            <div class="form-actions">
                <button class="button primary large" type="submit">"Set password"</button>
            </div>
        </form>
    }
    .into_any();
    parts::frame("Set a new password", Some(lead), tried, form)
}
