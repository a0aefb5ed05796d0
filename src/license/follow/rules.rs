//! What buying means for a license. No input or output.
//!
//! What always holds: a cause that buying sets is there exactly as long as what set it holds, and staff's is left alone; of
//! two looks at the same thing the second changes nothing; a subscription that is cancelled ends its license when it ends
//! itself; what was paid for by an account that is gone stays its time.

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::{
    billing::subscription::rules::{Plan, State, Told},
    contract::{license::LicenseOrigin, payment::SubscriptionStatus},
    license::{
        License,
        rules::{Cause, End, Paid, end_of_subscription, machines_per_seat},
    },
};

/// What buying says about the licenses of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Money went back, or is about to, and takes the license with it.
    pub refunded: bool,
    /// A bank questions a payment.
    pub questioned: bool,
    /// A bank took the money for good.
    pub lost: bool,
    /// None for what was bought once: it does not end.
    pub subscribed: Option<Subscribed>,
}

/// What a subscription says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed {
    pub end: End,
    pub plan: Plan,
    pub paused: bool,
    pub ended_at: Option<OffsetDateTime>,
}

/// In what a license follows its subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follows {
    pub end: bool,
    pub plan: bool,
}

/// What a change means for whoever has the license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    Revoked(Cause),
    Suspended(Cause),
    Reinstated,
    Changed,
}

impl Word {
    /// Whether nobody wants the money back, or has it.
    pub const fn is_settled(&self) -> bool {
        !self.refunded && !self.questioned && !self.lost
    }

    pub fn end(&self) -> End {
        self.subscribed.map_or(End::NEVER, |subscribed| subscribed.end)
    }

    pub fn plan(&self) -> Option<Plan> {
        self.subscribed.map(|subscribed| subscribed.plan)
    }

    pub fn is_paused(&self) -> bool {
        self.subscribed.is_some_and(|subscribed| subscribed.paused)
    }
}

/// What a subscription says, which may be that of an account that has ended.
pub fn subscribed(state: &State, is_of_the_gone: bool) -> Subscribed {
    Subscribed {
        end: end(state, is_of_the_gone),
        plan: state.plan(),
        paused: state.status == SubscriptionStatus::Paused,
        ended_at: state.ended_at,
    }
}

fn end(state: &State, is_of_the_gone: bool) -> End {
    // Nobody is charged for an account that has ended, so its subscription is ended at once. The rest of what it paid for
    // stays.
    if is_of_the_gone && is_paid_up_at_its_end(state) {
        return End::at(state.period_end, Duration::ZERO);
    }
    // A payment that is due stays due while the subscription is paused, and when Stripe begins another try.
    let status = match (state.status, state.past_due_since) {
        (SubscriptionStatus::Paused | SubscriptionStatus::Incomplete, Some(_)) => SubscriptionStatus::PastDue,
        (status, _) => status,
    };
    // Stripe begins the next period whether or not it is paid for.
    let paid_until = state.past_due_since.map_or(state.period_end, |since| since.min(state.period_end));
    end_of_subscription(&Paid {
        status,
        period_end: paid_until,
        cancel_at_period_end: state.cancel_at_period_end,
        grace_until: state.grace_until,
        ended_at: state.ended_at,
    })
}

/// Whether a subscription ended within a period that was paid for.
fn is_paid_up_at_its_end(state: &State) -> bool {
    let Some(ended_at) = state.ended_at else { return false };
    let in_trial = state.trial_end.is_some_and(|end| end >= state.period_end);
    // Mails about a payment that is due are forgotten when it comes in.
    let is_due = state.told.about.as_deref().is_some_and(|about| about != Told::TRIAL);
    ended_at < state.period_end && !in_trial && !is_due && state.past_due_since.is_none()
}

/// The license as it is to be.
pub fn followed(before: &License, word: &Word, follows: Follows) -> License {
    let mut after = before.clone();
    set(&mut after.revoked_by, Cause::Refund, word.refunded);
    set(&mut after.revoked_by, Cause::Dispute, word.lost);
    set(&mut after.suspended_by, Cause::Dispute, word.questioned);
    if after.origin == LicenseOrigin::Order {
        set(&mut after.suspended_by, Cause::Subscription, word.is_paused());
    }
    if let Some(subscribed) = word.subscribed {
        if follows.end {
            (after.expires_at, after.good_until) = (subscribed.end.expires_at, subscribed.end.good_until);
        }
        if follows.plan {
            if after.tier != subscribed.plan.tier {
                after.machines_per_seat = machines_per_seat(subscribed.plan.tier);
            }
            (after.tier, after.seats) = (subscribed.plan.tier, subscribed.plan.seats);
        }
    }
    after
}

/// Has a cause among others or not.
fn set(causes: &mut Vec<Cause>, cause: Cause, holds: bool) {
    match (holds, causes.contains(&cause)) {
        (true, false) => causes.push(cause),
        (false, true) => causes.retain(|other| *other != cause),
        _ => {}
    }
}

/// What to tell whoever has the license. One that is over does not begin to work when nothing holds it back any more.
pub fn news(before: &License, after: &License, now: OffsetDateTime) -> News {
    match changed(before, after) {
        News::Suspended(_) | News::Reinstated if after.standing().is_over(now) => News::Changed,
        news => news,
    }
}

fn changed(before: &License, after: &License) -> News {
    let first_new = |before: &[Cause], after: &[Cause]| {
        after.iter().find(|cause| !before.contains(cause)).or(after.first()).copied()
    };
    let taken = first_new(&before.revoked_by, &after.revoked_by);
    let held = first_new(&before.suspended_by, &after.suspended_by);
    let (was_taken, was_held) = (!before.revoked_by.is_empty(), !before.suspended_by.is_empty());
    match (taken, held) {
        (Some(why), _) if !was_taken => News::Revoked(why),
        (None, Some(why)) if was_taken || !was_held => News::Suspended(why),
        (None, None) if was_taken || was_held => News::Reinstated,
        _ => News::Changed,
    }
}

/// What changed, for the license's history.
pub fn differences(before: &License, after: &License) -> Value {
    let at = |at: Option<OffsetDateTime>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let causes = |causes: &[Cause]| {
        let words: Vec<_> = causes.iter().map(|cause| cause.as_str()).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
    };
    let fields = |license: &License| {
        [
            ("tier", license.tier.as_str().to_owned()),
            ("seats", license.seats.to_string()),
            ("expiresAt", at(license.expires_at)),
            ("goodUntil", at(license.good_until)),
            ("suspendedBy", causes(&license.suspended_by)),
            ("revokedBy", causes(&license.revoked_by)),
        ]
    };
    let changed = fields(before).into_iter().zip(fields(after)).filter(|(before, after)| before != after);
    let told =
        changed.map(|((field, from), (_, to))| (field.to_owned(), Value::String(format!("{from} → {to}"))));
    Value::Object(told.collect::<Map<_, _>>())
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
