//! Sessions over the table: what tower-sessions stores comes back, ends in time, and belongs to one person.

use std::collections::HashMap;

use devforge::{
    context::Context,
    contract::{
        account::Role,
        id::{SessionId, UserId},
    },
    jobs::Job,
    session::{self, PostgresSessions, PurgeSessions},
};
use serde_json::json;
use time::Duration;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

use crate::support::TestApp;

fn record(ctx: &Context, number: i128, account: Option<UserId>) -> Record {
    let mut data = HashMap::from([("step".to_owned(), json!(1))]);
    if let Some(account) = account {
        data.insert(session::KEY_ACCOUNT.to_owned(), json!(account.to_string()));
        data.insert(session::KEY_DEVICE.to_owned(), json!("Firefox on Linux"));
    }
    Record { id: Id(number), data, expiry_date: ctx.clock.now() + Duration::days(90) }
}

/// A session of `account` in the table.
async fn sign_in(ctx: &Context, number: i128, account: UserId) -> Record {
    let mut record = record(ctx, number, Some(account));
    PostgresSessions::new(ctx).create(&mut record).await.expect("created");
    record
}

async fn is_there(ctx: &Context, record: &Record) -> bool {
    PostgresSessions::new(ctx).load(&record.id).await.expect("asked").is_some()
}

async fn count(ctx: &Context) -> i64 {
    sqlx::query_scalar("select count(*) from session").fetch_one(&ctx.db).await.expect("counted")
}

#[tokio::test]
async fn what_is_saved_comes_back_until_it_is_deleted() {
    let app = TestApp::start().await;
    let store = PostgresSessions::new(&app.ctx);
    let mut record = record(&app.ctx, 7, None);
    assert_eq!(store.load(&record.id).await.expect("asked"), None);

    store.create(&mut record).await.expect("created");
    let loaded = store.load(&record.id).await.expect("asked").expect("there");
    assert_eq!((loaded.id, &loaded.data), (record.id, &record.data));
    assert_eq!(loaded.expiry_date, app.ctx.clock.now() + Duration::days(14), "unused it ends sooner");

    record.data.insert("step".to_owned(), json!(2));
    store.save(&record).await.expect("saved");
    let loaded = store.load(&record.id).await.expect("asked").expect("there");
    assert_eq!(loaded.data["step"], json!(2));
    assert_eq!(count(&app.ctx).await, 1);

    store.delete(&record.id).await.expect("deleted");
    assert_eq!(store.load(&record.id).await.expect("asked"), None);
    assert_eq!(count(&app.ctx).await, 0);
}

#[tokio::test]
async fn the_value_of_the_cookie_is_not_in_the_table() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let record = sign_in(&app.ctx, 0x1234_5678_9abc_def0_1234_5678_9abc_def0, ada.id).await;
    let value = record.id.to_string();
    let found: i64 = sqlx::query_scalar(
        "select count(*) from session s where s::text like '%' || $1 || '%' or s.token_hash = $2",
    )
    .bind(&value)
    .bind(value.as_bytes())
    .fetch_one(&app.ctx.db)
    .await
    .expect("looked for");
    assert_eq!(found, 0);
    let stored: Vec<u8> =
        sqlx::query_scalar("select token_hash from session").fetch_one(&app.ctx.db).await.expect("read");
    assert_eq!(stored, session::token_hash(&app.ctx, &value));
}

#[tokio::test]
async fn another_secret_makes_the_sessions_worthless() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let record = sign_in(&app.ctx, 7, ada.id).await;
    let mut config = app.ctx.config.clone();
    config.security.secret = devforge::config::Secret::new("another secret that only tests use".to_owned());
    let other =
        Context::open(config, app.ctx.clock.clone(), app.ctx.random.clone()).await.expect("a context");
    assert!(is_there(&app.ctx, &record).await);
    assert!(!is_there(&other, &record).await);
}

