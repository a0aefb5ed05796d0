//! How well the search finds, measured on judged collections: documents, questions, and which answers which.
//!
//! What always holds: it goes through the same analysis, index and query as the search of the site, and the same
//! collection gives the same figures: the misspellings come from a fixed seed.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
};

use tantivy::{Index, IndexReader};

use super::{Ask, Error, SearchDocument, analysis, query, schema};
use crate::contract::search::SearchKind;

const DEPTH: usize = 10;
const WRITER_BYTES: usize = 50_000_000;

/// A judged collection in TREC form.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    pub name: String,
    pub documents: Vec<SearchDocument>,
    /// What is asked, and how well (above 0) which documents, by their address, answer it.
    pub questions: Vec<(String, BTreeMap<String, u32>)>,
}

/// Where the parts of a collection lie.
#[derive(Debug, Clone)]
pub struct Files {
    pub documents: PathBuf,
    pub questions: PathBuf,
    pub judgments: PathBuf,
}

/// Means over all questions, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    pub ndcg_at_10: f64,
    /// The reciprocal of the rank of the first answer, among the first ten.
    pub reciprocal_rank: f64,
    /// The first hit is an answer.
    pub success_at_1: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    pub clean: Figures,
    /// The same questions with one word of each misspelt.
    pub misspelt: Figures,
}

impl Files {
    /// The three files of a folder, told by their names.
    pub fn of(folder: &Path) -> Result<Self, Error> {
        let read = |source| Error::Folder { path: folder.to_owned(), source };
        let mut paths: Vec<PathBuf> =
            fs::read_dir(folder).map_err(read)?.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let mut take = |words: &[&str]| {
            let at = paths.iter().position(|path| words.iter().any(|word| name(path).contains(word)));
            at.map(|at| paths.remove(at)).ok_or_else(|| read(std::io::ErrorKind::NotFound.into()))
        };
        let judgments = take(&["qrel"])?;
        let questions = take(&["qry", "quer", "topic"])?;
        Ok(Self { documents: take(&["doc", "all"])?, questions, judgments })
    }
}

impl Collection {
    pub fn load(name: &str, files: &Files) -> Result<Self, Error> {
        let read = |path: &Path| {
            let bytes = fs::read(path).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
            Ok::<_, Error>(String::from_utf8_lossy(&bytes).into_owned())
        };
        let documents = documents(&read(&files.documents)?);
        let mut judged: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
        for line in read(&files.judgments)?.lines() {
            let mut parts = line.split_whitespace();
            if let (Some(question), Some(_), Some(document), Some(grade)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            {
                let grade: i64 = grade.parse().unwrap_or_default();
                let answers = judged.entry(question.to_owned()).or_default();
                if let Some(grade) = u32::try_from(grade).ok().filter(|grade| *grade > 0) {
                    answers.insert(document.to_owned(), grade);
                }
            }
        }
        let asked = questions(&read(&files.questions)?);
        // Some collections number the questions in the judgments by their place in the file.
        let numbers: HashSet<&String> = asked.iter().map(|(number, _)| number).collect();
        let by_place = judged.keys().any(|number| !numbers.contains(number));
        let questions = asked
            .iter()
            .enumerate()
            .filter_map(|(place, (number, text))| {
                let number = if by_place { (place + 1).to_string() } else { number.clone() };
                let answers = judged.get(&number).filter(|answers| !answers.is_empty())?;
                Some((text.clone(), answers.clone()))
            })
            .collect();
        Ok(Self { name: name.to_owned(), documents, questions })
    }

    /// Indexes the documents in memory and asks every question twice, as it is and misspelt.
    pub fn measure(&self) -> Result<Measured, Error> {
        let indexed = Indexed::new(&self.documents)?;
        let words = self.words();
        let mut seed = 0x5eed;
        let misspelt: Vec<String> =
            self.questions.iter().map(|(text, _)| misspelt(text, &words, &mut seed)).collect();
        Ok(Measured {
            clean: self.ask(&indexed, |number| &self.questions[number].0)?,
            misspelt: self.ask(&indexed, |number| &misspelt[number])?,
        })
    }

    fn ask<'a>(&self, indexed: &Indexed, text: impl Fn(usize) -> &'a str) -> Result<Figures, Error> {
        let mut sum = Figures::default();
        for (number, (_, answers)) in self.questions.iter().enumerate() {
            let grades: Vec<u32> = indexed
                .find(text(number))?
                .iter()
                .map(|found| answers.get(found).copied().unwrap_or_default())
                .collect();
            let mut ideal: Vec<u32> = answers.values().copied().collect();
            ideal.sort_unstable_by(|a, b| b.cmp(a));
            sum.ndcg_at_10 += gain(&grades) / gain(&ideal);
            if let Some(rank) = grades.iter().position(|grade| *grade > 0) {
                sum.reciprocal_rank += 1.0 / (rank + 1) as f64;
                sum.success_at_1 += f64::from(u8::from(rank == 0));
            }
        }
        let count = self.questions.len().max(1) as f64;
        Ok(Figures {
            ndcg_at_10: sum.ndcg_at_10 / count,
            reciprocal_rank: sum.reciprocal_rank / count,
            success_at_1: sum.success_at_1 / count,
        })
    }

