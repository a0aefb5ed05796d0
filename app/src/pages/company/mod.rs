//! The pages about Dev Forge itself: how it compares, how to reach us, what to write about it, where it is going.

mod compare;
mod form;
mod form_view;
mod press;

use axum::{extract::State, response::Response};
use devforge::{api::error::ApiError, context::Context};
use leptos::prelude::*;

pub use self::form::{contact, contact_page};
use self::{
    compare::compare,
    press::{Facts, press},
};
use super::{
    shell::{Page, Visit},
    text::{TextPage, text_page},
};
use crate::components::Breadcrumb;

pub async fn compare_page(visit: Visit) -> Response {
    Page::new(
        "Dev Forge beside other editors",
        "Dev Forge beside VS Code, Zed, the JetBrains IDEs and Cursor: what differs, and where each of them is the better choice.",
        compare,
    )
    .public("/compare")
    .breadcrumbs(&[("Home", "/"), ("Compare", "/compare")])
    .render(&visit)
}

pub async fn press_page(State(ctx): State<Context>, visit: Visit) -> Response {
    let operator = &ctx.config.operator;
    let facts = Facts { operator: operator.name.clone(), country: operator.country.clone() };
    Page::new(
        "Press",
        "Dev Forge in one sentence, in one paragraph and on one page, with its name, its mark and its colours.",
        move || press(facts),
    )
    .public("/press")
    .breadcrumbs(&[("Home", "/"), ("Press", "/press")])
    .render(&visit)
}

pub async fn roadmap_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let content = ctx.content.now();
    let shown = content.find("site", "roadmap").ok_or_else(ApiError::not_found)?.clone();
    let page = Page::new(shown.title.clone(), shown.description.clone(), move || {
        text_page(TextPage {
            title: &shown.title,
            description: &shown.description,
            updated: None,
            html: shown.html().to_owned(),
            contents: shown
                .headings
                .iter()
                .filter(|heading| heading.level == 2)
                .map(|heading| (heading.id.clone(), heading.text.clone()))
                .collect(),
        })
    });
    Ok(page.public("/roadmap").breadcrumbs(&[("Home", "/"), ("Roadmap", "/roadmap")]).render(&visit))
}

/// The way here, the title, and what the page is about.
fn head(here: &'static str, title: &'static str, lead: &'static str) -> AnyView {
    view! {
        <header>
            <Breadcrumb trail=vec![("Home".to_owned(), "/".to_owned())] here=here/>
            <h1 class="page-title">{title}</h1>
            <p class="lead">{lead}</p>
        </header>
    }
    .into_any()
}
