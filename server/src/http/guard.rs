//! Who may come in: how often from one address, and only from this site when something is to be changed.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use devforge::{
    api::{error::ApiError, extract::ClientAddress},
    config::{HttpConfig, IpNetwork},
    contract::problem::ProblemCode,
    rate_limit::Allowance,
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
        allowance = match shared.floods.take(address) {
            Ok(allowance) => allowance,
            Err(flooded) => return (Some(flooded.allowance), Err(ApiError::rate_limited(flooded.wait))),
        };
    }
    (allowance, check_origin(request, &shared.ctx.config.http))
}

const RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

pub fn tell_allowance(headers: &mut HeaderMap, allowance: Allowance) {
    headers.insert(RATELIMIT_LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(RATELIMIT_REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RATELIMIT_RESET, HeaderValue::from(allowance.reset.as_secs()));
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
/// session to abuse unless it brings one itself, and is then refused.
fn check_origin(request: &Request, config: &HttpConfig) -> Result<(), ApiError> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || UNSAFE_FROM_ANYWHERE.contains(&request.uri().path()) {
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
        let mut request = Request::builder().method(method).uri("/theme");
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
