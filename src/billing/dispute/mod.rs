//! Payments that a customer's bank questions.
//!
//! What always holds: our row follows Stripe's dispute and never an older answer over a newer one; money that was taken,
//! its fee, and money that came back are each written into the ledger once.

mod store;

use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

pub use self::store::{DisputeItem, Renewals};
use super::{
    By, Error, Outcome,
    ledger::{self, Kind, Movement},
    note, order,
    order::OrderEvent,
    payment::{self, Payment},
    refund, subscription,
};
use crate::{
    account::Caller,
    context::Context,
    contract::{
        id::{DisputeId, OrderId},
        money::Currency,
        payment::DisputeStatus,
    },
    integration::stripe::objects::Dispute,
    outbox,
};

/// Asks how a dispute stands, and follows it.
pub async fn sync(ctx: &Context, stripe_id: &str) -> Result<Outcome, Error> {
    let asked_at = ctx.clock.now();
    let stripe = ctx.stripe()?;
    let theirs = stripe.dispute(stripe_id).await?;
    let Some(payment) = payment::by_charge(ctx, theirs.charge.id()).await? else {
        let charge = stripe.charge(theirs.charge.id()).await?;
        return refund::not_here_yet(ctx, &charge).await;
    };
    let mut tx = ctx.db.begin().await?;
    if let Some(order) = payment.order {
        order::store::lock(&mut tx, order).await?;
    }
    let payment = payment::lock(&mut tx, payment.id).await?.ok_or(Error::NotFound)?;
    let changed = follow(&mut tx, ctx, &payment, &theirs, asked_at).await?;
    tx.commit().await?;
    Ok(changed)
}

/// Oldest first.
pub async fn of_order(ctx: &Context, caller: &Caller, id: OrderId) -> Result<Vec<DisputeItem>, Error> {
    order::find(ctx, caller, id).await?;
    store::of_order(&ctx.db, id).await
}

/// How the banks stand to the renewals of what began with an order.
pub async fn of_renewals(conn: &mut PgConnection, order: OrderId) -> Result<Renewals, Error> {
    Ok(store::of_renewals(conn, order).await?)
}

async fn follow(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    theirs: &Dispute,
    asked_at: OffsetDateTime,
) -> Result<Outcome, Error> {
    let currency = Currency::parse(&theirs.currency)
        .ok_or_else(|| Error::Unexpected(format!("{} is in {}", theirs.id, theirs.currency)))?;
    let status = status(&theirs.status);
    let fee: i64 = theirs.balance_transactions.iter().map(|moved| moved.fee.max(0)).sum();
    let new = store::NewDispute {
        id: DisputeId::from_uuid(ctx.random.uuid_v7(asked_at)),
        payment: payment.id,
        order: payment.order,
        stripe_id: &theirs.id,
        amount: currency.of(theirs.amount),
        fee,
        reason: &theirs.reason,
        status,
        evidence_due_by: theirs.evidence_details.as_ref().and_then(|details| details.due_by).and_then(moment),
        opened_at: moment(theirs.created).unwrap_or(asked_at),
        synced_at: asked_at,
    };
    let Some(before) = store::upsert(&mut *conn, &new).await? else {
        // A later answer is there already.
        return Ok(Outcome::NothingToDo);
    };
    let moved = enter(&mut *conn, ctx, payment, theirs, new.amount.amount, fee).await?;
    if before.status == Some(status) && !moved {
        return Ok(Outcome::NothingToDo);
    }
    // An inquiry takes no money, and nothing of the customer's.
    let inquiry = theirs.status.starts_with("warning_");
    match (payment.order, payment.subscription) {
        _ if inquiry => {}
        (Some(order), _) => on_order(&mut *conn, ctx, order, status).await?,
        // A renewal has no order: whoever follows its subscription hears of it there.
        (None, Some(subscription)) => {
            let payload = json!({ "subscription": subscription, "dispute": before.id, "status": status });
            outbox::publish(&mut *conn, ctx, "subscription.disputed", &subscription.to_string(), &payload)
                .await?;
        }
        (None, None) => {}
    }
    // The bank took the money for good: nothing more is charged.
    if let (DisputeStatus::Lost, Some(subscription)) = (status, payment.subscription)
        && before.status != Some(status)
    {
        subscription::end(&mut *conn, subscription).await?;
    }
    let detail =
        json!({ "payment": payment.id, "from": before.status, "to": status, "reason": theirs.reason });
    note(conn, ctx, By::SYSTEM, "dispute.changed", ("dispute", before.id.to_string()), detail).await?;
    Ok(Outcome::Applied)
}

