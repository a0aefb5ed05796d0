//! The blog: all posts, those about one thing, and each by itself.
//!
//! What always holds: the newest comes first; only tags that a post has are pages; a post names who wrote it and when.

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use devforge::{
    api::{error::ApiError, extract::Path},
    content::{Catalogue, Document},
    context::Context,
};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::{
    og,
    shell::{Area, Page, Visit},
    text::{contents_list, long_date},
};
use crate::components::{Breadcrumb, Empty, Icon};

const DESCRIPTION: &str =
    "How Dev Forge is made: what we decided, why, and what it means for people who write code with it.";
/// Words that are read in a minute.
const WORDS_A_MINUTE: usize = 220;
const WRITER: &str = "Dev Forge";

/// What a list shows of a post.
struct Entry {
    title: String,
    description: String,
    path: String,
    date: String,
    author: String,
    minutes: usize,
    tags: Vec<String>,
}

impl From<&Document> for Entry {
    fn from(post: &Document) -> Self {
        Self {
            title: post.title.clone(),
            description: post.description.clone(),
            path: post.path(),
            date: post.date.clone().unwrap_or_default(),
            author: post.author.clone().unwrap_or_else(|| WRITER.to_owned()),
            minutes: minutes(post),
            tags: post.tags.clone(),
        }
    }
}

fn minutes(post: &Document) -> usize {
    let words: usize = post.sections.iter().map(|section| section.text.split_whitespace().count()).sum();
    words.div_ceil(WORDS_A_MINUTE).max(1)
}

/// Every tag that a post has, in the order of the alphabet.
pub(super) fn tags(content: &Catalogue) -> Vec<String> {
    let tags: BTreeSet<&String> = content.posts().into_iter().flat_map(|post| &post.tags).collect();
    tags.into_iter().cloned().collect()
}

pub async fn index(State(ctx): State<Context>, visit: Visit) -> Response {
    let content = ctx.content.now();
    let posts = content.posts().into_iter().map(Entry::from).collect();
    let tags = tags(&content);
    let crumbs = [("Dev Forge", "/"), ("Blog", "/blog")];
    Page::new("Blog", DESCRIPTION, move || list_view("Blog", DESCRIPTION.to_owned(), posts, &tags, None))
        .area(Area::Blog)
        .public("/blog")
        .breadcrumbs(&crumbs)
        .render(&visit)
}

pub async fn tagged(
    State(ctx): State<Context>,
    Path(tag): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let content = ctx.content.now();
    let has = |post: &&Document| post.tags.contains(&tag);
    let posts: Vec<Entry> = content.posts().into_iter().filter(has).map(Entry::from).collect();
    if posts.is_empty() {
        return Err(ApiError::not_found());
    }
    let tags = tags(&content);
    let title = format!("Posts about {tag}");
    let description = format!("Posts of the Dev Forge blog about {tag}, the newest first.");
    let path = format!("/blog/tags/{tag}");
    let crumbs = [("Dev Forge", "/"), ("Blog", "/blog"), (title.as_str(), path.as_str())];
    let page = Page::new(title.clone(), description.clone(), {
        let title = title.clone();
        move || list_view(&title, description, posts, &tags, Some(&tag))
    });
    Ok(page.area(Area::Blog).public(path.clone()).breadcrumbs(&crumbs).render(&visit))
}

pub async fn post(
    State(ctx): State<Context>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let content = ctx.content.now();
    let post = content.find("blog", &slug).ok_or_else(ApiError::not_found)?;
    let path = post.path();
    let neighbours = neighbours(&content.posts(), &path);
    let further = further(post, &content);
    let shown = post.clone();
    let crumbs = [("Dev Forge", "/"), ("Blog", "/blog"), (post.title.as_str(), path.as_str())];
    let page = Page::new(post.title.clone(), post.description.clone(), move || {
        post_view(&shown, further, neighbours)
    });
    Ok(page
        .area(Area::Blog)
        .public(path.clone())
        .kind("article")
        .dates(post.date.as_deref(), post.updated.as_deref())
        .structured(facts(post, "BlogPosting"))
        .breadcrumbs(&crumbs)
        .render(&visit))
}

/// What a post or a release is, for programs.
pub(super) fn facts(page: &Document, kind: &str) -> Value {
    json!({
        "@context": "https://schema.org",
        "@type": kind,
        "headline": page.title,
        "description": page.description,
        "url": page.path(),
        "mainEntityOfPage": page.path(),
        "image": og::for_path(&page.path()),
        "datePublished": page.date,
        "dateModified": page.updated.as_ref().or(page.date.as_ref()),
        "keywords": page.tags,
        "inLanguage": "en",
        "author": { "@type": "Organization", "name": page.author.as_deref().unwrap_or(WRITER), "url": "/about" },
        "publisher": { "@type": "Organization", "@id": "/#organization", "name": WRITER },
    })
}

/// A page beside the one that is read: its title and address.
pub(super) type Neighbour = Option<(String, String)>;

/// The pages before and after one in a list that begins with the newest: (older, newer).
pub(super) fn neighbours(pages: &[&Document], path: &str) -> (Neighbour, Neighbour) {
    let entry = |at: usize| pages.get(at).map(|page| (page.title.clone(), page.path()));
    match pages.iter().position(|page| page.path() == path) {
        Some(at) => (entry(at + 1), at.checked_sub(1).and_then(entry)),
        None => (None, None),
    }
}

pub(super) fn way(older: Neighbour, newer: Neighbour) -> AnyView {
    let link = |neighbour: Neighbour, word: &'static str, class: &'static str| {
        neighbour.map(|(title, path)| {
            view! {
                <a class=class href=path>
                    <span class="meta">{word}</span>
                    <b>{title}</b>
                </a>
            }
        })
    };
    view! {
        <nav class="post-way" aria-label="Older and newer">
            {link(older, "Older", "before")}
            {link(newer, "Newer", "after")}
        </nav>
    }
    .into_any()
}

