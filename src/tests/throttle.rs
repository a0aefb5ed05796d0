//! Waits that grow with every try, and that nobody gets around by trying much at once.

use std::time::Duration;

use devforge::{
    context::Context,
    rate_limit::{
        Verdict,
        throttle::{self, Throttle},
    },
};
use futures::future::join_all;

use crate::support::TestApp;

const CODES: Throttle = Throttle {
    name: "test",
    free: 3,
    first_wait: Duration::from_secs(2),
    longest_wait: Duration::from_secs(10),
    forget_after: Duration::from_secs(3_600),
};
const KEY: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

async fn admit(ctx: &Context, throttle: &Throttle, key: &[u8; 32]) -> Verdict {
    throttle::admit(ctx, throttle, key).await.expect("counted")
}

fn wait(seconds: u64) -> Verdict {
    Verdict::Wait(Duration::from_secs(seconds))
}

#[tokio::test]
async fn after_the_free_tries_each_wait_is_twice_the_one_before() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        assert_eq!(admit(&app.ctx, &CODES, &KEY).await, Verdict::Go);
    }
    for seconds in [2, 4, 8, 10, 10] {
        assert_eq!(admit(&app.ctx, &CODES, &KEY).await, Verdict::Go, "the try before {seconds} seconds");
        assert_eq!(admit(&app.ctx, &CODES, &KEY).await, wait(seconds));
        app.ctx.clock.advance(time::Duration::seconds(1));
        let left = seconds - 1;
        assert_eq!(admit(&app.ctx, &CODES, &KEY).await, wait(left), "who asks again waits no longer");
        app.ctx.clock.advance(time::Duration::seconds(left.cast_signed()));
    }
}

#[tokio::test]
async fn of_fifty_tries_at_once_the_free_ones_and_one_more_get_through() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let tries = (0..50).map(|number| admit(if number % 2 == 0 { &app.ctx } else { &second }, &CODES, &KEY));
    let verdicts = join_all(tries).await;
    let went = verdicts.iter().filter(|verdict| **verdict == Verdict::Go).count();
    assert_eq!(went, 4);
    assert!(verdicts.iter().all(|verdict| [Verdict::Go, wait(2)].contains(verdict)), "{verdicts:?}");
}

#[tokio::test]
async fn keys_and_throttles_do_not_share_their_counts() {
    let app = TestApp::start().await;
    let another = Throttle { name: "another_test", ..CODES };
    for _ in 0..4 {
        admit(&app.ctx, &CODES, &KEY).await;
    }
    assert_eq!(admit(&app.ctx, &CODES, &KEY).await, wait(2));
    assert_eq!(admit(&app.ctx, &CODES, &OTHER).await, Verdict::Go);
    assert_eq!(admit(&app.ctx, &another, &KEY).await, Verdict::Go);
}

#[tokio::test]
async fn who_is_forgiven_starts_anew() {
    let app = TestApp::start().await;
    for key in [&KEY, &OTHER] {
        for _ in 0..4 {
            admit(&app.ctx, &CODES, key).await;
        }
    }
    throttle::forgive(&app.ctx, &CODES, &KEY).await.expect("forgiven");
    for _ in 0..4 {
        assert_eq!(admit(&app.ctx, &CODES, &KEY).await, Verdict::Go);
    }
    assert_eq!(admit(&app.ctx, &CODES, &KEY).await, wait(2));
    assert_eq!(admit(&app.ctx, &CODES, &OTHER).await, wait(2), "others are not forgiven with them");
}

#[tokio::test]
async fn tries_of_long_ago_are_forgotten() {
    let app = TestApp::start().await;
    for _ in 0..4 {
        admit(&app.ctx, &CODES, &KEY).await;
    }
    app.ctx.clock.advance(time::Duration::hours(1));
    assert_eq!(admit(&app.ctx, &CODES, &KEY).await, Verdict::Go);
    assert_eq!(admit(&app.ctx, &CODES, &KEY).await, wait(4), "an hour to the second is remembered");

    app.ctx.clock.advance(time::Duration::hours(1) + time::Duration::seconds(1));
    for _ in 0..4 {
        assert_eq!(admit(&app.ctx, &CODES, &KEY).await, Verdict::Go);
    }
    assert_eq!(admit(&app.ctx, &CODES, &KEY).await, wait(2));
}

#[tokio::test]
async fn without_free_tries_the_first_already_closes_the_door() {
    let app = TestApp::start().await;
    let strict = Throttle { free: 0, ..CODES };
    assert_eq!(admit(&app.ctx, &strict, &KEY).await, Verdict::Go);
    assert_eq!(admit(&app.ctx, &strict, &KEY).await, wait(2));
}

#[tokio::test]
async fn the_purge_takes_what_nobody_tried_for_two_days() {
    let app = TestApp::start().await;
    admit(&app.ctx, &CODES, &KEY).await;
    app.ctx.clock.advance(time::Duration::days(2) + time::Duration::seconds(1));
    admit(&app.ctx, &CODES, &OTHER).await;
    assert_eq!(throttle::purge(&app.ctx).await.expect("purged"), 1);
    assert_eq!(throttle::purge(&app.ctx).await.expect("purged"), 0);
}
