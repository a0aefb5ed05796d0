//! How licenses come to be: bought, given, tried and split; and that no key is where it must not be.

mod again;
mod listed;
mod split;

use devforge::{
    account::{Caller, Denied},
    billing::order::Order,
    context::Context,
    contract::{
        account::Role,
        license::LicenseOrigin,
        license_key::LicenseKey,
        payment::{Interval, Tier},
    },
    license::{
        self, Error, License, check, follow,
        issue::{self, GenerateOrder, Issued},
        rules::{GRACE, TRIAL},
    },
};
use time::Duration;

use crate::{
    shop::{Shop, want},
    support::{TestApp, client},
};

const ADA: &str = "ada@example.com";

/// One license of Pro for whoever this is, without an end.
fn gift(to: &Caller) -> GenerateOrder {
    GenerateOrder {
        account: to.user().expect("somebody").id,
        tier: Tier::Pro,
        seats: 1,
        count: 1,
        expires_at: None,
        fallback: false,
        floating: false,
        overage: 0,
        reason: "A prize of the fair".to_owned(),
        mail: true,
        request: None,
    }
}

/// Ada, and somebody who may give her licenses.
async fn people(app: &TestApp) -> (Caller, Caller) {
    (app.signed_in(ADA, Role::Customer).await, app.signed_in("root@example.com", Role::Admin).await)
}

async fn given(app: &TestApp, admin: &Caller, order: &GenerateOrder) -> Vec<Issued> {
    issue::generate(&app.ctx, admin, order).await.expect("given")
}

/// What somebody has, newest first.
async fn own(app: &TestApp, caller: &Caller) -> Vec<License> {
    license::list_own(&app.ctx, caller, None, license::MAX_LIST).await.expect("listed")
}

async fn run(ctx: &Context, sql: &'static str) {
    sqlx::query(sql).execute(&ctx.db).await.expect("done");
}

async fn count(ctx: &Context, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&ctx.db).await.expect("counted")
}

/// What the mails about new licenses say, oldest first.
async fn mails(ctx: &Context) -> Vec<String> {
    sqlx::query_scalar("select text from mail_message where kind = 'license_issued' order by created_at, id")
        .fetch_all(&ctx.db)
        .await
        .expect("read")
}

async fn is_good(ctx: &Context, key: &LicenseKey) -> bool {
    check::brief(ctx, &client(), &key.expose()).await.expect("answered").valid
}

/// All that is written about licenses beside the mail that brings the key.
async fn writings(ctx: &Context) -> String {
    let all: Vec<String> = sqlx::query_scalar(
        "select detail::text || subject_id from audit_event
         union all select payload::text || key from outbox
         union all select l::text || encode(key_sealed, 'escape') from license l",
    )
    .fetch_all(&ctx.db)
    .await
    .expect("read");
    all.join("\n")
}

#[tokio::test]
async fn administrators_give_licenses_and_nobody_else_does() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let support = app.signed_in("support@example.com", Role::Support).await;
    for caller in [&ada, &support] {
        let answer = issue::generate(&app.ctx, caller, &gift(&ada)).await;
        assert!(matches!(answer, Err(Error::Denied(Denied::Forbidden))), "{answer:?}");
    }
    let answer = issue::generate(&app.ctx, &Caller::Anonymous, &gift(&ada)).await;
    assert!(matches!(answer, Err(Error::Denied(Denied::Unauthenticated))), "{answer:?}");
    app.ctx.clock.advance(Duration::minutes(16));
    let answer = issue::generate(&app.ctx, &admin, &gift(&ada)).await;
    assert!(matches!(answer, Err(Error::Denied(Denied::NotFresh))), "{answer:?}");
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 0);
}

#[tokio::test]
async fn what_is_given_is_as_it_was_ordered_and_its_owner_gets_the_key() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let end = app.ctx.clock.now() + Duration::days(90);
    let order = GenerateOrder {
        tier: Tier::Enterprise,
        seats: 7,
        expires_at: Some(end),
        fallback: true,
        floating: true,
        overage: 10,
        ..gift(&ada)
    };
    let all = given(&app, &admin, &order).await;
    let [Issued { license, key }] = all.as_slice() else { panic!("one: {all:?}") };
    assert_eq!(own(&app, &ada).await, std::slice::from_ref(license));
    assert_eq!((license.origin, license.tier, license.seats), (LicenseOrigin::Staff, Tier::Enterprise, 7));
    assert_eq!((license.expires_at, license.good_until), (Some(end), Some(end + GRACE)));
    assert_eq!((license.fallback, license.node_locked, license.overage), (true, false, 10));
    assert!(is_good(&app.ctx, key).await);
    let mails = mails(&app.ctx).await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains(&key.expose()) && mails[0].contains("/activate?app=electron"), "{}", mails[0]);
}

