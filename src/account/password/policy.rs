//! What a password has to be. Length and how hard it is to guess count; which signs it is made of does not.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, feedback::Warning, zxcvbn};

use super::estimates::Estimates;
use crate::{
    account::{Error, problem, rules::MAX_PASSWORD_CHARS},
    contract::problem::FieldProblem,
};

const MIN_CHARS: usize = 12;
/// A second factor stands behind it.
const MIN_CHARS_WITH_SECOND_FACTOR: usize = 8;
/// More than so many characters of four bytes can be.
const MAX_TYPED_BYTES: usize = 4 * MAX_PASSWORD_CHARS;
/// The estimate takes longer with every character, and what follows these adds nothing to it.
const ESTIMATED_CHARS: usize = 100;
/// Words about a person that are looked for, and the length from which finding one means something.
const MAX_WORDS: usize = 24;
const MIN_WORD_CHARS: usize = 3;
const MIN_TELLING_CHARS: usize = 4;

/// Passwords of at least eight characters that were seen most often where passwords came to light, in lower case.
/// Taken from the lists that Django (BSD) and zxcvbn (MIT) publish.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../common_passwords.txt").lines().collect());

/// A handful at a time is more than ever register at once.
static ESTIMATES: Estimates = Estimates::new(2, 64);

/// The one form in which a password is judged, hashed and compared: keyboards and systems write the same
/// characters in different ways. What is longer than any password comes back as it is, just as long.
pub(crate) fn normalize(password: &str) -> String {
    if password.len() > MAX_TYPED_BYTES { password.to_owned() } else { password.nfkc().collect() }
}

/// What is wrong with a password that somebody chooses; `about` is what a guesser knows of them. How hard it is to
/// guess is estimated beside the requests: that can take longer than they should wait for one another.
pub(crate) async fn check_aside(
    password: &str,
    about: &[&str],
    two_factor: bool,
) -> Result<Option<FieldProblem>, Error> {
    let password = normalize(password);
    if let Some(problem) = check_form(&password, two_factor) {
        return Ok(Some(problem));
    }
    let words = words(about);
    ESTIMATES.make(move || check_guess(&password, &words, two_factor)).await
}

/// What a glance tells of a password: all that is asked of one that whoever runs the program gives somebody.
pub(crate) fn check_briefly(password: &str) -> Option<FieldProblem> {
    check_form(&normalize(password), false)
}

fn check_form(password: &str, two_factor: bool) -> Option<FieldProblem> {
    let least = if two_factor { MIN_CHARS_WITH_SECOND_FACTOR } else { MIN_CHARS };
    check_length(password, least).or_else(|| check_common(password))
}

fn check_length(password: &str, least: usize) -> Option<FieldProblem> {
    let length = password.chars().count();
    if length < least {
        let message =
            format!("A password has at least {least} characters. Several words are easy to remember.");
        return Some(weak(&message));
    }
    (length > MAX_PASSWORD_CHARS)
        .then(|| problem("password", "too_long", "A password has at most 256 characters."))
}

fn check_common(password: &str) -> Option<FieldProblem> {
    COMMON
        .contains(password.to_lowercase().as_str())
        .then(|| weak("This is easy to guess: it is one of the most common passwords."))
}

fn check_guess(password: &str, words: &[String], two_factor: bool) -> Option<FieldProblem> {
    // Eight characters that mean nothing are as hard to guess as eight can be, which is one step below.
    let enough = if two_factor { Score::Two } else { Score::Three };
    let estimated: String = password.chars().take(ESTIMATED_CHARS).collect();
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let estimate = zxcvbn(&estimated, &known);
    if estimate.score() >= enough {
        return None;
    }
    let lower = estimated.to_lowercase();
    let tells = words.iter().any(|word| word.chars().count() >= MIN_TELLING_CHARS && lower.contains(word));
    let warning = estimate.feedback().and_then(|feedback| feedback.warning());
    let why = if tells { Some("your name, your address or ours is in it") } else { warning.map(why) };
    Some(match why {
        Some(why) => weak(&format!("This is easy to guess: {why}. Add another word or two.")),
        None => weak("This is easy to guess. Add another word or two."),
    })
}

