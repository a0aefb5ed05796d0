//! The audit log as staff read it, and the walk over its chain.

use devforge::{
    account::{Caller, Denied, Error},
    audit::{self, Actor, AuditItem, Break, Check, CheckAudit, Entry, Filter},
    context::Context,
    contract::{
        account::Role,
        id::{AuditId, UserId},
    },
    jobs::{self, Job},
};
use serde_json::json;
use time::Duration;

use crate::support::TestApp;

async fn record(ctx: &Context, actor: Actor, action: &'static str, subject: UserId) -> AuditId {
    let subject_id = subject.to_string();
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let entry = Entry {
        actor,
        action,
        subject_kind: "account",
        subject_id: &subject_id,
        detail: json!({ "of": "test" }),
        request_id: None,
    };
    let id = audit::record(&mut tx, ctx, entry).await.expect("recorded");
    tx.commit().await.expect("committed");
    id
}

/// What tests recorded, out of what signing in and the like did.
fn of_tests() -> Filter {
    Filter { action: Some("test.".to_owned()), limit: 100, ..Filter::default() }
}

async fn list(ctx: &Context, caller: &Caller, filter: &Filter) -> Vec<AuditItem> {
    audit::list(ctx, caller, filter).await.expect("listed").items
}

fn ids(items: &[AuditItem]) -> Vec<AuditId> {
    items.iter().map(|item| item.id).collect()
}

fn id_of(caller: &Caller) -> UserId {
    caller.user().expect("signed in").id
}

