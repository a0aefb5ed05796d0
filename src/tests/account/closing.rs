//! How an account ends.

use devforge::{
    account::{self, AnonymizeAccounts, Caller, Error},
    contract::account::{Role, User},
    jobs::Job,
};
use time::Duration;

use super::{ADA, audited, is_let_in, mails, newest_mail, problems, published, second, token};
use crate::support::{PASSWORD, TestApp, client};

/// Somebody who has asked for the end of their account.
async fn leaving(app: &TestApp, email: &str) -> (User, Caller) {
    let user = app.person(email, Role::Customer).await;
    let opened = app.sign_in(&user).await;
    let caller = app.caller(&opened).await;
    account::request_deletion(&app.ctx, &caller, email).await.expect("asked for");
    (user, caller)
}

async fn a_day_passes(app: &TestApp, days: i64) {
    app.ctx.clock.advance(Duration::days(days));
    AnonymizeAccounts {}.run(app.ctx.clone()).await.expect("done");
}

async fn has_ended(app: &TestApp, user: &User) -> bool {
    sqlx::query_scalar("select deleted_at is not null from account where id = $1")
        .bind(user.id.uuid())
        .fetch_one(&app.ctx.db)
        .await
        .expect("read")
}

#[tokio::test]
async fn who_asks_for_the_end_types_the_address_and_is_told_the_day() {
    let app = TestApp::start().await;
    let ada = app.person(ADA, Role::Customer).await;
    let (here, there) = (app.sign_in(&ada).await, app.sign_in(&ada).await);
    let caller = app.caller(&here).await;
    for typed in ["", "delete", "other@example.com"] {
        let refused = account::request_deletion(&app.ctx, &caller, typed).await;
        assert_eq!(problems(refused), [("email".to_owned(), "mismatch".to_owned())]);
    }
    sqlx::query(
        "insert into personal_token (id, account_id, name, token_hash, hint, scopes, created_at)
         values ($1, $1, 'ci', decode(repeat('00', 32), 'hex'), 'abcd', '{account:read}', now())",
    )
    .bind(ada.id.uuid())
    .execute(&app.ctx.db)
    .await
    .expect("made");

    account::request_deletion(&app.ctx, &caller, " ADA@example.com ").await.expect("asked for");
    second(&app);
    account::request_deletion(&app.ctx, &caller, ADA).await.expect("the day stays");
    let day = account::profile(&app.ctx, &caller).await.expect("shown").delete_after;
    assert_eq!(day, Some(app.ctx.clock.now() - Duration::seconds(1) + Duration::days(14)));
    assert!(app.caller(&here).await.user().is_some() && app.caller(&there).await.user().is_none());
    let tokens: i64 = sqlx::query_scalar("select count(*) from personal_token")
        .fetch_one(&app.ctx.db)
        .await
        .expect("counted");
    assert_eq!(tokens, 0);
    let (_, text) = newest_mail(&app.ctx, "deletion_requested").await.expect("told");
    let words: Vec<_> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("4 December 2026"), "{text}");
    assert_eq!(
        (mails(&app.ctx, "deletion_requested").await, audited(&app.ctx, "account.deletion_requested").await),
        (1, 1)
    );
}

#[tokio::test]
async fn an_account_that_is_kept_stays() {
    let app = TestApp::start().await;
    let (ada, caller) = leaving(&app, ADA).await;
    account::keep_account(&app.ctx, &caller).await.expect("kept");
    account::keep_account(&app.ctx, &caller).await.expect("nothing to do");
    assert_eq!(audited(&app.ctx, "account.kept").await, 1);
    a_day_passes(&app, 15).await;
    assert!(!has_ended(&app, &ada).await);
    assert!(is_let_in(&app.ctx, ADA, PASSWORD).await);
}

#[tokio::test]
async fn after_two_weeks_nothing_of_a_person_is_left() {
    let app = TestApp::start().await;
    let (ada, _) = leaving(&app, ADA).await;
    let other = app.person("other@example.com", Role::Customer).await;
    a_day_passes(&app, 13).await;
    assert!(!has_ended(&app, &ada).await);
    a_day_passes(&app, 1).await;
    a_day_passes(&app, 1).await;
    assert!(has_ended(&app, &ada).await && !has_ended(&app, &other).await);

    assert!(!is_let_in(&app.ctx, ADA, PASSWORD).await);
    for table in ["account", "mail_message", "session", "ticket", "known_device", "audit_event", "outbox"] {
        // The name comes from the list above.
        let statement = format!(
            "select count(*) from {table} t where t::text ilike '%ada@example%' or t::text ilike '%lovelace%'"
        );
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_one(&app.ctx.db)
            .await
            .expect("looked for");
        // The other person has the same name, in their own row.
        assert_eq!(found, i64::from(table == "account"), "{table}");
    }
    let (email, name, hash): (String, String, Option<String>) =
        sqlx::query_as("select email, name, password_hash from account where id = $1")
            .bind(ada.id.uuid())
            .fetch_one(&app.ctx.db)
            .await
            .expect("read");
    assert_eq!(email, format!("deleted-{}@deleted.invalid", ada.id.uuid().simple()));
    assert_eq!((name.as_str(), hash), ("Deleted account", None));
    assert_eq!(
        (audited(&app.ctx, "account.anonymized").await, published(&app.ctx, "account.deleted").await),
        (1, 1)
    );

    app.person(ADA, Role::Customer).await;
    assert!(is_let_in(&app.ctx, ADA, PASSWORD).await, "the address is free again");
}

#[tokio::test]
async fn mail_to_addresses_that_are_no_more_or_never_became_theirs_is_forgotten_as_well() {
    let app = TestApp::start().await;
    let caller = app.signed_in(ADA, Role::Customer).await;
    account::start_email_change(&app.ctx, &caller, "ada@second.example").await.expect("asked for");
    for kind in ["email_change_old", "email_change_new"] {
        let link = token(&app.ctx, kind).await;
        account::confirm_email_change(&app.ctx, &link, &client()).await.expect("confirmed");
    }
    second(&app);
    account::start_email_change(&app.ctx, &caller, "ada@third.example").await.expect("asked for");
    account::request_deletion(&app.ctx, &caller, "ada@second.example").await.expect("asked for");
    let named = async || {
        sqlx::query_scalar::<_, i64>("select count(*) from mail_message m where m::text ilike '%ada@%'")
            .fetch_one(&app.ctx.db)
            .await
            .expect("looked for")
    };
    assert_eq!(named().await, 6, "two for each change, one to the former address, one about the end");
    a_day_passes(&app, 14).await;
    assert_eq!(named().await, 0);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = TestApp::start().await;
    let caller = app.signed_in("admin@example.com", Role::Admin).await;
    let refused = account::request_deletion(&app.ctx, &caller, "admin@example.com").await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    app.person("second@example.com", Role::Admin).await;
    account::request_deletion(&app.ctx, &caller, "admin@example.com").await.expect("another is left");
}
