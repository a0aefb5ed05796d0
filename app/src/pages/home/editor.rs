//! The editor, drawn in markup: a project, a file with one suggested line, the assistant that explains it, tests.
//!
//! What always holds: it is one image with one sentence to a screen reader, nothing in it takes focus, and what its
//! parts say agrees (the line, the test that waits for it, the caret's place, the day of the sprint).

use leptos::prelude::*;

use super::people;
use crate::components::{GrainTile, Icon};

/// Between backticks stands a token: the letter of its kind, then its text. See [`highlight`].
const CODE: [&str; 23] = [
    r#"`kimport` `u{` createLocalJWKSet`u,` jwtVerify `u}` `kfrom` `s"jose"``u;`"#,
    r#"`kimport` keys `kfrom` `s"./jwks.json"``u;`"#,
    r#"`kimport` `u{` free`u,` `ktype` `tLicense` `u}` `kfrom` `s"./tiers"``u;`"#,
    "",
    "`kconst` jwks `u=` `fcreateLocalJWKSet``u(`keys`u);`",
    "",
    "`c/** Needs no network: the token carries its own answer. */`",
    "`kexport async function` `freadLicense``u(`",
    "  `ptoken``u:` `tstring``u,`",
    "  `pfingerprint``u:` `tstring``u,`",
    "`u):` `tPromise``u<``tLicense``u> {`",
    "  `kconst` `u{` payload `u} =` `kawait` `fjwtVerify``u(`token`u,` jwks`u, {`",
    r#"    `palgorithms``u: [``s"EdDSA"``u],`"#,
    r#"    `pclockTolerance``u:` `s"5 minutes"``u,`"#,
    "  `u});`",
    "  `kif` `u(`payload`u.``pfingerprint` `u!==` fingerprint`u)` `kreturn` `ffree``u();`",
    "",
    "  `kreturn` `u{`",
    "    `ptier``u:` payload`u.``ptier``u,`",
    "    `pfeatures``u:` payload`u.``pfeatures``u,`",
    "    `pexpiresAt``u:` `knew` `tDate``u(`payload`u.``pexp` `u*` `n1000``u),`",
    "  `u};`",
    "`u}`",
];
/// The suggested line of [`CODE`], counted from nothing, and where the caret is said to stand.
const SUGGESTED: usize = 13;
const CARET: &str = "Ln 14, Col 33";

const RAIL: [&str; 8] = ["file", "search", "branch", "run", "plug", "flame", "user", "sliders"];

/// Depth and state as classes, icon, name, and whether it has changes.
const FILES: [(&str, &str, &str, bool); 13] = [
    ("ed-file", "folderopen", "billing-worker", false),
    ("ed-file in-1", "folder", ".github", false),
    ("ed-file in-1", "folderopen", "src", false),
    ("ed-file in-2", "folder", "checkout", false),
    ("ed-file in-2", "folderopen", "license", false),
    ("ed-file in-3", "file", "jwks.json", false),
    ("ed-file in-3", "file", "tiers.ts", false),
    ("ed-file in-3 changed", "file", "verify.test.ts", true),
    ("ed-file in-3 open", "file", "verify.ts", true),
    ("ed-file in-2", "file", "server.ts", false),
    ("ed-file in-1", "folder", "test", false),
    ("ed-file in-1", "file", "package.json", false),
    ("ed-file in-1", "file", "README.md", false),
];

/// Id, name, publisher and version, class and word of its state.
const EXTENSIONS: [(&str, &str, &str, &str, &str); 3] = [
    ("forge.rust-tools", "Rust Tools", "forge 2.8.1", "on", "On"),
    ("northbeam.sql-lens", "SQL Lens", "northbeam 1.4.0", "on", "On"),
    ("hollis.todo-index", "Todo Index", "hollis 0.9.3", "now", "Update"),
];

const TESTS: [(&str, &str); 3] = [
    ("pass", "  accepts a token signed by a known key"),
    ("pass", "  answers the free tier for another machine"),
    ("run", "   accepts a clock four minutes behind"),
];

