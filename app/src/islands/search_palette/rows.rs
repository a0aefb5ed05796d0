//! What the palette lists for what was typed. Pure: from the question and its answer to rows.

use devforge::contract::search::{SearchHit, SearchKind, SearchResults};

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Without space around it.
    pub text: String,
    pub kind: Option<SearchKind>,
}

/// What the palette knows.
#[derive(Debug, Default)]
pub struct State {
    pub question: Question,
    /// The last answer and what it answers; without results where the search did not answer.
    pub answer: Option<(Question, Option<SearchResults>)>,
    /// What was looked for before, the latest first.
    pub recent: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub label: &'static str,
    pub rows: Vec<Row>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    pub icon: &'static str,
    pub href: String,
    pub title_html: String,
    pub trail: String,
    pub excerpt_html: String,
    /// The row asks this again, and leads somewhere only in another tab.
    pub again: Option<String>,
}

const MOST_RECENT: usize = 8;
/// Shorter words begin too many others.
const LEAST_WORD: usize = 3;

/// What can be done, where, its icon, and the words that bring it up.
const ACTIONS: [(&str, &str, &str, &str); 8] = [
    ("Activate a license", "/activate", "key", "activate license key"),
    ("Download Dev Forge", "/download", "download", "download install"),
    ("See prices", "/pricing", "tag", "prices pricing plans buy cost"),
    ("Open the docs", "/docs", "book", "docs documentation guide"),
    ("Read help articles", "/support", "help", "help support articles"),
    ("Read the API reference", "/docs/api", "terminal", "api reference endpoint"),
    ("Sign in, or see your account", "/account", "user", "account sign login log"),
    ("Write to us", "/contact", "mail", "contact mail write help"),
];

impl State {
    /// Whether what is shown is what was asked last.
    pub fn is_current(&self) -> bool {
        self.question.text.is_empty()
            || self.answer.as_ref().is_some_and(|(asked, _)| *asked == self.question)
    }

    /// Nothing to show yet, not even of an earlier question.
    pub fn waits(&self) -> bool {
        !self.question.text.is_empty() && self.answer.is_none()
    }

    pub fn failed(&self) -> bool {
        matches!(self.answer, Some((_, None)))
    }

    fn results(&self) -> Option<&SearchResults> {
        self.answer.as_ref()?.1.as_ref()
    }

    /// What there is, in words, and whether it has to be seen as well as heard.
    pub fn said(&self) -> (String, bool) {
        if self.failed() {
            return ("Search does not answer. The search page may.".to_owned(), true);
        }
        let Some(results) = self.results() else {
            return (String::new(), false);
        };
        match (results.total, &results.corrected) {
            (0, _) => (format!("No result for “{}”", self.question.text), true),
            (count, Some(corrected)) => {
                (format!("Showing results for “{corrected}”: {}", counted(count)), true)
            }
            (count, None) => (counted(count), false),
        }
    }

    /// Groups stand in the order of their best hit, so that the best of all comes first.
    pub fn groups(&self) -> Vec<Group> {
        if self.question.text.is_empty() {
            let recent = Group {
                label: "Recent searches",
                rows: self.recent.iter().map(|text| again(text)).collect(),
            };
            let actions = Group { label: "Go to", rows: ACTIONS.iter().map(action).collect() };
            return [recent, actions].into_iter().filter(|group| !group.rows.is_empty()).collect();
        }
        let mut groups: Vec<Group> = Vec::new();
        for found in self.results().map(|results| results.items.as_slice()).unwrap_or_default() {
            let label = found.kind.label();
            match groups.iter_mut().find(|group| group.label == label) {
                Some(group) => group.rows.push(hit(found)),
                None => groups.push(Group { label, rows: vec![hit(found)] }),
            }
        }
        // Where nothing was found, every way on is a suggestion.
        let nothing = self.results().is_some_and(|results| results.items.is_empty());
        let wanted = |words: &str| nothing || brings_up(&self.question.text, words);
        let actions: Vec<Row> = ACTIONS.iter().filter(|(.., words)| wanted(words)).map(action).collect();
        if !actions.is_empty() {
            groups.push(Group { label: "Go to", rows: actions });
        }
        groups.push(Group { label: "Search page", rows: vec![everything(&self.question)] });
        groups
    }

    /// Moves what is asked for to the front of what was looked for before.
    pub fn keep(&mut self) {
        let text = &self.question.text;
        if text.is_empty() {
            return;
        }
        self.recent.retain(|other| other != text);
        self.recent.insert(0, text.clone());
        self.recent.truncate(MOST_RECENT);
    }
}

impl Question {
    /// The question in an address, behind the question mark.
    pub fn query(&self) -> String {
        let kind = self.kind.map(|kind| format!("&kind={}", kind.as_str())).unwrap_or_default();
        format!("q={}{kind}", encode(&self.text))
    }
}

fn counted(count: u64) -> String {
    if count == 1 { "1 result".to_owned() } else { format!("{count} results") }
}

fn brings_up(text: &str, words: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.split(' ')
        .filter(|typed| typed.len() >= LEAST_WORD)
        .any(|typed| words.split(' ').any(|word| word.starts_with(typed)))
}

