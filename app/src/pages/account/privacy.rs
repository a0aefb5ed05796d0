//! What may be measured and sent, and the way to take one's data along.

use axum::{
    Form,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{
        self, Choices, Denied, Profile,
        data_export::{self, Export, ExportState},
    },
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::id::ExportId,
    storage::respond::{Caching, ServeAs, respond},
};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;

use super::layout::{Done, DoneQuery, ProofFirst, Section, back_at, done_notice, part, section_page};
use crate::components::{Badge, Icon};
use crate::pages::{
    forms::{Mistakes, mistakes},
    moments::{day, moment},
    shell::{Page, Visit},
};

const USAGE_EVENTS: &str = "Which parts of the editor you use and what fails in it. No code, no file names, \
    nothing you typed, and no network address. Without a yes, nothing is sent.";
const PRODUCT_MAIL: &str = "New versions and what is in them, a few times a year. Mail about your account, your \
    purchases and your licenses comes either way.";

fn done(word: &str) -> Option<Done> {
    match word {
        "choices" => Some(("Your choices are saved", "They hold from now on.")),
        "export" => {
            Some(("Your archive is being made", "You get a mail when it is ready, mostly within minutes."))
        }
        _ => None,
    }
}

pub async fn privacy_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    show(&ctx, &visit, done(&query.done), Mistakes::default(), StatusCode::OK).await
}

/// A box that is not checked is not sent at all.
#[derive(Deserialize)]
pub struct ChoicesForm {
    analytics: Option<String>,
    product_mail: Option<String>,
}

pub async fn choices(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<ChoicesForm>,
) -> Result<Response, ApiError> {
    let choices = Choices { analytics: form.analytics.is_some(), product_mail: form.product_mail.is_some() };
    account::set_choices(&ctx, &visit.caller, choices).await?;
    Ok(Redirect::to("/account/privacy?done=choices").into_response())
}

pub async fn export(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match data_export::request(&ctx, &visit.caller).await {
        Ok(_) => Ok(Redirect::to("/account/privacy?done=export").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show(&ctx, &visit, None, wrong, status).await
        }
    }
}

