//! What the editor asks every day: is this license good, here and now?
//!
//! What always holds: a text that is no key costs no read; a key that is known costs one, shared with whoever asks at the
//! same moment, or none while it is kept in memory, and a second one only for a machine beyond the first few of a
//! license with many; tiers, versions and signing keys are read now and then, for all; a key that is nobody's costs a
//! second read and a count, until whoever sends such keys is told to wait. What is kept in memory is dropped when the
//! database tells of a change, and nothing is kept while it cannot be heard. A failure of ours is an error, never the
//! word that a license is not good.

mod cache;
mod features;
mod guessing;
mod reader;
mod store;
mod token;

use std::sync::Arc;

use time::OffsetDateTime;

pub use self::{
    features::TierFeatures,
    reader::{Reader, follow},
};
pub(super) use self::{
    guessing::{count, unknown, waits},
    reader::SEEN_EVERY,
    token::{Signed, sign},
};
use super::{
    Error, key, problem,
    rules::{Machine, Version, gate},
    store as licenses,
};
use crate::{
    account::Client,
    context::Context,
    contract::{
        license::{
            LicenseBrief, LicenseCheck, LicenseCode, MAX_FINGERPRINT, MAX_NONCE, MAX_VERSION, MachineCount,
            PRODUCT, ValidateRequest,
        },
        license_key::{KeyError, LicenseKey},
        payment::Tier,
        problem::FieldProblem,
    },
};
use reader::Found;

/// Whether a license is good for a machine and a version.
pub async fn validate(
    ctx: &Context,
    client: &Client,
    request: &ValidateRequest,
) -> Result<LicenseCheck, Error> {
    let asked = Asked::read(&request.fingerprint, &request.nonce, &request.version)?;
    let now = ctx.clock.now();
    let found = match look_up(ctx, client, &request.license_key, request.product.as_deref()).await? {
        Ok(found) => found,
        Err(code) => return Ok(refused(ctx, code, None, &asked, now)),
    };
    let (machine, seen) = match asked.fingerprint {
        None => (Machine::Unnamed, None),
        Some(fingerprint) => {
            let seen = found.machine(ctx, key::fingerprint_hash(ctx, fingerprint)).await?;
            (seen.as_ref().map_or(Machine::Unknown, |seen| Machine::Known { rank: seen.rank }), seen)
        }
    };
    let version = ctx.licenses.version(ctx, asked.version, &found.standing, now).await?;
    let code = gate(&found.standing, machine, version, now);
    if let Some(seen) = &seen {
        ctx.licenses.touch(seen, now);
    }
    if !code.is_valid() {
        return Ok(refused(ctx, code, Some(&found), &asked, now));
    }
    let tiers = ctx.licenses.tiers(ctx).await;
    let features = tiers.of(found.tier, &found.extra, now);
    let offline_token = match (asked.fingerprint, &seen) {
        (Some(fingerprint), Some(_)) => {
            let subject = token::Subject {
                license: &found,
                features: &features,
                fingerprint,
                nonce: asked.nonce,
                version: asked.version,
            };
            Some(token::offline(ctx, &subject, now).await?)
        }
        _ => None,
    };
    Ok(LicenseCheck {
        valid: true,
        code,
        tier: found.tier,
        features,
        machines: Some(found.machine_count()),
        offline_token,
        ..about(&found, &asked, now)
    })
}

/// How a license itself stands, whatever the machine.
pub async fn brief(ctx: &Context, client: &Client, key: &str) -> Result<LicenseBrief, Error> {
    let now = ctx.clock.now();
    let (code, found) = match look_up(ctx, client, key, None).await? {
        Ok(found) => (gate(&found.standing, Machine::Any, Version::Unnamed, now), Some(found)),
        Err(code) => (code, None),
    };
    Ok(LicenseBrief {
        valid: code.is_valid(),
        code,
        tier: found.as_ref().filter(|_| code.is_valid()).map_or(Tier::Free, |found| found.tier),
        expires_at: found.and_then(|found| found.standing.expires_at),
    })
}

