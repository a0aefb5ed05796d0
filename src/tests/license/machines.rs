//! The machines of a license as its owner handles them: named, taken off, read page by page, out of sight. How many
//! there may be in a while is in `limits`.

mod files;

use devforge::{
    account::{Caller, Denied, FRESH_FOR},
    context::Context,
    contract::{
        account::Role,
        id::{LicenseId, MachineId},
        license::{ActivateRequest, LicenseCode, MachineFile, MachineFileRequest},
        license_key::LicenseKey,
        payment::Tier,
    },
    jobs::Job as _,
    license::{
        Error, License,
        machine::{self, Machine, ReleaseMachines},
        rules::{End, MACHINE_UNSEEN},
    },
};
use time::Duration;
use uuid::Uuid;

use crate::{
    api::client::{call, log_in},
    licenses::{activate_on, check_on, code, given},
    support::{TestApp, client},
};

const ADA: &str = "ada@example.com";

/// Ada, and a license of hers with no machine yet.
async fn ada_with(app: &TestApp, end: End) -> (Caller, License, LicenseKey) {
    let ada = app.signed_in(ADA, Role::Customer).await;
    let (license, key) = given(app, ADA, Tier::Pro, 1, end).await;
    (ada, license, key)
}

async fn activate(app: &TestApp, key: &LicenseKey, fingerprint: &str) -> LicenseCode {
    machine::activate(&app.ctx, &client(), &activate_on(key, ADA, fingerprint)).await.expect("answered").code
}

async fn machines(ctx: &Context, caller: &Caller, id: LicenseId) -> Vec<Machine> {
    machine::list(ctx, caller, id).await.expect("listed")
}

fn request(fingerprint: &str) -> MachineFileRequest {
    MachineFileRequest {
        r#type: MachineFileRequest::TYPE.to_owned(),
        fingerprint: fingerprint.to_owned(),
        machine_name: Some("Bunker  3\n".to_owned()),
        platform: Some("linux-x64".to_owned()),
        version: None,
        nonce: Some("n-1".to_owned()),
    }
}

/// Makes a license so old that nobody gets the money for it back.
async fn aged(app: &TestApp, id: LicenseId) {
    sqlx::query("update license set created_at = created_at - interval '30 days' where id = $1")
        .bind(id.uuid())
        .execute(&app.ctx.db)
        .await
        .expect("it is older");
}

async fn file(
    ctx: &Context,
    caller: &Caller,
    id: LicenseId,
    fingerprint: &str,
) -> Result<MachineFile, Error> {
    machine::machine_file(ctx, caller, id, &request(fingerprint)).await
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

async fn times(app: &TestApp, id: LicenseId, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event where subject_id = $1 and action = $2")
        .bind(id.to_string())
        .bind(action)
        .fetch_one(&app.ctx.db)
        .await
        .expect("counted")
}

#[tokio::test]
async fn a_machine_that_is_taken_off_makes_room_for_another() {
    let app = TestApp::start().await;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    for fingerprint in ["one", "two", "three"] {
        assert_eq!(activate(&app, &key, fingerprint).await, LicenseCode::Valid);
        app.ctx.clock.advance(Duration::SECOND);
    }
    assert_eq!(activate(&app, &key, "four").await, LicenseCode::TooManyMachines);
    let first = machines(&app.ctx, &ada, license.id).await.remove(0);
    machine::remove(&app.ctx, &ada, license.id, first.id).await.expect("taken off");
    assert_eq!(code(&app, &check_on(&key, "one")).await, LicenseCode::NoMachine);
    assert_eq!(activate(&app, &key, "four").await, LicenseCode::Valid);
    assert!(is_not_found(&machine::remove(&app.ctx, &ada, license.id, first.id).await));
    assert_eq!(machines(&app.ctx, &ada, license.id).await.len(), 3);
    assert_eq!(times(&app, license.id, "license.deactivated").await, 1);
}

#[tokio::test]
async fn a_machine_is_its_owners_to_handle_and_staff_may_take_it_off() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    let id = license.id;
    let eve = app.signed_in("eve@example.com", Role::Customer).await;
    let support = app.signed_in("support@example.com", Role::Support).await;
    for fingerprint in ["one", "two"] {
        activate(&app, &key, fingerprint).await;
    }
    let all = machines(ctx, &ada, id).await;
    let nobody = &Caller::Anonymous;
    assert_eq!(denied(&machine::list(ctx, nobody, id).await), Some(Denied::Unauthenticated));
    assert_eq!(denied(&machine::remove(ctx, nobody, id, all[0].id).await), Some(Denied::Unauthenticated));
    assert_eq!(
        denied(&machine::rename(ctx, nobody, id, all[0].id, "x").await),
        Some(Denied::Unauthenticated)
    );
    assert!(is_not_found(&machine::list(ctx, &eve, id).await));
    assert!(is_not_found(&machine::remove(ctx, &eve, id, all[0].id).await));
    assert!(is_not_found(&machine::rename(ctx, &eve, id, all[0].id, "x").await));
    assert!(is_not_found(&machine::rename(ctx, &support, id, all[0].id, "x").await));
    // A machine of Ada's is not one of a license of Eve's.
    let (hers, _) = given(&app, "eve@example.com", Tier::Pro, 1, End::NEVER).await;
    assert!(is_not_found(&machine::remove(ctx, &eve, hers.id, all[0].id).await));
    assert!(is_not_found(&machine::rename(ctx, &eve, hers.id, all[0].id, "x").await));
    assert_eq!(machines(ctx, &support, id).await, all);

    machine::remove(ctx, &support, id, all[0].id).await.expect("taken off by staff");
    ctx.clock.advance(FRESH_FOR);
    assert_eq!(denied(&machine::remove(ctx, &support, id, all[1].id).await), Some(Denied::NotFresh));
    machine::remove(ctx, &ada, id, all[1].id).await.expect("a sign-in of long ago is enough for one's own");
    let gone = MachineId::from_uuid(Uuid::from_u128(1));
    assert!(is_not_found(&machine::remove(ctx, &ada, id, gone).await));
}

