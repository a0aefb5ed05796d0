//! How the index of a node stays what it should be: opened or built at the start, brought up with what happens, looked
//! after while it is there.
//!
//! What always holds: the place of an index is read before what goes into it, so that nothing falls in between; an event
//! is a hint, and its thing is written as it is now, so that reading events again is harmless; there is at most one
//! commit in [`TICK`], however much happens; whatever goes wrong, the index that is open goes on being searched.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

use super::{
    Error, Search, Unless, cause,
    document::{SearchDocument, changes, fingerprint, give, of_program},
    feed::feed,
    live::{Change, Live, Place, Written},
    store,
};
use crate::{content::Catalogue, context::Context, outbox};

/// How often it is looked whether something has changed, and the least time between two commits.
const TICK: Duration = Duration::from_secs(1);
const AFTER_TROUBLE: Duration = Duration::from_secs(2);
/// How many events are read at once, and about how many changes are held before they are written.
const EVENTS_READ: i64 = 100;
const MOST_CHANGES: usize = 100;
/// Events are kept a few days longer than this. An index whose place is older is built anew.
const TRUSTED_FOR: time::Duration = time::Duration::days(10);

/// How often it is looked whether the database is still the one that the index knows: somebody may restore another one
/// under a running server.
const DATABASE_LOOKED_AT: time::Duration = time::Duration::minutes(3);

/// What the program itself brings, and the name of an index of it.
struct Program {
    named: String,
    documents: Vec<SearchDocument>,
}

impl Program {
    async fn of(catalogue: Arc<Catalogue>, api: &'static Value) -> Result<Self, Error> {
        blocking(move || {
            let documents = of_program(&catalogue, api);
            Ok(Self { named: fingerprint(&documents), documents })
        })
        .await
    }
}

/// Opens the index, or builds it where there is none that can be read and trusted.
pub async fn prepare(ctx: &Context, api: &'static Value) -> Result<(), Error> {
    prepare_of(ctx, ctx.content.now(), api).await
}

async fn prepare_of(ctx: &Context, catalogue: Arc<Catalogue>, api: &'static Value) -> Result<(), Error> {
    let program = Program::of(catalogue, api).await?;
    let (search, named) = (ctx.search.clone(), program.named.clone());
    let is_open = blocking(move || Ok(search.open_newest(&named, 0))).await?;
    if !is_open {
        return build(ctx, program, Unless::NewerThan(0)).await;
    }
    let live = ctx.search.live()?;
    if is_trusted(ctx, &live).await? {
        let search = ctx.search.clone();
        return blocking(move || {
            search.clean();
            Ok(())
        })
        .await;
    }
    tracing::info!("the search index knows too little of what happened; it is built anew");
    build(ctx, program, Unless::NewerThan(live.number())).await
}

/// Builds the index anew, whatever is there. Whoever serves from the old one takes the new one up by itself.
pub async fn rebuild(ctx: &Context, api: &'static Value) -> Result<(), Error> {
    let program = Program::of(ctx.content.now(), api).await?;
    build(ctx, program, Unless::Never).await
}

async fn build(ctx: &Context, program: Program, unless: Unless) -> Result<(), Error> {
    let place = Place {
        database: store::database(&ctx.db).await?,
        cursor: outbox::end(&ctx.db).await?,
        at: ctx.clock.now(),
    };
    let Program { named, documents } = program;
    let (feed, batches) = feed();
    let (search, random) = (ctx.search.clone(), ctx.random.clone());
    let making = blocking(move || search.make(&named, batches, Some(&place), &random, unless));
    let (made, ()) = tokio::join!(making, give(ctx, documents, feed));
    made
}

/// Whether events can tell what an index does not know yet.
async fn is_trusted(ctx: &Context, live: &Live) -> Result<bool, Error> {
    let Some(place) = live.place() else { return Ok(false) };
    Ok(ctx.clock.now() - place.at < TRUSTED_FOR && is_of_database(ctx, &place).await?)
}

async fn is_of_database(ctx: &Context, place: &Place) -> Result<bool, Error> {
    Ok(place.database == store::database(&ctx.db).await?
        // A place that is still to come: the database was restored as it was before.
        && place.cursor <= outbox::end(&ctx.db).await?)
}

