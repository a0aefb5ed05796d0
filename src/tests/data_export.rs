//! Archives of what we keep about a person: all of theirs, nothing of others, no secret, and gone in time.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
};

use devforge::{
    account::{
        Caller, Denied, Error,
        data_export::{self, Export, ExportState, MakeExport, PurgeExports},
        personal_token,
    },
    audit::{self, Actor, Entry},
    context::Context,
    contract::{
        account::{NewPersonalToken, Role, Scope},
        id::{ExportId, UserId},
        payment::{Interval, Tier},
    },
    crypto,
    jobs::Job,
    license::{machine, rules::End},
    mail,
    storage::Digest,
};
use futures::TryStreamExt;
use serde_json::{Value, json};
use time::Duration;
use zip::ZipArchive;

use crate::{
    licenses::{activate_on, given},
    shop::{Shop, want},
    support::{TestApp, client},
};

fn id_of(caller: &Caller) -> UserId {
    caller.user().expect("signed in").id
}

/// The same person with a new proof of who they are.
async fn again(app: &TestApp, caller: &Caller) -> Caller {
    let opened = app.sign_in(caller.user().expect("signed in")).await;
    app.caller(&opened).await
}

async fn ask(app: &TestApp, caller: &Caller) -> ExportId {
    data_export::request(&app.ctx, caller).await.expect("asked for")
}

/// An archive that is ready.
async fn made(app: &TestApp, caller: &Caller) -> (Export, Digest) {
    let id = ask(app, caller).await;
    app.run_jobs().await;
    data_export::open(&app.ctx, caller, id).await.expect("ready")
}

async fn files(ctx: &Context, export: &Export, digest: &Digest) -> BTreeMap<String, String> {
    let bytes = export.bytes.expect("its size is known");
    let content = ctx.storage.read(digest, 0..bytes).await.expect("stored");
    let chunks: Vec<bytes::Bytes> = content.try_collect().await.expect("read");
    let mut archive = ZipArchive::new(Cursor::new(chunks.concat())).expect("a zip");
    let mut files = BTreeMap::new();
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).expect("there");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        files.insert(file.name().expect("a name").into_owned(), text);
    }
    files
}

fn json_of(files: &BTreeMap<String, String>, name: &str) -> Value {
    serde_json::from_str(&files[name]).expect("JSON")
}

async fn is_stored(ctx: &Context, digest: &Digest) -> bool {
    ctx.storage.head(digest).await.expect("asked").is_some()
}

async fn token_called(app: &TestApp, caller: &Caller, name: &str) -> String {
    let asked =
        NewPersonalToken { name: name.to_owned(), scopes: vec![Scope::AccountRead], expires_in_days: None };
    personal_token::create(&app.ctx, caller, &asked).await.expect("made").token
}

async fn note(ctx: &Context, actor: UserId, subject: UserId, detail: Value) {
    let subject_id = subject.to_string();
    let mut tx = ctx.db.begin().await.expect("a transaction");
    let entry = Entry {
        actor: Actor::User(actor),
        action: "test.done",
        subject_kind: "account",
        subject_id: &subject_id,
        detail,
        request_id: None,
    };
    audit::record(&mut tx, ctx, entry).await.expect("recorded");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn an_archive_is_made_told_and_opened() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let id = ask(&app, &ada).await;
    let listed = data_export::list(&app.ctx, &ada).await.expect("listed");
    assert_eq!((listed.len(), listed[0].id, listed[0].state), (1, id, ExportState::Queued));
    assert!(matches!(data_export::open(&app.ctx, &ada, id).await, Err(Error::NotFound)));

    app.run_jobs().await;
    let (export, digest) = data_export::open(&app.ctx, &ada, id).await.expect("ready");
    assert_eq!(data_export::list(&app.ctx, &ada).await.expect("listed"), std::slice::from_ref(&export));
    assert_eq!(export.state, ExportState::Ready);
    assert_eq!(export.ready_at, Some(app.ctx.clock.now()));
    assert_eq!(export.expires_at, Some(app.ctx.clock.now() + Duration::days(7)));

    let files = files(&app.ctx, &export, &digest).await;
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "README.txt",
            "account.json",
            "audit.json",
            "devices.json",
            "documents.json",
            "exports.json",
            "licenses.json",
            "machines.json",
            "mail.json",
            "orders.json",
            "passkeys.json",
            "payments.json",
            "sessions.json",
            "subscriptions.json",
            "tokens.json",
        ]
    );
    assert!(files["README.txt"].contains(&id.to_string()));
    let account = json_of(&files, "account.json");
    assert_eq!(account["id"], json!(id_of(&ada)));
    assert_eq!(account["email"], "ada@example.com");
    let sessions = json_of(&files, "sessions.json");
    assert_eq!(sessions["complete"], true);
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1));

    let mails = mail::recent(&app.ctx, 50).await.expect("listed");
    let told = mails.iter().find(|mail| mail.kind == "export_ready").expect("its owner is told");
    assert_eq!(told.to_address, "ada@example.com");
    app.run_jobs().await;
}

