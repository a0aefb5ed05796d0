//! What owners do with their licenses over the API.

use axum::http::header;
use devforge::{
    contract::{account::Role, license::MachineFileRequest, payment::Tier, problem::ProblemCode},
    license::rules::End,
};
use serde_json::{Value, json};
use time::Duration;

use super::{ADA, activated, asked, code, mistyped, nobodys, person, send, sent};
use crate::{
    api::client::{call, cookie, mails},
    licenses::given,
    support::TestApp,
};

const MINE: &str = "/api/licenses";
const NOT_FOUND: (u16, Option<ProblemCode>) = (404, Some(ProblemCode::NotFound));

fn at(license: impl std::fmt::Display, what: &str) -> String {
    format!("/api/licenses/{license}/{what}")
}

/// A token for the programs of whoever `access` is of.
async fn personal_token(app: &TestApp, access: &str) -> String {
    let body = json!({ "name": "Build server", "scopes": ["licenses:read"] });
    let made = send(app, access, "POST", "/api/auth/tokens", &body).await;
    assert_eq!(made.outcome(), (201, None), "{:?}", made.problem);
    made.text("token")
}

#[tokio::test]
async fn licenses_are_ones_own_and_read_page_by_page() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (_, other) = person(&app, "eve@example.com", Role::Customer).await;
    let mut ids = Vec::new();
    for seats in 1..=3 {
        let (license, key) = given(&app, ADA, Tier::Pro, seats, End::NEVER).await;
        ids.insert(0, json!(license.id));
        let list = sent(&app, &access, "GET", MINE, &Value::Null).await;
        assert!(!list.to_string().contains(&key.expose()) && list.to_string().contains(&key.end()), "{list}");
        // So that the next is newer.
        app.ctx.clock.advance(Duration::SECOND);
    }
    let (mut path, mut walked) = (format!("{MINE}?limit=2"), Vec::new());
    loop {
        let page = sent(&app, &access, "GET", &path, &Value::Null).await;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        assert!((1..=2).contains(&items.len()), "{page}");
        walked.extend(items.iter().map(|license| license["id"].clone()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("{MINE}?limit=2&cursor={cursor}");
    }
    assert_eq!(walked, ids);
    let nothing = json!({ "items": [], "nextCursor": null });
    assert_eq!(sent(&app, &other, "GET", MINE, &Value::Null).await, nothing);
    let foreign = ids[0].as_str().unwrap_or_default();
    for cursor in [foreign, "x"] {
        let refused = send(&app, &other, "GET", &format!("{MINE}?cursor={cursor}"), &Value::Null).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{cursor}");
    }
}

#[tokio::test]
async fn a_token_reads_and_does_nothing_else() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let machine = activated(&app, &key, ADA, "print-1").await["machine"]["id"].clone();
    let token = personal_token(&app, &access).await;
    for path in [MINE.to_owned(), at(license.id, "machines")] {
        let list = sent(&app, &token, "GET", &path, &Value::Null).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    }
    let machine = at(license.id, &format!("machines/{}", machine.as_str().unwrap_or_default()));
    for (method, path) in [
        ("POST", at(license.id, "reveal")),
        ("POST", at(license.id, "rotate")),
        ("POST", at(license.id, "transfer")),
        ("POST", at(license.id, "split")),
        ("POST", at(license.id, "machine-file")),
        ("POST", "/api/licenses/trial".to_owned()),
        ("PATCH", machine.clone()),
        ("DELETE", machine),
    ] {
        let body = json!({ "email": "eve@example.com", "name": "x", "type": "x", "fingerprint": "x" });
        let refused = send(&app, &token, method, &path, &body).await;
        assert_eq!(refused.outcome(), (403, Some(ProblemCode::InsufficientScope)), "{method} {path}");
    }
}

#[tokio::test]
async fn a_key_is_shown_to_its_owner_who_has_just_signed_in() {
    let app = TestApp::start().await;
    let (ada, access) = person(&app, ADA, Role::Customer).await;
    let (_, eve) = person(&app, "eve@example.com", Role::Admin).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let expected = json!({ "licenseKey": key.expose() });
    assert_eq!(sent(&app, &access, "POST", &at(license.id, "reveal"), &Value::Null).await, expected);
    assert_eq!(sent(&app, &access, "POST", &at(key.expose(), "reveal"), &Value::Null).await, expected);
    // Not to staff either, and there is no telling what is there.
    let mut details = Vec::new();
    for named in
        [license.id.to_string(), nobodys(1).expose(), mistyped(&key), "x".to_owned(), "%FF".to_owned()]
    {
        let refused = send(&app, &eve, "POST", &at(&named, "reveal"), &Value::Null).await;
        assert_eq!(refused.outcome(), NOT_FOUND, "{named}");
        details.extend(refused.problem.map(|problem| problem.detail));
    }
    details.dedup();
    assert_eq!(details.len(), 1, "{details:?}");

    let cookie = cookie(&app, &ada).await;
    app.ctx.clock.advance(Duration::minutes(16));
    let stale = at(license.id, "reveal");
    let stale = call("POST", &stale).header(header::COOKIE, cookie).send(&app.ctx).await;
    assert_eq!(stale.outcome(), (403, Some(ProblemCode::FreshSignInRequired)));
}

