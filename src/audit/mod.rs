//! The audit log: who did what to which thing, written in the transaction of the change.
//!
//! What always holds: an entry is never changed or removed (the database refuses), and every entry is chained
//! to the one before it by its hash, a moment after its transaction commits. [`verify`] walks the chain.

mod check;
mod reading;
mod store;

use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    context::Context,
    contract::id::{AuditId, RequestId, UserId},
    crypto,
};

pub(crate) use self::reading::of_thing;
pub use self::{
    check::{Break, Check, CheckAudit, last_check, request_check},
    reading::{AuditItem, AuditPage, Filter, list, of_subject},
};

/// How many entries one round of sealing takes at the most.
const SEAL_BATCH: i64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    Anonymous,
    User(UserId),
    System,
}

impl Actor {
    const fn kind(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }

    const fn id(self) -> Option<Uuid> {
        match self {
            Self::User(id) => Some(id.uuid()),
            Self::Anonymous | Self::System => None,
        }
    }
}

/// One thing that was done. `detail` never holds a secret, and no more about a person than is needed.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    pub actor: Actor,
    pub action: &'static str,
    pub subject_kind: &'static str,
    pub subject_id: &'a str,
    pub detail: Value,
    pub request_id: Option<RequestId>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the audit log cannot be written or read")]
    Database(#[from] sqlx::Error),
    #[error("the audit log was tampered with at entry {sequence}: {what}")]
    Broken { sequence: i64, what: &'static str },
}

pub async fn record(conn: &mut PgConnection, ctx: &Context, entry: Entry<'_>) -> Result<AuditId, Error> {
    let now = ctx.clock.now();
    let id = ctx.random.uuid_v7(now);
    store::insert(conn, id, now, &entry).await?;
    Ok(AuditId::from_uuid(id))
}

/// Chains what has been committed since the last round. Of several nodes one seals at a time.
pub async fn seal(ctx: &Context) -> Result<usize, Error> {
    let mut tx = ctx.db.begin().await?;
    if !store::try_lock_sealing(&mut tx).await? {
        return Ok(0);
    }
    let unsealed = store::take_unsealed(&mut tx, SEAL_BATCH).await?;
    if unsealed.is_empty() {
        return Ok(0);
    }
    let (mut sequence, mut previous) = store::head(&mut tx).await?;
    let mut seals = Vec::with_capacity(unsealed.len());
    for event in &unsealed {
        sequence += 1;
        let hash = chain_hash(&previous, sequence, event);
        seals.push(store::Seal {
            sequence,
            event_id: event.id,
            event_recorded_at: event.recorded_at,
            previous_hash: previous,
            hash,
        });
        previous = hash;
    }
    store::insert_seals(&mut tx, &seals).await?;
    tx.commit().await?;
    Ok(seals.len())
}

/// What a walk over the whole chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    pub sealed: i64,
    pub unsealed: i64,
}

/// Recomputes every hash. An entry that was changed, removed or put in between breaks the chain.
pub async fn verify(pool: &PgPool) -> Result<Verified, Error> {
    let mut sequence = 0;
    let mut previous = [0; 32];
    loop {
        let page = store::sealed_after(pool, sequence, SEAL_BATCH).await?;
        if page.is_empty() {
            break;
        }
        for (seal, event) in page {
            sequence += 1;
            let broken = |what| Err(Error::Broken { sequence, what });
            if seal.sequence != sequence {
                return broken("a link of the chain is missing");
            }
            let Some(event) = event else {
                return broken("the entry is gone");
            };
            if seal.previous_hash != previous {
                return broken("it does not follow the entry before it");
            }
            if chain_hash(&previous, sequence, &event) != seal.hash {
                return broken("its content was changed");
            }
            previous = seal.hash;
        }
    }
    // The walk ends where the chain does: links taken off its end leave entries that nothing accounts for.
    if store::count_unaccounted(pool).await? > 0 {
        return Err(Error::Broken {
            sequence: sequence + 1,
            what: "links were taken off the end of the chain",
        });
    }
    Ok(Verified { sealed: sequence, unsealed: store::count_unsealed(pool).await? })
}

/// Makes sure that the partitions of the coming months exist.
pub async fn ensure_partitions(pool: &PgPool) -> Result<(), Error> {
    store::ensure_partitions(pool).await.map_err(Error::from)
}

/// An entry as it was stored; what the chain covers.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    pub id: Uuid,
    pub recorded_at: OffsetDateTime,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    /// As PostgreSQL prints it, so that no library's way of writing JSON is part of the chain.
    pub detail: String,
    pub request_id: Option<Uuid>,
}

/// Every part is preceded by its length: no two different entries give the same bytes.
fn chain_hash(previous: &[u8; 32], sequence: i64, event: &StoredEvent) -> [u8; 32] {
    let micros = event.recorded_at.unix_timestamp_nanos() / 1_000;
    let actor_id = event.actor_id.map_or_else(String::new, |id| id.to_string());
    let request_id = event.request_id.map_or_else(String::new, |id| id.to_string());
    let mut bytes = previous.to_vec();
    for part in [
        &sequence.to_string(),
        &event.id.to_string(),
        &micros.to_string(),
        &event.actor_kind,
        &actor_id,
        &event.action,
        &event.subject_kind,
        &event.subject_id,
        &event.detail,
        &request_id,
    ] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    crypto::sha256(&bytes)
}
