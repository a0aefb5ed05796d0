//! What the pages with forms have in common: what of an error a form can show, and how.

use axum::http::StatusCode;
use devforge::{account, api::error::ApiError, billing, integration::tax, license};
use leptos::prelude::*;

use crate::components::{ErrorSummary, FormError, Icon};

/// What is wrong with what was sent: with the whole, or field by field.
#[derive(Debug, Clone, Default)]
pub struct Mistakes {
    pub general: Option<String>,
    pub fields: Vec<(String, String)>,
}

impl Mistakes {
    pub fn general(message: impl Into<String>) -> Self {
        Self { general: Some(message.into()), fields: Vec::new() }
    }

    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.fields.push((field.to_owned(), message.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.general.is_none() && self.fields.is_empty()
    }

    /// What is wrong with one field.
    pub fn of(&self, field: &str) -> Option<String> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone())
    }

    /// What needs another look, on top of the form. The focus goes there when the page comes back.
    pub fn summary(&self) -> Option<AnyView> {
        if let Some(message) = self.general.clone() {
            return Some(
                view! {
                    <div class="error-summary" role="group" aria-labelledby="whole-form" tabindex="-1" autofocus>
                        <Icon name="bad"/>
                        <h2 id="whole-form">{message}</h2>
                    </div>
                }
                .into_any(),
            );
        }
        let errors: Vec<FormError> = self
            .fields
            .iter()
            .map(|(field, message)| FormError { field: field.clone(), message: message.clone() })
            .collect();
        (!errors.is_empty()).then(|| view! { <ErrorSummary errors=errors/> }.into_any())
    }
}

/// What of an error a form can show, and the status of the page that shows it. Everything else passes on.
pub fn mistakes(error: account::Error) -> Result<(StatusCode, Mistakes), ApiError> {
    use account::Error;
    let general = |status, message: &str| Ok((status, Mistakes::general(message)));
    match error {
        Error::Invalid(problems) => {
            let fields = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Mistakes { general: None, fields }))
        }
        Error::InvalidCredentials => general(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Address or password is wrong. Check both, then try again.",
        ),
        Error::InvalidCode => general(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The code is wrong or was used before. Wait for the next one, then try again.",
        ),
        Error::InvalidToken => general(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This link was used before or is too old. Ask for a new one.",
        ),
        Error::EmailTaken => general(StatusCode::CONFLICT, "There is an account with this address."),
        Error::Locked => {
            general(StatusCode::LOCKED, "This account is locked. Write to support to have it opened.")
        }
        Error::Conflict(what) => general(StatusCode::CONFLICT, what),
        Error::Busy => general(
            StatusCode::SERVICE_UNAVAILABLE,
            "Very many people are signing in at the moment. Try again in a few seconds.",
        ),
        Error::TooManyTries { retry_after } => {
            let words =
                format!("Too many tries. Wait {}, then try again.", wait_in_words(retry_after.as_secs()));
            general(StatusCode::TOO_MANY_REQUESTS, &words)
        }
        other => Err(other.into()),
    }
}

/// [`mistakes`] of what is bought and paid.
pub fn billing_mistakes(error: billing::Error) -> Result<(StatusCode, Mistakes), ApiError> {
    use billing::Error;
    let general = |status, message: &str| Ok((status, Mistakes::general(message)));
    let at = |field: &str, message: &str| {
        let mut wrong = Mistakes::default();
        wrong.add(field, message);
        Ok((StatusCode::UNPROCESSABLE_ENTITY, wrong))
    };
    if let Error::Stripe(stripe) = &error
        && let Some(mistake) = billing::rules::mistake(stripe)
    {
        return at(&mistake.field, &mistake.message);
    }
    match error {
        Error::Invalid(problems) => {
            let fields = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Mistakes { general: None, fields }))
        }
        Error::InvalidCoupon(why) => at("coupon", why),
        Error::InvalidTaxId(why) => at("taxId", why),
        Error::RefundExceedsPayment { left } => {
            at("amount", &format!("{left} of this payment can still be given back."))
        }
        Error::PriceUnavailable => general(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This is not offered any more. Look at the prices and choose again.",
        ),
        Error::Conflict(what) => general(StatusCode::CONFLICT, what),
        Error::Declined(why) => general(StatusCode::PAYMENT_REQUIRED, &why),
        Error::TooManyTries { retry_after } => {
            let words =
                format!("Too many tries. Wait {}, then try again.", wait_in_words(retry_after.as_secs()));
            general(StatusCode::TOO_MANY_REQUESTS, &words)
        }
        Error::Stripe(error) if error.is_temporary() => general(
            StatusCode::SERVICE_UNAVAILABLE,
            "The payment provider does not answer for the moment. You have not been charged. Send the form again in a minute.",
        ),
        Error::Tax(error) if error.is_temporary() => general(
            StatusCode::SERVICE_UNAVAILABLE,
            "The tax cannot be computed for the moment. You have not been charged. Send the form again in a minute.",
        ),
        Error::Tax(tax::Error::Address(words)) => at("postalCode", words),
        Error::TooLarge => general(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This is more than one payment can carry. Choose fewer seats, or write to us for a quote.",
        ),
        other => Err(other.into()),
    }
}

/// [`mistakes`] of licenses.
pub fn license_mistakes(error: license::Error) -> Result<(StatusCode, Mistakes), ApiError> {
    use license::Error;
    match error {
        Error::Invalid(problems) => {
            let fields = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Mistakes { general: None, fields }))
        }
        Error::Conflict(what) => Ok((StatusCode::CONFLICT, Mistakes::general(what))),
        Error::TooManyTries { retry_after } => {
            let words =
                format!("Too many tries. Wait {}, then try again.", wait_in_words(retry_after.as_secs()));
            Ok((StatusCode::TOO_MANY_REQUESTS, Mistakes::general(words)))
        }
        Error::Account(error) => mistakes(error),
        Error::Billing(error) => billing_mistakes(error),
        other => Err(other.into()),
    }
}

fn wait_in_words(seconds: u64) -> String {
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::wait_in_words;

    #[test]
    fn waits_are_told_in_the_unit_people_would_use() {
        assert_eq!(wait_in_words(1), "a second");
        assert_eq!(wait_in_words(30), "30 seconds");
        assert_eq!(wait_in_words(91), "2 minutes");
        assert_eq!(wait_in_words(900), "15 minutes");
    }
}
