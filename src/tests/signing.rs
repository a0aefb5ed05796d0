//! Keys that sign: made once, changed without signing anybody out, and worth nothing without the secret.

use devforge::{
    audit,
    config::Secret,
    context::Context,
    crypto::jwt,
    jobs::Job,
    signing::{self, Error, KeyPurpose, RotateKeys},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use crate::support::TestApp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    sub: String,
}

fn claims() -> Claims {
    Claims { sub: "usr_ada".to_owned() }
}

async fn sign(ctx: &Context) -> String {
    signing::sign(ctx, KeyPurpose::Access, &claims()).await.expect("signed")
}

async fn verify(ctx: &Context, token: &str) -> Option<Claims> {
    signing::verify(ctx, KeyPurpose::Access, token).await.expect("looked at")
}

async fn rotate(ctx: &Context) -> String {
    signing::rotate(ctx, KeyPurpose::Access).await.expect("a new key")
}

fn signed_by(token: &str) -> String {
    jwt::kid(token).expect("a token of ours")
}

/// The ids in the key set.
async fn published(ctx: &Context) -> Vec<String> {
    let set = signing::jwks(ctx).await.expect("a key set");
    let keys = set["keys"].as_array().expect("a list");
    keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
}

async fn stored(ctx: &Context) -> i64 {
    sqlx::query_scalar("select count(*) from signing_key").fetch_one(&ctx.db).await.expect("counted")
}

async fn audited(ctx: &Context, action: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select subject_id from audit_event where action = $1 and actor_kind = 'system' order by recorded_at, id",
    )
    .bind(action)
    .fetch_all(&ctx.db)
    .await
    .expect("listed")
}

async fn run_rotation(ctx: &Context) {
    RotateKeys {}.run(ctx.clone()).await.expect("done");
}

#[tokio::test]
async fn the_first_signature_makes_the_key_and_the_second_uses_it() {
    let app = TestApp::start().await;
    assert_eq!(published(&app.ctx).await, Vec::<String>::new());
    assert_eq!(stored(&app.ctx).await, 0, "looking makes nothing");

    let token = sign(&app.ctx).await;
    assert_eq!(verify(&app.ctx, &token).await, Some(claims()));
    assert_eq!(signed_by(&sign(&app.ctx).await), signed_by(&token));
    assert_eq!(published(&app.ctx).await, [signed_by(&token)]);
    assert_eq!(audited(&app.ctx, "signing_key.created").await, [signed_by(&token)]);
    audit::seal(&app.ctx).await.expect("sealed");
    audit::verify(&app.ctx.db).await.expect("whole");
}

#[tokio::test]
async fn two_processes_that_sign_first_at_once_make_one_key() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let (one, other, third) = tokio::join!(sign(&app.ctx), sign(&second), sign(&app.ctx));
    assert_eq!(stored(&app.ctx).await, 1);
    assert_eq!(signed_by(&one), signed_by(&other));
    assert_eq!(signed_by(&one), signed_by(&third));
    assert_eq!(verify(&app.ctx, &other).await, Some(claims()));
    assert_eq!(verify(&second, &one).await, Some(claims()));
}

#[tokio::test]
async fn the_key_set_is_what_others_need_and_no_more() {
    let app = TestApp::start().await;
    let token = sign(&app.ctx).await;
    let set = signing::jwks(&app.ctx).await.expect("a key set");
    let key = set["keys"][0].as_object().expect("a key");
    let mut names: Vec<&str> = key.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(key["kid"], Value::from(signed_by(&token)));
    assert_eq!((&key["kty"], &key["crv"]), (&Value::from("OKP"), &Value::from("Ed25519")));
}

