//! Looking at the site as somebody else does: for administrators, for a while, without changing anything.

use serde_json::json;
use time::Duration;

use super::store;
use crate::{
    account::{self, Caller, Denied, Error, Permission, note},
    context::Context,
    contract::{account::Role, id::UserId},
};

/// How long an administrator looks through somebody's eyes at a time.
pub const VIEWING_FOR: Duration = Duration::minutes(30);

/// Lets an administrator see the site as somebody does, without changing anything, for a while.
pub async fn view_as(ctx: &Context, caller: &Caller, person: UserId) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::UsersImpersonate)?;
    let session = identity.session().ok_or(Denied::Forbidden)?;
    let found = account::store::by_id(&ctx.db, person).await?.ok_or(Error::NotFound)?;
    if !matches!(found.user.role, Role::Customer | Role::Developer) || found.deleted_at.is_some() {
        return Err(Error::Conflict(
            "Only the accounts of customers and extension authors can be looked through.",
        ));
    }
    let until = ctx.clock.now() + VIEWING_FOR;
    let mut tx = ctx.db.begin().await?;
    // Held: an administrator who is being made something else is not one any more.
    let actor = account::store::lock(&mut tx, identity.user.id).await?;
    if !actor.is_some_and(|actor| Permission::UsersImpersonate.of_role(actor.user.role)) {
        return Err(Denied::Forbidden.into());
    }
    if !store::set_viewing(&mut tx, session.uuid(), Some((person.uuid(), until))).await? {
        return Err(Denied::Unauthenticated.into());
    }
    let detail = json!({ "minutes": VIEWING_FOR.whole_minutes() });
    note(&mut tx, ctx, identity.actor(), "account.viewed", person, detail, Some(identity.request)).await?;
    tx.commit().await?;
    Ok(())
}

pub async fn stop_viewing(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let identity = caller.identity().ok_or(Denied::Unauthenticated)?;
    let (Some(_), Some(session)) = (identity.impersonator(), identity.session()) else {
        return Err(Error::NotFound);
    };
    let mut tx = ctx.db.begin().await?;
    store::set_viewing(&mut tx, session.uuid(), None).await?;
    let (actor, person) = (identity.actor(), identity.user.id);
    note(&mut tx, ctx, actor, "account.view_ended", person, json!({}), Some(identity.request)).await?;
    tx.commit().await?;
    Ok(())
}
