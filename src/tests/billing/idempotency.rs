//! Requests with an `Idempotency-Key`: the first answer is the answer, whatever is sent again, and when.

mod handlers;
mod tries;

use std::cell::{Cell, RefCell};

use axum::{
    body::to_bytes,
    http::{HeaderMap, HeaderValue, StatusCode},
};
use devforge::{
    account::{Caller, Client},
    api::error::ApiError,
    context::Context,
    contract::{account::Role, id::OrderId, problem::ProblemCode},
    idempotency::{self, Keyed},
};
use serde::Serialize;
use serde_json::{Value, json};
use time::Duration;

use super::api::{CHECKOUT, KEY, REPLAYED, order_of, orders, wanted};
use crate::{
    api::client::{Answer, call, log_in},
    shop::Shop,
    support::{TestApp, client},
};

const IN_PROGRESS: (u16, Option<ProblemCode>) = (409, Some(ProblemCode::IdempotencyInProgress));
const REUSED: (u16, Option<ProblemCode>) = (422, Some(ProblemCode::IdempotencyKeyReused));
/// What is answered under a key, and whether it was before.
type Told = Result<(Value, bool), ProblemCode>;
/// The own keys of the requests that were carried out.
type Log = RefCell<Vec<String>>;

async fn buy(ctx: &Context, key: &str, body: &Value) -> Answer {
    call("POST", CHECKOUT).header(KEY, key).json(body).send(ctx).await
}

fn keyed<R: Serialize>(operation: &'static str, key: &str, from: &Client, request: &R) -> Keyed {
    let mut headers = HeaderMap::new();
    headers.insert(idempotency::HEADER, HeaderValue::from_str(key).expect("a value"));
    let keyed = Keyed::from_headers(&headers, operation, &Caller::Anonymous, from, request);
    keyed.expect("a good key").expect("there is one")
}

fn of(key: &str, body: &str) -> Keyed {
    keyed("test", key, &client(), &body)
}

async fn send<F>(ctx: &Context, keyed: &Keyed, run: F) -> Told
where
    F: AsyncFnOnce(Option<String>) -> Result<Value, ApiError>,
{
    let answer = idempotency::once(ctx, Some(keyed), StatusCode::CREATED, run).await;
    let answer = answer.map_err(|error| error.code())?;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let replayed = answer.headers().get(REPLAYED).is_some_and(|value| value == "true");
    let body = to_bytes(answer.into_body(), 10_000).await.expect("a short body");
    Ok((serde_json::from_slice(&body).expect("the body is JSON"), replayed))
}

/// Sends a request whose answer is how often it, or another, was carried out.
async fn ask(ctx: &Context, keyed: &Keyed, log: &Log) -> Told {
    let run = async |own: Option<String>| {
        log.borrow_mut().push(own.expect("it has a key"));
        Ok::<_, ApiError>(json!({ "times": log.borrow().len() }))
    };
    send(ctx, keyed, run).await
}

/// Sends a request that fails.
async fn fail(ctx: &Context, keyed: &Keyed, log: &Log, code: ProblemCode) {
    let run = async |own: Option<String>| {
        log.borrow_mut().push(own.expect("it has a key"));
        Err::<Value, _>(ApiError::new(code, "not now"))
    };
    assert_eq!(send(ctx, keyed, run).await, Err(code));
}

