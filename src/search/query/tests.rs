use proptest::prelude::*;
use tantivy::{Index, IndexReader};
use time::macros::date;

use super::find;
use crate::{
    contract::search::{SearchKind, SearchResults},
    search::{Ask, SearchDocument, schema},
};

struct Shelf {
    index: Index,
    reader: IndexReader,
    fields: schema::Fields,
}

impl Shelf {
    /// Each slice becomes a segment of its own.
    fn new(segments: &[&[SearchDocument]]) -> Self {
        let (schema, fields) = schema::schema();
        let index = Index::create_in_ram(schema);
        schema::register(&index);
        let mut writer = index.writer_with_num_threads(1, 15_000_000).expect("a writer");
        writer.set_merge_policy(Box::new(tantivy::merge_policy::NoMergePolicy));
        for documents in segments {
            for document in *documents {
                writer.add_document(schema::stored(&fields, document)).expect("added");
            }
            writer.commit().expect("committed");
        }
        let reader = index.reader().expect("a reader");
        Self { index, reader, fields }
    }

    fn ask(&self, ask: &Ask<'_>) -> SearchResults {
        find(&self.reader.searcher(), &self.index, &self.fields, ask).expect("found")
    }

    fn find(&self, text: &str) -> SearchResults {
        self.ask(&Ask { text, kind: None, limit: 10, offset: 0 })
    }

    fn urls(&self, text: &str) -> Vec<String> {
        self.find(text).items.into_iter().map(|hit| hit.url).collect()
    }

    fn first(&self, text: &str) -> String {
        self.urls(text).first().cloned().unwrap_or_default()
    }
}

fn document(url: &str, title: &str, body: &str) -> SearchDocument {
    SearchDocument {
        thing: url.to_owned(),
        url: url.to_owned(),
        kind: SearchKind::Docs,
        title: title.to_owned(),
        trail: vec!["The editor".to_owned()],
        body: body.to_owned(),
        code: String::new(),
        keywords: String::new(),
        date: None,
        is_page: false,
    }
}

fn library() -> Vec<SearchDocument> {
    let of = |kind, document| SearchDocument { kind, ..document };
    vec![
        document("/tokens", "Limits", "The setting maxTokens says how long an answer may be."),
        document("/max", "The max length of a file", "Files of at most ten megabytes are opened."),
        document("/session", "Session tokens", "Tokens of a session end after a day."),
        SearchDocument {
            code: "devforge search --boost-title 2".to_owned(),
            ..document("/boost", "Ranking", "Give titles more weight.")
        },
        document("/title", "Title bar", "Show or hide the title."),
        document("/cpp", "C++ support", "Install a language server for C++."),
        document("/cs", "C# support", "Install a language server for C#."),
        document("/net", ".NET projects", "Open a solution of .NET."),
        document("/network", "Proxy", "Behind a proxy the net is slow."),
        document("/ja", "日本語", "エディターを日本語で使う。"),
        document("/he", "עברית", "העורך עובד מימין לשמאל."),
        document("/html", "Escaping", "Write <script>alert(1)</script> & be safe with \"quotes\"."),
        document("/install", "Install on Linux", "Unpack the archive and start the program."),
        document("/activate", "Activate a license", "Enter the license key. Activation needs no network."),
        document("/licenses", "About licenses", "Activate, move and end a license on a machine."),
        document("/login", "Login", "With your password or a passkey."),
        of(
            SearchKind::Article,
            document("/kb/license", "A license is refused", "The license key has a typo."),
        ),
        of(
            SearchKind::Api,
            document("/api#activate", "POST /v1/activations", "Activates a license on a machine."),
        ),
    ]
}

fn shelf() -> Shelf {
    Shelf::new(&[&library()])
}

#[test]
fn an_identifier_is_found_however_it_is_written() {
    let shelf = shelf();
    for text in
        ["maxTokens", "max_tokens", "max tokens", "max-tokens", "maxtokens", "MAX_TOKENS", "max token"]
    {
        assert_eq!(shelf.first(text), "/tokens", "{text}");
    }
    for text in ["boosttitle", "boost-title", "boostTitle", "boost title"] {
        assert_eq!(shelf.first(text), "/boost", "{text}");
    }
}

#[test]
fn languages_with_signs_are_words_of_their_own() {
    let shelf = shelf();
    assert_eq!(shelf.urls("c++"), ["/cpp"]);
    assert_eq!(shelf.urls("C#"), ["/cs"]);
    assert_eq!(shelf.urls(".net"), ["/net"]);
    assert_eq!(shelf.first("c++ support"), "/cpp");
    assert!(shelf.urls("f#").is_empty());
}

