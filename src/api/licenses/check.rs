//! Is this license good? Asked by whoever has the key.

use axum::extract::State;

use super::{Named, Open, open};
use crate::{
    account::Client,
    api::{
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, OpenProblems},
    },
    context::Context,
    contract::{
        license::{LicenseBrief, LicenseCheck, ValidateRequest},
        problem::Problem,
    },
    license::check,
};

/// Ask whether a license is good, here and now.
///
/// Nobody has to sign in: whoever has the key may ask. A license that is not good, or a key that is none, is answered
/// with 200 as well: `valid` is false, `code` says why, and tier and features are the free ones. With a `fingerprint`
/// of a machine that the license is active on, there is an `offlineToken` for when there is no connection, signed with
/// a key of `/.well-known/jwks.json`. A failure of ours is never an answer about the license. Pages of any site may
/// send this.
#[utoipa::path(
    post, path = "/licenses/validate", tag = "Licenses", operation_id = "validateLicense",
    request_body = ValidateRequest,
    responses(
        BodyProblems,
        OpenProblems,
        (status = 200, description = "How the license stands", body = LicenseCheck),
        (status = 422, description = "`invalid_request`: a field is missing, of another type, or longer than it may be", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn validate(
    State(ctx): State<Context>,
    client: Client,
    Json(request): Json<ValidateRequest>,
) -> Result<Open<LicenseCheck>, ApiError> {
    Ok(open(check::validate(&ctx, &client, &request).await?))
}

/// How a license itself stands.
///
/// The short form of validation: by key, and whatever the machine. A key that is none has the code `NOT_FOUND`, as one
/// that nobody has. Keys in addresses are not written into logs; where others may see the address, send the key to
/// `/licenses/validate` instead. Pages of any site may ask this.
#[utoipa::path(
    get, path = "/licenses/{license}", tag = "Licenses", operation_id = "getLicense",
    params(("license" = String, Path, description = "The license's key, in any spelling")),
    responses(
        OpenProblems,
        (status = 200, description = "How the license stands", body = LicenseBrief),
    )
)]
pub(super) async fn brief(
    State(ctx): State<Context>,
    client: Client,
    Named(key): Named,
) -> Result<Open<LicenseBrief>, ApiError> {
    Ok(open(check::brief(&ctx, &client, &key).await?))
}