#[tokio::test]
async fn a_session_that_is_not_used_ends() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let record = sign_in(&app.ctx, 7, ada.id).await;
    app.ctx.clock.advance(Duration::days(14) - Duration::seconds(1));
    assert!(is_there(&app.ctx, &record).await);
    app.ctx.clock.advance(Duration::seconds(1));
    assert!(!is_there(&app.ctx, &record).await);
    assert!(session::list(&app.ctx, ada.id, None).await.expect("listed").is_empty());
}

#[tokio::test]
async fn a_session_in_use_goes_on_and_still_ends_at_its_absolute_time() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let record = sign_in(&app.ctx, 7, ada.id).await;
    let hash = session::token_hash(&app.ctx, &record.id.to_string());
    let absolute = app.ctx.config.security.session_absolute;
    for day in [10, 20, 30, 40, 50, 60, 70, 80] {
        app.ctx.clock.advance(Duration::days(10));
        let found = app.ctx.accounts.signed_in(hash, absolute).await.expect("asked");
        let found = found.unwrap_or_else(|| panic!("the session is good on day {day}"));
        assert_eq!(found.user.id, ada.id);
        session::touch(&app.ctx, found.session, found.last_seen_at).await.expect("noted");
    }
    app.ctx.clock.advance(Duration::days(10));
    assert!(app.ctx.accounts.signed_in(hash, absolute).await.expect("asked").is_none());
    assert!(!is_there(&app.ctx, &record).await);
}

#[tokio::test]
async fn the_last_use_is_noted_every_five_minutes() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    sign_in(&app.ctx, 7, ada.id).await;
    let seen = async || session::list(&app.ctx, ada.id, None).await.expect("listed").remove(0);
    let first = seen().await;

    app.ctx.clock.advance(Duration::minutes(4));
    session::touch(&app.ctx, first.id, first.last_seen_at).await.expect("noted");
    assert_eq!(seen().await.last_seen_at, first.last_seen_at);

    app.ctx.clock.advance(Duration::minutes(1));
    session::touch(&app.ctx, first.id, first.last_seen_at).await.expect("noted");
    assert_eq!(seen().await.last_seen_at, app.ctx.clock.now());
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_and_nobody_elses() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let old = sign_in(&app.ctx, 1, ada.id).await;
    app.ctx.clock.advance(Duration::minutes(1));
    let new = sign_in(&app.ctx, 2, ada.id).await;
    let foreign = sign_in(&app.ctx, 3, admin.id).await;

    let listed = session::list(&app.ctx, ada.id, None).await.expect("listed");
    assert_eq!(listed.len(), 2);
    assert!(listed[0].last_seen_at > listed[1].last_seen_at, "last used first");
    assert_eq!(listed[0].device, "Firefox on Linux");
    let marked = session::list(&app.ctx, ada.id, Some(listed[1].id)).await.expect("listed");
    assert_eq!(marked.iter().map(|session| session.current).collect::<Vec<_>>(), [false, true]);

    // An administrator has no more right over it than anybody else.
    assert!(!session::end(&app.ctx, admin.id, listed[1].id).await.expect("asked"));
    assert!(is_there(&app.ctx, &old).await);
    let nobodys = SessionId::from_uuid(app.ctx.random.uuid_v7(app.ctx.clock.now()));
    assert!(!session::end(&app.ctx, ada.id, nobodys).await.expect("asked"));

    assert!(session::end(&app.ctx, ada.id, listed[1].id).await.expect("ended"));
    assert!(!session::end(&app.ctx, ada.id, listed[1].id).await.expect("asked"), "it has ended already");
    assert!(!is_there(&app.ctx, &old).await);
    assert!(is_there(&app.ctx, &new).await && is_there(&app.ctx, &foreign).await);
}

#[tokio::test]
async fn the_purge_takes_what_has_ended_and_nothing_else() {
    let app = TestApp::start().await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    sign_in(&app.ctx, 1, ada.id).await;
    app.ctx.clock.advance(Duration::days(10));
    let young = sign_in(&app.ctx, 2, ada.id).await;
    app.ctx.clock.advance(Duration::days(5));

    PurgeSessions {}.run(app.ctx.clone()).await.expect("purged");
    assert_eq!(count(&app.ctx).await, 1);
    assert!(is_there(&app.ctx, &young).await);
}
