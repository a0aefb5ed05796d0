//! What is kept of people who buy, or nearly did: only what is needed, and not for longer.

use devforge::{
    account::{self, AnonymizeAccounts, Caller},
    billing::{
        order,
        order::Order,
        refund,
        retention::{self, EmptyUnpaid, KEEP_UNPAID},
        subscription,
    },
    contract::{
        account::Role,
        id::{OrderId, UserId},
        payment::{Interval, OrderStatus, Tier},
    },
    jobs::Job,
};
use serde_json::{Value, json};
use stripe_simulator::Card;
use time::Duration;

use crate::shop::{Shop, want};

const GUEST: &str = "grace@example.com";
const ADA: &str = "ada@example.com";

/// The address, name and tax id of an order's customer, and where they live.
async fn buyer(shop: &Shop, order: OrderId) -> (String, String, Option<String>, Value) {
    sqlx::query_as(
        "select c.email, c.name, c.tax_id, c.address
         from billing_order o join billing_customer c on c.id = o.customer_id where o.id = $1",
    )
    .bind(order.uuid())
    .fetch_one(&shop.ctx().db)
    .await
    .expect("read")
}

async fn is_known(shop: &Shop, order: &Order) -> bool {
    let order = shop.read(order.id).await;
    let (email, name, _, address) = buyer(shop, order.id).await;
    let known = [!retention::is_emptied(&order), email != "removed@removed.invalid", !name.is_empty()];
    let place = !address["city"].as_str().expect("an address keeps its form").is_empty();
    assert!(known.iter().all(|part| *part == place), "whole or empty: {known:?} {address}");
    place
}

/// Time goes by, here and at Stripe. Nothing of it is told.
fn pass(shop: &Shop, time: Duration) {
    shop.stripe.advance(time.whole_seconds()).expect("time goes by");
    shop.ctx().clock.advance(time);
}

async fn empty_unpaid(shop: &Shop) {
    EmptyUnpaid {}.run(shop.ctx().clone()).await.expect("emptied");
}

/// Has the one subscription set to end, or not, and gives all names and texts of the mails about that.
async fn set_to_end(shop: &Shop, ends: bool) -> Vec<(Option<String>, String)> {
    let id: String = sqlx::query_scalar("select stripe_id from subscription")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("one subscription");
    shop.stripe.world(|world| world.change(&id, |theirs| theirs["cancel_at_period_end"] = json!(ends)));
    shop.ctx().clock.advance(Duration::MINUTE);
    subscription::sync(shop.ctx(), &id).await.expect("read anew");
    sqlx::query_as(
        "select to_name, text from mail_message where kind = 'subscription_cancelled' order by created_at, id",
    )
    .fetch_all(&shop.ctx().db)
    .await
    .expect("read")
}

#[tokio::test]
async fn a_guest_s_account_has_nothing_of_what_was_typed_but_the_address() {
    let shop = Shop::open().await;
    let order = shop.buy(GUEST, Tier::Pro, Interval::Once, 1).await;
    let (name, proven): (String, bool) =
        sqlx::query_as("select name, email_verified_at is not null from account where id = $1")
            .bind(order.account.map(UserId::uuid))
            .fetch_one(&shop.ctx().db)
            .await
            .expect("an account");
    assert_eq!((name.as_str(), proven), ("grace", false));
    assert_eq!(buyer(&shop, order.id).await.1, "Grace Hopper", "the invoice names who was typed");
}

#[tokio::test]
async fn a_subscriber_is_called_by_name_once_the_address_is_proven() {
    let shop = Shop::open().await;
    let order = shop.buy(GUEST, Tier::Pro, Interval::Month, 1).await;
    let unproven = set_to_end(&shop, true).await;
    assert_eq!(unproven.len(), 1);
    assert_eq!(unproven[0].0, None);
    assert!(unproven[0].1.contains("Hello,"), "{}", unproven[0].1);
    assert!(!unproven[0].1.contains("Hopper"), "{}", unproven[0].1);

    let id = order.account.map(UserId::uuid);
    sqlx::query("update account set email_verified_at = created_at, name = 'Grace H.' where id = $1")
        .bind(id)
        .execute(&shop.ctx().db)
        .await
        .expect("proven");
    set_to_end(&shop, false).await;
    let proven = set_to_end(&shop, true).await;
    assert_eq!(proven.len(), 2);
    assert_eq!(proven[1].0.as_deref(), Some("Grace H."));
    assert!(proven[1].1.contains("Hello Grace H.,"), "{}", proven[1].1);

    sqlx::query("update account set deleted_at = created_at where id = $1")
        .bind(id)
        .execute(&shop.ctx().db)
        .await
        .expect("gone");
    set_to_end(&shop, false).await;
    assert_eq!(set_to_end(&shop, true).await.len(), 2, "nobody is written to whose account is gone");
}

