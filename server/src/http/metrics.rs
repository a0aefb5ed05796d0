//! What is counted and timed, in Prometheus's form at `/metrics`.

use std::{sync::OnceLock, time::Duration};

use anyhow::Context as _;
use axum::http::{Method, StatusCode};
use devforge::{context::Context, jobs};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

const SECONDS: &[f64] =
    &[0.000_1, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];

/// One recorder per process; the second call (in tests) gives the first one's handle.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
        .context("histogram buckets")?
        .install_recorder()
        .context("the metrics recorder cannot be installed")?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

pub fn record_request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let class = match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let route = route.to_owned();
    metrics::counter!("devforge_http_requests_total", "method" => method, "route" => route.clone(), "status" => class)
        .increment(1);
    metrics::histogram!("devforge_http_request_seconds", "route" => route).record(took.as_secs_f64());
}

pub fn record_pool(ctx: &Context) {
    metrics::gauge!("devforge_database_connections").set(f64::from(ctx.db.size()));
    metrics::gauge!("devforge_database_connections_idle").set(ctx.db.num_idle() as f64);
}

pub async fn record_jobs(ctx: &Context) {
    // A database that is away is reported by readiness, not here.
    if let Ok(figures) = jobs::figures(ctx).await {
        metrics::gauge!("devforge_jobs_waiting").set(figures.waiting as f64);
        metrics::gauge!("devforge_jobs_running").set(figures.running as f64);
        metrics::gauge!("devforge_jobs_dead").set(figures.dead as f64);
    }
}
