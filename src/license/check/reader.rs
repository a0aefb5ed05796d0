//! Licenses as they are looked up: gathered into few queries, and kept in memory where changes are heard of.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use sqlx::{PgPool, postgres::PgListener};
use time::{Duration, OffsetDateTime};
use tokio::sync::mpsc;

use super::{cache::Cache, features::TierFeatures, guessing::Waits, store, token::Tokens};
use crate::{
    billing::catalogue,
    config::LicensesConfig,
    context::Context,
    contract::{
        id::{LicenseId, MachineId},
        payment::Tier,
    },
    db::{Gather, Unavailable},
    license::{
        Error, ExtraFeature,
        rules::{Standing, Version},
        version,
    },
};

/// How stale a machine's last use may be.
pub(in crate::license) const SEEN_EVERY: Duration = Duration::hours(6);
/// How long tiers and versions are kept.
const KEEP: Duration = Duration::seconds(60);
const TOUCHES: usize = 4_096;
const TOUCH_BATCH: usize = 512;
/// How many machines come with a license. One with more has the others looked up.
pub(super) const MACHINES_READ: i64 = 32;

/// A license as it was found by its key.
#[derive(Debug)]
pub struct Found {
    pub id: LicenseId,
    pub tier: Tier,
    pub standing: Standing,
    pub extra: Vec<ExtraFeature>,
    pub updated_at: OffsetDateTime,
    /// The first of them, in the order in which they came.
    pub machines: Vec<Arc<Machine>>,
}

#[derive(Debug)]
pub struct Machine {
    pub id: MachineId,
    pub fingerprint: [u8; 32],
    /// Its place in the order in which machines came, from 0.
    pub rank: u32,
    /// In seconds since 1970.
    pub last_seen: AtomicI64,
}

impl Found {
    /// The machine with this fingerprint, if the license is active on it.
    pub async fn machine(&self, ctx: &Context, fingerprint: [u8; 32]) -> Result<Option<Arc<Machine>>, Error> {
        if let Some(machine) = self.machines.iter().find(|machine| machine.fingerprint == fingerprint) {
            return Ok(Some(Arc::clone(machine)));
        }
        if self.machines.len() < MACHINES_READ as usize {
            return Ok(None);
        }
        Ok(store::machine(&ctx.db, self.id, &self.standing, &fingerprint).await?.map(Arc::new))
    }
}

/// What was read once and is kept for a while.
struct Kept<T> {
    held: RwLock<Option<(OffsetDateTime, Arc<T>)>>,
}

impl<T> Kept<T> {
    const fn empty() -> Self {
        Self { held: RwLock::new(None) }
    }

    fn young(&self, now: OffsetDateTime) -> Option<Arc<T>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()
            .filter(|(at, _)| (Duration::ZERO..KEEP).contains(&(now - *at)))
            .map(|(_, kept)| Arc::clone(kept))
    }

    fn any(&self) -> Option<Arc<T>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|(_, kept)| Arc::clone(kept))
    }

    fn set(&self, now: OffsetDateTime, value: T) -> Arc<T> {
        let value = Arc::new(value);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&value)));
        value
    }

    fn forget(&self) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

pub struct Reader {
    by_key: Gather<[u8; 32], Arc<Found>>,
    cache: Option<Cache>,
    touches: mpsc::Sender<(MachineId, OffsetDateTime)>,
    tiers: Kept<TierFeatures>,
    versions: Kept<HashMap<String, OffsetDateTime>>,
    pub(super) tokens: Tokens,
    pub(super) waits: Waits,
}

impl Reader {
    pub fn start(pool: &PgPool, config: &LicensesConfig) -> Self {
        let by_key = Gather::start(pool, |line, hashes: Vec<[u8; 32]>| {
            Box::pin(async move { store::by_keys(line.connection().await?, &hashes).await })
        });
        let (touches, waiting) = mpsc::channel(TOUCHES);
        tokio::spawn(write_touches(pool.clone(), waiting));
        Self {
            by_key,
            cache: (!config.cache.is_zero()).then(|| Cache::new(config.cache)),
            touches,
            tiers: Kept::empty(),
            versions: Kept::empty(),
            tokens: Tokens::new(),
            waits: Waits::new(),
        }
    }

