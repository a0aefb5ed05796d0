//! What happens to a license between its beginning and its end, and who may make it happen.

mod handover;
mod reminders;
mod twice;

use devforge::{
    account::{Caller, Denied, FRESH_FOR},
    context::Context,
    contract::{
        account::Role,
        id::LicenseId,
        license::{LicenseCode, LicenseStatus, RenewRequest},
        license_key::LicenseKey,
        payment::{Interval, Tier},
    },
    license::{
        self, Error, ExtraFeature, License, check as asking, life, machine,
        rules::{End, GRACE, months_later},
    },
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    licenses::{activate_on, check_on, code, given},
    shop::{Shop, want},
    support::{TestApp, client},
};

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const LAPTOP: &str = "laptop";

/// Ada, and a license of hers that is active on her laptop.
async fn working(app: &TestApp, end: End) -> (Caller, License, LicenseKey) {
    let ada = app.signed_in(ADA, Role::Customer).await;
    let (license, key) = given(app, ADA, Tier::Pro, 1, end).await;
    activate(app, &key, ADA, LAPTOP).await;
    (ada, license, key)
}

async fn activate(app: &TestApp, key: &LicenseKey, email: &str, fingerprint: &str) {
    let answer = machine::activate(&app.ctx, &client(), &activate_on(key, email, fingerprint)).await;
    assert_eq!(answer.expect("answered").code, LicenseCode::Valid);
}

async fn on_the_laptop(app: &TestApp, key: &LicenseKey) -> LicenseCode {
    code(app, &check_on(key, LAPTOP)).await
}

fn denied<T>(result: &Result<T, Error>) -> Option<Denied> {
    match result {
        Err(Error::Denied(denied)) => Some(*denied),
        _ => None,
    }
}

fn is_not_found<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::NotFound))
}

fn is_conflict<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Conflict(_)))
}

/// How often something is in a license's history.
async fn times(app: &TestApp, id: LicenseId, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event where subject_id = $1 and action = $2")
        .bind(id.to_string())
        .bind(action)
        .fetch_one(&app.ctx.db)
        .await
        .expect("counted")
}

async fn mails(app: &TestApp, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from mail_message where kind = $1")
        .bind(kind)
        .fetch_one(&app.ctx.db)
        .await
        .expect("counted")
}

/// How a license was said to stand by the events about it, the last one first.
async fn told(app: &TestApp, id: LicenseId) -> Vec<String> {
    let told = sqlx::query_scalar(
        "select payload->>'status' from outbox where topic = 'license.changed' and key = $1 order by xid desc, id desc",
    );
    told.bind(id.to_string()).fetch_all(&app.ctx.db).await.expect("read")
}

/// Neither the history nor an event holds a key, in whatever form.
async fn is_kept_secret(app: &TestApp, key: &LicenseKey) {
    let bare = String::from_utf8_lossy(&key.letters()).into_owned();
    let found: i64 = sqlx::query_scalar(
        "select count(*) from (select detail::text as text from audit_event union all select payload::text from outbox) all_text
         where upper(replace(text, '-', '')) like '%' || $1 || '%'",
    )
    .bind(bare)
    .fetch_one(&app.ctx.db)
    .await
    .expect("searched");
    assert_eq!(found, 0);
}

async fn set_causes(app: &TestApp, id: LicenseId, suspended: &[&str], revoked: &[&str]) {
    sqlx::query("update license set suspended_by = $2, revoked_by = $3 where id = $1")
        .bind(id.uuid())
        .bind(suspended)
        .bind(revoked)
        .execute(&app.ctx.db)
        .await
        .expect("set");
}

