//! Licenses as their owners meet them, with forms as a browser without JavaScript sends them: activating one, and the
//! pages of an account. A key is in the page that answers a form, and nowhere else.

mod shown;

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use devforge::{
    account::Caller,
    contract::{
        account::{Role, User},
        license_key::{LicenseKey, RANDOM_LETTERS},
        payment::Tier,
    },
    license::{
        License,
        issue::{self, GenerateOrder, Issued},
        life,
    },
};
use serde_json::{Value, json};
use time::Duration;

use crate::{
    checkout::{encode, has_error, hidden},
    support::{Answer, TestSite, send},
};

/// Somebody who is signed in.
struct Person {
    user: User,
    cookie: String,
}

/// A site on which a customer has a license of Pro.
struct Given {
    site: TestSite,
    admin: Caller,
    owner: Person,
    license: License,
    key: LicenseKey,
}

impl Given {
    async fn seats(seats: u32) -> Self {
        let site = TestSite::start_with_fixed_clock().await;
        let (_, admin) = site.session_of(&site.person(Role::Admin).await).await;
        let user = site.person(Role::Customer).await;
        let (cookie, _) = site.session_of(&user).await;
        let order = GenerateOrder {
            account: user.id,
            tier: Tier::Pro,
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
        let issued = Box::pin(issue::generate(&site.ctx, &admin, &order)).await.expect("made");
        let Issued { license, key } = issued.into_iter().next().expect("one license");
        Self { site, admin, owner: Person { user, cookie }, license, key }
    }

    async fn one() -> Self {
        Self::seats(1).await
    }

    fn path(&self) -> String {
        format!("/account/licenses/{}", self.license.id)
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.site.visit(path).header(header::COOKIE, &self.owner.cookie)).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.site.post(path, &form(fields)).header(header::COOKIE, &self.owner.cookie);
        send(request.header(header::ACCEPT, "text/html")).await
    }

    /// Makes the license active on a machine, as an editor does.
    async fn activate_on(&self, fingerprint: &str) -> Value {
        let body = json!({
            "licenseKey": self.key.expose(),
            "email": self.owner.user.email,
            "fingerprint": fingerprint,
            "machineName": "Workbench",
            "platform": "linux-x64",
        });
        let request = self.site.request("POST", "/api/licenses/activate");
        let answer =
            send(request.header(header::CONTENT_TYPE, "application/json").body(body.to_string())).await;
        assert_eq!(answer.json()["code"], "VALID", "{}", answer.text());
        answer.json()["machine"].clone()
    }

    /// The license's own page does not show the key, and no form of it leads to one that does by an address.
    async fn page(&self) -> Answer {
        let page = self.get(&self.path()).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(!page.text().contains(&self.key.expose()));
        page
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    fields.join("&")
}

/// A key may be in the text of a page that is stored nowhere, in a field, and in the editor's own address.
fn assert_tells_nobody(answer: &Answer, key: &LicenseKey) {
    let key = key.expose();
    let letters = &key[3..];
    assert!(!answer.header("location").contains(letters), "{}", answer.header("location"));
    if !answer.is_page() {
        return;
    }
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let html = answer.text();
    let head = html.split("</head>").next().unwrap_or_default();
    assert!(!head.contains(letters), "neither title nor description");
    for name in [" href=\"", " action=\"", " src=\"", " name=\"return_to\" value=\""] {
        for address in html.split(name).skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(
                !address.contains(letters) || address.starts_with("devforge://activate#key="),
                "{address}"
            );
        }
    }
}

