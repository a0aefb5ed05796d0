//! What operators and their machines ask: alive, ready, how much of what; and reports from browsers.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use devforge::{api::error::ApiError, config::Mode, db};
use serde_json::json;

use super::Shared;

const STORAGE_PROBE_EVERY: Duration = Duration::from_secs(10);
const MAX_REPORT_BYTES: usize = 16 * 1024;

/// Method and path of every route here.
pub const ROUTES: &[(&str, &str)] =
    &[("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"), ("POST", "/csp-report")];

pub fn router(shared: &Shared) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/csp-report", post(policy_report).layer(DefaultBodyLimit::max(MAX_REPORT_BYTES)))
        .with_state(shared.clone())
}

/// The process runs. Nothing else is asked: a database that is away is no reason to restart this.
async fn alive() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// Whether requests can be sent here, and what is missing if not.
async fn ready(State(shared): State<Shared>) -> Response {
    let ctx = &shared.ctx;
    let (migrations, storage) = tokio::join!(db::pending_migrations(&ctx.db), storage_is_ready(&shared));
    let database = migrations.is_ok();
    let parts = [
        ("database", database),
        ("migrations", matches!(migrations, Ok(0))),
        ("index", ctx.search.is_ready()),
        ("storage", storage),
    ];
    let status =
        if parts.iter().all(|(_, ready)| *ready) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body: serde_json::Map<String, serde_json::Value> = parts
        .iter()
        .map(|(name, ready)| ((*name).to_owned(), json!(if *ready { "ready" } else { "not ready" })))
        .collect();
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    if status != StatusCode::OK {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
    }
    response
}

/// The probe writes, so it runs at most once in a while, and to its end even when the one who asked hangs up.
async fn storage_is_ready(shared: &Shared) -> bool {
    let mut last = shared.storage_probe.lock().await;
    if let Some((at, ready)) = *last
        && at.elapsed() < STORAGE_PROBE_EVERY
    {
        return ready;
    }
    let ctx = shared.ctx.clone();
    let probe =
        tokio::spawn(async move { ctx.storage.check(ctx.random.uuid_v7(ctx.clock.now())).await.is_ok() });
    let ready = probe.await.unwrap_or(false);
    *last = Some((Instant::now(), ready));
    ready
}

/// For loopback in development, or for who has the token.
async fn metrics(
    State(shared): State<Shared>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Behind a proxy everyone comes from loopback, so that counts only where there is none.
    let local = shared.ctx.config.mode == Mode::Development
        && peer.is_some_and(|peer| peer.0.0.ip().is_loopback())
        && !headers.contains_key("x-forwarded-for");
    let token = shared.ctx.config.http.metrics_token.as_ref();
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let authorized = token.zip(given).is_some_and(|(token, given)| {
        // Hashes are compared, so that how long the comparison takes says nothing about the token.
        devforge::crypto::sha256(token.expose().as_bytes()) == devforge::crypto::sha256(given)
    });
    if !local && !authorized {
        return Err(ApiError::not_found());
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((kind, shared.metrics.render()).into_response())
}

/// A browser refused something that a page of ours asked for: either we made a mistake or somebody tries one.
async fn policy_report(body: Bytes) -> StatusCode {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Report {
        #[serde(default)]
        effective_directive: String,
        #[serde(default)]
        violated_directive: String,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Envelope {
        csp_report: Report,
    }
    let Ok(Envelope { csp_report }) = serde_json::from_slice::<Envelope>(&body) else {
        return StatusCode::NO_CONTENT;
    };
    let directive = if csp_report.effective_directive.is_empty() {
        csp_report.violated_directive
    } else {
        csp_report.effective_directive
    };
    // Only names that exist become labels: a stranger must not be able to make up series.
    let known = [
        "script-src",
        "script-src-elem",
        "script-src-attr",
        "style-src",
        "style-src-elem",
        "style-src-attr",
        "img-src",
        "font-src",
        "connect-src",
        "frame-src",
        "form-action",
        "base-uri",
        "frame-ancestors",
        "manifest-src",
    ];
    let directive = known.into_iter().find(|name| *name == directive).unwrap_or("other");
    metrics::counter!("devforge_csp_reports_total", "directive" => directive).increment(1);
    tracing::info!(directive, "a browser reports a breach of the content policy");
    StatusCode::NO_CONTENT
}
