//! What operators and their machines ask.

use axum::http::StatusCode;
use devforge::{config::Secret, contract::problem::ProblemCode};
use serde_json::json;

use crate::support::{TestSite, send};

#[tokio::test]
async fn a_site_that_has_everything_is_alive_and_ready() {
    let site = TestSite::start().await;
    let alive = send(site.get("/healthz")).await;
    assert_eq!(
        (alive.status, alive.text(), alive.header("cache-control")),
        (StatusCode::OK, "ok\n", "no-store")
    );
    let ready = send(site.get("/readyz")).await;
    assert_eq!((ready.status, ready.header("cache-control")), (StatusCode::OK, "no-store"));
    let parts = json!({ "database": "ready", "migrations": "ready", "index": "ready", "storage": "ready" });
    assert_eq!(ready.json(), parts);
}

#[tokio::test]
async fn a_site_with_a_missing_migration_is_not_ready() {
    let site = TestSite::start().await;
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&site.ctx.db)
        .await
        .expect("forgotten");
    let ready = send(site.get("/readyz")).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["migrations"], "not ready");
    assert_eq!(ready.json()["database"], "ready");
    assert_eq!(ready.header("retry-after"), "5");
}

#[tokio::test]
async fn metrics_count_by_route_and_never_by_address() {
    let site = TestSite::start().await;
    send(site.get("/about")).await;
    // One comes from the routes, one out of the cache.
    send(site.get("/about")).await;
    for (path, status) in [
        ("/licenses/DF-AAAAA-BBBBB-CCCCC", StatusCode::NOT_FOUND),
        // How a license stands is an answer also where there is none.
        ("/api/licenses/DF-AAAAA-BBBBB-CCCCC", StatusCode::OK),
        ("/legal/DF-AAAAA-BBBBB-CCCCC", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(send(site.get(path)).await.status, status, "{path}");
    }
    let metrics = send(site.get("/metrics")).await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let text = metrics.text();
    assert!(text.contains("devforge_http_requests_total{"), "{text}");
    for route in ["/about", "/legal/{slug}", "/api/licenses/{license}"] {
        assert!(text.contains(&format!("route=\"{route}\"")), "{route}: {text}");
    }
    assert!(text.contains("devforge_http_request_seconds_bucket"), "{text}");
    assert!(!text.contains("AAAAA"), "{text}");
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_for_who_has_the_token() {
    let site = TestSite::start_with(|config| {
        config.http.metrics_token = Some(Secret::new("a-token-that-only-tests-use".to_owned()));
    })
    .await;
    assert_eq!(send(site.get("/metrics")).await.status, StatusCode::OK);
    // What comes through a proxy on this machine comes from elsewhere.
    let forwarded = |token: &str| {
        let request = site.get("/metrics").header("x-forwarded-for", "203.0.113.9");
        if token.is_empty() { request } else { request.header("authorization", token.to_owned()) }
    };
    assert_eq!(send(forwarded("Bearer a-token-that-only-tests-use")).await.status, StatusCode::OK);
    for token in ["", "Bearer", "Bearer a-token-that-only-tests-usf", "a-token-that-only-tests-use"] {
        let refused = send(forwarded(token)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (404, ProblemCode::NotFound), "{token:?}");
    }
}

#[tokio::test]
async fn reports_from_browsers_are_counted_under_names_that_exist() {
    let site = TestSite::start().await;
    for body in [
        "{\"csp-report\":{\"effective-directive\":\"img-src\"}}",
        "{\"csp-report\":{\"violated-directive\":\"made-up-by-a-stranger\"}}",
        "not a report",
        "",
    ] {
        assert_eq!(
            send(site.request("POST", "/csp-report").body(body)).await.status,
            StatusCode::NO_CONTENT,
            "{body}"
        );
    }
    let metrics = send(site.get("/metrics")).await;
    assert!(
        metrics.text().contains("devforge_csp_reports_total{directive=\"img-src\"}"),
        "{}",
        metrics.text()
    );
    assert!(!metrics.text().contains("made-up-by-a-stranger"));
}

#[tokio::test]
async fn production_has_nothing_of_development() {
    let site = TestSite::start_with(|config| config.mode = devforge::config::Mode::Production).await;
    for (_, path) in app::pages::DEV_ROUTES {
        let answer = send(site.visit(path)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!send(site.get("/robots.txt")).await.text().contains("/dev"));
}