#[test]
fn other_scripts_are_found() {
    let shelf = shelf();
    assert_eq!(shelf.first("日本語"), "/ja");
    assert_eq!(shelf.first("本語"), "/ja");
    assert_eq!(shelf.first("エディター"), "/ja");
    assert_eq!(shelf.first("העורך"), "/he");
    assert!(shelf.find("日本語").items[0].title_html.contains("<mark>日本語</mark>"));
}

#[test]
fn what_has_no_words_finds_nothing() {
    let shelf = shelf();
    for text in ["", " ", "🔥🔥", "!!! ??? ---", "\"", "\u{202e}", "...", "++", "#"] {
        let found = shelf.find(text);
        assert_eq!((found.items.len(), found.total, found.facets.len()), (0, 0, 0), "{text}");
        assert_eq!(found.corrected, None, "{text}");
    }
}

#[test]
fn nothing_typed_is_syntax() {
    let shelf = shelf();
    let plain = shelf.urls("title max");
    for text in [
        "title:max",
        "+title -max",
        "title AND max",
        "\"title max",
        "title* max~2 ^3",
        "(title [max",
        "/title.*max/",
    ] {
        let found = shelf.urls(text);
        assert!(plain.iter().all(|url| found.contains(url)), "{text}: {found:?}");
    }
}

#[test]
fn a_long_query_is_cut() {
    let shelf = shelf();
    let long = "license ".repeat(1_280);
    assert!(long.len() >= 10_000);
    assert_eq!(shelf.urls(&long), shelf.urls("license "));
    let many: String = (0..2_000).map(|n| format!("w{n} ")).collect();
    assert!(shelf.urls(&many).is_empty());
}

#[test]
fn the_last_word_may_be_unfinished() {
    let shelf = shelf();
    assert_eq!(shelf.first("instal"), "/install");
    assert_eq!(shelf.first("licen"), shelf.first("license"));
    assert_eq!(shelf.find("instal").corrected, None);
    assert_eq!(shelf.first("archi"), "/install");
    assert!(shelf.urls("archi ").is_empty());
}

#[test]
fn a_word_that_stands_nowhere_is_taken_for_the_likeliest() {
    let shelf = shelf();
    let found = shelf.find("How do I actvate my licnese? ");
    assert_eq!(found.corrected.as_deref(), Some("How do I activate my license? "));
    assert_eq!(found.items[0].url, "/activate");
    assert!(found.items[0].title_html.contains("<mark>Activate</mark> a <mark>license</mark>"));
    assert_eq!(shelf.find("activate").corrected, None);
    assert_eq!(shelf.find("titlebar ").corrected.as_deref(), Some("title bar "));
    assert_eq!(shelf.find("qqqqqqqq ").corrected, None);
}

#[test]
fn words_that_say_nothing_do_no_harm() {
    let shelf = shelf();
    assert_eq!(shelf.first("how do I activate a license"), "/activate");
    assert_eq!(shelf.urls("how do I install it on"), shelf.urls("install "));
    assert_eq!(shelf.first("about"), "/licenses");
    assert_eq!(shelf.first("log in"), "/login");
}

#[test]
fn the_whole_title_comes_first() {
    let shelf = shelf();
    assert_eq!(shelf.first("about licenses"), "/licenses");
    assert_eq!(shelf.first("Activate a license"), "/activate");
    assert_eq!(shelf.first("session tokens"), "/session");
}

#[test]
fn kinds_are_counted_whichever_is_asked_for() {
    let shelf = shelf();
    let all = shelf.find("license");
    let count = |found: &SearchResults, kind| {
        found.facets.iter().find(|facet| facet.kind == kind).map_or(0, |facet| facet.count)
    };
    assert_eq!(count(&all, SearchKind::Docs), 2);
    assert_eq!(count(&all, SearchKind::Article), 1);
    assert_eq!(count(&all, SearchKind::Blog), 0);
    assert_eq!(all.total, 4);
    let api = shelf.ask(&Ask { text: "license", kind: Some(SearchKind::Api), limit: 10, offset: 0 });
    assert_eq!(api.facets, all.facets);
    assert_eq!(api.total, 1);
    assert_eq!(api.items[0].url, "/api#activate");
}

#[test]
fn pages_of_hits_neither_overlap_nor_leave_out() {
    let shelf = shelf();
    let all = shelf.urls("license");
    let paged: Vec<String> = (0..all.len())
        .flat_map(|offset| shelf.ask(&Ask { text: "license", kind: None, limit: 1, offset }).items)
        .map(|hit| hit.url)
        .collect();
    assert_eq!(paged, all);
    let beyond = shelf.ask(&Ask { text: "license", kind: None, limit: 10, offset: usize::MAX });
    assert_eq!((beyond.items.len(), beyond.total), (0, 4));
    let none = shelf.ask(&Ask { text: "license", kind: None, limit: 0, offset: 0 });
    assert_eq!((none.items.len(), none.total), (0, 4));
}

