//! The API's door: key, form, idempotency, the world's lock, the answer.
//!
//! What always holds: a POST with an idempotency key is carried out once, whatever happens to its answer; a request that
//! was found wrong before anything was done leaves nothing behind, under its key neither.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Request as Call, State, rejection::BytesRejection},
    http::{
        HeaderMap, Method, StatusCode, Uri,
        header::{AUTHORIZATION, HOST},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    Shared, balance, cards, catalogue, checkout, clock, customers, disputes, events,
    fault::Fault,
    intents, invoices, pages,
    params::Params,
    portal, refunds, subscriptions, tax,
    world::{API_VERSION, World},
};

pub const MAX_BODY: usize = 256 * 1024;
const MAX_KEY: usize = 255;

/// What was asked for, read and checked as far as the door can.
pub struct Request<'a> {
    pub method: &'a str,
    /// Without `v1`.
    pub path: Vec<&'a str>,
    /// Of the query and of the form.
    pub params: Params,
    /// Where this simulator is, with no slash at the end.
    pub base: String,
}

type Route = fn(&mut World, &Request<'_>) -> Option<Result<Value, Fault>>;

/// Each part answers what is its own.
const ROUTES: [Route; 14] = [
    cards::route,
    customers::route,
    catalogue::route,
    checkout::route,
    intents::route,
    balance::route,
    refunds::route,
    disputes::route,
    subscriptions::route,
    invoices::route,
    events::route,
    clock::route,
    portal::route,
    tax::route,
];

/// A request as it came over the wire.
pub struct Incoming<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub authorization: Option<&'a str>,
    pub idempotency_key: Option<&'a str>,
    pub body: &'a [u8],
}

pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub request_id: String,
    pub replayed: bool,
}

pub async fn v1(
    State(shared): State<Arc<Shared>>,
    method: Method,
    Path(path): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Ok(body) = body else {
        let fault = Fault::too_large();
        return respond(&Answer {
            status: fault.status,
            body: fault.body(),
            request_id: String::new(),
            replayed: false,
        });
    };
    let incoming = Incoming {
        method: method.as_str(),
        path: &path,
        query: uri.query().unwrap_or_default(),
        authorization: header(AUTHORIZATION.as_str()),
        idempotency_key: header("idempotency-key"),
        body: &body,
    };
    let weather = shared.weather();
    let done = shared.with(|world| {
        let answer = answer(world, &shared.base, &incoming);
        (answer, world.chance(weather.lose_answer), world.between(weather.slow_ms))
    });
    let (mut answer, lost, slow) = match done {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "the journal cannot be written");
            (broken(String::new()), false, 0)
        }
    };
    if slow > 0 {
        tokio::time::sleep(Duration::from_millis(slow)).await;
    }
    if lost {
        answer = broken(answer.request_id);
    }
    respond(&answer)
}

/// Lets in only who asks for this place by its own name: a site elsewhere whose name is turned to loopback is still
/// called by that name in a browser.
pub async fn by_own_name(State(shared): State<Arc<Shared>>, call: Call, next: Next) -> Response {
    let host = call.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| call.uri().authority().map(|authority| authority.as_str()));
    if host.is_some_and(|host| is_own_name(&shared.base, host)) {
        next.run(call).await
    } else {
        pages::says(StatusCode::MISDIRECTED_REQUEST, "Not this address", "The simulator has another address.")
    }
}

fn is_own_name(base: &str, host: &str) -> bool {
    let own = base.strip_prefix("http://").unwrap_or(base);
    let port = own.rsplit_once(':').map_or("", |(_, port)| port);
    host == own || host.strip_prefix("localhost:").is_some_and(|given| given == port)
}

/// Anything else than `/v1/…` and a page.
pub async fn nothing_here(method: Method, uri: Uri) -> Response {
    let fault = Fault::unknown_route(method.as_str(), uri.path());
    respond(&Answer { status: fault.status, body: fault.body(), request_id: String::new(), replayed: false })
}

fn broken(request_id: String) -> Answer {
    let fault = Fault::broken();
    Answer { status: fault.status, body: fault.body(), request_id, replayed: false }
}

