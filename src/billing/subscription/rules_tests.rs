//! Facts about how what stands here follows what Stripe says.

use proptest::prelude::*;
use time::macros::datetime;
use uuid::Uuid;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

fn terms(tier: Tier, interval: Interval) -> Terms {
    let number = u128::from(tier == Tier::Enterprise) * 2 + u128::from(interval == Interval::Year);
    let price = PriceId::from_uuid(Uuid::from_u128(number));
    Terms { price, tier, interval, currency: Currency::Usd, unit_amount: 1900 }
}

fn seen(status: SubscriptionStatus, tier: Tier, seats: u32) -> Seen {
    Seen {
        status,
        terms: terms(tier, Interval::Month),
        seats,
        period_start: NOW,
        period_end: NOW + Duration::days(30),
        trial_end: None,
        cancel_at_period_end: false,
        ended_at: None,
    }
}

fn running(tier: Tier, seats: u32) -> State {
    follow(None, &seen(SubscriptionStatus::Active, tier, seats), NOW)
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let status = prop::sample::select(SubscriptionStatus::ALL);
    let tier = prop_oneof![Just(Tier::Pro), Just(Tier::Enterprise)];
    let interval = prop_oneof![Just(Interval::Month), Just(Interval::Year)];
    (status, tier, interval, 1_u32..20, 0_i64..3, any::<bool>()).prop_map(
        |(status, tier, interval, seats, period, cancel_at_period_end)| Seen {
            status,
            terms: terms(tier, interval),
            seats,
            period_start: NOW + Duration::days(30 * period),
            period_end: NOW + Duration::days(30 * (period + 1)),
            trial_end: None,
            cancel_at_period_end,
            ended_at: None,
        },
    )
}

/// What stands here after all of these answers, one a day.
fn after(answers: &[Seen]) -> Option<State> {
    let mut state = None;
    for (day, answer) in (0..).zip(answers) {
        state = Some(follow(state.as_ref(), answer, NOW + Duration::days(day)));
    }
    state
}