const STATUS: [(Option<&str>, &str); 6] = [
    (Some("branch"), "fix/clock-drift"),
    (Some("ok"), "0 problems"),
    (Some("flame"), "Sprint 14, day 6 of 10"),
    (None, CARET),
    (None, "TypeScript"),
    (Some("key"), "Pro, offline until 4 Dec"),
];

pub(super) fn editor() -> AnyView {
    let status = STATUS
        .into_iter()
        .map(|(icon, text)| {
            let icon = icon.map(|name| view! { <Icon name=name size=14/> });
            view! { <span>{icon}{text}</span> }
        })
        .collect_view();

    view! {
        <div
            class="editor"
            role="img"
            aria-label="The Dev Forge editor with a TypeScript file open. A local model suggests one line, the assistant beside the code says why, and the tests run in the terminal below."
        >
            <div aria-hidden="true">
                <div class="ed-bar">
                    <span class="ed-title"><i></i><i></i><i></i>"verify.ts, billing-worker"</span>
                    <span class="ed-find">
                        <Icon name="search" size=14/>"Go to file or command"<span class="kbd">"Ctrl P"</span>
                    </span>
                    {people()}
                </div>
                <div class="ed-body">{rail()}{side()}{file_and_tests()}{chat()}</div>
                <div class="ed-status">{status}</div>
            </div>
        </div>
    }
    .into_any()
}

fn rail() -> AnyView {
    let icons = RAIL.into_iter().map(|name| view! { <span><Icon name=name size=20/></span> }).collect_view();

    view! { <span class="ed-rail">{icons}</span> }.into_any()
}

fn side() -> AnyView {
    let files = FILES
        .into_iter()
        .map(|(class, icon, name, changed)| {
            let changed = changed.then(|| view! { <b>"M"</b> });
            view! { <span class=class><Icon name=icon size=14/>{name}{changed}</span> }
        })
        .collect_view();
    let extensions = EXTENSIONS
        .into_iter()
        .map(|(id, name, version, class, state)| {
            view! {
                <span class="ed-ext">
                    <GrainTile seed=id size=30/>
                    <span><b>{name}</b>{version}</span>
                    <i class=class>{state}</i>
                </span>
            }
        })
        .collect_view();

    view! {
        <span class="ed-side">
            <span class="ed-head"><b>"Files"</b></span>
            {files}
            <span class="ed-exts">
                <span class="ed-head"><b>"Extensions"</b>"3 on"</span>
                {extensions}
            </span>
        </span>
    }
    .into_any()
}

fn file_and_tests() -> AnyView {
    let lines = CODE
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let html = highlight(line);
            if index == SUGGESTED {
                suggestion(html)
            } else {
                view! { <span class="line" inner_html=html></span> }.into_any()
            }
        })
        .collect_view();
    let tests = TESTS
        .into_iter()
        .map(|(state, name)| view! { <span><span class=state>{state}</span>{name}</span> })
        .collect_view();

    view! {
        <span class="ed-main">
            <span class="ed-tabs">
                <span class="open"><Icon name="file" size=14/>"verify.ts"<i class="dot"></i></span>
                <span><Icon name="file" size=14/>"verify.test.ts"<i class="dot"></i></span>
                <span><Icon name="file" size=14/>"tiers.ts"</span>
            </span>
            <span class="ed-path">"src"<i>"/"</i>"license"<i>"/"</i>"verify.ts"<i>"/"</i>"readLicense"</span>
            <span class="ed-code">{lines}</span>
            <span class="ed-term">
                <span class="ed-panes"><b>"Terminal"</b><i>"Problems"</i><i>"Output"</i></span>
                <span>"$ npm test -- license"</span>
                {tests}
            </span>
        </span>
    }
    .into_any()
}

