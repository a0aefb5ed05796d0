//! Mails about the end of a license: a month, a week and a day before it, and when it has come.
//!
//! What always holds: each is written once for each end, because which was the last stands in the locked row; licenses of
//! one owner that end in one moment are one mail; after days without this round only the latest is written; nobody is
//! reminded of an end that a paid renewal moves on.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{billing, mails, store};
use crate::{
    context::Context,
    contract::{
        id::{LicenseId, OrderId},
        license::LicenseOrigin,
    },
    jobs::Job,
    license::{Error, License},
};

const BATCH: i64 = 200;
/// Which reminder goes out so long before the end, the first one first.
const BEFORE: [(i16, Duration); 3] = [(1, Duration::days(30)), (2, Duration::days(7)), (3, Duration::DAY)];
/// The last one, when the end has come.
pub(in crate::license) const ENDED: i16 = 4;
/// Nobody is told of an end that is longer ago.
const OLD_NEWS: Duration = Duration::days(30);

/// Writes the mails about ends that are due. Runs by the schedule, every day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RemindOfEnds {}

impl Job for RemindOfEnds {
    const NAME: &'static str = "remind_of_license_ends";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        let (from, to) = (now - OLD_NEWS, now + BEFORE[0].1);
        let mut which = store::Ending { from, to, last_stage: ENDED, after: None };
        let mut failed = None;
        let mut seen = HashSet::new();
        loop {
            let batch = store::ending(&ctx.db, &which, BATCH).await?;
            let Some(last) = batch.last() else { break };
            which.after = last.expires_at.map(|end| (end, last.id));
            for license in &batch {
                if due(license, now).is_none() || seen.contains(&license.id) {
                    continue;
                }
                // One that cannot be written to must not keep the others waiting.
                match remind(&ctx, license).await {
                    Ok(together) => seen.extend(together),
                    Err(error) => {
                        tracing::warn!(license = %license.id, error = %error, "the end of a license could not be told of");
                        failed = Some(error);
                    }
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Looks at one license again, with all of its owner's that end with it, locked, and writes what is due. Which it were.
async fn remind(ctx: &Context, license: &License) -> Result<Vec<LicenseId>, Error> {
    let mut tx = ctx.db.begin().await?;
    let mut renewing = Renewing::default();
    // Before the lock: of the many that renew by themselves, none is touched.
    if renewing.has(&mut tx, license).await? {
        return Ok(Vec::new());
    }
    let now = ctx.clock.now();
    let together = store::lock_ending_with(&mut tx, license).await?;
    // What is said of a trial is not true of the rest, and what is said of a subscription neither.
    let mut groups: BTreeMap<(i16, bool, bool, Option<OrderId>), Vec<&License>> = BTreeMap::new();
    for one in &together {
        let Some(stage) = due(one, now) else { continue };
        if renewing.has(&mut tx, one).await? {
            continue;
        }
        let order = one.order.filter(|_| renewing.runs(one));
        let is_trial = one.origin == LicenseOrigin::Trial;
        groups.entry((stage, is_trial, one.fallback, order)).or_default().push(one);
    }
    for ((stage, ..), these) in &groups {
        let ids: Vec<LicenseId> = these.iter().map(|license| license.id).collect();
        store::set_reminded(&mut tx, &ids, *stage, now).await?;
        let Some((first, end)) = these.first().and_then(|first| Some((*first, first.expires_at?))) else {
            continue;
        };
        if *stage == ENDED {
            mails::expired(&mut tx, ctx, first, these.len()).await?;
        } else {
            mails::reminder(&mut tx, ctx, first, these.len(), days_left(end, now)).await?;
        }
    }
    tx.commit().await?;
    Ok(together.into_iter().map(|license| license.id).collect())
}

/// What the subscriptions of some orders do. Each is asked for once.
#[derive(Default)]
struct Renewing(HashMap<OrderId, Option<bool>>);

impl Renewing {
    /// Whether the end of a license is moved on when the next payment comes. One whose payment is late is written to
    /// about that.
    async fn has(&mut self, conn: &mut PgConnection, license: &License) -> Result<bool, Error> {
        let Some(order) = license.order else { return Ok(false) };
        if let Some(known) = self.0.get(&order) {
            return Ok(*known == Some(true));
        }
        let found =
            billing::subscription::of_order(conn, order).await?.filter(|found| found.state.is_running());
        let goes_on = found.map(|found| !found.state.cancel_at_period_end);
        self.0.insert(order, goes_on);
        Ok(goes_on == Some(true))
    }

    /// Whether there is a subscription that runs, be it to its end. Known of those that were asked for.
    fn runs(&self, license: &License) -> bool {
        license.order.and_then(|order| self.0.get(&order)).is_some_and(Option::is_some)
    }
}

/// The reminder that is due and was not written for this end.
fn due(license: &License, now: OffsetDateTime) -> Option<i16> {
    let end = license.expires_at?;
    if !license.revoked_by.is_empty() || !license.suspended_by.is_empty() || now - end >= OLD_NEWS {
        return None;
    }
    let stage = if end <= now {
        ENDED
    } else {
        // What was short from the beginning needs no reminder of how short it is.
        let is_due = |before: Duration| end - before <= now && license.created_at < end - before;
        BEFORE.iter().rev().find(|(_, before)| is_due(*before))?.0
    };
    let told = if license.reminded_for == Some(end) { license.reminded } else { 0 };
    (stage > told).then_some(stage)
}

/// Begun days count.
fn days_left(end: OffsetDateTime, now: OffsetDateTime) -> i64 {
    let left = end - now;
    left.whole_days() + i64::from(left > Duration::days(left.whole_days()))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::{
        contract::{id::LicenseId, license::LicenseOrigin, payment::Tier},
        license::rules::Cause,
    };

    const END: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn ends() -> License {
        License {
            id: LicenseId::from_uuid(Uuid::from_u128(1)),
            account: None,
            email: "ada@example.com".to_owned(),
            origin: LicenseOrigin::Staff,
            order: None,
            order_line: None,
            split_from: None,
            tier: Tier::Pro,
            key_end: "CKT1H".to_owned(),
            seats: 1,
            machines_per_seat: 3,
            overage: 0,
            node_locked: true,
            machines_used: 0,
            expires_at: Some(END),
            good_until: Some(END),
            fallback: false,
            suspended_by: Vec::new(),
            revoked_by: Vec::new(),
            extra_features: Vec::new(),
            reminded: 0,
            reminded_for: None,
            created_at: END - Duration::days(365),
            updated_at: END - Duration::days(365),
        }
    }

    #[test]
    fn each_reminder_has_its_day() {
        let at = |before: Duration| due(&ends(), END - before);
        assert_eq!(at(Duration::days(30) + Duration::SECOND), None);
        assert_eq!(at(Duration::days(30)), Some(1));
        assert_eq!(at(Duration::days(7) + Duration::SECOND), Some(1));
        assert_eq!(at(Duration::days(7)), Some(2));
        assert_eq!(at(Duration::DAY), Some(3));
        assert_eq!(at(Duration::ZERO), Some(ENDED));
        assert_eq!(at(-OLD_NEWS + Duration::SECOND), Some(ENDED));
        assert_eq!(at(-OLD_NEWS), None);
    }

    #[test]
    fn what_was_told_of_this_end_is_not_told_again() {
        let told = License { reminded: 2, reminded_for: Some(END), ..ends() };
        assert_eq!(due(&told, END - Duration::days(6)), None);
        assert_eq!(due(&told, END - Duration::DAY), Some(3));
        let renewed = License { reminded: ENDED, reminded_for: Some(END - Duration::days(365)), ..ends() };
        assert_eq!(due(&renewed, END - Duration::days(20)), Some(1));
    }

    #[test]
    fn short_ones_are_reminded_of_late_and_those_that_are_not_good_never() {
        let trial = License { created_at: END - Duration::days(14), ..ends() };
        assert_eq!(due(&trial, END - Duration::days(13)), None);
        assert_eq!(due(&trial, END - Duration::days(7)), Some(2));
        let gone = License { revoked_by: vec![Cause::Refund], ..ends() };
        let held = License { suspended_by: vec![Cause::Staff], ..ends() };
        let endless = License { expires_at: None, good_until: None, ..ends() };
        for license in [gone, held, endless] {
            assert_eq!(due(&license, END), None);
        }
    }

    #[test]
    fn a_day_that_has_begun_counts() {
        assert_eq!(days_left(END, END - Duration::days(7)), 7);
        assert_eq!(days_left(END, END - Duration::hours(30)), 2);
        assert_eq!(days_left(END, END - Duration::SECOND), 1);
    }
}
