//! A new password in place of one that is known.

use serde_json::json;

use super::{check_aside, normalize, replace};
use crate::{
    account::{
        Caller, Client, Error, Permission,
        limits::{self, Of},
        mails, note, problem,
        rules::MAX_PASSWORD_CHARS,
        store,
    },
    context::Context,
    session::{self, Opened},
};

/// The session that asks goes on under a new cookie; all others end, and other devices are unknown again. A wrong
/// present password is [`Error::InvalidCredentials`].
pub async fn change_password(
    ctx: &Context,
    caller: &Caller,
    current: &str,
    new: &str,
    client: &Client,
) -> Result<Opened, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let id = identity.user.id;
    limits::take(ctx, limits::PASSWORD_CHECKS, Of::Account(id)).await?;
    let account = store::by_id(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let (current, new) = (normalize(current), normalize(new));
    let too_long = current.chars().count() > MAX_PASSWORD_CHARS;
    let stored = account.password_hash.as_deref().filter(|_| !too_long);
    if !ctx.hashers.passwords.verify(if too_long { "" } else { &current }, stored).await? {
        let mut tx = ctx.db.begin().await?;
        let (actor, request) = (identity.actor(), Some(identity.request));
        note(&mut tx, ctx, actor, "account.password_change_refused", id, json!({}), request).await?;
        tx.commit().await?;
        return Err(Error::InvalidCredentials);
    }
    if current == new {
        let message = "This is the password you have. Choose another one.";
        return Err(Error::Invalid(vec![problem("password", "unchanged", message)]));
    }
    let user = &account.user;
    if let Some(problem) = check_aside(&new, &[&user.name, &user.email], user.two_factor_enabled).await? {
        return Err(Error::Invalid(vec![problem]));
    }
    limits::forget(ctx, limits::PASSWORD_CHECKS, Of::Account(id)).await?;
    // Hashed before the transaction: nothing stays locked for as long as that takes.
    let password_hash = ctx.hashers.passwords.hash(&new, &ctx.random).await?;
    let mut tx = ctx.db.begin().await?;
    let locked = store::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if locked.password_hash != account.password_hash {
        return Err(Error::Conflict(
            "Your password was changed somewhere else just now. Sign in with that one.",
        ));
    }
    replace(&mut tx, ctx, id, &password_hash, identity.session()).await?;
    session::keep_only_device(&mut tx, ctx, id, client).await?;
    // Whoever copied the cookie before does not have this one.
    let opened = session::renew(&mut tx, ctx, identity).await?;
    let message = mails::password_changed(ctx.clock.now());
    mails::send_to(&mut tx, ctx, &locked.user, "password_changed", &message).await?;
    note(&mut tx, ctx, identity.actor(), "account.password_changed", id, json!({}), Some(identity.request))
        .await?;
    tx.commit().await?;
    Ok(opened)
}
