//! Tickets: something that may be done once, soon, by whoever holds the token.
//!
//! What always holds: only a keyed hash of the token is stored; a ticket is good for one kind of thing and until
//! its time; taking it deletes it, so of two who present the same token one is let through.

mod store;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{
    Error,
    store::{self as accounts, Account},
};
use crate::{context::Context, contract::id::UserId, crypto::Purpose};

/// Longer than any token of ours: not worth hashing.
const MAX_TOKEN_BYTES: usize = 128;
const PURGE_BATCH: i64 = 5_000;

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    VerifyEmail,
    ResetPassword,
    /// A change of address, confirmed at the address there is,
    ChangeEmailOld,
    /// and at the one there is to be.
    ChangeEmailNew,
    /// The password was right; a second proof is due.
    SecondStep,
    PasskeyRegistration,
    PasskeySignIn,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmailOld => "change_email_old",
            Self::ChangeEmailNew => "change_email_new",
            Self::SecondStep => "second_step",
            Self::PasskeyRegistration => "passkey_registration",
            Self::PasskeySignIn => "passkey_sign_in",
        }
    }

    /// How long it is good. The mails that carry one say so.
    pub const fn lasts(self) -> Duration {
        match self {
            Self::VerifyEmail | Self::ChangeEmailOld | Self::ChangeEmailNew => Duration::hours(24),
            Self::ResetPassword => Duration::minutes(30),
            Self::SecondStep | Self::PasskeyRegistration | Self::PasskeySignIn => Duration::minutes(10),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    pub account: Option<UserId>,
    pub data: Value,
    pub created_at: OffsetDateTime,
}

/// Makes a ticket. The token it answers with is not kept anywhere.
pub async fn issue(
    conn: &mut PgConnection,
    ctx: &Context,
    kind: Kind,
    account: Option<UserId>,
    data: Value,
) -> Result<String, sqlx::Error> {
    let now = ctx.clock.now();
    let token = URL_SAFE_NO_PAD.encode(ctx.random.bytes::<32>());
    let new = store::NewTicket {
        id: ctx.random.uuid_v7(now),
        kind: kind.as_str(),
        token_hash: hash(ctx, &token),
        account: account.map(UserId::uuid),
        data,
        created_at: now,
        expires_at: now + kind.lasts(),
    };
    store::insert(conn, &new).await?;
    Ok(token)
}

/// The ticket with this token, if it is good. It stays good.
pub async fn look(ctx: &Context, kind: Kind, token: &str) -> Result<Option<Ticket>, sqlx::Error> {
    if token.len() > MAX_TOKEN_BYTES {
        return Ok(None);
    }
    store::find(&ctx.db, kind.as_str(), &hash(ctx, token), ctx.clock.now()).await
}

/// The ticket with this token, if it is good; from the commit on it is not any more.
pub async fn take(
    conn: &mut PgConnection,
    ctx: &Context,
    kind: Kind,
    token: &str,
) -> Result<Option<Ticket>, sqlx::Error> {
    if token.len() > MAX_TOKEN_BYTES {
        return Ok(None);
    }
    store::take(conn, kind.as_str(), &hash(ctx, token), ctx.clock.now()).await
}

/// The ticket as [`take`] gives it, with the account it belongs to, locked for what the ticket allows. The account
/// comes first, as in every other change of it, so that no two of them wait for each other.
pub(crate) async fn take_with_owner(
    conn: &mut PgConnection,
    ctx: &Context,
    kind: Kind,
    token: &str,
) -> Result<(Ticket, Account), Error> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Error::InvalidToken);
    }
    let found = store::find(&mut *conn, kind.as_str(), &hash(ctx, token), ctx.clock.now()).await?;
    let owner = found.and_then(|found| found.account).ok_or(Error::InvalidToken)?;
    let account = accounts::lock(&mut *conn, owner).await?;
    let account = account.filter(|account| account.deleted_at.is_none()).ok_or(Error::InvalidToken)?;
    let ticket = take(conn, ctx, kind, token).await?.ok_or(Error::InvalidToken)?;
    Ok((ticket, account))
}

/// Ends every ticket of this kind that somebody has.
pub async fn void(conn: &mut PgConnection, kind: Kind, account: UserId) -> Result<(), sqlx::Error> {
    store::void(conn, kind.as_str(), account.uuid()).await
}

/// Removes tickets whose time is over.
pub async fn purge(ctx: &Context) -> Result<u64, sqlx::Error> {
    let mut removed = 0;
    loop {
        let batch = store::delete_expired(&ctx.db, ctx.clock.now(), PURGE_BATCH).await?;
        removed += batch;
        if batch < PURGE_BATCH.unsigned_abs() {
            return Ok(removed);
        }
    }
}

fn hash(ctx: &Context, token: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::Ticket, token.as_bytes())
}
