//! What is done in the background, because something happened or because a day went by.

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::{
    billing::order::{self, Missed},
    context::Context,
    contract::id::{OrderId, SubscriptionId},
    jobs::Job,
};

/// An order that was paid this long ago has been fulfilled, unless something went wrong.
const PATIENCE: Duration = Duration::minutes(10);
/// How far back the daily round looks: some rounds may have been missed.
const LOOK_BACK: Duration = Duration::days(7);
/// An order that has no license for so long was paid back before it got one, or needs a person to look at it.
const GIVE_UP: Duration = Duration::days(30);
const BATCH: i64 = 200;

/// Brings the licenses of an order in line with it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FollowOrder {
    pub order: OrderId,
}

impl Job for FollowOrder {
    const NAME: &'static str = "follow_order";
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        Ok(super::order(&ctx, self.order).await?)
    }
}

/// Brings the licenses of a subscription in line with it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FollowSubscription {
    pub subscription: SubscriptionId,
}

impl Job for FollowSubscription {
    const NAME: &'static str = "follow_subscription";
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        Ok(super::subscription(&ctx, self.subscription).await?)
    }
}

/// Looks once more at paid orders that have no license yet, and at those of which something changed: whatever was missed
/// is made good. Runs by the schedule, every day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SetLicensesRight {}

impl Job for SetLicensesRight {
    const NAME: &'static str = "set_licenses_right";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        let missed =
            Missed { paid_since: now - GIVE_UP, paid_before: now - PATIENCE, changed_since: now - LOOK_BACK };
        let (mut last, mut failed) = (None, None);
        loop {
            let batch = order::missed(&ctx, missed, last, BATCH).await?;
            let Some(end) = batch.last() else { break };
            last = Some(*end);
            for id in batch {
                // One that cannot be followed must not keep the others waiting.
                if let Err(error) = super::order(&ctx, id).await {
                    tracing::warn!(order = %id, error = %error, "the licenses of an order could not be set right");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}
