//! What the owner of a license does with its machines: looks at them, names them, takes one off that is elsewhere.

use serde_json::json;
use time::OffsetDateTime;

use super::{MAX_MACHINE_NAME, Machine, leave, line, store};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::id::{LicenseId, MachineId},
    license::{
        self, Error,
        life::{locked, responsible},
        note, problem,
    },
};

/// The most machines of one list.
const MAX_LIST: u32 = 200;

/// The machines of a license, for whoever may see it, in the order in which they came: the first of them, where there are
/// more than a page holds.
pub async fn list(ctx: &Context, caller: &Caller, id: LicenseId) -> Result<Vec<Machine>, Error> {
    Ok(page(ctx, caller, id, None, MAX_LIST).await?.0)
}

/// So many of them, those after one or from the first; and after which one there are more.
pub async fn page(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    after: Option<MachineId>,
    limit: u32,
) -> Result<(Vec<Machine>, Option<MachineId>), Error> {
    let license = license::find(ctx, caller, id).await?;
    let after = match after {
        None => None,
        Some(machine) => {
            let unknown = || problem("cursor", "unknown", "Use the `nextCursor` of the page before.");
            let came = moment_of(machine).ok_or_else(|| Error::Invalid(vec![unknown()]))?;
            Some((machine, came))
        }
    };
    let limit = limit.clamp(1, MAX_LIST);
    // One more than is shown says whether there are more.
    let mut machines = store::of_license(&ctx.db, license.id, after, i64::from(limit) + 1).await?;
    let shown = limit as usize;
    let next = (machines.len() > shown).then(|| machines[shown - 1].id);
    machines.truncate(shown);
    Ok((machines, next))
}

/// When a machine came, as its id says: such an id begins with the milliseconds since 1970.
fn moment_of(machine: MachineId) -> Option<OffsetDateTime> {
    let milliseconds = i128::try_from(machine.uuid().as_u128() >> 80).ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(milliseconds * 1_000_000).ok()
}

/// Takes a machine off a license, wherever it is. Its owner may, and staff.
pub async fn remove(ctx: &Context, caller: &Caller, id: LicenseId, machine: MachineId) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::LicensesWrite)?;
    let mut tx = ctx.db.begin().await?;
    let mut license = locked(&mut tx, id).await?;
    let by = responsible(ctx, caller, identity, &license)?;
    let machine = store::find(&mut tx, id, machine).await?.ok_or(Error::NotFound)?;
    // A file cannot be called back: who could make room while it is good would have machines without number.
    let has_file = machine.file_until.is_some_and(|until| until > ctx.clock.now());
    if has_file && caller.require(ctx, Permission::LicensesManage).is_err() {
        return Err(Error::Conflict(
            "The file that you took to this machine is still good, so it keeps its place. Write to support if it is gone.",
        ));
    }
    leave(&mut tx, ctx, by.into(), &mut license, &machine, "removed").await?;
    tx.commit().await?;
    Ok(())
}

/// Calls a machine by another name, which it keeps.
pub async fn rename(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    machine: MachineId,
    name: &str,
) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::LicensesWrite)?;
    let mut wrong = Vec::new();
    let name = line(&Some(name.to_owned()), "name", MAX_MACHINE_NAME, &mut wrong);
    if wrong.is_empty() && name.is_empty() {
        wrong.push(problem("name", "required", "Enter a name."));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let mut tx = ctx.db.begin().await?;
    let license = locked(&mut tx, id).await?;
    if license.account != Some(identity.user.id) {
        return Err(Error::NotFound);
    }
    let machine = store::find(&mut tx, id, machine).await?.ok_or(Error::NotFound)?;
    if machine.named && machine.name == name {
        return Ok(());
    }
    store::rename(&mut tx, machine.id, &name).await?;
    note(&mut tx, ctx, identity.into(), "license.machine_renamed", id, json!({ "machine": machine.id }))
        .await?;
    tx.commit().await?;
    Ok(())
}
