//! The knowledge base: articles that staff write and everybody reads, beginning with those that come with the program.
//!
//! What always holds: each change of an article, the version it leaves behind, its entry in the audit log and its event
//! in the outbox are one transaction, under one lock, so that addresses stay different; whoever saves says which
//! version was in front of them, and nobody's words are lost unseen; drafts and archived articles are as good as not
//! there for everybody but staff; and what is shown of an article has gone through [`content::render_foreign`], whoever
//! wrote it.

pub mod rules;
mod seed;
mod staff;
mod store;

use std::collections::HashSet;

use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

pub use self::{
    rules::CATEGORIES,
    seed::{Seeded, seed},
    staff::{Filter, PER_PAGE, preview, rewrite, set_status, staff_find, staff_list, staff_text, write},
};
use super::Error;
use crate::{
    content,
    context::Context,
    contract::{
        id::ArticleId,
        knowledge::{Article, ArticleSummary, ArticleVersion},
        search::SearchKind,
    },
    search::{self, MAX_QUERY_CHARS, MAX_RESULTS, SearchDocument},
};

/// What the outbox says when an article has changed; the key is its id.
pub const CHANGED: &str = "content.article_changed";

/// The most versions that are listed.
const MAX_VERSIONS: i64 = 100;
/// The most articles of one list.
const MAX_LIST: i64 = 1_000;
/// How many articles are read at once for the index of the search.
const SEARCH_BATCH: i64 = 500;
/// How many other articles stand below one.
const RELATED: usize = 4;
/// Several places of an article may be found: so often the search is asked on for other articles.
const MAX_ROUNDS: usize = 4;

/// Whether an article is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArticleStatus {
    Draft,
    Published,
    Archived,
}

impl ArticleStatus {
    pub const ALL: [Self; 3] = [Self::Draft, Self::Published, Self::Archived];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }

    /// The word people see.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Published => "Published",
            Self::Archived => "Archived",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What an article says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewArticle {
    pub title: String,
    pub description: String,
    /// One of [`CATEGORIES`].
    pub category: String,
    pub tags: Vec<String>,
    pub markdown: String,
}

/// An article as its row has it.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    id: ArticleId,
    slug: String,
    text: NewArticle,
    status: ArticleStatus,
    version: u32,
    /// The hash of the starting article that it is; none once staff took it into their hands.
    seeded_from: Option<Vec<u8>>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    published_at: Option<OffsetDateTime>,
}

/// An article as staff see it.
#[derive(Debug, Clone, PartialEq)]
pub struct StaffArticle {
    pub id: ArticleId,
    pub slug: String,
    pub text: NewArticle,
    pub status: ArticleStatus,
    pub version: u32,
    /// It came with the program, and nobody has changed it.
    pub is_starting: bool,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub published_at: Option<OffsetDateTime>,
    /// Newest first.
    pub versions: Vec<StaffVersion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffVersion {
    pub version: u32,
    pub title: String,
    /// None: it came with the program.
    pub author: Option<String>,
    pub created_at: OffsetDateTime,
}

/// An article in the list of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffSummary {
    pub id: ArticleId,
    pub slug: String,
    pub title: String,
    pub category: String,
    pub status: ArticleStatus,
    pub version: u32,
    pub updated_at: OffsetDateTime,
}

/// Where an article is on this site.
pub fn path_of(slug: &str) -> String {
    format!("/support/articles/{slug}")
}

