//! Sending mail, and forgetting what it said.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use time::Duration;

use super::{MailId, MailState, StoredMail, SuppressionReason, key, store, transport::Failure};
use crate::{context::Context, jobs::Job};

/// How long we can still tell someone what a mail said.
pub const KEEP_BODIES: Duration = Duration::days(90);

/// Mails whose bodies one statement deletes, and how many such statements one run makes.
const PURGE_BATCH: i64 = 1_000;
const PURGE_BATCHES: usize = 50;

/// Sends one mail. A mail that is not queued any more is left alone, so running twice sends once. When the
/// attempts are used up, the mail stays queued beside the dead job, and reviving the job tries again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SendMail {
    pub id: MailId,
}

impl Job for SendMail {
    const NAME: &'static str = "send_mail";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(mail) = store::find(&ctx.db, self.id).await?.filter(|mail| mail.state == MailState::Queued)
        else {
            return Ok(());
        };
        // In the outbox of development, the row is the only place where a mail can be read.
        let keep = ctx.mail.is_outbox() || !mail.sensitive;
        if let Some(reason) = store::suppression(&ctx.db, &key(&mail.to_address)).await? {
            tracing::info!(mail = %self.id, %reason, "a mail to a suppressed address is not sent");
            store::ended(&ctx.db, self.id, MailState::Suppressed, &reason, keep).await?;
            return Ok(());
        }
        let (Some(html), Some(text)) = (&mail.html, &mail.text) else {
            let reason = "its text was deleted before it could be sent";
            store::ended(&ctx.db, self.id, MailState::Failed, reason, keep).await?;
            return Ok(());
        };
        match ctx.mail.deliver(&mail, html, text).await {
            Ok(()) => store::sent(&ctx.db, self.id, ctx.clock.now(), keep).await?,
            // What a stranger wrote may be refused for what it says, and servers do not always tell that apart. The address
            // is the operator's own, so it is not given up for it.
            Err(Failure::NoSuchMailbox(reply)) if mail.reply_to.is_some() => {
                tracing::warn!(mail = %self.id, reply, "the mail server refused a mail for good");
                store::ended(&ctx.db, self.id, MailState::Failed, &reply, keep).await?;
            }
            Err(Failure::NoSuchMailbox(reply)) => no_such_mailbox(&ctx, &mail, &reply, keep).await?,
            Err(Failure::Refused(reply)) => {
                tracing::warn!(mail = %self.id, reply, "the mail server refused a mail for good");
                store::ended(&ctx.db, self.id, MailState::Failed, &reply, keep).await?;
            }
            Err(Failure::Temporary(reason)) => {
                store::postponed(&ctx.db, self.id, &reason).await?;
                anyhow::bail!("the mail was not taken yet: {reason}");
            }
        }
        Ok(())
    }
}

/// The mail has failed and its address is not written to again: both, or neither.
async fn no_such_mailbox(ctx: &Context, mail: &StoredMail, reply: &str, keep: bool) -> anyhow::Result<()> {
    tracing::info!(mail = %mail.id, "a mailbox does not exist; its address is suppressed");
    let mut tx = ctx.db.begin().await?;
    store::ended(&mut *tx, mail.id, MailState::Failed, reply, keep).await?;
    store::suppress(&mut *tx, &key(&mail.to_address), SuppressionReason::Bounced, reply, ctx.clock.now())
        .await?;
    tx.commit().await.context("the bounce cannot be recorded")
}

/// Deletes what old mails said; that they were sent is kept. Runs by the schedule, once a day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PurgeMail {}

impl Job for PurgeMail {
    const NAME: &'static str = "purge_mail";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let before = ctx.clock.now() - KEEP_BODIES;
        let mut purged = 0;
        for _ in 0..PURGE_BATCHES {
            let batch = store::purge(&ctx.db, before, PURGE_BATCH).await?;
            purged += batch;
            if batch < PURGE_BATCH.unsigned_abs() {
                break;
            }
        }
        if purged > 0 {
            tracing::info!(purged, "the text of old mail is deleted");
        }
        Ok(())
    }
}
