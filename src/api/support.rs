//! The knowledge base for the editor and for pages of any site: what is published, and whether it helped.
//!
//! What always holds: nobody signs in here, and nothing but published articles is told.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::options,
};
use serde::Deserialize;
use url::form_urlencoded;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    error::ApiError,
    extract::{Json, Path, Query},
    open::{Open, kept, open, preflight_post},
    problems::{BodyProblems, OpenProblems},
};
use crate::{
    account::Client,
    context::Context,
    contract::{
        account::Success,
        knowledge::{Article, ArticleSummary, FeedbackRequest},
        problem::Problem,
    },
    search::MAX_RESULTS,
    support::{feedback, knowledge},
};

const DEFAULT_LIMIT: usize = 20;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(search, search_with_body))
        .route("/support/knowledge-base/search", options(preflight_post))
        .routes(routes!(find))
        .routes(routes!(answer))
        .route("/support/knowledge-base/{id}/feedback", options(preflight_post))
}

/// What is looked for.
#[derive(Debug, Deserialize, utoipa::IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct KnowledgeSearch {
    /// Words beyond the first 200 characters are not read.
    q: String,
    /// How many articles at the most, 1 to 50; 20 without one.
    #[param(minimum = 1, maximum = 50, default = 20)]
    limit: Option<usize>,
    /// How many of the best to leave out, as the `Link` of the answer before says.
    #[param(minimum = 0, maximum = 50)]
    cursor: Option<usize>,
}

impl KnowledgeSearch {
    /// One part of the best, and where the next one begins.
    async fn run(&self, ctx: &Context) -> Result<(HeaderMap, Vec<ArticleSummary>), ApiError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_RESULTS);
        let start = self.cursor.unwrap_or(0).min(MAX_RESULTS);
        let articles = knowledge::search(ctx, &self.q, MAX_RESULTS).await?;
        let mut headers = HeaderMap::new();
        if articles.len() > start + limit {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("q", &self.q)
                .append_pair("limit", &limit.to_string())
                .append_pair("cursor", &(start + limit).to_string())
                .finish();
            let site = &ctx.config.http.public_url;
            let next = format!("<{site}/api/support/knowledge-base/search?{query}>; rel=\"next\"");
            headers.extend(HeaderValue::from_str(&next).ok().map(|next| (header::LINK, next)));
        }
        Ok((headers, articles.into_iter().skip(start).take(limit).collect()))
    }
}

/// Search the articles of the knowledge base.
///
/// Best first: `score` is 1 for the best and falls with each place. When there are more, the header `Link` has the
/// address of the next part, with `rel="next"`. Nothing in `q` is syntax. Pages of any site may ask this.
#[utoipa::path(
    get, path = "/support/knowledge-base/search", tag = "Support", operation_id = "searchKnowledgeBase",
    params(KnowledgeSearch),
    responses(
        OpenProblems,
        (status = 200, description = "The articles", body = [ArticleSummary], headers(("Link" = String, description = "The next part, when there is one"))),
        (status = 304, description = "Nothing has changed since the answer whose `ETag` was sent as `If-None-Match`"),
        (status = 422, description = "`invalid_request`: `q` is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn search(
    State(ctx): State<Context>,
    Query(query): Query<KnowledgeSearch>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let (headers, articles) = query.run(&ctx).await?;
    Ok((headers, kept(&asked, &articles)?).into_response())
}

/// The same, with what is looked for in the body.
///
/// For words that are better not in an address, such as those of an error message.
#[utoipa::path(
    post, path = "/support/knowledge-base/search", tag = "Support", operation_id = "searchKnowledgeBaseWithBody",
    request_body = KnowledgeSearch,
    responses(
        BodyProblems,
        OpenProblems,
        (status = 200, description = "The articles", body = [ArticleSummary], headers(("Link" = String, description = "The next part, when there is one"))),
    )
)]
async fn search_with_body(
    State(ctx): State<Context>,
    Json(query): Json<KnowledgeSearch>,
) -> Result<(HeaderMap, Open<Vec<ArticleSummary>>), ApiError> {
    let (headers, articles) = query.run(&ctx).await?;
    Ok((headers, open(articles)))
}

/// One article, with those that are like it.
///
/// `html` is safe to show: nothing in it runs or loads from elsewhere. Pages of any site may ask this.
#[utoipa::path(
    get, path = "/support/knowledge-base/{id}", tag = "Support", operation_id = "getArticle",
    params(("id" = String, Path, description = "The article's id, or its slug")),
    responses(
        OpenProblems,
        (status = 200, description = "The article", body = Article),
        (status = 304, description = "Nothing has changed since the answer whose `ETag` was sent as `If-None-Match`"),
        (status = 404, description = "`not_found`: no such article is published", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn find(
    State(ctx): State<Context>,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let article = knowledge::find(&ctx, &id).await?;
    kept(&asked, &article)
}

/// Say whether an article helped.
///
/// Counted once a day for each network: whoever answers again replaces the answer. Nobody can answer a note, so a
/// question belongs into a mail. Pages of any site may send this.
#[utoipa::path(
    post, path = "/support/knowledge-base/{id}/feedback", tag = "Support", operation_id = "answerArticle",
    params(("id" = String, Path, description = "The article's id, or its slug")),
    request_body = FeedbackRequest,
    responses(
        BodyProblems,
        OpenProblems,
        (status = 200, description = "It is counted", body = Success),
        (status = 404, description = "`not_found`: no such article is published", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn answer(
    State(ctx): State<Context>,
    Path(id): Path<String>,
    client: Client,
    Json(request): Json<FeedbackRequest>,
) -> Result<Open<Success>, ApiError> {
    let (path, _) = knowledge::place(&ctx, &id).await?;
    feedback::answer(&ctx, &client, &path, &request).await?;
    Ok(open(Success::YES))
}