#[tokio::test]
async fn support_holds_back_and_only_administrators_take_away_and_prolong() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let end = End::at(ctx.clock.now() + Duration::days(90), GRACE);
    let (ada, license, _) = working(&app, end).await;
    let id = license.id;
    let support = app.signed_in("support@example.com", Role::Support).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    for (caller, to_manage, to_issue) in [
        (&Caller::Anonymous, Some(Denied::Unauthenticated), Some(Denied::Unauthenticated)),
        (&ada, Some(Denied::Forbidden), Some(Denied::Forbidden)),
        (&support, None, Some(Denied::Forbidden)),
        (&admin, None, None),
    ] {
        let who = caller.user().map(|user| user.role);
        assert_eq!(denied(&life::suspend(ctx, caller, id, "a reason").await), to_manage, "{who:?}");
        assert_eq!(denied(&life::reinstate(ctx, caller, id, "a reason").await), to_manage, "{who:?}");
        let renewed = life::renew(ctx, caller, id, &RenewRequest::default()).await;
        assert_eq!(denied(&renewed), to_issue, "{who:?}");
        assert_eq!(denied(&life::revoke(ctx, caller, id, "a reason").await), to_issue, "{who:?}");
    }
    let nothing = LicenseId::from_uuid(Uuid::from_u128(1));
    assert!(is_not_found(&life::suspend(ctx, &admin, nothing, "").await));
    assert!(is_not_found(&life::revoke(ctx, &admin, nothing, "").await));
    assert!(is_not_found(&life::renew(ctx, &admin, nothing, &RenewRequest::default()).await));

    ctx.clock.advance(FRESH_FOR);
    assert_eq!(denied(&life::suspend(ctx, &support, id, "").await), Some(Denied::NotFresh));
    assert_eq!(denied(&life::reinstate(ctx, &support, id, "").await), Some(Denied::NotFresh));
    assert_eq!(denied(&life::revoke(ctx, &admin, id, "").await), Some(Denied::NotFresh));
    let renewed = life::renew(ctx, &admin, id, &RenewRequest::default()).await;
    assert_eq!(denied(&renewed), Some(Denied::NotFresh));
}

#[tokio::test]
async fn what_is_held_back_is_suspended_until_it_is_reinstated() {
    let app = TestApp::start().await;
    let (_, license, key) = working(&app, End::NEVER).await;
    let support = app.signed_in("support@example.com", Role::Support).await;
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Valid);
    for _ in 0..2 {
        let held =
            life::suspend(&app.ctx, &support, license.id, " shared on a forum ").await.expect("held back");
        assert_eq!(held.status(app.ctx.clock.now()), LicenseStatus::Suspended);
        assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Suspended);
    }
    assert_eq!(times(&app, license.id, "license.suspended").await, 1);
    assert_eq!(
        (mails(&app, "license_suspended").await, told(&app, license.id).await),
        (1, vec!["suspended".to_owned()])
    );
    for _ in 0..2 {
        life::reinstate(&app.ctx, &support, license.id, "").await.expect("reinstated");
        assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Valid);
    }
    assert_eq!(times(&app, license.id, "license.reinstated").await, 1);
    assert_eq!(told(&app, license.id).await, ["active", "suspended"]);
    let reason: Option<String> = sqlx::query_scalar(
        "select detail->>'reason' from audit_event where subject_id = $1 and action = 'license.suspended'",
    )
    .bind(license.id.to_string())
    .fetch_one(&app.ctx.db)
    .await
    .expect("read");
    assert_eq!(reason.as_deref(), Some("shared on a forum"));
    is_kept_secret(&app, &key).await;
}

#[tokio::test]
async fn what_was_taken_away_is_revoked_and_is_not_held_back_or_prolonged_as_well() {
    let app = TestApp::start().await;
    let end = End::at(app.ctx.clock.now() + Duration::days(90), GRACE);
    let (_, license, key) = working(&app, end).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    for _ in 0..2 {
        life::revoke(&app.ctx, &admin, license.id, "stolen card").await.expect("taken away");
        assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Revoked);
    }
    assert_eq!(
        (times(&app, license.id, "license.revoked").await, mails(&app, "license_revoked").await),
        (1, 1)
    );
    assert!(is_conflict(&life::suspend(&app.ctx, &admin, license.id, "").await));
    assert!(is_conflict(&life::renew(&app.ctx, &admin, license.id, &RenewRequest::default()).await));
    assert!(is_conflict(&life::rotate(&app.ctx, &admin, license.id).await));
    life::reinstate(&app.ctx, &admin, license.id, "a mistake").await.expect("reinstated");
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Valid);
}

