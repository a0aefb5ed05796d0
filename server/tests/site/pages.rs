//! What every page has, and none may have.

use std::collections::HashSet;

use app::pages::ROUTES;
use axum::http::StatusCode;
use devforge::contract::account::Role;

use crate::support::{Answer, TestSite, send};

/// What stands between `<` and `>`, for every tag that opens something.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<')
        .skip(1)
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|rest| rest.split('>').next())
}

fn count(html: &str, name: &str) -> usize {
    tags(html).filter(|tag| tag.split_whitespace().next() == Some(name)).count()
}

/// The value of `attribute` in the first tag that holds `mark`.
fn attribute<'a>(html: &'a str, mark: &str, attribute: &str) -> &'a str {
    tags(html)
        .find(|tag| tag.contains(mark))
        .and_then(|tag| tag.split(&format!(" {attribute}=\"")).nth(1))
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default()
}

fn title(html: &str) -> &str {
    html.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default()
}

/// A page that a browser shows completely under our content policy, and that says what it is.
fn assert_is_sound(path: &str, answer: &Answer) {
    assert!(answer.is_page(), "{path}: {}", answer.header("content-type"));
    let html = answer.text();
    assert!(html.starts_with("<!DOCTYPE html>"), "{path}");
    assert_eq!(count(html, "h1"), 1, "{path} has one h1");
    assert_eq!(count(html, "main"), 1, "{path} has one main");
    assert!(!title(html).is_empty(), "{path} has a title");
    assert!(!attribute(html, "name=\"description\"", "content").is_empty(), "{path} has a description");
    assert_eq!(attribute(html, "html ", "lang"), "en", "{path} names its language");
    for tag in tags(html) {
        assert!(!tag.contains(" style="), "{path} has an inline style: <{tag}>");
        let handler = tag.split_whitespace().skip(1).any(|word| word.starts_with("on") && word.contains('='));
        assert!(!handler, "{path} has an inline handler: <{tag}>");
        // A block of data is none: browsers run nothing of it, whatever it holds.
        let is_data = tag == "script type=\"application/ld+json\"";
        assert!(
            !tag.starts_with("script") || is_data || tag.contains(" src=\"/assets/"),
            "{path} has an inline script: <{tag}>"
        );
        assert!(!tag.starts_with("style"), "{path} has a style sheet inside: <{tag}>");
    }
}

/// The paths that the sitemap names.
async fn public_paths(site: &TestSite) -> Vec<String> {
    let sitemap = send(site.get("/sitemap.xml")).await;
    assert_eq!(sitemap.status, StatusCode::OK);
    sitemap
        .text()
        .split("<loc>")
        .skip(1)
        .filter_map(|rest| rest.split("</loc>").next())
        .map(|url| url.strip_prefix(&site.url).expect("addresses of this site").to_owned())
        .collect()
}

#[tokio::test]
async fn every_public_page_is_sound_and_says_what_it_is_and_where() {
    let site = TestSite::start().await;
    let paths = public_paths(&site).await;
    assert!(paths.len() >= 9, "{paths:?}");
    let mut titles = HashSet::new();
    for path in &paths {
        let page = send(site.visit(path)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_is_sound(path, &page);
        let html = page.text();
        assert_eq!(attribute(html, "rel=\"canonical\"", "href"), format!("{}{path}", site.url), "{path}");
        assert_eq!(
            attribute(html, "property=\"og:url\"", "content"),
            format!("{}{path}", site.url),
            "{path}"
        );
        assert!(!html.contains("noindex"), "{path} may be found");
        assert!(titles.insert(title(html).to_owned()), "{path} shares its title with another page");
    }
}

#[tokio::test]
async fn the_sitemap_names_every_page_that_does_not_depend_on_who_asks() {
    let site = TestSite::start().await;
    let paths = public_paths(&site).await;
    for (_, path) in ROUTES.iter().filter(|(method, path)| *method == "GET" && !path.contains('{')) {
        let page = send(site.visit(path)).await;
        let indexed = page.status == StatusCode::OK && page.is_page() && !page.text().contains("noindex");
        assert_eq!(paths.iter().any(|known| known == path), indexed, "{path}");
    }
}

#[tokio::test]
async fn every_link_of_a_public_page_to_this_site_leads_somewhere() {
    let site = TestSite::start().await;
    let mut links = HashSet::new();
    for path in public_paths(&site).await {
        let page = send(site.visit(&path)).await;
        for tag in tags(page.text()) {
            for name in [" href=\"", " src=\"", " action=\""] {
                let target =
                    tag.split(name).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
                let target = target.split('#').next().unwrap_or_default();
                // Forms that are posted are looked at by the tests of those forms.
                let posted = tag.contains("method=\"post\"");
                if target.starts_with('/') && !posted {
                    links.insert(target.to_owned());
                }
            }
        }
    }
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        let answer = send(site.visit(&link)).await;
        // What is one's own asks who one is first.
        let own = link.starts_with("/account");
        let expected = if own { StatusCode::SEE_OTHER } else { StatusCode::OK };
        assert_eq!(answer.status, expected, "{link}");
    }
}

