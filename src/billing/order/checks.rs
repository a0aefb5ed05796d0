//! What has to hold for an order when it is begun, and again whenever it is taken up: an account has one subscription,
//! somebody has one trial, and a coupon is used no more often than it may be.

use sqlx::PgConnection;

use super::{Order, store};
use crate::{
    billing::{Error, catalogue, subscription},
    context::Context,
    contract::{
        id::{CouponId, UserId},
        payment::Interval,
    },
};

pub const USED_UP: &str = "This coupon was used as often as it can be.";

/// A second subscription would be paid for beside the first, without giving more.
pub async fn no_second_subscription(
    ctx: &Context,
    account: Option<UserId>,
    interval: Interval,
) -> Result<(), Error> {
    let Some(account) = account.filter(|_| interval != Interval::Once) else { return Ok(()) };
    let mut conn = ctx.db.acquire().await?;
    if subscription::any_running(&mut conn, account).await? {
        return Err(Error::Conflict(
            "You have a subscription already. Change its seats or plan on your billing page.",
        ));
    }
    Ok(())
}

/// Of two orders with a trial, both begun before either was paid, one is to be had.
pub async fn no_second_trial(ctx: &Context, order: &Order) -> Result<(), Error> {
    if order.trial_days == 0 {
        return Ok(());
    }
    let mut conn = ctx.db.acquire().await?;
    if store::other_trial(&mut conn, order.id, order.account, &order.email).await? {
        return Err(Error::Conflict("The trial was used already. Order again to buy without one."));
    }
    Ok(())
}

/// Whether what an order was promised less can still be had.
pub async fn coupon_holds(ctx: &Context, order: &Order, coupon: Option<CouponId>) -> Result<(), Error> {
    let Some(id) = coupon else { return Ok(()) };
    let coupon = catalogue::coupon(ctx, id).await?.ok_or(Error::NotFound)?;
    match coupon.refusal(order.tier, order.currency, ctx.clock.now()) {
        Some(why) => Err(Error::Conflict(why)),
        None => Ok(()),
    }
}

/// Counts who has begun to buy with a coupon, the order of this transaction included.
pub async fn coupon_has_room(
    conn: &mut PgConnection,
    ctx: &Context,
    coupon: Option<CouponId>,
) -> Result<bool, Error> {
    match coupon {
        Some(id) => Ok(catalogue::has_room(conn, id, ctx.clock.now()).await?),
        None => Ok(true),
    }
}