#[tokio::test]
async fn a_new_key_is_published_at_once_and_signs_an_hour_later() {
    let app = TestApp::start().await;
    let old_token = sign(&app.ctx).await;
    let old = signed_by(&old_token);
    app.ctx.clock.advance(Duration::minutes(1));
    let new = rotate(&app.ctx).await;
    assert_ne!(new, old);
    assert_eq!(published(&app.ctx).await, [new.clone(), old.clone()]);
    assert_eq!(signed_by(&sign(&app.ctx).await), old);

    app.ctx.clock.advance(Duration::minutes(59));
    let last_token = sign(&app.ctx).await;
    assert_eq!(signed_by(&last_token), old);
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(signed_by(&sign(&app.ctx).await), new);
    for token in [&old_token, &last_token] {
        assert_eq!(verify(&app.ctx, token).await, Some(claims()), "nobody is signed out");
    }

    app.ctx.clock.advance(Duration::hours(24) - Duration::seconds(1));
    assert_eq!(verify(&app.ctx, &last_token).await, Some(claims()));
    app.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(verify(&app.ctx, &last_token).await, None, "a day later nothing of it is good any more");
    assert_eq!(published(&app.ctx).await, [new]);
}

#[tokio::test]
async fn keys_can_be_changed_again_before_the_last_change_is_through() {
    let app = TestApp::start().await;
    let first = signed_by(&sign(&app.ctx).await);
    app.ctx.clock.advance(Duration::minutes(1));
    let second = rotate(&app.ctx).await;
    app.ctx.clock.advance(Duration::minutes(30));
    let third = rotate(&app.ctx).await;
    assert_eq!(published(&app.ctx).await, [third.clone(), second.clone(), first.clone()]);
    assert_eq!(signed_by(&sign(&app.ctx).await), first);
    app.ctx.clock.advance(Duration::minutes(30));
    let token = sign(&app.ctx).await;
    assert_eq!(signed_by(&token), second);
    app.ctx.clock.advance(Duration::minutes(30));
    assert_eq!(signed_by(&sign(&app.ctx).await), third);
    app.ctx.clock.advance(Duration::hours(23));
    assert_eq!(verify(&app.ctx, &token).await, Some(claims()));
}

#[tokio::test]
async fn a_rotation_on_one_node_is_known_on_another_before_it_counts() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let old = signed_by(&sign(&app.ctx).await);
    assert_eq!(signed_by(&sign(&second).await), old);
    let new = rotate(&app.ctx).await;
    assert_eq!(published(&second).await, std::slice::from_ref(&old), "its list is young");
    app.ctx.clock.advance(Duration::seconds(60));
    let mut both = published(&second).await;
    both.sort();
    let mut expected = [old, new];
    expected.sort();
    assert_eq!(both, expected);
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_at_once_but_not_all_the_time() {
    let app = TestApp::start().await;
    let second = app.second().await;
    assert_eq!(published(&second).await, Vec::<String>::new());
    let token = sign(&app.ctx).await;
    assert_eq!(verify(&second, &token).await, None, "it has looked within ten seconds");
    app.ctx.clock.advance(Duration::seconds(10));
    assert_eq!(verify(&second, &token).await, Some(claims()));
}

#[tokio::test]
async fn the_daily_job_changes_keys_after_thirty_days_and_removes_old_ones() {
    let app = TestApp::start().await;
    run_rotation(&app.ctx).await;
    assert_eq!(stored(&app.ctx).await, 0, "what nobody uses needs no key");

    let first = signed_by(&sign(&app.ctx).await);
    app.ctx.clock.advance(Duration::days(30) - Duration::seconds(1));
    run_rotation(&app.ctx).await;
    assert_eq!(stored(&app.ctx).await, 1);
    app.ctx.clock.advance(Duration::seconds(1));
    run_rotation(&app.ctx).await;
    run_rotation(&app.ctx).await;
    assert_eq!(stored(&app.ctx).await, 2, "a second run changes nothing");
    assert_eq!(signed_by(&sign(&app.ctx).await), first);

    app.ctx.clock.advance(Duration::hours(25));
    run_rotation(&app.ctx).await;
    let second = signed_by(&sign(&app.ctx).await);
    assert_ne!(second, first);
    assert_eq!(published(&app.ctx).await, std::slice::from_ref(&second));
    assert_eq!(stored(&app.ctx).await, 1);
    assert_eq!(audited(&app.ctx, "signing_key.created").await, [first.clone(), second]);
    assert_eq!(audited(&app.ctx, "signing_key.removed").await, [first]);
}

