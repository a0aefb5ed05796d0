//! When each version of the editor came out: what a license that has ended goes on covering.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::license::MAX_VERSION,
    license::version::{self, Released},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    PATH,
    parts::{panel, start_of_day},
};
use crate::{
    components::{Breadcrumb, Empty, Field, Notice},
    pages::{
        admin::{
            DoneQuery,
            frame::{Here, Section, Viewer, frame},
            proof::proof_first,
        },
        forms::{Mistakes, license_mistakes},
        moments::day,
        shell::{Page, Visit},
    },
};

const VERSIONS: &str = "/admin/licenses/versions";
/// The most that are listed.
const LISTED: usize = 100;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VersionForm {
    version: String,
    released_at: String,
}

pub async fn versions_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    // The word itself is never shown.
    let done = query.done == "announced";
    let answer = Answer { done: done.then_some("The version is known"), ..Answer::default() };
    show(&ctx, visit, answer, StatusCode::OK).await
}

pub async fn announce_version(
    State(ctx): State<Context>,
    visit: Visit,
    Form(typed): Form<VersionForm>,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::LicensesIssue)?;
    let (status, wrong) = match start_of_day(&typed.released_at) {
        Some(released_at) => {
            match version::announce_by(&ctx, &visit.caller, &typed.version, released_at).await {
                Ok(()) => return Ok(Redirect::to(&format!("{VERSIONS}?done=announced")).into_response()),
                Err(error) => license_mistakes(error)?,
            }
        }
        None => {
            let mut wrong = Mistakes::default();
            wrong.add("releasedAt", "Choose the day on which it came out, like 2026-11-20.");
            (StatusCode::UNPROCESSABLE_ENTITY, wrong)
        }
    };
    show(&ctx, visit, Answer { done: None, wrong, typed }, status).await
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<&'static str>,
    wrong: Mistakes,
    typed: VersionForm,
}

async fn show(
    ctx: &Context,
    mut visit: Visit,
    answer: Answer,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let known = version::list(ctx, &visit.caller).await?;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    VERSIONS.clone_into(&mut visit.path);
    let page = Page::new("Versions of the editor", "When each version came out.", move || {
        frame(Here::Below(Section::Licenses), viewer, view(&known, &answer, viewer))
    });
    Ok(page.status(status).render(&visit))
}

fn view(known: &[Released], answer: &Answer, viewer: Viewer) -> AnyView {
    let trail = vec![("Licenses".to_owned(), PATH.to_owned())];
    let done = answer.done.map(|title| {
        view! {
            <Notice tone="ok" title=title live=true>
                <p>"Licenses that ended after its day go on covering it, where they keep what came out before."</p>
            </Notice>
        }
    });
    let listed = if known.is_empty() {
        view! { <Empty framed=true title="No versions yet" text="Each stands here with the day on which it came out."/> }
            .into_any()
    } else {
        let rows = known.iter().take(LISTED).map(row).collect_view();
        view! { <ul class="rows">{rows}</ul> }.into_any()
    };
    let more = (known.len() > LISTED)
        .then(|| view! { <p class="quiet small">{format!("The newest {LISTED} of {}.", known.len())}</p> });
    let form = viewer.may(Permission::LicensesIssue).then(|| form(answer, viewer));
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here="Versions of the editor"/>
            <h1 class="app-title">"Versions of the editor"</h1>
        </header>
        {answer.wrong.summary()}
        {done}
        <p class="lead">
            "A license with a fallback goes on covering the versions from before its last day. Which those are is decided by this list."
        </p>
        {listed}
        {more}
        {form}
    }
    .into_any()
}

fn row(released: &Released) -> AnyView {
    view! {
        <li class="row">
            <p class="row-title"><code>{released.version.clone()}</code></p>
            <p class="meta">{day(released.released_at)}</p>
        </li>
    }
    .into_any()
}

fn form(answer: &Answer, viewer: Viewer) -> AnyView {
    let Answer { wrong, typed, .. } = answer;
    let form = view! {
        {proof_first(viewer, VERSIONS)}
        <form class="measure" method="post" action=VERSIONS novalidate=true>
            <div class="field-row">
                <Field name="version" label="Version" value=typed.version.clone() error=wrong.of("version")
                    maxlength=MAX_VERSION as u32 autocomplete="off" hint="As the editor names it: 2.4.1."/>
                <Field name="releasedAt" label="Came out on" kind="date" value=typed.released_at.clone()
                    error=wrong.of("releasedAt") hint="Said again, the earlier day stays."/>
            </div>
            <div class="form-actions">
                <button class="button primary" type="submit">"Add version"</button>
            </div>
        </form>
    };
    panel("announce", "Add a version", form.into_any())
}
