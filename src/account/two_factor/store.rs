//! SQL of two-factor sign-in.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::contract::id::{SessionId, UserId};

pub struct TotpRow {
    pub secret_sealed: Vec<u8>,
    pub created_at: OffsetDateTime,
    pub confirmed_at: Option<OffsetDateTime>,
    /// Where it is being set up.
    pub session_id: Option<Uuid>,
}

/// Since when it is on, and how many recovery codes are left.
pub async fn status(pool: &PgPool, account: UserId) -> Result<(Option<OffsetDateTime>, i64), sqlx::Error> {
    let row = sqlx::query!(
        r#"select two_factor_since,
                  (select count(*) from recovery_code c where c.account_id = a.id and c.used_at is null) as "left!"
           from account a where a.id = $1"#,
        account.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map_or((None, 0), |row| (row.two_factor_since, row.left)))
}

pub async fn set_since(
    conn: &mut PgConnection,
    account: UserId,
    since: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set two_factor_since = $2, updated_at = $3 where id = $1",
        account.uuid(),
        since,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn totp(conn: &mut PgConnection, account: UserId) -> Result<Option<TotpRow>, sqlx::Error> {
    sqlx::query_as!(
        TotpRow,
        "select secret_sealed, created_at, confirmed_at, session_id from totp where account_id = $1",
        account.uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// A secret that is being set up, in place of one that never was confirmed.
pub async fn put_unconfirmed(
    conn: &mut PgConnection,
    account: UserId,
    session: SessionId,
    secret_sealed: &[u8],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into totp (account_id, session_id, secret_sealed, created_at) values ($1, $2, $3, $4)
         on conflict on constraint totp_pkey do update set
             session_id = excluded.session_id, secret_sealed = excluded.secret_sealed,
             created_at = excluded.created_at
         where totp.confirmed_at is null",
        account.uuid(),
        session.uuid(),
        secret_sealed,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The code that confirms counts as used.
pub async fn confirm(
    conn: &mut PgConnection,
    account: UserId,
    step: i64,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update totp set confirmed_at = $3, last_step = $2, session_id = null
         where account_id = $1 and confirmed_at is null",
        account.uuid(),
        step,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// False when a code of this time step, or of a later one, was accepted before.
pub async fn accept_step(conn: &mut PgConnection, account: UserId, step: i64) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update totp set last_step = $2
         where account_id = $1 and confirmed_at is not null and (last_step is null or last_step < $2)",
        account.uuid(),
        step,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_unconfirmed(conn: &mut PgConnection, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from totp where account_id = $1 and confirmed_at is null", account.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// True when it had been confirmed.
pub async fn delete_totp(conn: &mut PgConnection, account: UserId) -> Result<bool, sqlx::Error> {
    let confirmed = sqlx::query_scalar!(
        r#"delete from totp where account_id = $1 returning confirmed_at is not null as "confirmed!""#,
        account.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(confirmed.unwrap_or(false))
}

pub async fn insert_codes(
    conn: &mut PgConnection,
    account: UserId,
    hashes: &[Vec<u8>],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into recovery_code (account_id, code_hash, created_at)
         select $1, hash, $3 from unnest($2::bytea[]) as given (hash)",
        account.uuid(),
        hashes,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete_codes(conn: &mut PgConnection, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from recovery_code where account_id = $1", account.uuid()).execute(conn).await?;
    Ok(())
}

/// False when there is no such code, or it was used before.
pub async fn use_code(
    conn: &mut PgConnection,
    account: UserId,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update recovery_code set used_at = $3 where account_id = $1 and code_hash = $2 and used_at is null",
        account.uuid(),
        hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn count_codes(conn: &mut PgConnection, account: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "left!" from recovery_code where account_id = $1 and used_at is null"#,
        account.uuid(),
    )
    .fetch_one(conn)
    .await
}
