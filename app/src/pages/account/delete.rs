//! The end of an account: asking for it, and changing one's mind.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{account, api::error::ApiError, context::Context};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;

use super::layout::{ProofFirst, Section, page_below};
use crate::components::{Field, Notice};
use crate::pages::{
    forms::{Mistakes, mistakes},
    moments::day,
    shell::{Page, Visit},
};

#[derive(Default)]
struct Shown {
    wrong: Mistakes,
    typed: String,
}

pub async fn delete_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    show(&ctx, &visit, Shown::default(), StatusCode::OK).await
}

#[derive(Deserialize)]
pub struct DeleteForm {
    #[serde(default)]
    email: String,
}

pub async fn delete(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<DeleteForm>,
) -> Result<Response, ApiError> {
    match account::request_deletion(&ctx, &visit.caller, &form.email).await {
        // The account's own page says until when it is there.
        Ok(()) => Ok(Redirect::to("/account").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show(&ctx, &visit, Shown { wrong, typed: form.email }, status).await
        }
    }
}

pub async fn keep(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    account::keep_account(&ctx, &visit.caller).await?;
    Ok(Redirect::to("/account?done=kept").into_response())
}

async fn show(ctx: &Context, visit: &Visit, shown: Shown, status: StatusCode) -> Result<Response, ApiError> {
    let profile = account::profile(ctx, &visit.caller).await?;
    let proof = ProofFirst::asked(ctx, visit, "/account/delete");
    let title = "Delete your account";
    let page = Page::new(title, "What happens when an account is deleted, and the way to it.", move || {
        let content = match profile.delete_after {
            Some(at) => leaving_notice(at),
            None => question(&profile.user.email, &shown, proof),
        };
        page_below(Section::Privacy, title, content)
    });
    Ok(page.status(status).render(visit))
}

/// Shown wherever somebody who is leaving should know it.
pub fn leaving_notice(delete_after: OffsetDateTime) -> AnyView {
    let title = format!("Your account will be deleted on {}", day(delete_after));
    let keep = || {
        view! {
            <form method="post" action="/account/delete/cancel">
                <button class="button secondary small" type="submit">"Keep my account"</button>
            </form>
        }
    };
    view! {
        <Notice tone="warn" title=title actions=keep>
            <p>"Until then you can sign in and change your mind."</p>
        </Notice>
    }
    .into_any()
}

fn question(email: &str, shown: &Shown, proof: Option<ProofFirst>) -> AnyView {
    let hint = format!("Type {email} to show that you mean it.");
    view! {
        {shown.wrong.summary()}
        {proof.map(ProofFirst::view)}
        <div class="prose">
            <ul>
                <li>"At once you are signed out everywhere but here, and your personal tokens end."</li>
                <li>"For 14 days you can sign in and keep your account."</li>
                <li>"Then your name, your address and every way to sign in are deleted. Nobody can bring them back."</li>
                <li>"Invoices stay as long as the law demands."</li>
            </ul>
            <p>
                "If you want to keep what is in it, "
                <a href="/account/privacy#export">"take your data along"</a>
                " first."
            </p>
        </div>
        <form class="account-form" method="post" action="/account/delete" novalidate=true>
            <Field name="email" label="Your mail address" kind="email" value=shown.typed.clone() autocomplete="off"
                inputmode="email" maxlength=254 error=shown.wrong.of("email") hint=hint/>
            <div class="form-actions">
                <button class="button bad-solid" type="submit">"Delete my account"</button>
                <a class="button secondary" href="/account">"Keep it"</a>
            </div>
        </form>
    }
    .into_any()
}
