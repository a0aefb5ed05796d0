//! The API's router by itself: statuses, bodies, and the problem that an error carries to the outermost layer.

pub(crate) mod client;

use axum::http::{StatusCode, header};
use devforge::{
    api::{self, openapi},
    contract::{
        account::Role,
        id::{Id, LicenseId, MachineId, PasskeyId, SessionId, TokenId},
        problem::ProblemCode,
    },
    search, session,
};
use serde_json::{Value, json};
use time::Duration;

use self::client::{Answer, call, cookie, get};
use crate::support::TestApp;

async fn as_someone(app: &TestApp, method: &str, path: &str, cookie: &str) -> Answer {
    call(method, path).header(header::COOKIE, cookie).send(&app.ctx).await
}

fn nobodys<T: Id>(app: &TestApp) -> T {
    T::from_uuid(app.ctx.random.uuid_v7(app.ctx.clock.now()))
}

/// Method and path of every operation, with what the document says of who may call it, and an id that is nobody's
/// for what is in braces.
fn operations(app: &TestApp) -> Vec<(String, String, Value)> {
    let document = openapi::document();
    let filled = api::operations().into_iter().map(|(method, path)| {
        let security = document["paths"][&path][method.to_lowercase()]["security"].clone();
        let id = match path.as_str() {
            path if path.contains("/sessions/") => nobodys::<SessionId>(app).to_string(),
            path if path.contains("/tokens/") => nobodys::<TokenId>(app).to_string(),
            _ => nobodys::<PasskeyId>(app).to_string(),
        };
        let path = path
            .replace("{license}", &nobodys::<LicenseId>(app).to_string())
            .replace("{machine}", &nobodys::<MachineId>(app).to_string())
            .replace("{id}", &id);
        (method, format!("/api{path}"), security)
    });
    filled.collect()
}

#[tokio::test]
async fn nobody_is_told_to_sign_in() {
    let app = TestApp::start().await;
    let mut asked = 0;
    for (method, path, security) in operations(&app) {
        let ways = security.as_array().cloned().unwrap_or_default();
        if ways.is_empty() || ways.contains(&json!({})) {
            continue;
        }
        asked += 1;
        for cookie in ["", "session=", "session=AAAAAAAAAAAAAAAAAAAAAA", "session=%%%; session", "other=1"] {
            let answer = as_someone(&app, &method, &path, cookie).await;
            assert_eq!(
                answer.outcome(),
                (401, Some(ProblemCode::Unauthenticated)),
                "{method} {path} {cookie}"
            );
            assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
        }
        for authorization in ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "dfp_x", "Bearer dfp_x"]
        {
            let call = call(&method, &path).header(header::AUTHORIZATION, authorization);
            let outcome = call.send(&app.ctx).await.outcome();
            assert_eq!(outcome, (401, Some(ProblemCode::Unauthenticated)), "{method} {path} {authorization}");
        }
    }
    assert!(asked >= 11, "only {asked} operations ask who is calling");
}

#[tokio::test]
async fn every_operation_says_who_may_call_it_in_words_the_document_defines() {
    let app = TestApp::start().await;
    let schemes = openapi::document()["components"]["securitySchemes"].clone();
    for (method, path, security) in operations(&app) {
        for way in security.as_array().into_iter().flatten() {
            for name in way.as_object().expect("an object").keys() {
                assert!(schemes[name].is_object(), "{method} {path} names {name}");
            }
        }
    }
}

#[tokio::test]
async fn a_caller_learns_who_they_are() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Support).await;
    let cookie = cookie(&app, &ada).await;
    for path in ["/api/auth/me", "/api/v1/auth/me"] {
        let answer = as_someone(&app, "GET", path, &cookie).await;
        assert_eq!(answer.outcome(), (200, None));
        let expected = json!({
            "user": {
                "id": ada.id.to_string(),
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "role": "support",
                "emailVerified": true,
                "twoFactorEnabled": false,
                "avatarUrl": format!("/avatars/{}.svg", ada.id),
                "createdAt": "2026-11-20T10:00:00Z",
            }
        });
        assert_eq!(answer.json(), expected);
    }
}

#[tokio::test]
async fn a_caller_sees_and_ends_their_own_sessions() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let cookie = format!("{}={}", session::cookie_name(&app.ctx.config), opened.cookie);
    let listed = as_someone(&app, "GET", "/api/auth/sessions", &cookie).await;
    assert_eq!(listed.outcome(), (200, None));
    let expected = json!({
        "items": [{
            "id": opened.session.to_string(),
            "device": "Firefox on Linux",
            "place": "192.0.2.10",
            "kind": "browser",
            "current": true,
            "createdAt": "2026-11-20T10:00:00Z",
            "lastSeenAt": "2026-11-20T10:00:00Z",
        }],
        "nextCursor": null,
    });
    assert_eq!(listed.json(), expected);

    let path = format!("/api/auth/sessions/{}", opened.session);
    let ended = as_someone(&app, "DELETE", &path, &cookie).await;
    assert_eq!((ended.outcome(), ended.body.len()), ((204, None), 0));
    let after = as_someone(&app, "GET", "/api/auth/me", &cookie).await;
    assert_eq!(after.outcome(), (401, Some(ProblemCode::Unauthenticated)));
}

