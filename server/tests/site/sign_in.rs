//! Signing in and out with the real form, and what the session's cookie is worth.

use axum::http::{StatusCode, header};
use devforge::contract::{account::Role, problem::ProblemCode};
use time::Duration;

use crate::support::{Answer, PASSWORD, TestSite, credentials, send};

async fn account_page(site: &TestSite, cookie: &str) -> Answer {
    send(site.visit("/account").header(header::COOKIE, cookie)).await
}

async fn is_signed_in(site: &TestSite, cookie: &str) -> bool {
    account_page(site, cookie).await.status == StatusCode::OK
}

/// The id of the session with this cookie.
async fn session_id(site: &TestSite, cookie: &str) -> String {
    let listed = send(site.get("/api/auth/sessions").header(header::COOKIE, cookie)).await.json();
    let sessions = listed["items"].as_array().expect("a list").clone();
    let current = sessions.into_iter().find(|session| session["current"] == true).expect("the one that asks");
    current["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn signing_in_leads_to_where_one_wanted_to_go() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let stopped = send(site.visit("/account")).await;
    assert_eq!(
        (stopped.status, stopped.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?next=%2Faccount")
    );
    let form = send(site.visit(stopped.header("location"))).await;
    assert!(form.text().contains("name=\"next\" value=\"/account\""));

    let entered = send(site.post("/sign-in", &credentials(&user.email, PASSWORD))).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/account"));
    let set = entered.set_cookie("session");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Max-Age"), "it ends with the browser: {set}");
    let cookie = entered.cookie("session").expect("set");
    let account = account_page(&site, &cookie).await;
    assert!(account.text().contains("customer@example.com"));
    let security = send(site.visit("/account/security").header("cookie", &cookie)).await;
    assert!(security.text().contains("This session"));
    let again = send(site.visit("/sign-in?next=/about").header("cookie", &cookie)).await;
    assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, "/about"));
}

#[tokio::test]
async fn a_browser_that_is_to_remember_keeps_its_cookie() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let form = format!("{}&remember=yes", credentials(&user.email, PASSWORD));
    let entered = send(site.post("/sign-in", &form)).await;
    let set = entered.set_cookie("session");
    assert!(set.contains("Max-Age="), "{set}");
    let device = entered.set_cookie("device");
    assert!(device.contains("HttpOnly") && device.contains("Max-Age="), "{device}");
}

#[tokio::test]
async fn whoever_makes_an_account_is_signed_in_at_once() {
    let site = TestSite::start().await;
    let form = "name=Ada&email=ada%40example.com&password=violet+tugboat+41+canyon&next=/account";
    let entered = send(site.post("/register", form)).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.text());
    let cookie = entered.cookie("session").expect("set");
    assert!(account_page(&site, &cookie).await.text().contains("ada@example.com"));

    let again = send(site.post("/register", form)).await;
    assert!(again.status.is_client_error() && again.is_page() && again.cookie("session").is_none());
    assert!(again.text().contains("There is an account with this address"));
    assert!(!again.text().contains("violet tugboat"), "a password never comes back");
}

#[tokio::test]
async fn what_protects_the_account_asks_again_who_is_there() {
    let site = TestSite::start_with_fixed_clock().await;
    let user = site.person(Role::Customer).await;
    let before = site.sign_in(&user).await;
    site.ctx.clock.advance(Duration::minutes(15));
    let change = |cookie: &str| {
        site.post("/account/security/two-factor/disable", "")
            .header(header::COOKIE, cookie.to_owned())
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, format!("{}/account/security", site.url))
    };
    let stopped = send(change(&before)).await;
    let way = "/account/confirm?next=%2Faccount%2Fsecurity";
    assert_eq!((stopped.status, stopped.header("location")), (StatusCode::SEE_OTHER, way));
    let page = send(site.visit(way).header(header::COOKIE, &before)).await;
    assert_eq!(page.status, StatusCode::OK);

    let wrong = site.post("/account/confirm", "password=wrong-horse-battery&next=/account/security");
    let wrong = send(wrong.header(header::COOKIE, &before)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let right = site.post("/account/confirm", &format!("password={PASSWORD}&next=/account/security"));
    let right = send(right.header(header::COOKIE, &before)).await;
    assert_eq!((right.status, right.header("location")), (StatusCode::SEE_OTHER, "/account/security"));
    let after = right.cookie("session").expect("a new cookie goes with the new proof");
    assert!(!is_signed_in(&site, &before).await, "the one from before is worth nothing");
    let changed = send(change(&after)).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER);
    assert!(!changed.header("location").starts_with("/account/confirm"), "{}", changed.header("location"));
}

#[tokio::test]
async fn the_next_page_is_one_of_this_site() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let form = credentials(&user.email, PASSWORD).replace("next=/account", "next=//evil.example");
    let entered = send(site.post("/sign-in", &form)).await;
    assert_eq!((entered.status, entered.header("location")), (StatusCode::SEE_OTHER, "/account"));
    let page = send(site.visit("/sign-in?next=https://evil.example")).await;
    assert!(!page.text().contains("value=\"https://evil.example\""));
}

