//! Coupons: what somebody types to pay less.
//!
//! What always holds: a coupon is never changed but to be counted and to be withdrawn, so that what an order was
//! promised stays true.

mod rules;
pub(super) mod store;

use sqlx::PgConnection;
use time::OffsetDateTime;

pub use self::rules::{
    Coupon, CouponDuration, MAX_CODE_CHARS, MAX_MONTHS, MAX_REDEMPTIONS, Off, coupon_code, parse_percent,
};
use crate::{
    billing::Error,
    context::Context,
    contract::{id::CouponId, money::Currency, payment::Tier},
};

/// The coupon of this code, when it can be used for this now. Case and spaces around do not matter.
pub async fn usable_coupon(
    ctx: &Context,
    code: &str,
    tier: Tier,
    currency: Currency,
) -> Result<Coupon, Error> {
    const UNKNOWN: Error =
        Error::InvalidCoupon("There is no coupon with this code. Check how it is written.");
    let code = coupon_code(code).ok_or(UNKNOWN)?;
    let coupon = store::by_code(&ctx.db, &code).await?.ok_or(UNKNOWN)?;
    match coupon.refusal(tier, currency, ctx.clock.now()) {
        Some(why) => Err(Error::InvalidCoupon(why)),
        None => Ok(coupon),
    }
}

pub async fn coupon(ctx: &Context, id: CouponId) -> Result<Option<Coupon>, Error> {
    store::find(&ctx.db, id).await
}

/// Counts one use, in the transaction of the payment it was used for. False when it was used as often as it can be.
pub async fn redeem(conn: &mut PgConnection, id: CouponId) -> Result<bool, sqlx::Error> {
    store::count_redemption(conn, id).await
}

/// Whether it can be used by all who have begun to buy with it, an order of this transaction included. Nobody else
/// begins with it until the transaction ends.
pub async fn has_room(
    conn: &mut PgConnection,
    id: CouponId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let Some(uses) = store::lock_uses(&mut *conn, id).await? else { return Ok(false) };
    let Some(most) = uses.most else { return Ok(true) };
    // Asked after the lock was had, so that what another has written meanwhile is counted.
    let begun = store::begun_with(conn, id, now).await?;
    Ok(uses.redeemed + begun <= most)
}
