//! SQL of sessions, their refresh tokens, and the devices an account is known on.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::SignedIn;
use crate::{
    account::store::AccountColumns,
    contract::{
        account::User,
        id::{SessionId, UserId},
    },
};

pub struct NewSession<'a> {
    pub id: Uuid,
    pub token_hash: [u8; 32],
    pub account: Uuid,
    pub kind: &'a str,
    pub device: &'a str,
    pub address: &'a str,
    pub country: Option<&'a str>,
    pub remembered: bool,
    pub method: &'a str,
    pub expires_at: OffsetDateTime,
}

pub async fn insert(
    conn: &mut PgConnection,
    new: &NewSession<'_>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into session (id, token_hash, account_id, kind, device, address, country, remembered, method,
                              created_at, last_seen_at, authenticated_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11)",
        new.id,
        &new.token_hash,
        new.account,
        new.kind,
        new.device,
        new.address,
        new.country,
        new.remembered,
        new.method,
        now,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who holds the sessions with these hashes. While an administrator looks through somebody's eyes, that somebody.
pub async fn signed_in(
    conn: &mut PgConnection,
    hashes: &[[u8; 32]],
    now: OffsetDateTime,
) -> Result<Vec<([u8; 32], SignedIn)>, sqlx::Error> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    let rows = sqlx::query!(
        r#"select s.token_hash, s.id as session_id, s.last_seen_at, s.created_at as session_created_at, s.expires_at,
                  s.authenticated_at, s.remembered, s.account_id as "owner!",
                  a.id, a.email, a.name, a.role, a.email_verified_at, a.two_factor_since, a.created_at
           from session s
           join account a on a.id = case when s.viewing_until > $2 then s.viewing_as else s.account_id end
           where s.token_hash = any($1)"#,
        &hashes,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let hash = row.token_hash.try_into().ok()?;
            let account = AccountColumns {
                id: row.id,
                email: row.email,
                name: row.name,
                role: row.role,
                email_verified_at: row.email_verified_at,
                two_factor_since: row.two_factor_since,
                created_at: row.created_at,
            };
            let signed_in = SignedIn {
                impersonator: (row.owner != row.id).then(|| UserId::from_uuid(row.owner)),
                user: account.into_user(),
                session: SessionId::from_uuid(row.session_id),
                last_seen_at: row.last_seen_at,
                authenticated_at: row.authenticated_at,
                remembered: row.remembered,
                created_at: row.session_created_at,
                expires_at: row.expires_at,
            };
            Some((hash, signed_in))
        })
        .collect())
}

/// Where and when a session was last used, and until when it now lives.
pub async fn touch(
    pool: &PgPool,
    id: Uuid,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
    address: &str,
    country: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update session set last_seen_at = $2, expires_at = greatest(expires_at, $3), address = $4, country = $5
         where id = $1",
        id,
        now,
        expires_at,
        address,
        country,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub struct Listed {
    pub id: Uuid,
    pub kind: String,
    pub device: String,
    pub address: String,
    pub country: Option<String>,
    pub created_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
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
        "select id, kind, device, address, country, created_at, last_seen_at from session
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

pub async fn delete_owned(conn: &mut PgConnection, account: Uuid, id: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from session where id = $1 and account_id = $2", id, account)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The session whoever is there, for its own sign-out: while impersonating it belongs to the administrator.
pub async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from session where id = $1", id).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn delete_all(
    conn: &mut PgConnection,
    account: Uuid,
    except: Option<Uuid>,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from session where account_id = $1 and ($2::uuid is null or id <> $2)",
        account,
        except,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

pub async fn delete_expired(
    pool: &PgPool,
    now: OffsetDateTime,
    oldest: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from session where id in (
             select id from session where expires_at <= $1 or created_at <= $2 limit $3 for update skip locked
         )",
        now,
        oldest,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// A new proof of who is there, under a new cookie. Whether the session is remembered; nothing when it has ended.
pub async fn renew(
    conn: &mut PgConnection,
    id: Uuid,
    token_hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar!(
        "update session set authenticated_at = $3, last_seen_at = $3, token_hash = $2
         where id = $1 and kind = 'browser' returning remembered",
        id,
        token_hash,
        now,
    )
    .fetch_optional(conn)
    .await
}

pub async fn set_viewing(
    conn: &mut PgConnection,
    id: Uuid,
    viewing: Option<(Uuid, OffsetDateTime)>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update session set viewing_as = $2, viewing_until = $3 where id = $1",
        id,
        viewing.map(|(account, _)| account),
        viewing.map(|(_, until)| until),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A refresh token with the session it belongs to, locked: of two who present it, one comes second.
pub struct Presented {
    pub session: Uuid,
    pub user: User,
    pub device: String,
    pub used_at: Option<OffsetDateTime>,
    pub session_created_at: OffsetDateTime,
    pub session_expires_at: OffsetDateTime,
}

pub async fn lock_refresh_token(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
) -> Result<Option<Presented>, sqlx::Error> {
    let row = sqlx::query!(
        "select r.session_id, s.device, r.used_at, s.created_at as session_created_at, s.expires_at,
                a.id, a.email, a.name, a.role, a.email_verified_at, a.two_factor_since, a.created_at
         from refresh_token r join session s on s.id = r.session_id join account a on a.id = s.account_id
         where r.token_hash = $1
         for update of s, r",
        token_hash,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let account = AccountColumns {
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role,
            email_verified_at: row.email_verified_at,
            two_factor_since: row.two_factor_since,
            created_at: row.created_at,
        };
        Presented {
            session: row.session_id,
            user: account.into_user(),
            device: row.device,
            used_at: row.used_at,
            session_created_at: row.session_created_at,
            session_expires_at: row.expires_at,
        }
    }))
}

pub async fn use_refresh_token(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update refresh_token set used_at = $2 where token_hash = $1", token_hash, now)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn insert_refresh_token(
    conn: &mut PgConnection,
    token_hash: &[u8; 32],
    session: Uuid,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into refresh_token (token_hash, session_id, created_at) values ($1, $2, $3)",
        token_hash,
        session,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn extend(
    conn: &mut PgConnection,
    id: Uuid,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
    address: &str,
    country: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update session set last_seen_at = $2, expires_at = $3, address = $4, country = $5 where id = $1",
        id,
        now,
        expires_at,
        address,
        country,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn is_known_device(pool: &PgPool, device_hash: &[u8; 32]) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from known_device where device_hash = $1) as "known!""#,
        device_hash,
    )
    .fetch_one(pool)
    .await
}

/// True when the device was not known for this account before.
pub async fn remember_device(
    conn: &mut PgConnection,
    device_hash: &[u8; 32],
    account: Uuid,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    // `xmax` is zero only in a row that this statement inserted.
    sqlx::query_scalar!(
        r#"insert into known_device (device_hash, account_id, created_at, last_used_at) values ($1, $2, $3, $3)
           on conflict (device_hash) do update set last_used_at = excluded.last_used_at
           returning (xmax = 0) as "new!""#,
        device_hash,
        account,
        now,
    )
    .fetch_one(conn)
    .await
}

pub async fn has_known_devices(conn: &mut PgConnection, account: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from known_device where account_id = $1) as "any!""#,
        account,
    )
    .fetch_one(conn)
    .await
}

pub async fn forget_devices(conn: &mut PgConnection, account: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from known_device where account_id = $1", account).execute(conn).await?;
    Ok(())
}

pub async fn delete_old_devices(
    pool: &PgPool,
    before: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from known_device where device_hash in (
             select device_hash from known_device where last_used_at < $1 limit $2
         )",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
