//! How what stands here follows what Stripe says, and when a change counts. No input or output.
//!
//! What always holds: more counts at once, less when the period that was paid for is over; what has ended stays ended;
//! the same answer twice changes nothing the second time.

use time::{Duration, OffsetDateTime};

use crate::contract::{
    id::PriceId,
    money::Currency,
    payment::{Interval, SubscriptionStatus, Tier},
};

/// How long everything works although a payment is due.
pub const GRACE: Duration = Duration::days(14);

/// How much somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub tier: Tier,
    pub seats: u32,
}

impl Plan {
    /// Whether it is more in something, whatever it is less in.
    pub fn has_more_than(self, other: Self) -> bool {
        self.tier > other.tier || self.seats > other.seats
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {}", self.seats, self.tier.as_str())
    }
}

/// What is paid for it, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub price: PriceId,
    pub tier: Tier,
    pub interval: Interval,
    pub currency: Currency,
    pub unit_amount: i64,
}

/// A subscription as it stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub status: SubscriptionStatus,
    /// In force: what was paid for.
    pub terms: Terms,
    pub seats: u32,
    /// What it becomes with the next period, when less was asked for.
    pub next: Option<Plan>,
    pub period_start: OffsetDateTime,
    pub period_end: OffsetDateTime,
    pub trial_end: Option<OffsetDateTime>,
    pub cancel_at_period_end: bool,
    pub past_due_since: Option<OffsetDateTime>,
    pub grace_until: Option<OffsetDateTime>,
    /// What the last mail was about, and which of its kind it was.
    pub told: Told,
    pub ended_at: Option<OffsetDateTime>,
}

/// Which mails there were, so that none is sent twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The unpaid invoice, or [`Told::TRIAL`].
    pub about: Option<String>,
    pub stage: i16,
}

impl Told {
    /// That the trial ends soon.
    pub const TRIAL: &'static str = "trial";
}

impl State {
    pub const fn plan(&self) -> Plan {
        Plan { tier: self.terms.tier, seats: self.seats }
    }

    /// What it is at Stripe, where less counts at once.
    pub fn target(&self) -> Plan {
        self.next.unwrap_or(self.plan())
    }

    pub fn is_running(&self) -> bool {
        self.status != SubscriptionStatus::Ended
    }
}

/// A subscription as Stripe tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub status: SubscriptionStatus,
    pub terms: Terms,
    pub seats: u32,
    pub period_start: OffsetDateTime,
    pub period_end: OffsetDateTime,
    pub trial_end: Option<OffsetDateTime>,
    pub cancel_at_period_end: bool,
    pub ended_at: Option<OffsetDateTime>,
}

/// Stripe's word for a status in ours. None for a word that we do not know.
///
/// Stripe gives up on an invoice when it likes; how long there is grace is ours to say, so `unpaid` is a payment due.
pub fn status(word: &str) -> Option<SubscriptionStatus> {
    Some(match word {
        "trialing" => SubscriptionStatus::Trialing,
        "active" => SubscriptionStatus::Active,
        "past_due" | "unpaid" => SubscriptionStatus::PastDue,
        "paused" => SubscriptionStatus::Paused,
        "incomplete" => SubscriptionStatus::Incomplete,
        "incomplete_expired" | "canceled" => SubscriptionStatus::Ended,
        _ => return None,
    })
}

/// What stands here once Stripe has told of it.
pub fn follow(before: Option<&State>, seen: &Seen, now: OffsetDateTime) -> State {
    if let Some(ended) = before.filter(|before| !before.is_running()) {
        return ended.clone();
    }
    let (terms, seats, next) = in_force(before, seen);
    let past_due_since = match seen.status {
        SubscriptionStatus::PastDue => before.and_then(|before| before.past_due_since).or(Some(now)),
        SubscriptionStatus::Paused | SubscriptionStatus::Incomplete => {
            before.and_then(|before| before.past_due_since)
        }
        SubscriptionStatus::Trialing | SubscriptionStatus::Active | SubscriptionStatus::Ended => None,
    };
    let is_news = before.is_none_or(|before| before.status != seen.status);
    let told = match seen.status {
        SubscriptionStatus::Active => Told::default(),
        SubscriptionStatus::PastDue if is_news => Told::default(),
        _ => before.map(|before| before.told.clone()).unwrap_or_default(),
    };
    let ended = seen.status == SubscriptionStatus::Ended;
    State {
        status: seen.status,
        terms,
        seats,
        next,
        period_start: seen.period_start,
        period_end: seen.period_end,
        trial_end: seen.trial_end,
        cancel_at_period_end: seen.cancel_at_period_end,
        past_due_since,
        grace_until: past_due_since.map(|since| since + GRACE),
        told,
        ended_at: ended.then(|| seen.ended_at.unwrap_or(now)),
    }
}

