//! Randomness, as a parameter: from the operating system, or from a seed in tests.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, PoisonError},
};

use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use time::OffsetDateTime;
use uuid::Uuid;

thread_local! {
    // Seeded by the operating system once per thread: a request asks for randomness several times, and a system
    // call each time is what it would notice.
    static GENERATOR: RefCell<ChaCha20Rng> = RefCell::new(
        ChaCha20Rng::try_from_rng(&mut OsRng).expect("the operating system always has randomness after boot"),
    );
}

#[derive(Debug, Clone)]
pub enum Random {
    System,
    /// The same bytes in the same order in every run; for tests.
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => GENERATOR.with_borrow_mut(|generator| generator.fill_bytes(&mut bytes)),
            Self::Seeded(generator) => {
                generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
            }
        }
        bytes
    }

    /// An id that sorts by the time it was made.
    pub fn uuid_v7(&self, now: OffsetDateTime) -> Uuid {
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}