#[test]
fn newer_news_comes_first() {
    let news = |url, date| SearchDocument {
        kind: SearchKind::Blog,
        date: Some(date),
        ..document(url, "A release", "What is new.")
    };
    let old = news("/blog/old", date!(2024 - 01 - 01));
    let new = news("/blog/new", date!(2026 - 01 - 01));
    assert_eq!(Shelf::new(&[&[old.clone(), new.clone()]]).first("release"), "/blog/new");
    assert_eq!(Shelf::new(&[&[new, old]]).first("release"), "/blog/new");
}

#[test]
fn a_page_comes_before_its_like_sections() {
    let section = document("/a#b", "Updates", "How updates come.");
    let page = SearchDocument { is_page: true, ..document("/a", "Updates", "How updates come.") };
    assert_eq!(Shelf::new(&[&[section, page]]).first("updates"), "/a");
}

#[test]
fn a_bare_word_leads_to_a_page_about_it_and_a_path_to_its_call() {
    let call = SearchDocument {
        kind: SearchKind::Api,
        ..document("/docs/api#make", "POST /v1/licenses", "Makes a license, or a few licenses.")
    };
    let code = SearchDocument {
        code: "license license license".to_owned(),
        ..document("/renew#code", "Renew by a program", "It sends the license.")
    };
    let page = SearchDocument { is_page: true, ..document("/licenses", "Licenses", "What they are for.") };
    let shelf = Shelf::new(&[&[call, code, page]]);
    assert_eq!(shelf.first("license"), "/licenses");
    assert_eq!(shelf.first("POST /v1/licenses"), "/docs/api#make");
}

#[test]
fn a_page_is_found_by_the_name_in_its_address() {
    let page = |url| SearchDocument { is_page: true, ..document(url, "Money", "Refunds and returns.") };
    let shelf = Shelf::new(&[&[page("/legal/refunds"), page("/legal/returns")]]);
    assert_eq!(shelf.first("refunds"), "/legal/refunds");
    assert_eq!(shelf.first("returns"), "/legal/returns");
}

#[test]
fn equals_are_in_the_same_order_in_every_index() {
    let equals: Vec<_> = (0..40).map(|n| document(&format!("/{n}"), "Same", "The same text.")).collect();
    let mut turned = equals.clone();
    turned.reverse();
    let expected = Shelf::new(&[&equals]).urls("same");
    assert_eq!(Shelf::new(&[&turned]).urls("same"), expected);
    assert_eq!(Shelf::new(&[&turned[..13], &turned[13..]]).urls("same"), expected);
}

#[test]
fn segments_change_nothing() {
    let library = library();
    let (some, others) = library.split_at(9);
    let (one, many) = (Shelf::new(&[&library]), Shelf::new(&[some, others]));
    for text in ["license", "how to activate", "maxTokens", "title", "actvate ", "tok", "日本"] {
        assert_eq!(one.urls(text), many.urls(text), "{text}");
    }
}

#[test]
fn hits_are_escaped_and_marked() {
    let found = shelf().find("script escaping");
    assert_eq!(found.items[0].url, "/html");
    assert_eq!(found.items[0].title_html, "<mark>Escaping</mark>");
    let excerpt = &found.items[0].excerpt_html;
    assert!(
        excerpt.contains("&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt; &amp;"),
        "{excerpt}"
    );
    assert_eq!(found.items[0].trail, ["The editor"]);
}

#[test]
fn an_empty_index_has_no_hits() {
    let empty = Shelf::new(&[]);
    assert!(empty.urls("license").is_empty());
    assert_eq!(empty.find("license").corrected, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_query_fails(texts in prop::collection::vec("\\PC{0,60}|[a-z]{1,12}( [a-zA-Z]{1,14}){0,6}|[+\\-:\"()*~^\\[\\]{}/\\\\.#a-c1 語]{0,40}", 8), limit in 0..60usize, offset in 0..40usize) {
        let shelf = shelf();
        for text in texts {
            let found = shelf.ask(&Ask { text: &text, kind: None, limit, offset });
            prop_assert!(found.items.len() <= limit);
            prop_assert_eq!(found.facets.iter().map(|facet| facet.count).sum::<u64>(), found.total);
            for hit in found.items {
                let bare = hit.excerpt_html.replace("<mark>", "").replace("</mark>", "");
                prop_assert!(!bare.contains('<'));
            }
        }
    }
}
