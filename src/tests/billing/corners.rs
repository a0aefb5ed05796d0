//! Corners of buying: tries that overlap, renewals that are taxed, long addresses, keys of yesterday.

use devforge::{
    account::Caller,
    billing::{Error, document, limits, order, settle},
    contract::{
        account::Role,
        money::Rate,
        payment::{CheckoutRequest, Interval, OrderStatus, PaymentMethod, Tier},
    },
};
use serde_json::{Value, json};
use stripe_simulator::Card;
use time::Duration;

use super::api::{CHECKOUT, KEY, order_of, wanted};
use crate::{
    api::client::{call, post},
    shop::{Shop, want},
};

const DAY: i64 = 24 * 60 * 60;

async fn count(shop: &Shop, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&shop.ctx().db).await.expect("counted")
}

#[tokio::test]
async fn a_renewal_is_taxed_at_the_rate_of_its_order() {
    for (country, rate) in [("DE", Rate::percent(19)), ("FI", Rate(255_000))] {
        let shop = Shop::open().await;
        sqlx::query("update price set trial_days = 0").execute(&shop.ctx().db).await.expect("no trials");
        let ada: Caller = shop.app.signed_in("ada@example.com", Role::Customer).await;
        let mut request = want("", Tier::Pro, Interval::Month, 1);
        let address = request.address.as_mut().expect("there");
        country.clone_into(&mut address.country);
        shop.buy_as(&ada, &request).await;
        shop.stripe.advance(32 * DAY).expect("time goes by");
        shop.ctx().clock.advance(Duration::days(32));
        shop.deliver().await;
        assert_eq!(count(&shop, "select count(*) from payment").await, 2, "{country}");
        let invoices = document::list(shop.ctx(), &ada, None, 20).await.expect("listed").items;
        assert_eq!(invoices.len(), 2, "{country}");
        for line in invoices.iter().flat_map(|invoice| &invoice.lines) {
            assert_eq!((line.tax.rate, line.tax.country.as_str()), (rate, country));
            assert_eq!(line.tax.amount, rate.of(line.net));
        }
    }
}

/// Heard late, or twice, the end of an earlier try says nothing of the next: or there would be two pages to pay on.
#[tokio::test]
async fn a_late_word_about_an_earlier_try_changes_nothing_of_the_next() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
    let first = order.session_id.clone().expect("a session");
    shop.pay(&order, Card::Slow);
    shop.deliver().await;
    shop.stripe.settle_slow(&first, false).expect("the bank says no");
    shop.deliver().await;
    let failed = shop.read(order.id).await;
    assert_eq!(failed.status, OrderStatus::Failed);
    order::pay_again(shop.ctx(), &failed).await.expect("a page to pay on");
    settle::session(shop.ctx(), &first).await.expect("heard again");
    let open = shop.read(order.id).await;
    assert_eq!(open.status, OrderStatus::Open);
    order::pay_again(shop.ctx(), &open).await.expect("the same page");
    let pages = shop.stripe.world(|world| {
        let sessions = world.all("checkout.session");
        sessions.filter(|session: &&Value| session["status"] == "open").count()
    });
    assert_eq!(pages, 1);
}

#[tokio::test]
async fn a_long_address_without_a_name_buys() {
    let shop = Shop::open().await;
    let labels = ["b".repeat(60), "c".repeat(60), "d".repeat(30)].join(".");
    let email = format!("{}@{labels}.example.com", "a".repeat(60));
    assert!(email.len() > 200, "longer than a name may be");
    let answer = post(shop.ctx(), CHECKOUT, &wanted(&json!({ "email": email, "name": null }))).await;
    assert_eq!(shop.read(order_of(&answer)).await.email, email);
}

/// Of all messages about a purchase one may be enough.
#[tokio::test]
async fn a_guests_subscription_belongs_to_the_account_that_paying_made() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Month, 1)).await;
    shop.pay(&order, Card::Good);
    drop(shop.stripe.take_events());
    let session = order.session_id.clone().expect("a session");
    settle::session(shop.ctx(), &session).await.expect("asked");
    let paid = shop.read(order.id).await;
    assert!(paid.account.is_some() && paid.status == OrderStatus::Paid);
    let owned = "select count(*) from subscription s join billing_order o on o.account_id = s.account_id";
    assert_eq!(count(&shop, owned).await, 1);
}

#[tokio::test]
async fn a_key_of_yesterday_orders_anew() {
    let shop = Shop::open().await;
    let body = wanted(&json!({}));
    let buy = || call("POST", CHECKOUT).header(KEY, "weekly").json(&body);
    let before = order_of(&buy().send(shop.ctx()).await);
    shop.stripe.advance(DAY + 60).expect("time goes by");
    shop.ctx().clock.advance(Duration::seconds(DAY + 60));
    let after = order_of(&buy().send(shop.ctx()).await);
    assert_ne!(before, after);
    shop.deliver().await;
}

