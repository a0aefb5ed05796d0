//! The one way errors leave. A handler returns an [`ApiError`]; the answer carries its [`Problem`] until the
//! outermost layer writes it out, as JSON for programs or as a page for people, with the request's id in it.

use std::time::Duration;

use axum::{
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    account, audit,
    contract::problem::{FieldProblem, Problem, ProblemCode},
    db, rate_limit, search,
};

/// Clients that got 503 are asked to come back after so long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct ApiError {
    // Boxed, because every `Result` of a handler has room for it.
    problem: Box<Problem>,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let retry_after = (code == ProblemCode::Unavailable).then_some(RETRY_AFTER);
        Self { problem: Box::new(Problem::new(code, detail)), retry_after }
    }

    pub fn unauthenticated() -> Self {
        Self::new(ProblemCode::Unauthenticated, "This needs someone signed in. Sign in, then try again.")
    }

    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "It does not exist, or you may not see it.")
    }

    pub fn invalid(errors: Vec<FieldProblem>) -> Self {
        let mut error = Self::new(
            ProblemCode::InvalidRequest,
            "Correct the fields named in `errors`, then send it again.",
        );
        error.problem.errors = errors;
        error
    }

    pub fn rate_limited(wait: Duration) -> Self {
        let seconds = wait.as_secs().max(1);
        let mut error =
            Self::new(ProblemCode::RateLimited, format!("Wait {seconds} seconds, then try again."));
        error.retry_after = Some(wait);
        error
    }

    pub fn unavailable() -> Self {
        Self::new(
            ProblemCode::Unavailable,
            "The database cannot be reached for the moment. Try again in a few seconds.",
        )
    }

    /// Logs the whole chain of causes; the client is told nothing of it.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        tracing::error!(error = chain, "a request failed");
        Self::new(ProblemCode::Internal, "It is not your doing. Try again, or send us the request id.")
    }

    pub fn code(&self) -> ProblemCode {
        self.problem.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if self.problem.code == ProblemCode::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(*self.problem);
        response
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if db::is_unavailable(&error) {
            tracing::warn!(error = %error, "the database is away");
            return Self::unavailable();
        }
        Self::internal(&error)
    }
}

impl From<db::Unavailable> for ApiError {
    fn from(_: db::Unavailable) -> Self {
        Self::unavailable()
    }
}

impl From<audit::Error> for ApiError {
    fn from(error: audit::Error) -> Self {
        match error {
            audit::Error::Database(error) => error.into(),
            audit::Error::Broken { .. } => Self::internal(&error),
        }
    }
}

impl From<account::Error> for ApiError {
    fn from(error: account::Error) -> Self {
        match error {
            account::Error::InvalidCredentials => {
                Self::new(ProblemCode::InvalidCredentials, "Check both, or reset the password.")
            }
            account::Error::TooManyTries { retry_after } => Self::rate_limited(retry_after),
            account::Error::Invalid(errors) => Self::invalid(errors),
            account::Error::EmailTaken => {
                Self::new(ProblemCode::Conflict, "There is an account with this address.")
            }
            account::Error::Busy => Self::new(
                ProblemCode::Unavailable,
                "Very many people are signing in. Try again in a few seconds.",
            ),
            account::Error::Database(error) => error.into(),
            account::Error::Audit(error) => error.into(),
            account::Error::Hashing => Self::internal(&error),
        }
    }
}

impl From<search::Error> for ApiError {
    fn from(error: search::Error) -> Self {
        match error {
            search::Error::NotReady => Self::new(
                ProblemCode::Unavailable,
                "The search index is being built. Try again in a few seconds.",
            ),
            other => Self::internal(&other),
        }
    }
}

impl From<rate_limit::Verdict> for Result<(), ApiError> {
    fn from(verdict: rate_limit::Verdict) -> Self {
        match verdict {
            rate_limit::Verdict::Go => Ok(()),
            rate_limit::Verdict::Wait(wait) => Err(ApiError::rate_limited(wait)),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection {
            JsonRejection::MissingJsonContentType(_) => Self::new(
                ProblemCode::UnsupportedMediaType,
                "Send the body as `Content-Type: application/json`.",
            ),
            JsonRejection::JsonSyntaxError(_) => Self::new(
                ProblemCode::MalformedJson,
                "The body ends early or has a character that JSON does not allow there.",
            ),
            JsonRejection::JsonDataError(error) => {
                let path = field_of(&error.body_text());
                Self::invalid(vec![FieldProblem {
                    field: path,
                    code: "invalid".to_owned(),
                    message: "It is missing, of another type, or not one of the values allowed here."
                        .to_owned(),
                }])
            }
            other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => Self::new(ProblemCode::BadRequest, "The body could not be read to its end."),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(_: QueryRejection) -> Self {
        Self::new(
            ProblemCode::InvalidRequest,
            "A parameter in the query is missing or of another type than it should be.",
        )
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::not_found()
    }
}

fn too_large() -> ApiError {
    ApiError::new(ProblemCode::PayloadTooLarge, "Send less in one request.")
}

/// `Failed to deserialize …: lines[0].quantity: invalid type …` → `lines[0].quantity`. Only a path made of
/// plain characters is passed on.
fn field_of(text: &str) -> String {
    text.split(": ")
        .nth(1)
        .filter(|path| {
            path.len() <= 80 && path.chars().all(|c| c.is_ascii_alphanumeric() || "._[]".contains(c))
        })
        .unwrap_or_default()
        .to_owned()
}

/// Statuses that axum and tower answer by themselves, put into our words.
pub fn problem_for_status(status: StatusCode) -> Problem {
    let error = match status {
        StatusCode::NOT_FOUND => ApiError::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            ApiError::new(ProblemCode::MethodNotAllowed, "See the `Allow` header for the methods it takes.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(ProblemCode::UnsupportedMediaType, "Send it in a format that this address takes.")
        }
        StatusCode::UNPROCESSABLE_ENTITY => ApiError::new(
            ProblemCode::InvalidRequest,
            "A field is missing or of another type than it should be.",
        ),
        StatusCode::REQUEST_TIMEOUT => {
            ApiError::new(ProblemCode::Timeout, "The body took too long to arrive. Send it again.")
        }
        StatusCode::SERVICE_UNAVAILABLE => ApiError::unavailable(),
        status if status.is_client_error() => {
            ApiError::new(ProblemCode::BadRequest, "Compare the request with the API reference.")
        }
        _ => ApiError::new(
            ProblemCode::Internal,
            "It is not your doing. Try again, or send us the request id.",
        ),
    };
    *error.problem
}

pub(super) async fn no_such_endpoint() -> ApiError {
    ApiError::new(ProblemCode::NotFound, "The API has no such endpoint; `/docs/api` lists them.")
}
