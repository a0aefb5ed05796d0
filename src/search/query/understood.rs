//! What the typed words are taken for: for each of them the terms of the index that it may mean.
//!
//! What always holds: at most [`MAX_WORDS`] words count, and a word is only taken for another one when it stands
//! nowhere itself.

use std::{cmp::Reverse, collections::BTreeSet, ops::Range};

use super::{
    dictionary::{Alike, Dictionary, Way},
    tuned::TUNED,
};
use crate::search::{
    analysis::{self, Typed, Word},
    highlight::Terms,
};

const MAX_WORDS: usize = 16;
/// Looking for similar words costs the most, so only for so many of them.
const MAX_MISSPELT: usize = 4;
const MAX_ALIKE: usize = 5;

/// Terms of which a document counts the best one and a little of the others.
pub(super) struct Group {
    pub ways: Vec<Way>,
    /// The words of the query that a document has with one of them, a bit for each.
    pub words: u16,
    pub weight: f32,
}

/// A word that counts.
pub(super) struct Meant {
    /// How much it says.
    pub weight: f32,
    /// The stem of its best meaning.
    pub stem: String,
    /// Its place among the words that were typed.
    pub at: usize,
}

pub(super) struct Understood {
    pub groups: Vec<Group>,
    pub words: Vec<Meant>,
    pub whole: String,
    replaced: Vec<(Range<usize>, String)>,
    /// How many words something similar was looked for, found or not.
    sought: usize,
    /// What is to be marked in titles and excerpts.
    pub terms: Terms,
}

impl Understood {
    pub fn new(dictionary: &Dictionary<'_>, typed: &Typed) -> tantivy::Result<Self> {
        let mut understood = Self {
            groups: Vec::new(),
            words: Vec::new(),
            whole: typed.whole.clone(),
            replaced: Vec::new(),
            sought: 0,
            terms: Terms::default(),
        };
        // Words that say nothing count when there are no others, and only in titles: every text has them.
        for is_filler in [false, true] {
            let mut seen = BTreeSet::new();
            for (at, word) in typed.words.iter().enumerate().filter(|(_, word)| word.is_filler == is_filler) {
                if seen.len() < MAX_WORDS && seen.insert(&word.text) {
                    let is_open = typed.last_is_open && at + 1 == typed.words.len();
                    understood.add(dictionary, word, at, is_open)?;
                }
            }
            if !understood.words.is_empty() {
                break;
            }
        }
        understood.join(dictionary, typed)?;
        Ok(understood)
    }

    /// What was typed, with the words that stand nowhere replaced.
    pub fn corrected(&self, text: &str) -> Option<String> {
        if self.replaced.is_empty() {
            return None;
        }
        let mut corrected = String::new();
        let mut done = 0;
        for (range, word) in &self.replaced {
            corrected.push_str(&text[done..range.start]);
            corrected.push_str(word);
            done = range.end;
        }
        corrected.push_str(&text[done..]);
        Some(corrected)
    }

    fn add(
        &mut self,
        dictionary: &Dictionary<'_>,
        word: &Word,
        at: usize,
        is_open: bool,
    ) -> tantivy::Result<()> {
        if word.is_filler {
            let ways = dictionary.titled(&word.text, &word.stem)?;
            if let Some(count) = most(&ways) {
                let weight = dictionary.weight(count);
                self.mean(ways, weight, word.text.clone(), word.stem.clone(), at);
            }
            return Ok(());
        }
        let mut ways = dictionary.exact(&word.text, &word.stem)?;
        let exactly = most(&ways);
        if is_open && word.text.chars().count() >= 2 {
            for begun in dictionary.begun(&word.text)? {
                let found = dictionary.written(&begun)?;
                ways.extend(found.into_iter().map(|way| Way { discount: TUNED.begun, ..way }));
                self.terms.words.insert(begun);
            }
        }
        if !ways.is_empty() {
            let weight = dictionary.weight(exactly.unwrap_or_else(|| most(&ways).unwrap_or(1)));
            self.mean(ways, weight, word.text.clone(), word.stem.clone(), at);
            return Ok(());
        }
        if self.add_pieces(dictionary, &word.pieces, at)? || self.sought >= MAX_MISSPELT {
            return Ok(());
        }
        self.sought += 1;
        if self.add_alike(dictionary, word, at, is_open)? {
            return Ok(());
        }
        if let Some(pieces) = split(dictionary, &word.text)? {
            self.replaced.push((word.range.clone(), pieces.join(" ")));
            self.add_pieces(dictionary, &pieces, at)?;
        }
        Ok(())
    }

    /// `sha256` where there is only "SHA 256". All pieces must be there.
    fn add_pieces(
        &mut self,
        dictionary: &Dictionary<'_>,
        pieces: &[String],
        at: usize,
    ) -> tantivy::Result<bool> {
        let mut found = Vec::new();
        for piece in pieces {
            let stem = stem_of(piece);
            let ways = dictionary.exact(piece, &stem)?;
            let Some(count) = most(&ways) else {
                return Ok(false);
            };
            found.push((ways, dictionary.weight(count), piece.clone(), stem));
        }
        let is_found = !found.is_empty();
        for (ways, weight, piece, stem) in found {
            self.mean(ways, weight, piece, stem, at);
        }
        Ok(is_found)
    }