fn editor_link(answer: &Answer) -> &str {
    let link = answer.text().split("href=\"devforge://activate#").nth(1);
    link.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn elsewhere() -> LicenseKey {
    LicenseKey::from_random([9; RANDOM_LETTERS])
}

#[tokio::test]
async fn a_key_that_is_good_opens_the_editor() {
    let given = Given::one().await;
    let page = send(given.site.visit("/activate?app=electron")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(hidden(&page, "app"), "electron");
    assert!(page.text().contains("noindex") && page.text().contains("assets/activate"));

    // As people write it down.
    let typed = given.key.expose().to_lowercase().replace('-', " ");
    let sent = form(&[("licenseKey", &typed), ("email", &given.owner.user.email), ("app", "electron")]);
    let ready = send(given.site.post("/activate", &sent)).await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text());
    assert_tells_nobody(&ready, &given.key);
    let expected = format!("key={}&amp;email=customer%40example.com", given.key.expose());
    assert_eq!(editor_link(&ready), expected);
    for words in ["Pro is yours to use", "0 of 3 in use", "href=\"/download\"", "What it turns on", "Never"] {
        assert!(ready.text().contains(words), "{words}");
    }
}

#[tokio::test]
async fn nothing_else_in_the_address_is_used_or_shown() {
    let given = Given::one().await;
    let key = given.key.expose();
    for (query, clean) in [
        (format!("?key={key}"), "/activate"),
        (format!("?app=electron&key={key}&email=x%40example.com"), "/activate?app=electron"),
        (format!("?licenseKey={key}&app=web"), "/activate"),
        (format!("?{key}"), "/activate"),
    ] {
        for cookie in ["", given.owner.cookie.as_str()] {
            let answer =
                send(given.site.visit(&format!("/activate{query}")).header(header::COOKIE, cookie)).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, clean), "{query}");
            assert!(!answer.text().contains(&key));
        }
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept() {
    let given = Given::one().await;
    let (key, email) = (given.key.expose(), given.owner.user.email.as_str());
    let (unknown, other) = (elsewhere().expose(), format!("DX-{}", &key[3..]));
    let slip = format!("{}{}", &key[..key.len() - 1], if key.ends_with('Z') { 'Y' } else { 'Z' });
    let endless = "A".repeat(10_000);
    for (typed, address, field) in [
        ("", email, "licenseKey"),
        ("<script>", email, "licenseKey"),
        (unknown.as_str(), email, "licenseKey"),
        (other.as_str(), email, "licenseKey"),
        (slip.as_str(), email, "licenseKey"),
        (endless.as_str(), email, "licenseKey"),
        (key.as_str(), "", "email"),
        (key.as_str(), "no address", "email"),
        (key.as_str(), "somebody-else@example.com", "email"),
    ] {
        let sent = form(&[("licenseKey", typed), ("email", address), ("app", "electron")]);
        let answer = send(given.site.post("/activate", &sent)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {typed:.40}");
        assert!(has_error(&answer, field), "{field} {typed:.40}");
        assert!(answer.text().contains(&format!("href=\"#{field}\"")), "{field} {typed:.40}");
        assert_eq!(hidden(&answer, "app"), "electron");
        assert!(!answer.text().contains("<script>") && editor_link(&answer).is_empty());
        if !address.is_empty() {
            assert!(answer.text().contains(&format!("value=\"{address}\"")), "{address}");
        }
        if typed == key {
            assert!(answer.text().contains(&format!("value=\"{key}\"")));
        }
        assert_tells_nobody(&answer, &given.key);
    }
}

#[tokio::test]
async fn a_license_that_is_not_good_says_why_and_what_to_do() {
    let given = Given::one().await;
    let (key, email) = (given.key.expose(), given.owner.user.email.clone());
    let sent = form(&[("licenseKey", &key), ("email", &email)]);
    let activate = async || send(given.site.post("/activate", &sent)).await;

    let reason = "asked by its owner";
    life::suspend(&given.site.ctx, &given.admin, given.license.id, reason).await.expect("held back");
    let paused = activate().await;
    assert_eq!(paused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(paused.text().contains("This license is paused") && editor_link(&paused).is_empty());
    assert!(!paused.text().contains(reason), "what staff writes is for staff");
    assert!(given.page().await.text().contains("We paused this license"));

    life::reinstate(&given.site.ctx, &given.admin, given.license.id, "").await.expect("reinstated");
    assert_eq!(activate().await.status, StatusCode::OK);
    life::revoke(&given.site.ctx, &given.admin, given.license.id, "").await.expect("revoked");
    let gone = activate().await;
    assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(gone.text().contains("This key is not good any more"));
    let page = given.page().await;
    assert!(page.text().contains("We took this license away") && !page.text().contains("/rotate\""));
    assert_tells_nobody(&gone, &given.key);

    let none = given.get("/activate").await;
    assert!(!none.text().contains("name=\"license\""), "there is none to pick");
}

#[tokio::test]
async fn who_is_signed_in_picks_a_license_and_gets_its_key_after_a_fresh_proof() {
    let given = Given::one().await;
    let id = given.license.id.to_string();
    let page = given.get("/activate?app=electron").await;
    assert!(
        page.text().contains(&format!("value=\"{id}\"")) && page.text().contains(&given.license.masked_key())
    );
    assert!(!page.text().contains(&given.key.expose()), "a key is not shown to be picked by");

    let fields = [("license", id.as_str()), ("app", "electron")];
    let ready = given.post("/activate", &fields).await;
    assert_eq!(ready.status, StatusCode::OK);
    assert!(editor_link(&ready).starts_with(&format!("key={}", given.key.expose())));
    assert_tells_nobody(&ready, &given.key);

    given.site.ctx.clock.advance(Duration::minutes(16));
    let later = given.post("/activate", &fields).await;
    assert_eq!(later.status, StatusCode::OK);
    assert!(!later.text().contains(&given.key.expose()) && editor_link(&later).is_empty());
    assert!(later.text().contains("href=\"/account/confirm?next=/activate%3Fapp%3Delectron\""));

    let none = given.post("/activate", &[("license", "lic_nothing")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_license_is_its_owner_s_alone() {
    let given = Given::one().await;
    let strangers = [Role::Developer, Role::Support];
    let path = given.path();
    let file = format!("{path}/machine-file");
    for role in strangers {
        let (cookie, _) = given.site.session_of(&given.site.person(role).await).await;
        let as_them = |request: reqwest::RequestBuilder| request.header(header::COOKIE, cookie.clone());
        let seen = send(as_them(given.site.visit(&path))).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{role:?}");
        for action in ["reveal", "rotate", "transfer", "split", "machine-file"] {
            let answer =
                send(as_them(given.site.post(&format!("{path}/{action}"), "email=x%40example.com"))).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{role:?} {action}");
        }
        let picked = format!("license={}", given.license.id);
        let answer = send(as_them(given.site.post("/activate", &picked))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{role:?}");
    }
    for address in [path.as_str(), "/account/licenses"] {
        let nobody = send(given.site.visit(address)).await;
        assert_eq!(nobody.status, StatusCode::SEE_OTHER);
        assert!(nobody.header("location").starts_with("/sign-in?"), "{}", nobody.header("location"));
    }
    assert_eq!(send(given.site.post(&file, "")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_key_is_shown_once_after_a_fresh_proof() {
    let given = Given::one().await;
    assert!(given.page().await.text().contains(&given.license.key_end));
    let reveal = format!("{}/reveal", given.path());
    let shown = given.post(&reveal, &[]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text().contains(&given.key.expose()));
    assert_tells_nobody(&shown, &given.key);
    given.page().await;

    given.site.ctx.clock.advance(Duration::minutes(16));
    let request = given.site.post(&reveal, "").header(header::COOKIE, &given.owner.cookie);
    let request = request.header(header::ACCEPT, "text/html");
    let stopped = send(request.header(header::REFERER, format!("{}{}", given.site.url, given.path()))).await;
    assert_eq!(stopped.status, StatusCode::SEE_OTHER);
    let way = format!("/account/confirm?next={}", encode_path(&given.path()));
    assert_eq!(stopped.header("location"), way);
    assert!(given.page().await.text().contains("Confirm that it is you"));
}

fn encode_path(path: &str) -> String {
    path.replace('/', "%2F")
}

#[tokio::test]
async fn a_trial_is_begun_once() {
    let site = TestSite::start_with_fixed_clock().await;
    let user = site.person(Role::Customer).await;
    let (cookie, _) = site.session_of(&user).await;
    let as_them = |request: reqwest::RequestBuilder| request.header(header::COOKIE, cookie.clone());
    let empty = send(as_them(site.visit("/account/licenses"))).await;
    for words in ["No license yet", "Buy a license", "Try Pro for 14 days"] {
        assert!(empty.text().contains(words), "{words}");
    }
    let begun = send(as_them(site.post("/account/licenses/trial", ""))).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.text());
    let place = begun.header("location");
    assert!(place.starts_with("/account/licenses/lic_") && place.ends_with("?done=trial"), "{place}");
    let page = send(as_them(site.visit(place))).await;
    for words in [
        "Your trial has begun",
        "Trial until",
        "4 December 2026",
        "No machine yet",
        // A page does not change by itself.
        "load this page again",
    ] {
        assert!(page.text().contains(words), "{words}");
    }
    let path = place.split('?').next().unwrap_or_default();
    assert!(!page.text().contains(&format!("action=\"{path}/transfer\"")), "a trial is given to nobody");
    let again = send(as_them(site.post("/account/licenses/trial", ""))).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.is_page() && !again.text().contains("Try Pro for 14 days"));
    let home = send(as_them(site.visit("/account"))).await;
    assert!(home.text().contains(&format!("href=\"{path}\"")));
}

#[tokio::test]
async fn machines_are_named_and_taken_off() {
    let given = Given::one().await;
    let machine = given.activate_on("a laptop").await;
    let of = format!("{}/machines/{}", given.path(), machine["id"].as_str().expect("an id"));
    let page = given.page().await;
    for words in ["Workbench", "Linux, x64", " of 3 in use"] {
        assert!(page.text().contains(words), "{words}");
    }

    let typed = format!("<b>{}", "n".repeat(120));
    let wrong = given.post(&format!("{of}/rename"), &[("name", &typed)]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(has_error(&wrong, "name") && wrong.text().contains("href=\"#name\""));
    assert!(
        wrong.text().contains(&"n".repeat(120)) && !wrong.text().contains("<b>nn"),
        "kept, and not believed"
    );
    let renamed = given.post(&format!("{of}/rename"), &[("name", "Old tower")]).await;
    let place = format!("{}?done=renamed", given.path());
    assert_eq!((renamed.status, renamed.header("location")), (StatusCode::SEE_OTHER, place.as_str()));
    assert!(given.page().await.text().contains("Old tower"));

    let removed = given.post(&format!("{of}/remove"), &[]).await;
    let place = format!("{}?done=removed", given.path());
    assert_eq!((removed.status, removed.header("location")), (StatusCode::SEE_OTHER, place.as_str()));
    let page = given.get(&place).await;
    assert!(page.text().contains("The machine was removed") && page.text().contains("No machine yet"));
    assert_eq!(given.post(&format!("{of}/remove"), &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_that_got_around_is_replaced() {
    let given = Given::one().await;
    let rotated = given.post(&format!("{}/rotate", given.path()), &[]).await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.text());
    assert!(rotated.text().contains("The key is replaced") && !rotated.text().contains(&given.key.expose()));
    let link = editor_link(&rotated);
    let new = link.strip_prefix("key=").and_then(|rest| rest.split('&').next()).unwrap_or_default();
    let new = LicenseKey::parse(new).expect("the new key is shown");
    assert_ne!(new, given.key);
    assert_tells_nobody(&rotated, &new);
    for (key, status) in [(&given.key, StatusCode::UNPROCESSABLE_ENTITY), (&new, StatusCode::OK)] {
        let sent = form(&[("licenseKey", &key.expose()), ("email", &given.owner.user.email)]);
        assert_eq!(send(given.site.post("/activate", &sent)).await.status, status);
    }
}

#[tokio::test]
async fn a_license_that_is_given_away_is_gone() {
    let given = Given::one().await;
    given.activate_on("a laptop").await;
    let transfer = format!("{}/transfer", given.path());
    let wrong = given.post(&transfer, &[("email", "nobody at all")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(has_error(&wrong, "email") && wrong.text().contains("value=\"nobody at all\""));
    let done = given.post(&transfer, &[("email", "grace@example.com")]).await;
    let place = (StatusCode::SEE_OTHER, "/account/licenses?done=transferred");
    assert_eq!((done.status, done.header("location")), place);
    let list = given.get(place.1).await;
    assert!(list.text().contains("belongs to somebody else now") && list.text().contains("No license yet"));
    assert_eq!(given.get(&given.path()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_license_of_several_seats_becomes_several_of_one() {
    let given = Given::seats(3).await;
    let page = given.page().await;
    assert!(page.text().contains("Split into 3 and show the keys"));
    let (split, token) = (format!("{}/split", given.path()), hidden(&page, "form"));
    let file = given.post(&split, &[("as", "csv"), ("form", token)]).await;
    assert_eq!(file.status, StatusCode::OK, "{}", file.text());
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"devforge-licenses.csv\"");
    assert_eq!(file.header("cache-control"), "private, no-store");
    assert_eq!(file.text().matches("DF-").count(), 3, "{}", file.text());
    assert!(file.text().contains(&given.key.expose()), "its own key stays");
    // The answer may have got lost on the way.
    let same = given.post(&split, &[("as", "csv"), ("form", token)]).await;
    let keys = |answer: &Answer| answer.text().lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!((same.status, keys(&same)), (StatusCode::OK, keys(&file)));
    let list = given.get("/account/licenses").await;
    assert_eq!(list.text().matches("Pro, 1 seat<").count(), 3);
    assert!(list.text().contains("3 licenses, the newest first"));
    let again = given.post(&format!("{}/split", given.path()), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_machine_without_a_connection_gets_a_file() {
    let given = Given::one().await;
    let path = format!("{}/machine-file", given.path());
    let upload = async |content: &str| {
        let body = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"request.json\"\r\n\
             Content-Type: application/json\r\n\r\n{content}\r\n--cut--\r\n"
        );
        let request = given.site.request("POST", &path).header("sec-fetch-site", "same-origin");
        let request = request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut").body(body);
        send(request.header(header::COOKIE, &given.owner.cookie)).await
    };
    for junk in ["", "{}", "[1,2", r#"{"type":"something.else","fingerprint":"x"}"#, &"x".repeat(20_000)] {
        let answer = upload(junk).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{junk:.40}");
        assert!(has_error(&answer, "file"), "{junk:.40}");
    }
    let without = given.post(&path, &[]).await;
    assert!(without.status == StatusCode::UNPROCESSABLE_ENTITY && has_error(&without, "file"));

    let asked = json!({
        "type": "devforge.machine-request",
        "fingerprint": "in the cellar",
        "machineName": "build-runner-04",
        "platform": "linux-x64",
    });
    let file = upload(&asked.to_string()).await;
    assert_eq!(file.status, StatusCode::OK, "{}", file.text());
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"devforge-machine-file.json\"");
    assert_eq!(file.header("cache-control"), "private, no-store");
    assert_eq!(file.json()["type"], "devforge.machine-file");
    let page = given.page().await;
    for words in [
        "build-runner-04",
        "Without connection",
        "Its file is good until",
        "one with a file keeps it while that is good",
        "so we move it for you",
    ] {
        assert!(page.text().contains(words), "{words}");
    }
    for action in ["remove", "transfer"] {
        let is_offered = page.text().contains(&format!("/{action}\""));
        assert!(!is_offered, "a file cannot be called back: {action}");
    }
}
