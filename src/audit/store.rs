//! SQL of the audit log.

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Break, Check, Entry, StoredEvent};

/// Key of the advisory lock that lets one node at a time extend the chain.
const SEAL_LOCK: i64 = 0x6465_7666_0001;

pub struct Seal {
    pub sequence: i64,
    pub event_id: Uuid,
    pub event_recorded_at: OffsetDateTime,
    pub previous_hash: [u8; 32],
    pub hash: [u8; 32],
}

pub async fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    now: OffsetDateTime,
    entry: &Entry<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_event
             (id, recorded_at, actor_kind, actor_id, action, subject_kind, subject_id, detail, request_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id,
        now,
        entry.actor.kind(),
        entry.actor.id(),
        entry.action,
        entry.subject_kind,
        entry.subject_id,
        entry.detail,
        entry.request_id.map(|id| id.uuid()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn try_lock_sealing(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "locked!""#, SEAL_LOCK)
        .fetch_one(conn)
        .await
}

/// Takes the oldest entries off the sealer's list; rolled back, they are on it again.
pub async fn take_unsealed(conn: &mut PgConnection, limit: i64) -> Result<Vec<StoredEvent>, sqlx::Error> {
    sqlx::query_as!(
        StoredEvent,
        r#"with taken as (
               delete from audit_unsealed
               where (event_recorded_at, event_id) in (
                   select event_recorded_at, event_id from audit_unsealed
                   order by event_recorded_at, event_id limit $1
               )
               returning event_id, event_recorded_at
           )
           select e.id, e.recorded_at, e.actor_kind, e.actor_id, e.action, e.subject_kind, e.subject_id,
                  e.detail::text as "detail!", e.request_id
           from taken
           join audit_event e on e.recorded_at = taken.event_recorded_at and e.id = taken.event_id
           order by e.recorded_at, e.id"#,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The last link: its number and hash, or the beginning of the chain.
pub async fn head(conn: &mut PgConnection) -> Result<(i64, [u8; 32]), sqlx::Error> {
    let row = sqlx::query!("select sequence, hash from audit_seal order by sequence desc limit 1")
        .fetch_optional(conn)
        .await?;
    Ok(row.map_or((0, [0; 32]), |row| (row.sequence, hash_of(&row.hash))))
}

pub async fn insert_seals(conn: &mut PgConnection, seals: &[Seal]) -> Result<(), sqlx::Error> {
    let sequences: Vec<i64> = seals.iter().map(|seal| seal.sequence).collect();
    let ids: Vec<Uuid> = seals.iter().map(|seal| seal.event_id).collect();
    let times: Vec<OffsetDateTime> = seals.iter().map(|seal| seal.event_recorded_at).collect();
    let previous: Vec<Vec<u8>> = seals.iter().map(|seal| seal.previous_hash.to_vec()).collect();
    let hashes: Vec<Vec<u8>> = seals.iter().map(|seal| seal.hash.to_vec()).collect();
    sqlx::query!(
        "insert into audit_seal (sequence, event_id, event_recorded_at, previous_hash, hash)
         select * from unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::bytea[], $5::bytea[])",
        &sequences,
        &ids,
        &times,
        &previous,
        &hashes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn sealed_after(
    pool: &PgPool,
    sequence: i64,
    limit: i64,
) -> Result<Vec<(Seal, Option<StoredEvent>)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select s.sequence, s.event_id, s.event_recorded_at, s.previous_hash, s.hash,
                  e.id as "id?", e.actor_kind as "actor_kind?", e.actor_id as "actor_id?", e.action as "action?",
                  e.subject_kind as "subject_kind?", e.subject_id as "subject_id?",
                  e.detail::text as "detail?", e.request_id as "request_id?"
           from audit_seal s
           left join audit_event e on e.recorded_at = s.event_recorded_at and e.id = s.event_id
           where s.sequence > $1 order by s.sequence limit $2"#,
        sequence,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let event = row.id.map(|id| StoredEvent {
                id,
                recorded_at: row.event_recorded_at,
                actor_kind: row.actor_kind.unwrap_or_default(),
                actor_id: row.actor_id,
                action: row.action.unwrap_or_default(),
                subject_kind: row.subject_kind.unwrap_or_default(),
                subject_id: row.subject_id.unwrap_or_default(),
                detail: row.detail.unwrap_or_default(),
                request_id: row.request_id,
            });
            let seal = Seal {
                sequence: row.sequence,
                event_id: row.event_id,
                event_recorded_at: row.event_recorded_at,
                previous_hash: hash_of(&row.previous_hash),
                hash: hash_of(&row.hash),
            };
            (seal, event)
        })
        .collect())
}

