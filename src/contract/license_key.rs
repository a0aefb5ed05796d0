//! License keys: `DF-` and five groups of five letters in Crockford's base32. 24 letters are random, which is 120 bits;
//! the last is a checksum, so that a slip of the hand is known without asking anybody.
//!
//! What always holds: every way in which people write a key down reads as the same key; of two keys that differ in one
//! letter, or in the order of two that stand beside each other, at most one is a key.

use std::fmt;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 5;
const LETTERS: usize = 25;
/// How many of the letters are random.
pub const RANDOM_LETTERS: usize = LETTERS - 1;
/// The longest text that is looked at at all.
const LONGEST: usize = 128;

/// What the letters before the first hyphen say.
pub const PREFIX: &str = "DF";

/// A key as it was read: well formed, and nothing else is known of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LicenseKey([u8; LETTERS]);

/// Why a text is not a key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("this is the key of another product")]
    OtherProduct,
    #[error("this is not a license key")]
    Malformed,
}

impl LicenseKey {
    /// The key with these random values, each of which counts by its lowest five bits.
    pub fn from_random(random: [u8; RANDOM_LETTERS]) -> Self {
        let mut values = [0; LETTERS];
        for (value, random) in values.iter_mut().zip(random) {
            *value = random & 31;
        }
        values[LETTERS - 1] = checksum(&values[..RANDOM_LETTERS]);
        Self(values)
    }

    /// Reads a key however it was written down: any case, `I` and `L` for `1`, `O` for `0`, hyphens and spaces
    /// anywhere, and with or without its prefix.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > LONGEST {
            return Err(KeyError::Malformed);
        }
        let letters: Vec<char> = text.chars().filter(|c| !is_between(*c)).collect();
        // Whatever stands before the 25 letters names the product.
        let Some(split) = letters.len().checked_sub(LETTERS) else { return Err(KeyError::Malformed) };
        let (prefix, body) = letters.split_at(split);
        let mut values = [0; LETTERS];
        for (value, letter) in values.iter_mut().zip(body) {
            *value = value_of(*letter).ok_or(KeyError::Malformed)?;
        }
        let prefix: String = prefix.iter().map(char::to_ascii_uppercase).collect();
        if !prefix.is_empty() && prefix != PREFIX {
            // One letter too many or too few is a slip of the hand, not another product.
            let named = (2..=5).contains(&prefix.len())
                && prefix.chars().all(|c| c.is_ascii_uppercase())
                && !prefix.starts_with(PREFIX);
            return Err(if named { KeyError::OtherProduct } else { KeyError::Malformed });
        }
        if values[LETTERS - 1] != checksum(&values[..RANDOM_LETTERS]) {
            return Err(KeyError::Malformed);
        }
        Ok(Self(values))
    }

    /// What is hashed: the 25 letters, without prefix and hyphens.
    pub fn letters(&self) -> [u8; LETTERS] {
        self.0.map(|value| ALPHABET[usize::from(value)])
    }

    /// The last group: by this its owner knows it again.
    pub fn end(&self) -> String {
        String::from_utf8_lossy(&self.letters()[LETTERS - GROUP..]).into_owned()
    }

    /// The key itself, for its owner's eyes. It has no `Display`, so that it does not get into a log by a slip.
    pub fn expose(&self) -> String {
        let letters = self.letters();
        let groups: Vec<_> = letters.chunks(GROUP).map(String::from_utf8_lossy).collect();
        format!("{PREFIX}-{}", groups.join("-"))
    }
}

impl fmt::Debug for LicenseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.end()))
    }
}

/// Whether a key stands anywhere in a text, however it was written down and whatever stands beside it. Of any 25 letters
/// one in 32 has the right checksum, words too: what is neither grouped as a key nor begun as one has to look like one.
pub fn contains_key(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !is_between(c)).any(|run| Run::of(run).has_key())
}

/// The fewest digits of what is taken for a key because of nothing but its letters. Of random letters hardly any have
/// fewer, of words hardly any as many.
const DIGITS: usize = 3;

/// Letters and digits with nothing between them but what may stand between those of a key.
struct Run {
    letters: Vec<char>,
    /// What stands before each letter, and after the last one.
    gaps: Vec<Gap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Hyphen,
    Blank,
}

