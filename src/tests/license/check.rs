//! What the editor is told: the codes, what is kept in memory, and what it takes along for when it is offline.

use std::time::{Duration as StdDuration, Instant};

use devforge::{
    config::LicensesConfig,
    context::Context,
    contract::{
        license::{LicenseCode, OfflineClaims, ValidateRequest},
        payment::Tier,
    },
    license::{
        self, check as asking, machine,
        rules::{End, OFFLINE_FOR},
    },
    signing::{self, KeyPurpose},
};
use time::{Duration, OffsetDateTime};

use crate::{
    eventually::eventually,
    licenses::{activate_on, check, check_on, code, given},
    support::{TestApp, client},
};

const ADA: &str = "ada@example.com";

async fn validate(ctx: &Context, request: &ValidateRequest) -> devforge::contract::license::LicenseCheck {
    asking::validate(ctx, &client(), request).await.expect("answered")
}

async fn claims(ctx: &Context, token: &str) -> OfflineClaims {
    signing::verify(ctx, KeyPurpose::Offline, token).await.expect("looked at").expect("a token of ours")
}

#[tokio::test]
async fn a_license_is_good_where_it_is_active_and_turns_its_features_on() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    assert_eq!(code(&app, &check(&key)).await, LicenseCode::MachineRequired);
    let before = validate(&app.ctx, &check_on(&key, "laptop")).await;
    assert_eq!((before.valid, before.code, before.tier), (false, LicenseCode::NoMachine, Tier::Free));
    assert!(
        before.features.contains(&"editor".to_owned()) && !before.features.contains(&"fire_teams".to_owned())
    );
    assert_eq!(before.offline_token, None);

    let activation =
        machine::activate(&app.ctx, &client(), &activate_on(&key, ADA, "laptop")).await.expect("answered");
    assert!(activation.activated);
    let nonce = Some("n-1".to_owned());
    let after =
        validate(&app.ctx, &ValidateRequest { nonce: nonce.clone(), ..check_on(&key, "laptop") }).await;
    assert_eq!((after.valid, after.code, after.tier), (true, LicenseCode::Valid, Tier::Pro));
    assert!(after.features.contains(&"fire_teams".to_owned()));
    assert_eq!(after.machines.map(|machines| (machines.used, machines.limit)), Some((1, 3)));
    assert_eq!(after.nonce, nonce);
    let claims = claims(&app.ctx, &after.offline_token.expect("a token")).await;
    assert_eq!((claims.fingerprint.as_str(), claims.nonce, claims.tier), ("laptop", nonce, Tier::Pro));
    assert_eq!(claims.features, after.features);
    assert_eq!(claims.exp - claims.iat, OFFLINE_FOR.whole_seconds());
    assert_eq!(claims.aud, OfflineClaims::AUDIENCE);
}

#[tokio::test]
async fn an_offline_token_does_not_outlive_its_license() {
    let app = TestApp::start().await;
    let end = app.ctx.clock.now() + Duration::days(3);
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::at(end, Duration::days(2))).await;
    let activation =
        machine::activate(&app.ctx, &client(), &activate_on(&key, ADA, "laptop")).await.expect("answered");
    let claims = claims(&app.ctx, &activation.offline_token.expect("a token")).await;
    assert_eq!(claims.exp, (end + Duration::days(2)).unix_timestamp());
    assert_eq!(claims.license_exp, Some(end.unix_timestamp()));
}

#[tokio::test]
async fn without_a_nonce_the_same_token_is_given_again_until_something_changes() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    machine::activate(&app.ctx, &client(), &activate_on(&key, ADA, "laptop")).await.expect("answered");
    let request = check_on(&key, "laptop");
    let first = validate(&app.ctx, &request).await.offline_token;
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!(validate(&app.ctx, &request).await.offline_token, first);
    sqlx::query(
        "update license set tier = 'enterprise', updated_at = updated_at + interval '1 second' where id = $1",
    )
    .bind(license.id.uuid())
    .execute(&app.ctx.db)
    .await
    .expect("changed");
    let changed = validate(&app.ctx, &request).await.offline_token;
    assert_ne!(changed, first);
    assert_eq!(claims(&app.ctx, &changed.expect("a token")).await.tier, Tier::Enterprise);
}

#[tokio::test]
async fn what_is_no_key_of_ours_costs_no_read() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let text = key.expose();
    app.ctx.db.close().await;
    let ask = |license_key: String| ValidateRequest { license_key, ..check(&key) };
    let last = text.chars().last().expect("a letter");
    let other = if last == '2' { '3' } else { '2' };
    let wrong = format!("{}{other}", &text[..text.len() - 1]);
    for (license_key, expected) in [
        (wrong, LicenseCode::NotFound),
        (text[..20].to_owned(), LicenseCode::NotFound),
        (String::new(), LicenseCode::NotFound),
        (text.replacen("DF", "DX", 1), LicenseCode::ProductMismatch),
    ] {
        let answer = validate(&app.ctx, &ask(license_key.clone())).await;
        assert_eq!((answer.valid, answer.code, answer.tier), (false, expected, Tier::Free), "{license_key}");
        assert!(answer.features.contains(&"editor".to_owned()));
    }
    let other_product = ValidateRequest { product: Some("models".to_owned()), ..check(&key) };
    assert_eq!(validate(&app.ctx, &other_product).await.code, LicenseCode::ProductMismatch);
    // A failure of ours is no word about the license.
    assert!(asking::validate(&app.ctx, &client(), &check(&key)).await.is_err());
}

