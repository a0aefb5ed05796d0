//! The words of the index: what is there, what begins like a word, what looks like it.
//!
//! What always holds: every look is bounded, and what is counted is counted over all segments, so that the number
//! of segments changes no score.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tantivy::{
    InvertedIndexReader, Searcher, Term, fieldnorm::FieldNormReader, postings::TermInfo,
    query::FuzzyTermQuery, schema::Field,
};

use super::tuned::TUNED;
use crate::search::schema::Fields;

/// Terms that are read for the beginning of a word, per field and segment; the most frequent of them are taken.
const MAX_READ: usize = 1_000;
const MAX_BEGUN: usize = 50;
const MAX_ALIKE_READ: usize = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Stem,
    Word,
}

/// A field in which words are looked up.
pub(super) struct Place {
    pub field: Field,
    pub form: Form,
    pub boost: f32,
    /// What BM25 makes of the length of a text, for each of the 256 lengths that are told apart.
    pub lengths: [f32; 256],
}

/// One term in one field, and where its documents are.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub place: usize,
    pub document_count: u64,
    pub discount: f32,
    /// By segment.
    pub terms: Vec<Option<TermInfo>>,
}

pub(super) struct Dictionary<'a> {
    pub searcher: &'a Searcher,
    pub fields: Fields,
    pub places: Vec<Place>,
    pub document_count: u64,
    /// By segment, then by place.
    pub segments: Vec<Vec<Texts>>,
}

/// The documents of a segment whose whole title is a certain one.
pub(super) type Whole = (Arc<InvertedIndexReader>, TermInfo);

/// One field of one segment.
pub(super) struct Texts {
    pub reader: Arc<InvertedIndexReader>,
    pub lengths: FieldNormReader,
}

impl<'a> Dictionary<'a> {
    pub fn open(searcher: &'a Searcher, fields: &Fields) -> tantivy::Result<Self> {
        let document_count: u64 =
            searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum();
        let fields = *fields;
        let places = [
            (fields.title, Form::Stem, TUNED.title),
            (fields.title_words, Form::Word, TUNED.title_words),
            (fields.body, Form::Stem, 1.0),
            (fields.body_words, Form::Word, TUNED.body_words),
            (fields.code, Form::Word, TUNED.code),
            (fields.keywords, Form::Word, TUNED.keywords),
            (fields.trail, Form::Stem, TUNED.trail),
        ];
        let mut segments: Vec<Vec<Texts>> = Vec::new();
        for segment in searcher.segment_readers() {
            let open = |(field, ..): &(Field, Form, f32)| {
                let lengths = segment.get_fieldnorms_reader(*field)?;
                Ok(Texts { reader: segment.inverted_index(*field)?, lengths })
            };
            segments.push(places.iter().map(open).collect::<tantivy::Result<_>>()?);
        }
        let place = |(number, (field, form, boost)): (usize, (Field, Form, f32))| {
            let words: u64 = segments.iter().map(|texts| texts[number].reader.total_num_tokens()).sum();
            // Most documents have no code and no keywords: their mean length says nothing of those that do.
            let usual = if field == fields.code { 60.0 } else { 4.0 };
            let average = (words as f32 / document_count.max(1) as f32).max(usual);
            let length = |id: u8| {
                TUNED.k1 * (1.0 - TUNED.b + TUNED.b * FieldNormReader::id_to_fieldnorm(id) as f32 / average)
            };
            let mut lengths = [0.0; 256];
            for (id, slot) in (0..=u8::MAX).zip(&mut lengths) {
                *slot = length(id);
            }
            Place { field, form, boost, lengths }
        };
        let places = places.into_iter().enumerate().map(place).collect();
        Ok(Self { searcher, fields, places, document_count, segments })
    }

    /// How much it says that a text has a word which `count` of all texts have.
    pub fn weight(&self, count: u64) -> f32 {
        let count = count.min(self.document_count);
        let without = (self.document_count - count) as f32 + 0.5;
        (without / (count as f32 + 0.5)).ln_1p()
    }

    /// Where a word stands in titles and keywords.
    pub fn titled(&self, word: &str, stem: &str) -> tantivy::Result<Vec<Way>> {
        let ways = self.exact(word, stem)?;
        let is_keyword = |way: &Way| self.places[way.place].field == self.fields.keywords;
        Ok(ways.into_iter().filter(|way| self.is_title(way) || is_keyword(way)).collect())
    }

    /// Where a word stands, as it is written and by its stem.
    pub fn exact(&self, word: &str, stem: &str) -> tantivy::Result<Vec<Way>> {
        let mut ways = Vec::new();
        for (number, place) in self.places.iter().enumerate() {
            let text = if place.form == Form::Stem { stem } else { word };
            ways.extend(self.way(number, text)?);
        }
        Ok(ways)
    }

