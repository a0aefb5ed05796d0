//! What staff does with licenses over the API.

use axum::http::HeaderName;
use devforge::{
    contract::{account::Role, payment::Tier, problem::ProblemCode},
    license::rules::{End, GRACE},
};
use serde_json::{Value, json};
use time::macros::datetime;

use super::{ADA, code, features, nobodys, person, send, sent};
use crate::{
    api::client::{Answer, call},
    licenses::given,
    support::TestApp,
};

pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const GENERATE: &str = "/api/licenses/generate";

#[tokio::test]
async fn a_license_is_given_with_what_the_contract_names() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let (ada, _) = person(&app, ADA, Role::Customer).await;
    let given = send(&app, &admin, "POST", GENERATE, &json!({ "userId": ada.id, "tier": "pro" })).await;
    assert_eq!(given.outcome(), (201, None), "{:?}", given.problem);
    let told = given.json();
    let key = told["licenseKey"].as_str().unwrap_or_default();
    let expected = json!({
        "licenseKey": key,
        "licenseKeys": [key],
        "downloadUrl": format!("{}/download", app.ctx.config.http.public_url),
        "licenses": [{
            "id": told["licenses"][0]["id"],
            "key": format!("DF-•••••-•••••-•••••-•••••-{}", &key[key.len() - 5..]),
            "tier": "pro",
            "status": "active",
            "origin": "staff",
            "seats": 1,
            "machines": { "used": 0, "limit": 3 },
            "features": features(&app, Tier::Pro).await,
            "expiresAt": null,
            "graceUntil": null,
            "createdAt": "2026-11-20T10:00:00Z",
        }],
    });
    assert_eq!(told, expected);
    assert_eq!(code(&app, &json!({ "licenseKey": key })).await, "MACHINE_REQUIRED");
}

#[tokio::test]
async fn several_keys_are_made_once_for_an_idempotency_key() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let (ada, _) = person(&app, ADA, Role::Customer).await;
    let body = json!({
        "userId": ada.id, "tier": "enterprise", "seats": 2, "count": 3, "floating": true, "overage": 20,
        "expiresAt": "2027-11-20T10:00:00Z", "reason": "A workshop",
    });
    let generate = async |body: &Value| -> Answer {
        call("POST", GENERATE).bearer(&admin).header(KEY, "workshop-1").json(body).send(&app.ctx).await
    };
    let first = generate(&body).await;
    assert_eq!((first.outcome(), first.header(REPLAYED)), ((201, None), ""), "{:?}", first.problem);
    let keys = first.json()["licenseKeys"].as_array().cloned().unwrap_or_default();
    assert_eq!(keys.len(), 3);
    for key in &keys {
        assert_eq!(code(&app, &json!({ "licenseKey": key })).await, "VALID", "on no machine in particular");
    }
    let again = generate(&body).await;
    assert_eq!((again.outcome(), again.header(REPLAYED)), ((201, None), "true"));
    assert_eq!(again.json(), first.json());
    let other = generate(&json!({ "userId": ada.id, "tier": "pro" })).await;
    assert_eq!(other.outcome(), (422, Some(ProblemCode::IdempotencyKeyReused)));
    let licenses = sqlx::query_scalar::<_, i64>("select count(*) from license").fetch_one(&app.ctx.db).await;
    assert_eq!(licenses.expect("counted"), 3);
}

#[tokio::test]
async fn what_cannot_be_given_is_named() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let (ada, _) = person(&app, ADA, Role::Customer).await;
    for (field, value) in [
        ("userId", json!("usr_01h2xcejqtf2nbrexx3vqjhp41")),
        ("userId", json!("lic_01h2xcejqtf2nbrexx3vqjhp41")),
        ("tier", json!("gold")),
        ("tier", json!("free")),
        ("seats", json!(0)),
        ("seats", json!(10_001)),
        ("seats", json!(-1)),
        ("count", json!(1_001)),
        ("overage", json!(101)),
        ("expiresAt", json!("2026-11-20T09:59:59Z")),
        ("expiresAt", json!("tomorrow")),
        ("reason", json!("x".repeat(501))),
    ] {
        let mut body = json!({ "userId": ada.id, "tier": "pro", "reason": "A workshop" });
        body[field] = value;
        let refused = send(&app, &admin, "POST", GENERATE, &body).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{body}");
        assert_eq!(refused.mistakes()[0].0, field, "{body}");
    }
    let licenses = sqlx::query_scalar::<_, i64>("select count(*) from license").fetch_one(&app.ctx.db).await;
    assert_eq!(licenses.expect("counted"), 0);
}

