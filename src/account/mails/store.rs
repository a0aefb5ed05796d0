//! SQL of how many mails there were.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::contract::id::UserId;

/// How many mails of other kinds than these an account has had since then.
pub async fn count_but(
    conn: &mut PgConnection,
    account: UserId,
    kinds: &[String],
    since: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from mail_message
           where account_id = $1 and created_at > $2 and kind <> all($3)"#,
        account.uuid(),
        since,
        kinds,
    )
    .fetch_one(conn)
    .await
}
