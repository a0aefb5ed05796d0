//! Giving money back.
//!
//! What always holds: what is given back is set aside on the payment, under a lock, before Stripe hears of it, so never
//! more goes back than came in, however many ask at once; Stripe is told under a key made from the refund's id; a refund
//! that fails in the end, even after it succeeded, is reversed in the ledger and by a document of its own, and the money
//! can be given back again.

mod applying;
mod jobs;
mod mails;
mod requests;
pub mod rules;
mod store;

use serde_json::json;
use sqlx::PgConnection;

pub(super) use self::store::sums_of_order;
pub use self::{
    applying::{not_here_yet, sync, sync_charge},
    jobs::SendRefund,
    requests::{Decision, RefundWish, ask, decide, open_wish, wishes},
    rules::Consequence,
    store::RefundItem,
};
use super::{By, Error, document, note, order, payment, payment::Payment, problem};
use crate::{
    account::{Caller, Identity, Permission},
    context::Context,
    contract::{
        id::{OrderId, PaymentId, RefundId},
        payment::{RefundAnswer, RefundRequest},
    },
};

const MAX_REASON_CHARS: usize = 500;
const NOT_PLAIN: &str = "There are characters in it that cannot be shown. Leave them out.";

/// How much, why, and what becomes of the license.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// In minor units; without one, all that is left.
    pub amount: Option<i64>,
    pub reason: &'a str,
    /// Without one, the policy decides.
    pub consequence: Option<Consequence>,
    /// The same key gives the same refund, however often it is asked for.
    pub request_key: Option<&'a str>,
}

/// Whether a refund of what was paid for an order, or for what goes on from it, takes the license with it.
pub async fn revokes(conn: &mut PgConnection, order: OrderId) -> Result<bool, Error> {
    Ok(store::revokes(conn, order).await?)
}

/// Gives back what was paid with an invoice, or a part of it.
pub async fn of_invoice(
    ctx: &Context,
    caller: &Caller,
    request: &RefundRequest,
    request_key: Option<&str>,
) -> Result<RefundAnswer, Error> {
    caller.require(ctx, Permission::PaymentsRefund)?;
    let payment = store::payment_of_invoice(&ctx.db, request.invoice_id).await?.ok_or(Error::NotFound)?;
    let wanted = Wanted { amount: request.amount, reason: &request.reason, consequence: None, request_key };
    of_payment(ctx, caller, payment, &wanted).await
}

/// Gives back a payment, or a part of it. When Stripe does not answer, the refund stays requested and is sent later.
pub async fn of_payment(
    ctx: &Context,
    caller: &Caller,
    id: PaymentId,
    wanted: &Wanted<'_>,
) -> Result<RefundAnswer, Error> {
    let identity = caller.require(ctx, Permission::PaymentsRefund)?;
    ctx.stripe()?;
    let reason = wanted.reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS {
        let words = "Say in 1 to 500 characters why the money goes back.";
        return Err(Error::Invalid(vec![problem("reason", "invalid", words)]));
    }
    if !rules::is_plain(reason) {
        return Err(Error::Invalid(vec![problem("reason", "invalid", NOT_PLAIN)]));
    }
    if wanted.amount.is_some_and(|amount| amount <= 0) {
        return Err(Error::Invalid(vec![problem("amount", "invalid", "Give back more than nothing.")]));
    }
    let mut tx = ctx.db.begin().await?;
    let refund = set_aside(&mut tx, ctx, identity, id, wanted).await?;
    tx.commit().await?;
    send_now(ctx, refund).await
}

/// Tells Stripe at once. When it does not answer, the job that was queued with the refund tries again.
async fn send_now(ctx: &Context, refund: RefundId) -> Result<RefundAnswer, Error> {
    if let Err(error) = applying::send(ctx, refund).await {
        tracing::warn!(%error, %refund, "a refund could not be sent yet");
    }
    let item = store::find(&ctx.db, refund).await?.ok_or(Error::NotFound)?;
    Ok(RefundAnswer { refund_id: refund, status: item.status, amount: item.amount })
}

/// Writes down that money is to go back, in the caller's transaction.
async fn set_aside(
    tx: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
    id: PaymentId,
    wanted: &Wanted<'_>,
) -> Result<RefundId, Error> {
    // On the connection there is: who holds a transaction must not wait for another.
    if let Some(order) = payment::store::order_of(&mut *tx, id).await? {
        order::store::lock(&mut *tx, order).await?;
    }
    let payment = payment::lock(&mut *tx, id).await?.ok_or(Error::NotFound)?;
    // Under the lock, so that of two with one key the second finds the first.
    if let Some(key) = wanted.request_key
        && let Some(known) = store::by_request_in(&mut *tx, key).await?
    {
        return Ok(known);
    }
    let left = payment.left();
    let amount = wanted.amount.unwrap_or(left.amount);
    if amount > left.amount || amount <= 0 {
        return Err(Error::RefundExceedsPayment { left });
    }
    let given_back = payment.refunded + amount;
    let consequence = match wanted.consequence {
        Some(decided) => decided,
        None => policy(&mut *tx, &payment, amount).await?,
    };
    let now = ctx.clock.now();
    let new = store::NewRefund {
        id: RefundId::from_uuid(ctx.random.uuid_v7(now)),
        payment: payment.id,
        order: payment.order,
        amount: payment.amount.currency.of(amount),
        tax: tax_of(&mut *tx, &payment, amount).await?,
        reason: wanted.reason.trim(),
        consequence,
        stripe_id: None,
        requested_by: Some(identity.user.id),
        request_key: wanted.request_key,
        created_at: now,
    };
    store::insert(&mut *tx, &new).await?;
    payment::set_refunded(&mut *tx, payment.id, given_back).await?;
    let detail = json!({ "payment": payment.id, "amount": new.amount, "consequence": consequence.as_str() });
    let subject = ("refund", new.id.to_string());
    note(&mut *tx, ctx, By::from(identity), "refund.requested", subject, detail).await?;
    crate::jobs::enqueue_with(tx, &SendRefund { id: new.id }, SendRefund::later(now)).await?;
    Ok(new.id)
}

/// The policy for so much more of a payment. The license hangs on all that was paid for its order: who paid twice and
/// gets one of the two back keeps it.
async fn policy(conn: &mut PgConnection, payment: &Payment, amount: i64) -> Result<Consequence, Error> {
    let (refunded, paid) = match payment.order {
        Some(order) => {
            let sums = payment::store::sums_of_order(conn, order).await?;
            (sums.refunded, sums.paid)
        }
        None => (payment.refunded, payment.amount.amount),
    };
    Ok(rules::policy(refunded + amount, paid))
}

/// How much of a part of a payment is tax.
async fn tax_of(conn: &mut PgConnection, payment: &Payment, amount: i64) -> Result<i64, Error> {
    let taxes = document::taxes_of_refund(conn, payment.id, amount).await?;
    Ok(taxes.iter().map(|(_, amount)| amount).sum())
}

/// Oldest first.
pub async fn of_order(ctx: &Context, caller: &Caller, order: OrderId) -> Result<Vec<RefundItem>, Error> {
    // Whoever may see the order may see what went back of it.
    order::find(ctx, caller, order).await?;
    store::of_order(&ctx.db, order).await
}
