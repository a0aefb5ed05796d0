//! SQL of machines.

use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Machine;
use crate::{
    contract::id::{LicenseId, MachineId, UserId},
    license::License,
};

struct MachineRow {
    id: Uuid,
    license_id: Uuid,
    name: String,
    named: bool,
    platform: String,
    email: String,
    activated_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
    file_until: Option<OffsetDateTime>,
}

impl From<MachineRow> for Machine {
    fn from(row: MachineRow) -> Self {
        Self {
            id: MachineId::from_uuid(row.id),
            license: LicenseId::from_uuid(row.license_id),
            name: row.name,
            named: row.named,
            platform: row.platform,
            email: row.email,
            activated_at: row.activated_at,
            last_seen_at: row.last_seen_at,
            file_until: row.file_until,
        }
    }
}

/// The license with a key, and of the account that it belongs to the address, as that is now.
pub async fn owner_of_key(
    db: impl PgExecutor<'_>,
    hash: &[u8; 32],
) -> Result<Option<(LicenseId, Option<(UserId, String)>)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select l.id, a.id as "account?", a.email as "address?"
           from license l left join account a on a.id = l.account_id where l.key_hash = $1"#,
        hash,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| {
        let owner = row.account.zip(row.address);
        (LicenseId::from_uuid(row.id), owner.map(|(account, address)| (UserId::from_uuid(account), address)))
    }))
}

/// The machine with a fingerprint, and its place in the order in which machines came. While there are no more than have
/// room the place decides nothing, and nobody counts: it is the first.
pub async fn by_fingerprint(
    conn: &mut PgConnection,
    license: &License,
    print: &[u8; 32],
) -> Result<Option<(Machine, u32)>, sqlx::Error> {
    let standing = license.standing();
    let row = sqlx::query!(
        r#"select m.id, m.license_id, m.name, m.named, m.platform, m.email, m.activated_at, m.last_seen_at, m.file_until,
                  case when $3::bigint > $4::bigint then
                      (select count(*) from license_machine o
                       where o.license_id = m.license_id and (o.activated_at, o.id) < (m.activated_at, m.id))
                  else 0 end as "rank!"
           from license_machine m where m.license_id = $1 and m.fingerprint_hash = $2"#,
        license.id.uuid(),
        print,
        i64::from(standing.used),
        i64::from(standing.hard_limit),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let rank = u32::try_from(row.rank).unwrap_or(u32::MAX);
        let machine = Machine {
            id: MachineId::from_uuid(row.id),
            license: LicenseId::from_uuid(row.license_id),
            name: row.name,
            named: row.named,
            platform: row.platform,
            email: row.email,
            activated_at: row.activated_at,
            last_seen_at: row.last_seen_at,
            file_until: row.file_until,
        };
        (machine, rank)
    }))
}

/// So many machines in the order in which they came, those after one or from the first. Should that one be gone by now,
/// it is known from its id when it came, to the millisecond.
pub async fn of_license(
    db: impl PgExecutor<'_>,
    license: LicenseId,
    after: Option<(MachineId, OffsetDateTime)>,
    limit: i64,
) -> Result<Vec<Machine>, sqlx::Error> {
    let (after, came) =
        after.map_or((Uuid::nil(), OffsetDateTime::UNIX_EPOCH), |(id, came)| (id.uuid(), came));
    let rows = sqlx::query_as!(
        MachineRow,
        "select id, license_id, name, named, platform, email, activated_at, last_seen_at, file_until
         from license_machine
         where license_id = $1 and (activated_at, id) > (
             coalesce((select activated_at from license_machine where license_id = $1 and id = $2), $3), $2::uuid
         )
         order by activated_at, id limit $4",
        license.uuid(),
        after,
        came,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Machine::from).collect())
}

/// Machines that were taken off together.
pub struct Gone {
    pub count: u32,
    /// Which, some of them.
    pub ids: Vec<MachineId>,
}

impl Gone {
    fn new(count: i64, ids: Vec<Uuid>) -> Self {
        let ids = ids.into_iter().map(MachineId::from_uuid).collect();
        Self { count: u32::try_from(count).unwrap_or(u32::MAX), ids }
    }
}

