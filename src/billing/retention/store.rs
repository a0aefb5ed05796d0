//! SQL of what is forgotten.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::{GONE_EMAIL, GONE_MESSAGE};
use crate::contract::{
    id::{OrderId, UserId},
    payment::Address,
};

/// Empties at most `limit` orders that could last be paid before a time, and their customers. How many it were.
///
/// One whose payment is under way waits for the bank's word: its buyer is about to need an invoice.
pub async fn empty_older(
    pool: &PgPool,
    before: OffsetDateTime,
    now: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "with due as (
             select id, customer_id from billing_order
             where paid_at is null and status in ('open', 'failed', 'expired') and expires_at < $1 and email <> $2
             order by expires_at limit $5 for update skip locked),
         customers as (
             update billing_customer c
             set email = $2, name = '', tax_id = null, address = $3, updated_at = $4
             from due
             where c.id = due.customer_id
               and not exists (select from billing_order o where o.customer_id = c.id and o.paid_at is not null)
               and not exists (select from subscription s where s.customer_id = c.id))
         update billing_order o set email = $2, session_url = null, updated_at = $4 from due where o.id = due.id",
        before,
        GONE_EMAIL,
        no_address(),
        now,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// The orders of an account that can still be paid, as nobody else changes them until the transaction ends.
pub async fn open_of(conn: &mut PgConnection, account: UserId) -> Result<Vec<OrderId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from billing_order where account_id = $1 and status = 'open' order by id for update",
        account.uuid(),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(OrderId::from_uuid).collect())
}

/// Empties what an account did not pay. What a bank is still working on is emptied as well: nobody is left to be written
/// to.
pub async fn empty_of(
    conn: &mut PgConnection,
    account: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with due as (
             update billing_order set email = $2, session_url = null, updated_at = $4
             where account_id = $1 and paid_at is null
             returning id, customer_id)
         update billing_customer c
         set email = $2, name = '', tax_id = null, address = $3, updated_at = $4
         from due
         where c.id = due.customer_id
           and not exists (select from billing_order o where o.customer_id = c.id and o.paid_at is not null)
           and not exists (select from subscription s where s.customer_id = c.id)",
        account.uuid(),
        GONE_EMAIL,
        no_address(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn empty_wishes_of(conn: &mut PgConnection, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refund_request set message = $2 where account_id = $1 and message <> $2",
        account.uuid(),
        GONE_MESSAGE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn session_of(pool: &PgPool, id: OrderId) -> Result<Option<String>, sqlx::Error> {
    let session = sqlx::query_scalar!("select session_id from billing_order where id = $1", id.uuid())
        .fetch_optional(pool)
        .await?;
    Ok(session.flatten())
}

/// An address with nothing in it, in the form in which addresses are stored.
fn no_address() -> serde_json::Value {
    let Address { line1, line2, postal_code, city, region, country } = Address::default();
    serde_json::json!({
        "line1": line1, "line2": line2, "postalCode": postal_code, "city": city, "region": region, "country": country,
    })
}
