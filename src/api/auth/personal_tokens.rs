//! Tokens that people make for their own programs.

use axum::{Json as JsonAnswer, extract::State, http::StatusCode};

use super::SignedIn;
use crate::api::problems::{BodyProblems, CallerProblems, SecureProblems};
use crate::{
    account::{Caller, personal_token},
    api::{
        error::ApiError,
        extract::{Json, Path},
    },
    context::Context,
    contract::{
        account::{CreatedPersonalToken, NewPersonalToken, PersonalToken},
        id::TokenId,
        list::Page,
        problem::Problem,
    },
};

/// The caller's personal tokens.
///
/// Newest first, without the tokens themselves. A personal token needs `account:read`.
#[utoipa::path(
    get, path = "/auth/tokens", tag = "Personal tokens", operation_id = "listPersonalTokens",
    security(("accessToken" = []), ("personalToken" = ["account:read"]), ("sessionCookie" = [])),
    responses(
        CallerProblems,
        (status = 200, description = "The caller's tokens", body = Page<PersonalToken>),
    )
)]
pub(super) async fn list(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<Page<PersonalToken>>, ApiError> {
    let items = personal_token::list(&ctx, &caller).await?;
    Ok(JsonAnswer(Page { items, next_cursor: None, total: None }))
}

/// Make a personal token.
///
/// The answer is the only place where the token itself stands. It can do what its scopes say, as far as the role of
/// its owner allows, and is sent as `Authorization: Bearer`.
#[utoipa::path(
    post, path = "/auth/tokens", tag = "Personal tokens", operation_id = "createPersonalToken",
    security(("accessToken" = []), ("sessionCookie" = [])),
    request_body = NewPersonalToken,
    responses(
        BodyProblems,
        SecureProblems,
        (status = 201, description = "The token", body = CreatedPersonalToken),
        (status = 409, description = "`conflict`: there are as many as one may have; revoke one first", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: there is no name or no scope, a scope is not for the caller's role, or the time is not 1 to 366 days", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    Json(new): Json<NewPersonalToken>,
) -> Result<(StatusCode, JsonAnswer<CreatedPersonalToken>), ApiError> {
    let created = personal_token::create(&ctx, &caller, &new).await?;
    Ok((StatusCode::CREATED, JsonAnswer(created)))
}

/// Revoke a personal token.
///
/// It is worth nothing from then on.
#[utoipa::path(
    delete, path = "/auth/tokens/{id}", tag = "Personal tokens", operation_id = "revokePersonalToken",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("id" = TokenId, Path, description = "The token to revoke")),
    responses(
        SecureProblems,
        (status = 204, description = "It is revoked"),
        (status = 404, description = "`not_found`: no such token of the caller's", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke(
    State(ctx): State<Context>,
    caller: Caller,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ApiError> {
    if personal_token::revoke(&ctx, &caller, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found())
    }
}
