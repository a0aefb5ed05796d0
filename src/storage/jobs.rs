//! Background work of the storage.

use serde::{Deserialize, Serialize};
use time::Duration;

use crate::{context::Context, jobs::Job};

/// No upload takes this long.
const ABANDONED_AFTER: Duration = Duration::days(1);

/// Temporary objects removed in one run.
const PER_RUN: usize = 1_000;

/// Removes what uploads left behind that a crash cut off. Runs by the schedule, once a day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SweepUploads {}

impl Job for SweepUploads {
    const NAME: &'static str = "sweep_uploads";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let removed = ctx.storage.sweep(ctx.clock.now() - ABANDONED_AFTER, PER_RUN).await?;
        if removed > 0 {
            tracing::info!(removed, "abandoned uploads removed");
        }
        Ok(())
    }
}
