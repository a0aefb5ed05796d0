//! Where people are signed in: one row for each browser with its cookie and each program with its tokens, so that
//! they can see them all and end any.
//!
//! What always holds: neither a cookie's nor a token's value is stored, only its keyed hash; a session past its
//! idle or its absolute time is as good as gone, whether or not the purge has come by; every sign-in makes a new
//! session, and every new proof of who one is a new cookie.

mod devices;
mod reader;
mod store;
mod tokens;
mod viewing;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use self::devices::Device;
pub(crate) use self::devices::{forget_devices, keep_only_device, known_device};
pub use self::{
    devices::is_device_cookie,
    reader::{Reader, SignedIn, touch},
    tokens::{ACCESS_FOR, AccessClaims, access_session, refresh},
    viewing::{VIEWING_FOR, stop_viewing, view_as},
};
use crate::{
    account::{self, Caller, Client, Denied, Error, Identity, Permission, note, place},
    audit,
    config::Config,
    context::Context,
    contract::{
        account::{Session, SessionKind, TokenPair, User},
        id::{SessionId, UserId},
    },
    crypto::Purpose,
    jobs::Job,
    mail,
};

/// A session that is not to be remembered ends after so long without use, and after so long in all.
const SHORT_IDLE: Duration = Duration::hours(12);
const SHORT_ABSOLUTE: Duration = Duration::hours(24);
/// A device not used for so long is a new one again.
const DEVICE_KEPT: Duration = Duration::days(400);
const MAX_LISTED: i64 = 100;
const PURGE_BATCH: i64 = 5_000;

/// The cookie's name. Browsers keep the `__Host-` promise only over https, so plain http has another name.
pub fn cookie_name(config: &Config) -> &'static str {
    if config.http.is_https() { "__Host-session" } else { "session" }
}

/// The cookie by which a browser is known again after signing out.
pub fn device_cookie_name(config: &Config) -> &'static str {
    if config.http.is_https() { "__Host-device" } else { "device" }
}

/// The keyed hash under which the session with this cookie value is stored.
pub fn token_hash(ctx: &Context, cookie_value: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::SessionToken, cookie_value.as_bytes())
}

/// A program's session has no cookie: it is found by its own id, which its access token carries.
fn api_hash(ctx: &Context, id: SessionId) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::ApiSession, id.uuid().as_bytes())
}

/// A browser is signed in: what its cookies are to say from now on.
#[derive(Debug, Clone)]
pub struct Opened {
    pub session: SessionId,
    /// The session cookie's value.
    pub cookie: String,
    /// Whether the cookie outlives the browser's window.
    pub remember: bool,
    /// The device cookie's value.
    pub device: Option<String>,
}

/// When a session that was begun at `created_at` and used at `now` ends if it is not used again.
fn end_of(
    ctx: &Context,
    remembered: bool,
    created_at: OffsetDateTime,
    now: OffsetDateTime,
) -> OffsetDateTime {
    let security = &ctx.config.security;
    let (idle_end, last) = if remembered {
        (now + security.session_idle, created_at + security.session_absolute)
    } else {
        (now + SHORT_IDLE, created_at + SHORT_ABSOLUTE)
    };
    idle_end.min(last)
}

/// 256 bits that nobody guesses.
fn secret(ctx: &Context) -> String {
    URL_SAFE_NO_PAD.encode(ctx.random.bytes::<32>())
}

/// Signs a browser in, in the transaction of the proof.
pub(crate) async fn open_browser(
    conn: &mut PgConnection,
    ctx: &Context,
    user: &User,
    client: &Client,
    method: &'static str,
    remember: bool,
) -> Result<Opened, Error> {
    let cookie = secret(ctx);
    let device = client.known_device.clone().unwrap_or_else(|| secret(ctx));
    let session =
        begin(conn, ctx, user, client, method, remember, SessionKind::Browser, |_| token_hash(ctx, &cookie))
            .await?;
    devices::meet(conn, ctx, user, client, &Device::Browser(device.clone())).await?;
    Ok(Opened { session, cookie, remember, device: Some(device) })
}

/// A program is signed in, as soon as the transaction commits.
#[derive(Debug)]
pub(crate) struct OpenedApi {
    user: UserId,
    session: SessionId,
    refresh_token: String,
}

impl OpenedApi {
    /// What the program is told. For after the commit.
    pub(crate) async fn tokens(self, ctx: &Context) -> Result<TokenPair, Error> {
        tokens::pair(ctx, self.user, self.session, self.refresh_token).await
    }
}

/// Signs a program in, in the transaction of the proof.
pub(crate) async fn open_api(
    conn: &mut PgConnection,
    ctx: &Context,
    user: &User,
    client: &Client,
    method: &'static str,
) -> Result<OpenedApi, Error> {
    let session =
        begin(conn, ctx, user, client, method, true, SessionKind::Api, |id| api_hash(ctx, id)).await?;
    devices::meet(conn, ctx, user, client, &Device::program(client)).await?;
    let refresh_token = tokens::first(conn, ctx, session).await?;
    Ok(OpenedApi { user: user.id, session, refresh_token })
}

#[expect(clippy::too_many_arguments, reason = "one place that knows all of a new session")]
async fn begin(
    conn: &mut PgConnection,
    ctx: &Context,
    user: &User,
    client: &Client,
    method: &'static str,
    remembered: bool,
    kind: SessionKind,
    hash: impl FnOnce(SessionId) -> [u8; 32],
) -> Result<SessionId, Error> {
    let now = ctx.clock.now();
    let id = SessionId::from_uuid(ctx.random.uuid_v7(now));
    let new = store::NewSession {
        id: id.uuid(),
        token_hash: hash(id),
        account: user.id.uuid(),
        kind: kind.as_str(),
        device: &client.device,
        address: &client.address,
        country: client.country.as_deref(),
        remembered,
        method,
        expires_at: end_of(ctx, remembered, now, now),
    };
    store::insert(conn, &new, now).await?;
    metrics::counter!("devforge_sign_ins_total", "outcome" => "signed_in", "method" => method).increment(1);
    let detail = json!({ "method": method, "kind": kind.as_str() });
    note(conn, ctx, audit::Actor::User(user.id), "account.signed_in", user.id, detail, Some(client.request))
        .await?;
    Ok(id)
}

