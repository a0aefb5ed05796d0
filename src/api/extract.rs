//! What handlers take out of a request.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::{
    account::Caller,
    context::Context,
    contract::{
        account::User,
        id::{RequestId, SessionId},
    },
    session,
};

/// A JSON body, with our words for what is wrong with it.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(value) = axum::Json::<T>::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Query(value) = axum::extract::Query::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// Parameters in the path. One that cannot be read names nothing that exists.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let axum::extract::Path(value) = axum::extract::Path::<T>::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

/// The id that the outermost layer gave this request.
#[derive(Debug, Clone, Copy)]
pub struct CurrentRequest(pub RequestId);

impl<S: Send + Sync> FromRequestParts<S> for CurrentRequest {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Without that layer (a test of one handler) the id is nil, which names no request.
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(RequestId::from_uuid(uuid::Uuid::nil()))))
    }
}

/// Who is asking. Nobody in particular is fine: the verb decides.
impl FromRequestParts<Context> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        let Some(cookie) = session_cookie(parts, ctx) else {
            return Ok(Self::Anonymous);
        };
        let hash = session::token_hash(ctx, cookie);
        let Some(found) = ctx.accounts.signed_in(hash, ctx.config.security.session_absolute).await? else {
            return Ok(Self::Anonymous);
        };
        // Noting the time is not worth failing the request for.
        if let Err(error) = session::touch(ctx, found.session, found.last_seen_at).await {
            tracing::warn!(error = %error, "a session's last use could not be noted");
        }
        Ok(Self::User { user: found.user, session: found.session })
    }
}

/// Someone who is signed in; everyone else is answered 401.
pub struct SignedIn {
    pub user: User,
    pub session: SessionId,
}

impl FromRequestParts<Context> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, ctx).await? {
            Caller::User { user, session } => Ok(Self { user, session }),
            Caller::Anonymous => Err(ApiError::unauthenticated()),
        }
    }
}

fn session_cookie<'a>(parts: &'a Parts, ctx: &Context) -> Option<&'a str> {
    let name = session::cookie_name(&ctx.config);
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}
