//! A change of address: both ends say yes, in either order.

use devforge::{
    account::{self, Caller, ChangeEnd, ChangeOutcome, Error},
    contract::account::Role,
};
use time::Duration;

use super::{ADA, audited, audited_text, is_let_in, mails, newest_mail, problems, registered, second, token};
use crate::support::{PASSWORD, TestApp, client};

const NEW: &str = "ada@lovelace.example";

/// The tokens of both ends of a change that has just been asked for.
async fn begun(app: &TestApp, caller: &Caller) -> (String, String) {
    second(app);
    account::start_email_change(&app.ctx, caller, NEW).await.expect("asked for");
    (token(&app.ctx, "email_change_old").await, token(&app.ctx, "email_change_new").await)
}

async fn confirm(app: &TestApp, token: &str) -> Result<ChangeOutcome, Error> {
    account::confirm_email_change(&app.ctx, token, &client()).await
}

async fn address(app: &TestApp, caller: &Caller) -> String {
    account::profile(&app.ctx, caller).await.expect("shown").user.email
}

#[tokio::test]
async fn the_address_changes_when_both_ends_have_agreed_in_either_order() {
    for old_first in [true, false] {
        let app = TestApp::start().await;
        let caller = app.signed_in(ADA, Role::Customer).await;
        let (old, new) = begun(&app, &caller).await;
        assert_eq!(newest_mail(&app.ctx, "email_change_old").await.expect("sent").0, ADA);
        assert_eq!(newest_mail(&app.ctx, "email_change_new").await.expect("sent").0, NEW);
        for (link, end) in [(&old, ChangeEnd::Old), (&new, ChangeEnd::New)] {
            let change = account::check_email_change(&app.ctx, link).await.expect("good");
            assert_eq!((change.new_email.as_str(), change.end), (NEW, end));
        }

        let (first, last) = if old_first { (&old, &new) } else { (&new, &old) };
        let waiting = if old_first { ChangeOutcome::WaitingForNew } else { ChangeOutcome::WaitingForOld };
        assert_eq!(confirm(&app, first).await.expect("confirmed"), waiting);
        assert_eq!(address(&app, &caller).await, ADA);
        let pending = account::profile(&app.ctx, &caller).await.expect("shown").pending_email.expect("waits");
        assert_eq!((pending.old_confirmed, pending.new_confirmed), (old_first, !old_first));
        assert!(matches!(confirm(&app, first).await, Err(Error::InvalidToken)), "each works once");

        assert_eq!(confirm(&app, last).await.expect("confirmed"), ChangeOutcome::Done);
        assert_eq!(address(&app, &caller).await, NEW);
        assert_eq!(account::profile(&app.ctx, &caller).await.expect("shown").pending_email, None);
        assert!(matches!(confirm(&app, last).await, Err(Error::InvalidToken)));
        let (told, text) = newest_mail(&app.ctx, "email_changed").await.expect("told");
        assert!(told == ADA && text.contains(NEW), "{told}: {text}");
        assert_eq!(audited(&app.ctx, "account.email_changed").await, 1);
        assert_eq!(
            (audited_text(&app.ctx, "example").await, audited_text(&app.ctx, "lovelace").await),
            (0, 0)
        );
        assert!(!is_let_in(&app.ctx, ADA, PASSWORD).await);
        assert!(is_let_in(&app.ctx, NEW, PASSWORD).await);
    }
}

#[tokio::test]
async fn links_that_went_to_the_old_address_open_nothing_after_the_change() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    account::start_reset(&app.ctx, ADA, &client()).await.expect("asked for");
    app.run_jobs().await;
    let reset = token(&app.ctx, "reset_password").await;
    let (old, new) = begun(&app, &caller).await;
    confirm(&app, &old).await.expect("confirmed");
    confirm(&app, &new).await.expect("confirmed");
    assert!(matches!(account::check_reset(&app.ctx, &reset).await, Err(Error::InvalidToken)));
}

