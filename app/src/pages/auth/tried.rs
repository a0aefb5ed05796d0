//! How a form was answered the time before, so that the same page can come back and say it.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use devforge::{account::Error, api::error::ApiError, context::Context};

use crate::pages::{
    forms::{self, Mistakes},
    shell::{Page, Visit},
};

/// After how long it is worth trying again when very many sign in at once.
const BUSY_FOR: Duration = Duration::from_secs(5);

/// The default is a form that nobody has sent yet.
#[derive(Clone, Default)]
pub struct Tried {
    pub mistakes: Mistakes,
    /// Where to write when only people can help.
    pub support: Option<String>,
    status: StatusCode,
    /// After how long another try has a chance.
    wait: Option<Duration>,
}

impl Tried {
    pub fn refused(mistakes: Mistakes) -> Self {
        Self { mistakes, status: StatusCode::UNPROCESSABLE_ENTITY, ..Self::default() }
    }

    /// Something is wrong at one field.
    pub fn at(field: &str, message: impl Into<String>) -> Self {
        let mut mistakes = Mistakes::default();
        mistakes.add(field, message);
        Self::refused(mistakes)
    }

    /// Something is wrong with the whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self::refused(Mistakes::general(message))
    }

    /// What a form can say of an error. Everything else passes on.
    pub fn failed(ctx: &Context, error: Error) -> Result<Self, ApiError> {
        let wait = match error {
            Error::TooManyTries { retry_after } => Some(retry_after),
            Error::Busy => Some(BUSY_FOR),
            _ => None,
        };
        let support = matches!(error, Error::Locked).then(|| ctx.config.operator.email.clone());
        let (status, mistakes) = forms::mistakes(error)?;
        Ok(Self { mistakes, support, status, wait })
    }

    pub fn of(&self, field: &str) -> Option<String> {
        self.mistakes.of(field)
    }

    /// Whether the page comes back to someone who has tried.
    pub fn is_refused(&self) -> bool {
        self.status != StatusCode::OK
    }

    /// The page with the status that goes with it.
    pub fn answer(&self, page: Page, visit: &Visit) -> Response {
        let mut response = page.status(self.status).render(visit);
        if let Some(wait) = self.wait {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
