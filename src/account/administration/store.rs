//! SQL of what staff see of people, and do with them.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AccountState, PersonRow};
use crate::{
    account::store::AccountColumns,
    contract::{
        account::{PersonalToken, Scope},
        id::{MailId, TokenId, UserId},
    },
    mail::{MailState, MailSummary},
};

/// What people are narrowed to; what is absent narrows nothing.
pub struct Wanted<'a> {
    pub id: Option<Uuid>,
    pub pattern: Option<&'a str>,
    pub role: Option<&'a str>,
    pub state: Option<&'a str>,
}

pub async fn count(pool: &PgPool, wanted: &Wanted<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from account a
           cross join lateral (select case
               when a.deleted_at is not null then 'deleted'
               when a.locked_at is not null then 'locked'
               when a.delete_after is not null then 'leaving'
               when a.email_verified_at is null then 'unverified'
               else 'active'
           end as state) stands
           where ($1::uuid is null or a.id = $1)
             and ($2::text is null or a.name ilike $2 or a.email ilike $2)
             and ($3::text is null or a.role = $3)
             and ($4::text is null or stands.state = $4)"#,
        wanted.id,
        wanted.pattern,
        wanted.role,
        wanted.state,
    )
    .fetch_one(pool)
    .await
}

pub async fn list(
    pool: &PgPool,
    wanted: &Wanted<'_>,
    limit: i64,
    before: i64,
) -> Result<Vec<PersonRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.id, a.email, a.name, a.role, a.email_verified_at, a.two_factor_since, a.created_at,
                  stands.state as "state!",
                  (select max(s.last_seen_at) from session s where s.account_id = a.id) as "last_seen?"
           from account a
           cross join lateral (select case
               when a.deleted_at is not null then 'deleted'
               when a.locked_at is not null then 'locked'
               when a.delete_after is not null then 'leaving'
               when a.email_verified_at is null then 'unverified'
               else 'active'
           end as state) stands
           where ($1::uuid is null or a.id = $1)
             and ($2::text is null or a.name ilike $2 or a.email ilike $2)
             and ($3::text is null or a.role = $3)
             and ($4::text is null or stands.state = $4)
           order by a.created_at desc, a.id desc limit $5 offset $6"#,
        wanted.id,
        wanted.pattern,
        wanted.role,
        wanted.state,
        limit,
        before,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let columns = AccountColumns {
                id: row.id,
                email: row.email,
                name: row.name,
                role: row.role,
                email_verified_at: row.email_verified_at,
                two_factor_since: row.two_factor_since,
                created_at: row.created_at,
            };
            Ok(PersonRow {
                user: columns.into_user(),
                state: account_state(&row.state)?,
                last_seen: row.last_seen,
            })
        })
        .collect()
}

/// What stands about a person in several tables.
pub struct Facts {
    pub state: AccountState,
    pub two_factor_since: Option<OffsetDateTime>,
    pub recovery_codes_left: u32,
    pub passkeys: u32,
}

pub async fn facts(pool: &PgPool, id: Uuid) -> Result<Option<Facts>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select a.two_factor_since, stands.state as "state!",
                  (select count(*) from recovery_code where account_id = a.id and used_at is null) as "codes!",
                  (select count(*) from passkey where account_id = a.id) as "passkeys!"
           from account a
           cross join lateral (select case
               when a.deleted_at is not null then 'deleted'
               when a.locked_at is not null then 'locked'
               when a.delete_after is not null then 'leaving'
               when a.email_verified_at is null then 'unverified'
               else 'active'
           end as state) stands
           where a.id = $1"#,
        id,
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Facts {
            state: account_state(&row.state)?,
            two_factor_since: row.two_factor_since,
            recovery_codes_left: u32::try_from(row.codes).unwrap_or(u32::MAX),
            passkeys: u32::try_from(row.passkeys).unwrap_or(u32::MAX),
        })
    })
    .transpose()
}

pub async fn tokens(pool: &PgPool, account: Uuid, limit: i64) -> Result<Vec<PersonalToken>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, name, hint, scopes, created_at, expires_at, last_used_at from personal_token
         where account_id = $1 order by created_at desc, id desc limit $2",
        account,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| PersonalToken {
            id: TokenId::from_uuid(row.id),
            name: row.name,
            hint: row.hint,
            scopes: row.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
        .collect())
}

/// About this account, or to this address.
pub async fn mails(
    pool: &PgPool,
    account: Uuid,
    address: &str,
    limit: i64,
) -> Result<Vec<MailSummary>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, kind, to_address, subject, state, created_at from mail_message
         where account_id = $1 or lower(to_address) = lower($2)
         order by created_at desc, id desc limit $3",
        account,
        address,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MailSummary {
                id: MailId::from_uuid(row.id),
                kind: row.kind,
                to_address: row.to_address,
                subject: row.subject,
                state: mail_state(&row.state)?,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Those who can act and will stay, always locked in the same order. A session can begin meanwhile: it refers to
/// the row and changes nothing of it.
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

pub async fn set_role(
    conn: &mut PgConnection,
    id: Uuid,
    role: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update account set role = $2, updated_at = $3 where id = $1", id, role, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends looking as somebody else, both by this person and at them.
pub async fn end_viewing(conn: &mut PgConnection, account: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update session set viewing_as = null, viewing_until = null
         where viewing_as is not null and (account_id = $1 or viewing_as = $1)",
        account,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn lock(
    conn: &mut PgConnection,
    id: Uuid,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set locked_at = $3, locked_reason = $2, updated_at = $3 where id = $1",
        id,
        reason,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn unlock(conn: &mut PgConnection, id: Uuid, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set locked_at = null, locked_reason = null, updated_at = $2 where id = $1",
        id,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The queries above write these words and no other.
fn account_state(text: &str) -> Result<AccountState, sqlx::Error> {
    AccountState::parse(text).ok_or_else(|| unknown(text))
}

/// The table's check constraint allows these four and no other.
fn mail_state(text: &str) -> Result<MailState, sqlx::Error> {
    [MailState::Queued, MailState::Sent, MailState::Suppressed, MailState::Failed]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| unknown(text))
}

fn unknown(text: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{text} is no state").into())
}
