//! What a license is held to over time: how many machines come, how often addresses and keys are tried, and that much at
//! once is told in few words.

use devforge::{
    contract::{
        account::Role,
        id::LicenseId,
        license::{ActivateRequest, Activation, DeactivateRequest, LicenseCode, ValidateRequest},
        license_key::{LicenseKey, RANDOM_LETTERS},
        payment::Tier,
    },
    jobs::Job as _,
    license::{
        Error, check as asking, life,
        machine::{self, ReleaseMachines},
        rules::{End, MACHINE_UNSEEN, OFFLINE_FOR},
    },
};
use serde_json::Value;
use time::Duration;

use crate::{
    licenses::{activate_on, check_on, code, given},
    support::{TestApp, client},
};

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
/// A license with room for three: three to each place, and ten.
const ARRIVALS: usize = 19;

async fn answered(app: &TestApp, request: &ActivateRequest) -> Result<Activation, Error> {
    Box::pin(machine::activate(&app.ctx, &client(), request)).await
}

async fn come(app: &TestApp, key: &LicenseKey, email: &str, fingerprint: &str) -> Result<LicenseCode, Error> {
    answered(app, &activate_on(key, email, fingerprint)).await.map(|answer| answer.code)
}

async fn go(app: &TestApp, key: &LicenseKey, fingerprint: &str) {
    let request = DeactivateRequest { license_key: key.expose(), fingerprint: fingerprint.to_owned() };
    machine::deactivate(&app.ctx, &client(), &request).await.expect("gone");
}

/// How long somebody is to wait, in seconds.
fn wait<T: std::fmt::Debug>(result: Result<T, Error>) -> u64 {
    match result {
        Err(Error::TooManyTries { retry_after }) => retry_after.as_secs(),
        other => panic!("it is not refused: {other:?}"),
    }
}

/// The entries of a license's history of one kind.
async fn history(app: &TestApp, id: LicenseId, action: &str) -> Vec<Value> {
    sqlx::query_scalar("select detail from audit_event where subject_id = $1 and action = $2")
        .bind(id.to_string())
        .bind(action)
        .fetch_all(&app.ctx.db)
        .await
        .expect("read")
}

async fn number(app: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&app.ctx.db).await.expect("counted")
}

/// How many machines there are, and how many their license counts.
async fn machines(app: &TestApp) -> (i64, i64) {
    let there = number(app, "select count(*) from license_machine").await;
    (there, number(app, "select sum(machines_used) from license").await)
}

/// As if so many had come a while ago.
async fn came_long_ago(app: &TestApp, id: LicenseId, count: i32, ago: Duration) {
    sqlx::query(
        "insert into license_machine
             (id, license_id, fingerprint_hash, name, platform, email, activated_at, last_seen_at)
         select gen_random_uuid(), $1, sha256(n::text::bytea), '', '', '', $3, $3 + n * interval '1 second'
         from generate_series(1, $2) as n",
    )
    .bind(id.uuid())
    .bind(count)
    .bind(app.ctx.clock.now() - ago)
    .execute(&app.ctx.db)
    .await
    .expect("they came");
    sqlx::query("update license set machines_used = machines_used + $2 where id = $1")
        .bind(id.uuid())
        .bind(count)
        .execute(&app.ctx.db)
        .await
        .expect("they are counted");
}

#[tokio::test]
async fn machines_that_take_turns_are_too_many_after_a_while() {
    let app = TestApp::start().await;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    for number in 0..ARRIVALS {
        let fingerprint = format!("machine {number}");
        assert_eq!(come(&app, &key, ADA, &fingerprint).await.expect("answered"), LicenseCode::Valid);
        // The same one again is none that comes.
        assert_eq!(come(&app, &key, ADA, &fingerprint).await.expect("answered"), LicenseCode::Valid);
        go(&app, &key, &fingerprint).await;
        app.ctx.clock.advance(Duration::SECOND);
    }
    let left = u64::try_from(OFFLINE_FOR.whole_seconds()).expect("a while") - ARRIVALS as u64;
    assert_eq!(wait(come(&app, &key, ADA, "one more").await), left);
    assert_eq!(machines(&app).await, (0, 0));

    // Nor does it help to give the license away.
    let eve = app.signed_in(EVE, Role::Customer).await;
    life::transfer(&app.ctx, &ada, license.id, EVE).await.expect("given away");
    let hers = life::reveal(&app.ctx, &eve, license.id).await.expect("hers now");
    assert_eq!(wait(come(&app, &hers, EVE, "one more").await), left);

    // When the first of them counts no more, one more comes.
    app.ctx.clock.advance(Duration::seconds(i64::try_from(left).expect("a while")));
    assert_eq!(come(&app, &hers, EVE, "one more").await.expect("answered"), LicenseCode::Valid);
    assert_eq!(wait(come(&app, &hers, EVE, "another").await), 1);
    assert_eq!(come(&app, &hers, EVE, "one more").await.expect("answered"), LicenseCode::Valid);
}

