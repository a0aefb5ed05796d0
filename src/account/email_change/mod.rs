//! Changing the address of an account: both ends say yes, the address there is and the one there is to be.
//!
//! What always holds: whoever has got into an account cannot take it along to an address of theirs without also
//! reading its owner's mail; asking tells nobody whether the new address has an account.

mod store;

use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{
    Caller, Client, Error, Permission,
    limits::{self, Of},
    mails, note, problem, registration, rules,
    store::{self as accounts, Account},
    ticket::{self, Kind},
};
use crate::{
    audit::Actor,
    context::Context,
    contract::{
        account::User,
        id::{RequestId, UserId},
    },
    mail, outbox,
};

/// A change that waits for its two ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingEmail {
    pub new_email: String,
    pub old_confirmed: bool,
    pub new_confirmed: bool,
    pub expires_at: OffsetDateTime,
}

/// Which of the two addresses a link was mailed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEnd {
    Old,
    New,
}

impl ChangeEnd {
    const fn kind(self) -> Kind {
        match self {
            Self::Old => Kind::ChangeEmailOld,
            Self::New => Kind::ChangeEmailNew,
        }
    }
}

/// What a link is about, for the page that asks before it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailChange {
    pub new_email: String,
    pub end: ChangeEnd,
}

/// Where a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    WaitingForOld,
    WaitingForNew,
    Done,
}

/// Mails both ends. A change that was under way before is called off.
pub async fn start_email_change(ctx: &Context, caller: &Caller, new_email: &str) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let id = identity.user.id;
    let new_email = rules::normalize_email(new_email)
        .ok_or_else(|| Error::Invalid(vec![rules::email_problem("email")]))?;
    limits::take(ctx, limits::EMAIL_CHANGES, Of::Account(id)).await?;
    let holder = accounts::by_email(&ctx.db, &new_email).await?.filter(|holder| holder.user.id != id);
    let mut tx = ctx.db.begin().await?;
    let user = accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?.user;
    if user.email == new_email {
        let message = "This is the address you have. Enter another one.";
        return Err(Error::Invalid(vec![problem("email", "unchanged", message)]));
    }
    call_off(&mut tx, id).await?;
    let now = ctx.clock.now();
    let change = store::Waiting {
        new_email,
        // An address that was never proven may be a mistyped one: nobody could say yes there.
        old_confirmed_at: (!user.email_verified).then_some(now),
        new_confirmed_at: None,
        created_at: now,
        expires_at: now + Kind::ChangeEmailNew.lasts(),
    };
    store::begin(&mut tx, id, &change).await?;
    if change.old_confirmed_at.is_none() {
        let url = link(&mut tx, ctx, ChangeEnd::Old, &user, &change.new_email).await?;
        let message = mails::email_change_old(&change.new_email, &url);
        mails::send_to(&mut tx, ctx, &user, "email_change_old", &message).await?;
    }
    // Who holds the new address is told there, and nowhere else: the change then waits until it is over. That mail
    // is the holder's, so that it goes when their account goes.
    let (owner, kind, message) = if let Some(holder) = &holder {
        (holder.user.id, "email_is_taken", mails::email_is_taken())
    } else {
        let url = link(&mut tx, ctx, ChangeEnd::New, &user, &change.new_email).await?;
        (id, "email_change_new", mails::email_change_new(&url))
    };
    let to = mail::Recipient::nameless(&change.new_email);
    mail::send_to_account(&mut tx, ctx, owner, &to, kind, &message).await?;
    let (actor, request) = (identity.actor(), Some(identity.request));
    note(&mut tx, ctx, actor, "account.email_change_started", id, json!({}), request).await?;
    tx.commit().await?;
    Ok(())
}

/// Calls a change off. With none under way, nothing happens.
pub async fn cancel_email_change(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    let id = identity.user.id;
    let mut tx = ctx.db.begin().await?;
    accounts::lock(&mut tx, id).await?.ok_or(Error::NotFound)?;
    if stop(&mut tx, ctx, identity.actor(), id, identity.request).await? {
        tx.commit().await?;
    }
    Ok(())
}

/// What a link would do, if it is still good.
pub async fn check_email_change(ctx: &Context, token: &str) -> Result<EmailChange, Error> {
    let (end, ticket) = find(ctx, token).await?;
    let waiting = match ticket.account {
        Some(owner) => store::waiting(&ctx.db, owner, ctx.clock.now()).await?,
        None => None,
    };
    let new_email = waiting.ok_or(Error::InvalidToken)?.new_email;
    Ok(EmailChange { new_email, end })
}

