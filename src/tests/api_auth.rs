//! Accounts over the API: making one, signing in and out, proving the address, forgotten passwords, and bodies that
//! are not what they should be.

mod forged;
mod personal_tokens;
mod refresh;
mod two_factor;

use axum::http::header;
use devforge::{
    account::administration,
    contract::{account::Role, problem::ProblemCode},
    session,
};
use serde_json::{Value, json};

use crate::{
    api::client::{Tokens, call, cookie, credentials, log_in, mailed, mails, me, post},
    support::{PASSWORD, TestApp},
};

const ADA: &str = "ada@example.com";
const STRONG: &str = "violet tugboat 41 canyon";

fn registration(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "name": "Ada Lovelace" })
}

fn login(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

#[tokio::test]
async fn from_registering_to_signing_out() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let made = post(ctx, "/api/auth/register", &registration(ADA, STRONG)).await;
    assert_eq!(made.outcome(), (201, None), "{:?}", made.problem);
    let user = made.json()["user"].clone();
    assert_eq!((&user["email"], &user["role"]), (&json!(ADA), &json!("customer")));
    assert_eq!((&user["emailVerified"], &user["twoFactorEnabled"]), (&json!(false), &json!(false)));
    assert_eq!(made.json()["expiresAt"], "2026-11-20T10:15:00Z");
    assert!(!String::from_utf8_lossy(&made.body).contains(STRONG));

    let first = Tokens::of(&made);
    let told = me(ctx, &first.access).await;
    assert_eq!((told.outcome(), told.json()), ((200, None), json!({ "user": user })));

    let refreshed = post(ctx, "/api/auth/refresh", &json!({ "refreshToken": first.refresh })).await;
    assert_eq!(refreshed.outcome(), (200, None));
    let second = Tokens::of(&refreshed);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(me(ctx, &second.access).await.json(), json!({ "user": user }));

    let left = call("POST", "/api/auth/logout").bearer(&second.access).send(ctx).await;
    assert_eq!((left.outcome(), left.json()), ((200, None), json!({ "success": true })));
    assert_eq!(left.header(header::SET_COOKIE), "", "there was no cookie");
    for token in [&first.access, &second.access] {
        assert_eq!(me(ctx, token).await.outcome(), (401, Some(ProblemCode::Unauthenticated)));
    }
    for token in [&second.refresh, &first.refresh] {
        let refused = post(ctx, "/api/auth/refresh", &json!({ "refreshToken": token })).await;
        assert_eq!(refused.outcome(), (401, Some(ProblemCode::Unauthenticated)), "the family has ended");
    }
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let app = TestApp::start().await;
    assert_eq!(post(&app.ctx, "/api/auth/register", &registration(ADA, STRONG)).await.status, 201);
    for email in [ADA, "ADA@Example.COM", " Ada@example.com "] {
        let again = post(&app.ctx, "/api/auth/register", &registration(email, STRONG)).await;
        assert_eq!(again.outcome(), (409, Some(ProblemCode::EmailTaken)), "{email}");
    }
}

#[tokio::test]
async fn of_many_who_register_one_address_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let body = registration(ADA, STRONG);
    let tries = (0..6).map(|_| post(&app.ctx, "/api/auth/register", &body));
    let mut statuses: Vec<u16> =
        futures::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_weak_password_is_told_apart_from_other_mistakes() {
    let app = TestApp::start().await;
    for weak in ["short", "password1234", "aaaaaaaaaaaaaaaa", "Ada Lovelace 1"] {
        let refused = post(&app.ctx, "/api/auth/register", &registration(ADA, weak)).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::WeakPassword)), "{weak}");
        assert_eq!(refused.mistakes(), [("password".to_owned(), "weak_password".to_owned())]);
    }
    let body = json!({ "email": "ada", "password": "short", "name": " " });
    let refused = post(&app.ctx, "/api/auth/register", &body).await;
    assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)));
    let fields: Vec<String> = refused.mistakes().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["email", "name", "password"]);
}

#[tokio::test]
async fn who_may_not_sign_in_is_not_told_whether_there_is_such_an_account() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let mut problems = Vec::new();
    for (email, password) in [(ADA, "not the password"), ("nobody@example.com", PASSWORD), ("", "")] {
        let refused = post(&app.ctx, "/api/auth/login", &login(email, password)).await;
        assert_eq!(refused.outcome(), (401, Some(ProblemCode::InvalidCredentials)), "{email}");
        problems.extend(refused.problem);
    }
    problems.dedup();
    assert_eq!(problems.len(), 1, "{problems:?}");

    let entered = post(&app.ctx, "/api/auth/login", &login(" ADA@example.com ", PASSWORD)).await;
    assert_eq!(entered.outcome(), (200, None));
    assert_eq!(entered.json()["user"]["id"], ada.id.to_string());
}

