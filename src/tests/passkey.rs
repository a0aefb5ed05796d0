//! Passkeys against a recorded authenticator: one P-256 key whose answers were signed beforehand.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use devforge::{
    account::{
        Caller, Client, Denied, Error,
        passkey::{self, Challenge},
    },
    context::Context,
    contract::{
        account::{Passkey, Role},
        id::UserId,
    },
    crypto,
};
use serde_json::{Value, json};
use time::Duration;

use crate::support::{TestApp, client};

const ORIGIN: &str = "http://localhost:3000";
const PUBLIC_X: &str = "bd5827e269eba264375fa216f7b3b8a2f9815875efe878d8416dc9688f057e52";
const PUBLIC_Y: &str = "05c14cd7376cd5289c1281bc2790613f0310a5137faae03ff8d1f8ad2026ab43";
/// The challenge that was signed: 32 zero bytes.
const RECORDED: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const PHONE: [u8; 16] = [7; 16];
const LAPTOP: [u8; 16] = [8; 16];

/// An answer to the recorded challenge: the counter, whether the device was unlocked, and the signature.
struct Signed(u32, bool, &'static str);

const FOURTH: Signed = Signed(
    4,
    true,
    "MEYCIQD1YKyNSDuDBcrtBNqG8fqqFwjCs_s9EjFGof-zfQ6fOgIhAJTXuLVYF-03e54maw-v4zOzdEjR5aXrxNHhgA5IY-mM",
);
const FIFTH: Signed = Signed(
    5,
    true,
    "MEQCICNsG-ZAvA1_f85HeEGud9ImYMe2QF293Tdd86HsvIM4AiA1L3FNBFvarhMV4p6X4ItEx9Dqb0QaEPMUohBJh2fR3Q",
);
const SIXTH: Signed = Signed(
    6,
    true,
    "MEUCIFLIf-4N2_wAfG-AFbFuWC5sLeUdOvZ1F4tH5R10oRCvAiEA4VpLKctaUchLc4iWu0MZBqQXYgyR2KKm_QOjLbGyC6A",
);
const STILL_LOCKED: Signed = Signed(
    9,
    false,
    "MEUCIQCHZsYCSTrFRwpvrVvrRy4og-futIGJOQp2bqSWY0V8xgIgEzHAMWfMpiEhc2nTdqVVOxBniUZdt9btMliCZJstcZs",
);

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn client_data(kind: &str, challenge: &str) -> String {
    encoded(
        format!(r#"{{"type":"webauthn.{kind}","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}"#)
            .as_bytes(),
    )
}

fn authenticator_data(flags: u8, counter: u32) -> Vec<u8> {
    let mut data = crypto::sha256(b"localhost").to_vec();
    data.push(flags);
    data.extend(counter.to_be_bytes());
    data
}

/// What the device says when it makes a key: its counter stands at four.
fn made(challenge: &str, credential: &[u8]) -> String {
    let mut data = authenticator_data(0b0100_0101, 4);
    data.extend([0; 16]);
    data.extend(u16::try_from(credential.len()).expect("short").to_be_bytes());
    data.extend(credential);
    // A COSE key, in CBOR: EC2, ES256, P-256, x and y.
    data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
    data.extend(hex::decode(PUBLIC_X).expect("hexadecimal"));
    data.extend([0x22, 0x58, 0x20]);
    data.extend(hex::decode(PUBLIC_Y).expect("hexadecimal"));
    let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
    attestation.push(u8::try_from(data.len()).expect("short"));
    attestation.extend(data);
    json!({
        "id": encoded(credential),
        "rawId": encoded(credential),
        "type": "public-key",
        "response": {
            "clientDataJSON": client_data("create", challenge),
            "attestationObject": encoded(&attestation),
        },
    })
    .to_string()
}

fn answered(signed: &Signed, owner: Option<UserId>) -> String {
    let flags = if signed.1 { 0b101 } else { 0b001 };
    let mut response = json!({
        "clientDataJSON": client_data("get", RECORDED),
        "authenticatorData": encoded(&authenticator_data(flags, signed.0)),
        "signature": signed.2,
    });
    if let Some(owner) = owner {
        response["userHandle"] = json!(encoded(owner.uuid().as_bytes()));
    }
    json!({ "id": encoded(&PHONE), "rawId": encoded(&PHONE), "type": "public-key", "response": response })
        .to_string()
}

fn id(caller: &Caller) -> UserId {
    caller.user().expect("somebody").id
}

fn challenge_of(challenge: &Challenge) -> &str {
    challenge.options["challenge"].as_str().expect("a text")
}

async fn add(ctx: &Context, caller: &Caller, credential: &[u8]) -> Result<Passkey, Error> {
    let begun = passkey::begin_registration(ctx, caller).await?;
    let answer = made(challenge_of(&begun), credential);
    passkey::finish_registration(ctx, caller, &begun.ticket, &answer, "Ada's phone").await
}

/// A ticket whose challenge is the recorded one.
async fn asked(ctx: &Context, account: Option<UserId>) -> String {
    let begun = match account {
        Some(account) => passkey::begin_sign_in(ctx, account).await,
        None => passkey::begin_open_sign_in(ctx, &client()).await,
    };
    let begun = begun.expect("begun");
    let changed = sqlx::query(
        "update ticket set data = jsonb_set(data, '{ast,challenge}', to_jsonb($1::text), false)
         where kind = 'passkey_sign_in' and data #>> '{ast,challenge}' = $2",
    )
    .bind(RECORDED)
    .bind(challenge_of(&begun))
    .execute(&ctx.db)
    .await
    .expect("changed");
    assert_eq!(changed.rows_affected(), 1);
    begun.ticket
}

/// A whole sign-in by whoever has a passkey.
async fn enter(ctx: &Context, signed: &Signed, owner: UserId) -> Result<UserId, Error> {
    let ticket = asked(ctx, None).await;
    passkey::finish_sign_in(ctx, &ticket, &answered(signed, Some(owner)), None).await
}

fn is_refused(result: &Result<UserId, Error>) -> bool {
    matches!(result, Err(Error::InvalidCredentials))
}

async fn count(ctx: &Context, action: &str) -> i64 {
    sqlx::query_scalar("select count(*) from audit_event where action = $1")
        .bind(action)
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

#[tokio::test]
async fn a_new_passkey_is_asked_for_with_everything_that_sign_in_needs() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let options = passkey::begin_registration(&app.ctx, &ada).await.expect("begun").options;
    assert_eq!(options["rp"], json!({ "id": "localhost", "name": "Dev Forge" }));
    assert_eq!(options["user"]["id"], json!(encoded(id(&ada).uuid().as_bytes())));
    assert_eq!(options["user"]["name"], json!("ada@example.com"));
    assert_eq!(
        options["authenticatorSelection"],
        json!({ "residentKey": "preferred", "requireResidentKey": false, "userVerification": "required" })
    );
    assert_eq!(options["excludeCredentials"], json!([]));
    add(&app.ctx, &ada, &PHONE).await.expect("added");
    let options = passkey::begin_registration(&app.ctx, &ada).await.expect("begun").options;
    assert_eq!(options["excludeCredentials"][0]["id"], json!(encoded(&PHONE)));
}

#[tokio::test]
async fn a_passkey_is_added_once_and_told_by_mail() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    assert!(!passkey::has_any(ctx, id(&ada)).await.expect("asked"));
    let added = add(ctx, &ada, &PHONE).await.expect("added");
    assert_eq!((added.name.as_str(), added.last_used_at), ("Ada's phone", None));
    assert_eq!(passkey::list(ctx, &ada).await.expect("listed"), [added]);
    assert!(passkey::has_any(ctx, id(&ada)).await.expect("asked"));
    for again in [&ada, &grace] {
        let refused = add(ctx, again, &PHONE).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    assert!(passkey::list(ctx, &grace).await.expect("listed").is_empty());
    assert_eq!(count(ctx, "account.passkey_added").await, 1);
    let mails: i64 = sqlx::query_scalar("select count(*) from mail_message where kind = 'passkey_added'")
        .fetch_one(&ctx.db)
        .await
        .expect("counted");
    assert_eq!(mails, 1);
}

#[tokio::test]
async fn an_answer_to_another_challenge_is_refused_and_uses_up_the_ticket() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    for wrong in [made(RECORDED, &PHONE), "{}".to_owned(), String::new()] {
        let begun = passkey::begin_registration(ctx, &ada).await.expect("begun");
        let refused = passkey::finish_registration(ctx, &ada, &begun.ticket, &wrong, "").await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        let right = made(challenge_of(&begun), &PHONE);
        let refused = passkey::finish_registration(ctx, &ada, &begun.ticket, &right, "").await;
        assert!(matches!(refused, Err(Error::InvalidToken)), "{refused:?}");
    }

    let begun = passkey::begin_registration(ctx, &ada).await.expect("begun");
    let right = made(challenge_of(&begun), &PHONE);
    let refused = passkey::finish_registration(ctx, &grace, &begun.ticket, &right, "").await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "another's ticket: {refused:?}");

    let begun = passkey::begin_registration(ctx, &ada).await.expect("begun");
    ctx.clock.advance(Duration::minutes(11));
    let right = made(challenge_of(&begun), &PHONE);
    let refused = passkey::finish_registration(ctx, &ada, &begun.ticket, &right, "").await;
    assert!(matches!(refused, Err(Error::InvalidToken)), "too late: {refused:?}");
    assert!(passkey::list(ctx, &ada).await.expect("listed").is_empty());
}

