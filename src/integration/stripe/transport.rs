//! One request to Stripe, tried until it has an answer or it is clear that there will be none.
//!
//! What always holds: every try is the same request with the same key, so that it happens once at most; tries end after
//! a few seconds, before whoever waits for the answer gives up.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client, Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER},
};
use serde::{Deserialize, de::DeserializeOwned};
use stripe_client_core::{RequestBuilder, StripeMethod, VERSION};
use tokio::time::Instant;

use super::Error;
use crate::{
    config::Secret,
    integration::http::{self, NoAnswer},
};

const MAX_RETRIES: u32 = 3;
/// No try begins later than this after the first: requests of people have half a minute in all.
const PATIENCE: Duration = Duration::from_secs(15);
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// What is added at random, so that those who failed together do not come back together.
const JITTER_MILLIS: u64 = 250;
const FORM: &str = "application/x-www-form-urlencoded";
const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");

#[derive(Clone)]
pub(super) struct Transport {
    client: Client,
    /// With `/v1`.
    base: Arc<str>,
    key: Secret<String>,
}

/// Why a try failed, and whether another may do better.
struct Failure {
    error: Error,
    again: bool,
    /// How long Stripe wants us to wait.
    wait: Option<Duration>,
}

impl Transport {
    pub(super) fn new(url: &str, key: Secret<String>) -> Self {
        Self { client: http::client(), base: format!("{url}/v1").into(), key }
    }

    /// `key`: what must not happen twice has one.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        key: Option<&str>,
    ) -> Result<T, Error> {
        let body = self.tries(&request, key).await?;
        serde_json::from_slice(&body).map_err(Error::Unreadable)
    }

    async fn tries(&self, request: &RequestBuilder, key: Option<&str>) -> Result<Vec<u8>, Error> {
        let begun = Instant::now();
        let mut retries = 0;
        loop {
            let failure = match self.attempt(request, key).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let wait = failure.wait.unwrap_or_else(|| backoff(key.unwrap_or(&request.path), retries));
            if !failure.again || retries == MAX_RETRIES || begun.elapsed() + wait > PATIENCE {
                return Err(failure.error);
            }
            retries += 1;
            tracing::warn!(path = %request.path, retries, error = %failure.error, "Stripe is asked again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, request: &RequestBuilder, key: Option<&str>) -> Result<Vec<u8>, Failure> {
        let method = match request.method {
            StripeMethod::Get => Method::GET,
            StripeMethod::Post => Method::POST,
            StripeMethod::Delete => Method::DELETE,
        };
        let mut url = format!("{}{}", self.base, request.path);
        if let Some(query) = request.query.as_deref().filter(|query| !query.is_empty()) {
            url.push('?');
            url.push_str(query);
        }
        let mut call = self
            .client
            .request(method, url)
            .bearer_auth(self.key.expose())
            .header(STRIPE_VERSION, VERSION.as_str());
        if let Some(key) = key {
            call = call.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(body) = &request.body {
            call = call.header(CONTENT_TYPE, FORM).body(body.clone());
        }
        let response = call.send().await.map_err(|error| Failure::from(http::no_answer(&error)))?;
        read(response).await
    }
}

async fn read(response: Response) -> Result<Vec<u8>, Failure> {
    let status = response.status();
    let headers = response.headers();
    let should_retry = match text(headers, &SHOULD_RETRY) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    // It may also be a date; then we wait as long as we would have.
    let wait = text(headers, &RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let body = http::body(response).await?;
    if status.is_success() {
        return Ok(body);
    }
    let again = should_retry.unwrap_or(
        status.is_server_error() || matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS),
    );
    Err(Failure { error: refused(status, &body), again, wait })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// Twice as long each time. The random part comes from the request: one try after another it is a different one, and a
/// test sees the same each time.
fn backoff(seed: &str, retries: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    (seed, retries).hash(&mut hasher);
    FIRST_WAIT * 2_u32.pow(retries.min(MAX_RETRIES)) + Duration::from_millis(hasher.finish() % JITTER_MILLIS)
}

impl From<NoAnswer> for Failure {
    fn from(no_answer: NoAnswer) -> Self {
        let words = no_answer.words();
        match no_answer {
            NoAnswer::Network(_) => {
                Self { error: Error::Unavailable(words.to_owned()), again: true, wait: None }
            }
            NoAnswer::Request => {
                let error = Error::Invalid { param: None, code: None, message: words.to_owned() };
                Self { error, again: false, wait: None }
            }
            NoAnswer::TooLarge => {
                let error = <serde_json::Error as serde::de::Error>::custom(words);
                Self { error: Error::Unreadable(error), again: false, wait: None }
            }
        }
    }
}

#[derive(Default, Deserialize)]
struct Envelope {
    error: Told,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    r#type: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

/// What an answer that is no success means. A body that cannot be read says no more than its status.
fn refused(status: StatusCode, body: &[u8]) -> Error {
    let told = serde_json::from_slice::<Envelope>(body).unwrap_or_default().error;
    let message = told.message.unwrap_or_default();
    let kind = told.r#type.as_deref().unwrap_or_default();
    match status.as_u16() {
        401 | 403 => Error::Unauthorized,
        404 => Error::NotFound,
        // Another request with the same key is under way, or an object is being changed.
        409 => Error::Unavailable("another request has not ended yet".to_owned()),
        429 => Error::RateLimited,
        402 => Error::Declined {
            code: told.code.unwrap_or_else(|| "payment_failed".to_owned()),
            decline_code: told.decline_code,
            message,
        },
        400 if kind == "idempotency_error" => Error::IdempotencyMismatch,
        400..=499 if status != StatusCode::FAILED_DEPENDENCY => {
            Error::Invalid { param: told.param, code: told.code, message }
        }
        other => Error::Unavailable(format!("it answered {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Error {
        refused(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
    }

    #[test]
    fn refusals_are_told_apart() {
        let declined = told(
            402,
            r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"No."}}"#,
        );
        let Error::Declined { code, decline_code, message } = declined else { panic!("{declined:?}") };
        assert_eq!((code.as_str(), message.as_str()), ("card_declined", "No."));
        assert_eq!(decline_code.as_deref(), Some("insufficient_funds"));
        let invalid =
            told(400, r#"{"error":{"param":"quantity","code":"parameter_invalid_integer","message":null}}"#);
        assert_eq!(invalid.code(), Some("parameter_invalid_integer"));
        assert!(matches!(told(400, r#"{"error":{"type":"idempotency_error"}}"#), Error::IdempotencyMismatch));
        assert!(matches!(told(401, ""), Error::Unauthorized));
        assert!(matches!(told(404, "<html>"), Error::NotFound));
        assert!(matches!(told(400, "<html>"), Error::Invalid { .. }));
        for status in [302, 409, 424, 429, 500, 503] {
            assert!(told(status, "{}").is_temporary(), "{status}");
        }
        for status in [400, 401, 402, 403, 404, 422] {
            assert!(!told(status, "{}").is_temporary(), "{status}");
        }
    }

    #[test]
    fn waits_grow_and_differ_between_requests() {
        for retries in 0..MAX_RETRIES {
            let least = FIRST_WAIT * 2_u32.pow(retries);
            let wait = backoff("order-1", retries);
            assert!(wait >= least && wait < least + Duration::from_millis(JITTER_MILLIS), "{wait:?}");
            assert_eq!(wait, backoff("order-1", retries));
        }
        let waits: std::collections::BTreeSet<_> =
            (0..20).map(|order| backoff(&format!("order-{order}"), 0)).collect();
        assert!(waits.len() > 10);
    }
}
