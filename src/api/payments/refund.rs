//! Giving money back.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::{
    account::{Client, Permission},
    api::{
        auth::SignedIn,
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, ProviderProblems, SecureProblems},
    },
    billing::refund,
    context::Context,
    contract::{
        payment::{RefundAnswer, RefundRequest},
        problem::Problem,
    },
    idempotency::{self, Keyed},
};

/// Give money back.
///
/// For staff. All that is left of what an invoice was paid with, or a part of it. `status` is `requested` while the
/// payment provider has not answered yet; it is told again until it does.
#[utoipa::path(
    post, path = "/payments/refund", tag = "Payments", operation_id = "createRefund",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours")),
    request_body = RefundRequest,
    responses(
        BodyProblems,
        SecureProblems,
        ProviderProblems,
        (status = 201, description = "The refund", body = RefundAnswer),
        (status = 404, description = "`not_found`: there is no such invoice, or nothing was paid with it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`refund_exceeds_payment`: more than is left; `idempotency_key_reused`; or `invalid_request` with what is wrong in `errors`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn refund(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    client: Client,
    headers: HeaderMap,
    Json(request): Json<RefundRequest>,
) -> Result<Response, ApiError> {
    // Before anything is looked up: a kept answer is only for whoever may still ask.
    caller.require(&ctx, Permission::PaymentsRefund)?;
    let keyed = Keyed::from_headers(&headers, "createRefund", &caller, &client, &request)?;
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::CREATED, async |key: Option<String>| {
        Ok::<_, ApiError>(refund::of_invoice(&ctx, &caller, &request, key.as_deref()).await?)
    })
    .await
}