#[tokio::test]
async fn pages_for_one_person_are_sound_and_found_by_no_search_engine() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    for (path, cookie) in [
        ("/account", cookie.as_str()),
        ("/sign-in", ""),
        ("/search?q=privacy", ""),
        ("/dev", ""),
        ("/dev/mail", ""),
    ] {
        let page = send(site.visit(path).header("cookie", cookie)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_is_sound(path, &page);
        assert!(page.text().contains("noindex"), "{path}");
        assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
    }
}

#[tokio::test]
async fn a_page_with_islands_gets_a_nonce_of_its_own_and_others_get_no_wasm() {
    let site = TestSite::start().await;
    let mut nonces = HashSet::new();
    for _ in 0..2 {
        let page = send(site.visit("/dev/gallery")).await;
        assert_is_sound("/dev/gallery", &page);
        let policy = page.header("content-security-policy");
        let nonce =
            policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default();
        assert!(!nonce.is_empty() && policy.contains("'strict-dynamic' 'wasm-unsafe-eval'"), "{policy}");
        let scripts: Vec<&str> = tags(page.text()).filter(|tag| tag.starts_with("script")).collect();
        assert!(
            scripts.len() >= 2 && scripts.iter().all(|tag| tag.contains(&format!("nonce=\"{nonce}\""))),
            "{scripts:?}"
        );
        assert!(nonces.insert(nonce.to_owned()), "a nonce is used once");
    }
    let home = send(site.visit("/")).await;
    // The search palette's program may be fetched from any page, and is a file of ours like the script.
    let policy = home.header("content-security-policy");
    let scripts =
        policy.split("script-src ").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
    let sources: Vec<&str> = scripts.split(' ').collect();
    assert!(
        matches!(sources[..], [hash, place, "'wasm-unsafe-eval'"]
            if hash.starts_with("'sha256-") && place == format!("{}/assets/", site.url)),
        "{policy}"
    );
    assert!(
        !home.text().contains("modulepreload") && !home.text().contains(".wasm"),
        "nothing fetches it yet"
    );
    let scripts = tags(home.text()).filter(|tag| tag.starts_with("script") && tag.contains(" src="));
    assert_eq!(scripts.count(), 1, "the site's one script and no other");
    assert!(tags(home.text()).all(|tag| !tag.contains(" nonce=")));
}

#[tokio::test]
async fn small_files_for_programs_are_there() {
    let site = TestSite::start().await;
    for (path, kind, word) in [
        ("/robots.txt", "text/plain", "Disallow: /dev"),
        ("/.well-known/security.txt", "text/plain", "Contact: mailto:"),
        ("/sitemap.xml", "application/xml", "<urlset"),
        ("/llms.txt", "text/plain", "# Dev Forge\n"),
        ("/site.webmanifest", "application/manifest+json", "icons"),
        ("/favicon.svg", "image/svg+xml", "<svg"),
    ] {
        let answer = send(site.get(path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-type").starts_with(kind), "{path}: {}", answer.header("content-type"));
        assert!(answer.text().contains(word), "{path}");
    }
}

#[tokio::test]
async fn the_search_page_finds_and_shows_what_was_asked_without_believing_it() {
    let site = TestSite::start().await;
    let found = send(site.visit("/search?q=privacy")).await;
    let list =
        found.text().split("<ol").nth(1).and_then(|rest| rest.split("</ol>").next()).unwrap_or_default();
    assert!(list.contains("href=\"/legal/privacy") && list.contains("<mark>"), "{list}");
    let hostile = send(site.visit("/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22")).await;
    assert_eq!(hostile.status, StatusCode::OK);
    assert!(!hostile.text().contains("<script>"));
    assert_is_sound("/search", &hostile);
}
