//! Money that goes back takes the license along, and brings it back.

use devforge::{
    billing::{payment, refund, refund::Wanted},
    contract::{id::PaymentId, payment::OrderStatus},
};
use stripe_simulator::Verdict;

use super::*;
use crate::licenses::check;

const ALL: Wanted<'static> =
    Wanted { amount: None, reason: "The customer asked", consequence: None, request_key: None };

/// What was paid last.
async fn last_payment(shop: &Shop) -> payment::Payment {
    let id: uuid::Uuid = sqlx::query_scalar("select id from payment order by paid_at desc, id desc limit 1")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("a payment");
    payment::find(shop.ctx(), PaymentId::from_uuid(id)).await.expect("read").expect("there")
}

async fn give_back(shop: &Shop, wanted: &Wanted<'_>) {
    let payment = last_payment(shop).await;
    let admin = shop.admin().await;
    refund::of_payment(shop.ctx(), &admin, payment.id, wanted).await.expect("refunded");
    caught_up(shop).await;
}

#[tokio::test]
async fn all_of_the_money_takes_it_away_and_a_refund_that_fails_brings_it_back() {
    let (shop, ada, order) = bought(Interval::Once, 2, Card::RefundFailsLater).await;
    let license = only(&shop, order).await;
    let key = life::reveal(shop.ctx(), &ada, license.id).await.expect("shown");
    let joined = license::machine::activate(shop.ctx(), &client(), &activate_on(&key, ADA, "m1")).await;
    assert!(joined.expect("answered").activated);

    give_back(&shop, &ALL).await;
    assert_eq!(shop.read(order).await.status, OrderStatus::Refunded);
    assert_eq!(code(&shop.app, &check_on(&key, "m1")).await, LicenseCode::Revoked);
    follow::order(shop.ctx(), order).await.expect("followed again");
    assert_eq!(mails(&shop, "license_revoked").await, 1);

    let at_stripe: String = sqlx::query_scalar("select stripe_id from refund")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one refund");
    shop.stripe.fail_refund(&at_stripe).expect("failed");
    caught_up(&shop).await;
    assert_eq!(code(&shop.app, &check_on(&key, "m1")).await, LicenseCode::Valid);
    assert_eq!(code(&shop.app, &check(&key)).await, LicenseCode::MachineRequired);
}

#[tokio::test]
async fn what_happens_to_all_licenses_of_an_order_is_one_mail() {
    let (shop, ada, order) = bought(Interval::Once, 12, Card::Good).await;
    let license = only(&shop, order).await;
    license::issue::split(shop.ctx(), &ada, license.id, None).await.expect("split");
    assert_eq!(licenses(&shop, order).await.len(), 12);
    give_back(&shop, &ALL).await;
    assert!(licenses(&shop, order).await.iter().all(|license| !license.revoked_by.is_empty()));
    assert_eq!(mails(&shop, "license_revoked").await, 1);
    let text: String = sqlx::query_scalar("select text from mail_message where kind = 'license_revoked'")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one mail");
    assert!(text.contains("12 Dev Forge licenses"), "{text}");
    let told =
        "select count(*) from outbox where topic = 'license.changed' and payload->>'status' = 'revoked'";
    assert_eq!(count(&shop, told).await, 12, "each is told of by itself");
}

#[tokio::test]
async fn a_part_of_the_money_takes_nothing_away() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    give_back(&shop, &Wanted { amount: Some(100), ..ALL }).await;
    assert_eq!(shop.read(order).await.status, OrderStatus::PartiallyRefunded);
    assert_eq!(status(&shop, order).await, LicenseStatus::Active);
}

#[tokio::test]
async fn a_renewal_that_goes_back_ends_it_as_well() {
    let (shop, _, order) = bought(Interval::Month, 1, Card::Good).await;
    days_pass(&shop, 32).await;
    let renewal = last_payment(&shop).await;
    assert_eq!(renewal.order, None);
    give_back(&shop, &ALL).await;
    assert_eq!(status(&shop, order).await, LicenseStatus::Revoked);
    assert_eq!(details(&shop).await.state.status, SubscriptionStatus::Ended);
}

/// Has a bank question a payment and decide, and gives how the license stands in between and at the end.
async fn questioned(shop: &Shop, order: OrderId, verdict: Verdict) -> [LicenseStatus; 2] {
    let charge = last_payment(shop).await.charge_id;
    let dispute = shop.stripe.open_dispute(&charge).expect("opened");
    let dispute = dispute["id"].as_str().expect("an id").to_owned();
    caught_up(shop).await;
    let meanwhile = status(shop, order).await;
    shop.ctx().clock.advance(Duration::seconds(5));
    shop.stripe.close_dispute(&dispute, verdict).expect("closed");
    caught_up(shop).await;
    [meanwhile, status(shop, order).await]
}

#[tokio::test]
async fn a_dispute_holds_it_back_until_the_bank_decides() {
    for (verdict, end) in [(Verdict::Won, LicenseStatus::Active), (Verdict::Lost, LicenseStatus::Revoked)] {
        let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
        assert_eq!(questioned(&shop, order, verdict).await, [LicenseStatus::Suspended, end]);
        assert!(only(&shop, order).await.suspended_by.is_empty());
    }
}

#[tokio::test]
async fn a_dispute_about_a_renewal_counts_as_well() {
    for (verdict, end) in [(Verdict::Won, LicenseStatus::Active), (Verdict::Lost, LicenseStatus::Revoked)] {
        let (shop, _, order) = bought(Interval::Month, 1, Card::Good).await;
        days_pass(&shop, 32).await;
        assert_eq!(last_payment(&shop).await.order, None);
        assert_eq!(questioned(&shop, order, verdict).await, [LicenseStatus::Suspended, end]);
    }
}

#[tokio::test]
async fn what_staff_decided_is_not_undone_by_a_bank() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::Good).await;
    let admin = shop.admin().await;
    let license = only(&shop, order).await;
    life::suspend(shop.ctx(), &admin, license.id, "A leaked key").await.expect("suspended");
    let stands = questioned(&shop, order, Verdict::Won).await;
    assert_eq!(stands, [LicenseStatus::Suspended, LicenseStatus::Suspended]);
}

#[tokio::test]
async fn what_went_back_before_it_was_given_out_is_not_given_out() {
    let (shop, _, order) = bought(Interval::Once, 1, Card::RefundFailsLater).await;
    give_back(&shop, &ALL).await;
    let forget = "with gone as (delete from license) update billing_order set fulfilled_at = null";
    sqlx::query(forget).execute(&shop.ctx().db).await.expect("as if it never was");
    follow::order(shop.ctx(), order).await.expect("followed");
    assert!(licenses(&shop, order).await.is_empty());
    assert_eq!(shop.read(order).await.fulfilled_at, None);

    let at_stripe: String = sqlx::query_scalar("select stripe_id from refund")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one refund");
    shop.stripe.fail_refund(&at_stripe).expect("failed");
    caught_up(&shop).await;
    assert_eq!(status(&shop, order).await, LicenseStatus::Active);
    assert!(shop.read(order).await.fulfilled_at.is_some());
}
