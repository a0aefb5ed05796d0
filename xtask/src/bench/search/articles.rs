//! The articles that are searched, and what is asked for.
//!
//! What always holds: an article and a question depend on the words and on their numbers alone, so that every run of the
//! same source searches the same.

use std::iter;

use super::words::{Random, Words};

pub const ARTICLES: usize = 100_000;
pub const QUESTIONS: usize = 2_000;

/// Words of a text. What comes last may go beyond by less than a sentence of thirty.
const LENGTH: (usize, usize) = (80, 131);
const PARAGRAPHS: usize = 3;
const LONGEST_DESCRIPTION: usize = 300;
const CATEGORIES: [&str; 6] =
    ["Getting started", "Licenses", "Billing", "Account", "The editor", "Extensions"];
const OPENINGS: [&str; 4] = ["how", "what", "where", "the"];
/// Apart from each other, so that questions are not the beginnings of articles.
const ARTICLE_SEED: u64 = 1 << 40;
const NAME_SEED: u64 = 2 << 40;
const QUESTION_SEED: u64 = 3 << 40;

#[derive(Debug, PartialEq)]
pub struct Article {
    pub title: String,
    pub description: String,
    pub category: &'static str,
    /// Without line ends.
    pub paragraphs: [String; PARAGRAPHS],
}

impl Article {
    pub fn of(words: &Words, number: usize) -> Self {
        let mut random = Random::seeded(ARTICLE_SEED + number as u64);
        let title = capitalized(&title(words, &mut random).join(" "));
        let description = shortened(&words.sentence(&mut random));
        let mut sentences = Vec::new();
        let mut length = 0;
        // Names are what one article is found by: most have none, and few have the same.
        if has_name(number) {
            let setting = format!("The setting {} is {}.", name(words, number), random.between(1, 9_999));
            length += setting.split(' ').count();
            sentences.push(setting);
        }
        let wanted = random.between(LENGTH.0, LENGTH.1);
        while length < wanted {
            let sentence = words.sentence(&mut random);
            length += sentence.len();
            sentences.push(sentence.join(" "));
        }
        let part = |number: usize| {
            let at = |number: usize| number * sentences.len() / PARAGRAPHS;
            sentences[at(number)..at(number + 1)].join(" ")
        };
        Self {
            title,
            description,
            category: CATEGORIES[number % CATEGORIES.len()],
            paragraphs: [part(0), part(1), part(2)],
        }
    }
}

/// One to four words, as they are typed: a tenth with a word that is not finished, a tenth with a mistake, a tenth with a
/// word in front that says nothing, a twentieth that is the name of something. Half of them are from the title of an
/// article.
pub fn question(words: &Words, number: usize) -> String {
    let mut random = Random::seeded(QUESTION_SEED + number as u64);
    if number % 20 == 4 {
        let article =
            iter::repeat_with(|| random.between(0, ARTICLES - 1)).find(|article| has_name(*article));
        return article.map(|article| name(words, article)).unwrap_or_default();
    }
    let mut asked = subject(words, &mut random);
    match number % 20 {
        0 | 1 => {
            if let Some(last) = asked.last_mut() {
                last.truncate(random.between(2, last.len() - 1));
            }
        }
        2 | 3 => {
            let at = random.between(0, asked.len() - 1);
            let word = &mut asked[at];
            // A letter is missing, but not the first one.
            word.remove(random.between(1, word.len() - 1));
        }
        5 | 6 => {
            asked.truncate(3);
            asked.insert(0, OPENINGS[random.between(0, OPENINGS.len() - 1)].to_owned());
        }
        _ => {}
    }
    asked.join(" ")
}

/// Words that say what one is after.
fn subject(words: &Words, random: &mut Random) -> Vec<String> {
    let count = random.between(1, 4);
    if random.one_in(2) {
        let article = random.between(0, ARTICLES - 1);
        let title = title(words, &mut Random::seeded(ARTICLE_SEED + article as u64));
        let first = random.between(0, title.len() - count);
        title[first..first + count].to_vec()
    } else {
        (0..count).map(|_| words.telling(random).to_owned()).collect()
    }
}

/// What is drawn first for an article.
fn title(words: &Words, random: &mut Random) -> Vec<String> {
    (0..random.between(4, 8)).map(|_| words.telling(random).to_owned()).collect()
}

fn has_name(article: usize) -> bool {
    article.is_multiple_of(3)
}

/// `licenseKey` or `license_key`.
fn name(words: &Words, article: usize) -> String {
    let mut random = Random::seeded(NAME_SEED + article as u64);
    let (one, other) = (words.telling(&mut random).to_owned(), words.telling(&mut random));
    if random.one_in(2) { format!("{one}{}", capitalized(other)) } else { format!("{one}_{other}") }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn shortened(sentence: &[String]) -> String {
    let mut text = String::new();
    for word in sentence {
        if text.chars().count() + word.chars().count() < LONGEST_DESCRIPTION {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::process::root;

    fn words() -> Words {
        Words::read(&root().join("content")).expect("our own pages")
    }

    #[test]
    fn articles_have_the_size_of_articles_and_are_the_same_each_time() {
        let words = words();
        for number in 0..500 {
            let article = Article::of(&words, number);
            assert_eq!(article, Article::of(&words, number));
            let length: usize = article.paragraphs.iter().map(|text| text.split(' ').count()).sum();
            assert!((80..=160).contains(&length), "{length} words in {number}");
            assert!((4..=8).contains(&article.title.split(' ').count()), "{}", article.title);
            assert!(article.title.len() <= 120 && (1..=300).contains(&article.description.len()));
            for text in article.paragraphs.iter().chain([&article.title, &article.description]) {
                assert!(!text.is_empty() && !text.contains(['\\', '\t', '\n', '#', '<', '`']), "{text}");
            }
        }
    }

    #[test]
    fn questions_are_of_every_kind_and_the_same_each_time() {
        let words = words();
        let questions: Vec<String> = (0..QUESTIONS).map(|number| question(&words, number)).collect();
        assert_eq!(questions, (0..QUESTIONS).map(|number| question(&words, number)).collect::<Vec<_>>());
        assert!(
            questions.iter().all(|text| (1..=4).contains(&text.split(' ').count()) && !text.contains('\n'))
        );
        let is_name = |text: &&String| text.contains(|c: char| c == '_' || c.is_ascii_uppercase());
        assert_eq!(questions.iter().filter(is_name).count(), QUESTIONS / 20);
        let different: HashSet<_> = questions.iter().collect();
        assert!(different.len() > QUESTIONS / 2, "{}", different.len());
    }

    #[test]
    fn a_name_that_is_asked_for_stands_in_an_article() {
        let words = words();
        assert!(
            Article::of(&words, 3).paragraphs[0].starts_with(&format!("The setting {} is ", name(&words, 3)))
        );
        assert!(!Article::of(&words, 4).paragraphs[0].starts_with("The setting"));
    }

    #[test]
    fn a_description_is_cut_between_words() {
        let words: Vec<String> = iter::repeat_n("elephantine".to_owned(), 60).collect();
        let text = shortened(&words);
        assert!(text.len() <= 300 && text.ends_with("elephantine"), "{text}");
    }
}
