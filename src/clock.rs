//! The time, as a parameter: the domain never asks the machine's clock itself, so that tests can set it.

use std::sync::{Arc, Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// Stands still until it is moved; for tests.
    Fixed(Arc<Mutex<OffsetDateTime>>),
}

impl Clock {
    pub fn fixed(at: OffsetDateTime) -> Self {
        Self::Fixed(Arc::new(Mutex::new(at)))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn now(&self) -> OffsetDateTime {
        match self {
            // PostgreSQL keeps microseconds: what is written reads back equal.
            Self::System => {
                let now = OffsetDateTime::now_utc();
                now.replace_nanosecond(now.nanosecond() / 1_000 * 1_000).unwrap_or(now)
            }
            Self::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a fixed clock; the system's clock does not listen.
    pub fn advance(&self, by: Duration) {
        if let Self::Fixed(at) = self {
            *at.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}
