//! SQL of what things of the catalogue are called at Stripe.

use sqlx::PgPool;
use time::OffsetDateTime;

/// A thing as Stripe was last told of it.
pub struct Known {
    pub stripe_id: String,
    pub fingerprint: String,
}

/// Which thing: its kind, and its name here.
#[derive(Debug, Clone, Copy)]
pub struct Thing<'a> {
    pub environment: &'a str,
    pub kind: &'static str,
    pub our_key: &'a str,
}

pub async fn find(pool: &PgPool, thing: Thing<'_>) -> Result<Option<Known>, sqlx::Error> {
    sqlx::query_as!(
        Known,
        "select stripe_id, fingerprint from stripe_object
         where environment = $1 and kind = $2 and our_key = $3",
        thing.environment,
        thing.kind,
        thing.our_key,
    )
    .fetch_optional(pool)
    .await
}

/// Remembers what a thing is called. Of two who made it at once the first is kept, and both get its name.
pub async fn keep(
    pool: &PgPool,
    thing: Thing<'_>,
    stripe_id: String,
    fingerprint: &str,
    now: OffsetDateTime,
) -> Result<String, sqlx::Error> {
    sqlx::query!(
        "insert into stripe_object (environment, kind, our_key, stripe_id, fingerprint, synced_at)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        thing.environment,
        thing.kind,
        thing.our_key,
        stripe_id,
        fingerprint,
        now,
    )
    .execute(pool)
    .await?;
    let kept = find(pool, thing).await?;
    Ok(kept.map_or(stripe_id, |kept| kept.stripe_id))
}

/// Notes what Stripe was told of a thing that it knew before.
pub async fn note(
    pool: &PgPool,
    thing: Thing<'_>,
    fingerprint: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update stripe_object set fingerprint = $4, synced_at = $5
         where environment = $1 and kind = $2 and our_key = $3",
        thing.environment,
        thing.kind,
        thing.our_key,
        fingerprint,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn forget(pool: &PgPool, thing: Thing<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from stripe_object where environment = $1 and kind = $2 and our_key = $3",
        thing.environment,
        thing.kind,
        thing.our_key,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn forget_all(pool: &PgPool, environment: &str) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query!("delete from stripe_object where environment = $1", environment).execute(pool).await?;
    Ok(done.rows_affected())
}

/// Our names of what Stripe was last told something else about than this.
pub async fn told_otherwise(
    pool: &PgPool,
    environment: &str,
    kind: &str,
    fingerprint: &str,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select our_key, stripe_id from stripe_object
         where environment = $1 and kind = $2 and fingerprint <> $3 order by our_key",
        environment,
        kind,
        fingerprint,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.our_key, row.stripe_id)).collect())
}

pub async fn our_key(
    pool: &PgPool,
    environment: &str,
    kind: &str,
    stripe_id: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select our_key from stripe_object where environment = $1 and kind = $2 and stripe_id = $3 limit 1",
        environment,
        kind,
        stripe_id,
    )
    .fetch_optional(pool)
    .await
}
