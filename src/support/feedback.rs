//! "Was this page helpful?": what readers answer, and what staff read of it.
//!
//! What always holds: of a page there is one answer for each network and day, the last one; what stands for a network is
//! a keyed hash that is another one for every page and every day, so that no two answers can be told to be of one
//! person; only pages that ask take answers; and after [`KEEP_DAYS`] nothing is left of them.

mod store;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::Date;

use super::{Error, knowledge, problem};
use crate::{
    account::{Caller, Client, Permission},
    context::Context,
    contract::{knowledge::FeedbackRequest, license_key::contains_key},
    crypto::Purpose,
    db,
    jobs::Job,
    rate_limit::{self, Limit, Verdict},
};

/// The most characters of a note.
pub const MAX_NOTE: usize = 1_000;
/// For so long answers are kept.
pub const KEEP_DAYS: u16 = 400;
/// The most rows of a list.
const MAX_LIST: i64 = 500;
const PURGE_BATCH: i64 = 10_000;
/// A whole office may be behind one network.
const ANSWERS: Limit = Limit { name: "page_feedback", times: 60, per: Duration::from_secs(60 * 60) };

/// A page that asks whether it helped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskingPage {
    pub path: String,
    pub title: String,
}

/// How often a page helped, and how often it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFigures {
    pub path: String,
    pub yes: u64,
    pub no: u64,
}

/// What a reader wrote about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub path: String,
    pub day: Date,
    pub helpful: bool,
    pub text: String,
}

/// The page under this path, when it is one that asks: a page of the docs, or a published article.
pub async fn page(ctx: &Context, path: &str) -> Result<AskingPage, Error> {
    if let Some(slug) = path.strip_prefix("/docs/") {
        let content = ctx.content.now();
        let document = content.find("docs", slug).ok_or(Error::NotFound)?;
        return Ok(AskingPage { path: document.path(), title: document.title.clone() });
    }
    let slug = path.strip_prefix("/support/articles/").ok_or(Error::NotFound)?;
    let (at, title) = knowledge::place(ctx, slug).await?;
    if at == path { Ok(AskingPage { path: at, title }) } else { Err(Error::NotFound) }
}

/// Keeps one answer about a page. Asked again on the same day, the same network answers anew.
pub async fn answer(
    ctx: &Context,
    client: &Client,
    path: &str,
    answer: &FeedbackRequest,
) -> Result<AskingPage, Error> {
    let note = note(answer.note.as_deref().unwrap_or_default())?;
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, client.network.as_bytes());
    if let Verdict::Wait(retry_after) = rate_limit::take(ctx, ANSWERS, &key).await? {
        return Err(Error::TooManyTries { retry_after });
    }
    let page = page(ctx, path).await?;
    let now = ctx.clock.now();
    let day = now.date();
    let seen = format!("{}\n{day}\n{}", page.path, client.network);
    let visitor = ctx.hashers.keyed(Purpose::PageVisitor, seen.as_bytes());
    let kept = store::Answer {
        path: &page.path,
        day,
        visitor: &visitor,
        helpful: answer.helpful,
        note: note.as_deref(),
        now,
    };
    store::upsert(&ctx.db, &kept).await?;
    Ok(page)
}

/// A note as it is kept: none when nothing is said.
fn note(text: &str) -> Result<Option<String>, Error> {
    let text = text.replace("\r\n", "\n");
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    let text = text.trim();
    if text.chars().count() > MAX_NOTE {
        let message = format!("Write at most {MAX_NOTE} characters.");
        return Err(Error::Invalid(vec![problem("note", "too_long", message)]));
    }
    if contains_key(text) {
        let message = "Leave the license key out: whoever has it can use it.";
        return Err(Error::Invalid(vec![problem("note", "license_key", message)]));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// How pages did in the last `days`, those that helped least often first.
pub async fn figures(ctx: &Context, caller: &Caller, days: u16) -> Result<Vec<PageFigures>, Error> {
    caller.require(ctx, Permission::InsightsRead)?;
    Ok(store::figures(&ctx.db, since(ctx, days), MAX_LIST).await?)
}

/// The same of one page, whether or not anybody answered.
pub async fn figures_of(ctx: &Context, caller: &Caller, path: &str, days: u16) -> Result<PageFigures, Error> {
    caller.require(ctx, Permission::InsightsRead)?;
    let (yes, no) = store::counts(&ctx.db, path, since(ctx, days)).await?;
    Ok(PageFigures { path: path.to_owned(), yes, no })
}

/// What readers wrote in the last `days`, newest first: about one page, or about all of them.
pub async fn notes(
    ctx: &Context,
    caller: &Caller,
    path: Option<&str>,
    days: u16,
) -> Result<Vec<Note>, Error> {
    caller.require(ctx, Permission::InsightsRead)?;
    Ok(store::notes(&ctx.db, path, since(ctx, days), MAX_LIST).await?)
}

/// The first day of the last `days`, today being the last.
fn since(ctx: &Context, days: u16) -> Date {
    let today = ctx.clock.now().date();
    let before = i64::from(days.clamp(1, KEEP_DAYS)) - 1;
    today.checked_sub(time::Duration::days(before)).unwrap_or(today)
}

/// Removes answers that are too old. Runs by the schedule, every day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PurgeFeedback {}

impl Job for PurgeFeedback {
    const NAME: &'static str = "purge_feedback";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let first = since(&ctx, KEEP_DAYS);
        let removed =
            db::in_batches(PURGE_BATCH, |limit| store::delete_before(&ctx.db, first, limit)).await?;
        tracing::info!(removed, "answers about pages that are too old are gone");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_kept_as_they_were_meant() {
        assert_eq!(note(" \r\n ").expect("sound"), None);
        assert_eq!(note("\0a\r\nb\u{7}").expect("sound").as_deref(), Some("a\nb"));
        assert!(note(&"ä".repeat(MAX_NOTE)).is_ok());
        assert!(matches!(note(&"ä".repeat(MAX_NOTE + 1)), Err(Error::Invalid(_))));
    }
}
