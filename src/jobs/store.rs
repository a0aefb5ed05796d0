//! SQL of the queue. The schema `graphile_worker` is made by that crate when a process starts, not by our
//! migrations, so these few statements are not checked by the macros; the integration tests run each of them.

use serde_json::Value;
use sqlx::{PgConnection, PgPool, Row};
use time::OffsetDateTime;

use super::Options;

/// A job that failed for good.
#[derive(Debug, Clone)]
pub struct DeadJob {
    pub id: i64,
    pub name: String,
    pub attempts: i16,
    pub last_error: Option<String>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueFigures {
    pub waiting: i64,
    pub running: i64,
    pub dead: i64,
}

/// What waits although it is due, or was tried in vain again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueDelay {
    pub work: bool,
    pub mail: bool,
}

pub async fn add(
    conn: &mut PgConnection,
    name: &str,
    payload: &Value,
    max_attempts: i16,
    options: Options,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select 1 from graphile_worker.add_job(
             identifier => $1, payload => $2::json, queue_name => $3, run_at => $4,
             max_attempts => $5, job_key => $6)",
    )
    .bind(name)
    .bind(payload)
    .bind(options.queue)
    .bind(options.run_at)
    .bind(i32::from(max_attempts))
    .bind(options.key)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn dead(pool: &PgPool, limit: i64) -> Result<Vec<DeadJob>, sqlx::Error> {
    let rows = sqlx::query(
        "select id, task_identifier, attempts, last_error, created_at, updated_at from graphile_worker.jobs
         where attempts >= max_attempts and locked_at is null
         order by updated_at desc limit $1",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeadJob {
                id: row.try_get("id")?,
                name: row.try_get("task_identifier")?,
                attempts: row.try_get("attempts")?,
                last_error: row.try_get("last_error")?,
                created_at: row.try_get("created_at")?,
                updated_at: row.try_get("updated_at")?,
            })
        })
        .collect()
}

pub async fn revive(pool: &PgPool, id: i64) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(
        "select count(*) from graphile_worker.reschedule_jobs(array[$1::bigint], run_at => now(), attempts => 0)",
    )
    .bind(id)
    .fetch_one(pool)
    .await?;
    Ok(row.try_get::<i64, _>(0)? == 1)
}

/// A job that nobody has taken for two minutes is late. One mail that is refused for now says nothing of ours: it takes
/// several of them.
pub async fn delay(pool: &PgPool) -> Result<QueueDelay, sqlx::Error> {
    let row = sqlx::query(
        "select coalesce(bool_or(late), false) as work,
                coalesce(bool_or(late) filter (where is_mail), false)
                    or count(*) filter (where is_mail and attempts >= 3) >= 3 as mail
         from (
             select run_at < now() - interval '2 minutes' as late, task_identifier = 'send_mail' as is_mail, attempts
             from graphile_worker.jobs where locked_at is null and attempts < max_attempts) waiting",
    )
    .fetch_one(pool)
    .await?;
    Ok(QueueDelay { work: row.try_get("work")?, mail: row.try_get("mail")? })
}

pub async fn figures(pool: &PgPool) -> Result<QueueFigures, sqlx::Error> {
    let row = sqlx::query(
        "select count(*) filter (where locked_at is null and attempts < max_attempts) as waiting,
                count(*) filter (where locked_at is not null) as running,
                count(*) filter (where locked_at is null and attempts >= max_attempts) as dead
         from graphile_worker.jobs",
    )
    .fetch_one(pool)
    .await?;
    Ok(QueueFigures {
        waiting: row.try_get("waiting")?,
        running: row.try_get("running")?,
        dead: row.try_get("dead")?,
    })
}
