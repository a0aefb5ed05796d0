//! Whether a license is good, when it ends, and on how many machines it runs. No input or output.
//!
//! What always holds: [`gate`] is the one place where a code is chosen, in one order of precedence; a license that was
//! taken away is never good again because it was also prolonged; grace never ends before the license does.

use time::{Duration, OffsetDateTime};

use crate::contract::{
    license::{LicenseCode, LicenseStatus},
    payment::{SubscriptionStatus, Tier},
};

/// A license that was given until a day is taken as good for so long after it.
pub const GRACE: Duration = Duration::days(7);
/// A renewal that was paid in time may be heard of late.
pub const LATE_NEWS: Duration = Duration::days(3);
/// How long a trial is.
pub const TRIAL: Duration = Duration::days(14);
/// A machine that has not been heard of for so long makes room for another.
pub const MACHINE_UNSEEN: Duration = Duration::days(60);
/// How long an offline token is good, when the license is.
pub const OFFLINE_FOR: Duration = Duration::days(14);
/// How long a file for a machine without a connection is good, when the license is.
pub const FILE_FOR: Duration = Duration::days(365);

/// Why a license is held back or was taken away. Each cause is lifted by what set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Somebody of ours decided it.
    Staff,
    /// The money went back.
    Refund,
    /// A bank questions the payment, or has decided against it.
    Dispute,
    /// The subscription is paused.
    Subscription,
}

impl Cause {
    pub const ALL: [Self; 4] = [Self::Staff, Self::Refund, Self::Dispute, Self::Subscription];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Subscription => "subscription",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text)
    }
}

/// What of a license decides whether it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub revoked: bool,
    pub suspended: bool,
    pub expires_at: Option<OffsetDateTime>,
    pub good_until: Option<OffsetDateTime>,
    pub fallback: bool,
    pub node_locked: bool,
    pub used: u32,
    /// What is sold.
    pub limit: u32,
    /// What is let pass.
    pub hard_limit: u32,
}

/// Which machine asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// It is about the license itself, whatever the machine.
    Any,
    /// None was named.
    Unnamed,
    /// One on which the license is not active.
    Unknown,
    /// One on which it is. `rank` counts from 0 in the order in which machines came.
    Known { rank: u32 },
    /// One that wants to come.
    Joining,
}

/// Which version of the editor asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Unnamed,
    /// One that nobody has heard of.
    Unknown,
    ReleasedAt(OffsetDateTime),
}

impl Standing {
    /// Whether its time is up, grace included.
    pub fn is_over(&self, now: OffsetDateTime) -> bool {
        self.good_until.is_some_and(|until| until <= now)
    }

    pub fn status(&self, now: OffsetDateTime) -> LicenseStatus {
        if self.revoked {
            LicenseStatus::Revoked
        } else if self.suspended {
            LicenseStatus::Suspended
        } else if self.is_over(now) {
            LicenseStatus::Expired
        } else if self.expires_at.is_some_and(|end| end <= now) {
            LicenseStatus::Grace
        } else {
            LicenseStatus::Active
        }
    }
}

/// Whether a license is good for this machine and this version now, and if not, the first reason why.
pub fn gate(standing: &Standing, machine: Machine, version: Version, now: OffsetDateTime) -> LicenseCode {
    if standing.revoked {
        return LicenseCode::Revoked;
    }
    if standing.suspended {
        return LicenseCode::Suspended;
    }
    if standing.is_over(now) {
        match (standing.fallback, version, standing.expires_at) {
            (true, Version::ReleasedAt(at), Some(end)) if at <= end => {}
            (true, Version::ReleasedAt(_) | Version::Unknown, _) => return LicenseCode::VersionNotCovered,
            _ => return LicenseCode::Expired,
        }
    }
    if !standing.node_locked && !matches!(machine, Machine::Joining) {
        return LicenseCode::Valid;
    }
    match machine {
        Machine::Any => LicenseCode::Valid,
        Machine::Unnamed => LicenseCode::MachineRequired,
        Machine::Unknown => LicenseCode::NoMachine,
        // After seats were given up, those that came first stay.
        Machine::Known { rank } if rank >= standing.hard_limit => LicenseCode::TooManyMachines,
        Machine::Known { .. } => LicenseCode::Valid,
        Machine::Joining if standing.used >= standing.hard_limit => LicenseCode::TooManyMachines,
        Machine::Joining => LicenseCode::Valid,
    }
}

