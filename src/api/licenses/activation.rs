//! Making a license active on a machine, and taking it off again. Done by whoever has the key.

use axum::extract::State;

use super::{Open, open};
use crate::{
    account::Client,
    api::{
        error::ApiError,
        extract::Json,
        problems::{BodyProblems, OpenProblems},
    },
    context::Context,
    contract::{
        license::{ActivateRequest, Activation, DeactivateRequest, Deactivation},
        problem::Problem,
    },
    license::machine,
};

/// Make a license active on a machine.
///
/// `email` is whose license it is, or, where it has several seats, who uses it here. The same fingerprint again is the
/// same machine. What keeps it from being activated is in `code`, with status 200; then nothing was taken up. Without a
/// `fingerprint` nothing is taken up either: the answer says whether the license is good for this address. Of a license
/// with one seat that is the one that it was made out to, or the one of the account that has it now. In any 14 days, at
/// most three times as many machines as it has room for, and ten more, may come. Pages of any site may send this.
#[utoipa::path(
    post, path = "/licenses/activate", tag = "Licenses", operation_id = "activateLicense",
    request_body = ActivateRequest,
    responses(
        BodyProblems,
        OpenProblems,
        (status = 200, description = "Whether it is active there now", body = Activation),
        (status = 422, description = "`invalid_request`: a field is missing, of another type, or longer than it may be, or `email` is no address", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many keys that nobody has, or addresses that this license is not good for, or machines that come and go all the time; `Retry-After` says when to try again", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn activate(
    State(ctx): State<Context>,
    client: Client,
    Json(request): Json<ActivateRequest>,
) -> Result<Open<Activation>, ApiError> {
    Ok(open(machine::activate(&ctx, &client, &request).await?))
}

/// Take a license off a machine.
///
/// The place is free for another machine at once, and the answer is the same when the license was not active there. A
/// machine that was given a license file keeps its place until the file is no longer good, and is answered with 409.
/// Pages of any site may send this.
#[utoipa::path(
    post, path = "/licenses/deactivate", tag = "Licenses", operation_id = "deactivateLicense",
    request_body = DeactivateRequest,
    responses(
        BodyProblems,
        OpenProblems,
        (status = 200, description = "It is not active there", body = Deactivation),
        (status = 404, description = "`not_found`: there is no license with this key", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: the machine has a license file that is still good, so it keeps its place", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`: a field is missing, of another type, or longer than it may be", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn deactivate(
    State(ctx): State<Context>,
    client: Client,
    Json(request): Json<DeactivateRequest>,
) -> Result<Open<Deactivation>, ApiError> {
    Ok(open(machine::deactivate(&ctx, &client, &request).await?))
}
