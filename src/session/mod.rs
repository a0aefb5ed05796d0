//! Browser sessions: tower-sessions over our own table, so that a person can see where they are signed in and
//! end any of it.
//!
//! What always holds: the cookie's value is never stored, only its keyed hash; a session past its idle or its
//! absolute time is as good as gone, whether or not the purge has come by.

mod store;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

use crate::{
    audit,
    config::Config,
    context::Context,
    contract::{
        account::Session,
        id::{SessionId, UserId},
    },
    crypto::Purpose,
    jobs::Job,
};

/// Keys inside a session's data that the store lifts into columns.
pub const KEY_ACCOUNT: &str = "account";
pub const KEY_DEVICE: &str = "device";

/// How stale `last_seen_at` may be: a write per request would cost more than the reads.
const SEEN_EVERY: time::Duration = time::Duration::minutes(5);
const PURGE_BATCH: i64 = 5_000;

/// The cookie's name. Browsers keep the `__Host-` promise only over https, so plain http has another name.
pub fn cookie_name(config: &Config) -> &'static str {
    if config.http.is_https() { "__Host-session" } else { "session" }
}

/// The keyed hash under which the session with this cookie value is stored.
pub fn token_hash(ctx: &Context, cookie_value: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::SessionToken, cookie_value.as_bytes())
}

/// When a session that is used at `now` ends if it is not used again.
pub fn idle_end(ctx: &Context, now: OffsetDateTime) -> OffsetDateTime {
    now + ctx.config.security.session_idle
}

#[derive(Clone)]
pub struct PostgresSessions(Arc<Context>);

impl PostgresSessions {
    pub fn new(ctx: &Context) -> Self {
        Self(Arc::new(ctx.clone()))
    }
}

impl std::fmt::Debug for PostgresSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresSessions")
    }
}

fn backend(error: impl std::fmt::Display) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for PostgresSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // Never the id that came with the request: somebody else could have planted it.
        record.id = Id::default();
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let ctx = &*self.0;
        let now = ctx.clock.now();
        let account = record.data.get(KEY_ACCOUNT).and_then(Value::as_str);
        let account = account
            .map(str::parse::<UserId>)
            .transpose()
            .map_err(|error| session_store::Error::Encode(error.to_string()))?;
        let device = record.data.get(KEY_DEVICE).and_then(Value::as_str).unwrap_or_default();
        let saved = store::Saved {
            id: ctx.random.uuid_v7(now),
            token_hash: token_hash(ctx, &record.id.to_string()),
            account_id: account.map(UserId::uuid),
            device: device.chars().take(120).collect(),
            data: serde_json::to_value(&record.data)
                .map_err(|error| session_store::Error::Encode(error.to_string()))?,
            // The cookie lives as long as a session may; unused, the session itself ends sooner.
            expires_at: record.expiry_date.min(idle_end(ctx, now)),
        };
        store::upsert(&ctx.db, &saved, now).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let ctx = &*self.0;
        let now = ctx.clock.now();
        let oldest = now - ctx.config.security.session_absolute;
        let hash = token_hash(ctx, &id.to_string());
        let Some(loaded) = store::load(&ctx.db, &hash, now, oldest).await.map_err(backend)? else {
            return Ok(None);
        };
        let data = serde_json::from_value(loaded.data)
            .map_err(|error| session_store::Error::Decode(error.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date: loaded.expires_at }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let ctx = &*self.0;
        store::delete_by_hash(&ctx.db, &token_hash(ctx, &id.to_string())).await.map_err(backend)
    }
}

/// Notes that a session was used, when the last note is old enough.
pub async fn touch(ctx: &Context, id: SessionId, last_seen_at: OffsetDateTime) -> Result<(), sqlx::Error> {
    let now = ctx.clock.now();
    if now - last_seen_at < SEEN_EVERY {
        return Ok(());
    }
    store::touch(&ctx.db, id.uuid(), now, idle_end(ctx, now)).await
}

/// Where this person is signed in, last used first.
pub async fn list(
    ctx: &Context,
    owner: UserId,
    current: Option<SessionId>,
) -> Result<Vec<Session>, sqlx::Error> {
    let now = ctx.clock.now();
    let rows =
        store::list(&ctx.db, owner.uuid(), now, now - ctx.config.security.session_absolute, 100).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let id = SessionId::from_uuid(row.id);
            Session {
                id,
                device: row.device,
                current: current == Some(id),
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
            }
        })
        .collect())
}

/// Ends one session of `owner`. False when it is not theirs or not there: the two look the same.
pub async fn end(ctx: &Context, owner: UserId, id: SessionId) -> Result<bool, audit::Error> {
    let mut tx = ctx.db.begin().await?;
    if !store::delete_owned(&mut tx, owner.uuid(), id.uuid()).await? {
        return Ok(false);
    }
    let subject_id = id.to_string();
    let entry = audit::Entry {
        actor: audit::Actor::User(owner),
        action: "session.ended",
        subject_kind: "session",
        subject_id: &subject_id,
        detail: json!({}),
        request_id: None,
    };
    audit::record(&mut tx, ctx, entry).await?;
    tx.commit().await?;
    Ok(true)
}

/// Removes sessions that have ended by time.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeSessions {}

impl Job for PurgeSessions {
    const NAME: &'static str = "purge_sessions";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        let oldest = now - ctx.config.security.session_absolute;
        let removed = store::delete_expired(&ctx.db, now, oldest, PURGE_BATCH).await?;
        if removed > 0 {
            tracing::info!(removed, "ended sessions were removed");
        }
        Ok(())
    }
}
