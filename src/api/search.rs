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
    contract::{
        problem::Problem,
        search::{SearchKind, SearchResults},
    },
    search::{MAX_QUERY_CHARS, MAX_RESULTS, asked},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchQuery {
    /// What to look for; words beyond the first 200 characters are not read.
    q: String,
    /// Only this kind of thing. The facets count every kind all the same.
    kind: Option<SearchKind>,
    /// How many hits at the most, 1 to 50.
    #[param(minimum = 1, maximum = 50, default = 20)]
    limit: Option<usize>,
    /// How many of the best to leave out.
    #[param(minimum = 0, default = 0)]
    offset: Option<usize>,
    /// Whether somebody is still typing this: then it is not counted among what people look for.
    #[param(default = false)]
    typing: Option<bool>,
}

/// Search everything one can read on this site.
///
/// Best first. The last word may be unfinished, and a word that stands nowhere is taken for the nearest one that does;
/// `corrected` says so. Nothing in `q` is syntax. Pages of any site may ask.
#[utoipa::path(
    get, path = "/search", tag = "Search", operation_id = "search", params(SearchQuery),
    responses(
        (status = 200, description = "What was found", body = SearchResults),
        (status = 422, description = "`invalid_request`: `q` is missing, or there is no such `kind`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: the index is being built", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn search(
    State(ctx): State<Context>,
    Query(query): Query<SearchQuery>,
) -> Result<Response, ApiError> {
    let SearchQuery { q, kind, limit, offset, typing } = query;
    let text: String = q.chars().take(MAX_QUERY_CHARS).collect();
    let (limit, offset) = (limit.unwrap_or(20).clamp(1, MAX_RESULTS), offset.unwrap_or(0));
    let results = ctx.search.look_for(&text, kind, limit, offset).await?;
    // Turning the page is no new question.
    if typing != Some(true) && offset == 0 {
        asked::note(&ctx, &text, results.facets.iter().map(|facet| facet.count).sum());
    }
    let headers =
        [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "private, max-age=10")];
    Ok((headers, axum::Json(results)).into_response())
}

impl From<asked::Error> for ApiError {
    fn from(error: asked::Error) -> Self {
        match error {
            asked::Error::Denied(error) => error.into(),
            asked::Error::Database(error) => error.into(),
        }
    }
}
