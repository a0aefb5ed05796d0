//! What administrators do with somebody's account.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{MAX_REASON_CHARS, store};
use crate::{
    account::{Caller, Error, Identity, Permission, note, problem, store as accounts},
    context::Context,
    contract::{account::Role, id::UserId},
    outbox, session,
};

const GONE: &str = "This account was deleted. There is nothing left to change.";

/// Gives somebody another role. It counts from their next request.
pub async fn set_role(ctx: &Context, caller: &Caller, id: UserId, role: Role) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::UsersRole)?;
    if identity.user.id == id {
        return Err(Error::Conflict("Nobody changes their own role. Ask another administrator to do it."));
    }
    let mut tx = ctx.db.begin().await?;
    // Before the row itself: of two who demote each other, one waits and then sees what the other did.
    let administrators = store::lock_administrators(&mut tx).await?;
    let account = accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if account.deleted_at.is_some() {
        return Err(Error::Conflict(GONE));
    }
    let from = account.user.role;
    if from == role {
        return Ok(());
    }
    if from == Role::Admin && !another_is_left(&administrators, id) {
        return Err(Error::Conflict("This is the last administrator. Make somebody else one first."));
    }
    store::set_role(&mut tx, id.uuid(), role.as_str(), ctx.clock.now()).await?;
    // Who looks as somebody else is asked about by that person's role, so looking ends with the role that allowed it.
    store::end_viewing(&mut tx, id.uuid()).await?;
    let detail = json!({ "from": from.as_str(), "to": role.as_str() });
    changed(&mut tx, ctx, identity, "account.role_changed", id, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps somebody out and ends every session they have. The reason is for staff and stays in the audit log.
pub async fn lock(ctx: &Context, caller: &Caller, id: UserId, reason: &str) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::UsersManage)?;
    if identity.user.id == id {
        return Err(Error::Conflict("Nobody locks their own account. Ask another administrator to do it."));
    }
    let reason = clean_reason(reason)?;
    let mut tx = ctx.db.begin().await?;
    let administrators = store::lock_administrators(&mut tx).await?;
    let account = accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if account.deleted_at.is_some() {
        return Err(Error::Conflict(GONE));
    }
    if account.locked_at.is_some() {
        return Err(Error::Conflict("This account is locked already."));
    }
    if account.user.role == Role::Admin && !another_is_left(&administrators, id) {
        return Err(Error::Conflict("This is the last administrator. Make somebody else one first."));
    }
    store::lock(&mut tx, id.uuid(), &reason, ctx.clock.now()).await?;
    let sessions = session::end_all(&mut tx, ctx, id, None).await?;
    let detail = json!({ "reason": reason, "sessions": sessions });
    changed(&mut tx, ctx, identity, "account.locked", id, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Lets somebody in again. What they were signed in on stays signed out.
pub async fn unlock(ctx: &Context, caller: &Caller, id: UserId) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::UsersManage)?;
    let mut tx = ctx.db.begin().await?;
    let account = accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if account.deleted_at.is_some() {
        return Err(Error::Conflict(GONE));
    }
    if account.locked_at.is_none() {
        return Err(Error::Conflict("This account is not locked."));
    }
    store::unlock(&mut tx, id.uuid(), ctx.clock.now()).await?;
    changed(&mut tx, ctx, identity, "account.unlocked", id, json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends every session somebody has, in browsers and in programs; says how many. Personal tokens stay.
pub async fn sign_out_everywhere(ctx: &Context, caller: &Caller, id: UserId) -> Result<u64, Error> {
    let identity = caller.require(ctx, Permission::UsersManage)?;
    let mut tx = ctx.db.begin().await?;
    accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let sessions = session::end_all(&mut tx, ctx, id, None).await?;
    changed(&mut tx, ctx, identity, "account.signed_out_everywhere", id, json!({ "sessions": sessions }))
        .await?;
    tx.commit().await?;
    Ok(sessions)
}

/// Whether an administrator who can act is left when `without` no longer is one. The rows of all of them stay
/// locked until the transaction ends, so that the answer holds; ask before locking the row of `without`.
pub async fn keeps_an_administrator(conn: &mut PgConnection, without: UserId) -> Result<bool, sqlx::Error> {
    let administrators = store::lock_administrators(conn).await?;
    Ok(another_is_left(&administrators, without))
}

fn another_is_left(administrators: &[UserId], without: UserId) -> bool {
    administrators.iter().any(|id| *id != without)
}

/// The audit entry, and the event for whoever keeps something about accounts.
async fn changed(
    conn: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
    action: &'static str,
    id: UserId,
    detail: Value,
) -> Result<(), Error> {
    note(&mut *conn, ctx, identity.actor(), action, id, detail, Some(identity.request)).await?;
    outbox::publish(conn, ctx, "account.changed", &id.to_string(), &json!({})).await?;
    Ok(())
}

fn clean_reason(text: &str) -> Result<String, Error> {
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        return Err(Error::Invalid(vec![problem("reason", "required", "Say why the account is locked.")]));
    }
    if length > MAX_REASON_CHARS {
        let message = "A reason has at most 500 characters.";
        return Err(Error::Invalid(vec![problem("reason", "too_long", message)]));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_there_and_short_and_fits_the_database() {
        assert_eq!(clean_reason(" Chargeback\r\nof May\0 ").expect("a reason"), "Chargeback\nof May");
        assert!(clean_reason(&"ü".repeat(MAX_REASON_CHARS)).is_ok());
        for bad in ["", " \n\0 ", &"x".repeat(MAX_REASON_CHARS + 1)] {
            assert!(matches!(clean_reason(bad), Err(Error::Invalid(_))), "{bad:?}");
        }
    }
}
