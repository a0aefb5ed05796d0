//! What the editor keeps for when it is offline: claims that we signed.
//!
//! What always holds: a token says what the gate said when it was made, for one machine, and not for longer than the
//! license is good.

use std::time::Duration as StdDuration;

use time::{Duration, OffsetDateTime};

use super::reader::Found;
use crate::{
    context::Context,
    contract::{id::LicenseId, license::OfflineClaims, payment::Tier},
    license::{
        Error,
        rules::{self, OFFLINE_FOR, Standing},
    },
    signing::{self, KeyPurpose},
};

/// For so long a token is given again to the same machine, when nothing about its license changed and no nonce asks for
/// a new one.
const GIVEN_AGAIN: StdDuration = StdDuration::from_secs(60 * 60);
const MAX_KEPT: u64 = 20_000;

/// Tokens that may be given again.
pub(super) struct Tokens(moka::sync::Cache<(LicenseId, String), std::sync::Arc<Given>>);

struct Given {
    token: String,
    updated_at: OffsetDateTime,
    features: Vec<String>,
    until: OffsetDateTime,
}

impl Tokens {
    pub fn new() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MAX_KEPT).time_to_live(GIVEN_AGAIN).build())
    }
}

pub(super) struct Subject<'a> {
    pub license: &'a Found,
    pub features: &'a [String],
    pub fingerprint: &'a str,
    pub nonce: Option<&'a str>,
    pub version: Option<&'a str>,
}

/// A token for a machine on which a license is good.
pub(super) async fn offline(
    ctx: &Context,
    subject: &Subject<'_>,
    now: OffsetDateTime,
) -> Result<String, Error> {
    let Subject { license, features, fingerprint, nonce, version } = subject;
    let key = (license.id, (*fingerprint).to_owned());
    let again = nonce.is_none() && !license.standing.is_over(now);
    if again
        && let Some(given) = ctx.licenses.tokens.0.get(&key)
        && given.updated_at == license.updated_at
        && given.features == *features
        && (now..=now + OFFLINE_FOR).contains(&given.until)
    {
        return Ok(given.token.clone());
    }
    let claims = Signed {
        license: license.id,
        tier: license.tier,
        features,
        fingerprint,
        nonce: *nonce,
        version: *version,
        standing: &license.standing,
    };
    let (token, until) = sign(ctx, KeyPurpose::Offline, OFFLINE_FOR, &claims, now).await?;
    if again {
        let until = until - Duration::seconds(i64::try_from(GIVEN_AGAIN.as_secs()).unwrap_or(0));
        let given = Given {
            token: token.clone(),
            updated_at: license.updated_at,
            features: features.to_vec(),
            until,
        };
        ctx.licenses.tokens.0.insert(key, std::sync::Arc::new(given));
    }
    Ok(token)
}

/// What is signed.
pub(in crate::license) struct Signed<'a> {
    pub license: LicenseId,
    pub tier: Tier,
    pub features: &'a [String],
    pub fingerprint: &'a str,
    pub nonce: Option<&'a str>,
    /// Which version asks.
    pub version: Option<&'a str>,
    pub standing: &'a Standing,
}

/// Signs it for at most so long, and says until when it is good.
pub(in crate::license) async fn sign(
    ctx: &Context,
    purpose: KeyPurpose,
    lifetime: Duration,
    what: &Signed<'_>,
    now: OffsetDateTime,
) -> Result<(String, OffsetDateTime), Error> {
    let until = rules::token_end(what.standing, lifetime, now);
    let claims = OfflineClaims {
        iss: ctx.config.http.public_url.clone(),
        aud: OfflineClaims::AUDIENCE.to_owned(),
        sub: what.license,
        tier: what.tier,
        features: what.features.to_vec(),
        fingerprint: what.fingerprint.to_owned(),
        nonce: what.nonce.map(str::to_owned),
        version: what.version.filter(|_| what.standing.is_over(now)).map(str::to_owned),
        license_exp: what.standing.expires_at.map(OffsetDateTime::unix_timestamp),
        iat: now.unix_timestamp(),
        exp: until.unix_timestamp(),
    };
    Ok((signing::sign(ctx, purpose, &claims).await?, until))
}
