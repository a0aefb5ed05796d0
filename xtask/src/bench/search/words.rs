//! What articles and questions are made of: the sentences and words of our own pages, drawn as unevenly as people use
//! words.
//!
//! What always holds: the same pages give the same words, and the same seed draws the same ones.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail};

/// The folders of `content/` that hold prose.
const FOLDERS: [&str; 3] = ["docs", "kb", "blog"];
const SENTENCE: std::ops::RangeInclusive<usize> = 4..=30;
const LONGEST: usize = 40;
/// Longer ones are names.
const LONGEST_WORD: usize = 14;
/// Fewer, and the pages were not read as they are written.
const FEWEST_SENTENCES: usize = 500;
/// The larger, the more even: with none the first is drawn twice as often as the second.
const EVENNESS_OF_SENTENCES: f64 = 20.0;
const EVENNESS_OF_WORDS: f64 = 2.0;
const EVENNESS_OF_TELLING: f64 = 10.0;
/// What PostgreSQL leaves out of an English text, as far as it is longer than three letters.
const STOP: &str = "about above after again against because been before being below between both does doing down during each few \
     from further have having here hers herself himself into itself just more most myself once only other ours ourselves over \
     same should some such than that their theirs them themselves then there these they this those through under until very \
     were what when where which while whom will with your yours yourself yourselves";

pub struct Words {
    sentences: Drawn<Vec<String>>,
    all: Drawn<String>,
    /// Those that say what a text is about.
    telling: Drawn<String>,
}

impl Words {
    /// Reads the pages under `content`.
    pub fn read(content: &Path) -> Result<Self> {
        let mut pages = Vec::new();
        for folder in FOLDERS {
            let folder = content.join(folder);
            for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
                let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
                if path.extension().is_some_and(|extension| extension == "md") {
                    pages.push(path);
                }
            }
        }
        pages.sort();
        let mut text = Vec::new();
        for page in pages {
            text.push(fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?);
        }
        let words = Self::of(&text);
        if words.sentences.items.len() < FEWEST_SENTENCES {
            bail!("{} holds only {} sentences", content.display(), words.sentences.items.len());
        }
        Ok(words)
    }

    pub fn of(pages: &[String]) -> Self {
        let stop: HashSet<&str> = STOP.split(' ').collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut sentences = Vec::new();
        for paragraph in pages.iter().flat_map(|page| paragraphs(page)) {
            for sentence in sentences_of(&paragraph) {
                for word in &sentence {
                    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
                    if (2..=LONGEST_WORD).contains(&word.len())
                        && word.bytes().all(|b| b.is_ascii_alphabetic())
                    {
                        *counts.entry(word).or_default() += 1;
                    }
                }
                if SENTENCE.contains(&sentence.len()) {
                    sentences.push(sentence);
                }
            }
        }
        // The most frequent first; those of one page do not stay together, or one page would be in every article.
        let mut counted: Vec<(String, usize)> = counts.into_iter().collect();
        counted.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let all: Vec<String> = counted.into_iter().map(|(word, _)| word).collect();
        let telling = all.iter().filter(|word| word.len() > 3 && !stop.contains(word.as_str()));
        let telling = telling.cloned().collect();
        Random::seeded(0).shuffle(&mut sentences);
        Self {
            sentences: Drawn::new(sentences, EVENNESS_OF_SENTENCES),
            all: Drawn::new(all, EVENNESS_OF_WORDS),
            telling: Drawn::new(telling, EVENNESS_OF_TELLING),
        }
    }

    /// A sentence in which one word of ten is another one.
    pub fn sentence(&self, random: &mut Random) -> Vec<String> {
        let mut sentence = self.sentences.draw(random).clone();
        let last = sentence.len() - 1;
        for word in &mut sentence[1..last] {
            if random.one_in(10) {
                word.clone_from(self.all.draw(random));
            }
        }
        sentence
    }

    pub fn telling(&self, random: &mut Random) -> &str {
        self.telling.draw(random)
    }
}

/// Things of which the first are drawn far more often than the last, as Zipf found it of words.
struct Drawn<T> {
    items: Vec<T>,
    /// The sum of all weights up to each.
    weights: Vec<f64>,
}

