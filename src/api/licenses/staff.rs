//! What staff does with a license: prolong it, hold it back, take it away.

use axum::{
    Json as JsonAnswer,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{Named, shown};
use crate::{
    account::{Caller, Client, Permission},
    api::{
        auth::SignedIn,
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, StaffProblems},
    },
    context::Context,
    contract::{
        id::LicenseId,
        license::{Because, License, RenewRequest, Revocation},
        problem::Problem,
    },
    idempotency::{self, Keyed},
    license::{self, life, problem},
};

/// Stands in the history of a license that was revoked by a request without a body.
const NO_REASON: &str = "Revoked over the API without a reason";

/// Prolong a license.
///
/// For administrators. By `months` from its end, or from now when that is past; or until `expiresAt`. Without a body,
/// for another year. A request that is sent twice prolongs it twice, unless it says `from` which end, or has an
/// `Idempotency-Key`.
#[utoipa::path(
    put, path = "/licenses/{license}/renew", tag = "Licenses", operation_id = "renewLicense",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(
        ("license" = String, Path, description = "The license's key or its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Up to 255 characters; the first answer is given again for 24 hours"),
    ),
    request_body = Option<RenewRequest>,
    responses(
        BodyProblems,
        StaffProblems,
        (status = 200, description = "The license, with its new `expiresAt`", body = License),
        (status = 404, description = "`not_found`: there is no such license", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it follows a subscription, was taken away, does not end, or ends at another time than `from`. `idempotency_in_progress`: the first request with this key is still under way; `Retry-After` says when to ask again", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`, or `invalid_request`: the time is not 1 to 120 months, or `expiresAt` is not after today and its end", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn renew(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    client: Client,
    headers: HeaderMap,
    named: Named,
    request: Option<Json<RenewRequest>>,
) -> Result<Response, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesIssue).await?;
    let request = request.map(|Json(request)| request).unwrap_or_default();
    let keyed = Keyed::from_headers(&headers, "renewLicense", &caller, &client, &(id, request))?;
    idempotency::once(&ctx, keyed.as_ref(), StatusCode::OK, async |name: Option<String>| {
        let license = life::renew_once(&ctx, &caller, id, &request, name.as_deref()).await?;
        let JsonAnswer(license) = shown(&ctx, &license).await;
        Ok::<_, ApiError>(license)
    })
    .await
}

/// Revoke a license.
///
/// For administrators. It is worth nothing from then on; what machines were given for when they are offline is good
/// until its time is up. Revoked again, it stays revoked. Without a body, the history says that no reason was given; with
/// one, there has to be a `reason`.
#[utoipa::path(
    delete, path = "/licenses/{license}", tag = "Licenses", operation_id = "revokeLicense",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's key or its id")),
    request_body = Option<Because>,
    responses(
        BodyProblems,
        StaffProblems,
        (status = 200, description = "It is revoked", body = Revocation),
        (status = 404, description = "`not_found`: there is no such license", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: `reason` is missing, is longer than 500 characters, or has a key in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    because: Option<Json<Because>>,
) -> Result<JsonAnswer<Revocation>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesIssue).await?;
    let reason = match because {
        Some(because) => reason(&ctx, &caller, id, Some(because)).await?,
        None => NO_REASON.to_owned(),
    };
    life::revoke(&ctx, &caller, id, &reason).await?;
    Ok(JsonAnswer(Revocation { revoked: true }))
}

/// Hold a license back.
///
/// For staff. It is not good until it is reinstated; nothing about it is lost.
#[utoipa::path(
    post, path = "/licenses/{license}/suspend", tag = "Licenses", operation_id = "suspendLicense",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's key or its id")),
    request_body = Because,
    responses(
        BodyProblems,
        StaffProblems,
        (status = 200, description = "The license as it is now", body = License),
        (status = 404, description = "`not_found`: there is no such license", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was taken away already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: `reason` is missing, is longer than 500 characters, or has a key in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn suspend(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    because: Option<Json<Because>>,
) -> Result<JsonAnswer<License>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesManage).await?;
    let reason = reason(&ctx, &caller, id, because).await?;
    let license = life::suspend(&ctx, &caller, id, &reason).await?;
    Ok(shown(&ctx, &license).await)
}

/// Reinstate a license.
///
/// For staff. Takes back what staff did to it. What holds it back for another reason, such as a refund, goes on doing so.
#[utoipa::path(
    post, path = "/licenses/{license}/reinstate", tag = "Licenses", operation_id = "reinstateLicense",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's key or its id")),
    request_body = Because,
    responses(
        BodyProblems,
        StaffProblems,
        (status = 200, description = "The license as it is now", body = License),
        (status = 404, description = "`not_found`: there is no such license", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: something else holds it back, such as a refund; `detail` says what", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: `reason` is missing, is longer than 500 characters, or has a key in it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reinstate(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    because: Option<Json<Because>>,
) -> Result<JsonAnswer<License>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesManage).await?;
    let reason = reason(&ctx, &caller, id, because).await?;
    let license = life::reinstate(&ctx, &caller, id, &reason).await?;
    Ok(shown(&ctx, &license).await)
}

/// Why something is done to this license: it stands in its history. Whether the license is there comes first.
async fn reason(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    because: Option<Json<Because>>,
) -> Result<String, ApiError> {
    let reason = because.and_then(|Json(because)| because.reason).unwrap_or_default();
    if reason.trim().is_empty() {
        license::find(ctx, caller, id).await?;
        let words = "Write why, for the license's history.";
        return Err(ApiError::invalid(vec![problem("reason", "required", words)]));
    }
    Ok(reason)
}
