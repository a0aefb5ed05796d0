//! What is kept, in which forms, and for whom.

use std::io::Read;

use axum::http::StatusCode;
use devforge::contract::account::Role;

use crate::support::{Answer, TestSite, send};

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        "br" => brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut plain).expect("brotli"),
        "gzip" => flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).expect("gzip"),
        other => panic!("packed as {other:?}"),
    };
    plain
}

#[tokio::test]
async fn pages_answers_and_assets_come_packed_as_asked() {
    let site = TestSite::start().await;
    let css = app::assets::url("site.css");
    for path in ["/about", "/search?q=privacy", "/api/openapi.json", css.as_str()] {
        let plain = send(site.get(path)).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (StatusCode::OK, ""), "{path}");
        for (asked, given) in
            [("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br", "br"), ("br;q=0, gzip", "gzip")]
        {
            let packed = send(site.get(path).header("accept-encoding", asked)).await;
            assert_eq!(packed.header("content-encoding"), given, "{path} as {asked}");
            assert_eq!(unpacked(&packed), plain.body, "{path} as {asked}");
            assert!(packed.body.len() < plain.body.len(), "{path} as {asked}");
            assert!(packed.header("vary").to_lowercase().contains("accept-encoding"), "{path} as {asked}");
            assert_eq!(packed.header("content-type"), plain.header("content-type"), "{path} as {asked}");
        }
    }
}

#[tokio::test]
async fn a_page_out_of_the_cache_is_the_page_itself() {
    let site = TestSite::start().await;
    // With a session's cookie nothing comes out of the cache, whatever the cookie is worth.
    let made = send(site.visit("/about").header("cookie", "session=AAECAwQFBgcICQoLDA0ODw")).await;
    let first = send(site.visit("/about")).await;
    let second = send(site.visit("/about")).await;
    assert_eq!(first.body, made.body);
    assert_eq!(second.body, made.body);
    assert!(!second.header("etag").is_empty());
    assert_eq!(second.header("etag"), made.header("etag"));
    assert_eq!(first.header("content-security-policy"), second.header("content-security-policy"));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn a_page_that_the_browser_has_is_not_sent_again() {
    let site = TestSite::start().await;
    let page = send(site.visit("/about")).await;
    let etag = page.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    assert_eq!(page.header("cache-control"), "private, no-cache");

    let again = send(site.visit("/about").header("if-none-match", &etag)).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("etag"), etag);
    let dark = site.visit("/about").header("cookie", "theme=dark").header("if-none-match", &etag);
    assert_eq!(send(dark).await.status, StatusCode::OK, "in another theme it is another page");
    let other = send(site.visit("/about").header("if-none-match", "W/\"0000000000000000\"")).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn what_somebody_signed_in_sees_is_shown_to_nobody_else() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    for _ in 0..2 {
        let own = send(site.visit("/about").header("cookie", &cookie)).await;
        assert!(own.text().contains("Your account") && own.headers.get("etag").is_none());
        assert_eq!(own.header("cache-control"), "private, no-store");
        let others = send(site.visit("/about")).await;
        assert!(!others.text().contains("Your account"));
        assert!(others.header("vary").contains("cookie"));
    }
}

#[tokio::test]
async fn a_missing_page_and_a_search_are_not_kept() {
    let site = TestSite::start().await;
    for path in ["/nothing", "/search?q=privacy", "/sign-in"] {
        for _ in 0..2 {
            let page = send(site.visit(path)).await;
            assert!(page.headers.get("etag").is_none(), "{path}");
            assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
        }
    }
}

#[tokio::test]
async fn files_with_a_hash_in_their_name_are_kept_for_ever() {
    let site = TestSite::start().await;
    for name in ["site.css", "site.js", "icons.svg"] {
        let path = app::assets::url(name);
        assert_ne!(path, format!("/assets/{name}"), "the name has a hash in it");
        let file = send(site.get(&path)).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        let unhashed = send(site.get(&format!("/assets/{name}"))).await;
        assert_eq!(unhashed.status, StatusCode::NOT_FOUND, "{name}");
    }
}
