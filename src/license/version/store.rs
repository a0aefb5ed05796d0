//! SQL of the versions of the editor.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::Released;

pub async fn insert(
    conn: &mut PgConnection,
    version: &str,
    released_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into license_version as known (version, released_at) values ($1, $2)
         on conflict on constraint license_version_pkey
         do update set released_at = least(known.released_at, excluded.released_at)",
        version,
        released_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn newest(pool: &PgPool, limit: i64) -> Result<Vec<Released>, sqlx::Error> {
    sqlx::query_as!(
        Released,
        "select version, released_at from license_version order by released_at desc, version desc limit $1",
        limit,
    )
    .fetch_all(pool)
    .await
}
