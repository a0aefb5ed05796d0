//! What whoever has a key may ask, from anywhere.

use axum::http::header;
use devforge::{
    contract::{payment::Tier, problem::ProblemCode},
    license::rules::{End, GRACE},
};
use serde_json::{Value, json};
use time::macros::datetime;

use super::{
    ACTIVATE, ADA, DEACTIVATE, VALIDATE, activated, asked, code, features, mistyped, nobodys, without,
};
use crate::{
    api::client::{call, get, post},
    licenses::given,
    support::TestApp,
};

/// A year from when tests begin.
fn in_a_year() -> End {
    End::at(datetime!(2027-11-20 10:00 UTC), GRACE)
}

#[tokio::test]
async fn validation_and_activation_look_as_the_contract_says() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, in_a_year()).await;
    let (free, pro) = (features(&app, Tier::Free).await, features(&app, Tier::Pro).await);

    let unnamed = asked(&app, VALIDATE, &json!({ "licenseKey": key.expose() })).await;
    let expected = json!({
        "valid": false,
        "code": "MACHINE_REQUIRED",
        "tier": "free",
        "expiresAt": "2027-11-20T10:00:00Z",
        "features": free,
        "machines": { "used": 0, "limit": 3 },
        "checkedAt": "2026-11-20T10:00:00Z",
    });
    assert_eq!(unnamed, expected);

    let wanted = json!({
        "licenseKey": key.expose(),
        "email": ADA,
        "fingerprint": "print-1",
        "machineName": "Ada's laptop",
        "platform": "linux-x64",
        "nonce": "n-1",
    });
    let told = asked(&app, ACTIVATE, &wanted).await;
    let machine = told["machine"]["id"].clone();
    assert!(machine.as_str().is_some_and(|id| id.starts_with("mch_")), "{told}");
    let expected = json!({
        "activated": true,
        "code": "VALID",
        "downloadUrl": format!("{}/download", app.ctx.config.http.public_url),
        "license": {
            "id": license.id,
            "key": license.masked_key(),
            "tier": "pro",
            "status": "active",
            "origin": "staff",
            "seats": 1,
            "machines": { "used": 1, "limit": 3 },
            "features": pro,
            "expiresAt": "2027-11-20T10:00:00Z",
            "graceUntil": "2027-11-27T10:00:00Z",
            "createdAt": "2026-11-20T10:00:00Z",
        },
        "machine": {
            "id": machine,
            "name": "Ada's laptop",
            "platform": "linux-x64",
            "activatedAt": "2026-11-20T10:00:00Z",
            "lastSeenAt": "2026-11-20T10:00:00Z",
        },
        "nonce": "n-1",
    });
    assert_eq!(without(told, "offlineToken"), expected);

    let body = json!({ "licenseKey": key.expose(), "fingerprint": "print-1", "nonce": "n-2" });
    let told = asked(&app, VALIDATE, &body).await;
    assert!(told["offlineToken"].as_str().is_some_and(|token| token.split('.').count() == 3), "{told}");
    let expected = json!({
        "valid": true,
        "code": "VALID",
        "tier": "pro",
        "expiresAt": "2027-11-20T10:00:00Z",
        "features": pro,
        "machines": { "used": 1, "limit": 3 },
        "checkedAt": "2026-11-20T10:00:00Z",
        "nonce": "n-2",
    });
    assert_eq!(without(told, "offlineToken"), expected);

    let brief = get(&app.ctx, &format!("/api/licenses/{}", key.expose())).await;
    let expected =
        json!({ "valid": true, "code": "VALID", "tier": "pro", "expiresAt": "2027-11-20T10:00:00Z" });
    assert_eq!((brief.outcome(), brief.json()), ((200, None), expected));

    let body = json!({ "licenseKey": key.expose(), "fingerprint": "print-1" });
    for _ in 0..2 {
        assert_eq!(asked(&app, DEACTIVATE, &body).await, json!({ "deactivated": true }));
    }
    assert_eq!(code(&app, &body).await, "NO_MACHINE");
}

