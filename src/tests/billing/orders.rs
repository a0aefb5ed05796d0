//! From wanting something to having paid for it, whatever happens in between.

use devforge::{
    account::{self, Caller},
    billing::{
        Error, Outcome,
        catalogue::{self, CouponDuration, NewCoupon, Off},
        document, inbox, ledger,
        order::{self, OrderEvent},
        payment, settle, subscription,
    },
    contract::{
        account::{Registration, Role},
        money::Rate,
        payment::{CheckoutRequest, Interval, OrderStatus, Tier},
    },
};
use serde_json::{Value, json};
use stripe_simulator::Card;
use time::Duration;

use crate::{
    shop::{Shop, want},
    support::client,
};

/// How often something of this topic happened.
async fn happened(shop: &Shop, topic: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where topic = $1")
        .bind(topic)
        .fetch_one(&shop.ctx().db)
        .await
        .expect("counted")
}

async fn books_are_right(shop: &Shop) {
    let check = ledger::check(shop.ctx()).await.expect("checked");
    assert_eq!(check.differences, Vec::<String>::new());
}

#[tokio::test]
async fn a_guest_buys_and_has_an_order_an_account_and_an_invoice() {
    let shop = Shop::open().await;
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 2).await;
    assert_eq!(order.status, OrderStatus::Paid);
    assert!(order.paid_at.is_some());
    let price = order.lines[0].line.unit_amount;
    assert_eq!(order.total.amount, 2 * price);

    let payments = payment::of_order(shop.ctx(), order.id).await.expect("read");
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0].amount, order.total);
    let documents = document::of_order(shop.ctx(), order.id).await.expect("read");
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0].total, order.total);
    assert!(order.account.is_some(), "an account was made");
    assert_eq!(happened(&shop, "order.paid").await, 1);
    books_are_right(&shop).await;
}

#[tokio::test]
async fn a_subscription_begins_with_its_order() {
    let shop = Shop::open().await;
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Month, 3).await;
    assert_eq!(order.status, OrderStatus::Paid);
    let payments = payment::of_order(shop.ctx(), order.id).await.expect("read");
    assert!(payments[0].subscription.is_some());
    books_are_right(&shop).await;
}

#[tokio::test]
async fn the_same_key_is_the_same_order_even_at_once() {
    let shop = Shop::open().await;
    let request = want("grace@example.com", Tier::Pro, Interval::Once, 1);
    let (someone, from) = (Caller::Anonymous, client());
    let all = futures::future::join_all(
        (0..8).map(|_| order::checkout(shop.ctx(), &someone, &from, &request, Some("form:1"))),
    )
    .await;
    let ids: std::collections::HashSet<_> =
        all.into_iter().map(|answer| answer.expect("an order").order_id).collect();
    assert_eq!(ids.len(), 1);
    let sessions = shop.stripe.world(|world| world.all("checkout.session").count());
    assert_eq!(sessions, 1);
    let other =
        order::checkout(shop.ctx(), &someone, &from, &request, Some("form:2")).await.expect("another");
    assert!(!ids.contains(&other.order_id));
}

#[tokio::test]
async fn what_is_not_offered_is_refused() {
    let shop = Shop::open().await;
    let base = want("grace@example.com", Tier::Pro, Interval::Month, 1);
    let try_it =
        async |request| order::checkout(shop.ctx(), &Caller::Anonymous, &client(), &request, None).await;
    for seats in [0, 10_001] {
        let request = CheckoutRequest { seats: Some(seats), ..base.clone() };
        assert!(matches!(try_it(request).await, Err(Error::Invalid(_))), "{seats} seats");
    }
    let request = CheckoutRequest { tier: Tier::Enterprise, ..base.clone() };
    assert!(matches!(try_it(request).await, Err(Error::PriceUnavailable)));
    let request = CheckoutRequest { tier: Tier::Free, ..base.clone() };
    assert!(matches!(try_it(request).await, Err(Error::Conflict(_))));
    let request = CheckoutRequest { coupon: Some("NO-SUCH".to_owned()), ..base.clone() };
    assert!(matches!(try_it(request).await, Err(Error::InvalidCoupon(_))));
    let request = CheckoutRequest { email: Some("nobody".to_owned()), ..base.clone() };
    assert!(matches!(try_it(request).await, Err(Error::Invalid(_))));
    let mut request = base;
    request.tax_id = Some("DE123456789".to_owned());
    request.address.as_mut().expect("there").country = "DE".to_owned();
    assert!(matches!(try_it(request).await, Err(Error::InvalidTaxId(_))));
}

