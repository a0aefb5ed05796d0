//! Making archives, and throwing them away.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{GIVEN_UP_AFTER, KEPT_FOR, archive, delete_unless_named, sections, store};
use crate::{
    account,
    audit::Actor,
    context::Context,
    contract::id::{ExportId, UserId},
    jobs::Job,
    storage::Blob,
};

/// The archive is put together in memory.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Archives deleted in one run.
const PER_RUN: i64 = 1_000;

/// Makes one archive. An order that is filled, given up or gone is left alone, so running twice makes one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct MakeExport {
    pub id: ExportId,
}

impl Job for MakeExport {
    const NAME: &'static str = "make_export";
    /// The last comes within the hour, long before the order is given up.
    const MAX_ATTEMPTS: i16 = 8;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(owner) = store::owner_of_queued(&ctx.db, self.id).await? else {
            return Ok(());
        };
        let made = make(&ctx, self.id, owner).await?;
        let key = made.digest.to_string();
        match finish(&ctx, self.id, owner, made).await {
            Ok(true) => Ok(()),
            // The order went away meanwhile, or another run filled it: this one's archive must not stay behind.
            Ok(false) => Ok(delete_unless_named(&ctx, &key, None).await?),
            Err(error) => {
                delete_unless_named(&ctx, &key, None).await?;
                Err(error)
            }
        }
    }
}

async fn make(ctx: &Context, id: ExportId, owner: UserId) -> anyhow::Result<Blob> {
    let now = ctx.clock.now();
    let mut files = Vec::with_capacity(sections::SECTIONS.len() + 1);
    files.push(("README.txt".to_owned(), sections::readme(id, now)?.into_bytes()));
    let mut size = 0;
    for section in sections::SECTIONS {
        let content =
            (section.collect)(ctx, owner).await.with_context(|| format!("collecting {}", section.file))?;
        let content = serde_json::to_vec_pretty(&content)?;
        size += content.len();
        ensure!(size <= MAX_BYTES, "the archive is larger than {MAX_BYTES} bytes");
        files.push((section.file.to_owned(), content));
    }
    let zip = tokio::task::spawn_blocking(move || archive::zip(&files, now)).await??;
    Ok(ctx.storage.put_bytes(Bytes::from(zip)).await?)
}

/// False when the order is not waiting any more.
async fn finish(ctx: &Context, id: ExportId, owner: UserId, made: Blob) -> anyhow::Result<bool> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let person = account::store::lock(&mut tx, owner).await?.filter(|person| person.deleted_at.is_none());
    let Some(person) = person else {
        return Ok(false);
    };
    if !store::finish(&mut tx, id, made, now, now + KEPT_FOR).await? {
        return Ok(false);
    }
    let detail = json!({ "export": id, "bytes": made.size });
    account::note(&mut tx, ctx, Actor::System, "export.ready", owner, detail, None).await?;
    let page = format!("{}/account/privacy", ctx.config.http.public_url);
    let message = account::mails::export_ready(&page);
    account::mails::send_to(&mut tx, ctx, &person.user, "export_ready", &message).await?;
    tx.commit().await?;
    Ok(true)
}

/// Deletes archives past their time, and gives up orders that were never filled. Runs by the schedule, every hour.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PurgeExports {}

impl Job for PurgeExports {
    const NAME: &'static str = "purge_exports";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        store::give_up(&ctx.db, now - GIVEN_UP_AFTER).await?;
        let mut failed = 0;
        let due = store::due(&ctx.db, now, PER_RUN).await?;
        for (id, key) in &due {
            // The object first: cut off in between, the next run finds the row and deletes again.
            let deleted = match delete_unless_named(&ctx, key, Some(*id)).await {
                Ok(()) => store::expire(&ctx.db, *id).await.map_err(account::Error::from),
                Err(error) => Err(error),
            };
            if let Err(error) = deleted {
                tracing::warn!(export = %id, %error, "an archive could not be deleted");
                failed += 1;
            }
        }
        ensure!(failed == 0, "{failed} of {} archives could not be deleted", due.len());
        Ok(())
    }
}
