//! Waits that grow with every try, for what can be guessed: passwords, codes, tokens.
//!
//! What always holds: each try is counted before it is known whether it is right, in one statement on one row.
//! However many come at the same moment, on however many nodes, only the free ones and one more get through.

use std::time::Duration;

use time::OffsetDateTime;

use super::{Verdict, bucket, store};
use crate::{context::Context, db};

const PURGE_BATCH: i64 = 10_000;
/// Rows are kept this long after the last try: no throttle may remember longer.
const KEEP_FOR: time::Duration = time::Duration::days(2);
/// Doubling has long met any cap by then.
const MOST_DOUBLINGS: u32 = 31;

/// So many tries without a wait, then each wait twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Part of the key: throttles do not share their counts.
    pub name: &'static str,
    pub free: u32,
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// After this long without a try, the next is the first. Longer than `longest_wait`, or waiting would pay off,
    /// and at most two days.
    pub forget_after: Duration,
}

impl Throttle {
    /// How long the door stays closed after try number `tries`.
    pub fn wait(&self, tries: u32) -> Duration {
        let Some(beyond) = tries.checked_sub(self.free).filter(|beyond| *beyond > 0) else {
            return Duration::ZERO;
        };
        let doubled = 1_u32 << (beyond - 1).min(MOST_DOUBLINGS);
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }

    /// Until when the door stays closed after the first try that is not free, the second, and so on: as many as
    /// differ.
    fn closings(&self, now: OffsetDateTime) -> Vec<OffsetDateTime> {
        let waits = (1..=MOST_DOUBLINGS + 1).map(|beyond| self.wait(self.free.saturating_add(beyond)));
        let mut waits: Vec<Duration> = waits.collect();
        waits.dedup();
        waits.into_iter().map(|wait| now + wait).collect()
    }
}

/// Counts one try and lets it through, or says how long to wait. A try that has to wait is not counted.
pub async fn admit(ctx: &Context, throttle: &Throttle, key: &[u8; 32]) -> Result<Verdict, sqlx::Error> {
    let now = ctx.clock.now();
    let bucket = bucket(throttle.name, key);
    let attempt = store::Try {
        now,
        forget_before: now - throttle.forget_after,
        free: i32::try_from(throttle.free).unwrap_or(i32::MAX),
        closings: throttle.closings(now),
    };
    if store::count_try(&ctx.db, &bucket, &attempt).await? {
        return Ok(Verdict::Go);
    }
    // Forgiven since: the next try goes through.
    let closed_until = store::closed_until(&ctx.db, &bucket).await?.unwrap_or(now);
    let wait = Duration::try_from(closed_until - now).unwrap_or(Duration::ZERO);
    Ok(Verdict::Wait(wait.clamp(Duration::from_secs(1), throttle.longest_wait.max(Duration::from_secs(1)))))
}

/// Starts the counting for this key anew: who got it right was not guessing.
pub async fn forgive(ctx: &Context, throttle: &Throttle, key: &[u8; 32]) -> Result<(), sqlx::Error> {
    store::delete_throttle(&ctx.db, &bucket(throttle.name, key)).await
}

/// Removes what nobody has tried for long.
pub async fn purge(ctx: &Context) -> Result<u64, sqlx::Error> {
    let before = ctx.clock.now() - KEEP_FOR;
    db::in_batches(PURGE_BATCH, |limit| store::delete_quiet_throttles(&ctx.db, before, limit)).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const CODES: Throttle = Throttle {
        name: "test",
        free: 3,
        first_wait: Duration::from_secs(2),
        longest_wait: Duration::from_secs(60),
        forget_after: Duration::from_secs(3_600),
    };

    #[test]
    fn waits_begin_after_the_free_tries_and_double_up_to_the_longest() {
        let waits: Vec<u64> = (0..12).map(|tries| CODES.wait(tries).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_throttle_without_free_tries_closes_after_the_first() {
        let strict = Throttle { free: 0, ..CODES };
        assert_eq!([strict.wait(0), strict.wait(1)].map(|wait| wait.as_secs()), [0, 2]);
    }

    #[test]
    fn the_closings_are_the_waits_beyond_the_free_tries() {
        let now = datetime!(2026-11-20 10:00 UTC);
        let seconds: Vec<i64> =
            CODES.closings(now).iter().map(|closing| (*closing - now).whole_seconds()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60]);
    }

    proptest! {
        #[test]
        fn a_wait_never_shrinks_and_never_passes_the_longest(
            tries: u32,
            free in 0_u32..1_000,
            first in 0_u64..100_000,
            longest in 0_u64..1_000_000,
        ) {
            let throttle = Throttle {
                free,
                first_wait: Duration::from_secs(first),
                longest_wait: Duration::from_secs(longest),
                ..CODES
            };
            let wait = throttle.wait(tries);
            prop_assert!(wait <= throttle.longest_wait);
            prop_assert!(wait <= throttle.wait(tries.saturating_add(1)));
            prop_assert_eq!(wait.is_zero(), tries <= free || first == 0 || longest == 0);
        }

        #[test]
        fn the_closings_agree_with_the_waits(tries in 0_u32..100, free in 0_u32..60, first in 1_u64..1_000) {
            let throttle = Throttle { free, first_wait: Duration::from_secs(first), ..CODES };
            let now = datetime!(2026-11-20 10:00 UTC);
            let closings = throttle.closings(now);
            if let Some(beyond) = tries.checked_sub(free).filter(|beyond| *beyond > 0) {
                let place = (beyond as usize).min(closings.len()) - 1;
                prop_assert_eq!(closings[place], now + throttle.wait(tries));
            }
        }
    }
}
