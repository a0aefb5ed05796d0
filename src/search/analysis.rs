//! How text is cut into words: the same for what is indexed and for what is typed.
//!
//! What always holds: nothing is syntax, and every text is cut in one pass. A word made of pieces (`maxTokens`,
//! `max_tokens`, `boost-title`, `sha256`) stands in the index joined and in pieces, at the same place. `c++`,
//! `c#` and `.net` are words of their own. Scripts without spaces are cut into single characters and pairs.
//! Tantivy's tokenizers do none of this, so the cutting is our own; folding and stemming are Tantivy's.

use std::{collections::VecDeque, ops::Range};

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RawTokenizer, Stemmer, TextAnalyzer, Token, TokenStream,
    Tokenizer,
};

mod cut;

use cut::{Cut, Seam, next_cut};

pub(super) const WORDS: &str = "words";
pub(super) const STEMS: &str = "stems";

/// Longer words (hashes, keys in base64) are no words.
const MAX_WORD_BYTES: usize = 64;
/// Something in more pieces than this is no identifier; only the whole of it can be found.
const MAX_PIECES: usize = 8;
const MAX_WHOLE_BYTES: usize = 200;
/// How much of a query is looked at at all, the words that say nothing included.
const MAX_TYPED_WORDS: usize = 32;

/// The words as they are written, without case and accents.
pub(super) fn words() -> TextAnalyzer {
    TextAnalyzer::builder(Cutter).filter(LowerCaser).filter(AsciiFoldingFilter).build()
}

/// The same words by their stems.
pub(super) fn stems() -> TextAnalyzer {
    let folded = TextAnalyzer::builder(Cutter).filter(LowerCaser).filter(AsciiFoldingFilter);
    folded.filter(Stemmer::new(Language::English)).build()
}

/// The stem of a word that is cut and folded already.
pub(super) fn stemmer() -> TextAnalyzer {
    TextAnalyzer::builder(RawTokenizer::default()).filter(Stemmer::new(Language::English)).build()
}

pub(super) fn stem(stemmer: &mut TextAnalyzer, word: &str) -> String {
    let mut stream = stemmer.token_stream(word);
    if stream.advance() { stream.token().text.clone() } else { word.to_owned() }
}

/// A whole text as one term: its words with a space between them, the identifiers in pieces.
pub(super) fn whole(text: &str) -> String {
    let mut whole = String::new();
    let mut analyzer = words();
    let mut stream = analyzer.token_stream(text);
    while stream.advance() {
        let token = stream.token();
        if token.position_length > 1 {
            continue;
        }
        if whole.len() + token.text.len() > MAX_WHOLE_BYTES {
            break;
        }
        if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(&token.text);
    }
    whole
}

/// One word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub stem: String,
    /// Where it stands in what was typed.
    pub range: Range<usize>,
    /// What it is made of, for when nothing has it whole: `sha256` → `sha`, `256`; `.net` → `net`.
    pub pieces: Vec<String>,
    /// It says nothing by itself ("how", "the").
    pub is_filler: bool,
}

/// Neighbouring words written together: `max tokens` is also `maxtokens`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Joined {
    pub text: String,
    pub words: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub words: Vec<Word>,
    pub joined: Vec<Joined>,
    pub whole: String,
    /// Somebody who is still typing has only begun the last word.
    pub last_is_open: bool,
}

/// Cuts what was typed.
pub(super) fn typed(text: &str) -> Typed {
    let mut fold =
        TextAnalyzer::builder(RawTokenizer::default()).filter(LowerCaser).filter(AsciiFoldingFilter).build();
    let mut stemmer = stemmer();
    let mut words = Vec::new();
    let mut joined = Vec::new();
    let mut at = 0;
    while let Some((cut, next)) = next_cut(text, at) {
        at = next;
        let first = words.len();
        for (written, range, pieces) in written_words(text, &cut) {
            let text = stem(&mut fold, &written);
            if text.len() > MAX_WORD_BYTES || words.len() == MAX_TYPED_WORDS {
                continue;
            }
            let pieces = pieces.iter().map(|piece| stem(&mut fold, piece)).collect();
            let stem = stem(&mut stemmer, &text);
            let is_filler = FILLERS.contains(&text.as_str());
            words.push(Word { text, stem, range, pieces, is_filler });
        }
        if words.len() > first + 2 && matches!(cut, Cut::Word { .. }) {
            joined.push(join(&words, first..words.len()));
        }
    }
    for length in [2, 3] {
        for first in 0..(words.len() + 1).saturating_sub(length) {
            joined.push(join(&words, first..first + length));
        }
    }
    joined.retain(|joined| joined.text.len() <= MAX_WORD_BYTES);
    let last_is_open = words.last().is_some_and(|word: &Word| word.range.end == text.len());
    Typed { words, joined, whole: whole(text), last_is_open }
}

fn join(words: &[Word], range: Range<usize>) -> Joined {
    let text = words[range.clone()].iter().map(|word| word.text.as_str()).collect();
    Joined { text, words: range }
}

