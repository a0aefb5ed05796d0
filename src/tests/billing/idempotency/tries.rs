//! More than one try at a request: at once, after one that died or failed, and after one that is only slow.

use std::cell::Cell;

use axum::http::{StatusCode, header};
use devforge::{
    account::{Caller, Client},
    api::error::ApiError,
    billing::order,
    context::Context,
    contract::{
        payment::{CheckoutRequest, Interval, Tier},
        problem::ProblemCode,
    },
    idempotency::{self, Keyed},
};
use serde_json::{Value, json};
use time::Duration;
use tokio::sync::Notify;

use super::{
    IN_PROGRESS, Log, REPLAYED, again, ask, buy, different, fail, first, keyed, of, order_of, orders, send,
};
use crate::{
    eventually::eventually,
    shop::{Shop, want},
    support::{TestApp, client},
};

/// A request that dies once it has come so far.
async fn cut_off(ctx: &Context, keyed: &Keyed, so_far: impl AsyncFnOnce(Option<String>)) {
    let begun = Notify::new();
    let run = async |own: Option<String>| {
        so_far(own).await;
        begun.notify_one();
        std::future::pending::<Result<Value, ApiError>>().await
    };
    let mut dying = Box::pin(idempotency::once(ctx, Some(keyed), StatusCode::CREATED, run));
    tokio::select! {
        _ = &mut dying => panic!("it has no end"),
        () = begun.notified() => {}
    }
    // A process that dies drops nothing.
    std::mem::forget(dying);
}

#[tokio::test]
async fn whoever_hung_up_need_not_wait() {
    let app = TestApp::start().await;
    let (keyed, log) = (of("1", "a"), Log::default());
    let begun = Notify::new();
    let run = async |_: Option<String>| {
        begun.notify_one();
        std::future::pending::<Result<Value, ApiError>>().await
    };
    tokio::select! {
        _ = idempotency::once(&app.ctx, Some(&keyed), StatusCode::CREATED, run) => panic!("it has no end"),
        () = begun.notified() => {}
    }
    let taken_over =
        eventually("the key is given back", async || ask(&app.ctx, &keyed, &log).await.ok()).await;
    assert_eq!(Ok(taken_over), first());
}

#[tokio::test]
async fn a_request_under_way_is_waited_for() {
    let app = TestApp::start().await;
    let (keyed, log) = (of("1", "a"), Log::default());
    let (begun, end) = (Notify::new(), Notify::new());
    let slow = send(&app.ctx, &keyed, async |_: Option<String>| {
        begun.notify_one();
        end.notified().await;
        Ok(json!({ "times": 1 }))
    });
    let meanwhile = async {
        begun.notified().await;
        assert_eq!(ask(&app.ctx, &keyed, &log).await, Err(ProblemCode::IdempotencyInProgress));
        let other = ask(&app.ctx, &of("1", "b"), &log).await;
        assert_eq!(other, Err(ProblemCode::IdempotencyKeyReused), "it will never be this one's answer");
        end.notify_one();
    };
    let (slow, ()) = tokio::join!(slow, meanwhile);
    assert_eq!(slow, first());
    assert_eq!(ask(&app.ctx, &keyed, &log).await, again());
}

#[tokio::test]
async fn a_request_that_died_is_taken_over_after_a_minute() {
    let app = TestApp::start().await;
    let (keyed, log, died) = (of("1", "a"), Log::default(), Cell::new(None));
    cut_off(&app.ctx, &keyed, async |own: Option<String>| died.set(own)).await;
    app.ctx.clock.advance(Duration::MINUTE);
    assert_eq!(ask(&app.ctx, &keyed, &log).await, Err(ProblemCode::IdempotencyInProgress));
    app.ctx.clock.advance(Duration::SECOND);
    let other = ask(&app.ctx, &of("1", "b"), &log).await;
    assert_eq!(other, Err(ProblemCode::IdempotencyKeyReused), "what had begun is not another's to end");
    assert_eq!(ask(&app.ctx, &keyed, &log).await, first());
    assert_eq!(ask(&app.ctx, &keyed, &log).await, again());
    assert_eq!(log.borrow().first(), died.take().as_ref(), "by its own key it finds what had begun");
}

