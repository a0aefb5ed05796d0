use proptest::prelude::*;
use tantivy::tokenizer::TextAnalyzer;

use super::{stems, typed, whole, words};

fn cut(mut analyzer: TextAnalyzer, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    analyzer.token_stream(text).process(&mut |token| found.push(token.text.clone()));
    found
}

#[test]
fn words_are_cut_as_the_table_says() {
    for (text, expected) in [
        ("Hello, World", "hello world"),
        ("maxTokens", "maxtokens max tokens"),
        ("max_tokens", "maxtokens max tokens"),
        ("boost-title", "boosttitle boost title"),
        ("HTTPServer", "httpserver http server"),
        ("APIs and URLs", "apis and urls"),
        ("sha256", "sha256 sha 256"),
        ("SHA-256", "sha256 sha 256"),
        ("node.js", "nodejs node js"),
        ("1.24.0", "1240 1 24 0"),
        ("c++", "c++"),
        ("C++ and C#, F#.", "c++ and c# f#"),
        ("C++20", "c++ 20"),
        ("a #tag and a##b", "a tag and a b"),
        (".NET", ".net net"),
        ("the .env file", "the .env env file"),
        ("ASP.NET", "aspnet asp net"),
        ("the end.", "the end"),
        ("and so on...net", "and so on net"),
        ("don't, the user's o\u{2019}clock", "dont the user oclock o clock"),
        ("std::fs::read", "std fs read"),
        ("--no-verify", "noverify no verify"),
        ("Café NAÏVE straße", "cafe naive strasse"),
        ("e\u{301}te\u{301}", "ete"),
        ("日本語", "日 日本 本 本語 語"),
        ("東", "東"),
        ("VSIX拡張", "vsix 拡 拡張 張"),
        ("한국어", "한 한국 국 국어 어"),
        ("שָׁלוֹם עולם", "שלום עולם"),
        ("مَرْحَبًا", "مرحبا"),
        ("ＦＵＬＬ", "full"),
        ("🔥 … !!! \u{200d} ---", ""),
        ("", ""),
    ] {
        assert_eq!(cut(words(), text).join(" "), expected, "{text}");
    }
    assert_eq!(cut(stems(), "Activating licenses"), ["activ", "licens"]);
}

#[test]
fn what_is_too_long_or_in_too_many_pieces_is_no_identifier() {
    assert!(cut(words(), &"a".repeat(65)).is_empty());
    assert_eq!(cut(words(), "aB1cD2eF3gH4iJ5"), ["ab1cd2ef3gh4ij5"]);
}

#[test]
fn a_whole_text_is_the_same_however_its_identifiers_are_written() {
    for text in ["maxTokens", "max_tokens", "Max Tokens!"] {
        assert_eq!(whole(text), "max tokens", "{text}");
    }
}

#[test]
fn what_is_typed_is_the_same_however_it_is_written() {
    let expected: Vec<String> = typed("max tokens").words.into_iter().map(|word| word.text).collect();
    assert_eq!(expected, ["max", "tokens"]);
    for text in ["maxTokens", "max_tokens", "max-tokens", "MAX TOKENS"] {
        let typed = typed(text);
        let words: Vec<String> = typed.words.into_iter().map(|word| word.text).collect();
        assert_eq!(words, expected, "{text}");
        assert_eq!(typed.joined[0].text, "maxtokens", "{text}");
    }
}

#[test]
fn the_last_word_is_open_until_something_follows() {
    assert!(typed("activ").last_is_open);
    assert!(!typed("activ ").last_is_open);
    assert!(!typed("activ?").last_is_open);
    assert!(!typed("").last_is_open);
}

#[test]
fn a_letter_and_a_digit_are_typed_as_one_word() {
    let typed = typed("sha256 .net");
    assert_eq!(typed.words[0].text, "sha256");
    assert_eq!(typed.words[0].pieces, ["sha", "256"]);
    assert_eq!(typed.words[1].text, ".net");
    assert_eq!(typed.words[1].pieces, ["net"]);
}

proptest! {
    #[test]
    fn any_text_is_cut_within_its_bounds(text in "\\PC{0,80}|[a-zA-Z0-9._'+#\\- 語\u{301}]{0,60}") {
        let mut analyzer = words();
        let mut stream = analyzer.token_stream(&text);
        let mut position = 0;
        while stream.advance() {
            let token = stream.token();
            prop_assert!(text.get(token.offset_from..token.offset_to).is_some_and(|part| !part.is_empty()));
            prop_assert!(!token.text.is_empty() && token.position >= position);
            position = token.position;
        }
        for word in typed(&text).words {
            prop_assert!(text.get(word.range).is_some_and(|part| !part.is_empty()));
        }
    }
}
