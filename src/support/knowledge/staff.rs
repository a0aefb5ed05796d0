//! What staff do with articles.

use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{
    ArticleStatus, CHANGED, MAX_VERSIONS, NewArticle, StaffArticle, StaffSummary, Stored, rules, store,
};
use crate::{
    account::{Caller, Identity, Permission},
    audit::{self, Actor},
    content,
    context::Context,
    contract::id::{ArticleId, RequestId},
    outbox,
    support::Error,
};

/// How many articles stand on a page of the list.
pub const PER_PAGE: u32 = 50;
const MAX_PAGE: u32 = 1_000;
/// The most words that a search of the list looks at, and the most letters.
const MAX_WORDS: usize = 8;
const MAX_SEARCH: usize = 200;

const STALE: &str = "Somebody has saved this article since you opened it. Your words stand below: open the article in \
                     another tab, bring both together there, and save that.";

const UNSEEN: &str =
    "Somebody has saved this article since you opened it. Read what it says now, then decide again.";

/// Which articles a list holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<ArticleStatus>,
    /// Words that all stand somewhere in the article.
    pub words: String,
    /// Counted from one.
    pub page: u32,
}

/// Who changes an article, and with which request.
#[derive(Debug, Clone, Copy)]
pub(super) struct By {
    pub actor: Actor,
    pub request: Option<RequestId>,
}

impl By {
    /// Articles that come with the program.
    pub const PROGRAM: Self = Self { actor: Actor::System, request: None };

    fn author(self) -> Option<uuid::Uuid> {
        match self.actor {
            Actor::User(id) => Some(id.uuid()),
            Actor::Anonymous | Actor::System => None,
        }
    }
}

impl From<&Identity> for By {
    fn from(identity: &Identity) -> Self {
        Self { actor: identity.actor(), request: Some(identity.request) }
    }
}

/// The articles that fit, last changed first, and how many there are in all.
pub async fn staff_list(
    ctx: &Context,
    caller: &Caller,
    filter: &Filter,
) -> Result<(Vec<StaffSummary>, u64), Error> {
    caller.require(ctx, Permission::KnowledgeWrite)?;
    let text: String = filter.words.chars().filter(|c| !c.is_control()).take(MAX_SEARCH).collect();
    let patterns: Vec<String> = text.split_whitespace().take(MAX_WORDS).map(pattern).collect();
    let page = filter.page.clamp(1, MAX_PAGE);
    let offset = i64::from((page - 1) * PER_PAGE);
    let status = filter.status.map(ArticleStatus::as_str);
    store::staff_list(&ctx.db, status, &patterns, i64::from(PER_PAGE), offset).await
}

/// A word for `like`: its own `%`, `_` and `\` are letters like any other.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

pub async fn staff_find(ctx: &Context, caller: &Caller, id: ArticleId) -> Result<StaffArticle, Error> {
    caller.require(ctx, Permission::KnowledgeWrite)?;
    let stored = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let versions = store::versions(&ctx.db, id, MAX_VERSIONS).await?;
    Ok(StaffArticle {
        id,
        slug: stored.slug,
        text: stored.text,
        status: stored.status,
        version: stored.version,
        is_starting: stored.seeded_from.is_some(),
        created_at: stored.created_at,
        updated_at: stored.updated_at,
        published_at: stored.published_at,
        versions,
    })
}

/// The article as it said at an earlier version. Category and tags are those of now.
pub async fn staff_text(
    ctx: &Context,
    caller: &Caller,
    id: ArticleId,
    version: u32,
) -> Result<NewArticle, Error> {
    caller.require(ctx, Permission::KnowledgeWrite)?;
    let stored = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let (title, description, markdown) =
        store::text_of(&ctx.db, id, version).await?.ok_or(Error::NotFound)?;
    Ok(NewArticle { title, description, markdown, ..stored.text })
}

/// How an article would look.
pub fn preview(ctx: &Context, caller: &Caller, markdown: &str) -> Result<String, Error> {
    caller.require(ctx, Permission::KnowledgeWrite)?;
    let shown: String = markdown.chars().take(rules::MAX_MARKDOWN).collect();
    Ok(content::render_foreign(&shown).html)
}

/// A new article, as a draft.
pub async fn write(ctx: &Context, caller: &Caller, new: &NewArticle) -> Result<ArticleId, Error> {
    let identity = caller.require(ctx, Permission::KnowledgeWrite)?;
    let text = rules::check(new).map_err(Error::Invalid)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    store::lock(&mut tx).await?;
    let slug = free_slug(&mut tx, &text.title, None).await?;
    let article = Stored {
        id: ArticleId::from_uuid(ctx.random.uuid_v7(now)),
        slug,
        text,
        status: ArticleStatus::Draft,
        version: 1,
        seeded_from: None,
        created_at: now,
        updated_at: now,
        published_at: None,
    };
    insert(&mut tx, ctx, identity.into(), &article, "article.written").await?;
    tx.commit().await?;
    Ok(article.id)
}

