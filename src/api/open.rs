//! What pages of any site may ask, and the editor, wherever it runs: the one list of it.
//!
//! What always holds: nothing here looks at a cookie or a token, so it does not matter which page sends it; everything
//! else has a caller, and is changed only at the wish of a page of ours.

use axum::{
    Json as JsonAnswer,
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::error::ApiError;
use crate::crypto;

/// How often one editor asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Every editor, again and again: a whole company may do so from behind one address.
    Often,
    Seldom,
}

/// Method and path below the base; what is in braces is one part of a path.
const OPEN: [(Method, &str, Asked); 8] = [
    (Method::POST, "licenses/validate", Asked::Often),
    // A license is made active on a machine, and taken off it, once.
    (Method::POST, "licenses/activate", Asked::Seldom),
    (Method::POST, "licenses/deactivate", Asked::Seldom),
    (Method::GET, "licenses/{license}", Asked::Often),
    (Method::GET, "support/knowledge-base/search", Asked::Seldom),
    (Method::POST, "support/knowledge-base/search", Asked::Seldom),
    (Method::GET, "support/knowledge-base/{article}", Asked::Seldom),
    (Method::POST, "support/knowledge-base/{article}/feedback", Asked::Seldom),
];

/// Whether pages of any site may ask this. `path` is the whole one, as it was sent.
pub fn is_open(method: &Method, path: &str) -> bool {
    matching(method, path).next().is_some()
}

/// Whether every editor asks this again and again.
pub fn is_asked_often(method: &Method, path: &str) -> bool {
    matching(method, path).any(|asked| asked == Asked::Often)
}

fn matching<'a>(method: &'a Method, path: &'a str) -> impl Iterator<Item = Asked> + 'a {
    let below = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/api/"));
    OPEN.into_iter().filter_map(move |(open, route, asked)| {
        let fits = match *method {
            Method::HEAD => open == Method::GET,
            // What a browser asks before any of these.
            Method::OPTIONS => true,
            _ => open == *method,
        };
        (fits && is_at(route, below?)).then_some(asked)
    })
}

fn is_at(route: &str, path: &str) -> bool {
    route.split('/').count() == path.split('/').count()
        && route
            .split('/')
            .zip(path.split('/'))
            .all(|(part, given)| if part.starts_with('{') { !given.is_empty() } else { part == given })
}

/// An answer that pages of any site may read, and nobody keeps.
pub(super) type Open<T> = ([(HeaderName, &'static str); 2], JsonAnswer<T>);

pub(super) fn open<T>(answer: T) -> Open<T> {
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")], JsonAnswer(answer))
}

/// An answer that pages of any site may read and keep for a minute, or that nothing has changed since.
pub(super) fn kept<T: Serialize>(asked: &HeaderMap, answer: &T) -> Result<Response, ApiError> {
    let text = serde_json::to_string(answer).map_err(|error| ApiError::internal(&error))?;
    let etag = format!("\"{}\"", &crypto::to_hex(&crypto::sha256(text.as_bytes()))[..16]);
    let shared = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    Ok((shared, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// What a browser wants to know before a page of another site sends something here.
type Preflight = (StatusCode, [(HeaderName, &'static str); 4]);

pub(super) async fn preflight_post() -> Preflight {
    preflight("POST")
}

pub(super) async fn preflight_get() -> Preflight {
    preflight("GET")
}

fn preflight(method: &'static str) -> Preflight {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, method),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_takes_a_key_or_is_for_everybody_is_open_to_all_sites() {
        for base in ["/api", "/api/v1"] {
            for (method, path) in [
                (Method::POST, "licenses/validate"),
                (Method::POST, "licenses/activate"),
                (Method::POST, "licenses/deactivate"),
                (Method::OPTIONS, "licenses/validate"),
                (Method::GET, "licenses/DF-00000"),
                (Method::HEAD, "licenses/DF-00000"),
                (Method::GET, "support/knowledge-base/search"),
                (Method::POST, "support/knowledge-base/search"),
                (Method::OPTIONS, "support/knowledge-base/search"),
                (Method::GET, "support/knowledge-base/find-an-invoice"),
                (Method::POST, "support/knowledge-base/find-an-invoice/feedback"),
                (Method::OPTIONS, "support/knowledge-base/find-an-invoice/feedback"),
            ] {
                assert!(is_open(&method, &format!("{base}/{path}")), "{method} {base}/{path}");
            }
            for (method, path) in [
                (Method::GET, "licenses"),
                (Method::GET, "licenses/"),
                (Method::GET, "licenses/lic_1/machines"),
                (Method::DELETE, "licenses/DF-00000"),
                (Method::POST, "licenses/generate"),
                (Method::POST, "licenses/trial"),
                (Method::POST, "licenses/validate/"),
                (Method::POST, "licenses/%76alidate"),
                (Method::POST, "licenses/lic_1/reveal"),
                (Method::PUT, "licenses/validate"),
                (Method::POST, "licenses"),
                (Method::POST, "auth/validate"),
                (Method::POST, "support/knowledge-base/find-an-invoice"),
                (Method::DELETE, "support/knowledge-base/find-an-invoice"),
                (Method::POST, "support/knowledge-base//feedback"),
                (Method::POST, "support/tickets"),
            ] {
                assert!(!is_open(&method, &format!("{base}/{path}")), "{method} {base}/{path}");
            }
        }
        assert!(!is_open(&Method::POST, "/api/v2/licenses/validate"));
        assert!(!is_open(&Method::POST, "/licenses/validate"));
    }

    #[test]
    fn help_is_not_asked_for_by_every_editor_all_the_time() {
        assert!(is_asked_often(&Method::POST, "/api/licenses/validate"));
        assert!(!is_asked_often(&Method::GET, "/api/support/knowledge-base/search"));
        assert!(!is_asked_often(&Method::OPTIONS, "/api/support/knowledge-base/search"));
    }
}
