//! A stored object as an HTTP answer: conditional requests, one range or many, `HEAD`, and a file name that
//! is safe to put into a header (RFC 9110, RFC 6266).
//!
//! What always holds: `Content-Length` is known before the first byte is sent; at most about two megabytes
//! of the object are in memory; the entity tag is the object's digest.
//!
//! Every answer carries `Accept-Ranges`. A layer that compresses must leave such answers alone: the bytes
//! and their numbering are part of what is promised here.

use std::ops::Range;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
        HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
        RANGE, X_CONTENT_TYPE_OPTIONS,
    },
};
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::StaticFormatDescription,
    macros::format_description,
};

use super::{
    Blob, Content, Digest, Error, Storage,
    ranges::{self, Ranges},
};

/// Ranges this close to each other are read in one go, and the bytes between them thrown away: with a store
/// across the network a request costs more than these bytes. A thousand ranges waste at most 64 MiB of reading.
const GAP_BYTES: u64 = 64 * 1024;

/// At most this much is read in one go for several ranges, since it is held in memory.
const GROUP_BYTES: u64 = 512 * 1024;

/// Groups of ranges that are read ahead of the one being sent.
const GROUPS_AHEAD: usize = 2;

/// A longer name is of no use to anyone, and some file systems end at 255 bytes.
const FILE_NAME_CHARS: usize = 150;

const HTTP_DATE: StaticFormatDescription =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// The URL will never mean other bytes: everyone may keep them for good.
    Immutable,
    /// Everyone may keep the bytes, and asks each time whether they are still right.
    Revalidate,
    /// For this one client.
    Private,
}

impl Caching {
    /// `no-transform` keeps proxies from recompressing what has a digest.
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Immutable => "public, max-age=31536000, immutable, no-transform",
            Self::Revalidate => "public, no-cache, no-transform",
            Self::Private => "private, no-store, no-transform",
        })
    }
}

/// What the answer says about the object, which the store does not know.
#[derive(Debug, Clone, Copy)]
pub struct ServeAs<'a> {
    pub content_type: &'a str,
    /// Given, the browser saves the object under this name; otherwise it may show it.
    pub file_name: Option<&'a str>,
    pub caching: Caching,
    pub last_modified: Option<OffsetDateTime>,
}

/// Answers a `GET` or `HEAD` for `blob`.
pub async fn respond(
    storage: &Storage,
    blob: &Blob,
    request: &HeaderMap,
    method: &Method,
    meta: ServeAs<'_>,
) -> Result<Response, Error> {
    let validators = Validators::of(blob, &meta);
    let mut headers = HeaderMap::new();
    headers.insert(ETAG, value(&validators.etag));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, meta.caching.header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(date) = validators.modified.and_then(http_date) {
        headers.insert(LAST_MODIFIED, value(&date));
    }
    if let Some(status) = validators.precondition(request) {
        return Ok((status, headers).into_response());
    }

    if let Some(name) = meta.file_name {
        headers.insert(CONTENT_DISPOSITION, value(&disposition(name)));
    }
    let content_type = HeaderValue::from_str(meta.content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));

    // The RFC defines ranges for GET only.
    let wanted = match request.get(RANGE).and_then(|range| range.to_str().ok()) {
        Some(range) if *method == Method::GET && validators.range_applies(request) => {
            ranges::parse(range, blob.size)
        }
        _ => Ranges::Full,
    };
    match wanted {
        Ranges::Unsatisfiable => {
            headers.remove(CONTENT_DISPOSITION);
            headers.insert(CONTENT_RANGE, value(&format!("bytes */{}", blob.size)));
            Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response())
        }
        Ranges::Full => {
            headers.insert(CONTENT_TYPE, content_type);
            headers.insert(CONTENT_LENGTH, blob.size.into());
            let body = if *method == Method::HEAD {
                Body::empty()
            } else {
                Body::from_stream(storage.read(&blob.digest, 0..blob.size).await?)
            };
            Ok((StatusCode::OK, headers, body).into_response())
        }
        Ranges::Partial(ranges) => {
            if let [range] = ranges.as_slice() {
                headers.insert(CONTENT_TYPE, content_type);
                headers.insert(CONTENT_RANGE, value(&content_range(range, blob.size)));
                headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
                let body = Body::from_stream(storage.read(&blob.digest, range.clone()).await?);
                return Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response());
            }
            let parts =
                Multipart::of(blob, &ranges, content_type.to_str().unwrap_or("application/octet-stream"));
            headers
                .insert(CONTENT_TYPE, value(&format!("multipart/byteranges; boundary={}", parts.boundary)));
            headers.insert(CONTENT_LENGTH, parts.length().into());
            let body = Body::from_stream(parts.into_stream(storage, blob.digest).await?);
            Ok((StatusCode::PARTIAL_CONTENT, headers, body).into_response())
        }
    }
}