#[tokio::test]
async fn guessing_is_told_to_wait() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(post(&app.ctx, "/api/auth/login", &login(ADA, "not the password")).await);
    }
    assert_eq!(answers[0].outcome(), (401, Some(ProblemCode::InvalidCredentials)));
    let last = answers.pop().expect("the twelfth");
    assert_eq!(last.outcome(), (429, Some(ProblemCode::RateLimited)));
    assert!(last.header(header::RETRY_AFTER).parse::<u64>().is_ok_and(|seconds| seconds > 0));
}

#[tokio::test]
async fn a_locked_account_says_so_to_its_owner_only() {
    let app = TestApp::start().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let ada = app.person(ADA, Role::Customer).await;
    let before = log_in(&app.ctx, &ada).await;
    administration::lock(&app.ctx, &admin, ada.id, "Chargebacks").await.expect("locked");

    let owner = post(&app.ctx, "/api/auth/login", &credentials(&ada)).await;
    assert_eq!(owner.outcome(), (423, Some(ProblemCode::Locked)));
    assert!(!format!("{:?}", owner.problem).contains("Chargebacks"), "the reason is for staff");
    let guesser = post(&app.ctx, "/api/auth/login", &login(ADA, "not the password")).await;
    assert_eq!(guesser.outcome(), (401, Some(ProblemCode::InvalidCredentials)));
    assert_eq!(me(&app.ctx, &before.access).await.status, 401);
}

#[tokio::test]
async fn a_browser_that_signs_out_over_the_api_loses_its_cookie() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let cookie = cookie(&app, &ada).await;
    let left = call("POST", "/api/auth/logout").header(header::COOKIE, &cookie).send(&app.ctx).await;
    assert_eq!(left.outcome(), (200, None));
    let set = left.header(header::SET_COOKIE);
    assert!(set.starts_with(&format!("{}=;", session::cookie_name(&app.ctx.config))), "{set}");
    assert!(set.contains("Max-Age=0") && set.contains("Path=/"), "{set}");
    let after = call("POST", "/api/auth/logout").header(header::COOKIE, cookie).send(&app.ctx).await;
    assert_eq!(after.outcome(), (401, Some(ProblemCode::Unauthenticated)));
}

#[tokio::test]
async fn an_address_is_proven_by_the_token_that_was_mailed_to_it() {
    let app = TestApp::start().await;
    let made = post(&app.ctx, "/api/auth/register", &registration(ADA, STRONG)).await;
    let tokens = Tokens::of(&made);
    let token = mailed(&app, "/verify/").await.expect("a mail with a link");
    let verify = json!({ "token": token });

    let proven = post(&app.ctx, "/api/auth/verify-email", &verify).await;
    assert_eq!((proven.outcome(), proven.json()), ((200, None), json!({ "success": true })));
    assert_eq!(me(&app.ctx, &tokens.access).await.json()["user"]["emailVerified"], true);
    for used in [verify, json!({ "token": "nothing" }), json!({ "token": "" })] {
        let again = post(&app.ctx, "/api/auth/verify-email", &used).await;
        assert_eq!(again.outcome(), (422, Some(ProblemCode::InvalidToken)), "{used}");
    }
}

