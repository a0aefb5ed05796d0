//! Money that goes back, and comes back again.

use devforge::{
    account::Caller,
    billing::{
        Error, dispute, document, ledger,
        order::Order,
        payment,
        refund::{self, Consequence, Decision, Wanted},
        settle,
    },
    contract::{
        account::Role,
        payment::{DisputeStatus, DocumentKind, Interval, OrderStatus, RefundStatus, Tier},
    },
};
use serde_json::json;
use stripe_simulator::{Card, Verdict};
use time::Duration;

use crate::shop::{Shop, want};

async fn books_are_right(shop: &Shop) {
    let check = ledger::check(shop.ctx()).await.expect("checked");
    assert_eq!(check.differences, Vec::<String>::new());
}

fn some(amount: i64) -> Wanted<'static> {
    Wanted { amount: Some(amount), reason: "The customer asked", consequence: None, request_key: None }
}

const ALL: Wanted<'static> =
    Wanted { amount: None, reason: "The customer asked", consequence: None, request_key: None };

async fn bought_with(shop: &Shop, card: Card) -> (Order, payment::Payment) {
    let mut request = want("grace@example.com", Tier::Pro, Interval::Once, 3);
    // With tax, so that there is something to divide.
    request.address.as_mut().expect("there").country = "DE".to_owned();
    let order = shop.order(&request).await;
    shop.pay(&order, card);
    shop.deliver().await;
    let payment = payment::of_order(shop.ctx(), order.id).await.expect("read").remove(0);
    (shop.read(order.id).await, payment)
}

#[tokio::test]
async fn parts_and_the_rest_add_up_to_what_was_paid() {
    let shop = Shop::open().await;
    let (order, payment) = bought_with(&shop, Card::Good).await;
    assert!(order.tax.amount > 0);
    let admin = shop.admin().await;
    for amount in [1, 333, 1_000] {
        let answer =
            refund::of_payment(shop.ctx(), &admin, payment.id, &some(amount)).await.expect("refunded");
        assert_eq!((answer.status, answer.amount.amount), (RefundStatus::Succeeded, amount));
        shop.deliver().await;
        assert_eq!(shop.read(order.id).await.status, OrderStatus::PartiallyRefunded);
        shop.ctx().clock.advance(Duration::SECOND);
    }
    refund::of_payment(shop.ctx(), &admin, payment.id, &ALL).await.expect("the rest");
    shop.deliver().await;
    let order = shop.read(order.id).await;
    assert_eq!((order.status, order.refunded), (OrderStatus::Refunded, order.total));
    let refunds = refund::of_order(shop.ctx(), &admin, order.id).await.expect("read");
    let consequences: Vec<_> = refunds.iter().map(|refund| refund.consequence).collect();
    assert_eq!(consequences, [Consequence::Keep, Consequence::Keep, Consequence::Keep, Consequence::Revoke]);
    let documents = document::of_order(shop.ctx(), order.id).await.expect("read");
    assert_eq!(documents.iter().filter(|document| document.kind == DocumentKind::CreditNote).count(), 4);
    let more = refund::of_payment(shop.ctx(), &admin, payment.id, &some(1)).await;
    assert!(matches!(more, Err(Error::RefundExceedsPayment { left }) if left.is_zero()));
    books_are_right(&shop).await;
}

#[tokio::test]
async fn at_once_no_more_goes_back_than_came_in() {
    let shop = Shop::open().await;
    let (order, payment) = bought_with(&shop, Card::Good).await;
    let admin = shop.admin().await;
    let third = some(order.total.amount / 3);
    let answers = futures::future::join_all(
        (0..10).map(|_| refund::of_payment(shop.ctx(), &admin, payment.id, &third)),
    )
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    shop.deliver().await;
    assert!(shop.read(order.id).await.refunded.amount <= order.total.amount);
    books_are_right(&shop).await;
}

#[tokio::test]
async fn the_same_key_gives_the_money_back_once() {
    let shop = Shop::open().await;
    let (_, payment) = bought_with(&shop, Card::Good).await;
    let admin = shop.admin().await;
    let keyed = Wanted { request_key: Some("form:1"), ..some(500) };
    let one = refund::of_payment(shop.ctx(), &admin, payment.id, &keyed).await.expect("refunded");
    let two = refund::of_payment(shop.ctx(), &admin, payment.id, &keyed).await.expect("the same");
    assert_eq!(one.refund_id, two.refund_id);
    let payment = payment::find(shop.ctx(), payment.id).await.expect("read").expect("there");
    assert_eq!(payment.refunded, 500);
    shop.deliver().await;
    books_are_right(&shop).await;
}