#[tokio::test]
async fn a_machine_is_called_as_its_owner_calls_it() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    activate(&app, &key, "one").await;
    let machine = machines(ctx, &ada, license.id).await.remove(0);
    for _ in 0..2 {
        machine::rename(ctx, &ada, license.id, machine.id, "  Büro\n links ").await.expect("renamed");
    }
    assert_eq!(machines(ctx, &ada, license.id).await[0].name, "Büro links");
    assert_eq!(times(&app, license.id, "license.machine_renamed").await, 1);
    for wrong in [String::new(), " \t ".to_owned(), "ü".repeat(101), "x".repeat(10_000)] {
        let refused = machine::rename(ctx, &ada, license.id, machine.id, &wrong).await;
        assert!(matches!(&refused, Err(Error::Invalid(wrong)) if wrong[0].field == "name"), "{refused:?}");
    }
    assert_eq!(machines(ctx, &ada, license.id).await[0].name, "Büro links");
}

#[tokio::test]
async fn machines_that_nobody_has_heard_of_for_long_make_room_and_no_others() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    activate(&app, &key, "lost").await;
    aged(&app, license.id).await;
    file(ctx, &ada, license.id, "bunker").await.expect("a file");
    ctx.clock.advance(Duration::days(1));
    activate(&app, &key, "laptop").await;

    ctx.clock.advance(MACHINE_UNSEEN - Duration::days(1));
    ReleaseMachines {}.run(ctx.clone()).await.expect("the round");
    let ada = app.signed_in_again(ADA).await;
    assert_eq!(machines(ctx, &ada, license.id).await.len(), 3, "it was heard of so long ago, and not longer");
    ctx.clock.advance(Duration::SECOND);
    for _ in 0..2 {
        ReleaseMachines {}.run(ctx.clone()).await.expect("the round");
        assert_eq!(code(&app, &check_on(&key, "lost")).await, LicenseCode::NoMachine);
        assert_eq!(code(&app, &check_on(&key, "laptop")).await, LicenseCode::Valid);
        assert_eq!(code(&app, &check_on(&key, "bunker")).await, LicenseCode::Valid);
    }
    assert_eq!(times(&app, license.id, "license.deactivated").await, 1);
    let used: i32 = sqlx::query_scalar("select machines_used from license where id = $1")
        .bind(license.id.uuid())
        .fetch_one(&ctx.db)
        .await
        .expect("read");
    assert_eq!(used, 2);
}