#[tokio::test]
async fn messages_twice_backwards_and_late_change_nothing() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Month, 1)).await;
    shop.pay(&order, Card::Good);
    let mut events = shop.stripe.take_events();
    assert!(events.len() > 3, "a subscription says a lot");
    events.reverse();
    for event in &events {
        shop.tell(event).await;
    }
    shop.app.run_jobs().await;
    for event in &events {
        shop.tell(event).await;
    }
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
    assert_eq!(payment::of_order(shop.ctx(), order.id).await.expect("read").len(), 1);
    assert_eq!(happened(&shop, "order.paid").await, 1);
    books_are_right(&shop).await;
}

/// Killed after Stripe made the session and before we wrote it down: the message about it is all there is.
#[tokio::test]
async fn a_payment_is_found_though_its_session_was_never_written_down() {
    let shop = Shop::open().await;
    let request = want("grace@example.com", Tier::Pro, Interval::Once, 1);
    let answer = order::checkout(shop.ctx(), &Caller::Anonymous, &client(), &request, Some("form:1"))
        .await
        .expect("an order");
    sqlx::query("update billing_order set session_id = null, session_url = null")
        .execute(&shop.ctx().db)
        .await
        .expect("forgotten");
    let again = order::checkout(shop.ctx(), &Caller::Anonymous, &client(), &request, Some("form:1"))
        .await
        .expect("the same order");
    assert_eq!(again, answer, "Stripe gives the same session for the same key");
    sqlx::query("update billing_order set session_id = null, session_url = null")
        .execute(&shop.ctx().db)
        .await
        .expect("forgotten");
    let session = answer.checkout_session_id.expect("a session");
    shop.stripe.pay(&session, Card::Good).expect("paid");
    shop.deliver().await;
    assert_eq!(shop.read(answer.order_id).await.status, OrderStatus::Paid);
}

#[tokio::test]
async fn an_order_that_ran_out_can_be_paid_with_a_new_session() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
    let first = order.session_id.clone().expect("a session");
    shop.stripe.advance(24 * 60 * 60).expect("time passes");
    shop.app.ctx.clock.advance(Duration::days(1));
    shop.deliver().await;
    let expired = shop.read(order.id).await;
    assert_eq!(expired.status, OrderStatus::Expired);
    order::pay_again(shop.ctx(), &expired).await.expect("a page to pay on");
    let reopened = shop.read(order.id).await;
    assert_eq!(reopened.status, OrderStatus::Open);
    assert_ne!(reopened.session_id.as_deref(), Some(first.as_str()));
    shop.pay(&reopened, Card::Good);
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
}

#[tokio::test]
async fn a_slow_bank_is_waited_for() {
    let shop = Shop::open().await;
    for (says_yes, status) in [(true, OrderStatus::Paid), (false, OrderStatus::Failed)] {
        let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
        let session = order.session_id.clone().expect("a session");
        shop.stripe.pay(&session, Card::Slow).expect("done on the page");
        shop.deliver().await;
        assert_eq!(shop.read(order.id).await.status, OrderStatus::Processing);
        shop.stripe.settle_slow(&session, says_yes).expect("the bank says something");
        shop.deliver().await;
        assert_eq!(shop.read(order.id).await.status, status);
    }
    books_are_right(&shop).await;
}

