//! What the caller is subscribed to, and changing it.

use axum::{
    Json as JsonAnswer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::{
    account::{Caller, Client, Permission},
    api::{
        auth::SignedIn,
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, CallerProblems, ChangeProblems, ProviderProblems},
    },
    billing::subscription,
    context::Context,
    contract::{
        payment::{ChangeAnswer, CurrentSubscription, PortalAnswer, Subscription, SubscriptionChange},
        problem::Problem,
    },
    idempotency::{self, Keyed},
};

/// The caller's subscription.
///
/// The newest that runs, or the last that has ended. `tier` and `seats` are what was paid for; `next` is what they become
/// at the end of the period. A personal token needs `account:read`.
#[utoipa::path(
    get, path = "/payments/subscription", tag = "Payments", operation_id = "getSubscription",
    security(("accessToken" = []), ("personalToken" = ["account:read"]), ("sessionCookie" = [])),
    responses(
        CallerProblems,
        (status = 200, description = "The subscription, or null", body = CurrentSubscription),
    )
)]
pub(super) async fn current(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<CurrentSubscription>, ApiError> {
    let subscription = subscription::current(&ctx, &caller).await?;
    Ok(JsonAnswer(CurrentSubscription { subscription }))
}

/// Change the plan, the seats, or how often it is paid.
///
/// With `preview` nothing is changed: the answer says what it costs. More is paid for and had at once; less comes at the
/// end of the period that is paid for, and nothing is due for it. With an `Idempotency-Key` the same request is one
/// change; a preview takes no notice of it.
#[utoipa::path(
    post, path = "/payments/subscription/change", tag = "Payments", operation_id = "changeSubscription",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours")),
    request_body = SubscriptionChange,
    responses(
        BodyProblems,
        ChangeProblems,
        ProviderProblems,
        (status = 200, description = "What it costs, and the subscription after it", body = ChangeAnswer),
        (status = 402, description = "`payment_failed`: the bank declined the card; nothing was changed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the caller has no subscription", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it is so already, or cannot become so from how it stands; `detail` says what to do. `idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`price_unavailable`, `idempotency_key_reused`, or `invalid_request` with what is wrong in `errors`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    client: Client,
    headers: HeaderMap,
    Json(wanted): Json<SubscriptionChange>,
) -> Result<Response, ApiError> {
    // Before anything is looked up: a kept answer is only for whoever may still ask.
    caller.require(&ctx, Permission::BillingWrite)?;
    let keyed = if wanted.preview {
        None
    } else {
        Keyed::from_headers(&headers, "changeSubscription", &caller, &client, &wanted)?
    };
    // A change names what is to be, and so needs no key of its own.
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::OK, async |_: Option<String>| {
        Ok::<_, ApiError>(subscription::change(&ctx, &caller, &wanted).await?)
    })
    .await
}

/// Cancel at the end of the period.
///
/// Everything works until then, and nothing more is charged. Cancelled again, it stays cancelled.
#[utoipa::path(
    post, path = "/payments/subscription/cancel", tag = "Payments", operation_id = "cancelSubscription",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        ChangeProblems,
        ProviderProblems,
        (status = 200, description = "The subscription as it is now", body = Subscription),
        (status = 404, description = "`not_found`: the caller has no subscription", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it has ended", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<Subscription>, ApiError> {
    Ok(JsonAnswer(subscription::cancel(&ctx, &caller).await?))
}

/// Keep a cancelled subscription.
///
/// As long as its period has not ended.
#[utoipa::path(
    post, path = "/payments/subscription/resume", tag = "Payments", operation_id = "resumeSubscription",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        ChangeProblems,
        ProviderProblems,
        (status = 200, description = "The subscription as it is now", body = Subscription),
        (status = 404, description = "`not_found`: the caller has no subscription", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it is not cancelled, or has ended", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn resume(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<Subscription>, ApiError> {
    Ok(JsonAnswer(subscription::resume(&ctx, &caller).await?))
}

/// The address of a page to change the card.
///
/// Of the payment provider's, for the caller alone and for a few minutes.
#[utoipa::path(
    post, path = "/payments/portal", tag = "Payments", operation_id = "openPaymentPortal",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        ChangeProblems,
        ProviderProblems,
        (status = 200, description = "The address", body = PortalAnswer),
        (status = 404, description = "`not_found`: the caller has not bought anything yet", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn portal(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<PortalAnswer>, ApiError> {
    Ok(JsonAnswer(subscription::portal(&ctx, &caller).await?))
}
