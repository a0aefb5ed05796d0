//! Another key for the same license, and another owner.

use devforge::{
    account::{Caller, Denied, FRESH_FOR},
    context::Context,
    contract::{
        account::Role,
        id::LicenseId,
        license::{LicenseCode, MachineFileRequest},
    },
    license::{self, Error, life, machine, rules::End},
};
use uuid::Uuid;

use super::{
    ADA, EVE, activate, denied, is_conflict, is_kept_secret, is_not_found, on_the_laptop, set_causes, times,
    working,
};
use crate::{
    licenses::activate_on,
    support::{TestApp, client},
};

/// To whom mails of this kind went, and what they say.
async fn letters(app: &TestApp, kind: &str) -> Vec<(String, String)> {
    sqlx::query_as("select to_address, text from mail_message where kind = $1 order by to_address")
        .bind(kind)
        .fetch_all(&app.ctx.db)
        .await
        .expect("read")
}

async fn machines(ctx: &Context, caller: &Caller, id: LicenseId) -> usize {
    machine::list(ctx, caller, id).await.expect("listed").len()
}

#[tokio::test]
async fn the_old_key_is_worth_nothing_and_the_machines_stay() {
    let app = TestApp::start().await;
    let (ada, license, old) = working(&app, End::NEVER).await;
    let issued = life::rotate(&app.ctx, &ada, license.id).await.expect("rotated");
    assert_ne!(issued.key, old);
    assert_eq!(
        (issued.license.id, issued.license.masked_key().ends_with(&issued.key.end())),
        (license.id, true)
    );
    assert_eq!(on_the_laptop(&app, &old).await, LicenseCode::Revoked);
    assert_eq!(on_the_laptop(&app, &issued.key).await, LicenseCode::Valid);
    assert_eq!(machines(&app.ctx, &ada, license.id).await, 1);
    let again =
        machine::activate(&app.ctx, &client(), &activate_on(&old, ADA, "other")).await.expect("answered");
    assert_eq!((again.activated, again.code), (false, LicenseCode::Revoked));
    assert!(is_not_found(&life::id_of_key(&app.ctx, &old.expose()).await));
    assert_eq!(life::reveal(&app.ctx, &ada, license.id).await.expect("shown"), issued.key);

    let letters = letters(&app, "license_rotated").await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].0 == ADA && letters[0].1.contains(&issued.key.expose()));
    assert!(!letters[0].1.contains(&old.expose()));
    assert_eq!(times(&app, license.id, "license.rotated").await, 1);
    is_kept_secret(&app, &old).await;
    is_kept_secret(&app, &issued.key).await;
}

#[tokio::test]
async fn its_owner_and_staff_replace_a_key_and_nobody_else() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = working(&app, End::NEVER).await;
    let eve = app.signed_in(EVE, Role::Customer).await;
    let support = app.signed_in("support@example.com", Role::Support).await;
    assert_eq!(
        denied(&life::rotate(ctx, &Caller::Anonymous, license.id).await),
        Some(Denied::Unauthenticated)
    );
    assert!(is_not_found(&life::rotate(ctx, &eve, license.id).await));
    assert!(is_not_found(&life::rotate(ctx, &ada, LicenseId::from_uuid(Uuid::from_u128(1))).await));
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Valid);
    let mut last = life::rotate(ctx, &support, license.id).await.expect("rotated by staff").key;
    for _ in 0..9 {
        last = life::rotate(ctx, &ada, license.id).await.expect("rotated again").key;
    }
    assert!(matches!(life::rotate(ctx, &ada, license.id).await, Err(Error::TooManyTries { .. })));
    assert_eq!(on_the_laptop(&app, &last).await, LicenseCode::Valid);
    ctx.clock.advance(FRESH_FOR);
    for stale in [&ada, &support] {
        assert_eq!(denied(&life::rotate(ctx, stale, license.id).await), Some(Denied::NotFresh));
    }
}

