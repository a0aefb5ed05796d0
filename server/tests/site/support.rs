//! The site, served on a port of its own, and a client that follows no redirect, keeps no cookie and unpacks nothing.

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use devforge::{
    account::{self, Caller, Identity, NewAccount, Via, sign_in},
    api::openapi,
    billing::catalogue,
    clock::Clock,
    config::{Config, Secret},
    context::Context,
    contract::{
        account::{Role, User},
        id::RequestId,
        problem::{self, Problem, ProblemCode},
    },
    jobs,
    outbox::relay,
    random::Random,
    search, session,
};
use metrics_exporter_prometheus::PrometheusHandle;
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;
use stripe_simulator::{Settings, Simulator, Weather, Webhook};
use tempfile::TempDir;
use time::macros::datetime;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{database_support::TestDatabase, eventually::eventually};

pub const PASSWORD: &str = "correct-horse-battery";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// One recorder for all tests of this process, however many start at once.
static METRICS: LazyLock<PrometheusHandle> =
    LazyLock::new(|| server::http::metrics::install().expect("the first recorder of this process"));

pub struct TestSite {
    pub ctx: Context,
    /// Scheme, host and port.
    pub url: String,
    client: Client,
    serving: JoinHandle<()>,
    // Kept for what they do when they are dropped, after the context.
    _database: TestDatabase,
    _data: TempDir,
}

impl TestSite {
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// This site goes by the machine's clock, as those that people visit do.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(Clock::System, change).await
    }

    /// A site whose time stands still until it is moved.
    pub async fn start_with_fixed_clock() -> Self {
        Self::start_at(Clock::fixed(datetime!(2026-11-20 10:00 UTC)), |_| ()).await
    }

    /// A site that sells, and the simulated Stripe that it sells through and that tells it what happened.
    pub async fn start_selling() -> (Self, Simulator) {
        const SECRET: &str = "whsec_a_secret_of_the_site_tests";
        // The simulator's client wants a TLS provider even for plain HTTP. A second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let site = listener.local_addr().expect("an address");
        let stripe = stripe_simulator::start(Settings {
            address: "127.0.0.1:0".parse().expect("an address"),
            webhook: Some(Webhook {
                url: format!("http://{site}/api/payments/webhook"),
                secret: SECRET.to_owned(),
            }),
            journal: None,
            seed: 3,
            weather: Weather::default(),
        })
        .expect("the simulator starts");
        let url = stripe.url().to_owned();
        let started = Self::start_on(listener, Clock::System, |config| {
            config.payments.stripe_secret_key = Some(Secret::new("sk_test_site".to_owned()));
            config.payments.stripe_url = url;
            config.payments.stripe_webhook_secrets = vec![Secret::new(SECRET.to_owned())];
            config.payments.simulated = true;
        })
        .await;
        catalogue::seed(&started.ctx).await.expect("the catalogue is there");
        (started, stripe)
    }

    /// Works on what Stripe has told, until it has nothing more to tell.
    pub async fn run_jobs(&self) {
        loop {
            Box::pin(jobs::run_all_queued(&self.ctx)).await.expect("the queue can be worked on");
            // What happened becomes work, once every transaction of this moment is over: other tests' too.
            let relayed = eventually("the outbox is read", async || {
                let relayed = relay::step(&self.ctx).await.expect("the outbox can be read");
                let more = relayed == 0 && relay::is_behind(&self.ctx).await.expect("the outbox can be read");
                (!more).then_some(relayed)
            });
            if relayed.await == 0 {
                return;
            }
        }
    }

    async fn start_at(clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::start_on(listener, clock, change).await
    }

    async fn start_on(listener: TcpListener, clock: Clock, change: impl FnOnce(&mut Config)) -> Self {
        let database = Box::pin(TestDatabase::create()).await;
        let data = tempfile::tempdir().expect("a folder");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let mut config = database.config(data.path());
        config.http.public_url.clone_from(&url);
        change(&mut config);
        let ctx = Context::open(config, clock, Random::System).await.expect("a context");
        search::prepare(&ctx, openapi::document()).await.expect("the index is built");
        let site = server::http::site(&ctx, METRICS.clone()).unwrap_or_else(|error| {
            panic!("{error:#}; `cargo xtask test rust` builds the site's files before these tests")
        });
        let serving =
            tokio::spawn(server::http::accept::serve(listener, site.router, std::future::pending()));
        Self { ctx, url, client: client(), serving, _database: database, _data: data }
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// What a program sends: anything is fine as an answer.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request("GET", path)
    }

    /// What a browser sends when an address is typed or a link followed.
    pub fn visit(&self, path: &str) -> RequestBuilder {
        self.get(path).header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    /// A form of a page of this site.
    pub fn post(&self, path: &str, form: &str) -> RequestBuilder {
        self.request("POST", path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, FORM)
            .body(form.to_owned())
    }

    pub fn cookie_name(&self) -> &'static str {
        session::cookie_name(&self.ctx.config)
    }

    /// An account of this role; its address is the role's name at example.com.
    pub async fn person(&self, role: Role) -> User {
        let email = format!("{}@example.com", role.as_str());
        let new = NewAccount { email: &email, name: "Ada Lovelace", role, password: PASSWORD };
        account::create(&self.ctx, new).await.expect("an account")
    }

    /// A session as signing in makes one, without the form and its limits: its cookie, and who holds it.
    pub async fn session_of(&self, user: &User) -> (String, Caller) {
        let from = account::Client {
            address: "127.0.0.1".to_owned(),
            network: "127.0.0.1".to_owned(),
            country: None,
            device: "A test".to_owned(),
            // Always the same, so that no mail tells of a new one.
            known_device: Some("d".repeat(43)),
            request: RequestId::from_uuid(uuid::Uuid::nil()),
        };
        let opened = sign_in::after_registration(&self.ctx, user, &from).await.expect("signed in");
        let via = Via::Session {
            id: opened.session,
            authenticated_at: Some(self.ctx.clock.now()),
            impersonator: None,
        };
        let caller = Caller::User(Identity { user: user.clone(), via, request: from.request });
        (format!("{}={}", self.cookie_name(), opened.cookie), caller)
    }

    /// Signs in through the form and gives the cookie to send from now on.
    pub async fn sign_in(&self, user: &User) -> String {
        let answer = send(self.post("/sign-in", &credentials(&user.email, PASSWORD))).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        answer.cookie(self.cookie_name()).expect("signing in sets a cookie")
    }
}

