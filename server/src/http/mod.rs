//! The HTTP side: what a request passes, from the outside in.
//!
//! 1. `observe`, the one middleware of ours: request id, span, metrics, time limit, panics, errors written out,
//!    security headers. It calls, in this order,
//! 2. `guard`: the flood gate and the origin check, and
//! 3. `cache`: public pages, answered with bytes that are already compressed; or else
//! 4. the routes, behind compression and the body limit.
//!
//! The first three are plain functions rather than layers: axum clones every layer inside a layer for every
//! request, so that seven of them cost more than the work.

pub mod accept;
mod assets;
mod cache;
mod guard;
mod masking;
pub mod metrics;
mod observe;
mod operations;
mod policy;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use app::pages::{self, shell::Cacheable};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Extensions, HeaderMap, StatusCode, Version, header},
    middleware,
};
use devforge::{api, content, context::Context, rate_limit::Floods};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, DefaultPredicate, Predicate},
};

pub use cache::PageCache;
pub use operations::ROUTES as OPERATION_ROUTES;

/// What all layers share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Parts>);

pub(crate) struct Parts {
    pub ctx: Context,
    pub floods: Floods,
    /// The same for what every editor asks again and again.
    pub fleets: Floods,
    pub cache: PageCache,
    pub policy: policy::Policy,
    pub metrics: PrometheusHandle,
    /// When storage was last tried, and whether it worked.
    pub storage_probe: tokio::sync::Mutex<Option<(std::time::Instant, bool)>>,
}

impl std::ops::Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The whole site, ready to be served.
pub struct Site {
    pub router: Router,
    pub cache: PageCache,
    shared: Shared,
}

impl Site {
    /// What has to be looked after now and then, for as long as the site is served.
    pub fn housekeeping(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = self.shared.clone();
        async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(30));
            loop {
                ticks.tick().await;
                shared.floods.shrink();
                shared.fleets.shrink();
                shared.metrics.run_upkeep();
                metrics::record_pool(&shared.ctx);
                let _ = tokio::time::timeout(Duration::from_secs(5), metrics::record_jobs(&shared.ctx)).await;
            }
        }
    }
}

pub fn site(ctx: &Context, metrics: PrometheusHandle) -> anyhow::Result<Site> {
    let files = assets::Files::load().context("the site's files cannot be read; run `cargo xtask run`")?;
    app::assets::install(files.manifest());
    content::set_asset_address(app::assets::url);
    let cache = PageCache::new();
    let shared = Shared(Arc::new(Parts {
        ctx: ctx.clone(),
        floods: Floods::new(ctx.config.http.rate_per_minute),
        fleets: guard::fleets(ctx.config.http.rate_per_minute),
        cache: cache.clone(),
        policy: policy::Policy::new(&ctx.config),
        metrics,
        storage_probe: tokio::sync::Mutex::default(),
    }));

    let compression = CompressionLayer::new()
        .gzip(true)
        .br(true)
        .quality(CompressionLevel::Precise(4))
        .compress_when(DefaultPredicate::new().and(may_be_compressed));
    let router = Router::new()
        .merge(pages::router(ctx))
        .merge(api::router())
        .with_state(ctx.clone())
        .merge(operations::router(&shared))
        .layer(DefaultBodyLimit::max(ctx.config.http.max_body_bytes))
        .layer(compression)
        .merge(files.router())
        .layer(middleware::from_fn_with_state(shared.clone(), observe::layer));
    Ok(Site { router, cache, shared })
}

/// Ranges are positions in the bytes as stored, so such an answer goes out as it is; and public pages are
/// compressed by the cache.
fn may_be_compressed(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    !headers.contains_key(header::ACCEPT_RANGES) && extensions.get::<Cacheable>().is_none()
}
