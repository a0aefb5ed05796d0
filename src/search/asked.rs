//! What people look for, and what they do not find, so that somebody can write it.
//!
//! What always holds: nothing is kept of who asked, nor when but for the day; words that could be somebody's (an
//! address, a number, a key, a secret) are not kept at all; counting costs a search nothing but a look into memory, and
//! what cannot be counted is forgotten rather than held.

mod store;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use time::Date;

use crate::{
    account::{Caller, Denied, Permission},
    context::Context,
    contract::license_key::contains_key,
    db,
    jobs::Job,
};

/// Longer ones are no question.
const MAX_CHARS: usize = 80;
/// How many different words are counted between two batches.
const MAX_COUNTED: usize = 2_000;
const FLUSH_EVERY: Duration = Duration::from_secs(5);
const KEEP_DAYS: i64 = 400;
const PURGE_BATCH: i64 = 10_000;
/// How many rows a list has.
const LISTED: i64 = 50;
/// So many digits, wherever they stand, may be a phone number or a card.
const MAX_DIGITS: usize = 7;
const MAX_DIGITS_IN_A_ROW: usize = 4;
/// Letters and digits without a space for so long are no word: an id, a token, a hash.
const TOKEN_CHARS: usize = 20;
/// No word is so long.
const MAX_WORD_CHARS: usize = 40;
/// What addresses, paths of people and secrets have in them.
const MARKS: [&str; 8] = ["@", "://", "www.", "/home/", "/users/", "\\users\\", "bearer ", "password="];
/// How secrets begin, and our keys.
const SECRETS: [&str; 9] = ["df-", "sk-", "sk_", "pk_", "rk_", "ghp_", "dfp_", "eyj", "xox"];
/// How long the groups of a key are. Two that look like one are no question, even when the key is not right.
const GROUP: usize = 5;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// What was looked for on a day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    day: Date,
    words: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Times {
    asked: i32,
    found_nothing: i32,
}

impl Times {
    fn add(&mut self, other: Self) {
        self.asked = self.asked.saturating_add(other.asked);
        self.found_nothing = self.found_nothing.saturating_add(other.found_nothing);
    }
}

/// What this process has counted and not yet written down.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<HashMap<Key, Times>>);

impl Counts {
    fn add(&self, key: Key, times: Times) {
        let mut counts = self.lock();
        if counts.len() < MAX_COUNTED || counts.contains_key(&key) {
            counts.entry(key).or_default().add(times);
        }
    }

    fn take(&self) -> Vec<(Key, Times)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Times>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Words that were looked for in some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub words: String,
    pub times: i64,
    pub found_nothing: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub asked: i64,
    pub found_nothing: i64,
    pub different: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub totals: Totals,
    /// What was looked for most.
    pub most: Vec<Asked>,
    /// What was not found most.
    pub missed: Vec<Asked>,
}

/// Counts that somebody looked for `text` and how much there is, whatever its kind. Not for what is still being typed.
pub fn note(ctx: &Context, text: &str, found: u64) {
    let Some(words) = countable(text) else { return };
    let times = Times { asked: 1, found_nothing: i32::from(found == 0) };
    ctx.search.0.asked.add(Key { day: ctx.clock.now().date(), words }, times);
}

/// Writes down what was counted. What could not be written is counted again.
pub async fn flush(ctx: &Context) -> Result<(), sqlx::Error> {
    let counts = &ctx.search.0.asked;
    let counted = counts.take();
    if counted.is_empty() {
        return Ok(());
    }
    let written = store::add(&ctx.db, &counted).await;
    if written.is_err() {
        for (key, times) in counted {
            counts.add(key, times);
        }
    }
    written
}

/// Writes down what is counted, every few seconds, for as long as this process serves.
pub async fn keep(ctx: Context) {
    loop {
        tokio::time::sleep(FLUSH_EVERY).await;
        if let Err(error) = flush(&ctx).await {
            tracing::warn!(%error, "what was looked for could not be written down; trying again");
        }
    }
}

/// What was looked for in the last `days` days, today among them.
pub async fn list(ctx: &Context, caller: &Caller, days: u16) -> Result<Report, Error> {
    caller.require(ctx, Permission::InsightsRead)?;
    let from = ctx.clock.now().date() - time::Duration::days(i64::from(days.max(1)) - 1);
    Ok(Report {
        totals: store::totals(&ctx.db, from).await?,
        most: store::most(&ctx.db, from, LISTED).await?,
        missed: store::missed(&ctx.db, from, LISTED).await?,
    })
}

/// Removes what is too old. Runs by the schedule, every day.
#[derive(Debug, Serialize, Deserialize)]
pub struct PurgeAsked {}

impl Job for PurgeAsked {
    const NAME: &'static str = "purge_asked";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let before = ctx.clock.now().date() - time::Duration::days(KEEP_DAYS);
        db::in_batches(PURGE_BATCH, |limit| store::delete_before(&ctx.db, before, limit)).await?;
        Ok(())
    }
}

