//! Whose address makes a license of one seat active.
//!
//! What always holds: whoever has a key may not go through addresses until one is taken: after a few that were not, no
//! address is looked at for a while, not the right one either.

use std::time::Duration;

use serde_json::json;

use super::check;
use crate::{
    account::rules as accounts,
    context::Context,
    contract::id::{LicenseId, UserId},
    crypto::Purpose,
    license::{By, Error, License, note},
    rate_limit::{self, Limit, Verdict},
};

const AN_HOUR: Duration = Duration::from_secs(60 * 60);
/// Addresses that are not taken.
const REFUSED: Limit = Limit { name: "license_address", times: 20, per: AN_HOUR };
/// Of those, what is written into the history.
const NOTED: Limit = Limit { name: "license_address_noted", times: 1, per: AN_HOUR };

/// Whether too many addresses were tried with this license.
pub(super) fn waits(ctx: &Context, id: LicenseId) -> Result<(), Error> {
    check::waits(ctx, REFUSED, id.uuid().as_bytes())
}

/// Whether a license may be made active by whoever types this address: with several seats by anybody, else by who it was
/// made out to, or whose account has it. Of an account that was closed there is no address left.
pub(super) fn is_good_for(license: &License, owner: Option<&(UserId, String)>, typed: &str) -> bool {
    license.seats != 1
        || license.email.is_empty()
        || accounts::is_same_email(&license.email, typed)
        || owner.is_some_and(|(account, address)| {
            license.account == Some(*account) && accounts::is_same_email(address, typed)
        })
}

/// Counts an address that was not taken, and notes the first one of an hour in the license's history.
pub(super) async fn count_refused(ctx: &Context, by: By, id: LicenseId) -> Result<(), Error> {
    let whose = *id.uuid().as_bytes();
    check::count(ctx, REFUSED, &whose).await?;
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, &whose);
    let mut tx = ctx.db.begin().await?;
    if rate_limit::take_in(&mut *tx, ctx, NOTED, &key).await? == Verdict::Go {
        note(&mut tx, ctx, by, "license.address_refused", id, json!({})).await?;
    }
    tx.commit().await?;
    Ok(())
}
