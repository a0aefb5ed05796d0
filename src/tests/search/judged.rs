//! How well the search answers what people ask about our own words. `judged.tsv` has the questions, with the pages that
//! answer them.
//!
//! What always holds: a page was judged by reading it, and not by what the search gives for it; what is asked is asked
//! as it is typed, and what is found is the first page of hits.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use devforge::{api::openapi, context::Context, search, support::knowledge};

use super::{find, prepare};
use crate::support::TestApp;

const JUDGED: &str = include_str!("judged.tsv");

/// Of the questions as they should be spelt: what the search has to reach on average.
const LEAST: Figures =
    Figures { ndcg_at_10: 0.75, reciprocal_rank: 0.72, success_at_1: 0.65, success_at_3: 0.80 };
/// The share of its nDCG that a question may lose by a misspelt word, on average.
const MOST_LOST: f64 = 0.15;

/// From this grade on a page is an answer, and not only related to one.
const ANSWER: u32 = 2;
const BEST: u32 = 3;
/// How many of the worst are shown when it is not good enough.
const SHOWN: usize = 15;

struct Question {
    /// What it is about, as the headings of the file say.
    subject: &'static str,
    text: &'static str,
    misspelt: Option<&'static str>,
    /// By page.
    grades: BTreeMap<&'static str, u32>,
}

/// Of one question or, as means, of many: from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    ndcg_at_10: f64,
    /// The reciprocal of the rank of the first answer.
    reciprocal_rank: f64,
    success_at_1: f64,
    success_at_3: f64,
}

struct Asked<'a> {
    question: &'a Question,
    text: &'static str,
    found: Vec<String>,
    figures: Figures,
}

impl Figures {
    fn of(question: &Question, found: &[String]) -> Self {
        let grade = |page: &String| question.grades.get(page.as_str()).copied().unwrap_or_default();
        let grades: Vec<u32> = found.iter().map(grade).collect();
        let mut ideal: Vec<u32> = question.grades.values().copied().collect();
        ideal.sort_unstable_by(|a, b| b.cmp(a));
        let first = grades.iter().position(|grade| *grade >= ANSWER);
        let within = |places: usize| f64::from(u8::from(first.is_some_and(|rank| rank < places)));
        Self {
            ndcg_at_10: gain(&grades) / gain(&ideal),
            reciprocal_rank: first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64),
            success_at_1: within(1),
            success_at_3: within(3),
        }
    }

    fn mean<'a>(asked: impl IntoIterator<Item = &'a Asked<'a>>) -> Self {
        let mut sum = Self::default();
        let mut count = 0.0;
        for Asked { figures, .. } in asked {
            sum.ndcg_at_10 += figures.ndcg_at_10;
            sum.reciprocal_rank += figures.reciprocal_rank;
            sum.success_at_1 += figures.success_at_1;
            sum.success_at_3 += figures.success_at_3;
            count += 1.0;
        }
        Self {
            ndcg_at_10: sum.ndcg_at_10 / count,
            reciprocal_rank: sum.reciprocal_rank / count,
            success_at_1: sum.success_at_1 / count,
            success_at_3: sum.success_at_3 / count,
        }
    }

    fn reach(&self, least: &Self) -> bool {
        self.ndcg_at_10 >= least.ndcg_at_10
            && self.reciprocal_rank >= least.reciprocal_rank
            && self.success_at_1 >= least.success_at_1
            && self.success_at_3 >= least.success_at_3
    }
}

/// Discounted by rank, as `trec_eval` does it.
fn gain(grades: &[u32]) -> f64 {
    let at = |(rank, grade): (usize, &u32)| f64::from(*grade) / (rank as f64 + 2.0).log2();
    grades.iter().take(10).enumerate().map(at).sum()
}

fn questions() -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let mut subject = "";
    for line in JUDGED.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            subject = heading;
        } else if let Some(text) = line.strip_prefix('~') {
            let question = questions.last_mut().expect("a question comes before its misspelling");
            let before = question.misspelt.replace(text);
            assert_eq!(before, None, "{text}: the question is misspelt already");
        } else if !line.is_empty() && !line.starts_with('#') {
            let mut parts = line.split('\t');
            let text = parts.next().unwrap_or_default();
            let grades: Vec<(&str, u32)> = parts.map(judgment).collect();
            let distinct: BTreeMap<&str, u32> = grades.iter().copied().collect();
            assert_eq!(distinct.len(), grades.len(), "{text}: a page is judged twice");
            questions.push(Question { subject, text, misspelt: None, grades: distinct });
        }
    }
    questions
}

fn judgment(part: &'static str) -> (&'static str, u32) {
    let (grade, page) = part.split_once(':').unwrap_or_else(|| panic!("{part} is a grade and a page"));
    let grade: u32 = grade.parse().unwrap_or_else(|_| panic!("{part} begins with a grade"));
    assert!((1..=BEST).contains(&grade), "{part} has a grade from 1 to {BEST}");
    (page, grade)
}

/// A section counts as its page; all calls of the API are on one, and each counts by itself.
fn page_of(url: &str) -> &str {
    match url.split_once('#') {
        Some((page, _)) if page != "/docs/api" => page,
        _ => url,
    }
}

