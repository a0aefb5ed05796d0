//! One round: messages, subscriptions, orders.

use std::collections::HashSet;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Difference, LONGEST_ROUND, note_once, store};
use crate::{
    billing::{
        Error, Outcome, inbox,
        order::rules::was_paid,
        settle::{self, RecordFee},
        subscription::{self, Read, rules},
    },
    context::Context,
    contract::payment::SubscriptionStatus,
    integration::stripe::{self, objects},
    jobs,
};

/// Rounds overlap by so much: Stripe's list may be behind by a moment.
const OVERLAP: Duration = Duration::minutes(10);
/// A message so young is still on its way. The next round overlaps this.
const ON_ITS_WAY: Duration = Duration::minutes(5);
/// How far back the first round of all looks: for so long Stripe itself tries to deliver.
const FIRST_LOOK: Duration = Duration::days(3);
/// An order that was begun so long ago could be paid by now.
const ORDER_AGE: Duration = Duration::minutes(15);
const MAX_ORDERS: i64 = 500;
/// Stripe knows its fee when it pays out, at the latest: what is not known after an hour was missed, and what is not
/// known after two months never will be.
const FEE_LATE: Duration = Duration::hours(1);
const FEE_TOO_OLD: Duration = Duration::days(60);
const MAX_FEES: i64 = 500;
const RUNNING_BATCH: i64 = 500;
/// Pages of a hundred.
const MAX_PAGES: usize = 2_000;
/// Rounds that found nothing are kept for so long.
const KEPT: Duration = Duration::days(90);

struct Round {
    id: Uuid,
    started_at: OffsetDateTime,
    figures: store::Figures,
}

/// Looks at everything once. Nothing is done while another round is under way.
pub async fn run(ctx: &Context) -> Result<(), Error> {
    let started_at = ctx.clock.now();
    let id = ctx.random.uuid_v7(started_at);
    let cut_off_before = started_at - LONGEST_ROUND;
    let mut tx = ctx.db.begin().await?;
    let begun = store::begin(&mut tx, id, started_at, started_at - FIRST_LOOK, cut_off_before).await?;
    tx.commit().await?;
    let Some(read_until) = begun else { return Ok(()) };
    let mut round = Round { id, started_at, figures: store::Figures::default() };
    let outcome = all(ctx, &mut round, read_until).await;
    let events_until = if outcome.is_ok() { started_at } else { read_until };
    store::finish(&ctx.db, id, ctx.clock.now(), events_until, round.figures).await?;
    store::purge(&ctx.db, started_at - KEPT).await?;
    outcome
}

async fn all(ctx: &Context, round: &mut Round, read_until: OffsetDateTime) -> Result<(), Error> {
    events(ctx, round, read_until - OVERLAP).await?;
    let there = subscriptions(ctx, round).await?;
    missing_there(ctx, &there).await?;
    fees(ctx, round).await?;
    orders(ctx, round).await
}

/// Takes in every message that did not arrive.
async fn events(ctx: &Context, round: &mut Round, since: OffsetDateTime) -> Result<(), Error> {
    let stripe = ctx.stripe()?;
    let old_enough = (round.started_at - ON_ITS_WAY).unix_timestamp();
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = stripe.events_since(since.unix_timestamp(), after.as_deref()).await?;
        for event in &page.data {
            round.figures.events_read += 1;
            if event.created <= old_enough && inbox::fetched(ctx, event).await? {
                round.figures.events_missed += 1;
                tracing::warn!(event = %event.id, topic = %event.topic, "a message of Stripe's had not arrived");
            }
        }
        after = page.data.last().map(|event| event.id.clone());
        if !page.has_more || after.is_none() {
            return Ok(());
        }
    }
    Err(Error::Unexpected("more events than one round reads".to_owned()))
}

/// Compares every subscription that Stripe has with ours. Which those are.
async fn subscriptions(ctx: &Context, round: &mut Round) -> Result<HashSet<String>, Error> {
    let stripe = ctx.stripe()?;
    let mut there = HashSet::new();
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let asked_at = ctx.clock.now();
        let page = stripe.subscriptions_after(after.as_deref()).await?;
        for theirs in &page.data {
            round.figures.subscriptions_read += 1;
            compare(ctx, round, theirs, asked_at).await?;
            there.insert(theirs.id.clone());
        }
        after = page.data.last().map(|last| last.id.clone());
        if !page.has_more || after.is_none() {
            return Ok(there);
        }
    }
    Err(Error::Unexpected("more subscriptions than one round reads".to_owned()))
}