/// In Stripe's words; an inquiry that was closed took no money.
fn status(word: &str) -> DisputeStatus {
    match word {
        "won" | "warning_closed" | "prevented" => DisputeStatus::Won,
        "lost" => DisputeStatus::Lost,
        "under_review" | "warning_under_review" => DisputeStatus::UnderReview,
        _ => DisputeStatus::NeedsResponse,
    }
}

fn moment(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// What moved, in the ledger: the first movement takes the money, a second gives it back. True when one is new.
async fn enter(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    theirs: &Dispute,
    amount: i64,
    fee: i64,
) -> Result<bool, Error> {
    let taken = payment.amount.currency.of(amount);
    let Some(first) = theirs.balance_transactions.first() else { return Ok(false) };
    let movement = |kind, reference: String, entries| Movement {
        kind,
        reference,
        description: format!("Dispute: {}", payment.description),
        occurred_at: ctx.clock.now(),
        account: payment.account,
        order: payment.order,
        payment: Some(payment.id),
        subscription: payment.subscription,
        entries,
    };
    let mut movements =
        vec![movement(Kind::Dispute, format!("dispute:{}", theirs.id), ledger::rules::dispute(taken))];
    if fee > 0 {
        let entries = ledger::rules::dispute_fee(fee, &first.currency);
        movements.push(movement(Kind::DisputeFee, format!("dispute_fee:{}", theirs.id), entries));
    }
    if theirs.balance_transactions.iter().skip(1).any(|back| back.amount > 0) {
        let entries = ledger::rules::dispute_won(taken);
        movements.push(movement(Kind::DisputeWon, format!("dispute_won:{}", theirs.id), entries));
    }
    let mut new = false;
    for movement in &movements {
        new |= ledger::record(&mut *conn, ctx, movement).await?;
    }
    Ok(new)
}

async fn on_order(
    conn: &mut PgConnection,
    ctx: &Context,
    id: OrderId,
    status: DisputeStatus,
) -> Result<(), Error> {
    let sums = refund::sums_of_order(&mut *conn, id).await?;
    let closed = matches!(status, DisputeStatus::Won | DisputeStatus::Lost);
    // One that is closed when we first hear of it was open before.
    if order::apply(&mut *conn, ctx, id, OrderEvent::Disputed).await?.is_some() {
        outbox::publish(&mut *conn, ctx, "order.disputed", &id.to_string(), &json!({ "order": id })).await?;
    }
    if !closed {
        return Ok(());
    }
    let event = match status {
        DisputeStatus::Lost => OrderEvent::DisputeLost,
        _ => OrderEvent::DisputeWon { refunded: sums.refunded, total: sums.total },
    };
    if order::apply(&mut *conn, ctx, id, event).await?.is_some() {
        let payload = json!({ "order": id, "won": status == DisputeStatus::Won });
        outbox::publish(conn, ctx, "order.dispute_closed", &id.to_string(), &payload).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_known_need_a_look() {
        assert_eq!(status("needs_response"), DisputeStatus::NeedsResponse);
        assert_eq!(status("something new"), DisputeStatus::NeedsResponse);
        assert_eq!(status("warning_closed"), DisputeStatus::Won);
    }
}
