//! SQL of licenses that follow what they hang on.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::contract::id::{LicenseId, OrderId, UserId};

/// The accounts that an order and its licenses belong to, or are to, are not emptied until the transaction ends.
pub async fn hold_accounts(conn: &mut PgConnection, order: OrderId) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!(
        "select id from account
         where id in (select account_id from billing_order where id = $1
                      union select account_id from license where order_id = $1
                      union select a.id from account a join billing_order o on lower(a.email) = lower(o.email)
                      where o.id = $1 and o.account_id is null)
         order by id for key share",
        order.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// The account that has proven an address.
pub async fn who_has_proven(conn: &mut PgConnection, email: &str) -> Result<Option<UserId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select id from account
         where lower(email) = lower($1) and email_verified_at is not null and deleted_at is null",
        email,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(UserId::from_uuid))
}

/// Whether somebody has prolonged a license by hand since a time.
pub async fn was_prolonged(
    conn: &mut PgConnection,
    license: LicenseId,
    since: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from audit_event
               where subject_kind = 'license' and subject_id = $1 and action = 'license.renewed' and recorded_at >= $2)
               as "was!""#,
        license.to_string(),
        since,
    )
    .fetch_one(conn)
    .await
}

pub async fn lock_of_account(
    conn: &mut PgConnection,
    account: UserId,
) -> Result<Vec<LicenseId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from license where account_id = $1 order by id for update",
        account.uuid()
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(LicenseId::from_uuid).collect())
}

/// What people called the machines of an account's licenses, and who they said they were.
pub async fn empty_machines(conn: &mut PgConnection, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update license_machine set name = '', email = ''
         where license_id in (select id from license where account_id = $1)",
        account.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the owner out of an account's licenses. Trials end, and nothing more is said about their end; as no two of them
/// have one address, each gets one that is nobody's. Of the address a keyed hash stays, which says that a trial was had.
pub async fn empty(conn: &mut PgConnection, account: UserId, now: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update license
         set account_id = null, updated_at = $2,
             email = case when origin = 'trial'
                 then 'deleted-' || replace(id::text, '-', '') || '@deleted.invalid' else '' end,
             expires_at = case when origin = 'trial' then least(expires_at, $2) else expires_at end,
             good_until = case when origin = 'trial' then least(good_until, $2) else good_until end,
             reminded = 32767,
             reminded_for = case when origin = 'trial' then least(expires_at, $2) else expires_at end
         where account_id = $1",
        account.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
