//! Whether we and Stripe know the same, looked after every hour: messages that never arrived, subscriptions that stand
//! otherwise here than there, and orders that were paid without our hearing of it.
//!
//! What always holds: every difference is written down before it is put right; putting right is nothing but reading the
//! thing anew, as on a message; of two nodes one looks at a time; where messages were read up to moves only when a round
//! came to its end.

mod jobs;
mod round;
mod store;

use serde_json::json;
use time::{Duration, OffsetDateTime};

pub use self::jobs::Reconcile;
use super::{By, Error, note};
use crate::{
    account::{Caller, Permission},
    context::Context,
    jobs::{Job, Options, enqueue_with},
};

/// A round that has not come to its end by then was cut off.
const LONGEST_ROUND: Duration = Duration::minutes(30);
/// What the page shows.
const RUNS_SHOWN: i64 = 12;
const DIFFERENCES_SHOWN: i64 = 100;
/// How far back.
pub const SHOWN_FOR: Duration = Duration::days(30);

/// One round of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub started_at: OffsetDateTime,
    pub finished_at: Option<OffsetDateTime>,
    pub events_until: OffsetDateTime,
    pub events_read: i32,
    pub events_missed: i32,
    pub subscriptions_read: i32,
    pub differences: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    UnderWay,
    Done,
    /// Something kept it from its end; the next round begins where the last good one ended.
    CutOff,
}

impl Run {
    pub fn state(&self, now: OffsetDateTime) -> RunState {
        match self.finished_at {
            Some(_) if self.events_until >= self.started_at => RunState::Done,
            None if now - self.started_at < LONGEST_ROUND => RunState::UnderWay,
            _ => RunState::CutOff,
        }
    }
}

/// Where we and Stripe differed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub found_at: OffsetDateTime,
    /// What it is about: `subscription sub_…`, `order ord_…`.
    pub subject: String,
    pub field: String,
    pub ours: String,
    pub theirs: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Newest first, both.
    pub runs: Vec<Run>,
    pub differences: Vec<Difference>,
}

/// The last rounds and what they found.
pub async fn latest(ctx: &Context, caller: &Caller) -> Result<Report, Error> {
    caller.require(ctx, Permission::PaymentsRead)?;
    let since = ctx.clock.now() - SHOWN_FOR;
    let runs = store::runs(&ctx.db, RUNS_SHOWN).await?;
    let differences = store::differences(&ctx.db, since, DIFFERENCES_SHOWN).await?;
    Ok(Report { runs, differences })
}

/// Has everything looked at soon. While a round waits, asking again adds none.
pub async fn request(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::PaymentsManage)?;
    ctx.stripe()?;
    let mut tx = ctx.db.begin().await?;
    let subject = ("reconcile", "stripe".to_owned());
    note(&mut tx, ctx, By::from(identity), "reconcile.requested", subject, json!({})).await?;
    let options = Options { key: Some(Reconcile::NAME.to_owned()), ..Options::default() };
    enqueue_with(&mut tx, &Reconcile {}, options).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes down, once for good, what cannot be put right by reading it again: something at Stripe that is none of ours, or
/// that we cannot name.
pub(super) async fn note_once(
    ctx: &Context,
    subject: &str,
    field: &str,
    ours: &str,
    theirs: &str,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let difference = Difference {
        found_at: now,
        subject: subject.to_owned(),
        field: field.to_owned(),
        ours: ours.to_owned(),
        theirs: theirs.to_owned(),
    };
    if store::insert_once(&ctx.db, ctx.random.uuid_v7(now), &difference).await? {
        tracing::warn!(subject, field, ours, theirs, "Stripe has something that is not known here");
    }
    Ok(())
}