/// One end says yes. The second yes makes the change.
pub async fn confirm_email_change(
    ctx: &Context,
    token: &str,
    client: &Client,
) -> Result<ChangeOutcome, Error> {
    let (end, _) = find(ctx, token).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let (ticket, account) = ticket::take_with_owner(&mut tx, ctx, end.kind(), token).await?;
    if account.locked_at.is_some() {
        return Err(Error::Locked);
    }
    let id = account.user.id;
    let mut change = store::waiting(&mut *tx, id, now).await?.ok_or(Error::InvalidToken)?;
    if ticket.data["new_email"].as_str() != Some(change.new_email.as_str()) {
        return Err(Error::InvalidToken);
    }
    match end {
        ChangeEnd::Old => change.old_confirmed_at = Some(now),
        ChangeEnd::New => change.new_confirmed_at = Some(now),
    }
    let outcome = match (change.old_confirmed_at, change.new_confirmed_at) {
        (Some(_), Some(_)) => ChangeOutcome::Done,
        (Some(_), None) => ChangeOutcome::WaitingForNew,
        (None, _) => ChangeOutcome::WaitingForOld,
    };
    if outcome == ChangeOutcome::Done {
        swap(&mut tx, ctx, &account, &change.new_email, client.request).await?;
    } else {
        store::confirm(&mut tx, id, &change).await?;
        let (actor, request) = (Actor::User(id), Some(client.request));
        note(&mut tx, ctx, actor, "account.email_change_confirmed", id, json!({}), request).await?;
    }
    tx.commit().await?;
    Ok(outcome)
}

/// Calls off what is under way for somebody, with its audit entry. False when nothing was.
pub(super) async fn stop(
    conn: &mut PgConnection,
    ctx: &Context,
    actor: Actor,
    id: UserId,
    request: RequestId,
) -> Result<bool, Error> {
    let stopped = call_off(&mut *conn, id).await?;
    if stopped {
        note(conn, ctx, actor, "account.email_change_cancelled", id, json!({}), Some(request)).await?;
    }
    Ok(stopped)
}

/// What is under way for somebody.
pub(super) async fn pending(ctx: &Context, account: UserId) -> Result<Option<PendingEmail>, Error> {
    let waiting = store::waiting(&ctx.db, account, ctx.clock.now()).await?;
    Ok(waiting.map(|waiting| PendingEmail {
        old_confirmed: waiting.old_confirmed_at.is_some(),
        new_confirmed: waiting.new_confirmed_at.is_some(),
        new_email: waiting.new_email,
        expires_at: waiting.expires_at,
    }))
}

/// Removes changes that nobody confirmed in time.
pub(super) async fn purge(ctx: &Context) -> Result<u64, sqlx::Error> {
    store::delete_expired(&ctx.db, ctx.clock.now()).await
}

async fn find(ctx: &Context, token: &str) -> Result<(ChangeEnd, ticket::Ticket), Error> {
    for end in [ChangeEnd::Old, ChangeEnd::New] {
        if let Some(ticket) = ticket::look(ctx, end.kind(), token).await? {
            return Ok((end, ticket));
        }
    }
    Err(Error::InvalidToken)
}

async fn link(
    conn: &mut PgConnection,
    ctx: &Context,
    end: ChangeEnd,
    user: &User,
    new_email: &str,
) -> Result<String, Error> {
    let data = json!({ "new_email": new_email });
    let token = ticket::issue(conn, ctx, end.kind(), Some(user.id), data).await?;
    Ok(format!("{}/email/{token}", ctx.config.http.public_url))
}

async fn call_off(conn: &mut PgConnection, id: UserId) -> Result<bool, sqlx::Error> {
    for end in [ChangeEnd::Old, ChangeEnd::New] {
        ticket::void(&mut *conn, end.kind(), id).await?;
    }
    store::end(conn, id).await
}

/// From here on the new address is the account's. Links that went to the old one open nothing any more.
async fn swap(
    conn: &mut PgConnection,
    ctx: &Context,
    before: &Account,
    new_email: &str,
    request: RequestId,
) -> Result<(), Error> {
    let user = &before.user;
    call_off(&mut *conn, user.id).await?;
    for kind in [Kind::VerifyEmail, Kind::ResetPassword] {
        ticket::void(&mut *conn, kind, user.id).await?;
    }
    store::set_email(&mut *conn, user.id, new_email, ctx.clock.now()).await.map_err(registration::taken)?;
    mails::send_to(&mut *conn, ctx, user, "email_changed", &mails::email_changed(new_email)).await?;
    note(&mut *conn, ctx, Actor::User(user.id), "account.email_changed", user.id, json!({}), Some(request))
        .await?;
    outbox::publish(conn, ctx, "account.changed", &user.id.to_string(), &json!({})).await?;
    Ok(())
}
