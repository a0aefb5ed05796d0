//! Keys that nobody has, and other things that are tried out. Whoever tries many of them waits; nobody
//! who has a key that is known waits for others who have none, so that a whole company behind one address is not slowed
//! down.
//!
//! What always holds: who was told to wait costs neither a read nor a write here until the time is up.

use std::time::Duration;

use time::OffsetDateTime;

use super::licenses;
use crate::{
    account::Client,
    context::Context,
    contract::license::LicenseCode,
    crypto::Purpose,
    license::Error,
    rate_limit::{self, Limit, Verdict},
};

/// A key has 120 random bits: this is for the patience of our database, not for the odds.
const UNKNOWN: Limit = Limit { name: "license_unknown", times: 60, per: Duration::from_secs(60 * 60) };
/// How many waits are known at once. Whoever is forgotten is counted in the database again.
const MAX_WAITS: u64 = 100_000;
/// No limit here is for longer.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Who was told to wait, for what, and until when.
pub(super) struct Waits(moka::sync::Cache<(&'static str, [u8; 32]), OffsetDateTime>);

impl Waits {
    pub fn new() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MAX_WAITS).time_to_live(LONGEST).build())
    }
}

/// What is said of a well-formed key that is nobody's now.
pub(crate) async fn unknown(ctx: &Context, client: &Client, hash: &[u8; 32]) -> Result<LicenseCode, Error> {
    let network = client.network.as_bytes();
    waits(ctx, UNKNOWN, network)?;
    if licenses::is_former_key(&ctx.db, hash).await? {
        return Ok(LicenseCode::Revoked);
    }
    count(ctx, UNKNOWN, network).await?;
    Ok(LicenseCode::NotFound)
}

/// Whether there were too many tries already, as far as this process knows. Reads nothing.
pub(in crate::license) fn waits(ctx: &Context, limit: Limit, whose: &[u8]) -> Result<(), Error> {
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, whose);
    let left = ctx.licenses.waits.0.get(&(limit.name, key)).map(|until| until - ctx.clock.now());
    match left.filter(|left| left.is_positive()) {
        Some(left) => {
            Err(Error::TooManyTries { retry_after: left.unsigned_abs().max(Duration::from_secs(1)) })
        }
        None => Ok(()),
    }
}

/// Counts one try, across all nodes.
pub(in crate::license) async fn count(ctx: &Context, limit: Limit, whose: &[u8]) -> Result<(), Error> {
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, whose);
    match rate_limit::take(ctx, limit, &key).await? {
        Verdict::Go => Ok(()),
        Verdict::Wait(retry_after) => {
            ctx.licenses.waits.0.insert((limit.name, key), ctx.clock.now() + retry_after);
            Err(Error::TooManyTries { retry_after })
        }
    }
}
