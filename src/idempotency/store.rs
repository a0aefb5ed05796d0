//! SQL of idempotency keys.

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// A key in the hands of a request.
#[derive(Clone, Copy)]
pub struct Hold<'a> {
    pub scope: &'a [u8; 32],
    pub key: &'a str,
    /// Which request it is: the same for all tries at one.
    pub nonce: Uuid,
    /// Which try it is.
    pub since: OffsetDateTime,
}

/// What is kept under a key.
pub struct Kept {
    pub request: Vec<u8>,
    /// Status and body, once there is an answer.
    pub answer: Option<(i16, Vec<u8>)>,
}

/// Takes a key for a request. None when it is taken, unless by one that died or is too old to count. The nonce is the
/// given one, or that of the same request that died.
pub async fn begin(
    pool: &PgPool,
    fresh: &Hold<'_>,
    request: &[u8; 32],
    dead_before: OffsetDateTime,
    kept_since: OffsetDateTime,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into idempotency_key as k (scope, key, request_hash, nonce, started_at) values ($1, $2, $3, $4, $5)
         on conflict on constraint idempotency_key_pkey
         do update set request_hash = $3, started_at = $5, status = null, body = null,
                       nonce = case when k.started_at < $7 then $4 else k.nonce end
         where k.started_at < $7 or (k.status is null and k.started_at < $6 and k.request_hash = $3)
         returning nonce",
        fresh.scope,
        fresh.key,
        request,
        fresh.nonce,
        fresh.since,
        dead_before,
        kept_since,
    )
    .fetch_optional(pool)
    .await
}

/// Keeps an answer, unless another try at the same request had one earlier, or the key is another request's by now.
pub async fn finish(pool: &PgPool, held: &Hold<'_>, status: i16, body: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update idempotency_key set status = $4, body = $5
         where scope = $1 and key = $2 and nonce = $3 and status is null",
        held.scope,
        held.key,
        held.nonce,
        status,
        body,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Lets go of a key under which nothing was done, unless somebody else has it by now.
pub async fn forget(pool: &PgPool, held: &Hold<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from idempotency_key
         where scope = $1 and key = $2 and nonce = $3 and started_at = $4 and status is null",
        held.scope,
        held.key,
        held.nonce,
        held.since,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Has a request count as one that died, unless another try has taken over by now.
pub async fn give_up(pool: &PgPool, held: &Hold<'_>, died: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update idempotency_key set started_at = $5
         where scope = $1 and key = $2 and nonce = $3 and started_at = $4 and status is null",
        held.scope,
        held.key,
        held.nonce,
        held.since,
        died,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn find(pool: &PgPool, scope: &[u8; 32], key: &str) -> Result<Option<Kept>, sqlx::Error> {
    let row = sqlx::query!(
        "select request_hash, status, body from idempotency_key where scope = $1 and key = $2",
        scope,
        key,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Kept { request: row.request_hash, answer: row.status.zip(row.body) }))
}

/// A key that is taken anew meanwhile stays.
pub async fn purge(pool: &PgPool, before: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from idempotency_key where started_at < $1 and (scope, key) in
             (select scope, key from idempotency_key where started_at < $1 limit $2)",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
