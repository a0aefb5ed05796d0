//! Coming back to an order that was not paid.

use time::Duration;

use super::{Order, OrderEvent, TIME_TO_PAY, apply, checkout::answer, checks, path, store};
use crate::{
    billing::{Error, catalogue, limits, retention, settle, settle::WatchOrder},
    context::Context,
    contract::payment::{OrderStatus, PaymentMethod},
    jobs,
};

/// A session with less time than this is not worth sending anybody to.
const WORTH_GOING: Duration = Duration::minutes(10);

/// A page on which an order that was not paid yet can be: the one it has, or a new one when that has ended.
pub async fn pay_again(ctx: &Context, order: &Order) -> Result<String, Error> {
    limits::take(ctx, limits::PAY_AGAIN, &order.id.to_string()).await?;
    if store::is_of_the_gone(&ctx.db, order.id).await? {
        return Err(Error::NotFound);
    }
    if retention::is_emptied(order) {
        return Err(Error::Conflict("This order is too old to be paid. Begin a new one."));
    }
    // Whatever came in meanwhile counts first.
    if let Some(session) = &order.session_id {
        settle::session(ctx, session).await?;
    }
    let order = store::find(&ctx.db, order.id).await?.ok_or(Error::NotFound)?;
    match order.status {
        // An element has no page of its own to go to.
        OrderStatus::Open
            if order.payment_method == PaymentMethod::Checkout
                && order.expires_at - ctx.clock.now() > WORTH_GOING =>
        {
            Ok(answer(ctx, &order).await?.url)
        }
        OrderStatus::Open | OrderStatus::Expired | OrderStatus::Failed => {
            let order = reopen(ctx, &order).await?;
            Ok(answer(ctx, &order).await?.url)
        }
        // Paid, or about to be: there is nothing to pay.
        _ => Ok(path(ctx, order.id)),
    }
}

/// Begins a new try. The session of the last one is ended first, so that it cannot be paid as well.
async fn reopen(ctx: &Context, order: &Order) -> Result<Order, Error> {
    let bought = store::bought(&ctx.db, order.id).await?.ok_or(Error::NotFound)?;
    if catalogue::price(ctx, bought.price).await?.is_none_or(|price| price.withdrawn) {
        return Err(Error::PriceUnavailable);
    }
    checks::no_second_subscription(ctx, order.account, order.interval).await?;
    checks::no_second_trial(ctx, order).await?;
    checks::coupon_holds(ctx, order, bought.coupon).await?;
    if let Some(session) = &order.session_id {
        ctx.stripe()?.expire_session(session).await?;
        settle::session(ctx, session).await?;
    }
    let mut tx = ctx.db.begin().await?;
    let now = ctx.clock.now();
    apply(&mut tx, ctx, order.id, OrderEvent::Reopened).await?;
    store::next_attempt(&mut tx, order.id, order.attempt, now + TIME_TO_PAY, now).await?;
    if !checks::coupon_has_room(&mut tx, ctx, bought.coupon).await? {
        return Err(Error::Conflict(checks::USED_UP));
    }
    jobs::enqueue_with(&mut tx, &WatchOrder { order: order.id }, settle::watch_later(now, 0)).await?;
    tx.commit().await?;
    store::find(&ctx.db, order.id).await?.ok_or(Error::NotFound)
}