#[tokio::test]
async fn a_failed_sign_in_comes_back_with_the_address_and_without_the_password() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let unknown = "nobody@example.com";
    let mut pages = Vec::new();
    for email in [user.email.as_str(), unknown] {
        let refused = send(site.post("/sign-in", &credentials(email, "wrong-horse-battery"))).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.is_page() && refused.cookie("session").is_none());
        let html = refused.text();
        assert!(
            html.contains(&format!("value=\"{email}\"")) && html.contains("Address or password is wrong")
        );
        assert!(!html.contains("wrong-horse-battery"));
        pages.push(html.replace(email, ""));
    }
    assert_eq!(pages[0], pages[1], "whether there is such an account cannot be seen");
}

#[tokio::test]
async fn empty_fields_are_named_and_markup_in_them_stays_text() {
    let site = TestSite::start().await;
    let empty = send(site.post("/sign-in", "email=&password=")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.text().contains("Enter the address of your account."));
    assert!(empty.text().contains("Enter your password."));
    assert_eq!(empty.text().matches("aria-invalid=\"true\"").count(), 2);

    let hostile =
        send(site.post("/sign-in", "email=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&password=")).await;
    assert_eq!(hostile.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!hostile.text().contains("<script>alert"));
}

#[tokio::test]
async fn too_many_tries_are_told_to_wait_in_the_form_itself() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    for _ in 0..10 {
        send(site.post("/sign-in", &credentials(&user.email, "wrong-horse-battery"))).await;
    }
    let waiting = send(site.post("/sign-in", &credentials(&user.email, PASSWORD))).await;
    assert_eq!(waiting.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(waiting.is_page() && waiting.text().contains("Too many tries. Wait"));
    assert!(waiting.cookie("session").is_none());
}

#[tokio::test]
async fn a_cookie_that_was_planted_is_worth_nothing_after_signing_in() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let planted = "session=AAECAwQFBgcICQoLDA0ODw";
    let form = credentials(&user.email, PASSWORD);
    let entered = send(site.post("/sign-in", &form).header(header::COOKIE, planted)).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    let cookie = entered.cookie("session").expect("a cookie is set");
    assert_ne!(cookie, planted);
    assert!(!is_signed_in(&site, planted).await);
    assert!(is_signed_in(&site, &cookie).await);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before_it() {
    let site = TestSite::start().await;
    let customer = site.person(Role::Customer).await;
    let admin = site.person(Role::Admin).await;
    let before = site.sign_in(&customer).await;
    let form = credentials(&admin.email, PASSWORD);
    let entered = send(site.post("/sign-in", &form).header(header::COOKIE, &before)).await;
    let after = entered.cookie("session").expect("a cookie is set");
    assert_ne!(before, after);
    assert!(!is_signed_in(&site, &before).await);
    assert!(account_page(&site, &after).await.text().contains("admin@example.com"));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let site = TestSite::start().await;
    let user = site.person(Role::Customer).await;
    let cookie = site.sign_in(&user).await;
    let elsewhere = site.sign_in(&user).await;
    let left = send(site.post("/sign-out", "").header(header::COOKIE, &cookie)).await;
    assert_eq!((left.status, left.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(left.set_cookie("session").starts_with("session=;"), "{}", left.set_cookie("session"));
    assert!(!is_signed_in(&site, &cookie).await);
    assert!(is_signed_in(&site, &elsewhere).await, "other devices stay signed in");
}

#[tokio::test]
async fn one_ends_ones_own_sessions_and_nobody_elses() {
    let site = TestSite::start().await;
    let customer = site.person(Role::Customer).await;
    let admin = site.person(Role::Admin).await;
    let customers = site.sign_in(&customer).await;
    let admins = site.sign_in(&admin).await;
    let path = format!("/account/sessions/{}/end", session_id(&site, &customers).await);

    let foreign = send(site.post(&path, "").header(header::COOKIE, &admins)).await;
    assert_eq!((foreign.status.as_u16(), foreign.code()), (404, ProblemCode::NotFound));
    assert!(is_signed_in(&site, &customers).await);

    let elsewhere = site.sign_in(&customer).await;
    let other = format!("/account/sessions/{}/end", session_id(&site, &elsewhere).await);
    let ended = send(site.post(&other, "").header(header::COOKIE, &customers)).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    assert!(ended.header("location").starts_with("/account/security"), "{}", ended.header("location"));
    assert!(!is_signed_in(&site, &elsewhere).await && is_signed_in(&site, &customers).await);

    let own = send(site.post(&path, "").header(header::COOKIE, &customers)).await;
    assert_eq!((own.status, own.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(!is_signed_in(&site, &customers).await);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_this_host_and_to_https() {
    let site =
        TestSite::start_with(|config| config.http.public_url = "https://forge.example".to_owned()).await;
    let user = site.person(Role::Customer).await;
    let entered = send(site.post("/sign-in", &credentials(&user.email, PASSWORD))).await;
    let set = entered.set_cookie("__Host-session");
    assert!(set.contains("Secure") && set.contains("Path=/") && !set.contains("Domain"), "{set}");
    let cookie = entered.cookie("__Host-session").expect("set");
    assert!(is_signed_in(&site, &cookie).await);
    let renamed = cookie.replace("__Host-session", "session");
    assert!(!is_signed_in(&site, &renamed).await, "the plain name has no say over https");
}
