//! What happens to a license between its beginning and its end: held back, reinstated, taken away, prolonged, shown
//! again, given another key, given away.
//!
//! What always holds: a change is one transaction that begins with the lock of the license's row and holds the entry in
//! its history, the event and the mail; doing a thing twice changes nothing the second time; what follows a subscription
//! that runs is not prolonged and not given away here.

mod features;
mod reminders;
mod rotate;
mod store;
mod transfer;

use serde_json::{Value, json};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

pub(super) use self::reminders::ENDED;
pub use self::{
    features::{remove_features, set_features},
    reminders::RemindOfEnds,
    rotate::rotate,
    transfer::transfer,
};
use super::{
    By, Error, License, check,
    issue::mails,
    key, note, problem, reason as said,
    rules::{self, Cause, End, GRACE},
    store as licenses,
};
use crate::{
    account::{Caller, Denied, Identity, Permission},
    billing,
    context::Context,
    contract::{
        id::LicenseId,
        license::{LicenseOrigin, RenewRequest},
        license_key::LicenseKey,
    },
    outbox,
};

/// How long a license goes on when nothing else is said, in months.
const A_YEAR: u32 = 12;
/// The most months at once.
const MAX_MONTHS: u32 = 120;
/// No license is prolonged beyond this, in months from today.
const FAR: u32 = 1_200;

/// Holds a license back until [`reinstate`].
pub async fn suspend(ctx: &Context, caller: &Caller, id: LicenseId, reason: &str) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesManage)?;
    let reason = because(reason)?;
    let mut tx = ctx.db.begin().await?;
    let mut license = locked(&mut tx, id).await?;
    if !license.revoked_by.is_empty() {
        return Err(Error::Conflict("This license was taken away already."));
    }
    let was_held = !license.suspended_by.is_empty();
    if !add(&mut license.suspended_by, Cause::Staff) {
        return Ok(license);
    }
    change(&mut tx, ctx, identity.into(), &mut license, "license.suspended", json!({ "reason": reason }))
        .await?;
    // What is over does not work anyway.
    if !was_held && !license.standing().is_over(ctx.clock.now()) {
        mails::suspended(&mut tx, ctx, &license, 1, Cause::Staff).await?;
    }
    tx.commit().await?;
    Ok(license)
}

/// Lifts what staff did to a license, and nothing else: what a refund, a dispute or a subscription did is lifted there.
pub async fn reinstate(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    reason: &str,
) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesManage)?;
    let reason = because(reason)?;
    let mut tx = ctx.db.begin().await?;
    let mut license = locked(&mut tx, id).await?;
    if license.revoked_by.contains(&Cause::Staff) {
        // Whoever may not take a license away may not undo it either.
        caller.require(ctx, Permission::LicensesIssue)?;
    }
    let by_staff =
        [&license.suspended_by, &license.revoked_by].into_iter().any(|set| set.contains(&Cause::Staff));
    let stands = |license: &License| license.suspended_by.is_empty() && license.revoked_by.is_empty();
    if !by_staff {
        if stands(&license) {
            return Ok(license);
        }
        return Err(Error::Conflict(
            "A refund, a dispute or the subscription holds this license back. It comes back when that is settled.",
        ));
    }
    license.suspended_by.retain(|cause| *cause != Cause::Staff);
    license.revoked_by.retain(|cause| *cause != Cause::Staff);
    change(&mut tx, ctx, identity.into(), &mut license, "license.reinstated", json!({ "reason": reason }))
        .await?;
    if stands(&license) && !license.standing().is_over(ctx.clock.now()) {
        mails::reinstated(&mut tx, ctx, &license, 1).await?;
    }
    tx.commit().await?;
    Ok(license)
}

/// Takes a license away.
pub async fn revoke(ctx: &Context, caller: &Caller, id: LicenseId, reason: &str) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesIssue)?;
    let reason = because(reason)?;
    let mut tx = ctx.db.begin().await?;
    let mut license = locked(&mut tx, id).await?;
    let was_gone = !license.revoked_by.is_empty();
    if !add(&mut license.revoked_by, Cause::Staff) {
        return Ok(license);
    }
    change(&mut tx, ctx, identity.into(), &mut license, "license.revoked", json!({ "reason": reason }))
        .await?;
    if !was_gone {
        mails::revoked(&mut tx, ctx, &license, 1, Cause::Staff).await?;
    }
    tx.commit().await?;
    Ok(license)
}