#[tokio::test]
async fn an_archive_holds_nothing_of_others() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Admin).await;
    token_called(&app, &ada, "Token of Ada").await;
    token_called(&app, &grace, "Token of Grace").await;
    note(&app.ctx, id_of(&grace), id_of(&ada), json!({ "reason": "a suspicion" })).await;
    note(&app.ctx, id_of(&ada), id_of(&ada), json!({ "by": id_of(&grace), "kept": "yes" })).await;
    note(&app.ctx, id_of(&grace), id_of(&grace), json!({ "secret": "of Grace" })).await;

    let (ada_id, grace_id) = (id_of(&ada).to_string(), id_of(&grace).to_string());
    let (export, digest) = made(&app, &ada).await;
    let hers = files(&app.ctx, &export, &digest).await;
    for (name, text) in &hers {
        for foreign in ["grace@example.com", "Token of Grace", "a suspicion", "of Grace", grace_id.as_str()] {
            assert!(!text.contains(foreign), "{name} says {foreign}");
        }
    }
    assert_eq!(json_of(&hers, "tokens.json")["items"][0]["name"], "Token of Ada");
    let audit = json_of(&hers, "audit.json");
    let entries = audit["items"].as_array().expect("a list");
    let of_tests: Vec<&Value> = entries.iter().filter(|entry| entry["action"] == "test.done").collect();
    assert_eq!(of_tests.len(), 2);
    assert!(of_tests.iter().any(|entry| entry["by"] == "somebody else" && entry["detail"].is_null()));
    assert!(of_tests.iter().any(|entry| entry["detail"] == json!({ "by": "somebody else", "kept": "yes" })));

    let (export, digest) = made(&app, &grace).await;
    let theirs = files(&app.ctx, &export, &digest).await;
    for (name, text) in &theirs {
        for foreign in ["ada@example.com", "Token of Ada", ada_id.as_str()] {
            assert!(!text.contains(foreign), "{name} says {foreign}");
        }
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn an_archive_holds_no_secret_not_even_as_a_hash() {
    let app = TestApp::start().await;
    let user = app.person("ada@example.com", Role::Customer).await;
    let opened = app.sign_in(&user).await;
    let ada = app.caller(&opened).await;
    let token = token_called(&app, &ada, "Build server").await;
    for statement in [
        "insert into recovery_code (account_id, code_hash, created_at) values ($1, sha256('a code'), now())",
        "insert into totp (account_id, secret_sealed, created_at) values ($1, sha256('a secret'), now())",
        "insert into known_device (device_hash, account_id, created_at, last_used_at)
         values (sha256('a device'), $1, now(), now())",
        "insert into passkey (id, account_id, credential_id, name, credential, created_at)
         values (gen_random_uuid(), $1, sha256('a passkey'), 'Key ring', '{\"key\": \"a public key\"}', now())",
    ] {
        sqlx::query(statement).bind(user.id.uuid()).execute(&app.ctx.db).await.expect("written");
    }
    let (export, digest) = made(&app, &ada).await;
    let files = files(&app.ctx, &export, &digest).await;
    assert_eq!(json_of(&files, "passkeys.json")["items"][0]["name"], "Key ring");
    assert_eq!(json_of(&files, "account.json")["recoveryCodesLeft"], 1);

    let hashes: Vec<Vec<u8>> = sqlx::query_scalar(
        "select token_hash from session union all select token_hash from personal_token
         union all select code_hash from recovery_code union all select secret_sealed from totp
         union all select device_hash from known_device union all select credential_id from passkey",
    )
    .fetch_all(&app.ctx.db)
    .await
    .expect("read");
    assert!(hashes.len() >= 6);
    let password: String =
        sqlx::query_scalar("select password_hash from account").fetch_one(&app.ctx.db).await.expect("read");
    let mut secrets = vec![opened.cookie.clone(), token, password, "a public key".to_owned()];
    secrets.extend(opened.device.clone());
    for hash in &hashes {
        let numbers: Vec<String> = hash.iter().take(8).map(u8::to_string).collect();
        secrets.extend([crypto::to_hex(hash), numbers.join(",")]);
    }
    for (name, text) in &files {
        let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        for secret in &secrets {
            assert!(!text.contains(secret) && !dense.contains(secret), "{name} has {secret}");
        }
    }
    app.run_jobs().await;
}

#[tokio::test]
async fn mail_to_the_address_before_the_account_began_is_not_theirs() {
    let app = TestApp::start().await;
    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    let to = mail::Recipient::new("Ada@example.com", "Somebody before");
    let message = mail::Message::new("An older story").paragraph("It was told.");
    mail::send(&mut tx, &app.ctx, &to, "test", &message).await.expect("queued");
    tx.commit().await.expect("committed");
    app.ctx.clock.advance(Duration::seconds(1));
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    token_called(&app, &ada, "Build server").await;
    let (export, digest) = made(&app, &ada).await;
    let files = files(&app.ctx, &export, &digest).await;
    assert!(!files["mail.json"].contains("An older story"));
    let mail = json_of(&files, "mail.json");
    let kinds: Vec<&str> =
        mail["items"].as_array().expect("a list").iter().filter_map(|mail| mail["kind"].as_str()).collect();
    assert!(kinds.contains(&"token_created"), "{kinds:?}");
    app.run_jobs().await;
}

#[tokio::test]
async fn mail_about_an_account_is_theirs_at_every_address_that_is_or_was_theirs() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    for (account, kind, address) in [
        (&ada, "password_changed", "former@example.com"),
        // Ada asked for two addresses. That nothing went to Grace's for her would say that it has an account.
        (&ada, "email_change_new", "free@example.com"),
        (&grace, "email_is_taken", "grace@example.com"),
        // And for the one she has, which was Grace's a moment ago.
        (&grace, "two_factor_on", "ada@example.com"),
        (&ada, "email_change_new", "ADA@example.com"),
    ] {
        let mut tx = app.ctx.db.begin().await.expect("a transaction");
        let to = mail::Recipient::nameless(address);
        let message = mail::Message::new("A story").paragraph("It was told.");
        mail::send_to_account(&mut tx, &app.ctx, id_of(account), &to, kind, &message).await.expect("queued");
        tx.commit().await.expect("committed");
    }
    let told = async |caller: &Caller| {
        let (export, digest) = made(&app, caller).await;
        let mail = json_of(&files(&app.ctx, &export, &digest).await, "mail.json");
        let items = mail["items"].as_array().expect("a list").iter();
        let mut told: Vec<_> = items
            .filter(|mail| mail["subject"] == "A story")
            .map(|mail| {
                [&mail["kind"], &mail["toAddress"]].map(|text| text.as_str().unwrap_or("").to_owned())
            })
            .collect();
        told.sort();
        told
    };
    assert_eq!(
        told(&ada).await,
        [["email_change_new", "ADA@example.com"], ["password_changed", "former@example.com"]]
    );
    assert_eq!(
        told(&grace).await,
        [["email_is_taken", "grace@example.com"], ["two_factor_on", "ada@example.com"]]
    );
    app.run_jobs().await;
}

