//! From what happened to work: a durable reader that queues a job for whatever licenses have to follow.
//!
//! What always holds: jobs are queued in the transaction that moves the reader's place, so that no event is passed over
//! and a process that dies in between has done neither; one node at a time reads; an event is a hint, and its job looks
//! at how things are when it runs, so that one job does for many events, and reading them again is harmless.

use std::{collections::BTreeSet, time::Duration};

use sqlx::PgConnection;

use super::{Event, MAX_READ, News, save_cursor, store};
use crate::{
    context::Context,
    contract::id::{OrderId, SubscriptionId},
    jobs::{self, Options, enqueue, enqueue_with},
    license::follow::{FollowOrder, FollowSubscription, SetLicensesRight},
};

const READER: &str = "licenses";
/// What is committed can be read once everything that began before it has ended: mostly in a moment.
const SOON: Duration = Duration::from_millis(50);
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// What is to be looked at because of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Order(OrderId),
    Subscription(SubscriptionId),
}

/// Turns the next events into jobs. How many events it were: none when there are none for now, or another node is at it.
pub async fn step(ctx: &Context) -> Result<usize, jobs::Error> {
    if !is_behind(ctx).await? {
        return Ok(0);
    }
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let Some(place) = store::lock_cursor(&mut tx, READER, now).await? else { return Ok(0) };
    if place.is_new {
        make_good(&mut tx).await?;
    }
    if store::bring_back(&mut tx, now).await? {
        // Not seen by this transaction, which is not over.
        tracing::warn!("the outbox is a copy of another cluster's; what is in it is read from its beginning");
        make_good(&mut tx).await?;
        tx.commit().await?;
        return Ok(0);
    }
    let events = store::read_after(&mut *tx, place.cursor, MAX_READ).await?;
    let Some(last) = events.last() else { return Ok(0) };
    for work in events.iter().filter_map(work).collect::<BTreeSet<_>>() {
        queue(&mut tx, work).await?;
    }
    save_cursor(&mut tx, ctx, READER, last.cursor).await?;
    tx.commit().await?;
    Ok(events.len())
}

/// Makes the reader's place where there is none, so that what was paid before there was a reader has its licenses.
async fn begin(ctx: &Context) -> Result<(), jobs::Error> {
    let mut tx = ctx.db.begin().await?;
    let place = store::lock_cursor(&mut tx, READER, ctx.clock.now()).await?;
    if place.is_some_and(|place| place.is_new) {
        make_good(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What happened before what can be read, or was lost with it.
async fn make_good(conn: &mut PgConnection) -> Result<(), jobs::Error> {
    enqueue(conn, &SetLicensesRight {}).await
}

/// Whether something has happened that [`step`] has not turned into a job, even if it cannot be read yet.
pub async fn is_behind(ctx: &Context) -> Result<bool, sqlx::Error> {
    store::is_behind(&ctx.db, READER).await
}

/// Does [`step`] whenever something happens, for as long as this process works.
pub async fn run(ctx: Context) {
    let mut news = News::of(ctx.db.clone());
    while let Err(error) = begin(&ctx).await {
        tracing::warn!(%error, "the place in what happened could not be made; trying again");
        tokio::time::sleep(AFTER_TROUBLE).await;
    }
    loop {
        match rest(&ctx).await {
            Ok(Some(pause)) => tokio::time::sleep(pause).await,
            Ok(None) => news.wait().await,
            Err(error) => {
                tracing::warn!(%error, "what happened could not be turned into work; trying again");
                tokio::time::sleep(AFTER_TROUBLE).await;
            }
        }
    }
}

/// Does what there is. How long to wait before there may be more; None: until there is word of it.
async fn rest(ctx: &Context) -> Result<Option<Duration>, jobs::Error> {
    while step(ctx).await? > 0 {}
    Ok(is_behind(ctx).await?.then_some(SOON))
}

fn work(event: &Event) -> Option<Work> {
    match event.topic.split_once('.')? {
        ("order", _) => event.key.parse().ok().map(Work::Order),
        ("subscription", _) => event.key.parse().ok().map(Work::Subscription),
        _ => None,
    }
}

/// While a job about the same thing waits, there is one: it will see what all of them are about.
async fn queue(conn: &mut PgConnection, work: Work) -> Result<(), jobs::Error> {
    let once = |key: String| Options { key: Some(format!("follow {key}")), ..Options::default() };
    match work {
        Work::Order(order) => enqueue_with(conn, &FollowOrder { order }, once(order.to_string())).await,
        Work::Subscription(subscription) => {
            enqueue_with(conn, &FollowSubscription { subscription }, once(subscription.to_string())).await
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::outbox::Cursor;

    fn event(topic: &str, key: &str) -> Event {
        Event {
            cursor: Cursor::START,
            recorded_at: datetime!(2026-11-20 10:00 UTC),
            topic: topic.to_owned(),
            key: key.to_owned(),
            payload: json!({}),
        }
    }

    #[test]
    fn orders_and_subscriptions_are_work_and_nothing_else_is() {
        let order = OrderId::from_uuid(Uuid::from_u128(7));
        let subscription = SubscriptionId::from_uuid(Uuid::from_u128(8));
        assert_eq!(work(&event("order.paid", &order.to_string())), Some(Work::Order(order)));
        let renewed = event("subscription.renewed", &subscription.to_string());
        assert_eq!(work(&renewed), Some(Work::Subscription(subscription)));
        for (topic, key) in [
            ("order.paid", subscription.to_string()),
            ("order.paid", String::new()),
            ("license.issued", order.to_string()),
            ("account.changed", "usr_1".to_owned()),
            ("order", order.to_string()),
        ] {
            assert_eq!(work(&event(topic, &key)), None, "{topic} {key}");
        }
    }
}