#[tokio::test]
async fn a_license_is_held_back_reinstated_and_taken_away() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let (_, support) = person(&app, "support@example.com", Role::Support).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let check = json!({ "licenseKey": key.expose() });
    // By its id, and by its key in an odd spelling.
    for named in [license.id.to_string(), key.expose().to_lowercase().replace('-', "%20")] {
        let path = |what: &str| format!("/api/licenses/{named}/{what}");
        let held = sent(&app, &support, "POST", &path("suspend"), &json!({ "reason": "Asked" })).await;
        assert_eq!((&held["id"], &held["status"]), (&json!(license.id), &json!("suspended")));
        assert_eq!(code(&app, &check).await, "SUSPENDED");
        let back = sent(&app, &support, "POST", &path("reinstate"), &json!({ "reason": "Settled" })).await;
        assert_eq!(back["status"], "active");
        assert_eq!(code(&app, &check).await, "MACHINE_REQUIRED");

        let one = format!("/api/licenses/{named}");
        let refused = send(&app, &support, "DELETE", &one, &Value::Null).await;
        assert_eq!(refused.outcome(), (403, Some(ProblemCode::Forbidden)));
        for _ in 0..2 {
            let gone = sent(&app, &admin, "DELETE", &one, &Value::Null).await;
            assert_eq!(gone, json!({ "revoked": true }));
        }
        assert_eq!(code(&app, &check).await, "REVOKED");
        let again = send(&app, &support, "POST", &path("suspend"), &json!({ "reason": "Asked" })).await;
        assert_eq!(again.outcome(), (409, Some(ProblemCode::Conflict)));
        // Whoever may not take it away may not undo that either.
        let because = json!({ "reason": "A mistake" });
        let refused = send(&app, &support, "POST", &path("reinstate"), &because).await;
        assert_eq!(refused.outcome(), (403, Some(ProblemCode::Forbidden)));
        sent(&app, &admin, "POST", &path("reinstate"), &because).await;
    }
    let suspend = format!("/api/licenses/{}/suspend", license.id);
    for reason in [json!("x".repeat(501)), json!(format!("leaked: {}", key.expose())), json!(5)] {
        let refused = send(&app, &support, "POST", &suspend, &json!({ "reason": reason })).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{reason}");
        assert_eq!(refused.mistakes()[0].0, "reason");
    }
}

#[tokio::test]
async fn why_something_is_done_is_said() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let (license, _) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let one = format!("/api/licenses/{}", license.id);
    for (method, path) in
        [("POST", format!("{one}/suspend")), ("POST", format!("{one}/reinstate")), ("DELETE", one.clone())]
    {
        for body in [json!({}), json!({ "reason": null }), json!({ "reason": " \n" })] {
            let refused = send(&app, &admin, method, &path, &body).await;
            assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{method} {path} {body}");
            assert_eq!(refused.mistakes(), [("reason".to_owned(), "required".to_owned())]);
        }
    }
    for path in ["suspend", "reinstate"] {
        let refused = send(&app, &admin, "POST", &format!("{one}/{path}"), &Value::Null).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path}");
    }
    let nothing = "/api/licenses/lic_01h2xcejqtf2nbrexx3vqjhp41/suspend";
    let missing = send(&app, &admin, "POST", nothing, &json!({})).await;
    assert_eq!(missing.outcome(), (404, Some(ProblemCode::NotFound)));
    // As the contract has it.
    sent(&app, &admin, "DELETE", &one, &Value::Null).await;
    let why: String =
        sqlx::query_scalar("select detail->>'reason' from audit_event where action = 'license.revoked'")
            .fetch_one(&app.ctx.db)
            .await
            .expect("in the history");
    assert_eq!(why, "Revoked over the API without a reason");
}