#[tokio::test]
async fn a_refused_activation_is_an_answer() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let body =
        json!({ "licenseKey": key.expose(), "email": "eve@example.com", "fingerprint": "p", "nonce": "n" });
    let expected = json!({
        "activated": false,
        "code": "EMAIL_MISMATCH",
        "downloadUrl": format!("{}/download", app.ctx.config.http.public_url),
        "license": null,
        "nonce": "n",
    });
    assert_eq!(asked(&app, ACTIVATE, &body).await, expected);
    for number in 1..=3 {
        activated(&app, &key, ADA, &format!("print-{number}")).await;
    }
    let fourth = json!({ "licenseKey": key.expose(), "email": ADA, "fingerprint": "print-4" });
    assert_eq!(asked(&app, ACTIVATE, &fourth).await["code"], "TOO_MANY_MACHINES");
}

#[tokio::test]
async fn a_key_is_read_however_it_is_written() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let text = key.expose();
    let bare = text.replace('-', "");
    for written in [
        text.to_lowercase(),
        bare.clone(),
        bare[2..].to_owned(),
        format!(" \t{text}\n"),
        text.replace('-', "\u{2013}"),
        text.replace('0', "o").replace('1', "l"),
    ] {
        assert_eq!(code(&app, &json!({ "licenseKey": written })).await, "MACHINE_REQUIRED", "{written}");
    }
    for escaped in [
        text.to_lowercase(),
        bare.clone(),
        text.replace('-', "%20"),
        text.replace('-', "%2D"),
        text.replace('-', "%E2%80%93"),
        text.replace('D', "%44").replace('F', "%66"),
    ] {
        for base in ["/api", "/api/v1"] {
            let answer = get(&app.ctx, &format!("{base}/licenses/{escaped}")).await;
            assert_eq!((answer.outcome(), answer.text("code").as_str()), ((200, None), "VALID"), "{escaped}");
        }
    }
}

#[tokio::test]
async fn what_is_no_key_is_not_found_and_never_an_error() {
    let app = TestApp::start().await;
    let (license, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let expected = json!({ "valid": false, "code": "NOT_FOUND", "tier": "free", "expiresAt": null });
    for rubbish in [
        mistyped(&key),
        nobodys(1).expose(),
        license.id.to_string(),
        "DF-".to_owned(),
        "hunter2".to_owned(),
        "%00".to_owned(),
        "%FF%FE".to_owned(),
        "..%2F..%2Fetc".to_owned(),
        "%3Cscript%3E".to_owned(),
        "9".repeat(4_000),
    ] {
        let answer = get(&app.ctx, &format!("/api/licenses/{rubbish}")).await;
        assert_eq!((answer.outcome(), answer.json()), ((200, None), expected.clone()), "{rubbish}");
    }
    let long = "x".repeat(10_000);
    for rubbish in ["", " ", "\u{0}", "null", long.as_str()] {
        assert_eq!(code(&app, &json!({ "licenseKey": rubbish })).await, "NOT_FOUND");
    }
}

#[tokio::test]
async fn another_products_key_takes_nothing_up() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let foreign = format!("DX-{}", &key.expose()[3..]);
    for body in [
        json!({ "licenseKey": foreign, "email": ADA, "fingerprint": "print-1" }),
        json!({ "licenseKey": key.expose(), "email": ADA, "fingerprint": "print-1", "product": "studio" }),
    ] {
        assert_eq!(code(&app, &body).await, "PRODUCT_MISMATCH");
        assert_eq!(asked(&app, ACTIVATE, &body).await["code"], "PRODUCT_MISMATCH");
    }
    let machines = sqlx::query_scalar::<_, i64>("select count(*) from license_machine");
    assert_eq!(machines.fetch_one(&app.ctx.db).await.expect("counted"), 0);
}

