//! Working on what came in.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::Duration;

use super::{Handled, store};
use crate::{
    billing::{Error, Outcome, dispute, refund, settle, subscription},
    context::Context,
    contract::id::InboxId,
    db,
    integration::stripe::{self, objects::Event},
    jobs::Job,
};

/// How long messages are kept: as long as somebody may want to know what Stripe said.
const KEEP: Duration = Duration::days(120);
const PURGE_BATCH: i64 = 2_000;

/// Works on one message.
#[derive(Debug, Serialize, Deserialize)]
pub struct HandleWebhook {
    pub id: InboxId,
}

impl Job for HandleWebhook {
    const NAME: &'static str = "handle_webhook";
    /// Three days with the waits between them, as Stripe itself tries.
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(body) = store::body_waiting(&ctx.db, self.id).await? else { return Ok(()) };
        let event: Event = serde_json::from_str(&body)?;
        match handle(&ctx, &event).await {
            Ok(handled) => Ok(store::close(&ctx.db, self.id, handled.as_str(), ctx.clock.now()).await?),
            Err(error) => {
                // What it says stands on the administrators' page; the queue tries again.
                let mut words = error.to_string();
                let mut source = std::error::Error::source(&error);
                while let Some(cause) = source {
                    words.push_str(": ");
                    words.push_str(&cause.to_string());
                    source = cause.source();
                }
                store::fail(&ctx.db, self.id, &words).await?;
                Err(error.into())
            }
        }
    }
}

async fn handle(ctx: &Context, event: &Event) -> Result<Handled, Error> {
    let object = &event.data.object;
    let id = id_of(object, "id");
    let done = match event.topic.as_str() {
        topic if topic.starts_with("checkout.session.") => settle::session(ctx, id).await,
        "customer.subscription.trial_will_end" => subscription::trial_will_end(ctx, id).await,
        topic if topic.starts_with("customer.subscription.") => subscription::sync(ctx, id).await,
        "invoice.payment_failed" | "invoice.payment_action_required" => {
            subscription::payment_failed(ctx, id).await
        }
        "invoice.paid" | "invoice.payment_succeeded" => settle::invoice(ctx, id).await,
        topic if topic.starts_with("charge.dispute.") => dispute::sync(ctx, id).await,
        topic if topic.starts_with("refund.") || topic.starts_with("charge.refund.") => {
            refund::sync_charge(ctx, id_of(object, "charge")).await
        }
        "charge.refunded" => refund::sync_charge(ctx, id).await,
        _ => return Ok(Handled::Unknown),
    };
    match done {
        Ok(Outcome::Applied) => Ok(Handled::Applied),
        Ok(Outcome::NothingToDo) => Ok(Handled::NothingToDo),
        // Deleted since, or never ours.
        Err(Error::Stripe(stripe::Error::NotFound)) => Ok(Handled::Unknown),
        Err(error) => Err(error),
    }
}

/// The id in a field, whether what it names was expanded or not.
pub(super) fn id_of<'a>(object: &'a Value, field: &str) -> &'a str {
    match &object[field] {
        Value::String(id) => id,
        other => other["id"].as_str().unwrap_or_default(),
    }
}

/// Forgets what was worked off long ago.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeInbox {}

impl Job for PurgeInbox {
    const NAME: &'static str = "purge_inbox";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let before = ctx.clock.now() - KEEP;
        db::in_batches(PURGE_BATCH, |limit| store::purge(&ctx.db, before, limit)).await?;
        Ok(())
    }
}
