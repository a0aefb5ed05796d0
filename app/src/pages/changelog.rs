//! What changed on this platform: one page with everything, and one for each entry, which a link can name.
//!
//! What always holds: an entry has no headings of its own, because on the page of all entries they would be under each
//! other's; so its anchor is its own name, and no two parts of the page have the same.

use axum::{extract::State, response::Response};
use devforge::{
    api::{error::ApiError, extract::Path},
    content::Document,
    context::Context,
};
use leptos::prelude::*;

use super::{
    blog::{Neighbour, facts, neighbours, way},
    shell::{Page, Visit},
    text::long_date,
};
use crate::components::{Breadcrumb, Empty};

const DESCRIPTION: &str =
    "What changed on this platform, the newest first: the site, accounts, buying, licenses and the API.";

struct Entry {
    slug: String,
    title: String,
    path: String,
    date: String,
    html: String,
}

impl From<&Document> for Entry {
    fn from(release: &Document) -> Self {
        Self {
            slug: release.slug.clone(),
            title: release.title.clone(),
            path: release.path(),
            date: release.date.clone().unwrap_or_default(),
            html: release.html().to_owned(),
        }
    }
}

pub async fn index(State(ctx): State<Context>, visit: Visit) -> Response {
    let content = ctx.content.now();
    let entries: Vec<Entry> = content.releases().into_iter().map(Entry::from).collect();
    Page::new("Changelog", DESCRIPTION, move || list_view(entries))
        .public("/changelog")
        .breadcrumbs(&[("Dev Forge", "/"), ("Changelog", "/changelog")])
        .render(&visit)
}

pub async fn release(
    State(ctx): State<Context>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let content = ctx.content.now();
    let release = content.find("changelog", &slug).ok_or_else(ApiError::not_found)?;
    let path = release.path();
    let beside = neighbours(&content.releases(), &path);
    let shown = (Entry::from(release), release.description.clone());
    let crumbs = [("Dev Forge", "/"), ("Changelog", "/changelog"), (release.title.as_str(), path.as_str())];
    let title = format!("{} · Changelog", release.title);
    let page = Page::new(title, release.description.clone(), move || {
        let (entry, description) = shown;
        release_view(entry, description, beside)
    });
    Ok(page
        .public(path.clone())
        .kind("article")
        .dates(release.date.as_deref(), release.updated.as_deref())
        .structured(facts(release, "Article"))
        .breadcrumbs(&crumbs)
        .render(&visit))
}

/// The entries of each year, which are beside each other already.
fn by_year(entries: Vec<Entry>) -> Vec<(String, Vec<Entry>)> {
    let mut years: Vec<(String, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let year: String = entry.date.chars().take(4).collect();
        match years.last_mut() {
            Some((last, of_year)) if *last == year => of_year.push(entry),
            _ => years.push((year, vec![entry])),
        }
    }
    years
}

fn list_view(entries: Vec<Entry>) -> AnyView {
    let empty = entries.is_empty().then(|| {
        view! { <Empty title="Nothing changed yet" text="The first change will stand here, and in the feed."/> }
    });
    let years = by_year(entries)
        .into_iter()
        .map(|(year, entries)| {
            let entries = entries.into_iter().map(entry_view).collect_view();
            view! { <section><h2 class="section-title">{year}</h2>{entries}</section> }
        })
        .collect_view();
    view! {
        <div class="posts changes page">
            <h1 class="page-title">"Changelog"</h1>
            <p class="lead">{DESCRIPTION}</p>
            <div class="posts-meta">
                <a class="plain-link" href="/changelog/feed.xml">"Atom feed"</a>
                <a class="plain-link" href="/changelog/feed.json">"JSON feed"</a>
            </div>
            {empty}
            {years}
        </div>
    }
    .into_any()
}

fn entry_view(entry: Entry) -> impl IntoView {
    view! {
        <article id=entry.slug>
            <p class="meta"><time datetime=entry.date.clone()>{long_date(&entry.date)}</time></p>
            <h3 class="panel-title"><a href=entry.path>{entry.title}</a></h3>
            <div class="prose" inner_html=entry.html></div>
        </article>
    }
}

fn release_view(entry: Entry, description: String, beside: (Neighbour, Neighbour)) -> AnyView {
    let (older, newer) = beside;
    let trail = vec![("Home".to_owned(), "/".to_owned()), ("Changelog".to_owned(), "/changelog".to_owned())];
    view! {
        <div class="text-page post page">
            <article class="text-main">
                <header class="text-head">
                    <Breadcrumb trail=trail here=entry.title.clone()/>
                    <h1 class="page-title">{entry.title}</h1>
                    <p class="lead">{description}</p>
                    <p class="meta"><time datetime=entry.date.clone()>{long_date(&entry.date)}</time></p>
                </header>
                <div class="prose" inner_html=entry.html></div>
                {way(older, newer)}
            </article>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_stand_apart_and_keep_their_order() {
        let entry = |date: &str| Entry {
            slug: date.to_owned(),
            title: String::new(),
            path: String::new(),
            date: date.to_owned(),
            html: String::new(),
        };
        let years = by_year(["2027-01-02", "2026-12-31", "2026-11-21"].map(entry).into());
        let seen: Vec<(&str, usize)> =
            years.iter().map(|(year, of_year)| (year.as_str(), of_year.len())).collect();
        assert_eq!(seen, [("2027", 1), ("2026", 2)]);
        assert_eq!(years[1].1[0].date, "2026-12-31");
        assert!(by_year(Vec::new()).is_empty());
    }
}
