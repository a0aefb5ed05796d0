//! The one way errors leave; `domain` says which error of which feature leaves as what. A handler returns an
//! [`ApiError`]; the answer carries its [`Problem`] until the outermost layer writes it out, as JSON for programs or as
//! a page for people, with the request's id in it.

mod domain;

use std::time::Duration;

use axum::{
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::contract::problem::{FieldProblem, Problem, ProblemCode};

/// Clients that got 503 are asked to come back after so long.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// A request that is under way is answered sooner.
const RETRY_WHEN_DONE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct ApiError {
    // Boxed, because every `Result` of a handler has room for it.
    problem: Box<Problem>,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let retry_after = match code {
            ProblemCode::Unavailable | ProblemCode::PaymentsUnavailable => Some(RETRY_AFTER),
            ProblemCode::IdempotencyInProgress => Some(RETRY_WHEN_DONE),
            _ => None,
        };
        Self { problem: Box::new(Problem::new(code, detail)), retry_after }
    }

    pub fn unauthenticated() -> Self {
        Self::new(ProblemCode::Unauthenticated, "This needs someone signed in. Sign in, then try again.")
    }

    pub fn not_found() -> Self {
        Self::new(ProblemCode::NotFound, "It does not exist, or you may not see it.")
    }

    pub fn invalid(errors: Vec<FieldProblem>) -> Self {
        let detail = "Correct the fields named in `errors`, then send it again.";
        Self::new(ProblemCode::InvalidRequest, detail).with_fields(errors)
    }

    fn with_fields(mut self, errors: Vec<FieldProblem>) -> Self {
        self.problem.errors = errors;
        self
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
        // Every 401 names the way to do better (RFC 9110).
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(*self.problem);
        response
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

/// `Failed to deserialize …: lines[0].quantity: invalid type …` → `lines[0].quantity`. A missing field stands behind the
/// path of what it is missing in. Only what is made of plain characters is passed on.
fn field_of(text: &str) -> String {
    let is_plain = |name: &&str| {
        !name.is_empty()
            && name.len() <= 80
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._[]".contains(c))
    };
    let (_, reason) = text.split_once(": ").unwrap_or_default();
    let path = reason.split(": ").next().filter(is_plain);
    let missing = reason
        .split_once("missing field `")
        .and_then(|(_, name)| name.split_once('`'))
        .map(|(name, _)| name)
        .filter(is_plain);
    path.into_iter().chain(missing).collect::<Vec<_>>().join(".")
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

#[cfg(test)]
mod tests {
    use super::field_of;

    #[test]
    fn the_field_at_fault_is_named_wherever_it_stands() {
        let before = "Failed to deserialize the JSON body into the target type";
        for (reason, field) in [
            ("email: invalid type: integer `5`, expected a string at line 1 column 11", "email"),
            ("missing field `email` at line 1 column 2", "email"),
            ("lines[0]: missing field `quantity` at line 1 column 20", "lines[0].quantity"),
            ("scopes[1]: unknown variant `root`, expected `account:read` at line 1 column 9", "scopes[1]"),
            ("data did not match any variant of untagged enum ResetPassword", ""),
            ("invalid type: integer `5`, expected struct Login at line 1 column 1", ""),
            ("<b>: missing field `<i>` at line 1", ""),
        ] {
            assert_eq!(field_of(&format!("{before}: {reason}")), field, "{reason}");
        }
        assert_eq!(field_of("nothing of the kind"), "");
    }
}
