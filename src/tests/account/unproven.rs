//! An address that nobody has proven: what can be left in its account, and what its owner finds there.

use devforge::{
    account::{self, Caller, Choices, Error, personal_token, sign_in},
    contract::account::{NewPersonalToken, Role, Scope, User},
};

use super::{
    ADA, BETTER, GOOD, audited, is_let_in, mails, newest_mail, problems, registered, reset_link, token,
};
use crate::support::{TestApp, client};

const STRANGER: &str = "mallory@example.net";

/// A personal token of the caller.
async fn make_token(app: &TestApp, caller: &Caller) -> String {
    let new = NewPersonalToken {
        name: "A way back in".to_owned(),
        scopes: vec![Scope::AccountRead],
        expires_in_days: None,
    };
    personal_token::create(&app.ctx, caller, &new).await.expect("made").token
}

async fn is_good(app: &TestApp, token: &str) -> bool {
    personal_token::find(&app.ctx, token, "192.0.2.7").await.expect("asked").is_some()
}

/// Leaves whatever opens an account beside its password. Gives the token.
async fn leave_keys(app: &TestApp, caller: &Caller) -> String {
    let id = caller.user().expect("signed in").id;
    for statement in [
        "insert into passkey (id, account_id, credential_id, name, credential, created_at)
         values ($1, $1, '\\x00', 'A key', '{}', now())",
        "insert into totp (account_id, secret_sealed, created_at, confirmed_at)
         values ($1, '\\x00', now(), now())",
        "insert into recovery_code (account_id, code_hash, created_at)
         values ($1, decode(repeat('00', 32), 'hex'), now())",
        "update account set two_factor_since = created_at where id = $1",
    ] {
        sqlx::query(statement).bind(id.uuid()).execute(&app.ctx.db).await.expect("left");
    }
    make_token(app, caller).await
}

/// Which tables hold anything that opens the account, or will.
async fn found(app: &TestApp, user: &User) -> Vec<&'static str> {
    let mut found = Vec::new();
    for table in [
        "session",
        "known_device",
        "passkey",
        "personal_token",
        "totp",
        "recovery_code",
        "email_change",
        "ticket",
    ] {
        // The name comes from the list above.
        let statement = format!("select exists (select 1 from {table} where account_id = $1)");
        let exists: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .bind(user.id.uuid())
            .fetch_one(&app.ctx.db)
            .await
            .expect("looked for");
        if exists {
            found.push(table);
        }
    }
    found
}