/// The same session with a new proof of who is there, under a new cookie.
pub(crate) async fn renew(
    conn: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
) -> Result<Opened, Error> {
    let session = identity.session().ok_or(Denied::Forbidden)?;
    let cookie = secret(ctx);
    let remember = store::renew(conn, session.uuid(), &token_hash(ctx, &cookie), ctx.clock.now()).await?;
    let remember = remember.ok_or(Denied::Unauthenticated)?;
    Ok(Opened { session, cookie, remember, device: None })
}

/// Where the caller is signed in, last used first.
pub async fn list(ctx: &Context, caller: &Caller) -> Result<Vec<Session>, Error> {
    let identity = caller.require(ctx, Permission::AccountRead)?;
    of_account(ctx, identity.user.id, identity.session()).await
}

/// Where somebody is signed in. Who may ask is for the caller of this to decide.
pub(crate) async fn of_account(
    ctx: &Context,
    owner: UserId,
    current: Option<SessionId>,
) -> Result<Vec<Session>, Error> {
    let now = ctx.clock.now();
    let oldest = now - ctx.config.security.session_absolute;
    let rows = store::list(&ctx.db, owner.uuid(), now, oldest, MAX_LISTED).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let id = SessionId::from_uuid(row.id);
            Session {
                id,
                place: place(row.country.as_deref(), &row.address),
                device: row.device,
                kind: if row.kind == "api" { SessionKind::Api } else { SessionKind::Browser },
                current: current == Some(id),
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
            }
        })
        .collect())
}

/// Ends one of the caller's sessions. False when it is not theirs or not there: the two look the same.
pub async fn end(ctx: &Context, caller: &Caller, id: SessionId) -> Result<bool, Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    let mut tx = ctx.db.begin().await?;
    if !store::delete_owned(&mut tx, identity.user.id.uuid(), id.uuid()).await? {
        return Ok(false);
    }
    record_end(&mut tx, ctx, identity, id).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends all of the caller's sessions but the one that asks. How many there were.
pub async fn end_others(ctx: &Context, caller: &Caller) -> Result<u64, Error> {
    let identity = caller.require(ctx, Permission::AccountWrite)?;
    let mut tx = ctx.db.begin().await?;
    let ended = end_all(&mut tx, ctx, identity.user.id, identity.session()).await?;
    let (actor, request) = (identity.actor(), Some(identity.request));
    note(&mut tx, ctx, actor, "account.sessions_ended", identity.user.id, json!({ "count": ended }), request)
        .await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends every session of somebody, in the transaction of the reason for it.
pub async fn end_all(
    conn: &mut PgConnection,
    _: &Context,
    owner: UserId,
    except: Option<SessionId>,
) -> Result<u64, sqlx::Error> {
    store::delete_all(conn, owner.uuid(), except.map(SessionId::uuid)).await
}

/// Ends the session that asks. Nobody who is not signed in is worse off for asking.
pub async fn sign_out(ctx: &Context, caller: &Caller) -> Result<(), Error> {
    let Some((identity, id)) = caller.identity().and_then(|identity| Some((identity, identity.session()?)))
    else {
        return Ok(());
    };
    let mut tx = ctx.db.begin().await?;
    if store::delete(&mut tx, id.uuid()).await? {
        record_end(&mut tx, ctx, identity, id).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn record_end(
    conn: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
    id: SessionId,
) -> Result<(), Error> {
    let subject_id = id.to_string();
    let entry = audit::Entry {
        actor: identity.actor(),
        action: "session.ended",
        subject_kind: "session",
        subject_id: &subject_id,
        detail: json!({}),
        request_id: Some(identity.request),
    };
    audit::record(conn, ctx, entry).await?;
    Ok(())
}

/// Somebody presented a token that was used long before: it was copied, by them or from them.
async fn end_family(
    conn: &mut PgConnection,
    ctx: &Context,
    presented: &store::Presented,
    client: &Client,
) -> Result<(), Error> {
    let owner = &presented.user;
    store::delete(conn, presented.session).await?;
    let detail = json!({ "session": SessionId::from_uuid(presented.session) });
    let actor = audit::Actor::Anonymous;
    note(conn, ctx, actor, "session.refresh_reused", owner.id, detail, Some(client.request)).await?;
    let security = format!("{}/account/security", ctx.config.http.public_url);
    let message: mail::Message = account::mails::refresh_reused(&presented.device, &security);
    account::mails::send_to(conn, ctx, owner, "refresh_reused", &message).await
}

/// Removes sessions that have ended by time, and devices nobody uses any more.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeSessions {}

impl Job for PurgeSessions {
    const NAME: &'static str = "purge_sessions";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        let oldest = now - ctx.config.security.session_absolute;
        let sessions = store::delete_expired(&ctx.db, now, oldest, PURGE_BATCH).await?;
        let devices = store::delete_old_devices(&ctx.db, now - DEVICE_KEPT, PURGE_BATCH).await?;
        let tickets = account::ticket::purge(&ctx).await?;
        if sessions + devices + tickets > 0 {
            tracing::info!(sessions, devices, tickets, "what had ended was removed");
        }
        Ok(())
    }
}