#[tokio::test]
async fn a_declined_card_leaves_the_order_open() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Month, 1)).await;
    let session = order.session_id.clone().expect("a session");
    shop.stripe.pay(&session, Card::Declined).expect_err("declined");
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Open);
    shop.pay(&order, Card::Good);
    shop.deliver().await;
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
    books_are_right(&shop).await;
}

#[tokio::test]
async fn without_any_message_the_order_is_asked_after() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
    shop.pay(&order, Card::Good);
    drop(shop.stripe.take_events());
    let session = order.session_id.clone().expect("a session");
    settle::session(shop.ctx(), &session).await.expect("asked");
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Paid);
}

#[tokio::test]
async fn an_account_that_nobody_proved_gets_nothing_until_it_is() {
    let shop = Shop::open().await;
    let registration = Registration {
        email: "grace@example.com".to_owned(),
        password: "a very long squatting password".to_owned(),
        name: "Somebody".to_owned(),
    };
    let squatter = account::register(shop.ctx(), &registration, &client()).await.expect("registered");
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 1).await;
    assert_eq!(order.status, OrderStatus::Paid);
    assert_eq!(order.account, None);
    let mut tx = shop.ctx().db.begin().await.expect("a transaction");
    order::claim(&mut tx, squatter.id, "GRACE@example.com").await.expect("claimed");
    tx.commit().await.expect("committed");
    assert_eq!(shop.read(order.id).await.account, Some(squatter.id));
}

#[tokio::test]
async fn somebody_signed_in_buys_for_their_own_account_and_sees_only_that() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let eve = shop.app.signed_in("eve@example.com", Role::Customer).await;
    let order = shop.buy_as(&ada, &want("eve@example.com", Tier::Pro, Interval::Once, 1)).await;
    assert_eq!(order.email, "ada@example.com", "whose address it is, is not asked");
    assert_eq!(order.account, ada.user().map(|user| user.id));
    assert!(order::find(shop.ctx(), &ada, order.id).await.is_ok());
    assert!(matches!(order::find(shop.ctx(), &eve, order.id).await, Err(Error::NotFound)));
    assert!(order::find(shop.ctx(), &shop.admin().await, order.id).await.is_ok());
    assert!(matches!(order::by_link(shop.ctx(), order.id, "x").await, Err(Error::NotFound)));
    let wrong = "A".repeat(43);
    assert!(matches!(order::by_link(shop.ctx(), order.id, &wrong).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn only_signed_messages_are_taken() {
    let shop = Shop::open().await;
    let body = br#"{"id":"evt_1","type":"x","created":1,"data":{"object":{}}}"#;
    let now = shop.ctx().clock.now().unix_timestamp();
    let good = stripe_simulator::sign(crate::shop::WEBHOOK_SECRET, now, body);
    let old = stripe_simulator::sign(crate::shop::WEBHOOK_SECRET, now - 301, body);
    let early = stripe_simulator::sign(crate::shop::WEBHOOK_SECRET, now + 301, body);
    let empty = stripe_simulator::sign("", now, body);
    for (header, name) in [
        (None, "no header"),
        (Some(old.as_str()), "an old one"),
        (Some(early.as_str()), "one from the future"),
        (Some(empty.as_str()), "one by an empty secret"),
        (Some("t=1,v1="), "an empty one"),
    ] {
        assert!(inbox::receive(shop.ctx(), header, body).await.is_err(), "{name}");
    }
    let mut changed = body.to_vec();
    changed[8] ^= 1;
    assert!(inbox::receive(shop.ctx(), Some(&good), &changed).await.is_err());
    for _ in 0..3 {
        inbox::receive(shop.ctx(), Some(&good), body).await.expect("taken");
    }
    let kept: i64 = sqlx::query_scalar("select count(*) from webhook_inbox")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("counted");
    assert_eq!(kept, 1);
    shop.app.run_jobs().await;
    let outcome: Option<String> = sqlx::query_scalar("select outcome from webhook_inbox")
        .fetch_one(&shop.ctx().db)
        .await
        .expect("read");
    assert_eq!(outcome.as_deref(), Some("unknown"));
}

#[tokio::test]
async fn a_message_can_be_worked_on_again() {
    let shop = Shop::open().await;
    shop.buy("grace@example.com", Tier::Pro, Interval::Once, 1).await;
    let admin = shop.admin().await;
    let items = inbox::list(shop.ctx(), &admin, &inbox::Filter::default()).await.expect("listed");
    let paid = items.iter().find(|item| item.topic == "checkout.session.completed").expect("it came");
    assert_eq!(paid.outcome.as_deref(), Some("applied"));
    inbox::replay(shop.ctx(), &admin, paid.id).await.expect("again");
    shop.app.run_jobs().await;
    let (item, body) = inbox::find(shop.ctx(), &admin, paid.id).await.expect("found");
    assert_eq!(item.outcome.as_deref(), Some("nothing_to_do"));
    assert_eq!(serde_json::from_str::<Value>(&body).expect("JSON")["id"], item.event_id.as_str());
    let ada = shop.app.signed_in("ada@example.com", Role::Support).await;
    assert!(matches!(inbox::replay(shop.ctx(), &ada, paid.id).await, Err(Error::Denied(_))));
    books_are_right(&shop).await;
}

/// What stands in the address of a payment link, whoever pays can choose.
#[tokio::test]
async fn a_session_of_somebody_else_pays_no_order() {
    let shop = Shop::open().await;
    let cheap = shop.order(&want("eve@example.com", Tier::Pro, Interval::Once, 1)).await;
    let dear = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 9)).await;
    shop.pay(&cheap, Card::Good);
    drop(shop.stripe.take_events());
    let session = cheap.session_id.clone().expect("a session");
    let wanted = dear.id.to_string();
    for metadata in [json!({}), json!({ "order": wanted })] {
        shop.stripe.world(|world| {
            world.change(&session, |theirs| {
                theirs["client_reference_id"] = json!(wanted);
                theirs["metadata"] = metadata.clone();
            })
        });
        let outcome = settle::session(shop.ctx(), &session).await.expect("asked");
        assert_eq!(outcome, Outcome::NothingToDo, "{metadata}");
    }
    assert_eq!(shop.read(dear.id).await.status, OrderStatus::Open);
    shop.deliver().await;
}

