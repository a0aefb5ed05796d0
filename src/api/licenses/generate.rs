//! Licenses that are made here: given by staff, tried, and split off another.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{Named, generated};
use crate::{
    account::{Client, Permission},
    api::{
        auth::SignedIn,
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, ChangeProblems, SecureProblems, StaffProblems},
    },
    context::Context,
    contract::{
        license::{GenerateRequest, Generated, License},
        problem::Problem,
    },
    idempotency::{self, Keyed},
    license::issue::{self, GenerateOrder},
};

/// Stands in the history of a license that was given without a reason.
const NO_REASON: &str = "Generated over the API";

/// Give licenses.
///
/// For administrators. One license of `userId`'s, or `count` of them with a key each. The answer has the keys; the
/// person gets a mail too. With an `Idempotency-Key` the same request makes them once.
#[utoipa::path(
    post, path = "/licenses/generate", tag = "Licenses", operation_id = "generateLicenses",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours")),
    request_body = GenerateRequest,
    responses(
        BodyProblems,
        StaffProblems,
        (status = 201, description = "The keys, and their licenses", body = Generated),
        (status = 409, description = "`idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`, or `invalid_request` with what is wrong in `errors`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn generate(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    client: Client,
    headers: HeaderMap,
    Json(request): Json<GenerateRequest>,
) -> Result<Response, ApiError> {
    // Before anything is looked up: a kept answer is only for whoever may still ask.
    caller.require(&ctx, Permission::LicensesIssue)?;
    let keyed = Keyed::from_headers(&headers, "generateLicenses", &caller, &client, &request)?;
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::CREATED, async |request_key: Option<String>| {
        let order = GenerateOrder {
            account: request.user_id,
            tier: request.tier,
            seats: request.seats.unwrap_or(1),
            count: request.count.unwrap_or(1),
            expires_at: request.expires_at,
            fallback: request.fallback,
            floating: request.floating,
            overage: u16::from(request.overage),
            reason: request.reason.clone().unwrap_or_else(|| NO_REASON.to_owned()),
            mail: true,
            request: request_key,
        };
        let issued = issue::generate(&ctx, &caller, &order).await?;
        Ok::<_, ApiError>(generated(&ctx, &issued).await)
    })
    .await
}

/// Begin a trial.
///
/// Two weeks of Pro for the caller, without a card, once. The key comes by mail.
#[utoipa::path(
    post, path = "/licenses/trial", tag = "Licenses", operation_id = "beginTrial",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours")),
    responses(
        ChangeProblems,
        (status = 201, description = "The license", body = License),
        (status = 409, description = "`conflict`: the address is not proven, a trial was had before, or there is a license that is good. `idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: the `Idempotency-Key` cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn trial(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.require(&ctx, Permission::LicensesWrite)?;
    let keyed = Keyed::from_headers(&headers, "beginTrial", &caller, &client, &())?;
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::CREATED, async |_: Option<String>| {
        let license = issue::begin_trial(&ctx, &caller).await?;
        let tiers = ctx.licenses.tiers(&ctx).await;
        Ok::<_, ApiError>(license.shown(&ctx, &tiers))
    })
    .await
}

/// Split a license into one for each seat.
///
/// The first keeps its key and one seat; each other seat gets a key of its own. For licenses that follow no subscription
/// and are active on no more machines than one seat may have. With an `Idempotency-Key` the same request splits once.
#[utoipa::path(
    post, path = "/licenses/{license}/split", tag = "Licenses", operation_id = "splitLicense",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(
        ("license" = String, Path, description = "The license's id, or its key"),
        ("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours"),
    ),
    responses(
        SecureProblems,
        (status = 201, description = "All the keys, the first one's too, and their licenses", body = Generated),
        (status = 404, description = "`not_found`: no such license of the caller's", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it cannot be split from how it stands; `detail` says what to do. `idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`, or `invalid_request`: the `Idempotency-Key` cannot be read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn split(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    client: Client,
    headers: HeaderMap,
    named: Named,
) -> Result<Response, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesSecure).await?;
    let keyed = Keyed::from_headers(&headers, "splitLicense", &caller, &client, &id)?;
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::CREATED, async |request: Option<String>| {
        let issued = issue::split(&ctx, &caller, id, request.as_deref()).await?;
        Ok::<_, ApiError>(generated(&ctx, &issued).await)
    })
    .await
}
