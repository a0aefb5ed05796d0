//! The outermost layer: every request gets an id, a span and a place in the metrics; every answer gets its
//! headers; every failure, a panic too, leaves as something a person or a program can read.

use std::{panic::AssertUnwindSafe, time::Instant};

use app::pages::{
    self,
    shell::{ScriptPolicy, Visit},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::rules,
    api::{
        self,
        error::{ApiError, problem_for_status},
        extract::CurrentRequest,
    },
    contract::{
        id::RequestId,
        problem::{self, Problem, ProblemCode},
    },
};
use futures::FutureExt;
use tracing::Instrument;

use super::{Shared, cache, guard, masking, metrics};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

pub async fn layer(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = RequestId::from_uuid(shared.ctx.random.uuid_v7(shared.ctx.clock.now()));
    let id_text = request_id.to_string();
    request.extensions_mut().insert(CurrentRequest(request_id));
    let method = request.method().clone();
    let asked = Asked::from(&request);
    // The path itself stays out of the span: it can carry a license key.
    let span = tracing::info_span!("request", id = %id_text, method = %method);

    let route = request.extensions().get::<MatchedPath>().cloned();
    let limit = shared.ctx.config.http.request_timeout;
    let handling = tokio::time::timeout(limit, handle(&shared, request, next)).instrument(span.clone());
    let response = match AssertUnwindSafe(handling).catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            let detail = "This took longer than it may. Try again in a few seconds.";
            ApiError::new(ProblemCode::Unavailable, detail).into_response()
        }
        Err(panic) => {
            let _entered = span.enter();
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let mut response = write_errors(&shared, &asked, request_id, &id_text, response);
    let policy = response.extensions_mut().remove::<ScriptPolicy>();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id_text) {
        headers.insert(X_REQUEST_ID, value);
    }
    if asked.is_api {
        headers.insert(API_VERSION, HeaderValue::from_static("1"));
        // What an endpoint does not declare public is for the caller's eyes.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
        if asked.is_open {
            guard::tell_everyone(headers);
        }
    }
    shared.policy.apply(headers, policy.as_ref());

    let status = response.status();
    metrics::record_request(&method, route, status, started.elapsed());
    if status.is_server_error() {
        let _entered = span.enter();
        tracing::warn!(status = status.as_u16(), route, "answered with an error");
    } else {
        tracing::debug!(parent: &span, status = status.as_u16(), route, micros = started.elapsed().as_micros() as u64, "answered");
    }
    response
}

/// Past the gate, from the cache or from the routes.
async fn handle(shared: &Shared, mut request: Request, next: Next) -> Response {
    let (allowance, entered) = guard::enter(shared, &mut request);
    let mut response = match entered {
        Err(refused) => refused.into_response(),
        Ok(()) => cache::answer(shared, request, next).await,
    };
    if let Some(allowance) = allowance {
        guard::tell_allowance(response.headers_mut(), allowance);
    }
    response
}

/// What an error's form depends on.
struct Asked {
    is_api: bool,
    /// Pages of any site may ask this.
    is_open: bool,
    wants_page: bool,
    head: bool,
    path: String,
    /// Where to come back to after signing in: this page, or the one whose form was sent.
    back: String,
    headers: HeaderMap,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        let path = request.uri().path();
        let is_api = path == "/api" || path.starts_with("/api/");
        let accept =
            request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let for_programs = is_api || path.starts_with("/assets/") || path.starts_with("/updates/");
        let back = if matches!(*request.method(), Method::GET | Method::HEAD) {
            request.uri().path_and_query().map_or("/account", |path| path.as_str()).to_owned()
        } else {
            sent_from(request.headers()).unwrap_or_else(|| "/account".to_owned())
        };
        let mut headers = HeaderMap::new();
        for value in request.headers().get_all(header::COOKIE) {
            headers.append(header::COOKIE, value.clone());
        }
        Self {
            is_api,
            is_open: is_api && api::is_open(request.method(), path),
            wants_page: !for_programs && accept.contains("text/html"),
            head: request.method() == Method::HEAD,
            path: path.to_owned(),
            back,
            headers,
        }
    }
}

impl Asked {
    /// Where a person is sent who has to prove who they are before they are shown this.
    fn way_in(&self, code: ProblemCode) -> Option<String> {
        let page = match code {
            ProblemCode::Unauthenticated => "/sign-in",
            ProblemCode::FreshSignInRequired => "/account/confirm",
            _ => return None,
        };
        let back = if masking::has_key(&self.back) { "/account" } else { &self.back };
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", back).finish();
        // Not from there to itself, whatever is wrong.
        (self.wants_page && self.path != page).then(|| format!("{page}?{query}"))
    }
}

/// The page a form was sent from. Our own policy lets browsers tell it to us.
fn sent_from(headers: &HeaderMap) -> Option<String> {
    let referrer = url::Url::parse(headers.get(header::REFERER)?.to_str().ok()?).ok()?;
    let path = referrer.path();
    let back = match referrer.query() {
        Some(query) if pages::page_above(path) == path => format!("{path}?{query}"),
        _ => pages::page_above(path).to_owned(),
    };
    Some(rules::safe_next(&back).to_owned())
}

/// Errors without a body yet get one: a page for people, problem+json for everyone else.
fn write_errors(
    shared: &Shared,
    asked: &Asked,
    request_id: RequestId,
    id_text: &str,
    mut response: Response,
) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        // A handler that made its own page (a form with mistakes) has said what there is to say.
        None if is_written(response.headers()) => return response,
        None => problem_for_status(status),
    };
    if let Some(way_in) = asked.way_in(problem.code) {
        return Redirect::to(&way_in).into_response();
    }
    let kept: Vec<_> = [header::RETRY_AFTER, header::ALLOW, header::WWW_AUTHENTICATE, header::SET_COOKIE]
        .into_iter()
        .filter_map(|name| response.headers().get(&name).cloned().map(|value| (name, value)))
        .collect();
    let rate_limits: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("ratelimit-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut written = if asked.wants_page {
        let path = masking::without_keys(&asked.path);
        let visit = Visit::anonymous(&shared.ctx, &asked.headers, &path, request_id);
        // The page itself must never be the reason that no answer goes out.
        std::panic::catch_unwind(AssertUnwindSafe(|| pages::error_page(&shared.ctx, &visit, &problem)))
            .unwrap_or_else(|_| status.into_response())
    } else {
        let problem = Problem { request_id: id_text.to_owned(), ..problem };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        (
            StatusCode::from_u16(problem.status).unwrap_or(status),
            [(header::CONTENT_TYPE, problem::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")],
            body,
        )
            .into_response()
    };
    written.headers_mut().extend(kept);
    written.headers_mut().extend(rate_limits);
    if asked.head {
        *written.body_mut() = axum::body::Body::empty();
    }
    written
}

/// axum's own refusals are plain text; what our handlers write is HTML or JSON.
fn is_written(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("application/"))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
