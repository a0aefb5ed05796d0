//! Each thing our Markdown has, in small; and what people cannot do with it.

use proptest::prelude::*;

use super::*;

fn own(markdown: &str) -> String {
    render(markdown).html
}

fn foreign(markdown: &str) -> String {
    render_foreign(markdown).html
}

#[test]
fn headings_have_anchors_of_their_own() {
    let rendered = render("Intro.\n\n## What we `keep`\n\nThis.\n\n### What we keep\n\nThat.\n\n## Main\n");
    let ids: Vec<&str> = rendered.headings.iter().map(|heading| heading.id.as_str()).collect();
    // The frame of the page has a “main” already.
    assert_eq!(ids, ["what-we-keep", "what-we-keep-2", "main-2"]);
    let icon = icon_html("link", 16);
    let expected = format!(
        "<h2 id=\"what-we-keep\">What we <code>keep</code> <a class=\"anchor\" href=\"#what-we-keep\" \
         aria-label=\"Link to “What we keep”\">{icon}</a></h2>"
    );
    assert!(rendered.html.contains(&expected), "{}", rendered.html);
    assert_eq!(rendered.sections.len(), 4);
    assert_eq!(rendered.sections[0].heading, None);
    assert_eq!(rendered.sections[2].text, "That.");
    assert!(rendered.html.contains("<h3 id=\"what-we-keep-2\">"));
}

#[test]
fn sections_keep_text_and_code_apart() {
    let sections = render(
        "One **wo**rd and `maxTokens`.\n\n```sh\ndevforge run\n```\n\n> [!TIP] Press [[Ctrl+K|Cmd+K]]\n> now.\n",
    )
    .sections;
    assert_eq!(sections.len(), 1);
    assert_eq!(sections[0].text, "One word and maxTokens. Press Ctrl+K Cmd+K now.");
    assert_eq!(sections[0].code, "maxTokens\ndevforge run\n");
}

#[test]
fn a_title_of_the_page_is_not_written_twice() {
    assert!(outline("# One\n").is_err());
    assert!(outline("```sh\n# a comment\n```\n").is_ok());
    assert!(foreign("# One\n").starts_with("<h2 id=\"one\">"));
}

#[test]
fn a_notice_says_its_kind() {
    let html = own("> [!CAUTION] Keep `this`\n> It is *needed*.\n>\n> - a\n\nAfter.\n");
    let icon = icon_html("warn", 18);
    let expected = format!(
        "<div class=\"notice warn\">{icon}<p class=\"notice-title\"><span class=\"visually-hidden\">Caution: \
         </span>Keep <code>this</code></p><div>\n<p>It is <em>needed</em>.</p>\n<ul>\n<li>a</li>\n</ul>\n\
         </div></div>\n<p>After.</p>\n"
    );
    assert_eq!(html, expected);
    let html = own("> [!NOTE]\n> Only this.\n");
    assert!(html.contains("<p class=\"notice-title\">Note</p><div>\n<p>Only this.</p>"), "{html}");
    let html = own("> [!DANGER] All in one line\n");
    assert!(html.ends_with("All in one line</p><div>\n</div></div>\n"), "{html}");
    assert_eq!(own("> [!LOUD] no\n"), "<blockquote>\n<p>[!LOUD] no</p>\n</blockquote>\n");
}

const TABS: &str =
    ":::tabs\n::tab Linux\nRun it:\n```sh\n::tab is code here\n```\n::tab mac & OS\n- open\n:::\n\nAfter.\n";

#[test]
fn tabs_are_radio_buttons() {
    let html = own(TABS);
    assert!(
        html.starts_with(
            "<div class=\"tab-set chosen\" role=\"group\" aria-label=\"Linux, mac &amp; OS\">\
         <input type=\"radio\" name=\"tabs-1\" id=\"tab-1-1\" checked><label for=\"tab-1-1\">Linux</label>\
         <input type=\"radio\" name=\"tabs-1\" id=\"tab-1-2\"><label for=\"tab-1-2\">mac &amp; OS</label>\
         <div class=\"tab-part\"><p class=\"tab-name\">Linux</p>\n<p>Run it:</p>"
        ),
        "{html}"
    );
    assert_eq!(html.matches("<div class=\"tab-part\">").count(), 2);
    assert_eq!(html.matches("<div").count(), html.matches("</div>").count());
    assert!(html.contains("<li>open</li>\n</ul>\n</div></div>\n<p>After.</p>"), "{html}");
    assert!(!html.contains(":::"));
}

