//! People: who has an account, what they may do, and how an account begins, changes and ends.
//!
//! What always holds: every verb takes a [`Caller`] and asks for a permission, or is one of the few that anybody
//! may call (register, sign in, ask for a reset, use a ticket); a wrong password and an unknown address cannot be
//! told apart, in words or in time; whatever changes is in the audit log.

pub mod administration;
mod choices;
mod closing;
pub mod data_export;
mod email_change;
mod limits;
pub(crate) mod mails;
pub mod passkey;
mod password;
mod permission;
pub mod personal_token;
mod registration;
pub mod rules;
pub mod sign_in;
pub(crate) mod store;
pub mod ticket;
pub mod two_factor;

use std::time::Duration;

use serde_json::Value;
use sqlx::PgConnection;

pub use self::{
    choices::{Choices, Profile, profile, rename, set_choices},
    closing::{AnonymizeAccounts, DeleteArchives, THINK_AGAIN_FOR, keep_account, request_deletion},
    email_change::{
        ChangeEnd, ChangeOutcome, EmailChange, PendingEmail, cancel_email_change, check_email_change,
        confirm_email_change, start_email_change,
    },
    password::{StartReset, change_password, check_reset, finish_reset, start_reset},
    permission::{Caller, Denied, FRESH_FOR, Identity, Permission, Rule, Via},
    registration::{Buyer, NewAccount, count, create, for_buyer, register, send_verification, verify_email},
};
use crate::{
    audit::{self, Actor},
    context::Context,
    contract::{
        id::{RequestId, UserId},
        problem::FieldProblem,
    },
    crypto::PasswordError,
    db, jobs, mail, signing, storage,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("address or password is wrong")]
    InvalidCredentials,
    #[error("a code is needed as well")]
    TwoFactorRequired,
    #[error("the code is wrong")]
    InvalidCode,
    #[error("the account is locked")]
    Locked,
    #[error("too many tries")]
    TooManyTries { retry_after: Duration },
    #[error("what was sent has mistakes")]
    Invalid(Vec<FieldProblem>),
    #[error("there is an account with this address")]
    EmailTaken,
    #[error("the link or token is no longer good")]
    InvalidToken,
    #[error("the refresh token was used before")]
    RefreshReused,
    #[error("there is no such thing, or not for this caller")]
    NotFound,
    /// With what to do, for people.
    #[error("{0}")]
    Conflict(&'static str),
    #[error("too many sign-ins at once")]
    Busy,
    #[error("the password could not be hashed")]
    Hashing,
    #[error("{0}")]
    Internal(&'static str),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the database is away")]
    Unavailable(#[from] db::Unavailable),
    #[error("the audit log failed")]
    Audit(#[from] audit::Error),
    #[error("the mail could not be written")]
    Mail(#[from] mail::Error),
    #[error("the job could not be queued")]
    Queue(#[from] jobs::Error),
    #[error("the object store failed")]
    Storage(#[from] storage::Error),
    #[error("the signing keys failed")]
    Signing(#[from] signing::Error),
    #[error("what was stored cannot be read")]
    Payload(#[from] serde_json::Error),
}

impl Error {
    /// Only the database can fail in what accounts ask of billing.
    pub(crate) fn from_billing(error: crate::billing::Error) -> Self {
        match error {
            crate::billing::Error::Database(error) => Self::Database(error),
            crate::billing::Error::Audit(error) => Self::Audit(error),
            crate::billing::Error::Jobs(error) => Self::Queue(error),
            _ => Self::Internal("what belongs to the account in billing could not be changed with it"),
        }
    }

    /// The same of what accounts ask of licenses.
    pub(crate) fn from_license(error: crate::license::Error) -> Self {
        match error {
            crate::license::Error::Database(error) => Self::Database(error),
            crate::license::Error::Audit(error) => Self::Audit(error),
            _ => Self::Internal("the licenses of the account could not be changed with it"),
        }
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Failed => Self::Hashing,
        }
    }
}

/// Where a request comes from, as far as it can be known.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: String,
    /// The network that one household or office has: what is counted against guessing.
    pub network: String,
    /// Two letters, when a proxy of ours tells it.
    pub country: Option<String>,
    /// The browser and system, or the program, in words.
    pub device: String,
    /// What the device's own cookie says, if it has one.
    pub known_device: Option<String>,
    pub request: RequestId,
}

impl Client {
    /// For people: where it is, as exactly as we know.
    pub fn place(&self) -> String {
        place(self.country.as_deref(), &self.address)
    }
}

/// `DE · 203.0.113.9`, or what is known of it.
pub fn place(country: Option<&str>, address: &str) -> String {
    match (country, address) {
        (Some(country), address) if !address.is_empty() => format!("{country} · {address}"),
        (Some(country), _) => country.to_owned(),
        (None, "") => "An unknown place".to_owned(),
        (None, address) => address.to_owned(),
    }
}

/// An audit entry about an account, in the transaction of the change.
pub(crate) async fn note(
    conn: &mut PgConnection,
    ctx: &Context,
    actor: Actor,
    action: &'static str,
    subject: UserId,
    detail: Value,
    request: Option<RequestId>,
) -> Result<(), Error> {
    let subject_id = subject.to_string();
    let entry = audit::Entry {
        actor,
        action,
        subject_kind: "account",
        subject_id: &subject_id,
        detail,
        request_id: request,
    };
    audit::record(conn, ctx, entry).await?;
    Ok(())
}

pub(crate) fn problem(field: &str, code: &str, message: &str) -> FieldProblem {
    FieldProblem { field: field.to_owned(), code: code.to_owned(), message: message.to_owned() }
}
