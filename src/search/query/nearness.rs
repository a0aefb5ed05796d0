//! Words that stand together in the query and in the text: looked for in the best documents only.
//!
//! What always holds: this only adds to scores, so who is not looked at has no reason to be before who is.

use tantivy::{
    DocSet, InvertedIndexReader, TERMINATED, Term,
    postings::{Postings, SegmentPostings},
    schema::IndexRecordOption,
};

use super::{dictionary::Dictionary, score::Found, tuned::TUNED, understood::Understood};

/// Farther apart they have nothing to do with each other.
const FARTHEST: u32 = 8;

pub(super) fn add(
    dictionary: &Dictionary<'_>,
    understood: &Understood,
    best: &mut [Found],
) -> tantivy::Result<()> {
    if understood.words.len() < 2 {
        return Ok(());
    }
    // Postings are read forwards.
    best.sort_unstable_by_key(|found| (found.segment, found.document));
    for found in best.chunk_by_mut(|a, b| a.segment == b.segment) {
        for (field, boost) in [(dictionary.fields.title, TUNED.title), (dictionary.fields.body, 1.0)] {
            let segment = &dictionary.searcher.segment_readers()[found[0].segment];
            let reader = segment.inverted_index(field)?;
            let mut words: Vec<_> = Vec::new();
            for word in &understood.words {
                words.push(open(&reader, &Term::from_field_text(field, &word.stem))?);
            }
            let mut places: Vec<Vec<u32>> = vec![Vec::new(); words.len()];
            for found in &mut *found {
                for (postings, places) in words.iter_mut().zip(&mut places) {
                    places.clear();
                    if let Some(postings) = postings
                        && at(postings, found.document)
                    {
                        postings.positions(places);
                    }
                }
                found.score += boost * TUNED.nearness * together(understood, &places);
            }
        }
    }
    Ok(())
}

fn open(reader: &InvertedIndexReader, term: &Term) -> tantivy::Result<Option<SegmentPostings>> {
    Ok(reader.read_postings(term, IndexRecordOption::WithFreqsAndPositions)?)
}

fn at(postings: &mut SegmentPostings, document: u32) -> bool {
    if postings.doc() < document {
        postings.seek(document);
    }
    postings.doc() == document && document != TERMINATED
}

/// What the nearest places of each two neighbours in the query are worth.
fn together(understood: &Understood, places: &[Vec<u32>]) -> f32 {
    let mut worth = 0.0;
    for (pair, places) in understood.words.windows(2).zip(places.windows(2)) {
        let apart = nearest(&places[0], &places[1]);
        if apart <= FARTHEST {
            worth += pair[0].weight.min(pair[1].weight) / apart.max(1) as f32;
        }
    }
    worth
}

/// How far the nearest of two sorted lists of places are from each other.
fn nearest(some: &[u32], others: &[u32]) -> u32 {
    let (mut i, mut j) = (0, 0);
    let mut nearest = u32::MAX;
    while let (Some(one), Some(other)) = (some.get(i), others.get(j)) {
        nearest = nearest.min(one.abs_diff(*other));
        if one < other { i += 1 } else { j += 1 }
    }
    nearest
}