    fn words(&self) -> HashSet<String> {
        let mut words = HashSet::new();
        let mut analyzer = analysis::words();
        for document in &self.documents {
            for text in [&document.title, &document.body] {
                analyzer.token_stream(text).process(&mut |token| {
                    words.insert(token.text.clone());
                });
            }
        }
        words
    }
}

/// Discounted by rank, as `trec_eval` does it.
fn gain(grades: &[u32]) -> f64 {
    let at = |(rank, grade): (usize, &u32)| f64::from(*grade) / (rank as f64 + 2.0).log2();
    grades.iter().take(DEPTH).enumerate().map(at).sum()
}

struct Indexed {
    index: Index,
    reader: IndexReader,
    fields: schema::Fields,
}

impl Indexed {
    fn new(documents: &[SearchDocument]) -> Result<Self, Error> {
        let (schema, fields) = schema::schema();
        let index = Index::create_in_ram(schema);
        schema::register(&index);
        let mut writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        for document in documents {
            writer.add_document(schema::stored(&fields, document))?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        let reader = index.reader()?;
        Ok(Self { index, reader, fields })
    }

    fn find(&self, text: &str) -> Result<Vec<String>, Error> {
        let ask = Ask { text, kind: None, limit: DEPTH, offset: 0 };
        let found = query::find(&self.reader.searcher(), &self.index, &self.fields, &ask)?;
        Ok(found.items.into_iter().map(|hit| hit.url).collect())
    }
}

/// The text between two tags, in whichever case they are written.
fn between<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let lower = text.to_ascii_lowercase();
    let start = lower.find(&format!("<{tag}>"))? + tag.len() + 2;
    let end = lower[start..].find(&format!("</{tag}>")).map_or(text.len(), |end| start + end);
    Some(&text[start..end])
}

fn blocks<'a>(text: &'a str, tag: &str) -> Vec<&'a str> {
    let lower = text.to_ascii_lowercase();
    let end = format!("</{tag}>");
    let start = format!("<{tag}>");
    let starts = lower.match_indices(&start).map(|(at, _)| at + start.len());
    starts.map(|at| &text[at..lower[at..].find(&end).map_or(text.len(), |end| at + end)]).collect()
}

fn documents(text: &str) -> Vec<SearchDocument> {
    let mut documents = Vec::new();
    for block in blocks(text, "doc") {
        let number = between(block, "docno").unwrap_or_default().trim().to_owned();
        let title = between(block, "title").unwrap_or_default().trim();
        // Without a tag of its own, the text is all there is after the number.
        let after = block.to_ascii_lowercase().find("</docno>").map_or(0, |at| at + "</docno>".len());
        let body = between(block, "text").unwrap_or(&block[after..]).trim();
        documents.push(SearchDocument {
            thing: number.clone(),
            url: number,
            kind: SearchKind::Docs,
            title: title.to_owned(),
            trail: Vec::new(),
            body: body.to_owned(),
            code: String::new(),
            keywords: String::new(),
            date: None,
            is_page: false,
        });
    }
    documents
}

fn questions(text: &str) -> Vec<(String, String)> {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    blocks(text, "top")
        .into_iter()
        .map(|block| {
            (
                one_line(between(block, "num").unwrap_or_default()),
                one_line(between(block, "title").unwrap_or_default()),
            )
        })
        .collect()
}

/// The text with two letters swapped, one left out or one replaced in its longest word, so that no document has it.
fn misspelt(text: &str, words: &HashSet<String>, seed: &mut u64) -> String {
    let lower = text.to_lowercase();
    let typed: BTreeSet<&str> = lower.split(|c: char| !c.is_alphabetic()).collect();
    let Some(longest) = typed.iter().max_by_key(|word| word.chars().count()).filter(|word| word.len() > 4)
    else {
        return text.to_owned();
    };
    for _ in 0..50 {
        let mut letters: Vec<char> = longest.chars().collect();
        let at = 1 + below(seed, letters.len() - 2);
        match below(seed, 3) {
            0 => letters.swap(at, at + 1),
            1 => {
                letters.remove(at);
            }
            _ => letters[at] = char::from(b'a' + u8::try_from(below(seed, 26)).unwrap_or_default()),
        }
        let wrong: String = letters.into_iter().collect();
        if !words.contains(&wrong) {
            return lower.replacen(longest, &wrong, 1);
        }
    }
    text.to_owned()
}

/// A number below `end` from a plain generator: what is needed is that it is always the same.
fn below(seed: &mut u64, end: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from((*seed >> 33) % end.max(1) as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests;