impl Drop for TestSite {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn client() -> Client {
    // The client wants a way to speak TLS before it will speak plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .expect("a client")
}

/// The body of the sign-in form.
pub fn credentials(email: &str, password: &str) -> String {
    format!("email={}&password={password}&next=/account", email.replace('@', "%40"))
}

/// A path for a route, with what names nothing in the place of each brace.
pub fn address_of(route: &str) -> String {
    let kind = match route {
        route if route.contains("/sessions/") => "ses",
        route if route.contains("/tokens/") => "tok",
        route if route.contains("/passkeys/") => "psk",
        route if route.contains("/exports/") => "exp",
        route if route.contains("/users/") => "usr",
        route if route.contains("/mail/") => "eml",
        route if route.contains("/orders/") => "ord",
        route if route.contains("/licenses/") => "lic",
        route if route.contains("/invoices/") => "inv",
        route if route.contains("/refunds/") => "rrq",
        route if route.contains("/webhooks/") => "ibx",
        route if route.contains("/ledger/") => "ltx",
        route if route.contains("/prices/") => "prc",
        route if route.contains("/coupons/") => "cpn",
        route if route.contains("/knowledge") => "art",
        _ => "",
    };
    let path = route
        .replace("{slug}", "privacy")
        .replace("{pillar}", "teams")
        .replace("{section}", "docs")
        .replace("{tag}", "licenses")
        .replace("{topic}", "activate")
        .replace("{token}", "nothing")
        .replace("{code}", "pro")
        .replace("{license}", "lic_01h2xcejqtf2nbrexx3vqjhp41")
        .replace("{machine}", "mch_01h2xcejqtf2nbrexx3vqjhp41")
        .replace("{file}", "usr_01h2xcejqtf2nbrexx3vqjhp41.svg");
    let path = if kind.is_empty() {
        path
    } else {
        path.replace("{id}", &format!("{kind}_01h2xcejqtf2nbrexx3vqjhp41"))
    };
    assert!(!path.contains('{'), "{route} has a part that these tests have no value for");
    path
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = Box::pin(request.send()).await.expect("the site answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = Box::pin(response.bytes()).await.expect("the answer has an end");
    Answer { status, headers, body }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// Empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// `name=value`, as it is sent back, when the answer sets this cookie to something.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok()?.split(';').next())
            .find(|pair| pair.strip_prefix(name).is_some_and(|rest| rest.starts_with('=') && rest.len() > 1))
            .map(str::to_owned)
    }

    /// The whole line that sets this cookie, to something or to nothing.
    pub fn set_cookie(&self, name: &str) -> &str {
        let mut lines =
            self.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let is_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        lines.find(is_it).unwrap_or_default()
    }

    /// The problem in the body. Every error for programs has one, with the request's id in it.
    pub fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), problem::CONTENT_TYPE, "{}", self.text());
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert!(problem.request_id.starts_with("req_"), "{}", problem.request_id);
        problem
    }

    pub fn code(&self) -> ProblemCode {
        self.problem().code
    }

    pub fn is_page(&self) -> bool {
        self.header("content-type").starts_with("text/html")
    }
}
