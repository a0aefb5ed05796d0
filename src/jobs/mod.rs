//! Background jobs on PostgreSQL: queued inside the caller's transaction, run at least once, retried with
//! rising waits, and kept for a look when they fail for good.
//!
//! What always holds: a job's payload carries ids, not things; running it twice does no harm; old payloads
//! stay readable. [`schedule`] lists what runs by the clock.

mod schedule;
mod store;
mod worker;

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::context::Context;

pub use store::{DeadJob, QueueDelay, QueueFigures};
pub use worker::{Worker, WorkerError, prepare_schema, run_all_queued};

/// One kind of background work.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// How it is called in the queue. Never changed once jobs of it may be waiting.
    const NAME: &'static str;
    const MAX_ATTEMPTS: i16 = 12;

    fn run(self, ctx: Context) -> impl Future<Output = anyhow::Result<()>> + Send;
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the job cannot be queued")]
    Database(#[from] sqlx::Error),
    #[error("the job's payload cannot be written as JSON")]
    Payload(#[from] serde_json::Error),
}

/// How a job is queued, where the ordinary way is not wanted.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub run_at: Option<OffsetDateTime>,
    /// While a job with this key waits, queueing again replaces it instead of adding one.
    pub key: Option<String>,
    /// Jobs of one queue run one after another.
    pub queue: Option<String>,
}

/// Queues a job in the caller's transaction: it runs if, and only if, that commits.
pub async fn enqueue<J: Job>(conn: &mut PgConnection, job: &J) -> Result<(), Error> {
    enqueue_with(conn, job, Options::default()).await
}

pub async fn enqueue_with<J: Job>(conn: &mut PgConnection, job: &J, options: Options) -> Result<(), Error> {
    let payload = serde_json::to_value(job)?;
    store::add(conn, J::NAME, &payload, J::MAX_ATTEMPTS, options).await?;
    metrics::counter!("devforge_jobs_queued_total", "job" => J::NAME).increment(1);
    Ok(())
}

/// Jobs that used up their attempts, newest first.
pub async fn dead(ctx: &Context, limit: i64) -> Result<Vec<DeadJob>, Error> {
    store::dead(&ctx.db, limit.clamp(1, 200)).await.map_err(Error::from)
}

/// Lets a dead job run again, from its first attempt. False when there is no such job.
pub async fn revive(ctx: &Context, id: i64) -> Result<bool, Error> {
    store::revive(&ctx.db, id).await.map_err(Error::from)
}

/// Whether work waits longer than it should.
pub async fn delay(ctx: &Context) -> Result<QueueDelay, Error> {
    store::delay(&ctx.db).await.map_err(Error::from)
}

/// How many wait, run, and are dead.
pub async fn figures(ctx: &Context) -> Result<QueueFigures, Error> {
    store::figures(&ctx.db).await.map_err(Error::from)
}