#[tokio::test]
async fn foreign_missing_and_unreadable_sessions_look_the_same() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Admin).await;
    let other = app.person("other@example.com", Role::Customer).await;
    let cookie = cookie(&app, &ada).await;
    let theirs = app.sign_in(&other).await;
    let foreign = theirs.session.to_string();
    let missing = nobodys::<SessionId>(&app).to_string();
    let other_kind = ada.id.to_string();
    let mut details = Vec::new();
    for id in [foreign.as_str(), missing.as_str(), other_kind.as_str(), "1", "ses_", "%F0%9F%94%A5"] {
        let answer = as_someone(&app, "DELETE", &format!("/api/auth/sessions/{id}"), &cookie).await;
        assert_eq!(answer.outcome(), (404, Some(ProblemCode::NotFound)), "{id}");
        details.extend(answer.problem.map(|problem| problem.detail));
    }
    details.dedup();
    assert_eq!(details.len(), 1, "{details:?}");
    assert!(app.caller(&theirs).await.identity().is_some(), "it goes on");
}

#[tokio::test]
async fn a_session_that_has_ended_by_time_lets_nobody_in() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let cookie = cookie(&app, &ada).await;
    app.ctx.clock.advance(Duration::days(13));
    // Being used, it goes on for as long again.
    assert_eq!(as_someone(&app, "GET", "/api/auth/me", &cookie).await.status, StatusCode::OK);
    app.ctx.clock.advance(Duration::days(13));
    assert_eq!(as_someone(&app, "GET", "/api/auth/me", &cookie).await.status, StatusCode::OK);
    app.ctx.clock.advance(Duration::days(15));
    let late = as_someone(&app, "GET", "/api/auth/me", &cookie).await;
    assert_eq!(late.outcome(), (401, Some(ProblemCode::Unauthenticated)));
}

#[tokio::test]
async fn search_answers_everyone_once_the_index_is_there() {
    let app = TestApp::start().await;
    let early = get(&app.ctx, "/api/search?q=privacy").await;
    assert_eq!(early.outcome(), (503, Some(ProblemCode::Unavailable)));
    assert_eq!(early.header(header::RETRY_AFTER), "5");

    search::prepare(&app.ctx, openapi::document()).await.expect("built");
    let found = get(&app.ctx, "/api/search?q=privacy&limit=2").await;
    assert_eq!(found.outcome(), (200, None));
    let results = found.json();
    assert_eq!(results["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(results["items"][0]["kind"], "legal");
    assert!(results["items"][0]["excerptHtml"].is_string(), "{results}");
    assert!(results["total"].as_u64() >= Some(2));

    let empty = get(&app.ctx, "/api/search?q=").await;
    assert_eq!(empty.json(), json!({ "items": [], "total": 0, "facets": [], "corrected": null }));
    let legal = get(&app.ctx, "/api/search?q=privacy&kind=legal&typing=true").await.json();
    assert!(legal["items"].as_array().is_some_and(|items| items.iter().all(|hit| hit["kind"] == "legal")));
    let facets = legal["facets"].as_array().expect("facets");
    let of_legal = facets.iter().find(|facet| facet["kind"] == "legal").expect("legal pages are found");
    assert_eq!(of_legal["count"], legal["total"]);
    assert!(facets.len() > 1, "the other kinds are counted all the same: {legal}");
    let rest = get(&app.ctx, "/api/search?q=privacy&kind=legal&offset=1").await.json();
    assert_eq!(rest["items"][0]["url"], legal["items"][1]["url"]);
    let most = get(&app.ctx, "/api/search?q=the&limit=4000000").await;
    assert!(most.json()["items"].as_array().is_some_and(|items| items.len() <= search::MAX_RESULTS));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let app = TestApp::start().await;
    for path in [
        "/api/search",
        "/api/search?limit=2",
        "/api/search?q=a&limit=many",
        "/api/search?q=a&limit=-1",
        "/api/search?q=a&kind=nothing",
        "/api/search?q=a&typing=perhaps",
    ] {
        assert_eq!(get(&app.ctx, path).await.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let app = TestApp::start().await;
    for path in ["/api/nothing", "/api/v1/nothing", "/api/auth", "/api/search/more"] {
        assert_eq!(get(&app.ctx, path).await.outcome(), (404, Some(ProblemCode::NotFound)), "{path}");
    }
    assert_eq!(call("POST", "/api/search?q=a").send(&app.ctx).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_document_describes_every_route_and_is_sent_once() {
    let app = TestApp::start().await;
    let answer = get(&app.ctx, "/api/openapi.json").await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json(), *openapi::document());

    let etag = answer.header(header::ETAG);
    for known in [etag.to_owned(), format!("\"other\", W/{etag}")] {
        let again = call("GET", "/api/openapi.json").header(header::IF_NONE_MATCH, known.as_str());
        let again = again.send(&app.ctx).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
    }
    for (method, path, _) in operations(&app) {
        let status = call(&method, &path).send(&app.ctx).await.status;
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        // An article that nobody wrote is not found by anybody, and there is none here.
        let of_an_article = path.starts_with("/api/support/knowledge-base/");
        assert!(of_an_article || status != StatusCode::NOT_FOUND, "{method} {path}");
    }
}
