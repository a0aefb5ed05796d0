//! What a text holds, read from its events: headings with their anchors, the words under each, where it points.

use std::{borrow::Cow, collections::HashMap};

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::{Heading, Section, blocks};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::content) struct Outline {
    pub headings: Vec<Heading>,
    pub sections: Vec<Section>,
    pub links: Vec<String>,
}

/// Ids that the frame of a page has already.
const TAKEN: [&str; 6] = ["main", "on-this-page", "helpful", "helped", "search-query", "docs-search"];

pub(super) fn read(events: &[Event<'_>]) -> Outline {
    let headings = headings(events);
    Outline { sections: sections(events, &headings), links: links(events), headings }
}

fn headings(events: &[Event<'_>]) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    let mut taken: HashMap<String, usize> = TAKEN.iter().map(|id| ((*id).to_owned(), 1)).collect();
    let mut open: Option<(u8, String)> = None;
    for event in events {
        match event {
            Event::Start(Tag::Heading { level, .. }) => open = Some((*level as u8, String::new())),
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, text)) = open.take() {
                    let id = unique(&anchor(&text), "-", &mut taken);
                    headings.push(Heading { level, id, text: text.trim().to_owned() });
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, heading)) = &mut open {
                    heading.push_str(text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, heading)) = &mut open {
                    heading.push(' ');
                }
            }
            _ => {}
        }
    }
    headings
}

fn sections(events: &[Event<'_>], headings: &[Heading]) -> Vec<Section> {
    let mut current = Section::default();
    let mut sections = Vec::new();
    let mut next_heading = headings.iter();
    let (mut in_heading, mut in_block) = (false, false);
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                in_heading = true;
                let next = Section { heading: next_heading.next().cloned(), ..Section::default() };
                sections.push(std::mem::replace(&mut current, next));
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::CodeBlock(_)) => in_block = true,
            Event::End(TagEnd::CodeBlock) => {
                in_block = false;
                end_line(&mut current.code);
            }
            Event::Text(text) if in_block => current.code.push_str(text),
            Event::Text(text) if !in_heading => current.text.push_str(&words(text)),
            Event::Code(text) => {
                if !in_heading {
                    current.text.push_str(text);
                }
                current.code.push_str(text);
                end_line(&mut current.code);
            }
            Event::SoftBreak | Event::HardBreak => space(&mut current.text),
            // The end of emphasis stands inside a word.
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link) => {}
            Event::End(_) => space(&mut current.text),
            _ => {}
        }
    }
    sections.push(current);
    for section in &mut sections {
        section.text.truncate(section.text.trim_end().len());
    }
    sections
        .retain(|section| section.heading.is_some() || !section.text.is_empty() || !section.code.is_empty());
    sections
}

fn links(events: &[Event<'_>]) -> Vec<String> {
    let targets = events.iter().filter_map(|event| match event {
        Event::Start(Tag::Link { link_type: LinkType::Email, .. }) => None,
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    });
    targets.collect()
}

/// Text without the marks of tabs, notices and keys.
fn words(text: &str) -> Cow<'_, str> {
    let text = match text.trim() {
        ":::tabs" | ":::" => "",
        tab if tab.starts_with("::tab ") => &tab["::tab ".len()..],
        _ => blocks::notice(text).map_or(text, |(_, title)| title),
    };
    if text.contains("[[") {
        Cow::Owned(text.replace("[[", "").replace("]]", "").replace('|', " "))
    } else {
        Cow::Borrowed(text)
    }
}

fn space(text: &mut String) {
    if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

fn end_line(code: &mut String) {
    if !code.is_empty() && !code.ends_with('\n') {
        code.push('\n');
    }
}

/// `What we keep, and why` → `what-we-keep-and-why`.
fn anchor(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            id.extend(c.to_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') && !matches!(c, '\'' | '’') {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() { "section".to_owned() } else { id.to_owned() }
}

/// The first that is free of `id`, `id-2`, `id-3`… (with `-` as the joint). Where each id went on last is kept, so that a
/// text of nothing but equal headings takes no longer than another.
pub(super) fn unique(id: &str, joint: &str, taken: &mut HashMap<String, usize>) -> String {
    let mut number = taken.get(id).copied().unwrap_or(0);
    loop {
        number += 1;
        let free = if number == 1 { id.to_owned() } else { format!("{id}{joint}{number}") };
        if free == id || !taken.contains_key(&free) {
            taken.insert(id.to_owned(), number);
            taken.entry(free.clone()).or_insert(1);
            return free;
        }
    }
}
