//! Help: the articles of the knowledge base, and what readers say of pages.
//!
//! What always holds: readers are shown published articles and nothing else of the knowledge base; who answered
//! whether a page helped cannot be told from what is kept.

pub mod feedback;
pub mod knowledge;

use std::time::Duration;

use crate::{account::Denied, audit, contract::problem::FieldProblem, search};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("what was sent has mistakes")]
    Invalid(Vec<FieldProblem>),
    #[error("there is no such article or page, or not for this caller")]
    NotFound,
    /// With what to do, for people.
    #[error("{0}")]
    Conflict(&'static str),
    #[error("too many tries")]
    TooManyTries { retry_after: Duration },
    #[error("the search failed")]
    Search(#[from] search::Error),
    #[error("what stands in a row of ours cannot be read: {0}")]
    Stored(String),
    #[error("content/kb/{slug}.md is no article: {what}")]
    Starting { slug: String, what: String },
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the audit log failed")]
    Audit(#[from] audit::Error),
}

fn problem(field: &str, code: &str, message: impl Into<String>) -> FieldProblem {
    FieldProblem { field: field.to_owned(), code: code.to_owned(), message: message.into() }
}
