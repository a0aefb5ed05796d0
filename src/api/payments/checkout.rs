//! Buying.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::{
    account::{Caller, Client, Permission},
    api::{
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, ProviderProblems},
    },
    billing::order,
    context::Context,
    contract::{
        payment::{CheckoutAnswer, CheckoutRequest},
        problem::Problem,
    },
    idempotency::{self, Keyed},
};

/// Begin a purchase.
///
/// What it costs is computed here; amounts in the request are ignored. Somebody signed in buys for their account; a
/// guest names an `email`, and gets an account with the payment. Send the buyer to `url`, or give `clientSecret` to a
/// Payment Element. With an `Idempotency-Key` the same request gives the same order.
#[utoipa::path(
    post, path = "/payments/checkout", tag = "Payments", operation_id = "createCheckout",
    security((), ("accessToken" = []), ("sessionCookie" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours")),
    request_body = CheckoutRequest,
    responses(
        BodyProblems,
        ProviderProblems,
        (status = 201, description = "An order that waits to be paid", body = CheckoutAnswer),
        (status = 409, description = "`conflict`: the Free tier is not bought, or a trial was had already. `idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`price_unavailable`, `invalid_coupon`, `invalid_tax_id`, `idempotency_key_reused`, or `invalid_request` with what is wrong in `errors`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn checkout(
    State(ctx): State<Context>,
    caller: Caller,
    client: Client,
    headers: HeaderMap,
    Json(request): Json<CheckoutRequest>,
) -> Result<Response, ApiError> {
    // Before anything is looked up: a kept answer is only for whoever may still ask.
    if caller.user().is_some() {
        caller.require(&ctx, Permission::BillingWrite)?;
    }
    let keyed = Keyed::from_headers(&headers, "createCheckout", &caller, &client, &request)?;
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::CREATED, async |key: Option<String>| {
        Ok::<_, ApiError>(order::checkout(&ctx, &caller, &client, &request, key.as_deref()).await?)
    })
    .await
}
