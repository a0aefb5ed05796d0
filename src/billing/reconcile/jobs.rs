//! The hourly round.

use serde::{Deserialize, Serialize};

use super::round;
use crate::{context::Context, jobs::Job};

/// Compares what stands here with Stripe, and reads anew what differs. Runs by the schedule, every hour.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Reconcile {}

impl Job for Reconcile {
    const NAME: &'static str = "reconcile";
    /// The next comes within the hour anyway.
    const MAX_ATTEMPTS: i16 = 3;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        if ctx.stripe.is_none() {
            return Ok(());
        }
        Ok(round::run(&ctx).await?)
    }
}
