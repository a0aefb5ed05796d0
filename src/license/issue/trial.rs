//! Trials: Pro for a while, without a card.
//!
//! What always holds: an account has one trial and so has an address, however many ask at once, and whatever has become of
//! the account since; nobody has one whose address is not proven.

use serde_json::json;
use time::Duration;

use super::{By, Error, License, NewLicense, issue, licenses, mails, store};
use crate::{
    account::{Caller, Permission, store as accounts},
    context::Context,
    contract::{id::UserId, license::LicenseOrigin, payment::Tier},
    crypto::Purpose,
    db,
    license::{
        MAX_LIST,
        rules::{End, Machine, TRIAL, Version, gate},
    },
};

const UNPROVEN: &str = "Prove your mail address first: the link is in the mail that we sent you.";
const HAD: &str = "You have had the trial. Each person and each address has one.";
const NOT_NEEDED: &str = "You have a license that works. A trial adds nothing to it.";

/// Whether [`begin`] would give the caller a trial.
pub async fn can_begin(ctx: &Context, caller: &Caller) -> Result<bool, Error> {
    let identity = caller.require(ctx, Permission::LicensesRead)?;
    let user = &identity.user;
    Ok(user.email_verified && refusal(ctx, user.id, &user.email).await?.is_none())
}

/// Gives the caller a trial, and mails them its key.
pub async fn begin(ctx: &Context, caller: &Caller) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesWrite)?;
    if let Some(why) = refusal(ctx, identity.user.id, &identity.user.email).await? {
        return Err(Error::Conflict(why));
    }
    let mut tx = ctx.db.begin().await?;
    // As it is now, not as it was at the sign-in.
    let account = accounts::lock(&mut tx, identity.user.id).await?;
    let account = account.filter(|account| account.deleted_at.is_none()).ok_or(Error::NotFound)?;
    if !account.user.email_verified {
        return Err(Error::Conflict(UNPROVEN));
    }
    let address_hash = address_hash(ctx, &account.user.email);
    let new = NewLicense {
        account: Some(account.user.id),
        email: account.user.email,
        origin: LicenseOrigin::Trial,
        order: None,
        order_line: None,
        split_from: None,
        tier: Tier::Pro,
        seats: 1,
        end: End::at(ctx.clock.now() + TRIAL, Duration::ZERO),
        overage: 0,
        node_locked: true,
        fallback: false,
        suspended_by: Vec::new(),
        revoked_by: Vec::new(),
    };
    let issued = issue(&mut tx, ctx, By::from(identity), new, json!({})).await.map_err(had_at_once)?;
    let Some(issued) = issued else { return Err(Error::Conflict(HAD)) };
    let noted = store::note_trial(&mut tx, issued.license.id, &address_hash).await;
    noted.map_err(|error| had_at_once(error.into()))?;
    mails::issued(&mut tx, ctx, &issued.license, &issued.key).await?;
    tx.commit().await?;
    Ok(issued.license)
}

/// What an address is known by when its account has ended.
fn address_hash(ctx: &Context, email: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::TrialAddress, email.to_lowercase().as_bytes())
}

async fn refusal(ctx: &Context, account: UserId, email: &str) -> Result<Option<&'static str>, Error> {
    if store::had_trial(&ctx.db, account, email, &address_hash(ctx, email)).await? {
        return Ok(Some(HAD));
    }
    let now = ctx.clock.now();
    let mut before = None;
    loop {
        let theirs = licenses::of_account(&ctx.db, account, before, MAX_LIST).await?;
        let Some(last) = theirs.last() else { return Ok(None) };
        before = Some(last.id);
        let works =
            |license: &License| gate(&license.standing(), Machine::Any, Version::Unnamed, now).is_valid();
        if theirs.iter().any(works) {
            return Ok(Some(NOT_NEEDED));
        }
    }
}

/// Of two that were asked for at once, the database lets one in.
fn had_at_once(error: Error) -> Error {
    match error {
        Error::Database(error)
            if matches!(
                db::violated_constraint(&error),
                Some("license_trial_account" | "license_trial_address" | "license_trial_address_hash")
            ) =>
        {
            Error::Conflict(HAD)
        }
        other => other,
    }
}
