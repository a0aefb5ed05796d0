//! How much and how often.

use axum::http::StatusCode;
use devforge::contract::problem::ProblemCode;

use crate::support::{TestSite, credentials, send};

#[tokio::test]
async fn every_answer_tells_what_is_left_and_a_flood_is_told_to_wait() {
    let site = TestSite::start_with(|config| config.http.rate_per_minute = 3).await;
    for (path, left) in [("/about", "2"), ("/api/search?q=privacy", "1"), ("/nothing", "0")] {
        let answer = send(site.get(path)).await;
        assert_eq!(
            (answer.header("ratelimit-limit"), answer.header("ratelimit-remaining")),
            ("3", left),
            "{path}"
        );
        assert!(answer.header("ratelimit-reset").parse::<u64>().is_ok_and(|seconds| seconds <= 60), "{path}");
    }
    // Saying that one is somebody else helps only those whom we believe.
    let refused = send(site.get("/about").header("x-forwarded-for", "203.0.113.9")).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, ProblemCode::RateLimited));
    let wait: u64 = refused.header("retry-after").parse().expect("a number of seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    let told = (refused.header("ratelimit-limit"), refused.header("ratelimit-remaining"));
    assert_eq!((told, refused.header("ratelimit-reset")), (("3", "0"), "60"));

    let page = send(site.visit("/about")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.is_page() && !page.header("retry-after").is_empty());
}

#[tokio::test]
async fn behind_a_proxy_of_ours_each_client_has_its_own_allowance() {
    let site = TestSite::start_with(|config| {
        config.http.rate_per_minute = 1;
        config.http.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let from = |client: &str| site.get("/healthz").header("x-forwarded-for", client.to_owned());
    assert_eq!(send(from("203.0.113.1")).await.status, StatusCode::OK);
    assert_eq!(send(from("203.0.113.2")).await.status, StatusCode::OK);
    // The last address is the one that our proxy saw; what stands before it the client wrote.
    assert_eq!(send(from("198.51.100.7, 203.0.113.1")).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted() {
    let site = TestSite::start().await;
    let answer = send(site.get("/healthz")).await;
    assert!(answer.headers.get("ratelimit-limit").is_none());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let site = TestSite::start_with(|config| config.http.max_body_bytes = 1024).await;
    let padding = "x".repeat(4096);
    for (path, form) in [
        ("/theme", format!("theme=dark&return_to={padding}")),
        ("/sign-in", credentials("ada@example.com", &padding)),
    ] {
        let refused = send(site.post(path, &form)).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (413, ProblemCode::PayloadTooLarge), "{path}");
    }
    let fits = send(site.post("/theme", "theme=dark")).await;
    assert_eq!(fits.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered() {
    let site = TestSite::start_with(|config| {
        config.http.request_timeout = std::time::Duration::from_millis(200);
        config.database.max_connections = 1;
    })
    .await;
    // The only connection is held, and a request waits for one longer than it may.
    let held = site.ctx.db.acquire().await.expect("the only connection");
    let late = send(site.get("/api/auth/me").header("cookie", "session=AAECAwQFBgcICQoLDA0ODw")).await;
    assert_eq!((late.status.as_u16(), late.code()), (503, ProblemCode::Unavailable));
    assert_eq!(late.header("retry-after"), "5");
    drop(held);
}
