//! SQL of what is asked most: licenses by key, with their machines.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicI64},
};

use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::reader::{Found, MACHINES_READ, Machine};
use crate::{
    contract::{
        id::{LicenseId, MachineId},
        payment::Tier,
    },
    license::{
        ExtraFeature,
        rules::{self, Standing},
    },
};

/// Licenses by the hashes of their keys.
pub async fn by_keys(
    conn: &mut PgConnection,
    hashes: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], Arc<Found>>, sqlx::Error> {
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    let rows = sqlx::query!(
        r#"select l.key_hash, l.id, l.tier, l.seats, l.machines_per_seat, l.overage, l.node_locked, l.machines_used,
                  l.expires_at, l.good_until, l.fallback, cardinality(l.suspended_by) > 0 as "suspended!",
                  cardinality(l.revoked_by) > 0 as "revoked!",
                  l.extra_features as "extra_features: Json<Vec<ExtraFeature>>", l.updated_at,
                  m.ids as "ids?: Vec<Uuid>", m.prints as "prints?: Vec<Vec<u8>>", m.seen as "seen?: Vec<OffsetDateTime>"
           from license l
           left join lateral (
               select array_agg(first.id order by activated_at, first.id) as ids,
                      array_agg(fingerprint_hash order by activated_at, first.id) as prints,
                      array_agg(last_seen_at order by activated_at, first.id) as seen
               from (select id, fingerprint_hash, activated_at, last_seen_at from license_machine
                     where license_id = l.id and l.machines_used > 0 order by activated_at, id limit $2) as first
           ) as m on true
           where l.key_hash = any($1)"#,
        &hashes as &[&[u8]],
        MACHINES_READ,
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let (Ok(hash), Some(tier)) = (row.key_hash.try_into(), Tier::parse(&row.tier)) else { continue };
        let limit = rules::machine_limit(row.seats.unsigned_abs(), row.machines_per_seat.unsigned_abs());
        let machines = row.ids.into_iter().flatten().zip(row.prints.into_iter().flatten());
        let machines = machines.zip(row.seen.into_iter().flatten()).zip(0..);
        let machines = machines.filter_map(|(((id, print), seen), rank)| machine_of(id, print, seen, rank));
        let license = Found {
            id: LicenseId::from_uuid(row.id),
            tier,
            standing: Standing {
                revoked: row.revoked,
                suspended: row.suspended,
                expires_at: row.expires_at,
                good_until: row.good_until,
                fallback: row.fallback,
                node_locked: row.node_locked,
                used: row.machines_used.unsigned_abs(),
                limit,
                hard_limit: rules::with_overage(limit, row.overage.unsigned_abs()),
            },
            extra: row.extra_features.0,
            updated_at: row.updated_at,
            machines: machines.map(Arc::new).collect(),
        };
        found.insert(hash, Arc::new(license));
    }
    Ok(found)
}

fn machine_of(id: Uuid, print: Vec<u8>, seen: OffsetDateTime, rank: u32) -> Option<Machine> {
    Some(Machine {
        id: MachineId::from_uuid(id),
        fingerprint: print.try_into().ok()?,
        rank,
        last_seen: AtomicI64::new(seen.unix_timestamp()),
    })
}

/// One machine of a license that has many. While there are no more than have room its place decides nothing, and nobody
/// counts: it is the first.
pub async fn machine(
    pool: &PgPool,
    license: LicenseId,
    standing: &Standing,
    fingerprint: &[u8; 32],
) -> Result<Option<Machine>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select m.id, m.last_seen_at,
                  case when $3::bigint > $4::bigint then
                      (select count(*) from license_machine o
                       where o.license_id = m.license_id and (o.activated_at, o.id) < (m.activated_at, m.id))
                  else 0 end as "rank!"
           from license_machine m where m.license_id = $1 and m.fingerprint_hash = $2"#,
        license.uuid(),
        fingerprint,
        i64::from(standing.used),
        i64::from(standing.hard_limit),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Machine {
        id: MachineId::from_uuid(row.id),
        fingerprint: *fingerprint,
        rank: u32::try_from(row.rank).unwrap_or(u32::MAX),
        last_seen: AtomicI64::new(row.last_seen_at.unix_timestamp()),
    }))
}

/// Notes when machines were heard of.
pub async fn touch(pool: &PgPool, seen: &[(MachineId, OffsetDateTime)]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = seen.iter().map(|(id, _)| id.uuid()).collect();
    let times: Vec<OffsetDateTime> = seen.iter().map(|(_, at)| *at).collect();
    // Locked in one order, so that two nodes that write the same machines do not wait for each other in a circle.
    sqlx::query!(
        "with seen as (select id, max(at) as at from unnest($1::uuid[], $2::timestamptz[]) as seen (id, at) group by id),
              locked as (select m.id, seen.at from license_machine m join seen on seen.id = m.id
                         order by m.id for update of m)
         update license_machine m set last_seen_at = greatest(m.last_seen_at, locked.at)
         from locked where locked.id = m.id",
        &ids,
        &times,
    )
    .execute(pool)
    .await?;
    Ok(())
}
