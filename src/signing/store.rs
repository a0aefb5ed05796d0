//! SQL of the keys that sign.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// Key of the advisory lock under which keys are made and removed.
const KEYS_LOCK: i64 = 0x6465_7666_0002;

pub struct StoredKey {
    pub id: String,
    pub purpose: String,
    pub public_key: Vec<u8>,
    pub private_key_sealed: Vec<u8>,
    pub created_at: OffsetDateTime,
    pub signs_from: OffsetDateTime,
    pub published_until: Option<OffsetDateTime>,
}

/// Waits for others who make keys; held until the transaction ends.
pub async fn lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", KEYS_LOCK).execute(conn).await?;
    Ok(())
}

/// Newest first.
pub async fn published(
    db: impl PgExecutor<'_>,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<StoredKey>, sqlx::Error> {
    sqlx::query_as!(
        StoredKey,
        "select id, purpose, public_key, private_key_sealed, created_at, signs_from, published_until
         from signing_key where published_until is null or published_until > $1
         order by created_at desc, id limit $2",
        now,
        limit,
    )
    .fetch_all(db)
    .await
}

pub async fn insert(conn: &mut PgConnection, key: &StoredKey) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into signing_key
             (id, purpose, public_key, private_key_sealed, created_at, signs_from, published_until)
         values ($1, $2, $3, $4, $5, $6, $7)",
        key.id.as_str(),
        key.purpose.as_str(),
        key.public_key.as_slice(),
        key.private_key_sealed.as_slice(),
        key.created_at,
        key.signs_from,
        key.published_until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets the end of every key of this purpose that has none yet.
pub async fn retire(
    conn: &mut PgConnection,
    purpose: &str,
    published_until: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update signing_key set published_until = $2 where purpose = $1 and published_until is null",
        purpose,
        published_until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes keys past their end, and says which.
pub async fn delete_ended(conn: &mut PgConnection, now: OffsetDateTime) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!("delete from signing_key where published_until <= $1 returning id", now)
        .fetch_all(conn)
        .await
}
