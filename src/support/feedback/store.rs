//! SQL of what readers say of pages.

use sqlx::PgPool;
use time::{Date, OffsetDateTime};

use super::{Note, PageFigures};

/// One answer about a page.
pub struct Answer<'a> {
    pub path: &'a str,
    pub day: Date,
    pub visitor: &'a [u8; 32],
    pub helpful: bool,
    pub note: Option<&'a str>,
    pub now: OffsetDateTime,
}

/// A note stays until another one takes its place.
pub async fn upsert(pool: &PgPool, answer: &Answer<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into page_feedback as known (path, day, visitor, helpful, note, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint page_feedback_pkey
         do update set helpful = excluded.helpful, note = coalesce(excluded.note, known.note)",
        answer.path,
        answer.day,
        answer.visitor.as_slice(),
        answer.helpful,
        answer.note,
        answer.now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn figures(pool: &PgPool, since: Date, limit: i64) -> Result<Vec<PageFigures>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select path, count(*) filter (where helpful) as "yes!", count(*) filter (where not helpful) as "no!"
           from page_feedback where day >= $1 group by path
           order by count(*) filter (where not helpful) desc, count(*) desc, path limit $2"#,
        since,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let figures = rows.into_iter().map(|row| PageFigures {
        path: row.path,
        yes: row.yes.unsigned_abs(),
        no: row.no.unsigned_abs(),
    });
    Ok(figures.collect())
}

/// How often one page helped, and how often it did not.
pub async fn counts(pool: &PgPool, path: &str, since: Date) -> Result<(u64, u64), sqlx::Error> {
    let row = sqlx::query!(
        r#"select count(*) filter (where helpful) as "yes!", count(*) filter (where not helpful) as "no!"
           from page_feedback where path = $1 and day >= $2"#,
        path,
        since,
    )
    .fetch_one(pool)
    .await?;
    Ok((row.yes.unsigned_abs(), row.no.unsigned_abs()))
}

pub async fn notes(
    pool: &PgPool,
    path: Option<&str>,
    since: Date,
    limit: i64,
) -> Result<Vec<Note>, sqlx::Error> {
    sqlx::query_as!(
        Note,
        r#"select path, day, helpful, note as "text!" from page_feedback
           where note is not null and day >= $2 and ($1::text is null or path = $1)
           order by day desc, created_at desc limit $3"#,
        path,
        since,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn delete_before(pool: &PgPool, day: Date, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from page_feedback where (path, day, visitor) in (
             select path, day, visitor from page_feedback where day < $1 limit $2)",
        day,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
