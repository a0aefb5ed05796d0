//! A database that goes away in mid-flight, and comes back.

use std::time::Duration;

use axum::http::{StatusCode, header};
use devforge::contract::{account::Role, problem::ProblemCode};

use crate::{
    eventually::eventually,
    gate::Gate,
    support::{Answer, PASSWORD, TestSite, credentials, send},
};

/// A site that goes to its database through the gate, and does not wait long for a connection.
async fn site_behind(gate: &Gate) -> TestSite {
    TestSite::start_with(|config| {
        gate.lead(&mut config.database);
        config.database.acquire_timeout = Duration::from_millis(300);
    })
    .await
}

async fn me(site: &TestSite, cookie: &str) -> Answer {
    send(site.get("/api/auth/me").header(header::COOKIE, cookie)).await
}

#[tokio::test]
async fn while_the_database_is_away_answers_say_so_and_afterwards_all_is_as_before() {
    let mut gate = Gate::start().await;
    let site = site_behind(&gate).await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    assert_eq!(me(&site, &cookie).await.status, StatusCode::OK);

    gate.close().await;
    let away = eventually("the API notices that the database is away", async || {
        let answer = me(&site, &cookie).await;
        (answer.status != StatusCode::OK).then_some(answer)
    })
    .await;
    assert_eq!((away.status.as_u16(), away.code()), (503, ProblemCode::Unavailable));
    assert_eq!(away.header("retry-after"), "5");
    let refused = send(site.post("/sign-in", &credentials(&user.email, PASSWORD))).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, ProblemCode::Unavailable));
    let page = send(site.visit("/account").header(header::COOKIE, &cookie)).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "5"));
    assert!(page.is_page() && page.text().contains(page.header("x-request-id")));
    // What needs no database goes on.
    for path in ["/", "/legal/privacy", "/search?q=privacy", "/api/search?q=privacy", "/healthz"] {
        assert_eq!(send(site.get(path)).await.status, StatusCode::OK, "{path}");
    }

    gate.open().await;
    eventually("the session is good again", async || {
        (me(&site, &cookie).await.status == StatusCode::OK).then_some(())
    })
    .await;
    eventually("everything else is as before", async || {
        let page = send(site.visit("/account").header(header::COOKIE, &cookie)).await;
        (page.status == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn readiness_names_the_database_while_it_is_away() {
    let mut gate = Gate::start().await;
    let site = site_behind(&gate).await;
    assert_eq!(send(site.get("/readyz")).await.status, StatusCode::OK);

    gate.close().await;
    let away = eventually("the site is not ready", async || {
        let answer = send(site.get("/readyz")).await;
        (answer.status != StatusCode::OK).then_some(answer)
    })
    .await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(away.json()["database"], "not ready");
    assert_eq!(away.json()["storage"], "ready");
    assert_eq!(away.header("retry-after"), "5");
    assert_eq!(send(site.get("/healthz")).await.status, StatusCode::OK, "restarting this would not help");

    gate.open().await;
    eventually("the site is ready again", async || {
        (send(site.get("/readyz")).await.status == StatusCode::OK).then_some(())
    })
    .await;
}
