//! The object store: release files, packages, attachments, and whatever else is too large for a row.
//!
//! Objects are named by the SHA-256 of their content, so they never change, the same content is stored
//! once, and a name can be cached for good. They lie under `blobs/`; what is being uploaded lies under
//! `tmp/` and is moved when it is complete, so an object that can be read is always whole. Content is
//! streamed in both directions: no more than a few parts of it are ever in memory.
//!
//! Who stores an object keeps its digest in a row, and deletes it when no row names it any more.

mod digest;
pub mod jobs;
pub mod ranges;
pub mod respond;
mod upload;

use std::{fmt, io, io::SeekFrom, ops::Range, path::PathBuf, sync::Arc, time::Duration, time::SystemTime};

use bytes::Bytes;
use futures::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    ClientOptions, GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt, PutPayload,
    aws::AmazonS3Builder, local::LocalFileSystem, path::Path as Key, prefix::PrefixStore,
};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;
use url::Url;
use uuid::Uuid;

use self::upload::Upload;
use crate::config::StorageConfig;

pub use self::digest::{Digest, ParseDigestError};

/// Where uploads wait until they are complete.
const TEMPORARY: &str = "tmp";

/// How much of a file on disk is read at a time.
const READ_BYTES: usize = 128 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The content of an object, piece by piece.
pub type Content = BoxStream<'static, Result<Bytes, Error>>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the content is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the upload broke off")]
    Upload(#[source] BoxError),
    #[error("no object {0} is stored")]
    Missing(Digest),
    #[error("the stored object {0} is shorter than it was")]
    Damaged(Digest),
    #[error("the storage address is neither a folder nor s3://bucket/prefix: {0}")]
    Address(String),
    #[error("the storage folder {} cannot be used", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("the object store gave back something other than what was written")]
    ProbeDiffers,
    #[error("a stored object cannot be read")]
    Read(#[from] io::Error),
    #[error("the object store failed")]
    Store(#[from] object_store::Error),
}

/// A stored object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    pub digest: Digest,
    pub size: u64,
}

/// The object store. Clones share its connections.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// The folder on the local disk, when that is where objects are.
    folder: Option<PathBuf>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({})", self.store)
    }
}

