//! The client of Stripe: what it sends when answers are lost, slow or strange, and what it reads of the simulator.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri},
};
use devforge::{
    billing::catalogue::{CouponDuration, Off},
    clock::Clock,
    config::{PaymentsConfig, Secret},
    contract::{
        id::{OrderId, RefundId},
        money::{Currency, Rate},
        payment::{Address, Interval, PaymentMethod},
    },
    integration::stripe::{
        Change, Error, Expandable, NewCoupon, NewCustomer, NewPrice, NewSession, NewTaxRate, Proration,
        Stripe, signature,
    },
};
use stripe_simulator::{Card, Settings, Simulator, Weather};

pub fn config(url: &str) -> PaymentsConfig {
    PaymentsConfig {
        stripe_secret_key: Some(Secret::new("sk_test_simulator".to_owned())),
        stripe_url: url.to_owned(),
        stripe_webhook_secrets: vec![Secret::new("whsec_for_tests".to_owned())],
        stripe_tax: false,
        taxjar_key: None,
        taxjar_url: url.to_owned(),
        home_country: "DE".to_owned(),
        seller_tax_id: String::new(),
        simulated: true,
        simulator_address: None,
    }
}

pub fn simulated() -> (Simulator, Stripe) {
    let simulator = stripe_simulator::start(Settings {
        address: "127.0.0.1:0".parse().expect("an address"),
        webhook: None,
        journal: None,
        seed: 11,
        weather: Weather::default(),
    })
    .expect("the simulator starts");
    let stripe = Stripe::new(&config(simulator.url())).expect("there is a key");
    (simulator, stripe)
}

fn address() -> Address {
    Address { country: "DE".to_owned(), postal_code: "10115".to_owned(), ..Address::default() }
}