#[tokio::test]
async fn the_renewal_of_a_company_says_that_the_buyer_owes_the_tax() {
    let shop = Shop::open().await;
    sqlx::query("update price set trial_days = 0").execute(&shop.ctx().db).await.expect("no trials");
    let ada: Caller = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let mut request = want("", Tier::Pro, Interval::Month, 1);
    request.tax_id = Some("FR40303265045".to_owned());
    "FR".clone_into(&mut request.address.as_mut().expect("there").country);
    shop.buy_as(&ada, &request).await;
    shop.stripe.advance(32 * DAY).expect("time goes by");
    shop.ctx().clock.advance(Duration::days(32));
    shop.deliver().await;
    let invoices = document::list(shop.ctx(), &ada, None, 20).await.expect("listed").items;
    assert_eq!(invoices.len(), 2);
    for line in invoices.iter().flat_map(|invoice| &invoice.lines) {
        assert!(line.tax.reason.starts_with("Reverse charge"), "{:?}", line.tax);
        assert_eq!((line.tax.rate, line.tax.country.as_str()), (Rate::ZERO, ""), "no country gets it");
    }
}

#[tokio::test]
async fn a_trial_is_had_once_and_by_somebody_known() {
    let shop = Shop::open_with_trials().await;
    let guest = shop.order(&want("ada@example.com", Tier::Pro, Interval::Month, 1)).await;
    assert_eq!(guest.trial_days, 0);
    let ada: Caller = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let request = want("", Tier::Pro, Interval::Month, 1);
    // All begun before any is had.
    let orders = [
        shop.order_of(&ada, &request).await,
        shop.order_of(&ada, &request).await,
        shop.order_of(&ada, &request).await,
    ];
    assert!(orders.iter().all(|order| order.trial_days == 14));
    let [first, second, third] = orders;
    shop.pay(&first, Card::Good);
    shop.deliver().await;
    shop.pay(&second, Card::Good);
    shop.deliver().await;
    assert_eq!(shop.read(first.id).await.status, OrderStatus::Paid);
    assert_eq!(shop.read(second.id).await.status, OrderStatus::Failed);
    assert_eq!(count(&shop, "select count(*) from subscription where status = 'trialing'").await, 1);
    assert_eq!(count(&shop, "select count(*) from subscription where status = 'ended'").await, 1);
    assert_eq!(count(&shop, "select count(*) from outbox where topic = 'order.paid'").await, 1);
    let refused = order::pay_again(shop.ctx(), &shop.read(second.id).await).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");

    // Not even the page is made for another, where there is none yet.
    sqlx::query("update billing_order set session_id = null, session_url = null, attempt = 2 where id = $1")
        .bind(third.id.uuid())
        .execute(&shop.ctx().db)
        .await
        .expect("forgotten");
    let refused = order::pay_again(shop.ctx(), &shop.read(third.id).await).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    shop.deliver().await;
}

#[tokio::test]
async fn an_element_is_gone_on_with_on_a_page() {
    let shop = Shop::open().await;
    let request = CheckoutRequest {
        payment_method: PaymentMethod::Element,
        ..want("grace@example.com", Tier::Pro, Interval::Once, 1)
    };
    let order = shop.order(&request).await;
    assert_eq!((order.payment_method, order.session_url.as_deref()), (PaymentMethod::Element, None));
    let url = order::pay_again(shop.ctx(), &order).await.expect("a page to pay on");
    assert!(url.starts_with(shop.stripe.url()), "{url}");
    let again = shop.read(order.id).await;
    assert_eq!((again.payment_method, again.attempt), (PaymentMethod::Checkout, 2));
    shop.pay(&again, Card::Good);
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
}

#[tokio::test]
async fn who_is_gone_pays_nothing_and_nobody_tries_without_end() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
    for _ in 0..limits::PAY_AGAIN.times {
        order::pay_again(shop.ctx(), &order).await.expect("the page");
    }
    let refused = order::pay_again(shop.ctx(), &order).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");

    let ada: Caller = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let order = shop.order_of(&ada, &want("", Tier::Pro, Interval::Once, 1)).await;
    sqlx::query("update account set deleted_at = created_at where id = $1")
        .bind(ada.user().map(|user| user.id.uuid()))
        .execute(&shop.ctx().db)
        .await
        .expect("gone");
    let refused = order::pay_again(shop.ctx(), &order).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
}