proptest! {
    // Many a random answer is not of the next period.
    #![proptest_config(ProptestConfig { max_global_rejects: 65_536, ..ProptestConfig::default() })]

    #[test]
    fn the_same_answer_twice_changes_nothing(answers in prop::collection::vec(any_seen(), 1..20)) {
        let once = after(&answers).expect("there was an answer");
        let twice = follow(Some(&once), &answers[answers.len() - 1], NOW + Duration::days(99));
        prop_assert!(differences(&once, &twice).is_empty());
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn nothing_is_taken_away_within_a_period(answers in prop::collection::vec(any_seen(), 1..20), last in any_seen()) {
        let before = after(&answers).expect("there was an answer");
        let now = follow(Some(&before), &last, NOW + Duration::days(99));
        if now.period_start == before.period_start && now.terms.interval == before.terms.interval {
            prop_assert!(now.plan() == before.plan() || now.plan().has_more_than(before.plan()));
        }
        if let Some(next) = now.next {
            prop_assert!(!next.has_more_than(now.plan()) && next != now.plan());
        }
    }

    #[test]
    fn with_a_new_period_it_is_what_stripe_says(answers in prop::collection::vec(any_seen(), 1..20), last in any_seen()) {
        let before = after(&answers).expect("there was an answer");
        prop_assume!(before.is_running() && last.period_start != before.period_start);
        let now = follow(Some(&before), &last, NOW);
        prop_assert_eq!(now.plan(), Plan { tier: last.terms.tier, seats: last.seats });
        prop_assert_eq!(now.next, None);
    }

    #[test]
    fn what_has_ended_stays_ended(answers in prop::collection::vec(any_seen(), 0..20), later in prop::collection::vec(any_seen(), 0..20)) {
        let mut all = answers;
        all.push(seen(SubscriptionStatus::Ended, Tier::Pro, 1));
        let ended = after(&all).expect("there was an answer");
        all.extend(later);
        prop_assert_eq!(after(&all), Some(ended.clone()));
        prop_assert!(ended.ended_at.is_some() && ended.grace_until.is_none());
    }

    #[test]
    fn grace_begins_with_the_first_failure_and_lasts_its_time(answers in prop::collection::vec(any_seen(), 1..20)) {
        let state = after(&answers).expect("there was an answer");
        prop_assert_eq!(state.grace_until, state.past_due_since.map(|since| since + GRACE));
        if state.status == SubscriptionStatus::PastDue {
            prop_assert!(state.past_due_since.is_some());
        }
        if matches!(state.status, SubscriptionStatus::Active | SubscriptionStatus::Trialing) {
            prop_assert_eq!(state.past_due_since, None);
        }
    }
}

#[test]
fn fewer_seats_wait_for_the_end_of_the_period_and_more_do_not() {
    let five = running(Tier::Pro, 5);
    let fewer = follow(Some(&five), &seen(SubscriptionStatus::Active, Tier::Pro, 3), NOW);
    assert_eq!((fewer.seats, fewer.next), (5, Some(Plan { tier: Tier::Pro, seats: 3 })));
    let again = follow(Some(&fewer), &seen(SubscriptionStatus::Active, Tier::Pro, 5), NOW);
    assert_eq!((again.seats, again.next), (5, None));
    let more = follow(Some(&fewer), &seen(SubscriptionStatus::Active, Tier::Pro, 6), NOW);
    assert_eq!((more.seats, more.next), (6, None));
}

#[test]
fn a_lower_tier_keeps_the_price_that_was_paid_until_the_period_moves() {
    let before = running(Tier::Enterprise, 2);
    let mut answer = seen(SubscriptionStatus::Active, Tier::Pro, 2);
    let waiting = follow(Some(&before), &answer, NOW);
    assert_eq!(waiting.terms, before.terms);
    assert_eq!(waiting.target(), Plan { tier: Tier::Pro, seats: 2 });
    answer.period_start = answer.period_end;
    let moved = follow(Some(&waiting), &answer, NOW);
    assert_eq!((moved.terms, moved.next), (answer.terms, None));
}

#[test]
fn a_change_counts_now_when_it_is_more_or_of_another_length() {
    let five = running(Tier::Pro, 5);
    let of = |tier, seats, interval| moment(&five, Plan { tier, seats }, interval);
    assert_eq!(of(Tier::Pro, 6, Interval::Month), Moment::Now);
    assert_eq!(of(Tier::Enterprise, 1, Interval::Month), Moment::Now);
    assert_eq!(of(Tier::Pro, 1, Interval::Year), Moment::Now);
    assert_eq!(of(Tier::Pro, 4, Interval::Month), Moment::PeriodEnd);
}

#[test]
fn reminders_come_on_their_days_and_the_end_with_the_grace() {
    let at = |after: Duration| Stage::at(NOW, NOW + GRACE, NOW + after);
    let second = Duration::SECOND;
    assert_eq!(at(Duration::ZERO), Stage::Failed);
    assert_eq!(at(Duration::days(3) - second), Stage::Failed);
    assert_eq!(at(Duration::days(3)), Stage::Reminded);
    assert_eq!(at(Duration::days(7)), Stage::RemindedAgain);
    assert_eq!(at(Duration::days(12)), Stage::LastWarning);
    assert_eq!(at(GRACE - second), Stage::LastWarning);
    assert_eq!(at(GRACE), Stage::Over);
}

#[test]
fn every_word_of_stripe_s_is_known() {
    for (word, ours) in [
        ("trialing", SubscriptionStatus::Trialing),
        ("unpaid", SubscriptionStatus::PastDue),
        ("incomplete_expired", SubscriptionStatus::Ended),
        ("canceled", SubscriptionStatus::Ended),
    ] {
        assert_eq!(status(word), Some(ours), "{word}");
    }
    assert_eq!(status("resting"), None);
}
