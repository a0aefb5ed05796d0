//! The starting articles: `content/kb`, brought into the table when the program starts.
//!
//! What always holds: doing it again changes nothing, on however many nodes at once; an article that staff rewrote,
//! published or archived is theirs from then on, and is left alone; and while nodes are replaced one after another, an
//! older program that starts beside a newer one neither takes away nor overwrites what the newer one brought.

use time::{Date, OffsetDateTime, macros::format_description};

use super::{
    ArticleStatus, NewArticle, Stored,
    rules::{self, Starting, Step, steps},
    staff::{self, By},
    store,
};
use crate::{
    content::Document,
    context::Context,
    contract::{id::ArticleId, problem::FieldProblem},
    support::Error,
};

/// The folder under `content/`.
const SECTION: &str = "kb";

/// What a round has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    pub written: usize,
    pub renewed: usize,
    pub retired: usize,
}

/// Brings the starting articles into the table: those that are missing, those that have changed, and out of sight those
/// that are no more. Nothing where a newer program has brought its own.
pub async fn seed(ctx: &Context) -> Result<Seeded, Error> {
    let (ours, starting) = starting(ctx)?;
    let slugs: Vec<String> = starting.iter().map(|article| article.slug.clone()).collect();
    // Most starts find nothing to do, and so take no lock.
    let mut conn = ctx.db.acquire().await?;
    let seen = store::newest_seed(&mut conn).await?;
    let known = store::known(&mut conn, &slugs).await?;
    drop(conn);
    if seen == Some(ours) && steps(&starting, &known).is_empty() {
        return Ok(Seeded::default());
    }
    let mut tx = ctx.db.begin().await?;
    store::lock(&mut tx).await?;
    let seen = store::newest_seed(&mut tx).await?;
    if seen > Some(ours) {
        tracing::warn!(ours, ?seen, "the starting articles stay as a newer program brought them");
        return Ok(Seeded::default());
    }
    store::keep_newest_seed(&mut tx, ours).await?;
    let known = store::known(&mut tx, &slugs).await?;
    let mut seeded = Seeded::default();
    for step in steps(&starting, &known) {
        match step {
            Step::Insert(article) => {
                insert(&mut tx, ctx, article).await?;
                seeded.written += 1;
            }
            Step::Renew(id, article) => {
                renew(&mut tx, ctx, id, article).await?;
                seeded.renewed += 1;
            }
            Step::Retire(id) => {
                retire(&mut tx, ctx, id).await?;
                seeded.retired += 1;
            }
        }
    }
    tx.commit().await?;
    tracing::info!(
        written = seeded.written,
        renewed = seeded.renewed,
        retired = seeded.retired,
        "the starting articles are in the knowledge base"
    );
    Ok(seeded)
}

/// How new the articles of this program are, and the articles.
fn starting(ctx: &Context) -> Result<(i64, Vec<Starting>), Error> {
    let content = ctx.content.now();
    let documents = content.section(SECTION);
    let newest = newest(documents.iter().filter_map(|document| document.updated.as_deref()));
    let now = ctx.clock.now();
    let articles = documents.into_iter().map(|document| read(document, now)).collect::<Result<_, _>>()?;
    Ok((newest, articles))
}

/// The latest of these days as a number: 2026-11-20 is 20261120. It says which of two programs has the newer articles
/// without anybody counting. Of the same day neither is older.
fn newest<'a>(days: impl Iterator<Item = &'a str>) -> i64 {
    let number = |date: Date| {
        i64::from(date.year()) * 10_000 + i64::from(u8::from(date.month())) * 100 + i64::from(date.day())
    };
    days.filter_map(day).map(number).max().unwrap_or(0)
}

fn read(document: &Document, now: OffsetDateTime) -> Result<Starting, Error> {
    let written = NewArticle {
        title: document.title.clone(),
        description: document.description.clone(),
        category: document.group.clone(),
        tags: document.tags.clone(),
        markdown: document.markdown.clone(),
    };
    let text = rules::check(&written).map_err(|problems| Error::Starting {
        slug: document.slug.clone(),
        what: problems.iter().map(in_words).collect::<Vec<_>>().join("; "),
    })?;
    // A day to come is no day on which something was changed.
    let updated = document.updated.as_deref().and_then(day).map(|day| day.midnight().assume_utc());
    let updated = updated.filter(|day| *day <= now);
    Ok(Starting { slug: document.slug.clone(), hash: rules::hash_of(&text), text, updated })
}

fn in_words(problem: &FieldProblem) -> String {
    format!("{}: {}", problem.field, problem.message)
}

fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

async fn insert(conn: &mut sqlx::PgConnection, ctx: &Context, starting: &Starting) -> Result<(), Error> {
    let now = ctx.clock.now();
    let article = Stored {
        id: ArticleId::from_uuid(ctx.random.uuid_v7(now)),
        slug: starting.slug.clone(),
        text: starting.text.clone(),
        status: ArticleStatus::Published,
        version: 1,
        seeded_from: Some(starting.hash.to_vec()),
        created_at: now,
        updated_at: starting.updated.unwrap_or(now),
        published_at: Some(now),
    };
    staff::insert(conn, ctx, By::PROGRAM, &article, "article.written").await
}

async fn renew(
    conn: &mut sqlx::PgConnection,
    ctx: &Context,
    id: ArticleId,
    starting: &Starting,
) -> Result<(), Error> {
    let mut article = store::find(&mut *conn, id).await?.ok_or(Error::NotFound)?;
    let is_other = article.text != starting.text;
    article.status = ArticleStatus::Published;
    article.seeded_from = Some(starting.hash.to_vec());
    if !is_other {
        store::update(conn, &article).await?;
        return staff::tell(conn, ctx, By::PROGRAM, &article, "article.published").await;
    }
    article.text = starting.text.clone();
    article.version += 1;
    article.updated_at = starting.updated.unwrap_or_else(|| ctx.clock.now());
    staff::update(conn, ctx, By::PROGRAM, &article, "article.rewritten").await
}

async fn retire(conn: &mut sqlx::PgConnection, ctx: &Context, id: ArticleId) -> Result<(), Error> {
    let mut article = store::find(&mut *conn, id).await?.ok_or(Error::NotFound)?;
    article.status = ArticleStatus::Archived;
    store::update(conn, &article).await?;
    staff::tell(conn, ctx, By::PROGRAM, &article, "article.archived").await
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_latest_day_says_how_new_articles_are() {
        assert_eq!(newest(["2026-11-20", "2027-01-02", "soon", "2026-12-31"].into_iter()), 20_270_102);
        assert_eq!(newest([].into_iter()), 0);
    }
}
