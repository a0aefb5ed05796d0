//! The second step of a sign-in: a code from an authenticator app, or a recovery code.
//!
//! What always holds: it is on exactly while a secret is confirmed, and until then the secret is shown to the session
//! that began it and to no other; a secret is readable only with our own secret, and a recovery code not at all; every
//! code lets in once, however many try it at the same moment. A passkey can stand in for the code, but having one does
//! not turn this on.

mod qr;
mod rules;
mod store;
mod totp;

use std::time::Duration;

use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use self::{rules::Typed, store::TotpRow};
use super::{Caller, Denied, Error, Identity, Permission, mails, note};
use crate::{
    audit::Actor,
    context::Context,
    contract::{
        account::{RecoveryCodes, TwoFactorSetup, User},
        id::UserId,
    },
    crypto::{Purpose, Sealed},
    rate_limit::{self, Limit, Verdict},
};

const RECOVERY_CODES: usize = 10;
/// How long a secret waits for its first code. Until then, looking at the page again shows its session the same one.
const SETUP_LASTS: time::Duration = time::Duration::hours(1);
const CONFIRMATIONS: Limit =
    Limit { name: "two_factor_enable", times: 10, per: Duration::from_secs(15 * 60) };

const ON_ALREADY: Error =
    Error::Conflict("Two-factor sign-in is on already. To use another app, turn it off first.");
const OFF: Error = Error::Conflict("Two-factor sign-in is off. Turn it on first.");
const RUN_OUT: Error = Error::Conflict("This set-up has run out. Set two-factor sign-in up once more.");
const UNREADABLE: Error = Error::Internal("a two-factor secret cannot be opened with the configured secret");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    pub since: Option<OffsetDateTime>,
    pub codes_left: u32,
}

/// What a code turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    Totp,
    RecoveryCode { left: u32 },
}

pub async fn status(ctx: &Context, caller: &Caller) -> Result<Status, Error> {
    let identity = caller.require(ctx, Permission::AccountRead)?;
    let (since, left) = store::status(&ctx.db, identity.user.id).await?;
    Ok(Status { since, codes_left: number(left) })
}

/// Gives out a secret to be scanned. Nothing is asked for at sign-in before [`enable`] has seen a code of it.
pub async fn begin(ctx: &Context, caller: &Caller) -> Result<TwoFactorSetup, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let session = identity.session().ok_or(Denied::Forbidden)?;
    let user = &identity.user;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    // One at a time: of two secrets made at once, one would be worthless and look just like the other.
    super::store::lock(&mut tx, user.id).await?.ok_or(Error::NotFound)?;
    let waiting = match store::totp(&mut tx, user.id).await? {
        Some(row) if row.confirmed_at.is_some() => return Err(ON_ALREADY),
        row => row.and_then(|row| waiting_here(ctx, identity, &row)),
    };
    let secret = match waiting {
        Some(secret) => secret,
        None => {
            let secret = ctx.random.bytes::<{ totp::SECRET_BYTES }>();
            let sealed =
                ctx.hashers.sealer.seal(Sealed::TotpSecret, user.id.uuid().as_bytes(), &secret, &ctx.random);
            store::put_unconfirmed(&mut tx, user.id, session, &sealed, now).await?;
            record(&mut tx, ctx, identity, "account.two_factor_begun").await?;
            secret.to_vec()
        }
    };
    tx.commit().await?;
    setup(&secret, &user.email)
}

/// What [`begin`] gave out to this session, as long as it waits for its first code.
pub async fn pending(ctx: &Context, caller: &Caller) -> Result<Option<TwoFactorSetup>, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let user = &identity.user;
    let mut conn = ctx.db.acquire().await?;
    let row = store::totp(&mut conn, user.id).await?;
    let waiting = row.and_then(|row| waiting_here(ctx, identity, &row));
    waiting.map(|secret| setup(&secret, &user.email)).transpose()
}

