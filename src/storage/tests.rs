//! The store on a local disk. The same calls go to S3; only `open_bucket` differs.

use std::{convert::Infallible, path::Path};

use tempfile::TempDir;

use super::*;

fn open(folder: &TempDir) -> Storage {
    let config = StorageConfig {
        url: folder.path().join("objects").display().to_string(),
        s3_endpoint: None,
        s3_region: None,
        s3_access_key: None,
        s3_secret_key: None,
    };
    Storage::open(&config).expect("a folder can be opened")
}

fn fresh() -> (TempDir, Storage) {
    let folder = TempDir::new().expect("a folder");
    let storage = open(&folder);
    (folder, storage)
}

/// `count` chunks of 64 KiB, each with bytes of its own.
fn chunks(count: usize) -> Vec<Bytes> {
    (0..count).map(|n| Bytes::from(vec![n as u8; 64 * 1024])).collect()
}

fn arriving(chunks: Vec<Bytes>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::iter(chunks.into_iter().map(Ok))
}

async fn content(storage: &Storage, digest: &Digest, range: Range<u64>) -> Vec<u8> {
    let stream = storage.read(digest, range).await.expect("the object is there");
    let pieces: Vec<Bytes> = stream.try_collect().await.expect("the object can be read");
    pieces.concat()
}

fn files_under(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| if path.is_dir() { files_under(&path) } else { 1 })
        .sum()
}

fn temporary(folder: &TempDir) -> usize {
    files_under(&folder.path().join("objects/tmp"))
}

fn stored(folder: &TempDir) -> usize {
    files_under(&folder.path().join("objects/blobs"))
}

const NO_LIMIT: u64 = u64::MAX;

#[tokio::test]
async fn what_is_put_can_be_read_back_in_any_range() {
    let (_folder, storage) = fresh();
    let blob = storage.put_bytes(Bytes::from_static(b"hot steel")).await.expect("stored");
    assert_eq!(blob, Blob { digest: Digest::of(b"hot steel"), size: 9 });
    assert_eq!(storage.head(&blob.digest).await.expect("asked"), Some(blob));
    assert_eq!(content(&storage, &blob.digest, 0..9).await, b"hot steel");
    assert_eq!(content(&storage, &blob.digest, 4..9).await, b"steel");
    assert_eq!(content(&storage, &blob.digest, 3..3).await, b"");
}

#[tokio::test]
async fn small_and_large_streams_are_stored_under_their_digest() {
    // 300 chunks are more than two parts, 3 are less than one, and none is an empty object.
    for count in [0, 3, 300] {
        let (folder, storage) = fresh();
        let whole = chunks(count).concat();
        let blob =
            storage.put_stream(Uuid::from_u128(1), arriving(chunks(count)), NO_LIMIT).await.expect("stored");
        assert_eq!(blob, Blob { digest: Digest::of(&whole), size: whole.len() as u64 });
        assert!(content(&storage, &blob.digest, 0..blob.size).await == whole, "{count} chunks read back");
        assert_eq!((stored(&folder), temporary(&folder)), (1, 0));
    }
}

#[tokio::test]
async fn the_same_content_is_one_object() {
    let (folder, storage) = fresh();
    let put = |upload| storage.put_stream(Uuid::from_u128(upload), arriving(chunks(200)), NO_LIMIT);
    let (first, second) = tokio::join!(put(1), put(2));
    let third = put(3).await.expect("stored");
    assert_eq!(first.expect("stored"), third);
    assert_eq!(second.expect("stored"), third);
    assert_eq!((stored(&folder), temporary(&folder)), (1, 0));
}