/// Keeps this node's index for as long as the process serves.
pub async fn follow(ctx: Context, api: &'static Value) {
    let mut known = Known { catalogue: ctx.content.now(), database_at: ctx.clock.now() };
    while let Err(error) = prepare_of(&ctx, Arc::clone(&known.catalogue), api).await {
        tracing::error!(%error, cause = cause(&error), "the search index cannot be opened or built; trying again");
        tokio::time::sleep(AFTER_TROUBLE).await;
    }
    loop {
        match look_after(&ctx, &mut known, api).await {
            Ok(Written::Done) => tokio::time::sleep(TICK).await,
            Ok(Written::Busy) => {
                tokio::select! {
                    () = tokio::time::sleep(TICK) => {}
                    () = ctx.search.nudged() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, cause = cause(&error), "the search index is behind; trying again");
                tokio::time::sleep(AFTER_TROUBLE).await;
            }
        }
    }
}

/// What the index was held against.
struct Known {
    catalogue: Arc<Catalogue>,
    /// When the database was looked at last.
    database_at: OffsetDateTime,
}

/// One look at everything that may have changed: the written pages, the index on disk, now and then the database, and
/// what happened. `Busy` when there was nothing for this process to commit.
async fn look_after(ctx: &Context, known: &mut Known, api: &'static Value) -> Result<Written, Error> {
    let catalogue = ctx.content.now();
    if !Arc::ptr_eq(&catalogue, &known.catalogue) {
        prepare_of(ctx, Arc::clone(&catalogue), api).await?;
        known.catalogue = catalogue;
    }
    let search = ctx.search.clone();
    let mut useless = blocking(move || search.look()).await?;
    let now = ctx.clock.now();
    let is_due = now - known.database_at >= DATABASE_LOOKED_AT;
    if is_due {
        let live = ctx.search.live()?;
        let Some(place) = live.place() else { return Ok(Written::Busy) };
        if !is_of_database(ctx, &place).await? {
            tracing::warn!("the database is another one than the search index knows; it is built anew");
            useless = Some(live.number());
        }
    }
    if let Some(number) = useless {
        let program = Program::of(Arc::clone(&known.catalogue), api).await?;
        build(ctx, program, Unless::NewerThan(number)).await?;
    }
    if is_due {
        // Not before the building: should it fail, it is still due at the next look.
        known.database_at = now;
    }
    take_in(ctx).await
}

/// Brings what happened since into the index, with one commit at the most.
async fn take_in(ctx: &Context) -> Result<Written, Error> {
    let live = ctx.search.live()?;
    let Some(mut place) = live.place() else { return Ok(Written::Busy) };
    let mut gathered = Vec::new();
    let mut events_read = 0;
    while gathered.len() < MOST_CHANGES {
        let events = outbox::read_after(&ctx.db, place.cursor, EVENTS_READ).await?;
        let Some(last) = events.last() else { break };
        place.cursor = last.cursor;
        events_read += events.len();
        gathered.extend(changes(ctx, &events).await?);
    }
    place.at = ctx.clock.now();
    if events_read == 0 || (gathered.is_empty() && live.pass(&place)) {
        return Ok(Written::Busy);
    }
    let search = ctx.search.clone();
    blocking(move || search.write(&live, &gathered, &place)).await
}

impl Search {
    /// Takes up what other processes did to the index on disk. The number of the one that is open when it is damaged.
    /// Blocking.
    pub(super) fn look(&self) -> Result<Option<u64>, Error> {
        let live = self.live()?;
        if self.open_newest(live.named(), live.number()) {
            self.clean();
            return Ok(None);
        }
        let looked =
            live.refresh().and_then(|()| if self.take_suspicion() { live.examine() } else { Ok(()) });
        if let Err(error) = looked {
            tracing::error!(%error, cause = cause(&error), "the search index is damaged; it is built anew");
            // Should the building fail, it is still damaged at the next look.
            self.0.is_suspect.store(true, Ordering::Relaxed);
            return Ok(Some(live.number()));
        }
        Ok(None)
    }

    /// Writes changes, and lets what was written be found. Blocking.
    pub(super) fn write(&self, live: &Live, changes: &[Change], next: &Place) -> Result<Written, Error> {
        let written = live.write(changes, next).and_then(|written| live.refresh().map(|()| written));
        if written.is_err() {
            self.suspect();
        }
        written
    }
}

/// Work on the disk, where it keeps nobody waiting.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.unwrap_or(Err(Error::CutOff))
}
