//! Buying over the API: what programs send, and the statuses and shapes they rely on.

mod lists;
mod refunds;
mod webhook;

use axum::http::{HeaderName, header};
use devforge::contract::{account::Role, id::OrderId, problem::ProblemCode};
use serde_json::{Value, json};
use stripe_simulator::Weather;

use crate::{
    api::client::{Answer, call, cookie, log_in, post},
    shop::Shop,
    support::TestApp,
};

pub(super) const CHECKOUT: &str = "/api/payments/checkout";
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a guest in the United States sends, with some of it changed.
pub(super) fn wanted(change: &Value) -> Value {
    let mut body = json!({
        "tier": "pro",
        "interval": "once",
        "currency": "usd",
        "seats": 2,
        "email": "grace@example.com",
        "name": "Grace Hopper",
        "address": {
            "line1": "1 Main Street",
            "postalCode": "94105",
            "city": "San Francisco",
            "region": "CA",
            "country": "US",
        },
    });
    if let (Some(body), Some(change)) = (body.as_object_mut(), change.as_object()) {
        body.extend(change.clone());
    }
    body
}

pub(super) fn order_of(answer: &Answer) -> OrderId {
    assert_eq!(answer.outcome(), (201, None), "{:?}", answer.problem);
    answer.text("orderId").parse().expect("an order's id")
}

pub(super) async fn orders(shop: &Shop) -> i64 {
    sqlx::query_scalar("select count(*) from billing_order").fetch_one(&shop.ctx().db).await.expect("counted")
}

/// A token for the programs of whoever `access` is of.
async fn personal_token(shop: &Shop, access: &str, scope: &str) -> String {
    let body = json!({ "name": "Build server", "scopes": [scope] });
    let made = call("POST", "/api/auth/tokens").bearer(access).json(&body).send(shop.ctx()).await;
    assert_eq!(made.outcome(), (201, None), "{:?}", made.problem);
    made.text("token")
}

#[tokio::test]
async fn a_guest_is_told_where_to_pay() {
    let shop = Shop::open().await;
    for path in [CHECKOUT, "/api/v1/payments/checkout"] {
        let answer = post(shop.ctx(), path, &wanted(&json!({}))).await;
        let order = shop.read(order_of(&answer)).await;
        assert_eq!((order.account, order.email.as_str(), order.seats), (None, "grace@example.com", 2));
        let told = answer.json();
        let mut fields: Vec<&String> = told.as_object().expect("an object").keys().collect();
        fields.sort();
        assert_eq!(fields, ["checkoutSessionId", "clientSecret", "orderId", "url"]);
        assert_eq!(Some(answer.text("checkoutSessionId")), order.session_id);
        assert_eq!(told["clientSecret"], Value::Null);
        let url = answer.text("url");
        assert!(url.starts_with(shop.stripe.url()), "{url}");
        assert_eq!(answer.header(REPLAYED), "");
    }
}

#[tokio::test]
async fn whoever_is_signed_in_buys_for_their_own_account() {
    let shop = Shop::open().await;
    let ada = shop.app.person("ada@example.com", Role::Customer).await;
    let access = log_in(shop.ctx(), &ada).await.access;
    let cookie = cookie(&shop.app, &ada).await;
    // Whose address it is, is not asked.
    let body = wanted(&json!({ "email": "eve@example.com" }));
    for signed_in in
        [call("POST", CHECKOUT).bearer(&access), call("POST", CHECKOUT).header(header::COOKIE, cookie)]
    {
        let answer = signed_in.json(&body).send(shop.ctx()).await;
        let order = shop.read(order_of(&answer)).await;
        assert_eq!((order.account, order.email.as_str()), (Some(ada.id), "ada@example.com"));
    }
}

#[tokio::test]
async fn a_personal_token_buys_nothing() {
    let shop = Shop::open().await;
    let ada = shop.app.person("ada@example.com", Role::Customer).await;
    let access = log_in(shop.ctx(), &ada).await.access;
    let token = personal_token(&shop, &access, "account:read").await;
    let answer = call("POST", CHECKOUT).bearer(&token).json(&wanted(&json!({}))).send(shop.ctx()).await;
    assert_eq!(answer.outcome(), (403, Some(ProblemCode::InsufficientScope)));
    assert_eq!(orders(&shop).await, 0);
}

#[tokio::test]
async fn a_payment_element_gets_its_secret() {
    let shop = Shop::open().await;
    let body = wanted(&json!({ "paymentMethod": "element" }));
    let buy = || call("POST", CHECKOUT).header(KEY, "element-1").json(&body);
    let answer = buy().send(shop.ctx()).await;
    let order = order_of(&answer);
    let session = answer.text("checkoutSessionId");
    let secret = answer.text("clientSecret");
    assert!(secret.starts_with(&session) && secret.len() > session.len(), "{secret}");
    let url = answer.text("url");
    let page = format!("{}/checkout/orders/{order}?key=", shop.ctx().config.http.public_url);
    assert!(url.starts_with(&page), "{url}");
    assert_eq!(buy().send(shop.ctx()).await.json(), answer.json(), "the secret too");
}

