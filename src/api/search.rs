//! Search over the API.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{error::ApiError, extract::Query};
use crate::{
    context::Context,
    contract::{problem::Problem, search::SearchResults},
    search::{MAX_QUERY_CHARS, MAX_RESULTS},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// What to look for; words beyond the first 200 characters are not read.
    q: String,
    /// How many hits at the most, 1 to 50.
    #[param(minimum = 1, maximum = 50, default = 20)]
    limit: Option<usize>,
}

/// Search everything one can read on this site.
///
/// Best first. The last word may be unfinished. Nothing in `q` is syntax.
#[utoipa::path(
    get, path = "/search", tag = "Search", operation_id = "search", params(SearchQuery),
    responses(
        (status = 200, description = "What was found", body = SearchResults),
        (status = 422, description = "`invalid_request`: `q` is missing", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: the index is being built", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn search(
    State(ctx): State<Context>,
    Query(query): Query<SearchQuery>,
) -> Result<Response, ApiError> {
    let limit = query.limit.unwrap_or(20).clamp(1, MAX_RESULTS);
    let text: String = query.q.chars().take(MAX_QUERY_CHARS).collect();
    let results = ctx.search.find(&text, limit)?;
    Ok(([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], axum::Json(results)).into_response())
}
