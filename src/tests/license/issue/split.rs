//! One license that becomes several.

use devforge::{
    account::{Caller, Denied},
    billing::{
        payment,
        refund::{self, Wanted},
    },
    contract::{
        account::Role,
        license::{LicenseCode, LicenseOrigin, LicenseStatus},
        license_key::LicenseKey,
        payment::Interval,
    },
    license::{
        self, Error, follow,
        issue::{self, GenerateOrder, Issued},
        life, machine,
    },
};
use time::Duration;

use super::{ADA, bought, count, gift, given, is_good, own, people, run};
use crate::{
    eventually::eventually,
    licenses::activate_on,
    support::{TestApp, client},
};

/// Ada, and a license of hers with two seats.
async fn with_two_seats(app: &TestApp) -> (Caller, Issued) {
    let (ada, admin) = people(app).await;
    let issued = given(app, &admin, &GenerateOrder { seats: 2, mail: false, ..gift(&ada) }).await.remove(0);
    (ada, issued)
}

async fn activate(app: &TestApp, key: &LicenseKey, machines: u32) {
    for number in 0..machines {
        let request = activate_on(key, ADA, &format!("machine-{number}"));
        let answer = machine::activate(&app.ctx, &client(), &request).await.expect("answered");
        assert_eq!(answer.code, LicenseCode::Valid);
    }
}

#[tokio::test]
async fn splitting_keeps_every_seat_and_the_first_key() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let end = app.ctx.clock.now() + Duration::days(30);
    let order = GenerateOrder { seats: 5, expires_at: Some(end), fallback: true, ..gift(&ada) };
    let first = given(&app, &admin, &order).await.remove(0);
    activate(&app, &first.key, 3).await;
    let all = issue::split(&app.ctx, &ada, first.license.id, None).await.expect("split");
    assert_eq!(all.len(), 5);
    assert_eq!((all[0].license.id, &all[0].key), (first.license.id, &first.key));
    assert_eq!((all[0].license.machines_used, all[0].license.machine_limit()), (3, 3));
    for Issued { license, key } in &all {
        assert_eq!((license.seats, license.expires_at, license.fallback), (1, Some(end), true));
        assert!(is_good(&app.ctx, key).await);
    }
    for Issued { license, .. } in &all[1..] {
        assert_eq!((license.origin, license.split_from), (LicenseOrigin::Split, Some(first.license.id)));
    }
    let listed = own(&app, &ada).await;
    assert_eq!(listed.iter().map(|license| license.seats).sum::<u32>(), 5);
    let again = issue::split(&app.ctx, &ada, first.license.id, None).await;
    assert!(matches!(again, Err(Error::Conflict(why)) if why.contains("one seat")), "{again:?}");
}

#[tokio::test]
async fn split_at_once_it_is_split_once() {
    let app = TestApp::start().await;
    let (ada, issued) = with_two_seats(&app).await;
    let answers =
        futures::future::join_all((0..4).map(|_| issue::split(&app.ctx, &ada, issued.license.id, None)))
            .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(Error::Conflict(_)))), "{answers:?}");
    assert_eq!(count(&app.ctx, "select sum(seats) from license").await, 2);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_splits_once_and_shows_the_same_keys() {
    let app = TestApp::start().await;
    let (ada, issued) = with_two_seats(&app).await;
    let id = issued.license.id;
    let first = issue::split(&app.ctx, &ada, id, Some("form:1")).await.expect("split");
    let again = issue::split(&app.ctx, &ada, id, Some("form:1")).await.expect("shown again");
    let keys = |all: &[Issued]| all.iter().map(|issued| issued.key.expose()).collect::<Vec<_>>();
    assert_eq!(keys(&again), keys(&first));
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 2);
    let other = issue::split(&app.ctx, &ada, id, Some("form:2")).await;
    assert!(matches!(other, Err(Error::Conflict(why)) if why.contains("one seat")), "{other:?}");

    app.ctx.clock.advance(Duration::MINUTE);
    life::rotate(&app.ctx, &ada, first[1].license.id).await.expect("a new key");
    let moved = issue::split(&app.ctx, &ada, id, Some("form:1")).await;
    assert!(matches!(moved, Err(Error::Conflict(why)) if why.contains("new key")), "{moved:?}");
}

