//! Errors: a page for people, problem+json for programs, and nothing internal for either.

use axum::http::StatusCode;
use devforge::contract::problem::ProblemCode;

use crate::support::{TestSite, send};

#[tokio::test]
async fn an_address_that_does_not_exist_gets_a_page_or_a_problem() {
    let site = TestSite::start().await;
    for path in [
        "/nothing",
        "/legal/nothing",
        "/account/more",
        "/dev/mail/eml_01h2xcejqtf2nbrexx3vqjhp41",
        "/dev/mail/x",
    ] {
        let page = send(site.visit(path)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.is_page() && page.header("x-request-id").starts_with("req_"), "{path}");
        assert_eq!(page.text().matches("<h1").count(), 1, "{path}");
        assert!(page.text().contains("noindex") && page.text().contains(path), "{path}");

        let problem = send(site.get(path)).await;
        assert_eq!((problem.status.as_u16(), problem.code()), (404, ProblemCode::NotFound), "{path}");
    }
}

#[tokio::test]
async fn the_api_and_assets_answer_programs_even_when_a_browser_asks() {
    let site = TestSite::start().await;
    for path in ["/api/nothing", "/api", "/assets/nothing"] {
        let answer = send(site.visit(path)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (404, ProblemCode::NotFound), "{path}");
    }
    assert_eq!(send(site.get("/api/nothing")).await.header("api-version"), "1");
}

#[tokio::test]
async fn the_page_for_a_missing_address_offers_pages_like_it_and_shows_no_markup() {
    let site = TestSite::start().await;
    let page = send(site.visit("/offline-license")).await;
    let offered = page.text().split("Close matches").nth(1).and_then(|rest| rest.split("</ul>").next());
    assert!(offered.is_some_and(|list| list.contains("href=\"/docs/offline\"")), "{offered:?}");
    let hostile = send(site.visit("/%3Cscript%3Ealert(1)%3C/script%3E")).await;
    assert_eq!(hostile.status, StatusCode::NOT_FOUND);
    assert!(!hostile.text().contains("<script>"));
}

#[tokio::test]
async fn a_handler_that_panics_ends_in_an_answer_with_a_number_and_no_internals() {
    let site = TestSite::start().await;
    let page = send(site.visit("/dev/panic")).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.is_page() && page.text().contains(page.header("x-request-id")));
    let problem = send(site.get("/dev/panic")).await;
    assert_eq!((problem.status.as_u16(), problem.code()), (500, ProblemCode::Internal));
    for answer in [&page, &problem] {
        assert!(
            !answer.text().contains("on purpose") && !answer.text().contains("panicked"),
            "{}",
            answer.text()
        );
        assert!(!answer.header("content-security-policy").is_empty());
    }
    assert_ne!(page.header("x-request-id"), problem.header("x-request-id"));
    assert_eq!(send(site.visit("/")).await.status, StatusCode::OK, "the next request is answered");
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_refused_with_those_it_takes() {
    let site = TestSite::start().await;
    for (method, path, allowed) in
        [("POST", "/about", "GET"), ("GET", "/theme", "POST"), ("PUT", "/api/auth/me", "GET")]
    {
        let request = site.request(method, path).header("sec-fetch-site", "same-origin");
        let refused = send(request).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (405, ProblemCode::MethodNotAllowed),
            "{method} {path}"
        );
        assert!(refused.header("allow").contains(allowed), "{method} {path}: {}", refused.header("allow"));
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_the_clients_mistake() {
    let site = TestSite::start().await;
    for path in ["/api/search", "/api/search?q=a&limit=many", "/search?q=a&q=b", "/sign-in?next=a&next=b"] {
        let problem = send(site.get(path)).await;
        assert_eq!((problem.status.as_u16(), problem.code()), (422, ProblemCode::InvalidRequest), "{path}");
        let page = send(site.visit(path)).await;
        assert_eq!(page.status.as_u16(), 422, "{path}");
        assert_eq!(page.is_page(), !path.starts_with("/api/"), "{path}");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let site = TestSite::start().await;
    for path in ["/about", "/nothing", "/api/search?q=privacy", "/healthz"] {
        let get = send(site.get(path)).await;
        let head = send(site.request("HEAD", path)).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_says_what_this_site_will_never_do() {
    let site = TestSite::start().await;
    let css = app::assets::url("site.css");
    for path in [
        "/",
        "/search?q=a",
        "/nothing",
        "/dev/panic",
        "/api/auth/me",
        "/healthz",
        "/robots.txt",
        css.as_str(),
    ] {
        for answer in [send(site.visit(path)).await, send(site.get(path)).await] {
            let policy = answer.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
                "style-src 'self'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(
                !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
                "{path}: {policy}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert!(!answer.header("cross-origin-resource-policy").is_empty(), "{path}");
            assert!(
                !answer.header("referrer-policy").is_empty()
                    && !answer.header("permissions-policy").is_empty(),
                "{path}"
            );
            assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
            assert!(
                answer.headers.get("server").is_none() && answer.headers.get("x-powered-by").is_none(),
                "{path}"
            );
            assert!(
                answer.headers.get("strict-transport-security").is_none(),
                "{path}: this site is on plain http"
            );
        }
    }
    let page = send(site.visit("/")).await;
    let integrity = app::assets::find("site.js").expect("the site has a script").integrity.as_str();
    assert!(page.header("content-security-policy").contains(integrity) && page.text().contains(integrity));
}

#[tokio::test]
async fn over_https_browsers_are_told_to_stay_there() {
    let site =
        TestSite::start_with(|config| config.http.public_url = "https://forge.example".to_owned()).await;
    let page = send(site.visit("/")).await;
    assert!(page.header("strict-transport-security").starts_with("max-age=63072000"));
    assert!(page.header("content-security-policy").contains("upgrade-insecure-requests"));
}