#[tokio::test]
async fn tokens_of_no_key_of_ours_are_none() {
    let app = TestApp::start().await;
    let token = sign(&app.ctx).await;
    let stranger = TestApp::start_with(|config| {
        config.security.secret = Secret::new("another secret that only tests use".to_owned());
    })
    .await;
    // The same seed makes the same key: it is changed until it is another one.
    rotate(&stranger.ctx).await;
    let theirs = rotate(&stranger.ctx).await;
    assert_ne!(theirs, signed_by(&token));
    stranger.ctx.clock.advance(Duration::hours(1));
    assert_eq!(verify(&app.ctx, &sign(&stranger.ctx).await).await, None);
    for text in ["", "a.b.c", &token[1..], &token[..token.len() - 1]] {
        assert_eq!(verify(&app.ctx, text).await, None);
    }
}

#[tokio::test]
async fn a_key_that_somebody_writes_into_the_table_is_not_ours() {
    let app = TestApp::start().await;
    let token = sign(&app.ctx).await;
    sqlx::query(
        "insert into signing_key (id, purpose, public_key, private_key_sealed, created_at, signs_from)
         select 'a-key-of-theirs', purpose, public_key, private_key_sealed, created_at, signs_from from signing_key",
    )
    .execute(&app.ctx.db)
    .await
    .expect("written");
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(published(&app.ctx).await, [signed_by(&token)]);
    assert_eq!(signed_by(&sign(&app.ctx).await), signed_by(&token));

    sqlx::query("update signing_key set public_key = decode(repeat('09', 32), 'hex')")
        .execute(&app.ctx.db)
        .await
        .expect("written");
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(published(&app.ctx).await, Vec::<String>::new());
    assert_eq!(verify(&app.ctx, &token).await, None);
}

#[tokio::test]
async fn under_another_secret_nothing_signs_until_somebody_makes_a_new_key() {
    let app = TestApp::start().await;
    let token = sign(&app.ctx).await;
    let mut config = app.ctx.config.clone();
    config.security.secret = Secret::new("another secret that only tests use".to_owned());
    let random = devforge::random::Random::seeded(3);
    let other = Context::open(config, app.ctx.clock.clone(), random).await.expect("a context");
    let refused = signing::sign(&other, KeyPurpose::Access, &claims()).await;
    assert!(matches!(refused, Err(Error::Sealed)), "{refused:?}");
    assert_eq!(verify(&other, &token).await, None);
    run_rotation(&other).await;
    assert_eq!(stored(&other).await, 1, "the job does not decide which secret is right");

    let new = rotate(&other).await;
    assert_eq!(signed_by(&sign(&other).await), new, "there is nothing to wait for");
    let end: Option<OffsetDateTime> =
        sqlx::query_scalar("select published_until from signing_key where id = $1")
            .bind(signed_by(&token))
            .fetch_one(&other.db)
            .await
            .expect("read");
    assert_eq!(end, Some(app.ctx.clock.now() + Duration::days(1)));
}

#[tokio::test]
async fn private_keys_lie_sealed() {
    let app = TestApp::start().await;
    sign(&app.ctx).await;
    let sealed: Vec<u8> = sqlx::query_scalar("select private_key_sealed from signing_key")
        .fetch_one(&app.ctx.db)
        .await
        .expect("read");
    assert_eq!(sealed.len(), 1 + 24 + 32 + 16);
}

