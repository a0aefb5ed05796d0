//! SQL of how licenses come to be, and of who is told.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    contract::{
        id::{LicenseId, OrderId, UserId},
        payment::Interval,
    },
    license::{Error, store::word},
};

/// Whoever a mail about a license goes to.
pub struct Reader {
    pub email: String,
    /// None until they have proven the address: a stranger's words must not greet its owner.
    pub name: Option<String>,
}

/// None when the account is gone.
pub async fn reader(conn: &mut PgConnection, account: UserId) -> Result<Option<Reader>, sqlx::Error> {
    sqlx::query_as!(
        Reader,
        r#"select email, case when email_verified_at is not null then name end as "name?"
           from account where id = $1 and deleted_at is null"#,
        account.uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// Whether an account or its address has had a trial, be it that the address had it with an account that is gone.
pub async fn had_trial(
    pool: &PgPool,
    account: UserId,
    email: &str,
    address_hash: &[u8; 32],
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists(select 1 from license where origin = 'trial' and account_id = $1)
               or exists(select 1 from license where origin = 'trial' and lower(email) = lower($2))
               or exists(select 1 from license where origin = 'trial' and trial_address_hash = $3) as "had!""#,
        account.uuid(),
        email,
        address_hash,
    )
    .fetch_one(pool)
    .await
}

/// Keeps in mind whose trial it is, for when nothing else of them is kept.
pub async fn note_trial(
    conn: &mut PgConnection,
    id: LicenseId,
    address_hash: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query!("update license set trial_address_hash = $2 where id = $1", id.uuid(), address_hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps an account from being emptied until the transaction ends. False when it is gone.
pub async fn hold_account(conn: &mut PgConnection, account: UserId) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "select id from account where id = $1 and deleted_at is null for share",
        account.uuid()
    );
    Ok(found.fetch_optional(conn).await?.is_some())
}

/// How an order is paid, with its row locked.
pub async fn lock_order(conn: &mut PgConnection, order: OrderId) -> Result<Interval, Error> {
    let interval =
        sqlx::query_scalar!("select interval from billing_order where id = $1 for update", order.uuid())
            .fetch_one(conn)
            .await?;
    word(&interval, Interval::parse)
}

/// What a form or a request has made, and when. Held as it is until the transaction ends.
pub async fn hold_of_request(
    conn: &mut PgConnection,
    request_key: &str,
) -> Result<Vec<(LicenseId, OffsetDateTime)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, created_at from license where request_key = $1 order by id for share",
        request_key
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (LicenseId::from_uuid(row.id), row.created_at)).collect())
}

/// Whether the key of one of these was replaced since a time.
pub async fn has_new_key(
    conn: &mut PgConnection,
    ids: &[LicenseId],
    since: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query_scalar!(
        r#"select exists(select 1 from license_former_key where license_id = any($1) and replaced_at >= $2) as "has!""#,
        &ids,
        since,
    )
    .fetch_one(conn)
    .await
}

pub async fn note_request(
    conn: &mut PgConnection,
    ids: &[LicenseId],
    request_key: &str,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!("update license set request_key = $2 where id = any($1)", &ids, request_key)
        .execute(conn)
        .await?;
    Ok(())
}
