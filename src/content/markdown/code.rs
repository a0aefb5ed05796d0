//! A block of code: its bar with a name and a copy button, its lines, the marked ones, and those that come and go.

use std::ops::RangeInclusive;

use super::{Author, escape, icon};
use crate::content::highlight;

/// What stands behind the three backticks: `ts title="src/a.ts" {2,4-5}`.
#[derive(Debug, PartialEq, Eq)]
struct Info<'a> {
    language: &'a str,
    /// Lines begin with `+`, `-` or a space.
    diff: bool,
    title: Option<&'a str>,
    marked: Vec<RangeInclusive<usize>>,
}

impl<'a> Info<'a> {
    fn parse(info: &'a str) -> Self {
        let (before, title, after) = match info.split_once("title=\"") {
            Some((before, rest)) => match rest.split_once('"') {
                Some((title, after)) => (before, Some(title), after),
                None => (before, None, ""),
            },
            None => (info, None, ""),
        };
        let first =
            before.split_whitespace().next().filter(|word| !word.starts_with('{')).unwrap_or_default();
        let (language, diff) = match first.split_once('-') {
            Some(("diff", language)) => (language, true),
            _ => (first, matches!(first, "diff" | "patch")),
        };
        let braces = [before, after].into_iter().find_map(|part| part.split_once('{')?.1.split_once('}'));
        let marked =
            braces.map(|(lines, _)| lines.split(',').filter_map(range).collect()).unwrap_or_default();
        Self { language, diff, title: title.filter(|title| !title.trim().is_empty()), marked }
    }
}

fn range(text: &str) -> Option<RangeInclusive<usize>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
}

pub(super) fn block(info: &str, code: &str, author: Author) -> String {
    let info = Info::parse(info);
    let name = escape(info.title.unwrap_or_else(|| highlight::label(info.language)));
    let body = if info.diff { changes(&info, code) } else { plain(&info, code) };
    format!(
        "<figure class=\"code-block\"><figcaption class=\"code-bar\"><span>{name}</span>\
         <button class=\"button ghost small\" type=\"button\" data-copy=\"\" hidden>{}Copy</button></figcaption>\
         <pre tabindex=\"0\" role=\"group\" aria-label=\"{name}\"><code>{body}</code></pre></figure>\n",
        icon("copy", 16, author),
    )
}

fn plain(info: &Info<'_>, code: &str) -> String {
    let lines = highlight::lines(code, info.language).into_iter().map(|line| (line, None));
    joined(info, lines)
}

fn changes(info: &Info<'_>, code: &str) -> String {
    let lines: Vec<(&str, &str, Option<&str>)> = code.lines().map(change).collect();
    let bare: String = lines.iter().map(|(_, rest, _)| format!("{rest}\n")).collect();
    let language = if matches!(info.language, "diff" | "patch") { "" } else { info.language };
    let shown = highlight::lines(&bare, language);
    let lines = lines.iter().zip(shown).map(|((sign, _, class), line)| (format!("{sign}{line}"), *class));
    joined(info, lines)
}

/// The sign, what follows it, and whether it came or went.
fn change(line: &str) -> (&str, &str, Option<&'static str>) {
    match line.chars().next() {
        Some('+') if !line.starts_with("+++ ") => ("+", &line[1..], Some("added")),
        Some('-') if !line.starts_with("--- ") => ("-", &line[1..], Some("removed")),
        Some(' ') => (" ", &line[1..], None),
        _ => ("", line, None),
    }
}

/// Only a line that looks different has an element of its own. The line's end stands in it, so that what is copied
/// is what was written.
fn joined(info: &Info<'_>, lines: impl Iterator<Item = (String, Option<&'static str>)>) -> String {
    let mut html = String::new();
    for (at, (line, class)) in lines.enumerate() {
        let marked = info.marked.iter().any(|range| range.contains(&(at + 1)));
        match (class, marked) {
            (Some(class), _) => html.push_str(&format!("<span class=\"line {class}\">{line}\n</span>")),
            (None, true) => html.push_str(&format!("<span class=\"line marked\">{line}\n</span>")),
            (None, false) => {
                html.push_str(&line);
                html.push('\n');
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_string_is_taken_apart() {
        let info = Info::parse("ts title=\"src/a b.ts\" {2,4-5}");
        assert_eq!((info.language, info.diff, info.title), ("ts", false, Some("src/a b.ts")));
        assert_eq!(info.marked, [2..=2, 4..=5]);
        assert_eq!(Info::parse("diff-rust").language, "rust");
        assert!(Info::parse("diff-rust").diff && Info::parse("diff").diff);
        assert_eq!(Info::parse("{1}").marked, [1..=1]);
        assert_eq!(Info::parse("{1}").language, "");
        for odd in ["", "{", "{x-}", "title=\"", "title=\"\" {9999999999999999999999}", "-", "diff-"] {
            let info = Info::parse(odd);
            assert!(info.title.is_none() && info.marked.is_empty(), "{odd}");
        }
    }

    #[test]
    fn lines_come_and_go() {
        let html = block("diff", "-old\n+new\n same\n", Author::Ourselves);
        assert!(html.contains(
            "<code><span class=\"line removed\">-old\n</span><span class=\"line added\">+new\n</span> same\n</code>"
        ));
        let html = block("diff-ts", "+const a\n", Author::Ourselves);
        assert!(
            html.contains("<span class=\"line added\">+<span class=\"tk-keyword\">const</span>"),
            "{html}"
        );
    }

    #[test]
    fn lines_are_marked_and_blocks_named() {
        let html = block("text title=\"a<b\" {2}", "one\ntwo\nthree\n", Author::Ourselves);
        assert!(html.contains("<code>one\n<span class=\"line marked\">two\n</span>three\n</code>"), "{html}");
        assert!(html.contains("<span>a&lt;b</span>"));
        assert!(html.contains("<pre tabindex=\"0\" role=\"group\" aria-label=\"a&lt;b\">"));
        assert!(html.contains("data-copy=\"\" hidden>"));
    }
}
