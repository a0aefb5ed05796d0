//! Something is changed only at the wish of a page of this site: the matrix over every route that changes anything.

use app::pages::{DEV_ROUTES, ROUTES};
use devforge::contract::{account::Role, problem::ProblemCode};
use server::http::OPERATION_ROUTES;

use crate::support::{FORM, TestSite, address_of, send};

/// Browsers report breaches of the content policy without saying where they come from.
const REPORTS: &str = "/csp-report";
/// Whoever has a license's key may send these from anywhere: no session is looked at.
const WITH_A_KEY: &[&str] = &["/api/licenses/validate", "/api/licenses/activate", "/api/licenses/deactivate"];

/// Help is searched and judged from anywhere.
const HELP: &str = "/api/support/knowledge-base/";

fn is_open(path: &str) -> bool {
    path == REPORTS || WITH_A_KEY.contains(&path) || path.starts_with(HELP)
}

/// Method and path of every route that may change something, with a value for what is in braces.
fn unsafe_routes() -> Vec<(String, String)> {
    let written = [ROUTES, DEV_ROUTES, OPERATION_ROUTES].concat();
    let written = written.into_iter().map(|(method, path)| (method.to_owned(), path.to_owned()));
    let api = devforge::api::operations().into_iter().map(|(method, path)| (method, format!("/api{path}")));
    written
        .chain(api)
        .filter(|(method, _)| !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS"))
        .map(|(method, path)| (method, address_of(&path)))
        .collect()
}

#[tokio::test]
async fn no_route_changes_anything_for_another_site() {
    let site = TestSite::start().await;
    let admin = site.person(Role::Admin).await;
    let cookie = site.sign_in(&admin).await;
    let own = site.url.as_str();
    let foreign: &[&[(&str, &str)]] = &[
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "rubbish")],
        // What a browser says counts more than what can be written into a header.
        &[("sec-fetch-site", "cross-site"), ("origin", own)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        // A cookie, and nothing that says where from.
        &[],
    ];
    let routes = unsafe_routes();
    assert!(routes.len() >= 40, "{routes:?}");
    for (method, path) in routes.iter().filter(|(_, path)| !is_open(path)) {
        for headers in foreign {
            let mut request =
                site.request(method, path).header("cookie", &cookie).header("content-type", FORM);
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let refused = send(request.body("theme=dark")).await;
            assert_eq!(refused.status.as_u16(), 403, "{method} {path} {headers:?}");
            assert_eq!(refused.code(), ProblemCode::CrossSite, "{method} {path} {headers:?}");
            assert!(refused.headers.get("set-cookie").is_none(), "{method} {path} {headers:?}");
        }
    }
    let still = send(site.visit("/account").header("cookie", &cookie)).await;
    assert_eq!(still.status.as_u16(), 200, "the administrator is still signed in");
}

#[tokio::test]
async fn every_route_answers_its_own_site_and_programs_without_a_session() {
    let site = TestSite::start().await;
    let own = site.url.as_str();
    let fine: &[&[(&str, &str)]] = &[
        &[("sec-fetch-site", "same-origin")],
        // An address typed by hand, or a bookmark.
        &[("sec-fetch-site", "none")],
        &[("origin", own)],
        &[],
    ];
    for (method, path) in unsafe_routes() {
        for headers in fine {
            let mut request = site.request(&method, &path).header("content-type", FORM);
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let answer = send(request.body("")).await;
            assert_ne!(answer.status.as_u16(), 403, "{method} {path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn reading_is_allowed_from_anywhere_and_reports_are_taken_from_anywhere() {
    let site = TestSite::start().await;
    let linked = send(site.visit("/about").header("sec-fetch-site", "cross-site")).await;
    assert_eq!(linked.status.as_u16(), 200);
    let report =
        site.request("POST", REPORTS).header("sec-fetch-site", "cross-site").header("cookie", "session=x");
    let report = report.body("{\"csp-report\":{\"violated-directive\":\"script-src\"}}");
    assert_eq!(send(report).await.status.as_u16(), 204);
}

#[tokio::test]
async fn whoever_has_a_key_is_answered_on_pages_of_any_site() {
    let site = TestSite::start().await;
    let admin = site.person(Role::Admin).await;
    let cookie = site.sign_in(&admin).await;
    let body = r#"{"licenseKey":"DF-","email":"ada@example.com","fingerprint":"print-1"}"#;
    let foreign: &[&[(&str, &str)]] = &[
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ];
    for path in WITH_A_KEY {
        for headers in foreign {
            let mut request = site
                .request("POST", path)
                .header("cookie", &cookie)
                .header("content-type", "application/json");
            for (name, value) in *headers {
                request = request.header(*name, *value);
            }
            let answer = send(request.body(body)).await;
            // There is no such license, which is a good answer to a question and a bad one to a wish.
            let expected = if path.ends_with("deactivate") { 404 } else { 200 };
            assert_eq!(answer.status.as_u16(), expected, "{path} {headers:?}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path} {headers:?}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{path} {headers:?}");
            assert!(answer.headers.get("set-cookie").is_none(), "{path} {headers:?}");
        }
    }
}
