//! SQL of disputes.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    billing::Error,
    contract::{
        id::{DisputeId, OrderId, PaymentId},
        money::{Currency, Money},
        payment::DisputeStatus,
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeItem {
    pub id: DisputeId,
    pub payment: PaymentId,
    pub amount: Money,
    pub reason: String,
    pub status: DisputeStatus,
    pub evidence_due_by: Option<OffsetDateTime>,
    pub opened_at: OffsetDateTime,
}

pub struct NewDispute<'a> {
    pub id: DisputeId,
    pub payment: PaymentId,
    pub order: Option<OrderId>,
    pub stripe_id: &'a str,
    pub amount: Money,
    pub fee: i64,
    pub reason: &'a str,
    pub status: DisputeStatus,
    pub evidence_due_by: Option<OffsetDateTime>,
    pub opened_at: OffsetDateTime,
    pub synced_at: OffsetDateTime,
}

/// What was known before.
pub struct Before {
    pub id: DisputeId,
    /// None for a dispute that is new here.
    pub status: Option<DisputeStatus>,
}

/// Writes down how a dispute stands. None when an answer to a later question is there already.
pub async fn upsert(conn: &mut PgConnection, new: &NewDispute<'_>) -> Result<Option<Before>, Error> {
    let known = sqlx::query!(
        "select id, status, synced_at from dispute where stripe_id = $1 for update",
        new.stripe_id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(known) = known else {
        insert(conn, new).await?;
        return Ok(Some(Before { id: new.id, status: None }));
    };
    if known.synced_at > new.synced_at {
        return Ok(None);
    }
    sqlx::query!(
        "update dispute set amount = $2, fee = $3, reason = $4, status = $5, evidence_due_by = $6, updated_at = $7,
             synced_at = $7 where stripe_id = $1",
        new.stripe_id,
        new.amount.amount,
        new.fee,
        new.reason,
        new.status.as_str(),
        new.evidence_due_by,
        new.synced_at,
    )
    .execute(conn)
    .await?;
    let status = DisputeStatus::parse(&known.status).ok_or_else(|| Error::Stored(known.status.clone()))?;
    Ok(Some(Before { id: DisputeId::from_uuid(known.id), status: Some(status) }))
}

async fn insert(conn: &mut PgConnection, new: &NewDispute<'_>) -> Result<(), Error> {
    sqlx::query!(
        "insert into dispute (id, payment_id, order_id, stripe_id, amount, currency, fee, reason, status,
             evidence_due_by, opened_at, updated_at, synced_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        new.id.uuid(),
        new.payment.uuid(),
        new.order.map(OrderId::uuid),
        new.stripe_id,
        new.amount.amount,
        new.amount.currency.as_str(),
        new.fee,
        new.reason,
        new.status.as_str(),
        new.evidence_due_by,
        new.opened_at,
        new.synced_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct DisputeRow {
    id: Uuid,
    payment_id: Uuid,
    amount: i64,
    currency: String,
    reason: String,
    status: String,
    evidence_due_by: Option<OffsetDateTime>,
    opened_at: OffsetDateTime,
}

pub async fn of_order(pool: &PgPool, order: OrderId) -> Result<Vec<DisputeItem>, Error> {
    let rows = sqlx::query_as!(
        DisputeRow,
        "select id, payment_id, amount, currency, reason, status, evidence_due_by, opened_at
         from dispute where order_id = $1 order by opened_at, id",
        order.uuid(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let currency =
                Currency::parse(&row.currency).ok_or_else(|| Error::Stored(row.currency.clone()))?;
            Ok(DisputeItem {
                id: DisputeId::from_uuid(row.id),
                payment: PaymentId::from_uuid(row.payment_id),
                amount: currency.of(row.amount),
                status: DisputeStatus::parse(&row.status).ok_or_else(|| Error::Stored(row.status.clone()))?,
                reason: row.reason,
                evidence_due_by: row.evidence_due_by,
                opened_at: row.opened_at,
            })
        })
        .collect()
}

/// How the banks stand to the renewals of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewals {
    /// One of them is questioned, and its money is with the bank until that is settled.
    pub questioned: bool,
    /// The bank took the money of one of them for good.
    pub lost: bool,
}

/// An inquiry takes no money: such a dispute is not in the ledger, and changes nothing.
pub async fn of_renewals(conn: &mut PgConnection, order: OrderId) -> Result<Renewals, sqlx::Error> {
    sqlx::query_as!(
        Renewals,
        r#"select coalesce(bool_or(d.status in ('needs_response', 'under_review')
                      and exists (select from ledger_transaction t where t.reference = 'dispute:' || d.stripe_id)),
                      false) as "questioned!",
                  coalesce(bool_or(d.status = 'lost'), false) as "lost!"
           from subscription s join payment p on p.subscription_id = s.id join dispute d on d.payment_id = p.id
           where s.order_id = $1 and p.order_id is null"#,
        order.uuid(),
    )
    .fetch_one(conn)
    .await
}