#[tokio::test]
async fn who_had_it_keeps_nothing_of_it() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, old) = working(&app, End::NEVER).await;
    let eve = app.signed_in(EVE, Role::Customer).await;
    let given = life::transfer(ctx, &ada, license.id, " Eve@EXAMPLE.com ").await.expect("given away");
    assert_eq!(given.account, eve.user().map(|user| user.id));
    assert_eq!(on_the_laptop(&app, &old).await, LicenseCode::Revoked);
    assert!(is_not_found(&license::find(ctx, &ada, license.id).await));
    assert!(is_not_found(&life::reveal(ctx, &ada, license.id).await));
    assert!(is_not_found(&life::transfer(ctx, &ada, license.id, ADA).await));
    assert_eq!((given.machines_used, machines(ctx, &eve, license.id).await), (0, 0));

    let new = life::reveal(ctx, &eve, license.id).await.expect("hers now");
    assert_eq!(on_the_laptop(&app, &new).await, LicenseCode::NoMachine);
    let hers = machine::activate(ctx, &client(), &activate_on(&new, ADA, "laptop")).await.expect("answered");
    assert_eq!(hers.code, LicenseCode::EmailMismatch);
    activate(&app, &new, EVE, "laptop").await;

    let letters = letters(&app, "license_transferred").await;
    let to: Vec<_> = letters.iter().map(|(to, _)| to.to_lowercase()).collect();
    assert_eq!(to, [ADA, EVE]);
    assert!(!letters[0].1.contains(&new.expose()), "who had it does not get the new key");
    assert!(letters[1].1.contains(&new.expose()));
    assert_eq!(times(&app, license.id, "license.transferred").await, 1);
    assert_eq!(times(&app, license.id, "license.deactivated").await, 1);
    is_kept_secret(&app, &old).await;
    is_kept_secret(&app, &new).await;
}

#[tokio::test]
async fn an_address_that_nobody_has_proven_gets_it_and_no_account_does() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, _) = working(&app, End::NEVER).await;
    app.person("unproven@example.com", Role::Customer).await;
    sqlx::query("update account set email_verified_at = null where email = 'unproven@example.com'")
        .execute(&ctx.db)
        .await
        .expect("as if registered by anybody");
    let support = app.signed_in("support@example.com", Role::Support).await;
    let given = life::transfer(ctx, &ada, license.id, "nobody@example.com").await.expect("given away");
    assert_eq!((given.account, given.email.as_str()), (None, "nobody@example.com"));
    assert!(is_conflict(&life::transfer(ctx, &support, license.id, "Nobody@example.com").await));
    let moved =
        life::transfer(ctx, &support, license.id, "unproven@example.com").await.expect("moved by staff");
    assert_eq!(moved.account, None);
    let to: Vec<_> = letters(&app, "license_transferred").await.into_iter().map(|(to, _)| to).collect();
    assert_eq!(to, [ADA, "nobody@example.com", "nobody@example.com", "unproven@example.com"]);
}

#[tokio::test]
async fn what_is_not_good_or_not_theirs_is_not_given_away() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let (ada, license, key) = working(&app, End::NEVER).await;
    let id = license.id;
    let eve = app.signed_in(EVE, Role::Customer).await;
    assert_eq!(
        denied(&life::transfer(ctx, &Caller::Anonymous, id, EVE).await),
        Some(Denied::Unauthenticated)
    );
    assert!(is_not_found(&life::transfer(ctx, &eve, id, EVE).await));
    for wrong in ["", "eve", "eve@", "eve@example.com\nBcc: x@example.com"] {
        let refused = life::transfer(ctx, &ada, id, wrong).await;
        assert!(matches!(&refused, Err(Error::Invalid(wrong)) if wrong[0].field == "email"), "{refused:?}");
    }
    assert!(is_conflict(&life::transfer(ctx, &ada, id, ADA).await));
    set_causes(&app, id, &["dispute"], &[]).await;
    assert!(is_conflict(&life::transfer(ctx, &ada, id, EVE).await));
    set_causes(&app, id, &[], &["refund"]).await;
    assert!(is_conflict(&life::transfer(ctx, &ada, id, EVE).await));
    set_causes(&app, id, &[], &[]).await;
    sqlx::query("update license set origin = 'trial' where id = $1")
        .bind(id.uuid())
        .execute(&ctx.db)
        .await
        .expect("set");
    assert!(is_conflict(&life::transfer(ctx, &ada, id, EVE).await));
    assert_eq!(on_the_laptop(&app, &key).await, LicenseCode::Valid);
    assert_eq!(times(&app, id, "license.transferred").await, 0);
    ctx.clock.advance(FRESH_FOR);
    assert_eq!(denied(&life::transfer(ctx, &ada, id, EVE).await), Some(Denied::NotFresh));
}

#[tokio::test]
async fn a_license_with_a_file_out_is_given_away_by_staff_only() {
    let app = TestApp::start().await;
    let (ada, license, _) = working(&app, End::NEVER).await;
    let request = MachineFileRequest {
        r#type: MachineFileRequest::TYPE.to_owned(),
        fingerprint: "bunker".to_owned(),
        machine_name: None,
        platform: None,
        version: None,
        nonce: None,
    };
    machine::machine_file(&app.ctx, &ada, license.id, &request).await.expect("a file");
    assert!(is_conflict(&life::transfer(&app.ctx, &ada, license.id, EVE).await));
    let support = app.signed_in("support@example.com", Role::Support).await;
    let given = life::transfer(&app.ctx, &support, license.id, EVE).await.expect("given away");
    assert_eq!(given.machines_used, 0);
}
