//! Machines without a connection, and the files that are carried to them.

use devforge::{
    account::{Caller, Denied, FRESH_FOR},
    contract::{
        account::Role,
        id::LicenseId,
        license::{DeactivateRequest, LicenseCode, MachineFile, MachineFileRequest, OfflineClaims},
        payment::Tier,
    },
    license::{
        self, Error, life, machine,
        rules::{End, FILE_FOR},
    },
    signing::{self, KeyPurpose},
};
use time::Duration;
use uuid::Uuid;

use super::{
    ADA, activate, ada_with, aged, denied, file, is_conflict, is_not_found, machines, request, times,
};
use crate::{
    licenses::{check_on, code},
    support::{TestApp, client},
};

#[tokio::test]
async fn a_machine_without_a_connection_gets_a_file_that_we_signed() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    aged(&app, license.id).await;
    let wish = machine::read_request(&serde_json::to_vec(&request("bunker")).expect("JSON")).expect("read");
    let file = machine::machine_file(ctx, &ada, license.id, &wish).await.expect("a file");
    assert_eq!((file.r#type.as_str(), file.good_until), (MachineFile::TYPE, ctx.clock.now() + FILE_FOR));
    let claims: OfflineClaims =
        signing::verify(ctx, KeyPurpose::MachineFile, &file.token).await.expect("asked").expect("ours");
    assert_eq!((claims.sub, claims.tier, claims.fingerprint.as_str()), (license.id, Tier::Pro, "bunker"));
    assert_eq!((claims.nonce.as_deref(), claims.aud.as_str()), (Some("n-1"), OfflineClaims::AUDIENCE));
    assert_eq!(
        (claims.iat, claims.exp),
        (ctx.clock.now().unix_timestamp(), file.good_until.unix_timestamp())
    );
    assert!(claims.features.contains(&"fire_teams".to_owned()));
    let as_token: Option<OfflineClaims> =
        signing::verify(ctx, KeyPurpose::Offline, &file.token).await.expect("asked");
    assert!(as_token.is_none(), "a file is no token for everybody");

    assert_eq!(
        code(&app, &check_on(&key, "bunker")).await,
        LicenseCode::Valid,
        "it is a machine like any other"
    );
    let machine = machines(ctx, &ada, license.id).await.remove(0);
    assert_eq!((machine.name.as_str(), machine.email.as_str()), ("Bunker 3", ADA));
    assert_eq!(machine.file_until, Some(file.good_until));
    assert_eq!(times(&app, license.id, "license.machine_file").await, 1);
}

#[tokio::test]
async fn a_file_takes_a_place_and_keeps_it() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    for fingerprint in ["bunker", "bunker", "vault"] {
        file(ctx, &ada, license.id, fingerprint).await.expect("a file");
        ctx.clock.advance(Duration::SECOND);
    }
    assert_eq!(
        machines(ctx, &ada, license.id).await.len(),
        2,
        "the same machine again takes no second place"
    );
    assert_eq!(activate(&app, &key, "laptop").await, LicenseCode::Valid);
    assert!(is_conflict(&file(ctx, &ada, license.id, "fourth").await));
    assert_eq!(machines(ctx, &ada, license.id).await.len(), 3);
    let bunker = machines(ctx, &ada, license.id).await.remove(0);
    assert!(is_conflict(&machine::remove(ctx, &ada, license.id, bunker.id).await));
    let support = app.signed_in("support@example.com", Role::Support).await;
    machine::remove(ctx, &support, license.id, bunker.id).await.expect("staff may");

    ctx.clock.advance(FILE_FOR);
    let ada = app.signed_in_again(ADA).await;
    let vault = machines(ctx, &ada, license.id).await.remove(0);
    machine::remove(ctx, &ada, license.id, vault.id).await.expect("its file is no longer good");
}

#[tokio::test]
async fn a_file_is_good_for_no_longer_than_its_license() {
    let app = TestApp::start().await;
    let end = End::at(app.ctx.clock.now() + Duration::days(30), Duration::days(7));
    let (ada, license, _) = ada_with(&app, end).await;
    aged(&app, license.id).await;
    let given = file(&app.ctx, &ada, license.id, "bunker").await.expect("a file");
    assert_eq!(Some(given.good_until), end.good_until);
    app.ctx.clock.advance(Duration::days(37));
    let ada = app.signed_in_again(ADA).await;
    assert!(is_conflict(&file(&app.ctx, &ada, license.id, "bunker").await));
}

