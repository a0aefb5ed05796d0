//! SQL of passkeys.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::contract::{
    account::Passkey,
    id::{PasskeyId, UserId},
};

pub struct NewPasskey<'a> {
    pub id: PasskeyId,
    pub account: UserId,
    pub credential_id: &'a [u8],
    pub name: &'a str,
    pub credential: &'a Value,
    pub created_at: OffsetDateTime,
}

pub struct StoredKey {
    pub id: Uuid,
    pub account_id: Uuid,
    pub credential: Value,
}

/// False when somebody has this passkey already.
pub async fn insert(conn: &mut PgConnection, new: &NewPasskey<'_>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into passkey (id, account_id, credential_id, name, credential, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint passkey_credential_id do nothing",
        new.id.uuid(),
        new.account.uuid(),
        new.credential_id,
        new.name,
        new.credential,
        new.created_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn list(pool: &PgPool, account: UserId, limit: i64) -> Result<Vec<Passkey>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, name, created_at, last_used_at from passkey
         where account_id = $1 order by created_at, id limit $2",
        account.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Passkey {
            id: PasskeyId::from_uuid(row.id),
            name: row.name,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        })
        .collect())
}

/// As the library wrote them.
pub async fn credentials(pool: &PgPool, account: UserId, limit: i64) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar!(
        "select credential from passkey where account_id = $1 order by created_at, id limit $2",
        account.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn has_any(pool: &PgPool, account: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from passkey where account_id = $1) as "any!""#,
        account.uuid(),
    )
    .fetch_one(pool)
    .await
}

pub async fn count(conn: &mut PgConnection, account: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from passkey where account_id = $1"#, account.uuid(),)
        .fetch_one(conn)
        .await
}

/// Of two sign-ins at once with one passkey, the second waits here and meets the counter of the first.
pub async fn lock(conn: &mut PgConnection, credential_id: &[u8]) -> Result<Option<StoredKey>, sqlx::Error> {
    sqlx::query_as!(
        StoredKey,
        "select id, account_id, credential from passkey where credential_id = $1 for update",
        credential_id,
    )
    .fetch_optional(conn)
    .await
}

pub async fn set_used(
    conn: &mut PgConnection,
    id: Uuid,
    credential: &Value,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update passkey set credential = $2, last_used_at = $3 where id = $1", id, credential, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The name of what was deleted.
pub async fn delete(
    conn: &mut PgConnection,
    account: UserId,
    id: PasskeyId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "delete from passkey where id = $1 and account_id = $2 returning name",
        id.uuid(),
        account.uuid(),
    )
    .fetch_optional(conn)
    .await
}
