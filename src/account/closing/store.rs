//! SQL of accounts that end.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::contract::id::UserId;

pub async fn set_delete_after(
    conn: &mut PgConnection,
    id: UserId,
    delete_after: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set delete_after = $2, updated_at = $3 where id = $1",
        id.uuid(),
        delete_after,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The administrators who can act and stay, none of whom becomes less until the transaction ends.
pub async fn lock_administrators(conn: &mut PgConnection) -> Result<Vec<UserId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from account
         where role = 'admin' and locked_at is null and delete_after is null and deleted_at is null
         order by id for no key update",
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(UserId::from_uuid).collect())
}

pub async fn delete_personal_tokens(conn: &mut PgConnection, id: UserId) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query!("delete from personal_token where account_id = $1", id.uuid()).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Accounts whose end has come, the longest overdue first.
pub async fn due(pool: &PgPool, now: OffsetDateTime, limit: i64) -> Result<Vec<UserId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from account where delete_after <= $1 and deleted_at is null
         order by delete_after, id limit $2",
        now,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(UserId::from_uuid).collect())
}

/// Leaves of an account what says nothing about a person. Its other rows are gone by [`delete_keys`].
pub async fn anonymize(
    conn: &mut PgConnection,
    id: UserId,
    email: &str,
    name: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set email = $2, name = $3, role = 'customer', password_hash = null,
             email_verified_at = null, password_changed_at = null, two_factor_since = null, locked_at = null,
             locked_reason = null, analytics_consent_at = null, product_mail_since = null, deleted_at = $4,
             updated_at = $4
         where id = $1",
        id.uuid(),
        email,
        name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes whatever opens an account beside its password, and what is under way for it.
pub async fn delete_keys(conn: &mut PgConnection, id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with factors as (update account set two_factor_since = null where id = $1),
              totps as (delete from totp where account_id = $1),
              codes as (delete from recovery_code where account_id = $1),
              passkeys as (delete from passkey where account_id = $1),
              tokens as (delete from personal_token where account_id = $1),
              changes as (delete from email_change where account_id = $1)
         delete from ticket where account_id = $1",
        id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