#[tokio::test]
async fn a_passkey_says_whose_it_is_and_each_counter_is_good_once() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    add(ctx, &ada, &PHONE).await.expect("added");
    ctx.clock.advance(Duration::minutes(1));

    let ticket = asked(ctx, None).await;
    let answer = answered(&FIFTH, Some(id(&ada)));
    assert_eq!(passkey::finish_sign_in(ctx, &ticket, &answer, None).await.expect("let in"), id(&ada));
    let again = passkey::finish_sign_in(ctx, &ticket, &answer, None).await;
    assert!(matches!(again, Err(Error::InvalidToken)), "the ticket is used: {again:?}");
    let listed = passkey::list(ctx, &ada).await.expect("listed");
    assert_eq!(listed[0].last_used_at, Some(ctx.clock.now()));

    // A copy of the key, or an answer somebody kept.
    for old in [&FIFTH, &FOURTH] {
        assert!(is_refused(&enter(ctx, old, id(&ada)).await));
    }
    assert_eq!(count(ctx, "account.passkey_copied").await, 2);
    assert_eq!(enter(ctx, &SIXTH, id(&ada)).await.expect("let in"), id(&ada));
}

#[tokio::test]
async fn of_two_challenges_answered_with_one_counter_one_lets_in() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    add(ctx, &ada, &PHONE).await.expect("added");
    // Both are begun before the counter moves.
    let (first, second) = (asked(ctx, Some(id(&ada))).await, asked(ctx, Some(id(&ada))).await);
    let answer = answered(&FIFTH, Some(id(&ada)));
    let (one, other) = tokio::join!(
        passkey::finish_sign_in(ctx, &first, &answer, Some(id(&ada))),
        passkey::finish_sign_in(ctx, &second, &answer, Some(id(&ada))),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{one:?} {other:?}");
}

