//! Licenses in a test: one that somebody has, and what the editor asks about it.

use devforge::{
    contract::{
        account::Role,
        id::UserId,
        license::{ActivateRequest, LicenseCode, ValidateRequest},
        license_key::LicenseKey,
        payment::Tier,
    },
    license::{
        self, License, check,
        issue::{self, GenerateOrder, Issued},
        rules::End,
    },
};
use uuid::Uuid;

use crate::support::{TestApp, client};

const GIVER: &str = "giver@example.com";

/// A license of the person with this address, who has an account or gets one.
pub async fn given(app: &TestApp, email: &str, tier: Tier, seats: u32, end: End) -> (License, LicenseKey) {
    let giver = match account_of(app, GIVER).await {
        Some(_) => app.signed_in_again(GIVER).await,
        None => app.signed_in(GIVER, Role::Admin).await,
    };
    let account = match account_of(app, email).await {
        Some(account) => account,
        None => app.person(email, Role::Customer).await.id,
    };
    let order = GenerateOrder {
        account,
        tier,
        seats,
        count: 1,
        expires_at: None,
        fallback: false,
        floating: false,
        overage: 0,
        reason: "for a test".to_owned(),
        mail: false,
        request: None,
    };
    let issued = issue::generate(&app.ctx, &giver, &order).await.expect("generated");
    let Some(Issued { license, key }) = issued.into_iter().next() else { panic!("one license") };
    sqlx::query("update license set expires_at = $2, good_until = $3 where id = $1")
        .bind(license.id.uuid())
        .bind(end.expires_at)
        .bind(end.good_until)
        .execute(&app.ctx.db)
        .await
        .expect("its end is set");
    let license = license::find(&app.ctx, &giver, license.id).await.expect("found");
    (license, key)
}

async fn account_of(app: &TestApp, email: &str) -> Option<UserId> {
    let id = sqlx::query_scalar::<_, Uuid>("select id from account where lower(email) = lower($1)");
    id.bind(email).fetch_optional(&app.ctx.db).await.expect("looked up").map(UserId::from_uuid)
}

/// Whether it is good, on no machine in particular.
pub fn check(key: &LicenseKey) -> ValidateRequest {
    ValidateRequest {
        license_key: key.expose(),
        fingerprint: None,
        product: None,
        version: None,
        nonce: None,
    }
}

pub fn check_on(key: &LicenseKey, fingerprint: &str) -> ValidateRequest {
    ValidateRequest { fingerprint: Some(fingerprint.to_owned()), ..check(key) }
}

pub fn activate_on(key: &LicenseKey, email: &str, fingerprint: &str) -> ActivateRequest {
    ActivateRequest {
        license_key: key.expose(),
        email: email.to_owned(),
        fingerprint: Some(fingerprint.to_owned()),
        machine_name: Some(format!("machine of {email}")),
        platform: Some("linux-x64".to_owned()),
        product: None,
        version: None,
        nonce: None,
    }
}

pub async fn code(app: &TestApp, request: &ValidateRequest) -> LicenseCode {
    check::validate(&app.ctx, &client(), request).await.expect("answered").code
}