/// The words of a cut as somebody who searches means them: an identifier in its pieces, but a letter and a digit
/// that stand together belong together.
fn written_words(text: &str, cut: &Cut) -> Vec<(String, Range<usize>, Vec<String>)> {
    match cut {
        Cut::Sign(range) => vec![(text[range.clone()].to_owned(), range.clone(), Vec::new())],
        Cut::Run(characters) => {
            let pairs: Vec<_> = match characters.as_slice() {
                [one] => vec![one.clone()],
                more => more.windows(2).map(|pair| pair[0].start..pair[1].end).collect(),
            };
            pairs.into_iter().map(|range| (kept(text, range.clone()), range, Vec::new())).collect()
        }
        Cut::Word { range, pieces, is_dotted } if pieces.len() == 1 && *is_dotted => {
            let name = kept(text, range.clone());
            vec![(format!(".{name}"), range.start - 1..range.end, vec![name])]
        }
        Cut::Word { range, pieces, .. } if pieces.len() > MAX_PIECES => {
            vec![(kept(text, range.clone()), range.clone(), Vec::new())]
        }
        Cut::Word { pieces, .. } => {
            let mut words: Vec<(Range<usize>, Vec<String>)> = Vec::new();
            for (seam, piece) in pieces {
                match words.last_mut() {
                    Some((range, inner)) if *seam == Seam::Digit => {
                        range.end = piece.end;
                        inner.push(kept(text, piece.clone()));
                    }
                    _ => words.push((piece.clone(), vec![kept(text, piece.clone())])),
                }
            }
            let one = |(range, mut inner): (Range<usize>, Vec<String>)| {
                if inner.len() == 1 {
                    inner.clear();
                }
                (kept(text, range.clone()), range, inner)
            };
            words.into_iter().map(one).collect()
        }
    }
}

/// The characters that count: without connectors, apostrophes and marks.
fn kept(text: &str, range: Range<usize>) -> String {
    let mut word = String::new();
    push_kept(&mut word, &text[range]);
    word
}

fn push_kept(word: &mut String, text: &str) {
    word.extend(text.chars().filter(|c| cut::is_word(*c) && !cut::is_mark(*c)));
}

#[derive(Clone)]
struct Cutter;

impl Tokenizer for Cutter {
    type TokenStream<'a> = Stream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Stream<'a> {
        Stream { text, at: 0, position: 0, pieces: VecDeque::new(), token: Token::default() }
    }
}

struct Stream<'a> {
    text: &'a str,
    at: usize,
    position: usize,
    pieces: VecDeque<Piece>,
    token: Token,
}

struct Piece {
    range: Range<usize>,
    position: usize,
    length: usize,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    Kept,
    /// With its signs: `c++`.
    Whole,
    /// With the dot before it: `.net`.
    Dotted,
}

impl Stream<'_> {
    fn take(&mut self, cut: Cut) {
        let position = self.position;
        let mut add = |range: Range<usize>, ahead: usize, length, form| {
            if range.len() <= MAX_WORD_BYTES {
                self.pieces.push_back(Piece { range, position: position + ahead, length, form });
            }
        };
        self.position += match cut {
            Cut::Sign(range) => {
                add(range, 0, 1, Form::Whole);
                1
            }
            Cut::Run(characters) => {
                for (ahead, character) in characters.iter().enumerate() {
                    add(character.clone(), ahead, 1, Form::Kept);
                    if let Some(next) = characters.get(ahead + 1) {
                        add(character.start..next.end, ahead, 2, Form::Kept);
                    }
                }
                characters.len()
            }
            Cut::Word { range, pieces, .. } if pieces.len() > MAX_PIECES => {
                add(range, 0, 1, Form::Kept);
                1
            }
            Cut::Word { range, pieces, is_dotted } => {
                if pieces.len() > 1 {
                    add(range, 0, pieces.len(), Form::Kept);
                } else if is_dotted {
                    add(range, 0, 2, Form::Dotted);
                }
                let count = pieces.len();
                for (ahead, (_, piece)) in pieces.into_iter().enumerate() {
                    add(piece, ahead, 1, Form::Kept);
                }
                count
            }
        };
    }
}

impl TokenStream for Stream<'_> {
    fn advance(&mut self) -> bool {
        while self.pieces.is_empty() {
            let Some((cut, next)) = next_cut(self.text, self.at) else {
                return false;
            };
            self.at = next;
            self.take(cut);
        }
        let Some(Piece { range, position, length, form }) = self.pieces.pop_front() else {
            return false;
        };
        let token = &mut self.token;
        token.text.clear();
        let text = &self.text[range.clone()];
        match form {
            Form::Whole => token.text.push_str(text),
            Form::Kept => push_kept(&mut token.text, text),
            Form::Dotted => {
                token.text.push('.');
                push_kept(&mut token.text, text);
            }
        }
        token.offset_from = range.start;
        token.offset_to = range.end;
        token.position = position;
        token.position_length = length;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

/// Words that only count when nothing else was typed, or as a part of others ("log in" is `login`).
const FILLERS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by", "can",
    "could", "did", "do", "does", "doesn", "doesnt", "doing", "dont", "for", "from", "get", "had", "has",
    "have", "having", "here", "how", "i", "if", "im", "in", "into", "is", "isnt", "it", "its", "ive", "just",
    "me", "my", "need", "of", "on", "or", "our", "out", "please", "should", "so", "some", "such", "than",
    "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "up", "us",
    "was", "we", "were", "what", "whats", "when", "where", "which", "while", "who", "why", "will", "with",
    "would", "you", "your",
];

#[cfg(test)]
mod tests;
