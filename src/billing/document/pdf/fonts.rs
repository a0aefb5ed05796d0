//! The fonts of printed documents, and text as a row of their glyphs.
//!
//! What always holds: every letter comes from the first font that has it, and one that none has becomes a box that can
//! be seen; whatever people typed, control characters included, comes out as one line and in the order in which its
//! script is read.

use std::{cell::OnceCell, mem, sync::LazyLock};

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, Feature, UnicodeBuffer, ttf_parser::Tag};
use unicode_bidi::ParagraphBidiInfo;
use unicode_normalization::char::is_combining_mark;

const FILES: [&[u8]; 4] = [
    include_bytes!("fonts/Archivo-Regular.ttf"),
    include_bytes!("fonts/Archivo-SemiBold.ttf"),
    include_bytes!("fonts/DejaVuSans.ttf"),
    include_bytes!("fonts/DroidSansFallback.ttf"),
];
/// Greek, Cyrillic, Arabic, Hebrew and signs. What it draws for a letter it does not have is a box.
const SIGNS: usize = 2;
const CHINESE_JAPANESE_KOREAN: usize = 3;

/// No text on a document is longer: what was typed into one field ends somewhere.
const LONGEST: usize = 600;

static FACES: LazyLock<[Face<'static>; 4]> =
    LazyLock::new(|| FILES.map(|file| Face::from_slice(file, 0).expect("the fonts are part of the program")));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    SemiBold,
}

impl Weight {
    /// The fonts to look in, in this order.
    const fn fonts(self) -> [usize; 3] {
        match self {
            Self::Regular => [0, SIGNS, CHINESE_JAPANESE_KOREAN],
            Self::SemiBold => [1, SIGNS, CHINESE_JAPANESE_KOREAN],
        }
    }
}

/// One line of text. Widths are in ems: times the size, they are points.
#[derive(Debug, Clone, Default)]
pub struct Shaped {
    pub runs: Vec<Run>,
    pub width: f32,
}

/// Glyphs of one font, from left to right.
#[derive(Debug, Clone)]
pub struct Run {
    pub font: usize,
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    pub width: f32,
}

/// The fonts as one document embeds them: only those that it uses are read.
#[derive(Default)]
pub struct Embedded([OnceCell<Font>; FILES.len()]);

impl Embedded {
    pub fn font(&self, index: usize) -> Font {
        self.0[index]
            .get_or_init(|| Font::new(FILES[index].into(), 0).expect("the fonts are part of the program"))
            .clone()
    }
}

/// On one line, without what cannot be seen, and not without end.
pub fn clean(text: &str) -> String {
    let mut text: String = text
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST + 1)
        .collect();
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST - 1).collect();
        text.push('…');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that only say how others are to be shown. Those that join letters stay: whole scripts need them.
const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether it belongs to the letter before it.
fn clings(letter: char) -> bool {
    is_combining_mark(letter) || matches!(letter, '\u{200c}' | '\u{200d}')
}

/// A text as one line.
pub fn shape(text: &str, weight: Weight) -> Shaped {
    let text = clean(text);
    let mut line = Shaped::default();
    if text.is_empty() {
        return line;
    }
    let order = ParagraphBidiInfo::new(&text, None);
    let (levels, visual) = order.visual_runs(0..text.len());
    for range in visual {
        let right_to_left = levels[range.start].is_rtl();
        let mut runs: Vec<Run> = by_font(&text[range], weight)
            .into_iter()
            .map(|(font, part)| run(font, part, right_to_left))
            .collect();
        if right_to_left {
            runs.reverse();
        }
        line.runs.extend(runs);
    }
    line.width = line.runs.iter().map(|run| run.width).sum();
    line
}