/// The secret that this session was given, while it can still be confirmed. One of another session is as good as none:
/// somebody else may have begun it and know it. Nor does anybody depend yet on one that is unreadable.
fn waiting_here(ctx: &Context, identity: &Identity, row: &TotpRow) -> Option<Vec<u8>> {
    let session = identity.session()?.uuid();
    let waits = row.confirmed_at.is_none()
        && row.session_id == Some(session)
        && ctx.clock.now() - row.created_at < SETUP_LASTS;
    if waits { open(ctx, identity.user.id, &row.secret_sealed) } else { None }
}

fn setup(secret: &[u8], email: &str) -> Result<TwoFactorSetup, Error> {
    let otpauth_url = totp::url(secret, email);
    let qr_svg = qr::svg(&otpauth_url).ok_or(Error::Internal("an address is too long for a QR code"))?;
    Ok(TwoFactorSetup { secret: totp::base32(secret), otpauth_url, qr_svg })
}

/// Turns it on, once a code shows that the app has the secret.
pub async fn enable(ctx: &Context, caller: &Caller, code: &str) -> Result<RecoveryCodes, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let user = &identity.user;
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, user.id.uuid().as_bytes());
    if let Verdict::Wait(retry_after) = rate_limit::take(ctx, CONFIRMATIONS, &key).await? {
        return Err(Error::TooManyTries { retry_after });
    }
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    super::store::lock(&mut tx, user.id).await?.ok_or(Error::NotFound)?;
    let row = store::totp(&mut tx, user.id).await?.ok_or(RUN_OUT)?;
    if row.confirmed_at.is_some() {
        return Err(ON_ALREADY);
    }
    let secret = waiting_here(ctx, identity, &row).ok_or(RUN_OUT)?;
    let step = match rules::read(code) {
        Some(Typed::Totp(code)) => totp::step_of(&secret, &code, now),
        Some(Typed::Recovery(_)) | None => None,
    };
    let Some(step) = step else {
        // The account is let go first, and what is recorded must outlast the refusal.
        tx.rollback().await?;
        let mut tx = ctx.db.begin().await?;
        record(&mut tx, ctx, identity, "account.two_factor_code_wrong").await?;
        tx.commit().await?;
        return Err(Error::InvalidCode);
    };
    store::confirm(&mut tx, user.id, step, now).await?;
    store::set_since(&mut tx, user.id, Some(now), now).await?;
    let codes = replace_codes(&mut tx, ctx, user.id).await?;
    mails::send_to(&mut tx, ctx, user, "two_factor_on", &mails::two_factor_on(ctx)).await?;
    record(&mut tx, ctx, identity, "account.two_factor_on").await?;
    tx.commit().await?;
    rate_limit::forget(ctx, CONFIRMATIONS, &key).await?;
    Ok(codes)
}

/// Forgets a secret that is only being set up, in the transaction of the reason for it.
pub(crate) async fn call_off(conn: &mut PgConnection, account: UserId) -> Result<(), Error> {
    Ok(store::delete_unconfirmed(conn, account).await?)
}

