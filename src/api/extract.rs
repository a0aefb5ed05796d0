//! What handlers take out of a request.

use axum::{
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::{
    account::{Caller, Client, Identity, Via, personal_token, rules},
    context::Context,
    contract::id::RequestId,
    rate_limit::network_of,
    session,
};

/// Where the request came from as the server's outermost layer saw it.
#[derive(Debug, Clone)]
pub struct ClientAddress {
    pub address: std::net::IpAddr,
    /// Two letters, from a proxy of ours that knows.
    pub country: Option<String>,
}

/// A JSON body, with our words for what is wrong with it.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(value) = <axum::Json<T> as FromRequest<S>>::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The same where the body may be left out.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        let value = <axum::Json<T> as OptionalFromRequest<S>>::from_request(request, state).await?;
        Ok(value.map(|axum::Json(value)| Self(value)))
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
        Ok(Self(request_id(parts)))
    }
}

impl FromRequestParts<Context> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        Ok(client(parts, ctx))
    }
}

fn client(parts: &Parts, ctx: &Context) -> Client {
    let seen = parts.extensions.get::<ClientAddress>();
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Client {
        address: seen.map_or_else(String::new, |seen| seen.address.to_string()),
        network: seen.map_or_else(|| "unknown".to_owned(), |seen| network_of(seen.address).to_string()),
        country: seen.and_then(|seen| seen.country.clone()),
        device: rules::device_name(agent.unwrap_or_default()),
        known_device: cookie(parts, session::device_cookie_name(&ctx.config))
            .filter(|value| session::is_device_cookie(value))
            .map(str::to_owned),
        request: request_id(parts),
    }
}

/// Who is asking. Nobody in particular is fine: the verb decides. A token that is no good is not.
impl FromRequestParts<Context> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, ctx: &Context) -> Result<Self, ApiError> {
        // Other schemes are for others: a proxy in front of us may ask for a password of its own.
        let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = authorization.and_then(bearer) {
            return by_token(ctx, token, parts).await;
        }
        let Some(cookie) = cookie(parts, session::cookie_name(&ctx.config)) else {
            return Ok(Self::Anonymous);
        };
        by_session(ctx, session::token_hash(ctx, cookie), parts).await
    }
}

/// `Bearer` in any case, as the RFC has it, and what stands behind it.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

async fn by_token(ctx: &Context, token: &str, parts: &Parts) -> Result<Caller, ApiError> {
    if token.starts_with(personal_token::PREFIX) {
        let address = client(parts, ctx).address;
        let found = personal_token::find(ctx, token, &address).await?;
        let (user, id, scopes) = found.ok_or_else(ApiError::unauthenticated)?;
        let via = Via::Token { id, scopes };
        return Ok(Caller::User(Identity { user, via, request: request_id(parts) }));
    }
    let hash = session::access_session(ctx, token).await?.ok_or_else(ApiError::unauthenticated)?;
    match by_session(ctx, hash, parts).await? {
        Caller::Anonymous => Err(ApiError::unauthenticated()),
        caller @ Caller::User(_) => Ok(caller),
    }
}

async fn by_session(ctx: &Context, hash: [u8; 32], parts: &Parts) -> Result<Caller, ApiError> {
    let Some(found) = ctx.sessions.signed_in(hash, ctx.config.security.session_absolute).await? else {
        return Ok(Caller::Anonymous);
    };
    if found.is_due(ctx.clock.now())
        && let Err(error) = session::touch(ctx, &found, &client(parts, ctx)).await
    {
        // Noting the time is not worth failing the request for.
        tracing::warn!(error = %error, "a session's last use could not be noted");
    }
    let via = Via::Session {
        id: found.session,
        authenticated_at: found.authenticated_at,
        impersonator: found.impersonator,
    };
    Ok(Caller::User(Identity { user: found.user, via, request: request_id(parts) }))
}

fn request_id(parts: &Parts) -> RequestId {
    // Without the outermost layer (a test of one handler) the id is nil, which names no request.
    parts
        .extensions
        .get::<CurrentRequest>()
        .map_or(RequestId::from_uuid(uuid::Uuid::nil()), |current| current.0)
}

fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}
