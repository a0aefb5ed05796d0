//! The list of pages that are programmed: what the search knows of them is what they are, and none is missing.

use std::collections::HashSet;

use axum::http::StatusCode;
use devforge::{
    content::{PROGRAMMED, Programmed},
    support::knowledge,
};

use crate::support::{TestSite, send};

/// What stands inside the first element of this name.
fn inside<'a>(html: &'a str, name: &str) -> &'a str {
    let element = html.split(&format!("<{name}")).nth(1).unwrap_or_default();
    element.split(&format!("</{name}>")).next().unwrap_or_default()
}

#[tokio::test]
async fn each_is_there_under_the_title_by_which_it_is_found() {
    let site = TestSite::start().await;
    for Programmed { path, title, description, .. } in PROGRAMMED {
        let page = send(site.visit(path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let (named, headed) = (inside(page.text(), "title"), inside(page.text(), "h1"));
        assert!(named.contains(title) || headed.contains(title), "{path}: {named} / {headed}");
        assert!(page.text().contains(description), "{path} says: {description}");
    }
}

#[tokio::test]
async fn every_page_of_the_sitemap_can_be_found() {
    let site = TestSite::start().await;
    knowledge::seed(&site.ctx).await.expect("seeded");
    let content = site.ctx.content.now();
    let mut known: HashSet<String> = content.all().map(|page| page.path()).collect();
    for page in PROGRAMMED {
        assert!(known.insert(page.path.to_owned()), "{} is there twice", page.path);
    }
    for article in knowledge::list(&site.ctx).await.expect("listed") {
        known.insert(format!("/support/articles/{}", article.slug));
    }
    let sitemap = send(site.get("/sitemap.xml")).await;
    assert_eq!(sitemap.status, StatusCode::OK);
    let urls = sitemap.text().split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next());
    let missing: Vec<&str> = urls
        .filter_map(|url| url.strip_prefix(&site.url))
        // The search itself, and lists of what is found by itself.
        .filter(|path| *path != "/search" && !path.starts_with("/blog/tags/"))
        .filter(|path| !known.contains(*path))
        .collect();
    assert!(missing.is_empty(), "not to be found: {missing:?}");
}
