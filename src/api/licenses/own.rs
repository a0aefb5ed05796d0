//! Licenses for their owners: which there are, their keys, and giving them away.

use axum::{Json as JsonAnswer, extract::State};
use serde::Deserialize;

use super::{Named, shown};
use crate::{
    account::{Caller, Permission},
    api::{
        auth::SignedIn,
        error::ApiError,
        extract::{Json, Query},
        problems::{BodyProblems, CallerProblems, SecureProblems},
    },
    context::Context,
    contract::{
        id::LicenseId,
        license::{License, RevealedKey, TransferRequest},
        list::{DEFAULT_LIMIT, MAX_LIMIT, Page},
        problem::Problem,
    },
    license::{self, life},
};

/// What part of the list is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PartOfLicenses {
    /// Where to go on, as the page before said.
    cursor: Option<LicenseId>,
    /// How many at the most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
}

/// The caller's licenses.
///
/// Newest first, with all but the last group of their keys hidden. A personal token needs `licenses:read`.
#[utoipa::path(
    get, path = "/licenses", tag = "Licenses", operation_id = "listLicenses", params(PartOfLicenses),
    security(("accessToken" = []), ("personalToken" = ["licenses:read"]), ("sessionCookie" = [])),
    responses(
        CallerProblems,
        (status = 200, description = "The caller's licenses", body = Page<License>),
        (status = 422, description = "`invalid_request`: the cursor is none of ours", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(ctx): State<Context>,
    caller: Caller,
    Query(part): Query<PartOfLicenses>,
) -> Result<JsonAnswer<Page<License>>, ApiError> {
    if let Some(cursor) = part.cursor {
        license::find(&ctx, &caller, cursor).await.map_err(|error| match error {
            license::Error::NotFound => {
                let words = "Use the `nextCursor` of the page before.";
                ApiError::invalid(vec![license::problem("cursor", "unknown", words)])
            }
            other => other.into(),
        })?;
    }
    let limit = part.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
    // One more than is shown says whether there are more.
    let mut licenses = license::list_own(&ctx, &caller, part.cursor, i64::from(limit) + 1).await?;
    let has_more = licenses.len() > limit as usize;
    licenses.truncate(limit as usize);
    let next_cursor = licenses.last().filter(|_| has_more).map(|last| last.id.to_string());
    let tiers = ctx.licenses.tiers(&ctx).await;
    let items = licenses.iter().map(|license| license.shown(&ctx, &tiers)).collect();
    Ok(JsonAnswer(Page { items, next_cursor, total: None }))
}

/// Show a license's key.
///
/// To its owner, within 15 minutes of signing in. That it was shown stands in the license's history.
#[utoipa::path(
    post, path = "/licenses/{license}/reveal", tag = "Licenses", operation_id = "revealLicenseKey",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's id, or its key")),
    responses(
        SecureProblems,
        (status = 200, description = "The key", body = RevealedKey),
        (status = 404, description = "`not_found`: no such license of the caller's", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: the key cannot be shown any more; have it replaced", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reveal(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
) -> Result<JsonAnswer<RevealedKey>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesSecure).await?;
    let key = life::reveal(&ctx, &caller, id).await?;
    Ok(JsonAnswer(RevealedKey { license_key: key.expose() }))
}

/// Replace a license's key.
///
/// For when it has become known. The old key is worth nothing from then on; machines stay. The new one goes to the
/// owner by mail, who can also have it shown. The owner does this for theirs, staff for anybody's.
#[utoipa::path(
    post, path = "/licenses/{license}/rotate", tag = "Licenses", operation_id = "rotateLicenseKey",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's key or its id")),
    responses(
        SecureProblems,
        (status = 200, description = "The license, with the end of its new key", body = License),
        (status = 404, description = "`not_found`: no such license, or not for this caller", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it was taken away", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: it had ten new keys within a day; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn rotate(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
) -> Result<JsonAnswer<License>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesSecure).await?;
    let issued = life::rotate(&ctx, &caller, id).await?;
    Ok(shown(&ctx, &issued.license).await)
}

/// Give a license to somebody else.
///
/// It gets a new key, which goes to `email`, and is taken off all its machines. The owner does this with theirs, staff
/// with anybody's. Trials stay where they are, and so does what follows a subscription that runs.
#[utoipa::path(
    post, path = "/licenses/{license}/transfer", tag = "Licenses", operation_id = "transferLicense",
    security(("accessToken" = []), ("sessionCookie" = [])),
    params(("license" = String, Path, description = "The license's key or its id")),
    request_body = TransferRequest,
    responses(
        BodyProblems,
        SecureProblems,
        (status = 200, description = "The license as it is now", body = License),
        (status = 404, description = "`not_found`: no such license, or not for this caller", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it cannot go to somebody else from how it stands; `detail` says what to do", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: `email` is missing, or is no address", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn transfer(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    named: Named,
    Json(request): Json<TransferRequest>,
) -> Result<JsonAnswer<License>, ApiError> {
    let id = named.id(&ctx, &caller, Permission::LicensesSecure).await?;
    let license = life::transfer(&ctx, &caller, id, &request.email).await?;
    Ok(shown(&ctx, &license).await)
}
