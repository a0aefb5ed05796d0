//! SQL of the outbox.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};
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
pub async fn read_after(
    db: impl PgExecutor<'_>,
    cursor: Cursor,
    limit: i64,
) -> Result<Vec<Event>, sqlx::Error> {
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
    .fetch_all(db)
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

/// Where a durable reader has come to.
pub struct Place {
    pub cursor: Cursor,
    /// It was made just now.
    pub is_new: bool,
}

/// Where the durable reader of this name has come to, for whoever reads on until the transaction ends; at first, before
/// everything. None while somebody else does.
pub async fn lock_cursor(
    conn: &mut PgConnection,
    reader: &str,
    now: OffsetDateTime,
) -> Result<Option<Place>, sqlx::Error> {
    let made = sqlx::query!(
        "insert into outbox_cursor (reader, xid, id, updated_at) values ($1, '0'::xid8, 0, $2)
         on conflict (reader) do nothing",
        reader,
        now,
    )
    .execute(&mut *conn)
    .await?;
    let row = sqlx::query!(
        r#"select xid::text::bigint as "xid!", id from outbox_cursor where reader = $1 for update skip locked"#,
        reader,
    )
    .fetch_optional(conn)
    .await?;
    let is_new = made.rows_affected() == 1;
    Ok(row.map(|row| Place { cursor: Cursor { xid: row.xid, id: row.id }, is_new }))
}

/// Whether there is anything that a durable reader has not had, be it that nobody may read it yet. Compared with the
/// newest only, which is one step in the index. A reader whose place is still to come, or a newest event that is, has
/// moved here from another cluster.
pub async fn is_behind(pool: &PgPool, reader: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from outbox_cursor c
                          where c.reader = $1 and c.xid >= pg_snapshot_xmax(pg_current_snapshot()))
               or coalesce((select not exists (select from outbox_cursor c
                                               where c.reader = $1 and (c.xid, c.id) >= (o.xid, o.id))
                            from outbox o order by o.xid desc, o.id desc limit 1), false) as "behind!""#,
        reader,
    )
    .fetch_one(pool)
    .await
}

/// Where transactions count from a smaller number than in the cluster that everything was copied from, what is there
/// would be read when they have come that far: events get the number of this transaction, and readers whose place is
/// still to come begin again. Whether there was anything of the kind.
pub async fn bring_back(conn: &mut PgConnection, now: OffsetDateTime) -> Result<bool, sqlx::Error> {
    let events = sqlx::query!(
        "update outbox set xid = pg_current_xact_id() where xid >= pg_snapshot_xmax(pg_current_snapshot())"
    )
    .execute(&mut *conn)
    .await?;
    let readers = sqlx::query!(
        "update outbox_cursor set xid = '0'::xid8, id = 0, updated_at = $1
         where xid >= pg_snapshot_xmax(pg_current_snapshot())",
        now,
    )
    .execute(conn)
    .await?;
    Ok(events.rows_affected() + readers.rows_affected() > 0)
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