#[tokio::test]
async fn staff_lifts_what_staff_did_and_nothing_else() {
    let app = TestApp::start().await;
    let (_, license, key) = working(&app, End::NEVER).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    set_causes(&app, license.id, &["dispute"], &[]).await;
    assert!(is_conflict(&life::reinstate(&app.ctx, &admin, license.id, "").await));
    life::suspend(&app.ctx, &admin, license.id, "").await.expect("held back");
    assert_eq!(mails(&app, "license_suspended").await, 0, "it was held back already");
    let lifted = life::reinstate(&app.ctx, &admin, license.id, "").await.expect("lifted");
    assert_eq!(lifted.suspended_by.len(), 1);
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Suspended);
    assert_eq!(mails(&app, "license_suspended").await, 0, "nothing works again");

    set_causes(&app, license.id, &["staff"], &["refund", "staff"]).await;
    let lifted = life::reinstate(&app.ctx, &admin, license.id, "").await.expect("lifted");
    assert_eq!((lifted.suspended_by.len(), lifted.revoked_by.len()), (0, 1));
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Revoked);
}

#[tokio::test]
async fn a_renewal_counts_from_the_end_or_from_now_when_that_is_past() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let end = ctx.clock.now() + Duration::days(10);
    let (_, license, key) = working(&app, End::at(end, Duration::ZERO)).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let month = RenewRequest { months: Some(1), ..RenewRequest::default() };
    let renewed = life::renew(ctx, &admin, license.id, &month).await.expect("renewed");
    assert_eq!(renewed.expires_at, Some(months_later(end, 1)));
    assert_eq!(renewed.good_until, Some(months_later(end, 1) + GRACE));

    ctx.clock.advance(Duration::days(100));
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Expired);
    let admin = app.signed_in_again("admin@example.com").await;
    let renewed = life::renew(ctx, &admin, license.id, &month).await.expect("renewed");
    assert_eq!(renewed.expires_at, Some(months_later(ctx.clock.now(), 1)));
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Valid);

    let until = ctx.clock.now() + Duration::days(200);
    let chosen = RenewRequest { expires_at: Some(until), ..RenewRequest::default() };
    let renewed = life::renew(ctx, &admin, license.id, &chosen).await.expect("renewed");
    assert_eq!(renewed.expires_at, Some(until));
    for wrong in
        [chosen, RenewRequest { months: Some(0), ..month }, RenewRequest { months: Some(121), ..month }]
    {
        let refused = life::renew(ctx, &admin, license.id, &wrong).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert_eq!(times(&app, license.id, "license.renewed").await, 3);
}

#[tokio::test]
async fn what_does_not_end_is_not_prolonged() {
    let app = TestApp::start().await;
    let (_, license, _) = working(&app, End::NEVER).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    assert!(is_conflict(&life::renew(&app.ctx, &admin, license.id, &RenewRequest::default()).await));
}

#[tokio::test]
async fn what_follows_a_subscription_is_not_prolonged_and_not_given_away() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in(ADA, Role::Customer).await;
    let order = shop.buy_as(&ada, &want(ADA, Tier::Pro, Interval::Month, 1)).await;
    let license = license::of_order(shop.ctx(), order.id).await.expect("read").remove(0);
    let admin = shop.admin().await;
    assert!(is_conflict(&life::renew(shop.ctx(), &admin, license.id, &RenewRequest::default()).await));
    assert!(is_conflict(&life::transfer(shop.ctx(), &ada, license.id, EVE).await));
    assert!(is_conflict(&life::transfer(shop.ctx(), &admin, license.id, EVE).await));
    let key = life::rotate(shop.ctx(), &ada, license.id).await.expect("a new key is no other license").key;
    assert_eq!(life::reveal(shop.ctx(), &ada, license.id).await.expect("shown"), key);
}

