//! SQL of articles and their versions.

use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ArticleStatus, NewArticle, StaffSummary, StaffVersion, Stored, path_of, rules::Known};
use crate::{
    context::Context,
    contract::{id::ArticleId, knowledge::ArticleSummary},
    support::Error,
};

/// Key of the advisory lock under which articles change.
const LOCK: i64 = 0x6465_7666_0006;

/// Waits for others who change articles; held until the transaction ends.
pub async fn lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(conn).await?;
    Ok(())
}

struct Row {
    id: Uuid,
    slug: String,
    category: String,
    title: String,
    description: String,
    tags: Vec<String>,
    markdown: String,
    status: String,
    version: i32,
    seeded_from: Option<Vec<u8>>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    published_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: ArticleId::from_uuid(row.id),
            slug: row.slug,
            text: NewArticle {
                title: row.title,
                description: row.description,
                category: row.category,
                tags: row.tags,
                markdown: row.markdown,
            },
            status: status(&row.status)?,
            version: row.version.unsigned_abs(),
            seeded_from: row.seeded_from,
            created_at: row.created_at,
            updated_at: row.updated_at,
            published_at: row.published_at,
        })
    }
}

fn status(text: &str) -> Result<ArticleStatus, Error> {
    ArticleStatus::parse(text).ok_or_else(|| Error::Stored(format!("an article with the status {text}")))
}

fn number(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

pub async fn find(db: impl PgExecutor<'_>, id: ArticleId) -> Result<Option<Stored>, Error> {
    let row = sqlx::query_as!(
        Row,
        "select id, slug, category, title, description, tags, markdown, status, version, seeded_from, created_at,
                updated_at, published_at
         from kb_article where id = $1",
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    row.map(Stored::try_from).transpose()
}

pub async fn find_by_slug(pool: &PgPool, slug: &str) -> Result<Option<Stored>, Error> {
    // PostgreSQL takes no NUL, and no address has one.
    if slug.contains('\0') {
        return Ok(None);
    }
    let row = sqlx::query_as!(
        Row,
        "select id, slug, category, title, description, tags, markdown, status, version, seeded_from, created_at,
                updated_at, published_at
         from kb_article where slug = $1",
        slug,
    )
    .fetch_optional(pool)
    .await?;
    row.map(Stored::try_from).transpose()
}

/// A part of what is published, in the order of ids, so that any number of articles is read in bounded parts.
pub async fn published(pool: &PgPool, after: Option<ArticleId>, limit: i64) -> Result<Vec<Stored>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "select id, slug, category, title, description, tags, markdown, status, version, seeded_from, created_at,
                updated_at, published_at
         from kb_article where status = 'published' and ($2::uuid is null or id > $2) order by id limit $1",
        limit,
        after.map(ArticleId::uuid),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Stored::try_from).collect()
}

/// A published article without its text.
pub struct Summary {
    id: Uuid,
    pub slug: String,
    pub category: String,
    pub title: String,
    description: String,
    updated_at: OffsetDateTime,
}

impl Summary {
    pub fn id(&self) -> ArticleId {
        ArticleId::from_uuid(self.id)
    }

    pub fn summary(&self, ctx: &Context, score: f32) -> ArticleSummary {
        ArticleSummary {
            id: self.id(),
            slug: self.slug.clone(),
            title: self.title.clone(),
            excerpt: self.description.clone(),
            url: format!("{}{}", ctx.config.http.public_url, path_of(&self.slug)),
            category: self.category.clone(),
            updated_at: self.updated_at,
            score,
        }
    }
}

/// Those that are published, of one category or of all.
pub async fn summaries(
    pool: &PgPool,
    category: Option<&str>,
    limit: i64,
) -> Result<Vec<Summary>, sqlx::Error> {
    sqlx::query_as!(
        Summary,
        "select id, slug, category, title, description, updated_at from kb_article
         where status = 'published' and ($1::text is null or category = $1)
         order by category, title, id limit $2",
        category,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Those of these addresses that are published.
pub async fn summaries_of(pool: &PgPool, slugs: &[String]) -> Result<Vec<Summary>, sqlx::Error> {
    sqlx::query_as!(
        Summary,
        "select id, slug, category, title, description, updated_at from kb_article
         where status = 'published' and slug = any($1)",
        slugs,
    )
    .fetch_all(pool)
    .await
}

/// Who wrote which version, newest first.
pub async fn versions(pool: &PgPool, id: ArticleId, limit: i64) -> Result<Vec<StaffVersion>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select v.version, v.title, a.name as "author?", v.created_at
           from kb_article_version v left join account a on a.id = v.author_id
           where v.article_id = $1 order by v.version desc limit $2"#,
        id.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    let versions = rows.into_iter().map(|row| StaffVersion {
        version: row.version.unsigned_abs(),
        title: row.title,
        author: row.author,
        created_at: row.created_at,
    });
    Ok(versions.collect())
}

/// Title, description and text of one version.
pub async fn text_of(
    pool: &PgPool,
    id: ArticleId,
    version: u32,
) -> Result<Option<(String, String, String)>, sqlx::Error> {
    let row = sqlx::query!(
        "select title, description, markdown from kb_article_version where article_id = $1 and version = $2",
        id.uuid(),
        number(version),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.title, row.description, row.markdown)))
}