#[tokio::test]
async fn only_its_owner_opens_an_archive_and_only_after_a_fresh_proof() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Admin).await;
    let (export, _) = made(&app, &ada).await;
    assert!(matches!(data_export::open(&app.ctx, &grace, export.id).await, Err(Error::NotFound)));
    let unknown = ExportId::from_uuid(app.ctx.random.uuid_v7(app.ctx.clock.now()));
    assert!(matches!(data_export::open(&app.ctx, &ada, unknown).await, Err(Error::NotFound)));
    let anonymous = data_export::open(&app.ctx, &Caller::Anonymous, export.id).await;
    assert!(matches!(anonymous, Err(Error::Denied(Denied::Unauthenticated))));

    app.ctx.clock.advance(Duration::minutes(15));
    for stale in [
        data_export::open(&app.ctx, &ada, export.id).await.map(|_| ()),
        data_export::request(&app.ctx, &ada).await.map(|_| ()),
    ] {
        assert!(matches!(stale, Err(Error::Denied(Denied::NotFresh))), "{stale:?}");
    }
    let ada = again(&app, &ada).await;
    assert!(data_export::open(&app.ctx, &ada, export.id).await.is_ok());
    app.run_jobs().await;
}

#[tokio::test]
async fn one_at_a_time_and_three_a_day() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let (one, other) =
        tokio::join!(data_export::request(&app.ctx, &ada), data_export::request(&app.ctx, &ada));
    let outcomes = [one, other];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(Error::Conflict(_)))), "{outcomes:?}");
    app.run_jobs().await;
    for _ in 0..2 {
        made(&app, &ada).await;
    }
    assert!(matches!(data_export::request(&app.ctx, &ada).await, Err(Error::Conflict(_))));
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    ask(&app, &grace).await;

    app.ctx.clock.advance(Duration::days(1));
    let ada = again(&app, &ada).await;
    ask(&app, &ada).await;
    app.run_jobs().await;
    // The mails that say so.
    app.run_jobs().await;
}