#[tokio::test]
async fn a_key_is_shown_to_its_owner_alone_after_a_fresh_sign_in() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = working(&app, End::NEVER).await;
    let eve = app.signed_in(EVE, Role::Customer).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    assert_eq!(
        denied(&life::reveal(ctx, &Caller::Anonymous, license.id).await),
        Some(Denied::Unauthenticated)
    );
    for other in [&eve, &admin] {
        assert!(is_not_found(&life::reveal(ctx, other, license.id).await));
    }
    assert!(is_not_found(&life::reveal(ctx, &ada, LicenseId::from_uuid(Uuid::from_u128(1))).await));
    assert_eq!(times(&app, license.id, "license.revealed").await, 0);
    assert_eq!(life::reveal(ctx, &ada, license.id).await.expect("shown"), key);
    assert_eq!(times(&app, license.id, "license.revealed").await, 1);
    is_kept_secret(&app, &key).await;
    ctx.clock.advance(FRESH_FOR);
    assert_eq!(denied(&life::reveal(ctx, &ada, license.id).await), Some(Denied::NotFresh));
}

#[tokio::test]
async fn a_license_is_found_by_its_key_however_it_is_written() {
    let app = TestApp::start().await;
    let (_, license, key) = working(&app, End::NEVER).await;
    for written in [key.expose(), key.expose().to_lowercase().replace('-', " ")] {
        assert_eq!(life::id_of_key(&app.ctx, &written).await.expect("found"), license.id);
    }
    let nobodys = LicenseKey::from_random([3; 24]).expose();
    let anothers = nobodys.replacen("DF", "XX", 1);
    for wrong in ["", "hunter2", nobodys.as_str(), anothers.as_str()] {
        assert!(is_not_found(&life::id_of_key(&app.ctx, wrong).await), "{wrong}");
    }
}

async fn give(ctx: &Context, id: LicenseId, feature: &str, source: &str, until: Option<OffsetDateTime>) {
    let feature = ExtraFeature { feature: feature.to_owned(), source: source.to_owned(), until };
    let mut tx = ctx.db.begin().await.expect("begun");
    life::set_features(ctx, &mut tx, id, feature).await.expect("given");
    tx.commit().await.expect("committed");
}

/// What the editor is told of extensions.
async fn extras(ctx: &Context, key: &LicenseKey) -> Vec<String> {
    let answer = asking::validate(ctx, &client(), &check_on(key, LAPTOP)).await.expect("answered");
    answer.features.into_iter().filter(|feature| feature.starts_with("acme.")).collect()
}

#[tokio::test]
async fn what_was_bought_beside_the_tier_comes_and_goes_with_its_source() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (_, license, key) = working(&app, End::NEVER).await;
    let month = Some(ctx.clock.now() + Duration::days(30));
    give(ctx, license.id, "acme.lint", "order-1", None).await;
    give(ctx, license.id, "acme.lint", "order-1", None).await;
    give(ctx, license.id, "acme.lint", "order-2", None).await;
    give(ctx, license.id, "acme.draw", "order-2", month).await;
    assert_eq!(extras(ctx, &key).await, ["acme.lint", "acme.draw"]);
    assert_eq!(times(&app, license.id, "license.feature_added").await, 3);
    for _ in 0..2 {
        let mut tx = ctx.db.begin().await.expect("begun");
        life::remove_features(ctx, &mut tx, license.id, "order-1").await.expect("taken away");
        tx.commit().await.expect("committed");
    }
    assert_eq!(times(&app, license.id, "license.features_removed").await, 1);
    assert_eq!(extras(ctx, &key).await, ["acme.lint", "acme.draw"], "the other source still gives it");
    ctx.clock.advance(Duration::days(30));
    assert_eq!(extras(ctx, &key).await, ["acme.lint"]);
}