#[tokio::test]
async fn content_over_the_limit_leaves_nothing_behind() {
    for count in [2, 300] {
        let (folder, storage) = fresh();
        let limit = (count as u64) * 64 * 1024 - 1;
        let refused = storage.put_stream(Uuid::from_u128(1), arriving(chunks(count)), limit).await;
        assert!(matches!(refused, Err(Error::TooLarge { limit: named }) if named == limit));
        assert_eq!((stored(&folder), temporary(&folder)), (0, 0));
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_behind() {
    let (folder, storage) = fresh();
    let broken =
        stream::iter(chunks(200).into_iter().map(Ok)).chain(stream::iter([Err(io::Error::other("hung up"))]));
    let refused = storage.put_stream(Uuid::from_u128(1), broken, NO_LIMIT).await;
    assert!(matches!(refused, Err(Error::Upload(_))));
    assert_eq!((stored(&folder), temporary(&folder)), (0, 0));
}

#[tokio::test]
async fn a_damaged_object_is_noticed_and_replaced() {
    let (folder, storage) = fresh();
    let blob = storage.put_bytes(Bytes::from_static(b"hot steel")).await.expect("stored");
    let file = folder.path().join("objects").join(blob.digest.key().to_string());
    std::fs::write(&file, b"hot").expect("the file is cut short");

    assert!(matches!(storage.read(&blob.digest, 0..9).await, Err(Error::Damaged(_))));
    storage.put_bytes(Bytes::from_static(b"hot steel")).await.expect("stored again");
    assert_eq!(content(&storage, &blob.digest, 0..9).await, b"hot steel");
}

#[tokio::test]
async fn a_deleted_object_is_gone_and_deleting_twice_is_fine() {
    let (_folder, storage) = fresh();
    let blob = storage.put_bytes(Bytes::from_static(b"slag")).await.expect("stored");
    for _ in 0..2 {
        storage.delete(&blob.digest).await.expect("deleted");
        assert_eq!(storage.head(&blob.digest).await.expect("asked"), None);
    }
    assert!(matches!(storage.read(&blob.digest, 0..4).await, Err(Error::Missing(_))));
}

#[tokio::test]
async fn a_check_leaves_nothing_behind() {
    let (folder, storage) = fresh();
    storage.check(Uuid::from_u128(1)).await.expect("a folder can be written");
    assert_eq!(temporary(&folder), 0);
}

#[tokio::test]
async fn a_check_fails_when_the_store_is_gone() {
    let (folder, storage) = fresh();
    let objects = folder.path().join("objects");
    std::fs::remove_dir_all(&objects).expect("removed");
    // A file in the folder's place keeps even root from writing.
    std::fs::write(&objects, b"").expect("written");
    assert!(matches!(storage.check(Uuid::from_u128(1)).await, Err(Error::Store(_))));
}

#[tokio::test]
async fn a_sweep_takes_what_is_old_and_no_more_than_asked() {
    let (folder, storage) = fresh();
    let kept = storage.put_bytes(Bytes::from_static(b"kept")).await.expect("stored");
    let waiting = folder.path().join("objects/tmp");
    std::fs::create_dir_all(&waiting).expect("a folder");
    for name in ["one", "two#1", "three"] {
        std::fs::write(waiting.join(name), b"left over").expect("written");
    }

    assert_eq!(storage.sweep(OffsetDateTime::UNIX_EPOCH, 10).await.expect("swept"), 0, "nothing is that old");
    let far = time::macros::datetime!(9000-01-01 0:00 UTC);
    assert_eq!(storage.sweep(far, 2).await.expect("swept"), 2);
    assert_eq!(storage.sweep(far, 10).await.expect("swept"), 1);
    assert_eq!(storage.head(&kept.digest).await.expect("asked"), Some(kept));
}

#[test]
fn addresses_of_other_kinds_are_refused() {
    for url in ["", "ftp://host/path", "s3://", "file://host/share"] {
        let config = StorageConfig {
            url: url.to_owned(),
            s3_endpoint: None,
            s3_region: None,
            s3_access_key: None,
            s3_secret_key: None,
        };
        assert!(matches!(Storage::open(&config), Err(Error::Address(_))), "{url}");
    }
}