fn respond(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry = matches!(answer.status, 409 | 429 | 500..);
    let headers = [
        ("request-id", answer.request_id.as_str()),
        ("stripe-version", API_VERSION),
        ("stripe-should-retry", if retry { "true" } else { "false" }),
        ("cache-control", "no-store"),
    ];
    let mut response = (status, headers, Json(&answer.body)).into_response();
    if answer.replayed {
        response.headers_mut().insert("idempotent-replayed", axum::http::HeaderValue::from_static("true"));
    }
    response
}

/// Answers one request. The caller writes the world down before the answer leaves.
pub fn answer(world: &mut World, base: &str, incoming: &Incoming<'_>) -> Answer {
    let request_id = world.new_secret("req", 14);
    let (status, body, replayed) = match carry_out(world, base, incoming) {
        Ok(done) => done,
        Err(fault) => (fault.status, fault.body(), false),
    };
    Answer { status, body, request_id, replayed }
}

fn carry_out(world: &mut World, base: &str, incoming: &Incoming<'_>) -> Result<(u16, Value, bool), Fault> {
    authorized(incoming.authorization)?;
    let form = std::str::from_utf8(incoming.body)
        .map_err(|_| Fault::invalid("body", "The form is not text in UTF-8."))?;
    let request = Request {
        method: incoming.method,
        path: incoming.path.split('/').filter(|step| !step.is_empty()).collect(),
        params: Params::parse(&[incoming.query, form].join("&"))?,
        base: base.to_owned(),
    };
    let key = incoming.idempotency_key.filter(|key| incoming.method == "POST" && !key.is_empty());
    if key.is_some_and(|key| key.len() > MAX_KEY) {
        return Err(Fault::idempotency("An idempotency key has at most 255 characters."));
    }
    let stored = key.map(|key| Stored::of(key, &request));
    if let Some(stored) = &stored
        && let Some((status, body)) = stored.replay(world)?
    {
        return Ok((status, body, true));
    }
    let (status, body) = match world.whole(|world| dispatch(world, &request)) {
        Ok(mut body) => {
            world.expand(&mut body, &request.params.texts("expand"));
            (200, body)
        }
        Err(fault) if began(&fault) => (fault.status, fault.body()),
        Err(fault) => return Err(fault),
    };
    if let Some(stored) = stored {
        stored.keep(world, status, &body);
    }
    Ok((status, body, false))
}

pub fn dispatch(world: &mut World, request: &Request<'_>) -> Result<Value, Fault> {
    ROUTES.iter().find_map(|route| route(world, request)).unwrap_or_else(|| {
        Err(Fault::unknown_route(request.method, &format!("/v1/{}", request.path.join("/"))))
    })
}

/// Whether the request was carried out as far as this fault. One found wrong before that may come again, put right, under
/// the same key.
fn began(fault: &Fault) -> bool {
    fault.status == 402 || (fault.status == 400 && fault.code.is_some() && fault.param.is_none())
}

/// Any key of a test mode will do: as a bearer, or as the user of a basic authorization.
fn authorized(header: Option<&str>) -> Result<(), Fault> {
    let header = header.ok_or_else(Fault::unauthorized)?;
    let (scheme, rest) = header.split_once(' ').ok_or_else(Fault::unauthorized)?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = STANDARD.decode(rest.trim()).map_err(|_| Fault::unauthorized())?;
        let decoded = String::from_utf8(decoded).map_err(|_| Fault::unauthorized())?;
        decoded.split_once(':').map_or(decoded.clone(), |(user, _)| user.to_owned())
    } else {
        return Err(Fault::unauthorized());
    };
    let test = ["sk_test_", "rk_test_"]
        .iter()
        .any(|prefix| key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()));
    if test { Ok(()) } else { Err(Fault::unauthorized()) }
}

/// What was answered under an idempotency key, and to which request.
struct Stored {
    id: String,
    fingerprint: String,
}

impl Stored {
    fn of(key: &str, request: &Request<'_>) -> Self {
        let asked = format!("{} {}", request.path.join("/"), request.params.value());
        Self {
            id: format!("idempotency_{}", hex::encode(Sha256::digest(key))),
            fingerprint: hex::encode(Sha256::digest(asked)),
        }
    }