/// What fits, last changed first, and how many there are in all.
pub async fn staff_list(
    pool: &PgPool,
    wanted: Option<&str>,
    patterns: &[String],
    limit: i64,
    offset: i64,
) -> Result<(Vec<StaffSummary>, u64), Error> {
    let total = sqlx::query_scalar!(
        r#"select count(*) as "count!" from kb_article
           where ($1::text is null or status = $1)
             and concat_ws(' ', title, description, category, array_to_string(tags, ' '), markdown) ilike all ($2)"#,
        wanted,
        patterns,
    )
    .fetch_one(pool)
    .await?;
    let rows = sqlx::query!(
        "select id, slug, title, category, status, version, updated_at from kb_article
         where ($1::text is null or status = $1)
           and concat_ws(' ', title, description, category, array_to_string(tags, ' '), markdown) ilike all ($2)
         order by updated_at desc, id desc limit $3 offset $4",
        wanted,
        patterns,
        limit,
        offset,
    )
    .fetch_all(pool)
    .await?;
    let summaries = rows.into_iter().map(|row| {
        Ok(StaffSummary {
            id: ArticleId::from_uuid(row.id),
            slug: row.slug,
            title: row.title,
            category: row.category,
            status: status(&row.status)?,
            version: row.version.unsigned_abs(),
            updated_at: row.updated_at,
        })
    });
    Ok((summaries.collect::<Result<_, Error>>()?, total.unsigned_abs()))
}

/// The address itself and those that begin with it and a hyphen, as far as other articles have them.
pub async fn taken_slugs(
    conn: &mut PgConnection,
    slug: &str,
    except: Option<ArticleId>,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select slug from kb_article
         where (slug = $1 or slug like $1 || '-%') and ($2::uuid is null or id <> $2)",
        slug,
        except.map(ArticleId::uuid),
    )
    .fetch_all(conn)
    .await
}

/// How new the newest starting articles are that a program has brought; none before the first.
pub async fn newest_seed(conn: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar!("select newest from kb_seed").fetch_optional(conn).await
}

pub async fn keep_newest_seed(conn: &mut PgConnection, newest: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into kb_seed (newest) values ($1)
         on conflict (only_row) do update set newest = excluded.newest where kb_seed.newest <> excluded.newest",
        newest,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What may concern the starting articles: those that still are one, and whoever has an address of theirs.
pub async fn known(conn: &mut PgConnection, slugs: &[String]) -> Result<Vec<Known>, Error> {
    let rows = sqlx::query!(
        "select id, slug, status, seeded_from from kb_article where seeded_from is not null or slug = any($1)
         order by slug",
        slugs,
    )
    .fetch_all(conn)
    .await?;
    let known = rows.into_iter().map(|row| {
        Ok(Known {
            id: ArticleId::from_uuid(row.id),
            slug: row.slug,
            status: status(&row.status)?,
            seeded_from: row.seeded_from,
        })
    });
    known.collect()
}

pub async fn insert(conn: &mut PgConnection, article: &Stored) -> Result<(), sqlx::Error> {
    let NewArticle { title, description, category, tags, markdown } = &article.text;
    sqlx::query!(
        "insert into kb_article (id, slug, category, title, description, tags, markdown, status, version, seeded_from,
                                 created_at, updated_at, published_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        article.id.uuid(),
        article.slug,
        category,
        title,
        description,
        tags,
        markdown,
        article.status.as_str(),
        number(article.version),
        article.seeded_from.as_deref(),
        article.created_at,
        article.updated_at,
        article.published_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn update(conn: &mut PgConnection, article: &Stored) -> Result<(), sqlx::Error> {
    let NewArticle { title, description, category, tags, markdown } = &article.text;
    sqlx::query!(
        "update kb_article
         set slug = $2, category = $3, title = $4, description = $5, tags = $6, markdown = $7, status = $8,
             version = $9, seeded_from = $10, updated_at = $11, published_at = $12
         where id = $1",
        article.id.uuid(),
        article.slug,
        category,
        title,
        description,
        tags,
        markdown,
        article.status.as_str(),
        number(article.version),
        article.seeded_from.as_deref(),
        article.updated_at,
        article.published_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The text of now, as a version that stays.
pub async fn insert_version(
    conn: &mut PgConnection,
    article: &Stored,
    author: Option<Uuid>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into kb_article_version (article_id, version, title, description, markdown, author_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        article.id.uuid(),
        number(article.version),
        article.text.title,
        article.text.description,
        article.text.markdown,
        author,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
