//! The pages about the product: they lead to each other and to the docs, and say what is not there.

use std::collections::HashSet;

use app::pages::features::PILLARS;
use axum::http::StatusCode;

use crate::support::{TestSite, send};

/// Where the links of a page lead on this site, without what stands behind a `#`.
fn links(html: &str) -> HashSet<String> {
    html.split(" href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|address| address.split('#').next().unwrap_or_default().to_owned())
        .filter(|address| address.starts_with('/'))
        .collect()
}

#[tokio::test]
async fn the_overview_leads_to_each_of_the_four_pages_and_each_of_them_back() {
    let site = TestSite::start().await;
    let index = send(site.visit("/features")).await;
    assert_eq!(index.status, StatusCode::OK);
    for pillar in &PILLARS {
        let path = pillar.path();
        assert!(links(index.text()).contains(&path), "{path}");
        let page = send(site.visit(&path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains("BreadcrumbList"), "{path} says where it stands");
        let back = page.text().split("aria-label=\"Breadcrumb\"").nth(1).unwrap_or_default();
        assert!(back.contains("href=\"/features\""), "{path}");
        assert!(page.text().contains("What it does not do"), "{path} says what it does not do");
    }
}

#[tokio::test]
async fn a_page_about_the_product_that_nobody_wrote_is_not_found() {
    let site = TestSite::start().await;
    for path in ["/features/nothing", "/features/AI-models", "/features/%20"] {
        assert_eq!(send(site.visit(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn each_of_these_pages_leads_into_the_docs_and_to_nothing_that_is_not_there() {
    let site = TestSite::start().await;
    let mut paths: Vec<String> = PILLARS.iter().map(|pillar| pillar.path()).collect();
    paths.extend(["/features".to_owned(), "/enterprise".to_owned()]);
    let mut seen = HashSet::new();
    for path in paths {
        let page = send(site.visit(&path)).await;
        let main = page.text().split("<main").nth(1).and_then(|rest| rest.split("</main>").next());
        let links = links(main.unwrap_or_default());
        assert!(links.iter().filter(|link| link.starts_with("/docs/")).count() >= 3, "{path}: {links:?}");
        for link in links.into_iter().filter(|link| !link.starts_with("/assets/")) {
            if seen.insert(link.clone()) {
                assert_eq!(send(site.visit(&link)).await.status, StatusCode::OK, "{path} leads to {link}");
            }
        }
    }
}

#[tokio::test]
async fn a_drawn_picture_is_one_image_with_a_sentence_and_hides_its_parts() {
    let site = TestSite::start().await;
    for pillar in &PILLARS {
        let page = send(site.visit(&pillar.path())).await;
        let pictures: Vec<&str> = page.text().split(" role=\"img\"").skip(1).collect();
        assert!(pictures.len() >= 4, "{}", pillar.slug);
        for picture in pictures {
            let mut parts = picture.splitn(2, '>');
            let sentence = parts.next().unwrap_or_default();
            assert!(sentence.contains("aria-label=\"") && sentence.contains(".\""), "{sentence}");
            assert!(parts.next().unwrap_or_default().starts_with("<div aria-hidden=\"true\">"), "{sentence}");
        }
    }
}

#[tokio::test]
async fn the_page_for_companies_leads_to_a_quote_and_calls_planned_what_is_planned() {
    let site = TestSite::start().await;
    let page = send(site.visit("/enterprise")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(links(page.text()).contains("/contact?topic=sales"));
    assert!(links(page.text()).contains("/roadmap"));
    assert_eq!(page.text().matches("Planned").count(), 2);
    // Prices are the catalogue's.
    assert!(!page.text().contains(['$', '€', '£', '¥']));
}
