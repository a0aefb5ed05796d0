//! Whatever is repeated, shuffled, lost or killed on the way: one license, one mail with its key.

use devforge::license::{
    follow::{FollowOrder, SetLicensesRight},
    life::RemindOfEnds,
};
use futures::future::join_all;

use super::*;

async fn one_of_each(shop: &Shop, order: OrderId) {
    only(shop, order).await;
    assert_eq!(mails(shop, "license_issued").await, 1);
    let told = "select count(*) from outbox where topic = 'license.issued'";
    assert_eq!(count(shop, told).await, 1);
    let noted = "select count(*) from audit_event where action = 'license.issued'";
    assert_eq!(count(shop, noted).await, 1);
}

#[tokio::test]
async fn messages_in_the_wrong_order_and_twice_make_one_license() {
    for interval in [Interval::Once, Interval::Month] {
        let shop = Shop::open().await;
        let order = shop.order(&want(ADA, Tier::Pro, interval, 2)).await;
        shop.pay(&order, Card::Good);
        let mut events = shop.stripe.take_events();
        events.reverse();
        for _ in 0..2 {
            for event in &events {
                shop.tell(event).await;
            }
            caught_up(&shop).await;
        }
        one_of_each(&shop, order.id).await;
        assert_eq!(status(&shop, order.id).await, LicenseStatus::Active);
    }
}

#[tokio::test]
async fn a_reader_that_starts_over_makes_nothing_twice() {
    let (shop, _, order) = bought(Interval::Month, 1, Card::Good).await;
    let before = only(&shop, order).await;
    for _ in 0..2 {
        let back = "update outbox_cursor set xid = '0', id = 0";
        sqlx::query(back).execute(&shop.ctx().db).await.expect("back at the start");
        assert!(relay::is_behind(shop.ctx()).await.expect("asked"));
        caught_up(&shop).await;
    }
    assert_eq!(relay::step(shop.ctx()).await.expect("relayed"), 0);
    assert_eq!(only(&shop, order).await, before);
    one_of_each(&shop, order).await;
}

#[tokio::test]
async fn what_was_copied_from_another_cluster_is_read_again_and_so_is_what_comes() {
    let (shop, ada, order) = bought(Interval::Once, 1, Card::Good).await;
    let before = only(&shop, order).await;
    // Transactions here count from far below those of the cluster that all of this comes from.
    for table in ["outbox", "outbox_cursor"] {
        // The names come from the list above.
        let ahead = format!("update {table} set xid = (xid::text::bigint + 1000000000000)::text::xid8");
        sqlx::query(sqlx::AssertSqlSafe(ahead)).execute(&shop.ctx().db).await.expect("far ahead");
    }
    assert!(relay::is_behind(shop.ctx()).await.expect("asked"));
    let second = shop.buy_as(&ada, &want(ADA, Tier::Pro, Interval::Once, 2)).await;
    caught_up(&shop).await;
    assert!(!relay::is_behind(shop.ctx()).await.expect("asked"));
    assert_eq!(only(&shop, second.id).await.seats, 2);
    assert_eq!(only(&shop, order).await, before);
    assert_eq!(mails(&shop, "license_issued").await, 2);
}

#[tokio::test]
async fn a_reader_that_begins_makes_good_what_was_paid_before() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    // As if it had been paid before there were licenses, and its events were gone.
    let forget = "with gone as (delete from license), unread as (delete from outbox_cursor),
             untold as (delete from outbox where topic like 'order.%')
         update billing_order set fulfilled_at = null";
    sqlx::query(forget).execute(&shop.ctx().db).await.expect("as if it never was");
    shop.ctx().clock.advance(Duration::minutes(11));
    caught_up(&shop).await;
    only(&shop, order).await;
}

#[tokio::test]
async fn two_nodes_that_read_at_once_pass_nothing_over() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    let second = shop.app.second().await;
    let back = "update outbox_cursor set xid = '0', id = 0";
    sqlx::query(back).execute(&shop.ctx().db).await.expect("back at the start");
    eventually("both have come to the end", async || {
        let (one, other) = tokio::join!(relay::step(shop.ctx()), relay::step(&second));
        one.expect("relayed");
        other.expect("relayed");
        (!relay::is_behind(shop.ctx()).await.expect("asked")).then_some(())
    })
    .await;
    shop.app.run_jobs().await;
    one_of_each(&shop, order).await;
}

