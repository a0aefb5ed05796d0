//! Refresh tokens: each good once, a retry forgiven, a copy found out.

use devforge::{
    context::Context,
    contract::{account::Role, problem::ProblemCode},
    session::ACCESS_FOR,
};
use serde_json::json;
use time::Duration;

use super::ADA;
use crate::{
    api::client::{Answer, Tokens, call, log_in, mails, me, post},
    support::TestApp,
};

async fn refresh(ctx: &Context, token: &str) -> Answer {
    post(ctx, "/api/auth/refresh", &json!({ "refreshToken": token })).await
}

#[tokio::test]
async fn two_at_once_are_given_the_same_successor_on_any_node() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let other_node = app.second().await;
    let first = log_in(&app.ctx, &ada).await;
    let (here, there) = tokio::join!(refresh(&app.ctx, &first.refresh), refresh(&other_node, &first.refresh));
    assert_eq!((here.outcome(), there.outcome()), ((200, None), (200, None)));
    let (here, there) = (Tokens::of(&here), Tokens::of(&there));
    assert_eq!(here.refresh, there.refresh);
    assert_ne!(here.refresh, first.refresh);

    // A retry within the grace, because the answer got lost.
    app.ctx.clock.advance(Duration::seconds(29));
    assert_eq!(Tokens::of(&refresh(&app.ctx, &first.refresh).await).refresh, here.refresh);
    for tokens in [&here, &there] {
        assert_eq!(me(&app.ctx, &tokens.access).await.status, 200);
    }
    assert_eq!(refresh(&app.ctx, &here.refresh).await.status, 200, "the successor is still good");
}

#[tokio::test]
async fn a_used_one_again_ends_its_session_and_its_owner_is_told() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let stolen = log_in(&app.ctx, &ada).await;
    let elsewhere = log_in(&app.ctx, &ada).await;
    let thief = Tokens::of(&refresh(&app.ctx, &stolen.refresh).await);

    app.ctx.clock.advance(Duration::seconds(31));
    let found_out = refresh(&app.ctx, &stolen.refresh).await;
    assert_eq!(found_out.outcome(), (401, Some(ProblemCode::RefreshReused)));
    assert_eq!(mails(&app, "refresh_reused").await, 1);
    for access in [&stolen.access, &thief.access] {
        assert_eq!(me(&app.ctx, access).await.outcome(), (401, Some(ProblemCode::Unauthenticated)));
    }
    for token in [&stolen.refresh, &thief.refresh] {
        assert_eq!(refresh(&app.ctx, token).await.outcome(), (401, Some(ProblemCode::Unauthenticated)));
    }
    assert_eq!(mails(&app, "refresh_reused").await, 1, "told once");
    assert_eq!(me(&app.ctx, &elsewhere.access).await.status, 200, "other sessions go on");
    assert_eq!(refresh(&app.ctx, &elsewhere.refresh).await.status, 200);
}

#[tokio::test]
async fn what_was_never_a_refresh_token_is_refused() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let tokens = log_in(&app.ctx, &ada).await;
    let too_long = format!("dfr_{}", "a".repeat(10_000));
    let cut = &tokens.refresh[..tokens.refresh.len() - 1];
    for token in ["", "dfr_", "dfr_x", "dfp_x", "\u{0}", &too_long, cut, &tokens.access] {
        let refused = refresh(&app.ctx, token).await;
        assert_eq!(refused.outcome(), (401, Some(ProblemCode::Unauthenticated)), "{token:.20}");
    }
    assert_eq!(me(&app.ctx, &tokens.refresh).await.status, 401, "nor does it say who is calling");
    assert_eq!(refresh(&app.ctx, &tokens.refresh).await.status, 200, "none of that used it up");
}

#[tokio::test]
async fn a_session_goes_on_for_as_long_as_it_is_refreshed_and_no_longer() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let mut tokens = log_in(&app.ctx, &ada).await;
    for _ in 0..3 {
        app.ctx.clock.advance(Duration::days(13));
        assert_eq!(me(&app.ctx, &tokens.access).await.status, 401, "an access token lasts {ACCESS_FOR}");
        tokens = Tokens::of(&refresh(&app.ctx, &tokens.refresh).await);
        assert_eq!(me(&app.ctx, &tokens.access).await.status, 200);
    }
    app.ctx.clock.advance(Duration::days(15));
    let late = refresh(&app.ctx, &tokens.refresh).await;
    assert_eq!(late.outcome(), (401, Some(ProblemCode::Unauthenticated)));
}

#[tokio::test]
async fn a_session_that_is_ended_takes_its_tokens_along() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let (one, other) = (log_in(&app.ctx, &ada).await, log_in(&app.ctx, &ada).await);
    let listed = call("GET", "/api/auth/sessions").bearer(&one.access).send(&app.ctx).await.json();
    let sessions = listed["items"].as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session["kind"] == "api"));
    let foreign = sessions.iter().find(|session| session["current"] == false).expect("the other one");
    let path = format!("/api/auth/sessions/{}", foreign["id"].as_str().expect("an id"));

    assert_eq!(call("DELETE", &path).bearer(&one.access).send(&app.ctx).await.status, 204);
    assert_eq!(me(&app.ctx, &other.access).await.status, 401);
    assert_eq!(refresh(&app.ctx, &other.refresh).await.outcome(), (401, Some(ProblemCode::Unauthenticated)));
    assert_eq!(me(&app.ctx, &one.access).await.status, 200);
}
