//! One upload on its way: content goes to a temporary key in parts and is moved under its digest when all
//! of it is there. However the upload ends, the temporary object does not stay.

use std::sync::Arc;

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, Result, WriteMultipart, path::Path as Key};
use tokio::runtime::Handle;

/// Parts are all of one size, as R2 asks, and above the 5 MiB that S3 asks for; at most 10,000 of them make
/// 80 GiB.
pub(super) const PART_BYTES: usize = 8 * 1024 * 1024;

/// Parts on their way at the same time. With the one being filled, this bounds the memory of an upload.
const PARTS_IN_FLIGHT: usize = 2;

pub(super) struct Upload {
    store: Arc<dyn ObjectStore>,
    key: Key,
    /// Gone once all parts are sent.
    writer: Option<WriteMultipart>,
    /// Nothing is left under the temporary key.
    settled: bool,
}

impl Upload {
    pub async fn begin(store: &Arc<dyn ObjectStore>, key: Key) -> Result<Self> {
        let parts = store.put_multipart(&key).await?;
        Ok(Self {
            store: Arc::clone(store),
            key,
            writer: Some(WriteMultipart::new_with_chunk_size(parts, PART_BYTES)),
            settled: false,
        })
    }

    pub async fn write(&mut self, chunk: Bytes) -> Result<()> {
        if let Some(writer) = &mut self.writer {
            writer.wait_for_capacity(PARTS_IN_FLIGHT).await?;
            writer.put(chunk);
        }
        Ok(())
    }

    /// Sends what is left. The object is then whole under its temporary key.
    pub async fn finish(&mut self) -> Result<()> {
        match self.writer.take() {
            Some(writer) => writer.finish().await.map(drop),
            None => Ok(()),
        }
    }

    /// Moves the finished object to `target`. The move replaces what is there, which has the same content,
    /// so two uploads of the same bytes may do it at once.
    pub async fn publish(mut self, target: &Key) -> Result<()> {
        self.store.rename(&self.key, target).await?;
        self.settled = true;
        Ok(())
    }

    /// Throws away what was sent, and waits until it is gone.
    pub async fn discard(mut self) {
        self.settled = true;
        clean_up(Arc::clone(&self.store), self.key.clone(), self.writer.take()).await;
    }
}

/// The caller went away in the middle, as a request does whose client hangs up.
impl Drop for Upload {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(clean_up(Arc::clone(&self.store), self.key.clone(), self.writer.take()));
        }
    }
}

async fn clean_up(store: Arc<dyn ObjectStore>, key: Key, writer: Option<WriteMultipart>) {
    let outcome = match writer {
        Some(writer) => writer.abort().await,
        None => store.delete(&key).await,
    };
    match outcome {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        // The sweep takes what stays behind, so this loses space for a day and nothing else.
        Err(error) => tracing::warn!(%key, %error, "a temporary object could not be removed"),
    }
}
