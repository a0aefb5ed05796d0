//! All of somebody's licenses, and the trial that everybody can begin once.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::{id::LicenseId, license::License},
    license::{self, issue},
};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;

use super::{PATH, path};
use crate::{
    components::Empty,
    pages::{
        account::layout::{Done, Section, back_at, done_notice, section_page},
        forms::{Mistakes, license_mistakes},
        license_parts::{end_in_words, machines_in_words, status_badge, what},
        shell::{Page, Visit},
    },
};

const PER_PAGE: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    done: String,
    /// Those older than this one. What is no id narrows nothing.
    before: String,
}

fn done(word: &str) -> Option<Done> {
    (word == "transferred").then_some((
        "The license belongs to somebody else now",
        "They got a mail with a new key. The old one is worth nothing any more, and every machine was taken off.",
    ))
}

pub async fn licenses_page(
    State(ctx): State<Context>,
    Query(query): Query<ListQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer =
        Answer { done: done(&query.done), before: query.before.parse().ok(), wrong: Mistakes::default() };
    show(&ctx, &visit, answer, StatusCode::OK).await
}

pub async fn begin_trial(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match Box::pin(issue::begin_trial(&ctx, &visit.caller)).await {
        Ok(license) => Ok(Redirect::to(&format!("{}?done=trial", path(license.id))).into_response()),
        Err(error) => {
            let (status, wrong) = license_mistakes(error)?;
            show(&ctx, &visit, Answer { wrong, ..Answer::default() }, status).await
        }
    }
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<Done>,
    before: Option<LicenseId>,
    wrong: Mistakes,
}

struct Shown {
    done: Option<Done>,
    wrong: Mistakes,
    licenses: Vec<License>,
    /// The last of this page, where there are older ones.
    older_than: Option<LicenseId>,
    further_down: bool,
    all: i64,
    can_try: bool,
    now: OffsetDateTime,
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    answer: Answer,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let Answer { done, before, wrong } = answer;
    let tiers = ctx.licenses.tiers(ctx).await;
    // One more than is shown says whether there are older ones.
    let mut licenses = license::list_own(ctx, &visit.caller, before, PER_PAGE as i64 + 1).await?;
    let goes_on = licenses.len() > PER_PAGE;
    licenses.truncate(PER_PAGE);
    let shown = Shown {
        done,
        wrong,
        older_than: licenses.last().filter(|_| goes_on).map(|last| last.id),
        further_down: before.is_some(),
        all: license::count_own(ctx, &visit.caller).await?,
        licenses: licenses.iter().map(|license| license.shown(ctx, &tiers)).collect(),
        can_try: issue::can_begin_trial(ctx, &visit.caller).await?,
        now: ctx.clock.now(),
    };
    let page = Page::new("Licenses", "Your licenses, their machines, and when they end.", move || {
        let activate = view! { <a class="button secondary" href="/activate">"Activate a license"</a> };
        section_page(Section::Licenses, Some(activate.into_any()), view(&shown))
    });
    Ok(page.status(status).render(&back_at(visit, PATH)))
}

fn view(shown: &Shown) -> AnyView {
    let notices = view! { {shown.wrong.summary()}{done_notice(shown.done)} };
    let content = match (shown.licenses.is_empty(), shown.further_down) {
        (false, _) => list(shown),
        (true, true) => nothing_older(),
        (true, false) => empty(shown.can_try),
    };
    view! { {notices}{content} }.into_any()
}

fn list(shown: &Shown) -> AnyView {
    let rows = shown.licenses.iter().map(|license| row(license, shown.now)).collect_view();
    let offer = shown.can_try.then(|| view! { <div>{trial_form("button secondary")}</div> });
    let newest = shown
        .further_down
        .then(|| view! { <a class="button secondary small" href=PATH>"Newest licenses"</a> });
    let older = shown.older_than.map(|last| {
        let address = format!("{PATH}?before={last}");
        view! { <a class="button secondary small" href=address rel="next">"Older licenses"</a> }
    });
    let ways = (newest.is_some() || older.is_some())
        .then(|| view! { <nav aria-label="Pages"><div class="button-row">{newest}{older}</div></nav> });
    let many = (shown.all > 1).then(|| {
        let count = format!("{} licenses, the newest first", shown.all);
        view! { <div class="pagination"><p>{count}</p>{ways}</div> }
    });
    view! { <ul class="rows">{rows}</ul>{many}{offer} }.into_any()
}

fn nothing_older() -> AnyView {
    let way = || view! { <a class="button secondary" href=PATH>"Newest licenses"</a> };
    view! { <Empty title="No older licenses" text="All of your licenses stand on the pages before this one." actions=way/> }
        .into_any()
}

fn empty(can_try: bool) -> AnyView {
    let text = if can_try {
        "Licenses you buy or are given stand here. A trial of Pro takes no card and ends by itself."
    } else {
        "Licenses you buy or are given stand here. The free tier needs none."
    };
    let ways = move || {
        view! {
            <a class="button primary" href="/pricing">"Buy a license"</a>
            {can_try.then(|| trial_form("button secondary"))}
        }
    };
    view! { <Empty title="No license yet" text=text actions=ways/> }.into_any()
}

fn trial_form(class: &'static str) -> AnyView {
    view! {
        <form method="post" action="/account/licenses/trial">
            <button class=class type="submit">"Try Pro for 14 days"</button>
        </form>
    }
    .into_any()
}

fn row(license: &License, now: OffsetDateTime) -> AnyView {
    let machines = machines_in_words(license.machines);
    let about = format!("Machines: {machines} · {}", end_in_words(license, now));
    let heard =
        format!(" {}, ending in {}", what(license), license.key.rsplit('-').next().unwrap_or_default());
    view! {
        <li class="row">
            <div>
                <h2 class="row-title with-badge">{what(license)}{status_badge(license.status)}</h2>
                <p><code>{license.key.clone()}</code></p>
                <p class="meta">{about}</p>
            </div>
            <a class="button secondary small" href=path(license.id)>
                <span>"Open"<span class="visually-hidden">{heard}</span></span>
            </a>
        </li>
    }
    .into_any()
}
