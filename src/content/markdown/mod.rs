//! Markdown to HTML. Our own pages and what people write go the same way; the latter is cleaned at its end.
//!
//! What always holds: HTML in Markdown that people write is text, not HTML. Nothing is nested deeper than
//! [`DEEPEST`]. No answer has an inline style or script.

mod blocks;
mod code;
mod elsewhere;
mod foreign;
mod notes;
mod outline;
pub(super) mod picture;
mod tabs;
mod tags;

use std::{borrow::Cow, sync::OnceLock};

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream, html};

use super::{Heading, Section};

use outline::Outline;

pub use elsewhere::plain;

/// Quotes in lists in quotes: what lies deeper keeps its words and loses its frame.
const DEEPEST: usize = 24;

pub struct Rendered {
    pub html: String,
    pub headings: Vec<Heading>,
    pub sections: Vec<Section>,
}

/// Who wrote it decides how far it is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    Ourselves,
    Somebody,
}

static ASSET_ADDRESS: OnceLock<fn(&str) -> String> = OnceLock::new();

/// Told once, at start: how a file of `public/` is addressed. A second call changes nothing.
pub fn set_asset_address(address: fn(&str) -> String) {
    let _ = ASSET_ADDRESS.set(address);
}

fn asset(name: &str) -> String {
    ASSET_ADDRESS.get().map_or_else(|| format!("/assets/{name}"), |address| address(name))
}

/// For words of our own: HTML in them is HTML.
pub fn render(markdown: &str) -> Rendered {
    rendered(markdown, Author::Ourselves)
}

/// For words of somebody else's, staff included: HTML in them is text, pictures are ours or none, and no link to
/// another site passes on what ours is worth.
pub fn render_foreign(markdown: &str) -> Rendered {
    let rendered = rendered(markdown, Author::Somebody);
    Rendered { html: foreign::clean(&rendered.html), ..rendered }
}

/// Only the HTML, for pages whose outline is known.
pub(super) fn html(markdown: &str) -> String {
    render(markdown).html
}

/// What a page holds, without making its HTML. A heading of level 1 is a mistake: that one is the page's title.
pub(super) fn outline(markdown: &str) -> Result<Outline, String> {
    let text = tabs::apart(markdown);
    let raw = parse(&text);
    let top = Event::Start(Tag::Heading {
        level: HeadingLevel::H1,
        id: None,
        classes: Vec::new(),
        attrs: Vec::new(),
    });
    if raw.contains(&top) {
        return Err("has a heading of level 1, which is the title of the page: begin with ##".to_owned());
    }
    tabs::check(markdown)?;
    Ok(outline::read(&bounded(raw, Author::Ourselves)))
}

/// What in a text has names that can stand on a page only once, for texts that are shown below each other.
pub(super) fn named_parts(markdown: &str) -> Option<&'static str> {
    if tabs::are_in(markdown) {
        return Some("tabs");
    }
    parse(markdown).iter().find_map(|event| match event {
        Event::Start(Tag::Heading { .. }) => Some("a heading"),
        Event::Start(Tag::FootnoteDefinition(_)) => Some("a footnote"),
        Event::Html(html) | Event::InlineHtml(html) if html.contains(" id=") => Some("an id"),
        _ => None,
    })
}

/// The words of somebody else's text by section, for the search: without making its HTML.
pub fn sections_of_foreign(markdown: &str) -> Vec<Section> {
    outline::read(&bounded(parse(&tabs::apart(markdown)), Author::Somebody)).sections
}

fn rendered(markdown: &str, author: Author) -> Rendered {
    let text: Cow<'_, str> = tabs::apart(markdown);
    let events = bounded(parse(&text), author);
    let outline = outline::read(&events);
    let shown = blocks::write(notes::at_the_end(events), &outline.headings, author);
    let mut html = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut html, shown.into_iter());
    Rendered { html, headings: outline.headings, sections: outline.sections }
}

fn parse(text: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    TextMergeStream::new(Parser::new_ext(text, options)).collect()
}

/// Nothing too deep, no second title of the page, and no HTML of somebody else's.
fn bounded(events: Vec<Event<'_>>, author: Author) -> Vec<Event<'_>> {
    let mut depth = 0;
    let mut kept = Vec::with_capacity(events.len());
    for event in events {
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth <= DEEPEST {
                    kept.push(start(tag, author));
                }
            }
            Event::End(tag) => {
                if depth <= DEEPEST {
                    kept.push(end(tag, author));
                }
                depth -= 1;
            }
            Event::Html(text) | Event::InlineHtml(text) if author == Author::Somebody => {
                if !text.trim_start().starts_with("<!--") {
                    kept.push(Event::Text(text));
                }
            }
            other => kept.push(other),
        }
    }
    TextMergeStream::new(kept.into_iter()).collect()
}

fn start(tag: Tag<'_>, author: Author) -> Event<'_> {
    match tag {
        Tag::HtmlBlock if author == Author::Somebody => Event::Start(Tag::Paragraph),
        Tag::Heading { level, .. } => Event::Start(Tag::Heading {
            level: below_the_title(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        tag => Event::Start(tag),
    }
}

fn end(tag: TagEnd, author: Author) -> Event<'static> {
    match tag {
        TagEnd::HtmlBlock if author == Author::Somebody => Event::End(TagEnd::Paragraph),
        TagEnd::Heading(level) => Event::End(TagEnd::Heading(below_the_title(level))),
        tag => Event::End(tag),
    }
}

fn below_the_title(level: HeadingLevel) -> HeadingLevel {
    if level == HeadingLevel::H1 { HeadingLevel::H2 } else { level }
}

/// Text for HTML, between tags or inside a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An icon of the sprite. In what people write it is a mark that [`foreign::clean`] turns into one.
fn icon(name: &str, size: u32, author: Author) -> String {
    match author {
        Author::Ourselves => icon_html(name, size),
        Author::Somebody => format!("<i class=\"icon-{name}\"></i>"),
    }
}

fn icon_html(name: &str, size: u32) -> String {
    format!(
        "<svg class=\"icon\" width=\"{size}\" height=\"{size}\" viewBox=\"0 0 20 20\" aria-hidden=\"true\">\
         <use href=\"{}#{name}\"></use></svg>",
        asset("icons.svg"),
    )
}

fn html_event<'a>(html: impl Into<String>) -> Event<'a> {
    Event::Html(CowStr::from(html.into()))
}

#[cfg(test)]
mod tests;
