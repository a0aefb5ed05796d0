//! Passkeys: their part of the security page, and what `passkey.js` asks for and sends.

use axum::{
    Form, Json,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::passkey,
    api::{error::ApiError, extract::Path},
    context::Context,
    contract::{account::Passkey, id::PasskeyId},
};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::{
    layout::{Confirm, part},
    security::{self, Shown},
};
use crate::components::{Field, Icon, RelativeTime};
use crate::pages::{forms::mistakes, moments::day, shell::Visit};

/// What the browser needs to make a new key. The ticket comes back with the key.
pub async fn passkey_options(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let challenge = passkey::begin_registration(&ctx, &visit.caller).await?;
    let answer = json!({ "ticket": challenge.ticket, "options": challenge.options });
    Ok(Json(answer).into_response())
}

#[derive(Deserialize)]
pub struct PasskeyForm {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    name: String,
}

pub async fn add_passkey(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<PasskeyForm>,
) -> Result<Response, ApiError> {
    let PasskeyForm { ticket, credential, name } = form;
    let added = passkey::finish_registration(&ctx, &visit.caller, &ticket, &credential, &name);
    match Box::pin(added).await {
        Ok(_) => Ok(Redirect::to("/account/security?done=passkey-added").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            let shown = Shown { wrong, passkey_name: name, ..Shown::default() };
            security::show(&ctx, &visit, shown, status).await
        }
    }
}

pub async fn remove_passkey(
    State(ctx): State<Context>,
    Path(id): Path<PasskeyId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    if !passkey::remove(&ctx, &visit.caller, id).await? {
        return Err(ApiError::not_found());
    }
    Ok(Redirect::to("/account/security?done=passkey-removed").into_response())
}

/// The part of the security page.
pub fn passkeys_part(passkeys: &[Passkey], shown: &Shown, now: OffsetDateTime) -> AnyView {
    let list = if passkeys.is_empty() {
        view! { <p class="nothing">"You have no passkey yet."</p> }.into_any()
    } else {
        let rows = passkeys.iter().map(|passkey| row(passkey, now)).collect_view();
        view! { <ul class="rows">{rows}</ul> }.into_any()
    };
    let content = view! {
        {list}
        <div data-passkey-only="" hidden=true>
            <form
                class="account-form"
                method="post"
                action="/account/security/passkeys"
                novalidate=true
                data-passkey="create"
                data-options="/account/security/passkeys/options"
            >
                <input type="hidden" name="ticket"/>
                <input type="hidden" name="credential"/>
                <Field name="name" label="Name of the new passkey" optional=true value=shown.passkey_name.clone() maxlength=100
                    autocomplete="off" error=shown.wrong.of("name") hint="For example the device it is on."/>
                <p class="small" data-passkey-status="" role="status"></p>
                <div class="form-actions">
                    <button class="button secondary" type="submit"><Icon name="key" size=16/>"Add a passkey"</button>
                </div>
            </form>
        </div>
        <noscript>
            <p class="small quiet">"A browser makes passkeys only for pages with scripts, and scripts are off in yours."</p>
        </noscript>
    };
    part(
        "passkeys",
        "Passkeys",
        Some(
            "Sign in with your fingerprint, your face or a security key. There is no password in it to be stolen.",
        ),
        content.into_any(),
    )
}

fn row(passkey: &Passkey, now: OffsetDateTime) -> AnyView {
    let added = format!("Added on {}, ", day(passkey.created_at));
    let used = match passkey.last_used_at {
        Some(at) => view! { "last used " <RelativeTime at=at now=now/> }.into_any(),
        None => view! { "not used yet" }.into_any(),
    };
    let remove = Confirm {
        open: "Remove",
        about: passkey.name.clone(),
        consequence: "It no longer signs you in. Your other ways to sign in stay.",
        action: format!("/account/security/passkeys/{}/remove", passkey.id),
        verb: "Remove passkey",
        one_of_several: true,
    };
    view! {
        <li class="row">
            <div>
                <h3>{passkey.name.clone()}</h3>
                <p class="meta">{added}{used}</p>
            </div>
            {remove.view()}
        </li>
    }
    .into_any()
}
