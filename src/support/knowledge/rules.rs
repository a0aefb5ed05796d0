//! What an article may be, how its address is made from its title, and what the starting articles change.

use std::collections::{BTreeMap, HashSet};

use time::OffsetDateTime;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{ArticleStatus, NewArticle};
pub use crate::content::KB_CATEGORIES as CATEGORIES;
use crate::{
    contract::{id::ArticleId, problem::FieldProblem},
    crypto,
    support::problem,
};

pub const MAX_TITLE: usize = 120;
pub const MAX_DESCRIPTION: usize = 300;
pub const MAX_MARKDOWN: usize = 50_000;
pub const MAX_TAGS: usize = 12;
pub const MAX_TAG: usize = 40;
/// Room for a number behind it.
const MAX_SLUG: usize = 80;
/// Addresses of the API that stand beside those of articles.
const RESERVED: [&str; 1] = ["search"];

/// The article as it is kept, or what is wrong with it.
pub fn check(new: &NewArticle) -> Result<NewArticle, Vec<FieldProblem>> {
    let text = NewArticle {
        title: one_line(&new.title),
        description: one_line(&new.description),
        category: new.category.trim().to_owned(),
        tags: tags(&new.tags),
        markdown: prose(&new.markdown),
    };
    let mut problems = Vec::new();
    let mut wrong = |field: &str, code: &str, message: String| problems.push(problem(field, code, message));
    for (field, value, most, missing) in [
        ("title", &text.title, MAX_TITLE, "Write what the article is about."),
        ("description", &text.description, MAX_DESCRIPTION, "Write one sentence that says what it tells."),
        ("markdown", &text.markdown, MAX_MARKDOWN, "Write the article."),
    ] {
        if value.is_empty() {
            wrong(field, "missing", missing.to_owned());
        } else if value.chars().count() > most {
            wrong(field, "too_long", format!("Write at most {most} characters."));
        }
    }
    if !CATEGORIES.contains(&text.category.as_str()) {
        wrong("category", "invalid", "Choose one of the categories.".to_owned());
    }
    if text.tags.len() > MAX_TAGS {
        wrong("tags", "too_many", format!("Write at most {MAX_TAGS} tags."));
    } else if text.tags.iter().any(|tag| tag.chars().count() > MAX_TAG) {
        wrong("tags", "too_long", format!("A tag has at most {MAX_TAG} characters."));
    }
    if problems.is_empty() { Ok(text) } else { Err(problems) }
}

fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines as they end here, and no control characters, of which PostgreSQL refuses one.
fn prose(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    kept.trim_matches('\n').trim_end().to_owned()
}

/// In lower case, each once.
fn tags(tags: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let lower = tags.iter().map(|tag| one_line(tag).to_lowercase());
    lower.filter(|tag| !tag.is_empty() && seen.insert(tag.clone())).collect()
}

/// The words of a title as an address: small letters, digits and hyphens.
pub fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for c in title.nfkd().filter(|c| !is_combining_mark(*c) && !matches!(c, '\'' | '’')) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    if slug.len() > MAX_SLUG {
        slug.truncate(MAX_SLUG);
        // Half a word at its end says nothing.
        if let Some((whole, _)) = slug.rsplit_once('-') {
            slug = whole.to_owned();
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "article".to_owned() } else { slug.to_owned() }
}

/// The address itself, or with the first number behind it that nobody has.
pub fn free_slug(wanted: &str, taken: &[String]) -> String {
    let is_free = |slug: &str| !RESERVED.contains(&slug) && taken.iter().all(|other| other != slug);
    if is_free(wanted) {
        return wanted.to_owned();
    }
    let mut numbered = (2u32..).map(|number| format!("{wanted}-{number}"));
    numbered.find(|slug| is_free(slug)).unwrap_or_else(|| wanted.to_owned())
}

/// Whether staff may make one of the other: what was published is archived, never hidden as if it had not been.
pub const fn may_become(from: ArticleStatus, to: ArticleStatus) -> bool {
    use ArticleStatus::{Archived, Draft, Published};
    matches!((from, to), (Draft | Archived, Published) | (Draft | Published, Archived))
}

/// The words of HTML that has nothing in it but text and marks.
pub fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if in_tag => {}
            other => text.push(other),
        }
    }
    // The ampersand last, so that what was written as an escape stays one.
    for (escape, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
    {
        text = text.replace(escape, character);
    }
    text
}

/// An article that comes with the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Starting {
    pub slug: String,
    pub text: NewArticle,
    pub hash: [u8; 32],
    /// The day that the file itself names.
    pub updated: Option<OffsetDateTime>,
}

/// Every part is preceded by its length: no two different articles have the same.
pub fn hash_of(text: &NewArticle) -> [u8; 32] {
    let tags = text.tags.join("\n");
    let mut bytes = Vec::new();
    for part in [&text.title, &text.description, &text.category, &tags, &text.markdown] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    crypto::sha256(&bytes)
}

/// What is known of an article that a starting one may concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub id: ArticleId,
    pub slug: String,
    pub status: ArticleStatus,
    pub seeded_from: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step<'a> {
    Insert(&'a Starting),
    /// Its text is another one now, or it was retired and is there again.
    Renew(ArticleId, &'a Starting),
    Retire(ArticleId),
}

/// What has to be done until the table holds these starting articles. What staff have taken into their hands is left
/// alone.
pub fn steps<'a>(starting: &'a [Starting], known: &[Known]) -> Vec<Step<'a>> {
    let by_slug: BTreeMap<&str, &Known> = known.iter().map(|known| (known.slug.as_str(), known)).collect();
    let changes = starting.iter().filter_map(|article| match by_slug.get(article.slug.as_str()) {
        None => Some(Step::Insert(article)),
        Some(known) => {
            let from = known.seeded_from.as_deref()?;
            let differs = from != article.hash || known.status != ArticleStatus::Published;
            differs.then_some(Step::Renew(known.id, article))
        }
    });
    let kept: HashSet<&str> = starting.iter().map(|article| article.slug.as_str()).collect();
    let gone = known.iter().filter(|known| {
        known.seeded_from.is_some()
            && known.status == ArticleStatus::Published
            && !kept.contains(known.slug.as_str())
    });
    changes.chain(gone.map(|known| Step::Retire(known.id))).collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