#[tokio::test]
async fn machines_are_named_and_removed() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (_, eve) = person(&app, "eve@example.com", Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let machine = activated(&app, &key, ADA, "print-1").await["machine"].clone();
    let list = at(license.id, "machines");
    let expected = json!({ "items": [machine], "nextCursor": null });
    assert_eq!(sent(&app, &access, "GET", &list, &Value::Null).await, expected);
    assert_eq!(sent(&app, &access, "GET", &at(key.expose(), "machines"), &Value::Null).await, expected);

    let one = format!("{list}/{}", machine["id"].as_str().unwrap_or_default());
    let named = send(&app, &access, "PATCH", &one, &json!({ "name": "  The old one " })).await;
    assert_eq!((named.outcome(), named.body.len()), ((204, None), 0));
    let told = sent(&app, &access, "GET", &list, &Value::Null).await;
    assert_eq!(told["items"][0]["name"], "The old one");
    for wrong in [json!({ "name": "" }), json!({ "name": "x".repeat(101) }), json!({ "name": 5 }), json!({})]
    {
        let refused = send(&app, &access, "PATCH", &one, &wrong).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{wrong}");
        assert_eq!(refused.mistakes()[0].0, "name", "{wrong}");
    }

    let name = json!({ "name": "Mine" });
    let missing = format!("{list}/mch_01h2xcejqtf2nbrexx3vqjhp41");
    for (who, path) in [
        (&eve, one.clone()),
        (&access, missing),
        (&access, format!("{list}/1")),
        (&access, format!("{list}/{}", license.id)),
    ] {
        for (method, body) in [("PATCH", &name), ("DELETE", &Value::Null)] {
            assert_eq!(send(&app, who, method, &path, body).await.outcome(), NOT_FOUND, "{method} {path}");
        }
    }
    assert_eq!(send(&app, &eve, "GET", &list, &Value::Null).await.outcome(), NOT_FOUND);

    let removed = send(&app, &access, "DELETE", &one, &Value::Null).await;
    assert_eq!((removed.outcome(), removed.body.len()), ((204, None), 0));
    assert_eq!(send(&app, &access, "DELETE", &one, &Value::Null).await.outcome(), NOT_FOUND);
    let body = json!({ "licenseKey": key.expose(), "fingerprint": "print-1" });
    assert_eq!(code(&app, &body).await, "NO_MACHINE");
}

#[tokio::test]
async fn a_machine_without_a_connection_gets_a_file() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let request = json!({ "type": MachineFileRequest::TYPE, "fingerprint": "air-1", "machineName": "Lab" });
    let path = at(license.id, "machine-file");
    let file = sent(&app, &access, "POST", &path, &request).await;
    assert_eq!(
        (&file["type"], &file["goodUntil"]),
        (&json!("devforge.machine-file"), &json!("2026-12-20T10:00:00Z")),
        "a young license"
    );
    assert!(file["token"].as_str().is_some_and(|token| token.split('.').count() == 3), "{file}");
    let list = sent(&app, &access, "GET", &at(license.id, "machines"), &Value::Null).await;
    assert_eq!(list["items"][0]["name"], "Lab");
    assert_eq!(code(&app, &json!({ "licenseKey": key.expose(), "fingerprint": "air-1" })).await, "VALID");

    for (wrong, field) in [
        (json!({ "type": "devforge.machine-file", "fingerprint": "air-2" }), "type"),
        (json!({ "type": MachineFileRequest::TYPE, "fingerprint": "f".repeat(10_000) }), "fingerprint"),
        (json!({ "type": MachineFileRequest::TYPE }), "fingerprint"),
    ] {
        let refused = send(&app, &access, "POST", &path, &wrong).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{field}");
        assert_eq!(refused.mistakes()[0].0, field);
    }
}

