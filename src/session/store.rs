//! SQL of sessions.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub struct Saved {
    pub id: Uuid,
    pub token_hash: [u8; 32],
    pub account_id: Option<Uuid>,
    pub device: String,
    pub data: Value,
    pub expires_at: OffsetDateTime,
}

pub struct Loaded {
    pub data: Value,
    pub expires_at: OffsetDateTime,
}

pub struct Listed {
    pub id: Uuid,
    pub device: String,
    pub created_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
}

pub async fn upsert(pool: &PgPool, saved: &Saved, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into session (id, token_hash, account_id, device, data, created_at, last_seen_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7)
         on conflict on constraint session_token_hash do update set
             account_id = excluded.account_id, device = excluded.device, data = excluded.data,
             last_seen_at = excluded.last_seen_at, expires_at = excluded.expires_at",
        saved.id,
        &saved.token_hash,
        saved.account_id,
        saved.device,
        saved.data,
        now,
        saved.expires_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn load(
    pool: &PgPool,
    token_hash: &[u8; 32],
    now: OffsetDateTime,
    oldest: OffsetDateTime,
) -> Result<Option<Loaded>, sqlx::Error> {
    sqlx::query_as!(
        Loaded,
        "select data, expires_at from session where token_hash = $1 and expires_at > $2 and created_at > $3",
        token_hash,
        now,
        oldest,
    )
    .fetch_optional(pool)
    .await
}

pub async fn touch(
    pool: &PgPool,
    id: Uuid,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update session set last_seen_at = $2, expires_at = greatest(expires_at, $3) where id = $1",
        id,
        now,
        expires_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn list(
    pool: &PgPool,
    account: Uuid,
    now: OffsetDateTime,
    oldest: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query_as!(
        Listed,
        "select id, device, created_at, last_seen_at from session
         where account_id = $1 and expires_at > $2 and created_at > $3
         order by last_seen_at desc, id limit $4",
        account,
        now,
        oldest,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn delete_by_hash(pool: &PgPool, token_hash: &[u8; 32]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from session where token_hash = $1", token_hash).execute(pool).await?;
    Ok(())
}

pub async fn delete_owned(conn: &mut PgConnection, account: Uuid, id: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from session where id = $1 and account_id = $2", id, account)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_expired(
    pool: &PgPool,
    now: OffsetDateTime,
    oldest: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from session where id in (
             select id from session where expires_at <= $1 or created_at <= $2 limit $3
         )",
        now,
        oldest,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
