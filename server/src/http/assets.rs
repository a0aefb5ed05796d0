//! The files that the browser build made: hashed names, so cached forever; compressed beforehand.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use anyhow::Context;
use app::assets::Manifest;
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use rust_embed::RustEmbed;

/// From disk in a debug build, inside the binary in a release build.
#[derive(RustEmbed)]
#[folder = "../target/site/"]
#[allow_missing = true]
struct Built;

struct File {
    content_type: &'static str,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

pub struct Files {
    manifest: Manifest,
    assets: Arc<HashMap<String, File>>,
    root: HashMap<String, File>,
}

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

impl Files {
    pub fn load() -> anyhow::Result<Self> {
        let manifest = Built::get("manifest.json").context("target/site/manifest.json is not there")?;
        let manifest =
            serde_json::from_slice(&manifest.data).context("target/site/manifest.json cannot be read")?;
        Ok(Self { manifest, assets: Arc::new(folder("assets/")), root: folder("root/") })
    }

    pub fn manifest(&self) -> Manifest {
        self.manifest.clone()
    }

    pub fn router(self) -> Router {
        let mut router =
            Router::new().route("/assets/{*path}", get(asset)).with_state(Arc::clone(&self.assets));
        for (name, file) in self.root {
            let file = Arc::new(file);
            let serve = move |headers: HeaderMap| {
                let file = Arc::clone(&file);
                async move { file.respond(&headers, A_DAY) }
            };
            router = router.route(&format!("/{name}"), get(serve));
        }
        router
    }
}

async fn asset(
    State(files): State<Arc<HashMap<String, File>>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    match files.get(&path) {
        Some(file) => file.respond(&headers, FOREVER),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn folder(prefix: &str) -> HashMap<String, File> {
    let read = |name: &str| {
        Built::get(name).map(|file| match file.data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => Bytes::from(data),
        })
    };
    Built::iter()
        .filter(|name| !name.ends_with(".br") && !name.ends_with(".gz"))
        .filter_map(|name| {
            let short = name.strip_prefix(prefix)?.to_owned();
            let file = File {
                content_type: content_type(&name),
                plain: read(&name)?,
                brotli: read(&format!("{name}.br")),
                gzip: read(&format!("{name}.gz")),
            };
            Some((short, file))
        })
        .collect()
}

impl File {
    fn respond(&self, headers: &HeaderMap, caching: HeaderValue) -> Response {
        let (body, encoding) = match (&self.brotli, &self.gzip, accepted(headers)) {
            (Some(brotli), _, Accepted { brotli: true, .. }) => (brotli, Some("br")),
            (_, Some(gzip), Accepted { gzip: true, .. }) => (gzip, Some("gzip")),
            _ => (&self.plain, None),
        };
        let mut response = Response::new(Body::from(body.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, caching);
        if self.brotli.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub brotli: bool,
    pub gzip: bool,
}

/// Which encodings the client takes. `q=0` is a refusal; finer weights make no difference here.
pub fn accepted(headers: &HeaderMap) -> Accepted {
    let mut accepted = Accepted { brotli: false, gzip: false };
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for part in values.flat_map(|value| value.split(',')) {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let refused =
            weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q == 0.0));
        match name.trim() {
            "br" => accepted.brotli = !refused,
            "gzip" => accepted.gzip = !refused,
            _ => {}
        }
    }
    accepted
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_taken_unless_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.5, br;q=0, zstd"));
        assert_eq!(accepted(&headers), Accepted { brotli: false, gzip: true });
        assert_eq!(accepted(&HeaderMap::new()), Accepted { brotli: false, gzip: false });
    }
}