impl<T> Drawn<T> {
    fn new(items: Vec<T>, evenness: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=items.len()).map(|rank| {
            sum += 1.0 / (rank as f64 + evenness);
            sum
        });
        let weights = weights.collect();
        Self { items, weights }
    }

    fn draw(&self, random: &mut Random) -> &T {
        let at = random.unit() * self.weights.last().copied().unwrap_or_default();
        let place = self.weights.partition_point(|weight| *weight <= at);
        &self.items[place.min(self.items.len() - 1)]
    }
}

/// What is told on a page: neither front matter nor headings, code, tables or what else is no prose.
fn paragraphs(page: &str) -> Vec<String> {
    let body =
        page.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(page, |(_, body)| body);
    let mut paragraphs = vec![String::new()];
    let mut is_code = false;
    for line in body.lines().map(str::trim) {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        let item =
            ["- ", "* ", "> "].iter().find_map(|mark| line.strip_prefix(*mark)).or_else(|| numbered(line));
        let is_break = is_code || line.is_empty() || line.starts_with(['#', '|', ':', '{', '<', '!', '`']);
        if is_break || item.is_some() {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut().filter(|_| !is_break) {
            paragraph.push(' ');
            paragraph.push_str(item.unwrap_or(line));
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// What stands behind the number of an item.
fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(". ")?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(rest)
}

/// The words of each sentence, with nothing in them that means something to Markdown or to PostgreSQL's `copy`.
fn sentences_of(paragraph: &str) -> Vec<Vec<String>> {
    let plain: String = without_targets(paragraph)
        .chars()
        .map(|c| if c == '|' { ' ' } else { c })
        .filter(|c| c.is_alphanumeric() || " .,?!'’-_:;/()%+@=".contains(*c))
        .collect();
    let mut sentences = Vec::new();
    let mut sentence = Vec::new();
    for word in plain.split_whitespace() {
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '(').trim_end_matches('_');
        let is_word = word.contains(char::is_alphanumeric) && word.chars().count() <= LONGEST;
        if is_word {
            sentence.push(word.to_owned());
        }
        if word.ends_with(['.', '?', '!']) {
            sentences.push(std::mem::take(&mut sentence));
        }
    }
    sentences.push(sentence);
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// Links without their addresses.
fn without_targets(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, target)) = rest.split_once("](") {
        plain.push_str(before);
        rest = target.split_once(')').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

/// Random enough for texts, and the same for the same seed (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both among them.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() % (most - least + 1) as u64) as usize
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    /// From 0 to less than 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.between(0, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "---\ntitle: A page\n---\n\nOpen [the page](/activate) and enter the key. It begins with `DF`, like all.\n\n\
        ## A heading\n\n- Choose **Use this key** now.\n2. Press [[Ctrl+K|Cmd+K]] to search it.\n\n```sh\nrm -rf \\tmp\n```\n\n\
        | a | table |\n";

    #[test]
    fn prose_is_told_from_the_rest() {
        let sentences: Vec<String> = paragraphs(PAGE)
            .iter()
            .flat_map(|text| sentences_of(text))
            .map(|words| words.join(" "))
            .collect();
        let expected = [
            "Open the page and enter the key.",
            "It begins with DF, like all.",
            "Choose Use this key now.",
            "Press Ctrl+K Cmd+K to search it.",
        ];
        assert_eq!(sentences, expected);
    }

    #[test]
    fn the_same_seed_draws_the_same_words() {
        let words = Words::of(&[PAGE.to_owned()]);
        let drawn = |seed| {
            let mut random = Random::seeded(seed);
            (words.sentence(&mut random), words.telling(&mut random).to_owned())
        };
        assert_eq!(drawn(1), drawn(1));
        let different: HashSet<_> = (0..50).map(drawn).collect();
        assert!(different.len() > 5);
    }

    #[test]
    fn the_first_are_drawn_most_often_and_all_of_them_sometimes() {
        let drawn = Drawn::new((0..100_usize).collect(), 2.0);
        let mut random = Random::seeded(7);
        let mut counts = [0; 100];
        for _ in 0..20_000 {
            counts[*drawn.draw(&mut random)] += 1;
        }
        assert!(counts.iter().all(|count| *count > 0));
        assert!(counts[0] > 10 * counts[90], "{counts:?}");
    }

    #[test]
    fn stop_words_tell_nothing() {
        let words = Words::of(&["This page tells people about licenses.".to_owned()]);
        assert_eq!(words.telling.items, ["licenses", "page", "people", "tells"]);
    }
}