#[tokio::test]
async fn a_request_that_is_sent_twice_prolongs_once() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let end = End::at(datetime!(2027-01-31 10:00 UTC), GRACE);
    let (license, _) = given(&app, ADA, Tier::Pro, 1, end).await;
    let path = format!("/api/licenses/{}/renew", license.id);
    let month = json!({ "months": 1 });
    let renew = async |body: &Value| {
        call("PUT", &path).bearer(&admin).header(KEY, "renew-1").json(body).send(&app.ctx).await
    };
    let first = renew(&month).await;
    assert_eq!((first.outcome(), first.header(REPLAYED)), ((200, None), ""), "{:?}", first.problem);
    let again = renew(&month).await;
    assert_eq!((again.outcome(), again.header(REPLAYED)), ((200, None), "true"));
    assert_eq!((again.json(), &first.json()["expiresAt"]), (first.json(), &json!("2027-02-28T10:00:00Z")));
    let other = renew(&json!({ "months": 2 })).await;
    assert_eq!(other.outcome(), (422, Some(ProblemCode::IdempotencyKeyReused)));

    let stale = json!({ "months": 1, "from": "2027-01-31T10:00:00Z" });
    let refused = send(&app, &admin, "PUT", &path, &stale).await;
    assert_eq!(refused.outcome(), (409, Some(ProblemCode::Conflict)));
    let seen = json!({ "months": 1, "from": "2027-02-28T10:00:00Z" });
    assert_eq!(sent(&app, &admin, "PUT", &path, &seen).await["expiresAt"], "2027-03-28T10:00:00Z");
}

#[tokio::test]
async fn a_license_is_prolonged_from_its_end() {
    let app = TestApp::start().await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let end = End::at(datetime!(2027-01-31 10:00 UTC), GRACE);
    let (license, key) = given(&app, ADA, Tier::Pro, 1, end).await;
    let path = format!("/api/licenses/{}/renew", key.expose());
    let renew = async |body: &Value| {
        let told = sent(&app, &admin, "PUT", &path, body).await;
        assert_eq!(told["id"], json!(license.id));
        told["expiresAt"].clone()
    };
    assert_eq!(renew(&json!({ "months": 1 })).await, "2027-02-28T10:00:00Z");
    assert_eq!(renew(&Value::Null).await, "2028-02-28T10:00:00Z");
    assert_eq!(renew(&json!({ "expiresAt": "2029-01-01T00:00:00Z" })).await, "2029-01-01T00:00:00Z");
    for (body, field) in [
        (json!({ "months": 0 }), "months"),
        (json!({ "months": 121 }), "months"),
        (json!({ "months": "two" }), "months"),
        (json!({ "expiresAt": "2027-01-01T00:00:00Z" }), "expiresAt"),
    ] {
        let refused = send(&app, &admin, "PUT", &path, &body).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{body}");
        assert_eq!(refused.mistakes()[0].0, field, "{body}");
    }
    let (_, endless) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let path = format!("/api/licenses/{}/renew", endless.expose());
    let refused = send(&app, &admin, "PUT", &path, &Value::Null).await;
    assert_eq!(refused.outcome(), (409, Some(ProblemCode::Conflict)));
}

#[tokio::test]
async fn what_is_for_staff_is_for_nobody_else_whether_or_not_it_is_there() {
    let app = TestApp::start().await;
    let (_, customer) = person(&app, ADA, Role::Customer).await;
    let (_, admin) = person(&app, "admin@example.com", Role::Admin).await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let nobody = nobodys(1).expose();
    for named in [license.id.to_string(), key.expose(), nobody.clone(), "x".to_owned()] {
        for (method, path) in [
            ("PUT", format!("/api/licenses/{named}/renew")),
            ("DELETE", format!("/api/licenses/{named}")),
            ("POST", format!("/api/licenses/{named}/suspend")),
            ("POST", format!("/api/licenses/{named}/reinstate")),
        ] {
            let refused = send(&app, &customer, method, &path, &Value::Null).await;
            assert_eq!(refused.outcome(), (403, Some(ProblemCode::Forbidden)), "{method} {path}");
            if named == nobody || named == "x" {
                let missing = send(&app, &admin, method, &path, &Value::Null).await;
                assert_eq!(missing.outcome(), (404, Some(ProblemCode::NotFound)), "{method} {path}");
            }
        }
    }
    let refused =
        send(&app, &customer, "POST", GENERATE, &json!({ "userId": license.account, "tier": "pro" })).await;
    assert_eq!(refused.outcome(), (403, Some(ProblemCode::Forbidden)));
    assert_eq!(
        code(&app, &json!({ "licenseKey": key.expose() })).await,
        "MACHINE_REQUIRED",
        "nothing changed"
    );
}
