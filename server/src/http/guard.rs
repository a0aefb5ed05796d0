//! Who may come in: how often from one address, and only from this site when something is to be changed.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use devforge::{
    api::{self, error::ApiError, extract::ClientAddress},
    config::{HttpConfig, IpNetwork},
    contract::problem::ProblemCode,
    rate_limit::{Allowance, Floods},
};

use super::Shared;

/// Browsers report breaches of the content policy without saying where they come from.
const UNSAFE_FROM_ANYWHERE: &[&str] = &["/csp-report"];

/// Lets a request in, or says why not. The allowance is for the answer's headers, whatever the answer is.
pub fn enter(shared: &Shared, request: &mut Request) -> (Option<Allowance>, Result<(), ApiError>) {
    let mut allowance = None;
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let peer = peer.ip();
        let trusted = &shared.ctx.config.http.trusted_proxies;
        let address = client_address(peer, request.headers(), trusted);
        let country = client_country(peer, request.headers(), trusted);
        request.extensions_mut().insert(ClientAddress { address, country });
        let path = request.uri().path();
        let floods =
            if api::is_asked_often(request.method(), path) { &shared.fleets } else { &shared.floods };
        allowance = match floods.take(address) {
            Ok(allowance) => allowance,
            Err(flooded) => return (Some(flooded.allowance), Err(ApiError::rate_limited(flooded.wait))),
        };
    }
    (allowance, check_origin(request, &shared.ctx.config.http))
}

const RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// How many times the ordinary allowance one address has for what the editor asks: a whole company may be behind it.
const EDITORS_BEHIND_ONE_ADDRESS: u32 = 20;

/// The gate for what the editor asks.
pub fn fleets(per_minute: u32) -> Floods {
    Floods::new(per_minute.saturating_mul(EDITORS_BEHIND_ONE_ADDRESS))
}

pub fn tell_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    headers.insert(RATELIMIT_LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(RATELIMIT_REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RATELIMIT_RESET, HeaderValue::from(allowance.reset.as_secs()));
}

/// What pages of other sites may look at beside the answer itself.
const EXPOSED: &str =
    "Api-Version, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id";

/// Lets pages of any site read an answer to what they may ask, a refusal too.
pub fn tell_everyone(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// The address of the client: the peer, or, where the peer is a proxy of ours, the last address in
/// `X-Forwarded-For` that is not. Anything further left could have been written by the client itself.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNetwork]) -> IpAddr {
    let is_ours = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_ours(peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for entry in forwarded.into_iter().rev() {
        let Ok(address) = entry.trim().parse::<IpAddr>() else {
            break;
        };
        client = address;
        if !is_ours(address) {
            break;
        }
    }
    client
}

/// The country a proxy of ours found the client in. Networks without one, and Tor, have no such two letters.
fn client_country(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNetwork]) -> Option<String> {
    if !trusted.iter().any(|network| network.contains(peer)) {
        return None;
    }
    let country = headers.get("cf-ipcountry")?.to_str().ok()?.to_ascii_uppercase();
    let is_country = country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && !matches!(country.as_str(), "XX" | "T1");
    is_country.then_some(country)
}

/// Something is changed only at the wish of a page of this site. Browsers say where a request comes from in
/// `Sec-Fetch-Site`, older ones in `Origin`; a request with neither comes from a program, which has no
/// session to abuse unless it brings one itself, and is then refused. What is open to every site never looks at a
/// session, so it does not matter which page sends it.
fn check_origin(request: &Request, config: &HttpConfig) -> Result<(), ApiError> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let path = request.uri().path();
    if safe || UNSAFE_FROM_ANYWHERE.contains(&path) || api::is_open(request.method(), path) {
        return Ok(());
    }
    let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let refused =
        || ApiError::new(ProblemCode::CrossSite, "Open the page on this site and send the form from there.");
    if let Some(site) = request.headers().get("sec-fetch-site") {
        return match site.as_bytes() {
            b"same-origin" | b"none" => Ok(()),
            _ => Err(refused()),
        };
    }
    if let Some(origin) = header(header::ORIGIN) {
        let same =
            origin == config.public_url || !config.is_https() && is_own_host(origin, header(header::HOST));
        return if same { Ok(()) } else { Err(refused()) };
    }
    if request.headers().contains_key(header::COOKIE) { Err(refused()) } else { Ok(()) }
}

