//! What each thing is worth, as measured on the judged collections (see [`crate::search::relevance`]).
//!
//! nDCG@10 on Cranfield and Vaswani is .407 and .450. Without the titles it is .379 (Vaswani has none); without the
//! tie .397 and .449; without coverage .400 and .440; without nearness .400 and .449; without the words of the body as
//! they are written .402 and .451. The collections have neither code nor keywords, trails, pages or news: those
//! numbers are judgement, held by the tests.

use super::manner::Manner;
use crate::contract::search::SearchKind;

pub(super) struct Tuned {
    /// BM25: how soon more of a word in one text stops counting, and how much long texts are held against it.
    pub k1: f32,
    pub b: f32,
    /// Fields, against 1 for the stems of the body.
    pub title: f32,
    pub title_words: f32,
    pub body_words: f32,
    pub code: f32,
    pub keywords: f32,
    pub trail: f32,
    /// How much the weaker fields count when a word is in several.
    pub tie: f32,
    /// Neighbouring words written together, against the words themselves.
    pub joined: f32,
    /// What stands so in code is an identifier, and that is what is looked for: this many times as much.
    pub joined_code: f32,
    /// Words that the last one may become, and words that one that stands nowhere may have been meant as.
    pub begun: f32,
    pub alike: f32,
    /// How much is lost by who has none of the words (by how much they say); less by who has some.
    pub coverage: f32,
    /// Who has less than this share of the words is no hit.
    pub least: f32,
    /// Neighbours in the query that are neighbours in the text.
    pub nearness: f32,
    /// The query is the whole title: this many times what its words are worth at most.
    pub whole_title: f32,
    /// A page rather than a section of it; and one that has all words of the question in its title.
    pub page: f32,
    pub titled_page: f32,
    pub news: f32,
}

pub(super) const TUNED: Tuned = Tuned {
    k1: 1.2,
    b: 0.75,
    title: 1.5,
    title_words: 1.0,
    body_words: 0.8,
    code: 0.8,
    keywords: 1.5,
    trail: 0.6,
    tie: 0.3,
    joined: 0.5,
    joined_code: 3.0,
    begun: 0.6,
    alike: 0.8,
    coverage: 0.4,
    least: 0.15,
    nearness: 0.4,
    whole_title: 1.0,
    page: 0.15,
    titled_page: 0.4,
    news: 0.1,
};

/// What a thing counts by its kind. Plain words ask for a page about something, and not for the call that does it or for
/// the news of it; who names a path or an identifier wants just that.
pub(super) fn of_kind(kind: SearchKind, manner: Manner) -> f32 {
    match (kind, manner) {
        (SearchKind::Api, Manner::Plain) => 0.8,
        (SearchKind::Blog | SearchKind::Changelog, _) => 0.9,
        _ => 1.0,
    }
}
