//! The docs: one page a topic, with the tree of all of them beside it.
//!
//! What always holds: a topic that has another name now leads on to its page; every page is there as Markdown too; a
//! topic nobody wrote about answers that it is not there, with what comes closest.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{extract::Path, openapi},
    content::{Catalogue, Document},
    context::Context,
    contract::search::SearchHit,
    search::{Ask, MAX_QUERY_CHARS},
};
use serde_json::{Value, json};

use super::{
    api_reference, og,
    shell::{Area, Page, Visit},
};

mod view;

use view::Entry;

const DESCRIPTION: &str = "How to use Dev Forge, buy and activate it, write extensions, call its API, and run this program yourself.";

/// How many pages are offered in place of one that is not there.
const CLOSEST: usize = 6;

fn entries(content: &Catalogue) -> Vec<Entry> {
    content.docs().into_iter().map(Entry::from).collect()
}

pub async fn index(State(ctx): State<Context>, visit: Visit) -> Response {
    let entries = entries(&ctx.content.now());
    Page::new("Docs", DESCRIPTION, move || view::index(&entries, DESCRIPTION))
        .area(Area::Docs)
        .public("/docs")
        .breadcrumbs(&[("Dev Forge", "/"), ("Docs", "/docs")])
        .render(&visit)
}

pub async fn topic(State(ctx): State<Context>, Path(topic): Path<String>, visit: Visit) -> Response {
    // The reference of the API is no written page, and is there as Markdown all the same.
    if topic == "api.md" {
        return as_markdown(api_reference::markdown(openapi::document()));
    }
    let (name, wants_markdown) = match topic.strip_suffix(".md") {
        Some(name) => (name, true),
        None => (topic.as_str(), false),
    };
    let content = ctx.content.now();
    let Some(page) = content.topic(name) else {
        return missing(&ctx, &content, name, &visit);
    };
    if page.slug != name {
        let suffix = if wants_markdown { ".md" } else { "" };
        return Redirect::permanent(&format!("{}{suffix}", page.path())).into_response();
    }
    if wants_markdown {
        return as_markdown(markdown(page));
    }
    let path = page.path();
    let shown = view::Shown::of(page, entries(&content));
    let group = view::group_address(&page.group);
    let crumbs = [
        ("Dev Forge", "/"),
        ("Docs", "/docs"),
        (page.group.as_str(), group.as_str()),
        (page.title.as_str(), path.as_str()),
    ];
    Page::new(format!("{} · Docs", page.title), page.description.clone(), move || view::topic(shown))
        .area(Area::Docs)
        .public(path.clone())
        .kind("article")
        .dates(page.date.as_deref(), page.updated.as_deref())
        .alternate_markdown(format!("{path}.md"))
        .structured(facts(page))
        .breadcrumbs(&crumbs)
        .render(&visit)
}

fn markdown(page: &Document) -> String {
    format!("# {}\n\n{}\n\n{}\n", page.title, page.description, page.markdown)
}

fn as_markdown(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, text).into_response()
}

/// What the page is, for programs.
fn facts(page: &Document) -> Value {
    let mut facts = json!({
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": page.title,
        "description": page.description,
        "url": page.path(),
        "mainEntityOfPage": page.path(),
        "image": og::for_path(&page.path()),
        "articleSection": page.group,
        "inLanguage": "en",
        "publisher": { "@type": "Organization", "@id": "/#organization", "name": "Dev Forge" },
    });
    if let Some(day) = &page.updated {
        facts["dateModified"] = json!(day);
    }
    if let Some(audience) = &page.audience {
        facts["audience"] = json!({ "@type": "Audience", "audienceType": audience });
    }
    facts
}

/// The editor opens topics by their names, so one that is not there is answered with what is like it.
fn missing(ctx: &Context, content: &Catalogue, topic: &str, visit: &Visit) -> Response {
    let words: String =
        topic.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).take(MAX_QUERY_CHARS).collect();
    let words = words.split_whitespace().collect::<Vec<&str>>().join(" ");
    let entries = entries(content);
    // The page must come out even when the index cannot be read.
    let found: Vec<SearchHit> = if words.is_empty() {
        Vec::new()
    } else {
        let ask = Ask { text: &words, kind: None, limit: CLOSEST, offset: 0 };
        match ctx.search.find(&ask) {
            Ok(results) => results.items,
            Err(_) => Vec::new(),
        }
    };
    let title =
        if words.is_empty() { "No such page".to_owned() } else { format!("No page about “{words}”") };
    let description = "The docs have no page under this address.";
    Page::new(title.clone(), description, move || view::missing(&title, &words, found, &entries))
        .area(Area::Docs)
        .status(StatusCode::NOT_FOUND)
        .render(visit)
}
