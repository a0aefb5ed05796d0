//! Where words begin and end, and where the seams in them are.
//!
//! What always holds: every range lies on character boundaries, and each cut moves on, so a text of any length ends.

use std::ops::Range;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Word {
        range: Range<usize>,
        /// Never empty; each with the seam before it.
        pieces: Vec<(Seam, Range<usize>)>,
        /// A dot stands before it, and nothing before that: `.net`, `.env`.
        is_dotted: bool,
    },
    /// A short name that ends in signs: `c++`, `f#`.
    Sign(Range<usize>),
    /// Characters of a script that has no spaces, each by itself.
    Run(Vec<Range<usize>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seam {
    /// A connector, or a change of case.
    Written,
    /// Between a letter and a digit.
    Digit,
}

/// The next word at or after `at`, and where to go on.
pub(super) fn next_cut(text: &str, at: usize) -> Option<(Cut, usize)> {
    let (offset, first) = text[at..].char_indices().find(|(_, c)| is_word(*c) && !is_mark(*c))?;
    let start = at + offset;
    if is_unspaced(first) {
        return Some(run(text, start));
    }
    let (range, pieces, next) = word(text, start);
    let rest = &text[range.end..];
    if pieces.len() == 1 && range.len() <= 2 && text[range.clone()].bytes().all(|b| b.is_ascii_alphabetic()) {
        let signs = if rest.starts_with("++") { 2 } else { usize::from(rest.starts_with('#')) };
        let after = rest[signs..].chars().next();
        if signs == 2 || (signs == 1 && !after.is_some_and(|c| c == '#' || is_word(c))) {
            let end = range.end + signs;
            return Some((Cut::Sign(range.start..end), end));
        }
    }
    let mut before = text[..start].chars().rev();
    let is_dotted = first.is_ascii_alphabetic()
        && before.next() == Some('.')
        && !before.next().is_some_and(|c| c == '.' || c == ')' || is_word(c));
    Some((Cut::Word { range, pieces, is_dotted }, next))
}

fn run(text: &str, start: usize) -> (Cut, usize) {
    let mut characters: Vec<Range<usize>> = Vec::new();
    let mut end = start;
    for c in text[start..].chars() {
        let from = end;
        match characters.last_mut() {
            Some(last) if is_mark(c) => last.end = from + c.len_utf8(),
            _ if is_unspaced(c) => characters.push(from..from + c.len_utf8()),
            _ => break,
        }
        end = from + c.len_utf8();
    }
    (Cut::Run(characters), end)
}

type Pieces = Vec<(Seam, Range<usize>)>;

/// A word that begins at `start`: where it ends, what it is made of, and where to go on.
fn word(text: &str, start: usize) -> (Range<usize>, Pieces, usize) {
    let mut pieces: Pieces = Vec::new();
    let mut seam = Seam::Written;
    let mut from = start;
    let mut end = start;
    let mut previous: Option<char> = None;
    while let Some(c) = text[end..].chars().next() {
        let after = end + c.len_utf8();
        if is_mark(c) {
            end = after;
        } else if is_letter(c) {
            if let Some(found) = previous.and_then(|previous| seam_between(previous, c, &text[after..])) {
                pieces.push((seam, from..end));
                (seam, from) = (found, end);
            }
            previous = Some(c);
            end = after;
        } else {
            match link(c, &text[after..]) {
                Link::None => break,
                Link::Possessive(length) => {
                    pieces.push((seam, from..end));
                    return (start..end, pieces, after + length);
                }
                Link::Inside => {
                    previous = None;
                    end = after;
                }
                Link::Connector => {
                    pieces.push((seam, from..end));
                    (seam, from) = (Seam::Written, after);
                    previous = None;
                    end = after;
                }
            }
        }
    }
    pieces.push((seam, from..end));
    (start..end, pieces, end)
}

enum Link {
    None,
    /// It stands between two pieces: `max_tokens`, `node.js`.
    Connector,
    /// It belongs to the word: "don't".
    Inside,
    /// "'s", with the bytes after the apostrophe: no part of the word.
    Possessive(usize),
}

fn link(c: char, rest: &str) -> Link {
    let mut next = rest.chars();
    let Some(first) = next.next().filter(|c| is_letter(*c)) else {
        return Link::None;
    };
    match c {
        '_' | '-' | '.' | '\u{2010}' | '\u{2011}' => Link::Connector,
        '\'' | '\u{2019}' => match (next.next(), next.next()) {
            (None, _) => possessive(first),
            (Some(second), _) if !is_letter(second) => possessive(first),
            (Some(_), third) if !third.is_some_and(is_letter) => Link::Inside,
            _ => Link::Connector,
        },
        _ => Link::None,
    }
}

fn possessive(letter: char) -> Link {
    if matches!(letter, 's' | 'S') { Link::Possessive(letter.len_utf8()) } else { Link::Inside }
}

fn seam_between(previous: char, c: char, rest: &str) -> Option<Seam> {
    if previous.is_numeric() != c.is_numeric() {
        return Some(Seam::Digit);
    }
    if !c.is_uppercase() {
        return None;
    }
    if previous.is_lowercase() {
        return Some(Seam::Written);
    }
    // `HTTPServer` is HTTP and Server, but `APIs` is one word.
    let mut next = rest.chars();
    let first = next.next()?;
    let is_plural = first == 's' && !next.next().is_some_and(is_letter);
    (previous.is_uppercase() && first.is_lowercase() && !is_plural).then_some(Seam::Written)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !is_unspaced(c) && !is_mark(c)
}

/// What changes a letter without being one: accents and vowel points by themselves, and what is not seen at all.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{0300}'..='\u{036f}' | '\u{0591}'..='\u{05bd}' | '\u{05bf}' | '\u{05c1}'..='\u{05c7}'
        | '\u{0610}'..='\u{061a}' | '\u{0640}' | '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{06d6}'..='\u{06ed}'
        | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Scripts that are written without spaces: Chinese, Japanese, Korean (which has some), Thai, Lao, Khmer, Burmese.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e01}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{3105}'..='\u{318f}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}