#[tokio::test]
async fn a_key_is_in_no_history_event_or_row() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let mut all = given(&app, &admin, &GenerateOrder { seats: 3, ..gift(&ada) }).await;
    let first = all[0].license.id;
    all.extend(issue::split(&app.ctx, &ada, first, None).await.expect("split"));
    let written = writings(&app.ctx).await;
    assert!(written.contains("A prize of the fair"), "the reason is in the history");
    for Issued { license, key } in &all {
        assert!(written.contains(&license.id.to_string()), "it is told of");
        let text = key.expose();
        // With its hyphens, without them, and the half that nobody is shown.
        for part in [text.as_str(), &text.replace('-', "")[2..], &text[3..20]] {
            assert!(!written.contains(part), "{license:?}");
        }
        assert!(!format!("{license:?} {key:?}").contains(&text[3..20]));
    }
}

#[tokio::test]
async fn a_wrong_order_gives_nothing_and_says_all_that_is_wrong() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let order = GenerateOrder {
        tier: Tier::Free,
        seats: 0,
        count: 1_001,
        expires_at: Some(app.ctx.clock.now()),
        overage: 101,
        reason: " ".to_owned(),
        ..gift(&ada)
    };
    let Err(Error::Invalid(wrong)) = issue::generate(&app.ctx, &admin, &order).await else {
        panic!("it has mistakes")
    };
    let fields: Vec<_> = wrong.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["tier", "seats", "count", "overage", "expiresAt", "reason"]);
    let nobody = devforge::contract::id::UserId::from_uuid(uuid::Uuid::nil());
    let order = GenerateOrder { account: nobody, ..gift(&ada) };
    let Err(Error::Invalid(wrong)) = issue::generate(&app.ctx, &admin, &order).await else {
        panic!("there is no such account")
    };
    assert_eq!(wrong[0].field, "userId");
    assert_eq!(count(&app.ctx, "select count(*) from license").await, 0);
}

#[tokio::test]
async fn a_reason_with_a_key_in_it_is_in_no_history() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let leaked = given(&app, &admin, &gift(&ada)).await.remove(0).key.expose();
    for text in
        [format!("Instead of {leaked}."), format!("key:{leaked}"), format!("({})", leaked.replace('-', " "))]
    {
        let order = GenerateOrder { reason: text.clone(), ..gift(&ada) };
        let Err(Error::Invalid(wrong)) = issue::generate(&app.ctx, &admin, &order).await else {
            panic!("{text}")
        };
        assert_eq!((wrong[0].field.as_str(), wrong[0].code.as_str()), ("reason", "license_key"));
    }
    assert!(!writings(&app.ctx).await.contains(&leaked[3..]));
}

#[tokio::test]
async fn many_at_once_are_a_file_and_a_mail_without_keys() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    let end = app.ctx.clock.now() + Duration::days(365);
    let order = GenerateOrder { count: 40, seats: 2, expires_at: Some(end), ..gift(&ada) };
    let all = given(&app, &admin, &order).await;
    assert_eq!(all.len(), 40);
    assert_eq!(count(&app.ctx, "select count(distinct key_hash) from license").await, 40);

    let file = String::from_utf8(issue::csv(&all).expect("written")).expect("text");
    let lines: Vec<&str> = file.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "key,license,tier,seats,expires_at");
    assert_eq!(lines.len(), 41);
    for (line, Issued { license, key }) in lines[1..].iter().zip(&all) {
        assert_eq!(*line, format!("{},{},pro,2,2027-11-20T10:00:00Z", key.expose(), license.id));
        // What a spreadsheet would calculate begins with one of these.
        assert!(line.split(',').all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{line}");
    }

    let mails = mails(&app.ctx).await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("40") && mails[0].contains("/account/licenses"), "{}", mails[0]);
    assert!(all.iter().all(|one| !mails[0].contains(&one.key.expose())));

    given(&app, &admin, &GenerateOrder { mail: false, ..gift(&ada) }).await;
    assert_eq!(count(&app.ctx, "select count(*) from mail_message where kind = 'license_issued'").await, 1);
}

