//! Licenses follow what they were bought with: one for each paid line, for as long as it is paid.

mod back;
mod owners;
mod repeats;

use devforge::{
    account::Caller,
    billing::subscription::{self, Details, Dunning},
    contract::{
        account::Role,
        id::OrderId,
        license::{LicenseCode, LicenseOrigin, LicenseStatus, RenewRequest},
        payment::{Interval, SubscriptionChange, SubscriptionStatus, Tier},
    },
    jobs::Job,
    license::{self, License, follow, life, rules::LATE_NEWS},
    outbox::relay,
};
use serde_json::json;
use stripe_simulator::Card;
use time::{Duration, OffsetDateTime};

use crate::{
    eventually::eventually,
    licenses::{activate_on, check_on, code},
    shop::{Shop, want},
    support::client,
};

const DAY: i64 = 24 * 60 * 60;
const ADA: &str = "ada@example.com";

/// Whatever has happened becomes work, and is done.
async fn caught_up(shop: &Shop) {
    shop.deliver().await;
    eventually("what happened is work", async || {
        relay::step(shop.ctx()).await.expect("relayed");
        (!relay::is_behind(shop.ctx()).await.expect("asked")).then_some(())
    })
    .await;
    shop.app.run_jobs().await;
}

/// Time goes by, here and at Stripe, and everything is told.
async fn days_pass(shop: &Shop, days: i64) {
    shop.stripe.advance(days * DAY).expect("time goes by");
    shop.ctx().clock.advance(Duration::days(days));
    caught_up(shop).await;
}

async fn licenses(shop: &Shop, order: OrderId) -> Vec<License> {
    license::of_order(shop.ctx(), order).await.expect("read")
}

/// The only one there is.
async fn only(shop: &Shop, order: OrderId) -> License {
    let mut all = licenses(shop, order).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn status(shop: &Shop, order: OrderId) -> LicenseStatus {
    only(shop, order).await.status(shop.ctx().clock.now())
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

async fn details(shop: &Shop) -> Details {
    let id: String = sqlx::query_scalar("select stripe_id from subscription")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one subscription");
    subscription::by_stripe(shop.ctx(), &id).await.expect("asked").expect("there")
}

/// Ada, and what she has bought with this card.
async fn bought(interval: Interval, seats: u32, card: Card) -> (Shop, Caller, OrderId) {
    let shop = Shop::open().await;
    sqlx::query("update price set trial_days = 0").execute(&shop.ctx().db).await.expect("no trials");
    let ada = shop.app.signed_in(ADA, Role::Customer).await;
    let order = shop.order_of(&ada, &want(ADA, Tier::Pro, interval, seats)).await;
    shop.pay(&order, card);
    caught_up(&shop).await;
    (shop, ada, order.id)
}

/// What Stripe says of the one subscription from now on, heard of here.
async fn at_stripe(shop: &Shop, status: &str) {
    let id = details(shop).await.stripe_id;
    shop.stripe.world(|world| world.change(&id, |theirs| theirs["status"] = json!(status)));
    shop.ctx().clock.advance(Duration::MINUTE);
    subscription::sync(shop.ctx(), &id).await.expect("asked");
    caught_up(shop).await;
}

fn to_the_second(at: Option<OffsetDateTime>) -> Option<i64> {
    at.map(OffsetDateTime::unix_timestamp)
}

#[tokio::test]
async fn what_is_bought_once_is_good_on_its_machines_and_does_not_end() {
    let (shop, ada, order) = bought(Interval::Once, 3, Card::Good).await;
    let license = only(&shop, order).await;
    assert_eq!((license.tier, license.seats, license.machine_limit()), (Tier::Pro, 3, 9));
    assert_eq!((license.origin, license.expires_at), (LicenseOrigin::Order, None));
    assert_eq!(license.account, ada.user().map(|user| user.id));
    assert_eq!(license.email, ADA);
    assert!(shop.read(order).await.fulfilled_at.is_some());
    assert_eq!(mails(&shop, "license_issued").await, 1);

    let key = life::reveal(shop.ctx(), &ada, license.id).await.expect("shown to its owner");
    let joined = license::machine::activate(shop.ctx(), &client(), &activate_on(&key, ADA, "m1")).await;
    assert!(joined.expect("answered").activated);
    assert_eq!(code(&shop.app, &check_on(&key, "m1")).await, LicenseCode::Valid);
}

#[tokio::test]
async fn a_guest_s_license_is_their_new_account_s() {
    let shop = Shop::open().await;
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 1).await;
    caught_up(&shop).await;
    let license = only(&shop, order.id).await;
    assert!(license.account.is_some());
    assert_eq!((license.account, license.email.as_str()), (order.account, "grace@example.com"));
}

#[tokio::test]
async fn each_paid_line_has_a_license_of_its_own() {
    let (shop, _, order) = bought(Interval::Once, 2, Card::Good).await;
    sqlx::query(
        "insert into order_line (id, order_id, position, price_id, tier, description, quantity, unit_amount, discount,
             net, tax_rate, tax, tax_country, tax_reason)
         select $2, order_id, 1, price_id, 'enterprise', description, 4, 0, 0, 0, tax_rate, 0, tax_country, tax_reason
         from order_line where order_id = $1",
    )
    .bind(order.uuid())
    .bind(shop.ctx().random.uuid_v7(shop.ctx().clock.now()))
    .execute(&shop.ctx().db)
    .await
    .expect("a second line");
    for _ in 0..2 {
        follow::order(shop.ctx(), order).await.expect("followed");
    }
    let mut plans: Vec<_> = licenses(&shop, order).await.iter().map(|it| (it.tier, it.seats)).collect();
    plans.sort_unstable();
    assert_eq!(plans, [(Tier::Pro, 2), (Tier::Enterprise, 4)]);
}