    fn replay(&self, world: &World) -> Result<Option<(u16, Value)>, Fault> {
        let Some(before) = world.get(&self.id) else { return Ok(None) };
        if before["fingerprint"] != self.fingerprint.as_str() {
            return Err(Fault::idempotency(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
            ));
        }
        let status = before["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
        Ok(Some((status, before["body"].clone())))
    }

    fn keep(&self, world: &mut World, status: u16, body: &Value) {
        world.put(json!({
            "id": self.id, "object": "simulator.idempotency", "created": world.now(),
            "fingerprint": self.fingerprint, "status": status, "body": body,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post<'a>(path: &'a str, body: &'a str, key: Option<&'a str>) -> Incoming<'a> {
        Incoming {
            method: "POST",
            path,
            query: "",
            authorization: Some("Bearer sk_test_simulator"),
            idempotency_key: key,
            body: body.as_bytes(),
        }
    }

    fn world() -> World {
        World::open(None, 7).expect("opens")
    }

    const PAY: &str = "amount=1900&currency=usd&payment_method=pm_card_visa&confirm=true";

    #[test]
    fn it_answers_to_its_own_names_only() {
        let base = "http://127.0.0.1:12111";
        for host in ["127.0.0.1:12111", "localhost:12111"] {
            assert!(is_own_name(base, host), "{host}");
        }
        for host in ["evil.example:12111", "evil.example", "127.0.0.1", "localhost", "localhost:80", ""] {
            assert!(!is_own_name(base, host), "{host}");
        }
        assert!(is_own_name("http://[::1]:9", "[::1]:9"));
    }

    #[test]
    fn only_keys_of_a_test_mode_are_let_in() {
        for (header, status) in [
            (None, 401),
            (Some("Bearer sk_live_1"), 401),
            (Some("Bearer sk_test_"), 401),
            (Some("Bearer rk_test_1"), 200),
            // sk_test_1:
            (Some("Basic c2tfdGVzdF8xOg=="), 200),
        ] {
            let incoming = Incoming { authorization: header, ..post("payment_intents", PAY, None) };
            assert_eq!(answer(&mut world(), "", &incoming).status, status, "{header:?}");
        }
    }

    #[test]
    fn the_same_key_is_carried_out_once() {
        let mut world = world();
        let first = answer(&mut world, "", &post("payment_intents", PAY, Some("key-1")));
        let again = answer(&mut world, "", &post("payment_intents", PAY, Some("key-1")));
        assert_eq!((first.status, first.replayed), (200, false));
        assert_eq!((again.status, again.replayed), (200, true));
        assert_eq!(first.body, again.body);
        assert_eq!(world.all("payment_intent").count(), 1);
    }

    #[test]
    fn a_key_belongs_to_its_parameters() {
        let mut world = world();
        answer(&mut world, "", &post("payment_intents", PAY, Some("key-1")));
        let other = answer(&mut world, "", &post("payment_intents", "amount=1&currency=usd", Some("key-1")));
        assert_eq!(other.status, 400);
        assert_eq!(other.body["error"]["type"], "idempotency_error");
        assert_eq!(world.all("payment_intent").count(), 1);
    }

    #[test]
    fn a_decline_is_kept_and_a_mistake_is_not() {
        let mut world = world();
        let declined = "amount=1900&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true";
        for replayed in [false, true] {
            let answer = answer(&mut world, "", &post("payment_intents", declined, Some("declined")));
            assert_eq!((answer.status, answer.replayed), (402, replayed));
        }
        assert_eq!(answer(&mut world, "", &post("payment_intents", "amount=x", Some("mistake"))).status, 400);
        let right = answer(&mut world, "", &post("payment_intents", PAY, Some("mistake")));
        assert_eq!((right.status, right.replayed), (200, false));
    }

    #[test]
    fn what_nobody_knows_is_said_to_be_unknown() {
        let answer = answer(&mut world(), "", &post("unicorns", "", None));
        assert_eq!(answer.status, 404);
        assert_eq!(answer.body["error"]["type"], "invalid_request_error");
    }
}
