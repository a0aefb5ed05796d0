//! The theme is a cookie that a form sets.

use axum::http::StatusCode;
use devforge::contract::problem::ProblemCode;

use crate::support::{TestSite, send};

#[tokio::test]
async fn choosing_a_theme_sets_a_cookie_and_leads_back() {
    let site = TestSite::start().await;
    let chosen = send(site.post("/theme", "theme=dark&return_to=/about")).await;
    assert_eq!((chosen.status, chosen.header("location")), (StatusCode::SEE_OTHER, "/about"));
    let set = chosen.header("set-cookie");
    assert!(
        set.starts_with("theme=dark; ") && set.contains("HttpOnly") && set.contains("SameSite=Lax"),
        "{set}"
    );

    let cookie = chosen.cookie("theme").expect("set");
    let dark = send(site.visit("/about").header("cookie", cookie)).await;
    assert!(dark.text().contains("data-theme=\"dark\""));
    let plain = send(site.visit("/about")).await;
    assert!(!plain.text().contains("data-theme="));
}

#[tokio::test]
async fn following_the_system_takes_the_cookie_away() {
    let site = TestSite::start().await;
    let chosen = send(site.post("/theme", "theme=system")).await;
    assert_eq!((chosen.status, chosen.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(chosen.header("set-cookie").starts_with("theme=; Path=/; Max-Age=0"));
}

#[tokio::test]
async fn a_form_never_leads_to_another_site() {
    let site = TestSite::start().await;
    for target in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "%20//evil.example",
    ] {
        let answer = send(site.post("/theme", &format!("theme=light&return_to={target}"))).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, "/account"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_theme_that_does_not_exist_and_a_form_that_is_none_are_refused() {
    let site = TestSite::start().await;
    let unknown = send(site.post("/theme", "theme=purple")).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (422, ProblemCode::InvalidRequest));
    let none = send(site.post("/theme", "")).await;
    assert!(none.status.is_client_error() && none.headers.get("set-cookie").is_none());
    none.problem();
    let json = site.request("POST", "/theme").header("sec-fetch-site", "same-origin");
    let json = send(json.header("content-type", "application/json").body("{}")).await;
    assert_eq!((json.status.as_u16(), json.code()), (415, ProblemCode::UnsupportedMediaType));
}
