//! The code that is asked for after the password.

use axum::{Json as JsonAnswer, extract::State};

use super::SignedIn;
use crate::api::problems::{BodyProblems, GuessingProblems, SecureProblems};
use crate::{
    account::{Caller, two_factor},
    api::{error::ApiError, extract::Json},
    context::Context,
    contract::{
        account::{RecoveryCodes, Success, TwoFactorCode, TwoFactorSetup},
        problem::Problem,
    },
};

/// Begin with an authenticator app.
///
/// The answer is a secret for the app, also as a QR code. Nothing is asked for at sign-in before a code of it has been
/// sent to `/auth/2fa/enable`.
#[utoipa::path(
    post, path = "/auth/2fa/setup", tag = "Two-factor sign-in", operation_id = "setUpTwoFactor",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        SecureProblems,
        (status = 200, description = "What the app needs", body = TwoFactorSetup),
        (status = 409, description = "`conflict`: it is on already", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn setup(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<TwoFactorSetup>, ApiError> {
    Ok(JsonAnswer(two_factor::begin(&ctx, &caller).await?))
}

/// Ask for a code at sign-in from now on.
///
/// The code shows that the app has the secret. The answer holds ten recovery codes, each good once in place of a code:
/// they are told now and never again.
#[utoipa::path(
    post, path = "/auth/2fa/enable", tag = "Two-factor sign-in", operation_id = "enableTwoFactor",
    security(("accessToken" = []), ("sessionCookie" = [])),
    request_body = TwoFactorCode,
    responses(
        BodyProblems,
        SecureProblems,
        GuessingProblems,
        (status = 200, description = "It is on; the recovery codes", body = RecoveryCodes),
        (status = 401, description = "`invalid_code`: the code is wrong; `unauthenticated`: nobody is signed in, or the token is no longer good", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it is on already, was not begun, or was begun more than an hour ago", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn enable(
    State(ctx): State<Context>,
    SignedIn(caller): SignedIn,
    Json(code): Json<TwoFactorCode>,
) -> Result<JsonAnswer<RecoveryCodes>, ApiError> {
    Ok(JsonAnswer(two_factor::enable(&ctx, &caller, &code.code).await?))
}

/// Ask for no code at sign-in any more.
///
/// The app's secret and the recovery codes are worth nothing from then on. When it is off already, nothing happens.
#[utoipa::path(
    post, path = "/auth/2fa/disable", tag = "Two-factor sign-in", operation_id = "disableTwoFactor",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        SecureProblems,
        (status = 200, description = "It is off", body = Success),
    )
)]
pub(super) async fn disable(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<Success>, ApiError> {
    two_factor::disable(&ctx, &caller).await?;
    Ok(JsonAnswer(Success::YES))
}

/// Get ten new recovery codes.
///
/// Those from before are worth nothing from then on.
#[utoipa::path(
    post, path = "/auth/2fa/recovery-codes", tag = "Two-factor sign-in", operation_id = "newRecoveryCodes",
    security(("accessToken" = []), ("sessionCookie" = [])),
    responses(
        SecureProblems,
        (status = 200, description = "The new codes, told now and never again", body = RecoveryCodes),
        (status = 409, description = "`conflict`: two-factor sign-in is off", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn recovery_codes(
    State(ctx): State<Context>,
    caller: Caller,
) -> Result<JsonAnswer<RecoveryCodes>, ApiError> {
    Ok(JsonAnswer(two_factor::new_recovery_codes(&ctx, &caller).await?))
}
