//! How often what costs a call to Stripe, or could be guessed at, may be done.

use std::time::Duration;

use super::Error;
use crate::{
    context::Context,
    crypto::Purpose,
    rate_limit::{self, Limit, Verdict},
};

const HOUR: u64 = 60 * 60;

/// Orders begun.
pub const CHECKOUTS: Limit = limit("checkout", 60, HOUR);
/// Coupons tried that are none: enough for slips, too few for guessing.
pub const WRONG_COUPONS: Limit = limit("wrong_coupon", 20, HOUR);
/// Sums asked for, where the answer costs a question to another or may be guessed at.
pub const QUOTES: Limit = limit("quote", 120, HOUR);
/// Goes at paying an order that was not paid.
pub const PAY_AGAIN: Limit = limit("pay_again", 30, HOUR);
/// Changes of a subscription, previews included.
pub const SUBSCRIPTION_CHANGES: Limit = limit("subscription_change", 60, HOUR);

const fn limit(name: &'static str, times: u32, seconds: u64) -> Limit {
    Limit { name, times, per: Duration::from_secs(seconds) }
}

/// Counts one try of whoever this is (an account's id, a network), and refuses it when there were too many.
pub async fn take(ctx: &Context, limit: Limit, who: &str) -> Result<(), Error> {
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, who.as_bytes());
    match rate_limit::take(ctx, limit, &key).await? {
        Verdict::Go => Ok(()),
        Verdict::Wait(retry_after) => Err(Error::TooManyTries { retry_after }),
    }
}
