//! Licenses over the API: what the editor sends without signing in, and the statuses and shapes it relies on.

mod open;
mod own;
mod staff;

use devforge::contract::{
    account::{Role, User},
    license_key::{LicenseKey, RANDOM_LETTERS},
    payment::Tier,
};
use serde_json::{Value, json};

use crate::{
    api::client::{Answer, call, log_in, post},
    support::TestApp,
};

pub(super) const VALIDATE: &str = "/api/licenses/validate";
pub(super) const ACTIVATE: &str = "/api/licenses/activate";
pub(super) const DEACTIVATE: &str = "/api/licenses/deactivate";
pub(super) const ADA: &str = "ada@example.com";

/// A new person, and what their programs are signed in with.
pub(super) async fn person(app: &TestApp, email: &str, role: Role) -> (User, String) {
    let user = app.person(email, role).await;
    let access = log_in(&app.ctx, &user).await.access;
    (user, access)
}

/// Sends something as whoever `access` is of; `null` is no body.
pub(super) async fn send(app: &TestApp, access: &str, method: &str, path: &str, body: &Value) -> Answer {
    let call = call(method, path).bearer(access);
    if body.is_null() { call.send(&app.ctx).await } else { call.json(body).send(&app.ctx).await }
}

/// What sending it well is answered with.
pub(super) async fn sent(app: &TestApp, access: &str, method: &str, path: &str, body: &Value) -> Value {
    let answer = send(app, access, method, path, body).await;
    assert_eq!(answer.outcome(), (200, None), "{method} {path} {:?}", answer.problem);
    answer.json()
}

/// What an open endpoint answers.
pub(super) async fn asked(app: &TestApp, path: &str, body: &Value) -> Value {
    let answer = post(&app.ctx, path, body).await;
    assert_eq!(answer.outcome(), (200, None), "{path} {:?}", answer.problem);
    answer.json()
}

pub(super) async fn activated(app: &TestApp, key: &LicenseKey, email: &str, fingerprint: &str) -> Value {
    let body = json!({
        "licenseKey": key.expose(),
        "email": email,
        "fingerprint": fingerprint,
        "machineName": "Ada's laptop",
        "platform": "linux-x64",
    });
    let told = asked(app, ACTIVATE, &body).await;
    assert_eq!((&told["activated"], &told["code"]), (&json!(true), &json!("VALID")), "{told}");
    told
}

/// The code that validation gives.
pub(super) async fn code(app: &TestApp, body: &Value) -> String {
    let told = asked(app, VALIDATE, body).await;
    assert_eq!(told["valid"], told["code"] == "VALID", "{told}");
    told["code"].as_str().unwrap_or_else(|| panic!("no code in {told}")).to_owned()
}

/// What a tier includes.
pub(super) async fn features(app: &TestApp, tier: Tier) -> Vec<String> {
    app.ctx.licenses.tiers(&app.ctx).await.of(tier, &[], app.ctx.clock.now())
}

/// One of many keys that nobody has.
pub(super) fn nobodys(number: u8) -> LicenseKey {
    let mut letters = [7; RANDOM_LETTERS];
    (letters[0], letters[1]) = (number & 31, number >> 5);
    LicenseKey::from_random(letters)
}

/// A key with a slip in it.
pub(super) fn mistyped(key: &LicenseKey) -> String {
    let mut text = key.expose();
    let last = text.pop();
    text.push(if last == Some('0') { '1' } else { '0' });
    text
}

/// Takes a field out that is different each time.
pub(super) fn without(mut value: Value, field: &str) -> Value {
    let removed = value.as_object_mut().and_then(|object| object.remove(field));
    assert!(removed.is_some_and(|removed| !removed.is_null()), "there is no {field} in {value}");
    value
}
