//! Access tokens that are not ours, not for us, or not good any more.

use axum::http::header::AUTHORIZATION;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use devforge::{
    contract::{
        account::{Role, User},
        id::SessionId,
        problem::ProblemCode,
    },
    crypto::jwt,
    session::{ACCESS_FOR, AccessClaims, Opened},
    signing::{self, KeyPurpose},
};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use time::Duration;

use super::ADA;
use crate::{
    api::client::{call, log_in, me},
    support::TestApp,
};

/// Somebody who is signed in through the API, and what their token says.
struct Held {
    user: User,
    token: String,
    claims: Value,
}

async fn held(app: &TestApp) -> Held {
    let user = app.person(ADA, Role::Admin).await;
    let token = log_in(&app.ctx, &user).await.access;
    let claims = token.split('.').nth(1).expect("three parts");
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON");
    Held { user, token, claims }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

async fn assert_refused(app: &TestApp, what: &str, token: &str) {
    let outcome = me(&app.ctx, token).await.outcome();
    assert_eq!(outcome, (401, Some(ProblemCode::Unauthenticated)), "{what}");
}

#[tokio::test]
async fn a_token_that_chooses_how_it_is_checked_is_refused() {
    let app = TestApp::start().await;
    let held = held(&app).await;
    assert_eq!(me(&app.ctx, &held.token).await.status, 200);
    let kid = jwt::kid(&held.token).expect("it names its key");
    let [_, claims, signature] = held.token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    for header in [
        json!({ "alg": "none", "typ": "JWT" }),
        json!({ "alg": "None", "typ": "JWT", "kid": kid }),
        json!({ "alg": "HS256", "typ": "JWT", "kid": kid }),
        json!({ "alg": "RS256", "typ": "JWT", "kid": kid }),
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid, "jku": "https://evil.example/keys" }),
        json!({}),
    ] {
        let header = part(&header);
        for signature in ["", signature] {
            assert_refused(&app, &header, &format!("{header}.{claims}.{signature}")).await;
        }
        assert_refused(&app, &header, &format!("{header}.{claims}")).await;
    }
}

#[tokio::test]
async fn a_token_that_somebody_else_signed_or_changed_is_refused() {
    let app = TestApp::start().await;
    let held = held(&app).await;
    let kid = jwt::kid(&held.token).expect("it names its key");
    let theirs = SigningKey::from_bytes(&[7; 32]);
    let own_kid = jwt::thumbprint(&theirs.verifying_key());
    for kid in [kid.as_str(), &own_kid, "unknown"] {
        let forged = jwt::sign(kid, &theirs, &held.claims).expect("signed");
        assert_refused(&app, kid, &forged).await;
    }

    let [header, _, signature] = held.token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts");
    };
    let mut longer = held.claims.clone();
    longer["exp"] = json!(4_102_444_800_u64);
    assert_refused(&app, "longer", &format!("{header}.{}.{signature}", part(&longer))).await;
    for cut in [1, 20, held.token.len() / 2, held.token.len() - 1] {
        assert_refused(&app, "cut", &held.token[..cut]).await;
    }
    assert_refused(&app, "padded", &format!("{}=", held.token)).await;
    assert_refused(&app, "with more behind it", &format!("{}.x", held.token)).await;
    assert_eq!(me(&app.ctx, &held.token).await.status, 200);
}

#[tokio::test]
async fn a_token_of_ours_that_is_not_for_this_is_refused() {
    let app = TestApp::start().await;
    let held = held(&app).await;
    let ours = |field: &'static str, value: Value| {
        let mut claims = held.claims.clone();
        claims[field] = value;
        let ctx = app.ctx.clone();
        async move { signing::sign(&ctx, KeyPurpose::Access, &claims).await.expect("signed") }
    };
    // With nothing changed it is as good as the one that was given out.
    let same = ours("aud", held.claims["aud"].clone()).await;
    assert_eq!(me(&app.ctx, &same).await.status, 200);

    let now = app.ctx.clock.now().unix_timestamp();
    for (field, value) in [
        ("aud", json!("devforge-offline")),
        ("aud", json!(["devforge-api"])),
        ("aud", Value::Null),
        ("iss", json!("https://evil.example")),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!("tomorrow")),
        ("iat", json!(now + 60)),
        ("sid", json!("ses_01h2xcejqtf2nbrexx3vqjhp41")),
        ("sid", json!(held.user.id)),
        ("sid", Value::Null),
    ] {
        let what = format!("{field} {value}");
        assert_refused(&app, &what, &ours(field, value).await).await;
    }
}

#[tokio::test]
async fn a_browsers_session_has_no_access_token() {
    let app = TestApp::start().await;
    let user = app.person(ADA, Role::Customer).await;
    let Opened { session, cookie, .. } = app.sign_in(&user).await;
    let claims = AccessClaims::new(&app.ctx, user.id, session);
    let token = signing::sign(&app.ctx, KeyPurpose::Access, &claims).await.expect("signed");
    assert_refused(&app, "a browser's session", &token).await;
    assert_refused(&app, "a cookie's value", &cookie).await;
    let nobodys = SessionId::from_uuid(user.id.uuid());
    let claims = AccessClaims::new(&app.ctx, user.id, nobodys);
    let token = signing::sign(&app.ctx, KeyPurpose::Access, &claims).await.expect("signed");
    assert_refused(&app, "nobody's session", &token).await;
}

#[tokio::test]
async fn a_token_lasts_a_quarter_of_an_hour_to_the_second() {
    let app = TestApp::start().await;
    let held = held(&app).await;
    app.ctx.clock.advance(ACCESS_FOR - Duration::SECOND);
    assert_eq!(me(&app.ctx, &held.token).await.status, 200);
    app.ctx.clock.advance(Duration::SECOND);
    assert_refused(&app, "expired", &held.token).await;
}

#[tokio::test]
async fn the_way_a_token_is_sent_is_read_as_the_rfc_has_it() {
    let app = TestApp::start().await;
    let held = held(&app).await;
    for (value, status) in [
        (format!("Bearer {}", held.token), 200),
        (format!("bearer {}", held.token), 200),
        (held.token.clone(), 401),
        (format!("Token {}", held.token), 401),
        (format!("Basic {}", held.token), 401),
    ] {
        let sent = call("GET", "/api/auth/me").header(AUTHORIZATION, value.as_str());
        assert_eq!(sent.send(&app.ctx).await.status, status, "{value:.12}");
    }
    let in_query = format!("/api/auth/me?access_token={}", held.token);
    assert_eq!(call("GET", &in_query).send(&app.ctx).await.status, 401);
}
