//! Archives with everything we keep about a person: asked for on a page, made by a job, kept for a week.
//!
//! What always holds: an archive holds what is its owner's and nobody else's, and no secret, not even as a hash;
//! only its owner opens it, after a fresh proof of who they are; it is gone from the object store a week later, or
//! with the account. What goes in is the list in `sections`: a feature that keeps something about people adds a line.

mod archive;
mod jobs;
mod sections;
mod store;

use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{
    Error,
    permission::{Caller, Permission},
};
use crate::{
    context::Context,
    contract::id::{ExportId, UserId},
    storage::Digest,
};

pub use jobs::{MakeExport, PurgeExports};

/// How long an archive can be fetched.
pub const KEPT_FOR: Duration = Duration::days(7);
pub const MOST_A_DAY: i64 = 3;
/// An order that nobody filled by then never will be.
const GIVEN_UP_AFTER: Duration = Duration::days(1);
const MOST_LISTED: i64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportState {
    Queued,
    Ready,
    Expired,
}

impl ExportState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ready => "ready",
            Self::Expired => "expired",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Queued, Self::Ready, Self::Expired].into_iter().find(|state| state.as_str() == text)
    }
}

/// An archive as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub id: ExportId,
    pub state: ExportState,
    pub requested_at: OffsetDateTime,
    pub ready_at: Option<OffsetDateTime>,
    pub expires_at: Option<OffsetDateTime>,
    pub bytes: Option<u64>,
}

impl Export {
    /// Past its time it is as good as gone, whether or not the purge has come by.
    fn seen_at(mut self, now: OffsetDateTime) -> Self {
        if self.state == ExportState::Ready && self.expires_at.is_none_or(|at| at <= now) {
            self.state = ExportState::Expired;
        }
        self
    }
}

/// Asks for an archive. Its owner gets a mail when it is ready.
pub async fn request(ctx: &Context, caller: &Caller) -> Result<ExportId, Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let owner = identity.user.id;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    // The account's lock makes two requests of one moment count one after the other.
    super::store::lock(&mut tx, owner).await?.ok_or(Error::NotFound)?;
    let orders = store::count_orders(&mut tx, owner, now - Duration::days(1)).await?;
    if orders.queued > 0 {
        return Err(Error::Conflict("Your archive is being made. You get a mail when it is ready."));
    }
    if orders.recent >= MOST_A_DAY {
        return Err(Error::Conflict("You asked for three archives within a day. Ask again tomorrow."));
    }
    let id = ExportId::from_uuid(ctx.random.uuid_v7(now));
    store::insert(&mut tx, id, owner, now).await?;
    let detail = json!({ "export": id });
    super::note(&mut tx, ctx, identity.actor(), "export.requested", owner, detail, Some(identity.request))
        .await?;
    crate::jobs::enqueue(&mut tx, &MakeExport { id }).await?;
    tx.commit().await?;
    Ok(id)
}

/// The caller's archives, newest first.
pub async fn list(ctx: &Context, caller: &Caller) -> Result<Vec<Export>, Error> {
    let identity = caller.require(ctx, Permission::AccountRead)?;
    let now = ctx.clock.now();
    let exports = store::list(&ctx.db, identity.user.id, MOST_LISTED).await?;
    Ok(exports.into_iter().map(|export| export.seen_at(now)).collect())
}

/// The caller's archive and where it lies. One of somebody else, one that is not ready and one that is past its
/// time are not found.
pub async fn open(ctx: &Context, caller: &Caller, id: ExportId) -> Result<(Export, Digest), Error> {
    let identity = caller.require(ctx, Permission::AccountSecure)?;
    let found = store::find(&ctx.db, identity.user.id, id).await?.ok_or(Error::NotFound)?;
    let export = found.export.seen_at(ctx.clock.now());
    let digest = found.object_key.and_then(|key| key.parse().ok());
    match (export.state, digest) {
        (ExportState::Ready, Some(digest)) => Ok((export, digest)),
        _ => Err(Error::NotFound),
    }
}

/// Deletes the archives of an account that ends. Gives what [`delete_objects`] takes, once this is committed.
pub async fn forget(conn: &mut PgConnection, owner: UserId) -> Result<Vec<String>, sqlx::Error> {
    store::delete_all(conn, owner).await
}

/// Deletes archives from the object store that no row names any more. Said again, it does nothing.
pub async fn delete_objects(ctx: &Context, keys: Vec<String>) -> Result<(), Error> {
    for key in keys {
        delete_unless_named(ctx, &key, None).await?;
    }
    Ok(())
}

/// Objects are named by their content, so another row may name the same one.
async fn delete_unless_named(ctx: &Context, key: &str, by_other_than: Option<ExportId>) -> Result<(), Error> {
    let Ok(digest) = key.parse::<Digest>() else {
        return Ok(());
    };
    if !store::is_named(&ctx.db, key, by_other_than).await? {
        ctx.storage.delete(&digest).await?;
    }
    Ok(())
}
