//! Passwords: changed by who knows them, and set anew by who reads the mail.

use devforge::{
    account::{self, Denied, Error, sign_in, ticket, two_factor},
    contract::account::{Role, User},
};
use time::Duration;

use super::{
    ADA, BETTER, GOOD, at, audited, audited_text, is_let_in, mails, newest_mail, problems, registered,
    reset_link, token,
};
use crate::support::{PASSWORD, TestApp, client};

async fn sessions(app: &TestApp, user: &User) -> i64 {
    sqlx::query_scalar("select count(*) from session where account_id = $1")
        .bind(user.id.uuid())
        .fetch_one(&app.ctx.db)
        .await
        .expect("counted")
}

async fn known_devices(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from known_device").fetch_one(&app.ctx.db).await.expect("counted")
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_links() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let (here, there) = (app.sign_in(&ada).await, app.sign_in(&ada).await);
    let link = reset_link(&app, ADA).await;
    let caller = app.caller(&here).await;
    let changed = account::change_password(&app.ctx, &caller, PASSWORD, BETTER, &client()).await;
    let opened = changed.expect("changed");

    assert!(app.caller(&opened).await.user().is_some(), "who changed it stays");
    assert!(app.caller(&here).await.user().is_none(), "under a new cookie");
    assert_eq!(opened.session, here.session);
    assert!(app.caller(&there).await.user().is_none());
    assert!(matches!(account::check_reset(&app.ctx, &link).await, Err(Error::InvalidToken)));
    let profile = account::profile(&app.ctx, &caller).await.expect("shown");
    assert_eq!(profile.password_changed_at, Some(app.ctx.clock.now()));
    assert_eq!(audited(&app.ctx, "account.password_changed").await, 1);
    let (to, text) = newest_mail(&app.ctx, "password_changed").await.expect("told");
    assert_eq!(to, ADA);
    assert!(text.contains("20 November 2026, 10:00 UTC"), "{text}");
    assert!(!is_let_in(&app.ctx, ADA, PASSWORD).await);
    assert!(is_let_in(&app.ctx, ADA, BETTER).await);
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_it_to_one_that_is_good() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    for current in ["", "not the password", &"x".repeat(10_000)] {
        let refused = account::change_password(&app.ctx, &caller, current, BETTER, &client()).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    }
    for (new, code) in
        [(PASSWORD, "unchanged"), ("short", "weak_password"), ("Lovelace2026", "weak_password")]
    {
        let refused = account::change_password(&app.ctx, &caller, PASSWORD, new, &client()).await;
        assert_eq!(problems(refused), [("password".to_owned(), code.to_owned())]);
    }
    assert!(is_let_in(&app.ctx, ADA, PASSWORD).await);
    assert_eq!(
        (audited(&app.ctx, "account.password_changed").await, mails(&app.ctx, "password_changed").await),
        (0, 0)
    );

    app.ctx.clock.advance(Duration::minutes(16));
    let refused = account::change_password(&app.ctx, &caller, PASSWORD, BETTER, &client()).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::NotFresh))), "{refused:?}");
}

#[tokio::test]
async fn guessing_the_present_password_from_within_waits_after_ten_tries() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    for _ in 0..10 {
        let refused =
            account::change_password(&app.ctx, &caller, "not the password", BETTER, &client()).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    }
    let refused = account::change_password(&app.ctx, &caller, PASSWORD, BETTER, &client()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
}

#[tokio::test]
async fn eight_characters_are_enough_behind_a_second_factor() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let caller = app.caller(&opened).await;
    let eight = "oj7&vQ2m";
    let refused = account::change_password(&app.ctx, &caller, PASSWORD, eight, &client()).await;
    assert_eq!(problems(refused).len(), 1);
    sqlx::query("update account set two_factor_since = created_at").execute(&app.ctx.db).await.expect("set");
    account::change_password(&app.ctx, &caller, PASSWORD, eight, &client()).await.expect("changed");
}

#[tokio::test]
async fn a_password_is_the_same_however_a_keyboard_writes_it() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let caller = app.caller(&opened).await;
    account::change_password(&app.ctx, &caller, PASSWORD, "tonnerre-éclair-brume", &client())
        .await
        .expect("changed");
    assert!(is_let_in(&app.ctx, ADA, "tonnerre-e\u{301}clair-brume").await);
    assert!(!is_let_in(&app.ctx, ADA, "tonnerre-eclair-brume").await);
}

