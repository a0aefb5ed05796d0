//! What programs hold: an access token for a quarter of an hour, and a refresh token that is good once.
//!
//! The next refresh token is derived from the one presented, under a key of ours. So two requests with the same
//! token at the same moment are given the same successor, without it being stored anywhere.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::{api_hash, end_family, end_of, secret, store};
use crate::{
    account::{Client, Denied, Error},
    context::Context,
    contract::{
        account::TokenPair,
        id::{SessionId, UserId},
    },
    crypto::Purpose,
    signing::{self, KeyPurpose},
};

/// How long an access token is good.
pub const ACCESS_FOR: Duration = Duration::minutes(15);
/// Who the access tokens are for.
const AUDIENCE: &str = "devforge-api";
/// A client that asks twice at once, or whose answer got lost, is given the same successor for so long.
const GRACE: Duration = Duration::seconds(30);
const PREFIX: &str = "dfr_";
/// Clocks of two nodes may differ by so much.
const LEEWAY: i64 = 5;

/// What an access token says. It names the session, so that ending that ends the token too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    pub aud: String,
    pub sub: UserId,
    pub sid: SessionId,
    pub iat: i64,
    pub exp: i64,
}

impl AccessClaims {
    pub fn new(ctx: &Context, user: UserId, session: SessionId) -> Self {
        let now = ctx.clock.now();
        Self {
            iss: ctx.config.http.public_url.clone(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: session,
            iat: now.unix_timestamp(),
            exp: (now + ACCESS_FOR).unix_timestamp(),
        }
    }
}

/// The keyed hash of the session that an access token names, when the token is one of ours and still good.
pub async fn access_session(ctx: &Context, token: &str) -> Result<Option<[u8; 32]>, signing::Error> {
    let claims = signing::verify::<AccessClaims>(ctx, KeyPurpose::Access, token).await?;
    let now = ctx.clock.now().unix_timestamp();
    Ok(claims
        .filter(|claims| {
            claims.aud == AUDIENCE
                && claims.iss == ctx.config.http.public_url
                && claims.exp > now
                && claims.iat <= now + LEEWAY
        })
        .map(|claims| api_hash(ctx, claims.sid)))
}

/// The refresh token that a new session begins with.
pub(super) async fn first(
    conn: &mut PgConnection,
    ctx: &Context,
    session: SessionId,
) -> Result<String, sqlx::Error> {
    let refresh_token = format!("{PREFIX}{}", secret(ctx));
    store::insert_refresh_token(conn, &hash(ctx, &refresh_token), session.uuid(), ctx.clock.now()).await?;
    Ok(refresh_token)
}

/// The refresh token, and the access token with it. Made after the commit: the signing key may have to be read,
/// and whoever holds a transaction must not wait for another connection.
pub(super) async fn pair(
    ctx: &Context,
    user: UserId,
    session: SessionId,
    refresh_token: String,
) -> Result<TokenPair, Error> {
    let claims = AccessClaims::new(ctx, user, session);
    let token = signing::sign(ctx, KeyPurpose::Access, &claims).await?;
    let expires_at = OffsetDateTime::from_unix_timestamp(claims.exp).unwrap_or_else(|_| ctx.clock.now());
    Ok(TokenPair { token, refresh_token, expires_at })
}

fn hash(ctx: &Context, refresh_token: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::RefreshToken, refresh_token.as_bytes())
}

fn successor(ctx: &Context, refresh_token: &str) -> String {
    let next = ctx.hashers.keyed(Purpose::RefreshSuccessor, refresh_token.as_bytes());
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(next))
}

/// A new pair for a refresh token. One that was used longer ago than a retry takes ends its whole session, and its
/// owner is told.
pub async fn refresh(ctx: &Context, refresh_token: &str, client: &Client) -> Result<TokenPair, Error> {
    if !refresh_token.starts_with(PREFIX) || refresh_token.len() > 100 {
        return Err(Denied::Unauthenticated.into());
    }
    let now = ctx.clock.now();
    let presented_hash = hash(ctx, refresh_token);
    let mut tx = ctx.db.begin().await?;
    let presented = store::lock_refresh_token(&mut tx, &presented_hash).await?;
    let presented = presented
        .filter(|presented| {
            presented.session_expires_at > now
                && presented.session_created_at > now - ctx.config.security.session_absolute
        })
        .ok_or(Denied::Unauthenticated)?;
    let next = successor(ctx, refresh_token);
    match presented.used_at {
        None => {
            store::use_refresh_token(&mut tx, &presented_hash, now).await?;
            store::insert_refresh_token(&mut tx, &hash(ctx, &next), presented.session, now).await?;
            let end = end_of(ctx, true, presented.session_created_at, now);
            let country = client.country.as_deref();
            store::extend(&mut tx, presented.session, now, end, &client.address, country).await?;
        }
        Some(used_at) if now - used_at < GRACE => {}
        Some(_) => {
            end_family(&mut tx, ctx, &presented, client).await?;
            tx.commit().await?;
            return Err(Error::RefreshReused);
        }
    }
    tx.commit().await?;
    pair(ctx, presented.user.id, SessionId::from_uuid(presented.session), next).await
}