async fn compare(
    ctx: &Context,
    round: &Round,
    theirs: &objects::Subscription,
    asked_at: OffsetDateTime,
) -> Result<(), Error> {
    let subject = subscription::subject(&theirs.id);
    let ours = subscription::by_stripe(ctx, &theirs.id).await?;
    let seen = match subscription::read(ctx, theirs).await? {
        Read::Seen(seen) => seen,
        Read::Strange(field, what) => return note_once(ctx, &subject, field, "unknown", &what).await,
    };
    let Some(ours) = ours else {
        if seen.status == SubscriptionStatus::Ended && !theirs.metadata.contains_key("order") {
            return Ok(());
        }
        // One that is none of ours is noted where it is read.
        if subscription::sync(ctx, &theirs.id).await? == Outcome::Applied {
            note(ctx, round, &subject, "subscription", "none", &theirs.status).await?;
        }
        return Ok(());
    };
    if ours.synced_at > asked_at {
        return Ok(());
    }
    if !ours.state.is_running() {
        if seen.status != SubscriptionStatus::Ended {
            note_once(ctx, &subject, "status", ours.state.status.as_str(), seen.status.as_str()).await?;
        }
        return Ok(());
    }
    let differences = rules::differences(&ours.state, &rules::follow(Some(&ours.state), &seen, asked_at));
    for difference in &differences {
        note(ctx, round, &subject, difference.field, &difference.ours, &difference.theirs).await?;
    }
    if !differences.is_empty() {
        subscription::sync(ctx, &theirs.id).await?;
    }
    Ok(())
}

/// Looks after ours that run and were not in Stripe's list: too new for it, or gone.
async fn missing_there(ctx: &Context, there: &HashSet<String>) -> Result<(), Error> {
    let mut after = None;
    loop {
        let batch = store::running(&ctx.db, after, RUNNING_BATCH).await?;
        let Some(last) = batch.last() else { return Ok(()) };
        after = Some(last.id);
        for ours in batch.iter().filter(|ours| !there.contains(&ours.stripe_id)) {
            if subscription::look(ctx, &ours.stripe_id).await?.theirs.is_none() {
                let subject = subscription::subject(&ours.stripe_id);
                note_once(ctx, &subject, "subscription", &ours.status, "none").await?;
            }
        }
    }
}

/// Has the fees looked up again that Stripe did not tell in time. One whose fee is nothing is asked about until it is old.
async fn fees(ctx: &Context, round: &Round) -> Result<(), Error> {
    let (oldest, newest) = (round.started_at - FEE_TOO_OLD, round.started_at - FEE_LATE);
    let payments = store::without_fee(&ctx.db, oldest, newest, MAX_FEES).await?;
    let mut tx = ctx.db.begin().await?;
    for payment in payments {
        // While it is still tried, it is not tried twice.
        let options =
            jobs::Options { key: Some(format!("record_fee:{payment}")), ..jobs::Options::default() };
        jobs::enqueue_with(&mut tx, &RecordFee { payment }, options).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Asks after orders that nobody has paid as far as we know.
async fn orders(ctx: &Context, round: &Round) -> Result<(), Error> {
    let mut failed = None;
    for open in store::open_orders(&ctx.db, round.started_at - ORDER_AGE, MAX_ORDERS).await? {
        match settle::session(ctx, &open.session_id).await {
            Ok(Outcome::Applied) => {
                let now = store::order_status(&ctx.db, open.id).await?;
                if let Some(status) = now.filter(|status| was_paid(*status)) {
                    let subject = format!("order {}", open.id);
                    note(ctx, round, &subject, "status", &open.status, status.as_str()).await?;
                }
            }
            // A session of another of Stripe's accounts, from before a key was changed.
            Ok(Outcome::NothingToDo) | Err(Error::Stripe(stripe::Error::NotFound)) => {}
            // One that cannot be asked about must not keep the others from being looked at.
            Err(error) => {
                tracing::warn!(order = %open.id, error = %error, "an open order could not be looked after");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Writes a difference down, before it is put right.
async fn note(
    ctx: &Context,
    round: &Round,
    subject: &str,
    field: &str,
    ours: &str,
    theirs: &str,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let difference = Difference {
        found_at: now,
        subject: subject.to_owned(),
        field: field.to_owned(),
        ours: ours.to_owned(),
        theirs: theirs.to_owned(),
    };
    store::insert(&ctx.db, ctx.random.uuid_v7(now), round.id, &difference).await?;
    metrics::counter!("devforge_reconcile_differences_total").increment(1);
    tracing::warn!(subject, field, ours, theirs, "we and Stripe differed");
    Ok(())
}