#[tokio::test]
async fn a_passkey_opens_its_own_account_only() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    let (ada_id, grace_id) = (id(&ada), id(&grace));
    let added = add(ctx, &ada, &PHONE).await.expect("added");
    add(ctx, &grace, &LAPTOP).await.expect("added");

    assert!(is_refused(&enter(ctx, &FIFTH, grace_id).await), "another's handle");
    assert!(is_refused(&enter(ctx, &STILL_LOCKED, ada_id).await), "the device was not unlocked");
    let forged = Signed(9, true, FIFTH.2);
    assert!(is_refused(&enter(ctx, &forged, ada_id).await), "the signature is of something else");
    for (asked_for, handle, expected) in [
        (None, None, None),
        (None, Some(ada_id), Some(grace_id)),
        (Some(grace_id), Some(ada_id), None),
        (Some(grace_id), None, Some(grace_id)),
    ] {
        let ticket = asked(ctx, asked_for).await;
        let refused = passkey::finish_sign_in(ctx, &ticket, &answered(&FIFTH, handle), expected).await;
        assert!(is_refused(&refused), "{asked_for:?} {handle:?} {expected:?}: {refused:?}");
    }
    for garbage in ["", "{}", "[]", "null"] {
        let ticket = asked(ctx, None).await;
        assert!(is_refused(&passkey::finish_sign_in(ctx, &ticket, garbage, None).await), "{garbage:?}");
    }

    // Asked for by its account, it need not say whose it is.
    let ticket = asked(ctx, Some(ada_id)).await;
    let entered = passkey::finish_sign_in(ctx, &ticket, &answered(&FIFTH, None), Some(ada_id)).await;
    assert_eq!(entered.expect("let in"), ada_id);

    assert!(!passkey::remove(ctx, &grace, added.id).await.expect("asked"), "it is not hers");
    assert!(passkey::remove(ctx, &ada, added.id).await.expect("removed"));
    assert!(!passkey::remove(ctx, &ada, added.id).await.expect("asked"), "it is gone");
    assert!(is_refused(&enter(ctx, &SIXTH, ada_id).await), "nobody knows it any more");
    assert_eq!(count(ctx, "account.passkey_removed").await, 1);
    assert_eq!(passkey::list(ctx, &grace).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn a_challenge_for_one_account_names_its_passkeys() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let refused = passkey::begin_sign_in(ctx, id(&ada)).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "there is none: {refused:?}");
    add(ctx, &ada, &PHONE).await.expect("added");

    let options = passkey::begin_sign_in(ctx, id(&ada)).await.expect("begun").options;
    assert_eq!(options["allowCredentials"][0]["id"], json!(encoded(&PHONE)));
    assert_eq!(options["userVerification"], json!("required"));
    let open = passkey::begin_open_sign_in(ctx, &client()).await.expect("begun").options;
    assert_eq!((&open["allowCredentials"], &open["rpId"]), (&json!([]), &json!("localhost")));
    assert_eq!(open["mediation"], Value::Null, "the page decides how it asks");
}