#[tokio::test]
async fn a_job_that_runs_many_times_at_once_makes_one_license() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    let forget = "with gone as (delete from license) update billing_order set fulfilled_at = null";
    sqlx::query(forget).execute(&shop.ctx().db).await.expect("as if it never was");
    let runs = (0..8).map(|_| Box::pin(FollowOrder { order }.run(shop.ctx().clone())));
    for run in join_all(runs).await {
        run.expect("done");
    }
    only(&shop, order).await;
    assert_eq!(mails(&shop, "license_issued").await, 2, "one for each time it was made");
}

#[tokio::test]
async fn a_lost_job_is_made_good_by_the_daily_round() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    let forget = "with gone as (delete from license)
         update billing_order set fulfilled_at = null, updated_at = updated_at - interval '1 year'";
    sqlx::query(forget).execute(&shop.ctx().db).await.expect("as if it never was");
    SetLicensesRight {}.run(shop.ctx().clone()).await.expect("the round");
    assert!(licenses(&shop, order).await.is_empty(), "its job may be about to run");
    shop.ctx().clock.advance(Duration::minutes(11));
    for _ in 0..2 {
        SetLicensesRight {}.run(shop.ctx().clone()).await.expect("the round");
    }
    only(&shop, order).await;
    assert!(shop.read(order).await.fulfilled_at.is_some());
}

#[tokio::test]
async fn what_has_no_license_after_a_month_is_not_looked_at_every_day() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    let forget = "with gone as (delete from license)
         update billing_order set fulfilled_at = null, updated_at = updated_at - interval '1 year'";
    sqlx::query(forget).execute(&shop.ctx().db).await.expect("as if it never was");
    shop.ctx().clock.advance(Duration::days(30) + Duration::HOUR);
    SetLicensesRight {}.run(shop.ctx().clone()).await.expect("the round");
    assert!(licenses(&shop, order).await.is_empty());
}

#[tokio::test]
async fn what_is_over_before_its_license_is_made_is_not_told_of() {
    let (shop, ada, order) = bought(Interval::Month, 1, Card::Good).await;
    subscription::cancel(shop.ctx(), &ada).await.expect("cancelled");
    days_pass(&shop, 40).await;
    let forget = "with gone as (delete from license) update billing_order set fulfilled_at = null";
    sqlx::query(forget).execute(&shop.ctx().db).await.expect("as if it never was");
    follow::order(shop.ctx(), order).await.expect("followed");
    let late = only(&shop, order).await;
    assert_eq!(late.status(shop.ctx().clock.now()), LicenseStatus::Expired);
    RemindOfEnds {}.run(shop.ctx().clone()).await.expect("the round");
    assert_eq!(mails(&shop, "license_expired").await, 0);
    assert_eq!(mails(&shop, "license_issued").await, 1, "the first one's");
}

#[tokio::test]
async fn a_change_that_was_missed_is_made_good_by_the_daily_round() {
    let (shop, _, order) = bought(Interval::Month, 1, Card::Good).await;
    let right = only(&shop, order).await;
    let wrong = "update license set seats = 9, good_until = good_until + interval '1 year'";
    sqlx::query(wrong).execute(&shop.ctx().db).await.expect("wrong");
    SetLicensesRight {}.run(shop.ctx().clone()).await.expect("the round");
    let now = only(&shop, order).await;
    assert_eq!((now.seats, now.good_until), (right.seats, right.good_until));
}

#[tokio::test]
async fn what_is_not_paid_has_no_license() {
    let shop = Shop::open().await;
    let order = shop.order(&want(ADA, Tier::Pro, Interval::Once, 1)).await;
    follow::order(shop.ctx(), order.id).await.expect("followed");
    assert!(licenses(&shop, order.id).await.is_empty());
    shop.pay(&order, Card::Slow);
    caught_up(&shop).await;
    assert!(licenses(&shop, order.id).await.is_empty(), "the bank has not said yes yet");
    assert_eq!(shop.read(order.id).await.fulfilled_at, None);
}
