//! The caller's invoices, credit notes and reversals.

use axum::{
    Json as JsonAnswer,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
};
use serde::Deserialize;

use crate::{
    account::Caller,
    api::{error::ApiError, extract::Query},
    billing::document,
    context::Context,
    contract::{list::DEFAULT_LIMIT, payment::Invoice, problem::Problem},
};

/// What part of a list is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PartOfList {
    /// Where to go on, as the page before said.
    pub(super) cursor: Option<String>,
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub(super) limit: Option<u32>,
}

/// The caller's invoices and credit notes.
///
/// Newest first. When there are more, the header `Link` has the address of the next page, with `rel="next"`. `pdfUrl`
/// and `htmlUrl` open the document for whoever has them, without signing in. Amounts of credit notes are positive.
#[utoipa::path(
    get, path = "/payments/invoices", tag = "Payments", operation_id = "listInvoices", params(PartOfList),
    security(("accessToken" = []), ("personalToken" = ["account:read"]), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The documents", body = [Invoice], headers(("Link" = String, description = "The next page, when there is one"))),
        (status = 401, description = "`unauthenticated`: nobody is signed in, or the token is no longer good", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`insufficient_scope`: the personal token may not do this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: the cursor is none of ours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(ctx): State<Context>,
    caller: Caller,
    Query(part): Query<PartOfList>,
) -> Result<(HeaderMap, JsonAnswer<Vec<Invoice>>), ApiError> {
    let limit = part.limit.unwrap_or(DEFAULT_LIMIT);
    let page = document::list(&ctx, &caller, part.cursor.as_deref(), limit).await?;
    let mut headers = HeaderMap::new();
    if let Some(cursor) = page.next_cursor {
        let site = &ctx.config.http.public_url;
        let next = format!("<{site}/api/payments/invoices?limit={limit}&cursor={cursor}>; rel=\"next\"");
        // Digits, letters and what an address has: nothing that a header cannot carry.
        headers.extend(HeaderValue::from_str(&next).ok().map(|next| (header::LINK, next)));
    }
    Ok((headers, JsonAnswer(page.items)))
}
