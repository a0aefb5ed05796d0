//! Personal tokens over the API: made, used for what their scopes say, listed, revoked.

use devforge::{
    context::Context,
    contract::{account::Role, problem::ProblemCode},
};
use serde_json::{Value, json};
use time::Duration;

use super::ADA;
use crate::{
    api::client::{Answer, call, log_in, me},
    support::TestApp,
};

async fn make(ctx: &Context, access: &str, body: &Value) -> Answer {
    call("POST", "/api/auth/tokens").bearer(access).json(body).send(ctx).await
}

fn new(scopes: &[&str]) -> Value {
    json!({ "name": "Continuous integration", "scopes": scopes })
}

async fn made(app: &TestApp, access: &str, scopes: &[&str]) -> String {
    let answer = make(&app.ctx, access, &new(scopes)).await;
    assert_eq!(answer.outcome(), (201, None), "{:?}", answer.problem);
    answer.text("token")
}

#[tokio::test]
async fn a_token_is_told_once_and_listed_without_itself() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let access = log_in(&app.ctx, &ada).await.access;
    let created = make(&app.ctx, &access, &new(&["account:read", "account:read"])).await;
    assert_eq!(created.outcome(), (201, None));
    let token = created.text("token");
    assert!(token.starts_with("dfp_"), "{token}");
    let told = created.json();
    assert_eq!(told["scopes"], json!(["account:read"]));
    assert_eq!(told["expiresAt"], "2027-02-18T10:00:00Z", "ninety days");
    assert!(token.ends_with(told["hint"].as_str().expect("a hint")));

    let list = call("GET", "/api/auth/tokens").bearer(&access).send(&app.ctx).await;
    assert_eq!(list.outcome(), (200, None));
    assert!(!String::from_utf8_lossy(&list.body).contains(&token));
    let items = list.json()["items"].clone();
    assert_eq!((items.as_array().map(Vec::len), &items[0]["id"]), (Some(1), &told["id"]));
    assert_eq!(items[0]["lastUsedAt"], Value::Null);
}

#[tokio::test]
async fn a_token_reads_what_its_scope_names_and_changes_nothing_of_the_account() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Admin).await;
    let access = log_in(&app.ctx, &ada).await.access;
    let token = made(&app, &access, &["account:read", "releases:publish"]).await;
    assert_eq!(me(&app.ctx, &token).await.json()["user"]["email"], ADA);
    for path in ["/api/auth/sessions", "/api/auth/tokens"] {
        assert_eq!(call("GET", path).bearer(&token).send(&app.ctx).await.outcome(), (200, None), "{path}");
    }
    for (method, path, body) in [
        ("POST", "/api/auth/tokens", Some(new(&["account:read"]))),
        ("DELETE", "/api/auth/tokens/tok_01h2xcejqtf2nbrexx3vqjhp41", None),
        ("DELETE", "/api/auth/sessions/ses_01h2xcejqtf2nbrexx3vqjhp41", None),
        ("POST", "/api/auth/2fa/setup", None),
        ("POST", "/api/auth/2fa/enable", Some(json!({ "code": "123456" }))),
        ("POST", "/api/auth/2fa/disable", None),
        ("POST", "/api/auth/2fa/recovery-codes", None),
        ("POST", "/api/auth/verify-email", Some(json!({}))),
        ("POST", "/api/auth/logout", None),
    ] {
        let call = call(method, path).bearer(&token);
        let call = if let Some(body) = &body { call.json(body) } else { call };
        let outcome = call.send(&app.ctx).await.outcome();
        assert_eq!(outcome, (403, Some(ProblemCode::InsufficientScope)), "{method} {path}");
    }
    assert_eq!(me(&app.ctx, &token).await.status, 200, "and goes on being good");
}

#[tokio::test]
async fn a_token_without_the_scope_is_told_which_one_it_takes() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let access = log_in(&app.ctx, &ada).await.access;
    let token = made(&app, &access, &["licenses:read"]).await;
    let refused = me(&app.ctx, &token).await;
    assert_eq!(refused.outcome(), (403, Some(ProblemCode::InsufficientScope)));
    let detail = refused.problem.map(|problem| problem.detail).unwrap_or_default();
    assert!(detail.contains("`account:read`"), "{detail}");
}

#[tokio::test]
async fn a_token_with_mistakes_is_not_made() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let access = log_in(&app.ctx, &ada).await.access;
    for (body, field) in [
        (json!({ "name": " ", "scopes": ["account:read"] }), "name"),
        (json!({ "name": "x".repeat(101), "scopes": ["account:read"] }), "name"),
        (json!({ "name": "CI", "scopes": [] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["releases:publish"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["account:write"] }), "scopes[0]"),
        (json!({ "name": "CI", "scopes": ["account:read"], "expiresInDays": 0 }), "expiresInDays"),
        (json!({ "name": "CI", "scopes": ["account:read"], "expiresInDays": 367 }), "expiresInDays"),
        (json!({ "name": "CI", "scopes": ["account:read"], "expiresInDays": -1 }), "expiresInDays"),
        (json!({ "name": "CI" }), "scopes"),
    ] {
        let refused = make(&app.ctx, &access, &body).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{body}");
        assert_eq!(refused.mistakes()[0].0, field, "{body}");
    }
    let list = call("GET", "/api/auth/tokens").bearer(&access).send(&app.ctx).await.json();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn a_token_ends_by_time_and_by_its_owner() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let other = app.person("other@example.com", Role::Admin).await;
    let access = log_in(&app.ctx, &ada).await.access;
    let body = json!({ "name": "For a day", "scopes": ["account:read"], "expiresInDays": 1 });
    let short = make(&app.ctx, &access, &body).await;
    let kept = make(&app.ctx, &access, &new(&["account:read"])).await;
    let path = format!("/api/auth/tokens/{}", kept.text("id"));

    let theirs = log_in(&app.ctx, &other).await.access;
    let foreign = call("DELETE", &path).bearer(&theirs).send(&app.ctx).await;
    assert_eq!(foreign.outcome(), (404, Some(ProblemCode::NotFound)));
    assert_eq!(me(&app.ctx, &kept.text("token")).await.status, 200);

    let revoked = call("DELETE", &path).bearer(&access).send(&app.ctx).await;
    assert_eq!((revoked.outcome(), revoked.body.len()), ((204, None), 0));
    assert_eq!(me(&app.ctx, &kept.text("token")).await.status, 401);
    let again = call("DELETE", &path).bearer(&access).send(&app.ctx).await;
    assert_eq!(again.outcome(), (404, Some(ProblemCode::NotFound)));

    app.ctx.clock.advance(Duration::days(1) - Duration::SECOND);
    assert_eq!(me(&app.ctx, &short.text("token")).await.status, 200);
    app.ctx.clock.advance(Duration::SECOND);
    assert_eq!(me(&app.ctx, &short.text("token")).await.status, 401);
}

#[tokio::test]
async fn a_token_outlives_the_session_that_made_it_and_a_mistyped_one_is_refused() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let access = log_in(&app.ctx, &ada).await.access;
    let token = made(&app, &access, &["account:read"]).await;
    assert_eq!(call("POST", "/api/auth/logout").bearer(&access).send(&app.ctx).await.status, 200);
    assert_eq!(me(&app.ctx, &token).await.status, 200);
    let last = if token.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{last}", &token[..token.len() - 1]);
    for wrong in [mistyped.as_str(), &token[..token.len() - 1], "dfp_", "dfp_x"] {
        assert_eq!(me(&app.ctx, wrong).await.outcome(), (401, Some(ProblemCode::Unauthenticated)), "{wrong}");
    }
}
