use proptest::prelude::*;

use super::{EXCERPT_CHARS, Marks, Terms};
use crate::search::analysis;

fn marks(words: &[&str], stems: &[&str]) -> Marks {
    let set = |terms: &[&str]| terms.iter().map(|term| (*term).to_owned()).collect();
    Marks::new(analysis::words(), Terms { words: set(words), stems: set(stems) })
}

fn text_of(html: &str) -> String {
    let text = html.replace("<mark>", "").replace("</mark>", "");
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[test]
fn words_are_marked_by_form_and_by_stem_and_all_else_is_escaped() {
    let mut marks = marks(&["maxtokens"], &["licens"]);
    assert_eq!(
        marks.whole("<b>Licensing</b> & \"maxTokens\" 'x'"),
        "&lt;b&gt;<mark>Licensing</mark>&lt;/b&gt; &amp; &quot;<mark>maxTokens</mark>&quot; &#39;x&#39;"
    );
}

#[test]
fn pairs_of_characters_make_one_mark() {
    assert_eq!(marks(&["日本", "本語"], &[]).whole("新日本語版"), "新<mark>日本語</mark>版");
}

#[test]
fn the_excerpt_is_where_most_of_the_words_are() {
    let body =
        format!("token {} the token and the limit meet here {}", "far ".repeat(100), "away ".repeat(100));
    let html = marks(&["token", "limit"], &[]).excerpt(&body, "");
    assert!(html.contains("the <mark>token</mark> and the <mark>limit</mark> meet"), "{html}");
    assert!(html.starts_with('…') && html.ends_with("away…"), "{html}");
    assert!(text_of(&html).chars().count() <= EXCERPT_CHARS, "{html}");
}

#[test]
fn without_words_in_the_body_it_is_the_code_or_the_beginning() {
    assert_eq!(marks(&["npm"], &[]).excerpt("Do this.", "npm  i\n x"), "<mark>npm</mark> i x");
    assert_eq!(marks(&["none"], &[]).excerpt("Do\n\tthis.", "npm i"), "Do this.");
    assert_eq!(marks(&["none"], &[]).excerpt("", "npm i"), "npm i");
    assert_eq!(marks(&["none"], &[]).excerpt("", ""), "");
}

proptest! {
    #[test]
    fn an_excerpt_is_a_part_of_the_text_and_short(body in "(\\PC{0,30}|word |<b>|token ){0,40}") {
        let html = marks(&["token"], &["word"]).excerpt(&body, "");
        let text = text_of(&html);
        prop_assert!(text.chars().count() <= EXCERPT_CHARS);
        let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert!(line.contains(text.trim_start_matches('…').trim_end_matches('…')));
        let bare = html.replace("<mark>", "").replace("</mark>", "");
        prop_assert!(!bare.contains('<') && !bare.contains('>'));
    }
}