#[test]
fn mistakes_in_tabs_are_named_and_shown_somehow() {
    for (text, what) in [
        (":::tabs\n::tab A\na\n::tab B\nb\n", "never ends"),
        ("::tab A\na\n", "outside"),
        (":::tabs\n::tab A\na\n:::\n", "1 tabs"),
        (":::tabs\n:::tabs\n", "inside"),
    ] {
        let error = outline(text).expect_err(what);
        assert!(error.contains(what), "{error}");
        let html = own(text);
        assert_eq!(html.matches("<div").count(), html.matches("</div>").count(), "{html}");
    }
    // People's tabs, and more than fit, stand one below the other.
    assert!(!foreign(TABS).contains("<input"));
    assert!(foreign(TABS).contains("<p class=\"tab-name\">Linux</p>"));
    let six: String = (1..=6).map(|n| format!("::tab T{n}\nx\n")).collect();
    assert!(!own(&format!(":::tabs\n{six}:::\n")).contains("<input"));
}

#[test]
fn code_has_a_bar() {
    let html = own("```sh title=\"Any shell\"\nls\n```\n");
    assert!(
        html.starts_with(
            "<figure class=\"code-block\"><figcaption class=\"code-bar\"><span>Any shell</span>"
        )
    );
    assert!(html.contains("data-copy=\"\" hidden>"));
    assert!(own("    indented\n").contains("<code>indented\n</code>"));
    // A quote in a list has its block, too.
    assert!(own("- a\n\n  ```json\n  {}\n  ```\n").contains("aria-label=\"JSON\""));
}

#[test]
fn tables_can_be_scrolled_and_have_no_inline_style() {
    assert_eq!(
        own("| A | B |\n|---|--:|\n| 1 | 2 |\n"),
        "<div class=\"table-wrap\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table class=\"table\">\
         <thead><tr><th scope=\"col\">A</th><th scope=\"col\" class=\"num\">B</th></tr></thead><tbody>\n\
         <tr><td>1</td><td class=\"num\">2</td></tr>\n</tbody></table></div>\n"
    );
}