#[tokio::test]
async fn while_the_database_is_away_known_keys_still_verify() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let token = sign(&second).await;
    second.db.close().await;
    app.ctx.clock.advance(Duration::minutes(30));
    assert_eq!(verify(&second, &token).await, Some(claims()));
    app.ctx.clock.advance(Duration::minutes(30));
    let refused = signing::verify::<Claims>(&second, KeyPurpose::Access, &token).await;
    assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
}

#[tokio::test]
async fn each_purpose_has_keys_of_its_own_that_are_published_as_long_as_they_count() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let offline = signing::sign(ctx, KeyPurpose::Offline, &claims()).await.expect("signed");
    let file = signing::sign(ctx, KeyPurpose::MachineFile, &claims()).await.expect("signed");
    let access = sign(ctx).await;
    assert_eq!(published(ctx).await.len(), 3);
    for (token, other) in
        [(&offline, KeyPurpose::Access), (&access, KeyPurpose::Offline), (&file, KeyPurpose::Offline)]
    {
        assert_eq!(signing::verify::<Claims>(ctx, other, token).await.expect("looked at"), None);
    }
    // After a month the two that change by themselves have changed; what the old ones signed is still good.
    ctx.clock.advance(Duration::days(31));
    run_rotation(ctx).await;
    assert_eq!(published(ctx).await.len(), 5);
    ctx.clock.advance(Duration::days(14));
    run_rotation(ctx).await;
    let ids = published(ctx).await;
    assert!(ids.contains(&signed_by(&offline)) && ids.contains(&signed_by(&file)));
    assert!(!ids.contains(&signed_by(&access)));
    ctx.clock.advance(Duration::days(2));
    run_rotation(ctx).await;
    let ids = published(ctx).await;
    assert!(!ids.contains(&signed_by(&offline)) && ids.contains(&signed_by(&file)));
}

#[tokio::test]
async fn the_key_that_the_editor_brings_along_speaks_for_the_ones_that_change() {
    let app = TestApp::start().await;
    signing::prepare(&app.ctx).await.expect("keys for everything");
    signing::rotate(&app.ctx, KeyPurpose::Offline).await.expect("a new key");
    let set = signing::jwks(&app.ctx).await.expect("a key set");
    let keys = set["keys"].as_array().expect("a list");
    let root = sign_as(&app.ctx, KeyPurpose::MachineFile).await;
    let endorsed: Vec<_> = keys.iter().filter(|key| !key["endorsement"].is_null()).collect();
    assert_eq!((keys.len(), endorsed.len()), (4, 2));
    for key in endorsed {
        let endorsement = key["endorsement"].as_str().expect("a token");
        assert_eq!(signed_by(endorsement), root);
        let claims: Value = signing::verify(&app.ctx, KeyPurpose::MachineFile, endorsement)
            .await
            .expect("looked at")
            .expect("signed by the root");
        assert_eq!((&claims["sub"], &claims["x"]), (&key["kid"], &key["x"]));
        assert_eq!(claims["aud"], "devforge-keys");
    }
}

async fn sign_as(ctx: &Context, purpose: KeyPurpose) -> String {
    signed_by(&signing::sign(ctx, purpose, &claims()).await.expect("signed"))
}

#[tokio::test]
async fn a_new_key_for_machine_files_is_published_long_before_it_signs() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let first = sign_as(ctx, KeyPurpose::MachineFile).await;
    let next = signing::rotate(ctx, KeyPurpose::MachineFile).await.expect("a new key");
    assert!(published(ctx).await.contains(&next));
    ctx.clock.advance(Duration::days(89));
    assert_eq!(sign_as(ctx, KeyPurpose::MachineFile).await, first);
    ctx.clock.advance(Duration::days(1));
    assert_eq!(sign_as(ctx, KeyPurpose::MachineFile).await, next);
    ctx.clock.advance(Duration::days(399));
    assert!(published(ctx).await.contains(&first), "a file of the last day is still good");
}
