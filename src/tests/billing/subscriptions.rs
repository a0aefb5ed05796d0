//! Subscriptions: how they follow Stripe, how they are changed and ended, and what happens when a renewal is not paid.

use devforge::{
    account::{Caller, Denied},
    billing::{
        Error, Outcome,
        subscription::{self, Details, Dunning},
    },
    contract::{
        account::Role,
        payment::{Interval, SubscriptionChange, SubscriptionStatus, Tier},
    },
    jobs::Job,
};
use serde_json::json;
use stripe_simulator::Card;
use time::Duration;

use crate::shop::{Shop, want};

const DAY: i64 = 24 * 60 * 60;

/// Time goes by, here and at Stripe, and everything is told.
async fn days_pass(shop: &Shop, days: i64) {
    shop.stripe.advance(days * DAY).expect("time goes by");
    shop.ctx().clock.advance(Duration::days(days));
    shop.deliver().await;
}

/// From now on, whoever buys pays at once.
async fn no_trials(shop: &Shop) {
    let done = sqlx::query("update price set trial_days = 0").execute(&shop.ctx().db).await;
    done.expect("there are prices");
}

async fn details(shop: &Shop) -> Details {
    let id: String = sqlx::query_scalar("select stripe_id from subscription")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one subscription");
    subscription::by_stripe(shop.ctx(), &id).await.expect("asked").expect("there")
}

async fn count(shop: &Shop, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&shop.ctx().db).await.expect("counted")
}

async fn mails(shop: &Shop, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from mail_message where kind = $1")
        .bind(kind)
        .fetch_one(&shop.ctx().db)
        .await
        .expect("counted")
}

/// The reasons of all ends that were told to whoever follows.
async fn ends(shop: &Shop) -> Vec<String> {
    sqlx::query_scalar("select payload->>'reason' from outbox where topic = 'subscription.ended' order by id")
        .fetch_all(&shop.ctx().db)
        .await
        .expect("read")
}

/// Somebody with a subscription that was paid for.
async fn subscribed(seats: u32, interval: Interval, card: Card) -> (Shop, Caller) {
    let shop = Shop::open().await;
    no_trials(&shop).await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let order = shop.order_of(&ada, &want("ada@example.com", Tier::Pro, interval, seats)).await;
    shop.pay(&order, card);
    shop.deliver().await;
    assert_eq!(details(&shop).await.state.status, SubscriptionStatus::Active);
    (shop, ada)
}

fn seats(seats: u32) -> SubscriptionChange {
    SubscriptionChange { seats: Some(seats), ..SubscriptionChange::default() }
}

fn preview(change: SubscriptionChange) -> SubscriptionChange {
    SubscriptionChange { preview: true, ..change }
}

#[tokio::test]
async fn a_trial_begins_free_and_goes_on_paid() {
    let shop = Shop::open_with_trials().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let order = shop.buy_as(&ada, &want("ada@example.com", Tier::Pro, Interval::Month, 3)).await;
    let trial = details(&shop).await;
    assert_eq!((trial.state.status, trial.order), (SubscriptionStatus::Trialing, Some(order.id)));
    assert_eq!(trial.account, ada.user().map(|user| user.id));
    assert_eq!(count(&shop, "select count(*) from payment").await, 0);

    days_pass(&shop, 15).await;
    let paid = details(&shop).await;
    assert_eq!((paid.id, paid.state.status, paid.state.seats), (trial.id, SubscriptionStatus::Active, 3));
    assert!(paid.state.period_start > trial.state.period_start);
    assert_eq!(count(&shop, "select sum(amount)::bigint from payment").await, 3 * 1900);
}

