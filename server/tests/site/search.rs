//! The search page: what it finds, how it counts and pages, and what it makes of what people type.

use axum::http::StatusCode;
use devforge::{
    contract::search::{SearchKind, SearchResults},
    search::Ask,
};

use crate::support::{Answer, TestSite, send};

/// A word that stands in the docs more often than one page of the search holds.
const COMMON: &str = "license";

fn ask(site: &TestSite, kind: Option<SearchKind>) -> SearchResults {
    site.ctx.search.find(&Ask { text: COMMON, kind, limit: 50, offset: 0 }).expect("the search answers")
}

/// The list of hits.
fn list(page: &Answer) -> &str {
    page.text().split("<ol").nth(1).and_then(|rest| rest.split("</ol>").next()).unwrap_or_default()
}

/// Where the hits lead, in order.
fn links(page: &Answer) -> Vec<String> {
    list(page)
        .split(" href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|href| href.replace("&amp;", "&"))
        .collect()
}

#[tokio::test]
async fn hits_stand_with_their_place_and_kinds_with_their_counts() {
    let site = TestSite::start().await;
    let page = send(site.visit("/search?q=license")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("cache-control"), "private, no-store");
    assert!(page.text().contains("noindex"));
    let all = ask(&site, None);
    assert!(all.total > 20, "{}", all.total);
    let expected: Vec<String> = all.items.iter().take(20).map(|hit| hit.url.clone()).collect();
    assert_eq!(links(&page), expected);
    assert!(list(&page).contains("<mark>"), "{}", list(&page));
    assert!(page.text().contains(&format!("{} results for “license”", all.total)));
    for facet in &all.facets {
        let tab = format!("href=\"/search?q=license&amp;kind={}\"", facet.kind.as_str());
        let rest = page.text().split(&tab).nth(1).unwrap_or_else(|| panic!("no tab {tab}"));
        let tab = rest.split("</a>").next().unwrap_or_default();
        assert!(tab.contains(facet.kind.label()) && tab.contains(&format!(">{}<", facet.count)), "{tab}");
    }
}

#[tokio::test]
async fn a_kind_narrows_what_is_found_and_one_that_is_not_known_does_nothing() {
    let site = TestSite::start().await;
    let narrowed = ask(&site, Some(SearchKind::Api));
    assert!(!narrowed.items.is_empty());
    let page = send(site.visit("/search?q=license&kind=api")).await;
    let expected: Vec<String> = narrowed.items.iter().take(20).map(|hit| hit.url.clone()).collect();
    assert_eq!(links(&page), expected);
    assert!(page.text().contains("name=\"kind\" value=\"api\""), "the next search stays among them");
    let whole = links(&send(site.visit("/search?q=license")).await);
    for kind in ["nonsense", "", "API"] {
        let page = send(site.visit(&format!("/search?q=license&kind={kind}"))).await;
        assert_eq!((page.status, links(&page)), (StatusCode::OK, whole.clone()), "{kind}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_and_end() {
    let site = TestSite::start().await;
    let all = ask(&site, None);
    let first = send(site.visit("/search?q=license")).await;
    assert!(
        first.text().contains("href=\"/search?q=license&amp;page=2\"")
            && !first.text().contains("rel=\"prev\"")
    );
    let second = send(site.visit("/search?q=license&page=2")).await;
    let expected: Vec<String> = all.items.iter().skip(20).take(20).map(|hit| hit.url.clone()).collect();
    assert_eq!(links(&second), expected);
    assert!(second.text().contains("href=\"/search?q=license&amp;page=1\""));
    assert!(second.text().contains(&format!("21–{} of {}", 20 + expected.len(), all.total)));
    for beyond in ["99999", "18446744073709551616", "0", "-1", "x"] {
        let page = send(site.visit(&format!("/search?q=license&page={beyond}"))).await;
        assert_eq!(page.status, StatusCode::OK, "{beyond}");
        assert!(!links(&page).is_empty(), "{beyond} leads to a page that there is");
    }
}

#[tokio::test]
async fn where_nothing_is_found_there_are_ways_on() {
    let site = TestSite::start().await;
    let page = send(site.visit("/search?q=qzxvwkjhgfd")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Nothing matches “qzxvwkjhgfd”"));
    let ways = page.text().split("Nothing matches").last().and_then(|rest| rest.split("</main>").next());
    for place in ["/docs", "/support", "/contact"] {
        assert!(ways.is_some_and(|ways| ways.contains(&format!("href=\"{place}\""))), "{place}");
    }
}

#[tokio::test]
async fn a_misspelt_word_is_taken_for_the_one_that_was_meant() {
    let site = TestSite::start().await;
    let page = send(site.visit("/search?q=licensse")).await;
    assert!(page.text().contains("“licensse” stands nowhere on this site"), "{}", list(&page));
    assert!(!links(&page).is_empty());
}

#[tokio::test]
async fn nothing_that_is_typed_breaks_the_page_or_becomes_a_part_of_it() {
    let site = TestSite::start().await;
    let long = "a".repeat(10_000);
    let queries = [
        "!!!%20%22%20((%20*%20~%20^",
        "%3Cimg%20src=x%20onerror=alert(1)%3E%22%3E%3Cscript%3E",
        "title:[*%20TO%20*]%20AND%20NOT",
        "%E6%97%A5%E6%9C%AC%E8%AA%9E",
        "%F0%9F%94%A5",
        "%D7%A9%D7%9C%D7%95%D7%9D",
        "c%2B%2B%20c%23%20.net",
        &long,
    ];
    for query in queries {
        let page = send(site.visit(&format!("/search?q={query}"))).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(!page.text().contains("<img src=x") && !page.text().contains("<script>"), "{query}");
    }
    let page = send(site.visit(&format!("/search?q={long}"))).await;
    assert!(page.text().contains(&format!("value=\"{}\"", "a".repeat(200))), "what was looked for");
}

#[tokio::test]
async fn a_search_for_nothing_is_the_page_that_everybody_gets() {
    let site = TestSite::start().await;
    for path in ["/search", "/search?q=", "/search?q=%20%20"] {
        let page = send(site.visit(path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains("Type a word") && !page.text().contains("noindex"), "{path}");
        assert!(page.text().contains("rel=\"canonical\""), "{path}");
    }
}