#[tokio::test]
async fn the_mail_is_sent_again_to_whoever_is_signed_in_and_not_proven() {
    let app = TestApp::start().await;
    let made = post(&app.ctx, "/api/auth/register", &registration(ADA, STRONG)).await;
    let tokens = Tokens::of(&made);
    let before = mailed(&app, "/verify/").await.expect("a mail with a link");
    let again = || call("POST", "/api/auth/verify-email").json(&json!({}));

    assert_eq!(again().send(&app.ctx).await.outcome(), (401, Some(ProblemCode::Unauthenticated)));
    app.ctx.clock.advance(time::Duration::seconds(1));
    let sent = again().bearer(&tokens.access).send(&app.ctx).await;
    assert_eq!((sent.outcome(), sent.json()), ((202, None), json!({ "success": true })));
    let newest = mailed(&app, "/verify/").await.expect("a mail with a link");
    assert_ne!(before, newest);
    let old = post(&app.ctx, "/api/auth/verify-email", &json!({ "token": before })).await;
    assert_eq!(old.outcome(), (422, Some(ProblemCode::InvalidToken)), "only the newest link counts");
    assert_eq!(post(&app.ctx, "/api/auth/verify-email", &json!({ "token": newest })).await.status, 200);

    let done = again().bearer(&tokens.access).send(&app.ctx).await;
    assert_eq!(done.outcome(), (409, Some(ProblemCode::Conflict)));
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_and_signs_everybody_out() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let before = log_in(&app.ctx, &ada).await;
    let asked = post(&app.ctx, "/api/auth/reset-password", &json!({ "email": "Ada@Example.com" })).await;
    assert_eq!(asked.outcome(), (202, None));
    let token = mailed(&app, "/reset/").await.expect("a mail with a link");

    let weak = json!({ "token": token, "password": "password1234" });
    let refused = post(&app.ctx, "/api/auth/reset-password", &weak).await;
    assert_eq!(refused.outcome(), (422, Some(ProblemCode::WeakPassword)), "and the link stays good");
    let set = json!({ "token": token, "password": STRONG });
    let done = post(&app.ctx, "/api/auth/reset-password", &set).await;
    assert_eq!(
        (done.outcome(), done.json()),
        ((200, None), json!({ "success": true })),
        "{:?}",
        done.problem
    );
    assert_eq!(me(&app.ctx, &before.access).await.status, 401);
    assert_eq!(post(&app.ctx, "/api/auth/login", &credentials(&ada)).await.status, 401);
    assert_eq!(post(&app.ctx, "/api/auth/login", &login(ADA, STRONG)).await.status, 200);
    let again = post(&app.ctx, "/api/auth/reset-password", &set).await;
    assert_eq!(again.outcome(), (422, Some(ProblemCode::InvalidToken)));
}

#[tokio::test]
async fn asking_for_a_reset_does_not_tell_whether_there_is_such_an_account() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let sent = mail_count(&app).await;
    for (email, more) in [("nobody@example.com", 0), (ADA, 1)] {
        let answer = post(&app.ctx, "/api/auth/reset-password", &json!({ "email": email })).await;
        assert_eq!((answer.outcome(), answer.json()), ((202, None), json!({ "success": true })), "{email}");
        app.run_jobs().await;
        assert_eq!(mail_count(&app).await - sent, more, "{email}");
    }
    assert_eq!(mails(&app, "reset_password").await, 1);
    let mistyped = post(&app.ctx, "/api/auth/reset-password", &json!({ "email": "no address" })).await;
    assert_eq!(mistyped.outcome(), (422, Some(ProblemCode::InvalidRequest)));
    assert_eq!(mistyped.mistakes()[0].0, "email");
}

async fn mail_count(app: &TestApp) -> usize {
    devforge::mail::recent(&app.ctx, 100).await.expect("listed").len()
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_refused_by_name() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let token = log_in(&app.ctx, &ada).await.access;
    let paths = [
        ("register", "email"),
        ("login", "email"),
        ("refresh", "refreshToken"),
        ("reset-password", ""),
        ("verify-email", "token"),
        ("2fa/enable", "code"),
        ("tokens", "name"),
    ];
    for (name, field) in paths {
        let path = format!("/api/auth/{name}");
        let send = |kind: &str, body: &str| {
            let call = call("POST", &path).bearer(&token).text(body);
            let call = if kind.is_empty() { call } else { call.header(header::CONTENT_TYPE, kind) };
            call.send(&app.ctx)
        };
        for broken in ["", "{", "{\"email\":", "email=ada"] {
            let outcome = send("application/json", broken).await.outcome();
            assert_eq!(outcome, (400, Some(ProblemCode::MalformedJson)), "{name} {broken}");
        }
        for kind in ["", "text/plain", "application/x-www-form-urlencoded"] {
            let outcome = send(kind, "{}").await.outcome();
            assert_eq!(outcome, (415, Some(ProblemCode::UnsupportedMediaType)), "{name} {kind}");
        }
        let wrong = json!({ field: 5 }).to_string();
        let refused = send("application/json", &wrong).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{name} {wrong}");
        assert_eq!(refused.mistakes(), [(field.to_owned(), "invalid".to_owned())], "{name} {wrong}");
        for other in ["[]", "null", "5"] {
            let outcome = send("application/json", other).await.outcome();
            assert_eq!(outcome, (422, Some(ProblemCode::InvalidRequest)), "{name} {other}");
        }
    }
    // What we do not know is ignored, so that clients may be ahead of us.
    let more = json!({ "email": ADA, "password": PASSWORD, "captcha": [1, 2] });
    assert_eq!(post(&app.ctx, "/api/auth/login", &more).await.status, 200);
}