#[tokio::test]
async fn a_new_key_takes_the_place_of_the_old_one() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (_, eve) = person(&app, "eve@example.com", Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    activated(&app, &key, ADA, "print-1").await;
    assert_eq!(send(&app, &eve, "POST", &at(license.id, "rotate"), &Value::Null).await.outcome(), NOT_FOUND);

    // Whoever asks names it by the key that leaked.
    let told = sent(&app, &access, "POST", &at(key.expose(), "rotate"), &Value::Null).await;
    let shown = sent(&app, &access, "POST", &at(license.id, "reveal"), &Value::Null).await;
    let new = shown["licenseKey"].as_str().unwrap_or_default();
    assert_ne!(new, key.expose());
    assert_eq!(told["id"], json!(license.id));
    assert!(told["key"].as_str().is_some_and(|masked| masked.ends_with(&new[new.len() - 5..])), "{told}");
    assert!(!told.to_string().contains(new));
    assert_eq!(code(&app, &json!({ "licenseKey": key.expose(), "fingerprint": "print-1" })).await, "REVOKED");
    assert_eq!(code(&app, &json!({ "licenseKey": new, "fingerprint": "print-1" })).await, "VALID");
    assert_eq!(
        send(&app, &access, "POST", &at(key.expose(), "rotate"), &Value::Null).await.outcome(),
        NOT_FOUND
    );
}

#[tokio::test]
async fn a_license_goes_to_somebody_else() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (_, grace) = person(&app, "grace@example.com", Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    activated(&app, &key, ADA, "print-1").await;
    let path = at(license.id, "transfer");
    let wrong = send(&app, &access, "POST", &path, &json!({ "email": "nobody" })).await;
    assert_eq!(wrong.outcome(), (422, Some(ProblemCode::InvalidRequest)));
    assert_eq!(wrong.mistakes()[0].0, "email");
    let to_grace = json!({ "email": "grace@example.com" });
    assert_eq!(send(&app, &grace, "POST", &path, &to_grace).await.outcome(), NOT_FOUND, "nobody takes");

    let told = sent(&app, &access, "POST", &path, &to_grace).await;
    assert_eq!((&told["id"], &told["machines"]["used"]), (&json!(license.id), &json!(0)));
    let mine = sent(&app, &access, "GET", MINE, &Value::Null).await;
    assert_eq!(mine["items"], json!([]));
    let hers = sent(&app, &grace, "GET", MINE, &Value::Null).await;
    assert_eq!(hers["items"][0]["id"], json!(license.id));
    assert_eq!(code(&app, &json!({ "licenseKey": key.expose() })).await, "REVOKED");
}

#[tokio::test]
async fn seats_become_licenses_once_for_a_key() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 3, End::NEVER).await;
    let path = at(license.id, "split");
    let split = async || {
        let call = call("POST", &path).bearer(&access).header(super::staff::KEY, "split-1");
        call.send(&app.ctx).await
    };
    let made = split().await;
    assert_eq!(made.outcome(), (201, None), "{:?}", made.problem);
    let told = made.json();
    assert_eq!(told["licenseKey"], key.expose());
    let keys = told["licenseKeys"].as_array().cloned().unwrap_or_default();
    assert_eq!((keys.len(), told["licenses"].as_array().map(Vec::len)), (3, Some(3)));
    for key in &keys {
        assert_eq!(code(&app, &json!({ "licenseKey": key })).await, "MACHINE_REQUIRED");
    }
    let again = split().await;
    assert_eq!(
        (again.outcome(), again.json(), again.header(super::staff::REPLAYED)),
        ((201, None), told, "true")
    );
    let anew = send(&app, &access, "POST", &path, &Value::Null).await;
    assert_eq!(anew.outcome(), (409, Some(ProblemCode::Conflict)), "it has one seat");
    let mine = sent(&app, &access, "GET", MINE, &Value::Null).await;
    assert_eq!(mine["items"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_trial_is_begun_once() {
    let app = TestApp::start().await;
    let (_, access) = person(&app, ADA, Role::Customer).await;
    let begun = send(&app, &access, "POST", "/api/licenses/trial", &Value::Null).await;
    assert_eq!(begun.outcome(), (201, None), "{:?}", begun.problem);
    let told = begun.json();
    assert_eq!(
        (&told["origin"], &told["tier"], &told["expiresAt"]),
        (&json!("trial"), &json!("pro"), &json!("2026-12-04T10:00:00Z"))
    );
    app.run_jobs().await;
    assert_eq!(mails(&app, "license_issued").await, 1);
    let again = send(&app, &access, "POST", "/api/licenses/trial", &Value::Null).await;
    assert_eq!(again.outcome(), (409, Some(ProblemCode::Conflict)));
    let shown = at(told["id"].as_str().unwrap_or_default(), "reveal");
    let key = sent(&app, &access, "POST", &shown, &Value::Null).await;
    let checked = asked(&app, super::VALIDATE, &key).await;
    assert_eq!(checked["code"], "MACHINE_REQUIRED");
}