#[tokio::test]
async fn more_of_a_trial_is_free_until_it_ends() {
    let shop = Shop::open_with_trials().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    shop.buy_as(&ada, &want("ada@example.com", Tier::Pro, Interval::Month, 1)).await;
    let changed = subscription::change(shop.ctx(), &ada, &seats(4)).await.expect("changed");
    assert!(changed.preview.due_now.is_zero() && changed.preview.lines.is_empty());
    assert_eq!(changed.preview.renewal.amount, 4 * 1900);
    assert_eq!((changed.subscription.seats, changed.subscription.next), (4, None));
    days_pass(&shop, 15).await;
    assert_eq!(count(&shop, "select sum(amount)::bigint from payment").await, 4 * 1900);
}

#[tokio::test]
async fn the_end_of_a_trial_is_told_once() {
    let shop = Shop::open_with_trials().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    shop.buy_as(&ada, &want("", Tier::Pro, Interval::Month, 1)).await;
    let id = details(&shop).await.stripe_id;
    let first = subscription::trial_will_end(shop.ctx(), &id).await.expect("told");
    let second = subscription::trial_will_end(shop.ctx(), &id).await.expect("heard");
    assert_eq!((first, second), (Outcome::Applied, Outcome::NothingToDo));
    assert_eq!(mails(&shop, "trial_ends").await, 1);
    shop.deliver().await;
}

#[tokio::test]
async fn messages_in_the_wrong_order_and_twice_make_one_subscription() {
    let shop = Shop::open_with_trials().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let order = shop.order_of(&ada, &want("", Tier::Pro, Interval::Month, 2)).await;
    shop.pay(&order, Card::Good);
    let mut events = shop.stripe.take_events();
    let created = events.iter().find(|event| event["type"] == "customer.subscription.created");
    let mut updated = created.expect("it was created").clone();
    updated["id"] = json!("evt_before_it_was_created");
    updated["type"] = json!("customer.subscription.updated");
    shop.tell(&updated).await;
    shop.app.run_jobs().await;
    events.reverse();
    for event in events.iter().chain(&events) {
        shop.tell(event).await;
    }
    shop.deliver().await;
    let state = details(&shop).await.state;
    assert_eq!((state.status, state.seats), (SubscriptionStatus::Trialing, 2));
    let created = "select count(*) from audit_event where action = 'subscription.created'";
    assert_eq!(count(&shop, created).await, 1);
}

#[tokio::test]
async fn an_answer_to_an_earlier_question_changes_nothing() {
    let (shop, _) = subscribed(2, Interval::Month, Card::Good).await;
    let before = details(&shop).await;
    let later = sqlx::query("update subscription set synced_at = synced_at + interval '1 minute'");
    later.execute(&shop.ctx().db).await.expect("asked later");
    shop.stripe.world(|world| {
        world.change(&before.stripe_id, |theirs| theirs["items"]["data"][0]["quantity"] = json!(7));
    });
    let outcome = subscription::sync(shop.ctx(), &before.stripe_id).await.expect("asked");
    assert_eq!((outcome, details(&shop).await.state), (Outcome::NothingToDo, before.state));

    shop.ctx().clock.advance(Duration::minutes(2));
    let outcome = subscription::sync(shop.ctx(), &before.stripe_id).await.expect("asked");
    assert_eq!((outcome, details(&shop).await.state.seats), (Outcome::Applied, 7));
    shop.deliver().await;
}

#[tokio::test]
async fn more_seats_are_paid_for_and_had_at_once() {
    let (shop, ada) = subscribed(3, Interval::Month, Card::Good).await;
    days_pass(&shop, 10).await;
    let shown = subscription::change(shop.ctx(), &ada, &preview(seats(5))).await.expect("shown");
    let due = shown.preview.due_now;
    assert!(due.amount > 0 && due.amount < 2 * 1900, "{due}");
    assert_eq!(shown.preview.lines.iter().map(|line| line.total()).sum::<i64>(), due.amount);
    assert_eq!(shown.preview.renewal.amount, 5 * 1900);
    assert_eq!(shown.subscription.seats, 3, "a preview changes nothing");
    assert_eq!(count(&shop, "select count(*) from payment").await, 1);

    let changed = subscription::change(shop.ctx(), &ada, &seats(5)).await.expect("changed");
    assert_eq!((changed.subscription.seats, changed.subscription.next), (5, None));
    shop.deliver().await;
    assert_eq!(count(&shop, "select count(*) from payment").await, 2);
    let paid = count(&shop, "select amount from payment order by paid_at desc, id desc limit 1").await;
    // The rest of the period is worth less by the second.
    assert!((due.amount - 2..=due.amount).contains(&paid), "{paid} of {due}");
}

