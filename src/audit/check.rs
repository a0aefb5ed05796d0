//! Walking the whole chain now and then, so that tampering is noticed without anybody looking for it.

use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use super::{Entry, Error, record, store, verify};
use crate::{
    account::{self, Caller, Permission},
    context::Context,
    db,
    jobs::{self, Job, Options},
};

/// What the last walk over the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub checked_at: OffsetDateTime,
    /// Entries of the chain that are as they were written.
    pub sealed: i64,
    /// Entries that were still to be chained.
    pub unsealed: i64,
    pub broken: Option<Break>,
}

/// Where the chain breaks, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    pub at: i64,
    pub why: String,
}

pub async fn last_check(ctx: &Context, caller: &Caller) -> Result<Option<Check>, account::Error> {
    caller.require(ctx, Permission::AuditRead)?;
    store::last_check(&ctx.db).await.map_err(account::Error::from)
}

/// Has the chain checked soon. While a check waits, asking again adds none.
pub async fn request_check(ctx: &Context, caller: &Caller) -> Result<(), account::Error> {
    let identity = caller.require(ctx, Permission::AuditRead)?;
    let mut tx = ctx.db.begin().await?;
    let entry = Entry {
        actor: identity.actor(),
        action: "audit.check_requested",
        subject_kind: "audit",
        subject_id: "log",
        detail: json!({}),
        request_id: Some(identity.request),
    };
    record(&mut tx, ctx, entry).await?;
    let options = Options { key: Some(CheckAudit::NAME.to_owned()), ..Options::default() };
    jobs::enqueue_with(&mut tx, &CheckAudit {}, options).await?;
    tx.commit().await?;
    Ok(())
}

/// Walks the chain and writes down what it found. Runs by the schedule, once a day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CheckAudit {}

impl Job for CheckAudit {
    const NAME: &'static str = "check_audit";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        // A long log takes longer than a request may.
        let pool = db::upkeep(&ctx.db).await?;
        let verified = verify(&pool).await;
        let unsealed = store::count_unsealed(&pool).await;
        pool.close().await;
        let checked_at = ctx.clock.now();
        let check = match verified {
            Ok(found) => Check { checked_at, sealed: found.sealed, unsealed: found.unsealed, broken: None },
            Err(Error::Broken { sequence, what }) => Check {
                checked_at,
                sealed: sequence - 1,
                unsealed: unsealed?,
                broken: Some(Break { at: sequence, why: what.to_owned() }),
            },
            Err(error) => return Err(error.into()),
        };
        store::insert_check(&ctx.db, ctx.random.uuid_v7(checked_at), &check).await?;
        let outcome = if check.broken.is_some() { "broken" } else { "whole" };
        metrics::counter!("devforge_audit_checks_total", "outcome" => outcome).increment(1);
        // A broken chain is a finding, not a failure of this job: trying again would find the same.
        match &check.broken {
            Some(broken) => {
                tracing::error!(entry = broken.at, why = %broken.why, "the audit log was tampered with");
            }
            None => tracing::info!(entries = check.sealed, "the audit log is whole"),
        }
        Ok(())
    }
}
