//! SQL of mail and of suppressed addresses.

use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{MailId, MailState, MailSummary, StoredMail, SuppressionReason};

pub struct NewMail<'a> {
    pub id: MailId,
    pub account: Option<Uuid>,
    pub kind: &'a str,
    pub to_address: &'a str,
    pub to_name: Option<&'a str>,
    pub reply_to: Option<&'a str>,
    pub subject: &'a str,
    pub html: &'a str,
    pub text: &'a str,
    pub sensitive: bool,
    pub message_id_header: &'a str,
    pub created_at: OffsetDateTime,
}

pub async fn insert(db: impl PgExecutor<'_>, mail: &NewMail<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mail_message
             (id, account_id, kind, to_address, to_name, subject, html, text, sensitive, state, message_id_header,
              created_at, reply_to)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11, $12)",
        mail.id.uuid(),
        mail.account,
        mail.kind,
        mail.to_address,
        mail.to_name,
        mail.subject,
        mail.html,
        mail.text,
        mail.sensitive,
        mail.message_id_header,
        mail.created_at,
        mail.reply_to,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn find(db: impl PgExecutor<'_>, id: MailId) -> Result<Option<StoredMail>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, kind, to_address, to_name, reply_to, subject, html, text, sensitive, state, attempts, last_error,
                message_id_header, created_at, sent_at
         from mail_message where id = $1",
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(StoredMail {
            id: MailId::from_uuid(row.id),
            kind: row.kind,
            to_address: row.to_address,
            to_name: row.to_name,
            reply_to: row.reply_to,
            subject: row.subject,
            html: row.html,
            text: row.text,
            sensitive: row.sensitive,
            state: state(&row.state)?,
            attempts: row.attempts,
            last_error: row.last_error,
            message_id_header: row.message_id_header,
            created_at: row.created_at,
            sent_at: row.sent_at,
        })
    })
    .transpose()
}

pub async fn recent(db: impl PgExecutor<'_>, limit: i64) -> Result<Vec<MailSummary>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, kind, to_address, subject, state, created_at
         from mail_message order by created_at desc, id desc limit $1",
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(MailSummary {
                id: MailId::from_uuid(row.id),
                kind: row.kind,
                to_address: row.to_address,
                subject: row.subject,
                state: state(&row.state)?,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Counts an attempt that may be followed by another.
pub async fn postponed(db: impl PgExecutor<'_>, id: MailId, error: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mail_message set attempts = attempts + 1, last_error = $2 where id = $1 and state = 'queued'",
        id.uuid(),
        error,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn sent(
    db: impl PgExecutor<'_>,
    id: MailId,
    now: OffsetDateTime,
    keep: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mail_message
         set state = 'sent', sent_at = $2, attempts = attempts + 1, last_error = null,
             html = case when $3 then html end, text = case when $3 then text end,
             reply_to = case when $3 then reply_to end
         where id = $1 and state = 'queued'",
        id.uuid(),
        now,
        keep,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// `to` is a state that is the end of a mail without its being sent.
pub async fn ended(
    db: impl PgExecutor<'_>,
    id: MailId,
    to: MailState,
    error: &str,
    keep: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mail_message
         set state = $2, attempts = attempts + (case when $2 = 'failed' then 1 else 0 end), last_error = $3,
             html = case when $4 then html end, text = case when $4 then text end,
             reply_to = case when $4 then reply_to end
         where id = $1 and state = 'queued'",
        id.uuid(),
        to.as_str(),
        error,
        keep,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes the bodies of at most `limit` mails written before `before`, and says of how many. The subject of what
/// somebody wrote to us names them, and goes as well.
pub async fn purge(db: impl PgExecutor<'_>, before: OffsetDateTime, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "update mail_message
         set html = null, text = null, reply_to = null, subject = case when reply_to is null then subject else '' end
         where id in (
             select id from mail_message where created_at < $1 and html is not null order by created_at limit $2)",
        before,
        limit,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

pub async fn forget(db: impl PgExecutor<'_>, account: Uuid, address: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update mail_message
         set to_address = 'deleted', to_name = null, reply_to = null, subject = '', html = null, text = null,
             last_error = null
         where account_id = $1 or lower(to_address) = $2 or lower(reply_to) = $2",
        account,
        address,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn suppression(db: impl PgExecutor<'_>, address: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select reason from mail_suppression where address = $1", address)
        .fetch_optional(db)
        .await
}

pub async fn suppress(
    db: impl PgExecutor<'_>,
    address: &str,
    reason: SuppressionReason,
    detail: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into mail_suppression (address, reason, detail, created_at) values ($1, $2, $3, $4)
         on conflict (address) do update set reason = excluded.reason, detail = excluded.detail,
             created_at = excluded.created_at",
        address,
        reason.as_str(),
        detail,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn unsuppress(db: impl PgExecutor<'_>, address: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!("delete from mail_suppression where address = $1", address).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// The table's check constraint allows these four and no other.
fn state(text: &str) -> Result<MailState, sqlx::Error> {
    [MailState::Queued, MailState::Sent, MailState::Suppressed, MailState::Failed]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| sqlx::Error::Decode(format!("{text} is no state of a mail").into()))
}
