//! What can be found: pages and their sections, calls of the API, and what is kept in PostgreSQL.
//!
//! What always holds: this is the one place that says so. What the program brings itself is in [`of_program`]; what
//! changes while it runs is a line of [`SOURCES`] and an event in the outbox whose key is the thing's id.

use futures::future::BoxFuture;
use serde_json::Value;
use time::{Date, macros::format_description};

use super::{
    Error,
    feed::{Feed, feed},
    live::Change,
    schema::FORMAT,
};
use crate::{
    content::{Catalogue, Document, PROGRAMMED, Programmed, Section},
    context::Context,
    contract::search::SearchKind,
    crypto,
    outbox::Event,
    support::{self, knowledge},
};

/// One thing that can be found: a page, a section of one, a call, an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDocument {
    /// `docs/activate`, `kb/art_…`: all documents of a thing are replaced together.
    pub thing: String,
    pub url: String,
    pub kind: SearchKind,
    /// The heading of the section, or the title of the page.
    pub title: String,
    /// Where it stands, from the outside in: `["Licenses", "Activate a license"]`.
    pub trail: Vec<String>,
    pub body: String,
    pub code: String,
    pub keywords: String,
    /// Of what is news: newer counts a little more.
    pub date: Option<Date>,
    /// The page itself rather than a section of it.
    pub is_page: bool,
}

type Documents<'a> = BoxFuture<'a, Result<Vec<SearchDocument>, Error>>;
type Fed<'a> = BoxFuture<'a, Result<(), Error>>;

/// A kind of thing that changes while the site runs.
struct Source {
    /// Published in the transaction of each change, with the thing's id as its key.
    topic: &'static str,
    /// What stands before the id in [`SearchDocument::thing`].
    thing: &'static str,
    /// There may be many: they are given batch by batch.
    all: for<'a> fn(&'a Context, &'a Feed) -> Fed<'a>,
    /// Of one thing, by the key of an event; none when it is not, or no longer, for everybody to see.
    of: for<'a> fn(&'a Context, &'a str) -> Documents<'a>,
}

const SOURCES: &[Source] = &[Source { topic: knowledge::CHANGED, thing: "kb", all: articles, of: article }];

/// Everything that can be found, in a fixed order.
pub async fn documents(ctx: &Context, api: &Value) -> Result<Vec<SearchDocument>, Error> {
    let (feed, mut batches) = feed();
    let gathering = async {
        let mut documents = Vec::new();
        while let Some(batch) = batches.next_batch().await {
            documents.extend(batch?);
        }
        Ok::<_, Error>(documents)
    };
    let of_program = of_program(&ctx.content.now(), api);
    let ((), documents) = tokio::join!(give(ctx, of_program, feed), gathering);
    documents
}

/// Gives what the program brings, then what changes while the site runs, as it is now.
pub(super) async fn give(ctx: &Context, of_program: Vec<SearchDocument>, feed: Feed) {
    let outcome = give_all(ctx, of_program, &feed).await;
    feed.end(outcome).await;
}

async fn give_all(ctx: &Context, of_program: Vec<SearchDocument>, feed: &Feed) -> Result<(), Error> {
    feed.give(of_program).await?;
    for source in SOURCES {
        (source.all)(ctx, feed).await?;
    }
    Ok(())
}

/// What these events change, with each thing as it is now, once.
pub(super) async fn changes(ctx: &Context, events: &[Event]) -> Result<Vec<Change>, Error> {
    let mut changes: Vec<Change> = Vec::new();
    for event in events {
        let Some(source) = SOURCES.iter().find(|source| source.topic == event.topic) else { continue };
        let thing = format!("{}/{}", source.thing, event.key);
        if !changes.iter().any(|change| change.thing == thing) {
            let documents = (source.of)(ctx, &event.key).await?;
            changes.push(Change { thing, documents });
        }
    }
    Ok(changes)
}

fn articles<'a>(ctx: &'a Context, feed: &'a Feed) -> Fed<'a> {
    Box::pin(async move {
        let mut after = None;
        loop {
            let read = knowledge::search_documents_after(&ctx.db, after).await.map_err(unreadable)?;
            let Some((documents, last)) = read else { return Ok(()) };
            feed.give(documents).await?;
            after = Some(last);
        }
    })
}

fn article<'a>(ctx: &'a Context, key: &'a str) -> Documents<'a> {
    Box::pin(async move {
        match key.parse() {
            Ok(id) => knowledge::search_documents_of(ctx, id).await.map_err(unreadable),
            Err(_) => Ok(Vec::new()),
        }
    })
}

fn unreadable(error: support::Error) -> Error {
    match error {
        support::Error::Database(error) => Error::Database(error),
        support::Error::Search(error) => error,
        other => Error::Source(other.to_string()),
    }
}

/// What the program brings itself: the written pages by section, the programmed ones, and the calls of the API.
pub(super) fn of_program(catalogue: &Catalogue, api: &Value) -> Vec<SearchDocument> {
    let mut documents = Vec::new();
    for page in catalogue.all() {
        let base = base_of(page);
        documents.push(whole_page(page, &base));
        documents.extend(page.sections.iter().filter_map(|section| section_of(page, &base, section)));
    }
    documents.extend(PROGRAMMED.iter().map(programmed));
    documents.extend(operations(api));
    documents
}

