//! Signing in: what is refused, what waits, and whom guessing cannot keep out.

use devforge::{
    account::{
        self, Caller, Client, Denied, Error, Identity, Via,
        sign_in::{self, Proof, Step},
    },
    context::Context,
    contract::{
        account::{Login, Role, Scope},
        id::TokenId,
    },
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

#[tokio::test]
async fn a_cookie_cannot_pretend_to_be_the_owners_program() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let editor = Client { device: "Dev Forge on Linux".to_owned(), ..at("192.0.2.10") };
    let login = Login { email: ada.email.clone(), password: PASSWORD.to_owned(), code: None };
    sign_in::login(&app.ctx, &login, &editor).await.expect("signed in");
    for number in 0..31 {
        let guess = enter(&app.ctx, ADA, WRONG, &at(&format!("198.51.100.{number}"))).await;
        assert!(matches!(guess, Err(Error::InvalidCredentials)), "{guess:?}");
    }
    for forged in ["Dev Forge on Linux\n192.0.2.10", "api:Dev Forge on Linux:192.0.2.10"] {
        let pretender = Client { known_device: Some(forged.to_owned()), ..at("203.0.113.9") };
        let guess = enter(&app.ctx, ADA, WRONG, &pretender).await;
        assert!(matches!(guess, Err(Error::TooManyTries { .. })), "{forged:?}: {guess:?}");
    }
    sign_in::login(&app.ctx, &login, &editor).await.expect("the owner's own program is let in");
}

#[tokio::test]
async fn a_password_that_is_being_changed_signs_nobody_in_any_more() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let here = app.sign_in(&ada).await;
    let caller = app.caller(&here).await;
    let mut passwords = [PASSWORD, "eleven quiet lanterns drift"];
    for round in 0..6 {
        let [old, new] = passwords;
        let asking = client();
        let elsewhere = at(&format!("198.51.100.{round}"));
        let (entered, changed) = tokio::join!(
            enter(&app.ctx, ADA, old, &elsewhere),
            account::change_password(&app.ctx, &caller, old, new, &asking),
        );
        changed.expect("the password is changed");
        // Before the change and ended by it, or after it and refused: never still there.
        assert!(matches!(entered, Ok(Step::Done(_)) | Err(Error::InvalidCredentials)), "{entered:?}");
        let left: i64 = sqlx::query_scalar("select count(*) from session where account_id = $1")
            .bind(ada.id.uuid())
            .fetch_one(&app.ctx.db)
            .await
            .expect("counted");
        assert_eq!(left, 1, "round {round}");
        passwords.reverse();
    }
}

#[tokio::test]
async fn only_a_session_can_be_proven_again_and_guessing_there_waits_too() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    let Caller::User(identity) = &caller else { panic!("somebody") };
    let via = Via::Token { id: TokenId::from_uuid(uuid::Uuid::nil()), scopes: Scope::ALL.to_vec() };
    let token = Caller::User(Identity { via, ..identity.clone() });
    for password in [PASSWORD, WRONG] {
        let refused = sign_in::confirm(&app.ctx, &token, Proof::Password(password), &client()).await;
        assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");
    }
    for number in 0..6 {
        let from = at(&format!("198.51.100.{number}"));
        let refused = sign_in::confirm(&app.ctx, &caller, Proof::Password(WRONG), &from).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    }
    let refused = sign_in::confirm(&app.ctx, &caller, Proof::Password(WRONG), &at("203.0.113.9")).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
}

#[tokio::test]
async fn guessing_codes_keeps_nobody_out_on_their_own_device() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let owner = app.sign_in(&ada).await;
    sqlx::query("update account set two_factor_since = created_at").execute(&app.ctx.db).await.expect("set");
    let known = Client { known_device: owner.device, ..client() };
    let thief = at("198.51.100.1");
    let begin = |client: Client| {
        let ctx = app.ctx.clone();
        async move {
            match enter(&ctx, ADA, PASSWORD, &client).await {
                Ok(Step::Second(ticket)) => (ticket, client),
                other => panic!("a code is asked for: {other:?}"),
            }
        }
    };
    let (ticket, thief) = begin(thief).await;
    let mut waits = false;
    for _ in 0..8 {
        let refused = sign_in::second_step(&app.ctx, &ticket, Proof::Code("000000"), &thief).await;
        waits |= matches!(refused, Err(Error::TooManyTries { .. }));
        assert!(matches!(refused, Err(Error::InvalidCode | Error::TooManyTries { .. })), "{refused:?}");
    }
    assert!(waits);
    let (ticket, known) = begin(known).await;
    let refused = sign_in::second_step(&app.ctx, &ticket, Proof::Code("000000"), &known).await;
    assert!(matches!(refused, Err(Error::InvalidCode)), "asked, not told to wait: {refused:?}");
}