/// Takes off so many of those that were not heard of since and hold no file that is still good, the longest unheard
/// first. Tells at most so many ids.
pub async fn delete_unseen(
    conn: &mut PgConnection,
    license: LicenseId,
    (since, now): (OffsetDateTime, OffsetDateTime),
    most: i64,
    told: i64,
) -> Result<Gone, sqlx::Error> {
    // Whoever is heard of in this very moment stays: the outer condition is looked at again under the row's lock.
    let row = sqlx::query!(
        r#"with oldest as materialized (
               select id from license_machine
               where license_id = $1 and last_seen_at < $2 and (file_until is null or file_until <= $3)
               order by last_seen_at, activated_at, id limit $4
           ), gone as (
               delete from license_machine m using oldest
               where m.id = oldest.id and m.last_seen_at < $2 and (m.file_until is null or m.file_until <= $3)
               returning m.id
           )
           select (select count(*) from gone) as "count!", array(select id from gone order by id limit $5) as "ids!""#,
        license.uuid(),
        since,
        now,
        most,
        told,
    )
    .fetch_one(conn)
    .await?;
    Ok(Gone::new(row.count, row.ids))
}

/// Takes off all of them. Tells at most so many ids.
pub async fn delete_all(conn: &mut PgConnection, license: LicenseId, told: i64) -> Result<Gone, sqlx::Error> {
    let row = sqlx::query!(
        r#"with gone as (delete from license_machine where license_id = $1 returning id)
           select (select count(*) from gone) as "count!", array(select id from gone order by id limit $2) as "ids!""#,
        license.uuid(),
        told,
    )
    .fetch_one(conn)
    .await?;
    Ok(Gone::new(row.count, row.ids))
}

/// When the last but so many machines came of those that came after a moment. None: fewer came.
pub async fn arrival_before(
    conn: &mut PgConnection,
    license: LicenseId,
    since: OffsetDateTime,
    later: i64,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select arrived_at from license_arrival where license_id = $1 and arrived_at > $2
         order by arrived_at desc offset $3 limit 1",
        license.uuid(),
        since,
        later,
    )
    .fetch_optional(conn)
    .await
}

/// Removes arrivals that count no more.
pub async fn delete_arrivals(pool: &PgPool, until: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from license_arrival where machine_id in (
             select machine_id from license_arrival where arrived_at <= $1 limit $2
         )",
        until,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Writes a machine down, and that it came.
pub async fn insert(conn: &mut PgConnection, machine: &Machine, print: &[u8; 32]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with arrived as (insert into license_arrival (machine_id, license_id, arrived_at) values ($1, $2, $7))
         insert into license_machine (id, license_id, fingerprint_hash, name, platform, email, activated_at, last_seen_at,
                                      file_until, named)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        machine.id.uuid(),
        machine.license.uuid(),
        print,
        machine.name,
        machine.platform,
        machine.email,
        machine.activated_at,
        machine.last_seen_at,
        machine.file_until,
        machine.named,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn came_again(
    conn: &mut PgConnection,
    id: MachineId,
    name: &str,
    platform: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update license_machine set name = $2, platform = $3, last_seen_at = $4 where id = $1",
        id.uuid(),
        name,
        platform,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete(conn: &mut PgConnection, id: MachineId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from license_machine where id = $1", id.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// A machine of this license.
pub async fn find(
    conn: &mut PgConnection,
    license: LicenseId,
    id: MachineId,
) -> Result<Option<Machine>, sqlx::Error> {
    let row = sqlx::query_as!(
        MachineRow,
        "select id, license_id, name, named, platform, email, activated_at, last_seen_at, file_until
         from license_machine where license_id = $1 and id = $2",
        license.uuid(),
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Machine::from))
}

/// Gives a machine a name that stays, whatever the editor says later.
pub async fn rename(conn: &mut PgConnection, id: MachineId, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update license_machine set name = $2, named = true where id = $1", id.uuid(), name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes until when the last file for a machine is good. An earlier one may be good for longer.
pub async fn set_file_until(
    conn: &mut PgConnection,
    id: MachineId,
    until: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update license_machine set file_until = greatest(file_until, $2) where id = $1",
        id.uuid(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a machine of this license has a file that is still good.
pub async fn any_file(
    conn: &mut PgConnection,
    license: LicenseId,
    now: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from license_machine where license_id = $1 and file_until > $2) as "any!""#,
        license.uuid(),
        now,
    )
    .fetch_one(conn)
    .await
}

/// Licenses with machines as in [`delete_unseen`], in the order of their ids.
pub async fn with_unseen(
    pool: &PgPool,
    since: OffsetDateTime,
    now: OffsetDateTime,
    after: Option<LicenseId>,
    limit: i64,
) -> Result<Vec<LicenseId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select distinct license_id from license_machine
         where last_seen_at < $1 and (file_until is null or file_until <= $2)
             and ($3::uuid is null or license_id > $3)
         order by license_id limit $4",
        since,
        now,
        after.map(LicenseId::uuid),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(LicenseId::from_uuid).collect())
}