/// What a client can hold against us to ask for the object only if it changed, or did not.
struct Validators {
    etag: String,
    /// In whole seconds, as HTTP dates are.
    modified: Option<OffsetDateTime>,
}

impl Validators {
    fn of(blob: &Blob, meta: &ServeAs<'_>) -> Self {
        Self {
            etag: format!("\"{}\"", blob.digest),
            modified: meta
                .last_modified
                .and_then(|at| OffsetDateTime::from_unix_timestamp(at.unix_timestamp()).ok()),
        }
    }

    /// The answer that a condition asks for instead of the object, in the order of RFC 9110, section 13.2.2.
    fn precondition(&self, request: &HeaderMap) -> Option<StatusCode> {
        let fits = if request.contains_key(IF_MATCH) {
            tags(request, &IF_MATCH).any(|tag| tag == "*" || tag == self.etag)
        } else {
            match (date(request, &IF_UNMODIFIED_SINCE), self.modified) {
                (Some(since), Some(modified)) => modified <= since,
                _ => true,
            }
        };
        if !fits {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
        let known = if request.contains_key(IF_NONE_MATCH) {
            tags(request, &IF_NONE_MATCH)
                .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
        } else {
            match (date(request, &IF_MODIFIED_SINCE), self.modified) {
                (Some(since), Some(modified)) => modified <= since,
                _ => false,
            }
        };
        known.then_some(StatusCode::NOT_MODIFIED)
    }

    /// A range continues what the client has only if that is still the same object.
    fn range_applies(&self, request: &HeaderMap) -> bool {
        let Some(condition) = request.get(IF_RANGE) else {
            return true;
        };
        condition.as_bytes() == self.etag.as_bytes()
            || date(request, &IF_RANGE).is_some_and(|since| Some(since) == self.modified)
    }
}

/// Our tags hold no comma, so splitting at commas cannot make one out of a foreign tag.
fn tags<'a>(request: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> + use<'a> {
    request
        .get_all(name)
        .into_iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(',').map(str::trim))
}

/// Only the form that has been sent since 1999 is read; the two older ones count as absent.
fn date(request: &HeaderMap, name: &HeaderName) -> Option<OffsetDateTime> {
    let text = request.get(name)?.to_str().ok()?;
    PrimitiveDateTime::parse(text, HTTP_DATE).ok().map(PrimitiveDateTime::assume_utc)
}

fn http_date(at: OffsetDateTime) -> Option<String> {
    at.to_offset(time::UtcOffset::UTC).format(HTTP_DATE).ok()
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end - 1)
}

