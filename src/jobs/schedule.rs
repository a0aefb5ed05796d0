//! What runs by the clock, in UTC. Each entry is queued once across all nodes.

use serde::{Deserialize, Serialize};

use super::Job;
use crate::{
    audit,
    context::Context,
    idempotency, outbox,
    rate_limit::{self, throttle},
};

pub const CRONTAB: &str = "\
17 3 * * * keep_house ?id=keep_house&fill=1d {}
*/15 * * * * purge_sessions ?id=purge_sessions {}
43 3 * * * purge_mail ?id=purge_mail&fill=1d {}
23 2 * * * anonymize_accounts ?id=anonymize_accounts&fill=1d {}
11 * * * * purge_exports ?id=purge_exports {}
37 4 * * * rotate_keys ?id=rotate_keys&fill=1d {}
53 4 * * * check_audit ?id=check_audit&fill=1d {}
5 9 * * * dunning ?id=dunning&fill=1d {}
29 * * * * reconcile ?id=reconcile {}
29 4 * * * purge_inbox ?id=purge_inbox&fill=1d {}
47 4 * * * empty_unpaid ?id=empty_unpaid&fill=1d {}
33 4 * * * purge_asked ?id=purge_asked&fill=1d {}
39 4 * * * purge_feedback ?id=purge_feedback&fill=1d {}
7 4 * * * sweep_uploads ?id=sweep_uploads&fill=1d {}
31 2 * * * set_licenses_right ?id=set_licenses_right&fill=1d {}
35 9 * * * remind_of_license_ends ?id=remind_of_license_ends&fill=1d {}
41 3 * * * release_machines ?id=release_machines&fill=1d {}
";

/// The daily round: partitions ahead of time, and what nobody needs any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeepHouse {}

impl Job for KeepHouse {
    const NAME: &'static str = "keep_house";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        // Each step by itself: one that fails must not keep the others from being done.
        let events = outbox::purge(&ctx).await;
        let buckets = rate_limit::purge(&ctx).await;
        let throttles = throttle::purge(&ctx).await;
        let keys = idempotency::purge(&ctx).await;
        let partitions = audit::ensure_partitions(&ctx.db).await;
        tracing::info!(
            events = *events.as_ref().unwrap_or(&0),
            buckets = *buckets.as_ref().unwrap_or(&0),
            "the daily round is done"
        );
        events?;
        buckets?;
        throttles?;
        keys?;
        Ok(partitions?)
    }
}
