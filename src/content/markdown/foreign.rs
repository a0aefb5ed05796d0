//! What is left of the HTML that came of somebody else's Markdown.
//!
//! What always holds: only what this module names survives. HTML that people typed was made text before; this is the
//! second lock on the same door.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};

use super::{
    icon_html,
    tags::{self, Piece},
};

const TAGS: [&str; 37] = [
    "a",
    "blockquote",
    "br",
    "button",
    "code",
    "del",
    "div",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "span",
    "strong",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "b",
    "sub",
    "small",
];

const ATTRIBUTES: [(&str, &[&str]); 13] = [
    ("a", &["href", "id", "aria-label"]),
    ("button", &["type", "data-copy", "hidden"]),
    ("div", &["tabindex", "role", "aria-label"]),
    ("h2", &["id"]),
    ("h3", &["id"]),
    ("h4", &["id"]),
    ("h5", &["id"]),
    ("h6", &["id"]),
    ("img", &["src", "alt", "width", "height", "loading"]),
    ("li", &["id"]),
    ("ol", &["start"]),
    ("pre", &["tabindex", "role", "aria-label"]),
    ("section", &["aria-label"]),
];

const CLASSES: [(&str, &[&str]); 13] = [
    ("a", &["anchor"]),
    ("button", &["button", "ghost", "small"]),
    ("div", &["notice", "info", "ok", "warn", "bad", "table-wrap", "tab-set", "tab-part"]),
    ("figcaption", &["code-bar"]),
    ("figure", &["code-block"]),
    ("i", &["icon-info", "icon-ok", "icon-warn", "icon-bad", "icon-copy", "icon-link"]),
    ("kbd", &["kbd"]),
    ("p", &["notice-title", "tab-name"]),
    ("section", &["footnotes"]),
    (
        "span",
        &[
            "visually-hidden",
            "line",
            "marked",
            "added",
            "removed",
            "tk-comment",
            "tk-keyword",
            "tk-string",
            "tk-number",
            "tk-function",
            "tk-type",
            "tk-property",
            "tk-attribute",
            "tk-punctuation",
        ],
    ),
    ("sup", &["note-ref"]),
    ("table", &["table"]),
    ("td", &["num"]),
];

const REL: &str = " rel=\"nofollow noopener\"";

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<&'static str>>();
    let map = |pairs: &[(&'static str, &[&'static str])]| {
        pairs.iter().map(|(tag, names)| (*tag, set(names))).collect::<HashMap<_, _>>()
    };
    let mut attributes = map(&ATTRIBUTES);
    attributes.insert("th", set(&["scope"]));
    let mut classes = map(&CLASSES);
    classes.insert("th", set(&["num"]));
    let mut cleaner = Builder::empty();
    cleaner
        .tags(set(&TAGS))
        .clean_content_tags(set(&["script", "style"]))
        .tag_attributes(attributes)
        .allowed_classes(classes)
        .generic_attributes(HashSet::new())
        .url_schemes(set(&["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("nofollow noopener"))
        .strip_comments(true)
        .attribute_filter(|tag, attribute, value| match (tag, attribute) {
            ("img", "src") if !value.starts_with("/assets/") => None,
            _ => Some(Cow::Borrowed(value)),
        });
    cleaner
});

pub(super) fn clean(html: &str) -> String {
    icons(&links_of_ours(&CLEANER.clean(html).to_string()))
}

/// Links inside the site need no `rel`.
fn links_of_ours(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for piece in tags::pieces(html) {
        match piece {
            Piece::Tag(tag) if tags::name(tag) == "a" && leads_inside(tag) => {
                out.push_str(&tag.replacen(REL, "", 1));
            }
            Piece::Tag(text) | Piece::Words(text) => out.push_str(text),
        }
    }
    out
}

fn leads_inside(tag: &str) -> bool {
    tags::attribute(tag, "href").is_some_and(|address| address.starts_with('#') || is_path(address))
}

/// `/docs/…`, and not `//example.com`.
fn is_path(address: &str) -> bool {
    address.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']))
}

fn icons(html: &str) -> String {
    let mut out = html.to_owned();
    for (name, size) in [("info", 18), ("ok", 18), ("warn", 18), ("bad", 18), ("copy", 16), ("link", 16)] {
        let mark = format!("<i class=\"icon-{name}\"></i>");
        if out.contains(&mark) {
            out = out.replace(&mark, &icon_html(name, size));
        }
    }
    out
}