#[tokio::test]
async fn a_license_that_has_expired_goes_on_covering_older_versions_where_that_was_promised() {
    let app = TestApp::start().await;
    let now = app.ctx.clock.now();
    let end = now + Duration::days(1);
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::at(end, Duration::ZERO)).await;
    sqlx::query("update license set fallback = true, node_locked = false where id = $1")
        .bind(license.id.uuid())
        .execute(&app.ctx.db)
        .await
        .expect("changed");
    let mut tx = app.ctx.db.begin().await.expect("begun");
    license::version::announce(&mut tx, "2.4.1", end - Duration::DAY).await.expect("announced");
    license::version::announce(&mut tx, "2.5.0", end + Duration::DAY).await.expect("announced");
    tx.commit().await.expect("committed");
    app.ctx.clock.advance(Duration::days(30));
    let ask = |version: Option<&str>| ValidateRequest { version: version.map(str::to_owned), ..check(&key) };
    assert_eq!(code(&app, &ask(Some("2.4.1"))).await, LicenseCode::Valid);
    assert_eq!(code(&app, &ask(Some("2.5.0"))).await, LicenseCode::VersionNotCovered);
    assert_eq!(code(&app, &ask(Some("9.9.9"))).await, LicenseCode::VersionNotCovered);
    assert_eq!(code(&app, &ask(None)).await, LicenseCode::Expired);
    let found = ValidateRequest { fingerprint: Some("laptop".to_owned()), ..ask(Some("2.4.1")) };
    machine::activate(
        &app.ctx,
        &client(),
        &devforge::contract::license::ActivateRequest {
            version: Some("2.4.1".to_owned()),
            ..activate_on(&key, ADA, "laptop")
        },
    )
    .await
    .expect("answered");
    let token = validate(&app.ctx, &found).await.offline_token.expect("a token");
    assert_eq!(claims(&app.ctx, &token).await.version.as_deref(), Some("2.4.1"));
}

#[tokio::test]
async fn when_a_machine_was_heard_of_is_noted_now_and_then() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    machine::activate(&app.ctx, &client(), &activate_on(&key, ADA, "laptop")).await.expect("answered");
    let seen = || async {
        sqlx::query_scalar::<_, OffsetDateTime>("select last_seen_at from license_machine")
            .fetch_one(&app.ctx.db)
            .await
            .expect("read")
    };
    let first = seen().await;
    app.ctx.clock.advance(Duration::hours(7));
    validate(&app.ctx, &check_on(&key, "laptop")).await;
    let now = app.ctx.clock.now();
    eventually("the use is noted", async || (seen().await == now).then_some(())).await;
    app.ctx.clock.advance(Duration::hours(1));
    validate(&app.ctx, &check_on(&key, "laptop")).await;
    assert!(first < now);
    assert_eq!(seen().await, now);
}

#[tokio::test]
async fn of_more_machines_than_come_with_a_license_each_is_found() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 12, End::NEVER).await;
    for number in 0..36 {
        let request = activate_on(&key, ADA, &format!("machine {number}"));
        let activation = machine::activate(&app.ctx, &client(), &request).await.expect("answered");
        assert!(activation.activated, "{number}");
    }
    for number in [0, 31, 32, 35] {
        let request = check_on(&key, &format!("machine {number}"));
        assert_eq!(code(&app, &request).await, LicenseCode::Valid, "{number}");
    }
    assert_eq!(code(&app, &check_on(&key, "machine 36")).await, LicenseCode::NoMachine);
    // Seats are given up: those that came first stay.
    sqlx::query("update license set seats = 11").execute(&app.ctx.db).await.expect("changed");
    assert_eq!(code(&app, &check_on(&key, "machine 32")).await, LicenseCode::Valid);
    assert_eq!(code(&app, &check_on(&key, "machine 33")).await, LicenseCode::TooManyMachines);
}

#[tokio::test]
async fn two_nodes_that_keep_licenses_in_memory_hear_of_a_change_at_once() {
    let app = TestApp::start_with(|config| {
        config.licenses = LicensesConfig { cache: StdDuration::from_secs(3_600) };
    })
    .await;
    let other = app.second().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    machine::activate(&app.ctx, &client(), &activate_on(&key, ADA, "laptop")).await.expect("answered");
    let following =
        [tokio::spawn(asking::follow(app.ctx.clone())), tokio::spawn(asking::follow(other.clone()))];
    let request = check_on(&key, "laptop");
    // Kept in memory: the row can be changed behind the back of both only while nobody is told.
    let is_kept = async |ctx: &Context| {
        let quietly = async |tier: &str| {
            let mut tx = app.ctx.db.begin().await.expect("begun");
            sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("set");
            sqlx::query("update license set tier = $1").bind(tier).execute(&mut *tx).await.expect("changed");
            tx.commit().await.expect("committed");
        };
        let before = validate(ctx, &request).await.tier;
        quietly(if before == Tier::Pro { "enterprise" } else { "pro" }).await;
        validate(ctx, &request).await.tier == before
    };
    for ctx in [&app.ctx, &other] {
        eventually("it is kept", async || is_kept(ctx).await.then_some(())).await;
    }

    let changed = Instant::now();
    sqlx::query("update license set revoked_by = array['staff'] where id = $1")
        .bind(license.id.uuid())
        .execute(&app.ctx.db)
        .await
        .expect("revoked");
    for ctx in [&app.ctx, &other] {
        let is_revoked = async || validate(ctx, &request).await.code == LicenseCode::Revoked;
        eventually("it is revoked", async || is_revoked().await.then_some(())).await;
    }
    assert!(changed.elapsed() < StdDuration::from_secs(1), "{:?}", changed.elapsed());

    // Nothing is kept while changes cannot be heard of.
    for task in following {
        task.abort();
        let _ = task.await;
    }
    sqlx::query("update license set revoked_by = '{}'").execute(&app.ctx.db).await.expect("given back");
    assert!(!is_kept(&app.ctx).await && !is_kept(&other).await);
}
