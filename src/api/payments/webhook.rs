//! Stripe's messages.

use axum::{Json as JsonAnswer, body::Bytes, extract::State, http::HeaderMap};

use crate::{
    api::error::ApiError,
    billing::inbox::{self, ReceiveError},
    context::Context,
    contract::{
        payment::WebhookAnswer,
        problem::{Problem, ProblemCode},
    },
};

/// Receive an event from Stripe.
///
/// Signed over the raw body, as Stripe does it (`Stripe-Signature`). It is kept before this answers, and worked on
/// afterwards; the same event again changes nothing.
#[utoipa::path(
    post, path = "/payments/webhook", tag = "Payments", operation_id = "receiveStripeEvent",
    params(("Stripe-Signature" = String, Header, description = "`t=…,v1=…`: at most five minutes old")),
    request_body(content = Object, description = "A Stripe event", content_type = "application/json"),
    responses(
        (status = 200, description = "Received and kept", body = WebhookAnswer),
        (status = 400, description = "`invalid_signature`: there is none, it is too old, or it is not by our secret. `malformed_json`: it is no event", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`payload_too_large`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn webhook(
    State(ctx): State<Context>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<JsonAnswer<WebhookAnswer>, ApiError> {
    // A header that is no text is no signature.
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    match inbox::receive(&ctx, signature, &body).await {
        Ok(()) => Ok(JsonAnswer(WebhookAnswer { success: true })),
        Err(ReceiveError::Signature(error)) => {
            tracing::warn!(%error, "a webhook was refused");
            Err(ApiError::new(
                ProblemCode::InvalidSignature,
                "Sign the raw body with the endpoint's secret, not more than five minutes ago.",
            ))
        }
        Err(ReceiveError::Unreadable(_)) => {
            Err(ApiError::new(ProblemCode::MalformedJson, "It is signed, but it is no event of Stripe's."))
        }
        Err(ReceiveError::Billing(error)) => Err(error.into()),
    }
}
