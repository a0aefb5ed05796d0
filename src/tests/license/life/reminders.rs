//! Mails about the end of a license: on their days, and once.

use devforge::{
    billing::subscription,
    contract::{
        account::Role,
        license::RenewRequest,
        payment::{Interval, Tier},
    },
    jobs::Job as _,
    license::{
        self, issue,
        life::{self, RemindOfEnds},
        rules::{Cause, End, GRACE},
    },
};
use time::Duration;

use super::{ADA, mails, set_causes};
use crate::{
    licenses::given,
    shop::{Shop, want},
    support::TestApp,
};

/// The daily round, twice: what was told once is not told again. How many reminders and ends were told of by now.
async fn daily_round(app: &TestApp) -> (i64, i64) {
    for _ in 0..2 {
        RemindOfEnds {}.run(app.ctx.clone()).await.expect("the round");
    }
    (mails(app, "license_reminder").await, mails(app, "license_expired").await)
}

#[tokio::test]
async fn an_end_is_told_of_on_its_days_and_once() {
    let app = TestApp::start().await;
    let end = app.ctx.clock.now() + Duration::days(40);
    given(&app, ADA, Tier::Pro, 1, End::at(end, GRACE)).await;
    assert_eq!(daily_round(&app).await, (0, 0));
    for (days, told) in
        [(9, (0, 0)), (1, (1, 0)), (22, (1, 0)), (1, (2, 0)), (6, (3, 0)), (1, (3, 1)), (9, (3, 1))]
    {
        app.ctx.clock.advance(Duration::days(days));
        assert_eq!(daily_round(&app).await, told, "{} days before", (end - app.ctx.clock.now()).whole_days());
    }
}

#[tokio::test]
async fn licenses_that_end_together_are_one_mail() {
    let app = TestApp::start().await;
    let end = End::at(app.ctx.clock.now() + Duration::days(40), GRACE);
    let (license, _) = given(&app, ADA, Tier::Pro, 250, end).await;
    let ada = app.signed_in_again(ADA).await;
    // More than one batch of the round.
    issue::split(&app.ctx, &ada, license.id, None).await.expect("split");
    given(&app, "grace@example.com", Tier::Pro, 1, end).await;
    app.ctx.clock.advance(Duration::days(10));
    assert_eq!(daily_round(&app).await, (2, 0), "one for Ada, one for Grace");
    let said = "select count(*) from mail_message where kind = 'license_reminder' and text like '%250%'";
    let said: i64 = sqlx::query_scalar(said).fetch_one(&app.ctx.db).await.expect("counted");
    assert_eq!(said, 1);
    app.ctx.clock.advance(Duration::days(30));
    assert_eq!(daily_round(&app).await, (2, 2));
}

#[tokio::test]
async fn another_end_is_told_of_again_and_missed_days_are_not_made_up_for() {
    let app = TestApp::start().await;
    let end = app.ctx.clock.now() + Duration::days(40);
    let (license, _) = given(&app, ADA, Tier::Pro, 1, End::at(end, GRACE)).await;
    app.ctx.clock.advance(Duration::days(39));
    assert_eq!(daily_round(&app).await, (1, 0), "the last of three");
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let month = RenewRequest { months: Some(2), ..RenewRequest::default() };
    life::renew(&app.ctx, &admin, license.id, &month).await.expect("renewed");
    assert_eq!(daily_round(&app).await, (1, 0));
    app.ctx.clock.advance(Duration::days(60));
    assert_eq!(daily_round(&app).await, (2, 0));
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_not_good_anyway() {
    let app = TestApp::start().await;
    let end = app.ctx.clock.now() + Duration::days(40);
    let (license, _) = given(&app, ADA, Tier::Pro, 1, End::at(end, GRACE)).await;
    given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    app.ctx.clock.advance(Duration::days(39));
    set_causes(&app, license.id, &[], &[Cause::Refund.as_str()]).await;
    assert_eq!(daily_round(&app).await, (0, 0));
    set_causes(&app, license.id, &[Cause::Staff.as_str()], &[]).await;
    assert_eq!(daily_round(&app).await, (0, 0));
    set_causes(&app, license.id, &[], &[]).await;
    assert_eq!(daily_round(&app).await, (1, 0));
}

#[tokio::test]
async fn what_renews_by_itself_is_reminded_of_once_it_is_cancelled() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in(ADA, Role::Customer).await;
    let order = shop.buy_as(&ada, &want(ADA, Tier::Pro, Interval::Year, 1)).await;
    let license = license::of_order(shop.ctx(), order.id).await.expect("read").remove(0);
    assert!(license.expires_at.is_some());
    // As it is on the eve of a renewal.
    let now = shop.ctx().clock.now();
    sqlx::query("update license set created_at = $2, expires_at = $3, good_until = $3 where id = $1")
        .bind(license.id.uuid())
        .bind(now - Duration::days(365))
        .bind(now + Duration::hours(20))
        .execute(&shop.ctx().db)
        .await
        .expect("near its end");
    assert_eq!(daily_round(&shop.app).await, (0, 0));
    sqlx::query("update subscription set cancel_at_period_end = true")
        .execute(&shop.ctx().db)
        .await
        .expect("as if cancelled");
    let cancelled = subscription::current(shop.ctx(), &ada).await.expect("read").expect("there");
    assert!(cancelled.cancel_at_period_end);
    assert_eq!(daily_round(&shop.app).await, (1, 0));
}