fn ask<'a>(ctx: &Context, question: &'a Question, text: &'static str) -> Asked<'a> {
    let mut found: Vec<String> = Vec::new();
    for hit in find(ctx, text).items {
        let page = page_of(&hit.url).to_owned();
        if !found.contains(&page) {
            found.push(page);
        }
    }
    let figures = Figures::of(question, &found);
    Asked { question, text, found, figures }
}

/// The means by subject, and the questions that are answered worst.
fn report(asked: &[Asked<'_>], means: &Figures) -> String {
    let mut lines = vec![format!("{} questions: {means:?}", asked.len())];
    for of_subject in asked.chunk_by(|a, b| a.question.subject == b.question.subject) {
        let Figures { ndcg_at_10, success_at_1, .. } = Figures::mean(of_subject);
        let subject = of_subject[0].question.subject;
        lines.push(format!(
            "  nDCG {ndcg_at_10:.3}  first {success_at_1:.3}  {subject} ({})",
            of_subject.len()
        ));
    }
    let mut worst: Vec<&Asked<'_>> = asked.iter().collect();
    worst.sort_by(|a, b| a.figures.ndcg_at_10.total_cmp(&b.figures.ndcg_at_10));
    for Asked { question, text, found, figures } in worst.into_iter().take(SHOWN) {
        let wanted: Vec<&str> =
            question.grades.iter().filter(|(_, grade)| **grade == BEST).map(|(page, _)| *page).collect();
        let found: Vec<String> = found
            .iter()
            .take(4)
            .map(|page| format!("{}:{page}", question.grades.get(page.as_str()).copied().unwrap_or_default()))
            .collect();
        let (wanted, found) = (wanted.join(" "), found.join(" "));
        lines.push(format!("{:.2}  {text}\n      found  {found}\n      wanted {wanted}", figures.ndcg_at_10));
    }
    lines.join("\n")
}

/// The index of everything there is, the articles that the program brings included.
async fn with_everything() -> TestApp {
    let app = TestApp::start().await;
    knowledge::seed(&app.ctx).await.expect("seeded");
    prepare(&app.ctx).await;
    app
}

#[tokio::test]
async fn every_page_that_is_judged_is_there_and_every_question_has_an_answer() {
    let app = TestApp::start().await;
    knowledge::seed(&app.ctx).await.expect("seeded");
    let documents = search::documents(&app.ctx, openapi::document()).await.expect("collected");
    let pages: HashSet<&str> = documents.iter().map(|document| page_of(&document.url)).collect();
    let questions = questions();
    let judged = questions.iter().flat_map(|question| question.grades.keys().copied());
    let missing: BTreeSet<&str> = judged.filter(|page| !pages.contains(*page)).collect();
    assert!(missing.is_empty(), "judged, and not there: {missing:#?}");

    let without: Vec<&str> = questions
        .iter()
        .filter(|question| !question.grades.values().any(|grade| *grade == BEST))
        .map(|question| question.text)
        .collect();
    assert!(without.is_empty(), "without an answer: {without:?}");
    let distinct: HashSet<&str> = questions.iter().map(|question| question.text).collect();
    assert_eq!(distinct.len(), questions.len(), "a question stands there twice");
    let misspelt = questions.iter().filter(|question| question.misspelt.is_some()).count();
    assert!(questions.len() >= 200 && misspelt >= 20, "{} and {misspelt}", questions.len());
}

#[tokio::test]
async fn what_people_ask_is_answered_by_the_first_hits_and_misspelt_nearly_as_well() {
    let app = with_everything().await;
    let questions = questions();
    let clean: Vec<Asked<'_>> =
        questions.iter().map(|question| ask(&app.ctx, question, question.text)).collect();
    let means = Figures::mean(&clean);
    let shown = report(&clean, &means);
    println!("{shown}");
    assert!(means.reach(&LEAST), "less than {LEAST:?}\n{shown}");

    let misspelt: Vec<Asked<'_>> =
        questions.iter().filter_map(|question| Some(ask(&app.ctx, question, question.misspelt?))).collect();
    let spelt = Figures::mean(clean.iter().filter(|asked| asked.question.misspelt.is_some()));
    let means = Figures::mean(&misspelt);
    let lost = 1.0 - means.ndcg_at_10 / spelt.ndcg_at_10;
    let shown = format!("misspelt, {lost:.3} of the nDCG is lost\n{}", report(&misspelt, &means));
    println!("{shown}");
    assert!(lost <= MOST_LOST, "{shown}");
}

#[tokio::test]
async fn one_name_leads_to_the_same_section_however_it_is_written() {
    let app = with_everything().await;
    let documents = search::documents(&app.ctx, openapi::document()).await.expect("collected");
    let about: HashSet<&str> = documents
        .iter()
        .filter(|document| [&document.body, &document.code].iter().any(|text| text.contains("maxTokens")))
        .map(|document| document.url.as_str())
        .collect();
    let first = |text: &str| find(&app.ctx, text).items.into_iter().next().expect("something is found").url;
    let section = first("maxTokens");
    assert!(about.contains(section.as_str()), "{section} does not say maxTokens");
    for spelling in ["max_tokens", "max tokens"] {
        assert_eq!(first(spelling), section, "{spelling}");
    }
}
