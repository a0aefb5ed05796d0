//! Sending a refund that could not be sent at once.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::applying;
use crate::{
    context::Context,
    contract::id::RefundId,
    jobs::{Job, Options},
};

#[derive(Debug, Serialize, Deserialize)]
pub struct SendRefund {
    pub id: RefundId,
}

impl SendRefund {
    /// Whoever asked for it sends it themselves first.
    pub fn later(now: OffsetDateTime) -> Options {
        Options { run_at: Some(now + Duration::seconds(20)), ..Options::default() }
    }
}

impl Job for SendRefund {
    const NAME: &'static str = "send_refund";
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        applying::send(&ctx, self.id).await?;
        Ok(())
    }
}
