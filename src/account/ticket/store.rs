//! SQL of tickets.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Ticket;
use crate::contract::id::UserId;

pub struct NewTicket {
    pub id: Uuid,
    pub kind: &'static str,
    pub token_hash: [u8; 32],
    pub account: Option<Uuid>,
    pub data: Value,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

struct TicketRow {
    account_id: Option<Uuid>,
    data: Value,
    created_at: OffsetDateTime,
}

impl TicketRow {
    fn into_ticket(self) -> Ticket {
        Ticket {
            account: self.account_id.map(UserId::from_uuid),
            data: self.data,
            created_at: self.created_at,
        }
    }
}

pub async fn insert(conn: &mut PgConnection, new: &NewTicket) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into ticket (id, kind, token_hash, account_id, data, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        new.id,
        new.kind,
        &new.token_hash,
        new.account,
        new.data,
        new.created_at,
        new.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(
    db: impl PgExecutor<'_>,
    kind: &str,
    token_hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Ticket>, sqlx::Error> {
    let row = sqlx::query_as!(
        TicketRow,
        "select account_id, data, created_at from ticket
         where token_hash = $1 and kind = $2 and expires_at > $3",
        token_hash,
        kind,
        now,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(TicketRow::into_ticket))
}

pub async fn take(
    conn: &mut PgConnection,
    kind: &str,
    token_hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Ticket>, sqlx::Error> {
    let row = sqlx::query_as!(
        TicketRow,
        "delete from ticket where token_hash = $1 and kind = $2 and expires_at > $3
         returning account_id, data, created_at",
        token_hash,
        kind,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(TicketRow::into_ticket))
}

pub async fn void(conn: &mut PgConnection, kind: &str, account: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from ticket where account_id = $1 and kind = $2", account, kind)
        .execute(conn)
        .await?;
    Ok(())
}

/// Passes over those that somebody else is deleting: it must never wait for them.
pub async fn delete_expired(pool: &PgPool, now: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from ticket where id in (
             select id from ticket where expires_at <= $1 limit $2 for update skip locked
         )",
        now,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
