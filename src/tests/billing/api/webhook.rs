//! What Stripe sends, as it arrives.

use axum::http::HeaderName;
use devforge::contract::problem::ProblemCode;
use serde_json::json;

use crate::{
    api::client::{Answer, call},
    shop::{Shop, WEBHOOK_SECRET},
};

const WEBHOOK: &str = "/api/payments/webhook";
const SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

fn now(shop: &Shop) -> i64 {
    shop.ctx().clock.now().unix_timestamp()
}

fn event(shop: &Shop, id: &str) -> String {
    json!({
        "id": id,
        "object": "event",
        "type": "customer.created",
        "created": now(shop),
        "data": { "object": { "id": "cus_1", "object": "customer" } },
    })
    .to_string()
}

async fn send(shop: &Shop, signature: Option<&str>, body: &str) -> Answer {
    let call = call("POST", WEBHOOK).text(body);
    let call = match signature {
        Some(signature) => call.header(SIGNATURE, signature),
        None => call,
    };
    call.send(shop.ctx()).await
}

async fn send_signed(shop: &Shop, body: &str) -> Answer {
    let signature = stripe_simulator::sign(WEBHOOK_SECRET, now(shop), body.as_bytes());
    send(shop, Some(&signature), body).await
}

/// The ids of what was kept, and what became of it.
async fn kept(shop: &Shop) -> Vec<(String, Option<String>)> {
    sqlx::query_as("select event_id, outcome from webhook_inbox order by event_id")
        .fetch_all(&shop.ctx().db)
        .await
        .expect("read")
}

#[tokio::test]
async fn a_signed_event_is_kept_once_however_often_it_comes() {
    let shop = Shop::open().await;
    let body = event(&shop, "evt_1");
    for _ in 0..2 {
        let answer = send_signed(&shop, &body).await;
        assert_eq!((answer.outcome(), answer.json()), ((200, None), json!({ "success": true })));
    }
    let at_once = futures::future::join_all((0..4).map(|_| send_signed(&shop, &body))).await;
    assert!(at_once.iter().all(|answer| answer.outcome() == (200, None)));
    assert_eq!(kept(&shop).await, [("evt_1".to_owned(), None)], "kept before it is worked on");
    shop.app.run_jobs().await;
    assert_eq!(kept(&shop).await, [("evt_1".to_owned(), Some("unknown".to_owned()))]);

    let late = send_signed(&shop, &body).await;
    assert_eq!(late.outcome(), (200, None));
    assert_eq!(send_signed(&shop, &event(&shop, "evt_2")).await.outcome(), (200, None));
    shop.app.run_jobs().await;
    assert_eq!(kept(&shop).await.len(), 2);
}

#[tokio::test]
async fn what_is_not_signed_well_is_refused_and_not_kept() {
    let shop = Shop::open().await;
    let body = event(&shop, "evt_1");
    let sign = |secret: &str, at: i64| stripe_simulator::sign(secret, at, body.as_bytes());
    let good = sign(WEBHOOK_SECRET, now(&shop));
    let fresh = format!("t={}", now(&shop));
    let old = sign(WEBHOOK_SECRET, now(&shop) - 301);
    let (_, old_v1) = old.split_once(',').expect("a time and a signature");
    for (signature, about) in [
        (None, "none"),
        (Some(String::new()), "an empty one"),
        (Some("nonsense".to_owned()), "one that cannot be read"),
        (Some(fresh.clone()), "a time alone"),
        (Some(old.clone()), "an old one"),
        (Some(sign(WEBHOOK_SECRET, now(&shop) + 301)), "one from later"),
        (Some(format!("{fresh},{old_v1}")), "an old one with a new time"),
        (Some(sign("", now(&shop))), "one by an empty secret"),
        (Some(sign("whsec_another", now(&shop))), "one by another secret"),
        (Some(good.replace("v1=", "v0=")), "one of another scheme"),
    ] {
        let refused = send(&shop, signature.as_deref(), &body).await;
        assert_eq!(refused.outcome(), (400, Some(ProblemCode::InvalidSignature)), "{about}");
    }
    // Of another body, if only by a blank.
    for changed in [body.replace("evt_1", "evt_2"), format!("{body} "), String::new()] {
        let refused = send(&shop, Some(&good), &changed).await;
        assert_eq!(refused.outcome(), (400, Some(ProblemCode::InvalidSignature)), "{changed}");
    }
    assert!(kept(&shop).await.is_empty());
}

#[tokio::test]
async fn what_is_signed_and_no_event_is_told_apart() {
    let shop = Shop::open().await;
    for body in ["", "not JSON", "{", "{}", "[]", "null", r#"{"id":"evt_1","type":"x"}"#] {
        let refused = send_signed(&shop, body).await;
        assert_eq!(refused.outcome(), (400, Some(ProblemCode::MalformedJson)), "{body}");
    }
    assert!(kept(&shop).await.is_empty());
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_it() {
    let shop = Shop::open().await;
    let long = format!("{{\"id\":\"evt_1\",\"padding\":\"{}\"}}", "x".repeat(3_000_000));
    assert_eq!(send_signed(&shop, &long).await.status, 413);
    assert!(kept(&shop).await.is_empty());
}
