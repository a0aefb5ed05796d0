//! What is shown of a hit: its title and the part of its text where the words stand, with the words marked.
//!
//! What always holds: the HTML is made here from text, so there is nothing in it but escaped text and `<mark>`.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use tantivy::tokenizer::TextAnalyzer;

use super::analysis;

/// With what says that there is more.
pub(super) const EXCERPT_CHARS: usize = 180;
/// How far into a text the words are looked for.
const MAX_TEXT_BYTES: usize = 30_000;
const MAX_MARKS: usize = 200;
/// How much of the excerpt, at most, is before the first word.
const LEAD_CHARS: usize = 40;

/// What is to be marked.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub words: BTreeSet<String>,
    pub stems: BTreeSet<String>,
}

pub(super) struct Marks {
    words: TextAnalyzer,
    stemmer: TextAnalyzer,
    terms: Terms,
    /// Stemming costs more than looking up, and texts repeat their words.
    known: HashMap<String, bool>,
}

#[derive(Debug, Clone)]
struct Mark {
    range: Range<usize>,
    word: String,
}

impl Marks {
    pub fn new(words: TextAnalyzer, terms: Terms) -> Self {
        Self { words, stemmer: analysis::stemmer(), terms, known: HashMap::new() }
    }

    /// All of a text, as HTML.
    pub fn whole(&mut self, text: &str) -> String {
        let marks = self.find(text);
        html(text, 0..text.len(), &marks)
    }

    /// The part of the body with the most words, as HTML; of the code when there are none in the body.
    pub fn excerpt(&mut self, body: &str, code: &str) -> String {
        let body = one_line(body);
        let marks = self.find(&body);
        if marks.is_empty() {
            let code = one_line(code);
            let in_code = self.find(&code);
            if !in_code.is_empty() || body.is_empty() {
                return excerpt(&code, &in_code);
            }
        }
        excerpt(&body, &marks)
    }

    /// In order, none over another.
    fn find(&mut self, text: &str) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        let mut stream = self.words.token_stream(text);
        while marks.len() < MAX_MARKS && stream.advance() {
            let token = stream.token();
            let is_meant = match self.known.get(&token.text) {
                Some(known) => *known,
                None => {
                    let is_meant = self.terms.words.contains(&token.text)
                        || self.terms.stems.contains(&analysis::stem(&mut self.stemmer, &token.text));
                    self.known.insert(token.text.clone(), is_meant);
                    is_meant
                }
            };
            if !is_meant {
                continue;
            }
            let range = token.offset_from..token.offset_to;
            match marks.last_mut() {
                // A word and its pieces, or pairs of characters: one mark over all of them.
                Some(last) if range.start < last.range.end => last.range.end = last.range.end.max(range.end),
                _ => marks.push(Mark { range, word: token.text.clone() }),
            }
        }
        marks
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_TEXT_BYTES));
    for word in text.split_whitespace() {
        if line.len() + word.len() > MAX_TEXT_BYTES {
            if line.is_empty() {
                line.extend(word.chars().take(MAX_TEXT_BYTES / 4));
            }
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn excerpt(text: &str, marks: &[Mark]) -> String {
    let window = window(text, marks);
    let mut excerpt = String::with_capacity(EXCERPT_CHARS + 64);
    if window.start > 0 {
        excerpt.push('…');
    }
    excerpt.push_str(&html(text, window.clone(), marks));
    if window.end < text.len() {
        excerpt.push('…');
    }
    excerpt
}

/// The part of the text to show.
fn window(text: &str, marks: &[Mark]) -> Range<usize> {
    let room = EXCERPT_CHARS - 2;
    let start = best(text, marks, room - LEAD_CHARS).map_or(0, |mark| {
        let before = &text[..mark.range.start];
        let from = back(before, LEAD_CHARS);
        if from == 0 {
            0
        } else {
            before[from..].find(' ').map_or(mark.range.start, |space| from + space + 1)
        }
    });
    let rest = &text[start..];
    let Some((end, _)) = rest.char_indices().nth(room) else {
        // The text ends before the room does, so there is more of it to show before.
        let from = back(text, room);
        let from = if from == 0 { 0 } else { text[from..].find(' ').map_or(from, |space| from + space + 1) };
        return from.min(start)..text.len();
    };
    if rest[end..].starts_with(' ') {
        return start..start + end;
    }
    // Texts without spaces, and words that are longer than the room, are cut anywhere.
    let end = rest[..end].rfind(' ').filter(|space| *space > end / 2).unwrap_or(end);
    start..start + end
}

/// Where the last `chars` characters of a text begin.
fn back(text: &str, chars: usize) -> usize {
    text.char_indices().rev().nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at)
}

/// The mark at which the part begins that has the most different words, then the most words, then is the first.
fn best<'a>(text: &str, marks: &'a [Mark], room: usize) -> Option<&'a Mark> {
    let mut best = None;
    let mut most = (0, 0);
    for (first, mark) in marks.iter().enumerate() {
        let end = text[mark.range.start..]
            .char_indices()
            .nth(room)
            .map_or(text.len(), |(end, _)| mark.range.start + end);
        let inside: Vec<&str> = marks[first..]
            .iter()
            .take_while(|mark| mark.range.end <= end)
            .map(|mark| mark.word.as_str())
            .collect();
        let different = inside.iter().collect::<BTreeSet<_>>().len();
        if (different, inside.len()) > most {
            most = (different, inside.len());
            best = Some(mark);
        }
    }
    best.or(marks.first())
}

fn html(text: &str, window: Range<usize>, marks: &[Mark]) -> String {
    let mut html = String::with_capacity(window.len() + 64);
    let mut done = window.start;
    for mark in marks {
        let (start, end) = (mark.range.start.max(done), mark.range.end.min(window.end));
        if start < end {
            escape(&mut html, &text[done..start]);
            html.push_str("<mark>");
            escape(&mut html, &text[start..end]);
            html.push_str("</mark>");
            done = end;
        }
    }
    escape(&mut html, &text[done..window.end]);
    html
}

fn escape(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