    pub fn written(&self, word: &str) -> tantivy::Result<Vec<Way>> {
        let mut ways = Vec::new();
        for (number, _) in self.written_places() {
            ways.extend(self.way(number, word)?);
        }
        Ok(ways)
    }

    /// Where a text is the whole of a title.
    pub fn whole_title(&self, whole: &str) -> tantivy::Result<Vec<Option<Whole>>> {
        let term = Term::from_field_text(self.fields.title_whole, whole);
        let mut found = Vec::new();
        for segment in self.searcher.segment_readers() {
            let reader = segment.inverted_index(self.fields.title_whole)?;
            found.push(reader.get_term_info(&term)?.map(|info| (reader, info)));
        }
        Ok(found)
    }

    pub fn is_title(&self, way: &Way) -> bool {
        [self.fields.title, self.fields.title_words].contains(&self.places[way.place].field)
    }

    pub fn is_code(&self, way: &Way) -> bool {
        self.places[way.place].field == self.fields.code
    }

    fn way(&self, place: usize, text: &str) -> tantivy::Result<Option<Way>> {
        let term = Term::from_field_text(self.places[place].field, text);
        let mut terms = Vec::with_capacity(self.segments.len());
        for texts in &self.segments {
            terms.push(texts[place].reader.get_term_info(&term)?);
        }
        let document_count = terms.iter().flatten().map(|info| u64::from(info.doc_freq)).sum();
        Ok((document_count > 0).then_some(Way { place, document_count, discount: 1.0, terms }))
    }

    /// The most frequent words that begin like this one and go on.
    pub fn begun(&self, beginning: &str) -> tantivy::Result<Vec<String>> {
        let mut counts = HashMap::new();
        let end = [beginning.as_bytes(), &[0xff]].concat();
        for (_, reader) in self.written_readers() {
            let mut stream = reader.terms().range().gt(beginning).lt(&end).into_stream()?;
            let mut left = MAX_READ;
            while left > 0 && stream.advance() {
                count(&mut counts, stream.key(), stream.value());
                left -= 1;
            }
        }
        let mut words: Vec<(String, u64)> = counts.into_iter().collect();
        words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        // Two letters begin words that half of all texts have: the most frequent ones will do.
        let mut room = self.document_count / 2;
        let fits = |(_, count): &(String, u64)| {
            let fits = room > 0;
            room = room.saturating_sub(*count);
            fits
        };
        Ok(words.into_iter().take(MAX_BEGUN).take_while(fits).map(|(word, _)| word).collect())
    }

    /// The words within `distance` letters of this one, with how many documents have them.
    pub fn alike(&self, word: &str, distance: u8, how: Alike) -> tantivy::Result<Vec<(String, u64)>> {
        let mut counts = HashMap::new();
        let term = Term::from_field_text(self.fields.body_words, word);
        let query = match how {
            Alike::Whole => FuzzyTermQuery::new(term, distance, true),
            Alike::Begun => FuzzyTermQuery::new_prefix(term, distance, true),
        };
        // Two wrong letters are looked for among a good part of all words, so the first letter must be right.
        let first = word.chars().next().map(String::from).filter(|_| distance > 1).unwrap_or_default();
        let end = [first.as_bytes(), &[0xff]].concat();
        for (_, reader) in self.written_readers() {
            let found = reader.terms().search(query.automaton()?);
            let mut stream = found.ge(&first).lt(&end).into_stream()?;
            let mut left = MAX_ALIKE_READ;
            while left > 0 && stream.advance() {
                count(&mut counts, stream.key(), stream.value());
                left -= 1;
            }
        }
        let sorted: BTreeMap<String, u64> = counts.into_iter().collect();
        Ok(sorted.into_iter().collect())
    }

    fn written_places(&self) -> impl Iterator<Item = (usize, &Place)> {
        self.places.iter().enumerate().filter(|(_, place)| place.form == Form::Word)
    }

    fn written_readers(&self) -> impl Iterator<Item = (usize, &InvertedIndexReader)> {
        self.segments.iter().flat_map(|readers| {
            self.written_places().map(move |(number, _)| (number, &*readers[number].reader))
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alike {
    Whole,
    /// Words that begin with something like it.
    Begun,
}

fn count(counts: &mut HashMap<String, u64>, term: &[u8], info: &TermInfo) {
    if let Ok(term) = std::str::from_utf8(term) {
        let count = u64::from(info.doc_freq);
        counts.entry(term.to_owned()).and_modify(|known| *known += count).or_insert(count);
    }
}
