//! Errors as clients see them: `application/problem+json` (RFC 9457) with a stable `code`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub const CONTENT_TYPE: &str = "application/problem+json";

/// The stable, machine-readable names of what went wrong. A client decides by these, never by the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    BadRequest,
    MalformedJson,
    Unauthenticated,
    InvalidCredentials,
    TwoFactorRequired,
    InvalidCode,
    RefreshReused,
    Forbidden,
    FreshSignInRequired,
    InsufficientScope,
    ReadOnly,
    CrossSite,
    NotFound,
    MethodNotAllowed,
    Conflict,
    EmailTaken,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidRequest,
    InvalidToken,
    WeakPassword,
    Locked,
    RateLimited,
    Internal,
    Unavailable,
    Timeout,
    IdempotencyKeyReused,
    IdempotencyInProgress,
    InvalidSignature,
    PriceUnavailable,
    InvalidCoupon,
    InvalidTaxId,
    PaymentFailed,
    PaymentsUnavailable,
    RefundExceedsPayment,
}

impl ProblemCode {
    pub const ALL: [Self; 35] = [
        Self::BadRequest,
        Self::MalformedJson,
        Self::Unauthenticated,
        Self::InvalidCredentials,
        Self::TwoFactorRequired,
        Self::InvalidCode,
        Self::RefreshReused,
        Self::Forbidden,
        Self::FreshSignInRequired,
        Self::InsufficientScope,
        Self::ReadOnly,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::EmailTaken,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidRequest,
        Self::InvalidToken,
        Self::WeakPassword,
        Self::Locked,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
        Self::Timeout,
        Self::IdempotencyKeyReused,
        Self::IdempotencyInProgress,
        Self::InvalidSignature,
        Self::PriceUnavailable,
        Self::InvalidCoupon,
        Self::InvalidTaxId,
        Self::PaymentFailed,
        Self::PaymentsUnavailable,
        Self::RefundExceedsPayment,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::MalformedJson => "malformed_json",
            Self::Unauthenticated => "unauthenticated",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Locked => "locked",
            Self::WeakPassword => "weak_password",
            Self::InvalidToken => "invalid_token",
            Self::EmailTaken => "email_taken",
            Self::ReadOnly => "read_only",
            Self::InsufficientScope => "insufficient_scope",
            Self::FreshSignInRequired => "fresh_sign_in_required",
            Self::RefreshReused => "refresh_reused",
            Self::InvalidCode => "invalid_code",
            Self::TwoFactorRequired => "two_factor_required",
            Self::Forbidden => "forbidden",
            Self::CrossSite => "cross_site",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidRequest => "invalid_request",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::IdempotencyInProgress => "idempotency_in_progress",
            Self::InvalidSignature => "invalid_signature",
            Self::PriceUnavailable => "price_unavailable",
            Self::InvalidCoupon => "invalid_coupon",
            Self::InvalidTaxId => "invalid_tax_id",
            Self::PaymentFailed => "payment_failed",
            Self::PaymentsUnavailable => "payments_unavailable",
            Self::RefundExceedsPayment => "refund_exceeds_payment",
        }
    }

    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::MalformedJson | Self::InvalidSignature => 400,
            Self::Unauthenticated
            | Self::InvalidCredentials
            | Self::TwoFactorRequired
            | Self::InvalidCode
            | Self::RefreshReused => 401,
            Self::Forbidden
            | Self::CrossSite
            | Self::FreshSignInRequired
            | Self::InsufficientScope
            | Self::ReadOnly => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::PaymentFailed => 402,
            Self::Conflict | Self::EmailTaken | Self::IdempotencyInProgress => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidRequest
            | Self::InvalidToken
            | Self::WeakPassword
            | Self::IdempotencyKeyReused
            | Self::PriceUnavailable
            | Self::InvalidCoupon
            | Self::InvalidTaxId
            | Self::RefundExceedsPayment => 422,
            Self::Locked => 423,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::PaymentsUnavailable => 503,
        }
    }

    /// The same for every occurrence of this code, as the RFC wants it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be read",
            Self::MalformedJson => "The body is not valid JSON",
            Self::Unauthenticated => "Sign in first",
            Self::InvalidCredentials => "Address or password is wrong",
            Self::Locked => "The account is locked",
            Self::WeakPassword => "The password is too weak",
            Self::InvalidToken => "The link or token is no longer good",
            Self::EmailTaken => "There is an account with this address",
            Self::ReadOnly => "Looking only",
            Self::InsufficientScope => "The token may not do this",
            Self::FreshSignInRequired => "Sign in again for this",
            Self::RefreshReused => "The refresh token was used before",
            Self::InvalidCode => "The code is wrong",
            Self::TwoFactorRequired => "A code is needed as well",
            Self::Forbidden => "Not allowed",
            Self::CrossSite => "This request came from another site",
            Self::NotFound => "There is nothing at this address",
            Self::MethodNotAllowed => "This address does not take that method",
            Self::Conflict => "Something else changed it first",
            Self::PayloadTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The content type is not supported",
            Self::InvalidRequest => "The request has mistakes",
            Self::RateLimited => "Too many requests",
            Self::Internal => "Something failed on our side",
            Self::Unavailable => "Not available for the moment",
            Self::Timeout => "The request took too long",
            Self::IdempotencyKeyReused => "The idempotency key was used for something else",
            Self::IdempotencyInProgress => "The first request with this key is still under way",
            Self::InvalidSignature => "The signature is not good",
            Self::PriceUnavailable => "This price is not offered",
            Self::InvalidCoupon => "The coupon is not good",
            Self::InvalidTaxId => "The tax number is not right",
            Self::PaymentFailed => "The payment did not go through",
            Self::PaymentsUnavailable => "Payments are not available for the moment",
            Self::RefundExceedsPayment => "More than what is left to refund",
        }
    }
}

/// A mistake at one field of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name as it stands in the request, `seats` or `lines.0.quantity`.
    pub field: String,
    pub code: String,
    pub message: String,
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// An address that explains the code.
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// For people: what happened and what to do.
    pub detail: String,
    pub code: ProblemCode,
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

impl Problem {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("/docs/api#{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            request_id: String::new(),
            errors: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_travels_under_its_stable_name() {
        for code in ProblemCode::ALL {
            let json = serde_json::to_string(&code).expect("a unit variant serialises");
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert!((400..600).contains(&code.status()));
        }
    }
}
