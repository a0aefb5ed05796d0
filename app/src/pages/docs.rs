//! The docs: one page a topic, with the tree of all of them beside it.
//!
//! What always holds: a topic that has another name now leads on to its page; every page is there as Markdown too.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    content::{Catalogue, DOC_GROUPS, Document},
    context::Context,
};
use leptos::prelude::*;

use super::{
    shell::{Area, Page, Visit},
    text::{contents_list, updated_line},
};
use crate::components::{Breadcrumb, Icon};

/// What the tree and the way on show of a page.
#[derive(Clone)]
struct Entry {
    title: String,
    description: String,
    path: String,
    group: String,
}

impl From<&Document> for Entry {
    fn from(page: &Document) -> Self {
        Self {
            title: page.title.clone(),
            description: page.description.clone(),
            path: page.path(),
            group: page.group.clone(),
        }
    }
}

fn entries(content: &Catalogue) -> Vec<Entry> {
    content.docs().into_iter().map(Entry::from).collect()
}

pub async fn index(State(ctx): State<Context>, visit: Visit) -> Response {
    let entries = entries(&ctx.content);
    Page::new(
        "Docs",
        "How to buy, activate and use Dev Forge, call its API, and run this program yourself.",
        move || index_view(&entries),
    )
    .area(Area::Docs)
    .public("/docs")
    .render(&visit)
}

pub async fn topic(
    State(ctx): State<Context>,
    Path(topic): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let (name, as_markdown) = match topic.strip_suffix(".md") {
        Some(name) => (name, true),
        None => (topic.as_str(), false),
    };
    let page = ctx.content.topic(name).ok_or_else(ApiError::not_found)?;
    if page.slug != name {
        let suffix = if as_markdown { ".md" } else { "" };
        return Ok(Redirect::permanent(&format!("{}{suffix}", page.path())).into_response());
    }
    if as_markdown {
        let text = format!("# {}\n\n{}\n\n{}\n", page.title, page.description, page.markdown);
        let headers = [
            (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
            (header::CACHE_CONTROL, "public, max-age=300"),
        ];
        return Ok((headers, text).into_response());
    }
    let entries = entries(&ctx.content);
    let shown = page.clone();
    let title = format!("{} · Docs", page.title);
    let described = Page::new(title, page.description.clone(), move || topic_view(shown, &entries));
    Ok(described.area(Area::Docs).public(page.path()).render(&visit))
}

/// All pages by their groups; the group that is read is open.
fn tree(entries: &[Entry], here: &str, open: &str) -> AnyView {
    let groups = DOC_GROUPS
        .into_iter()
        .map(|group| {
            let links = entries
                .iter()
                .filter(|entry| entry.group == group)
                .map(|entry| {
                    let current = (entry.path == here).then_some("page");
                    view! { <li><a href=entry.path.clone() aria-current=current>{entry.title.clone()}</a></li> }
                })
                .collect_view();
            view! {
                <details open=group == open>
                    <summary>{group}<Icon name="right" size=14/></summary>
                    <ul>{links}</ul>
                </details>
            }
        })
        .collect_view();
    view! {
        <nav class="side-nav" aria-label="Docs">
            {groups}
            <p class="docs-more"><a href="/docs/api">"API reference"</a></p>
        </nav>
    }
    .into_any()
}

fn topic_view(page: Document, entries: &[Entry]) -> AnyView {
    let path = page.path();
    let place = entries.iter().position(|entry| entry.path == path);
    let before = place.and_then(|at| at.checked_sub(1)).and_then(|at| entries.get(at));
    let after = place.and_then(|at| entries.get(at + 1));
    let trail = vec![("Docs".to_owned(), "/docs".to_owned()), (page.group.clone(), "/docs".to_owned())];
    let contents: Vec<_> = page
        .headings
        .iter()
        .filter(|heading| heading.level == 2)
        .map(|heading| (heading.id.clone(), heading.text.clone()))
        .collect();
    let contents = (contents.len() > 1).then(|| contents_list(contents));
    let way = |entry: Option<&Entry>, word: &'static str, class: &'static str| {
        entry.map(|entry| {
            view! {
                <a class=class href=entry.path.clone()>
                    <span class="meta">{word}</span>
                    <b>{entry.title.clone()}</b>
                </a>
            }
        })
    };
    view! {
        <div class="docs page">
            <article class="docs-main">
                <Breadcrumb trail=trail here=page.title.clone()/>
                <h1 class="page-title">{page.title.clone()}</h1>
                <p class="lead">{page.description.clone()}</p>
                <div class="docs-meta">
                    {page.updated.as_deref().map(updated_line)}
                    <a href=format!("{path}.md")>"View as Markdown"</a>
                </div>
                <div class="prose" inner_html=page.html></div>
                <nav class="docs-way" aria-label="Pages before and after this one">
                    {way(before, "Previous", "before")}
                    {way(after, "Next", "after")}
                </nav>
            </article>
            <div class="docs-tree">{tree(entries, &path, &page.group)}</div>
            {contents}
        </div>
    }
    .into_any()
}

fn index_view(entries: &[Entry]) -> AnyView {
    let groups = DOC_GROUPS
        .into_iter()
        .map(|group| {
            let pages = entries
                .iter()
                .filter(|entry| entry.group == group)
                .map(|entry| {
                    view! {
                        <li>
                            <a href=entry.path.clone()>{entry.title.clone()}</a>
                            <p>{entry.description.clone()}</p>
                        </li>
                    }
                })
                .collect_view();
            view! {
                <section>
                    <h2 class="section-title">{group}</h2>
                    <ul class="docs-list">{pages}</ul>
                </section>
            }
        })
        .collect_view();
    view! {
        <div class="docs page">
            <div class="docs-main">
                <h1 class="page-title">"Docs"</h1>
                <p class="lead">
                    "How to buy, activate and use Dev Forge, call its API, and run this program yourself."
                </p>
                {groups}
            </div>
            <div class="docs-tree">{tree(entries, "/docs", "")}</div>
        </div>
    }
    .into_any()
}