/// What counts now, and what it becomes with the next period.
fn in_force(before: Option<&State>, seen: &Seen) -> (Terms, u32, Option<Plan>) {
    let theirs = Plan { tier: seen.terms.tier, seats: seen.seats };
    match before {
        Some(before)
            if before.period_start == seen.period_start
                && before.terms.interval == seen.terms.interval
                && theirs != before.plan()
                && !theirs.has_more_than(before.plan()) =>
        {
            (before.terms, before.seats, Some(theirs))
        }
        _ => (seen.terms, seen.seats, None),
    }
}

/// A field in which two pictures of a subscription differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub field: &'static str,
    pub ours: String,
    pub theirs: String,
}

/// What differs between how it stood here and how it is to stand, field by field.
pub fn differences(ours: &State, theirs: &State) -> Vec<Difference> {
    let plan = |plan: Option<Plan>| plan.map_or_else(|| "none".to_owned(), |plan| plan.to_string());
    let at = |at: Option<OffsetDateTime>| at.map_or_else(|| "none".to_owned(), |at| at.to_string());
    let fields = |state: &State| {
        [
            ("status", state.status.as_str().to_owned()),
            ("tier", state.terms.tier.as_str().to_owned()),
            ("seats", state.seats.to_string()),
            ("next", plan(state.next)),
            ("interval", state.terms.interval.as_str().to_owned()),
            ("price", state.terms.price.to_string()),
            ("period_start", at(Some(state.period_start))),
            ("period_end", at(Some(state.period_end))),
            ("trial_end", at(state.trial_end)),
            ("cancel_at_period_end", state.cancel_at_period_end.to_string()),
        ]
    };
    fields(ours)
        .into_iter()
        .zip(fields(theirs))
        .filter(|((_, ours), (_, theirs))| ours != theirs)
        .map(|((field, ours), (_, theirs))| Difference { field, ours, theirs })
        .collect()
}

/// When a change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The rest of the period is paid for today.
    Now,
    PeriodEnd,
}

/// More is paid for and had at once, and so is a period of another length; less comes with the next period.
pub fn moment(state: &State, target: Plan, interval: Interval) -> Moment {
    if interval != state.terms.interval || target.has_more_than(state.plan()) {
        Moment::Now
    } else {
        Moment::PeriodEnd
    }
}

/// How far a payment that is due has come: one mail each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Failed,
    Reminded,
    RemindedAgain,
    LastWarning,
    /// The grace is over.
    Over,
}

impl Stage {
    const BY_DAYS: [(i64, Self); 4] =
        [(12, Self::LastWarning), (7, Self::RemindedAgain), (3, Self::Reminded), (0, Self::Failed)];

    pub const fn number(self) -> i16 {
        match self {
            Self::Failed => 1,
            Self::Reminded => 2,
            Self::RemindedAgain => 3,
            Self::LastWarning => 4,
            Self::Over => 5,
        }
    }

    /// Where a payment stands that has been due for so long.
    pub fn at(past_due_since: OffsetDateTime, grace_until: OffsetDateTime, now: OffsetDateTime) -> Self {
        if now >= grace_until {
            return Self::Over;
        }
        let days = (now - past_due_since).whole_days();
        Self::BY_DAYS.into_iter().find(|(from, _)| days >= *from).map_or(Self::Failed, |(_, stage)| stage)
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
