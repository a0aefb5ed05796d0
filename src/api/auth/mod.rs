//! Accounts over the API: signing in and staying signed in, the second factor, sessions, personal tokens.
//!
//! What always holds: what is answered to somebody who proved nothing does not tell whether an account exists,
//! except registration, which cannot hide it.

mod address;
mod personal_tokens;
mod sessions;
mod sign_in;
mod tokens;
mod two_factor;

use axum::{extract::FromRequestParts, http::request::Parts};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::error::ApiError;
use crate::{account::Caller, context::Context};

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::register))
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::logout))
        .routes(routes!(sign_in::me))
        .routes(routes!(tokens::refresh))
        .routes(routes!(address::reset_password))
        .routes(routes!(address::verify_email))
        .routes(routes!(two_factor::setup))
        .routes(routes!(two_factor::enable))
        .routes(routes!(two_factor::disable))
        .routes(routes!(two_factor::recovery_codes))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end))
        .routes(routes!(personal_tokens::list, personal_tokens::create))
        .routes(routes!(personal_tokens::revoke))
}

/// A caller who is known. Everybody else is answered 401 before their body is looked at.
pub(super) struct SignedIn(pub(super) Caller);

impl FromRequestParts<Context> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, ctx).await? {
            Caller::Anonymous => Err(ApiError::unauthenticated()),
            caller @ Caller::User(_) => Ok(Self(caller)),
        }
    }
}