/// When something that was good ends that we give to somebody who will be offline.
pub fn token_end(standing: &Standing, lifetime: Duration, now: OffsetDateTime) -> OffsetDateTime {
    let longest = now + lifetime;
    // Past its end, a license that goes on covering old versions has no other end.
    standing.good_until.filter(|until| *until > now).map_or(longest, |until| until.min(longest))
}

/// On how many machines each seat may be used.
pub const fn machines_per_seat(tier: Tier) -> u16 {
    match tier {
        Tier::Free => 1,
        Tier::Pro => 3,
        Tier::Enterprise => 5,
    }
}

pub fn machine_limit(seats: u32, machines_per_seat: u16) -> u32 {
    seats.saturating_mul(u32::from(machines_per_seat))
}

/// A limit and so many percent more, rounded up: of one machine, anything more is another.
pub fn with_overage(limit: u32, percent: u16) -> u32 {
    let more = (u64::from(limit) * u64::from(percent)).div_ceil(100);
    limit.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
}

/// When a license ends, and up to when it is taken as good. Both none: never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub expires_at: Option<OffsetDateTime>,
    pub good_until: Option<OffsetDateTime>,
}

impl End {
    pub const NEVER: Self = Self { expires_at: None, good_until: None };

    /// With so long a grace after it.
    pub fn at(end: OffsetDateTime, grace: Duration) -> Self {
        Self { expires_at: Some(end), good_until: Some(end + grace.max(Duration::ZERO)) }
    }
}

/// What of a subscription decides when its license ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    pub status: SubscriptionStatus,
    pub period_end: OffsetDateTime,
    pub cancel_at_period_end: bool,
    pub grace_until: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
}

/// When the license of a subscription ends. A renewal moves it on, a cancellation lets it stand.
pub fn end_of_subscription(paid: &Paid) -> End {
    match paid.status {
        SubscriptionStatus::Ended => {
            // Who cancels has what they paid for; it ends when the subscription does.
            let end = paid.ended_at.unwrap_or(paid.period_end);
            End::at(end, Duration::ZERO)
        }
        SubscriptionStatus::PastDue => {
            let end = paid.grace_until.unwrap_or(paid.period_end);
            let due = paid.period_end.min(end);
            End { expires_at: Some(due), good_until: Some(end) }
        }
        SubscriptionStatus::Active | SubscriptionStatus::Trialing | SubscriptionStatus::Paused => {
            let late = if paid.cancel_at_period_end { Duration::ZERO } else { LATE_NEWS };
            End::at(paid.period_end, late)
        }
        // Nothing was paid yet.
        SubscriptionStatus::Incomplete => End::at(paid.period_end, Duration::ZERO),
    }
}

/// The end of a license that is prolonged: from its end, or from now when that is past.
pub fn renewed_from(expires_at: Option<OffsetDateTime>, now: OffsetDateTime) -> OffsetDateTime {
    expires_at.map_or(now, |end| end.max(now))
}