#[tokio::test]
async fn words_that_nobody_knows_are_refused_by_name() {
    let shop = Shop::open().await;
    for (change, field) in [
        (json!({ "tier": "gold" }), "tier"),
        (json!({ "interval": "week" }), "interval"),
        (json!({ "currency": "xyz" }), "currency"),
        (json!({ "paymentMethod": "cash" }), "paymentMethod"),
        (json!({ "seats": "two" }), "seats"),
        (json!({ "seats": -1 }), "seats"),
        (json!({ "seats": 1.5 }), "seats"),
        (json!({ "address": { "country": 49 } }), "address.country"),
    ] {
        let refused = post(shop.ctx(), CHECKOUT, &wanted(&change)).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{change}");
        assert_eq!(refused.mistakes(), [(field.to_owned(), "invalid".to_owned())], "{change}");
    }
    let missing = post(shop.ctx(), CHECKOUT, &json!({ "interval": "once" })).await;
    assert_eq!(missing.outcome(), (422, Some(ProblemCode::InvalidRequest)));
    assert_eq!(missing.mistakes(), [("tier".to_owned(), "invalid".to_owned())]);
    assert_eq!(orders(&shop).await, 0);
}

#[tokio::test]
async fn amounts_in_a_request_are_ignored() {
    let shop = Shop::open().await;
    let cheap = json!({
        "amount": 1, "total": { "amount": 1, "currency": "usd" }, "unitAmount": 1, "price": 1, "discount": 39_900,
        "lines": [{ "quantity": 1, "unitAmount": 1 }],
    });
    let mut totals = Vec::new();
    for change in [json!({}), cheap] {
        let answer = post(shop.ctx(), CHECKOUT, &wanted(&change)).await;
        totals.push(shop.read(order_of(&answer)).await.total);
    }
    assert_eq!(totals[0], totals[1]);
    assert!(totals[0].amount > 1_000);
    let asked: Vec<i64> = shop.stripe.world(|world| {
        world.all("checkout.session").filter_map(|session| session["amount_total"].as_i64()).collect()
    });
    assert_eq!(asked, [totals[0].amount, totals[0].amount]);
}

#[tokio::test]
async fn what_cannot_be_bought_is_told_by_its_code() {
    let shop = Shop::open().await;
    let in_germany = json!({ "address": { "country": "DE" }, "taxId": "DE123456789" });
    for (change, outcome) in [
        (json!({ "tier": "enterprise", "interval": "year" }), (422, ProblemCode::PriceUnavailable)),
        (json!({ "tier": "enterprise" }), (422, ProblemCode::PriceUnavailable)),
        (json!({ "coupon": "NO-SUCH" }), (422, ProblemCode::InvalidCoupon)),
        (json!({ "coupon": "no such thing at all" }), (422, ProblemCode::InvalidCoupon)),
        (in_germany, (422, ProblemCode::InvalidTaxId)),
        (json!({ "tier": "free" }), (409, ProblemCode::Conflict)),
    ] {
        let refused = post(shop.ctx(), CHECKOUT, &wanted(&change)).await;
        assert_eq!(refused.outcome(), (outcome.0, Some(outcome.1)), "{change}");
    }
    for (change, field, code) in [
        (json!({ "seats": 0 }), "seats", "out_of_range"),
        (json!({ "seats": 10_001 }), "seats", "out_of_range"),
        (json!({ "email": "nobody" }), "email", "invalid_email"),
        (json!({ "email": null }), "email", "invalid_email"),
    ] {
        let refused = post(shop.ctx(), CHECKOUT, &wanted(&change)).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{change}");
        assert_eq!(refused.mistakes(), [(field.to_owned(), code.to_owned())], "{change}");
    }
    assert_eq!(orders(&shop).await, 0);
}

#[tokio::test]
async fn without_a_provider_nothing_is_sold() {
    let app = TestApp::start_with(|config| config.payments.stripe_secret_key = None).await;
    let refused = post(&app.ctx, CHECKOUT, &wanted(&json!({}))).await;
    assert_eq!(refused.outcome(), (503, Some(ProblemCode::PaymentsUnavailable)));
    assert_ne!(refused.header(header::RETRY_AFTER), "");
}

/// Carried out there and never heard of here is the worst way to be away.
#[tokio::test]
async fn a_purchase_goes_on_when_the_provider_is_back() {
    let shop = Shop::open().await;
    let body = wanted(&json!({}));
    let buy = || call("POST", CHECKOUT).header(KEY, "once").json(&body);
    shop.stripe.set_weather(Weather { lose_answer: 1.0, ..Weather::default() });
    let away = buy().send(shop.ctx()).await;
    assert_eq!(away.outcome(), (503, Some(ProblemCode::PaymentsUnavailable)));
    assert!(away.header(header::RETRY_AFTER).parse::<u64>().is_ok_and(|seconds| seconds > 0));

    shop.stripe.set_weather(Weather::default());
    let back = buy().send(shop.ctx()).await;
    let order = order_of(&back);
    assert_eq!(back.header(REPLAYED), "", "the first answer was none to keep");
    assert_eq!(orders(&shop).await, 1, "{order}");
    let made = |kind: &str| shop.stripe.world(|world| world.all(kind).count());
    assert_eq!((made("customer"), made("checkout.session")), (1, 1));
    let again = buy().send(shop.ctx()).await;
    assert_eq!((order_of(&again), again.header(REPLAYED)), (order, "true"));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_said_to_be_away() {
    let Shop { app, stripe } = Shop::open().await;
    stripe.stop().await;
    let away = post(&app.ctx, CHECKOUT, &wanted(&json!({}))).await;
    assert_eq!(away.outcome(), (503, Some(ProblemCode::PaymentsUnavailable)));
    assert!(away.header(header::RETRY_AFTER).parse::<u64>().is_ok_and(|seconds| seconds > 0));
    let detail = away.problem.map(|problem| problem.detail).unwrap_or_default();
    assert!(detail.contains("not been charged"), "{detail}");
}
