//! The outbox is read in order, once, and without a gap.
//!
//! A reader waits for the oldest transaction of the whole server, those of other tests' databases included. So what
//! must come is waited for, and only what must not come is asserted at once.

use devforge::{
    context::Context,
    outbox::{self, Cursor, Event, Follower},
};
use serde_json::json;
use time::Duration;

use crate::{eventually::eventually, support::TestApp};

async fn publish(ctx: &Context, key: &str) {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    outbox::publish(&mut tx, ctx, "test.happened", key, &json!({ "key": key })).await.expect("written");
    tx.commit().await.expect("committed");
}

/// The events after `cursor`, once there are `count` of them.
async fn read(ctx: &Context, cursor: Cursor, count: usize) -> Vec<Event> {
    eventually("the events can be read", async || {
        let events = outbox::read_after(&ctx.db, cursor, 100).await.expect("read");
        (events.len() >= count).then_some(events)
    })
    .await
}

fn keys(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.key.as_str()).collect()
}

async fn save(ctx: &Context, reader: &str, cursor: Cursor) {
    let mut tx = ctx.db.begin().await.expect("a transaction");
    outbox::save_cursor(&mut tx, ctx, reader, cursor).await.expect("saved");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn events_are_read_in_the_order_of_their_commits() {
    let app = TestApp::start().await;
    for key in ["a", "b", "c"] {
        publish(&app.ctx, key).await;
    }
    let events = read(&app.ctx, Cursor::START, 3).await;
    assert_eq!(keys(&events), ["a", "b", "c"]);
    assert!(events.is_sorted_by_key(|event| event.cursor));
    assert_eq!(events[0].topic, "test.happened");
    assert_eq!(events[0].payload, json!({ "key": "a" }));
    assert_eq!(events[0].recorded_at, app.ctx.clock.now());

    let rest = outbox::read_after(&app.ctx.db, events[0].cursor, 1).await.expect("read");
    assert_eq!(keys(&rest), ["b"]);
    let none = outbox::read_after(&app.ctx.db, events[2].cursor, 100).await.expect("read");
    assert_eq!(keys(&none), [""; 0]);
}

#[tokio::test]
async fn an_event_whose_transaction_commits_late_is_not_passed_over() {
    let app = TestApp::start().await;
    let mut slow = app.ctx.db.begin().await.expect("a transaction");
    outbox::publish(&mut slow, &app.ctx, "test.happened", "slow", &json!({})).await.expect("written");
    publish(&app.ctx, "quick").await;
    let early = outbox::read_after(&app.ctx.db, Cursor::START, 100).await.expect("read");
    assert_eq!(keys(&early), [""; 0], "nothing is given out that something can still appear before");

    slow.commit().await.expect("committed");
    let events = read(&app.ctx, Cursor::START, 2).await;
    assert_eq!(keys(&events), ["slow", "quick"]);
    let again = outbox::read_after(&app.ctx.db, events[1].cursor, 100).await.expect("read");
    assert_eq!(keys(&again), [""; 0]);
}

#[tokio::test]
async fn an_event_of_a_transaction_that_is_rolled_back_never_happened() {
    let app = TestApp::start().await;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    outbox::publish(&mut tx, &app.ctx, "test.happened", "gone", &json!({})).await.expect("written");
    tx.rollback().await.expect("rolled back");
    publish(&app.ctx, "there").await;
    assert_eq!(keys(&read(&app.ctx, Cursor::START, 1).await), ["there"]);
}

#[tokio::test]
async fn the_end_is_behind_what_was_and_before_what_comes() {
    let app = TestApp::start().await;
    publish(&app.ctx, "old").await;
    read(&app.ctx, Cursor::START, 1).await;
    let end = outbox::end(&app.ctx.db).await.expect("asked");
    publish(&app.ctx, "new").await;
    assert_eq!(keys(&read(&app.ctx, end, 1).await), ["new"]);
}

#[tokio::test]
async fn a_reader_keeps_its_place_and_never_goes_back() {
    let app = TestApp::start().await;
    publish(&app.ctx, "a").await;
    publish(&app.ctx, "b").await;
    let events = read(&app.ctx, Cursor::START, 2).await;
    let (first, second) = (events[0].cursor, events[1].cursor);
    assert_eq!(outbox::load_cursor(&app.ctx.db, "index").await.expect("asked"), None);

    save(&app.ctx, "index", second).await;
    save(&app.ctx, "index", first).await;
    let other_process = app.second().await;
    let kept = outbox::load_cursor(&other_process.db, "index").await.expect("asked");
    assert_eq!(kept, Some(second));

    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    outbox::save_cursor(&mut tx, &app.ctx, "webhooks", second).await.expect("saved");
    tx.rollback().await.expect("rolled back");
    assert_eq!(outbox::load_cursor(&app.ctx.db, "webhooks").await.expect("asked"), None);
}

#[tokio::test]
async fn a_place_survives_being_written_down() {
    let app = TestApp::start().await;
    publish(&app.ctx, "a").await;
    let cursor = read(&app.ctx, Cursor::START, 1).await[0].cursor;
    assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
    for bad in ["", "7", "7.", "x.1", "1.2.3"] {
        assert_eq!(bad.parse::<Cursor>(), Err(()), "{bad:?}");
    }
}

#[tokio::test]
async fn the_purge_keeps_what_is_young_and_what_a_durable_reader_has_not_had() {
    let app = TestApp::start().await;
    publish(&app.ctx, "had").await;
    publish(&app.ctx, "not had").await;
    let events = read(&app.ctx, Cursor::START, 2).await;
    save(&app.ctx, "index", events[0].cursor).await;
    assert_eq!(outbox::purge(&app.ctx).await.expect("purged"), 0, "all of it is young");

    app.ctx.clock.advance(Duration::days(15));
    publish(&app.ctx, "young").await;
    assert_eq!(outbox::purge(&app.ctx).await.expect("purged"), 1);
    assert_eq!(keys(&read(&app.ctx, Cursor::START, 2).await), ["not had", "young"]);

    save(&app.ctx, "index", events[1].cursor).await;
    assert_eq!(outbox::purge(&app.ctx).await.expect("purged"), 1);
    assert_eq!(keys(&read(&app.ctx, Cursor::START, 1).await), ["young"]);
}

#[tokio::test]
async fn a_follower_is_given_what_happens_while_it_waits() {
    let app = TestApp::start().await;
    let mut follower = Follower::from(app.ctx.db.clone(), Cursor::START);
    for key in ["a", "b"] {
        let waiting = tokio::spawn(async move {
            let events = follower.next().await;
            (follower, events)
        });
        publish(&app.ctx, key).await;
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await;
        let (back, events) = waited.expect("in time").expect("not cancelled");
        assert_eq!(keys(&events), [key]);
        follower = back;
    }
}
