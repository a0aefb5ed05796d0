//! What is sent twice, and what is done to a license that is over.

use devforge::{
    contract::{account::Role, license::RenewRequest, payment::Tier},
    license::{
        life,
        rules::{End, months_later},
    },
};
use time::Duration;

use super::{ADA, is_conflict, mails, times, working};
use crate::{licenses::given, support::TestApp};

#[tokio::test]
async fn a_form_that_is_sent_twice_prolongs_once() {
    let app = TestApp::start().await;
    let end = app.ctx.clock.now() + Duration::days(10);
    let (_, license, _) = working(&app, End::at(end, Duration::ZERO)).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let seen = RenewRequest { months: Some(1), from: Some(end), ..RenewRequest::default() };
    life::renew(&app.ctx, &admin, license.id, &seen).await.expect("renewed");
    assert!(is_conflict(&life::renew(&app.ctx, &admin, license.id, &seen).await));
    let again = RenewRequest { from: Some(months_later(end, 1)), ..seen };
    life::renew(&app.ctx, &admin, license.id, &again).await.expect("from the end that it has");
    assert_eq!(times(&app, license.id, "license.renewed").await, 2);

    let month = RenewRequest { months: Some(1), ..RenewRequest::default() };
    for _ in 0..2 {
        let renewed = life::renew_once(&app.ctx, &admin, license.id, &month, Some("a request")).await;
        assert_eq!(renewed.expect("renewed").expires_at, Some(months_later(months_later(end, 2), 1)));
    }
    assert_eq!(times(&app, license.id, "license.renewed").await, 3);
}

#[tokio::test]
async fn nobody_is_told_that_what_is_over_works_again() {
    let app = TestApp::start().await;
    let end = app.ctx.clock.now() - Duration::DAY;
    let (license, _) = given(&app, ADA, Tier::Pro, 1, End::at(end, Duration::ZERO)).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    life::suspend(&app.ctx, &admin, license.id, "").await.expect("held back");
    life::reinstate(&app.ctx, &admin, license.id, "").await.expect("reinstated");
    assert_eq!(mails(&app, "license_suspended").await, 0);
    assert_eq!(times(&app, license.id, "license.reinstated").await, 1);
}