#[tokio::test]
async fn what_was_never_paid_is_forgotten_after_a_month_and_the_rest_stays() {
    let shop = Shop::open().await;
    let paid = shop.buy("paid@example.com", Tier::Pro, Interval::Once, 1).await;
    let unpaid = shop.order(&want(GUEST, Tier::Pro, Interval::Once, 2)).await;
    pass(&shop, KEEP_UNPAID);
    let later = shop.order(&want("later@example.com", Tier::Pro, Interval::Once, 1)).await;
    empty_unpaid(&shop).await;
    assert!(is_known(&shop, &unpaid).await, "its last try ended less than a month ago");

    pass(&shop, order::TIME_TO_PAY + Duration::MINUTE);
    for _ in 0..2 {
        empty_unpaid(&shop).await;
        assert!(!is_known(&shop, &unpaid).await);
        assert!(is_known(&shop, &paid).await && is_known(&shop, &later).await);
    }
    let emptied = shop.read(unpaid.id).await;
    assert_eq!(emptied.session_url, None);
    assert_eq!((emptied.total, emptied.seats), (unpaid.total, 2), "what was wanted stays");
    assert_eq!(buyer(&shop, unpaid.id).await.2, None);
}

#[tokio::test]
async fn what_a_bank_still_works_on_is_not_forgotten() {
    let shop = Shop::open().await;
    let order = shop.order(&want(GUEST, Tier::Pro, Interval::Once, 1)).await;
    shop.pay(&order, Card::Slow);
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Processing);
    shop.ctx().clock.advance(KEEP_UNPAID * 2);
    empty_unpaid(&shop).await;
    assert!(is_known(&shop, &order).await);
}

#[tokio::test]
async fn an_account_that_ends_takes_along_what_it_did_not_pay() {
    let shop = Shop::open().await;
    let ada: Caller = shop.app.signed_in(ADA, Role::Customer).await;
    let request = want(ADA, Tier::Pro, Interval::Once, 1);
    let paid = shop.buy_as(&ada, &request).await;
    refund::ask(shop.ctx(), &ada, paid.id, "It does not run on my old machine").await.expect("asked");
    let open = shop.order_of(&ada, &request).await;
    let others = shop.order(&want(GUEST, Tier::Pro, Interval::Once, 1)).await;
    account::request_deletion(shop.ctx(), &ada, ADA).await.expect("asked for");
    shop.ctx().clock.advance(account::THINK_AGAIN_FOR);
    AnonymizeAccounts {}.run(shop.ctx().clone()).await.expect("done");

    let gone = shop.read(open.id).await;
    assert_eq!((gone.status, gone.session_url.as_deref()), (OrderStatus::Expired, None));
    assert!(!is_known(&shop, &open).await);
    assert!(is_known(&shop, &paid).await, "the law wants invoices kept");
    assert!(is_known(&shop, &others).await);
    let wish: String = sqlx::query_scalar("select message from refund_request")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("there");
    assert_eq!(wish, "(removed)");

    shop.app.run_jobs().await;
    let session = open.session_id.expect("it had a page to pay on");
    let session = shop.ctx().stripe().expect("payments").session(&session).await.expect("there");
    assert_eq!(session.status.as_deref(), Some("expired"), "nobody can pay on it any more");
}

#[tokio::test]
async fn of_what_stripe_says_only_ids_are_kept() {
    let shop = Shop::open().await;
    shop.buy(GUEST, Tier::Pro, Interval::Month, 1).await;
    let bodies: Vec<String> =
        sqlx::query_scalar("select body from webhook_inbox").fetch_all(&shop.ctx().db).await.expect("read");
    assert!(!bodies.is_empty());
    for body in &bodies {
        let kept: Value = serde_json::from_str(body).expect("JSON");
        assert!(kept["id"].is_string() && kept["type"].is_string() && kept["created"].is_i64(), "{body}");
        let object = kept["data"]["object"].as_object().expect("an object");
        assert!(object.contains_key("id") && object.values().all(Value::is_string), "{body}");
        for word in [GUEST, "Hopper", "Main Street", "94105"] {
            assert!(!body.contains(word), "{body}");
        }
    }
}
