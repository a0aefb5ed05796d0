//! The second factor over the API: from the secret to the recovery codes, and signing in with either.

use devforge::{
    context::Context,
    contract::{account::Role, problem::ProblemCode},
};
use serde_json::{Value, json};
use time::Duration;
use totp_rs::{Algorithm, Builder, Secret};

use super::{ADA, login};
use crate::{
    api::client::{Answer, Tokens, call, log_in, me, post},
    support::{PASSWORD, TestApp},
};

/// What the app shows now.
fn shown(ctx: &Context, secret: &str) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let app = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(secret)
        .build()
        .expect("as the address in the QR code says");
    app.generate(ctx.clock.now().unix_timestamp().unsigned_abs()).to_string()
}

/// A code that is not the one shown, nor those next to it.
fn wrong(ctx: &Context, secret: &str) -> String {
    let near: Vec<String> = [-30, 0, 30]
        .into_iter()
        .map(|seconds| {
            ctx.clock.advance(Duration::seconds(seconds));
            let code = shown(ctx, secret);
            ctx.clock.advance(Duration::seconds(-seconds));
            code
        })
        .collect();
    let codes = ["000000", "000001", "000002", "000003"];
    codes.into_iter().find(|code| !near.iter().any(|near| near == code)).expect("one of four").to_owned()
}

async fn step(ctx: &Context, token: &str, what: &str, body: Option<&Value>) -> Answer {
    let path = format!("/api/auth/2fa/{what}");
    let call = call("POST", &path).bearer(token);
    let call = if let Some(body) = body { call.json(body) } else { call };
    call.send(ctx).await
}

async fn enter(ctx: &Context, code: &str) -> Answer {
    let mut body = login(ADA, PASSWORD);
    body["code"] = json!(code);
    post(ctx, "/api/auth/login", &body).await
}

fn codes(answer: &Answer) -> Vec<String> {
    serde_json::from_value(answer.json()["recoveryCodes"].clone()).expect("a list of codes")
}

/// Turns it on for Ada: her token, the app's secret, the recovery codes.
async fn turned_on(app: &TestApp) -> (Tokens, String, Vec<String>) {
    let ada = app.person(ADA, Role::Customer).await;
    let tokens = log_in(&app.ctx, &ada).await;
    let secret = step(&app.ctx, &tokens.access, "setup", None).await.text("secret");
    let code = json!({ "code": shown(&app.ctx, &secret) });
    let enabled = step(&app.ctx, &tokens.access, "enable", Some(&code)).await;
    assert_eq!(enabled.outcome(), (200, None), "{:?}", enabled.problem);
    // The next code is another one.
    app.ctx.clock.advance(Duration::seconds(30));
    (tokens, secret, codes(&enabled))
}

#[tokio::test]
async fn nothing_is_asked_for_before_a_code_was_right() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let token = log_in(&app.ctx, &ada).await.access;
    let setup = step(&app.ctx, &token, "setup", None).await;
    assert_eq!(setup.outcome(), (200, None));
    let secret = setup.text("secret");
    assert!(setup.text("otpauthUrl").starts_with("otpauth://totp/"), "{}", setup.text("otpauthUrl"));
    assert!(setup.text("otpauthUrl").contains(&secret));
    assert!(setup.text("qrSvg").starts_with("<svg"), "{}", setup.text("qrSvg"));

    let code = json!({ "code": wrong(&app.ctx, &secret) });
    let refused = step(&app.ctx, &token, "enable", Some(&code)).await;
    assert_eq!(refused.outcome(), (401, Some(ProblemCode::InvalidCode)));
    assert_eq!(me(&app.ctx, &token).await.json()["user"]["twoFactorEnabled"], false);
    assert_eq!(post(&app.ctx, "/api/auth/login", &login(ADA, PASSWORD)).await.status, 200);

    let off = step(&app.ctx, &token, "recovery-codes", None).await;
    assert_eq!(off.outcome(), (409, Some(ProblemCode::Conflict)));
}

