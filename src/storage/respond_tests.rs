use axum::body::to_bytes;
use tempfile::TempDir;
use time::macros::datetime;

use super::*;
use crate::config::StorageConfig;

const PLAIN: ServeAs<'static> = ServeAs {
    content_type: "application/octet-stream",
    file_name: None,
    caching: Caching::Immutable,
    last_modified: Some(datetime!(2026-11-20 10:00:00.5 UTC)),
};

/// A storage with one object of `size` bytes that differ from their neighbours.
struct Fixture {
    _folder: TempDir,
    storage: Storage,
    blob: Blob,
    content: Vec<u8>,
}

impl Fixture {
    async fn of(size: usize) -> Self {
        let folder = TempDir::new().expect("a folder");
        let config = StorageConfig {
            url: folder.path().display().to_string(),
            s3_endpoint: None,
            s3_region: None,
            s3_access_key: None,
            s3_secret_key: None,
        };
        let storage = Storage::open(&config).expect("opened");
        let content: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        let blob = storage.put_bytes(content.clone().into()).await.expect("stored");
        Self { _folder: folder, storage, blob, content }
    }

    async fn ask(&self, method: Method, headers: &[(HeaderName, &str)]) -> Answer {
        self.ask_as(method, headers, PLAIN).await
    }

    async fn ask_as(&self, method: Method, headers: &[(HeaderName, &str)], meta: ServeAs<'_>) -> Answer {
        let request: HeaderMap = headers.iter().map(|(name, text)| (name.clone(), value(text))).collect();
        let response = respond(&self.storage, &self.blob, &request, &method, meta).await.expect("answered");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("read").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.blob.digest)
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

#[tokio::test]
async fn the_whole_object_comes_with_all_that_a_cache_needs() {
    let fixture = Fixture::of(300_000).await;
    let answer = fixture.ask(Method::GET, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body == fixture.content);
    assert_eq!(answer.header(&CONTENT_LENGTH), "300000");
    assert_eq!(answer.header(&ETAG), fixture.etag());
    assert_eq!(answer.header(&LAST_MODIFIED), "Fri, 20 Nov 2026 10:00:00 GMT");
    assert_eq!(answer.header(&ACCEPT_RANGES), "bytes");
    assert_eq!(answer.header(&X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(answer.header(&CACHE_CONTROL), "public, max-age=31536000, immutable, no-transform");
}

#[tokio::test]
async fn head_says_the_same_without_the_bytes_and_knows_no_ranges() {
    let fixture = Fixture::of(1_000).await;
    let answer = fixture.ask(Method::HEAD, &[(RANGE, "bytes=0-9")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(&CONTENT_LENGTH), "1000");
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn one_range_is_answered_with_its_place() {
    let fixture = Fixture::of(1_000).await;
    let answer = fixture.ask(Method::GET, &[(RANGE, "bytes=990-")]).await;
    assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.header(&CONTENT_RANGE), "bytes 990-999/1000");
    assert_eq!(answer.header(&CONTENT_LENGTH), "10");
    assert_eq!(answer.body, fixture.content[990..]);
}

#[tokio::test]
async fn a_range_outside_is_refused_with_the_size() {
    let fixture = Fixture::of(1_000).await;
    let answer = fixture.ask(Method::GET, &[(RANGE, "bytes=1000-")]).await;
    assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(answer.header(&CONTENT_RANGE), "bytes */1000");
    assert!(answer.body.is_empty());
}

/// Reads the parts as electron-updater does: it skips the first boundary, searches the end of each part's
/// head, and takes as many bytes as it asked for.
fn parts_as_the_updater_reads_them(answer: &Answer, lengths: &[usize]) -> Vec<Vec<u8>> {
    let content_type = answer.header(&CONTENT_TYPE);
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").expect("a boundary");
    let mut at = boundary.len() + 2;
    let mut parts = Vec::new();
    for length in lengths {
        let head =
            answer.body[at..].windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("the end of a head");
        let start = at + head + 4;
        parts.push(answer.body[start..start + length].to_vec());
        at = start + length + boundary.len() + 4;
    }
    assert_eq!(&answer.body[at..], b"--\r\n", "the last boundary ends the body");
    parts
}

#[tokio::test]
async fn many_ranges_come_in_the_order_asked_for_with_an_exact_length() {
    let fixture = Fixture::of(2_000_000).await;
    // Near neighbours, far ones, one larger than a group, and one that goes back.
    let ranges =
        [0..10usize, 10..20, 500..70_000, 1_000_000..1_900_000, 1_950_000..2_000_000, 100_000..100_001];
    let specs: Vec<String> =
        ranges.iter().map(|range| format!("{}-{}", range.start, range.end - 1)).collect();
    let answer = fixture.ask(Method::GET, &[(RANGE, &format!("bytes={}", specs.join(", ")))]).await;

    assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(answer.header(&CONTENT_LENGTH), answer.body.len().to_string());
    let lengths: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
    let parts = parts_as_the_updater_reads_them(&answer, &lengths);
    for (part, range) in parts.iter().zip(&ranges) {
        assert!(*part == fixture.content[range.clone()], "bytes {range:?}");
    }
    let body = String::from_utf8_lossy(&answer.body);
    assert!(body.contains("\r\nContent-Range: bytes 100000-100000/2000000\r\n\r\n"));
}

#[tokio::test]
async fn a_thousand_ranges_are_answered() {
    let fixture = Fixture::of(3_000_000).await;
    let specs: Vec<String> = (0..1_000).map(|n| format!("{}-{}", n * 3_000, n * 3_000 + 99)).collect();
    let answer = fixture.ask(Method::GET, &[(RANGE, &format!("bytes={}", specs.join(",")))]).await;
    assert_eq!(answer.header(&CONTENT_LENGTH), answer.body.len().to_string());
    let parts = parts_as_the_updater_reads_them(&answer, &[100; 1_000]);
    assert!(parts.iter().enumerate().all(|(n, part)| *part == fixture.content[n * 3_000..n * 3_000 + 100]));
}

#[tokio::test]
async fn conditions_are_met_or_answered() {
    let fixture = Fixture::of(100).await;
    let etag = fixture.etag();
    let weak = format!("\"other\", W/{etag}");
    let (etag, weak) = (etag.as_str(), weak.as_str());
    let (same, before, after) =
        ("Fri, 20 Nov 2026 10:00:00 GMT", "Fri, 20 Nov 2026 09:59:59 GMT", "Fri, 20 Nov 2026 10:00:01 GMT");
    let cases: &[(&[(HeaderName, &str)], StatusCode)] = &[
        (&[(IF_NONE_MATCH, etag)], StatusCode::NOT_MODIFIED),
        (&[(IF_NONE_MATCH, weak)], StatusCode::NOT_MODIFIED),
        (&[(IF_NONE_MATCH, "*")], StatusCode::NOT_MODIFIED),
        (&[(IF_NONE_MATCH, "\"other\"")], StatusCode::OK),
        // The tag decides when both are there.
        (&[(IF_NONE_MATCH, "\"other\""), (IF_MODIFIED_SINCE, after)], StatusCode::OK),
        (&[(IF_MODIFIED_SINCE, same)], StatusCode::NOT_MODIFIED),
        (&[(IF_MODIFIED_SINCE, before)], StatusCode::OK),
        (&[(IF_MODIFIED_SINCE, "yesterday")], StatusCode::OK),
        (&[(IF_MATCH, etag)], StatusCode::OK),
        (&[(IF_MATCH, "*")], StatusCode::OK),
        (&[(IF_MATCH, "\"other\"")], StatusCode::PRECONDITION_FAILED),
        (&[(IF_MATCH, weak)], StatusCode::PRECONDITION_FAILED),
        (&[(IF_UNMODIFIED_SINCE, same)], StatusCode::OK),
        (&[(IF_UNMODIFIED_SINCE, before)], StatusCode::PRECONDITION_FAILED),
        (&[(RANGE, "bytes=0-4"), (IF_RANGE, etag)], StatusCode::PARTIAL_CONTENT),
        (&[(RANGE, "bytes=0-4"), (IF_RANGE, same)], StatusCode::PARTIAL_CONTENT),
        (&[(RANGE, "bytes=0-4"), (IF_RANGE, after)], StatusCode::OK),
        (&[(RANGE, "bytes=0-4"), (IF_RANGE, "\"other\"")], StatusCode::OK),
        // A weak tag never continues a download.
        (&[(RANGE, "bytes=0-4"), (IF_RANGE, weak)], StatusCode::OK),
    ];
    for (headers, expected) in cases {
        let answer = fixture.ask(Method::GET, headers).await;
        assert_eq!(answer.status, *expected, "{headers:?}");
        assert_eq!(answer.header(&ETAG), etag, "{headers:?}");
        if expected.is_redirection() || expected.is_client_error() {
            assert!(answer.body.is_empty(), "{headers:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_object_is_answered_in_full() {
    let fixture = Fixture::of(0).await;
    let answer = fixture.ask(Method::GET, &[(RANGE, "bytes=0-")]).await;
    assert_eq!((answer.status, answer.header(&CONTENT_LENGTH)), (StatusCode::OK, "0"));
}

#[tokio::test]
async fn an_object_that_is_gone_is_an_error_before_anything_is_sent() {
    let fixture = Fixture::of(100).await;
    fixture.storage.delete(&fixture.blob.digest).await.expect("deleted");
    for range in ["bytes=0-", "bytes=0-1,5-6", "lines=1"] {
        let request: HeaderMap = [(RANGE, value(range))].into_iter().collect();
        let answer = respond(&fixture.storage, &fixture.blob, &request, &Method::GET, PLAIN).await;
        assert!(matches!(answer, Err(Error::Missing(_))), "{range}");
    }
}

#[test]
fn file_names_cannot_leave_their_header() {
    assert_eq!(disposition("Dev Forge 1.2.0.exe"), "attachment; filename=\"Dev Forge 1.2.0.exe\"");
    assert_eq!(
        disposition("Übung \"eins\".txt"),
        "attachment; filename=\"_bung 'eins'.txt\"; filename*=UTF-8''%C3%9Cbung%20%22eins%22.txt"
    );
    assert_eq!(disposition("../../etc/passwd"), "attachment; filename=\"_.._etc_passwd\"");
    assert_eq!(disposition("a\r\nSet-Cookie: b=c"), "attachment; filename=\"a__Set-Cookie: b=c\"");
    assert_eq!(disposition("photo\u{202e}gpj.exe"), "attachment; filename=\"photo_gpj.exe\"");
    assert_eq!(disposition("..."), "attachment; filename=\"download\"");
    assert!(disposition(&"ü".repeat(1_000)).len() < 1_200);
}

#[tokio::test]
async fn a_named_object_is_saved_not_shown() {
    let fixture = Fixture::of(10).await;
    let meta = ServeAs {
        file_name: Some("forge.zip"),
        content_type: "bad\ntype",
        caching: Caching::Private,
        ..PLAIN
    };
    let answer = fixture.ask_as(Method::GET, &[], meta).await;
    assert_eq!(answer.header(&CONTENT_DISPOSITION), "attachment; filename=\"forge.zip\"");
    assert_eq!(answer.header(&CONTENT_TYPE), "application/octet-stream");
    assert_eq!(answer.header(&CACHE_CONTROL), "private, no-store, no-transform");
}
