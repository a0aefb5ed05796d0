//! The worker: takes jobs off the queue and runs them, on this node, until it is told to stop.

use std::{future::Future, time::Duration};

use graphile_worker::{
    IntoTaskHandlerResult, LocalQueueConfig, RefetchDelayConfig, TaskHandler, Worker as GraphileWorker,
    WorkerContext, WorkerOptions,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::{Job, schedule};
use crate::{
    account, audit, billing, context::Context, license, mail, search, session, signing, storage, support,
};

/// A process that died is noticed after this long, and its jobs go to others.
const DEAD_AFTER: Duration = Duration::from_secs(60);
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Notifications wake the worker at once; polling only catches those that were lost, and jobs for later.
const POLL: Duration = Duration::from_secs(2);
/// The queue makes it between half of this and all of it.
const PAUSE_WHEN_IDLE: Duration = Duration::from_secs(1);
const SEAL_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("the job queue cannot be set up: {0}")]
    Setup(String),
    #[error("the worker stopped: {0}")]
    Stopped(String),
}

/// How the queue's handler and our [`Job`] meet: the payload is the job, the context comes with the worker.
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "J: Serialize", deserialize = "J: serde::de::DeserializeOwned"))]
struct Task<J>(J);

#[derive(Clone)]
struct Carried(Context);

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

impl<J: Job> TaskHandler for Task<J> {
    const IDENTIFIER: &'static str = J::NAME;

    async fn run(self, worker: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(Carried(ctx)) = worker.get_ext::<Carried>().cloned() else {
            return Err("the worker was built without a context".to_owned());
        };
        let started = std::time::Instant::now();
        let result = self.0.run(ctx).await;
        let outcome = if result.is_ok() { "ok" } else { "failed" };
        metrics::counter!("devforge_jobs_run_total", "job" => J::NAME, "outcome" => outcome).increment(1);
        metrics::histogram!("devforge_job_seconds", "job" => J::NAME).record(started.elapsed().as_secs_f64());
        // The queue keeps this text for the dead-letter view.
        result.map_err(|error| {
            tracing::warn!(job = J::NAME, attempt = worker.job().attempts(), error = %format!("{error:#}"), "a job failed");
            format!("{error:#}")
        })
    }
}

fn options(ctx: &Context) -> WorkerOptions {
    WorkerOptions::default()
        .pg_pool(ctx.db.clone())
        .concurrency(ctx.config.jobs.concurrency.max(1))
        .poll_interval(POLL)
        .listen_os_shutdown_signals(false)
        .shutdown_grace_period(ctx.config.http.drain_timeout)
        .heartbeat_interval(HEARTBEAT)
        .sweep_interval(HEARTBEAT * 2)
        .sweep_threshold(DEAD_AFTER)
        .add_extension(Carried(ctx.clone()))
        .define_job::<Task<mail::SendMail>>()
        .define_job::<Task<mail::PurgeMail>>()
        .define_job::<Task<session::PurgeSessions>>()
        .define_job::<Task<signing::RotateKeys>>()
        .define_job::<Task<audit::CheckAudit>>()
        .define_job::<Task<account::StartReset>>()
        .define_job::<Task<account::AnonymizeAccounts>>()
        .define_job::<Task<account::DeleteArchives>>()
        .define_job::<Task<account::data_export::MakeExport>>()
        .define_job::<Task<account::data_export::PurgeExports>>()
        .define_job::<Task<billing::inbox::HandleWebhook>>()
        .define_job::<Task<billing::inbox::PurgeInbox>>()
        .define_job::<Task<billing::settle::WatchOrder>>()
        .define_job::<Task<billing::settle::RecordFee>>()
        .define_job::<Task<billing::refund::SendRefund>>()
        .define_job::<Task<billing::catalogue::SyncCatalogue>>()
        .define_job::<Task<billing::subscription::Dunning>>()
        .define_job::<Task<billing::subscription::EndSubscription>>()
        .define_job::<Task<billing::subscription::EndWithAccount>>()
        .define_job::<Task<billing::reconcile::Reconcile>>()
        .define_job::<Task<billing::retention::EmptyUnpaid>>()
        .define_job::<Task<billing::retention::EndSessions>>()
        .define_job::<Task<license::follow::FollowOrder>>()
        .define_job::<Task<license::follow::FollowSubscription>>()
        .define_job::<Task<license::follow::SetLicensesRight>>()
        .define_job::<Task<license::life::RemindOfEnds>>()
        .define_job::<Task<license::machine::ReleaseMachines>>()
        .define_job::<Task<search::asked::PurgeAsked>>()
        .define_job::<Task<storage::jobs::SweepUploads>>()
        .define_job::<Task<support::feedback::PurgeFeedback>>()
        .define_job::<Task<schedule::KeepHouse>>()
}

/// Makes or upgrades the queue's own schema. Safe to call from many processes at once.
pub async fn prepare_schema(pool: &PgPool) -> Result<(), WorkerError> {
    let setup = WorkerOptions::default().pg_pool(pool.clone()).init().await;
    setup.map(drop).map_err(|error| WorkerError::Setup(error.to_string()))
}

pub struct Worker {
    inner: GraphileWorker,
    ctx: Context,
}

/// Without a pause after a fetch that found nothing, version 0.14 asks the database again at once and for ever: a thousand
/// times a second by an idle process. The first notification ends the pause.
fn local_queue(ctx: &Context) -> LocalQueueConfig {
    let pause = RefetchDelayConfig::default()
        .with_duration(PAUSE_WHEN_IDLE)
        .with_threshold(0)
        .with_max_abort_threshold(1);
    LocalQueueConfig::builder().size(ctx.config.jobs.concurrency.max(1) * 2).build().with_refetch_delay(pause)
}

impl Worker {
    /// `stop` ends the worker: jobs under way get the drain time to finish.
    pub async fn start(
        ctx: &Context,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Self, WorkerError> {
        let inner = options(ctx)
            // Otherwise each notification or poll starts one job a thread, and a backlog that nobody adds to, such as
            // that of a process that died, is worked off two jobs a second.
            .local_queue(local_queue(ctx))
            .with_cron(schedule::CRONTAB)
            .map_err(|error| WorkerError::Setup(error.to_string()))?
            .shutdown_signal(stop)
            .init()
            .await
            .map_err(|error| WorkerError::Setup(error.to_string()))?;
        Ok(Self { inner, ctx: ctx.clone() })
    }

    /// Runs until stopped, sealing the audit log on the side.
    pub async fn run(self) -> Result<(), WorkerError> {
        let sealing = async {
            let mut ticks = tokio::time::interval(SEAL_EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = audit::seal(&self.ctx).await {
                    tracing::warn!(error = %error, "the audit log could not be sealed; trying again");
                }
            }
        };
        tokio::select! {
            result = self.inner.run() => result.map_err(|error| WorkerError::Stopped(error.to_string())),
            () = sealing => Ok(()),
        }
    }
}

/// Runs what is queued now and returns: for tests.
pub async fn run_all_queued(ctx: &Context) -> Result<(), WorkerError> {
    let worker = options(ctx).init().await.map_err(|error| WorkerError::Setup(error.to_string()))?;
    worker.run_once().await.map_err(|error| WorkerError::Stopped(error.to_string()))
}
