//! SQL of what happens to licenses.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::{
    contract::id::{LicenseId, UserId},
    license::{
        Error, License,
        key::NewKey,
        store::{LicenseRow, select_licenses},
    },
};

/// Remembers the key that a license has, before it is replaced.
pub async fn retire_key(
    conn: &mut PgConnection,
    id: LicenseId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into license_former_key (key_hash, license_id, key_end, replaced_at)
         select key_hash, id, key_end, $2 from license where id = $1",
        id.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_key(
    conn: &mut PgConnection,
    id: LicenseId,
    key: &NewKey,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update license set key_hash = $2, key_end = $3, key_sealed = $4, updated_at = $5 where id = $1",
        id.uuid(),
        &key.hash,
        key.end,
        &key.sealed,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The account that has proven an address. Proven or not, it is held as it is until the transaction ends.
pub async fn hold_proven(conn: &mut PgConnection, email: &str) -> Result<Option<UserId>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select id, email_verified_at is not null as "is_proven!" from account
           where lower(email) = lower($1) and deleted_at is null for share"#,
        email,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.filter(|row| row.is_proven).map(|row| UserId::from_uuid(row.id)))
}

/// Where somebody is written to today. Nobody, once the account is gone.
pub async fn address_of(conn: &mut PgConnection, account: UserId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select email from account where id = $1 and deleted_at is null", account.uuid())
        .fetch_optional(conn)
        .await
}

/// Whether a license was prolonged under this name before.
pub async fn was_renewed_as(conn: &mut PgConnection, id: LicenseId, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from audit_event
               where subject_kind = 'license' and subject_id = $1 and action = 'license.renewed'
                 and detail->>'request' = $2) as "was!""#,
        id.to_string(),
        name,
    )
    .fetch_one(conn)
    .await
}

/// Good licenses of one account, or of one address without one, that end in this moment; locked.
pub async fn lock_ending_with(conn: &mut PgConnection, license: &License) -> Result<Vec<License>, Error> {
    let rows = select_licenses!(
        "where expires_at = $1 and revoked_by = '{}' and suspended_by = '{}'
             and (account_id = $2 or $2 is null and account_id is null and lower(email) = lower($3))
         order by id for update",
        license.expires_at,
        license.account.map(UserId::uuid),
        license.email,
    );
    rows.fetch_all(conn).await?.into_iter().map(LicenseRow::into_license).collect()
}

/// Writes down which reminder went out for their end.
pub async fn set_reminded(
    conn: &mut PgConnection,
    ids: &[LicenseId],
    stage: i16,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "update license set reminded = $2, reminded_for = expires_at, updated_at = $3 where id = any($1)",
        &ids,
        stage,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which licenses to look at for a reminder.
pub struct Ending {
    pub from: OffsetDateTime,
    pub to: OffsetDateTime,
    /// The number of the last reminder of all.
    pub last_stage: i16,
    /// The last one of the batch before.
    pub after: Option<(OffsetDateTime, LicenseId)>,
}

/// Good licenses that end in this time and have a reminder left, in the order of their ends.
pub async fn ending(pool: &PgPool, which: &Ending, limit: i64) -> Result<Vec<License>, Error> {
    let (end, id) = which.after.unzip();
    let rows = select_licenses!(
        "where expires_at > $1 and expires_at <= $2 and revoked_by = '{}' and suspended_by = '{}'
             and (reminded_for is distinct from expires_at or reminded < $3)
             and ($4::timestamptz is null or (expires_at, id) > ($4, $5::uuid))
         order by expires_at, id limit $6",
        which.from,
        which.to,
        which.last_stage,
        end,
        id.map(LicenseId::uuid),
        limit,
    );
    rows.fetch_all(pool).await?.into_iter().map(LicenseRow::into_license).collect()
}
