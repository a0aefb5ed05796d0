//! Bringing our refunds to what Stripe says of them.

use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{
    mails, policy,
    rules::{self, Consequence, Step},
    store::{self, NewRefund, RefundItem},
    tax_of,
};
use crate::{
    billing::{
        By, Error, Outcome, customer, document,
        ledger::{self, Kind, Movement},
        note, order,
        order::OrderEvent,
        payment,
        payment::Payment,
        subscription,
    },
    context::Context,
    contract::{
        id::{OrderId, RefundId},
        money::Currency,
        payment::RefundStatus,
    },
    integration::stripe::{
        self,
        objects::{Charge, Refund},
    },
    outbox,
};

/// A refund that waits longer than this is looked for at Stripe before it is told again.
const ASK_FIRST_AFTER: Duration = Duration::hours(1);

/// Tells Stripe of a refund that it was not told of, or asks how it stands.
pub async fn send(ctx: &Context, id: RefundId) -> Result<Outcome, Error> {
    let refund = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    if refund.status != RefundStatus::Requested {
        return Ok(Outcome::NothingToDo);
    }
    let payment = payment::find(ctx, refund.payment).await?.ok_or(Error::NotFound)?;
    // Stripe remembers keys for a day. What was carried out before, and whose answer was lost, is there.
    if ctx.clock.now() - refund.created_at > ASK_FIRST_AFTER {
        match sync_charge(ctx, &payment.charge_id).await {
            Ok(_) => {}
            Err(Error::Stripe(error)) if error.is_temporary() => return Err(error.into()),
            // Another refund of it may be what cannot be read. This one is told all the same.
            Err(error) => tracing::warn!(%id, %error, "a refund's charge could not be looked at first"),
        }
        let now = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
        if now.status != RefundStatus::Requested {
            return Ok(Outcome::Applied);
        }
    }
    let key = format!("refund-{id}");
    let made = ctx.stripe()?.create_refund(&payment.charge_id, refund.amount.amount, id, &key).await;
    match made {
        Ok(made) => apply(ctx, id, &made).await,
        // Stripe will never do it, such as when all was given back at its own site.
        Err(error @ (stripe::Error::Invalid { .. } | stripe::Error::NotFound)) => {
            tracing::warn!(%id, %error, "Stripe refused a refund");
            advance(ctx, id, RefundStatus::Failed, None, Some("refused by Stripe")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks how one refund stands.
pub async fn sync(ctx: &Context, id: RefundId) -> Result<Outcome, Error> {
    let refund = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    match &refund.stripe_id {
        Some(stripe_id) => {
            let theirs = ctx.stripe()?.refund(stripe_id).await?;
            apply(ctx, id, &theirs).await
        }
        None => send(ctx, id).await,
    }
}

/// Asks for all refunds of a charge, those made at Stripe's own site too.
pub async fn sync_charge(ctx: &Context, charge_id: &str) -> Result<Outcome, Error> {
    let stripe = ctx.stripe()?;
    let Some(payment) = payment::by_charge(ctx, charge_id).await? else {
        let charge = stripe.charge(charge_id).await?;
        return not_here_yet(ctx, &charge).await;
    };
    // The oldest first: what failed makes room for what came after it.
    let mut all = stripe.refunds_of(charge_id).await?;
    all.sort_by_key(|refund| refund.created);
    let there: Vec<RefundId> = all.iter().filter_map(named).collect();
    let (mut outcome, mut failed) = (Outcome::NothingToDo, None);
    for theirs in &all {
        match bring_in(ctx, &payment, theirs, &there).await {
            Ok(done) => outcome = done.or(outcome),
            // One that does not fit must not keep the others from being known.
            Err(error) => {
                tracing::warn!(refund = theirs.id, %error, "a refund at Stripe could not be taken in");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(outcome), Err)
}

/// Which of ours a refund at Stripe is, as it was told.
fn named(theirs: &Refund) -> Option<RefundId> {
    theirs.metadata.get("refund").and_then(|id| id.parse().ok())
}

async fn bring_in(
    ctx: &Context,
    payment: &Payment,
    theirs: &Refund,
    there: &[RefundId],
) -> Result<Outcome, Error> {
    let ours = match named(theirs) {
        Some(id) => store::find(&ctx.db, id).await?.map(|refund| refund.id),
        None => store::by_stripe(&ctx.db, &theirs.id).await?,
    };
    let id = match ours {
        Some(id) => id,
        None => take_in(ctx, payment, theirs, there).await?,
    };
    apply(ctx, id, theirs).await
}

/// A message can come before the payment that it is about is written down: then it is looked at again. One about
/// somebody else's charge is not.
pub async fn not_here_yet(ctx: &Context, charge: &Charge) -> Result<Outcome, Error> {
    let environment = ctx.stripe()?.environment();
    let ours = match &charge.customer {
        Some(customer) => {
            customer::store::our_key(&ctx.db, environment, "customer", customer.id()).await?.is_some()
        }
        None => false,
    };
    if ours {
        return Err(Error::Unexpected(format!("{} is not written down yet", charge.id)));
    }
    Ok(Outcome::NothingToDo)
}

/// Writes down a refund that was made at Stripe's own site. `there` are those of ours that Stripe knows.
async fn take_in(
    ctx: &Context,
    payment: &Payment,
    theirs: &Refund,
    there: &[RefundId],
) -> Result<RefundId, Error> {
    let mut tx = ctx.db.begin().await?;
    if let Some(order) = payment.order {
        order::store::lock(&mut tx, order).await?;
    }
    let mut payment = payment::lock(&mut tx, payment.id).await?.ok_or(Error::NotFound)?;
    // Two messages about it at once: the second finds what the first wrote.
    if let Some(id) = store::by_stripe_in(&mut tx, &theirs.id).await? {
        return Ok(id);
    }
    make_room(&mut tx, ctx, &mut payment, theirs.amount, there).await?;
    let given_back = payment.refunded + theirs.amount;
    let now = ctx.clock.now();
    let new = NewRefund {
        id: RefundId::from_uuid(ctx.random.uuid_v7(now)),
        payment: payment.id,
        order: payment.order,
        amount: payment.amount.currency.of(theirs.amount),
        tax: tax_of(&mut tx, &payment, theirs.amount).await?,
        reason: "Refunded at Stripe",
        consequence: policy(&mut tx, &payment, theirs.amount).await?,
        stripe_id: Some(&theirs.id),
        requested_by: None,
        request_key: None,
        created_at: OffsetDateTime::from_unix_timestamp(theirs.created).unwrap_or(now),
    };
    store::insert(&mut tx, &new).await?;
    payment::set_refunded(&mut tx, payment.id, given_back).await?;
    let detail = json!({ "payment": payment.id, "amount": new.amount, "stripe": theirs.id });
    note(&mut tx, ctx, By::SYSTEM, "refund.found", ("refund", new.id.to_string()), detail).await?;
    tx.commit().await?;
    Ok(new.id)
}

/// What went back at Stripe's own site is gone. Of what we only meant to give back, what has no room beside it never goes.
async fn make_room(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &mut Payment,
    amount: i64,
    there: &[RefundId],
) -> Result<(), Error> {
    if amount <= payment.left().amount {
        return Ok(());
    }
    for (id, waits) in store::waiting(&mut *conn, payment.id, there).await? {
        if amount <= payment.left().amount {
            break;
        }
        let why = "refunded at Stripe meanwhile";
        store::set_status(&mut *conn, id, RefundStatus::Failed, None, Some(why), ctx.clock.now()).await?;
        payment.refunded -= waits;
        payment::set_refunded(&mut *conn, payment.id, payment.refunded).await?;
        let detail = json!({ "from": RefundStatus::Requested, "to": RefundStatus::Failed, "failure": why });
        note(&mut *conn, ctx, By::SYSTEM, "refund.changed", ("refund", id.to_string()), detail).await?;
    }
    Ok(())
}

async fn apply(ctx: &Context, id: RefundId, theirs: &Refund) -> Result<Outcome, Error> {
    let status = rules::status(theirs.status.as_deref());
    let known = Currency::parse(&theirs.currency).is_some();
    if !known {
        return Err(Error::Unexpected(format!("{} is in {}", theirs.id, theirs.currency)));
    }
    let failure = theirs.failure_reason.as_deref();
    if matches!(status, RefundStatus::Failed | RefundStatus::Canceled) {
        // It may have gone and come back between two looks: the books show both.
        let went = advance(ctx, id, RefundStatus::Pending, Some(&theirs.id), None).await?;
        return Ok(advance(ctx, id, status, Some(&theirs.id), failure).await?.or(went));
    }
    advance(ctx, id, status, Some(&theirs.id), failure).await
}

/// One step of a refund with all that it does, in one transaction.
async fn advance(
    ctx: &Context,
    id: RefundId,
    to: RefundStatus,
    stripe_id: Option<&str>,
    failure: Option<&str>,
) -> Result<Outcome, Error> {
    let known = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let mut tx = ctx.db.begin().await?;
    if let Some(order) = known.order {
        order::store::lock(&mut tx, order).await?;
    }
    let payment = payment::lock(&mut tx, known.payment).await?.ok_or(Error::NotFound)?;
    let refund = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let step = rules::step(refund.status, to);
    if step == Step::Nothing {
        return Ok(Outcome::NothingToDo);
    }
    store::set_status(&mut tx, id, to, stripe_id, failure, ctx.clock.now()).await?;
    let stripe_id = stripe_id.or(refund.stripe_id.as_deref()).unwrap_or_default();
    match step {
        Step::Nothing | Step::Note => {}
        Step::GoesBack => goes_back(&mut tx, ctx, &payment, &refund, stripe_id).await?,
        Step::NeverWent => {
            payment::set_refunded(&mut tx, payment.id, payment.refunded - refund.amount.amount).await?;
            tell_failed(&mut tx, ctx, &payment, &refund).await?;
        }
        Step::CameBack => came_back(&mut tx, ctx, &payment, &refund, stripe_id).await?,
    }
    if let Some(order) = refund.order {
        after(&mut tx, ctx, order).await?;
    }
    let detail = json!({ "from": refund.status, "to": to, "failure": failure });
    note(&mut tx, ctx, By::SYSTEM, "refund.changed", ("refund", id.to_string()), detail).await?;
    tx.commit().await?;
    Ok(Outcome::Applied)
}

async fn goes_back(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    refund: &RefundItem,
    stripe_id: &str,
) -> Result<(), Error> {
    // The credit note says which tax goes back, and the ledger follows it.
    let note =
        document::issue_credit_note(&mut *conn, ctx, refund.id, payment.id, refund.amount.amount).await?;
    let taxes = document::taxes_of(&mut *conn, note).await?;
    let entries = ledger::rules::refund(refund.amount, &taxes);
    enter(&mut *conn, ctx, payment, Kind::Refund, format!("refund:{stripe_id}"), entries).await?;
    document::mail_document(&mut *conn, ctx, note).await?;
    let full = store::gone_back(&mut *conn, payment.id).await? >= payment.amount.amount;
    let payload = json!({
        "order": refund.order, "subscription": payment.subscription, "refund": refund.id, "full": full,
        "consequence": refund.consequence.as_str(),
    });
    // A renewal has no order: whoever follows its subscription hears of it there.
    match (refund.order, payment.subscription) {
        (Some(order), _) => {
            outbox::publish(&mut *conn, ctx, "order.refunded", &order.to_string(), &payload).await?;
        }
        (None, Some(subscription)) => {
            outbox::publish(&mut *conn, ctx, "subscription.refunded", &subscription.to_string(), &payload)
                .await?;
        }
        (None, None) => {}
    }
    // Who got the money back and gave the license up is not charged for it next month.
    if let Some(subscription) = payment.subscription {
        // Of two that were begun with one order, the one that is given back ends; the license stays.
        let too_much =
            full && payment.order.is_some() && payment::store::is_one_of_two(&mut *conn, payment).await?;
        if too_much || refund.consequence == Consequence::Revoke {
            subscription::end(conn, subscription).await?;
        }
    }
    Ok(())
}

async fn came_back(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    refund: &RefundItem,
    stripe_id: &str,
) -> Result<(), Error> {
    payment::set_refunded(&mut *conn, payment.id, payment.refunded - refund.amount.amount).await?;
    let mut taxes = Vec::new();
    let reversal = document::issue_reversal(&mut *conn, ctx, refund.id).await?;
    if let Some(reversal) = reversal {
        taxes = document::taxes_of(&mut *conn, reversal).await?;
    }
    let entries = ledger::rules::refund_failed(refund.amount, &taxes);
    enter(&mut *conn, ctx, payment, Kind::RefundFailed, format!("refund_failed:{stripe_id}"), entries)
        .await?;
    mails::refund_failed(&mut *conn, ctx, payment, refund, reversal).await?;
    tell_failed(conn, ctx, payment, refund).await
}

/// Tells whoever follows that the money stays here.
async fn tell_failed(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    refund: &RefundItem,
) -> Result<(), Error> {
    let payload = json!({
        "order": refund.order, "subscription": payment.subscription, "refund": refund.id,
    });
    match (refund.order, payment.subscription) {
        (Some(order), _) => {
            outbox::publish(conn, ctx, "order.refund_failed", &order.to_string(), &payload).await?;
        }
        (None, Some(subscription)) => {
            outbox::publish(conn, ctx, "subscription.refund_failed", &subscription.to_string(), &payload)
                .await?;
        }
        (None, None) => {}
    }
    Ok(())
}

async fn enter(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    kind: Kind,
    reference: String,
    entries: Vec<ledger::Entry>,
) -> Result<(), Error> {
    let movement = Movement {
        kind,
        reference,
        description: payment.description.clone(),
        occurred_at: ctx.clock.now(),
        account: payment.account,
        order: payment.order,
        payment: Some(payment.id),
        subscription: payment.subscription,
        entries,
    };
    ledger::record(conn, ctx, &movement).await?;
    Ok(())
}

/// The order follows the sum of what went back of it.
async fn after(conn: &mut PgConnection, ctx: &Context, id: OrderId) -> Result<(), Error> {
    let sums = store::sums_of_order(&mut *conn, id).await?;
    order::apply(conn, ctx, id, OrderEvent::Refunded { refunded: sums.refunded, total: sums.total }).await?;
    Ok(())
}