#[tokio::test]
async fn the_same_wish_twice_at_once_is_paid_once() {
    let (shop, ada) = subscribed(1, Interval::Month, Card::Good).await;
    let wish = seats(2);
    let (one, other) = tokio::join!(
        Box::pin(subscription::change(shop.ctx(), &ada, &wish)),
        Box::pin(subscription::change(shop.ctx(), &ada, &wish))
    );
    for outcome in [one, other] {
        assert!(matches!(outcome, Ok(_) | Err(Error::Conflict(_))), "{outcome:?}");
    }
    shop.deliver().await;
    assert_eq!(details(&shop).await.state.seats, 2);
    assert_eq!(count(&shop, "select count(*) from payment").await, 2, "the first period, and the change");
}

#[tokio::test]
async fn fewer_seats_come_with_the_next_period_and_can_be_taken_back() {
    let (shop, ada) = subscribed(3, Interval::Month, Card::Good).await;
    let end = details(&shop).await.state.period_end;
    let fewer = subscription::change(shop.ctx(), &ada, &seats(1)).await.expect("changed");
    assert!(fewer.preview.due_now.is_zero() && fewer.preview.lines.is_empty());
    assert_eq!((fewer.preview.effective_at, fewer.preview.renewal.amount), (end, 1900));
    assert_eq!((fewer.subscription.seats, fewer.subscription.next.map(|next| next.seats)), (3, Some(1)));

    let more = subscription::change(shop.ctx(), &ada, &seats(4)).await;
    assert!(matches!(more, Err(Error::Conflict(_))), "{more:?}");
    let back = subscription::change(shop.ctx(), &ada, &seats(3)).await.expect("taken back");
    assert_eq!((back.subscription.seats, back.subscription.next), (3, None));
    assert!(back.preview.due_now.is_zero());
    // Wished again after that, it is a new wish: no answer of before is given.
    let again = subscription::change(shop.ctx(), &ada, &seats(1)).await.expect("changed");
    assert_eq!(again.subscription.next.map(|next| next.seats), Some(1));

    days_pass(&shop, 32).await;
    let moved = details(&shop).await.state;
    assert_eq!((moved.seats, moved.next, moved.status), (1, None, SubscriptionStatus::Active));
    let paid = count(&shop, "select amount from payment order by paid_at desc, id desc limit 1").await;
    assert_eq!(paid, 1900);
}

#[tokio::test]
async fn monthly_becomes_yearly_now_and_yearly_does_not_become_monthly() {
    let (shop, ada) = subscribed(1, Interval::Month, Card::Good).await;
    let yearly = SubscriptionChange { interval: Some(Interval::Year), ..SubscriptionChange::default() };
    let changed = subscription::change(shop.ctx(), &ada, &yearly).await.expect("changed");
    assert_eq!(changed.subscription.interval, Interval::Year);
    assert!(changed.preview.due_now.amount > 0 && changed.preview.due_now.amount < 19_000);
    let monthly = SubscriptionChange { interval: Some(Interval::Month), ..SubscriptionChange::default() };
    let refused = subscription::change(shop.ctx(), &ada, &monthly).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    shop.deliver().await;
}