impl Run {
    fn of(text: &str) -> Self {
        let mut run = Self { letters: Vec::new(), gaps: Vec::new() };
        // As if something stood before the first letter and after the last one.
        let mut gap = Gap::Hyphen;
        for c in text.chars() {
            if c.is_whitespace() {
                gap = Gap::Blank;
            } else if is_between(c) {
                gap = gap.max(Gap::Hyphen);
            } else {
                run.letters.push(c);
                run.gaps.push(gap);
                gap = Gap::None;
            }
        }
        run.gaps.push(gap.max(Gap::Hyphen));
        run
    }

    fn has_key(&self) -> bool {
        (0..(self.letters.len() + 1).saturating_sub(LETTERS)).any(|start| self.is_key(start))
    }

    /// Whether the letters from here on are a key, and look like one.
    fn is_key(&self, start: usize) -> bool {
        let end = start + LETTERS;
        let body = &self.letters[start..end];
        let mut values = [0; LETTERS];
        for (value, letter) in values.iter_mut().zip(body) {
            let Some(known) = value_of(*letter) else { return false };
            *value = known;
        }
        if values[LETTERS - 1] != checksum(&values[..RANDOM_LETTERS]) {
            return false;
        }
        let inside = &self.gaps[start + 1..end];
        let in_groups = inside.iter().zip(1..).all(|(gap, at)| (at % GROUP == 0) == (*gap != Gap::None));
        let in_one_piece = !inside.contains(&Gap::Blank);
        let prefixed = start.checked_sub(PREFIX.len()).filter(|before| {
            self.letters[*before..start]
                .iter()
                .zip(PREFIX.chars())
                .all(|(c, known)| c.eq_ignore_ascii_case(&known))
        });
        if in_groups || in_one_piece && prefixed.is_some() {
            return true;
        }
        let begins = |at: usize| self.gaps[at] != Gap::None;
        if !begins(end) {
            return false;
        }
        prefixed.is_some_and(begins)
            || begins(start) && (in_one_piece || body.iter().filter(|c| c.is_ascii_digit()).count() >= DIGITS)
    }
}

/// A key of which only the last group shows.
pub fn masked(end: &str) -> String {
    format!("{PREFIX}-•••••-•••••-•••••-•••••-{end}")
}

fn is_between(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{00ad}' | '\u{200b}')
}

fn value_of(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    ALPHABET.iter().position(|&known| char::from(known) == letter).and_then(|at| u8::try_from(at).ok())
}

/// One check letter of a Reed-Solomon code over the field of 32 elements: the value at `α` of the polynomial whose
/// coefficients the letters are. No two powers of `α` are equal within its length, which is what catches swaps.
fn checksum(values: &[u8]) -> u8 {
    values.iter().fold(0, |sum, value| times_alpha(sum ^ value))
}

