//! The head of every public page: what search engines and link previews are told is there, whole and true.

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{TestSite, send};

const LONGEST_DESCRIPTION: usize = 160;

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

fn one<'a>(path: &str, text: &'a str, start: &'a str, end: &'a str) -> &'a str {
    let found = between(text, start, end);
    assert_eq!(found.len(), 1, "{path} has one {start}: {found:?}");
    found[0]
}

/// A text as it stood before it became part of HTML.
fn plain(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Every address in a data block.
fn addresses(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("http") || text.starts_with('/') => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| addresses(item, found)),
        Value::Object(entries) => entries.values().for_each(|item| addresses(item, found)),
        _ => {}
    }
}

async fn public_paths(site: &TestSite) -> Vec<String> {
    let sitemap = send(site.get("/sitemap.xml")).await;
    let urls = between(sitemap.text(), "<loc>", "</loc>");
    urls.into_iter().filter_map(|url| url.strip_prefix(&site.url)).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_public_page_says_where_it_is_and_has_a_picture_that_is_there() {
    let site = TestSite::start().await;
    for path in public_paths(&site).await {
        let page = send(site.visit(&path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let html = page.text();
        let whole = format!("{}{path}", site.url);
        assert_eq!(one(&path, html, "<link rel=\"canonical\" href=\"", "\""), whole);
        let description = plain(one(&path, html, "<meta name=\"description\" content=\"", "\""));
        let length = description.chars().count();
        assert!((20..=LONGEST_DESCRIPTION).contains(&length), "{path}: {length} characters: {description}");
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        let kind = one(&path, html, "<meta property=\"og:type\" content=\"", "\"");
        let is_written = ["/blog/", "/changelog/"].iter().any(|place| path.starts_with(place));
        let is_article = is_written && !path.starts_with("/blog/tags/");
        assert!(!is_article || kind == "article", "{path}: {kind}");
        let picture = one(&path, html, "<meta property=\"og:image\" content=\"", "\"");
        let picture = picture.strip_prefix(&site.url).unwrap_or_else(|| panic!("{path}: {picture} is ours"));
        // With the star a picture that is there is not drawn and not sent.
        let there = send(site.get(picture).header("if-none-match", "*")).await;
        let drawn = picture.starts_with("/og/");
        let expected = if drawn { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        assert!(there.status == expected || there.status == StatusCode::NOT_MODIFIED, "{path}: {picture}");
        for feed in between(html, "<link rel=\"alternate\" type=\"application/atom+xml\"", ">") {
            assert!(
                feed.contains("href=\"/feed.xml\"") || feed.contains("href=\"/changelog/feed.xml\""),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn data_blocks_are_json_with_whole_addresses() {
    let site = TestSite::start().await;
    let mut blocks_seen = 0;
    for path in public_paths(&site).await {
        let page = send(site.visit(&path)).await;
        for block in between(page.text(), "<script type=\"application/ld+json\">", "</script>") {
            let facts: Value =
                serde_json::from_str(block).unwrap_or_else(|error| panic!("{path}: {error}: {block}"));
            assert_eq!(facts["@context"], "https://schema.org", "{path}");
            let mut found = Vec::new();
            addresses(&facts, &mut found);
            for address in found {
                let known = address == "https://schema.org" || address.starts_with(&site.url);
                assert!(known, "{path} names {address}");
            }
            blocks_seen += 1;
        }
    }
    assert!(blocks_seen >= 10, "{blocks_seen}");
    let home = send(site.visit("/")).await;
    for kind in ["Organization", "WebSite", "SearchAction", "SoftwareApplication"] {
        assert!(home.text().contains(&format!("\"@type\":\"{kind}\"")), "{kind}");
    }
    assert!(!home.text().contains("aggregateRating"), "nobody has rated anything");
}

#[tokio::test]
async fn pages_that_are_not_public_say_nothing_to_programs() {
    let site = TestSite::start().await;
    for path in ["/sign-in", "/nothing-here"] {
        let page = send(site.visit(path)).await;
        for word in ["rel=\"canonical\"", "og:image", "ld+json"] {
            assert!(!page.text().contains(word), "{path} has {word}");
        }
    }
}

#[tokio::test]
async fn the_second_sheet_is_loaded_for_staff_and_developers_alone() {
    let site = TestSite::start().await;
    if app::assets::find("staff.css").is_none() {
        return;
    }
    let sheet = app::assets::url("staff.css");
    assert!(send(site.visit("/dev/gallery")).await.text().contains(&sheet));
    for path in ["/", "/docs", "/sign-in"] {
        assert!(!send(site.visit(path)).await.text().contains(&sheet), "{path}");
    }
}