#[tokio::test]
async fn a_renewal_moves_the_end_on_and_a_cancellation_lets_it_stand() {
    let (shop, ada, order) = bought(Interval::Month, 1, Card::Good).await;
    let first = only(&shop, order).await;
    let end = details(&shop).await.state.period_end;
    assert_eq!(to_the_second(first.expires_at), Some(end.unix_timestamp()));
    assert_eq!(to_the_second(first.good_until), Some((end + LATE_NEWS).unix_timestamp()));

    days_pass(&shop, 32).await;
    let renewed = only(&shop, order).await;
    assert_eq!(renewed.id, first.id);
    assert!(renewed.expires_at > first.expires_at);
    assert_eq!(status(&shop, order).await, LicenseStatus::Active);

    let ada = shop.app.signed_in_again(&ada.user().expect("Ada").email).await;
    subscription::cancel(shop.ctx(), &ada).await.expect("cancelled");
    caught_up(&shop).await;
    let cancelled = only(&shop, order).await;
    assert_eq!(cancelled.expires_at, renewed.expires_at, "what is paid for stays");
    assert_eq!(cancelled.good_until, cancelled.expires_at);
    days_pass(&shop, 32).await;
    assert_eq!(status(&shop, order).await, LicenseStatus::Expired);
    assert_eq!(mails(&shop, "license_issued").await, 1);
}

#[tokio::test]
async fn what_staff_prolongs_after_the_end_is_not_ended_again() {
    let (shop, ada, order) = bought(Interval::Month, 1, Card::Good).await;
    subscription::cancel(shop.ctx(), &ada).await.expect("cancelled");
    days_pass(&shop, 40).await;
    assert_eq!(status(&shop, order).await, LicenseStatus::Expired);
    let request = RenewRequest { months: Some(2), ..RenewRequest::default() };
    let license = only(&shop, order).await;
    life::renew(shop.ctx(), &shop.admin().await, license.id, &request).await.expect("prolonged");
    let prolonged = only(&shop, order).await;
    follow::order(shop.ctx(), order).await.expect("followed");
    assert_eq!(only(&shop, order).await, prolonged);
    assert_eq!(status(&shop, order).await, LicenseStatus::Active);
}

#[tokio::test]
async fn while_a_payment_is_due_it_goes_on_for_its_grace() {
    let (shop, _, order) = bought(Interval::Month, 1, Card::DeclinesRenewals).await;
    days_pass(&shop, 32).await;
    let due = details(&shop).await.state;
    assert_eq!(due.status, SubscriptionStatus::PastDue);
    let license = only(&shop, order).await;
    let paid_until = due.past_due_since.map(|since| since.min(due.period_end));
    assert_eq!(to_the_second(license.expires_at), to_the_second(paid_until));
    assert_eq!(to_the_second(license.good_until), to_the_second(due.grace_until));
    assert_eq!(status(&shop, order).await, LicenseStatus::Grace);

    shop.ctx().clock.advance(subscription::GRACE);
    Dunning {}.run(shop.ctx().clone()).await.expect("the round");
    caught_up(&shop).await;
    assert_eq!(status(&shop, order).await, LicenseStatus::Expired);
    at_stripe(&shop, "active").await;
    assert_eq!(status(&shop, order).await, LicenseStatus::Active, "paid after all");
}

#[tokio::test]
async fn more_seats_are_had_at_once_and_fewer_with_the_next_period() {
    let (shop, ada, order) = bought(Interval::Month, 3, Card::Good).await;
    let wish = |seats| SubscriptionChange { seats: Some(seats), ..SubscriptionChange::default() };
    subscription::change(shop.ctx(), &ada, &wish(5)).await.expect("changed");
    caught_up(&shop).await;
    let more = only(&shop, order).await;
    assert_eq!((more.seats, more.machine_limit()), (5, 15));
    shop.ctx().clock.advance(Duration::MINUTE);
    subscription::change(shop.ctx(), &ada, &wish(2)).await.expect("changed");
    caught_up(&shop).await;
    assert_eq!(only(&shop, order).await.seats, 5, "they are paid for");
    days_pass(&shop, 32).await;
    assert_eq!(only(&shop, order).await.seats, 2);
}

#[tokio::test]
async fn a_paused_subscription_holds_its_license_back() {
    let (shop, _, order) = bought(Interval::Month, 1, Card::Good).await;
    for _ in 0..2 {
        at_stripe(&shop, "paused").await;
        assert_eq!(status(&shop, order).await, LicenseStatus::Suspended);
        at_stripe(&shop, "active").await;
        assert_eq!(status(&shop, order).await, LicenseStatus::Active);
    }
}

#[tokio::test]
async fn the_license_of_a_trial_subscription_goes_on_when_it_is_paid() {
    let shop = Shop::open_with_trials().await;
    // Trials are for whoever is signed in.
    let ada = shop.app.signed_in(ADA, Role::Customer).await;
    let order = shop.buy_as(&ada, &want(ADA, Tier::Pro, Interval::Month, 1)).await;
    caught_up(&shop).await;
    let trial = only(&shop, order.id).await;
    let end = details(&shop).await.state.trial_end;
    assert_eq!(to_the_second(trial.expires_at), to_the_second(end));
    days_pass(&shop, 15).await;
    assert!(only(&shop, order.id).await.expires_at > trial.expires_at);
    assert_eq!(mails(&shop, "license_issued").await, 1);
}