/// So many calendar months later; the last day of a month that is too short.
pub fn months_later(from: OffsetDateTime, months: u32) -> OffsetDateTime {
    let zero_based = i64::from(from.year()) * 12 + i64::from(u8::from(from.month())) - 1 + i64::from(months);
    let year = i32::try_from(zero_based.div_euclid(12)).unwrap_or(9999).min(9999);
    let month = u8::try_from(zero_based.rem_euclid(12) + 1)
        .ok()
        .and_then(|month| time::Month::try_from(month).ok())
        .unwrap_or(time::Month::December);
    let day = from.day().min(month.length(year));
    time::Date::from_calendar_date(year, month, day).map_or(from, |date| from.replace_date(date))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn good() -> Standing {
        Standing {
            revoked: false,
            suspended: false,
            expires_at: None,
            good_until: None,
            fallback: false,
            node_locked: true,
            used: 1,
            limit: 3,
            hard_limit: 3,
        }
    }

    #[test]
    fn reasons_stand_in_one_order() {
        let past = Some(NOW - Duration::DAY);
        let worst = Standing {
            revoked: true,
            suspended: true,
            expires_at: past,
            good_until: past,
            used: 9,
            ..good()
        };
        let ask = |standing: &Standing, machine| gate(standing, machine, Version::Unnamed, NOW);
        assert_eq!(ask(&worst, Machine::Unnamed), LicenseCode::Revoked);
        let held = Standing { revoked: false, ..worst };
        assert_eq!(ask(&held, Machine::Unnamed), LicenseCode::Suspended);
        let over = Standing { suspended: false, ..held };
        assert_eq!(ask(&over, Machine::Unnamed), LicenseCode::Expired);
        let full = Standing { expires_at: None, good_until: None, ..over };
        assert_eq!(ask(&full, Machine::Unnamed), LicenseCode::MachineRequired);
        assert_eq!(ask(&full, Machine::Unknown), LicenseCode::NoMachine);
        assert_eq!(ask(&full, Machine::Joining), LicenseCode::TooManyMachines);
        assert_eq!(ask(&full, Machine::Known { rank: 3 }), LicenseCode::TooManyMachines);
        assert_eq!(ask(&full, Machine::Known { rank: 2 }), LicenseCode::Valid);
        assert_eq!(ask(&full, Machine::Any), LicenseCode::Valid);
    }

    #[test]
    fn a_license_ends_to_the_second_after_its_grace() {
        let end = End::at(NOW, Duration::days(7));
        let standing = Standing { expires_at: end.expires_at, good_until: end.good_until, ..good() };
        let at = |now| (standing.status(now), gate(&standing, Machine::Any, Version::Unnamed, now));
        assert_eq!(at(NOW - Duration::SECOND), (LicenseStatus::Active, LicenseCode::Valid));
        assert_eq!(at(NOW), (LicenseStatus::Grace, LicenseCode::Valid));
        let last = NOW + Duration::days(7);
        assert_eq!(at(last - Duration::SECOND), (LicenseStatus::Grace, LicenseCode::Valid));
        assert_eq!(at(last), (LicenseStatus::Expired, LicenseCode::Expired));
    }

    #[test]
    fn what_came_out_before_the_end_stays_covered_when_that_was_promised() {
        let end = NOW - Duration::days(30);
        let over = Standing { expires_at: Some(end), good_until: Some(end), ..good() };
        let keeps = Standing { fallback: true, ..over };
        let ask = |standing: &Standing, version| gate(standing, Machine::Any, version, NOW);
        assert_eq!(ask(&keeps, Version::ReleasedAt(end)), LicenseCode::Valid);
        assert_eq!(ask(&keeps, Version::ReleasedAt(end + Duration::SECOND)), LicenseCode::VersionNotCovered);
        assert_eq!(ask(&keeps, Version::Unknown), LicenseCode::VersionNotCovered);
        assert_eq!(ask(&keeps, Version::Unnamed), LicenseCode::Expired);
        assert_eq!(ask(&over, Version::ReleasedAt(end)), LicenseCode::Expired);
        assert_eq!(ask(&Standing { revoked: true, ..keeps }, Version::ReleasedAt(end)), LicenseCode::Revoked);
    }

    #[test]
    fn a_subscription_says_when_its_license_ends() {
        let paid = Paid {
            status: SubscriptionStatus::Active,
            period_end: NOW,
            cancel_at_period_end: false,
            grace_until: None,
            ended_at: None,
        };
        assert_eq!(end_of_subscription(&paid), End::at(NOW, LATE_NEWS));
        let canceled = Paid { cancel_at_period_end: true, ..paid };
        assert_eq!(end_of_subscription(&canceled), End::at(NOW, Duration::ZERO));
        let grace = NOW + Duration::days(14);
        let due = Paid { status: SubscriptionStatus::PastDue, grace_until: Some(grace), ..paid };
        assert_eq!(end_of_subscription(&due), End { expires_at: Some(NOW), good_until: Some(grace) });
        // Stripe has begun the next period although nobody paid for it.
        let rolled = Paid { period_end: NOW + Duration::days(30), ..due };
        assert_eq!(end_of_subscription(&rolled), End::at(grace, Duration::ZERO));
        let early = NOW - Duration::days(10);
        let ended = Paid { status: SubscriptionStatus::Ended, ended_at: Some(early), ..paid };
        assert_eq!(end_of_subscription(&ended), End::at(early, Duration::ZERO));
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let leap = datetime!(2028-02-29 12:00 UTC);
        assert_eq!(months_later(datetime!(2027-01-31 08:00 UTC), 1), datetime!(2027-02-28 08:00 UTC));
        assert_eq!(months_later(leap, 12), datetime!(2029-02-28 12:00 UTC));
        assert_eq!(months_later(leap, 48), datetime!(2032-02-29 12:00 UTC));
        assert_eq!(months_later(datetime!(2026-11-20 10:00 UTC), 2), datetime!(2027-01-20 10:00 UTC));
    }

    #[test]
    fn one_percent_of_a_few_machines_is_one_more() {
        assert_eq!(with_overage(3, 0), 3);
        assert_eq!(with_overage(3, 10), 4);
        assert_eq!(with_overage(1_000, 25), 1_250);
        assert_eq!(with_overage(u32::MAX, 100), u32::MAX);
    }

    proptest! {
        #[test]
        fn who_is_told_it_is_good_has_reason(
            revoked: bool, suspended: bool, fallback: bool, node_locked: bool, used in 0..6u32, limit in 1..5u32,
            end in proptest::option::of(-40..40i64), grace in 0..10i64, machine in 0..5u8, rank in 0..6u32,
            released in proptest::option::of(-60..60i64),
        ) {
            let day = |days: i64| NOW + Duration::days(days);
            let standing = Standing {
                revoked, suspended, fallback, node_locked, used, limit, hard_limit: limit,
                expires_at: end.map(day), good_until: end.map(|end| day(end + grace)),
            };
            let machine = [Machine::Any, Machine::Unnamed, Machine::Unknown, Machine::Known { rank }, Machine::Joining]
                [usize::from(machine)];
            let version = released.map_or(Version::Unknown, |days| Version::ReleasedAt(day(days)));
            let code = gate(&standing, machine, version, NOW);
            if code.is_valid() {
                prop_assert!(!revoked && !suspended);
                prop_assert!(!standing.is_over(NOW) || fallback && released < end.map(|end| end + 1));
                prop_assert!(machine != Machine::Joining || used < limit);
                prop_assert!(!node_locked || !matches!(machine, Machine::Unnamed | Machine::Unknown));
            }
            prop_assert!(token_end(&standing, OFFLINE_FOR, NOW) <= NOW + OFFLINE_FOR);
        }

        #[test]
        fn a_renewal_never_shortens(end in proptest::option::of(-900..900i64), months in 1..120u32) {
            let end = end.map(|days| NOW + Duration::days(days));
            let renewed = months_later(renewed_from(end, NOW), months);
            prop_assert!(renewed > NOW && end.is_none_or(|end| renewed > end));
        }
    }
}