#[tokio::test]
async fn a_job_that_runs_twice_makes_one_archive() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let id = ask(&app, &ada).await;
    let second = app.second().await;
    let (one, other) = tokio::join!(MakeExport { id }.run(app.ctx.clone()), MakeExport { id }.run(second));
    one.expect("made");
    other.expect("made");
    app.run_jobs().await;
    let (export, digest) = data_export::open(&app.ctx, &ada, id).await.expect("ready");
    assert!(is_stored(&app.ctx, &digest).await);
    app.ctx.clock.advance(Duration::minutes(1));
    MakeExport { id }.run(app.ctx.clone()).await.expect("nothing to do");
    assert_eq!(data_export::open(&app.ctx, &ada, id).await.expect("ready"), (export, digest));
    let mails = mail::recent(&app.ctx, 50).await.expect("listed");
    assert_eq!(mails.iter().filter(|mail| mail.kind == "export_ready").count(), 1);
    app.run_jobs().await;
}

#[tokio::test]
async fn an_archive_is_gone_after_a_week() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let (export, digest) = made(&app, &ada).await;
    app.ctx.clock.advance(Duration::days(7) - Duration::seconds(1));
    PurgeExports {}.run(app.ctx.clone()).await.expect("purged");
    let ada = again(&app, &ada).await;
    assert!(data_export::open(&app.ctx, &ada, export.id).await.is_ok());

    app.ctx.clock.advance(Duration::seconds(1));
    assert!(matches!(data_export::open(&app.ctx, &ada, export.id).await, Err(Error::NotFound)));
    let state = async || data_export::list(&app.ctx, &ada).await.expect("listed")[0].state;
    assert_eq!(state().await, ExportState::Expired, "also before the purge has come by");
    for _ in 0..2 {
        PurgeExports {}.run(app.ctx.clone()).await.expect("purged");
    }
    assert!(!is_stored(&app.ctx, &digest).await);
    assert_eq!(state().await, ExportState::Expired);
    app.run_jobs().await;
}

#[tokio::test]
async fn the_purge_leaves_an_object_that_another_archive_names() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let (export, digest) = made(&app, &ada).await;
    sqlx::query(
        "insert into data_export (id, account_id, state, requested_at, ready_at, expires_at, object_key, bytes)
         select gen_random_uuid(), account_id, state, requested_at, ready_at, expires_at + interval '1 day',
                object_key, bytes
         from data_export where id = $1",
    )
    .bind(export.id.uuid())
    .execute(&app.ctx.db)
    .await
    .expect("written");
    app.ctx.clock.advance(Duration::days(7));
    PurgeExports {}.run(app.ctx.clone()).await.expect("purged");
    assert!(is_stored(&app.ctx, &digest).await);
    app.ctx.clock.advance(Duration::days(1));
    PurgeExports {}.run(app.ctx.clone()).await.expect("purged");
    assert!(!is_stored(&app.ctx, &digest).await);
    app.run_jobs().await;
}