/// The words of the newest mail about a password, without its lines.
async fn told(app: &TestApp) -> String {
    let (to, text) = newest_mail(&app.ctx, "password_changed").await.expect("told");
    assert_eq!(to, ADA);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_reset_by_who_reads_the_mail_leaves_nothing_of_who_registered_the_address() {
    let app = TestApp::start().await;
    let (registered, mallory) = registered(&app, ADA).await;
    account::start_email_change(&app.ctx, &mallory, STRANGER).await.expect("asked for");
    let change = token(&app.ctx, "email_change_new").await;
    let both = Choices { analytics: true, product_mail: true };
    account::set_choices(&app.ctx, &mallory, both).await.expect("set");
    account::request_deletion(&app.ctx, &mallory, ADA).await.expect("asked for");
    let way_in = leave_keys(&app, &mallory).await;
    assert_eq!(found(&app, &registered).await.len(), 8);

    let link = reset_link(&app, ADA).await;
    let (name, text): (Option<String>, String) =
        sqlx::query_as("select to_name, text from mail_message where kind = 'reset_password'")
            .fetch_one(&app.ctx.db)
            .await
            .expect("read");
    assert_eq!(name, None);
    assert!(text.contains("Hello,") && !text.contains("Lovelace"), "a stranger's words: {text}");
    let weak = account::finish_reset(&app.ctx, &link, "oj7&vQ2m", &client()).await;
    assert_eq!(problems(weak).len(), 1, "no second factor will stand behind it");
    let owner = account::finish_reset(&app.ctx, &link, BETTER, &client()).await.expect("set");
    assert_eq!(
        (owner.id, owner.email_verified, owner.two_factor_enabled),
        (registered.id, true, false),
        "the account is its owner's"
    );
    assert_eq!(found(&app, &owner).await, Vec::<&str>::new());
    assert!(!is_good(&app, &way_in).await);
    let refused = account::confirm_email_change(&app.ctx, &change, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    let told = told(&app).await;
    assert!(told.contains("Hello ada,"), "{told}");
    assert!(told.contains("two-factor sign-in from before are removed"), "{told}");
    assert!(is_let_in(&app.ctx, ADA, BETTER).await, "and without a second step");

    let opened = sign_in::after_registration(&app.ctx, &owner, &client()).await.expect("signed in");
    let caller = app.caller(&opened).await;
    let profile = account::profile(&app.ctx, &caller).await.expect("shown");
    assert_eq!((owner.name.as_str(), profile.user.name.as_str()), ("ada", "ada"));
    assert_eq!(
        (profile.delete_after, profile.analytics_consent_at, profile.product_mail_since),
        (None, None, None),
        "what its owner has not said"
    );
    assert_eq!(audited(&app.ctx, "account.kept").await, 1);
}

#[tokio::test]
async fn a_reset_of_a_proven_address_calls_a_change_off_and_asks_to_look_at_the_rest() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let opened = app.sign_in(&ada).await;
    let caller = app.caller(&opened).await;
    account::start_email_change(&app.ctx, &caller, STRANGER).await.expect("asked for");
    let change = token(&app.ctx, "email_change_new").await;
    let kept = leave_keys(&app, &caller).await;

    let link = reset_link(&app, ADA).await;
    let owner = account::finish_reset(&app.ctx, &link, BETTER, &client()).await.expect("set");
    assert!(owner.two_factor_enabled);
    assert_eq!(owner.name, "Ada Lovelace");
    assert_eq!(found(&app, &owner).await, ["passkey", "personal_token", "totp", "recovery_code"]);
    assert!(is_good(&app, &kept).await);
    let refused = account::confirm_email_change(&app.ctx, &change, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    assert_eq!(audited(&app.ctx, "account.email_change_cancelled").await, 1);
    assert!(told(&app).await.contains("Look whether all of them are yours"));
}

#[tokio::test]
async fn a_confirmed_address_stays_with_its_account_and_what_opens_it_too() {
    let app = TestApp::start().await;
    let (_, caller) = registered(&app, ADA).await;
    account::start_email_change(&app.ctx, &caller, STRANGER).await.expect("asked for");
    let change = token(&app.ctx, "email_change_new").await;
    let kept = make_token(&app, &caller).await;

    let link = token(&app.ctx, "verify_email").await;
    account::verify_email(&app.ctx, &link, &client()).await.expect("proven");
    let profile = account::profile(&app.ctx, &caller).await.expect("shown");
    assert_eq!((profile.user.email.as_str(), profile.pending_email), (ADA, None));
    let refused = account::confirm_email_change(&app.ctx, &change, &client()).await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    assert_eq!(audited(&app.ctx, "account.email_change_cancelled").await, 1);
    assert!(is_good(&app, &kept).await);
}

#[tokio::test]
async fn an_unproven_address_gets_no_mail_but_what_proves_it() {
    let app = TestApp::start().await;
    let (_, caller) = registered(&app, ADA).await;
    make_token(&app, &caller).await;
    account::change_password(&app.ctx, &caller, GOOD, BETTER, &client()).await.expect("changed");
    account::request_deletion(&app.ctx, &caller, ADA).await.expect("asked for");
    account::keep_account(&app.ctx, &caller).await.expect("kept");
    reset_link(&app, ADA).await;
    let kinds: Vec<String> = sqlx::query_scalar("select kind from mail_message order by kind")
        .fetch_all(&app.ctx.db)
        .await
        .expect("read");
    assert_eq!(kinds, ["reset_password", "verify_email"]);

    let link = token(&app.ctx, "verify_email").await;
    let proven = account::verify_email(&app.ctx, &link, &client()).await.expect("proven");
    let opened = sign_in::after_registration(&app.ctx, &proven, &client()).await.expect("signed in");
    make_token(&app, &app.caller(&opened).await).await;
    assert_eq!(mails(&app.ctx, "token_created").await, 1);
}