#[tokio::test]
async fn a_declined_card_changes_nothing() {
    let (shop, ada) = subscribed(1, Interval::Month, Card::DeclinesRenewals).await;
    let before = details(&shop).await.state;
    let refused = subscription::change(shop.ctx(), &ada, &seats(2)).await;
    assert!(matches!(refused, Err(Error::Declined(_))), "{refused:?}");
    shop.deliver().await;
    assert_eq!(details(&shop).await.state, before);
    assert_eq!(count(&shop, "select count(*) from payment").await, 1);
    // The next try is a new one for Stripe: its first answer is not repeated once there is a better card.
    let failed = "select count(*) from audit_event where action = 'subscription.change_failed'";
    assert_eq!(count(&shop, failed).await, 1);
}

#[tokio::test]
async fn wishes_that_make_no_sense_are_refused() {
    let (shop, ada) = subscribed(2, Interval::Month, Card::Good).await;
    let refused = async |wish: SubscriptionChange| subscription::change(shop.ctx(), &ada, &wish).await;
    for (wish, field) in [
        (seats(0), "seats"),
        (seats(10_001), "seats"),
        (SubscriptionChange { tier: Some(Tier::Free), ..SubscriptionChange::default() }, "tier"),
        (SubscriptionChange { interval: Some(Interval::Once), ..SubscriptionChange::default() }, "interval"),
    ] {
        match refused(wish).await {
            Err(Error::Invalid(problems)) => assert_eq!(problems[0].field, field),
            other => panic!("{wish:?} is refused: {other:?}"),
        }
    }
    assert!(matches!(refused(seats(2)).await, Err(Error::Conflict(_))), "it is so already");
    let by_quote = SubscriptionChange { tier: Some(Tier::Enterprise), ..SubscriptionChange::default() };
    assert!(matches!(refused(by_quote).await, Err(Error::PriceUnavailable)));

    let grace = shop.app.signed_in("grace@example.com", Role::Customer).await;
    let nothing = subscription::change(shop.ctx(), &grace, &seats(3)).await;
    assert!(matches!(nothing, Err(Error::NotFound)), "{nothing:?}");
    assert_eq!(subscription::current(shop.ctx(), &grace).await.expect("asked"), None);
    assert!(matches!(subscription::portal(shop.ctx(), &grace).await, Err(Error::NotFound)));
    let nobody = subscription::cancel(shop.ctx(), &Caller::Anonymous).await;
    assert!(matches!(nobody, Err(Error::Denied(Denied::Unauthenticated))), "{nobody:?}");
    shop.deliver().await;
}