#[tokio::test]
async fn a_try_that_failed_in_the_middle_is_gone_on_with() {
    let app = TestApp::start().await;
    let (keyed, log) = (of("1", "a"), Log::default());
    fail(&app.ctx, &keyed, &log, ProblemCode::PaymentsUnavailable).await;
    let other = ask(&app.ctx, &of("1", "b"), &log).await;
    assert_eq!(other, Err(ProblemCode::IdempotencyKeyReused), "what had begun is not another's to end");
    // That a later try is refused says nothing of what the first one had begun.
    fail(&app.ctx, &keyed, &log, ProblemCode::RateLimited).await;
    assert_eq!(ask(&app.ctx, &keyed, &log).await, Ok((json!({ "times": 3 }), false)));
    assert_eq!(different(&log), 1);
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_its_key_to_any_other() {
    let app = TestApp::start().await;
    let log = Log::default();
    fail(&app.ctx, &of("1", "a"), &log, ProblemCode::InvalidRequest).await;
    assert_eq!(ask(&app.ctx, &of("1", "b"), &log).await, Ok((json!({ "times": 2 }), false)));
    assert_eq!(different(&log), 2);
}

#[tokio::test]
async fn whoever_is_late_takes_nothing_from_their_successor() {
    let app = TestApp::start().await;
    let another = ("b", Duration::DAY + Duration::SECOND);
    let the_same = ("a", Duration::seconds(61));
    for (index, (late, (successor, after))) in [
        (None, another),
        (Some(ProblemCode::Conflict), another),
        (Some(ProblemCode::Unavailable), another),
        (Some(ProblemCode::Conflict), the_same),
        (Some(ProblemCode::Unavailable), the_same),
    ]
    .into_iter()
    .enumerate()
    {
        let key = index.to_string();
        let (keyed, successor) = (of(&key, "a"), of(&key, successor));
        let (begun, end) = (Notify::new(), Notify::new());
        let slow = send(&app.ctx, &keyed, async |_: Option<String>| {
            begun.notify_one();
            end.notified().await;
            late.map_or_else(|| Ok(json!("late")), |code| Err(ApiError::new(code, "too late")))
        });
        let meanwhile = async {
            begun.notified().await;
            app.ctx.clock.advance(after);
            cut_off(&app.ctx, &successor, async |_: Option<String>| {}).await;
            end.notify_one();
        };
        let (slow, ()) = tokio::join!(slow, meanwhile);
        assert_eq!(slow.err(), late);
        let log = Log::default();
        let meanwhile = ask(&app.ctx, &successor, &log).await;
        assert_eq!(meanwhile, Err(ProblemCode::IdempotencyInProgress), "{index}");
        app.ctx.clock.advance(Duration::seconds(61));
        assert_eq!(ask(&app.ctx, &successor, &log).await, first(), "{index}");
    }
}

#[tokio::test]
async fn of_two_answers_to_one_request_the_first_is_kept() {
    let app = TestApp::start().await;
    let (keyed, log) = (of("1", "a"), Log::default());
    let (begun, end) = (Notify::new(), Notify::new());
    let slow = send(&app.ctx, &keyed, async |_: Option<String>| {
        begun.notify_one();
        end.notified().await;
        Ok(json!("late"))
    });
    let meanwhile = async {
        begun.notified().await;
        app.ctx.clock.advance(Duration::seconds(61));
        assert_eq!(ask(&app.ctx, &keyed, &log).await, first());
        end.notify_one();
    };
    let (slow, ()) = tokio::join!(slow, meanwhile);
    assert_eq!(slow, Ok((json!("late"), false)));
    assert_eq!(ask(&app.ctx, &keyed, &log).await, again());
}

#[tokio::test]
async fn of_many_who_take_over_one_does() {
    let app = TestApp::start().await;
    let (keyed, log) = (of("1", "a"), Log::default());
    cut_off(&app.ctx, &keyed, async |_: Option<String>| {}).await;
    app.ctx.clock.advance(Duration::seconds(61));
    futures::future::join_all((0..5).map(|_| ask(&app.ctx, &keyed, &log))).await;
    assert_eq!(log.borrow().len(), 1);
}

/// The process ends between Stripe's answer and ours.
#[tokio::test]
async fn a_purchase_that_died_before_its_answer_is_gone_on_with() {
    let shop = Shop::open().await;
    let request: CheckoutRequest = want("grace@example.com", Tier::Pro, Interval::Once, 1);
    // Without the server around it, the API does not know a guest's network.
    let from = Client { network: "unknown".to_owned(), ..client() };
    let keyed = keyed("createCheckout", "order-1", &from, &request);
    let made = Cell::new(None);
    cut_off(shop.ctx(), &keyed, async |own: Option<String>| {
        let key = own.as_deref();
        let answer = Box::pin(order::checkout(shop.ctx(), &Caller::Anonymous, &from, &request, key)).await;
        made.set(Some(answer.expect("an order").order_id));
    })
    .await;

    let body = serde_json::to_value(&request).expect("JSON");
    let meanwhile = buy(shop.ctx(), "order-1", &body).await;
    assert_eq!((meanwhile.outcome(), meanwhile.header(header::RETRY_AFTER)), (IN_PROGRESS, "1"));
    shop.ctx().clock.advance(Duration::seconds(61));
    let answer = buy(shop.ctx(), "order-1", &body).await;
    assert_eq!((Some(order_of(&answer)), answer.header(REPLAYED)), (made.get(), ""));
    assert_eq!(orders(&shop).await, 1);
    assert_eq!(shop.stripe.world(|world| world.all("checkout.session").count()), 1);
    assert_eq!(buy(shop.ctx(), "order-1", &body).await.header(REPLAYED), "true");
}