/// `localhost` and `127.0.0.1` are both this site in development: the origin's host is the one asked.
fn is_own_host(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some() && authority == host
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn config() -> HttpConfig {
        let sources = devforge::config::Sources::from_pairs([("DEVFORGE_SECRET", "x")]).expect("known keys");
        let config = devforge::config::Config::load(&sources, &devforge::random::Random::seeded(1));
        config.expect("defaults load").http
    }

    fn allowed(method: &str, headers: &[(&str, &str)]) -> bool {
        allowed_at("/theme", method, headers)
    }

    fn allowed_at(path: &str, method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check_origin(&request.body(Body::empty()).expect("a request"), &config()).is_ok()
    }

    #[test]
    fn only_this_site_changes_things() {
        assert!(allowed("GET", &[("sec-fetch-site", "cross-site")]));
        assert!(allowed("POST", &[("sec-fetch-site", "same-origin")]));
        assert!(allowed("POST", &[("sec-fetch-site", "none")]));
        assert!(!allowed("POST", &[("sec-fetch-site", "same-site")]));
        assert!(!allowed("POST", &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")]));
        assert!(allowed("POST", &[("origin", "http://localhost:3000")]));
        assert!(!allowed("POST", &[("origin", "https://evil.example"), ("host", "localhost:3000")]));
        assert!(!allowed("POST", &[("origin", "null")]));
        assert!(!allowed("POST", &[("cookie", "session=x")]));
        assert!(allowed("POST", &[]));
        assert!(!allowed("DELETE", &[("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn whoever_has_a_key_may_ask_from_any_page() {
        let foreign: [&[(&str, &str)]; 4] = [
            &[("sec-fetch-site", "cross-site"), ("cookie", "session=x")],
            &[("origin", "https://evil.example"), ("host", "localhost:3000")],
            &[("origin", "null")],
            &[("cookie", "session=x")],
        ];
        for headers in foreign {
            for base in ["/api/licenses", "/api/v1/licenses"] {
                for open in ["validate", "activate", "deactivate", "validate?a=b"] {
                    assert!(
                        allowed_at(&format!("{base}/{open}"), "POST", headers),
                        "{base}/{open} {headers:?}"
                    );
                }
                for (method, closed) in [
                    ("POST", "generate"),
                    ("POST", "trial"),
                    ("POST", "lic_1/reveal"),
                    ("POST", "validate/more"),
                    ("POST", "Validate"),
                    ("POST", "%76alidate"),
                    ("PUT", "validate"),
                    ("DELETE", "DF-00000"),
                    ("DELETE", "lic_1/machines/mch_1"),
                ] {
                    let path = format!("{base}/{closed}");
                    assert!(!allowed_at(&path, method, headers), "{method} {path} {headers:?}");
                }
            }
        }
    }

    #[test]
    fn what_takes_a_place_has_the_ordinary_allowance() {
        for base in ["/api/licenses", "/api/v1/licenses"] {
            let often = |method: Method, what: &str| api::is_asked_often(&method, &format!("{base}/{what}"));
            for often_asked in [
                often(Method::POST, "validate"),
                often(Method::OPTIONS, "validate"),
                often(Method::OPTIONS, "activate"),
                often(Method::OPTIONS, "deactivate"),
                often(Method::GET, "DF-00000"),
                often(Method::HEAD, "DF-00000"),
            ] {
                assert!(often_asked, "{base}");
            }
            for seldom in [
                often(Method::POST, "activate"),
                often(Method::POST, "deactivate"),
                often(Method::POST, "generate"),
                often(Method::DELETE, "DF-00000"),
                often(Method::GET, "lic_1/machines"),
            ] {
                assert!(!seldom, "{base}");
            }
        }
        assert!(!api::is_asked_often(&Method::POST, "/activate"));
    }

    #[test]
    fn a_fleet_behind_one_address_has_a_larger_allowance() {
        let address = "192.0.2.1".parse().expect("an address");
        let told = fleets(3).take(address).expect("goes").expect("limited");
        assert_eq!((told.limit, told.remaining), (60, 59));
        assert_eq!(fleets(0).take(address), Ok(None), "no limit is none for fleets");
        assert!(fleets(u32::MAX).take(address).is_ok());
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 203.0.113.9, 10.0.0.7"));
        assert_eq!(client_address(ip("10.0.0.1"), &headers, &trusted), ip("203.0.113.9"));
        assert_eq!(client_address(ip("198.51.100.1"), &headers, &trusted), ip("198.51.100.1"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("rubbish"));
        assert_eq!(client_address(ip("10.0.0.1"), &headers, &trusted), ip("10.0.0.1"));
    }
}