#[tokio::test]
async fn an_order_that_nobody_fills_is_given_up() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let id = ask(&app, &ada).await;
    app.ctx.clock.advance(Duration::days(1));
    PurgeExports {}.run(app.ctx.clone()).await.expect("purged");
    // The job comes too late: there is nothing to make.
    app.run_jobs().await;
    let listed = data_export::list(&app.ctx, &ada).await.expect("listed");
    assert_eq!((listed[0].id, listed[0].state, listed[0].bytes), (id, ExportState::Expired, None));
    let ada = again(&app, &ada).await;
    made(&app, &ada).await;
    app.run_jobs().await;
}

#[tokio::test]
async fn an_account_that_ends_takes_its_archives_along() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let grace = app.signed_in("grace@example.com", Role::Customer).await;
    let (_, hers) = made(&app, &ada).await;
    let (_, other) = made(&app, &grace).await;
    let waiting = ask(&app, &ada).await;

    let mut tx = app.ctx.db.begin().await.expect("a transaction");
    let keys = data_export::forget(&mut tx, id_of(&ada)).await.expect("forgotten");
    tx.commit().await.expect("committed");
    assert_eq!(keys, [hers.to_string()]);
    for _ in 0..2 {
        data_export::delete_objects(&app.ctx, keys.clone()).await.expect("deleted");
    }
    assert!(!is_stored(&app.ctx, &hers).await);
    assert!(is_stored(&app.ctx, &other).await);

    // What was still to be made is not made any more.
    app.run_jobs().await;
    assert!(data_export::list(&app.ctx, &ada).await.expect("listed").is_empty());
    assert!(matches!(data_export::open(&app.ctx, &ada, waiting).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn what_somebody_is_subscribed_to_is_in_their_archive_only() {
    let shop = Shop::open().await;
    let ada = shop.app.signed_in("ada@example.com", Role::Customer).await;
    let bea = shop.app.signed_in("bea@example.com", Role::Customer).await;
    let order = shop.buy_as(&ada, &want("ada@example.com", Tier::Pro, Interval::Month, 3)).await;
    let (export, digest) = made(&shop.app, &ada).await;
    let hers = json_of(&files(shop.ctx(), &export, &digest).await, "subscriptions.json");
    assert_eq!((&hers["complete"], hers["items"].as_array().map(Vec::len)), (&json!(true), Some(1)));
    assert_eq!(hers["items"][0]["order"], json!(order.id));
    assert_eq!(hers["items"][0]["seats"], 3);
    assert_eq!(hers["items"][0]["endedAt"], Value::Null);
    let (export, digest) = made(&shop.app, &bea).await;
    let others = json_of(&files(shop.ctx(), &export, &digest).await, "subscriptions.json");
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn licenses_and_their_machines_are_there_without_keys_and_without_other_people() {
    let app = TestApp::start().await;
    let ada = app.signed_in("ada@example.com", Role::Customer).await;
    let (license, key) = given(&app, "ada@example.com", Tier::Pro, 2, End::NEVER).await;
    let (_, foreign) = given(&app, "grace@example.com", Tier::Pro, 1, End::NEVER).await;
    for (key, email, print) in [
        (&key, "ada@example.com", "laptop"),
        (&key, "bob@example.com", "desktop"),
        (&foreign, "grace@example.com", "tower"),
    ] {
        let request = activate_on(key, email, print);
        assert!(machine::activate(&app.ctx, &client(), &request).await.expect("answered").activated);
        app.ctx.clock.advance(Duration::SECOND);
    }
    let (export, digest) = made(&app, &ada).await;
    let files = files(&app.ctx, &export, &digest).await;
    let licenses = json_of(&files, "licenses.json");
    assert_eq!(licenses["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(licenses["items"][0]["id"], json!(license.id));
    assert_eq!(licenses["items"][0]["key"], json!(license.masked_key()));
    assert_eq!(licenses["items"][0]["machinesUsed"], 2);
    let machines = json_of(&files, "machines.json");
    let emails: Vec<_> =
        machines["items"].as_array().expect("a list").iter().map(|it| &it["email"]).collect();
    assert_eq!(emails, [&Value::Null, &json!("ada@example.com")]);
    for (name, text) in &files {
        assert!(!text.contains(&key.expose()) && !text.contains("keySealed"), "{name} has a key");
    }
}
