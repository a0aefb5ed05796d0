//! The API's router as a program calls it, without the server around it.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderName, Request, StatusCode, header},
};
use devforge::{
    api,
    context::Context,
    contract::{
        account::User,
        problem::{Problem, ProblemCode},
    },
    mail, session,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{PASSWORD, TestApp};

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// What the outermost layer would write out.
    pub(crate) problem: Option<Problem>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status, and the code of the problem when there is one.
    pub(crate) fn outcome(&self) -> (u16, Option<ProblemCode>) {
        (self.status.as_u16(), self.problem.as_ref().map(|problem| problem.code))
    }

    /// A text in the body.
    pub(crate) fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field} in {:?}", self.body)).to_owned()
    }

    /// Field and code of each mistake that the problem names.
    pub(crate) fn mistakes(&self) -> Vec<(String, String)> {
        let problem = self.problem.as_ref().expect("a problem");
        problem.errors.iter().map(|error| (error.field.clone(), error.code.clone())).collect()
    }
}

/// A request about to be sent.
pub(crate) struct Call<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

pub(crate) fn call<'a>(method: &'a str, path: &'a str) -> Call<'a> {
    Call { method, path, headers: Vec::new(), body: Body::empty() }
}

impl Call<'_> {
    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION, format!("Bearer {token}"))
    }

    #[must_use]
    pub(crate) fn text(mut self, body: impl Into<String>) -> Self {
        self.body = Body::from(body.into());
        self
    }

    #[must_use]
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header(header::CONTENT_TYPE, "application/json").text(body.to_string())
    }

    pub(crate) async fn send(self, ctx: &Context) -> Answer {
        let router: Router = api::router().with_state(ctx.clone());
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body).expect("a request");
        let response = router.oneshot(request).await.expect("the router always answers");
        let (mut parts, body) = response.into_parts();
        let body = to_bytes(body, 1_000_000).await.expect("a short body");
        Answer {
            status: parts.status,
            problem: parts.extensions.remove::<Problem>(),
            headers: parts.headers,
            body,
        }
    }
}

pub(crate) async fn get(ctx: &Context, path: &str) -> Answer {
    call("GET", path).send(ctx).await
}

pub(crate) async fn post(ctx: &Context, path: &str, body: &Value) -> Answer {
    call("POST", path).json(body).send(ctx).await
}

/// What a program is signed in with.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self { access: answer.text("token"), refresh: answer.text("refreshToken") }
    }
}

pub(crate) fn credentials(user: &User) -> Value {
    json!({ "email": user.email, "password": PASSWORD })
}

/// Signs somebody in who has the password of all people in tests.
pub(crate) async fn log_in(ctx: &Context, user: &User) -> Tokens {
    let answer = post(ctx, "/api/auth/login", &credentials(user)).await;
    assert_eq!(answer.outcome(), (200, None), "{:?}", answer.problem);
    Tokens::of(&answer)
}

/// Who this token is told to be.
pub(crate) async fn me(ctx: &Context, token: &str) -> Answer {
    call("GET", "/api/auth/me").bearer(token).send(ctx).await
}

/// What follows `before` in the newest mail that holds it: the token in a link.
pub(crate) async fn mailed(app: &TestApp, before: &str) -> Option<String> {
    app.run_jobs().await;
    for summary in mail::recent(&app.ctx, 50).await.expect("listed") {
        let stored = mail::find(&app.ctx, summary.id).await.expect("asked").expect("it is there");
        let text = stored.text.unwrap_or_default();
        if let Some((_, rest)) = text.split_once(before) {
            return rest
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
                .next()
                .map(str::to_owned);
        }
    }
    None
}

/// How many mails of this kind there are.
pub(crate) async fn mails(app: &TestApp, kind: &str) -> usize {
    let recent = mail::recent(&app.ctx, 50).await.expect("listed");
    recent.iter().filter(|mail| mail.kind == kind).count()
}

/// The cookie of a browser that has just signed in.
pub(crate) async fn cookie(app: &TestApp, user: &User) -> String {
    let opened = app.sign_in(user).await;
    format!("theme=dark; {}={}", session::cookie_name(&app.ctx.config), opened.cookie)
}