#[tokio::test]
async fn only_a_good_license_of_ones_own_is_taken_to_a_machine() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, _) = ada_with(&app, End::NEVER).await;
    let id = license.id;
    let eve = app.signed_in("eve@example.com", Role::Customer).await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    assert_eq!(denied(&file(ctx, &Caller::Anonymous, id, "bunker").await), Some(Denied::Unauthenticated));
    for other in [&eve, &admin] {
        assert!(is_not_found(&file(ctx, other, id, "bunker").await));
    }
    assert!(is_not_found(&file(ctx, &ada, LicenseId::from_uuid(Uuid::from_u128(1)), "bunker").await));
    let long = "f".repeat(10_000);
    for wrong in ["", "a\0b", long.as_str()] {
        assert!(matches!(file(ctx, &ada, id, wrong).await, Err(Error::Invalid(_))));
    }
    life::suspend(ctx, &admin, id, "").await.expect("held back");
    assert!(is_conflict(&file(ctx, &ada, id, "bunker").await));
    assert!(machines(ctx, &ada, id).await.is_empty());
    life::reinstate(ctx, &admin, id, "").await.expect("reinstated");
    ctx.clock.advance(FRESH_FOR);
    assert_eq!(denied(&file(ctx, &ada, id, "bunker").await), Some(Denied::NotFresh));
    assert!(machines(ctx, &ada, id).await.is_empty());
}

#[tokio::test]
async fn a_file_is_not_good_for_long_while_the_money_may_go_back() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, _) = ada_with(&app, End::NEVER).await;
    let first = file(ctx, &ada, license.id, "bunker").await.expect("a file");
    assert_eq!(first.good_until, ctx.clock.now() + Duration::days(30));
    let claims: OfflineClaims =
        signing::verify(ctx, KeyPurpose::MachineFile, &first.token).await.expect("asked").expect("ours");
    assert_eq!(claims.exp, first.good_until.unix_timestamp());
    assert_eq!(machines(ctx, &ada, license.id).await[0].file_until, Some(first.good_until));
    aged(&app, license.id).await;
    let second = file(ctx, &ada, license.id, "bunker").await.expect("a file");
    assert_eq!(second.good_until, ctx.clock.now() + FILE_FOR);
    assert_eq!(machines(ctx, &ada, license.id).await[0].file_until, Some(second.good_until));
}

#[tokio::test]
async fn a_file_goes_on_covering_the_version_that_was_promised() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let end = ctx.clock.now() - Duration::days(1);
    let (ada, license, _) = ada_with(&app, End::at(end, Duration::ZERO)).await;
    sqlx::query("update license set fallback = true where id = $1")
        .bind(license.id.uuid())
        .execute(&ctx.db)
        .await
        .expect("changed");
    let mut tx = ctx.db.begin().await.expect("begun");
    license::version::announce(&mut tx, "2.4.1", end - Duration::DAY).await.expect("announced");
    license::version::announce(&mut tx, "2.5.0", end + Duration::HOUR).await.expect("announced");
    tx.commit().await.expect("committed");
    let with = async |version: Option<&str>| {
        let wish = MachineFileRequest { version: version.map(str::to_owned), ..request("bunker") };
        machine::machine_file(ctx, &ada, license.id, &wish).await
    };
    for not_covered in [None, Some("2.5.0"), Some("9.9.9")] {
        assert!(is_conflict(&with(not_covered).await), "{not_covered:?}");
    }
    assert!(machines(ctx, &ada, license.id).await.is_empty());
    let file = with(Some("2.4.1")).await.expect("a file");
    let claims: OfflineClaims =
        signing::verify(ctx, KeyPurpose::MachineFile, &file.token).await.expect("asked").expect("ours");
    assert_eq!((claims.version.as_deref(), claims.sub), (Some("2.4.1"), license.id));
}

#[tokio::test]
async fn a_machine_with_a_file_is_not_deactivated_by_whoever_has_the_key() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    file(ctx, &ada, license.id, "bunker").await.expect("a file");
    let leave = DeactivateRequest { license_key: key.expose(), fingerprint: "bunker".to_owned() };
    assert!(is_conflict(&machine::deactivate(ctx, &client(), &leave).await));
    assert_eq!(machines(ctx, &ada, license.id).await.len(), 1);
    ctx.clock.advance(Duration::days(30));
    machine::deactivate(ctx, &client(), &leave).await.expect("its file is no longer good");
    assert_eq!(code(&app, &check_on(&key, "bunker")).await, LicenseCode::NoMachine);
}
