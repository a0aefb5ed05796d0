//! SQL of accounts.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::SignedIn;
use crate::contract::{
    account::{Role, User},
    id::{SessionId, UserId},
};

struct AccountRow {
    id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: OffsetDateTime,
}

impl AccountRow {
    fn into_user(self) -> User {
        User {
            id: UserId::from_uuid(self.id),
            email: self.email,
            name: self.name,
            // The least of the roles, should a newer version have added one that this one does not know.
            role: Role::parse(&self.role).unwrap_or(Role::Customer),
            created_at: self.created_at,
        }
    }
}

pub async fn insert(conn: &mut PgConnection, user: &User, password_hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into account (id, email, name, role, password_hash, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6)",
        user.id.uuid(),
        user.email,
        user.name,
        user.role.as_str(),
        password_hash,
        user.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn by_email(pool: &PgPool, email: &str) -> Result<Option<(User, String)>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, email, name, role, created_at, password_hash from account where lower(email) = lower($1)",
        email,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| {
        let account = AccountRow {
            id: row.id,
            email: row.email,
            name: row.name,
            role: row.role,
            created_at: row.created_at,
        };
        (account.into_user(), row.password_hash)
    }))
}

pub async fn signed_in(pool: &PgPool, hashes: &[[u8; 32]]) -> Result<Vec<([u8; 32], SignedIn)>, sqlx::Error> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    let rows = sqlx::query!(
        r#"select s.token_hash, s.id as session_id, s.last_seen_at, s.created_at as session_created_at, s.expires_at,
                  a.id, a.email, a.name, a.role, a.created_at
           from session s join account a on a.id = s.account_id
           where s.token_hash = any($1)"#,
        &hashes,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let hash = row.token_hash.try_into().ok()?;
            let account = AccountRow {
                id: row.id,
                email: row.email,
                name: row.name,
                role: row.role,
                created_at: row.created_at,
            };
            let signed_in = SignedIn {
                user: account.into_user(),
                session: SessionId::from_uuid(row.session_id),
                last_seen_at: row.last_seen_at,
                created_at: row.session_created_at,
                expires_at: row.expires_at,
            };
            Some((hash, signed_in))
        })
        .collect())
}

pub async fn count(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from account"#).fetch_one(pool).await
}
