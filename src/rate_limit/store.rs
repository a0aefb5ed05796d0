//! SQL of the ledger behind limits that hold across nodes.

use sqlx::PgPool;
use time::OffsetDateTime;

pub async fn count_one(
    pool: &PgPool,
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
    .fetch_one(pool)
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
