//! The daily round over machines that nobody has heard of for long: they make room for others. And over those that came
//! so long ago that it counts no more.

use serde::{Deserialize, Serialize};

use super::{places::release_unseen, store};
use crate::{
    context::Context,
    contract::id::LicenseId,
    db,
    jobs::Job,
    license::{
        Error,
        rules::{MACHINE_UNSEEN, OFFLINE_FOR},
        store as licenses,
    },
};

/// So many licenses are looked up at once, and of one of them so many machines taken off.
const BATCH: i64 = 200;
const PURGE_BATCH: i64 = 10_000;

/// Takes machines off that were not heard of for [`MACHINE_UNSEEN`]. Runs by the schedule, every day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ReleaseMachines {}

impl Job for ReleaseMachines {
    const NAME: &'static str = "release_machines";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        let over = now - OFFLINE_FOR;
        db::in_batches(PURGE_BATCH, |limit| store::delete_arrivals(&ctx.db, over, limit)).await?;
        let (mut last, mut failed) = (None, None);
        loop {
            let batch = store::with_unseen(&ctx.db, now - MACHINE_UNSEEN, now, last, BATCH).await?;
            let Some(end) = batch.last() else { break };
            last = Some(*end);
            for id in batch {
                // One license that cannot be changed must not keep the others waiting.
                if let Err(error) = release(&ctx, id).await {
                    tracing::warn!(license = %id, error = %error, "machines that are gone could not be taken off");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// In bounded steps: whoever wants to activate the license meanwhile waits for one of them at the most.
async fn release(ctx: &Context, id: LicenseId) -> Result<(), Error> {
    loop {
        let mut tx = ctx.db.begin().await?;
        let Some(mut license) = licenses::lock(&mut tx, id).await? else { return Ok(()) };
        let gone = release_unseen(&mut tx, ctx, &mut license, BATCH).await?;
        tx.commit().await?;
        if i64::from(gone) < BATCH {
            return Ok(());
        }
    }
}