/// The articles that fit best to `q`, best first, each once.
pub async fn search(ctx: &Context, q: &str, limit: usize) -> Result<Vec<ArticleSummary>, Error> {
    let limit = limit.clamp(1, MAX_RESULTS);
    let text: String = q.chars().take(MAX_QUERY_CHARS).collect();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut seen = HashSet::new();
    for round in 0..MAX_ROUNDS {
        let offset = round * MAX_RESULTS;
        let hits = ctx.search.look_for(&text, Some(SearchKind::Article), MAX_RESULTS, offset).await?.items;
        let is_last = hits.len() < MAX_RESULTS;
        for hit in hits {
            let slug = slug_in(&hit.url).unwrap_or_default().to_owned();
            if !slug.is_empty() && seen.insert(slug.clone()) {
                found.push((slug, rules::plain_text(&hit.excerpt_html)));
            }
        }
        if is_last || found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    let slugs: Vec<String> = found.iter().map(|(slug, _)| slug.clone()).collect();
    // The index may be a moment behind: what is shown is decided by the table.
    let known = store::summaries_of(&ctx.db, &slugs).await?;
    let count = found.len();
    let summaries = found.into_iter().enumerate().filter_map(|(place, (slug, excerpt))| {
        let row = known.iter().find(|row| row.slug == slug)?;
        let mut summary = row.summary(ctx, score(place, count));
        if !excerpt.trim().is_empty() {
            summary.excerpt = excerpt;
        }
        Some(summary)
    });
    Ok(summaries.collect())
}

/// One for the best, and less for each that follows.
fn score(place: usize, count: usize) -> f32 {
    let [place, count] = [place, count.max(1)].map(|number| u16::try_from(number).unwrap_or(u16::MAX));
    1.0 - f32::from(place) / f32::from(count)
}

/// Which article an address of the search index is of.
fn slug_in(url: &str) -> Option<&str> {
    let path = url.split(['#', '?']).next()?;
    path.strip_prefix("/support/articles/")
}

/// Every published article, by category and title.
pub async fn list(ctx: &Context) -> Result<Vec<ArticleSummary>, Error> {
    let mut rows = store::summaries(&ctx.db, None, MAX_LIST).await?;
    let place = |category: &str| CATEGORIES.iter().position(|known| *known == category);
    rows.sort_by_cached_key(|row| {
        let place = place(&row.category).unwrap_or(CATEGORIES.len());
        (place, row.category.clone(), row.title.to_lowercase())
    });
    Ok(rows.iter().map(|row| row.summary(ctx, 1.0)).collect())
}

/// A published article, by its id or its slug.
pub async fn find(ctx: &Context, id_or_slug: &str) -> Result<Article, Error> {
    let stored = published(ctx, id_or_slug).await?;
    let versions = store::versions(&ctx.db, stored.id, MAX_VERSIONS).await?;
    let related = related(ctx, &stored).await?;
    let versions = versions
        .into_iter()
        .map(|version| ArticleVersion { version: version.version, created_at: version.created_at });
    Ok(Article {
        id: stored.id,
        url: format!("{}{}", ctx.config.http.public_url, path_of(&stored.slug)),
        slug: stored.slug,
        title: stored.text.title,
        excerpt: stored.text.description,
        category: stored.text.category,
        tags: stored.text.tags,
        updated_at: stored.updated_at,
        html: content::render_foreign(&stored.text.markdown).html,
        markdown: stored.text.markdown,
        related,
        versions: versions.collect(),
    })
}

async fn published(ctx: &Context, id_or_slug: &str) -> Result<Stored, Error> {
    let found = match id_or_slug.parse::<ArticleId>() {
        Ok(id) => store::find(&ctx.db, id).await?,
        Err(_) => store::find_by_slug(&ctx.db, id_or_slug).await?,
    };
    found.filter(|stored| stored.status == ArticleStatus::Published).ok_or(Error::NotFound)
}

/// Where a published article is, and what it is called.
pub(crate) async fn place(ctx: &Context, id_or_slug: &str) -> Result<(String, String), Error> {
    let stored = published(ctx, id_or_slug).await?;
    Ok((path_of(&stored.slug), stored.text.title))
}

/// Articles like this one: those the search takes for it, then those of its category.
async fn related(ctx: &Context, article: &Stored) -> Result<Vec<ArticleSummary>, Error> {
    let words = format!("{} {}", article.text.title, article.text.tags.join(" "));
    let mut related = match search(ctx, &words, RELATED + 1).await {
        Ok(found) => found,
        // An article can be read while the index is being built.
        Err(Error::Search(_)) => Vec::new(),
        Err(other) => return Err(other),
    };
    related.retain(|other| other.id != article.id);
    if related.len() < RELATED {
        let wanted = i64::try_from(2 * RELATED + 1).unwrap_or(i64::MAX);
        for row in store::summaries(&ctx.db, Some(&article.text.category), wanted).await? {
            if row.id() != article.id && related.iter().all(|other| other.id != row.id()) {
                related.push(row.summary(ctx, 0.0));
            }
        }
    }
    related.truncate(RELATED);
    Ok(related)
}

/// What the search index holds of some published articles, those after this one in the order of their ids, with the last
/// of them. None: there are no more.
pub async fn search_documents_after(
    pool: &PgPool,
    after: Option<ArticleId>,
) -> Result<Option<(Vec<SearchDocument>, ArticleId)>, Error> {
    let published = store::published(pool, after, SEARCH_BATCH).await?;
    let Some(last) = published.last().map(|article| article.id) else { return Ok(None) };
    Ok(Some((cut(published).await?, last)))
}

/// Away from the threads that answer everybody else: reading Markdown takes a while.
async fn cut(articles: Vec<Stored>) -> Result<Vec<SearchDocument>, Error> {
    let cutting = spawn_blocking(move || articles.iter().flat_map(documents).collect::<Vec<_>>());
    cutting.await.map_err(|_| Error::Search(search::Error::CutOff))
}

/// What it holds of one article. Nothing when that is not published.
pub async fn search_documents_of(ctx: &Context, id: ArticleId) -> Result<Vec<SearchDocument>, Error> {
    match published(ctx, &id.to_string()).await {
        Ok(stored) => cut(vec![stored]).await,
        Err(Error::NotFound) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}

/// The article itself, and each of its sections.
fn documents(article: &Stored) -> Vec<SearchDocument> {
    let NewArticle { title, description, category, tags, markdown } = &article.text;
    let (thing, path) = (format!("kb/{}", article.id), path_of(&article.slug));
    let sections = content::sections_of_foreign(markdown);
    let intro = sections.iter().find(|section| section.heading.is_none());
    let mut documents = vec![SearchDocument {
        thing: thing.clone(),
        url: path.clone(),
        kind: SearchKind::Article,
        title: title.clone(),
        trail: vec![category.clone()],
        body: format!("{description} {}", intro.map_or("", |intro| intro.text.trim())).trim().to_owned(),
        code: intro.map(|intro| intro.code.clone()).unwrap_or_default(),
        keywords: tags.join(" "),
        date: None,
        is_page: true,
    }];
    documents.extend(sections.iter().filter_map(|section| {
        let heading = section.heading.as_ref()?;
        Some(SearchDocument {
            thing: thing.clone(),
            url: format!("{path}#{}", heading.id),
            kind: SearchKind::Article,
            title: heading.text.clone(),
            trail: vec![category.clone(), title.clone()],
            body: section.text.trim().to_owned(),
            code: section.code.clone(),
            keywords: String::new(),
            date: None,
            is_page: false,
        })
    }));
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_fall_from_one_and_stay_above_nothing() {
        let scores: Vec<f32> = (0..4).map(|place| score(place, 4)).collect();
        assert_eq!(scores, [1.0, 0.75, 0.5, 0.25]);
        assert!(score(0, 0) > 0.99);
    }

    #[test]
    fn addresses_of_articles_are_known() {
        assert_eq!(slug_in(&path_of("find-an-invoice")), Some("find-an-invoice"));
        assert_eq!(slug_in("/support/articles/a#as-a-pdf"), Some("a"));
        assert_eq!(slug_in("/docs/activate"), None);
    }
}