/// Reads a key, and refuses what needs no database to be refused.
pub(super) fn read_key(text: &str, product: Option<&str>) -> Result<LicenseKey, LicenseCode> {
    if product.is_some_and(|product| product != PRODUCT) {
        return Err(LicenseCode::ProductMismatch);
    }
    LicenseKey::parse(text).map_err(|error| match error {
        KeyError::OtherProduct => LicenseCode::ProductMismatch,
        KeyError::Malformed => LicenseCode::NotFound,
    })
}

async fn look_up(
    ctx: &Context,
    client: &Client,
    text: &str,
    product: Option<&str>,
) -> Result<Result<Arc<Found>, LicenseCode>, Error> {
    let key = match read_key(text, product) {
        Ok(key) => key,
        Err(code) => return Ok(Err(code)),
    };
    let hash = key::hash(ctx, &key);
    match ctx.licenses.find(hash).await? {
        Some(found) => Ok(Ok(found)),
        None => Ok(Err(unknown(ctx, client, &hash).await?)),
    }
}

/// What of a request is looked at more closely.
pub(super) struct Asked<'a> {
    pub fingerprint: Option<&'a str>,
    pub nonce: Option<&'a str>,
    pub version: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub fn read(
        fingerprint: &'a Option<String>,
        nonce: &'a Option<String>,
        version: &'a Option<String>,
    ) -> Result<Self, Error> {
        let mut wrong = Vec::new();
        let asked = Self {
            fingerprint: bounded(fingerprint, "fingerprint", MAX_FINGERPRINT, &mut wrong),
            nonce: bounded(nonce, "nonce", MAX_NONCE, &mut wrong),
            version: bounded(version, "version", MAX_VERSION, &mut wrong),
        };
        if wrong.is_empty() { Ok(asked) } else { Err(Error::Invalid(wrong)) }
    }
}

/// A text of at most so many characters; an empty one is none.
fn bounded<'a>(
    text: &'a Option<String>,
    field: &'static str,
    most: usize,
    wrong: &mut Vec<FieldProblem>,
) -> Option<&'a str> {
    let text = text.as_deref()?;
    if text.len() > most && text.chars().count() > most || text.chars().any(char::is_control) {
        let message = format!("Send at most {most} characters, without control characters.");
        wrong.push(problem(field, "too_long", message));
        return None;
    }
    Some(text).filter(|text| !text.is_empty())
}

/// What is said of a license whether or not it is good.
fn about(found: &Found, asked: &Asked<'_>, now: OffsetDateTime) -> LicenseCheck {
    let standing = &found.standing;
    LicenseCheck {
        valid: false,
        code: LicenseCode::NotFound,
        tier: Tier::Free,
        expires_at: standing.expires_at,
        grace_until: standing.good_until.filter(|_| standing.expires_at.is_some_and(|end| end <= now)),
        features: Vec::new(),
        machines: None,
        checked_at: now,
        nonce: asked.nonce.map(str::to_owned),
        offline_token: None,
    }
}

/// The free features go on working, whatever is wrong.
fn refused(
    ctx: &Context,
    code: LicenseCode,
    found: Option<&Found>,
    asked: &Asked<'_>,
    now: OffsetDateTime,
) -> LicenseCheck {
    let features = ctx.licenses.tiers_at_hand().of(Tier::Free, &[], now);
    let machines =
        matches!(code, LicenseCode::MachineRequired | LicenseCode::NoMachine | LicenseCode::TooManyMachines);
    match found {
        Some(found) => LicenseCheck {
            code,
            features,
            machines: machines.then(|| found.machine_count()),
            ..about(found, asked, now)
        },
        None => LicenseCheck {
            valid: false,
            code,
            tier: Tier::Free,
            expires_at: None,
            grace_until: None,
            features,
            machines: None,
            checked_at: now,
            nonce: asked.nonce.map(str::to_owned),
            offline_token: None,
        },
    }
}

impl Found {
    fn machine_count(&self) -> MachineCount {
        MachineCount { used: self.standing.used, limit: self.standing.limit }
    }
}