#[tokio::test]
async fn the_name_that_its_owner_gave_a_machine_stays() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    let come = async |name: &str, platform: &str| {
        let request = ActivateRequest {
            machine_name: Some(name.to_owned()),
            platform: Some(platform.to_owned()),
            ..activate_on(&key, ADA, "one")
        };
        machine::activate(ctx, &client(), &request).await.expect("answered").machine.expect("active")
    };
    let first = come("host-1", "linux-x64").await;
    assert_eq!(come("host-2", "linux-x64").await.name, "host-2", "nobody has named it");
    machine::rename(ctx, &ada, license.id, first.id, "host-2").await.expect("as it is called already");
    let again = come("host-3", "linux-arm64").await;
    assert_eq!((again.name.as_str(), again.platform.as_str()), ("host-2", "linux-arm64"));
    let stored = machines(ctx, &ada, license.id).await.remove(0);
    assert_eq!((stored.name.as_str(), stored.platform.as_str()), ("host-2", "linux-arm64"));
}

#[tokio::test]
async fn names_that_look_like_others_are_refused() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = ada_with(&app, End::NEVER).await;
    activate(&app, &key, "one").await;
    let machine = machines(ctx, &ada, license.id).await.remove(0);
    for wrong in ["gpj\u{202e}exe", "\u{2066}laptop", "\u{200b}", "\u{feff} \u{ad}"] {
        let refused = machine::rename(ctx, &ada, license.id, machine.id, wrong).await;
        assert!(matches!(&refused, Err(Error::Invalid(wrong)) if wrong[0].field == "name"), "{wrong:?}");
        let named = ActivateRequest {
            machine_name: Some(wrong.to_owned()),
            platform: Some(wrong.to_owned()),
            ..activate_on(&key, ADA, "two")
        };
        let refused = machine::activate(ctx, &client(), &named).await;
        let Err(Error::Invalid(problems)) = refused else { panic!("{wrong:?} is taken") };
        let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["machineName", "platform"], "{wrong:?}");
    }
    assert_eq!(machines(ctx, &ada, license.id).await, [machine]);
}

#[tokio::test]
async fn many_machines_are_read_page_by_page() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in(ADA, Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 2, End::NEVER).await;
    for number in 0..5 {
        activate(&app, &key, &format!("machine {number}")).await;
        ctx.clock.advance(Duration::MILLISECOND);
    }
    let all: Vec<_> = machines(ctx, &ada, license.id).await.iter().map(|machine| machine.id).collect();
    let page = async |after: Option<MachineId>| {
        let (machines, next) = machine::page(ctx, &ada, license.id, after, 2).await.expect("read");
        (machines.iter().map(|machine| machine.id).collect::<Vec<_>>(), next)
    };
    assert_eq!(page(None).await, (all[..2].to_vec(), Some(all[1])));
    assert_eq!(page(Some(all[1])).await, (all[2..4].to_vec(), Some(all[3])));
    assert_eq!(page(Some(all[3])).await, (all[4..].to_vec(), None));
    // Whoever takes machines off as they read goes on where they were.
    machine::remove(ctx, &ada, license.id, all[1]).await.expect("taken off");
    assert_eq!(page(Some(all[1])).await, (all[2..4].to_vec(), Some(all[3])));
    let unreadable = MachineId::from_uuid(Uuid::max());
    let refused = machine::page(ctx, &ada, license.id, Some(unreadable), 2).await;
    assert!(matches!(&refused, Err(Error::Invalid(wrong)) if wrong[0].field == "cursor"), "{refused:?}");

    let access = log_in(ctx, ada.user().expect("signed in")).await.access;
    let path = format!("/api/licenses/{}/machines", license.id);
    let first = call("GET", &format!("{path}?limit=3")).bearer(&access).send(ctx).await.json();
    assert_eq!(first["items"].as_array().map(Vec::len), Some(3));
    let next = first["nextCursor"].as_str().expect("there are more");
    let rest = call("GET", &format!("{path}?limit=3&cursor={next}")).bearer(&access).send(ctx).await.json();
    assert_eq!((rest["items"].as_array().map(Vec::len), rest["nextCursor"].is_null()), (Some(1), true));
    let refused = call("GET", &format!("{path}?cursor=x")).bearer(&access).send(ctx).await;
    assert_eq!(refused.status.as_u16(), 422);
}
