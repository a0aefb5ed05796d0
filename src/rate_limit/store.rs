//! SQL of the ledger and the throttles behind limits that hold across nodes.

use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

pub async fn count_one(
    db: impl PgExecutor<'_>,
    bucket: &str,
    window_start: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    let used = sqlx::query_scalar!(
        "insert into rate_ledger (bucket, window_start, used) values ($1, $2, 1)
         on conflict on constraint rate_ledger_pkey do update set used = rate_ledger.used + 1
         returning used",
        bucket,
        window_start,
    )
    .fetch_one(db)
    .await?;
    Ok(used.into())
}

pub async fn delete(pool: &PgPool, bucket: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from rate_ledger where bucket = $1", bucket).execute(pool).await?;
    Ok(())
}

pub async fn delete_before(pool: &PgPool, before: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from rate_ledger where (bucket, window_start) in (
             select bucket, window_start from rate_ledger where window_start < $1 limit $2
         )",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// One try at something that is throttled.
pub struct Try {
    pub now: OffsetDateTime,
    /// Counting starts anew when the last try was before.
    pub forget_before: OffsetDateTime,
    pub free: i32,
    /// Until when the bucket closes with the first try beyond the free ones, the second, and so on.
    pub closings: Vec<OffsetDateTime>,
}

/// Counts the try unless the bucket is closed. The row's lock makes tries of the same moment take turns.
///
/// An open bucket was closed long ago, not just now: tries of one moment bring slightly different times, and the
/// free ones must not shut each other out.
pub async fn count_try(pool: &PgPool, bucket: &str, attempt: &Try) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into throttle as t (bucket, tries, last_try_at, closed_until)
         values ($1, 1, $2, coalesce(($5::timestamptz[])[1 - $4::int], 'epoch'))
         on conflict on constraint throttle_pkey do update set
             tries = case when t.last_try_at < $3 then 1 else t.tries + 1 end,
             last_try_at = $2,
             closed_until = coalesce(
                 ($5::timestamptz[])[least(
                     case when t.last_try_at < $3 then 1 else t.tries + 1 end - $4::int,
                     cardinality($5::timestamptz[])
                 )],
                 'epoch'
             )
         where t.closed_until <= $2",
        bucket,
        attempt.now,
        attempt.forget_before,
        attempt.free,
        &attempt.closings,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn closed_until(pool: &PgPool, bucket: &str) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!("select closed_until from throttle where bucket = $1", bucket)
        .fetch_optional(pool)
        .await
}

pub async fn delete_throttle(pool: &PgPool, bucket: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from throttle where bucket = $1", bucket).execute(pool).await?;
    Ok(())
}

pub async fn delete_quiet_throttles(
    pool: &PgPool,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from throttle where bucket in (select bucket from throttle where last_try_at < $1 limit $2)",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
