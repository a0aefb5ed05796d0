//! Signing in: what is refused, what waits, and whom guessing cannot keep out.

use devforge::{
    account::{
        Client, Error,
        sign_in::{self, Step},
    },
    context::Context,
    contract::account::Role,
    rate_limit::throttle,
};
use time::Duration;

use crate::support::{PASSWORD, TestApp, client};

const ADA: &str = "ada@example.com";
const WRONG: &str = "not the password at all";

fn at(address: &str) -> Client {
    Client { address: address.to_owned(), network: address.to_owned(), ..client() }
}

async fn enter(ctx: &Context, email: &str, password: &str, client: &Client) -> Result<Step, Error> {
    sign_in::with_password(ctx, email, password, true, client).await
}

async fn audited(ctx: &Context, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event where action = $1")
        .bind(action)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_answered_alike() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    for (email, password) in
        [(ADA, WRONG), ("nobody@example.com", PASSWORD), ("", ""), (ADA, &"x".repeat(5000))]
    {
        let refused = enter(&app.ctx, email, password, &client()).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{email:?}: {refused:?}");
    }
    assert_eq!(audited(&app.ctx, "account.sign_in_failed").await, 4);
    let step = enter(&app.ctx, " ADA@Example.com ", PASSWORD, &client()).await;
    assert!(matches!(step, Ok(Step::Done(_))), "{step:?}");
    assert_eq!(audited(&app.ctx, "account.signed_in").await, 1);
}

#[tokio::test]
async fn guessing_waits_longer_each_time() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let guesser = at("198.51.100.1");
    for _ in 0..6 {
        let refused = enter(&app.ctx, ADA, WRONG, &guesser).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    }
    let mut waits = Vec::new();
    for _ in 0..4 {
        let refused = enter(&app.ctx, ADA, PASSWORD, &guesser).await;
        let Err(Error::TooManyTries { retry_after }) = refused else { panic!("it waits: {refused:?}") };
        waits.push(retry_after.as_secs());
        app.ctx.clock.advance(Duration::seconds(i64::try_from(retry_after.as_secs()).expect("short")));
        let refused = enter(&app.ctx, ADA, WRONG, &guesser).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    }
    assert_eq!(waits, [15, 30, 60, 120]);
    let elsewhere = enter(&app.ctx, ADA, PASSWORD, &at("203.0.113.5")).await;
    assert!(matches!(elsewhere, Ok(Step::Done(_))), "{elsewhere:?}");
}

#[tokio::test]
async fn fifty_guesses_at_once_are_as_good_as_six() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let guesser = at("198.51.100.1");
    let answers = futures::future::join_all((0..50).map(|_| enter(&app.ctx, ADA, WRONG, &guesser))).await;
    let tried = answers.iter().filter(|answer| matches!(answer, Err(Error::InvalidCredentials))).count();
    assert_eq!(tried, 6);
}

#[tokio::test]
async fn guessing_from_everywhere_does_not_keep_the_owner_out() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let owner = app.sign_in(&ada).await;
    let known = Client { known_device: owner.device, ..client() };
    let mut refused_somewhere = false;
    for number in 0..80 {
        let guess = enter(&app.ctx, ADA, WRONG, &at(&format!("198.51.100.{number}"))).await;
        refused_somewhere |= matches!(guess, Err(Error::TooManyTries { .. }));
    }
    assert!(refused_somewhere, "guessing from many places is guessing all the same");
    let stranger = enter(&app.ctx, ADA, PASSWORD, &at("203.0.113.77")).await;
    assert!(matches!(stranger, Err(Error::TooManyTries { .. })), "{stranger:?}");
    let step = enter(&app.ctx, ADA, PASSWORD, &known).await;
    assert!(matches!(step, Ok(Step::Done(_))), "{step:?}");
}

#[tokio::test]
async fn two_hundred_tries_make_a_network_wait_and_no_other() {
    let app = TestApp::start().await;
    let here = at("198.51.100.1");
    for number in 0..200 {
        let refused = enter(&app.ctx, &format!("nobody-{number}@example.com"), WRONG, &here).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "try {number}: {refused:?}");
    }
    let refused = enter(&app.ctx, "nobody@example.com", WRONG, &here).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    let elsewhere = enter(&app.ctx, "nobody@example.com", WRONG, &at("203.0.113.5")).await;
    assert!(matches!(elsewhere, Err(Error::InvalidCredentials)), "{elsewhere:?}");
}

#[tokio::test]
async fn a_locked_account_says_so_only_to_who_knows_the_password() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    sqlx::query("update account set locked_at = created_at, locked_reason = 'fraud' where id = $1")
        .bind(ada.id.uuid())
        .execute(&app.ctx.db)
        .await
        .expect("locked");
    let guess = enter(&app.ctx, ADA, WRONG, &client()).await;
    assert!(matches!(guess, Err(Error::InvalidCredentials)), "{guess:?}");
    let owner = enter(&app.ctx, ADA, PASSWORD, &client()).await;
    assert!(matches!(owner, Err(Error::Locked)), "{owner:?}");
    assert_eq!(audited(&app.ctx, "account.sign_in_refused").await, 1);
    throttle::purge(&app.ctx).await.expect("purged");
}