/// Turns it off, and forgets the secret and all recovery codes. When it is off already, nothing happens.
pub async fn disable(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let user = &identity.user;
    let mut tx = ctx.db.begin().await?;
    super::store::lock(&mut tx, user.id).await?.ok_or(Error::NotFound)?;
    let was_on = store::delete_totp(&mut tx, user.id).await?;
    if was_on {
        store::delete_codes(&mut tx, user.id).await?;
        store::set_since(&mut tx, user.id, None, ctx.clock.now()).await?;
        mails::send_to(&mut tx, ctx, user, "two_factor_off", &mails::two_factor_off(ctx)).await?;
        record(&mut tx, ctx, identity, "account.two_factor_off").await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Makes ten new recovery codes. The old ones are worthless from then on.
pub async fn new_recovery_codes(ctx: &Context, caller: &Caller) -> Result<RecoveryCodes, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let mut tx = ctx.db.begin().await?;
    let user = super::store::lock(&mut tx, identity.user.id).await?.ok_or(Error::NotFound)?.user;
    if !user.two_factor_enabled {
        return Err(OFF);
    }
    let codes = replace_codes(&mut tx, ctx, user.id).await?;
    mails::send_to(&mut tx, ctx, &user, "recovery_codes_made", &mails::recovery_codes_made(ctx)).await?;
    record(&mut tx, ctx, identity, "account.recovery_codes_made").await?;
    tx.commit().await?;
    Ok(codes)
}

/// Whether `code` is good for this account now. If so it is used up with the caller's transaction.
///
/// How often somebody may try is the caller's to limit.
pub async fn check(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
    code: &str,
) -> Result<Option<Factor>, Error> {
    // The account first, as whoever turns this off does it: otherwise the two could wait for each other.
    let Some(account) = super::store::lock(&mut *conn, account).await? else {
        return Ok(None);
    };
    match rules::read(code) {
        Some(Typed::Totp(code)) => check_totp(conn, ctx, account.user.id, &code).await,
        Some(Typed::Recovery(code)) => use_recovery_code(conn, ctx, &account.user, &code).await,
        None => Ok(None),
    }
}

async fn check_totp(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
    code: &str,
) -> Result<Option<Factor>, Error> {
    let Some(row) = store::totp(&mut *conn, account).await?.filter(|row| row.confirmed_at.is_some()) else {
        return Ok(None);
    };
    let secret = open(ctx, account, &row.secret_sealed).ok_or(UNREADABLE)?;
    let Some(step) = totp::step_of(&secret, code, ctx.clock.now()) else {
        return Ok(None);
    };
    Ok(store::accept_step(conn, account, step).await?.then_some(Factor::Totp))
}

async fn use_recovery_code(
    conn: &mut PgConnection,
    ctx: &Context,
    user: &User,
    code: &str,
) -> Result<Option<Factor>, Error> {
    let hash = code_hash(ctx, user.id, code);
    if !store::use_code(&mut *conn, user.id, &hash, ctx.clock.now()).await? {
        return Ok(None);
    }
    let left = number(store::count_codes(&mut *conn, user.id).await?);
    let message = mails::recovery_code_used(ctx, left);
    mails::send_to(&mut *conn, ctx, user, "recovery_code_used", &message).await?;
    let detail = json!({ "left": left });
    note(conn, ctx, Actor::User(user.id), "account.recovery_code_used", user.id, detail, None).await?;
    Ok(Some(Factor::RecoveryCode { left }))
}

async fn replace_codes(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
) -> Result<RecoveryCodes, Error> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| rules::recovery_code(ctx.random.bytes())).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| code_hash(ctx, account, code).to_vec()).collect();
    store::delete_codes(&mut *conn, account).await?;
    store::insert_codes(conn, account, &hashes, ctx.clock.now()).await?;
    Ok(RecoveryCodes { recovery_codes: codes.iter().map(|code| rules::shown(code)).collect() })
}

/// Under the account's id, so that equal codes of two people have nothing in common.
fn code_hash(ctx: &Context, account: UserId, code: &str) -> [u8; 32] {
    let value = [account.uuid().as_bytes().as_slice(), code.as_bytes()].concat();
    ctx.hashers.keyed(Purpose::RecoveryCode, &value)
}

fn open(ctx: &Context, account: UserId, sealed: &[u8]) -> Option<Vec<u8>> {
    ctx.hashers.sealer.open(Sealed::TotpSecret, account.uuid().as_bytes(), sealed)
}

async fn record(
    conn: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
    action: &'static str,
) -> Result<(), Error> {
    note(conn, ctx, identity.actor(), action, identity.user.id, json!({}), Some(identity.request)).await
}

fn number(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(0)
}