/// What an answer is to be: status, headers, body.
type Answer = (u16, &'static [(&'static str, &'static str)], String);

#[derive(Clone, Debug)]
struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A server that gives these answers, one after another, and remembers what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Script {
    async fn start(answers: Vec<Answer>) -> (Self, Stripe) {
        let script = Self { answers: Arc::new(Mutex::new(answers.into())), ..Self::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(Self::answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (script, Stripe::new(&config(&url)).expect("there is a key"))
    }

    async fn answer(
        State(script): State<Self>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, HeaderMap, String) {
        let path = uri.path().to_owned();
        script.asked.lock().expect("a lock").push(Asked { method, path, headers, body });
        let next = script.answers.lock().expect("a lock").pop_front();
        let (status, headers, body) = next.unwrap_or((410, PLAIN, String::new()));
        let headers = headers
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        (StatusCode::from_u16(status).expect("a status"), headers, body)
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("a lock").clone()
    }
}

const PLAIN: &[(&str, &str)] = &[];
const NOW: &[(&str, &str)] = &[("retry-after", "0")];
const REFUND: &str = r#"{"id":"re_1","amount":500,"currency":"usd","status":"succeeded","charge":"ch_1",
    "created":1,"metadata":{},"a_field_of_tomorrow":{"nested":true}}"#;

fn refund_id() -> RefundId {
    "rfd_01h2xcejqtf2nbrexx3vqjhp41".parse().expect("an id")
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let answers = vec![
        (500, NOW, "{}".to_owned()),
        (409, NOW, "{}".to_owned()),
        (429, NOW, "{}".to_owned()),
        (200, NOW, REFUND.to_owned()),
    ];
    let (script, stripe) = Script::start(answers).await;
    let refund = stripe.create_refund("ch_1", 500, refund_id(), "refund-1").await.expect("a refund");
    assert_eq!((refund.id.as_str(), refund.amount), ("re_1", 500));
    let asked = script.asked();
    assert_eq!(asked.len(), 4);
    for request in &asked {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!((&request.method, request.path.as_str()), (&Method::POST, "/v1/refunds"));
        assert_eq!(header("idempotency-key"), Some("refund-1"));
        assert_eq!(header("authorization"), Some("Bearer sk_test_simulator"));
        assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(header("stripe-version"), Some("2026-09-30.endive"));
        assert_eq!(request.body, asked[0].body);
    }
    let body = String::from_utf8(asked[0].body.to_vec()).expect("text");
    assert!(body.contains("amount=500") && body.contains(&refund_id().to_string()), "{body}");
}

#[tokio::test]
async fn tries_have_an_end() {
    let answers = (0..9).map(|_| (503, NOW, "{}".to_owned())).collect();
    let (script, stripe) = Script::start(answers).await;
    let error = stripe.charge("ch_1").await.expect_err("it is away");
    assert!(matches!(error, Error::Unavailable(_)) && error.is_temporary(), "{error:?}");
    assert_eq!(script.asked().len(), 4);
}

#[tokio::test]
async fn stripe_says_whether_and_when_to_come_back() {
    const NEVER: &[(&str, &str)] = &[("stripe-should-retry", "false"), ("retry-after", "0")];
    const AGAIN: &[(&str, &str)] = &[("stripe-should-retry", "true"), ("retry-after", "0")];
    const LATER: &[(&str, &str)] = &[("retry-after", "600")];
    let (script, stripe) = Script::start(vec![(500, NEVER, String::new())]).await;
    assert!(matches!(stripe.charge("ch_1").await, Err(Error::Unavailable(_))));
    assert_eq!(script.asked().len(), 1);
    let (script, stripe) =
        Script::start(vec![(400, AGAIN, String::new()), (200, NOW, REFUND.to_owned())]).await;
    assert!(stripe.refund("re_1").await.is_ok());
    assert_eq!(script.asked().len(), 2);
    // Nobody waits ten minutes for a page.
    let (script, stripe) = Script::start(vec![(429, LATER, String::new())]).await;
    assert!(matches!(stripe.charge("ch_1").await, Err(Error::RateLimited)));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn strange_answers_are_errors() {
    const ELSEWHERE: &[(&str, &str)] = &[("location", "/v1/other"), ("stripe-should-retry", "false")];
    let (script, stripe) = Script::start(vec![(302, ELSEWHERE, String::new())]).await;
    assert!(matches!(stripe.charge("ch_1").await, Err(Error::Unavailable(_))));
    assert_eq!(script.asked().len(), 1, "keys are not carried elsewhere");
    let (_script, stripe) = Script::start(vec![(200, PLAIN, "<html>".to_owned())]).await;
    assert!(matches!(stripe.charge("ch_1").await, Err(Error::Unreadable(_))));
    let (_script, stripe) = Script::start(vec![(200, PLAIN, " ".repeat(5 * 1024 * 1024))]).await;
    assert!(matches!(stripe.charge("ch_1").await, Err(Error::Unreadable(_))));
}

#[tokio::test]
async fn refusals_say_what_they_are() {
    let declined = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds",
        "message":"Your card has insufficient funds."}}"#;
    let (_script, stripe) = Script::start(vec![(402, PLAIN, declined.to_owned())]).await;
    let change = Change { item: "si_1", price: "price_1", quantity: 2, proration: Proration::InvoiceNow };
    let error = stripe.change_subscription("sub_1", &change, "change-1").await.expect_err("declined");
    let Error::Declined { decline_code, message, .. } = error else { panic!("{error:?}") };
    assert_eq!(decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!(message, "Your card has insufficient funds.");
}

#[tokio::test]
async fn what_is_no_id_is_not_asked_for() {
    let (script, stripe) = Script::start(Vec::new()).await;
    for id in ["", "../customers", "ch_1/refund", "ch_1?expand=x", "ch 1"] {
        assert!(matches!(stripe.charge(id).await, Err(Error::NotFound)), "{id}");
        assert!(matches!(stripe.session(id).await, Err(Error::NotFound)), "{id}");
        assert!(matches!(stripe.cancel_now(id, "key").await, Err(Error::NotFound)), "{id}");
    }
    assert!(script.asked().is_empty());
}

#[test]
fn the_environment_is_that_of_the_key() {
    let with = |key: &str, simulated| {
        let mut config = config("https://api.stripe.com");
        config.stripe_secret_key = Some(Secret::new(key.to_owned()));
        config.simulated = simulated;
        Stripe::new(&config).map(|stripe| stripe.environment())
    };
    assert_eq!(with("sk_test_x", true), Some("simulator"));
    assert_eq!(with("sk_test_x", false), Some("test"));
    assert_eq!(with("sk_live_x", false), Some("live"));
    assert_eq!(with("rk_live_x", false), Some("live"));
    let without = PaymentsConfig { stripe_secret_key: None, ..config("https://api.stripe.com") };
    assert!(Stripe::new(&without).is_none());
}

#[test]
fn the_simulators_signature_is_believed() {
    let now = Clock::System.now();
    let header = stripe_simulator::sign("whsec_for_tests", now.unix_timestamp(), b"{}");
    let secrets = [Secret::new("whsec_for_tests".to_owned())];
    assert_eq!(signature::verify(&secrets, Some(&header), b"{}", now), Ok(()));
    assert!(signature::verify(&secrets, Some(&header), b"{ }", now).is_err());
}

#[tokio::test]
async fn the_catalogue_can_be_told_twice() {
    let (_simulator, stripe) = simulated();
    for name in ["Pro", "Pro for teams", "Pro"] {
        let product =
            stripe.put_product("devforge_pro", name, "For work.", "product-pro").await.expect("put");
        assert_eq!((product.id.as_str(), product.name.as_str()), ("devforge_pro", name));
    }
    let new = NewPrice {
        product: "devforge_pro",
        currency: Currency::Usd,
        unit_amount: 1900,
        interval: Interval::Month,
        lookup_key: "prc_monthly",
    };
    let price = stripe.create_price(&new, "price-1").await.expect("a price");
    assert_eq!(stripe.create_price(&new, "price-1").await.expect("the same").id, price.id);
    let found = stripe.price_by_lookup_key("prc_monthly").await.expect("a list").expect("the price");
    assert_eq!((found.id.as_str(), found.unit_amount), (price.id.as_str(), Some(1900)));
    assert!(stripe.price_by_lookup_key("prc_other").await.expect("a list").is_none());
    assert!(!stripe.archive_price(&price.id).await.expect("archived").active);

    let coupon = NewCoupon {
        id: "cpn_spring",
        name: "SPRING",
        off: Off::Share(Rate(81_000)),
        duration: CouponDuration::Repeating(3),
        max_redemptions: Some(5),
        expires_at: None,
    };
    for key in ["coupon-1", "coupon-2"] {
        assert_eq!(stripe.create_coupon(&coupon, key).await.expect("a coupon").id, "cpn_spring");
    }
    let other = NewCoupon { duration: CouponDuration::Forever, ..coupon };
    let error = stripe.create_coupon(&other, "coupon-3").await.expect_err("another coupon");
    assert_eq!(error.code(), Some("resource_already_exists"));

    let rate = NewTaxRate { percentage: Rate(255_000), country: "FI", display_name: "VAT" };
    let rate = stripe.create_tax_rate(&rate, "rate-1").await.expect("a rate");
    assert!((rate.percentage - 25.5).abs() < f64::EPSILON && !rate.inclusive);
}

/// A product with a price for each interval asked for, and a customer.
async fn ready(stripe: &Stripe, interval: Interval) -> (String, String) {
    let address = address();
    let order = [("order", "ord_1".to_owned())];
    let new =
        NewCustomer { email: "ada@example.com", name: "Ada Lovelace", address: &address, metadata: &order };
    let customer = stripe.create_customer(&new, "customer-1").await.expect("a customer");
    assert_eq!(customer.metadata.get("order").map(String::as_str), Some("ord_1"));
    stripe.put_product("devforge_pro", "Pro", "For work.", "product-pro").await.expect("a product");
    let new = NewPrice {
        product: "devforge_pro",
        currency: Currency::Usd,
        unit_amount: 1900,
        interval,
        lookup_key: "prc_1",
    };
    let price = stripe.create_price(&new, "price-1").await.expect("a price");
    (customer.id, price.id)
}

fn session<'a>(customer: &'a str, price: &'a str, interval: Interval) -> NewSession<'a> {
    NewSession {
        order: "ord_01h2xcejqtf2nbrexx3vqjhp41".parse::<OrderId>().expect("an id"),
        customer,
        price,
        quantity: 2,
        interval,
        tax_rates: &[],
        coupon: None,
        trial_days: 0,
        payment_method: PaymentMethod::Checkout,
        success_url: "https://devforge.example/orders?paid=1",
        cancel_url: "https://devforge.example/orders",
        expires_at: Clock::System.now().unix_timestamp() + 7200,
    }
}

#[tokio::test]
async fn a_payment_is_made_once_and_given_back_in_parts() {
    let (simulator, stripe) = simulated();
    let (customer, price) = ready(&stripe, Interval::Once).await;
    let new = session(&customer, &price, Interval::Once);
    let made = stripe.create_session(&new, "order-1").await.expect("a session");
    assert_eq!(stripe.create_session(&new, "order-1").await.expect("the same").id, made.id);
    let other = NewSession { quantity: 3, ..new };
    assert!(matches!(stripe.create_session(&other, "order-1").await, Err(Error::IdempotencyMismatch)));
    simulator.pay(&made.id, Card::Good).expect("paid");

    let paid = stripe.session(&made.id).await.expect("the session");
    assert_eq!((paid.payment_status.as_str(), paid.amount_total), ("paid", Some(3800)));
    assert_eq!(paid.metadata.get("order"), Some(&new.order.to_string()));
    let intent = paid.payment_intent.as_ref().and_then(Expandable::object).expect("a payment");
    let charge = intent.latest_charge.as_ref().and_then(Expandable::object).expect("a charge");
    let balance = charge.balance_transaction.as_ref().and_then(Expandable::object).expect("a fee");
    assert!(charge.paid && balance.fee > 0);
    assert_eq!(stripe.payment_intent(&intent.id).await.expect("the payment").id, intent.id);
    assert_eq!(stripe.expire_session(&made.id).await.expect("as it is").payment_status, "paid");

    for (amount, key) in [(1000, "refund-1"), (500, "refund-2"), (500, "refund-2")] {
        stripe.create_refund(&charge.id, amount, refund_id(), key).await.expect("a refund");
    }
    let refunds = stripe.refunds_of(&charge.id).await.expect("refunds");
    assert_eq!(refunds.iter().map(|refund| refund.amount).collect::<Vec<_>>(), [500, 1000]);
    assert_eq!(stripe.refund(&refunds[0].id).await.expect("one").amount, 500);
    assert_eq!(stripe.charge(&charge.id).await.expect("the charge").amount_refunded, 1500);
    let events = stripe.events_since(0, None).await.expect("events");
    assert!(events.data.iter().any(|event| event.topic == "checkout.session.completed"));
}

#[tokio::test]
async fn a_subscription_changes_and_ends() {
    let (simulator, stripe) = simulated();
    let (customer, price) = ready(&stripe, Interval::Month).await;
    let new = session(&customer, &price, Interval::Month);
    let made = stripe.create_session(&new, "order-1").await.expect("a session");
    simulator.pay(&made.id, Card::Good).expect("paid");
    let session = stripe.session(&made.id).await.expect("the session");
    let id = session.subscription.as_ref().expect("a subscription").id().to_owned();
    let subscription = stripe.subscription(&id).await.expect("the subscription");
    assert_eq!((subscription.status.as_str(), subscription.items.data[0].quantity), ("active", Some(2)));
    assert_eq!(subscription.metadata.get("order"), Some(&new.order.to_string()));
    assert_eq!(stripe.subscriptions_after(None).await.expect("a page").data.len(), 1);
    assert!(stripe.subscriptions_after(Some(&id)).await.expect("a page").data.is_empty());
    let invoice = subscription.latest_invoice.as_ref().expect("an invoice").id().to_owned();
    let invoice = stripe.invoice(&invoice).await.expect("the invoice");
    assert!(invoice.paid_by().is_some());

    let item = subscription.items.data[0].id.clone();
    let change = Change { item: &item, price: &price, quantity: 5, proration: Proration::InvoiceNow };
    let preview = stripe.preview_change(&id, &change).await.expect("a preview");
    assert!(preview.amount_due > 0);
    assert_eq!(stripe.subscription(&id).await.expect("as before").items.data[0].quantity, Some(2));
    let changed = stripe.change_subscription(&id, &change, "change-1").await.expect("changed");
    assert_eq!(changed.items.data[0].quantity, Some(5));

    assert!(stripe.set_cancel_at_period_end(&id, true, "end-1").await.expect("set").cancel_at_period_end);
    assert!(!stripe.set_cancel_at_period_end(&id, false, "end-2").await.expect("set").cancel_at_period_end);
    let portal =
        stripe.portal_session(&customer, "https://devforge.example/account").await.expect("a portal");
    assert!(portal.url.starts_with("http"));
    assert_eq!(stripe.cancel_now(&id, "cancel-1").await.expect("ended").status, "canceled");
    assert_eq!(stripe.cancel_now(&id, "cancel-2").await.expect("as it is").status, "canceled");
}
