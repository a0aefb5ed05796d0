//! SQL of the history of payments.

use serde_json::{Value, json};
use sqlx::PgPool;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::Entry;
use crate::contract::id::{OrderId, SubscriptionId, UserId};

/// What an account paid, got back and questioned, before this entry.
pub async fn of_account(
    pool: &PgPool,
    account: UserId,
    before: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let (at, id) = before.unzip();
    sqlx::query_as!(
        Entry,
        r#"select kind as "kind!", id as "id!", amount as "amount!", currency as "currency!", status as "status!",
                  description as "description!", invoice_id as "invoice_id?",
                  order_id as "order_id?", at as "at!"
           from (
               select 'payment' as kind, p.id, p.amount, p.currency, 'succeeded' as status, p.description,
                      (select d.id from document d where d.payment_id = p.id and d.kind = 'invoice') as invoice_id,
                      p.order_id, p.paid_at as at
               from payment p where p.account_id = $1
               union all
               select 'refund', r.id, r.amount, r.currency, r.status, p.description,
                      (select d.id from document d where d.refund_id = r.id and d.kind = 'credit_note'),
                      p.order_id, r.created_at
               from refund r join payment p on p.id = r.payment_id where p.account_id = $1
               union all
               select 'dispute', x.id, x.amount, x.currency, x.status, p.description,
                      (select d.id from document d where d.payment_id = p.id and d.kind = 'invoice'),
                      p.order_id, x.opened_at
               from dispute x join payment p on p.id = x.payment_id where p.account_id = $1
           ) entry
           where $2::timestamptz is null or (at, id) < ($2, $3::uuid)
           order by at desc, id desc limit $4"#,
        account.uuid(),
        at,
        id,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// For the archive of what we keep about somebody.
pub async fn export(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<Value>, sqlx::Error> {
    let entries = of_account(pool, owner, None, limit).await?;
    let told = entries.into_iter().map(|entry| {
        json!({
            "kind": entry.kind, "amount": entry.amount, "currency": entry.currency, "status": entry.status,
            "description": entry.description, "at": entry.at.format(&Rfc3339).ok(),
        })
    });
    Ok(told.collect())
}

/// For the archive: what somebody is subscribed to, or was.
pub async fn export_subscriptions(
    pool: &PgPool,
    owner: UserId,
    limit: i64,
) -> Result<Vec<Value>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, order_id, status, tier, seats, interval, currency, unit_amount, next_tier, next_seats,
                current_period_start, current_period_end, trial_end, cancel_at_period_end, past_due_since,
                grace_until, created_at, ended_at
         from subscription where account_id = $1 order by created_at desc, id desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    let written = |at: OffsetDateTime| at.format(&Rfc3339).ok();
    let told = rows.into_iter().map(|row| {
        json!({
            "id": SubscriptionId::from_uuid(row.id), "order": row.order_id.map(OrderId::from_uuid),
            "status": row.status, "tier": row.tier, "seats": row.seats, "interval": row.interval,
            "currency": row.currency, "unitAmount": row.unit_amount, "nextTier": row.next_tier,
            "nextSeats": row.next_seats, "periodStart": written(row.current_period_start),
            "periodEnd": written(row.current_period_end), "trialEnd": row.trial_end.and_then(written),
            "cancelAtPeriodEnd": row.cancel_at_period_end, "pastDueSince": row.past_due_since.and_then(written),
            "graceUntil": row.grace_until.and_then(written), "createdAt": written(row.created_at),
            "endedAt": row.ended_at.and_then(written),
        })
    });
    Ok(told.collect())
}
