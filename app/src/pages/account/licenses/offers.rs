//! What the page of a license offers to do with it, and how it speaks of its end: both go by what pays for it now.
//!
//! What always holds: what is sure to be refused is not offered. Whether it is done decide the verbs.

use devforge::{
    contract::{
        license::{LicenseOrigin, LicenseStatus},
        payment::SubscriptionStatus,
    },
    license::{License, machine::Machine},
};
use time::OffsetDateTime;

use super::{machines::file_until, runs};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// A file for a machine without a connection.
    pub file: bool,
    pub transfer: Transfer,
    pub split: bool,
}

/// How it can be given to somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    No,
    /// A machine has a file, which goes on working wherever it is.
    BySupport,
    Here,
}

impl Offers {
    pub fn of(
        license: &License,
        machines: &[Machine],
        paid_by: Option<SubscriptionStatus>,
        now: OffsetDateTime,
    ) -> Self {
        let good = matches!(license.status(now), LicenseStatus::Active | LicenseStatus::Grace);
        let stands = license.suspended_by.is_empty() && license.revoked_by.is_empty();
        let worth_something = !license.standing().is_over(now) || license.fallback;
        let movable = license.origin != LicenseOrigin::Trial && stands && worth_something && !runs(paid_by);
        let transfer = if !movable {
            Transfer::No
        } else if machines.iter().any(|machine| file_until(machine, now).is_some()) {
            Transfer::BySupport
        } else {
            Transfer::Here
        };
        Self { file: good, transfer, split: good && license.seats > 1 && paid_by.is_none() }
    }
}

/// What kind of end it is that a running subscription moves on. `ended` is none for what has no end.
pub fn end_with(paid_by: Option<SubscriptionStatus>, ended: Option<bool>) -> Option<&'static str> {
    match (paid_by?, ended?) {
        (SubscriptionStatus::Ended | SubscriptionStatus::Incomplete, _) => None,
        (_, true) => Some("Due since"),
        (SubscriptionStatus::Trialing, false) => Some("Trial until"),
        (SubscriptionStatus::Active | SubscriptionStatus::PastDue | SubscriptionStatus::Paused, false) => {
            Some("Paid until")
        }
    }
}

#[cfg(test)]
mod tests {
    use devforge::license::rules::Cause;
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::pages::license_parts::fixtures;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    #[test]
    fn what_would_be_refused_is_not_offered() {
        let transfer =
            |license: &License, paid_by| Offers::of(license, &[], paid_by, NOW).transfer == Transfer::Here;
        let bought = fixtures::license();
        let past = Some(NOW - Duration::DAY);
        let over = License { expires_at: past, good_until: past, ..bought.clone() };
        assert!(transfer(&bought, None));
        assert!(transfer(&License { expires_at: Some(NOW + Duration::DAY), ..bought.clone() }, None));
        // What outlived its subscription is its owner's to give.
        assert!(transfer(&bought, Some(SubscriptionStatus::Ended)));
        assert!(transfer(&License { fallback: true, ..over.clone() }, None));
        for status in [SubscriptionStatus::Active, SubscriptionStatus::PastDue, SubscriptionStatus::Trialing]
        {
            assert!(!transfer(&bought, Some(status)), "{status:?}");
        }
        assert!(!transfer(&over, None));
        assert!(!transfer(&License { origin: LicenseOrigin::Trial, ..bought.clone() }, None));
        assert!(!transfer(&License { suspended_by: vec![Cause::Dispute], ..bought.clone() }, None));
    }

    #[test]
    fn seats_of_a_subscription_are_not_split() {
        let split = |license: &License, paid_by| Offers::of(license, &[], paid_by, NOW).split;
        let three = License { seats: 3, ..fixtures::license() };
        assert!(split(&three, None) && !split(&fixtures::license(), None));
        assert!(!split(&three, Some(SubscriptionStatus::Ended)), "its seats were those of a subscription");
        assert!(!split(&License { suspended_by: vec![Cause::Staff], ..three }, None));
    }

    #[test]
    fn only_a_subscription_that_runs_says_that_it_is_paid() {
        for (paid_by, ended, kind) in [
            (None, Some(false), None),
            (Some(SubscriptionStatus::Ended), Some(false), None),
            (Some(SubscriptionStatus::Active), None, None),
            (Some(SubscriptionStatus::Active), Some(false), Some("Paid until")),
            (Some(SubscriptionStatus::Trialing), Some(false), Some("Trial until")),
            (Some(SubscriptionStatus::PastDue), Some(true), Some("Due since")),
        ] {
            assert_eq!(end_with(paid_by, ended), kind, "{paid_by:?} {ended:?}");
        }
    }
}