pub async fn export_download(
    State(ctx): State<Context>,
    Path(id): Path<ExportId>,
    method: Method,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, ApiError> {
    let (export, digest) = match data_export::open(&ctx, &visit.caller, id).await {
        Ok(found) => found,
        // Back to the page, not to the file: a download replaces no page, so that of the proof would seem to hang.
        Err(account::Error::Denied(Denied::NotFresh)) => {
            return Ok(Redirect::to("/account/confirm?next=/account/privacy").into_response());
        }
        Err(error) => return Err(error.into()),
    };
    let found = ctx.storage.head(&digest).await.map_err(account::Error::from)?;
    let blob = found.ok_or_else(ApiError::not_found)?;
    let meta = ServeAs {
        content_type: "application/zip",
        file_name: Some("devforge-data.zip"),
        caching: Caching::Private,
        last_modified: export.ready_at,
    };
    respond(&ctx.storage, &blob, &headers, &method, meta)
        .await
        .map_err(|error| account::Error::from(error).into())
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    done: Option<Done>,
    wrong: Mistakes,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let profile = account::profile(ctx, &visit.caller).await?;
    let exports = data_export::list(ctx, &visit.caller).await?;
    let proof = ProofFirst::asked(ctx, visit, "/account/privacy");
    let page =
        Page::new("Your privacy", "What may be measured and sent, and your data to take along.", move || {
            let content = view! {
                {wrong.summary()}
                {done_notice(done)}
                {choices_part(&profile)}
                {export_part(&exports, proof)}
                {delete_part()}
            };
            section_page(Section::Privacy, None, content.into_any())
        });
    Ok(page.status(status).render(&back_at(visit, Section::Privacy.path())))
}

fn choices_part(profile: &Profile) -> AnyView {
    let measured = profile.analytics_consent_at;
    let news = profile.product_mail_since;
    let content = view! {
        <form method="post" action="/account/privacy">
            <div class="consents">
                <label class="check">
                    <input type="checkbox" name="analytics" value="on" checked=measured.is_some()/>
                    <span>
                        "Usage events"
                        <small>{USAGE_EVENTS}</small>
                        {since(measured)}
                    </span>
                </label>
                <label class="check">
                    <input type="checkbox" name="product_mail" value="on" checked=news.is_some()/>
                    <span>
                        "News about Dev Forge by mail"
                        <small>{PRODUCT_MAIL}</small>
                        {since(news)}
                    </span>
                </label>
            </div>
            <div class="form-actions">
                <button class="button primary" type="submit">"Save choices"</button>
            </div>
        </form>
    };
    part("choices", "What you agree to", None, content.into_any())
}

fn since(at: Option<OffsetDateTime>) -> Option<AnyView> {
    at.map(|at| {
        let since = format!("You agreed on {}.", day(at));
        view! { <small>{since}</small> }.into_any()
    })
}

fn export_part(exports: &[Export], proof: Option<ProofFirst>) -> AnyView {
    let list = (!exports.is_empty()).then(|| {
        let rows = exports.iter().map(export_row).collect_view();
        view! { <ul class="rows">{rows}</ul> }
    });
    let content = view! {
        {proof.map(ProofFirst::view)}
        {list}
        <form class="part-foot" method="post" action="/account/privacy/export">
            <button class="button secondary" type="submit">"Make an archive"</button>
        </form>
    };
    part(
        "export",
        "Take your data along",
        Some(
            "A ZIP file with everything we keep about you, in a form that programs can read. It can be fetched for \
             a week, by you alone.",
        ),
        content.into_any(),
    )
}

fn export_row(export: &Export) -> AnyView {
    let (state, about, link) = match export.state {
        ExportState::Queued => (
            view! { <Badge tone="plain" label="Being made"/> }.into_any(),
            "You get a mail when it is ready.".to_owned(),
            None,
        ),
        ExportState::Ready => (
            view! { <Badge tone="ok" label="Ready"/> }.into_any(),
            ready_in_words(export),
            Some(format!("/account/privacy/exports/{}", export.id)),
        ),
        ExportState::Expired => (
            view! { <Badge tone="plain" icon="x" label="Deleted"/> }.into_any(),
            "It was kept for a week. You can have a new one made.".to_owned(),
            None,
        ),
    };
    let asked = moment(export.requested_at);
    let link = link.map(|address| {
        let heard = format!(" the archive of {asked}");
        view! {
            <a class="button secondary small" href=address>
                <Icon name="download" size=16/><span>"Download"<span class="visually-hidden">{heard}</span></span>
            </a>
        }
    });
    let title = format!("Archive of {asked}");
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">{title}{state}</h3>
                <p>{about}</p>
            </div>
            {link}
        </li>
    }
    .into_any()
}

fn ready_in_words(export: &Export) -> String {
    let size = export.bytes.map(size_in_words).unwrap_or_default();
    let until =
        export.expires_at.map(|at| format!("Can be fetched until {}.", moment(at))).unwrap_or_default();
    if size.is_empty() { until } else { format!("{size}. {until}") }
}

/// With one digit after the point, in the unit that a file manager would choose.
fn size_in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    // Whole tenths, so that no size is rounded up to one the file does not have.
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

fn delete_part() -> AnyView {
    let content = view! {
        <p class="part-foot"><a class="button bad" href="/account/delete">"Delete your account"</a></p>
    };
    part(
        "leave",
        "Leave",
        Some("Your account is deleted 14 days after you ask for it. Until then you can change your mind."),
        content.into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::size_in_words;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!(size_in_words(0), "0 bytes");
        assert_eq!(size_in_words(999), "999 bytes");
        assert_eq!(size_in_words(1000), "1.0 kB");
        assert_eq!(size_in_words(12_345), "12.3 kB");
        assert_eq!(size_in_words(999_999), "999.9 kB");
        assert_eq!(size_in_words(1_000_000), "1.0 MB");
        assert_eq!(size_in_words(2_500_000_000), "2.5 GB");
        assert!(size_in_words(u64::MAX).ends_with(" TB"));
    }
}