/// Times `α` modulo x⁵ + x² + 1.
const fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    use proptest::{array::uniform, prelude::*};

    use super::*;

    fn key() -> LicenseKey {
        LicenseKey::from_random(std::array::from_fn(|at| u8::try_from(at * 7).unwrap_or(0)))
    }

    #[test]
    fn a_key_looks_as_the_contract_says() {
        let text = key().expose();
        assert_eq!(text, "DF-07ENW-3AHRZ-6DMV2-9GQY5-CKT1H");
        assert_eq!(format!("{:?}", key()), "DF-•••••-•••••-•••••-•••••-CKT1H");
        assert_eq!(key().end(), "CKT1H");
        assert_eq!(LicenseKey::parse(&text), Ok(key()));
    }

    #[test]
    fn however_it_is_written_down_it_is_the_same_key() {
        let text = key().expose();
        let bare = text.replace('-', "");
        for written in [
            text.to_lowercase(),
            bare.clone(),
            bare[2..].to_owned(),
            format!("  {text}\n"),
            text.replace('-', " "),
            text.replace('-', "\u{2013}"),
            text.replace('1', "l").replace('0', "o"),
            text.replace('1', "I").replace('0', "O"),
            format!("df {}", &text[3..]),
        ] {
            assert_eq!(LicenseKey::parse(&written), Ok(key()), "{written}");
        }
    }

    #[test]
    fn the_key_of_another_product_says_so_before_anything_is_looked_up() {
        for prefix in ["DX", "ab", "MODEL"] {
            let text = format!("{prefix}-{}", &key().expose()[3..]);
            assert_eq!(LicenseKey::parse(&text), Err(KeyError::OtherProduct), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let text = key().expose();
        for wrong in [
            "".to_owned(),
            "DF-".to_owned(),
            "hunter2".to_owned(),
            text[..text.len() - 1].to_owned(),
            format!("{text}0"),
            text.replacen("DF-0", "DF-", 1),
            text.replacen("DF-0", "DF-00", 1),
            format!("12-{}", &text[3..]),
            text.replace('7', "U"),
            text.replace('7', "é"),
            text.replace('7', "%37"),
            "A".repeat(10_000),
        ] {
            assert!(LicenseKey::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_found_wherever_it_stands_in_a_text() {
        let text = key().expose();
        let bare = text.replace('-', "");
        for held in [
            text.clone(),
            format!("It leaked: {text}."),
            format!("key:{text}"),
            format!("({text})"),
            format!("\u{201e}{text}\u{201c}, said a friend"),
            format!("key_{text}_leaked"),
            format!("key{text}and more"),
            format!("the key {} was on a forum", text.replace('-', " ")),
            format!("the key {} was on a forum", text[3..].replace('-', " ").to_lowercase()),
            format!("the key {}, and then some", &text[3..]),
            format!("a{bare} on a page"),
            format!("https://forum.example/?k={}", bare.to_lowercase()),
            format!("in pieces: {} {} {}", &bare[2..9], &bare[9..20], &bare[20..]),
            format!("spread {}", bare.chars().flat_map(|c| [c, ' ']).collect::<String>()),
            text.replace('-', "\n"),
            text.replace('-', "\u{2013}"),
            text.replace('1', "l").replace('0', "o"),
        ] {
            assert!(contains_key(&held), "{held}");
        }
    }

    #[test]
    fn what_holds_no_key_is_not_taken_for_one() {
        let text = key().expose();
        for open in [
            "",
            "A prize of the fair, as it was promised to all who came on 20 November 2026 and in 2027",
            "lic_01h2xcejqtf2nbrexx3vqjhp41 ord_01h2xcejqtf2nbrexx3vqjhp41",
            "d9428888-122b-11e1-b85c-61cd3cbb3210 was the request",
            &masked(&key().end()),
            &text[..text.len() - 1],
            &text.replace('7', "U"),
        ] {
            assert!(!contains_key(open), "{open}");
        }
    }

    proptest! {
        #[test]
        fn no_key_hides_in_a_text(
            random in uniform::<_, RANDOM_LETTERS>(any::<u8>()), before in "[ -~é]{0,40}", after in "[ -~é]{0,40}",
        ) {
            let key = LicenseKey::from_random(random).expose();
            prop_assert!(contains_key(&key[3..]));
            let text = format!("{before}{key}{after}");
            prop_assert!(contains_key(&text), "{}", text);
        }

        #[test]
        fn what_reads_as_a_key_in_one_piece_is_found(
            random in uniform::<_, RANDOM_LETTERS>(any::<u8>()), hyphens in uniform::<_, LETTERS>(any::<bool>()),
        ) {
            let key = LicenseKey::from_random(random);
            let letters = key.letters();
            let written: String = letters.iter().zip(hyphens)
                .flat_map(|(letter, hyphen)| [Some(char::from(*letter)), hyphen.then_some('-')]).flatten().collect();
            prop_assert_eq!(LicenseKey::parse(&written), Ok(key));
            prop_assert!(contains_key(&format!("see: {written}!")), "{}", written);
        }

        #[test]
        fn every_key_reads_back(random in uniform::<_, RANDOM_LETTERS>(any::<u8>())) {
            let key = LicenseKey::from_random(random);
            prop_assert_eq!(LicenseKey::parse(&key.expose()), Ok(key));
        }

        #[test]
        fn a_wrong_letter_and_two_that_are_swapped_are_seen(
            random in uniform::<_, RANDOM_LETTERS>(any::<u8>()), at in 0..LETTERS, other in 1..32u8,
        ) {
            let key = LicenseKey::from_random(random);
            let text = |values: [u8; LETTERS]| values.map(|value| char::from(ALPHABET[usize::from(value)]));
            let read = |values| LicenseKey::parse(&text(values).iter().collect::<String>());
            let mut wrong = key.0;
            wrong[at] = (wrong[at] + other) % 32;
            prop_assert_eq!(read(wrong), Err(KeyError::Malformed));
            let mut swapped = key.0;
            let next = (at + 1).min(LETTERS - 1);
            swapped.swap(at, next);
            if swapped != key.0 {
                prop_assert_eq!(read(swapped), Err(KeyError::Malformed));
            }
        }

        #[test]
        fn no_text_makes_it_stumble(text in ".{0,200}") {
            let _ = (LicenseKey::parse(&text), contains_key(&text));
        }
    }
}
