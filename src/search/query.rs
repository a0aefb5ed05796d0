//! From what people type to what they get.
//!
//! What always holds: nothing typed is syntax; the work is bounded whatever is typed; and the same question to the
//! same documents has the same answer in the same order.
//!
//! A word is looked up in every field, as it is written and by its stem; a document counts its best field and a
//! little of the others (a maximum, not a sum, or a word in five fields would beat five words). Neighbouring words
//! are also tried joined. The last word may be unfinished. Only a word that stands nowhere is taken for another one.

mod dictionary;
mod manner;
mod nearness;
mod score;
mod tuned;
mod understood;

use tantivy::{DocAddress, Index, Searcher, TantivyDocument, schema::Value};

use self::{dictionary::Dictionary, manner::Manner, score::Found, understood::Understood};
use super::{
    Ask, Error, MAX_QUERY_CHARS, analysis, highlight,
    schema::{Fields, kind_number, kind_of},
};
use crate::contract::search::{SearchFacet, SearchHit, SearchResults};

/// How many of the best are looked at closely, for words that stand together.
const CLOSER_LOOK: usize = 100;
/// Nobody turns more pages than that.
const MAX_OFFSET: usize = 10_000;

pub(super) fn find(
    searcher: &Searcher,
    index: &Index,
    fields: &Fields,
    ask: &Ask<'_>,
) -> Result<SearchResults, Error> {
    let text: String = ask.text.chars().take(MAX_QUERY_CHARS).collect();
    let typed = analysis::typed(&text);
    let dictionary = Dictionary::open(searcher, fields)?;
    let understood = Understood::new(&dictionary, &typed)?;
    let kind = ask.kind.map(kind_number);
    let offset = ask.offset.min(MAX_OFFSET);
    let keep = CLOSER_LOOK.max(offset + ask.limit);
    let scored = score::score(&dictionary, &understood, Manner::of(&text), kind, keep)?;
    let mut best = scored.best;
    let looked_at = best.len().min(CLOSER_LOOK);
    nearness::add(&dictionary, &understood, &mut best[..looked_at])?;
    best.sort_unstable_by(Found::compare);

    let corrected = understood.corrected(&text);
    let mut marks = highlight::Marks::new(index.tokenizer_for_field(fields.body_words)?, understood.terms);
    let items = best
        .iter()
        .skip(offset)
        .take(ask.limit)
        .map(|found| hit(searcher, fields, &mut marks, found))
        .collect::<Result<_, Error>>()?;
    let facets: Vec<SearchFacet> = (0..)
        .zip(scored.counts)
        .filter(|(_, count)| *count > 0)
        .filter_map(|(number, count)| Some(SearchFacet { kind: kind_of(number)?, count }))
        .collect();
    let total = facets
        .iter()
        .filter(|facet| ask.kind.is_none_or(|kind| kind == facet.kind))
        .map(|facet| facet.count)
        .sum();
    Ok(SearchResults { items, total, facets, corrected })
}

fn hit(
    searcher: &Searcher,
    fields: &Fields,
    marks: &mut highlight::Marks,
    found: &Found,
) -> Result<SearchHit, Error> {
    let address = DocAddress::new(u32::try_from(found.segment).unwrap_or_default(), found.document);
    let document: TantivyDocument = searcher.doc(address)?;
    let text = |field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
    let kind = document.get_first(fields.kind).and_then(|value| value.as_u64()).and_then(kind_of);
    let title = text(fields.title);
    Ok(SearchHit {
        title: title.to_owned(),
        url: text(fields.url).to_owned(),
        kind: kind.unwrap_or(crate::contract::search::SearchKind::Page),
        trail: document.get_all(fields.trail).filter_map(|step| step.as_str()).map(str::to_owned).collect(),
        title_html: marks.whole(title),
        excerpt_html: marks.excerpt(text(fields.body), text(fields.code)),
    })
}

#[cfg(test)]
mod tests;
