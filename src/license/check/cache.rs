//! Licenses kept in memory.
//!
//! What always holds: nothing is kept unless changes are being heard of; an answer that was read before a change was
//! heard of is not kept after it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::reader::Found;

const MAX_ENTRIES: u64 = 200_000;

pub struct Cache {
    entries: moka::sync::Cache<[u8; 32], Arc<Found>>,
    live: AtomicBool,
    /// How many changes were heard of.
    heard: Mutex<u64>,
}

impl Cache {
    pub fn new(lifetime: Duration) -> Self {
        let entries = moka::sync::Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(lifetime).build();
        Self { entries, live: AtomicBool::new(false), heard: Mutex::new(0) }
    }

    pub fn get(&self, hash: &[u8; 32]) -> Option<Arc<Found>> {
        if self.live.load(Ordering::Acquire) { self.entries.get(hash) } else { None }
    }

    /// To be asked for before reading what is then kept.
    pub fn ticket(&self) -> u64 {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn keep(&self, hash: [u8; 32], found: &Arc<Found>, ticket: u64) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if *heard == ticket && self.live.load(Ordering::Acquire) {
            self.entries.insert(hash, Arc::clone(found));
        }
    }

    pub fn drop_one(&self, hash: &[u8; 32]) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard += 1;
        self.entries.invalidate(hash);
    }

    /// From now on changes are heard of, or are not.
    pub fn set_live(&self, live: bool) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard += 1;
        self.live.store(live, Ordering::Release);
        self.entries.invalidate_all();
    }
}