pub async fn count_unsealed(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from audit_unsealed"#).fetch_one(pool).await
}

/// Entries that are neither in the chain nor waiting for it.
pub async fn count_unaccounted(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from audit_event e
           where not exists (select from audit_seal s where s.event_id = e.id)
             and not exists (
                 select from audit_unsealed u where u.event_recorded_at = e.recorded_at and u.event_id = e.id
             )"#
    )
    .fetch_one(pool)
    .await
}

pub async fn ensure_partitions(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!("select ensure_month_partitions('audit_event', 12)").execute(pool).await?;
    Ok(())
}

/// What is asked of the log; what is absent leaves nothing out.
#[derive(Debug, Default)]
pub struct Asked<'a> {
    pub action_prefix: Option<&'a str>,
    pub actor: Option<Uuid>,
    pub subject_kind: Option<&'a str>,
    pub subject_id: Option<&'a str>,
    pub from: Option<OffsetDateTime>,
    pub to: Option<OffsetDateTime>,
    /// Only what is older than this entry.
    pub before: Option<(OffsetDateTime, Uuid)>,
    pub limit: i64,
}

/// An entry with its number in the chain.
pub struct ListedEvent {
    pub id: Uuid,
    pub recorded_at: OffsetDateTime,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: Value,
    pub request_id: Option<Uuid>,
    pub sequence: Option<i64>,
}

/// Newest first.
pub async fn list(pool: &PgPool, asked: &Asked<'_>) -> Result<Vec<ListedEvent>, sqlx::Error> {
    let (before_at, before_id) = asked.before.unzip();
    sqlx::query_as!(
        ListedEvent,
        r#"select e.id as "id!", e.recorded_at as "recorded_at!", e.actor_kind as "actor_kind!",
                  e.actor_id as "actor_id?", e.action as "action!", e.subject_kind as "subject_kind!",
                  e.subject_id as "subject_id!", e.detail as "detail!", e.request_id as "request_id?",
                  s.sequence as "sequence?"
           from (
               select * from audit_event
               where ($1::text is null or starts_with(action, $1))
                 and ($2::uuid is null or actor_id = $2)
                 and ($3::text is null or subject_kind = $3)
                 and ($4::text is null or subject_id = $4)
                 and ($5::timestamptz is null or recorded_at >= $5)
                 and ($6::timestamptz is null or recorded_at < $6)
                 and ($7::timestamptz is null or (recorded_at, id) < ($7, $8::uuid))
               order by recorded_at desc, id desc limit $9
           ) e
           left join audit_seal s on s.event_id = e.id
           order by e.recorded_at desc, e.id desc"#,
        asked.action_prefix,
        asked.actor,
        asked.subject_kind,
        asked.subject_id,
        asked.from,
        asked.to,
        before_at,
        before_id,
        asked.limit,
    )
    .fetch_all(pool)
    .await
}

/// What people are called today.
pub async fn names(pool: &PgPool, people: &[Uuid]) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let rows =
        sqlx::query!("select id, name from account where id = any($1)", people).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub async fn insert_check(pool: &PgPool, id: Uuid, check: &Check) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into audit_check (id, checked_at, sealed, unsealed, broken_at, broken_why)
         values ($1, $2, $3, $4, $5, $6)",
        id,
        check.checked_at,
        check.sealed,
        check.unsealed,
        check.broken.as_ref().map(|broken| broken.at),
        check.broken.as_ref().map(|broken| broken.why.as_str()),
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn last_check(pool: &PgPool) -> Result<Option<Check>, sqlx::Error> {
    let row = sqlx::query!(
        "select checked_at, sealed, unsealed, broken_at, broken_why from audit_check
         order by checked_at desc, id desc limit 1"
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Check {
        checked_at: row.checked_at,
        sealed: row.sealed,
        unsealed: row.unsealed,
        broken: row.broken_at.zip(row.broken_why).map(|(at, why)| Break { at, why }),
    }))
}

fn hash_of(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("the table's check constraint keeps hashes at 32 bytes")
}