fn programmed(page: &Programmed) -> SearchDocument {
    SearchDocument {
        thing: format!("site{}", page.path),
        url: page.path.to_owned(),
        kind: SearchKind::Page,
        title: page.title.to_owned(),
        trail: Vec::new(),
        body: page.description.to_owned(),
        code: String::new(),
        keywords: page.keywords.to_owned(),
        date: None,
        is_page: true,
    }
}

/// What all documents of a page have in common.
fn base_of(page: &Document) -> SearchDocument {
    let date = page.date.as_deref().unwrap_or_default();
    SearchDocument {
        thing: format!("{}/{}", page.section, page.slug),
        url: page.path(),
        kind: match page.section.as_str() {
            "docs" => SearchKind::Docs,
            "blog" => SearchKind::Blog,
            "changelog" => SearchKind::Changelog,
            "legal" => SearchKind::Legal,
            _ => SearchKind::Page,
        },
        title: page.title.clone(),
        trail: Some(page.group.clone()).filter(|group| !group.is_empty()).into_iter().collect(),
        body: String::new(),
        code: String::new(),
        keywords: String::new(),
        date: Date::parse(date, format_description!("[year]-[month]-[day]")).ok(),
        is_page: false,
    }
}

/// The page by its title and description, and what stands before its first heading.
fn whole_page(page: &Document, base: &SearchDocument) -> SearchDocument {
    let intro = page.sections.iter().find(|section| section.heading.is_none());
    let text = intro.map_or("", |section| section.text.trim());
    let words: Vec<&str> = page.tags.iter().chain(&page.aliases).map(String::as_str).collect();
    SearchDocument {
        body: format!("{} {text}", page.description).trim().to_owned(),
        code: intro.map_or("", |section| section.code.trim()).to_owned(),
        keywords: words.join(" "),
        is_page: true,
        ..base.clone()
    }
}

fn section_of(page: &Document, base: &SearchDocument, section: &Section) -> Option<SearchDocument> {
    let heading = section.heading.as_ref()?;
    let mut trail = base.trail.clone();
    trail.push(page.title.clone());
    Some(SearchDocument {
        url: format!("{}#{}", base.url, heading.id),
        title: heading.text.clone(),
        trail,
        body: section.text.trim().to_owned(),
        code: section.code.trim().to_owned(),
        ..base.clone()
    })
}

fn operations(api: &Value) -> Vec<SearchDocument> {
    let mut documents = Vec::new();
    for (path, methods) in api["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            documents.extend(operation_of(path, method, operation));
        }
    }
    documents
}

fn operation_of(path: &str, method: &str, operation: &Value) -> Option<SearchDocument> {
    let id = operation["operationId"].as_str()?;
    let summary = operation["summary"].as_str().unwrap_or_default();
    let description = operation["description"].as_str().unwrap_or_default();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let names = parameters.filter_map(|parameter| parameter["name"].as_str());
    Some(SearchDocument {
        thing: format!("api/{id}"),
        url: format!("/docs/api#{id}"),
        kind: SearchKind::Api,
        title: format!("{} {path}", method.to_uppercase()),
        trail: operation["tags"][0].as_str().map(str::to_owned).into_iter().collect(),
        body: format!("{summary} {description}").trim().to_owned(),
        code: std::iter::once(id).chain(names).collect::<Vec<_>>().join(" "),
        keywords: summary.to_owned(),
        date: None,
        // The page is the reference.
        is_page: false,
    })
}

/// The name of an index of these documents, as this program reads and writes it.
pub(super) fn fingerprint(documents: &[SearchDocument]) -> String {
    let mut bytes = Vec::new();
    let mut add = |part: &str| {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    };
    add(FORMAT);
    for document in documents {
        let SearchDocument { thing, url, kind, title, trail, body, code, keywords, date, is_page } = document;
        for part in [thing, url, title, &trail.join("\n"), body, code, keywords] {
            add(part);
        }
        add(kind.as_str());
        add(&date.map(|date| date.to_julian_day().to_string()).unwrap_or_default());
        add(if *is_page { "page" } else { "section" });
    }
    format!("index-{}", &crypto::to_hex(&crypto::sha256(&bytes))[..16])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_found_by_its_words_and_by_its_names() {
        let api = json!({ "paths": { "/api/search": { "get": {
            "operationId": "search", "summary": "Search the site.", "tags": ["Search"],
            "parameters": [{ "name": "q" }, { "name": "limit" }],
        }, "parameters": [] } } });
        let found = operations(&api);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].thing.as_str(), found[0].url.as_str()), ("api/search", "/docs/api#search"));
        assert_eq!((found[0].title.as_str(), found[0].code.as_str()), ("GET /api/search", "search q limit"));
        assert_eq!(found[0].trail, ["Search"]);
        assert!(operations(&json!({})).is_empty());
    }

    #[test]
    fn every_part_of_a_document_counts_for_the_name_of_its_index() {
        let api = json!({ "paths": { "/x": { "get": { "operationId": "x", "tags": ["A"] } } } });
        let documents = operations(&api);
        let name = fingerprint(&documents);
        assert_eq!(name, fingerprint(&documents));
        let mut moved = documents.clone();
        moved[0].trail = vec!["B".to_owned()];
        let mut newer = documents.clone();
        newer[0].date = Date::from_julian_day(2_461_000).ok();
        let mut page = documents.clone();
        page[0].is_page = true;
        for other in [moved, newer, page, Vec::new()] {
            assert_ne!(fingerprint(&other), name);
        }
    }
}
