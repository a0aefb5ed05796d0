//! Which error of which feature leaves as which problem. What a client cannot act on leaves as `internal`.

use super::ApiError;
use crate::{
    account::{self, Denied},
    audit, billing,
    contract::problem::{FieldProblem, ProblemCode},
    db,
    integration::tax,
    jobs, license, mail, rate_limit, search, signing, storage, support,
};

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
            other => Self::internal(&other),
        }
    }
}

impl From<jobs::Error> for ApiError {
    fn from(error: jobs::Error) -> Self {
        match error {
            jobs::Error::Database(error) => error.into(),
            other @ jobs::Error::Payload(_) => Self::internal(&other),
        }
    }
}

impl From<mail::Error> for ApiError {
    fn from(error: mail::Error) -> Self {
        match error {
            mail::Error::Db(error) => error.into(),
            mail::Error::Queue(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<storage::Error> for ApiError {
    fn from(error: storage::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<signing::Error> for ApiError {
    fn from(error: signing::Error) -> Self {
        match error {
            signing::Error::Database(error) => error.into(),
            signing::Error::Audit(error) => error.into(),
            other => Self::internal(&other),
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

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthenticated => Self::unauthenticated(),
            Denied::Forbidden => {
                Self::new(ProblemCode::Forbidden, "Your role does not allow this. Ask an administrator.")
            }
            Denied::Scope(Some(scope)) => Self::new(
                ProblemCode::InsufficientScope,
                format!("Use a token with the scope `{}`: {}.", scope.as_str(), scope.label().to_lowercase()),
            ),
            Denied::Scope(None) => {
                Self::new(ProblemCode::InsufficientScope, "Personal tokens cannot do this. Sign in for it.")
            }
            Denied::ReadOnly => Self::new(
                ProblemCode::ReadOnly,
                "Looking through somebody's eyes changes nothing. Stop looking, then do it as yourself.",
            ),
            Denied::NotFresh => Self::new(
                ProblemCode::FreshSignInRequired,
                "Sign in again, then repeat this within 15 minutes.",
            ),
        }
    }
}

impl From<account::Error> for ApiError {
    fn from(error: account::Error) -> Self {
        use account::Error;
        match error {
            Error::Denied(denied) => denied.into(),
            Error::InvalidCredentials => {
                Self::new(ProblemCode::InvalidCredentials, "Check both, or reset the password.")
            }
            Error::TwoFactorRequired => Self::new(
                ProblemCode::TwoFactorRequired,
                "Send the code of the authenticator app, or a recovery code, as `code`.",
            ),
            Error::InvalidCode => Self::new(
                ProblemCode::InvalidCode,
                "It is wrong, or was used before. Wait for the next one, then try again.",
            ),
            Error::Locked => Self::new(ProblemCode::Locked, "Write to support to have it opened."),
            Error::TooManyTries { retry_after } => Self::rate_limited(retry_after),
            Error::Invalid(errors) => {
                let only_weak = !errors.is_empty()
                    && errors.iter().all(|error| error.code == ProblemCode::WeakPassword.as_str());
                if only_weak {
                    let detail = "Choose one that is longer or harder to guess; `errors` says why.";
                    Self::new(ProblemCode::WeakPassword, detail).with_fields(errors)
                } else {
                    Self::invalid(errors)
                }
            }
            Error::EmailTaken => {
                Self::new(ProblemCode::EmailTaken, "Sign in with it, or reset its password.")
            }
            Error::InvalidToken => {
                Self::new(ProblemCode::InvalidToken, "It was used before, or is too old. Ask for a new one.")
            }
            Error::RefreshReused => Self::new(
                ProblemCode::RefreshReused,
                "Somebody may have a copy of it, so its session has ended. Sign in again.",
            ),
            Error::NotFound => Self::not_found(),
            Error::Conflict(what_to_do) => Self::new(ProblemCode::Conflict, what_to_do),
            Error::Busy => Self::new(
                ProblemCode::Unavailable,
                "Very many people are signing in. Try again in a few seconds.",
            ),
            Error::Database(error) => error.into(),
            Error::Unavailable(error) => error.into(),
            Error::Audit(error) => error.into(),
            Error::Mail(error) => error.into(),
            Error::Queue(error) => error.into(),
            Error::Storage(error) => error.into(),
            Error::Signing(error) => error.into(),
            Error::Hashing | Error::Internal(_) | Error::Payload(_) => Self::internal(&error),
        }
    }
}

impl From<billing::Error> for ApiError {
    fn from(error: billing::Error) -> Self {
        use billing::Error;
        if let Error::Stripe(stripe) = &error
            && let Some(mistake) = billing::rules::mistake(stripe)
        {
            return Self::invalid(vec![mistake]);
        }
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::NotFound => Self::not_found(),
            Error::Conflict(what_to_do) => Self::new(ProblemCode::Conflict, what_to_do),
            Error::PriceUnavailable => Self::new(
                ProblemCode::PriceUnavailable,
                "Ask for the pricing again, and choose from what is offered now.",
            ),
            Error::InvalidCoupon(why) => Self::new(ProblemCode::InvalidCoupon, why),
            Error::InvalidTaxId(why) => Self::new(ProblemCode::InvalidTaxId, why),
            Error::RefundExceedsPayment { left } => Self::new(
                ProblemCode::RefundExceedsPayment,
                format!("{left} of this payment can still be given back."),
            ),
            Error::Declined(why) => Self::new(ProblemCode::PaymentFailed, why),
            Error::TooLarge => Self::new(ProblemCode::InvalidRequest, "The sum is too large for one order."),
            Error::TooManyTries { retry_after } => Self::rate_limited(retry_after),
            Error::Account(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Audit(error) => error.into(),
            Error::Jobs(error) => error.into(),
            Error::Mail(error) => error.into(),
            Error::PaymentsUnavailable => {
                Self::new(ProblemCode::PaymentsUnavailable, "Nothing can be bought on this installation.")
            }
            Error::Stripe(ref stripe) if stripe.is_temporary() => {
                tracing::warn!(error = %stripe, "Stripe is away");
                provider_away()
            }
            Error::Tax(ref tax) if tax.is_temporary() => {
                tracing::warn!(error = %tax, "the tax cannot be computed for the moment");
                provider_away()
            }
            Error::Tax(tax::Error::Address(words)) => Self::invalid(vec![FieldProblem {
                field: "address".to_owned(),
                code: "invalid_address".to_owned(),
                message: words.to_string(),
            }]),
            Error::Stripe(_)
            | Error::Tax(_)
            | Error::Stored(_)
            | Error::Unexpected(_)
            | Error::Ledger(_)
            | Error::Pdf(_)
            | Error::Json(_) => Self::internal(&error),
        }
    }
}

impl From<license::Error> for ApiError {
    fn from(error: license::Error) -> Self {
        use license::Error;
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::NotFound => Self::not_found(),
            Error::Conflict(what_to_do) => Self::new(ProblemCode::Conflict, what_to_do),
            Error::TooManyTries { retry_after } => Self::rate_limited(retry_after),
            Error::Unavailable(error) => error.into(),
            Error::Billing(error) => error.into(),
            Error::Signing(error) => error.into(),
            Error::Account(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Audit(error) => error.into(),
            Error::Jobs(error) => error.into(),
            Error::Mail(error) => error.into(),
            Error::Stored(_) | Error::Json(_) => Self::internal(&error),
        }
    }
}

impl From<support::Error> for ApiError {
    fn from(error: support::Error) -> Self {
        use support::Error;
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Invalid(errors) => Self::invalid(errors),
            Error::NotFound => Self::not_found(),
            Error::Conflict(what_to_do) => Self::new(ProblemCode::Conflict, what_to_do),
            Error::TooManyTries { retry_after } => Self::rate_limited(retry_after),
            Error::Search(error) => error.into(),
            Error::Database(error) => error.into(),
            Error::Audit(error) => error.into(),
            Error::Stored(_) | Error::Starting { .. } => Self::internal(&error),
        }
    }
}

/// Nothing was lost: the same request, sent again, goes on where this one stopped.
fn provider_away() -> ApiError {
    ApiError::new(
        ProblemCode::PaymentsUnavailable,
        "The payment provider does not answer for the moment. You have not been charged. Try again in a minute.",
    )
}

#[cfg(test)]
mod tests {
    use crate::contract::account::Scope;

    use super::*;

    fn code(error: impl Into<ApiError>) -> ProblemCode {
        error.into().code()
    }

    fn field(name: &str, code: &str) -> FieldProblem {
        FieldProblem { field: name.to_owned(), code: code.to_owned(), message: String::new() }
    }

    #[test]
    fn a_weak_password_is_said_to_be_that_when_nothing_else_is_wrong() {
        let weak = || field("password", "weak_password");
        assert_eq!(code(account::Error::Invalid(vec![weak()])), ProblemCode::WeakPassword);
        let both = vec![field("email", "invalid_email"), weak()];
        assert_eq!(code(account::Error::Invalid(both)), ProblemCode::InvalidRequest);
        assert_eq!(code(account::Error::Invalid(Vec::new())), ProblemCode::InvalidRequest);
    }

    #[test]
    fn a_token_without_the_scope_is_told_which_one() {
        let error = ApiError::from(Denied::Scope(Some(Scope::LicensesRead)));
        assert_eq!(error.code(), ProblemCode::InsufficientScope);
        assert!(error.problem.detail.contains("`licenses:read`"), "{}", error.problem.detail);
        assert_eq!(code(Denied::Scope(None)), ProblemCode::InsufficientScope);
    }

    #[test]
    fn a_database_that_is_away_is_seen_through_every_layer() {
        let away = || sqlx::Error::PoolTimedOut;
        assert_eq!(code(account::Error::Database(away())), ProblemCode::Unavailable);
        assert_eq!(code(account::Error::Queue(jobs::Error::Database(away()))), ProblemCode::Unavailable);
        let queued = mail::Error::Queue(jobs::Error::Database(away()));
        assert_eq!(code(account::Error::Mail(queued)), ProblemCode::Unavailable);
        assert_eq!(code(account::Error::Signing(signing::Error::Database(away()))), ProblemCode::Unavailable);
        assert_eq!(code(license::Error::Database(away())), ProblemCode::Unavailable);
        assert_eq!(code(license::Error::Unavailable(db::Unavailable)), ProblemCode::Unavailable);
        let account = license::Error::Account(account::Error::Database(away()));
        assert_eq!(code(account), ProblemCode::Unavailable);
    }
}
