//! Staying signed in: a new access token for a refresh token.

use axum::{Json as JsonAnswer, extract::State};

use crate::api::problems::{BodyProblems, GuessingProblems};
use crate::{
    account::Client,
    api::{error::ApiError, extract::Json},
    context::Context,
    contract::{
        account::{Refresh, TokenPair},
        problem::Problem,
    },
    session,
};

/// Get a new access token.
///
/// Each refresh token is good once: keep the new one of the answer. A client that asks twice at the same moment, or
/// asks again because the answer got lost, is given the same successor. A token that was used longer ago ends its
/// session, because somebody may have a copy of it, and its owner is told by mail.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "Account", operation_id = "refresh",
    request_body = Refresh,
    responses(
        BodyProblems,
        GuessingProblems,
        (status = 200, description = "What the caller is signed in with from now on", body = TokenPair),
        (status = 401, description = "`refresh_reused`: the token was used before, and its session has ended; `unauthenticated`: there is no such token, or its session has ended", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn refresh(
    State(ctx): State<Context>,
    client: Client,
    Json(refresh): Json<Refresh>,
) -> Result<JsonAnswer<TokenPair>, ApiError> {
    Ok(JsonAnswer(session::refresh(&ctx, &refresh.refresh_token, &client).await?))
}
