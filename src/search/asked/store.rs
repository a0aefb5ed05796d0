//! SQL of what was looked for.

use sqlx::PgPool;
use time::Date;

use super::{Asked, Key, Times, Totals};

/// Nobody makes the table grow without end by asking for nonsense: from here on a day counts only what it knows.
const MOST_A_DAY: i64 = 20_000;

/// Adds to what other nodes, and earlier batches, have counted.
pub async fn add(pool: &PgPool, counted: &[(Key, Times)]) -> Result<(), sqlx::Error> {
    let days: Vec<Date> = counted.iter().map(|(key, _)| key.day).collect();
    let words: Vec<String> = counted.iter().map(|(key, _)| key.words.clone()).collect();
    let times: Vec<i32> = counted.iter().map(|(_, times)| times.asked).collect();
    let nothing: Vec<i32> = counted.iter().map(|(_, times)| times.found_nothing).collect();
    // In one order, so that two nodes that write the same words do not wait for each other in a circle.
    sqlx::query!(
        "insert into search_asked as kept (day, words, times, found_nothing)
         select * from unnest($1::date[], $2::text[], $3::integer[], $4::integer[]) as counted (day, words, times, nothing)
         where exists (select from search_asked known where known.day = counted.day and known.words = counted.words)
            or (select count(*) from search_asked known where known.day = counted.day) < $5
         order by day, words
         on conflict (day, words) do update
         set times = kept.times + excluded.times, found_nothing = kept.found_nothing + excluded.found_nothing",
        &days,
        &words,
        &times,
        &nothing,
        MOST_A_DAY,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn totals(pool: &PgPool, from: Date) -> Result<Totals, sqlx::Error> {
    sqlx::query_as!(
        Totals,
        r#"select coalesce(sum(times), 0) as "asked!", coalesce(sum(found_nothing), 0) as "found_nothing!",
                  count(distinct words) as "different!"
           from search_asked where day >= $1"#,
        from,
    )
    .fetch_one(pool)
    .await
}

/// What was looked for most.
pub async fn most(pool: &PgPool, from: Date, limit: i64) -> Result<Vec<Asked>, sqlx::Error> {
    sqlx::query_as!(
        Asked,
        r#"select words, sum(times) as "times!", sum(found_nothing) as "found_nothing!"
           from search_asked where day >= $1
           group by words order by sum(times) desc, words limit $2"#,
        from,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// What was looked for and not found most.
pub async fn missed(pool: &PgPool, from: Date, limit: i64) -> Result<Vec<Asked>, sqlx::Error> {
    sqlx::query_as!(
        Asked,
        r#"select words, sum(times) as "times!", sum(found_nothing) as "found_nothing!"
           from search_asked where day >= $1
           group by words having sum(found_nothing) > 0
           order by sum(found_nothing) desc, sum(times) desc, words limit $2"#,
        from,
        limit,
    )
    .fetch_all(pool)
    .await
}

pub async fn delete_before(pool: &PgPool, day: Date, limit: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "delete from search_asked
         where (day, words) in (select day, words from search_asked where day < $1 limit $2)",
        day,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
