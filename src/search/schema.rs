//! How a document lies in the index: what is kept to be shown, and what it is found by.
//!
//! What always holds: a changed schema or analysis has another [`FORMAT`], so an index of the older one is built
//! anew and not misread.

use tantivy::{
    Index, TantivyDocument, Term,
    schema::{FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions},
};

use super::{SearchDocument, analysis};
use crate::contract::search::SearchKind;

/// Changes when the schema or the analysis does, and when things become other documents than before: how
/// `support::knowledge` makes an article into documents, and how `content` cuts Markdown into sections. What the program
/// brings itself is in the name of an index by its words; what lies in the database is not, so only this number makes
/// an index of older documents be built anew.
pub(super) const FORMAT: &str = "3";

pub(super) const KIND: &str = "kind";
pub(super) const DATE: &str = "date";
pub(super) const IS_PAGE: &str = "is_page";
pub(super) const ORDER: &str = "order";

#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub url: Field,
    /// The place in [`SearchKind::ALL`].
    pub kind: Field,
    /// Whose documents are replaced together.
    pub thing: Field,
    /// Days, for what has a date.
    pub date: Field,
    pub is_page: Field,
    /// A number from the address: who of equals comes first, on every node.
    pub order: Field,
    /// Where it stands, by stems.
    pub trail: Field,
    /// The title by stems; the one that is kept to be shown.
    pub title: Field,
    /// The title by the words as they are written.
    pub title_words: Field,
    /// The whole title as one term, for who types just that; of whole pages the last part of the address, too.
    pub title_whole: Field,
    /// The body by stems; the one that is kept for the excerpts.
    pub body: Field,
    pub body_words: Field,
    pub code: Field,
    pub keywords: Field,
}

pub(super) fn schema() -> (Schema, Fields) {
    let text = |tokenizer, option| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option),
        )
    };
    let stems = || text(analysis::STEMS, IndexRecordOption::WithFreqsAndPositions);
    let words = || text(analysis::WORDS, IndexRecordOption::WithFreqs);
    let mut builder = Schema::builder();
    let fields = Fields {
        url: builder.add_text_field("url", TextOptions::default().set_stored()),
        kind: builder.add_u64_field(KIND, FAST | STORED),
        thing: builder.add_text_field("thing", STRING),
        date: builder.add_i64_field(DATE, FAST),
        is_page: builder.add_bool_field(IS_PAGE, FAST),
        order: builder.add_u64_field(ORDER, FAST),
        trail: builder
            .add_text_field("trail", text(analysis::STEMS, IndexRecordOption::WithFreqs).set_stored()),
        title: builder.add_text_field("title", stems().set_stored()),
        title_words: builder.add_text_field("title_words", words()),
        title_whole: builder.add_text_field("title_whole", STRING),
        body: builder.add_text_field("body", stems().set_stored()),
        body_words: builder.add_text_field("body_words", words()),
        code: builder.add_text_field("code", words().set_stored()),
        keywords: builder.add_text_field("keywords", words()),
    };
    (builder.build(), fields)
}

/// Makes the analysis known to an index; without it nothing can be written or asked.
pub(super) fn register(index: &Index) {
    index.tokenizers().register(analysis::WORDS, analysis::words());
    index.tokenizers().register(analysis::STEMS, analysis::stems());
}

pub(super) fn stored(fields: &Fields, document: &SearchDocument) -> TantivyDocument {
    let mut stored = TantivyDocument::new();
    stored.add_text(fields.url, &document.url);
    stored.add_u64(fields.kind, kind_number(document.kind));
    stored.add_text(fields.thing, &document.thing);
    if let Some(date) = document.date {
        stored.add_i64(fields.date, i64::from(date.to_julian_day()));
    }
    stored.add_bool(fields.is_page, document.is_page);
    stored.add_u64(fields.order, order(&document.url));
    for step in &document.trail {
        stored.add_text(fields.trail, step);
    }
    stored.add_text(fields.title, &document.title);
    stored.add_text(fields.title_words, &document.title);
    stored.add_text(fields.title_whole, analysis::whole(&document.title));
    let slug = document.url.rsplit('/').next().map(analysis::whole).unwrap_or_default();
    if document.is_page && !slug.is_empty() {
        stored.add_text(fields.title_whole, slug);
    }
    stored.add_text(fields.body, &document.body);
    stored.add_text(fields.body_words, &document.body);
    stored.add_text(fields.code, &document.code);
    stored.add_text(fields.keywords, &document.keywords);
    stored
}

/// What finds all documents of a thing, to take them away.
pub(super) fn thing_term(fields: &Fields, thing: &str) -> Term {
    Term::from_field_text(fields.thing, thing)
}

pub(super) fn kind_number(kind: SearchKind) -> u64 {
    SearchKind::ALL.iter().position(|known| *known == kind).unwrap_or_default() as u64
}

pub(super) fn kind_of(number: u64) -> Option<SearchKind> {
    usize::try_from(number).ok().and_then(|number| SearchKind::ALL.get(number)).copied()
}

/// FNV-1a: it must be the same on every node and in every build, which the hashes of the standard library need not.
fn order(url: &str) -> u64 {
    url.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