#[tokio::test]
async fn what_is_not_known_is_ignored_and_what_is_wrong_is_named() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let more =
        json!({ "licenseKey": key.expose(), "fingerprint": null, "later": { "a": [1] }, "tier": "gold" });
    assert_eq!(code(&app, &more).await, "MACHINE_REQUIRED");

    let long = "f".repeat(10_000);
    let with = |field: &str, value: Value| {
        let mut body = json!({ "licenseKey": key.expose(), "email": ADA, "fingerprint": "print-1" });
        body[field] = value;
        body
    };
    for (path, field, value, mistake) in [
        (VALIDATE, "fingerprint", json!(long), "too_long"),
        (VALIDATE, "fingerprint", json!({ "cpu": 1 }), "invalid"),
        (VALIDATE, "nonce", json!("n".repeat(201)), "too_long"),
        (VALIDATE, "nonce", json!(5), "invalid"),
        (VALIDATE, "version", json!("1".repeat(65)), "too_long"),
        (VALIDATE, "licenseKey", json!(5), "invalid"),
        (VALIDATE, "licenseKey", Value::Null, "invalid"),
        (ACTIVATE, "fingerprint", json!(long), "too_long"),
        (ACTIVATE, "machineName", json!(long), "too_long"),
        (ACTIVATE, "platform", json!(long), "too_long"),
        (ACTIVATE, "email", json!("nobody"), "invalid"),
        (ACTIVATE, "email", Value::Null, "invalid"),
        (DEACTIVATE, "fingerprint", json!(long), "too_long"),
        (DEACTIVATE, "fingerprint", Value::Null, "invalid"),
        (DEACTIVATE, "licenseKey", json!([]), "invalid"),
    ] {
        let refused = post(&app.ctx, path, &with(field, value)).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path} {field}");
        assert_eq!(refused.mistakes(), [(field.to_owned(), mistake.to_owned())], "{path}");
    }
    for path in [VALIDATE, ACTIVATE, DEACTIVATE] {
        let broken = call("POST", path).header(header::CONTENT_TYPE, "application/json").text("{");
        assert_eq!(broken.send(&app.ctx).await.outcome(), (400, Some(ProblemCode::MalformedJson)), "{path}");
        let text = call("POST", path).header(header::CONTENT_TYPE, "text/plain").text("{}");
        assert_eq!(text.send(&app.ctx).await.outcome(), (415, Some(ProblemCode::UnsupportedMediaType)));
    }
}

#[tokio::test]
async fn a_slip_of_the_hand_needs_no_database() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    app.ctx.db.close().await;
    let wrong = json!({ "licenseKey": mistyped(&key), "email": ADA, "fingerprint": "print-1" });
    assert_eq!(code(&app, &wrong).await, "NOT_FOUND");
    assert_eq!(asked(&app, ACTIVATE, &wrong).await["code"], "NOT_FOUND");
    let brief = get(&app.ctx, &format!("/api/licenses/{}", mistyped(&key))).await;
    assert_eq!((brief.outcome(), brief.text("code").as_str()), ((200, None), "NOT_FOUND"));

    // A failure of ours is never the word that a license is not good.
    let body = json!({ "licenseKey": key.expose(), "email": ADA, "fingerprint": "print-1" });
    for path in [VALIDATE, ACTIVATE, DEACTIVATE] {
        let away = post(&app.ctx, path, &body).await;
        assert_eq!(away.outcome(), (503, Some(ProblemCode::Unavailable)), "{path}");
        assert_eq!(away.header(header::RETRY_AFTER), "5", "{path}");
    }
}