    pub(super) async fn find(&self, hash: [u8; 32]) -> Result<Option<Arc<Found>>, Unavailable> {
        let Some(cache) = &self.cache else { return self.by_key.find(hash).await };
        if let Some(found) = cache.get(&hash) {
            return Ok(Some(found));
        }
        let ticket = cache.ticket();
        let found = self.by_key.find(hash).await?;
        if let Some(found) = &found {
            cache.keep(hash, found, ticket);
        }
        Ok(found)
    }

    /// Notes that a machine was heard of, now and then. What cannot be noted is noted the next time.
    pub(super) fn touch(&self, machine: &Machine, now: OffsetDateTime) {
        let before = machine.last_seen.load(Ordering::Relaxed);
        let due = now.unix_timestamp() - before >= SEEN_EVERY.whole_seconds();
        if due && self.touches.try_send((machine.id, now)).is_ok() {
            machine.last_seen.store(now.unix_timestamp(), Ordering::Relaxed);
        }
    }

    /// What each tier includes. While the catalogue cannot be read, as it was read last.
    pub async fn tiers(&self, ctx: &Context) -> Arc<TierFeatures> {
        let now = ctx.clock.now();
        if let Some(tiers) = self.tiers.young(now) {
            return tiers;
        }
        match catalogue::tier_features(ctx).await {
            Ok(by_tier) if !by_tier.is_empty() => self.tiers.set(now, TierFeatures::new(by_tier)),
            Ok(_) => self.tiers_at_hand(),
            Err(error) => {
                tracing::warn!(%error, "the catalogue cannot be read; licenses go by what was read last");
                self.tiers_at_hand()
            }
        }
    }

    /// The same without reading anything.
    pub(super) fn tiers_at_hand(&self) -> Arc<TierFeatures> {
        self.tiers.any().unwrap_or_else(|| Arc::new(TierFeatures::at_first()))
    }

    /// When a version came out, where that matters.
    pub(super) async fn version(
        &self,
        ctx: &Context,
        version: Option<&str>,
        standing: &Standing,
        now: OffsetDateTime,
    ) -> Result<Version, Error> {
        if standing.fallback && standing.is_over(now) {
            self.version_named(ctx, version).await
        } else {
            Ok(Version::Unnamed)
        }
    }

    /// When a version came out.
    pub(in crate::license) async fn version_named(
        &self,
        ctx: &Context,
        version: Option<&str>,
    ) -> Result<Version, Error> {
        let Some(name) = version else { return Ok(Version::Unnamed) };
        let now = ctx.clock.now();
        let known = match self.versions.young(now) {
            Some(known) => known,
            None => self.versions.set(now, version::all(&ctx.db).await?),
        };
        Ok(known.get(name).map_or(Version::Unknown, |at| Version::ReleasedAt(*at)))
    }
}

/// Writes down when machines were heard of, many at a time.
async fn write_touches(pool: PgPool, mut waiting: mpsc::Receiver<(MachineId, OffsetDateTime)>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, TOUCH_BATCH).await > 0 {
        if let Err(error) = store::touch(&pool, &batch).await {
            tracing::warn!(%error, machines = batch.len(), "the last use of machines could not be noted");
        }
        batch.clear();
    }
}

/// Hears of changes for as long as this process serves. Until it does, and whenever it cannot, nothing is kept.
pub async fn follow(ctx: Context) {
    let Some(cache) = &ctx.licenses.cache else { return };
    loop {
        match listen(&ctx, cache).await {
            Ok(()) => tracing::warn!("changes of licenses are not heard of; listening again"),
            Err(error) => tracing::warn!(%error, "changes of licenses cannot be heard of; trying again"),
        }
        tokio::time::sleep(StdDuration::from_secs(1)).await;
    }
}

/// Nothing stays in memory when the listening ends, however it ends.
struct Live<'a>(&'a Cache);

impl<'a> Live<'a> {
    fn begin(cache: &'a Cache) -> Self {
        cache.set_live(true);
        Self(cache)
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.0.set_live(false);
    }
}

async fn listen(ctx: &Context, cache: &Cache) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&ctx.db).await?;
    listener.listen("license").await?;
    let _live = Live::begin(cache);
    // None: the connection was lost, and whatever was said meanwhile was not heard.
    while let Some(news) = listener.try_recv().await? {
        let mut hash = [0; 32];
        match hex::decode_to_slice(news.payload(), &mut hash) {
            Ok(()) => cache.drop_one(&hash),
            Err(_) => ctx.licenses.versions.forget(),
        }
    }
    Ok(())
}