#[tokio::test]
async fn entries_come_newest_first_with_names_and_their_place_in_the_chain() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let first = record(&app.ctx, Actor::User(id_of(&admin)), "test.first", ada.id).await;
    audit::seal(&app.ctx).await.expect("sealed");
    app.ctx.clock.advance(Duration::seconds(1));
    let second = record(&app.ctx, Actor::System, "test.second", ada.id).await;

    let items = list(&app.ctx, &admin, &of_tests()).await;
    assert_eq!(ids(&items), [second, first]);
    let (newest, oldest) = (&items[0], &items[1]);
    assert_eq!((newest.actor_kind.as_str(), newest.actor, &newest.actor_name), ("system", None, &None));
    assert_eq!(newest.sealed, None);
    assert_eq!(oldest.actor, Some(id_of(&admin)));
    assert_eq!(oldest.actor_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(oldest.subject_id, ada.id.to_string());
    assert_eq!(oldest.subject_name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(oldest.detail, json!({ "of": "test" }));
    assert!(oldest.sealed.is_some_and(|number| number > 0));
    app.run_jobs().await;
}

#[tokio::test]
async fn each_filter_leaves_out_the_others() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::Customer).await;
    let start = app.ctx.clock.now();
    let by_admin = record(&app.ctx, Actor::User(id_of(&admin)), "test.one", ada.id).await;
    app.ctx.clock.advance(Duration::minutes(1));
    let by_ada = record(&app.ctx, Actor::User(ada.id), "test.two", id_of(&admin)).await;
    app.ctx.clock.advance(Duration::minutes(1));
    let by_system = record(&app.ctx, Actor::System, "test.two", ada.id).await;

    let minute = Duration::minutes(1);
    for (filter, expected) in [
        (of_tests(), vec![by_system, by_ada, by_admin]),
        (Filter { action: Some(" test.two ".to_owned()), ..of_tests() }, vec![by_system, by_ada]),
        (Filter { action: Some("test.%".to_owned()), ..of_tests() }, vec![]),
        (Filter { actor: Some(ada.id), ..of_tests() }, vec![by_ada]),
        (Filter { subject: Some(ada.id.to_string()), ..of_tests() }, vec![by_system, by_admin]),
        (Filter { subject: Some("nothing".to_owned()), ..of_tests() }, vec![]),
        (Filter { from: Some(start + minute), ..of_tests() }, vec![by_system, by_ada]),
        (Filter { to: Some(start + minute), ..of_tests() }, vec![by_admin]),
        (Filter { from: Some(start + minute), to: Some(start + minute * 2), ..of_tests() }, vec![by_ada]),
    ] {
        assert_eq!(ids(&list(&app.ctx, &admin, &filter).await), expected, "{filter:?}");
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn pages_follow_one_another_whatever_comes_in_meanwhile() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    let subject = id_of(&admin);
    let mut expected = Vec::new();
    for _ in 0..5 {
        // All of one moment: the id decides.
        expected.push(record(&app.ctx, Actor::System, "test.done", subject).await);
    }
    expected.sort();
    expected.reverse();

    let mut seen = Vec::new();
    let mut filter = Filter { limit: 2, ..of_tests() };
    loop {
        let page = audit::list(&app.ctx, &admin, &filter).await.expect("listed");
        assert!(page.items.len() <= 2);
        seen.extend(ids(&page.items));
        app.ctx.clock.advance(Duration::seconds(1));
        record(&app.ctx, Actor::System, "test.done", subject).await;
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, expected);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_page_that_is_just_full_has_no_next() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    for _ in 0..2 {
        record(&app.ctx, Actor::System, "test.done", id_of(&admin)).await;
    }
    let page = audit::list(&app.ctx, &admin, &Filter { limit: 2, ..of_tests() }).await.expect("listed");
    assert_eq!((page.items.len(), page.next), (2, None));
    for cursor in ["", "x", "-1.0", "1.2", "99999999999999999999.00000000000000000000000000000000"] {
        let filter = Filter { cursor: Some(cursor.to_owned()), ..of_tests() };
        let refused = audit::list(&app.ctx, &admin, &filter).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{cursor}: {refused:?}");
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn who_may_not_read_the_log_reads_none_of_it() {
    let app = TestApp::start().await;
    let customer = app.signed_in("ada@example.com", Role::Customer).await;
    let support = app.signed_in("edith@example.com", Role::Support).await;
    for caller in [&customer, &support] {
        let refused = audit::list(&app.ctx, caller, &of_tests()).await;
        assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");
        let refused = audit::last_check(&app.ctx, caller).await;
        assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");
        let refused = audit::request_check(&app.ctx, caller).await;
        assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");
    }
    let refused = audit::of_subject(&app.ctx, &customer, id_of(&customer), 10).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");

    let one = record(&app.ctx, Actor::System, "test.done", id_of(&customer)).await;
    record(&app.ctx, Actor::User(id_of(&customer)), "test.done", id_of(&support)).await;
    let seen = audit::of_subject(&app.ctx, &support, id_of(&customer), 100).await.expect("listed");
    assert!(ids(&seen).contains(&one));
    assert!(seen.iter().all(|item| item.subject_id == id_of(&customer).to_string()));
    app.run_jobs().await;
}

#[tokio::test]
async fn a_check_that_is_asked_for_runs_once_and_is_written_down() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    app.run_jobs().await;
    assert_eq!(audit::last_check(&app.ctx, &admin).await.expect("asked"), None);
    for _ in 0..2 {
        audit::request_check(&app.ctx, &admin).await.expect("asked for");
    }
    assert_eq!(jobs::figures(&app.ctx).await.expect("counted").waiting, 1);
    let sealed = audit::seal(&app.ctx).await.expect("sealed");
    app.run_jobs().await;
    let found = audit::last_check(&app.ctx, &admin).await.expect("asked").expect("checked");
    let sealed = i64::try_from(sealed).expect("few");
    assert_eq!(found, Check { checked_at: app.ctx.clock.now(), sealed, unsealed: 0, broken: None });
}

#[tokio::test]
async fn a_check_says_where_the_chain_breaks() {
    let app = TestApp::start().await;
    let admin = app.signed_in("grace@example.com", Role::Admin).await;
    for action in ["test.one", "test.two"] {
        record(&app.ctx, Actor::System, action, id_of(&admin)).await;
        audit::seal(&app.ctx).await.expect("sealed");
    }
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("a superuser");
    sqlx::query("update audit_event set action = 'test.other' where action = 'test.two'")
        .execute(&mut *tx)
        .await
        .expect("changed");
    tx.commit().await.expect("committed");

    CheckAudit {}.run(app.ctx.clone()).await.expect("a broken chain is a finding, not a failure");
    let found = audit::last_check(&app.ctx, &admin).await.expect("asked").expect("checked");
    let Some(Break { at, why }) = found.broken else {
        panic!("it is broken: {found:?}");
    };
    assert_eq!((at, why.as_str()), (found.sealed + 1, "its content was changed"));
    app.run_jobs().await;
}