/// The pages of the docs that a post leads to, in its order.
fn further(post: &Document, content: &Catalogue) -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = Vec::new();
    for topic in post.links.iter().filter_map(|link| link.strip_prefix("/docs/")) {
        let topic = topic.split('#').next().unwrap_or_default();
        if let Some(page) = content.topic(topic)
            && !pages.iter().any(|(_, path)| *path == page.path())
        {
            pages.push((page.title.clone(), page.path()));
        }
    }
    pages
}

fn tag_links(tags: &[String], current: Option<&str>) -> impl IntoView + use<> {
    tags.iter()
        .map(|tag| {
            let here = (current == Some(tag.as_str())).then_some("page");
            view! { <li><a href=format!("/blog/tags/{tag}") aria-current=here>{tag.clone()}</a></li> }
        })
        .collect_view()
}

fn byline(entry: &Entry) -> impl IntoView + use<> {
    let minutes = format!("{} min", entry.minutes);
    view! {
        <p class="meta">
            <time datetime=entry.date.clone()>{long_date(&entry.date)}</time>
            " · "
            {entry.author.clone()}
            " · "
            {minutes}
        </p>
    }
}

fn list_view(
    title: &str,
    description: String,
    posts: Vec<Entry>,
    tags: &[String],
    current: Option<&str>,
) -> AnyView {
    let title = title.to_owned();
    let empty = posts.is_empty().then(|| {
        view! { <Empty title="Nothing written yet" text="The first post will stand here, and in the feed."/> }
    });
    let trail = current.map(|_| {
        let trail = vec![("Blog".to_owned(), "/blog".to_owned())];
        view! { <Breadcrumb trail=trail here=title.clone()/> }
    });
    let entries = posts
        .into_iter()
        .map(|entry| {
            let line = byline(&entry);
            view! {
                <article>
                    {line}
                    <h2 class="panel-title"><a href=entry.path>{entry.title}</a></h2>
                    <p>{entry.description}</p>
                    <ul class="post-tags" aria-label="Tags">{tag_links(&entry.tags, None)}</ul>
                </article>
            }
        })
        .collect_view();
    let about = (!tags.is_empty()).then(|| {
        view! {
            <nav aria-label="Tags"><ul class="post-tags">{tag_links(tags, current)}</ul></nav>
        }
    });
    view! {
        <div class="posts page">
            {trail}
            <h1 class="page-title">{title}</h1>
            <p class="lead">{description}</p>
            <div class="posts-meta">
                {about}
                <a class="plain-link" href="/feed.xml">"Atom feed"</a>
                <a class="plain-link" href="/feed.json">"JSON feed"</a>
            </div>
            {empty}
            {entries}
        </div>
    }
    .into_any()
}

fn post_view(post: &Document, further: Vec<(String, String)>, beside: (Neighbour, Neighbour)) -> AnyView {
    let entry = Entry::from(post);
    let line = byline(&entry);
    let contents: Vec<_> = post
        .headings
        .iter()
        .filter(|heading| heading.level == 2)
        .map(|heading| (heading.id.clone(), heading.text.clone()))
        .collect();
    let contents = (contents.len() > 1).then(|| contents_list(contents));
    let further = (!further.is_empty()).then(|| {
        let items = further
            .into_iter()
            .map(|(title, path)| {
                view! { <li><a class="plain-link" href=path>{title}<Icon name="arrow" size=16/></a></li> }
            })
            .collect_view();
        view! {
            <nav class="text-others" aria-labelledby="further">
                <h2 class="sub-title" id="further">"In the docs"</h2>
                <ul>{items}</ul>
            </nav>
        }
    });
    let (older, newer) = beside;
    let trail = vec![("Home".to_owned(), "/".to_owned()), ("Blog".to_owned(), "/blog".to_owned())];
    view! {
        <div class="text-page post page">
            <article class="text-main">
                <header class="text-head">
                    <Breadcrumb trail=trail here=entry.title.clone()/>
                    <h1 class="page-title">{entry.title}</h1>
                    <p class="lead">{entry.description}</p>
                    {line}
                    <ul class="post-tags" aria-label="Tags">{tag_links(&entry.tags, None)}</ul>
                </header>
                <div class="prose" inner_html=post.html().to_owned()></div>
                {further}
                {way(older, newer)}
            </article>
            {contents}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use devforge::content::Section;

    use super::*;

    fn page(slug: &str, words: usize) -> Document {
        let mut page = Document::default();
        page.section.push_str("blog");
        page.slug.push_str(slug);
        page.title.push_str(slug);
        page.sections.push(Section { text: "word ".repeat(words), ..Section::default() });
        page
    }

    #[test]
    fn the_way_leads_from_the_newest_to_the_oldest() {
        let (new, middle, old) = (page("new", 1), page("middle", 1), page("old", 1));
        let all = [&new, &middle, &old];
        let address = |neighbour: Neighbour| neighbour.map(|(_, path)| path);
        let (older, newer) = neighbours(&all, "/blog/middle");
        assert_eq!(
            (address(older).as_deref(), address(newer).as_deref()),
            (Some("/blog/old"), Some("/blog/new"))
        );
        assert_eq!(neighbours(&all, "/blog/new").1, None);
        assert_eq!(neighbours(&all, "/blog/old").0, None);
        assert_eq!(neighbours(&all, "/blog/none"), (None, None));
    }

    #[test]
    fn reading_takes_a_minute_at_least() {
        assert_eq!(minutes(&page("short", 3)), 1);
        assert_eq!(minutes(&page("long", 900)), 5);
    }
}
