//! Rounds of looking: what they find, that they put it right, and that two do not look at once.

use devforge::{
    account::Denied,
    billing::{
        Error,
        reconcile::{self, Reconcile, Report, RunState},
        subscription,
    },
    contract::{
        account::Role,
        payment::{Interval, OrderStatus, SubscriptionStatus, Tier},
    },
    jobs::Job,
};
use serde_json::json;
use stripe_simulator::Card;
use time::Duration;

use crate::shop::{Shop, want};

async fn round(shop: &Shop) {
    Reconcile {}.run(shop.ctx().clone()).await.expect("the round");
}

async fn report(shop: &Shop) -> Report {
    let support = shop.app.signed_in(&format!("{}@example.com", uuid(shop)), Role::Support).await;
    reconcile::latest(shop.ctx(), &support).await.expect("the report")
}

/// A name that nobody has yet.
fn uuid(shop: &Shop) -> String {
    shop.ctx().random.uuid_v7(shop.ctx().clock.now()).simple().to_string()
}

async fn stripe_id(shop: &Shop) -> String {
    sqlx::query_scalar("select stripe_id from subscription")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one subscription")
}

/// Somebody at Stripe's own site changes the seats, and we do not hear of it.
fn change_seats(shop: &Shop, stripe_id: &str, seats: u32) {
    shop.stripe.world(|world| {
        world.change(stripe_id, |theirs| theirs["items"]["data"][0]["quantity"] = json!(seats));
    });
}

#[tokio::test]
async fn messages_that_never_came_are_fetched() {
    let shop = Shop::open().await;
    let order = shop.order(&want("ada@example.com", Tier::Pro, Interval::Month, 2)).await;
    shop.pay(&order, Card::Good);
    let lost = shop.stripe.take_events();
    assert!(!lost.is_empty());
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Open);

    // While they may still be on their way, they are left alone.
    round(&shop).await;
    assert_eq!(report(&shop).await.runs[0].events_missed, 0);
    shop.ctx().clock.advance(Duration::minutes(10));
    round(&shop).await;
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
    let found = report(&shop).await;
    assert_eq!(found.runs[0].state(shop.ctx().clock.now()), RunState::Done);
    assert!(found.runs[0].events_missed > 0 && found.runs[0].events_missed <= found.runs[0].events_read);

    // What was fetched is not fetched again.
    shop.ctx().clock.advance(Duration::minutes(10));
    round(&shop).await;
    assert_eq!(report(&shop).await.runs[0].events_missed, 0);
    shop.deliver().await;
}

#[tokio::test]
async fn an_order_that_was_paid_unheard_is_found() {
    let shop = Shop::open().await;
    let order = shop.order(&want("ada@example.com", Tier::Pro, Interval::Once, 1)).await;
    shop.pay(&order, Card::Good);
    shop.stripe.take_events();
    shop.ctx().clock.advance(Duration::minutes(16));
    round(&shop).await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
    let found = report(&shop).await.differences;
    let subject = format!("order {}", order.id);
    let difference = found.iter().find(|difference| difference.subject == subject).expect("it is noted");
    assert_eq!((difference.ours.as_str(), difference.theirs.as_str()), ("open", "paid"));
    shop.deliver().await;
    let payments: i64 =
        sqlx::query_scalar("select count(*) from payment").fetch_one(&shop.ctx().db).await.expect("counted");
    assert_eq!(payments, 1);
}

#[tokio::test]
async fn a_subscription_that_differs_is_noted_and_put_right() {
    let shop = Shop::open().await;
    shop.buy("ada@example.com", Tier::Pro, Interval::Month, 3).await;
    let id = stripe_id(&shop).await;
    round(&shop).await;
    assert!(report(&shop).await.differences.is_empty());

    change_seats(&shop, &id, 5);
    shop.ctx().clock.advance(Duration::hours(1));
    round(&shop).await;
    let found = report(&shop).await;
    assert_eq!(found.runs[0].differences, 1);
    let [difference] = found.differences.as_slice() else { panic!("one difference: {found:?}") };
    assert_eq!(difference.subject, format!("subscription {id}"));
    let told = (difference.field.as_str(), difference.ours.as_str(), difference.theirs.as_str());
    assert_eq!(told, ("seats", "3", "5"));
    let ours = subscription::by_stripe(shop.ctx(), &id).await.expect("asked").expect("there");
    assert_eq!(ours.state.seats, 5);

    shop.ctx().clock.advance(Duration::hours(1));
    round(&shop).await;
    let after = report(&shop).await;
    assert_eq!((after.differences.len(), after.runs[0].differences), (1, 0));
    shop.deliver().await;
}