/// A text in lines of at most this many points: broken between words, and inside a word that is too long by itself.
pub fn wrap(text: &str, weight: Weight, size: f32, width: f32) -> Vec<Shaped> {
    let fits = |text: &str| shape(text, weight).width * size <= width;
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split(' ') {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if fits(&longer) {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(mem::take(&mut line));
        }
        for letter in word.chars() {
            let longer = format!("{line}{letter}");
            if line.is_empty() || clings(letter) || fits(&longer) {
                line = longer;
            } else {
                lines.push(mem::replace(&mut line, letter.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.iter().map(|line| shape(line, weight)).collect()
}

fn by_font(text: &str, weight: Weight) -> Vec<(usize, &str)> {
    let mut parts: Vec<(usize, &str)> = Vec::new();
    let mut start = 0;
    let mut current: Option<usize> = None;
    for (at, letter) in text.char_indices() {
        let font = font_of(letter, weight, current);
        if let Some(before) = current.filter(|before| *before != font) {
            parts.push((before, &text[start..at]));
            start = at;
        }
        current = Some(font);
    }
    parts.extend(current.map(|font| (font, &text[start..])));
    parts
}

fn font_of(letter: char, weight: Weight, before: Option<usize>) -> usize {
    if let Some(before) = before.filter(|_| clings(letter)) {
        // Drawn with another font, a mark would not stand on its letter.
        return before;
    }
    weight.fonts().into_iter().find(|font| has(*font, letter)).unwrap_or(SIGNS)
}

fn has(font: usize, letter: char) -> bool {
    FACES[font].glyph_index(letter).is_some_and(|glyph| glyph.0 != 0)
}

fn run(font: usize, text: &str, right_to_left: bool) -> Run {
    let face = &FACES[font];
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(if right_to_left { Direction::RightToLeft } else { Direction::LeftToRight });
    // Figures of one width, so that amounts stand under each other.
    let figures = Feature::new(Tag::from_bytes(b"tnum"), 1, ..);
    let shaped = rustybuzz::shape(face, &[figures], buffer);

    let em = face.units_per_em() as f32;
    let mut starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
    starts.sort_unstable();
    let end_of = |start: usize| starts.iter().copied().find(|next| *next > start).unwrap_or(text.len());
    let glyphs: Vec<KrillaGlyph> = shaped
        .glyph_infos()
        .iter()
        .zip(shaped.glyph_positions())
        .map(|(info, position)| {
            let start = info.cluster as usize;
            KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                position.x_advance as f32 / em,
                position.x_offset as f32 / em,
                position.y_offset as f32 / em,
                position.y_advance as f32 / em,
                start..end_of(start),
                None,
            )
        })
        .collect();
    let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
    Run { font, text: text.to_owned(), glyphs, width }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fonts(text: &str) -> Vec<usize> {
        shape(text, Weight::Regular).runs.iter().map(|run| run.font).collect()
    }

    #[test]
    fn a_letter_comes_from_the_first_font_that_has_it() {
        assert_eq!(fonts("Größe 1 £ € ¥"), [0]);
        assert_eq!(fonts("Ω"), [SIGNS]);
        assert_eq!(fonts("東京 한국"), [CHINESE_JAPANESE_KOREAN, 0, CHINESE_JAPANESE_KOREAN]);
        assert_eq!(shape("A", Weight::SemiBold).runs[0].font, 1);
    }

    #[test]
    fn a_letter_that_no_font_has_is_a_box() {
        let line = shape("\u{10ffff}", Weight::Regular);
        assert_eq!(line.runs[0].glyphs[0].glyph_id, GlyphId::new(0));
        assert!(line.width > 0.3);
    }

    #[test]
    fn arabic_is_read_from_the_right() {
        let line = shape("شركة 42", Weight::Regular);
        assert_eq!(line.runs[0].text, "42", "the number comes last, so it stands left");
        let starts: Vec<usize> =
            line.runs.last().expect("a word").glyphs.iter().map(|glyph| glyph.text_range.start).collect();
        assert!(starts.is_sorted_by(|a, b| a >= b), "{starts:?}");
    }

    #[test]
    fn figures_are_equally_wide() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            assert!((shape("1111", weight).width - shape("0000", weight).width).abs() < 1e-4);
        }
    }

    #[test]
    fn what_is_too_long_is_broken_and_in_the_end_cut() {
        let lines = wrap("a name of several words", Weight::Regular, 10.0, 60.0);
        assert!(lines.len() > 1);
        let lines = wrap(&"W".repeat(5000), Weight::Regular, 10.0, 100.0);
        assert!(lines.len() > 10 && lines.iter().all(|line| line.width * 10.0 <= 100.0));
        assert_eq!(clean(&"x".repeat(5000)).chars().count(), LONGEST);
        assert_eq!(clean("\u{202e}two\r\n lines\t"), "two lines");
        assert!(wrap("", Weight::Regular, 10.0, 100.0).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_shaped(text in "\\PC{0,60}|[\u{590}-\u{8ff}a-z0-9 ]{0,40}|.{0,40}") {
            let line = shape(&text, Weight::SemiBold);
            for run in &line.runs {
                for glyph in &run.glyphs {
                    prop_assert!(run.text.get(glyph.text_range.clone()).is_some_and(|part| !part.is_empty()));
                }
            }
            wrap(&text, Weight::Regular, 9.0, 80.0);
        }
    }
}