    fn add_alike(
        &mut self,
        dictionary: &Dictionary<'_>,
        word: &Word,
        at: usize,
        is_open: bool,
    ) -> tantivy::Result<bool> {
        let alike = alike(dictionary, &word.text, is_open)?;
        let Some(best) = alike.first().cloned() else {
            return Ok(false);
        };
        let mut ways = Vec::new();
        let mut stems = BTreeSet::new();
        for (rank, word) in alike.into_iter().enumerate() {
            let stem = stem_of(&word);
            let found = match stems.insert(stem.clone()) {
                true => dictionary.exact(&word, &stem)?,
                false => dictionary.written(&word)?,
            };
            let discount = if rank == 0 { 1.0 } else { TUNED.alike };
            ways.extend(found.into_iter().map(|way| Way { discount, ..way }));
            self.terms.words.insert(word);
        }
        self.terms.stems.extend(stems);
        self.replaced.push((word.range.clone(), best.clone()));
        let weight = dictionary.weight(most(&ways).unwrap_or(1));
        let stem = stem_of(&best);
        self.mean(ways, weight, best, stem, at);
        Ok(true)
    }

    fn mean(&mut self, ways: Vec<Way>, weight: f32, text: String, stem: String, at: usize) {
        if self.words.len() == MAX_WORDS {
            return;
        }
        self.groups.push(Group { ways, words: 1 << self.words.len(), weight: 1.0 });
        self.terms.words.insert(text);
        self.terms.stems.insert(stem.clone());
        self.words.push(Meant { weight, stem, at });
    }

    /// Neighbours written together, where there is such a word. It has the words it is made of.
    fn join(&mut self, dictionary: &Dictionary<'_>, typed: &Typed) -> tantivy::Result<()> {
        for joined in &typed.joined {
            let parts = self.words.iter().enumerate().filter(|(_, word)| joined.words.contains(&word.at));
            let words = parts.fold(0, |words, (number, _)| words | 1 << number);
            if self.terms.words.contains(&joined.text) {
                continue;
            }
            let mut ways = dictionary.written(&joined.text)?;
            for way in ways.iter_mut().filter(|way| dictionary.is_code(way)) {
                way.discount = TUNED.joined_code;
            }
            if let Some(count) = most(&ways) {
                self.terms.words.insert(joined.text.clone());
                if words == 0 {
                    // Words that say nothing or stand nowhere make one that does: "log in" is `login`.
                    let weight = dictionary.weight(count);
                    self.mean(ways, weight, joined.text.clone(), stem_of(&joined.text), joined.words.start);
                } else {
                    self.groups.push(Group { ways, words, weight: TUNED.joined });
                }
            }
        }
        Ok(())
    }
}

fn most(ways: &[Way]) -> Option<u64> {
    ways.iter().map(|way| way.document_count).max()
}

fn stem_of(word: &str) -> String {
    analysis::stem(&mut analysis::stemmer(), word)
}

/// What a word that stands nowhere may have been meant as, the likeliest first: the fewest wrong letters, the same
/// first letter, the most documents.
fn alike(dictionary: &Dictionary<'_>, word: &str, is_open: bool) -> tantivy::Result<Vec<String>> {
    let letters = word.chars().count();
    let distance = match letters {
        _ if word.chars().any(char::is_numeric) => 0,
        0..5 => 0,
        5..9 => 1,
        _ => 2,
    };
    let whole = (1..=distance).map(|distance| (distance, Alike::Whole));
    let begun = (distance > 0 && is_open).then_some((1, Alike::Begun));
    for (distance, how) in whole.chain(begun) {
        let mut found = dictionary.alike(word, distance, how)?;
        if !found.is_empty() {
            let first = word.chars().next();
            found.sort_by_key(|(alike, count)| (alike.chars().next() != first, Reverse(*count)));
            return Ok(found.into_iter().take(MAX_ALIKE).map(|(alike, _)| alike).collect());
        }
    }
    Ok(Vec::new())
}

/// The two words that were written together by mistake; the pair whose rarer word is the most frequent.
fn split(dictionary: &Dictionary<'_>, word: &str) -> tantivy::Result<Option<[String; 2]>> {
    let mut best = None;
    for (at, _) in word.char_indices().skip(2) {
        let (first, second) = word.split_at(at);
        if second.chars().count() < 2 {
            break;
        }
        let (Some(one), Some(other)) =
            (most(&dictionary.written(first)?), most(&dictionary.written(second)?))
        else {
            continue;
        };
        if best.as_ref().is_none_or(|(count, _)| one.min(other) > *count) {
            best = Some((one.min(other), [first.to_owned(), second.to_owned()]));
        }
    }
    Ok(best.map(|(_, pair)| pair))
}
