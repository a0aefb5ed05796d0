//! Licenses over real HTTP: pages of other sites, many editors behind one address, and keys that stand in addresses.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::StatusCode;
use devforge::{
    contract::{account::Role, license_key::LicenseKey, payment::Tier, problem::ProblemCode},
    license::issue::{self, GenerateOrder, Issued},
};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::support::{TestSite, send};

const FAR: &str = "https://elsewhere.example";

/// A license of the administrator's own.
async fn a_license(site: &TestSite) -> Issued {
    let admin = site.person(Role::Admin).await;
    let (_, caller) = site.session_of(&admin).await;
    let order = GenerateOrder {
        account: admin.id,
        tier: Tier::Pro,
        seats: 1,
        count: 1,
        expires_at: None,
        fallback: false,
        floating: true,
        overage: 0,
        reason: "for a test".to_owned(),
        mail: false,
        request: None,
    };
    let issued = issue::generate(&site.ctx, &caller, &order).await.expect("generated");
    issued.into_iter().next().expect("one license")
}

fn asking(key: &LicenseKey) -> String {
    format!("{{\"licenseKey\":\"{}\"}}", key.expose())
}

#[tokio::test]
async fn a_page_of_another_site_asks_and_is_told() {
    let site = TestSite::start().await;
    let issued = a_license(&site).await;
    for base in ["/api", "/api/v1"] {
        let path = format!("{base}/licenses/validate");
        let before =
            site.request("OPTIONS", &path).header("origin", FAR).header("sec-fetch-site", "cross-site");
        let before = before.header("access-control-request-method", "POST");
        let allowed = send(before.header("access-control-request-headers", "content-type")).await;
        assert_eq!((allowed.status, allowed.body.len()), (StatusCode::NO_CONTENT, 0));
        assert_eq!(allowed.header("access-control-allow-origin"), "*");
        assert_eq!(allowed.header("access-control-allow-methods"), "POST");
        assert_eq!(allowed.header("access-control-allow-headers"), "Content-Type");
        assert!(!allowed.header("access-control-max-age").is_empty());

        let ask = |kind: &str, body: String| {
            let request =
                site.request("POST", &path).header("origin", FAR).header("sec-fetch-site", "cross-site");
            request.header("content-type", kind.to_owned()).body(body)
        };
        let answer = send(ask("application/json", asking(&issued.key))).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["code"], "VALID");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("access-control-expose-headers").contains("Retry-After"));

        // A refusal can be read there, too.
        for (kind, body, status) in
            [("application/json", "{", 400), ("text/plain", "{}", 415), ("application/json", "{}", 422)]
        {
            let refused = send(ask(kind, body.to_owned())).await;
            assert_eq!(refused.status.as_u16(), status, "{kind} {body}");
            assert_eq!(refused.header("access-control-allow-origin"), "*", "{kind} {body}");
        }
    }
    let by_key = format!("/api/licenses/{}", issued.key.expose());
    let brief = send(site.get(&by_key).header("origin", FAR)).await;
    assert_eq!((brief.status.as_u16(), brief.header("access-control-allow-origin")), (200, "*"));
}

#[tokio::test]
async fn what_needs_no_key_but_a_session_is_refused_there() {
    let site = TestSite::start().await;
    let issued = a_license(&site).await;
    let license = issued.license.id;
    for (method, path) in [
        ("POST", "/api/licenses/generate".to_owned()),
        ("POST", "/api/licenses/trial".to_owned()),
        ("POST", format!("/api/licenses/{license}/reveal")),
        ("POST", format!("/api/licenses/{license}/transfer")),
        ("DELETE", format!("/api/licenses/{license}")),
        ("DELETE", format!("/api/licenses/{}", issued.key.expose())),
    ] {
        let refused = send(site.request(method, &path).header("sec-fetch-site", "cross-site")).await;
        assert_eq!(refused.code(), ProblemCode::CrossSite, "{method} {path}");
        assert_eq!(refused.header("access-control-allow-origin"), "", "{method} {path}");
    }
    let list = send(site.get("/api/licenses")).await;
    assert_eq!((list.status.as_u16(), list.header("access-control-allow-origin")), (401, ""));
}

