//! Where estimates are made: they take their time, so only a few are made at once and a short queue waits; beyond
//! that the answer is "later", so that a flood of forms cannot take the site's threads away.

use tokio::sync::Semaphore;

use crate::account::Error;

pub struct Estimates {
    making: Semaphore,
    admitted: Semaphore,
}

impl Estimates {
    pub const fn new(at_once: usize, waiting: usize) -> Self {
        Self { making: Semaphore::const_new(at_once), admitted: Semaphore::const_new(at_once + waiting) }
    }

    /// Does the work beside the requests, or says that there is too much of it.
    pub async fn make<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _admitted = self.admitted.try_acquire().map_err(|_| Error::Busy)?;
        let making = self.making.acquire().await.map_err(|_| Error::Busy)?;
        // The permit goes with the work: a caller who hangs up does not make room for another estimate.
        let made = tokio::task::spawn_blocking(move || {
            let _making = making;
            work()
        });
        made.await.map_err(|_| Error::Internal("a password could not be judged"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_queue_has_an_end() {
        static ESTIMATES: Estimates = Estimates::new(1, 2);
        let held = ESTIMATES.admitted.try_acquire_many(3).expect("nobody is there");
        assert!(matches!(ESTIMATES.make(|| 1).await, Err(Error::Busy)));
        drop(held);
        assert_eq!(ESTIMATES.make(|| 1).await.expect("made"), 1);
    }
}
