//! What is published: blog, changelog, feeds, link pictures, the sitemap, and the list for programs that read.

use std::collections::HashSet;

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{Answer, TestSite, send};

const FEEDS: [(&str, &str); 4] = [
    ("/feed.xml", "application/atom+xml"),
    ("/feed.json", "application/feed+json"),
    ("/changelog/feed.xml", "application/atom+xml"),
    ("/changelog/feed.json", "application/feed+json"),
];

fn between<'a>(text: &'a str, start: &'a str, end: &'a str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// The widths and heights that a PNG says it has, if it is one.
fn size(picture: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from_be_bytes(picture.get(at..at + 4)?.try_into().ok()?));
    picture.starts_with(b"\x89PNG\r\n\x1a\n").then_some(())?;
    Some((side(16)?, side(20)?))
}

async fn get_knowing(site: &TestSite, path: &str, etag: &str) -> Answer {
    send(site.get(path).header("if-none-match", etag)).await
}

#[tokio::test]
async fn feeds_name_every_entry_and_are_not_sent_twice() {
    let site = TestSite::start().await;
    let content = site.ctx.content.now();
    for (path, kind) in FEEDS {
        let feed = send(site.get(path)).await;
        assert_eq!(feed.status, StatusCode::OK, "{path}");
        assert!(feed.header("content-type").starts_with(kind), "{path}: {}", feed.header("content-type"));
        assert!(feed.header("cache-control").contains("public"), "{path}");
        let posts = if path.starts_with("/changelog") { vec![] } else { content.posts() };
        for page in content.releases().into_iter().chain(posts) {
            assert!(feed.text().contains(&format!("{}{}", site.url, page.path())), "{path}: {}", page.path());
        }
        let again = get_knowing(&site, path, feed.header("etag")).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(get_knowing(&site, path, "\"other\"").await.status, StatusCode::OK, "{path}");
    }
    let feed: Value = serde_json::from_str(send(site.get("/feed.json")).await.text()).expect("it is JSON");
    assert_eq!(feed["feed_url"], format!("{}/feed.json", site.url));
    for item in feed["items"].as_array().into_iter().flatten() {
        let html = item["content_html"].as_str().unwrap_or_default();
        let only_on_the_page = ["<svg", "<button", "class=\"anchor\"", "href=\"/", "href=\"#"];
        assert_eq!(only_on_the_page.into_iter().find(|part| html.contains(part)), None, "{html}");
    }
    let dates: Vec<&str> = feed["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["date_published"].as_str())
        .collect();
    assert!(dates.len() >= 8 && dates.is_sorted_by(|one, next| one >= next), "{dates:?}");
}

#[tokio::test]
async fn the_blog_leads_to_each_post_and_each_post_to_its_neighbours() {
    let site = TestSite::start().await;
    let content = site.ctx.content.now();
    let posts = content.posts();
    assert!(posts.len() >= 4);
    let index = send(site.visit("/blog")).await;
    for (at, post) in posts.iter().enumerate() {
        assert!(index.text().contains(&format!("href=\"{}\"", post.path())), "{}", post.path());
        let page = send(site.visit(&post.path())).await;
        assert_eq!(page.status, StatusCode::OK, "{}", post.path());
        assert!(page.text().contains("\"@type\":\"BlogPosting\""), "{}", post.path());
        assert!(page.text().contains("property=\"og:type\" content=\"article\""), "{}", post.path());
        let way = page.text().split("Older and newer").nth(1).unwrap_or_default();
        for beside in [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| posts.get(at)) {
            assert!(way.contains(&beside.path()), "{} leads to {}", post.path(), beside.path());
        }
        for tag in &post.tags {
            let of_tag = send(site.visit(&format!("/blog/tags/{tag}"))).await;
            assert_eq!(of_tag.status, StatusCode::OK, "{tag}");
            assert!(of_tag.text().contains(&post.path()), "{tag}");
        }
    }
    for path in ["/blog/nothing", "/blog/tags/nothing", "/changelog/nothing"] {
        assert_eq!(send(site.visit(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_changelog_has_every_entry_under_an_anchor_of_its_own() {
    let site = TestSite::start().await;
    let content = site.ctx.content.now();
    let index = send(site.visit("/changelog")).await;
    let ids = between(index.text(), " id=\"", "\"");
    assert_eq!(ids.len(), ids.iter().collect::<HashSet<_>>().len(), "{ids:?}");
    for release in content.releases() {
        assert!(ids.contains(&release.slug.as_str()), "{}", release.slug);
        assert!(index.text().contains(release.html()), "{} stands there whole", release.slug);
        assert!(release.headings.is_empty(), "{}: its headings would be under others'", release.slug);
        assert_eq!(send(site.visit(&release.path())).await.status, StatusCode::OK, "{}", release.slug);
    }
}

#[tokio::test]
async fn a_known_page_has_a_picture_and_nothing_else_has() {
    let site = TestSite::start().await;
    for path in ["/og/docs/activate.png", "/og/blog/one-row-decides.png", "/og/site/pricing.png"] {
        let picture = send(site.get(path)).await;
        assert_eq!(picture.status, StatusCode::OK, "{path}");
        assert_eq!(picture.header("content-type"), "image/png", "{path}");
        assert_eq!(picture.header("cross-origin-resource-policy"), "cross-origin", "{path}");
        assert_eq!(size(&picture.body), Some((1_200, 630)), "{path}");
        let again = get_knowing(&site, path, picture.header("etag")).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
    for path in [
        "/og/docs/nothing.png",
        "/og/docs/activate.svg",
        "/og/docs/activate",
        "/og/kb/anything.png",
        "/og/nothing/activate.png",
        "/og/blog/%2e%2e%2factivate.png",
    ] {
        assert_eq!(send(site.get(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_sitemap_names_each_written_page_once_with_the_day_it_changed() {
    let site = TestSite::start().await;
    let sitemap = send(site.get("/sitemap.xml")).await;
    let entries = between(sitemap.text(), "<url>", "</url>");
    let places: Vec<&str> = entries.iter().flat_map(|entry| between(entry, "<loc>", "</loc>")).collect();
    assert_eq!(places.len(), places.iter().collect::<HashSet<_>>().len(), "each page once");
    for page in site.ctx.content.now().all() {
        let place = format!("<loc>{}{}</loc>", site.url, page.path());
        let entry = entries.iter().find(|entry| entry.contains(&place));
        let entry = entry.unwrap_or_else(|| panic!("{} is named", page.path()));
        let day = page.updated.as_ref().max(page.date.as_ref());
        let said = between(entry, "<lastmod>", "</lastmod>").first().copied();
        assert_eq!(said, day.map(String::as_str), "{}", page.path());
    }
    for path in ["/account", "/admin", "/dev", "/checkout", "/sign-in"] {
        let place = format!("{}{path}", site.url);
        assert!(!places.contains(&place.as_str()), "{path} is nobody's to find");
    }
}

#[tokio::test]
async fn every_link_of_the_list_for_programs_is_answered() {
    let site = TestSite::start().await;
    let list = send(site.get("/llms.txt")).await;
    assert!(list.text().starts_with("# Dev Forge\n\n> "), "a title and a summary");
    let links = between(list.text(), "](", ")");
    assert!(links.len() > 40, "{}", links.len());
    for link in &links {
        let path =
            link.strip_prefix(&site.url).unwrap_or_else(|| panic!("{link} is an address of this site"));
        assert_eq!(send(site.get(path)).await.status, StatusCode::OK, "{path}");
    }
    for page in site.ctx.content.now().docs() {
        let twin = format!("{}{}.md", site.url, page.path());
        assert!(links.contains(&twin.as_str()), "{twin}");
    }
}
