//! The name and the mail address of an account.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, PendingEmail, Profile},
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::account::User,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::layout::{Done, DoneQuery, ProofFirst, Section, back_at, done_notice, part, section_page};
use crate::components::{Badge, Field};
use crate::pages::{
    forms::{Mistakes, mistakes},
    moments::moment,
    shell::{Page, Visit},
};

fn done(word: &str) -> Option<Done> {
    match word {
        "name" => Some(("Your name is saved", "It is shown from now on.")),
        "email-asked" => Some((
            "Mail is on its way",
            "Open the link in each mail and confirm there. Then your address changes.",
        )),
        "email-kept" => Some(("The change is cancelled", "Your mail address stays as it is.")),
        _ => None,
    }
}

/// What the page shows beyond what is stored.
#[derive(Default)]
struct Shown {
    done: Option<Done>,
    wrong: Mistakes,
    typed_name: Option<String>,
    typed_email: String,
}

pub async fn profile_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let shown = Shown { done: done(&query.done), ..Shown::default() };
    show(&ctx, &visit, shown, StatusCode::OK).await
}

#[derive(Deserialize)]
pub struct NameForm {
    #[serde(default)]
    name: String,
}

pub async fn profile(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<NameForm>,
) -> Result<Response, ApiError> {
    match account::rename(&ctx, &visit.caller, &form.name).await {
        Ok(()) => Ok(Redirect::to("/account/profile?done=name").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show(&ctx, &visit, Shown { wrong, typed_name: Some(form.name), ..Shown::default() }, status).await
        }
    }
}

#[derive(Deserialize)]
pub struct EmailForm {
    #[serde(default)]
    email: String,
}

pub async fn change_email(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<EmailForm>,
) -> Result<Response, ApiError> {
    match account::start_email_change(&ctx, &visit.caller, &form.email).await {
        Ok(()) => Ok(Redirect::to("/account/profile?done=email-asked").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show(&ctx, &visit, Shown { wrong, typed_email: form.email, ..Shown::default() }, status).await
        }
    }
}

pub async fn cancel_email(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    account::cancel_email_change(&ctx, &visit.caller).await?;
    Ok(Redirect::to("/account/profile?done=email-kept").into_response())
}

async fn show(ctx: &Context, visit: &Visit, shown: Shown, status: StatusCode) -> Result<Response, ApiError> {
    let profile = account::profile(ctx, &visit.caller).await?;
    let proof = ProofFirst::asked(ctx, visit, "/account/profile");
    let page = Page::new("Profile", "Your name and your mail address.", move || {
        let content = view! {
            {shown.wrong.summary()}
            {done_notice(shown.done)}
            {name_part(&profile, &shown)}
            {email_part(&profile, &shown, proof)}
        };
        section_page(Section::Profile, None, content.into_any())
    });
    Ok(page.status(status).render(&back_at(visit, Section::Profile.path())))
}

fn name_part(profile: &Profile, shown: &Shown) -> AnyView {
    let name = shown.typed_name.clone().unwrap_or_else(|| profile.user.name.clone());
    let form = view! {
        <form class="account-form" method="post" action="/account/profile" novalidate=true>
            <Field name="name" label="Your name" value=name autocomplete="name" maxlength=200
                error=shown.wrong.of("name") hint="It fills in the form when you buy. An invoice has what you typed there."/>
            <div class="form-actions">
                <button class="button primary" type="submit">"Save name"</button>
            </div>
        </form>
    };
    part("name-part", "Name", None, form.into_any())
}

fn email_part(profile: &Profile, shown: &Shown, proof: Option<ProofFirst>) -> AnyView {
    let content = match &profile.pending_email {
        Some(pending) => pending_change(&profile.user, pending),
        None => email_form(&profile.user, shown, proof),
    };
    part("email-part", "Mail address", None, content)
}

fn email_form(user: &User, shown: &Shown, proof: Option<ProofFirst>) -> AnyView {
    let current = user.email.clone();
    // Nobody may be reading an address that was never confirmed, so nobody is asked there.
    let hint = if user.email_verified {
        "Both addresses get a mail with a link. The change is made once it is confirmed at both addresses."
    } else {
        "A mail with a link goes there. The change is made once it is confirmed there."
    };
    view! {
        {proof.map(ProofFirst::view)}
        <p class="small">"Mail goes to " <strong>{current}</strong> "."</p>
        <form class="account-form" method="post" action="/account/profile/email" novalidate=true>
            <Field name="email" label="New mail address" kind="email" value=shown.typed_email.clone()
                autocomplete="email" inputmode="email" maxlength=254 error=shown.wrong.of("email") hint=hint/>
            <div class="form-actions">
                <button class="button secondary" type="submit">"Change address"</button>
            </div>
        </form>
    }
    .into_any()
}

fn pending_change(user: &User, pending: &PendingEmail) -> AnyView {
    let until = moment(pending.expires_at);
    let ends = format!("The links are good until {until}. Without them the address stays as it is.");
    let old = (!pending.old_confirmed || user.email_verified)
        .then(|| end_row("The address you have", &user.email, pending.old_confirmed));
    view! {
        <p class="small">{ends}</p>
        <ul class="rows">{old}{end_row("The new address", &pending.new_email, pending.new_confirmed)}</ul>
        <form class="part-foot" method="post" action="/account/profile/email/cancel">
            <button class="button secondary" type="submit">"Cancel the change"</button>
        </form>
    }
    .into_any()
}

/// One of the two addresses, and whether the change was confirmed there.
fn end_row(which: &'static str, address: &str, confirmed: bool) -> AnyView {
    let address = address.to_owned();
    let badge = if confirmed {
        view! { <Badge tone="ok" label="Confirmed"/> }.into_any()
    } else {
        view! { <Badge tone="plain" label="Not confirmed yet"/> }.into_any()
    };
    view! {
        <li class="row">
            <div><p class="meta">{which}</p><p class="row-title">{address}</p></div>
            {badge}
        </li>
    }
    .into_any()
}
