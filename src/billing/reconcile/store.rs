//! SQL of rounds and differences, and of what a round looks after.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Difference, Run};
use crate::contract::{
    id::{OrderId, PaymentId, SubscriptionId},
    payment::OrderStatus,
};

/// Key of the advisory lock under which rounds begin.
const ROUND_LOCK: i64 = 0x6465_7666_7265;

/// What a round has done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub events_read: i32,
    pub events_missed: i32,
    pub subscriptions_read: i32,
}

/// Begins a round, unless another is under way: up to when messages have been read. The lock makes two of one moment
/// come one after the other; it is let go before anything else is done.
pub async fn begin(
    conn: &mut PgConnection,
    id: Uuid,
    now: OffsetDateTime,
    first_look: OffsetDateTime,
    cut_off_before: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", ROUND_LOCK).execute(&mut *conn).await?;
    sqlx::query_scalar!(
        "insert into reconcile_run (id, started_at, events_until, events_read, events_missed, subscriptions_read)
         select $1, $2, coalesce((select max(events_until) from reconcile_run), $3), 0, 0, 0
         where not exists (select from reconcile_run where finished_at is null and started_at > $4)
         returning events_until",
        id,
        now,
        first_look,
        cut_off_before,
    )
    .fetch_optional(conn)
    .await
}

pub async fn finish(
    pool: &PgPool,
    id: Uuid,
    now: OffsetDateTime,
    events_until: OffsetDateTime,
    figures: Figures,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update reconcile_run set finished_at = $2, events_until = $3, events_read = $4, events_missed = $5,
             subscriptions_read = $6
         where id = $1",
        id,
        now,
        events_until,
        figures.events_read,
        figures.events_missed,
        figures.subscriptions_read,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Drops rounds of long ago that found nothing. There is one an hour.
pub async fn purge(pool: &PgPool, before: OffsetDateTime) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from reconcile_run r where started_at < $1
             and not exists (select from reconcile_difference d where d.run_id = r.id)",
        before,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn runs(pool: &PgPool, limit: i64) -> Result<Vec<Run>, sqlx::Error> {
    sqlx::query_as!(
        Run,
        r#"select started_at, finished_at, events_until, events_read, events_missed, subscriptions_read,
                  (select count(*) from reconcile_difference d where d.run_id = r.id) as "differences!"
           from reconcile_run r order by started_at desc limit $1"#,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn differences(
    pool: &PgPool,
    since: OffsetDateTime,
    limit: i64,
) -> Result<Vec<Difference>, sqlx::Error> {
    sqlx::query_as!(
        Difference,
        "select found_at, subject, field, ours, theirs from reconcile_difference
         where found_at > $1 order by found_at desc, id desc limit $2",
        since,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn insert(pool: &PgPool, id: Uuid, run: Uuid, new: &Difference) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into reconcile_difference (id, run_id, found_at, subject, field, ours, theirs)
         values ($1, $2, $3, $4, $5, $6, $7)",
        id,
        run,
        new.found_at,
        new.subject,
        new.field,
        new.ours,
        new.theirs,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// False when the same stands there already.
pub async fn insert_once(pool: &PgPool, id: Uuid, new: &Difference) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into reconcile_difference (id, found_at, subject, field, ours, theirs)
         select $1, $2, $3, $4, $5, $6
         where not exists (select from reconcile_difference
             where subject = $3 and field = $4 and ours = $5 and theirs = $6)",
        id,
        new.found_at,
        new.subject,
        new.field,
        new.ours,
        new.theirs,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A subscription that runs as far as we know.
pub struct Running {
    pub id: SubscriptionId,
    pub stripe_id: String,
    pub status: String,
}

/// In the order of their ids.
pub async fn running(
    pool: &PgPool,
    after: Option<SubscriptionId>,
    limit: i64,
) -> Result<Vec<Running>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, stripe_id, status from subscription
         where status <> 'ended' and ($1::uuid is null or id > $1) order by id limit $2",
        after.map(SubscriptionId::uuid),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Running {
            id: SubscriptionId::from_uuid(row.id),
            stripe_id: row.stripe_id,
            status: row.status,
        })
        .collect())
}

/// An order that could have been paid without our hearing of it.
pub struct OpenOrder {
    pub id: OrderId,
    pub session_id: String,
    pub status: String,
}

/// Newest first: an old one that nobody paid expires by itself.
pub async fn open_orders(
    pool: &PgPool,
    before: OffsetDateTime,
    limit: i64,
) -> Result<Vec<OpenOrder>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, session_id as "session_id!", status from billing_order
           where status in ('open', 'processing') and session_id is not null and created_at < $1
           order by created_at desc, id desc limit $2"#,
        before,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OpenOrder {
            id: OrderId::from_uuid(row.id),
            session_id: row.session_id,
            status: row.status,
        })
        .collect())
}

/// Payments of which it is not known what Stripe kept.
pub async fn without_fee(
    pool: &PgPool,
    after: OffsetDateTime,
    before: OffsetDateTime,
    limit: i64,
) -> Result<Vec<PaymentId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from payment p
         where fee = 0 and amount > 0 and recorded_at > $1 and recorded_at < $2
             and not exists (select from ledger_transaction t where t.reference = 'fee:' || p.charge_id)
         order by recorded_at, id limit $3",
        after,
        before,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(PaymentId::from_uuid).collect())
}

pub async fn order_status(pool: &PgPool, id: OrderId) -> Result<Option<OrderStatus>, sqlx::Error> {
    let status = sqlx::query_scalar!("select status from billing_order where id = $1", id.uuid())
        .fetch_optional(pool)
        .await?;
    Ok(status.as_deref().and_then(OrderStatus::parse))
}
