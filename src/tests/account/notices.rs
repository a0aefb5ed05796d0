//! How often an account can be made to write to its owner.

use devforge::{
    account::{self, Caller, personal_token, two_factor},
    contract::account::{NewPersonalToken, Role, Scope},
};
use time::Duration;

use super::{ADA, mails, reset_link};
use crate::support::TestApp;

/// Makes a personal token, which is told by mail, and revokes it.
async fn make_token(app: &TestApp, caller: &Caller) {
    let new = NewPersonalToken {
        name: "Cheap pills".to_owned(),
        scopes: vec![Scope::AccountRead],
        expires_in_days: None,
    };
    let made = personal_token::create(&app.ctx, caller, &new).await.expect("made");
    assert!(personal_token::revoke(&app.ctx, caller, made.details.id).await.expect("revoked"));
}

#[tokio::test]
async fn ten_notices_of_a_kind_are_sent_a_day_and_what_must_be_known_beyond_them() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let caller = app.caller(&opened).await;
    for _ in 0..12 {
        make_token(&app, &caller).await;
    }
    assert_eq!(mails(&app.ctx, "token_created").await, 10);
    let other = app.signed_in("other@example.com", Role::Customer).await;
    make_token(&app, &other).await;
    assert_eq!(mails(&app.ctx, "token_created").await, 11, "each account has its own");
    sqlx::query(
        "insert into totp (account_id, secret_sealed, created_at, confirmed_at)
         values ($1, '\\x00', now(), now())",
    )
    .bind(ada.id.uuid())
    .execute(&app.ctx.db)
    .await
    .expect("turned on");
    two_factor::disable(&app.ctx, &caller).await.expect("turned off");
    assert_eq!(mails(&app.ctx, "two_factor_off").await, 1, "and each kind");

    account::start_email_change(&app.ctx, &caller, "ada@second.example").await.expect("asked for");
    account::request_deletion(&app.ctx, &caller, ADA).await.expect("asked for");
    account::keep_account(&app.ctx, &caller).await.expect("kept");
    reset_link(&app, ADA).await;
    for kind in ["email_change_old", "email_change_new", "deletion_requested", "reset_password"] {
        assert_eq!(mails(&app.ctx, kind).await, 1, "{kind}");
    }

    app.ctx.clock.advance(Duration::DAY);
    let opened = app.sign_in(&ada).await;
    make_token(&app, &app.caller(&opened).await).await;
    assert_eq!(mails(&app.ctx, "token_created").await, 12, "the next day has its own");
}
