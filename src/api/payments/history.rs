//! The caller's payments, refunds and disputes.

use axum::{Json as JsonAnswer, extract::State};

use super::invoices::PartOfList;
use crate::{
    account::Caller,
    api::{error::ApiError, extract::Query},
    billing::history,
    context::Context,
    contract::{
        list::{DEFAULT_LIMIT, Page},
        payment::HistoryItem,
        problem::Problem,
    },
};

/// What the caller paid, got back, and what their bank questioned.
///
/// Newest first.
#[utoipa::path(
    get, path = "/payments/history", tag = "Payments", operation_id = "listPaymentHistory", params(PartOfList),
    security(("accessToken" = []), ("personalToken" = ["account:read"]), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The history", body = Page<HistoryItem>),
        (status = 401, description = "`unauthenticated`: nobody is signed in, or the token is no longer good", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`insufficient_scope`: the personal token may not do this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: the cursor is none of ours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(ctx): State<Context>,
    caller: Caller,
    Query(part): Query<PartOfList>,
) -> Result<JsonAnswer<Page<HistoryItem>>, ApiError> {
    let limit = part.limit.unwrap_or(DEFAULT_LIMIT);
    Ok(JsonAnswer(history::list(&ctx, &caller, part.cursor.as_deref(), limit).await?))
}
