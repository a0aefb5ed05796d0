//! How documents come to who writes them into an index: in batches, from the threads that read the database to the one
//! that writes to the disk.
//!
//! What always holds: of everything there is, a few batches are in memory; and a feed that breaks off is told from one
//! that ends, so that half of the documents never become an index.

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Error, SearchDocument};

/// Some of the documents, or why there are no more.
pub(super) type Batch = Result<Vec<SearchDocument>, Error>;

/// How many batches wait for who writes.
const WAITING: usize = 1;

pub(super) struct Feed(Sender<Option<Batch>>);

pub(super) struct Batches(Receiver<Option<Batch>>);

pub(super) fn feed() -> (Feed, Batches) {
    let (sender, receiver) = channel(WAITING);
    (Feed(sender), Batches(receiver))
}

impl Feed {
    /// Waits until there is room. An error: nobody wants any more.
    pub async fn give(&self, documents: Vec<SearchDocument>) -> Result<(), Error> {
        self.0.send(Some(Ok(documents))).await.map_err(|_| Error::CutOff)
    }

    /// Says that this was all, or why it was not.
    pub async fn end(self, outcome: Result<(), Error>) {
        // Who writes may have stopped, and has said why.
        let _ = self.0.send(outcome.err().map(Err)).await;
    }
}

impl Batches {
    /// The same where nothing may block.
    pub async fn next_batch(&mut self) -> Option<Batch> {
        self.0.recv().await.unwrap_or(Some(Err(Error::CutOff)))
    }
}

/// Blocks until the next batch is there.
impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.0.blocking_recv().unwrap_or(Some(Err(Error::CutOff)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_ends_is_told_from_what_breaks_off() {
        let (some, mut batches) = feed();
        some.give(Vec::new()).await.expect("there is room");
        let ((), first) = tokio::join!(some.end(Ok(())), batches.next_batch());
        assert!(matches!(first, Some(Ok(_))));
        assert!(batches.next_batch().await.is_none());

        let (some, mut batches) = feed();
        drop(some);
        assert!(matches!(batches.next_batch().await, Some(Err(Error::CutOff))));

        let (some, mut batches) = feed();
        some.end(Err(Error::NotReady)).await;
        assert!(matches!(batches.next_batch().await, Some(Err(Error::NotReady))));

        let (some, batches) = feed();
        drop(batches);
        assert!(some.give(Vec::new()).await.is_err(), "nobody wants any more");
    }
}
