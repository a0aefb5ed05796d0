//! Customers ask for their money back; staff decides.

use serde_json::json;
use time::OffsetDateTime;

use super::{NOT_PLAIN, Wanted, mails, rules, send_now, set_aside, store};
use crate::{
    account::{Caller, Permission},
    billing::{By, Error, note, order, order::rules::was_paid, payment, problem},
    context::Context,
    contract::{
        id::{OrderId, RefundRequestId, UserId},
        payment::RefundAnswer,
    },
    db,
};

const MAX_MESSAGE_CHARS: usize = 2000;
const MAX_LIST: i64 = 100;

/// A customer's wish to have their money back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundWish {
    pub id: RefundRequestId,
    pub order: OrderId,
    pub account: UserId,
    pub email: String,
    pub message: String,
    /// `open`, `accepted` or `declined`.
    pub status: String,
    pub answer: Option<String>,
    pub created_at: OffsetDateTime,
    pub decided_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Give back so much, in minor units; without an amount, all that is left.
    Accept {
        amount: Option<i64>,
    },
    Decline,
}

fn message(field: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_MESSAGE_CHARS {
        return Err(Error::Invalid(vec![problem(field, "invalid", "Write 1 to 2,000 characters.")]));
    }
    if !rules::is_plain(text) {
        return Err(Error::Invalid(vec![problem(field, "invalid", NOT_PLAIN)]));
    }
    Ok(text.to_owned())
}

/// Asks for the money of one's own order.
pub async fn ask(ctx: &Context, caller: &Caller, id: OrderId, text: &str) -> Result<RefundRequestId, Error> {
    let identity = caller.require(ctx, Permission::BillingWrite)?;
    let order = order::find(ctx, caller, id).await?;
    if order.account != Some(identity.user.id) {
        return Err(Error::NotFound);
    }
    if !was_paid(order.status) || payment::of_order(ctx, id).await?.iter().all(|paid| paid.left().is_zero()) {
        return Err(Error::Conflict("Nothing of this order is left to give back."));
    }
    let text = message("message", text)?;
    let now = ctx.clock.now();
    let wish = RefundRequestId::from_uuid(ctx.random.uuid_v7(now));
    let mut tx = ctx.db.begin().await?;
    store::insert_wish(&mut tx, wish, id, identity.user.id, &text, now).await.map_err(|error| {
        if db::violated_constraint(&error) == Some("refund_request_open") {
            Error::Conflict("You have asked for this order already. We answer by mail.")
        } else {
            error.into()
        }
    })?;
    let subject = ("order", id.to_string());
    note(&mut tx, ctx, By::from(identity), "refund.asked_for", subject, json!({ "request": wish })).await?;
    tx.commit().await?;
    Ok(wish)
}

/// The newest wish about an order that the caller may see.
pub async fn open_wish(ctx: &Context, caller: &Caller, id: OrderId) -> Result<Option<RefundWish>, Error> {
    order::find(ctx, caller, id).await?;
    Ok(store::wish_of_order(&ctx.db, id).await?)
}

/// Those that wait first.
pub async fn wishes(ctx: &Context, caller: &Caller) -> Result<Vec<RefundWish>, Error> {
    caller.require(ctx, Permission::PaymentsRead)?;
    Ok(store::wishes(&ctx.db, MAX_LIST).await?)
}

/// Answers a wish, and gives the money back if it is granted.
pub async fn decide(
    ctx: &Context,
    caller: &Caller,
    id: RefundRequestId,
    decision: Decision,
    answer: &str,
) -> Result<Option<RefundAnswer>, Error> {
    let identity = caller.require(ctx, Permission::PaymentsRefund)?;
    ctx.stripe()?;
    let answer = message("answer", answer)?;
    let asked = store::wish(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let payments = payment::of_order(ctx, asked.order).await?;
    let mut tx = ctx.db.begin().await?;
    let wish = store::lock_wish(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if wish.status != "open" {
        return Err(Error::Conflict("Somebody has decided about this already."));
    }
    // Should it not be possible, the wish stays open.
    let given = match decision {
        Decision::Decline => None,
        Decision::Accept { amount } => {
            let Some(paid) = payments.iter().find(|paid| !paid.left().is_zero()) else {
                return Err(Error::Conflict("Nothing of this order is left to give back."));
            };
            let reason: String =
                format!("Asked for by the customer: {}", wish.message).chars().take(500).collect();
            let wanted = Wanted { amount, reason: &reason, consequence: None, request_key: None };
            Some(set_aside(&mut tx, ctx, identity, paid.id, &wanted).await?)
        }
    };
    let status = if given.is_some() { "accepted" } else { "declined" };
    store::close_wish(&mut tx, id, status, &answer, identity.user.id, ctx.clock.now()).await?;
    mails::decided(&mut tx, ctx, &wish, status, &answer).await?;
    let detail = json!({ "request": id, "status": status });
    let subject = ("order", wish.order.to_string());
    note(&mut tx, ctx, By::from(identity), "refund.decided", subject, detail).await?;
    tx.commit().await?;
    match given {
        Some(refund) => send_now(ctx, refund).await.map(Some),
        None => Ok(None),
    }
}
