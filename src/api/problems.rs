//! Problems that many operations share, as the document tells them. Where an operation says more about a status, its
//! own words replace these.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{Content, Ref, RefOr, Response, ResponseBuilder},
};

use crate::contract::problem;

type Responses = BTreeMap<String, RefOr<Response>>;

/// What every operation with a JSON body may answer before its handler begins.
pub(super) struct BodyProblems;

impl IntoResponses for BodyProblems {
    fn responses() -> Responses {
        described(&[
            ("400", "`malformed_json`: the body is not JSON"),
            ("413", "`payload_too_large`: the body is larger than it may be"),
            ("415", "`unsupported_media_type`: the body is not sent as `application/json`"),
            ("422", "`invalid_request`: a field is missing or of another type"),
        ])
    }
}

/// What every operation for people who are signed in may answer.
pub(super) struct CallerProblems;

impl IntoResponses for CallerProblems {
    fn responses() -> Responses {
        described(&[
            ("401", "`unauthenticated`: nobody is signed in, or the token is no longer good"),
            ("403", "`insufficient_scope`: the personal token may not do this"),
        ])
    }
}

/// The same where something is changed, which is not for tokens, nor for staff who look through somebody's eyes.
pub(super) struct ChangeProblems;

impl IntoResponses for ChangeProblems {
    fn responses() -> Responses {
        described(&[
            ("401", "`unauthenticated`: nobody is signed in, or the token is no longer good"),
            (
                "403",
                "`insufficient_scope`: personal tokens cannot do this; `read_only`: an administrator is looking \
                 through somebody's eyes",
            ),
        ])
    }
}

/// The same where it also takes a recent proof of who is there.
pub(super) struct SecureProblems;

impl IntoResponses for SecureProblems {
    fn responses() -> Responses {
        described(&[
            ("401", "`unauthenticated`: nobody is signed in, or the token is no longer good"),
            (
                "403",
                "`fresh_sign_in_required`: the sign-in is more than 15 minutes ago; `insufficient_scope`: personal \
                 tokens cannot do this; `read_only`: an administrator is looking through somebody's eyes",
            ),
        ])
    }
}

/// The same where it is for staff.
pub(super) struct StaffProblems;

impl IntoResponses for StaffProblems {
    fn responses() -> Responses {
        described(&[
            ("401", "`unauthenticated`: nobody is signed in, or the token is no longer good"),
            (
                "403",
                "`forbidden`: the caller's role does not allow it; `fresh_sign_in_required`: the sign-in is more than \
                 15 minutes ago; `insufficient_scope`: personal tokens cannot do this; `read_only`: an administrator \
                 is looking through somebody's eyes",
            ),
        ])
    }
}

/// What operations may answer that whoever has a key may call.
pub(super) struct OpenProblems;

impl IntoResponses for OpenProblems {
    fn responses() -> Responses {
        described(&[
            (
                "429",
                "`rate_limited`: too many requests from one address, or too many keys that nobody has; `Retry-After` \
                 says when to try again",
            ),
            ("503", "`unavailable`: the database cannot be reached; `Retry-After` says when to try again"),
        ])
    }
}

/// What operations that can be used for guessing may answer.
pub(super) struct GuessingProblems;

impl IntoResponses for GuessingProblems {
    fn responses() -> Responses {
        described(&[
            ("429", "`rate_limited`: too many tries; `Retry-After` says when to try again"),
            ("503", "`unavailable`: too many at once; `Retry-After` says when to try again"),
        ])
    }
}

/// What every operation may answer that asks Stripe, or whoever computes the tax.
pub(super) struct ProviderProblems;

impl IntoResponses for ProviderProblems {
    fn responses() -> Responses {
        described(&[(
            "503",
            "`payments_unavailable`: nothing can be bought here, or the payment provider does not answer; nothing was \
             charged, and the same request may be sent again",
        )])
    }
}

fn described(problems: &[(&str, &str)]) -> Responses {
    let described = problems.iter().map(|(status, description)| {
        let body = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new().description(*description).content(problem::CONTENT_TYPE, body);
        ((*status).to_owned(), RefOr::T(response.build()))
    });
    described.collect()
}
