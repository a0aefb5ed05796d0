//! The outbox: what happened, in the order it was committed, for whoever follows (search index, caches,
//! outgoing webhooks).
//!
//! What always holds: an event is written in the transaction of its change, so it exists exactly when the
//! change does; a reader sees every event once and in an order in which nothing appears behind it later.

pub mod relay;
mod store;

use std::time::Duration;

use serde_json::Value;
use sqlx::{PgConnection, PgPool, postgres::PgListener};
use time::OffsetDateTime;

use crate::{context::Context, db};

pub const MAX_READ: i64 = 500;
/// Notifications can be lost with a connection; asking now and then makes that harmless.
const POLL: Duration = Duration::from_secs(2);
/// How long events are kept for readers that have fallen behind or start over.
const KEEP_DAYS: i64 = 14;
const PURGE_BATCH: i64 = 10_000;

/// A place in the outbox. Opaque to readers but for its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor {
    xid: i64,
    id: i64,
}

impl Cursor {
    /// Before the first event there ever was.
    pub const START: Self = Self { xid: 0, id: 0 };
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.xid, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (xid, id) = text.split_once('.').ok_or(())?;
        Ok(Self { xid: xid.parse().map_err(|_| ())?, id: id.parse().map_err(|_| ())? })
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub cursor: Cursor,
    pub recorded_at: OffsetDateTime,
    /// `account.changed`, `extension.published`: lower-case words, a dot, what happened.
    pub topic: String,
    /// Which thing, by its id on the wire.
    pub key: String,
    pub payload: Value,
}

/// Puts an event into the caller's transaction.
pub async fn publish(
    conn: &mut PgConnection,
    ctx: &Context,
    topic: &'static str,
    key: &str,
    payload: &Value,
) -> Result<(), sqlx::Error> {
    store::insert(conn, ctx.clock.now(), topic, key, payload).await
}

/// The events after `cursor`, oldest first; fewer than `limit` when there are no more for now.
pub async fn read_after(pool: &PgPool, cursor: Cursor, limit: i64) -> Result<Vec<Event>, sqlx::Error> {
    store::read_after(pool, cursor, limit.min(MAX_READ)).await
}

/// The place behind everything there is now: where a reader starts that only wants what is new.
pub async fn end(pool: &PgPool) -> Result<Cursor, sqlx::Error> {
    store::end(pool).await
}

/// Where the durable reader of this name has come to.
pub async fn load_cursor(pool: &PgPool, reader: &str) -> Result<Option<Cursor>, sqlx::Error> {
    store::load_cursor(pool, reader).await
}

/// Keeps a durable reader's place, in the transaction of what it did with the events.
pub async fn save_cursor(
    conn: &mut PgConnection,
    ctx: &Context,
    reader: &str,
    cursor: Cursor,
) -> Result<(), sqlx::Error> {
    store::save_cursor(conn, reader, cursor, ctx.clock.now()).await
}

/// Drops what every reader has had time for.
pub async fn purge(ctx: &Context) -> Result<u64, sqlx::Error> {
    let before = ctx.clock.now() - time::Duration::days(KEEP_DAYS);
    db::in_batches(PURGE_BATCH, |limit| store::delete_before(&ctx.db, before, limit)).await
}

/// Follows the outbox on this node: waits for news, reads them in order, survives a database that goes away.
pub struct Follower {
    cursor: Cursor,
    news: News,
}

impl Follower {
    pub fn from(pool: PgPool, cursor: Cursor) -> Self {
        Self { cursor, news: News::of(pool) }
    }

    /// The next events: at least one. Errors of the database are waited out, not returned.
    pub async fn next(&mut self) -> Vec<Event> {
        loop {
            match read_after(&self.news.pool, self.cursor, MAX_READ).await {
                Ok(events) => {
                    if let Some(last) = events.last() {
                        self.cursor = last.cursor;
                        return events;
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %error, "the outbox cannot be read; trying again");
                    self.news.listener = None;
                }
            }
            self.news.wait().await;
        }
    }
}

/// The word that something was published, as this node hears of it. What is said between two waits is not missed.
struct News {
    pool: PgPool,
    listener: Option<PgListener>,
}

impl News {
    fn of(pool: PgPool) -> Self {
        Self { pool, listener: None }
    }

    /// Waits for the next word, and not for long: one may be lost with its connection.
    async fn wait(&mut self) {
        if self.listener.is_none() {
            self.listener = match PgListener::connect_with(&self.pool).await {
                Ok(mut listener) => listener.listen("outbox").await.ok().map(|()| listener),
                Err(_) => None,
            };
        }
        match &mut self.listener {
            Some(listener) => {
                if let Ok(Err(_)) = tokio::time::timeout(POLL, listener.recv()).await {
                    self.listener = None;
                    tokio::time::sleep(POLL).await;
                }
            }
            None => tokio::time::sleep(POLL).await,
        }
    }
}