#[tokio::test]
async fn what_came_so_long_ago_that_it_counts_no_more_is_forgotten() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let arrivals = async || number(&app, "select count(*) from license_arrival").await;
    come(&app, &key, ADA, "one").await.expect("answered");
    app.ctx.clock.advance(Duration::SECOND);
    come(&app, &key, ADA, "two").await.expect("answered");
    go(&app, &key, "two").await;
    app.ctx.clock.advance(OFFLINE_FOR - Duration::SECOND);
    ReleaseMachines {}.run(app.ctx.clone()).await.expect("the round");
    assert_eq!(arrivals().await, 1);
    app.ctx.clock.advance(Duration::SECOND);
    ReleaseMachines {}.run(app.ctx.clone()).await.expect("the round");
    assert_eq!(arrivals().await, 0);
    assert_eq!(code(&app, &check_on(&key, "one")).await, LicenseCode::Valid);
}

#[tokio::test]
async fn addresses_are_not_gone_through() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let (_, other) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    for number in 0..20 {
        let answer = come(&app, &key, &format!("try-{number}@example.com"), "laptop").await;
        assert_eq!(answer.expect("answered"), LicenseCode::EmailMismatch);
    }
    assert_eq!(wait(come(&app, &key, "try-20@example.com", "laptop").await), 3_600);
    // Else a guess would be told from the others by how it is refused.
    assert_eq!(wait(come(&app, &key, ADA, "laptop").await), 3_600);
    assert_eq!(come(&app, &other, ADA, "laptop").await.expect("answered"), LicenseCode::Valid);
    let noted = history(&app, license.id, "license.address_refused").await;
    assert_eq!(noted, [serde_json::json!({})], "once, and without the address");

    app.ctx.clock.advance(Duration::HOUR);
    assert_eq!(come(&app, &key, EVE, "laptop").await.expect("answered"), LicenseCode::EmailMismatch);
    assert_eq!(come(&app, &key, ADA, "laptop").await.expect("answered"), LicenseCode::Valid);
    assert_eq!(history(&app, license.id, "license.address_refused").await.len(), 2);
}

#[tokio::test]
async fn the_address_of_whoever_has_the_license_now_is_good_as_well() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    sqlx::query("update account set email = 'countess@example.com' where email = $1")
        .bind(ADA)
        .execute(&app.ctx.db)
        .await
        .expect("a new address");
    for (email, fingerprint) in [("Countess@example.com", "one"), (ADA, "two")] {
        assert_eq!(come(&app, &key, email, fingerprint).await.expect("answered"), LicenseCode::Valid);
    }
    assert_eq!(come(&app, &key, EVE, "three").await.expect("answered"), LicenseCode::EmailMismatch);
    // Nobody's account: only the address that it was made out to.
    sqlx::query("update license set account_id = null where id = $1")
        .bind(license.id.uuid())
        .execute(&app.ctx.db)
        .await
        .expect("changed");
    let refused = come(&app, &key, "countess@example.com", "three").await.expect("answered");
    assert_eq!(refused, LicenseCode::EmailMismatch);
}

