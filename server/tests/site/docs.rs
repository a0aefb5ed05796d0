//! The docs: every page is there, under each of its names, also as Markdown.

use axum::http::StatusCode;

use crate::support::{TestSite, send};

#[tokio::test]
async fn the_index_leads_to_every_page_and_each_to_its_neighbours() {
    let site = TestSite::start().await;
    let index = send(site.visit("/docs")).await;
    assert_eq!(index.status, StatusCode::OK);
    let content = site.ctx.content.now();
    let pages = content.docs();
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
    for page in site.ctx.content.now().docs() {
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
    let content = site.ctx.content.now();
    let page = content.topic("activate").expect("the page");
    assert!(answer.text().starts_with(&format!("# {}\n", page.title)));
    assert!(!answer.text().contains("aliases:"), "no front matter");
}

#[tokio::test]
async fn the_calls_of_the_api_are_there_as_markdown() {
    let site = TestSite::start().await;
    let answer = send(site.get("/docs/api.md")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/markdown"));
    let calls = answer.text().lines().filter(|line| line.starts_with("- `")).count();
    assert_eq!(calls, devforge::api::operations().len());
    assert!(answer.text().contains("- `POST /api/licenses/validate`: "), "{}", answer.text());
    let page = send(site.visit("/docs/api")).await;
    assert!(page.text().contains("type=\"text/markdown\""), "the page says where it is");
}

#[tokio::test]
async fn a_slash_too_many_leads_to_the_page() {
    let site = TestSite::start().await;
    for (path, target) in [
        ("/docs/", "/docs"),
        ("/docs/activate/", "/docs/activate"),
        ("/docs/activate//", "/docs/activate"),
        ("/pricing/?currency=eur", "/pricing?currency=eur"),
        ("/legal/terms/", "/legal/terms"),
    ] {
        let answer = send(site.visit(path)).await;
        let led = (answer.status, answer.header("location"));
        assert_eq!(led, (StatusCode::PERMANENT_REDIRECT, target), "{path}");
    }
    for path in ["//example.com/", "/nothing/", "/api/nothing/", "/assets/nothing/"] {
        assert_eq!(send(site.visit(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(send(site.post("/theme/", "theme=dark")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_topic_that_nobody_wrote_about_is_not_found_and_says_what_is_like_it() {
    let site = TestSite::start().await;
    for path in ["/docs/activating-my-license", "/docs/activating-my-license.md"] {
        let answer = send(site.visit(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let html = answer.text();
        assert!(html.contains("No page about “activating my license”"), "{path}");
        assert!(html.contains("value=\"activating my license\""), "the search form has the words: {path}");
        let list = html.split("docs-list").nth(1).and_then(|rest| rest.split("</ul>").next());
        assert!(list.unwrap_or_default().contains("href=\"/docs/activate"), "{path}: {list:?}");
        assert!(html.contains("name=\"robots\" content=\"noindex\""), "{path}");
        assert_eq!(answer.header("cache-control"), "private, no-store", "{path}");
    }
    for path in ["/docs/.md", "/docs/%3Cscript%3E", "/docs/%E2%80%AE%F0%9F%94%A5", "/docs/%22%27()*:%5E~"] {
        let answer = send(site.visit(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text().contains("action=\"/search\""), "{path}");
        assert!(!answer.text().contains("<script>"), "{path}");
    }
}

#[tokio::test]
async fn every_link_of_a_written_page_leads_somewhere() {
    let site = TestSite::start().await;
    let mut found = site.ctx.content.now().check_links();
    for (link, file) in &found.elsewhere {
        let (path, anchor) =
            link.split_once('#').map_or((link.as_str(), None), |(path, id)| (path, Some(id)));
        let answer = send(site.visit(path)).await;
        let there = answer.status != StatusCode::NOT_FOUND && !answer.status.is_server_error();
        // What needs a sign-in cannot be looked into here.
        let has = |id: &str| answer.text().contains(&format!("id=\"{id}\""));
        if !there || (answer.status == StatusCode::OK && anchor.is_some_and(|id| !has(id))) {
            found.broken.push(format!("content/{file}: {link} ({})", answer.status));
        }
    }
    assert!(found.broken.is_empty(), "{:#?}", found.broken);
}

#[tokio::test]
async fn a_page_says_what_it_is() {
    let site = TestSite::start().await;
    let answer = send(site.visit("/docs/activate")).await;
    let html = answer.text();
    for part in [
        "\"@type\":\"TechArticle\"",
        "\"@type\":\"BreadcrumbList\"",
        "type=\"text/markdown\"",
        "action=\"/feedback\"",
        "popovertarget=\"docs-tree\"",
        "class=\"anchor\" href=\"#with-a-key\"",
        "href=\"/docs#licenses\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains(" style="), "the page policy allows no inline style");
}

#[tokio::test]
async fn the_index_names_every_group_and_searches() {
    let site = TestSite::start().await;
    let answer = send(site.visit("/docs")).await;
    let content = site.ctx.content.now();
    for page in content.docs() {
        let id = page.group.to_lowercase().replace(' ', "-");
        assert!(answer.text().contains(&format!("id=\"{id}\"")), "{}", page.group);
        assert!(!page.description.is_empty());
    }
    assert!(answer.text().contains("id=\"docs-search\""));
}
