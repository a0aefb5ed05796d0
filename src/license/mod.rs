//! Licenses: what somebody may use, on which machines, until when; and what the editor is told about it.
//!
//! What always holds: whether a license is good is decided by [`rules::gate`] and nowhere else, so that what validates
//! also activates and is what an offline token says; a license's row says when it ends, and nobody asks anything else;
//! machines come and go under the lock of their license's row, so that a limit holds whoever comes at once; of a key
//! there are a keyed hash and a sealed copy, and it is in no log, address or audit entry.
//!
//! Locks are taken in this order: account, order, subscription, license.

pub mod check;
pub mod follow;
pub mod issue;
mod key;
pub mod life;
pub mod machine;
pub mod rules;
pub mod staff;
pub(crate) mod store;
pub mod version;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use self::check::Reader;
use self::rules::{Cause, Standing};
use crate::{
    account::{self, Caller, Denied, Identity, Permission},
    audit, billing,
    context::Context,
    contract::{
        id::{LicenseId, OrderId, OrderLineId, RequestId, UserId},
        license::{self as wire, LicenseOrigin, LicenseStatus, MachineCount},
        license_key,
        payment::{SubscriptionStatus, Tier},
        problem::FieldProblem,
    },
    db, jobs, mail, signing,
};

/// The most licenses of one list.
pub const MAX_LIST: i64 = 100;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("what was sent has mistakes")]
    Invalid(Vec<FieldProblem>),
    #[error("there is no such license, or not for this caller")]
    NotFound,
    /// With what to do, for people.
    #[error("{0}")]
    Conflict(&'static str),
    #[error("too many tries")]
    TooManyTries { retry_after: Duration },
    #[error("the database cannot be reached")]
    Unavailable(#[from] db::Unavailable),
    #[error("what stands in a row of ours cannot be read: {0}")]
    Stored(String),
    #[error("what was bought cannot be read")]
    Billing(#[from] billing::Error),
    #[error("the token cannot be signed")]
    Signing(#[from] signing::Error),
    #[error("the account cannot be read")]
    Account(#[from] account::Error),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the audit log failed")]
    Audit(#[from] audit::Error),
    #[error("the job could not be queued")]
    Jobs(#[from] jobs::Error),
    #[error("the mail could not be written")]
    Mail(#[from] mail::Error),
    #[error("what was stored cannot be read")]
    Json(#[from] serde_json::Error),
}

/// A feature that a license has beyond those of its tier, such as an extension that was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraFeature {
    pub feature: String,
    /// Where it comes from, so that the same source can take it away again.
    pub source: String,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
}

/// A license with all that is known of it but its key.
#[derive(Debug, Clone, PartialEq)]
pub struct License {
    pub id: LicenseId,
    /// None while it belongs to an address that nobody has proven.
    pub account: Option<UserId>,
    pub email: String,
    pub origin: LicenseOrigin,
    pub order: Option<OrderId>,
    pub order_line: Option<OrderLineId>,
    pub split_from: Option<LicenseId>,
    pub tier: Tier,
    pub key_end: String,
    pub seats: u32,
    pub machines_per_seat: u16,
    /// In percent.
    pub overage: u16,
    pub node_locked: bool,
    pub machines_used: u32,
    pub expires_at: Option<OffsetDateTime>,
    pub good_until: Option<OffsetDateTime>,
    pub fallback: bool,
    pub suspended_by: Vec<Cause>,
    pub revoked_by: Vec<Cause>,
    pub extra_features: Vec<ExtraFeature>,
    /// Which reminder of its end went out last, and for which end.
    pub reminded: i16,
    pub reminded_for: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

impl License {
    /// What the gate looks at.
    pub fn standing(&self) -> Standing {
        Standing {
            revoked: !self.revoked_by.is_empty(),
            suspended: !self.suspended_by.is_empty(),
            expires_at: self.expires_at,
            good_until: self.good_until,
            fallback: self.fallback,
            node_locked: self.node_locked,
            used: self.machines_used,
            limit: self.machine_limit(),
            hard_limit: rules::with_overage(self.machine_limit(), self.overage),
        }
    }

    /// On how many machines it may run.
    pub fn machine_limit(&self) -> u32 {
        rules::machine_limit(self.seats, self.machines_per_seat)
    }

    pub fn status(&self, now: OffsetDateTime) -> LicenseStatus {
        self.standing().status(now)
    }

    /// Its key with all but the last group hidden.
    pub fn masked_key(&self) -> String {
        license_key::masked(&self.key_end)
    }

    /// As its owner sees it.
    pub fn shown(&self, ctx: &Context, tiers: &check::TierFeatures) -> wire::License {
        let now = ctx.clock.now();
        wire::License {
            id: self.id,
            key: self.masked_key(),
            tier: self.tier,
            status: self.status(now),
            origin: self.origin,
            seats: self.seats,
            machines: MachineCount { used: self.machines_used, limit: self.machine_limit() },
            features: tiers.of(self.tier, &self.extra_features, now),
            expires_at: self.expires_at,
            grace_until: self.good_until,
            created_at: self.created_at,
        }
    }
}

/// A license of the caller, or anybody's for staff.
pub async fn find(ctx: &Context, caller: &Caller, id: LicenseId) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesRead)?;
    let license = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    if license.account == Some(identity.user.id) || caller.require(ctx, Permission::LicensesFind).is_ok() {
        Ok(license)
    } else {
        Err(Error::NotFound)
    }
}

/// The caller's licenses, newest first: those older than `before`, and at most [`MAX_LIST`] and one of them, so that
/// whoever shows that many can say whether there are more.
pub async fn list_own(
    ctx: &Context,
    caller: &Caller,
    before: Option<LicenseId>,
    limit: i64,
) -> Result<Vec<License>, Error> {
    let identity = caller.require(ctx, Permission::LicensesRead)?;
    store::of_account(&ctx.db, identity.user.id, before, limit.clamp(0, MAX_LIST + 1)).await
}

/// How many licenses the caller has.
pub async fn count_own(ctx: &Context, caller: &Caller) -> Result<i64, Error> {
    let identity = caller.require(ctx, Permission::LicensesRead)?;
    Ok(store::count_of_account(&ctx.db, identity.user.id).await?)
}

/// The licenses of an order, for whoever may see the order: the first [`MAX_LIST`] of them.
pub async fn of_order(ctx: &Context, order: OrderId) -> Result<Vec<License>, Error> {
    store::of_order(&ctx.db, order, MAX_LIST).await
}

/// How what is paid for a license again and again stands. None for what is not paid again.
pub async fn paid_by(
    ctx: &Context,
    caller: &Caller,
    license: &License,
) -> Result<Option<SubscriptionStatus>, Error> {
    let license = find(ctx, caller, license.id).await?;
    let Some(order) = license.order else { return Ok(None) };
    let mut conn = ctx.db.acquire().await?;
    let found = billing::subscription::of_order(&mut conn, order).await?;
    Ok(found.map(|subscription| subscription.state.status))
}

/// Gives the licenses of an address to the account that has proven it.
pub(crate) async fn claim(conn: &mut sqlx::PgConnection, account: UserId, email: &str) -> Result<(), Error> {
    Ok(store::claim(conn, account, email).await?)
}

/// Where the editor can be had.
pub fn download_url(ctx: &Context) -> String {
    format!("{}/download", ctx.config.http.public_url)
}

/// Who does something, and with which request, where there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub actor: audit::Actor,
    pub request: Option<RequestId>,
}

impl By {
    /// Done by itself.
    pub const SYSTEM: Self = Self { actor: audit::Actor::System, request: None };
}

impl From<&Identity> for By {
    fn from(identity: &Identity) -> Self {
        Self { actor: identity.actor(), request: Some(identity.request) }
    }
}

/// An entry of a license's history, in the transaction of the change.
pub(crate) async fn note(
    conn: &mut sqlx::PgConnection,
    ctx: &Context,
    by: By,
    action: &'static str,
    id: LicenseId,
    detail: serde_json::Value,
) -> Result<(), Error> {
    let subject_id = id.to_string();
    let entry = audit::Entry {
        actor: by.actor,
        action,
        subject_kind: "license",
        subject_id: &subject_id,
        detail,
        request_id: by.request,
    };
    audit::record(conn, ctx, entry).await?;
    Ok(())
}

/// The most characters of a reason.
const MAX_REASON: usize = 500;

/// Why something is done, as it stands in the history: on one line, and without a key. None when nothing is said.
pub(crate) fn reason(text: &str) -> Result<Option<String>, FieldProblem> {
    // PostgreSQL takes no NUL in JSON either.
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > MAX_REASON {
        return Err(problem("reason", "too_long", "Write at most 500 characters."));
    }
    if license_key::contains_key(&line) {
        return Err(problem("reason", "license_key", "Leave the key out: this stands in the history."));
    }
    Ok(Some(line).filter(|line| !line.is_empty()))
}

pub(crate) fn problem(field: &str, code: &str, message: impl Into<String>) -> FieldProblem {
    FieldProblem { field: field.to_owned(), code: code.to_owned(), message: message.into() }
}