/// For values made here, of visible ASCII only.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// `attachment` with the name twice: in ASCII for old clients, and in full as RFC 8187 writes it.
fn disposition(name: &str) -> String {
    let safe: String = name
        .chars()
        .take(FILE_NAME_CHARS)
        .map(|c| if c.is_control() || matches!(c, '/' | '\\') || changes_direction(c) { '_' } else { c })
        .collect();
    let safe = match safe.trim().trim_start_matches('.') {
        "" => "download",
        rest => rest,
    };
    // Some clients decode percent signs in the plain form.
    let plain: String = safe
        .chars()
        .map(|c| match c {
            '"' => '\'',
            '%' => '_',
            c if c.is_ascii() => c,
            _ => '_',
        })
        .collect();
    if plain == safe {
        return format!("attachment; filename=\"{plain}\"");
    }
    let mut full = String::new();
    for byte in safe.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            full.push(char::from(byte));
        } else {
            full.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

/// Marks that let `gpj.exe` be shown as `exe.jpg`.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

struct Part {
    head: Bytes,
    range: Range<u64>,
}

/// The body of an answer with many ranges.
struct Multipart {
    boundary: String,
    parts: Vec<Part>,
    tail: Bytes,
}

impl Multipart {
    /// The boundary is taken from the digest of the content, which therefore cannot be made to hold it.
    fn of(blob: &Blob, ranges: &[Range<u64>], content_type: &str) -> Self {
        let digest = blob.digest.to_string();
        let boundary = format!("forge-{}", &digest[..40]);
        let parts = ranges
            .iter()
            .enumerate()
            .map(|(index, range)| {
                // The first boundary stands at the very start: electron-updater counts on it.
                let line = if index == 0 { "" } else { "\r\n" };
                let place = content_range(range, blob.size);
                let head = format!(
                    "{line}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {place}\r\n\r\n"
                );
                Part { head: head.into(), range: range.clone() }
            })
            .collect();
        let tail = format!("\r\n--{boundary}--\r\n").into();
        Self { boundary, parts, tail }
    }

    fn length(&self) -> u64 {
        let parts: u64 =
            self.parts.iter().map(|part| part.head.len() as u64 + part.range.end - part.range.start).sum();
        parts + self.tail.len() as u64
    }

    /// Reads the first group before it returns, so that an object that is gone is still an ordinary error.
    async fn into_stream(self, storage: &Storage, digest: Digest) -> Result<Content, Error> {
        let mut groups = group(self.parts).into_iter();
        let first = match groups.next() {
            Some(parts) => read_group(storage.clone(), digest, parts).await?,
            None => stream::empty().boxed(),
        };
        let storage = storage.clone();
        let rest = stream::iter(groups)
            .map(move |parts| read_group(storage.clone(), digest, parts))
            .buffered(GROUPS_AHEAD)
            .try_flatten();
        let tail = self.tail;
        Ok(first.chain(rest).chain(stream::once(async move { Ok(tail) })).boxed())
    }
}

/// Puts neighbours together that are near and small enough to be read in one go. Their order stays.
fn group(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut groups: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let joins = groups.last().and_then(|group| Some((group.first()?, group.last()?))).is_some_and(
            |(first, last)| {
                last.range.end <= part.range.start
                    && part.range.start - last.range.end <= GAP_BYTES
                    && part.range.end - first.range.start <= GROUP_BYTES
            },
        );
        match groups.last_mut() {
            Some(group) if joins => group.push(part),
            _ => groups.push(vec![part]),
        }
    }
    groups
}

async fn read_group(storage: Storage, digest: Digest, mut parts: Vec<Part>) -> Result<Content, Error> {
    if parts.len() == 1 {
        let Part { head, range } = parts.remove(0);
        let content = storage.read(&digest, range).await?;
        return Ok(stream::once(async move { Ok(head) }).chain(content).boxed());
    }
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Ok(stream::empty().boxed());
    };
    let start = first.range.start;
    let span = start..last.range.end;
    let length = span.end - span.start;
    let mut bytes = BytesMut::new();
    let mut content = storage.read(&digest, span).await?;
    while let Some(chunk) = content.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() as u64 != length {
        return Err(Error::Damaged(digest));
    }
    let bytes = bytes.freeze();
    let pieces: Vec<Result<Bytes, Error>> = parts
        .into_iter()
        .flat_map(|Part { head, range }| {
            // Within a group, offsets are below `GROUP_BYTES`.
            let content = bytes.slice((range.start - start) as usize..(range.end - start) as usize);
            [Ok(head), Ok(content)]
        })
        .collect();
    Ok(stream::iter(pieces).boxed())
}

#[cfg(test)]
#[path = "respond_tests.rs"]
mod tests;
