//! Limits on how often. Floods are held off in each process ([`Floods`]); what must hold across nodes is
//! counted in PostgreSQL: so many in a window ([`take`]), or with waits that grow ([`throttle`]).

mod store;
pub mod throttle;

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};

use sqlx::PgExecutor;

use crate::{context::Context, crypto, db};

const PURGE_BATCH: i64 = 10_000;

/// So often in so long a window, under a name that is part of the ledger's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub times: u32,
    pub per: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Go,
    Wait(Duration),
}

/// Counts one use, across all nodes. Windows are fixed, so twice the limit can pass around a window's edge: for
/// guessing passwords that is as good as the exact figure, at a single upsert.
pub async fn take(ctx: &Context, limit: Limit, key: &[u8; 32]) -> Result<Verdict, sqlx::Error> {
    take_in(&ctx.db, ctx, limit, key).await
}

/// The same in the caller's transaction, which has a connection already: what it does not commit is not counted.
pub async fn take_in(
    db: impl PgExecutor<'_>,
    ctx: &Context,
    limit: Limit,
    key: &[u8; 32],
) -> Result<Verdict, sqlx::Error> {
    let now = ctx.clock.now();
    let window = i64::try_from(limit.per.as_secs().max(1)).unwrap_or(i64::MAX);
    let start = now.unix_timestamp().div_euclid(window) * window;
    let start = time::OffsetDateTime::from_unix_timestamp(start).unwrap_or(now);
    let used = store::count_one(db, &bucket(limit.name, key), start).await?;
    if used <= i64::from(limit.times) {
        return Ok(Verdict::Go);
    }
    let wait = start + limit.per - now;
    Ok(Verdict::Wait(wait.unsigned_abs().max(Duration::from_secs(1))))
}

/// Starts the counting for this key anew.
pub async fn forget(ctx: &Context, limit: Limit, key: &[u8; 32]) -> Result<(), sqlx::Error> {
    store::delete(&ctx.db, &bucket(limit.name, key)).await
}

/// Removes windows that have long closed.
pub async fn purge(ctx: &Context) -> Result<u64, sqlx::Error> {
    let before = ctx.clock.now() - time::Duration::days(2);
    db::in_batches(PURGE_BATCH, |limit| store::delete_before(&ctx.db, before, limit)).await
}

fn bucket(name: &str, key: &[u8; 32]) -> String {
    format!("{name}:{}", crypto::to_hex(key))
}

type Keyed = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>;

/// The flood gate of one process: so many requests a minute from one address.
pub struct Floods {
    limiter: Option<Keyed>,
    per_minute: u32,
}

/// What the answer's `RateLimit-…` headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub limit: u32,
    pub remaining: u32,
    pub reset: Duration,
}

/// One too many, and after how long another has a chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flooded {
    pub allowance: Allowance,
    pub wait: Duration,
}

impl Floods {
    /// Zero means no limit.
    pub fn new(per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|per_minute| {
            RateLimiter::dashmap(Quota::per_minute(per_minute))
                .with_middleware::<StateInformationMiddleware>()
        });
        Self { limiter, per_minute }
    }

    /// `Ok(None)` when there is no limit.
    pub fn take(&self, address: IpAddr) -> Result<Option<Allowance>, Flooded> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };
        match limiter.check_key(&network_of(address)) {
            Ok(state) => Ok(Some(self.allowance(state.remaining_burst_capacity()))),
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now()).max(Duration::from_secs(1));
                Err(Flooded { allowance: self.allowance(0), wait })
            }
        }
    }

    fn allowance(&self, remaining: u32) -> Allowance {
        let refill_seconds = u64::from(self.per_minute - remaining.min(self.per_minute)) * 60;
        let reset = Duration::from_secs(refill_seconds.div_ceil(u64::from(self.per_minute.max(1))));
        Allowance { limit: self.per_minute, remaining, reset }
    }

    /// Forgets addresses that have not been seen for a while; called now and then.
    pub fn shrink(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}

/// One home has a whole /64 of IPv6: it counts as one.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_to_wait_and_others_are_not() {
        let floods = Floods::new(3);
        let (one, other) =
            ("192.0.2.1".parse().expect("an address"), "192.0.2.2".parse().expect("an address"));
        for remaining in [2, 1, 0] {
            assert_eq!(floods.take(one).expect("goes").expect("limited").remaining, remaining);
        }
        assert!(floods.take(one).is_err());
        assert!(floods.take(other).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let floods = Floods::new(1);
        assert!(floods.take("2001:db8::1".parse().expect("an address")).is_ok());
        assert!(floods.take("2001:db8::2".parse().expect("an address")).is_err());
        assert!(floods.take("2001:db8:0:1::1".parse().expect("an address")).is_ok());
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!(Floods::new(0).take("192.0.2.1".parse().expect("an address")), Ok(None));
    }
}
