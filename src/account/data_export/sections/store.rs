//! SQL of what goes into an archive: it reads other features' tables and changes none. Only columns that say
//! something to their owner are named, so that a new column with a secret does not get in by itself.

use serde::{Serialize, Serializer};
use serde_json::Value;
use sqlx::PgPool;
use time::{OffsetDateTime, serde::rfc3339};
use uuid::Uuid;

use crate::contract::{
    id::{ExportId, Id, LicenseId, MachineId, OrderId, PasskeyId, SessionId, TokenId, UserId},
    license_key,
};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    #[serde(serialize_with = "as_id::<UserId, _>")]
    id: Uuid,
    email: String,
    name: String,
    role: String,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    updated_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    email_verified_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    password_changed_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    two_factor_since: Option<OffsetDateTime>,
    recovery_codes_left: i64,
    #[serde(with = "rfc3339::option")]
    locked_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    delete_after: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    analytics_consent_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    product_mail_since: Option<OffsetDateTime>,
    /// The address they are changing to.
    new_email: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRow {
    #[serde(serialize_with = "as_id::<SessionId, _>")]
    id: Uuid,
    kind: String,
    device: String,
    address: String,
    country: Option<String>,
    remembered: bool,
    method: String,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    last_seen_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRow {
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    last_used_at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyRow {
    #[serde(serialize_with = "as_id::<PasskeyId, _>")]
    id: Uuid,
    name: String,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRow {
    #[serde(serialize_with = "as_id::<TokenId, _>")]
    id: Uuid,
    name: String,
    hint: String,
    scopes: Vec<String>,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
    last_used_address: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailRow {
    kind: String,
    subject: String,
    to_address: String,
    state: String,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    sent_at: Option<OffsetDateTime>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportRow {
    #[serde(serialize_with = "as_id::<ExportId, _>")]
    id: Uuid,
    #[serde(with = "rfc3339")]
    requested_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    ready_at: Option<OffsetDateTime>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LicenseRow {
    #[serde(serialize_with = "as_id::<LicenseId, _>")]
    id: Uuid,
    #[serde(rename = "key", serialize_with = "masked")]
    key_end: String,
    email: String,
    origin: String,
    #[serde(rename = "order", serialize_with = "as_order")]
    order_id: Option<Uuid>,
    tier: String,
    seats: i32,
    machines_used: i32,
    #[serde(with = "rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    #[serde(with = "rfc3339::option")]
    good_until: Option<OffsetDateTime>,
    suspended: bool,
    revoked: bool,
    #[serde(with = "rfc3339")]
    created_at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineRow {
    #[serde(serialize_with = "as_id::<MachineId, _>")]
    id: Uuid,
    #[serde(rename = "license", serialize_with = "as_id::<LicenseId, _>")]
    license_id: Uuid,
    name: String,
    platform: String,
    /// Only where it is theirs: on several seats there are other people.
    email: Option<String>,
    #[serde(with = "rfc3339")]
    activated_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    last_seen_at: OffsetDateTime,
    #[serde(with = "rfc3339::option")]
    file_until: Option<OffsetDateTime>,
}

#[derive(Debug)]
pub struct AuditRow {
    pub recorded_at: OffsetDateTime,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: Value,
}

fn as_id<I: Id, S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&I::from_uuid(*id))
}

fn as_order<S: Serializer>(id: &Option<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(OrderId::from_uuid).serialize(serializer)
}

fn masked<S: Serializer>(key_end: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&license_key::masked(key_end))
}

pub async fn account(pool: &PgPool, owner: UserId) -> Result<AccountRow, sqlx::Error> {
    sqlx::query_as!(
        AccountRow,
        r#"select a.id, a.email, a.name, a.role, a.created_at, a.updated_at, a.email_verified_at,
                  a.password_changed_at, a.two_factor_since,
                  (select count(*) from recovery_code r where r.account_id = a.id and r.used_at is null)
                      as "recovery_codes_left!",
                  a.locked_at, a.delete_after, a.analytics_consent_at, a.product_mail_since,
                  c.new_email as "new_email?"
           from account a left join email_change c on c.account_id = a.id
           where a.id = $1"#,
        owner.uuid(),
    )
    .fetch_one(pool)
    .await
}

pub async fn sessions(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<SessionRow>, sqlx::Error> {
    sqlx::query_as!(
        SessionRow,
        "select id, kind, device, address, country, remembered, method, created_at, last_seen_at, expires_at
         from session where account_id = $1 order by last_seen_at desc, id limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn devices(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<DeviceRow>, sqlx::Error> {
    sqlx::query_as!(
        DeviceRow,
        "select created_at, last_used_at from known_device
         where account_id = $1 order by last_used_at desc, created_at desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn passkeys(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<PasskeyRow>, sqlx::Error> {
    sqlx::query_as!(
        PasskeyRow,
        "select id, name, created_at, last_used_at from passkey
         where account_id = $1 order by created_at desc, id limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn tokens(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<TokenRow>, sqlx::Error> {
    sqlx::query_as!(
        TokenRow,
        "select id, name, hint, scopes, created_at, expires_at, last_used_at, last_used_address
         from personal_token where account_id = $1 order by created_at desc, id limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

/// What is about their account, whatever address it went to; but what went to an address they want to have only once
/// they have it, because it is sent only where nobody else has an account. And what went to their address about no
/// account: an address is theirs once they have shown that they read it, and may have been somebody else's before the
/// account began.
pub async fn mail(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<MailRow>, sqlx::Error> {
    sqlx::query_as!(
        MailRow,
        "select m.kind, m.subject, m.to_address, m.state, m.created_at, m.sent_at
         from account a join mail_message m on m.account_id = a.id or lower(m.to_address) = lower(a.email)
         where a.id = $1 and case
             when m.account_id is null then m.created_at >= a.created_at and a.email_verified_at is not null
             when m.account_id <> a.id then false
             else m.kind <> 'email_change_new' or lower(m.to_address) = lower(a.email)
         end
         order by m.created_at desc, m.id desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn exports(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<ExportRow>, sqlx::Error> {
    sqlx::query_as!(
        ExportRow,
        "select id, requested_at, ready_at from data_export
         where account_id = $1 order by requested_at desc, id limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn licenses(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<LicenseRow>, sqlx::Error> {
    sqlx::query_as!(
        LicenseRow,
        r#"select id, key_end, email, origin, order_id, tier, seats, machines_used, expires_at, good_until,
                  suspended_by <> '{}' as "suspended!", revoked_by <> '{}' as "revoked!", created_at
           from license where account_id = $1 order by created_at desc, id desc limit $2"#,
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn machines(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<MachineRow>, sqlx::Error> {
    sqlx::query_as!(
        MachineRow,
        r#"select m.id, m.license_id, m.name, m.platform,
                  case when lower(m.email) in (lower(l.email), lower(a.email)) then m.email end as "email?",
                  m.activated_at, m.last_seen_at, m.file_until
           from license l join account a on a.id = l.account_id join license_machine m on m.license_id = l.id
           where l.account_id = $1 order by m.activated_at desc, m.id desc limit $2"#,
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

/// By the person, or about their account.
pub async fn audit(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<AuditRow>, sqlx::Error> {
    sqlx::query_as!(
        AuditRow,
        "select recorded_at, actor_kind, actor_id, action, subject_kind, subject_id, detail from audit_event
         where actor_id = $1 or (subject_kind = 'account' and subject_id = $2)
         order by recorded_at desc, id desc limit $3",
        owner.uuid(),
        owner.to_string(),
        limit,
    )
    .fetch_all(pool)
    .await
}