fn suggestion(line: String) -> AnyView {
    let line = line + r#"<i class="caret"></i>"#;

    view! {
        <span class="ed-hint">
            <Icon name="assist" size=14/>
            "One line from Assistant"
            <span class="kbd">"Tab"</span><i>"apply"</i><span class="kbd">"Esc"</span><i>"discard"</i>
        </span>
        <span class="line added" inner_html=line></span>
    }
    .into_any()
}

fn chat() -> AnyView {
    let before = highlight(CODE[SUGGESTED - 1].trim_start());
    let added = highlight(CODE[SUGGESTED].trim_start());

    view! {
        <span class="ed-chat">
            <span class="ed-tabs">
                <Icon name="assist" size=16/>
                "Assistant"
                <span class="ed-model"><i class="dot"></i>"Local model"<Icon name="down" size=14/></span>
            </span>
            <span class="ed-talk">
                <span class="ed-ask">"Two laptops fall back to the free tier after waking up. Why?"</span>
                <span>
                    "Their clocks run behind, so "<code>"jwtVerify"</code>
                    " sees a token from the future and refuses it. A small tolerance is enough:"
                </span>
                <span class="ed-diff">
                    <span><Icon name="file" size=14/>"verify.ts"<i class="pass">"+1"</i></span>
                    <span class="ed-code">
                        <span class="line" inner_html=before></span>
                        <span class="line added" inner_html=added></span>
                    </span>
                </span>
                <span class="ed-do">
                    <span class="button primary small">"Apply edit"</span>
                    <span class="button secondary small">"Discard"</span>
                </span>
                <span class="ed-read">"Read:"<u>"verify.ts 12–15"</u><u>"verify.test.ts 31"</u></span>
            </span>
            <span class="ed-box">
                <span>"Ask about this file"</span>
                <span class="ed-chip"><Icon name="file" size=14/>"verify.ts"</span>
                <span class="ed-chip send"><Icon name="send" size=16/></span>
            </span>
            <span class="ed-note"><Icon name="lock" size=14/>"Runs on this machine. Nothing is sent."</span>
        </span>
    }
    .into_any()
}

/// A line of [`CODE`] as markup, with the classes that highlighted code has everywhere.
fn highlight(line: &str) -> String {
    let mut html = String::new();
    for (index, part) in line.split('`').enumerate() {
        match part.split_at_checked(1) {
            Some((kind, text)) if index % 2 == 1 => {
                html.push_str(r#"<span class="tk-"#);
                html.push_str(class_of(kind));
                html.push_str(r#"">"#);
                html.push_str(&text.replace('<', "&lt;"));
                html.push_str("</span>");
            }
            _ => html.push_str(part),
        }
    }
    html
}

fn class_of(kind: &str) -> &'static str {
    match kind {
        "k" => "keyword",
        "s" => "string",
        "n" => "number",
        "f" => "function",
        "t" => "type",
        "p" => "property",
        "c" => "comment",
        _ => "punctuation",
    }
}

#[cfg(test)]
mod tests {
    use super::{CARET, CODE, SUGGESTED, highlight};

    /// The line as one would type it.
    fn plain(line: &str) -> String {
        let tokens = line.split('`').enumerate();
        tokens.map(|(index, part)| if index % 2 == 1 { &part[1..] } else { part }).collect()
    }

    #[test]
    fn a_token_is_coloured_and_escaped_and_the_rest_stays_as_it_is() {
        assert_eq!(
            highlight("  `tPromise``u<`x"),
            r#"  <span class="tk-type">Promise</span><span class="tk-punctuation">&lt;</span>x"#
        );
        assert_eq!(highlight(""), "");
    }

    #[test]
    fn every_token_of_the_code_is_closed_and_has_a_kind() {
        for line in CODE {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
            for token in line.split('`').skip(1).step_by(2) {
                assert!(token.len() > 1 && "ksnftpcu".contains(&token[..1]), "{line}");
            }
        }
    }

    #[test]
    fn the_status_bar_says_where_the_caret_stands() {
        let column = plain(CODE[SUGGESTED]).len() + 1;
        assert_eq!(CARET, format!("Ln {}, Col {column}", SUGGESTED + 1));
    }
}
