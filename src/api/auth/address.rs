//! What is proven by a mail to the address: that somebody reads it, and that a new password may be set.

use axum::{Json as JsonAnswer, extract::State, http::StatusCode};

use crate::api::problems::{BodyProblems, GuessingProblems};
use crate::{
    account::{self, Caller, Client},
    api::{error::ApiError, extract::Json},
    context::Context,
    contract::{
        account::{ResetPassword, Success, VerifyEmail},
        problem::Problem,
    },
};

type Answer = (StatusCode, JsonAnswer<Success>);

/// Set a forgotten password anew.
///
/// With `email`, a link goes to the address if there is such an account; the answer is the same if there is none. With
/// the link's `token` and a `password`, the password is set, and every session of the account ends.
#[utoipa::path(
    post, path = "/auth/reset-password", tag = "Account", operation_id = "resetPassword",
    request_body = ResetPassword,
    responses(
        BodyProblems,
        GuessingProblems,
        (status = 200, description = "The new password is set", body = Success),
        (status = 202, description = "If there is such an account, the mail is on its way", body = Success),
        (status = 422, description = "`invalid_token`: the link was used before or is too old; `weak_password`: choose another password; `invalid_request`: neither a mail address as `email` nor a `token` with its `password`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reset_password(
    State(ctx): State<Context>,
    client: Client,
    Json(reset): Json<ResetPassword>,
) -> Result<Answer, ApiError> {
    let status = match reset {
        ResetPassword::Start { email } => {
            account::start_reset(&ctx, &email, &client).await?;
            StatusCode::ACCEPTED
        }
        ResetPassword::Set { token, password } => {
            Box::pin(account::finish_reset(&ctx, &token, &password, &client)).await?;
            StatusCode::OK
        }
    };
    Ok((status, JsonAnswer(Success::YES)))
}

/// Prove an address, or have the mail sent again.
///
/// With the link's `token`, from anybody who has it. With `{}`, the mail is sent again to whoever is signed in.
#[utoipa::path(
    post, path = "/auth/verify-email", tag = "Account", operation_id = "verifyEmail",
    security((), ("accessToken" = []), ("sessionCookie" = [])),
    request_body = VerifyEmail,
    responses(
        BodyProblems,
        GuessingProblems,
        (status = 200, description = "The address is proven", body = Success),
        (status = 202, description = "The mail is on its way", body = Success),
        (status = 401, description = "`unauthenticated`: there is no `token`, and nobody is signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`insufficient_scope`: personal tokens cannot do this; `read_only`: an administrator is looking through somebody's eyes", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: the address is proven already", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_token`: the link was used before or is too old", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn verify_email(
    State(ctx): State<Context>,
    caller: Caller,
    client: Client,
    Json(verify): Json<VerifyEmail>,
) -> Result<Answer, ApiError> {
    let status = match verify.token {
        Some(token) => {
            account::verify_email(&ctx, &token, &client).await?;
            StatusCode::OK
        }
        None => {
            account::send_verification(&ctx, &caller).await?;
            StatusCode::ACCEPTED
        }
    };
    Ok((status, JsonAnswer(Success::YES)))
}
