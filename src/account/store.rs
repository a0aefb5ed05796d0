//! SQL of accounts and of what is changed with them.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::contract::{
    account::{Role, User},
    id::UserId,
};

/// The columns that say who somebody is, wherever a query finds them.
pub(crate) struct AccountColumns {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    pub email_verified_at: Option<OffsetDateTime>,
    pub two_factor_since: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

impl AccountColumns {
    pub fn into_user(self) -> User {
        let id = UserId::from_uuid(self.id);
        User {
            id,
            email: self.email,
            name: self.name,
            // The least of the roles, should a newer version have added one that this one does not know.
            role: Role::parse(&self.role).unwrap_or(Role::Customer),
            email_verified: self.email_verified_at.is_some(),
            two_factor_enabled: self.two_factor_since.is_some(),
            // On this site, whatever its name is.
            avatar_url: format!("/avatars/{id}.svg"),
            created_at: self.created_at,
        }
    }
}

/// Somebody's account with what only the account's own verbs look at.
#[derive(Clone)]
pub(crate) struct Account {
    pub user: User,
    pub password_hash: Option<String>,
    pub password_changed_at: Option<OffsetDateTime>,
    pub locked_at: Option<OffsetDateTime>,
    pub locked_reason: Option<String>,
    pub delete_after: Option<OffsetDateTime>,
    pub deleted_at: Option<OffsetDateTime>,
    pub analytics_consent_at: Option<OffsetDateTime>,
    pub product_mail_since: Option<OffsetDateTime>,
}

struct AccountRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    email_verified_at: Option<OffsetDateTime>,
    two_factor_since: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    password_hash: Option<String>,
    password_changed_at: Option<OffsetDateTime>,
    locked_at: Option<OffsetDateTime>,
    locked_reason: Option<String>,
    delete_after: Option<OffsetDateTime>,
    deleted_at: Option<OffsetDateTime>,
    analytics_consent_at: Option<OffsetDateTime>,
    product_mail_since: Option<OffsetDateTime>,
}

impl AccountRow {
    fn into_account(self) -> Account {
        let columns = AccountColumns {
            id: self.id,
            email: self.email,
            name: self.name,
            role: self.role,
            email_verified_at: self.email_verified_at,
            two_factor_since: self.two_factor_since,
            created_at: self.created_at,
        };
        Account {
            user: columns.into_user(),
            password_hash: self.password_hash,
            password_changed_at: self.password_changed_at,
            locked_at: self.locked_at,
            locked_reason: self.locked_reason,
            delete_after: self.delete_after,
            deleted_at: self.deleted_at,
            analytics_consent_at: self.analytics_consent_at,
            product_mail_since: self.product_mail_since,
        }
    }
}

pub(crate) async fn by_id(pool: &PgPool, id: UserId) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "select id, email, name, role, email_verified_at, two_factor_since, created_at, password_hash,
                password_changed_at, locked_at, locked_reason, delete_after, deleted_at, analytics_consent_at,
                product_mail_since
         from account where id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(AccountRow::into_account))
}

pub(crate) async fn by_email(pool: &PgPool, email: &str) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "select id, email, name, role, email_verified_at, two_factor_since, created_at, password_hash,
                password_changed_at, locked_at, locked_reason, delete_after, deleted_at, analytics_consent_at,
                product_mail_since
         from account where lower(email) = lower($1)",
        email,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(AccountRow::into_account))
}

/// [`by_email`], as nobody else changes it until the transaction ends.
pub(crate) async fn lock_by_email(
    conn: &mut PgConnection,
    email: &str,
) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "select id, email, name, role, email_verified_at, two_factor_since, created_at, password_hash,
                password_changed_at, locked_at, locked_reason, delete_after, deleted_at, analytics_consent_at,
                product_mail_since
         from account where lower(email) = lower($1) for update",
        email,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(AccountRow::into_account))
}

/// The account as nobody else changes it until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, id: UserId) -> Result<Option<Account>, sqlx::Error> {
    let row = sqlx::query_as!(
        AccountRow,
        "select id, email, name, role, email_verified_at, two_factor_since, created_at, password_hash,
                password_changed_at, locked_at, locked_reason, delete_after, deleted_at, analytics_consent_at,
                product_mail_since
         from account where id = $1 for update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(AccountRow::into_account))
}

pub async fn insert(
    conn: &mut PgConnection,
    user: &User,
    password_hash: &str,
    email_verified_at: Option<OffsetDateTime>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into account (id, email, name, role, password_hash, email_verified_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        user.id.uuid(),
        user.email,
        user.name,
        user.role.as_str(),
        password_hash,
        email_verified_at,
        user.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An account whose owner has yet to set a password. False when there is one with this address.
pub async fn insert_without_password(conn: &mut PgConnection, user: &User) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into account (id, email, name, role, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5) on conflict do nothing",
        user.id.uuid(),
        user.email,
        user.name,
        user.role.as_str(),
        user.created_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn count(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from account"#).fetch_one(pool).await
}

pub async fn set_verified(
    conn: &mut PgConnection,
    id: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set email_verified_at = coalesce(email_verified_at, $2), updated_at = $2 where id = $1",
        id.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_password(
    conn: &mut PgConnection,
    id: UserId,
    password_hash: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set password_hash = $2, password_changed_at = $3, updated_at = $3 where id = $1",
        id.uuid(),
        password_hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_name(
    conn: &mut PgConnection,
    id: UserId,
    name: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("update account set name = $2, updated_at = $3 where id = $1", id.uuid(), name, now)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn set_choices(
    conn: &mut PgConnection,
    id: UserId,
    analytics_consent_at: Option<OffsetDateTime>,
    product_mail_since: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update account set analytics_consent_at = $2, product_mail_since = $3, updated_at = $4 where id = $1",
        id.uuid(),
        analytics_consent_at,
        product_mail_since,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
