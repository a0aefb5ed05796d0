//! SQL of changes of address.

use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;

use crate::contract::id::UserId;

/// A change of address that waits for its two ends.
pub struct Waiting {
    pub new_email: String,
    pub old_confirmed_at: Option<OffsetDateTime>,
    pub new_confirmed_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// Instead of one that waited before.
pub async fn begin(conn: &mut PgConnection, id: UserId, change: &Waiting) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into email_change
             (account_id, new_email, old_confirmed_at, new_confirmed_at, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint email_change_pkey do update set
             new_email = excluded.new_email, old_confirmed_at = excluded.old_confirmed_at,
             new_confirmed_at = excluded.new_confirmed_at, created_at = excluded.created_at,
             expires_at = excluded.expires_at",
        id.uuid(),
        change.new_email,
        change.old_confirmed_at,
        change.new_confirmed_at,
        change.created_at,
        change.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn waiting(
    db: impl PgExecutor<'_>,
    id: UserId,
    now: OffsetDateTime,
) -> Result<Option<Waiting>, sqlx::Error> {
    sqlx::query_as!(
        Waiting,
        "select new_email, old_confirmed_at, new_confirmed_at, created_at, expires_at
         from email_change where account_id = $1 and expires_at > $2",
        id.uuid(),
        now,
    )
    .fetch_optional(db)
    .await
}

pub async fn confirm(conn: &mut PgConnection, id: UserId, change: &Waiting) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update email_change set old_confirmed_at = $2, new_confirmed_at = $3 where account_id = $1",
        id.uuid(),
        change.old_confirmed_at,
        change.new_confirmed_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn end(conn: &mut PgConnection, id: UserId) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query!("delete from email_change where account_id = $1", id.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_expired(pool: &PgPool, now: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!("delete from email_change where expires_at <= $1", now).execute(pool).await?;
    Ok(done.rows_affected())
}

/// Somebody has read the mail to the new address, so it counts as theirs.
pub async fn set_email(
    conn: &mut PgConnection,
    id: UserId,
    email: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set email = $2, email_verified_at = $3, updated_at = $3 where id = $1",
        id.uuid(),
        email,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
