//! What Stripe tells us.
//!
//! What always holds: a message is taken only with a good signature over its raw bytes; it is kept, once, before Stripe
//! is answered; what is done on it is done by a job, as often as it takes. Its content is a hint only: the thing it is
//! about is read anew, so messages that come twice, late, in any order, or of a kind we do not know do no harm. So only
//! ids of it are kept, and nothing that says something about a person.

mod jobs;
mod store;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

pub use self::{
    jobs::{HandleWebhook, PurgeInbox},
    store::{InboxFigures, InboxItem},
};
use super::{By, Error, note};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::id::InboxId,
    integration::stripe::{objects::Event, signature},
};

const SOURCE: &str = "stripe";
pub const MAX_LIST: i64 = 50;
/// The fields of an object that are kept, each an id or a word of Stripe's.
const KEPT: [&str; 6] = ["id", "object", "charge", "payment_intent", "subscription", "customer"];

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error("the signature is not good")]
    Signature(#[from] signature::SignatureError),
    #[error("it is signed and is no event")]
    Unreadable(#[from] serde_json::Error),
    #[error(transparent)]
    Billing(#[from] Error),
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Delivered,
    /// Found missing by reconciling.
    Fetched,
}

impl Origin {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Fetched => "fetched",
        }
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    Applied,
    NothingToDo,
    /// Of a kind, or about a thing, that is none of ours.
    Unknown,
}

impl Handled {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::NothingToDo => "nothing_to_do",
            Self::Unknown => "unknown",
        }
    }
}

/// Takes a message in. When this comes back well it is kept, and will be worked on.
pub async fn receive(ctx: &Context, signature: Option<&str>, body: &[u8]) -> Result<(), ReceiveError> {
    let secrets = &ctx.config.payments.stripe_webhook_secrets;
    if let Err(error) = signature::verify(secrets, signature, body, ctx.clock.now()) {
        metrics::counter!("devforge_webhooks_refused_total", "source" => SOURCE).increment(1);
        return Err(error.into());
    }
    let event: Event = serde_json::from_slice(body)?;
    let kept = keep(ctx, &event, Origin::Delivered).await?;
    let outcome = if kept { "kept" } else { "known" };
    metrics::counter!("devforge_webhooks_total", "source" => SOURCE, "outcome" => outcome).increment(1);
    Ok(())
}

/// Takes in an event that was read from Stripe's list. True when it had been missing.
pub async fn fetched(ctx: &Context, event: &Event) -> Result<bool, Error> {
    keep(ctx, event, Origin::Fetched).await
}

async fn keep(ctx: &Context, event: &Event, origin: Origin) -> Result<bool, Error> {
    let now = ctx.clock.now();
    let new = store::NewItem {
        id: InboxId::from_uuid(ctx.random.uuid_v7(now)),
        source: SOURCE,
        event_id: &event.id,
        topic: &event.topic,
        occurred_at: OffsetDateTime::from_unix_timestamp(event.created).unwrap_or(now),
        received_at: now,
        body: &essence(event).to_string(),
        origin: origin.as_str(),
    };
    let mut tx = ctx.db.begin().await?;
    let kept = store::insert(&mut tx, &new).await?;
    if kept {
        crate::jobs::enqueue(&mut tx, &HandleWebhook { id: new.id }).await?;
    }
    tx.commit().await?;
    Ok(kept)
}

/// What of an event is kept: which it is, and the ids that it names.
fn essence(event: &Event) -> Value {
    let ids: Map<String, Value> = KEPT
        .into_iter()
        .map(|field| (field.to_owned(), jobs::id_of(&event.data.object, field)))
        .filter(|(_, id)| !id.is_empty())
        .map(|(field, id)| (field, json!(id)))
        .collect();
    json!({ "id": event.id, "type": event.topic, "created": event.created, "data": { "object": ids } })
}

/// Which messages a list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub topic: String,
    /// Only those that were not worked off yet.
    pub waiting: Option<Waiting>,
    pub before: Option<InboxId>,
}

/// Marks the choice of messages that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting;

/// Newest first.
pub async fn list(ctx: &Context, caller: &Caller, filter: &Filter) -> Result<Vec<InboxItem>, Error> {
    caller.require(ctx, Permission::PaymentsRead)?;
    Ok(store::list(&ctx.db, filter, MAX_LIST).await?)
}

pub async fn figures(ctx: &Context, caller: &Caller) -> Result<InboxFigures, Error> {
    caller.require(ctx, Permission::PaymentsRead)?;
    Ok(store::figures(&ctx.db).await?)
}

/// One message with what is kept of it.
pub async fn find(ctx: &Context, caller: &Caller, id: InboxId) -> Result<(InboxItem, String), Error> {
    caller.require(ctx, Permission::PaymentsRead)?;
    let item = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let body = store::body(&ctx.db, id).await?.unwrap_or_default();
    Ok((item, body))
}

/// Works on a message again.
pub async fn replay(ctx: &Context, caller: &Caller, id: InboxId) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::PaymentsManage)?;
    let mut tx = ctx.db.begin().await?;
    if !store::reopen(&mut tx, id).await? {
        return Err(Error::NotFound);
    }
    crate::jobs::enqueue(&mut tx, &HandleWebhook { id }).await?;
    let subject = ("webhook", id.to_string());
    note(&mut tx, ctx, By::from(identity), "webhook.replayed", subject, json!({})).await?;
    tx.commit().await?;
    Ok(())
}
