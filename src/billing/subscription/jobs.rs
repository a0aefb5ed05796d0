//! The daily round over payments that are due.

use serde::{Deserialize, Serialize};

use super::{dunning, rules::Stage, store, sync::sync};
use crate::{
    context::Context,
    contract::id::{SubscriptionId, UserId},
    jobs::Job,
};

const BATCH: i64 = 100;

/// Writes the mails about payments that are due, and switches off what was not paid for in time. Runs by the schedule,
/// every day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Dunning {}

impl Job for Dunning {
    const NAME: &'static str = "dunning";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        if ctx.stripe.is_none() {
            return Ok(());
        }
        let now = ctx.clock.now();
        let (mut last, mut failed) = (None, None);
        loop {
            let batch = store::past_due(&ctx.db, last, BATCH).await?;
            let Some(end) = batch.last() else { break };
            last = Some(end.id);
            for details in &batch {
                let state = &details.state;
                let due = state
                    .past_due_since
                    .zip(state.grace_until)
                    .is_some_and(|(since, until)| Stage::at(since, until, now).number() > state.told.stage);
                if !due {
                    continue;
                }
                // One that cannot be asked about must not keep the others waiting.
                if let Err(error) = dunning::chase(&ctx, &details.stripe_id).await {
                    tracing::warn!(subscription = %details.id, error = %error, "a payment that is due could not be followed up");
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Ends what somebody pays for when they leave: nobody is charged for an account that is gone.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct EndWithAccount {
    pub account: UserId,
    pub when: Leaving,
}

/// How far the leaving has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// It was asked for: nothing is renewed. Who thinks again can take that back.
    Asked,
    /// The account is gone.
    Gone,
}

impl Job for EndWithAccount {
    const NAME: &'static str = "end_subscriptions_with_account";
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(stripe) = &ctx.stripe else { return Ok(()) };
        for details in store::running_of(&ctx.db, self.account).await? {
            let id = &details.stripe_id;
            match self.when {
                Leaving::Asked if details.state.cancel_at_period_end => continue,
                Leaving::Asked => {
                    let changes = store::changes(&ctx.db, details.id).await?;
                    let key = format!("subscription-{}-leaving-{changes}", details.id);
                    if let Err(error) = stripe.set_cancel_at_period_end(id, true, &key).await {
                        // It may have ended in this very moment, such as with the account itself.
                        sync(&ctx, id).await?;
                        let now = store::by_id(&ctx.db, details.id).await?;
                        if now.is_some_and(|now| now.state.is_running()) {
                            return Err(error.into());
                        }
                        continue;
                    }
                }
                Leaving::Gone => {
                    stripe.cancel_now(id, &format!("subscription-{}-gone", details.id)).await?;
                }
            }
            sync(&ctx, id).await?;
        }
        Ok(())
    }
}

/// Ends one subscription at once, because its money went back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct EndSubscription {
    pub id: SubscriptionId,
}

impl Job for EndSubscription {
    const NAME: &'static str = "end_subscription";
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(details) = store::by_id(&ctx.db, self.id).await? else { return Ok(()) };
        if details.state.is_running() {
            ctx.stripe()?.cancel_now(&details.stripe_id, &format!("subscription-{}-end", self.id)).await?;
            sync(&ctx, &details.stripe_id).await?;
        }
        Ok(())
    }
}
