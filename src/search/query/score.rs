//! How well each document fits, the best ones, and how many there are of each kind, in one pass.
//!
//! What always holds: a document's score depends on the document, the question and the counts over the whole index,
//! never on the segment it lies in.
//!
//! The scores are BM25 over Tantivy's postings, added up word by word in one table per segment. Tantivy's own queries
//! do not tell which of the words a document has (so no share of them can count), they take each term that a word may
//! mean for a word of its own, and they are several times slower where everything must be visited to be counted.

use std::{cmp::Ordering, mem};

use tantivy::{
    DocId, InvertedIndexReader, SegmentReader, columnar::Column, postings::TermInfo,
    schema::IndexRecordOption,
};

use super::{
    dictionary::{Dictionary, Texts, Way},
    manner::Manner,
    tuned::{TUNED, of_kind},
    understood::{Group, Understood},
};
use crate::{contract::search::SearchKind, search::schema};

const KINDS: usize = SearchKind::ALL.len();
/// News is half as new after this many days.
const NEWS_DAYS: f32 = 180.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub segment: usize,
    pub document: DocId,
    pub score: f32,
    /// Says who of equals comes first.
    pub order: u64,
}

impl Found {
    /// Best first, and always in the same order.
    pub fn compare(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then_with(|| self.order.cmp(&other.order))
    }
}

pub(super) struct Scored {
    /// Best first.
    pub best: Vec<Found>,
    /// By the number of the kind, whichever was asked for.
    pub counts: [u64; KINDS],
}

/// The `keep` best of the kind that is asked for.
pub(super) fn score(
    dictionary: &Dictionary<'_>,
    understood: &Understood,
    manner: Manner,
    kind: Option<u64>,
    keep: usize,
) -> tantivy::Result<Scored> {
    let mut counts = [0; KINDS];
    let mut best = Best { keep, found: Vec::new(), least: f32::MIN };
    let most_favour = (1.0 + TUNED.page) * (1.0 + TUNED.titled_page) * (1.0 + TUNED.news);
    let kinds = SearchKind::ALL.map(|kind| of_kind(kind, manner));
    if !understood.words.is_empty() {
        let shares = Shares::new(understood);
        let whole = dictionary.whole_title(&understood.whole)?;
        let newest = newest(dictionary)?;
        let asked = u16::MAX >> (16 - understood.words.len());
        for (number, segment) in dictionary.searcher.segment_readers().iter().enumerate() {
            let mut table = Table::new(segment.max_doc());
            for group in &understood.groups {
                table.add(dictionary, number, group)?;
            }
            if let Some((reader, info)) = &whole[number] {
                table.add_whole(reader, info, understood)?;
            }
            let columns = Columns::open(segment, newest)?;
            for document in mem::take(&mut table.seen) {
                let slot = table.slots[document as usize];
                let share = shares.of(slot.words);
                if share <= 0.0 || segment.is_deleted(document) {
                    continue;
                }
                let its_kind = columns.kind(document);
                let number_of_kind = usize::try_from(its_kind).unwrap_or(KINDS);
                if let Some(count) = counts.get_mut(number_of_kind) {
                    *count += 1;
                }
                if kind.is_none_or(|kind| kind == its_kind) {
                    let score = slot.score * share * kinds.get(number_of_kind).unwrap_or(&1.0);
                    if score * most_favour >= best.least {
                        let score = score * columns.favour(document, slot.title(asked));
                        best.add(Found { segment: number, document, score, order: columns.order(document) });
                    }
                }
            }
        }
    }
    Ok(Scored { best: best.sorted(), counts })
}

/// What a document's score is multiplied by, by the words it has: 0 when they say too little of what was asked.
/// There are many sets of sixteen words, so what they say is kept for the lower and the upper half of them.
struct Shares {
    all: f32,
    halves: [[f32; 256]; 2],
}

impl Shares {
    fn new(understood: &Understood) -> Self {
        let mut halves = [[0.0; 256]; 2];
        for (half, words) in halves.iter_mut().zip(understood.words.chunks(8)) {
            for (set, worth) in half.iter_mut().enumerate() {
                let has = |(number, _): &(usize, _)| set & (1 << number) != 0;
                *worth = words.iter().enumerate().filter(has).map(|(_, word)| word.weight).sum();
            }
        }
        let all: f32 = understood.words.iter().map(|word| word.weight).sum();
        Self { all: all.max(f32::MIN_POSITIVE), halves }
    }

    fn of(&self, words: u16) -> f32 {
        let [lower, upper] = words.to_le_bytes();
        let some = self.halves[0][usize::from(lower)] + self.halves[1][usize::from(upper)];
        let share = some / self.all;
        if share < TUNED.least { 0.0 } else { 1.0 - TUNED.coverage * (1.0 - share) }
    }
}

fn newest(dictionary: &Dictionary<'_>) -> tantivy::Result<Option<i64>> {
    let mut newest = None;
    for segment in dictionary.searcher.segment_readers() {
        let dates = segment.fast_fields().column_opt::<i64>(schema::DATE)?;
        newest = newest.max(dates.filter(|dates| dates.values.num_vals() > 0).map(|dates| dates.max_value()));
    }
    Ok(newest)
}

/// What the documents of one segment have got so far.
struct Table {
    slots: Vec<Slot>,
    seen: Vec<DocId>,
    touched: Vec<DocId>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    score: f32,
    /// Of the group that is being added: the best way, and all of them.
    best: f32,
    sum: f32,
    words: u16,
    /// Those of them that stand in its title.
    titled: u16,
}

