//! One license with several seats becomes as many with one seat each, for those who hand keys out.
//!
//! What always holds: there are as many seats after it as before; those that are split off end when the first does, and
//! belong to the same order, so that whatever becomes of the order becomes of all of them; the same form or request
//! splits once.

use serde_json::json;
use time::OffsetDateTime;

use super::{By, End, Error, Issued, License, NewLicense, again, issue, key, licenses, mails, note, store};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{id::LicenseId, license::LicenseOrigin, payment::Interval},
    license::rules::{Machine, Version, gate, machine_limit},
    outbox,
};

/// The most seats that become licenses in one go.
const MAX_SEATS: u32 = 500;

/// Splits one of the caller's licenses, and gives all of them with their keys; the first is the one that was there. The
/// same `request` gives what it made before.
pub async fn split(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    request: Option<&str>,
) -> Result<Vec<Issued>, Error> {
    let identity = caller.require(ctx, Permission::LicensesSecure)?;
    let by = By::from(identity);
    let owner = identity.user.id;
    let is_theirs = |license: &License| license.account == Some(owner);
    let order = licenses::find(&ctx.db, id).await?.filter(is_theirs).ok_or(Error::NotFound)?.order;
    let request = request.map(|text| again::request_key(owner, text, &json!(["split", id])));
    let mut tx = ctx.db.begin().await?;
    // The account before the order, and the order before its licenses: whoever empties the one or brings licenses in line
    // with the other waits.
    if !store::hold_account(&mut tx, owner).await? {
        return Err(Error::NotFound);
    }
    let interval = match order {
        Some(order) => store::lock_order(&mut tx, order).await?,
        None => Interval::Once,
    };
    let mut license = licenses::lock(&mut tx, id).await?.filter(is_theirs).ok_or(Error::NotFound)?;
    if let Some(request) = &request {
        let made = again::made_before(&mut tx, ctx, request, owner, Some(id)).await?;
        if !made.is_empty() {
            return Ok(made);
        }
    }
    let now = ctx.clock.now();
    if let Some(why) = refusal(&license, interval, now) {
        return Err(Error::Conflict(why));
    }
    let sealed = licenses::sealed_key(&mut *tx, id).await?.ok_or(Error::NotFound)?;
    let own = key::open(ctx, id, &sealed);
    let own = own.ok_or(Error::Conflict(
        "The key of this license cannot be shown any more. Rotate it, then split it.",
    ))?;
    let seats = license.seats;
    license.seats = 1;
    licenses::save(&mut tx, &license, now).await?;
    note(&mut tx, ctx, by, "license.split", id, json!({ "into": seats })).await?;
    let told = json!({ "status": license.status(now), "seats": license.seats });
    outbox::publish(&mut tx, ctx, "license.changed", &id.to_string(), &told).await?;
    let off = split_off(&license);
    let mut all = vec![Issued { license, key: own }];
    for _ in 1..seats {
        all.extend(issue(&mut tx, ctx, by, off.clone(), json!({ "splitFrom": id })).await?);
    }
    if let Some(request) = &request {
        let made: Vec<_> = all.iter().skip(1).map(|issued| issued.license.id).collect();
        store::note_request(&mut tx, &made, request).await?;
    }
    mails::split_up(&mut tx, ctx, &all[0].license, seats).await?;
    tx.commit().await?;
    Ok(all)
}

/// One seat of a license, as a license.
fn split_off(license: &License) -> NewLicense {
    NewLicense {
        account: license.account,
        email: license.email.clone(),
        origin: LicenseOrigin::Split,
        order: license.order,
        order_line: None,
        split_from: Some(license.id),
        tier: license.tier,
        seats: 1,
        end: End { expires_at: license.expires_at, good_until: license.good_until },
        overage: license.overage,
        node_locked: license.node_locked,
        fallback: license.fallback,
        suspended_by: Vec::new(),
        revoked_by: Vec::new(),
    }
}

