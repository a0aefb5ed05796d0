//! SQL of the index's place.

use sqlx::PgPool;

/// Which database this is: the identifier that its cluster drew when it was made, and its number there. One that was
/// made anew is another one, whatever it is called; a copy of the cluster's files is the same one.
pub async fn database(pool: &PgPool) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select (select system_identifier from pg_control_system()) || ' ' || oid as "database!"
           from pg_database where datname = current_database()"#
    )
    .fetch_one(pool)
    .await
}