/// How much of the question stands in a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Title {
    All,
    /// Or nothing.
    Part,
}

impl Slot {
    fn title(self, asked: u16) -> Title {
        if self.titled & asked == asked { Title::All } else { Title::Part }
    }
}

impl Table {
    fn new(documents: DocId) -> Self {
        let slots = vec![Slot::default(); documents as usize];
        Self { slots, seen: Vec::new(), touched: Vec::new() }
    }

    fn add(&mut self, dictionary: &Dictionary<'_>, segment: usize, group: &Group) -> tantivy::Result<()> {
        for way in &group.ways {
            self.add_way(dictionary, segment, way, group.words)?;
        }
        for document in self.touched.drain(..) {
            let slot = &mut self.slots[document as usize];
            if slot.words == 0 {
                self.seen.push(document);
            }
            slot.words |= group.words;
            slot.score += group.weight * (slot.best + TUNED.tie * (slot.sum - slot.best));
            (slot.best, slot.sum) = (0.0, 0.0);
        }
        Ok(())
    }

    fn add_way(
        &mut self,
        dictionary: &Dictionary<'_>,
        segment: usize,
        way: &Way,
        words: u16,
    ) -> tantivy::Result<()> {
        let Some(info) = &way.terms[segment] else {
            return Ok(());
        };
        let place = &dictionary.places[way.place];
        let titled = if dictionary.is_title(way) { words } else { 0 };
        let weight = place.boost * way.discount * dictionary.weight(way.document_count) * (1.0 + TUNED.k1);
        let Texts { reader, lengths } = &dictionary.segments[segment][way.place];
        let mut postings = reader.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)?;
        while !postings.docs().is_empty() {
            for (document, count) in postings.docs().iter().zip(postings.freqs()) {
                let count = *count as f32;
                let length = place.lengths[usize::from(lengths.fieldnorm_id(*document))];
                let score = weight * count / (count + length);
                let slot = &mut self.slots[*document as usize];
                if slot.sum == 0.0 {
                    self.touched.push(*document);
                }
                slot.sum += score;
                slot.best = slot.best.max(score);
                slot.titled |= titled;
            }
            postings.advance();
        }
        Ok(())
    }

    /// Who types a whole title means that page.
    fn add_whole(
        &mut self,
        reader: &InvertedIndexReader,
        info: &TermInfo,
        understood: &Understood,
    ) -> tantivy::Result<()> {
        let worth: f32 = understood.words.iter().map(|word| word.weight).sum();
        let mut postings = reader.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
        while !postings.docs().is_empty() {
            for document in postings.docs() {
                let slot = &mut self.slots[*document as usize];
                if slot.words != 0 {
                    slot.score += TUNED.whole_title * worth;
                }
            }
            postings.advance();
        }
        Ok(())
    }
}

/// What is known of each document besides its words.
struct Columns {
    kinds: Option<Column<u64>>,
    orders: Option<Column<u64>>,
    pages: Option<Column<bool>>,
    dates: Option<Column<i64>>,
    newest: Option<i64>,
}

impl Columns {
    fn open(segment: &SegmentReader, newest: Option<i64>) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        Ok(Self {
            kinds: columns.column_opt(schema::KIND)?,
            orders: columns.column_opt(schema::ORDER)?,
            pages: columns.column_opt(schema::IS_PAGE)?,
            dates: columns.column_opt(schema::DATE)?,
            newest,
        })
    }

    fn kind(&self, document: DocId) -> u64 {
        self.kinds.as_ref().and_then(|kinds| kinds.first(document)).unwrap_or_default()
    }

    fn order(&self, document: DocId) -> u64 {
        self.orders.as_ref().and_then(|orders| orders.first(document)).unwrap_or_default()
    }

    /// Pages before their sections, the more so when the title has all that is asked; newer news before older. A little,
    /// so that a better fit still wins. What is new is new against the newest, so the same index gives the same answer
    /// tomorrow.
    fn favour(&self, document: DocId, title: Title) -> f32 {
        let is_page = self.pages.as_ref().and_then(|pages| pages.first(document)).unwrap_or_default();
        let page = match (is_page, title) {
            (false, _) => 1.0,
            (true, Title::Part) => 1.0 + TUNED.page,
            (true, Title::All) => (1.0 + TUNED.page) * (1.0 + TUNED.titled_page),
        };
        let date = self.dates.as_ref().and_then(|dates| dates.first(document));
        let news = date.zip(self.newest).map_or(1.0, |(date, newest)| {
            let days = newest.saturating_sub(date).max(0) as f32;
            1.0 + TUNED.news * NEWS_DAYS / (NEWS_DAYS + days)
        });
        page * news
    }
}

/// The best so far; never many more than are kept.
struct Best {
    keep: usize,
    found: Vec<Found>,
    /// Who has less is out.
    least: f32,
}

impl Best {
    fn add(&mut self, found: Found) {
        if found.score < self.least || self.keep == 0 {
            return;
        }
        self.found.push(found);
        if self.found.len() >= 2 * self.keep {
            self.found.select_nth_unstable_by(self.keep - 1, Found::compare);
            self.found.truncate(self.keep);
            self.least = self.found[self.keep - 1].score;
        }
    }

    fn sorted(mut self) -> Vec<Found> {
        self.found.sort_unstable_by(Found::compare);
        self.found.truncate(self.keep);
        self.found
    }
}
