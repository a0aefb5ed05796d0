//! SQL of the inbox.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Filter;
use crate::contract::id::InboxId;

pub struct NewItem<'a> {
    pub id: InboxId,
    pub source: &'static str,
    pub event_id: &'a str,
    pub topic: &'a str,
    pub occurred_at: OffsetDateTime,
    pub received_at: OffsetDateTime,
    pub body: &'a str,
    pub origin: &'static str,
}

/// A message as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxItem {
    pub id: InboxId,
    pub event_id: String,
    pub topic: String,
    pub occurred_at: OffsetDateTime,
    pub received_at: OffsetDateTime,
    pub origin: String,
    pub attempts: i32,
    pub handled_at: Option<OffsetDateTime>,
    pub outcome: Option<String>,
    pub error: Option<String>,
}

/// How much came, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxFigures {
    pub total: i64,
    pub waiting: i64,
    pub failing: i64,
}

struct ItemRow {
    id: Uuid,
    event_id: String,
    topic: String,
    occurred_at: OffsetDateTime,
    received_at: OffsetDateTime,
    origin: String,
    attempts: i32,
    handled_at: Option<OffsetDateTime>,
    outcome: Option<String>,
    error: Option<String>,
}

impl ItemRow {
    fn into_item(self) -> InboxItem {
        InboxItem {
            id: InboxId::from_uuid(self.id),
            event_id: self.event_id,
            topic: self.topic,
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            origin: self.origin,
            attempts: self.attempts,
            handled_at: self.handled_at,
            outcome: self.outcome,
            error: self.error,
        }
    }
}

/// False when it is there already.
pub async fn insert(conn: &mut PgConnection, new: &NewItem<'_>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into webhook_inbox (id, source, event_id, topic, occurred_at, received_at, body, origin, attempts)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 0) on conflict on constraint webhook_inbox_event do nothing",
        new.id.uuid(),
        new.source,
        new.event_id,
        new.topic,
        new.occurred_at,
        new.received_at,
        new.body,
        new.origin,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// What is kept of a message that was not worked off yet.
pub async fn body_waiting(pool: &PgPool, id: InboxId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select body from webhook_inbox where id = $1 and handled_at is null", id.uuid())
        .fetch_optional(pool)
        .await
}

pub async fn body(pool: &PgPool, id: InboxId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select body from webhook_inbox where id = $1", id.uuid()).fetch_optional(pool).await
}

pub async fn close(
    pool: &PgPool,
    id: InboxId,
    outcome: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_inbox set handled_at = $3, outcome = $2, error = null, attempts = attempts + 1 where id = $1",
        id.uuid(),
        outcome,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn fail(pool: &PgPool, id: InboxId, error: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update webhook_inbox set error = left($2, 2000), attempts = attempts + 1 where id = $1",
        id.uuid(),
        error,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// False when there is none.
pub async fn reopen(conn: &mut PgConnection, id: InboxId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update webhook_inbox set handled_at = null, outcome = null, error = null where id = $1",
        id.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn find(pool: &PgPool, id: InboxId) -> Result<Option<InboxItem>, sqlx::Error> {
    let row = sqlx::query_as!(
        ItemRow,
        "select id, event_id, topic, occurred_at, received_at, origin, attempts, handled_at, outcome, error
         from webhook_inbox where id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(ItemRow::into_item))
}

pub async fn list(pool: &PgPool, filter: &Filter, limit: i64) -> Result<Vec<InboxItem>, sqlx::Error> {
    let topic = filter.topic.trim();
    let rows = sqlx::query_as!(
        ItemRow,
        "select id, event_id, topic, occurred_at, received_at, origin, attempts, handled_at, outcome, error
         from webhook_inbox
         where ($1 = '' or starts_with(topic, $1) or event_id = $1) and (not $2 or handled_at is null)
           and ($3::uuid is null or (received_at, id) < (select b.received_at, b.id from webhook_inbox b where b.id = $3))
         order by received_at desc, id desc limit $4",
        topic,
        filter.waiting.is_some(),
        filter.before.map(InboxId::uuid),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(ItemRow::into_item).collect())
}

pub async fn figures(pool: &PgPool) -> Result<InboxFigures, sqlx::Error> {
    let row = sqlx::query!(
        r#"select count(*) as "total!", count(*) filter (where handled_at is null) as "waiting!",
                  count(*) filter (where handled_at is null and error is not null) as "failing!"
           from webhook_inbox"#,
    )
    .fetch_one(pool)
    .await?;
    Ok(InboxFigures { total: row.total, waiting: row.waiting, failing: row.failing })
}

pub async fn purge(pool: &PgPool, before: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from webhook_inbox where id in
             (select id from webhook_inbox where handled_at < $1 order by received_at limit $2)",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
