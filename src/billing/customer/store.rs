//! SQL of customers, and of what things of ours are called at Stripe.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::{Customer, Particulars};
use crate::{
    billing::Error,
    contract::id::{CustomerId, UserId},
};

pub async fn insert(
    conn: &mut PgConnection,
    id: CustomerId,
    new: &Particulars<'_>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into billing_customer (id, account_id, email, name, tax_id, address, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        id.uuid(),
        new.account.map(UserId::uuid),
        new.email,
        new.name,
        new.tax_id,
        serde_json::to_value(new.address)?,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(pool: &PgPool, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = sqlx::query!(
        "select account_id, email, name, tax_id, address from billing_customer where id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        Ok(Customer {
            id,
            account: row.account_id.map(UserId::from_uuid),
            email: row.email,
            name: row.name,
            tax_id: row.tax_id,
            address: serde_json::from_value(row.address)?,
        })
    })
    .transpose()
}

pub async fn stripe_id(
    pool: &PgPool,
    environment: &str,
    kind: &str,
    our_key: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select stripe_id from stripe_object where environment = $1 and kind = $2 and our_key = $3",
        environment,
        kind,
        our_key,
    )
    .fetch_optional(pool)
    .await
}

/// What two find out at once is the same.
pub async fn remember(
    pool: &PgPool,
    environment: &str,
    kind: &str,
    our_key: &str,
    stripe_id: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into stripe_object (environment, kind, our_key, stripe_id, fingerprint, synced_at)
         values ($1, $2, $3, $4, '', $5) on conflict do nothing",
        environment,
        kind,
        our_key,
        stripe_id,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What a thing at Stripe is called here.
pub async fn our_key(
    pool: &PgPool,
    environment: &str,
    kind: &str,
    stripe_id: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select our_key from stripe_object where environment = $1 and kind = $2 and stripe_id = $3",
        environment,
        kind,
        stripe_id,
    )
    .fetch_optional(pool)
    .await
}