#[tokio::test]
async fn an_address_that_has_an_account_is_told_only_at_that_address() {
    let app = TestApp::start().await;
    app.person(NEW, Role::Customer).await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    account::start_email_change(&app.ctx, &caller, " ADA@Lovelace.example ").await.expect("nothing is told");
    let (to, text) = newest_mail(&app.ctx, "email_is_taken").await.expect("told there");
    assert!(to.eq_ignore_ascii_case(NEW) && !text.contains("/email/"), "{to}: {text}");
    assert_eq!(mails(&app.ctx, "email_change_new").await, 0);

    let old = token(&app.ctx, "email_change_old").await;
    assert_eq!(confirm(&app, &old).await.expect("confirmed"), ChangeOutcome::WaitingForNew);
    assert_eq!(address(&app, &caller).await, ADA);
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_stays_with_its_account() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    let (old, new) = begun(&app, &caller).await;
    confirm(&app, &old).await.expect("confirmed");
    app.person("ADA@lovelace.example", Role::Customer).await;
    let refused = confirm(&app, &new).await;
    assert!(matches!(refused, Err(Error::EmailTaken)), "{refused:?}");
    assert_eq!(address(&app, &caller).await, ADA);
    assert_eq!(
        (audited(&app.ctx, "account.email_changed").await, mails(&app.ctx, "email_changed").await),
        (0, 0)
    );
}

#[tokio::test]
async fn both_ends_at_once_make_one_change() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    let (old, new) = begun(&app, &caller).await;
    let (one, other) = tokio::join!(confirm(&app, &old), confirm(&app, &new));
    let done = [one.expect("confirmed"), other.expect("confirmed")];
    assert_eq!(done.iter().filter(|outcome| **outcome == ChangeOutcome::Done).count(), 1, "{done:?}");
    assert_eq!(address(&app, &caller).await, NEW);
    assert_eq!(audited(&app.ctx, "account.email_changed").await, 1);
}

#[tokio::test]
async fn a_change_ends_when_it_is_called_off_begun_anew_or_a_day_old() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    let (old, new) = begun(&app, &caller).await;
    account::cancel_email_change(&app.ctx, &caller).await.expect("called off");
    account::cancel_email_change(&app.ctx, &caller).await.expect("nothing to do");
    assert_eq!(audited(&app.ctx, "account.email_change_cancelled").await, 1);

    let (other_old, other_new) = begun(&app, &caller).await;
    let (last_old, last_new) = begun(&app, &caller).await;
    for dead in [old, new, other_old, other_new, String::new(), "x".repeat(10_000)] {
        assert!(matches!(confirm(&app, &dead).await, Err(Error::InvalidToken)), "{dead:.8}");
        let refused = account::check_email_change(&app.ctx, &dead).await;
        assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    }
    confirm(&app, &last_old).await.expect("confirmed");
    app.ctx.clock.advance(Duration::hours(24));
    assert!(matches!(confirm(&app, &last_new).await, Err(Error::InvalidToken)));
    assert_eq!(account::profile(&app.ctx, &caller).await.expect("shown").pending_email, None);
    assert_eq!(address(&app, &caller).await, ADA);
}

#[tokio::test]
async fn an_address_that_was_never_proven_need_not_agree() {
    let app = TestApp::start().await;
    let (_, caller) = registered(&app, "typo@exmaple.example").await;
    account::start_email_change(&app.ctx, &caller, NEW).await.expect("asked for");
    assert_eq!(mails(&app.ctx, "email_change_old").await, 0);
    let new = token(&app.ctx, "email_change_new").await;
    assert_eq!(confirm(&app, &new).await.expect("confirmed"), ChangeOutcome::Done);
    let profile = account::profile(&app.ctx, &caller).await.expect("shown");
    assert!(profile.user.email == NEW && profile.user.email_verified);
}

#[tokio::test]
async fn what_is_no_new_address_is_refused_and_five_changes_an_hour_are_enough() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    for typed in ["ada", "", ADA] {
        assert_eq!(problems(account::start_email_change(&app.ctx, &caller, typed).await).len(), 1);
    }
    for _ in 0..4 {
        begun(&app, &caller).await;
    }
    let refused = account::start_email_change(&app.ctx, &caller, NEW).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
}