#[tokio::test]
async fn whoever_guesses_waits_and_whoever_has_a_key_does_not() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let ask = async |text: String| post(&app.ctx, VALIDATE, &json!({ "licenseKey": text })).await;
    for number in 0..60 {
        assert_eq!(ask(nobodys(number).expose()).await.text("code"), "NOT_FOUND", "{number}");
    }
    let refused = ask(nobodys(60).expose()).await;
    assert_eq!(refused.outcome(), (429, Some(ProblemCode::RateLimited)));
    assert!(refused.header(header::RETRY_AFTER).parse::<u64>().is_ok_and(|wait| (1..=3_600).contains(&wait)));
    let brief = get(&app.ctx, &format!("/api/licenses/{}", nobodys(61).expose())).await;
    assert_eq!(brief.outcome(), (429, Some(ProblemCode::RateLimited)));

    // From the same address.
    for _ in 0..70 {
        assert_eq!(ask(key.expose()).await.text("code"), "MACHINE_REQUIRED");
    }
    activated(&app, &key, ADA, "print-1").await;
    assert_eq!(ask(mistyped(&key)).await.text("code"), "NOT_FOUND", "that is no guess");
    app.ctx.clock.advance(time::Duration::hours(1));
    assert_eq!(ask(nobodys(62).expose()).await.text("code"), "NOT_FOUND");
}

#[tokio::test]
async fn who_is_signed_in_does_not_matter() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let body = json!({ "licenseKey": key.expose() });
    for (name, value) in [(header::AUTHORIZATION, "Bearer x.y.z"), (header::COOKIE, "session=AAAA")] {
        let answer = call("POST", VALIDATE).header(name, value).json(&body).send(&app.ctx).await;
        assert_eq!(answer.outcome(), (200, None), "{value}");
        assert_eq!(answer.header(header::SET_COOKIE), "");
    }
}

#[tokio::test]
async fn pages_of_any_site_may_ask_and_nobody_keeps_the_answer() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    let by_key = format!("/api/licenses/{}", key.expose());
    let body = json!({ "licenseKey": key.expose(), "email": ADA, "fingerprint": "print-1" });
    for (method, path) in
        [("POST", VALIDATE), ("POST", ACTIVATE), ("POST", DEACTIVATE), ("GET", by_key.as_str())]
    {
        let from_elsewhere = call(method, path).header(header::ORIGIN, "https://elsewhere.example");
        let answer = from_elsewhere.json(&body).send(&app.ctx).await;
        assert_eq!(answer.outcome(), (200, None), "{path}");
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{path}");
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "", "{path}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{path}");

        let before = call("OPTIONS", path)
            .header(header::ORIGIN, "https://elsewhere.example")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type");
        let allowed = before.send(&app.ctx).await;
        assert_eq!((allowed.outcome(), allowed.body.len()), ((204, None), 0), "{path}");
        assert_eq!(allowed.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert_eq!(allowed.header(header::ACCESS_CONTROL_ALLOW_METHODS), method);
        assert_eq!(allowed.header(header::ACCESS_CONTROL_ALLOW_HEADERS), "Content-Type");
        assert_eq!(allowed.header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "");
        let seconds = allowed.header(header::ACCESS_CONTROL_MAX_AGE).parse::<u32>();
        assert!(seconds.is_ok_and(|seconds| seconds > 0), "{path}");
    }
    for closed in ["/api/licenses", "/api/licenses/generate", "/api/licenses/trial", "/api/licenses/x/reveal"]
    {
        let refused = call("OPTIONS", closed).send(&app.ctx).await;
        assert_eq!(refused.status.as_u16(), 405, "{closed}");
        assert_eq!(refused.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "", "{closed}");
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_active_nowhere_that_could_be_given_up() {
    let app = TestApp::start().await;
    let (_, key) = given(&app, ADA, Tier::Pro, 1, End::NEVER).await;
    for text in [mistyped(&key), nobodys(1).expose(), "hunter2".to_owned()] {
        let refused =
            post(&app.ctx, DEACTIVATE, &json!({ "licenseKey": text, "fingerprint": "print-1" })).await;
        assert_eq!(refused.outcome(), (404, Some(ProblemCode::NotFound)), "{text}");
    }
}