impl Storage {
    /// Opens the store that `config.url` names: a folder, which is made when it is not there, or a bucket.
    /// Nothing is sent to a bucket yet; [`check`](Self::check) does that.
    pub fn open(config: &StorageConfig) -> Result<Self, Error> {
        if let Some(place) = config.url.strip_prefix("s3://") {
            return open_bucket(place, config);
        }
        let folder = if config.url.starts_with("file://") {
            Url::parse(&config.url)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| Error::Address(config.url.clone()))?
        } else if config.url.is_empty() || config.url.contains("://") {
            return Err(Error::Address(config.url.clone()));
        } else {
            PathBuf::from(&config.url)
        };
        open_folder(folder)
    }

    /// Stores what `content` brings, unless it is more than `max_bytes`. `upload` is a fresh random id that
    /// names the temporary object. The same content, however often and however much at once, is one object.
    pub async fn put_stream<S, E>(&self, upload: Uuid, content: S, max_bytes: u64) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let mut parts = None;
        let stored = self.receive(upload, content, max_bytes, &mut parts).await;
        if let Some(parts) = parts.take() {
            parts.discard().await;
        }
        stored
    }

    /// Content that fits into one part is put in place at once. Only what is larger becomes an [`Upload`],
    /// left in `parts` when it is not published.
    async fn receive<S, E>(
        &self,
        upload: Uuid,
        content: S,
        max_bytes: u64,
        parts: &mut Option<Upload>,
    ) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<BoxError> + Send,
    {
        let mut content = std::pin::pin!(content);
        let mut hasher = Sha256::new();
        let mut size = 0u64;
        let mut waiting: Vec<Bytes> = Vec::new();

        while let Some(chunk) = content.next().await {
            let chunk = chunk.map_err(|error| Error::Upload(error.into()))?;
            size = size.saturating_add(chunk.len() as u64);
            if size > max_bytes {
                return Err(Error::TooLarge { limit: max_bytes });
            }
            hasher.update(&chunk);
            if let Some(upload) = parts {
                upload.write(chunk).await?;
                continue;
            }
            waiting.push(chunk);
            if size > upload::PART_BYTES as u64 {
                let key = Key::from(format!("{TEMPORARY}/{}", upload.simple()));
                let begun = parts.insert(Upload::begin(&self.store, key).await?);
                for chunk in waiting.drain(..) {
                    begun.write(chunk).await?;
                }
            }
        }

        let blob = Blob { digest: Digest::from_bytes(hasher.finalize().into()), size };
        let Some(sent) = parts.as_mut() else {
            return self.put_whole(blob, waiting.into_iter().collect()).await;
        };
        sent.finish().await?;
        // Of another size is what a damaged disk left; it is replaced.
        if self.head(&blob.digest).await? != Some(blob)
            && let Some(sent) = parts.take()
        {
            sent.publish(&blob.digest.key()).await?;
        }
        Ok(blob)
    }

    /// Stores content that is at hand as a whole.
    pub async fn put_bytes(&self, content: Bytes) -> Result<Blob, Error> {
        let blob = Blob { digest: Digest::of(&content), size: content.len() as u64 };
        self.put_whole(blob, content.into()).await
    }

    /// A single put is atomic in every store, so it needs no temporary object.
    async fn put_whole(&self, blob: Blob, content: PutPayload) -> Result<Blob, Error> {
        if self.head(&blob.digest).await? != Some(blob) {
            self.store.put(&blob.digest.key(), content).await?;
        }
        Ok(blob)
    }

    /// The object named `digest`, if it is stored.
    pub async fn head(&self, digest: &Digest) -> Result<Option<Blob>, Error> {
        match self.store.head(&digest.key()).await {
            Ok(meta) => Ok(Some(Blob { digest: *digest, size: meta.size })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The bytes of `range`, which must lie inside the object.
    pub async fn read(&self, digest: &Digest, range: Range<u64>) -> Result<Content, Error> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let options = GetOptions::new().with_range(Some(range.clone()));
        let found = match self.store.get_opts(&digest.key(), options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(Error::Missing(*digest)),
            Err(error) => return Err(error.into()),
        };
        if found.range != range {
            return Err(Error::Damaged(*digest));
        }
        match found.payload {
            GetResultPayload::File(file, _) => {
                let mut file = tokio::fs::File::from_std(file);
                file.seek(SeekFrom::Start(range.start)).await?;
                let bytes = file.take(range.end - range.start);
                Ok(ReaderStream::with_capacity(bytes, READ_BYTES).map_err(Error::Read).boxed())
            }
            GetResultPayload::Stream(bytes) => Ok(bytes.map_err(Error::Store).boxed()),
        }
    }

    /// Deletes an object. One that is not there is no error.
    pub async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        self.delete_key(&digest.key()).await
    }

    async fn delete_key(&self, key: &Key) -> Result<(), Error> {
        match self.store.delete(key).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes, reads and deletes a small object. `probe` is a fresh random id, so that nodes that check at
    /// the same time do not take each other's object away.
    pub async fn check(&self, probe: Uuid) -> Result<(), Error> {
        let key = Key::from(format!("{TEMPORARY}/probe-{}", probe.simple()));
        let written = Bytes::from(probe.to_string());
        self.store.put(&key, written.clone().into()).await?;
        let read = match self.store.get(&key).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        self.delete_key(&key).await?;
        if read? == written { Ok(()) } else { Err(Error::ProbeDiffers) }
    }

    /// Removes at most `limit` temporary objects that were last touched before `before`, and says how many.
    /// In a bucket, parts of an upload that a crash cut off are no objects yet: a lifecycle rule of the
    /// bucket ends those.
    pub async fn sweep(&self, before: OffsetDateTime, limit: usize) -> Result<usize, Error> {
        if let Some(folder) = &self.folder {
            return Ok(sweep_folder(&folder.join(TEMPORARY), before.into(), limit).await?);
        }
        let mut removed = 0;
        let mut objects = self.store.list(Some(&Key::from(TEMPORARY)));
        while removed < limit
            && let Some(object) = objects.try_next().await?
        {
            if object.last_modified.timestamp() < before.unix_timestamp() {
                self.delete_key(&object.location).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn open_folder(folder: PathBuf) -> Result<Storage, Error> {
    let opened = std::fs::create_dir_all(&folder).and_then(|()| folder.canonicalize());
    let folder = opened.map_err(|source| Error::Folder { path: folder, source })?;
    // A row that names an object is committed durably, so the object must be as well.
    let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
    Ok(Storage { store: Arc::new(store), folder: Some(folder) })
}

fn open_bucket(place: &str, config: &StorageConfig) -> Result<Storage, Error> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        return Err(Error::Address(config.url.clone()));
    }
    // A download lasts as long as its client takes. What is bounded is the wait for the next bytes.
    let client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_secs(60));
    // Without a key, the identity that the machine gives its programs is used.
    let mut builder = match (&config.s3_access_key, &config.s3_secret_key) {
        (Some(id), Some(secret)) => {
            AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.expose().to_owned())
        }
        _ => AmazonS3Builder::from_env(),
    };
    builder = builder
        .with_bucket_name(bucket)
        .with_client_options(client)
        // One object at a time is deleted, and not every store knows the call for many.
        .with_disable_bulk_delete(true);
    if let Some(region) = &config.s3_region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &config.s3_endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    let store = builder.build()?;
    let prefix = prefix.trim_matches('/');
    let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, Key::from(prefix)))
    };
    Ok(Storage { store, folder: None })
}

/// On disk, the parts of an upload are a file that the store does not list, so the folder itself is read.
async fn sweep_folder(folder: &std::path::Path, before: SystemTime, limit: usize) -> io::Result<usize> {
    let mut entries = match tokio::fs::read_dir(folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    while removed < limit
        && let Some(entry) = entries.next_entry().await?
    {
        // An upload that ends meanwhile takes its file with it.
        let Ok(meta) = entry.metadata().await else {
            continue;
        };
        if meta.is_file() && meta.modified()? < before && tokio::fs::remove_file(entry.path()).await.is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests;