#[tokio::test]
async fn two_rounds_at_once_find_a_difference_once() {
    let shop = Shop::open().await;
    shop.buy("ada@example.com", Tier::Pro, Interval::Month, 3).await;
    let id = stripe_id(&shop).await;
    change_seats(&shop, &id, 4);
    let other = shop.app.second().await;
    let (one, two) =
        tokio::join!(Box::pin(Reconcile {}.run(shop.ctx().clone())), Box::pin(Reconcile {}.run(other)));
    one.expect("the round");
    two.expect("the round");
    assert_eq!(report(&shop).await.differences.len(), 1);
    shop.deliver().await;
}

#[tokio::test]
async fn a_round_waits_for_another_but_not_for_one_that_died() {
    let shop = Shop::open().await;
    let begun = shop.ctx().clock.now();
    sqlx::query(
        "insert into reconcile_run (id, started_at, events_until, events_read, events_missed, subscriptions_read)
         values ($1, $2, $2, 0, 0, 0)",
    )
    .bind(shop.ctx().random.uuid_v7(begun))
    .bind(begun)
    .execute(&shop.ctx().db)
    .await
    .expect("a round is under way");
    shop.ctx().clock.advance(Duration::minutes(29));
    round(&shop).await;
    assert_eq!(report(&shop).await.runs.len(), 1);
    shop.ctx().clock.advance(Duration::minutes(1));
    round(&shop).await;
    let runs = report(&shop).await.runs;
    let now = shop.ctx().clock.now();
    let states: Vec<RunState> = runs.iter().map(|run| run.state(now)).collect();
    assert_eq!(states, [RunState::Done, RunState::CutOff]);
    shop.deliver().await;
}

#[tokio::test]
async fn what_is_not_ours_and_what_is_gone_are_noted_once() {
    let shop = Shop::open_with_trials().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    shop.buy_as(&ada, &want("", Tier::Pro, Interval::Month, 1)).await;
    let ours = stripe_id(&shop).await;
    shop.stripe.world(|world| {
        let mut other = world.get(&ours).cloned().expect("it is there");
        other["id"] = json!("sub_ofSomebodyElse");
        other["metadata"] = json!({});
        world.put(other);
    });
    let gone = sqlx::query("update subscription set stripe_id = 'sub_gone'").execute(&shop.ctx().db).await;
    gone.expect("ours has another name");
    for _ in 0..2 {
        shop.ctx().clock.advance(Duration::hours(1));
        round(&shop).await;
    }
    let found = report(&shop).await.differences;
    let of = |subject: &str| found.iter().filter(|difference| difference.subject == subject).count();
    assert_eq!(of("subscription sub_ofSomebodyElse"), 1);
    assert_eq!(of("subscription sub_gone"), 1);
    let gone = subscription::by_stripe(shop.ctx(), "sub_gone").await.expect("asked").expect("kept");
    assert_eq!(gone.state.status, SubscriptionStatus::Trialing, "nothing is ended on the word of a list");
    shop.deliver().await;
}

/// Stripe had not told its fee when the charge was written down, and none of the tries after it got an answer.
#[tokio::test]
async fn a_fee_that_was_never_told_is_looked_up_again() {
    let shop = Shop::open().await;
    shop.buy("ada@example.com", Tier::Pro, Interval::Once, 1).await;
    shop.stripe.world(|world| {
        let mut charge = world.all("charge").next().cloned().expect("a charge");
        charge["id"] = json!("ch_withoutFee");
        world.put(charge);
    });
    sqlx::query(
        "insert into payment (id, customer_id, order_id, charge_id, amount, currency, fee, fee_currency, refunded,
             description, paid_at, recorded_at)
         select $1, customer_id, order_id, 'ch_withoutFee', amount, currency, 0, currency, 0, description, paid_at,
             recorded_at
         from payment",
    )
    .bind(shop.ctx().random.uuid_v7(shop.ctx().clock.now()))
    .execute(&shop.ctx().db)
    .await
    .expect("written down without its fee");
    let known = "select count(*) from ledger_transaction where reference = 'fee:ch_withoutFee'";
    for (minutes, told) in [(30, 0), (31, 1), (60, 1)] {
        shop.ctx().clock.advance(Duration::minutes(minutes));
        round(&shop).await;
        round(&shop).await;
        shop.deliver().await;
        let found: i64 = sqlx::query_scalar(known).fetch_one(&shop.ctx().db).await.expect("counted");
        assert_eq!(found, told, "{minutes} minutes later");
    }
}

#[tokio::test]
async fn support_sees_it_and_administrators_begin_it() {
    let shop = Shop::open().await;
    let support = shop.app.signed_in("support@example.com", Role::Support).await;
    let customer = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let admin = shop.admin().await;
    let refused = reconcile::latest(shop.ctx(), &customer).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");
    let refused = reconcile::request(shop.ctx(), &support).await;
    assert!(matches!(refused, Err(Error::Denied(Denied::Forbidden))), "{refused:?}");
    for _ in 0..2 {
        reconcile::request(shop.ctx(), &admin).await.expect("begun");
    }
    shop.deliver().await;
    assert_eq!(reconcile::latest(shop.ctx(), &support).await.expect("seen").runs.len(), 1);
}
