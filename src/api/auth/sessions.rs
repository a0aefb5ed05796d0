//! Where somebody is signed in.

use axum::{Json, extract::State, http::StatusCode};

use crate::api::problems::{CallerProblems, ChangeProblems};
use crate::{
    account::Caller,
    api::{error::ApiError, extract::Path},
    context::Context,
    contract::{account::Session, id::SessionId, list::Page, problem::Problem},
    session,
};

/// Where the caller is signed in.
///
/// Last used first; at most the hundred last used. A personal token needs `account:read`.
#[utoipa::path(
    get, path = "/auth/sessions", tag = "Sessions", operation_id = "listSessions",
    security(("accessToken" = []), ("personalToken" = ["account:read"]), ("sessionCookie" = [])),
    responses(
        CallerProblems,
        (status = 200, description = "The caller's sessions", body = Page<Session>),
    )
)]
pub(super) async fn list(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<Json<Page<Session>>, ApiError> {
    let items = session::list(&ctx, &caller).await?;
    Ok(Json(Page { items, next_cursor: None, total: None }))
}

/// End one of the caller's sessions.
///
/// Whatever is signed in there is signed out at its next request.
#[utoipa::path(
    delete, path = "/auth/sessions/{id}", tag = "Sessions", operation_id = "endSession",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("id" = SessionId, Path, description = "The session to end")),
    responses(
        ChangeProblems,
        (status = 204, description = "It has ended"),
        (status = 404, description = "`not_found`: no such session of the caller's", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end(
    State(ctx): State<Context>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, ApiError> {
    if session::end(&ctx, &caller, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found())
    }
}
