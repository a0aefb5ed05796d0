//! The audit log refuses changes, and notices those that were made all the same.

use devforge::{
    audit::{self, Actor, Entry, Error, Verified},
    context::Context,
};
use serde_json::json;
use time::Duration;

use crate::support::TestApp;

fn entry(subject: &str) -> Entry<'_> {
    Entry {
        actor: Actor::System,
        action: "test.done",
        subject_kind: "test",
        subject_id: subject,
        detail: json!({ "of": subject }),
        request_id: None,
    }
}

async fn record(ctx: &Context, subject: &str) {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    audit::record(&mut tx, ctx, entry(subject)).await.expect("recorded");
    tx.commit().await.expect("committed");
}

/// Three entries in the chain, one, two, three.
async fn sealed_app() -> TestApp {
    let app = TestApp::start().await;
    for subject in ["one", "two", "three"] {
        record(&app.ctx, subject).await;
        app.ctx.clock.advance(Duration::seconds(1));
    }
    assert_eq!(audit::seal(&app.ctx).await.expect("sealed"), 3);
    app
}

/// What somebody with every right in the database can do: change one row with the triggers off.
async fn tamper(ctx: &Context, statement: &'static str) {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    sqlx::query("set local session_replication_role = replica")
        .execute(&mut *tx)
        .await
        .expect("the tests' PostgreSQL user is a superuser");
    let done = sqlx::query(statement).execute(&mut *tx).await.expect("done");
    assert_eq!(done.rows_affected(), 1, "{statement}");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn what_is_recorded_is_sealed_and_verifies() {
    let app = TestApp::start().await;
    record(&app.ctx, "one").await;
    record(&app.ctx, "two").await;
    let before = audit::verify(&app.ctx.db).await.expect("whole");
    assert_eq!(before, Verified { sealed: 0, unsealed: 2 });

    assert_eq!(audit::seal(&app.ctx).await.expect("sealed"), 2);
    assert_eq!(audit::seal(&app.ctx).await.expect("nothing to seal"), 0);
    let after = audit::verify(&app.ctx.db).await.expect("whole");
    assert_eq!(after, Verified { sealed: 2, unsealed: 0 });
}

#[tokio::test]
async fn an_entry_of_a_transaction_that_is_rolled_back_was_never_there() {
    let app = TestApp::start().await;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    audit::record(&mut tx, &app.ctx, entry("one")).await.expect("recorded");
    tx.rollback().await.expect("rolled back");
    assert_eq!(audit::seal(&app.ctx).await.expect("nothing to seal"), 0);
    let found = audit::verify(&app.ctx.db).await.expect("whole");
    assert_eq!(found, Verified { sealed: 0, unsealed: 0 });
}

#[tokio::test]
async fn an_entry_that_commits_after_younger_ones_were_sealed_is_sealed_too() {
    let app = TestApp::start().await;
    let mut slow = app.ctx.db.begin().await.expect("a transaction");
    audit::record(&mut slow, &app.ctx, entry("slow")).await.expect("recorded");
    app.ctx.clock.advance(Duration::seconds(1));
    record(&app.ctx, "quick").await;
    assert_eq!(audit::seal(&app.ctx).await.expect("sealed"), 1);

    slow.commit().await.expect("committed");
    assert_eq!(audit::seal(&app.ctx).await.expect("sealed"), 1);
    let found = audit::verify(&app.ctx.db).await.expect("whole");
    assert_eq!(found, Verified { sealed: 2, unsealed: 0 });
}

#[tokio::test]
async fn two_processes_that_seal_at_once_make_one_chain() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let mut sealed = 0;
    for round in 0..5 {
        for number in 0..10 {
            record(&app.ctx, &format!("{round}-{number}")).await;
            record(&second, &format!("{round}-{number}")).await;
        }
        let (one, other) = tokio::join!(audit::seal(&app.ctx), audit::seal(&second));
        sealed += one.expect("sealed") + other.expect("sealed");
    }
    assert_eq!(sealed, 100);
    let found = audit::verify(&app.ctx.db).await.expect("one chain");
    assert_eq!(found, Verified { sealed: 100, unsealed: 0 });
}

#[tokio::test]
async fn a_long_log_is_sealed_and_verified_in_parts() {
    let app = TestApp::start().await;
    sqlx::query(
        "insert into audit_event
             (id, recorded_at, actor_kind, action, subject_kind, subject_id, detail)
         select gen_random_uuid(), $1, 'system', 'test.done', 'test', number::text, '{}'::jsonb
         from generate_series(1, 1500) number",
    )
    .bind(app.ctx.clock.now())
    .execute(&app.ctx.db)
    .await
    .expect("written");
    assert_eq!(audit::seal(&app.ctx).await.expect("sealed"), 1000);
    assert_eq!(audit::seal(&app.ctx).await.expect("sealed"), 500);
    let found = audit::verify(&app.ctx.db).await.expect("whole");
    assert_eq!(found, Verified { sealed: 1500, unsealed: 0 });
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_entries_and_seals() {
    let app = sealed_app().await;
    for statement in [
        "update audit_event set action = 'test.other'",
        "delete from audit_event",
        "truncate audit_event",
        "do $$ begin execute 'truncate ' || (
             select min(inhrelid::regclass::text) from pg_inherits where inhparent = 'audit_event'::regclass
         ); end $$",
        "truncate audit_event_default",
        "update audit_seal set sequence = sequence + 10",
        "delete from audit_seal",
        "truncate audit_seal",
    ] {
        let refused = sqlx::query(statement).execute(&app.ctx.db).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("23001"), "{statement}: {refused}");
    }
    let found = audit::verify(&app.ctx.db).await.expect("whole");
    assert_eq!(found, Verified { sealed: 3, unsealed: 0 });
}

#[tokio::test]
async fn tampering_with_the_triggers_off_is_found_where_it_happened() {
    for (statement, place, found) in [
        (
            "update audit_event set action = 'test.other' where subject_id = 'two'",
            2,
            "its content was changed",
        ),
        ("update audit_event set detail = '{}' where subject_id = 'three'", 3, "its content was changed"),
        (
            "update audit_event set actor_kind = 'user', actor_id = gen_random_uuid() where subject_id = 'one'",
            1,
            "its content was changed",
        ),
        ("delete from audit_event where subject_id = 'two'", 2, "the entry is gone"),
        ("delete from audit_seal where sequence = 1", 1, "a link of the chain is missing"),
        ("delete from audit_seal where sequence = 2", 2, "a link of the chain is missing"),
        ("delete from audit_seal where sequence = 3", 3, "links were taken off the end of the chain"),
        ("update audit_seal set hash = sha256('x') where sequence = 2", 2, "its content was changed"),
        (
            "update audit_seal set previous_hash = sha256('x') where sequence = 3",
            3,
            "it does not follow the entry before it",
        ),
    ] {
        let app = sealed_app().await;
        tamper(&app.ctx, statement).await;
        match audit::verify(&app.ctx.db).await {
            Err(Error::Broken { sequence, what }) => {
                assert_eq!((sequence, what), (place, found), "{statement}");
            }
            other => panic!("{statement} gives {other:?}"),
        }
    }
}