#[tokio::test]
async fn nobody_learns_from_a_reset_which_addresses_have_an_account() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let queued = async || {
        sqlx::query_scalar::<_, i64>(
            "select count(*) from graphile_worker.jobs where task_identifier = 'start_reset'",
        )
        .fetch_one(&app.ctx.db)
        .await
        .expect("counted")
    };
    for (number, email) in ["nobody@example.com", " ADA@example.com "].into_iter().enumerate() {
        account::start_reset(&app.ctx, email, &client()).await.expect("asked for");
        assert_eq!(queued().await, number as i64 + 1, "the same is done for either");
        assert_eq!(mails(&app.ctx, "reset_password").await, 0, "nobody has looked yet");
    }
    app.run_jobs().await;
    assert_eq!((queued().await, mails(&app.ctx, "reset_password").await), (0, 1));
    let (to, _) = newest_mail(&app.ctx, "reset_password").await.expect("sent");
    assert_eq!(to, ADA);
    assert_eq!(problems(account::start_reset(&app.ctx, "no address", &client()).await).len(), 1);
    assert_eq!(audited_text(&app.ctx, "example.com").await, 0);
}

#[tokio::test]
async fn a_reset_sets_the_password_once_and_ends_every_session() {
    let app = TestApp::start().await;
    let (ada, caller) = registered(&app, ADA).await;
    assert!(!ada.email_verified);
    assert_eq!(sessions(&app, &ada).await, 1);
    let link = reset_link(&app, ADA).await;
    account::check_reset(&app.ctx, &link).await.expect("good");

    let weak = account::finish_reset(&app.ctx, &link, "qwerty123456", &client()).await;
    assert_eq!(problems(weak), [("password".to_owned(), "weak_password".to_owned())]);
    let user =
        account::finish_reset(&app.ctx, &link, BETTER, &client()).await.expect("a weak one used nothing up");
    assert_eq!((user.id, user.email_verified), (ada.id, true), "who read the mail owns the address");
    assert_eq!((sessions(&app, &ada).await, known_devices(&app).await), (0, 0));
    assert_eq!(
        (audited(&app.ctx, "account.password_reset").await, mails(&app.ctx, "password_changed").await),
        (1, 1)
    );

    for _ in 0..2 {
        let replayed = account::finish_reset(&app.ctx, &link, GOOD, &client()).await;
        assert!(matches!(replayed, Err(Error::InvalidToken)), "{replayed:?}");
        assert!(matches!(account::check_reset(&app.ctx, &link).await, Err(Error::InvalidToken)));
    }
    let proof = token(&app.ctx, "verify_email").await;
    let refused = account::verify_email(&app.ctx, &proof, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    assert!(!is_let_in(&app.ctx, ADA, GOOD).await);
    assert!(is_let_in(&app.ctx, ADA, BETTER).await);
    assert_eq!(caller.user().map(|user| user.id), Some(ada.id));
}

#[tokio::test]
async fn of_two_who_use_one_link_at_once_one_sets_the_password() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let link = reset_link(&app, ADA).await;
    let client = client();
    let (one, other) = tokio::join!(
        account::finish_reset(&app.ctx, &link, GOOD, &client),
        account::finish_reset(&app.ctx, &link, BETTER, &client)
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(is_let_in(&app.ctx, ADA, GOOD).await, one.is_ok());
}

#[tokio::test]
async fn a_newer_link_to_reset_leaves_the_older_one_good_and_with_one_used_all_end() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let first = reset_link(&app, ADA).await;
    let newest = reset_link(&app, ADA).await;
    account::check_reset(&app.ctx, &newest).await.expect("good");
    account::finish_reset(&app.ctx, &first, BETTER, &client()).await.expect("still good");
    for link in [first, newest] {
        let refused = account::finish_reset(&app.ctx, &link, GOOD, &client()).await;
        assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    }
    assert!(is_let_in(&app.ctx, ADA, BETTER).await);
}

#[tokio::test]
async fn a_link_to_reset_ends_after_half_an_hour() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let newest = reset_link(&app, ADA).await;
    app.ctx.clock.advance(Duration::minutes(30) - Duration::seconds(1));
    account::check_reset(&app.ctx, &newest).await.expect("good");
    app.ctx.clock.advance(Duration::seconds(1));
    let refused = account::finish_reset(&app.ctx, &newest, BETTER, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    assert_eq!(ticket::purge(&app.ctx).await.expect("purged"), 1);
}