#[tokio::test]
async fn a_wrong_sum_is_kept_in_the_books_and_pays_no_order() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
    shop.pay(&order, Card::Good);
    drop(shop.stripe.take_events());
    shop.stripe.world(|world| {
        let charge = world.all("charge").next().cloned().expect("a charge");
        let id = charge["id"].as_str().expect("an id").to_owned();
        world.change(&id, |theirs| theirs["amount"] = json!(100))
    });
    let session = order.session_id.clone().expect("a session");
    for outcome in [Outcome::Applied, Outcome::NothingToDo] {
        assert_eq!(settle::session(shop.ctx(), &session).await.expect("asked"), outcome);
    }
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Open);
    let payments = payment::of_order(shop.ctx(), order.id).await.expect("read");
    assert_eq!(payments.iter().map(|paid| paid.amount.amount).collect::<Vec<_>>(), [100]);
    let noted: i64 =
        sqlx::query_scalar("select count(*) from audit_event where action = 'order.paid_wrongly'")
            .fetch_one(&shop.ctx().db)
            .await
            .expect("counted");
    assert_eq!((noted, happened(&shop, "order.paid").await), (1, 0));
    books_are_right(&shop).await;
    shop.deliver().await;
}

/// A session that says it needs no payment is not believed where something is to be paid.
#[tokio::test]
async fn what_costs_something_is_not_had_for_nothing() {
    let shop = Shop::open().await;
    let order = shop.order(&want("grace@example.com", Tier::Pro, Interval::Once, 1)).await;
    let session = order.session_id.clone().expect("a session");
    shop.stripe.world(|world| {
        world.change(&session, |theirs| {
            theirs["status"] = json!("complete");
            theirs["payment_status"] = json!("no_payment_required");
        })
    });
    assert_eq!(settle::session(shop.ctx(), &session).await.expect("asked"), Outcome::NothingToDo);
    assert_eq!(shop.read(order.id).await.status, OrderStatus::Open);
}

