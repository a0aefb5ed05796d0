//! Accounts over the API.

use axum::{Json, extract::State, http::StatusCode};

use super::{
    error::ApiError,
    extract::{Path, SignedIn},
};
use crate::{
    context::Context,
    contract::{
        account::{Me, Session},
        id::SessionId,
        list::Page,
        problem::Problem,
    },
    session,
};

/// Who is signed in.
#[utoipa::path(
    get, path = "/auth/me", tag = "Account", operation_id = "me",
    responses(
        (status = 200, description = "The account of the caller", body = Me),
        (status = 401, description = "`unauthenticated`: nobody is signed in", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn me(caller: SignedIn) -> Json<Me> {
    Json(Me { user: caller.user })
}

/// Where the caller is signed in.
///
/// Last used first; at most the hundred last used.
#[utoipa::path(
    get, path = "/auth/sessions", tag = "Account", operation_id = "listSessions",
    responses(
        (status = 200, description = "The caller's sessions", body = Page<Session>),
        (status = 401, description = "`unauthenticated`: nobody is signed in", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_sessions(
    State(ctx): State<Context>,
    caller: SignedIn,
) -> Result<Json<Page<Session>>, ApiError> {
    let items = session::list(&ctx, caller.user.id, Some(caller.session)).await?;
    Ok(Json(Page { items, next_cursor: None, total: None }))
}

/// End one of the caller's sessions.
#[utoipa::path(
    delete, path = "/auth/sessions/{id}", tag = "Account", operation_id = "endSession",
    params(("id" = SessionId, Path, description = "The session to end")),
    responses(
        (status = 204, description = "It has ended"),
        (status = 401, description = "`unauthenticated`: nobody is signed in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: no such session of the caller's", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end_session(
    State(ctx): State<Context>,
    caller: SignedIn,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, ApiError> {
    if session::end(&ctx, caller.user.id, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found())
    }
}