#[tokio::test]
async fn old_tickets_are_removed_without_waiting_for_who_removes_them_as_well() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    reset_link(&app, ADA).await;
    app.ctx.clock.advance(Duration::minutes(30));
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    ticket::void(&mut tx, ticket::Kind::ResetPassword, ada.id).await.expect("removed");
    let soon = std::time::Duration::from_secs(10);
    let purged = tokio::time::timeout(soon, ticket::purge(&app.ctx)).await.expect("it does not wait");
    assert_eq!(purged.expect("purged"), 0);
    tx.rollback().await.expect("given up");
    assert_eq!(ticket::purge(&app.ctx).await.expect("purged"), 1);
}

#[tokio::test]
async fn nothing_is_sent_for_an_account_that_is_locked() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let link = reset_link(&app, ADA).await;
    sqlx::query("update account set locked_at = created_at, locked_reason = 'fraud'")
        .execute(&app.ctx.db)
        .await
        .expect("locked");
    account::start_reset(&app.ctx, ADA, &client()).await.expect("asked for");
    app.run_jobs().await;
    assert_eq!(mails(&app.ctx, "reset_password").await, 1);
    let refused = account::finish_reset(&app.ctx, &link, BETTER, &client()).await;
    assert!(matches!(refused, Err(Error::Locked)), "{refused:?}");
}

#[tokio::test]
async fn whoever_asks_for_an_address_again_and_again_does_not_use_up_what_its_owner_has() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let ask = async |times: u32, network: &str| {
        for _ in 0..times {
            account::start_reset(&app.ctx, ADA, &at(network)).await.expect("whatever comes of it");
        }
        app.run_jobs().await;
        mails(&app.ctx, "reset_password").await
    };
    assert_eq!(ask(6, "198.51.100.1").await, 3, "three from one network");
    assert_eq!(ask(1, "192.0.2.10").await, 4, "its owner is somewhere else");
    for number in 2..20 {
        assert_eq!(ask(6, &format!("198.51.100.{number}")).await, 3 * number + 1);
    }
    assert_eq!(ask(2, "192.0.2.10").await, 60, "nineteen networks do not use up what its owner has");
    assert_eq!(ask(6, "198.51.100.20").await, 60, "sixty from everywhere");
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(ask(1, "198.51.100.20").await, 61);
}

#[tokio::test]
async fn too_many_resets_are_told_to_a_network() {
    let app = TestApp::start().await;
    let here = at("203.0.113.9");
    for number in 0..20 {
        account::start_reset(&app.ctx, &format!("nobody-{number}@example.com"), &here)
            .await
            .expect("asked for");
    }
    let refused = account::start_reset(&app.ctx, "nobody@example.com", &here).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_reset_lets_its_owner_in_whatever_others_are_guessing() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    // Thirty are free, and one more closes the door for every device that was not seen before.
    for number in 0..31 {
        let from = at(&format!("198.51.100.{number}"));
        let refused = sign_in::with_password(&app.ctx, ADA, "not the password", true, &from).await;
        assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    }
    let refused = sign_in::with_password(&app.ctx, ADA, PASSWORD, true, &client()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");

    let link = reset_link(&app, ADA).await;
    account::finish_reset(&app.ctx, &link, BETTER, &client()).await.expect("set");
    assert!(is_let_in(&app.ctx, ADA, BETTER).await);
}

#[tokio::test]
async fn twenty_passwords_an_hour_are_judged_for_one_account_with_a_link() {
    let app = TestApp::start().await;
    app.person(ADA, Role::Customer).await;
    let link = reset_link(&app, ADA).await;
    for _ in 0..20 {
        let refused = account::finish_reset(&app.ctx, &link, "short", &client()).await;
        assert_eq!(problems(refused).len(), 1);
    }
    let refused = account::finish_reset(&app.ctx, &link, BETTER, &client()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_second_factor_that_is_being_set_up_ends_with_the_password() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    two_factor::begin(&app.ctx, &caller).await.expect("begun");
    assert!(two_factor::pending(&app.ctx, &caller).await.expect("asked").is_some());
    account::change_password(&app.ctx, &caller, PASSWORD, BETTER, &client()).await.expect("changed");
    assert!(two_factor::pending(&app.ctx, &caller).await.expect("asked").is_none());
}
