//! What can be bought, for whoever wants to know.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    api::{error::ApiError, extract::Query},
    billing::{self, catalogue},
    context::Context,
    contract::{money::Currency, payment::Pricing, problem::Problem},
    crypto,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PricingQuery {
    /// What prices are wanted in; US dollars without one.
    currency: Option<Currency>,
}

/// Tiers, what each includes, and prices.
///
/// Prices are before tax, in minor units, for one seat where `perSeat` says so. A tier without prices costs nothing
/// or is sold by quote. Pages of any site may read this.
#[utoipa::path(
    get, path = "/payments/pricing", tag = "Payments", operation_id = "getPricing", params(PricingQuery),
    responses(
        (status = 200, description = "What is sold in this currency", body = Pricing),
        (status = 304, description = "Nothing has changed since the answer whose `ETag` was sent as `If-None-Match`"),
        (status = 422, description = "`invalid_request`: nothing is sold in such a currency", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: the database cannot be reached", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn pricing(
    State(ctx): State<Context>,
    Query(query): Query<PricingQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let pricing = catalogue::pricing(&ctx, query.currency.unwrap_or(Currency::Usd)).await?;
    let text = serde_json::to_string(&pricing).map_err(billing::Error::from)?;
    let etag = format!("\"{}\"", &crypto::to_hex(&crypto::sha256(text.as_bytes()))[..16]);
    let shared = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)) {
        return Ok((StatusCode::NOT_MODIFIED, shared).into_response());
    }
    Ok((shared, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}
