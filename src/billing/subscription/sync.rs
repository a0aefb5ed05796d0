//! Reading a subscription at Stripe, and writing down what was read.

use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{
    Details, mails,
    rules::{self, Seen, State, Terms},
    store,
};
use crate::{
    billing::{
        By, Error, Outcome, catalogue, note,
        order::{self, Owner},
        reconcile,
    },
    context::Context,
    contract::{
        id::{OrderId, SubscriptionId, UserId},
        payment::{Interval, SubscriptionStatus},
    },
    integration::stripe::{self, objects},
    outbox,
};

/// What looking at Stripe came to.
pub(in crate::billing) struct Looked {
    pub outcome: Outcome,
    /// None when Stripe does not know it.
    pub theirs: Option<objects::Subscription>,
}

/// What Stripe's answer means here.
pub(in crate::billing) enum Read {
    Seen(Box<Seen>),
    /// It has something that we cannot name: which field, and what stands in it.
    Strange(&'static str, String),
}

/// Asks Stripe how a subscription stands, and writes it down. One that is not there yet is made from the order that its
/// metadata names.
pub async fn sync(ctx: &Context, stripe_id: &str) -> Result<Outcome, Error> {
    Ok(look(ctx, stripe_id).await?.outcome)
}

/// [`sync`], with the answer.
pub(in crate::billing) async fn look(ctx: &Context, stripe_id: &str) -> Result<Looked, Error> {
    let asked_at = ctx.clock.now();
    match ctx.stripe()?.subscription(stripe_id).await {
        Ok(theirs) => {
            let outcome = write_down(ctx, &theirs, asked_at).await?;
            Ok(Looked { outcome, theirs: Some(theirs) })
        }
        Err(stripe::Error::NotFound) => Ok(Looked { outcome: Outcome::NothingToDo, theirs: None }),
        Err(error) => Err(error.into()),
    }
}

/// Puts Stripe's words into ours.
pub(in crate::billing) async fn read(ctx: &Context, theirs: &objects::Subscription) -> Result<Read, Error> {
    let Some(status) = rules::status(&theirs.status) else {
        return Ok(Read::Strange("status", theirs.status.clone()));
    };
    let Some(item) = theirs.items.data.first() else {
        return Ok(Read::Strange("items", "none".to_owned()));
    };
    let price = catalogue::price_by_stripe(ctx, &item.price.id).await?;
    let Some(price) = price.filter(|price| price.price.interval != Interval::Once) else {
        return Ok(Read::Strange("price", item.price.id.clone()));
    };
    let moment = |seconds: i64| {
        OffsetDateTime::from_unix_timestamp(seconds)
            .map_err(|_| Error::Unexpected(format!("a subscription with the time {seconds}")))
    };
    Ok(Read::Seen(Box::new(Seen {
        status,
        terms: Terms {
            price: price.price.id,
            tier: price.tier,
            interval: price.price.interval,
            currency: price.price.currency,
            unit_amount: price.price.amount,
        },
        seats: item.quantity.unwrap_or(1).clamp(1, order::MAX_SEATS),
        period_start: moment(item.current_period_start)?,
        period_end: moment(item.current_period_end)?,
        trial_end: theirs.trial_end.map(moment).transpose()?,
        cancel_at_period_end: theirs.cancel_at_period_end,
        ended_at: theirs.ended_at.map(moment).transpose()?,
    })))
}

async fn write_down(
    ctx: &Context,
    theirs: &objects::Subscription,
    asked_at: OffsetDateTime,
) -> Result<Outcome, Error> {
    let seen = match read(ctx, theirs).await? {
        Read::Seen(seen) => seen,
        Read::Strange(field, what) => {
            reconcile::note_once(ctx, &subject(&theirs.id), field, "unknown", &what).await?;
            return Ok(Outcome::NothingToDo);
        }
    };
    let order = theirs.metadata.get("order").and_then(|id| id.parse::<OrderId>().ok());
    let mut tx = ctx.db.begin().await?;
    // The order before the subscription, as everywhere.
    let owner = match order {
        Some(id) => order::owner_of(&mut tx, id).await?.map(|owner| (id, owner)),
        None => None,
    };
    let account = owner.as_ref().and_then(|(_, owner)| owner.account);
    let outcome = match (store::lock(&mut tx, &theirs.id).await?, &owner) {
        (Some(before), _) => Some(go_on(&mut tx, ctx, &before, &seen, account, asked_at).await?),
        (None, Some((order, owner))) => {
            Some(begin(&mut tx, ctx, theirs, &seen, *order, owner, asked_at).await?)
        }
        (None, None) => None,
    };
    tx.commit().await?;
    if outcome.is_none() && seen.status != SubscriptionStatus::Ended {
        // Made at Stripe's own site, or by somebody else with the same account there.
        reconcile::note_once(ctx, &subject(&theirs.id), "subscription", "none", &theirs.status).await?;
    }
    Ok(outcome.unwrap_or(Outcome::NothingToDo))
}

/// How lists of differences name a subscription.
pub(in crate::billing) fn subject(stripe_id: &str) -> String {
    format!("subscription {stripe_id}")
}

async fn begin(
    conn: &mut PgConnection,
    ctx: &Context,
    theirs: &objects::Subscription,
    seen: &Seen,
    order: OrderId,
    owner: &Owner,
    asked_at: OffsetDateTime,
) -> Result<Outcome, Error> {
    let created_at = OffsetDateTime::from_unix_timestamp(theirs.created).unwrap_or(asked_at);
    let new = Details {
        id: SubscriptionId::from_uuid(ctx.random.uuid_v7(asked_at)),
        stripe_id: theirs.id.clone(),
        order: Some(order),
        customer: owner.customer,
        account: owner.account,
        state: rules::follow(None, seen, asked_at),
        created_at,
        synced_at: asked_at,
    };
    if !store::insert(&mut *conn, &new).await? {
        // Another message of the same moment was faster. What it wrote is committed by now.
        let before = store::lock(&mut *conn, &theirs.id).await?.ok_or(Error::NotFound)?;
        return go_on(conn, ctx, &before, seen, owner.account, asked_at).await;
    }
    let detail = json!({
        "order": order,
        "status": new.state.status,
        "tier": new.state.terms.tier,
        "seats": new.state.seats,
    });
    note(&mut *conn, ctx, By::SYSTEM, "subscription.created", named(new.id), detail).await?;
    announce(conn, ctx, &new, &new.state, "canceled").await?;
    Ok(Outcome::Applied)
}

async fn go_on(
    conn: &mut PgConnection,
    ctx: &Context,
    before: &Details,
    seen: &Seen,
    account: Option<UserId>,
    asked_at: OffsetDateTime,
) -> Result<Outcome, Error> {
    if before.synced_at > asked_at {
        return Ok(Outcome::NothingToDo);
    }
    let after = rules::follow(Some(&before.state), seen, asked_at);
    store::update(&mut *conn, before.id, &after, account, asked_at).await?;
    let differences = rules::differences(&before.state, &after);
    if differences.is_empty() {
        return Ok(Outcome::NothingToDo);
    }
    let mut detail = Map::new();
    for difference in differences {
        let words = format!("{} → {}", difference.ours, difference.theirs);
        detail.insert(difference.field.to_owned(), Value::String(words));
    }
    let action = if after.is_running() { "subscription.changed" } else { "subscription.ended" };
    note(&mut *conn, ctx, By::SYSTEM, action, named(before.id), Value::Object(detail)).await?;
    let reason = if before.state.past_due_since.is_some() { "unpaid" } else { "canceled" };
    announce(&mut *conn, ctx, before, &after, reason).await?;
    if let Some((kind, message)) = mails::of_change(ctx, &before.state, &after) {
        mails::send(conn, ctx, before.id, kind, message).await?;
    }
    Ok(Outcome::Applied)
}

/// How the audit log names a subscription.
pub(super) fn named(id: SubscriptionId) -> (&'static str, String) {
    ("subscription", id.to_string())
}

/// Tells whoever follows. That it has ended is told once, also when it was switched off before Stripe ended it.
async fn announce(
    conn: &mut PgConnection,
    ctx: &Context,
    details: &Details,
    state: &State,
    reason: &'static str,
) -> Result<(), Error> {
    let is_off = details.state.told.stage >= rules::Stage::Over.number();
    if !state.is_running() && !is_off {
        return ended(conn, ctx, details, reason).await;
    }
    let payload = json!({
        "subscription": details.id,
        "order": details.order,
        "status": state.status,
        "tier": state.terms.tier,
        "seats": state.seats,
    });
    outbox::publish(conn, ctx, "subscription.changed", &details.id.to_string(), &payload).await?;
    Ok(())
}

/// Tells whoever follows that nothing is to work any more.
pub(super) async fn ended(
    conn: &mut PgConnection,
    ctx: &Context,
    details: &Details,
    reason: &'static str,
) -> Result<(), Error> {
    let payload = json!({ "subscription": details.id, "order": details.order, "reason": reason });
    outbox::publish(conn, ctx, "subscription.ended", &details.id.to_string(), &payload).await?;
    Ok(())
}
