//! How an account ends: its owner asks, has two weeks to think again, and then it says nothing about them.
//!
//! What always holds: the row stays, because invoices name it, with nothing of a person in it; what is to be
//! removed elsewhere is queued in the same transaction, so that a crash leaves nothing behind.

mod store;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use time::Duration;

use super::{
    Caller, Error, Permission, data_export, email_change, mails, note, problem, rules, store as accounts,
};
use crate::{
    audit::Actor,
    billing::{
        retention,
        subscription::{self, Leaving},
    },
    context::Context,
    contract::{
        account::Role,
        id::{RequestId, UserId},
    },
    jobs::{self, Job},
    license::follow,
    mail, outbox, session,
};

/// How long its owner can still keep an account.
pub const THINK_AGAIN_FOR: Duration = Duration::days(14);
const BATCH: i64 = 100;
const GONE_NAME: &str = "Deleted account";

/// Asks for the end of the caller's account. They type its address, so that it is no slip of the hand. Asked
/// again, the day stays the same.
pub async fn request_deletion(ctx: &Context, caller: &Caller, typed_email: &str) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let id = identity.user.id;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    // Before the row itself, as everywhere: of the last two administrators only one can leave.
    let administrators = match identity.user.role {
        Role::Admin => store::lock_administrators(&mut tx).await?,
        _ => Vec::new(),
    };
    let account = accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    let user = account.user;
    let typed = rules::normalize_email(typed_email).unwrap_or_default();
    if !rules::is_same_email(&typed, &user.email) {
        let message = "Type the mail address of your account, as it stands on this page.";
        return Err(Error::Invalid(vec![problem("email", "mismatch", message)]));
    }
    if account.delete_after.is_some() {
        return Ok(());
    }
    if user.role == Role::Admin && administrators.iter().all(|administrator| *administrator == id) {
        return Err(Error::Conflict("You are the last administrator. Make somebody else one first."));
    }
    let delete_after = now + THINK_AGAIN_FOR;
    store::set_delete_after(&mut tx, id, Some(delete_after), now).await?;
    session::end_all(&mut tx, ctx, id, identity.session()).await?;
    store::delete_personal_tokens(&mut tx, id).await?;
    let url = format!("{}/account/delete", ctx.config.http.public_url);
    let message = mails::deletion_requested(delete_after, &url);
    mails::send_to(&mut tx, ctx, &user, "deletion_requested", &message).await?;
    subscription::leave(&mut tx, id, Leaving::Asked).await.map_err(Error::from_billing)?;
    let (actor, request) = (identity.actor(), Some(identity.request));
    note(&mut tx, ctx, actor, "account.deletion_requested", id, json!({}), request).await?;
    tx.commit().await?;
    Ok(())
}

/// Thinks again. An account that nobody wanted to end stays as it is.
pub async fn keep_account(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    let id = identity.user.id;
    let mut tx = ctx.db.begin().await?;
    let account = accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if account.delete_after.is_none() {
        return Ok(());
    }
    call_off(&mut tx, ctx, identity.actor(), id, identity.request).await?;
    tx.commit().await?;
    Ok(())
}

/// Calls off the end of an account, in the transaction of the reason for it.
pub(super) async fn call_off(
    conn: &mut PgConnection,
    ctx: &Context,
    actor: Actor,
    id: UserId,
    request: RequestId,
) -> Result<(), Error> {
    store::set_delete_after(&mut *conn, id, None, ctx.clock.now()).await?;
    note(conn, ctx, actor, "account.kept", id, json!({}), Some(request)).await
}

/// Ends the accounts whose time has come, and forgets changes of address that nobody confirmed. Runs by the
/// schedule, once a day.
#[derive(Debug, Serialize, Deserialize)]
pub struct AnonymizeAccounts {}

impl Job for AnonymizeAccounts {
    const NAME: &'static str = "anonymize_accounts";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        email_change::purge(&ctx).await?;
        loop {
            let due = store::due(&ctx.db, ctx.clock.now(), BATCH).await?;
            let mut failed = None;
            for id in &due {
                // One that fails must not keep the others.
                if let Err(error) = anonymize(&ctx, *id).await {
                    failed = Some(error);
                }
            }
            if let Some(error) = failed {
                return Err(error.into());
            }
            if (due.len() as u64) < BATCH.unsigned_abs() {
                return Ok(());
            }
        }
    }
}

async fn anonymize(ctx: &Context, id: UserId) -> Result<(), Error> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let Some(account) = accounts::lock(&mut tx, id).await? else {
        return Ok(());
    };
    // Another round was faster, or its owner kept it a moment ago.
    if account.deleted_at.is_some() || account.delete_after.is_none_or(|after| after > now) {
        return Ok(());
    }
    session::end_all(&mut tx, ctx, id, None).await?;
    session::forget_devices(&mut tx, id).await?;
    delete_keys(&mut tx, id).await?;
    delete_archives(&mut tx, id).await?;
    mail::forget(&mut tx, id, &account.user.email).await?;
    subscription::leave(&mut tx, id, Leaving::Gone).await.map_err(Error::from_billing)?;
    // What was paid stays, with the address that its invoice names: the law wants invoices kept.
    retention::forget_unpaid(&mut tx, ctx, id).await.map_err(Error::from_billing)?;
    follow::account_ended(&mut tx, ctx, id).await.map_err(Error::from_license)?;
    let email = format!("deleted-{}@deleted.invalid", id.uuid().simple());
    store::anonymize(&mut tx, id, &email, GONE_NAME, now).await?;
    note(&mut tx, ctx, Actor::System, "account.anonymized", id, json!({}), None).await?;
    outbox::publish(&mut tx, ctx, "account.deleted", &id.to_string(), &json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes whatever opens an account beside its password: passkeys, tokens, the second factor; and what is under way
/// for it.
pub(super) async fn delete_keys(conn: &mut PgConnection, id: UserId) -> Result<(), sqlx::Error> {
    store::delete_keys(conn, id).await
}

/// Forgets the archives of an account. What lies in the object store goes after the commit.
pub(super) async fn delete_archives(conn: &mut PgConnection, id: UserId) -> Result<(), Error> {
    let keys = data_export::forget(&mut *conn, id).await?;
    if !keys.is_empty() {
        jobs::enqueue(conn, &DeleteArchives { keys }).await?;
    }
    Ok(())
}

/// Removes the archives of an account that has ended, or has its owner at last, from the object store.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteArchives {
    pub keys: Vec<String>,
}

impl Job for DeleteArchives {
    const NAME: &'static str = "delete_archives";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        Ok(data_export::delete_objects(&ctx, self.keys).await?)
    }
}
