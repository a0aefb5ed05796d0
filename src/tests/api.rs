//! The API's router by itself: statuses, bodies, and the problem that an error carries to the outermost layer.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use devforge::{
    api::{self, openapi},
    context::Context,
    contract::{
        account::{Role, User},
        id::SessionId,
        problem::{Problem, ProblemCode},
    },
    search,
    session::{self, PostgresSessions},
};
use serde_json::{Value, json};
use time::Duration;
use tower::ServiceExt;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

use crate::support::TestApp;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    problem: Option<Problem>,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status, and the code of the problem when there is one.
    fn outcome(&self) -> (u16, Option<ProblemCode>) {
        (self.status.as_u16(), self.problem.as_ref().map(|problem| problem.code))
    }
}

async fn ask(ctx: &Context, method: &str, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
    let router: Router = api::router().with_state(ctx.clone());
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("the router always answers");
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, 1_000_000).await.expect("a short body");
    Answer {
        status: parts.status,
        problem: parts.extensions.remove::<Problem>(),
        headers: parts.headers,
        body,
    }
}

async fn get(ctx: &Context, path: &str) -> Answer {
    ask(ctx, "GET", path, &[]).await
}

async fn as_someone(ctx: &Context, method: &str, path: &str, cookie: &str) -> Answer {
    ask(ctx, method, path, &[(header::COOKIE, cookie)]).await
}

/// A session in the table, as signing in makes one, and the cookie that goes with it.
async fn cookie(ctx: &Context, number: i128, user: &User) -> String {
    let data = [
        (session::KEY_ACCOUNT.to_owned(), json!(user.id.to_string())),
        (session::KEY_DEVICE.to_owned(), json!("Firefox on Linux")),
    ];
    let expiry_date = ctx.clock.now() + Duration::days(90);
    let mut record = Record { id: Id(number), data: data.into_iter().collect(), expiry_date };
    PostgresSessions::new(ctx).create(&mut record).await.expect("created");
    format!("theme=dark; {}={}", session::cookie_name(&ctx.config), record.id)
}

async fn only_session(ctx: &Context, user: &User) -> SessionId {
    session::list(ctx, user.id, None).await.expect("listed").remove(0).id
}

#[tokio::test]
async fn nobody_is_told_to_sign_in() {
    let app = TestApp::start().await;
    let nobodys = SessionId::from_uuid(app.ctx.random.uuid_v7(app.ctx.clock.now()));
    for (method, path) in [
        ("GET", "/api/auth/me".to_owned()),
        ("GET", "/api/v1/auth/me".to_owned()),
        ("GET", "/api/auth/sessions".to_owned()),
        ("DELETE", format!("/api/auth/sessions/{nobodys}")),
    ] {
        for cookie in ["", "session=", "session=AAAAAAAAAAAAAAAAAAAAAA", "session=%%%; session", "other=1"] {
            let answer = as_someone(&app.ctx, method, &path, cookie).await;
            assert_eq!(
                answer.outcome(),
                (401, Some(ProblemCode::Unauthenticated)),
                "{method} {path} {cookie}"
            );
            assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
        }
    }
}

