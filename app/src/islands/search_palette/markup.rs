//! The palette's parts as HTML. Whatever comes in as text is escaped here; what is HTML already says so in its name.

use devforge::contract::search::SearchKind;

use super::rows::{Group, Row, State, escape};

/// What a press does, as the pressed thing says in `data-act`.
pub const OPEN: &str = "open";
pub const AGAIN: &str = "again";
pub const NARROW: &str = "narrow";
pub const FORGET: &str = "forget";

/// The rows to come, in bars. The style sheet shows them only when waiting takes longer than a blink.
const SKELETON: &str = "<div aria-hidden=true><span class=\"skeleton title\"></span><span class=\"skeleton long\"></span>\
    <span class=\"skeleton title\"></span><span class=\"skeleton long\"></span></div>";

pub fn kinds(chosen: Option<SearchKind>) -> String {
    let all = std::iter::once(None).chain(SearchKind::ALL.map(Some));
    let mut html = String::new();
    for kind in all {
        let (name, label) = kind.map_or(("", "All"), |kind| (kind.as_str(), kind.label()));
        let pressed = if kind == chosen { "true" } else { "false" };
        html.push_str(&joined(&[
            "<button type=button data-act=\"narrow ",
            name,
            "\" aria-pressed=",
            pressed,
            ">",
            label,
            "</button>",
        ]));
    }
    html
}

/// What stands beside the words of the answer: a way to try again or to clear, or that something is on its way.
pub fn beside(state: &State) -> String {
    if state.waits() {
        return SKELETON.to_owned();
    }
    if state.failed() {
        return offer("retry", "Try again");
    }
    if state.question.text.is_empty() && !state.recent.is_empty() {
        return offer(FORGET, "Clear recent searches");
    }
    String::new()
}

fn offer(act: &str, label: &str) -> String {
    joined(&["<button class=\"button ghost small\" type=button data-act=", act, ">", label, "</button>"])
}

pub fn rows(groups: &[Group], icons: &str) -> String {
    let mut html = String::new();
    let mut at = 0;
    for group in groups {
        html.push_str(&joined(&[
            "<div role=group aria-label=\"",
            group.label,
            "\"><p class=palette-group aria-hidden=true>",
            group.label,
            "</p>",
        ]));
        for row in &group.rows {
            html.push_str(&one(row, at, icons));
            at += 1;
        }
        html.push_str("</div>");
    }
    html
}

fn one(row: &Row, at: usize, icons: &str) -> String {
    let number = at.to_string();
    let act = match row.again {
        Some(_) => joined(&["\" data-act=\"", AGAIN, " ", &number]),
        None => joined(&["\" data-close=\"\" data-act=\"", OPEN]),
    };
    joined(&[
        "<a id=palette-row-",
        &number,
        " role=option tabindex=-1 aria-selected=",
        if at == 0 { "true" } else { "false" },
        " data-row=",
        &number,
        " href=\"",
        &escape(&row.href),
        &act,
        "\"><svg class=icon width=18 height=18 viewBox=\"0 0 20 20\" aria-hidden=true><use href=\"",
        icons,
        "#",
        row.icon,
        "\"/></svg><span class=palette-title>",
        &row.title_html,
        "</span><span class=meta>",
        &escape(&row.trail),
        "</span><kbd class=kbd aria-hidden=true>Enter</kbd><span class=palette-excerpt>",
        &row.excerpt_html,
        "</span></a>",
    ])
}

pub fn row_id(at: usize) -> String {
    joined(&["palette-row-", &at.to_string()])
}

/// Smaller in the browser than `format!`.
fn joined(parts: &[&str]) -> String {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(href: &str, again: Option<&str>) -> Row {
        Row {
            icon: "book",
            href: href.to_owned(),
            title_html: "A <mark>title</mark>".to_owned(),
            trail: "Licenses / <Activate>".to_owned(),
            excerpt_html: String::new(),
            again: again.map(str::to_owned),
        }
    }

    #[test]
    fn texts_are_escaped_and_the_first_row_is_chosen() {
        let group = Group { label: "Docs", rows: vec![row("/a?b=1&c=\"2", None), row("/d", Some("x"))] };
        let html = rows(&[group], "/assets/icons.svg");
        assert!(html.contains("href=\"/a?b=1&amp;c=&quot;2\" data-close=\"\" data-act=\"open\""), "{html}");
        assert!(html.contains("Licenses / &lt;Activate&gt;"), "{html}");
        assert!(html.contains("A <mark>title</mark>"), "{html}");
        assert!(html.contains("data-act=\"again 1\""), "{html}");
        assert_eq!(html.matches("aria-selected=true").count(), 1);
        assert!(html.find("aria-selected=true") < html.find("aria-selected=false"));
    }

    #[test]
    fn one_kind_is_pressed() {
        assert_eq!(kinds(None).matches("aria-pressed=true>All").count(), 1);
        assert_eq!(kinds(Some(SearchKind::Api)).matches("=true").count(), 1);
    }
}