/// Prolongs a license: from its end, or from now when that is past. Only from the end that was seen, where one is named.
pub async fn renew(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    request: &RenewRequest,
) -> Result<License, Error> {
    renew_once(ctx, caller, id, request, None).await
}

/// The same, once for what has this name: what was done under it before stays as it is.
pub async fn renew_once(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    request: &RenewRequest,
    name: Option<&str>,
) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesIssue)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let mut license = locked(&mut tx, id).await?;
    if let Some(name) = name
        && store::was_renewed_as(&mut tx, id, name).await?
    {
        return Ok(license);
    }
    if follows_running(&mut tx, &license).await? {
        return Err(Error::Conflict(
            "This license follows a subscription. It goes on for as long as that is paid.",
        ));
    }
    if !license.revoked_by.is_empty() {
        return Err(Error::Conflict("This license was taken away. Reinstate it first."));
    }
    let Some(before) = license.expires_at else {
        return Err(Error::Conflict("This license does not end, so there is nothing to prolong."));
    };
    // Not to the nanosecond: who saw it may have seen it on a page.
    if request.from.is_some_and(|from| from.unix_timestamp() != before.unix_timestamp()) {
        return Err(Error::Conflict(
            "This license ends at another time by now. Look at it again, then prolong it.",
        ));
    }
    let until = renewed_until(before, request, now)?;
    let grace = if license.origin == LicenseOrigin::Trial { Duration::ZERO } else { GRACE };
    let End { expires_at, good_until } = End::at(until, grace);
    (license.expires_at, license.good_until) = (expires_at, good_until);
    let mut detail = json!({ "from": before.unix_timestamp(), "until": until.unix_timestamp() });
    if let Some(name) = name {
        detail["request"] = json!(name);
    }
    change(&mut tx, ctx, identity.into(), &mut license, "license.renewed", detail).await?;
    tx.commit().await?;
    Ok(license)
}

/// A license's key, for its owner alone.
pub async fn reveal(ctx: &Context, caller: &Caller, id: LicenseId) -> Result<LicenseKey, Error> {
    let identity = caller.require(ctx, Permission::LicensesSecure)?;
    let mut tx = ctx.db.begin().await?;
    // Locked, so that the key is not replaced between the look at its owner and the look at it.
    let license = locked(&mut tx, id).await?;
    if license.account != Some(identity.user.id) {
        return Err(Error::NotFound);
    }
    let sealed = licenses::sealed_key(&mut *tx, id).await?.ok_or(Error::NotFound)?;
    let Some(key) = key::open(ctx, id, &sealed) else {
        tracing::error!(license = %id, "the key of a license does not open under our secret");
        return Err(Error::Conflict("This key cannot be shown any more. Replace it with a new one."));
    };
    note(&mut tx, ctx, identity.into(), "license.revealed", id, json!({})).await?;
    tx.commit().await?;
    Ok(key)
}

/// Which license a key is of now. Says nothing else about it: what may be done with it, its verbs decide.
pub async fn id_of_key(ctx: &Context, key: &str) -> Result<LicenseId, Error> {
    let key = check::read_key(key, None).map_err(|_| Error::NotFound)?;
    licenses::id_of_key(&ctx.db, &key::hash(ctx, &key)).await?.ok_or(Error::NotFound)
}

/// The license with its row locked.
pub(in crate::license) async fn locked(conn: &mut PgConnection, id: LicenseId) -> Result<License, Error> {
    licenses::lock(conn, id).await?.ok_or(Error::NotFound)
}

/// The caller, when the license is theirs or they may manage anybody's. To everybody else it does not exist.
pub(in crate::license) fn responsible<'a>(
    ctx: &Context,
    caller: &'a Caller,
    identity: &'a Identity,
    license: &License,
) -> Result<&'a Identity, Error> {
    if license.account == Some(identity.user.id) {
        return Ok(identity);
    }
    caller.require(ctx, Permission::LicensesManage).map_err(|denied| match denied {
        Denied::Forbidden => Error::NotFound,
        // Staff may know that it is there, and that they only have to sign in again.
        other => other.into(),
    })
}

/// Whether it is paid for again and again, so that its subscription says how it goes on.
async fn follows_running(conn: &mut PgConnection, license: &License) -> Result<bool, Error> {
    let Some(order) = license.order else { return Ok(false) };
    let subscription = billing::subscription::of_order(conn, order).await?;
    Ok(subscription.is_some_and(|subscription| subscription.state.is_running()))
}