#[tokio::test]
async fn a_refund_that_fails_later_is_reversed_and_can_be_given_again() {
    let shop = Shop::open().await;
    let (order, payment) = bought_with(&shop, Card::RefundFailsLater).await;
    let admin = shop.admin().await;
    let answer = refund::of_payment(shop.ctx(), &admin, payment.id, &ALL).await.expect("refunded");
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Refunded);
    let refunds = refund::of_order(shop.ctx(), &admin, order.id).await.expect("read");
    let at_stripe = refunds[0].stripe_id.clone().expect("known there");
    shop.stripe.fail_refund(&at_stripe).expect("failed");
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
    let documents = document::of_order(shop.ctx(), order.id).await.expect("read");
    assert!(documents.iter().any(|document| document.kind == DocumentKind::CreditNoteReversal));
    books_are_right(&shop).await;
    let again = refund::of_payment(shop.ctx(), &admin, payment.id, &ALL).await.expect("again");
    assert_ne!(again.refund_id, answer.refund_id);
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Refunded);
    books_are_right(&shop).await;
}

#[tokio::test]
async fn a_refund_made_at_stripe_is_found() {
    let shop = Shop::open().await;
    let (order, payment) = bought_with(&shop, Card::Good).await;
    shop.stripe.refund(&payment.charge_id, Some(700)).expect("refunded there");
    shop.deliver().await;
    let found = shop.read(order.id).await;
    assert_eq!((found.status, found.refunded.amount), (OrderStatus::PartiallyRefunded, 700));
    books_are_right(&shop).await;
}

/// Given back at Stripe's own site while ours still waited to be sent: what has no room beside it never goes.
#[tokio::test]
async fn a_refund_that_was_never_sent_makes_room_for_one_made_at_stripe() {
    let shop = Shop::open().await;
    let (order, payment) = bought_with(&shop, Card::Good).await;
    sqlx::query(
        "with set_aside as (update payment set refunded = amount where id = $1)
         insert into refund (id, payment_id, order_id, amount, tax, currency, reason, consequence, status, created_at,
             updated_at)
         select $2, id, order_id, amount, 0, currency, 'Waits', 'revoke', 'requested', recorded_at, recorded_at
         from payment where id = $1",
    )
    .bind(payment.id.uuid())
    .bind(shop.ctx().random.uuid_v7(shop.ctx().clock.now()))
    .execute(&shop.ctx().db)
    .await
    .expect("set aside");
    shop.stripe.refund(&payment.charge_id, Some(700)).expect("refunded there");
    shop.deliver().await;
    let found = shop.read(order.id).await;
    assert_eq!((found.status, found.refunded.amount), (OrderStatus::PartiallyRefunded, 700));
    let refunds = refund::of_order(shop.ctx(), &shop.admin().await, order.id).await.expect("read");
    let statuses: Vec<_> = refunds.iter().map(|refund| (refund.amount.amount, refund.status)).collect();
    assert!(statuses.contains(&(order.total.amount, RefundStatus::Failed)), "{statuses:?}");
    assert!(statuses.contains(&(700, RefundStatus::Succeeded)), "{statuses:?}");
    let payment = payment::find(shop.ctx(), payment.id).await.expect("read").expect("there");
    assert_eq!(payment.refunded, 700);
    books_are_right(&shop).await;
}

/// The same session once more, with a charge of its own.
async fn pay_twice(shop: &Shop, order: &Order) {
    let session = order.session_id.clone().expect("a session");
    shop.stripe.world(|world| {
        let mut session = world.get(&session).cloned().expect("it is there");
        let intent = session["payment_intent"].as_str().expect("an intent").to_owned();
        let mut intent = world.get(&intent).cloned().expect("it is there");
        let charge = intent["latest_charge"].as_str().expect("a charge").to_owned();
        let mut charge = world.get(&charge).cloned().expect("it is there");
        (session["id"], session["payment_intent"]) = (json!("cs_twice"), json!("pi_twice"));
        (intent["id"], intent["latest_charge"]) = (json!("pi_twice"), json!("ch_twice"));
        (charge["id"], charge["payment_intent"]) = (json!("ch_twice"), json!("pi_twice"));
        for object in [session, intent, charge] {
            world.put(object);
        }
    });
    settle::session(shop.ctx(), "cs_twice").await.expect("written down");
    shop.deliver().await;
}

#[tokio::test]
async fn who_paid_twice_and_gets_one_back_keeps_the_license() {
    let shop = Shop::open().await;
    let (order, first) = bought_with(&shop, Card::Good).await;
    pay_twice(&shop, &order).await;
    let second = payment::by_charge(shop.ctx(), "ch_twice").await.expect("read").expect("there");
    assert_eq!(second.order, Some(order.id));
    let admin = shop.admin().await;
    for (payment, consequence, status) in [
        (second, Consequence::Keep, OrderStatus::PartiallyRefunded),
        (first, Consequence::Revoke, OrderStatus::Refunded),
    ] {
        let answer = refund::of_payment(shop.ctx(), &admin, payment.id, &ALL).await.expect("refunded");
        shop.deliver().await;
        let refunds = refund::of_order(shop.ctx(), &admin, order.id).await.expect("read");
        let refund = refunds.iter().find(|refund| refund.id == answer.refund_id).expect("listed");
        assert_eq!(refund.consequence, consequence);
        let order = shop.read(order.id).await;
        assert_eq!((order.status, order.refunded), (status, order.total));
    }
    books_are_right(&shop).await;
}