#[tokio::test]
async fn whoever_was_told_to_wait_costs_no_more_counting() {
    let app = TestApp::start().await;
    let guess = async |number: u8| {
        let mut letters = [9; RANDOM_LETTERS];
        (letters[0], letters[1]) = (number & 31, number >> 5);
        let license_key = LicenseKey::from_random(letters).expose();
        let request =
            ValidateRequest { license_key, fingerprint: None, product: None, version: None, nonce: None };
        asking::validate(&app.ctx, &client(), &request).await.map(|answer| answer.code)
    };
    for number in 0..60 {
        assert_eq!(guess(number).await.expect("answered"), LicenseCode::NotFound, "{number}");
    }
    for number in 60..80 {
        assert!(wait(guess(number).await) > 0);
    }
    let counted = "select sum(used)::bigint from rate_ledger where bucket like 'license_unknown:%'";
    assert_eq!(number(&app, counted).await, 61);
    app.ctx.clock.advance(Duration::HOUR);
    assert_eq!(guess(80).await.expect("answered"), LicenseCode::NotFound);
}

#[tokio::test]
async fn a_machine_that_says_nothing_new_is_written_down_now_and_then() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    // Which transaction wrote the row last.
    let written = async || number(&app, "select xmin::text::bigint from license_machine").await;
    come(&app, &key, ADA, "laptop").await.expect("answered");
    let first = written().await;
    app.ctx.clock.advance(Duration::hours(6) - Duration::SECOND);
    come(&app, &key, ADA, "laptop").await.expect("answered");
    assert_eq!(written().await, first);
    let renamed =
        ActivateRequest { machine_name: Some("other".to_owned()), ..activate_on(&key, ADA, "laptop") };
    let answer = answered(&app, &renamed).await.expect("answered");
    assert_eq!(answer.machine.expect("active").name, "other");
    let second = written().await;
    assert_ne!(second, first, "it has another name");
    app.ctx.clock.advance(Duration::hours(6));
    answered(&app, &renamed).await.expect("answered");
    assert_ne!(written().await, second, "it was heard of");
}

#[tokio::test]
async fn only_as_many_make_room_as_are_in_the_way() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    for fingerprint in ["oldest", "older", "old"] {
        come(&app, &key, ADA, fingerprint).await.expect("answered");
        app.ctx.clock.advance(Duration::SECOND);
    }
    app.ctx.clock.advance(MACHINE_UNSEEN);
    assert_eq!(come(&app, &key, ADA, "new").await.expect("answered"), LicenseCode::Valid);
    for (fingerprint, expected) in [
        ("oldest", LicenseCode::NoMachine),
        ("older", LicenseCode::Valid),
        ("old", LicenseCode::Valid),
        ("new", LicenseCode::Valid),
    ] {
        assert_eq!(code(&app, &check_on(&key, fingerprint)).await, expected, "{fingerprint}");
    }
    assert_eq!(machines(&app).await, (3, 3));
    assert_eq!(history(&app, license.id, "license.deactivated").await.len(), 1);
}

#[tokio::test]
async fn many_machines_that_go_at_once_are_told_of_once() {
    let app = TestApp::start().await;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let (license, _) = given(&app, ADA, Tier::Pro, 20, End::NEVER).await;
    came_long_ago(&app, license.id, 60, Duration::DAY).await;
    app.signed_in(EVE, Role::Customer).await;
    life::transfer(&app.ctx, &ada, license.id, EVE).await.expect("given away");
    assert_eq!(machines(&app).await, (0, 0));
    let told = history(&app, license.id, "license.deactivated").await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["count"], &told[0]["why"]), (&Value::from(60), &Value::from("transferred")));
    assert_eq!(told[0]["machines"].as_array().map(Vec::len), Some(50));
    let events = "select count(*) from outbox where topic = 'license.deactivated'";
    assert_eq!(number(&app, events).await, 1);
}

#[tokio::test]
async fn the_daily_round_takes_machines_off_in_bounded_steps() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 100, End::NEVER).await;
    come(&app, &key, ADA, "laptop").await.expect("answered");
    came_long_ago(&app, license.id, 210, MACHINE_UNSEEN + Duration::HOUR).await;
    ReleaseMachines {}.run(app.ctx.clone()).await.expect("the round");
    assert_eq!(machines(&app).await, (1, 1));
    assert_eq!(code(&app, &check_on(&key, "laptop")).await, LicenseCode::Valid);
    let told = history(&app, license.id, "license.deactivated").await;
    let mut counts: Vec<_> = told.iter().filter_map(|entry| entry["count"].as_i64()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [10, 200]);
}