#[tokio::test]
async fn the_account_is_held_before_the_license() {
    let app = TestApp::start().await;
    let (ada, issued) = with_two_seats(&app).await;
    let mut closing = app.ctx.db.begin().await.expect("a transaction");
    sqlx::query("select id from account where email = 'ada@example.com' for update")
        .execute(&mut *closing)
        .await
        .expect("held");
    let split = issue::split(&app.ctx, &ada, issued.license.id, None);
    let close = async {
        eventually("the split waits for the account", async || {
            let waiting = "select count(*) from pg_stat_activity
                           where datname = current_database() and wait_event_type = 'Lock'";
            (count(&app.ctx, waiting).await > 0).then_some(())
        })
        .await;
        // Were the license held by then, this would never come to an end.
        sqlx::query("select id from license for update nowait").execute(&mut *closing).await.expect("free");
        closing.commit().await.expect("over");
    };
    let (split, ()) = tokio::join!(split, close);
    assert_eq!(split.expect("split").len(), 2);
}

#[tokio::test]
async fn only_its_owner_splits_a_license_and_only_one_that_works() {
    let app = TestApp::start().await;
    let (ada, issued) = with_two_seats(&app).await;
    let id = issued.license.id;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    let foreign = issue::split(&app.ctx, &grace, id, None).await;
    assert!(matches!(foreign, Err(Error::NotFound)), "{foreign:?}");
    activate(&app, &issued.key, 4).await;
    let crowded = issue::split(&app.ctx, &ada, id, None).await;
    assert!(matches!(crowded, Err(Error::Conflict(why)) if why.contains("machines")), "{crowded:?}");
    run(&app.ctx, "update license set machines_used = 0, suspended_by = array['staff']").await;
    let held = issue::split(&app.ctx, &ada, id, None).await;
    assert!(matches!(held, Err(Error::Conflict(why)) if why.contains("does not work")), "{held:?}");
    app.ctx.clock.advance(Duration::minutes(16));
    let stale = issue::split(&app.ctx, &ada, id, None).await;
    assert!(matches!(stale, Err(Error::Denied(Denied::NotFresh))), "{stale:?}");
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 1);
}

#[tokio::test]
async fn what_is_bought_once_is_split_and_goes_on_following_its_order() {
    let (shop, ada, order, license) = bought(Interval::Once, 3).await;
    let all = issue::split(shop.ctx(), &ada, license.id, None).await.expect("split");
    assert_eq!(all.len(), 3);
    follow::order(shop.ctx(), order.id).await.expect("heard again");
    let now = license::of_order(shop.ctx(), order.id).await.expect("read");
    let seats: Vec<_> = now.iter().map(|license| license.seats).collect();
    assert_eq!(seats, [1, 1, 1], "what is heard again of the order gives no seat twice");

    let admin = shop.admin().await;
    let payment = payment::of_order(shop.ctx(), order.id).await.expect("read").remove(0);
    let wanted = Wanted { amount: None, reason: "Asked for", consequence: None, request_key: None };
    refund::of_payment(shop.ctx(), &admin, payment.id, &wanted).await.expect("refunded");
    shop.deliver().await;
    let moment = shop.ctx().clock.now();
    let after = license::of_order(shop.ctx(), order.id).await.expect("read");
    assert!(after.iter().all(|license| license.status(moment) == LicenseStatus::Revoked), "{after:?}");
    for Issued { key, .. } in &all {
        assert!(!is_good(shop.ctx(), key).await);
    }
}

#[tokio::test]
async fn what_follows_a_subscription_is_not_split() {
    let (shop, ada, _, license) = bought(Interval::Month, 3).await;
    let answer = issue::split(shop.ctx(), &ada, license.id, None).await;
    assert!(matches!(answer, Err(Error::Conflict(why)) if why.contains("subscription")), "{answer:?}");
}