/// Gives an article another text, made from the version that is named. Says which version it is then.
pub async fn rewrite(
    ctx: &Context,
    caller: &Caller,
    id: ArticleId,
    version: u32,
    new: &NewArticle,
) -> Result<u32, Error> {
    let identity = caller.require(ctx, Permission::KnowledgeWrite)?;
    let text = rules::check(new).map_err(Error::Invalid)?;
    let mut tx = ctx.db.begin().await?;
    store::lock(&mut tx).await?;
    let mut article = store::find(&mut *tx, id).await?.ok_or(Error::NotFound)?;
    if article.version != version {
        return Err(Error::Conflict(STALE));
    }
    if article.text == text {
        return Ok(version);
    }
    // Nobody has the address of what was never published.
    if article.published_at.is_none() && article.text.title != text.title {
        article.slug = free_slug(&mut tx, &text.title, Some(id)).await?;
    }
    article.text = text;
    article.version += 1;
    article.updated_at = ctx.clock.now();
    article.seeded_from = None;
    update(&mut tx, ctx, identity.into(), &article, "article.rewritten").await?;
    tx.commit().await?;
    Ok(article.version)
}

/// Publishes or archives the version of an article that is named.
pub async fn set_status(
    ctx: &Context,
    caller: &Caller,
    id: ArticleId,
    version: u32,
    status: ArticleStatus,
) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::KnowledgeWrite)?;
    let mut tx = ctx.db.begin().await?;
    store::lock(&mut tx).await?;
    let mut article = store::find(&mut *tx, id).await?.ok_or(Error::NotFound)?;
    if article.version != version {
        return Err(Error::Conflict(UNSEEN));
    }
    if article.status == status {
        return Ok(());
    }
    if !rules::may_become(article.status, status) {
        return Err(Error::Conflict("What was published once is archived, not made a draft again."));
    }
    article.status = status;
    article.seeded_from = None;
    let action = match status {
        ArticleStatus::Published => {
            article.published_at = article.published_at.or(Some(ctx.clock.now()));
            "article.published"
        }
        ArticleStatus::Archived | ArticleStatus::Draft => "article.archived",
    };
    store::update(&mut tx, &article).await?;
    tell(&mut tx, ctx, identity.into(), &article, action).await?;
    tx.commit().await?;
    Ok(())
}

async fn free_slug(conn: &mut PgConnection, title: &str, of: Option<ArticleId>) -> Result<String, Error> {
    let wanted = rules::slug_of(title);
    let taken = store::taken_slugs(conn, &wanted, of).await?;
    Ok(rules::free_slug(&wanted, &taken))
}

/// A new row with its first version.
pub(super) async fn insert(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    article: &Stored,
    action: &'static str,
) -> Result<(), Error> {
    store::insert(conn, article).await?;
    keep_version(conn, by, article, ctx.clock.now()).await?;
    tell(conn, ctx, by, article, action).await
}

/// The row with another text, and the version of it.
pub(super) async fn update(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    article: &Stored,
    action: &'static str,
) -> Result<(), Error> {
    store::update(conn, article).await?;
    keep_version(conn, by, article, ctx.clock.now()).await?;
    tell(conn, ctx, by, article, action).await
}

async fn keep_version(
    conn: &mut PgConnection,
    by: By,
    article: &Stored,
    now: OffsetDateTime,
) -> Result<(), Error> {
    Ok(store::insert_version(conn, article, by.author(), now).await?)
}

/// The audit log and whoever follows the outbox.
pub(super) async fn tell(
    conn: &mut PgConnection,
    ctx: &Context,
    by: By,
    article: &Stored,
    action: &'static str,
) -> Result<(), Error> {
    let id = article.id.to_string();
    let detail = json!({
        "slug": article.slug,
        "version": article.version,
        "status": article.status.as_str(),
    });
    let entry = audit::Entry {
        actor: by.actor,
        action,
        subject_kind: "article",
        subject_id: &id,
        detail: detail.clone(),
        request_id: by.request,
    };
    audit::record(conn, ctx, entry).await?;
    Ok(outbox::publish(conn, ctx, CHANGED, &id, &detail).await?)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn words_are_looked_for_letter_by_letter() {
        assert_eq!(pattern("50%_\\"), "%50\\%\\_\\\\%");
    }
}