/// What is known of somebody, as a whole and word by word, and what everybody here has in mind.
fn words(about: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = vec!["devforge".to_owned(), "forge".to_owned()];
    for known in about {
        let known: String = normalize(known).chars().take(ESTIMATED_CHARS).collect();
        let known = known.to_lowercase();
        words.extend(known.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        words.push(known);
    }
    words.retain(|word| word.chars().count() >= MIN_WORD_CHARS);
    words.truncate(MAX_WORDS);
    words
}

fn why(warning: Warning) -> &'static str {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess | Warning::ShortKeyboardPatternsAreEasyToGuess => {
            "it follows the keys of a keyboard"
        }
        Warning::RepeatsLikeAaaAreEasyToGuess => "it repeats one character",
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => "it repeats the same few characters",
        Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword => {
            "it is one of the most common passwords"
        }
        Warning::ThisIsSimilarToACommonlyUsedPassword => "it is close to one of the most common passwords",
        Warning::SequencesLikeAbcAreEasyToGuess => "it is a sequence, such as abc or 6543",
        Warning::RecentYearsAreEasyToGuess => "most of it is a year",
        Warning::AWordByItselfIsEasyToGuess => "it is a word by itself",
        Warning::DatesAreOftenEasyToGuess => "most of it is a date",
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess => "it is a name by itself",
        Warning::CommonNamesAndSurnamesAreEasyToGuess => "most of it is a common name",
    }
}

fn weak(message: &str) -> FieldProblem {
    problem("password", "weak_password", message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADA: [&str; 2] = ["Ada Lovelace", "ada.lovelace@example.com"];

    fn check(password: &str, about: &[&str], two_factor: bool) -> Option<FieldProblem> {
        let password = normalize(password);
        check_form(&password, two_factor).or_else(|| check_guess(&password, &words(about), two_factor))
    }

    fn message(password: &str, two_factor: bool) -> Option<String> {
        check(password, &ADA, two_factor).map(|problem| problem.message)
    }

    #[test]
    fn several_words_in_any_script_are_taken() {
        for good in [
            "teapot-walrus-orbit",
            "lantern violet gravel",
            "tonnerre-éclair-brume",
            "夏の夜空に花火が上がる音",
            "🦀 mulch 🦀 oboe 🦀 tundra",
        ] {
            assert_eq!(message(good, false), None, "{good}");
        }
        assert_eq!(message(&"walrus teapot ".repeat(18), false), None);
    }

    #[test]
    fn length_is_counted_in_characters() {
        for (password, two_factor, fits) in [
            ("oj7&vQ2m!xk", false, false),
            ("oj7&vQ2m!xkR", false, true),
            ("oj7&vQ2", true, false),
            ("oj7&vQ2m", true, true),
        ] {
            assert_eq!(message(password, two_factor).is_none(), fits, "{password}");
        }
        let long = |chars: usize| check(&"né7w".repeat(chars / 4), &[], false).map(|problem| problem.code);
        assert_ne!(long(256).as_deref(), Some("too_long"));
        assert_eq!(long(260).as_deref(), Some("too_long"));
    }

    #[test]
    fn what_is_easy_to_guess_is_told_with_its_reason() {
        for (password, reason) in [
            ("qwerty123456", "most common passwords"),
            ("QWERTY123456", "most common passwords"),
            ("ｑｗｅｒｔｙ１２３４５６", "most common passwords"),
            ("aaaaaaaaaaaaaa", "repeats one character"),
            ("abcdefghijklmn", "a sequence"),
            ("ada.lovelace@example.com", "your name"),
            ("Lovelace2026", "your name"),
            ("devforgedevforge", "ours is in it"),
        ] {
            let said = message(password, false).unwrap_or_default();
            assert!(said.contains(reason), "{password}: {said}");
        }
    }

    #[test]
    fn one_password_has_one_form() {
        assert_eq!(normalize("cafe\u{301}"), normalize("café"));
        assert_eq!(normalize("ｗａｌｒｕｓ"), "walrus");
        assert_ne!(normalize("Walrus"), normalize("walrus"));
    }

    #[test]
    fn what_is_longer_than_any_password_is_not_brought_into_a_form() {
        let longest = "ｗ".repeat(MAX_TYPED_BYTES / 3);
        assert_eq!(normalize(&longest), "w".repeat(MAX_TYPED_BYTES / 3));
        let longer = "ｗ".repeat(MAX_TYPED_BYTES / 3 + 1);
        assert_eq!(normalize(&longer), longer);
        // Four bytes each, so that no more characters can make fewer bytes.
        let longer = "🦀".repeat(MAX_PASSWORD_CHARS + 1);
        for too_long in [longer.as_str(), &"\u{fdfa}".repeat(400_000)] {
            let code = check_briefly(too_long).map(|problem| problem.code);
            assert_eq!(code.as_deref(), Some("too_long"));
        }
    }

    #[test]
    fn the_list_is_in_the_form_that_is_compared() {
        assert!(COMMON.len() > 4_000);
        for listed in COMMON.iter() {
            assert_eq!(normalize(listed).to_lowercase(), *listed);
            assert!(listed.chars().count() >= MIN_CHARS_WITH_SECOND_FACTOR, "{listed}");
        }
    }

    proptest! {
        // An estimate takes its time where nothing is optimised.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_input_panics(password in ".{0,120}", about in ".{0,80}", two_factor: bool) {
            let _ = (check(&password, &[&about], two_factor), check_briefly(&password));
        }
    }
}
