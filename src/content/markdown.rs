//! Markdown to HTML, for pages of our own: headings get anchors, tables get a wrapper that scrolls.
//! Nothing a stranger wrote comes through here.

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::Section;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    pub level: u8,
    pub id: String,
    pub text: String,
}

pub struct Rendered {
    pub html: String,
    pub headings: Vec<Heading>,
    pub sections: Vec<Section>,
}

pub fn render(markdown: &str) -> Rendered {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, options).collect();
    let headings = collect_headings(&events);
    let sections = collect_sections(&events, &headings);
    let mut next_heading = headings.iter();
    let with_anchors = events.into_iter().map(|event| match event {
        Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
            let id = next_heading.next().map(|heading| CowStr::from(heading.id.clone()));
            Event::Start(Tag::Heading { level, id, classes, attrs })
        }
        Event::Start(Tag::Table(alignment)) => Event::Start(Tag::Table(alignment)),
        other => other,
    });
    let mut rendered = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut rendered, with_anchors);
    Rendered { html: wrap_tables(&rendered), headings, sections }
}

/// A wide table scrolls in a region of its own, which keyboards can reach and screen readers can name.
fn wrap_tables(html: &str) -> String {
    let mut parts = html.split("<table>");
    let mut wrapped = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        wrapped.push_str(&format!(
            "<div class=\"table-wrap\" tabindex=\"0\" role=\"region\" aria-label=\"Table {}\"><table class=\"table\">",
            index + 1,
        ));
        wrapped.push_str(part);
    }
    wrapped.replace("</table>", "</table></div>").replace("<th>", "<th scope=\"col\">")
}

fn collect_headings(events: &[Event<'_>]) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    let mut taken = BTreeSet::new();
    let mut open: Option<(u8, String)> = None;
    for event in events {
        match event {
            Event::Start(Tag::Heading { level, .. }) => open = Some((*level as u8, String::new())),
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, text)) = open.take() {
                    let id = unique(&anchor(&text), &mut taken);
                    headings.push(Heading { level, id, text });
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, heading)) = &mut open {
                    heading.push_str(text);
                }
            }
            _ => {}
        }
    }
    headings
}

fn collect_sections(events: &[Event<'_>], headings: &[Heading]) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut next_heading = headings.iter();
    let mut in_heading = false;
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                in_heading = true;
                sections.push(Section { heading: next_heading.next().cloned(), text: String::new() });
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(text) | Event::Code(text) if !in_heading => {
                if let Some(section) = sections.last_mut() {
                    section.text.push_str(text);
                }
            }
            Event::SoftBreak | Event::HardBreak | Event::End(_) => {
                if let Some(section) = sections.last_mut()
                    && !section.text.ends_with(' ')
                {
                    section.text.push(' ');
                }
            }
            _ => {}
        }
    }
    sections.retain(|section| section.heading.is_some() || !section.text.trim().is_empty());
    sections
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

fn unique(id: &str, taken: &mut BTreeSet<String>) -> String {
    let free = std::iter::once(id.to_owned())
        .chain((2..).map(|n| format!("{id}-{n}")))
        .find(|candidate| !taken.contains(candidate))
        .unwrap_or_else(|| id.to_owned());
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_anchors_of_their_own() {
        let rendered = render("Intro.\n\n## What we `keep`\n\nThis.\n\n## What we keep\n\nThat.\n");
        let ids: Vec<&str> = rendered.headings.iter().map(|heading| heading.id.as_str()).collect();
        assert_eq!(ids, ["what-we-keep", "what-we-keep-2"]);
        assert!(rendered.html.contains("<h2 id=\"what-we-keep-2\">"));
        assert_eq!(rendered.sections.len(), 3);
        assert_eq!(rendered.sections[2].text.trim(), "That.");
    }

    #[test]
    fn tables_can_be_scrolled() {
        let rendered = render("| A | B |\n|---|---|\n| 1 | 2 |\n");
        assert!(rendered.html.contains("class=\"table-wrap\" tabindex=\"0\""));
        assert!(rendered.html.contains("<th scope=\"col\">A</th>"));
    }
}
