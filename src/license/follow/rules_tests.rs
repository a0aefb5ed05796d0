//! How licenses follow what buying says.

use proptest::prelude::*;
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::{
    billing::subscription::rules::{Stage, Terms},
    contract::{
        id::{LicenseId, OrderId, OrderLineId, PriceId},
        money::Currency,
        payment::{Interval, Tier},
    },
    license::rules::LATE_NEWS,
};

const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);
const MONTH: Duration = Duration::days(30);
const BOTH: Follows = Follows { end: true, plan: true };

fn state(status: SubscriptionStatus) -> State {
    State {
        status,
        terms: Terms {
            price: PriceId::from_uuid(Uuid::from_u128(1)),
            tier: Tier::Pro,
            interval: Interval::Month,
            currency: Currency::Usd,
            unit_amount: 1_900,
        },
        seats: 2,
        next: None,
        period_start: NOW,
        period_end: NOW + MONTH,
        trial_end: None,
        cancel_at_period_end: false,
        past_due_since: None,
        grace_until: None,
        told: Told::default(),
        ended_at: None,
    }
}

fn license() -> License {
    License {
        id: LicenseId::from_uuid(Uuid::from_u128(1)),
        account: None,
        email: "ada@example.com".to_owned(),
        origin: LicenseOrigin::Order,
        order: Some(OrderId::from_uuid(Uuid::from_u128(2))),
        order_line: Some(OrderLineId::from_uuid(Uuid::from_u128(3))),
        split_from: None,
        tier: Tier::Pro,
        key_end: "CKT1H".to_owned(),
        seats: 2,
        machines_per_seat: machines_per_seat(Tier::Pro),
        overage: 0,
        node_locked: true,
        machines_used: 0,
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

fn bought_once() -> Word {
    Word { refunded: false, questioned: false, lost: false, subscribed: None }
}

fn with(state: &State) -> Word {
    Word { subscribed: Some(subscribed(state, false)), ..bought_once() }
}

#[test]
fn what_runs_is_good_to_the_end_of_its_period_and_a_little_longer() {
    for status in [SubscriptionStatus::Active, SubscriptionStatus::Trialing] {
        assert_eq!(subscribed(&state(status), false).end, End::at(NOW + MONTH, LATE_NEWS));
    }
    let cancelled = State { cancel_at_period_end: true, ..state(SubscriptionStatus::Active) };
    assert_eq!(subscribed(&cancelled, false).end, End::at(NOW + MONTH, Duration::ZERO));
}

#[test]
fn what_is_due_was_paid_for_until_it_was_due_whatever_stripe_calls_it() {
    let grace = Some(NOW + Duration::days(14));
    let over = Told { about: Some("in_1".to_owned()), stage: Stage::Over.number() };
    for status in [SubscriptionStatus::PastDue, SubscriptionStatus::Paused, SubscriptionStatus::Incomplete] {
        let due =
            State { past_due_since: Some(NOW), grace_until: grace, told: over.clone(), ..state(status) };
        let end = subscribed(&due, false).end;
        assert_eq!(end, End { expires_at: Some(NOW), good_until: grace }, "{status:?}");
    }
}

#[test]
fn what_an_account_that_is_gone_has_paid_for_stays_its_time() {
    let ended_at = Some(NOW + Duration::days(5));
    let ended = State { ended_at, ..state(SubscriptionStatus::Ended) };
    assert_eq!(subscribed(&ended, true).end, End::at(NOW + MONTH, Duration::ZERO));
    let at_once = End::at(NOW + Duration::days(5), Duration::ZERO);
    assert_eq!(subscribed(&ended, false).end, at_once);
    let due = Told { about: Some("in_1".to_owned()), stage: 1 };
    assert_eq!(subscribed(&State { told: due, ..ended.clone() }, true).end, at_once);
    let trial = State { trial_end: Some(NOW + MONTH), ..ended };
    assert_eq!(subscribed(&trial, true).end, at_once);
}

#[test]
fn another_plan_is_had_at_once_with_its_machines() {
    let bigger = State {
        seats: 5,
        terms: Terms { tier: Tier::Enterprise, ..state(SubscriptionStatus::Active).terms },
        ..state(SubscriptionStatus::Active)
    };
    let after = followed(&license(), &with(&bigger), BOTH);
    assert_eq!((after.tier, after.seats, after.machines_per_seat), (Tier::Enterprise, 5, 5));
    assert_eq!(news(&license(), &after, NOW), News::Changed);
    let neither = followed(&license(), &with(&bigger), Follows { end: false, plan: false });
    assert_eq!(neither, license());
}

#[test]
fn each_cause_is_lifted_by_itself_and_staff_s_by_nobody_here() {
    let staff = License { suspended_by: vec![Cause::Staff], ..license() };
    let paused = state(SubscriptionStatus::Paused);
    let all = Word { refunded: true, questioned: true, lost: true, ..with(&paused) };
    let worst = followed(&staff, &all, BOTH);
    assert_eq!(worst.suspended_by, [Cause::Staff, Cause::Dispute, Cause::Subscription]);
    assert_eq!(worst.revoked_by, [Cause::Refund, Cause::Dispute]);
    assert_eq!(news(&staff, &worst, NOW), News::Revoked(Cause::Refund));
    let paid_back = Word { refunded: true, ..with(&paused) };
    let better = followed(&worst, &paid_back, BOTH);
    assert_eq!(better.revoked_by, [Cause::Refund]);
    assert_eq!(news(&worst, &better, NOW), News::Changed);
    let settled = followed(&better, &with(&state(SubscriptionStatus::Active)), BOTH);
    assert_eq!((settled.suspended_by.as_slice(), settled.revoked_by.len()), ([Cause::Staff].as_slice(), 0));
    assert_eq!(news(&better, &settled, NOW), News::Suspended(Cause::Staff));
    let free = License { suspended_by: Vec::new(), ..settled.clone() };
    assert_eq!(news(&settled, &free, NOW), News::Reinstated);
}

#[test]
fn what_is_over_is_not_said_to_work_or_to_be_held_back() {
    let end = Some(NOW - Duration::DAY);
    let over = License { expires_at: end, good_until: end, ..license() };
    let held = License { suspended_by: vec![Cause::Dispute], ..over.clone() };
    let gone = License { revoked_by: vec![Cause::Refund], ..over.clone() };
    assert_eq!(news(&over, &held, NOW), News::Changed);
    assert_eq!(news(&held, &over, NOW), News::Changed);
    assert_eq!(news(&gone, &over, NOW), News::Changed);
    assert_eq!(news(&over, &gone, NOW), News::Revoked(Cause::Refund));
    let before_the_end = NOW - Duration::days(2);
    assert_eq!(news(&over, &held, before_the_end), News::Suspended(Cause::Dispute));
    assert_eq!(news(&held, &over, before_the_end), News::Reinstated);
}

#[test]
fn what_was_split_off_shares_the_order_s_fate_and_keeps_its_seat() {
    let off = License { origin: LicenseOrigin::Split, order_line: None, seats: 1, ..license() };
    let after =
        followed(&off, &Word { refunded: true, ..bought_once() }, Follows { end: false, plan: false });
    assert_eq!((after.revoked_by.as_slice(), after.seats), ([Cause::Refund].as_slice(), 1));
}

#[test]
fn a_history_says_what_changed_and_nothing_else() {
    let after = License { seats: 3, revoked_by: vec![Cause::Refund], ..license() };
    let told = differences(&license(), &after);
    assert_eq!(told, serde_json::json!({ "seats": "2 → 3", "revokedBy": "nothing → refund" }));
}

proptest! {
    #[test]
    fn the_second_look_changes_nothing(
        refunded: bool, questioned: bool, lost: bool, paused: bool, recurring: bool, staff: bool,
    ) {
        let status = if paused { SubscriptionStatus::Paused } else { SubscriptionStatus::Active };
        let subscribed = recurring.then(|| subscribed(&state(status), false));
        let word = Word { refunded, questioned, lost, subscribed };
        let before = License { revoked_by: if staff { vec![Cause::Staff] } else { Vec::new() }, ..license() };
        let once = followed(&before, &word, BOTH);
        prop_assert_eq!(&followed(&once, &word, BOTH), &once);
        prop_assert_eq!(once.revoked_by.contains(&Cause::Staff), staff);
        prop_assert_eq!(once.standing().revoked, refunded || lost || staff);
        prop_assert_eq!(once.standing().suspended, questioned || (recurring && paused));
        prop_assert_eq!(once.expires_at.is_some(), recurring);
    }
}
