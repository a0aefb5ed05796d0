//! Machines that come, come again and go.
//!
//! What always holds: all of it is done with the license's row locked. A machine that has gone has a token that is good
//! for a while longer, so it is also counted how many have come: whoever sends them away again for others has no more
//! of them at work than that.

use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{Machine, check, licenses, store};
use crate::{
    context::Context,
    contract::{id::MachineId, license::LicenseCode},
    license::{
        By, Error, License, key, note,
        rules::{MACHINE_UNSEEN, Machine as Asking, OFFLINE_FOR, Version, gate},
    },
    outbox,
};

/// How many machines may come to each place of a license while the token of the first is good,
const ARRIVALS: i64 = 3;
/// and how many to any license beyond that.
const MORE_ARRIVALS: i64 = 10;
/// The most machines that an entry about many names.
const TOLD: i64 = 50;

/// A machine that wants to come, as it describes itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coming<'a> {
    pub fingerprint: &'a str,
    pub name: &'a str,
    pub platform: &'a str,
    pub email: &'a str,
}

/// Lets a machine in, with the license locked. The same machine again only says how it is called now.
pub(super) async fn join(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    license: &mut License,
    coming: &Coming<'_>,
    version: Version,
) -> Result<Result<Machine, LicenseCode>, Error> {
    let now = ctx.clock.now();
    let print = key::fingerprint_hash(ctx, coming.fingerprint);
    if let Some((known, rank)) = store::by_fingerprint(&mut *conn, license, &print).await? {
        let code = gate(&license.standing(), Asking::Known { rank }, version, now);
        if !code.is_valid() {
            return Ok(Err(code));
        }
        return Ok(Ok(come_again(conn, known, coming, now).await?));
    }
    let room = license.standing().hard_limit;
    if license.machines_used >= room {
        let in_the_way = i64::from(license.machines_used - room) + 1;
        release_unseen(&mut *conn, ctx, license, in_the_way).await?;
    }
    let code = gate(&license.standing(), Asking::Joining, version, now);
    if !code.is_valid() {
        metrics::counter!("devforge_license_machine_limit_total").increment(1);
        return Ok(Err(code));
    }
    may_come(&mut *conn, license, now).await?;
    let machine = Machine {
        id: MachineId::from_uuid(ctx.random.uuid_v7(now)),
        license: license.id,
        name: coming.name.to_owned(),
        named: false,
        platform: coming.platform.to_owned(),
        email: coming.email.to_owned(),
        activated_at: now,
        last_seen_at: now,
        file_until: None,
    };
    store::insert(&mut *conn, &machine, &print).await?;
    license.machines_used += 1;
    licenses::save(&mut *conn, license, now).await?;
    let detail =
        json!({ "machine": machine.id, "used": license.machines_used, "limit": license.machine_limit() });
    tell(conn, ctx, by, "license.activated", license, detail).await?;
    Ok(Ok(machine))
}

/// Notes how a machine calls itself now, unless its owner gave it a name; and now and then, that it was heard of.
async fn come_again(
    conn: &mut PgConnection,
    known: Machine,
    coming: &Coming<'_>,
    now: OffsetDateTime,
) -> Result<Machine, Error> {
    let keeps_name = known.named || coming.name.is_empty();
    let name = if keeps_name { known.name.as_str() } else { coming.name };
    let platform = if coming.platform.is_empty() { known.platform.as_str() } else { coming.platform };
    let says_the_same = name == known.name && platform == known.platform;
    if says_the_same && now - known.last_seen_at < check::SEEN_EVERY {
        return Ok(known);
    }
    store::came_again(conn, known.id, name, platform, now).await?;
    let (name, platform) = (name.to_owned(), platform.to_owned());
    Ok(Machine { name, platform, last_seen_at: now, ..known })
}

/// Machines that come and go all the time are not one person's machines.
async fn may_come(conn: &mut PgConnection, license: &License, now: OffsetDateTime) -> Result<(), Error> {
    let most = i64::from(license.machine_limit()) * ARRIVALS + MORE_ARRIVALS;
    match store::arrival_before(conn, license.id, now - OFFLINE_FOR, most - 1).await? {
        None => Ok(()),
        // When that one counts no more, there are fewer than the most.
        Some(came) => Err(Error::TooManyTries { retry_after: (came + OFFLINE_FOR - now).unsigned_abs() }),
    }
}

/// Takes a machine off a license that is locked.
pub(super) async fn leave(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    license: &mut License,
    machine: &Machine,
    why: &'static str,
) -> Result<(), Error> {
    if !store::delete(&mut *conn, machine.id).await? {
        return Ok(());
    }
    license.machines_used = license.machines_used.saturating_sub(1);
    licenses::save(&mut *conn, license, ctx.clock.now()).await?;
    let detail = json!({ "machine": machine.id, "why": why, "used": license.machines_used });
    tell(conn, ctx, by, "license.deactivated", license, detail).await
}

/// Takes so many machines off that were not heard of for long, the longest unheard first, of a license that is locked.
/// Says how many there were.
pub(super) async fn release_unseen(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &mut License,
    most: i64,
) -> Result<u32, Error> {
    let now = ctx.clock.now();
    let times = (now - MACHINE_UNSEEN, now);
    let gone = store::delete_unseen(&mut *conn, license.id, times, most, TOLD).await?;
    have_left(conn, ctx, By::SYSTEM, license, &gone, "unseen").await?;
    Ok(gone.count)
}

/// Takes off all of them, such as when a license goes to somebody else.
pub(in crate::license) async fn release_all(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    license: &mut License,
    why: &'static str,
) -> Result<(), Error> {
    let gone = store::delete_all(&mut *conn, license.id, TOLD).await?;
    have_left(conn, ctx, by, license, &gone, why).await
}

/// Counts and tells of machines that were taken off together, in one entry and one event.
async fn have_left(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    license: &mut License,
    gone: &store::Gone,
    why: &'static str,
) -> Result<(), Error> {
    if gone.count == 0 {
        return Ok(());
    }
    license.machines_used = license.machines_used.saturating_sub(gone.count);
    licenses::save(&mut *conn, license, ctx.clock.now()).await?;
    let detail =
        json!({ "count": gone.count, "machines": gone.ids, "why": why, "used": license.machines_used });
    tell(conn, ctx, by, "license.deactivated", license, detail).await
}

/// An entry in the license's history, and the event of the same name.
async fn tell(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    what: &'static str,
    license: &License,
    detail: Value,
) -> Result<(), Error> {
    outbox::publish(&mut *conn, ctx, what, &license.id.to_string(), &detail).await?;
    note(conn, ctx, by, what, license.id, detail).await
}
