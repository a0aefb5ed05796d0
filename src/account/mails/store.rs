//! SQL of how many mails there were.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::contract::id::UserId;

/// How many mails of this kind an account has had since then.
pub async fn count(
    conn: &mut PgConnection,
    account: UserId,
    kind: &str,
    since: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from mail_message
           where account_id = $1 and created_at > $2 and kind = $3"#,
        account.uuid(),
        since,
        kind,
    )
    .fetch_one(conn)
    .await
}