#[tokio::test]
async fn a_caller_learns_who_they_are() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Support).await;
    let cookie = cookie(&app.ctx, 7, &ada).await;
    for path in ["/api/auth/me", "/api/v1/auth/me"] {
        let answer = as_someone(&app.ctx, "GET", path, &cookie).await;
        assert_eq!(answer.outcome(), (200, None));
        let expected = json!({
            "user": {
                "id": ada.id.to_string(),
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "role": "support",
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
    let cookie = cookie(&app.ctx, 7, &ada).await;
    let id = only_session(&app.ctx, &ada).await;
    let listed = as_someone(&app.ctx, "GET", "/api/auth/sessions", &cookie).await;
    assert_eq!(listed.outcome(), (200, None));
    let expected = json!({
        "items": [{
            "id": id.to_string(),
            "device": "Firefox on Linux",
            "current": true,
            "createdAt": "2026-11-20T10:00:00Z",
            "lastSeenAt": "2026-11-20T10:00:00Z",
        }],
        "nextCursor": null,
    });
    assert_eq!(listed.json(), expected);

    let path = format!("/api/auth/sessions/{id}");
    let ended = as_someone(&app.ctx, "DELETE", &path, &cookie).await;
    assert_eq!((ended.outcome(), ended.body.len()), ((204, None), 0));
    let after = as_someone(&app.ctx, "GET", "/api/auth/me", &cookie).await;
    assert_eq!(after.outcome(), (401, Some(ProblemCode::Unauthenticated)));
}

#[tokio::test]
async fn foreign_missing_and_unreadable_sessions_look_the_same() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Admin).await;
    let other = app.person("other@example.com", Role::Customer).await;
    let cookie = {
        let own = cookie(&app.ctx, 7, &ada).await;
        cookie(&app.ctx, 8, &other).await;
        own
    };
    let foreign = only_session(&app.ctx, &other).await.to_string();
    let missing = SessionId::from_uuid(app.ctx.random.uuid_v7(app.ctx.clock.now())).to_string();
    let other_kind = ada.id.to_string();
    let mut details = Vec::new();
    for id in [foreign.as_str(), missing.as_str(), other_kind.as_str(), "1", "ses_", "%F0%9F%94%A5"] {
        let answer = as_someone(&app.ctx, "DELETE", &format!("/api/auth/sessions/{id}"), &cookie).await;
        assert_eq!(answer.outcome(), (404, Some(ProblemCode::NotFound)), "{id}");
        details.extend(answer.problem.map(|problem| problem.detail));
    }
    details.dedup();
    assert_eq!(details.len(), 1, "{details:?}");
    assert_eq!(only_session(&app.ctx, &other).await.to_string(), foreign, "it goes on");
}

#[tokio::test]
async fn a_session_that_has_ended_by_time_lets_nobody_in() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let cookie = cookie(&app.ctx, 7, &ada).await;
    app.ctx.clock.advance(Duration::days(13));
    // Being used, it goes on for as long again.
    assert_eq!(as_someone(&app.ctx, "GET", "/api/auth/me", &cookie).await.status, StatusCode::OK);
    app.ctx.clock.advance(Duration::days(13));
    assert_eq!(as_someone(&app.ctx, "GET", "/api/auth/me", &cookie).await.status, StatusCode::OK);
    app.ctx.clock.advance(Duration::days(15));
    let late = as_someone(&app.ctx, "GET", "/api/auth/me", &cookie).await;
    assert_eq!(late.outcome(), (401, Some(ProblemCode::Unauthenticated)));
}

#[tokio::test]
async fn search_answers_everyone_once_the_index_is_there() {
    let app = TestApp::start().await;
    let early = get(&app.ctx, "/api/search?q=privacy").await;
    assert_eq!(early.outcome(), (503, Some(ProblemCode::Unavailable)));
    assert_eq!(early.header(header::RETRY_AFTER), "5");

    let documents = search::collect(&app.ctx.content, openapi::document());
    app.ctx.search.prepare(&documents, &app.ctx.random).expect("built");
    let found = get(&app.ctx, "/api/search?q=privacy&limit=2").await;
    assert_eq!(found.outcome(), (200, None));
    let results = found.json();
    assert_eq!(results["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(results["items"][0]["kind"], "legal");
    assert!(results["items"][0]["excerptHtml"].is_string(), "{results}");
    assert!(results["total"].as_u64() >= Some(2));

    let empty = get(&app.ctx, "/api/search?q=").await;
    assert_eq!(empty.json(), json!({ "items": [], "total": 0 }));
    let most = get(&app.ctx, "/api/search?q=the&limit=4000000").await;
    assert!(most.json()["items"].as_array().is_some_and(|items| items.len() <= search::MAX_RESULTS));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let app = TestApp::start().await;
    for path in
        ["/api/search", "/api/search?limit=2", "/api/search?q=a&limit=many", "/api/search?q=a&limit=-1"]
    {
        assert_eq!(get(&app.ctx, path).await.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let app = TestApp::start().await;
    for path in ["/api/nothing", "/api/v1/nothing", "/api/auth", "/api/search/more"] {
        assert_eq!(get(&app.ctx, path).await.outcome(), (404, Some(ProblemCode::NotFound)), "{path}");
    }
    assert_eq!(ask(&app.ctx, "POST", "/api/search?q=a", &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_document_describes_every_route_and_is_sent_once() {
    let app = TestApp::start().await;
    let answer = get(&app.ctx, "/api/openapi.json").await;
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json(), *openapi::document());

    let etag = answer.header(header::ETAG);
    for known in [etag.to_owned(), format!("\"other\", W/{etag}")] {
        let again =
            ask(&app.ctx, "GET", "/api/openapi.json", &[(header::IF_NONE_MATCH, known.as_str())]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
    }
    for (method, path) in api::operations() {
        let path = format!("/api{}", path.replace("{id}", "1"));
        let status = ask(&app.ctx, &method, &path, &[]).await.status;
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(status != StatusCode::NOT_FOUND || path.ends_with("/1"), "{method} {path}");
    }
}