#[tokio::test]
async fn text_that_cannot_be_shown_is_refused() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let order = shop.buy_as(&ada, &want("", Tier::Pro, Interval::Once, 1)).await;
    let payment = payment::of_order(shop.ctx(), order.id).await.expect("read").remove(0);
    let admin = shop.admin().await;
    for text in ["a\0b", "\u{1b}[2J"] {
        assert!(matches!(refund::ask(shop.ctx(), &ada, order.id, text).await, Err(Error::Invalid(_))));
        let reason = Wanted { reason: text, ..ALL };
        let refused = refund::of_payment(shop.ctx(), &admin, payment.id, &reason).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    let wish = refund::ask(shop.ctx(), &ada, order.id, "Two\nlines").await.expect("asked");
    let refused = refund::decide(shop.ctx(), &admin, wish, Decision::Decline, "N\0").await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    shop.deliver().await;
}

#[tokio::test]
async fn disputes_take_the_money_and_give_it_back_or_not() {
    let shop = Shop::open().await;
    for (verdict, status, end) in [
        (Verdict::Won, DisputeStatus::Won, OrderStatus::Paid),
        (Verdict::Lost, DisputeStatus::Lost, OrderStatus::DisputeLost),
    ] {
        let (order, payment) = bought_with(&shop, Card::Good).await;
        let dispute = shop.stripe.open_dispute(&payment.charge_id).expect("opened");
        let id = dispute["id"].as_str().expect("an id").to_owned();
        shop.deliver().await;
        assert_eq!(shop.read(order.id).await.status, OrderStatus::Disputed);
        books_are_right(&shop).await;
        shop.app.ctx.clock.advance(Duration::seconds(5));
        shop.stripe.close_dispute(&id, verdict).expect("closed");
        shop.deliver().await;
        assert_eq!(shop.read(order.id).await.status, end);
        let admin = shop.app.signed_in(&format!("{id}@example.com").to_lowercase(), Role::Support).await;
        let disputes = dispute::of_order(shop.ctx(), &admin, order.id).await.expect("read");
        assert_eq!(disputes[0].status, status);
        books_are_right(&shop).await;
    }
}

#[tokio::test]
async fn customers_ask_and_staff_decides() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let eve = shop.app.signed_in("eve@example.com", Role::Customer).await;
    let order = shop.buy_as(&ada, &want("", Tier::Pro, Interval::Once, 1)).await;
    assert!(matches!(refund::ask(shop.ctx(), &eve, order.id, "Mine").await, Err(Error::NotFound)));
    assert!(matches!(refund::ask(shop.ctx(), &ada, order.id, "  ").await, Err(Error::Invalid(_))));
    let wish = refund::ask(shop.ctx(), &ada, order.id, "I bought it twice.").await.expect("asked");
    let twice = refund::ask(shop.ctx(), &ada, order.id, "Again").await;
    assert!(matches!(twice, Err(Error::Conflict(_))));
    let refused = refund::decide(shop.ctx(), &ada, wish, Decision::Decline, "No").await;
    assert!(matches!(refused, Err(Error::Denied(_))));
    let staff = shop.app.signed_in("staff@example.com", Role::Support).await;
    assert_eq!(refund::wishes(shop.ctx(), &staff).await.expect("listed").len(), 1);
    let accept = Decision::Accept { amount: None };
    let given = refund::decide(shop.ctx(), &staff, wish, accept, "Here it is.").await.expect("decided");
    assert_eq!(given.expect("given back").amount, order.total);
    let again = refund::decide(shop.ctx(), &staff, wish, accept, "Here it is.").await;
    assert!(matches!(again, Err(Error::Conflict(_))));
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Refunded);
    books_are_right(&shop).await;
}

#[tokio::test]
async fn who_may_not_gives_nothing_back() {
    let shop = Shop::open().await;
    let (_, payment) = bought_with(&shop, Card::Good).await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    for caller in [Caller::Anonymous, ada] {
        let refused = refund::of_payment(shop.ctx(), &caller, payment.id, &ALL).await;
        assert!(matches!(refused, Err(Error::Denied(_))));
    }
    let admin = shop.admin().await;
    for amount in [0, -1] {
        let refused = refund::of_payment(shop.ctx(), &admin, payment.id, &some(amount)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let unexplained = Wanted { reason: " ", ..ALL };
    let refused = refund::of_payment(shop.ctx(), &admin, payment.id, &unexplained).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}