#[tokio::test]
async fn a_fleet_behind_one_address_is_not_slowed_by_what_people_may() {
    let site = TestSite::start_with(|config| config.http.rate_per_minute = 2).await;
    let issued = a_license(&site).await;
    for left in (0..40).rev() {
        let ask = site.request("POST", "/api/licenses/validate").header("content-type", "application/json");
        let answer = send(ask.body(asking(&issued.key))).await;
        assert_eq!(answer.status, StatusCode::OK, "{left} are left");
        assert_eq!(answer.header("ratelimit-limit"), "40");
        // Some come back meanwhile.
        assert!(answer.header("ratelimit-remaining").parse::<u32>().is_ok_and(|told| told >= left));
    }
    let people = send(site.get("/about")).await;
    assert_eq!((people.status, people.header("ratelimit-remaining")), (StatusCode::OK, "1"));
    // Beyond its own allowance a fleet waits, and a page of another site can read that it has to.
    let mut refused = None;
    for _ in 0..40 {
        let ask = site.request("POST", "/api/licenses/validate").header("content-type", "application/json");
        let answer = send(ask.body(asking(&issued.key))).await;
        if answer.status != StatusCode::OK {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("there is an end to it");
    assert_eq!((refused.status.as_u16(), refused.code()), (429, ProblemCode::RateLimited));
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    assert!(!refused.header("retry-after").is_empty());
}

/// What is logged by the thread that a test runs on, and so by the site that it serves.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Logged {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Whether a text has the key in it, in whatever spelling.
fn tells(text: &str, key: &LicenseKey) -> bool {
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    bare.to_uppercase().contains(&key.expose().replace('-', "")[2..])
}

#[tokio::test]
async fn a_key_in_an_address_is_in_no_log_and_no_metric() {
    let logged = Logged::default();
    // Everything we and the database's client say; what the test's own HTTP client says is not the site's.
    let filter = EnvFilter::new("trace,hyper=off,hyper_util=off,reqwest=off");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(logged.clone())
        .with_ansi(false)
        .finish();
    let site = TestSite::start().await;
    let issued = a_license(&site).await;
    let text = issued.key.expose();
    let guard = tracing::subscriber::set_default(subscriber);
    for (method, path, status) in [
        ("GET", format!("/api/licenses/{text}"), 200),
        ("GET", format!("/api/licenses/{}", text.to_lowercase()), 200),
        ("DELETE", format!("/api/licenses/{text}"), 401),
        ("POST", format!("/api/licenses/{text}/rotate"), 401),
        ("PATCH", format!("/api/licenses/{text}"), 405),
        ("GET", format!("/api/licenses/{text}/nothing"), 404),
        ("GET", format!("/licenses/{text}"), 404),
        ("GET", format!("/about?key={text}"), 200),
    ] {
        let request = site.request(method, &path).header("sec-fetch-site", "same-origin");
        let answer = send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {}", path.replace(&text, "{key}"));
    }
    let ask = site.request("POST", "/api/licenses/validate").header("content-type", "application/json");
    assert_eq!(send(ask.body(asking(&issued.key))).await.status, StatusCode::OK);
    drop(guard);
    let log = logged.text();
    assert!(
        log.contains("answered") && log.contains("/api/licenses/{license}"),
        "it is the site's log: {log}"
    );
    assert!(!tells(&log, &issued.key), "{log}");

    let metrics = server::http::metrics::install().expect("the recorder").render();
    assert!(metrics.contains("/api/licenses/{license}"));
    assert!(!tells(&metrics, &issued.key));
}

#[tokio::test]
async fn no_page_and_no_redirect_repeats_a_key() {
    let site = TestSite::start().await;
    let issued = a_license(&site).await;
    let text = issued.key.expose();
    for path in [
        format!("/{text}"),
        format!("/licenses/{}", text.to_lowercase()),
        format!("/activate/{}", text.replace('-', "%20")),
        format!("/account/licenses/{text}"),
        format!("/account/security?key={text}"),
        format!("/admin/licenses/{text}"),
        format!("/admin/orders?license={text}"),
        format!("/api/licenses/{text}/machines"),
        format!("/api/licenses/{text}"),
    ] {
        let shown = path.replace(&text, "{key}");
        for answer in [send(site.visit(&path)).await, send(site.get(&path)).await] {
            assert_ne!(answer.status.as_u16(), 500, "{shown}");
            assert!(!tells(answer.text(), &issued.key), "{shown} says: {}", answer.text());
            for (name, value) in &answer.headers {
                assert!(!tells(&String::from_utf8_lossy(value.as_bytes()), &issued.key), "{shown}: {name}");
            }
        }
    }
    // Where there is no key, people come back to where they wanted to go.
    let back = send(site.visit("/account/security?tab=1")).await;
    assert_eq!(back.header("location"), "/sign-in?next=%2Faccount%2Fsecurity%3Ftab%3D1");
}
