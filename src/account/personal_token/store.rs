//! SQL of personal tokens.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::contract::{
    account::{PersonalToken, Scope},
    id::{TokenId, UserId},
};

/// A token that is good, by its hash.
pub struct Found {
    pub id: TokenId,
    pub owner: UserId,
    pub scopes: Vec<Scope>,
    pub last_used_at: Option<OffsetDateTime>,
}

pub async fn insert(
    conn: &mut PgConnection,
    owner: UserId,
    token: &PersonalToken,
    hash: &[u8; 32],
) -> Result<(), sqlx::Error> {
    let scopes: Vec<String> = token.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into personal_token (id, account_id, name, token_hash, hint, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        token.id.uuid(),
        owner.uuid(),
        token.name,
        hash,
        token.hint,
        &scopes,
        token.created_at,
        token.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn count(conn: &mut PgConnection, owner: UserId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from personal_token where account_id = $1"#,
        owner.uuid()
    )
    .fetch_one(conn)
    .await
}

pub async fn list(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<PersonalToken>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, name, hint, scopes, created_at, expires_at, last_used_at from personal_token
         where account_id = $1 order by created_at desc, id desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| PersonalToken {
            id: TokenId::from_uuid(row.id),
            name: row.name,
            hint: row.hint,
            scopes: known_scopes(&row.scopes),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
        })
        .collect())
}

pub async fn by_hash(
    pool: &PgPool,
    hash: &[u8; 32],
    now: OffsetDateTime,
) -> Result<Option<Found>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, account_id, scopes, last_used_at from personal_token
         where token_hash = $1 and (expires_at is null or expires_at > $2)",
        hash,
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Found {
        id: TokenId::from_uuid(row.id),
        owner: UserId::from_uuid(row.account_id),
        scopes: known_scopes(&row.scopes),
        last_used_at: row.last_used_at,
    }))
}

/// Of several requests at once, one writes.
pub async fn note_use(
    pool: &PgPool,
    id: TokenId,
    address: &str,
    now: OffsetDateTime,
    noted_before: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update personal_token set last_used_at = $2, last_used_address = $3
         where id = $1 and (last_used_at is null or last_used_at <= $4)",
        id.uuid(),
        now,
        address,
        noted_before,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What the token could do, when it was there.
pub async fn delete(
    conn: &mut PgConnection,
    owner: UserId,
    id: TokenId,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    sqlx::query_scalar!(
        "delete from personal_token where id = $1 and account_id = $2 returning scopes",
        id.uuid(),
        owner.uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// A scope that a newer version added allows nothing here.
fn known_scopes(scopes: &[String]) -> Vec<Scope> {
    scopes.iter().filter_map(|scope| Scope::parse(scope)).collect()
}
