//! Writing to whoever runs the site, through its form. Nobody needs an account for it.
//!
//! What always holds: a message becomes one mail to the operator's address, and that mail is all that is kept of what was
//! written; the audit log says that one came and what it was about; nothing typed becomes a header or markup.

mod rules;

use std::time::Duration;

use serde_json::json;

pub use self::rules::{Letter, MAX_MESSAGE_CHARS, Topic, Written};
use crate::{
    account::{Caller, Client, Denied},
    audit,
    context::Context,
    contract::problem::FieldProblem,
    crypto::Purpose,
    mail::{self, MailId, Recipient},
    rate_limit::{self, Limit, Verdict},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// So many that an office behind one address can use the form, and so few that nobody fills a mailbox with it.
const FROM_A_NETWORK: Limit = Limit { name: "contact_network", times: 10, per: DAY };
/// From everywhere: what whoever reads them can be asked to read.
const ALTOGETHER: Limit = Limit { name: "contact_all", times: 500, per: DAY };

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is nobody to write to.
    #[error("the operator of this site has no address that mail can be sent to")]
    NoAddress,
    #[error("what was sent has mistakes")]
    Invalid(Vec<FieldProblem>),
    #[error("the field that nobody sees was filled in")]
    Trapped,
    #[error("too many messages")]
    TooManyTries { retry_after: Duration },
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the audit log failed")]
    Audit(#[from] audit::Error),
    #[error("the mail could not be written")]
    Mail(#[from] mail::Error),
}

/// Where messages go. None where the operator has not set an address, or one that mail cannot be sent to.
pub fn address(ctx: &Context) -> Option<&str> {
    Some(ctx.config.operator.email.as_str()).filter(|address| mail::accepts(address))
}

/// Passes a message on as a mail, which an answer goes back from to whoever wrote it. Anybody may; but not somebody who
/// looks through another's eyes, because it would be in that person's name.
pub async fn write(
    ctx: &Context,
    caller: &Caller,
    client: &Client,
    written: &Written,
) -> Result<MailId, Error> {
    if caller.identity().is_some_and(|identity| identity.impersonator().is_some()) {
        return Err(Denied::ReadOnly.into());
    }
    let to = Recipient::new(address(ctx).ok_or(Error::NoAddress)?, &ctx.config.operator.name);
    let letter = rules::read(written).map_err(Error::Invalid)?;
    if !written.trap.is_empty() {
        return Err(Error::Trapped);
    }
    take(ctx, FROM_A_NETWORK, &client.network).await?;
    take(ctx, ALTOGETHER, "").await?;

    let account = caller.user();
    let message = letter.to_mail(account.map(|user| user.email.as_str()));
    let mut tx = ctx.db.begin().await?;
    let mail = match account {
        Some(user) => mail::send_to_account(&mut tx, ctx, user.id, &to, "contact", &message).await?,
        None => mail::send(&mut tx, ctx, &to, "contact", &message).await?,
    };
    let subject_id = mail.to_string();
    let entry = audit::Entry {
        actor: caller.actor(),
        action: "contact.written",
        subject_kind: "mail",
        subject_id: &subject_id,
        detail: json!({ "topic": letter.topic.as_str() }),
        request_id: Some(client.request),
    };
    audit::record(&mut tx, ctx, entry).await?;
    tx.commit().await?;
    Ok(mail)
}

async fn take(ctx: &Context, limit: Limit, who: &str) -> Result<(), Error> {
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, who.as_bytes());
    match rate_limit::take(ctx, limit, &key).await? {
        Verdict::Go => Ok(()),
        Verdict::Wait(retry_after) => Err(Error::TooManyTries { retry_after }),
    }
}
