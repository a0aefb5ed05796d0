//! Mail: written in the caller's transaction, sent by a job, remembered for a while.
//!
//! What always holds: a mail exists if, and only if, what it tells about was committed; every attempt to send
//! it carries the same Message-ID; nothing is sent to an address that is suppressed; nothing that people
//! typed can become a header or markup. Without an SMTP server, mail stays in the table and is read at
//! `/dev/mail`.

mod jobs;
mod store;
mod template;
mod transport;

use sqlx::PgConnection;
use time::OffsetDateTime;

pub use self::{
    jobs::{KEEP_BODIES, PurgeMail, SendMail},
    template::{Message, Rendered},
    transport::Mailer,
};
pub use crate::contract::id::MailId;
use crate::{context::Context, contract::id::UserId};

/// RFC 5321 allows no longer path.
const ADDRESS_BYTES: usize = 254;

/// The most rows a list gives.
const MAX_LIST: i64 = 200;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the address cannot receive mail")]
    Address,
    #[error("the sender has to be written as Name <name@host>")]
    Sender,
    #[error("the URL of the mail server cannot be used")]
    Url(#[source] lettre::transport::smtp::Error),
    #[error("the mail server does not answer as it should")]
    Server(#[source] lettre::transport::smtp::Error),
    #[error("the mail server does not answer in time")]
    Timeout,
    #[error("mail cannot be stored or read")]
    Db(#[from] sqlx::Error),
    #[error("the mail cannot be queued")]
    Queue(#[from] crate::jobs::Error),
}

/// Who a mail is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub address: String,
    pub name: Option<String>,
}

impl Recipient {
    pub fn new(address: impl Into<String>, name: impl Into<String>) -> Self {
        Self { address: address.into(), name: Some(name.into()) }
    }

    /// For people of whom the address is all we know.
    pub fn nameless(address: impl Into<String>) -> Self {
        Self { address: address.into(), name: None }
    }
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    Queued,
    Sent,
    /// The address had refused mail before, or its owner had.
    Suppressed,
    /// The server will never take it.
    Failed,
}

impl MailState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Suppressed => "suppressed",
            Self::Failed => "failed",
        }
    }
}

/// Why nothing is sent to an address any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionReason {
    Bounced,
    Complained,
    Unsubscribed,
}

impl SuppressionReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Unsubscribed => "unsubscribed",
        }
    }
}

/// A mail as a list shows it.
#[derive(Debug, Clone)]
pub struct MailSummary {
    pub id: MailId,
    pub kind: String,
    pub to_address: String,
    pub subject: String,
    pub state: MailState,
    pub created_at: OffsetDateTime,
}

/// A mail with all that is known of it. The bodies go after a time, or at once when they are sensitive.
#[derive(Debug, Clone)]
pub struct StoredMail {
    pub id: MailId,
    pub kind: String,
    pub to_address: String,
    pub to_name: Option<String>,
    /// Whom an answer goes to, where that is not the sender. Forgotten with the bodies.
    pub reply_to: Option<String>,
    pub subject: String,
    pub html: Option<String>,
    pub text: Option<String>,
    pub sensitive: bool,
    pub state: MailState,
    pub attempts: i32,
    pub last_error: Option<String>,
    pub message_id_header: String,
    pub created_at: OffsetDateTime,
    pub sent_at: Option<OffsetDateTime>,
}

/// Writes a mail and queues its sending, both in the caller's transaction. `kind` names the occasion, like
/// `password_reset`. For mail that is about no account; the other is [`send_to_account`].
pub async fn send(
    conn: &mut PgConnection,
    ctx: &Context,
    to: &Recipient,
    kind: &'static str,
    message: &Message,
) -> Result<MailId, Error> {
    write(conn, ctx, None, to, kind, message).await
}

/// [`send`] for mail that is about an account, whatever address it goes to: it is forgotten with that account.
pub async fn send_to_account(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
    to: &Recipient,
    kind: &'static str,
    message: &Message,
) -> Result<MailId, Error> {
    write(conn, ctx, Some(account), to, kind, message).await
}

async fn write(
    conn: &mut PgConnection,
    ctx: &Context,
    account: Option<UserId>,
    to: &Recipient,
    kind: &'static str,
    message: &Message,
) -> Result<MailId, Error> {
    let address = to.address.trim();
    if !accepts(address) {
        return Err(Error::Address);
    }
    let reply_to = message.answers_go_to();
    if reply_to.is_some_and(|address| !accepts(address)) {
        return Err(Error::Address);
    }
    let name = to.name.as_deref().map(template::one_line).filter(|name| !name.is_empty());
    let Rendered { subject, html, text } = message.render(address);
    let now = ctx.clock.now();
    let id = MailId::from_uuid(ctx.random.uuid_v7(now));
    let mail = store::NewMail {
        id,
        account: account.map(UserId::uuid),
        kind,
        to_address: address,
        to_name: name.as_deref(),
        reply_to,
        subject: &subject,
        html: &html,
        text: &text,
        sensitive: message.is_sensitive(),
        message_id_header: &ctx.mail.message_id(id),
        created_at: now,
    };
    store::insert(&mut *conn, &mail).await?;
    crate::jobs::enqueue(conn, &SendMail { id }).await?;
    Ok(id)
}

/// Whether mail can be written to `address`, as far as its shape tells.
pub fn accepts(address: &str) -> bool {
    address.len() <= ADDRESS_BYTES && address.parse::<lettre::Address>().is_ok()
}

/// Leaves of every mail about `account`, and of every other mail to `address` or written by whoever reads it, that there
/// was one, and when. One that is still queued is not sent.
pub async fn forget(conn: &mut PgConnection, account: UserId, address: &str) -> Result<(), Error> {
    Ok(store::forget(conn, account.uuid(), &key(address)).await?)
}

/// The newest mails.
pub async fn recent(ctx: &Context, limit: i64) -> Result<Vec<MailSummary>, Error> {
    Ok(store::recent(&ctx.db, limit.clamp(1, MAX_LIST)).await?)
}

pub async fn find(ctx: &Context, id: MailId) -> Result<Option<StoredMail>, Error> {
    Ok(store::find(&ctx.db, id).await?)
}

/// Sends nothing to `address` any more. Said again, the newer reason counts.
pub async fn suppress(
    ctx: &Context,
    address: &str,
    reason: SuppressionReason,
    detail: &str,
) -> Result<(), Error> {
    let detail = template::one_line(detail);
    store::suppress(&ctx.db, &key(address), reason, &detail, ctx.clock.now()).await?;
    Ok(())
}

/// Allows mail to `address` again. False when it was allowed already.
pub async fn unsuppress(ctx: &Context, address: &str) -> Result<bool, Error> {
    Ok(store::unsuppress(&ctx.db, &key(address)).await?)
}

/// Addresses are compared without regard to case, as practically every mail server does.
fn key(address: &str) -> String {
    address.trim().to_lowercase()
}
