//! The ledger of limits that hold across processes.

use std::time::Duration;

use devforge::rate_limit::{self, Limit, Verdict};

use crate::support::TestApp;

const THREE_A_MINUTE: Limit = Limit { name: "test", times: 3, per: Duration::from_secs(60) };
const KEY: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

#[tokio::test]
async fn a_key_waits_for_the_end_of_its_window() {
    let app = TestApp::start().await;
    let take = async |key| rate_limit::take(&app.ctx, THREE_A_MINUTE, key).await.expect("counted");
    app.ctx.clock.advance(time::Duration::seconds(20));
    for _ in 0..3 {
        assert_eq!(take(&KEY).await, Verdict::Go);
    }
    assert_eq!(take(&KEY).await, Verdict::Wait(Duration::from_secs(40)));
    assert_eq!(take(&OTHER).await, Verdict::Go, "keys do not share");

    app.ctx.clock.advance(time::Duration::milliseconds(39_500));
    assert_eq!(take(&KEY).await, Verdict::Wait(Duration::from_secs(1)), "a wait is at least a second");
    app.ctx.clock.advance(time::Duration::milliseconds(500));
    assert_eq!(take(&KEY).await, Verdict::Go);
}

#[tokio::test]
async fn two_processes_count_together() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let mut went = 0;
    for _ in 0..4 {
        let (one, other) = tokio::join!(
            rate_limit::take(&app.ctx, THREE_A_MINUTE, &KEY),
            rate_limit::take(&second, THREE_A_MINUTE, &KEY)
        );
        let verdicts = [one.expect("counted"), other.expect("counted")];
        went += verdicts.iter().filter(|verdict| **verdict == Verdict::Go).count();
    }
    assert_eq!(went, 3);
}

#[tokio::test]
async fn a_key_that_is_forgotten_starts_anew() {
    let app = TestApp::start().await;
    let take = async |limit| rate_limit::take(&app.ctx, limit, &KEY).await.expect("counted");
    let same_key = Limit { name: "another_test", ..THREE_A_MINUTE };
    for _ in 0..4 {
        take(THREE_A_MINUTE).await;
        take(same_key).await;
    }
    rate_limit::forget(&app.ctx, THREE_A_MINUTE, &KEY).await.expect("forgotten");
    assert_eq!(take(THREE_A_MINUTE).await, Verdict::Go);
    assert!(matches!(take(same_key).await, Verdict::Wait(_)), "another limit remembers");
}

#[tokio::test]
async fn the_purge_takes_windows_that_have_long_closed() {
    let app = TestApp::start().await;
    rate_limit::take(&app.ctx, THREE_A_MINUTE, &KEY).await.expect("counted");
    app.ctx.clock.advance(time::Duration::days(3));
    rate_limit::take(&app.ctx, THREE_A_MINUTE, &OTHER).await.expect("counted");
    assert_eq!(rate_limit::purge(&app.ctx).await.expect("purged"), 1);
    assert_eq!(rate_limit::purge(&app.ctx).await.expect("purged"), 0);
}