/// The words as they are counted, if they may be.
fn countable(text: &str) -> Option<String> {
    // What follows cannot make a text shorter than the spaces in it do.
    if text.len() > 8 * MAX_CHARS {
        return None;
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let fits = (1..=MAX_CHARS).contains(&words.chars().count());
    (fits && words.chars().any(char::is_alphanumeric) && !could_be_somebodys(&words)).then_some(words)
}

fn could_be_somebodys(words: &str) -> bool {
    MARKS.iter().any(|mark| words.contains(*mark))
        || words.contains('＠')
        || contains_key(words)
        || words.split([' ', '-']).filter(|word| is_group(word)).count() > 1
        || has_numbers(words)
        || words.split(' ').any(is_secret)
}

/// Whether it looks like a group of a license key: letters and digits, and not one kind alone.
fn is_group(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() == GROUP && word.bytes().all(|b| b.is_ascii_alphanumeric()) && (1..GROUP).contains(&digits)
}

/// A number of somebody's: of a phone, a card, an order, an address on the network.
fn has_numbers(words: &str) -> bool {
    let digits = words.chars().filter(|c| c.is_numeric()).count();
    let in_a_row = words.split(|c: char| !c.is_numeric()).map(|run| run.chars().count()).max();
    let is_address = |word: &str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok())
    };
    digits > MAX_DIGITS
        || in_a_row > Some(MAX_DIGITS_IN_A_ROW)
        || words.split([' ', ':', '/']).any(is_address)
        || words
            .split(' ')
            .any(|word| word.matches(':').count() > 2 && word.contains(|c: char| c.is_ascii_digit()))
}

/// A token, a hash, an id: nobody types one to find a page.
fn is_secret(word: &str) -> bool {
    let chars = word.chars().count();
    let has_digits = word.contains(|c: char| c.is_ascii_digit());
    chars > MAX_WORD_CHARS
        || (has_digits && (chars >= TOKEN_CHARS || SECRETS.iter().any(|secret| word.starts_with(*secret))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::license_key::LicenseKey;

    #[test]
    fn the_same_question_is_counted_as_one() {
        for text in ["Activate a License", "  activate\ta  license\n", "activate a license"] {
            assert_eq!(countable(text).as_deref(), Some("activate a license"));
        }
    }

    #[test]
    fn questions_are_kept() {
        for text in [
            "c++",
            "maxTokens",
            "error 404",
            "node 22.11",
            "1.8.0",
            "DEVFORGE_LICENSE_CACHE_SECONDS",
            "vscode.workspace.getconfiguration",
            "日本語",
            "std::vec::vec",
            "offline activation for 20 machines in 2026",
            "bearer",
            "sk_",
        ] {
            assert!(countable(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_could_be_somebodys_is_not_kept() {
        for text in [
            "ada@example.com",
            "ada ＠ example",
            "invoice 20261",
            "+46 70 123 45 67",
            "192.168.0.1",
            "10.1.2.3:8080",
            "fe80::1:2:3",
            "https://example.com/x",
            "www.example.com",
            "/home/ada/project",
            "C:\\Users\\ada",
            "lic_01hx3z5k7m9p2q4r6s8t0v1w3y",
            "018f3c5e-1d2a-7b3c-9d4e-5f6a7b8c9d0e",
            "dfp_000000000000000000000000000000001n8xc9d",
            "eyJhbGciOiJFZERTQSJ9.e30",
            "sk-proj-abc123",
            "password=hunter2",
            &"word ".repeat(17),
            &"a".repeat(41),
            "",
            "   ",
            "?!",
            &" ".repeat(10_000),
        ] {
            assert_eq!(countable(text), None, "{text}");
        }
    }

    #[test]
    fn a_license_key_is_not_kept_however_it_is_written() {
        let key = LicenseKey::from_random(std::array::from_fn(|at| (at * 11 + 5) as u8)).expose();
        let wrong = format!("{}Z", &key[..key.len() - 1]);
        let (half, _) = key.split_at(key.len() / 2);
        let ways =
            [key.to_lowercase(), key.replace('-', " "), wrong, format!("activate {key}"), half.to_owned()];
        for text in ways {
            assert_eq!(countable(&text), None, "{text}");
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_known_is_counted_on() {
        let counts = Counts::default();
        let key = |n: usize| Key { day: Date::MIN, words: format!("word {n}") };
        let once = Times { asked: 1, found_nothing: 0 };
        for n in 0..MAX_COUNTED + 5 {
            counts.add(key(n), once);
        }
        counts.add(key(0), once);
        let mut counted = counts.take();
        counted.sort_by_key(|(_, times)| std::cmp::Reverse(times.asked));
        assert_eq!(counted.len(), MAX_COUNTED);
        assert_eq!((counted[0].0.words.as_str(), counted[0].1.asked), ("word 0", 2));
        assert!(counts.take().is_empty());
    }
}
