//! Accounts, and who is let in.

use devforge::{
    account::{self, Error, NewAccount, Origin},
    context::Context,
    contract::{
        account::{Role, User},
        id::RequestId,
    },
};
use time::Duration;

use crate::support::{PASSWORD, TestApp};

const ADA: &str = "ada@example.com";
const WRONG: &str = "not-the-password";

async fn enter(ctx: &Context, email: &str, password: &str, address: &str) -> Result<User, Error> {
    let request_id = RequestId::from_uuid(ctx.random.uuid_v7(ctx.clock.now()));
    account::authenticate(ctx, email, password, Origin { address, request_id }).await
}

async fn from_home(ctx: &Context, email: &str, password: &str) -> Result<User, Error> {
    enter(ctx, email, password, "192.0.2.1").await
}

/// Who did what, in the order of it. Tests move the clock between what they want told apart.
async fn audited(ctx: &Context) -> Vec<(String, String, String)> {
    sqlx::query_as("select actor_kind, action, subject_id from audit_event order by recorded_at, id")
        .fetch_all(&ctx.db)
        .await
        .expect("read")
}

#[tokio::test]
async fn an_account_is_made_once_whatever_the_case_of_its_address() {
    let app = TestApp::start().await;
    let made = app.person(" Ada@Example.COM ", Role::Developer).await;
    assert_eq!((made.email.as_str(), made.role), ("Ada@example.com", Role::Developer));
    assert_eq!(made.created_at, app.ctx.clock.now());

    for email in ["Ada@example.com", "aDA@EXAMPLE.com"] {
        let new = NewAccount { email, name: "Another", role: Role::Admin, password: PASSWORD };
        let refused = account::create(&app.ctx, new).await;
        assert!(matches!(refused, Err(Error::EmailTaken)), "{email}");
    }
    assert_eq!(account::count(&app.ctx).await.expect("counted"), 1);
}

#[tokio::test]
async fn particulars_with_mistakes_are_refused_field_by_field() {
    let app = TestApp::start().await;
    let new = NewAccount { email: "ada", name: " ", role: Role::Customer, password: "short" };
    let Err(Error::Invalid(problems)) = account::create(&app.ctx, new).await else {
        panic!("nothing of it is right");
    };
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["email", "name", "password"]);
    assert_eq!(account::count(&app.ctx).await.expect("counted"), 0);
    assert!(audited(&app.ctx).await.is_empty());
}

#[tokio::test]
async fn the_password_is_stored_as_a_hash_only() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let row: String =
        sqlx::query_scalar("select a::text from account a").fetch_one(&app.ctx.db).await.expect("read");
    assert!(row.contains("$argon2id$") && !row.contains(PASSWORD), "{row}");
}

#[tokio::test]
async fn only_the_right_password_lets_in_and_every_refusal_looks_the_same() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let entered = from_home(&app.ctx, " ADA@EXAMPLE.com ", PASSWORD).await.expect("let in");
    assert_eq!(entered, ada);

    let too_long = "x".repeat(10_000);
    for (email, password) in [
        (ADA, WRONG),
        (ADA, ""),
        (ADA, too_long.as_str()),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
    ] {
        let refused = from_home(&app.ctx, email, password).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{email:?} gives {refused:?}");
    }
}

#[tokio::test]
async fn what_happened_to_an_account_is_in_the_audit_log_without_its_address() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    for (email, password) in [(ADA, WRONG), ("nobody@example.com", WRONG), (ADA, PASSWORD)] {
        app.ctx.clock.advance(Duration::seconds(1));
        let _ = from_home(&app.ctx, email, password).await;
    }
    let id = ada.id.to_string();
    let expected = [
        ("system", "account.created", id.as_str()),
        ("anonymous", "account.sign_in_failed", id.as_str()),
        ("anonymous", "account.sign_in_failed", "unknown"),
        ("user", "account.signed_in", id.as_str()),
    ];
    let audited = audited(&app.ctx).await;
    let told: Vec<_> =
        audited.iter().map(|(who, what, whom)| (who.as_str(), what.as_str(), whom.as_str())).collect();
    assert_eq!(told, expected);

    let personal: i64 =
        sqlx::query_scalar("select count(*) from audit_event e where e::text ilike '%example.com%'")
            .fetch_one(&app.ctx.db)
            .await
            .expect("looked for");
    assert_eq!(personal, 0);
}

#[tokio::test]
async fn ten_wrong_tries_make_an_account_wait_and_its_password_does_not_help() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    for number in 0..10 {
        // Guessing from many places is guessing all the same.
        let refused = enter(&app.ctx, ADA, WRONG, &format!("192.0.2.{number}")).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "try {number}");
    }
    let Err(Error::TooManyTries { retry_after }) = from_home(&app.ctx, "ADA@example.com", PASSWORD).await
    else {
        panic!("the eleventh try waits");
    };
    assert_eq!(retry_after.as_secs(), 15 * 60);

    app.ctx.clock.advance(Duration::seconds(15 * 60 - 1));
    assert!(matches!(from_home(&app.ctx, ADA, PASSWORD).await, Err(Error::TooManyTries { .. })));
    app.ctx.clock.advance(Duration::seconds(1));
    from_home(&app.ctx, ADA, PASSWORD).await.expect("let in after the wait");
}

#[tokio::test]
async fn who_knows_the_password_starts_with_a_clean_slate() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    for _ in 0..2 {
        for _ in 0..9 {
            let refused = from_home(&app.ctx, ADA, WRONG).await;
            assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
        }
        from_home(&app.ctx, ADA, PASSWORD).await.expect("let in");
    }
}

#[tokio::test]
async fn two_hundred_tries_make_a_place_wait_and_no_other() {
    let app = TestApp::start().await;
    for number in 0..200 {
        let refused = from_home(&app.ctx, &format!("nobody-{number}@example.com"), WRONG).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "try {number}");
    }
    let refused = from_home(&app.ctx, "nobody@example.com", WRONG).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    let elsewhere = enter(&app.ctx, "nobody@example.com", WRONG, "198.51.100.7").await;
    assert!(matches!(elsewhere, Err(Error::InvalidCredentials)), "{elsewhere:?}");
}
