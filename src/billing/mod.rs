//! Buying: what is sold, to whom, for how much, and what became of the money.
//!
//! What always holds: amounts are computed here, never taken from a request; an order, a payment and a document are each
//! written in one transaction with their ledger entries, audit entry, outbox event and jobs; nothing is done on the word
//! of a message from outside, which is only a hint to ask Stripe how things are now; every change at Stripe carries a key
//! made from our ids, so that doing it twice does it once.
//!
//! Locks are taken in this order: account, order, subscription, payment, refund, document series.

pub mod catalogue;
pub mod customer;
pub mod dispute;
pub mod document;
pub mod finance;
pub mod history;
pub mod inbox;
pub mod ledger;
pub mod limits;
pub mod order;
pub mod payment;
pub mod reconcile;
pub mod refund;
pub mod retention;
pub mod rules;
pub mod settle;
pub mod subscription;
pub mod tax_id;

use std::time::Duration;

use crate::{
    account::{self, Denied},
    audit,
    context::Context,
    contract::{money::Money, problem::FieldProblem},
    integration::{stripe, tax},
    jobs, mail,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("what was sent has mistakes")]
    Invalid(Vec<FieldProblem>),
    #[error("there is no such thing, or not for this caller")]
    NotFound,
    /// With what to do, for people.
    #[error("{0}")]
    Conflict(&'static str),
    #[error("this price is not offered")]
    PriceUnavailable,
    /// Why, for people.
    #[error("{0}")]
    InvalidCoupon(&'static str),
    /// Why, for people.
    #[error("{0}")]
    InvalidTaxId(&'static str),
    #[error("no more than {left} is left to refund")]
    RefundExceedsPayment { left: Money },
    /// Why, for people.
    #[error("{0}")]
    Declined(String),
    #[error("payments are not available")]
    PaymentsUnavailable,
    #[error("too many tries")]
    TooManyTries { retry_after: Duration },
    #[error("the sum is too large")]
    TooLarge,
    #[error("what stands in a row of ours cannot be read: {0}")]
    Stored(String),
    #[error("what Stripe sent does not fit: {0}")]
    Unexpected(String),
    #[error("Stripe did not do it")]
    Stripe(#[from] stripe::Error),
    #[error("the tax could not be computed")]
    Tax(#[from] tax::Error),
    #[error("the books do not balance")]
    Ledger(#[from] ledger::Unbalanced),
    #[error("the document cannot be printed")]
    Pdf(#[from] document::PdfError),
    #[error("the account could not be made")]
    Account(#[from] account::Error),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the audit log failed")]
    Audit(#[from] audit::Error),
    #[error("the job could not be queued")]
    Jobs(#[from] jobs::Error),
    #[error("the mail could not be written")]
    Mail(#[from] mail::Error),
    #[error("what was stored cannot be read")]
    Json(#[from] serde_json::Error),
}

/// What reading something at Stripe anew came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Applied,
    NothingToDo,
}

impl Outcome {
    /// Something was done if either did something.
    pub fn or(self, other: Self) -> Self {
        if self == Self::Applied { self } else { other }
    }
}

impl Context {
    /// The payment provider, where there is one.
    pub fn stripe(&self) -> Result<&stripe::Stripe, Error> {
        self.stripe.as_ref().ok_or(Error::PaymentsUnavailable)
    }
}

pub(crate) fn problem(field: &str, code: &str, message: impl Into<String>) -> FieldProblem {
    FieldProblem { field: field.to_owned(), code: code.to_owned(), message: message.into() }
}

/// An audit entry of billing, in the transaction of the change.
pub(crate) async fn note(
    conn: &mut sqlx::PgConnection,
    ctx: &Context,
    by: By,
    action: &'static str,
    subject: (&'static str, String),
    detail: serde_json::Value,
) -> Result<(), Error> {
    let (subject_kind, subject_id) = subject;
    let entry = audit::Entry {
        actor: by.actor,
        action,
        subject_kind,
        subject_id: &subject_id,
        detail,
        request_id: by.request,
    };
    audit::record(conn, ctx, entry).await?;
    Ok(())
}

/// Who does something, and with which request, where there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub actor: audit::Actor,
    pub request: Option<crate::contract::id::RequestId>,
}

impl By {
    /// Done by itself, such as on a message from Stripe.
    pub const SYSTEM: Self = Self { actor: audit::Actor::System, request: None };
}

impl From<&account::Identity> for By {
    fn from(identity: &account::Identity) -> Self {
        Self { actor: identity.actor(), request: Some(identity.request) }
    }
}
