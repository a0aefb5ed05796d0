//! What only a development installation shows: the gallery of components, the mail that would have been sent,
//! and a handler that fails on purpose.

mod gallery;
mod mail;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    context::Context,
    contract::id::MailId,
    jobs, mail as domain,
};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::shell::{Page, ScriptPolicy, Visit};

const SHOWN_MAILS: i64 = 100;

pub async fn index(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let figures = jobs::figures(&ctx).await.map_err(|error| ApiError::internal(&error))?;
    let dead = jobs::dead(&ctx, 20).await.map_err(|error| ApiError::internal(&error))?;
    Ok(Page::new("Development", "What only a development installation shows.", move || {
        view! {
            <div class="page dev-index">
                <h1 class="page-title">"Development"</h1>
                <ul class="rows">
                    <li class="row"><a href="/dev/gallery">"Gallery"</a><span class="meta">"every component in every state"</span></li>
                    <li class="row"><a href="/dev/mail">"Mail"</a><span class="meta">"what would have been sent"</span></li>
                    <li class="row"><a href="/dev/panic">"Failure"</a><span class="meta">"a handler that panics"</span></li>
                </ul>
                <h2 class="panel-title">"Jobs"</h2>
                <p>{format!("{} waiting, {} running, {} dead.", figures.waiting, figures.running, figures.dead)}</p>
                {(!dead.is_empty()).then(|| view! {
                    <ul class="rows">
                        {dead.into_iter().map(|job| view! {
                            <li class="row">
                                <strong>{job.name}</strong>
                                <span>{job.last_error.unwrap_or_default()}</span>
                                <span class="meta">{format!("{} attempts", job.attempts)}</span>
                            </li>
                        }).collect_view()}
                    </ul>
                })}
            </div>
        }
        .into_any()
    })
    .render(&visit))
}

pub async fn gallery_page(visit: Visit) -> Response {
    Page::new("Gallery", "Every component in every state.", gallery::gallery).with_islands().render(&visit)
}

pub async fn mail_list(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let mails = domain::recent(&ctx, SHOWN_MAILS).await.map_err(|error| ApiError::internal(&error))?;
    let now = ctx.clock.now();
    Ok(Page::new("Mail", "Mail that this installation keeps instead of sending.", move || {
        mail::list(mails, now)
    })
    .render(&visit))
}

pub async fn mail_page(
    State(ctx): State<Context>,
    Path(id): Path<MailId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let stored = find(&ctx, id).await?;
    let now = ctx.clock.now();
    Ok(Page::new(stored.subject.clone(), "A mail that was kept instead of sent.", move || {
        mail::message(stored, now)
    })
    .render(&visit))
}

/// The HTML part by itself, for the frame on the mail's page.
pub async fn mail_html(State(ctx): State<Context>, Path(id): Path<MailId>) -> Result<Response, ApiError> {
    let html = find(&ctx, id).await?.html.ok_or_else(ApiError::not_found)?;
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    response.extensions_mut().insert(ScriptPolicy::MailPreview);
    Ok(response)
}

async fn find(ctx: &Context, id: MailId) -> Result<domain::StoredMail, ApiError> {
    domain::find(ctx, id).await.map_err(|error| ApiError::internal(&error))?.ok_or_else(ApiError::not_found)
}

/// Where the simulated Stripe is, for programs that talk to it in tests.
pub async fn stripe(State(ctx): State<Context>) -> Result<Json<Value>, ApiError> {
    let payments = &ctx.config.payments;
    if !payments.simulated {
        return Err(ApiError::not_found());
    }
    let secret = payments.stripe_webhook_secrets.first().map(|secret| secret.expose().clone());
    Ok(Json(json!({ "url": payments.stripe_url, "webhookSecret": secret })))
}

/// Shows that a bug in a handler ends in a page with a number, and in nothing worse.
pub async fn panic() -> Response {
    panic!("this page fails on purpose")
}