#[test]
fn tables_are_named_after_what_they_stand_under() {
    let table = "| A |\n|---|\n| 1 |\n\n";
    let html = own(&format!("{table}{table}## Cores & \"RAM\"\n\n{table}{table}### Else\n\n{table}"));
    let names: Vec<&str> = html
        .split("role=\"region\" aria-label=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let under = "Table: Cores &amp; &quot;RAM&quot;";
    assert_eq!(names, ["Table", "Table, 2", under, &format!("{under}, 2"), "Table: Else"]);
}

#[test]
fn footnotes_stand_at_the_end_and_lead_back() {
    let html = own("A[^b] B[^a] again[^b].\n\n[^a]: Alpha.\n[^b]: Beta.\n\nLast.\n");
    assert!(
        html.contains(
            "A<sup class=\"note-ref\"><a href=\"#fn-1\" id=\"fnref-1\" aria-label=\"Note 1\">1</a></sup> B\
         <sup class=\"note-ref\"><a href=\"#fn-2\" id=\"fnref-2\" aria-label=\"Note 2\">2</a></sup> again\
         <sup class=\"note-ref\"><a href=\"#fn-1\" aria-label=\"Note 1\">1</a></sup>."
        ),
        "{html}"
    );
    let notes = html.split("<p>Last.</p>").nth(1).expect("the notes come last");
    assert!(notes.contains("<li id=\"fn-1\">"), "{notes}");
    assert!(notes.find("Beta.") < notes.find("Alpha."), "{notes}");
    assert!(!own("[^a]: Never named.\n").contains("footnotes"));
    assert!(own("No such[^x] note.\n").contains("[^x]"));
}

#[test]
fn keys_are_named_for_each_platform() {
    assert_eq!(
        own("Press [[Ctrl+K|Cmd+K]], then [[Enter]].\n"),
        "<p>Press <kbd class=\"kbd\">Ctrl+K</kbd> (macOS: <kbd class=\"kbd\">Cmd+K</kbd>), then \
         <kbd class=\"kbd\">Enter</kbd>.</p>\n"
    );
    assert_eq!(own("`[[1]]` and [[ and [[]] stay\n"), "<p><code>[[1]]</code> and [[ and [[]] stay</p>\n");
    assert!(own("[[<|>]]\n").contains("<kbd class=\"kbd\">&lt;</kbd>"));
}

#[test]
fn links_to_others_are_marked() {
    assert_eq!(
        own("[a](https://example.com/?a=1&b=2) [b](/docs)\n"),
        "<p><a href=\"https://example.com/?a=1&amp;b=2\" rel=\"noopener\">a</a> <a href=\"/docs\">b</a></p>\n"
    );
    assert_eq!(
        foreign("[a](https://example.com) [b](/docs) [c](//example.com) [d](#x)\n"),
        "<p><a href=\"https://example.com\" rel=\"nofollow noopener\">a</a> <a href=\"/docs\">b</a> \
         <a href=\"//example.com\" rel=\"nofollow noopener\">c</a> <a href=\"#x\">d</a></p>\n"
    );
    // Whatever stands before the address, and whatever is in it.
    let html = foreign(
        "## A > b\n\nx[^1] <https://example.com/?a>b> [c](https://example.com/?\"href=/)\n\n[^1]: y\n",
    );
    let outside = html.matches("href=\"https://").count();
    assert!(html.contains("class=\"anchor\"") && outside == 2, "{html}");
    assert_eq!(html.matches("rel=\"nofollow noopener\"").count(), outside, "{html}");
}

#[test]
fn what_people_write_cannot_act() {
    for text in [
        "<script>alert(1)</script>",
        "a <script src=//example.com/x.js></script> b",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "<javascript:alert(1)>",
        "<a href=\"javascript:alert(1)\" onclick=\"x()\">x</a>",
        "<iframe src=\"https://example.com\"></iframe>",
        "<style>body{display:none}</style>",
        "<p style=\"position:fixed\">x</p>",
        "<svg onload=alert(1)><use href=\"data:image/svg+xml,x\"/></svg>",
        "<!-- hidden --> shown",
        "![x](https://example.com/track.png)",
        "![x](data:image/png;base64,AAAA)",
        "![\" onerror=\"alert(1)](/assets/mark.svg)",
        "```\"><script>alert(1)</script>\nx\n```",
        "```ts title=\"\"><script>\" {1}\nx\n```",
        "[[<script>|</kbd><script>]]",
        "> [!NOTE] <script>\n> x",
        ":::tabs\n::tab <script>\nx\n:::",
        "[^<script>]\n\n[^<script>]: x",
        "<form action=/account/delete><button>x</button></form>",
        "<input name=x autofocus onfocus=alert(1)>",
        "<math><mtext></p><style><img src=x onerror=alert(1)>",
    ] {
        let html = foreign(text);
        assert_eq!(unwanted(&html), None, "{text} → {html}");
    }
    assert_eq!(
        foreign("a `Vec<String>` or Vec<String> b\n"),
        "<p>a <code>Vec&lt;String&gt;</code> or Vec&lt;String&gt; b</p>\n"
    );
    assert!(foreign("![Our mark](/assets/mark.svg)").contains("<img src=\"/assets/"));
}

#[test]
fn what_people_write_looks_like_ours() {
    let html = foreign(
        "## A\n\n> [!NOTE] B\n> c\n\n```ts {1}\nconst a = 1\n```\n\n| a |\n|--:|\n| 1 |\n\nx[^1]\n\n[^1]: y\n",
    );
    assert!(html.contains("<h2 id=\"a\">"), "{html}");
    assert!(html.contains(&icon_html("info", 18)), "{html}");
    for part in [
        "class=\"notice info\"",
        "class=\"notice-title\"",
        "class=\"code-block\"",
        "class=\"button ghost small\"",
        "data-copy=\"\"",
        "class=\"line marked\"",
        "class=\"tk-keyword\"",
        "class=\"table-wrap\"",
        "scope=\"col\"",
        "id=\"fn-1\"",
        "class=\"anchor\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("<i "), "{html}");
}

#[test]
fn nothing_is_nested_without_end() {
    for text in
        ["> ".repeat(5_000) + "x", "- ".repeat(5_000) + "x", "**a ".repeat(5_000) + &" a**".repeat(5_000)]
    {
        for html in [own(&text), foreign(&text)] {
            let mut deepest: usize = 0;
            let mut depth: usize = 0;
            for part in html.split('<').skip(1) {
                if part.starts_with('/') {
                    depth = depth.saturating_sub(1);
                } else {
                    depth += 1;
                }
                deepest = deepest.max(depth);
            }
            assert!(deepest <= DEEPEST + 4, "{deepest}");
        }
    }
}

/// The first tag or attribute that could act, if there is one. Text is not looked at.
fn unwanted(html: &str) -> Option<String> {
    const TAGS: [&str; 10] =
        ["script", "style", "iframe", "object", "embed", "form", "input", "base", "link", "math"];
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut quoted = false;
        let end = rest.find(|c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &rest[..end.unwrap_or(rest.len())];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        // Every second piece stands inside quotes.
        let names: String = tag.split('"').step_by(2).collect();
        let acts =
            names.split_whitespace().skip(1).any(|name| name.starts_with("on") || name.starts_with("style="));
        let address =
            ["href=\"", "src=\""].iter().find_map(|name| tag.split_once(name)).is_some_and(|(_, value)| {
                let value = value.trim_start().to_ascii_lowercase();
                ["javascript:", "data:", "vbscript:"].iter().any(|scheme| value.starts_with(scheme))
            });
        let elsewhere = name == "img" && !tag.contains("src=\"/assets/");
        if TAGS.contains(&name) || acts || address || elsewhere || tag.starts_with('!') {
            return Some(tag.to_owned());
        }
        rest = &rest[tag.len()..];
    }
    None
}

fn markdownish() -> impl Strategy<Value = String> {
    let pieces = [
        "> ",
        "- ",
        "1. ",
        "\n",
        "\n\n",
        "    ",
        "```",
        "```ts {1}\n",
        "`",
        "**",
        "_",
        "[",
        "](",
        ")",
        "![",
        "[^1]",
        "[^1]: ",
        "| a | b |\n|---|--:|\n",
        "| ",
        "## ",
        "# ",
        "[[",
        "|",
        "]]",
        ":::tabs\n",
        "::tab A\n",
        ":::\n",
        "> [!NOTE] ",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        " onclick=x ",
        "javascript:",
        "<a href=\"",
        "\"",
        ">",
        "<",
        "&",
        "é",
        "word",
        "https://example.com",
        "/assets/mark.svg",
        "<svg>",
        "\u{0}",
        "\\",
        "---\n",
        "'",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_rendered(text in markdownish()) {
        let rendered = render(&text);
        let _ = outline(&text);
        let mut ids: Vec<&str> = rendered.headings.iter().map(|heading| heading.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), rendered.headings.len());
    }

    #[test]
    fn nothing_people_write_acts(text in markdownish()) {
        let html = foreign(&text);
        prop_assert_eq!(unwanted(&html), None, "{}", html);
    }

    #[test]
    fn any_characters_are_rendered(text in "\\PC{0,200}") {
        let html = foreign(&text);
        prop_assert_eq!(unwanted(&html), None, "{}", html);
    }
}