#[tokio::test]
async fn one_network_asks_for_sixty_open_challenges_in_ten_minutes() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    for _ in 0..300 {
        passkey::begin_open_sign_in(ctx, &client()).await.expect("begun");
    }
    let refused = passkey::begin_open_sign_in(ctx, &client()).await;
    assert!(matches!(refused, Err(Error::TooManyTries { .. })), "{refused:?}");
    let rows: i64 =
        sqlx::query_scalar("select count(*) from ticket").fetch_one(&ctx.db).await.expect("counted");
    assert_eq!(rows, 300, "who is refused leaves nothing behind");

    let elsewhere = Client { network: "198.51.100.7".to_owned(), ..client() };
    passkey::begin_open_sign_in(ctx, &elsewhere).await.expect("begun from elsewhere");
    // Who has shown a password, or is signed in, is not counted among them.
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    add(ctx, &ada, &PHONE).await.expect("added");
    passkey::begin_sign_in(ctx, id(&ada)).await.expect("begun for one account");
    ctx.clock.advance(Duration::minutes(10));
    passkey::begin_open_sign_in(ctx, &client()).await.expect("begun after a while");
}

#[tokio::test]
async fn twenty_passkeys_are_enough() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    add(ctx, &ada, &PHONE).await.expect("added");
    let begun = passkey::begin_registration(ctx, &ada).await.expect("begun");
    sqlx::query(
        "insert into passkey (id, account_id, credential_id, name, credential, created_at)
         select gen_random_uuid(), account_id, decode(lpad(to_hex(n), 8, '0'), 'hex'), name, credential, created_at
         from passkey, generate_series(1, 19) n",
    )
    .execute(&ctx.db)
    .await
    .expect("added");
    let answer = made(challenge_of(&begun), &LAPTOP);
    let refused = passkey::finish_registration(ctx, &ada, &begun.ticket, &answer, "").await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let refused = passkey::begin_registration(ctx, &ada).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(passkey::list(ctx, &ada).await.expect("listed").len(), 20);
}

#[tokio::test]
async fn an_address_without_a_name_has_no_passkeys() {
    let app = TestApp::start_with(|config| config.http.public_url = "http://127.0.0.1:3000".to_owned()).await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    for refused in [
        passkey::begin_registration(&app.ctx, &ada).await,
        passkey::begin_open_sign_in(&app.ctx, &client()).await,
        passkey::begin_sign_in(&app.ctx, id(&ada)).await,
    ] {
        assert!(
            matches!(&refused, Err(Error::Conflict(words)) if words.contains("host name")),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn only_who_has_just_proved_who_they_are_may_add_or_remove_one() {
    let app = TestApp::start().await;
    let ctx = &app.ctx;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let added = add(ctx, &ada, &PHONE).await.expect("added");
    ctx.clock.advance(Duration::minutes(15));
    for refused in [
        passkey::begin_registration(ctx, &ada).await.map(|_| ()),
        passkey::finish_registration(ctx, &ada, "", "", "").await.map(|_| ()),
        passkey::remove(ctx, &ada, added.id).await.map(|_| ()),
    ] {
        assert!(matches!(refused, Err(Error::Denied(Denied::NotFresh))), "{refused:?}");
    }
    assert_eq!(passkey::list(ctx, &ada).await.expect("looking is free").len(), 1);
}