#[tokio::test]
async fn a_trial_is_had_once_however_many_ask_for_it() {
    let app = TestApp::start().await;
    let ada = app.signed_in(ADA, Role::Customer).await;
    assert!(issue::can_begin_trial(&app.ctx, &ada).await.expect("asked"));
    let answers = futures::future::join_all((0..6).map(|_| issue::begin_trial(&app.ctx, &ada))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Conflict(_)))).count();
    assert_eq!(refused, 5, "{answers:?}");
    let trial = own(&app, &ada).await.remove(0);
    let end = Some(app.ctx.clock.now() + TRIAL);
    assert_eq!((trial.origin, trial.tier, trial.seats), (LicenseOrigin::Trial, Tier::Pro, 1));
    assert_eq!((trial.expires_at, trial.good_until), (end, end));
    let mails = mails(&app.ctx).await;
    assert_eq!(mails.len(), 1);
    assert!(is_good(&app.ctx, &key_in(&mails[0])).await);

    // Nor is there another once it is over.
    app.ctx.clock.advance(TRIAL);
    assert!(!is_good(&app.ctx, &key_in(&mails[0])).await);
    assert!(!issue::can_begin_trial(&app.ctx, &ada).await.expect("asked"));
    assert!(matches!(issue::begin_trial(&app.ctx, &ada).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn neither_another_account_nor_another_address_brings_a_second_trial() {
    let app = TestApp::start().await;
    let ada = app.signed_in(ADA, Role::Customer).await;
    issue::begin_trial(&app.ctx, &ada).await.expect("begun");
    run(&app.ctx, "update license set email = 'countess@example.com'").await;
    app.ctx.clock.advance(TRIAL);
    let again = issue::begin_trial(&app.ctx, &ada).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "the account had one: {again:?}");
    run(&app.ctx, "update license set email = 'ADA@example.com', account_id = null").await;
    let again = issue::begin_trial(&app.ctx, &ada).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "the address had one: {again:?}");
}

#[tokio::test]
async fn a_trial_is_for_whoever_has_proven_the_address_and_has_nothing_better() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    run(&app.ctx, "update account set email_verified_at = null where email = 'ada@example.com'").await;
    // Whoever was signed in before still looks proven to the session.
    let answer = issue::begin_trial(&app.ctx, &ada).await;
    assert!(matches!(answer, Err(Error::Conflict(why)) if why.contains("Prove")), "{answer:?}");
    let mut unproven = ada.clone();
    if let Caller::User(identity) = &mut unproven {
        identity.user.email_verified = false;
    }
    assert!(!issue::can_begin_trial(&app.ctx, &unproven).await.expect("asked"));
    run(&app.ctx, "update account set email_verified_at = created_at").await;

    given(&app, &admin, &gift(&ada)).await;
    assert!(!issue::can_begin_trial(&app.ctx, &ada).await.expect("asked"));
    assert!(matches!(issue::begin_trial(&app.ctx, &ada).await, Err(Error::Conflict(_))));
    run(&app.ctx, "update license set revoked_by = array['staff']").await;
    assert!(issue::can_begin_trial(&app.ctx, &ada).await.expect("asked"));
    issue::begin_trial(&app.ctx, &ada).await.expect("what they have does not work");
}

/// What Ada has bought, paid and been given.
async fn bought(interval: Interval, seats: u32) -> (Shop, Caller, Order, License) {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in(ADA, Role::Customer).await;
    let order = shop.buy_as(&ada, &want("", Tier::Pro, interval, seats)).await;
    let license = license::of_order(shop.ctx(), order.id).await.expect("read").remove(0);
    (shop, ada, order, license)
}

/// The first key that a mail spells out.
fn key_in(mail: &str) -> LicenseKey {
    let word = mail.split_whitespace().find(|word| word.starts_with("DF-")).expect("a key is in the mail");
    LicenseKey::parse(word).expect("it reads")
}

#[tokio::test]
async fn a_paid_line_has_one_license_whoever_makes_it_at_once() {
    let (shop, _, order, license) = bought(Interval::Once, 2).await;
    let ctx = shop.ctx();
    assert_eq!((license.seats, license.order_line), (2, Some(order.lines[0].id)));
    let told = mails(ctx).await;
    assert_eq!(told.len(), 1);
    assert!(is_good(ctx, &key_in(&told[0])).await, "the key in the mail is the license's");

    // As if the program had been killed between the payment and the license, on every node at once.
    run(ctx, "delete from license").await;
    run(ctx, "update billing_order set fulfilled_at = null").await;
    ctx.clock.advance(Duration::SECOND);
    let answers = futures::future::join_all((0..8).map(|_| follow::order(ctx, order.id))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(license::of_order(ctx, order.id).await.expect("read").len(), 1);
    let told = mails(ctx).await;
    assert_eq!(told.len(), 2, "and one more mail");
    assert!(is_good(ctx, &key_in(&told[1])).await);
}

/// Whatever the program does: the database itself has one license for each line.
#[tokio::test]
async fn the_database_takes_no_second_license_for_a_line() {
    let (shop, _, _, _) = bought(Interval::Once, 1).await;
    let second = sqlx::query(
        "insert into license
         select (jsonb_populate_record(l, jsonb_build_object(
             'id', gen_random_uuid(), 'key_hash', '\\x' || repeat('00', 32)))).* from license l",
    )
    .execute(&shop.ctx().db)
    .await
    .expect_err("refused");
    let constraint = second.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("license_order_line"));
}