#[tokio::test]
async fn cancelled_it_ends_with_its_period_unless_it_is_kept() {
    let (shop, ada) = subscribed(1, Interval::Month, Card::Good).await;
    for _ in 0..2 {
        let cancelled = subscription::cancel(shop.ctx(), &ada).await.expect("cancelled");
        assert!(cancelled.cancel_at_period_end && cancelled.status == SubscriptionStatus::Active);
    }
    shop.deliver().await;
    assert_eq!(mails(&shop, "subscription_cancelled").await, 1);
    assert!(matches!(subscription::change(shop.ctx(), &ada, &seats(2)).await, Err(Error::Conflict(_))));

    let kept = subscription::resume(shop.ctx(), &ada).await.expect("kept");
    assert!(!kept.cancel_at_period_end);
    assert!(matches!(subscription::resume(shop.ctx(), &ada).await, Err(Error::Conflict(_))));
    subscription::cancel(shop.ctx(), &ada).await.expect("cancelled again");
    days_pass(&shop, 32).await;
    let ended = subscription::current(shop.ctx(), &ada).await.expect("asked").expect("the last one");
    assert_eq!(ended.status, SubscriptionStatus::Ended);
    assert_eq!(ends(&shop).await, ["canceled"]);
    assert_eq!(mails(&shop, "subscription_ended").await, 1);
    for refused in [
        subscription::change(shop.ctx(), &ada, &seats(2)).await.map(|_| ()),
        subscription::resume(shop.ctx(), &ada).await.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    assert_eq!(count(&shop, "select count(*) from payment").await, 1);
}

#[tokio::test]
async fn the_card_is_changed_on_a_page_of_the_provider() {
    let (shop, ada) = subscribed(1, Interval::Month, Card::Good).await;
    let portal = subscription::portal(shop.ctx(), &ada).await.expect("a page");
    assert!(portal.url.starts_with(shop.stripe.url()), "{}", portal.url);
}

/// The daily round, twice: what was told once is not told again.
async fn daily_round(shop: &Shop) {
    for _ in 0..2 {
        Dunning {}.run(shop.ctx().clone()).await.expect("the round");
    }
}

#[tokio::test]
async fn an_unpaid_renewal_is_told_on_its_days_and_then_stops_it() {
    let (shop, ada) = subscribed(1, Interval::Month, Card::DeclinesRenewals).await;
    days_pass(&shop, 32).await;
    let due = details(&shop).await;
    let since = due.state.past_due_since.expect("a payment is due");
    assert_eq!(due.state.status, SubscriptionStatus::PastDue);
    assert_eq!(due.state.grace_until, Some(since + subscription::GRACE));
    assert_eq!(mails(&shop, "payment_due").await, 1);
    let invoice = due.state.told.about.clone().expect("the invoice");
    subscription::payment_failed(shop.ctx(), &invoice).await.expect("heard again");
    assert_eq!(mails(&shop, "payment_due").await, 1);
    assert!(matches!(subscription::change(shop.ctx(), &ada, &seats(2)).await, Err(Error::Conflict(_))));

    for (days, told) in [(3, 2), (4, 3), (5, 4), (1, 4)] {
        shop.ctx().clock.advance(Duration::days(days));
        daily_round(&shop).await;
        assert_eq!(mails(&shop, "payment_due").await, told, "{days} days later");
    }
    assert_eq!(ends(&shop).await, Vec::<String>::new());
    shop.ctx().clock.advance(Duration::days(1));
    daily_round(&shop).await;
    assert_eq!(ends(&shop).await, ["unpaid"]);
    assert_eq!(mails(&shop, "subscription_unpaid").await, 1);
    let over = details(&shop).await.state;
    assert_eq!((over.status, over.grace_until), (SubscriptionStatus::PastDue, due.state.grace_until));

    // Paid after all, it is as before, and its owner is told.
    shop.stripe.world(|world| world.change(&due.stripe_id, |theirs| theirs["status"] = json!("active")));
    subscription::sync(shop.ctx(), &due.stripe_id).await.expect("asked");
    let back = details(&shop).await.state;
    assert_eq!((back.status, back.past_due_since), (SubscriptionStatus::Active, None));
    assert_eq!(mails(&shop, "payment_recovered").await, 1);
    shop.deliver().await;
}

#[tokio::test]
async fn what_stripe_ends_after_we_stopped_it_is_not_ended_twice() {
    let (shop, _) = subscribed(1, Interval::Month, Card::DeclinesRenewals).await;
    days_pass(&shop, 32).await;
    let due = details(&shop).await;
    shop.ctx().clock.advance(subscription::GRACE);
    daily_round(&shop).await;
    let ended = shop.ctx().clock.now().unix_timestamp();
    shop.stripe.world(|world| {
        world.change(&due.stripe_id, |theirs| {
            theirs["status"] = json!("canceled");
            theirs["ended_at"] = json!(ended);
        })
    });
    for _ in 0..2 {
        subscription::sync(shop.ctx(), &due.stripe_id).await.expect("asked");
    }
    assert_eq!(details(&shop).await.state.status, SubscriptionStatus::Ended);
    assert_eq!(ends(&shop).await, ["unpaid"]);
    assert_eq!(mails(&shop, "subscription_ended").await, 0, "it was told that it stopped");
    shop.deliver().await;
}