#[tokio::test]
async fn an_account_has_one_subscription() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let monthly = want("ada@example.com", Tier::Pro, Interval::Month, 1);
    shop.buy_as(&ada, &monthly).await;
    let again = order::checkout(shop.ctx(), &ada, &client(), &monthly, None).await;
    assert!(matches!(again, Err(Error::Conflict(words)) if words.contains("already")), "{again:?}");
    let once = shop.buy_as(&ada, &want("", Tier::Pro, Interval::Once, 1)).await;
    assert_eq!(once.status, OrderStatus::Paid, "what is paid once is another matter");

    // Paid for by a guest, a second one stays outside.
    let own = shop.buy("grace@example.com", Tier::Pro, Interval::Month, 1).await;
    assert!(own.account.is_some());
    let pushed = shop.buy("grace@example.com", Tier::Pro, Interval::Month, 7).await;
    assert_eq!((pushed.status, pushed.account), (OrderStatus::Paid, None));
    let pushed = shop.buy("ada@example.com", Tier::Pro, Interval::Month, 7).await;
    assert_eq!((pushed.status, pushed.account), (OrderStatus::Paid, None));
    let current = subscription::current(shop.ctx(), &ada).await.expect("asked").expect("one");
    assert_eq!(current.seats, 1);
    books_are_right(&shop).await;
}

#[tokio::test]
async fn a_coupon_for_one_is_promised_to_one() {
    let shop = Shop::open().await;
    let admin = shop.admin().await;
    let new = NewCoupon {
        code: "ONLY-ONE".to_owned(),
        off: Off::Share(Rate::percent(10)),
        duration: CouponDuration::Once,
        tiers: Vec::new(),
        max_redemptions: Some(1),
        expires_at: None,
    };
    catalogue::make_coupon(shop.ctx(), &admin, &new).await.expect("made");
    let request = CheckoutRequest {
        coupon: Some("only-one".to_owned()),
        ..want("grace@example.com", Tier::Pro, Interval::Once, 1)
    };
    let try_it = async || order::checkout(shop.ctx(), &Caller::Anonymous, &client(), &request, None).await;
    let first = shop.order(&request).await;
    assert!(matches!(try_it().await, Err(Error::InvalidCoupon(_))), "one has begun to use it");
    let at_stripe = shop.stripe.world(|world| world.all("coupon").next().cloned().expect("a coupon"));
    assert_eq!(at_stripe["max_redemptions"], 1);

    // Whoever does not pay in time makes room for another.
    shop.stripe.advance(24 * 60 * 60).expect("time passes");
    shop.ctx().clock.advance(Duration::days(1));
    shop.deliver().await;
    let second = shop.order(&request).await;
    let refused = order::pay_again(shop.ctx(), &shop.read(first.id).await).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    shop.pay(&second, Card::Good);
    shop.deliver().await;
    assert_eq!(shop.read(second.id).await.status, OrderStatus::Paid);
    assert!(matches!(try_it().await, Err(Error::InvalidCoupon(_))), "it was used");
    books_are_right(&shop).await;
}

#[tokio::test]
async fn paid_is_never_unpaid_again() {
    let shop = Shop::open().await;
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 1).await;
    let mut tx = shop.ctx().db.begin().await.expect("a transaction");
    for event in
        [OrderEvent::Expired, OrderEvent::PaymentFailed, OrderEvent::PaymentPending, OrderEvent::Reopened]
    {
        assert_eq!(order::apply(&mut tx, shop.ctx(), order.id, event).await.expect("heard"), None);
    }
}