#[tokio::test]
async fn a_code_is_asked_for_after_the_password_and_is_right_once() {
    let app = TestApp::start().await;
    let (tokens, secret, recovery) = turned_on(&app).await;
    assert_eq!(recovery.len(), 10);
    assert_eq!(me(&app.ctx, &tokens.access).await.json()["user"]["twoFactorEnabled"], true);

    let asked = post(&app.ctx, "/api/auth/login", &login(ADA, PASSWORD)).await;
    assert_eq!(asked.outcome(), (401, Some(ProblemCode::TwoFactorRequired)));
    let guessed = post(&app.ctx, "/api/auth/login", &login(ADA, "not the password")).await;
    assert_eq!(guessed.outcome(), (401, Some(ProblemCode::InvalidCredentials)), "the password comes first");

    let refused = enter(&app.ctx, &wrong(&app.ctx, &secret)).await;
    assert_eq!(refused.outcome(), (401, Some(ProblemCode::InvalidCode)));
    let code = shown(&app.ctx, &secret);
    let entered = enter(&app.ctx, &code).await;
    assert_eq!((entered.outcome(), entered.json()["user"]["email"].clone()), ((200, None), json!(ADA)));
    let again = enter(&app.ctx, &code).await;
    assert_eq!(again.outcome(), (401, Some(ProblemCode::InvalidCode)), "somebody looked over a shoulder");
}

#[tokio::test]
async fn a_code_sent_twice_at_once_lets_one_in() {
    let app = TestApp::start().await;
    let (_, secret, _) = turned_on(&app).await;
    let code = shown(&app.ctx, &secret);
    let (one, other) = tokio::join!(enter(&app.ctx, &code), enter(&app.ctx, &code));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_until_there_are_new_ones() {
    let app = TestApp::start().await;
    let (tokens, _, old) = turned_on(&app).await;
    assert_eq!(enter(&app.ctx, &old[0]).await.status, 200);
    assert_eq!(enter(&app.ctx, &old[0]).await.outcome(), (401, Some(ProblemCode::InvalidCode)));
    // As people copy it.
    assert_eq!(enter(&app.ctx, &format!(" {} ", old[1].to_uppercase())).await.status, 200);

    let made = step(&app.ctx, &tokens.access, "recovery-codes", None).await;
    assert_eq!(made.outcome(), (200, None));
    let new = codes(&made);
    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !old.contains(code)));
    assert_eq!(enter(&app.ctx, &old[2]).await.outcome(), (401, Some(ProblemCode::InvalidCode)));
    assert_eq!(enter(&app.ctx, &new[0]).await.status, 200);
}

#[tokio::test]
async fn it_is_turned_off_by_its_owner_and_not_begun_twice() {
    let app = TestApp::start().await;
    let (tokens, ..) = turned_on(&app).await;
    let again = step(&app.ctx, &tokens.access, "setup", None).await;
    assert_eq!(again.outcome(), (409, Some(ProblemCode::Conflict)));
    let off = step(&app.ctx, &tokens.access, "disable", None).await;
    assert_eq!((off.outcome(), off.json()), ((200, None), json!({ "success": true })));
    assert_eq!(post(&app.ctx, "/api/auth/login", &login(ADA, PASSWORD)).await.status, 200);
}

#[tokio::test]
async fn what_protects_the_account_takes_a_recent_sign_in() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let tokens = log_in(&app.ctx, &ada).await;
    app.ctx.clock.advance(Duration::minutes(15));
    let refreshed = post(&app.ctx, "/api/auth/refresh", &json!({ "refreshToken": tokens.refresh })).await;
    let later = Tokens::of(&refreshed).access;
    assert_eq!(me(&app.ctx, &later).await.status, 200, "a refresh goes on with the session,");
    for what in ["setup", "disable", "recovery-codes"] {
        let refused = step(&app.ctx, &later, what, None).await;
        assert_eq!(
            refused.outcome(),
            (403, Some(ProblemCode::FreshSignInRequired)),
            "but proves nobody: {what}"
        );
    }
    let fresh = log_in(&app.ctx, &ada).await.access;
    assert_eq!(step(&app.ctx, &fresh, "setup", None).await.status, 200);
}