/// Writes a changed license back, with the entry in its history and the event.
async fn change(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    license: &mut License,
    action: &'static str,
    detail: Value,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    license.updated_at = now;
    licenses::save(&mut *conn, license, now).await?;
    note(&mut *conn, ctx, by, action, license.id, detail).await?;
    let told = json!({ "status": license.status(now) });
    outbox::publish(conn, ctx, "license.changed", &license.id.to_string(), &told).await?;
    Ok(())
}

/// Adds a cause. False when it is there already.
fn add(causes: &mut Vec<Cause>, cause: Cause) -> bool {
    let is_new = !causes.contains(&cause);
    if is_new {
        causes.push(cause);
    }
    is_new
}

/// Why something is done, where that was said.
fn because(reason: &str) -> Result<Option<String>, Error> {
    said(reason).map_err(|mistake| Error::Invalid(vec![mistake]))
}

/// Until when a license goes on that ends at `before`.
fn renewed_until(
    before: OffsetDateTime,
    request: &RenewRequest,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, Error> {
    let invalid = |field, code, message: &str| Err(Error::Invalid(vec![problem(field, code, message)]));
    let until = match (request.expires_at, request.months.unwrap_or(A_YEAR)) {
        (Some(until), _) if until <= rules::renewed_from(Some(before), now) => {
            return invalid("expiresAt", "too_early", "Choose a day after today, and after its end.");
        }
        (Some(until), _) => until,
        (None, months @ 1..=MAX_MONTHS) => {
            rules::months_later(rules::renewed_from(Some(before), now), months)
        }
        (None, _) => return invalid("months", "out_of_range", "Choose 1 to 120 months."),
    };
    let field = if request.expires_at.is_some() { "expiresAt" } else { "months" };
    if until > rules::months_later(now, FAR) {
        return invalid(field, "too_far", "Choose a day in the next hundred years.");
    }
    Ok(until)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn renewed(
        before: OffsetDateTime,
        months: Option<u32>,
        until: Option<OffsetDateTime>,
    ) -> Option<OffsetDateTime> {
        renewed_until(before, &RenewRequest { months, expires_at: until, from: None }, NOW).ok()
    }

    #[test]
    fn it_goes_on_from_its_end_or_from_now_when_that_is_past() {
        let (ahead, past) = (datetime!(2027-01-31 08:00 UTC), datetime!(2026-10-01 08:00 UTC));
        assert_eq!(renewed(ahead, Some(1), None), Some(datetime!(2027-02-28 08:00 UTC)));
        assert_eq!(renewed(past, Some(1), None), Some(datetime!(2026-12-20 10:00 UTC)));
        assert_eq!(renewed(ahead, None, None), Some(datetime!(2028-01-31 08:00 UTC)));
        let chosen = datetime!(2027-06-01 00:00 UTC);
        assert_eq!(renewed(ahead, Some(3), Some(chosen)), Some(chosen));
    }

    #[test]
    fn nothing_is_shortened_and_nothing_goes_on_for_ages() {
        let ahead = datetime!(2027-01-31 08:00 UTC);
        for (months, until) in [
            (Some(0), None),
            (Some(121), None),
            (Some(u32::MAX), None),
            (None, Some(ahead)),
            (None, Some(NOW)),
            (None, Some(datetime!(2200-01-01 00:00 UTC))),
            (None, Some(datetime!(9999-12-31 23:59:59 UTC))),
        ] {
            assert_eq!(renewed(ahead, months, until), None, "{months:?} {until:?}");
        }
        assert_eq!(renewed(datetime!(2120-01-01 00:00 UTC), Some(120), None), None);
    }

    #[test]
    fn a_reason_may_be_missing_and_never_holds_a_key() {
        assert!(matches!(because(" \n "), Ok(None)));
        assert!(matches!(because(" chargeback\0\nfraud "), Ok(Some(line)) if line == "chargeback fraud"));
        assert!(because(&"é".repeat(500)).is_ok());
        assert!(because(&"é".repeat(501)).is_err());
        let key = LicenseKey::from_random([7; crate::contract::license_key::RANDOM_LETTERS]).expose();
        for text in [format!("leaked: {key}."), format!("key:{key}"), format!("({})", key.replace('-', " "))]
        {
            assert!(because(&text).is_err(), "{text}");
        }
    }
}