/// How many different requests were carried out.
fn different(log: &Log) -> usize {
    let mut keys = log.borrow().clone();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

fn first() -> Told {
    Ok((json!({ "times": 1 }), false))
}

fn again() -> Told {
    Ok((json!({ "times": 1 }), true))
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let shop = Shop::open().await;
    let body = wanted(&json!({}));
    let made = buy(shop.ctx(), "order-1", &body).await;
    let order = order_of(&made);
    assert_eq!(made.header(REPLAYED), "");
    // Blanks around the key, and fields that we do not know, make no other request.
    let with_more = wanted(&json!({ "note": "from the team" }));
    for (key, body) in [("order-1", &body), (" order-1 ", &body), ("order-1", &with_more)] {
        let again = buy(shop.ctx(), key, body).await;
        assert_eq!((order_of(&again), again.header(REPLAYED)), (order, "true"));
        assert_eq!(
            (again.json(), again.headers.get("content-type")),
            (made.json(), made.headers.get("content-type"))
        );
    }
    assert_eq!(orders(&shop).await, 1);
    assert_eq!(shop.stripe.world(|world| world.all("checkout.session").count()), 1);

    let other = buy(shop.ctx(), "order-1", &wanted(&json!({ "seats": 3 }))).await;
    assert_eq!(other.outcome(), REUSED);
    let own_key = buy(shop.ctx(), "order-2", &body).await;
    assert_ne!(order_of(&own_key), order);
    assert_eq!(orders(&shop).await, 2);
}

#[tokio::test]
async fn of_many_at_once_one_is_carried_out() {
    let shop = Shop::open().await;
    let body = wanted(&json!({}));
    let answers = futures::future::join_all((0..6).map(|_| buy(shop.ctx(), "order-1", &body))).await;
    assert!(answers.iter().any(|answer| answer.outcome() == (201, None)));
    let last = buy(shop.ctx(), "order-1", &body).await;
    let order = order_of(&last);
    for answer in &answers {
        if answer.outcome() != IN_PROGRESS {
            assert_eq!(order_of(answer), order);
        }
    }
    assert_eq!(orders(&shop).await, 1);
    assert_eq!(shop.stripe.world(|world| world.all("checkout.session").count()), 1);
}

#[tokio::test]
async fn after_a_mistake_the_key_is_good_for_the_request_put_right() {
    let shop = Shop::open().await;
    for (change, status) in [
        (json!({ "coupon": "NO-SUCH" }), 422),
        (json!({ "seats": 0 }), 422),
        (json!({ "tier": "enterprise" }), 422),
        (json!({ "tier": "free" }), 409),
    ] {
        for _ in 0..2 {
            let refused = buy(shop.ctx(), "order-1", &wanted(&change)).await;
            assert_eq!(refused.status, status, "{change}");
            assert_ne!(refused.outcome().1, REUSED.1, "{change}");
        }
    }
    let made = buy(shop.ctx(), "order-1", &wanted(&json!({}))).await;
    order_of(&made);
    assert_eq!((made.header(REPLAYED), orders(&shop).await), ("", 1));
}

#[tokio::test]
async fn keys_of_two_callers_do_not_meet() {
    let shop = Shop::open().await;
    let body = wanted(&json!({}));
    let mut callers = vec![String::new()];
    for email in ["ada@example.com", "eve@example.com"] {
        let user = shop.app.person(email, Role::Customer).await;
        callers.push(log_in(shop.ctx(), &user).await.access);
    }
    let send = async |access: &str| {
        let call = call("POST", CHECKOUT).header(KEY, "1").json(&body);
        let call = if access.is_empty() { call } else { call.bearer(access) };
        call.send(shop.ctx()).await
    };
    let mut made: Vec<OrderId> = Vec::new();
    for access in &callers {
        let answer = send(access).await;
        assert_eq!(answer.header(REPLAYED), "");
        made.push(order_of(&answer));
    }
    for (access, order) in callers.iter().zip(&made) {
        let again = send(access).await;
        assert_eq!((order_of(&again), again.header(REPLAYED)), (*order, "true"));
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 3);
}

#[tokio::test]
async fn a_key_is_up_to_255_visible_characters() {
    let shop = Shop::open().await;
    let body = wanted(&json!({}));
    let (longest, too_long) = ("k".repeat(255), "k".repeat(256));
    for key in [too_long.as_str(), "", "   ", "schlüssel"] {
        let refused = buy(shop.ctx(), key, &body).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{key}");
    }
    assert_eq!(orders(&shop).await, 0);
    let order = order_of(&buy(shop.ctx(), &longest, &body).await);
    assert_eq!(order_of(&buy(shop.ctx(), &longest, &body).await), order);
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day() {
    let app = TestApp::start().await;
    let (keyed, log) = (of("1", "a"), Log::default());
    assert_eq!(ask(&app.ctx, &keyed, &log).await, first());
    app.ctx.clock.advance(Duration::DAY);
    assert_eq!(idempotency::purge(&app.ctx).await.expect("purged"), 0);
    assert_eq!(ask(&app.ctx, &keyed, &log).await, again());
    app.ctx.clock.advance(Duration::SECOND);
    // Whether it was purged or not: from now on it counts no more, for another request either.
    assert_eq!(ask(&app.ctx, &of("1", "b"), &log).await, Ok((json!({ "times": 2 }), false)));
    assert_eq!(ask(&app.ctx, &keyed, &log).await, Err(ProblemCode::IdempotencyKeyReused));
    app.ctx.clock.advance(Duration::DAY + Duration::SECOND);
    assert_eq!(idempotency::purge(&app.ctx).await.expect("purged"), 1);
    assert_eq!(ask(&app.ctx, &keyed, &log).await, Ok((json!({ "times": 3 }), false)));
    // The same request on another day is another one.
    assert_eq!(different(&log), 3);
}

#[tokio::test]
async fn a_key_is_ones_own_and_one_operations() {
    let app = TestApp::start().await;
    let elsewhere = Client { network: "198.51.100.0".to_owned(), ..client() };
    let all = [
        of("1", "a"),
        of("2", "a"),
        of("1", "b"),
        keyed("other", "1", &client(), &"a"),
        keyed("test", "1", &elsewhere, &"a"),
    ];
    let log = Log::default();
    for (index, keyed) in all.iter().enumerate() {
        let is_the_same_key = index == 2;
        let refused = ask(&app.ctx, keyed, &log).await == Err(ProblemCode::IdempotencyKeyReused);
        assert_eq!(refused, is_the_same_key, "{index}");
    }
    assert_eq!((log.borrow().len(), different(&log)), (4, 4));
}

#[tokio::test]
async fn without_a_key_every_request_is_carried_out() {
    let app = TestApp::start().await;
    let times = Cell::new(0);
    for _ in 0..2 {
        let run = async |own: Option<String>| {
            assert_eq!(own, None);
            times.set(times.get() + 1);
            Ok::<_, ApiError>(json!({}))
        };
        let answer = idempotency::once(&app.ctx, None, StatusCode::CREATED, run).await;
        assert_eq!(answer.expect("answered").status(), StatusCode::CREATED);
    }
    assert_eq!(times.get(), 2);
}
