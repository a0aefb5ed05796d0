//! The docs: every page is there, under each of its names, also as Markdown.

use axum::http::StatusCode;

use crate::support::{TestSite, send};

#[tokio::test]
async fn the_index_leads_to_every_page_and_each_to_its_neighbours() {
    let site = TestSite::start().await;
    let index = send(site.visit("/docs")).await;
    assert_eq!(index.status, StatusCode::OK);
    let pages = site.ctx.content.docs();
    assert!(pages.len() >= 40, "{}", pages.len());
    for (at, page) in pages.iter().enumerate() {
        assert!(index.text().contains(&format!("href=\"{}\"", page.path())), "{}", page.path());
        let shown = send(site.visit(&page.path())).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", page.path());
        let html = shown.text();
        assert_eq!(html.matches("aria-current=\"page\"").count(), 2, "{}: tree and breadcrumb", page.path());
        for neighbour in
            [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| pages.get(at))
        {
            let way = html.split("Pages before and after").nth(1).unwrap_or_default();
            assert!(way.contains(&neighbour.path()), "{} leads to {}", page.path(), neighbour.path());
        }
    }
}

#[tokio::test]
async fn another_name_of_a_topic_leads_to_its_page() {
    let site = TestSite::start().await;
    for page in site.ctx.content.docs() {
        for alias in &page.aliases {
            for suffix in ["", ".md"] {
                let answer = send(site.visit(&format!("/docs/{alias}{suffix}"))).await;
                let target = format!("{}{suffix}", page.path());
                let led = (answer.status, answer.header("location"));
                assert_eq!(led, (StatusCode::PERMANENT_REDIRECT, target.as_str()), "{alias}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_is_there_as_markdown() {
    let site = TestSite::start().await;
    let answer = send(site.get("/docs/activate.md")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/markdown"));
    let page = site.ctx.content.topic("activate").expect("the page");
    assert!(answer.text().starts_with(&format!("# {}\n", page.title)));
    assert!(!answer.text().contains("aliases:"), "no front matter");
}

#[tokio::test]
async fn a_topic_that_nobody_wrote_about_is_not_found_and_says_what_is_like_it() {
    let site = TestSite::start().await;
    for path in ["/docs/activating-my-license", "/docs/activating-my-license.md", "/docs/.md"] {
        let answer = send(site.visit(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text().contains("action=\"/search\""), "{path}");
    }
}