fn hit(found: &SearchHit) -> Row {
    let icon = match found.kind {
        SearchKind::Docs => "book",
        SearchKind::Article => "help",
        SearchKind::Api => "terminal",
        SearchKind::Blog => "note",
        SearchKind::Changelog => "clock",
        SearchKind::Page => "file",
        SearchKind::Legal => "shield",
    };
    Row {
        icon,
        href: found.url.clone(),
        title_html: found.title_html.clone(),
        trail: found.trail.join(" / "),
        excerpt_html: found.excerpt_html.clone(),
        again: None,
    }
}

fn action(&(label, href, icon, _): &(&'static str, &'static str, &'static str, &'static str)) -> Row {
    plain(icon, href.to_owned(), label.to_owned())
}

fn everything(question: &Question) -> Row {
    let title = format!("See all results for “{}”", escape(&question.text));
    plain("search", format!("/search?{}", question.query()), title)
}

fn again(text: &str) -> Row {
    let question = Question { text: text.to_owned(), kind: None };
    let row = plain("clock", format!("/search?{}", question.query()), escape(text));
    Row { again: Some(question.text), ..row }
}

fn plain(icon: &'static str, href: String, title_html: String) -> Row {
    Row { icon, href, title_html, trail: String::new(), excerpt_html: String::new(), again: None }
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text as a part of an address.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: SearchKind, url: &str) -> SearchHit {
        SearchHit {
            title: "A title".to_owned(),
            url: url.to_owned(),
            kind,
            trail: vec!["Licenses".to_owned(), "Activate".to_owned()],
            title_html: "A <mark>title</mark>".to_owned(),
            excerpt_html: String::new(),
        }
    }

    fn answered(text: &str, items: Vec<SearchHit>, corrected: Option<&str>) -> State {
        let question = Question { text: text.to_owned(), kind: None };
        let total = items.len() as u64;
        let corrected = corrected.map(str::to_owned);
        let results = SearchResults { items, total, facets: Vec::new(), corrected };
        State { answer: Some((question.clone(), Some(results))), question, recent: Vec::new() }
    }

    fn labels(state: &State) -> Vec<&'static str> {
        state.groups().iter().map(|group| group.label).collect()
    }

    #[test]
    fn groups_stand_in_the_order_of_their_best_hit_and_the_search_page_comes_last() {
        let hits = vec![
            found(SearchKind::Article, "/support/a"),
            found(SearchKind::Docs, "/docs/a"),
            found(SearchKind::Article, "/support/b"),
        ];
        let state = answered("zzz", hits, None);
        assert_eq!(labels(&state), ["Help articles", "Docs", "Search page"]);
        let groups = state.groups();
        assert_eq!(groups[0].rows.len(), 2);
        assert_eq!(groups[0].rows[0].trail, "Licenses / Activate");
        assert_eq!(groups[2].rows[0].href, "/search?q=zzz");
    }

    #[test]
    fn words_bring_up_what_can_be_done() {
        let state = answered("how do I activ", vec![found(SearchKind::Docs, "/docs/a")], None);
        assert_eq!(labels(&state), ["Docs", "Go to", "Search page"]);
        assert_eq!(state.groups()[1].rows[0].href, "/activate");
        assert!(!brings_up("in my li", "activate license install"));
    }

    #[test]
    fn where_nothing_was_found_every_way_on_is_offered() {
        let state = answered("qzx", Vec::new(), None);
        assert_eq!(state.said(), ("No result for “qzx”".to_owned(), true));
        assert_eq!(state.groups()[0].rows.len(), ACTIONS.len());
    }

    #[test]
    fn what_was_typed_is_never_markup_and_never_syntax() {
        let state = answered("<b>&c#", vec![found(SearchKind::Docs, "/docs/a")], None);
        let row = state.groups().pop().and_then(|group| group.rows.into_iter().next()).expect("the last row");
        assert_eq!(row.title_html, "See all results for “&lt;b&gt;&amp;c#”");
        assert_eq!(row.href, "/search?q=%3Cb%3E%26c%23");
    }

    #[test]
    fn an_earlier_answer_is_shown_but_is_not_current() {
        let mut state = answered("tok", vec![found(SearchKind::Docs, "/docs/a")], None);
        assert!(state.is_current());
        "token".clone_into(&mut state.question.text);
        assert!(!state.is_current() && !state.waits());
        assert_eq!(state.groups()[0].label, "Docs");
    }

    #[test]
    fn corrected_words_and_failures_are_said() {
        let state = answered("licnece", vec![found(SearchKind::Docs, "/docs/a")], Some("license"));
        assert_eq!(state.said(), ("Showing results for “license”: 1 result".to_owned(), true));
        let failed = State { answer: Some((Question::default(), None)), ..State::default() };
        assert!(failed.said().0.starts_with("Search does not answer"));
    }

    #[test]
    fn what_was_looked_for_before_is_kept_once_and_not_for_ever() {
        let mut state = State::default();
        for text in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "b", ""] {
            text.clone_into(&mut state.question.text);
            state.keep();
        }
        assert_eq!(state.recent, ["b", "i", "h", "g", "f", "e", "d", "c"]);
        assert_eq!(labels(&state), ["Recent searches", "Go to"]);
        assert_eq!(state.groups()[0].rows[0].again.as_deref(), Some("b"));
    }
}
