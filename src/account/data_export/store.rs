//! SQL of archives and who asked for them.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::{Export, ExportState};
use crate::{
    contract::id::{ExportId, UserId},
    storage::Blob,
};

pub struct Found {
    pub export: Export,
    pub object_key: Option<String>,
}

pub struct Orders {
    pub queued: i64,
    pub recent: i64,
}

pub async fn count_orders(
    conn: &mut PgConnection,
    owner: UserId,
    since: OffsetDateTime,
) -> Result<Orders, sqlx::Error> {
    sqlx::query_as!(
        Orders,
        r#"select count(*) filter (where state = 'queued') as "queued!",
                  count(*) filter (where requested_at > $2) as "recent!"
           from data_export where account_id = $1"#,
        owner.uuid(),
        since,
    )
    .fetch_one(conn)
    .await
}

pub async fn insert(
    conn: &mut PgConnection,
    id: ExportId,
    owner: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into data_export (id, account_id, state, requested_at) values ($1, $2, 'queued', $3)",
        id.uuid(),
        owner.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn list(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<Export>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, state, requested_at, ready_at, expires_at, bytes from data_export
         where account_id = $1 order by requested_at desc, id desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Export {
                id: ExportId::from_uuid(row.id),
                state: state(&row.state)?,
                requested_at: row.requested_at,
                ready_at: row.ready_at,
                expires_at: row.expires_at,
                bytes: row.bytes.map(i64::unsigned_abs),
            })
        })
        .collect()
}

pub async fn find(pool: &PgPool, owner: UserId, id: ExportId) -> Result<Option<Found>, sqlx::Error> {
    let row = sqlx::query!(
        "select state, requested_at, ready_at, expires_at, bytes, object_key from data_export
         where id = $1 and account_id = $2",
        id.uuid(),
        owner.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let export = Export {
            id,
            state: state(&row.state)?,
            requested_at: row.requested_at,
            ready_at: row.ready_at,
            expires_at: row.expires_at,
            bytes: row.bytes.map(i64::unsigned_abs),
        };
        Ok(Found { export, object_key: row.object_key })
    })
    .transpose()
}

/// Whose archive is still to be made.
pub async fn owner_of_queued(pool: &PgPool, id: ExportId) -> Result<Option<UserId>, sqlx::Error> {
    let owner = sqlx::query_scalar!(
        "select account_id from data_export where id = $1 and state = 'queued'",
        id.uuid()
    )
    .fetch_optional(pool)
    .await?;
    Ok(owner.map(UserId::from_uuid))
}

/// False when the order is not waiting any more.
pub async fn finish(
    conn: &mut PgConnection,
    id: ExportId,
    made: Blob,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update data_export
         set state = 'ready', ready_at = $2, expires_at = $3, object_key = $4, bytes = $5
         where id = $1 and state = 'queued'",
        id.uuid(),
        now,
        expires_at,
        made.digest.to_string(),
        i64::try_from(made.size).unwrap_or(i64::MAX),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Orders that were never filled make room for new ones.
pub async fn give_up(pool: &PgPool, before: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "update data_export set state = 'expired' where state = 'queued' and requested_at <= $1",
        before,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

pub async fn due(
    pool: &PgPool,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<(ExportId, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select id, object_key as "object_key!" from data_export
           where state = 'ready' and expires_at <= $1 order by expires_at limit $2"#,
        now,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (ExportId::from_uuid(row.id), row.object_key)).collect())
}

pub async fn expire(pool: &PgPool, id: ExportId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update data_export set state = 'expired', object_key = null where id = $1 and state = 'ready'",
        id.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Whether a row names this object, leaving one row out of account.
pub async fn is_named(
    pool: &PgPool,
    object_key: &str,
    by_other_than: Option<ExportId>,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (
               select from data_export
               where state = 'ready' and object_key = $1 and ($2::uuid is null or id <> $2)
           ) as "named!""#,
        object_key,
        by_other_than.map(|id| id.uuid()),
    )
    .fetch_one(pool)
    .await
}

/// The objects that the deleted rows named.
pub async fn delete_all(conn: &mut PgConnection, owner: UserId) -> Result<Vec<String>, sqlx::Error> {
    let keys = sqlx::query_scalar!(
        "delete from data_export where account_id = $1 returning object_key",
        owner.uuid()
    )
    .fetch_all(conn)
    .await?;
    Ok(keys.into_iter().flatten().collect())
}

/// The table's check constraint allows these three and no other.
fn state(text: &str) -> Result<ExportState, sqlx::Error> {
    ExportState::parse(text)
        .ok_or_else(|| sqlx::Error::Decode(format!("{text} is no state of an archive").into()))
}
