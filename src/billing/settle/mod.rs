//! From what Stripe says of a payment to what stands in our books.
//!
//! What always holds: a charge is written down once, with its ledger entries, its invoice and what it does to its order,
//! in one transaction; hearing of it again, in any order and from anywhere, changes nothing. An order is fulfilled on the
//! payment's own word (`payment_status`), not on the customer's coming back.

mod buyer;
mod jobs;
mod lines;
mod record;

pub(super) use self::jobs::watch_later;
pub use self::jobs::{RecordFee, WatchOrder};

use self::record::Received;
use super::{
    Error, Outcome, customer, order,
    order::{Order, OrderEvent},
    subscription,
};
use crate::{
    context::Context,
    contract::id::OrderId,
    integration::stripe::objects::{Charge, Expandable, Invoice, PaymentIntent, Session},
};

/// Reads a checkout session anew and brings the order it is for to what it says.
pub async fn session(ctx: &Context, session_id: &str) -> Result<Outcome, Error> {
    let session = ctx.stripe()?.session(session_id).await?;
    let Some(order) = order_of(&session) else { return Ok(Outcome::NothingToDo) };
    let Some(known) = order::store::find(&ctx.db, order).await? else {
        // Somebody else's, such as another installation's at the same account.
        return Ok(Outcome::NothingToDo);
    };
    if !is_of_its_customer(ctx, &session, &known).await? {
        tracing::warn!(%order, session = session_id, "a session names an order of another customer");
        return Ok(Outcome::NothingToDo);
    }
    // What becomes of an earlier try says nothing of the present one. Money always counts.
    let present = known.session_id.as_deref().is_none_or(|present| present == session_id);
    match (session.status.as_deref(), session.payment_status.as_str()) {
        (Some("expired"), _) if present => happened(ctx, order, OrderEvent::Expired).await,
        (Some("complete"), "paid") => paid(ctx, &session, order).await,
        (Some("complete"), "no_payment_required") => {
            let subscribed = subscription_of(ctx, &session).await?;
            Ok(record::without_payment(ctx, order).await?.or(subscribed))
        }
        (Some("complete"), _) if present => {
            let failed = matches!(
                session
                    .payment_intent
                    .as_ref()
                    .and_then(Expandable::object)
                    .map(|intent| intent.status.as_str()),
                Some("requires_payment_method" | "canceled")
            );
            let event = if failed { OrderEvent::PaymentFailed } else { OrderEvent::PaymentPending };
            happened(ctx, order, event).await
        }
        _ => Ok(Outcome::NothingToDo),
    }
}

/// Reads an invoice of Stripe's anew and writes down the payment it was paid with, if it was.
pub async fn invoice(ctx: &Context, invoice_id: &str) -> Result<Outcome, Error> {
    let stripe = ctx.stripe()?;
    let invoice = stripe.invoice(invoice_id).await?;
    if invoice.status.as_deref() != Some("paid") || invoice.amount_paid == 0 {
        return Ok(Outcome::NothingToDo);
    }
    let Some(details) = invoice.subscription() else { return Ok(Outcome::NothingToDo) };
    let Some(intent) = invoice.paid_by() else { return Ok(Outcome::NothingToDo) };
    let subscription_id = details.subscription.id().to_owned();
    // Its row first: what is paid for has to be there.
    let subscribed = subscription::sync(ctx, &subscription_id).await?;
    let Some(known) = subscription::by_stripe(ctx, &subscription_id).await? else {
        return Ok(Outcome::NothingToDo);
    };
    let intent = stripe.payment_intent(intent.id()).await?;
    let Some(charge) = succeeded(&intent) else { return Ok(subscribed) };
    let first = invoice.billing_reason.as_deref() == Some("subscription_create");
    let received = Received {
        order: if first { known.order } else { None },
        began_with: known.order,
        subscription: Some(known.id),
        customer: known.customer,
        account: known.account,
        intent: &intent.id,
        charge,
        invoice: Some(&invoice),
    };
    Ok(record::received(ctx, &received).await?.or(subscribed))
}

async fn paid(ctx: &Context, session: &Session, order: OrderId) -> Result<Outcome, Error> {
    if session.amount_total == Some(0) {
        // All of it was a discount.
        let subscribed = subscription_of(ctx, session).await?;
        return Ok(record::without_payment(ctx, order).await?.or(subscribed));
    }
    if session.mode == "subscription" {
        let subscribed = subscription_of(ctx, session).await?;
        let Some(first) = &session.invoice else {
            return Err(Error::Unexpected(format!("{} is paid and has no invoice", session.id)));
        };
        let recorded = invoice(ctx, first.id()).await?;
        return Ok(recorded.or(subscribed));
    }
    let Some(intent) = session.payment_intent.as_ref().and_then(Expandable::object) else {
        // Paid, and nothing was to be paid: all of it was a discount.
        return record::without_payment(ctx, order).await;
    };
    let Some(charge) = succeeded(intent) else { return Ok(Outcome::NothingToDo) };
    let owner = order::store::find(&ctx.db, order).await?.ok_or(Error::NotFound)?;
    let received = Received {
        order: Some(order),
        began_with: Some(order),
        subscription: None,
        customer: owner.customer,
        account: owner.account,
        intent: &intent.id,
        charge,
        invoice: None,
    };
    record::received(ctx, &received).await
}

async fn subscription_of(ctx: &Context, session: &Session) -> Result<Outcome, Error> {
    match &session.subscription {
        Some(subscription) => subscription::sync(ctx, subscription.id()).await,
        None => Ok(Outcome::NothingToDo),
    }
}

/// Which order a session is for. Its `client_reference_id` says nothing: on a payment link, whoever pays can set it.
fn order_of(session: &Session) -> Option<OrderId> {
    session.metadata.get("order").and_then(|id| id.parse().ok())
}

/// Each order has a customer of its own at Stripe, and its sessions are made for that one.
async fn is_of_its_customer(ctx: &Context, session: &Session, order: &Order) -> Result<bool, Error> {
    let ours = customer::stripe_id(ctx, order.customer).await?;
    Ok(ours.is_some() && ours.as_deref() == session.customer.as_ref().map(Expandable::id))
}

fn succeeded(intent: &PaymentIntent) -> Option<&Charge> {
    let charge = intent.latest_charge.as_ref().and_then(Expandable::object)?;
    (charge.status == "succeeded" && charge.paid).then_some(charge)
}

/// One event of an order, in a transaction of its own.
async fn happened(ctx: &Context, order: OrderId, event: OrderEvent) -> Result<Outcome, Error> {
    let mut tx = ctx.db.begin().await?;
    let changed = order::apply(&mut tx, ctx, order, event).await?;
    tx.commit().await?;
    Ok(if changed.is_some() { Outcome::Applied } else { Outcome::NothingToDo })
}

/// How much of an invoice of Stripe's each of its lines is.
fn total_of(invoice: &Invoice) -> i64 {
    invoice.lines.data.iter().map(|line| line.amount - line.discount() + line.tax()).sum()
}
