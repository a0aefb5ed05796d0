//! Tests of what an article may be and of what the starting articles change.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn article() -> NewArticle {
    NewArticle {
        title: "Find an invoice".to_owned(),
        description: "Where the invoices are.".to_owned(),
        category: "Billing".to_owned(),
        tags: vec!["Invoice".to_owned(), "invoice ".to_owned(), "PDF".to_owned(), String::new()],
        markdown: "\r\nOpen Billing.\r\n\r\n## As a PDF\r\n".to_owned(),
    }
}

fn codes(new: &NewArticle) -> Vec<(String, String)> {
    let problems = check(new).expect_err("it has mistakes");
    problems.into_iter().map(|problem| (problem.field, problem.code)).collect()
}

fn pair(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

#[test]
fn an_article_is_kept_tidily() {
    let title = " Find\n an\u{0} invoice ".to_owned();
    let kept = check(&NewArticle { title, ..article() }).expect("it is sound");
    assert_eq!(kept.title, "Find an invoice");
    assert_eq!(kept.tags, ["invoice", "pdf"]);
    assert_eq!(kept.markdown, "Open Billing.\n\n## As a PDF");
    assert_eq!(check(&kept).as_ref(), Ok(&kept), "what is kept passes again");
}

#[test]
fn mistakes_stand_at_their_fields() {
    let nothing = NewArticle { title: " ".to_owned(), description: String::new(), ..NewArticle::default() };
    let expected = ["title", "description", "markdown"].map(|field| pair(field, "missing"));
    assert_eq!(codes(&nothing)[..3], expected);
    let long = NewArticle {
        title: "x".repeat(MAX_TITLE + 1),
        category: "Nonsense".to_owned(),
        tags: (0..=MAX_TAGS).map(|tag| tag.to_string()).collect(),
        markdown: "x".repeat(MAX_MARKDOWN + 1),
        ..article()
    };
    let expected = [
        pair("title", "too_long"),
        pair("markdown", "too_long"),
        pair("category", "invalid"),
        pair("tags", "too_many"),
    ];
    assert_eq!(codes(&long), expected);
}

#[test]
fn addresses_are_made_of_the_words_of_a_title() {
    for (title, slug) in [
        ("Find an invoice", "find-an-invoice"),
        ("What’s “Pro”? It's this", "whats-pro-its-this"),
        ("Überprüfe café №5", "uberprufe-cafe-no5"),
        ("  --  ", "article"),
        ("日本語", "article"),
    ] {
        assert_eq!(slug_of(title), slug, "{title}");
    }
    let long = slug_of(&"seventeen ".repeat(20));
    assert!(long.len() <= MAX_SLUG && long.ends_with("seventeen"), "{long}");
}

#[test]
fn a_taken_address_gets_a_number() {
    let taken = ["a", "a-2", "a-4"].map(str::to_owned);
    assert_eq!(free_slug("b", &taken), "b");
    assert_eq!(free_slug("a", &taken), "a-3");
    assert_eq!(free_slug("search", &[]), "search-2", "it is a call of the API");
}

#[test]
fn marks_go_and_letters_stay() {
    assert_eq!(plain_text("a <mark>b</mark> &lt;c&gt; &amp;lt;"), "a b <c> &lt;");
}

fn starting(slug: &str, words: &str) -> Starting {
    let text = NewArticle { markdown: words.to_owned(), ..article() };
    Starting { slug: slug.to_owned(), hash: hash_of(&text), text, updated: None }
}

fn known(number: u128, slug: &str, status: ArticleStatus, from: Option<&Starting>) -> Known {
    let seeded_from = from.map(|from| from.hash.to_vec());
    Known { id: ArticleId::from_uuid(Uuid::from_u128(number)), slug: slug.to_owned(), status, seeded_from }
}

#[test]
fn starting_articles_change_what_nobody_has_touched() {
    use ArticleStatus::{Archived, Draft, Published};
    let (new, same, other, theirs, back) = (
        starting("new", "1"),
        starting("same", "1"),
        starting("other", "2"),
        starting("theirs", "2"),
        starting("back", "1"),
    );
    let before = starting("other", "1");
    let rows = [
        known(1, "same", Published, Some(&same)),
        known(2, "other", Published, Some(&before)),
        known(3, "theirs", Draft, None),
        known(4, "back", Archived, Some(&back)),
        known(5, "gone", Published, Some(&before)),
        known(6, "gone-before", Archived, Some(&before)),
        known(7, "by-hand", Published, None),
    ];
    let all = [new, same, other, theirs, back];
    let expected = [
        Step::Insert(&all[0]),
        Step::Renew(rows[1].id, &all[2]),
        Step::Renew(rows[3].id, &all[4]),
        Step::Retire(rows[4].id),
    ];
    assert_eq!(steps(&all, &rows), expected);
}

proptest! {
    #[test]
    fn every_title_gives_an_address(title in ".{0,300}") {
        let slug = free_slug(&slug_of(&title), &[slug_of(&title)]);
        prop_assert!(slug.len() <= 100);
        prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        prop_assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
    }

    #[test]
    fn what_is_escaped_reads_back(text in "[^\u{0}]{0,200}") {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        prop_assert_eq!(plain_text(&escaped), text);
    }

    #[test]
    fn the_hash_tells_the_fields_apart(one in "[ab]{0,4}", other in "[ab]{0,4}") {
        let of = |title: &str, description: &str| {
            hash_of(&NewArticle { title: title.to_owned(), description: description.to_owned(), ..article() })
        };
        prop_assert_eq!(of(&one, &other) == of(&other, &one), one == other);
    }
}
