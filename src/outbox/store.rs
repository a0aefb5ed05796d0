//! SQL of the outbox.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::{Cursor, Event};

pub async fn insert(
    conn: &mut PgConnection,
    now: OffsetDateTime,
    topic: &str,
    key: &str,
    payload: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox (recorded_at, topic, key, payload) values ($1, $2, $3, $4)",
        now,
        topic,
        key,
        payload,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Only up to the oldest transaction still running: nothing can appear behind what is returned here.
pub async fn read_after(pool: &PgPool, cursor: Cursor, limit: i64) -> Result<Vec<Event>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select xid::text::bigint as "xid!", id, recorded_at, topic, key, payload
           from outbox
           where (xid, id) > ($1::bigint::text::xid8, $2)
             and xid < pg_snapshot_xmin(pg_current_snapshot())
           order by xid, id limit $3"#,
        cursor.xid,
        cursor.id,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Event {
            cursor: Cursor { xid: row.xid, id: row.id },
            recorded_at: row.recorded_at,
            topic: row.topic,
            key: row.key,
            payload: row.payload,
        })
        .collect())
}

pub async fn end(pool: &PgPool) -> Result<Cursor, sqlx::Error> {
    let xid = sqlx::query_scalar!(
        r#"select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1) as "xid!""#
    )
    .fetch_one(pool)
    .await?;
    Ok(Cursor { xid, id: i64::MAX })
}

pub async fn load_cursor(pool: &PgPool, reader: &str) -> Result<Option<Cursor>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select xid::text::bigint as "xid!", id from outbox_cursor where reader = $1"#,
        reader
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Cursor { xid: row.xid, id: row.id }))
}

pub async fn save_cursor(
    conn: &mut PgConnection,
    reader: &str,
    cursor: Cursor,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into outbox_cursor (reader, xid, id, updated_at)
         values ($1, $2::bigint::text::xid8, $3, $4)
         on conflict (reader) do update set xid = excluded.xid, id = excluded.id, updated_at = excluded.updated_at
         where (outbox_cursor.xid, outbox_cursor.id) < (excluded.xid, excluded.id)",
        reader,
        cursor.xid,
        cursor.id,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what a durable reader has not had yet, however old.
pub async fn delete_before(pool: &PgPool, before: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from outbox
         where (xid, id) in (
             select o.xid, o.id from outbox o
             where o.recorded_at < $1
               and not exists (select 1 from outbox_cursor c where (c.xid, c.id) < (o.xid, o.id))
             limit $2
         )",
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