/// Why a license cannot be split, in words that say what to do.
fn refusal(license: &License, interval: Interval, now: OffsetDateTime) -> Option<&'static str> {
    if license.seats == 1 {
        Some("This license has one seat. There is nothing to split.")
    } else if interval != Interval::Once {
        Some("This license follows a subscription, whose seats can change. Change the seats there instead.")
    } else if license.seats > MAX_SEATS {
        Some("This license has more than 500 seats. Write to us, and we make the keys for you.")
    } else if !gate(&license.standing(), Machine::Any, Version::Unnamed, now).is_valid() {
        Some("This license does not work at present. Only one that works can be split.")
    } else if license.machines_used > machine_limit(1, license.machines_per_seat) {
        Some("More machines are active than one seat allows. Remove some of them, then split it.")
    } else if !license.extra_features.is_empty() {
        // Whoever sold them knows this license only: what is given back later would stay on the others.
        Some("This license has extensions of its own. Write to us, and we split it for you.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    use super::*;
    use crate::{
        contract::{
            id::{OrderId, OrderLineId, UserId},
            payment::Tier,
        },
        license::{ExtraFeature, rules::Cause},
    };

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn bought() -> License {
        License {
            id: LicenseId::from_uuid(Uuid::from_u128(1)),
            account: Some(UserId::from_uuid(Uuid::from_u128(2))),
            email: "ada@example.com".to_owned(),
            origin: LicenseOrigin::Order,
            order: Some(OrderId::from_uuid(Uuid::from_u128(3))),
            order_line: Some(OrderLineId::from_uuid(Uuid::from_u128(4))),
            split_from: None,
            tier: Tier::Pro,
            key_end: "CKT1H".to_owned(),
            seats: 5,
            machines_per_seat: 3,
            overage: 0,
            node_locked: true,
            machines_used: 3,
            expires_at: None,
            good_until: None,
            fallback: false,
            suspended_by: Vec::new(),
            revoked_by: Vec::new(),
            extra_features: Vec::new(),
            reminded: 0,
            reminded_for: None,
            created_at: NOW,
            updated_at: NOW,
        }
    }

    #[test]
    fn what_works_and_was_bought_once_can_be_split() {
        assert_eq!(refusal(&bought(), Interval::Once, NOW), None);
        assert_eq!(refusal(&License { seats: 500, ..bought() }, Interval::Once, NOW), None);
    }

    #[test]
    fn each_reason_against_it_is_said() {
        let past = Some(NOW - Duration::DAY);
        let extra =
            ExtraFeature { feature: "themes".to_owned(), source: "extension:1".to_owned(), until: None };
        for (license, interval, word) in [
            (License { seats: 1, ..bought() }, Interval::Once, "one seat"),
            (bought(), Interval::Month, "subscription"),
            (bought(), Interval::Year, "subscription"),
            (License { seats: 501, ..bought() }, Interval::Once, "500"),
            (License { suspended_by: vec![Cause::Staff], ..bought() }, Interval::Once, "does not work"),
            (License { revoked_by: vec![Cause::Refund], ..bought() }, Interval::Once, "does not work"),
            (License { expires_at: past, good_until: past, ..bought() }, Interval::Once, "does not work"),
            (License { machines_used: 4, ..bought() }, Interval::Once, "machines"),
            (License { extra_features: vec![extra], ..bought() }, Interval::Once, "extensions"),
        ] {
            let why = refusal(&license, interval, NOW).unwrap_or_default();
            assert!(why.contains(word), "{word}: {why}");
        }
    }

    #[test]
    fn what_is_split_off_shares_the_fate_of_the_first() {
        let first = License {
            expires_at: Some(NOW),
            good_until: Some(NOW + Duration::DAY),
            fallback: true,
            ..bought()
        };
        let off = split_off(&first);
        assert_eq!((off.order, off.order_line, off.split_from), (first.order, None, Some(first.id)));
        assert_eq!((off.end.expires_at, off.end.good_until), (first.expires_at, first.good_until));
        assert!(off.fallback && off.node_locked && off.seats == 1);
    }
}
