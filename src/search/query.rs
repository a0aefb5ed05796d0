//! From what people type to what they get. Nothing they type is syntax: it is cut into words, like the text.

use tantivy::{
    TantivyDocument, Term,
    collector::{Count, TopDocs},
    query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Value},
    snippet::SnippetGenerator,
    tokenizer::TokenStream,
};

use super::{Error, Live, MAX_QUERY_CHARS};
use crate::contract::search::{SearchHit, SearchKind, SearchResults};

const MAX_TERMS: usize = 12;
const TITLE_BOOST: f32 = 3.0;
const PREFIX_BOOST: f32 = 0.5;
/// How much the weaker field counts when a word is in both.
const TIE: f32 = 0.3;
const EXCERPT_CHARS: usize = 180;

pub(super) fn find(live: &Live, text: &str, limit: usize) -> Result<SearchResults, Error> {
    let text: String = text.chars().take(MAX_QUERY_CHARS).collect();
    let words = words(live, &text)?;
    if words.is_empty() || limit == 0 {
        return Ok(SearchResults { items: Vec::new(), total: 0 });
    }
    let last_is_open = !text.ends_with(char::is_whitespace);
    let query = build(live, &words, last_is_open);
    let searcher = live.reader.searcher();
    let (top, total) = searcher.search(&query, &(TopDocs::with_limit(limit).order_by_score(), Count))?;
    let mut excerpts = SnippetGenerator::create(&searcher, &query, live.fields.body)?;
    excerpts.set_max_num_chars(EXCERPT_CHARS);
    let items = top
        .into_iter()
        .map(|(_, address)| {
            let document: TantivyDocument = searcher.doc(address)?;
            let text =
                |field: Field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
            let body = text(live.fields.body);
            Ok(SearchHit {
                title: text(live.fields.title).to_owned(),
                url: text(live.fields.url).to_owned(),
                kind: SearchKind::parse(text(live.fields.kind)).unwrap_or(SearchKind::Page),
                excerpt_html: excerpt(&excerpts, body),
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(SearchResults { items, total: total as u64 })
}

fn words(live: &Live, text: &str) -> Result<Vec<String>, Error> {
    let mut tokenizer = live.index.tokenizer_for_field(live.fields.body)?;
    let mut stream = tokenizer.token_stream(text);
    let mut words: Vec<String> = Vec::new();
    while words.len() < MAX_TERMS && stream.advance() {
        let word = stream.token().text.clone();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Ok(words)
}

fn build(live: &Live, words: &[String], last_is_open: bool) -> BooleanQuery {
    let clauses = words
        .iter()
        .enumerate()
        .map(|(position, word)| {
            let mut ways: Vec<Box<dyn Query>> = Vec::new();
            for (field, boost) in [(live.fields.title, TITLE_BOOST), (live.fields.body, 1.0)] {
                let term = Term::from_field_text(field, word);
                let exact = TermQuery::new(term.clone(), IndexRecordOption::WithFreqs);
                ways.push(Box::new(BoostQuery::new(Box::new(exact), boost)));
                // Somebody who is still typing has only begun the last word.
                if last_is_open && position + 1 == words.len() && word.chars().count() >= 2 {
                    let begun = FuzzyTermQuery::new_prefix(term, 0, false);
                    ways.push(Box::new(BoostQuery::new(Box::new(begun), boost * PREFIX_BOOST)));
                }
            }
            let any: Box<dyn Query> = Box::new(DisjunctionMaxQuery::with_tie_breaker(ways, TIE));
            (Occur::Should, any)
        })
        .collect();
    BooleanQuery::new(clauses)
}

fn excerpt(generator: &SnippetGenerator, body: &str) -> String {
    let snippet = generator.snippet(body);
    let fragment = snippet.fragment();
    if fragment.is_empty() {
        let mut start: String = body.chars().take(EXCERPT_CHARS).collect();
        if start.len() < body.len() {
            start.push('…');
        }
        return escape(&start);
    }
    let mut html = String::with_capacity(fragment.len() + 64);
    let mut done = 0;
    for range in snippet.highlighted() {
        // Ranges can overlap when two words share their beginning.
        if range.start < done {
            continue;
        }
        html.push_str(&escape(&fragment[done..range.start]));
        html.push_str("<mark>");
        html.push_str(&escape(&fragment[range.clone()]));
        html.push_str("</mark>");
        done = range.end;
    }
    html.push_str(&escape(&fragment[done..]));
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
