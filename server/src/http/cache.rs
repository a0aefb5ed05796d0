//! Public pages, kept as they went out, each with its compressed forms.
//!
//! What always holds: only answers marked [`Cacheable`] are kept, only for visitors without a session, and the
//! key is all that such a page depends on: its path, the theme, and after which clearing its making began. So a page
//! made of what was there before a clearing is never found after it, however late it is done.

use std::{
    io::Write,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::pages::shell::{Cacheable, ScriptPolicy, Theme};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use moka::sync::Cache;

use super::{Shared, assets::accepted};

/// Pages times themes; beyond this the least used go.
const MAX_ENTRIES: u64 = 4_096;
/// A page that no event ever clears is made anew after this long.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;
const BROTLI_QUALITY: u32 = 9;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    path: String,
    theme: Theme,
    generation: u64,
}

#[derive(Clone)]
pub struct PageCache {
    pages: Cache<Key, Arc<CachedPage>>,
    /// How often it was cleared.
    generation: Arc<AtomicU64>,
}

struct CachedPage {
    policy: ScriptPolicy,
    etag: HeaderValue,
    plain: Bytes,
    /// Made when first asked for: many pages never are in all three forms.
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl PageCache {
    pub fn new() -> Self {
        Self {
            pages: Cache::builder().max_capacity(MAX_ENTRIES).time_to_live(LIFETIME).build(),
            generation: Arc::default(),
        }
    }

    pub fn clear(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.pages.invalidate_all();
    }

    /// Taken before the page is made, so that it says what the page can know.
    fn key(&self, path: &str, theme: Theme) -> Key {
        Key { path: path.to_owned(), theme, generation: self.generation.load(Ordering::SeqCst) }
    }

    fn find(&self, key: &Key) -> Option<Arc<CachedPage>> {
        self.pages.get(key)
    }

    /// Unless it was cleared since. A clearing in this very moment leaves a page behind that nobody finds.
    fn keep(&self, key: Key, page: Arc<CachedPage>) {
        if key.generation == self.generation.load(Ordering::SeqCst) {
            self.pages.insert(key, page);
        }
    }
}

impl Default for PageCache {
    fn default() -> Self {
        Self::new()
    }
}

/// Answers from the cache where it can, from `next` where it must, and keeps what may be kept.
pub async fn answer(shared: &Shared, request: Request, next: Next) -> Response {
    let key = key_of(shared, &request);
    if let Some(key) = &key
        && let Some(page) = shared.cache.find(key)
    {
        return page.respond(request.headers());
    }
    let asked = request.headers().clone();
    let is_get = request.method() == Method::GET;
    let mut response = next.run(request).await;
    let cacheable = response.extensions_mut().remove::<Cacheable>().is_some();
    if !is_get
        || !cacheable
        || response.status() != StatusCode::OK
        || response.headers().contains_key(header::SET_COOKIE)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(plain) = axum::body::to_bytes(body, MAX_PAGE_BYTES).await else {
        // A page this large is not one of ours; rather none than half of one.
        parts.status = StatusCode::INTERNAL_SERVER_ERROR;
        parts.headers.clear();
        return Response::from_parts(parts, Body::empty());
    };
    let Some(policy) = parts.extensions.remove::<ScriptPolicy>() else {
        return Response::from_parts(parts, Body::from(plain));
    };
    let page = Arc::new(CachedPage::new(policy, plain));
    // Without a key it is the same page, made for this visitor only.
    if let Some(key) = key {
        shared.cache.keep(key, Arc::clone(&page));
    }
    page.respond(&asked)
}

/// None for what is never kept: anything but reading a page without a query, by a visitor without a session.
fn key_of(shared: &Shared, request: &Request) -> Option<Key> {
    let path = request.uri().path();
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_page = !path.starts_with("/api/") && !path.starts_with("/assets/");
    if !readable || !is_page || request.uri().query().is_some() {
        return None;
    }
    let session = devforge::session::cookie_name(&shared.ctx.config);
    if has_cookie(request.headers(), session) {
        return None;
    }
    Some(shared.cache.key(path, Theme::from_headers(request.headers())))
}

fn has_cookie(headers: &HeaderMap, name: &str) -> bool {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .any(|pair| pair.trim().strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
}

impl CachedPage {
    fn new(policy: ScriptPolicy, plain: Bytes) -> Self {
        let hash = devforge::crypto::to_hex(&devforge::crypto::sha256(&plain)[..8]);
        // Weak, because the compressed forms are the same page in other bytes.
        let etag =
            HeaderValue::from_str(&format!("W/\"{hash}\"")).expect("hexadecimal digits are plain ASCII");
        Self { policy, etag, plain, brotli: OnceLock::new(), gzip: OnceLock::new() }
    }

    fn respond(&self, asked: &HeaderMap) -> Response {
        let known =
            asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == self.etag.as_bytes());
        let mut response = if known {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let accepted = accepted(asked);
            let (body, encoding) = if accepted.brotli {
                (self.brotli.get_or_init(|| brotli(&self.plain)), Some("br"))
            } else if accepted.gzip {
                (self.gzip.get_or_init(|| gzip(&self.plain)), Some("gzip"))
            } else {
                (&self.plain, None)
            };
            let mut response = Response::new(Body::from(body.clone()));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        // Browsers ask again each time: a theme or a sign-in changes the page at once.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
        response.extensions_mut().insert(self.policy.clone());
        response
    }
}

fn brotli(plain: &[u8]) -> Bytes {
    let mut compressed = Vec::with_capacity(plain.len() / 4);
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 16 * 1024, BROTLI_QUALITY, 20);
    writer.write_all(plain).expect("writing to memory does not fail");
    drop(writer);
    Bytes::from(compressed)
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut writer =
        flate2::write::GzEncoder::new(Vec::with_capacity(plain.len() / 3), flate2::Compression::new(8));
    writer.write_all(plain).expect("writing to memory does not fail");
    Bytes::from(writer.finish().expect("writing to memory does not fail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Arc<CachedPage> {
        Arc::new(CachedPage::new(ScriptPolicy::SiteScript, Bytes::from_static(b"a page")))
    }

    #[test]
    fn a_page_is_found_until_the_next_clearing() {
        let cache = PageCache::new();
        cache.keep(cache.key("/about", Theme::Dark), page());
        assert!(cache.find(&cache.key("/about", Theme::Dark)).is_some());
        assert!(cache.find(&cache.key("/about", Theme::Light)).is_none());
        cache.clone().clear();
        assert!(cache.find(&cache.key("/about", Theme::Dark)).is_none());
    }

    #[test]
    fn a_page_that_was_begun_before_a_clearing_is_not_kept_after_it() {
        let cache = PageCache::new();
        let begun = cache.key("/about", Theme::Dark);
        cache.clear();
        cache.keep(begun.clone(), page());
        assert!(cache.find(&begun).is_none() && cache.find(&cache.key("/about", Theme::Dark)).is_none());
        // The clearing that comes between the look and the insertion.
        cache.pages.insert(begun, page());
        assert!(cache.find(&cache.key("/about", Theme::Dark)).is_none());
    }
}
