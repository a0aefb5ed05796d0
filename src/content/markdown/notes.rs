//! Footnotes: numbered in the order in which the text names them, and gathered at its end.

use std::collections::BTreeMap;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::html_event;

pub(super) fn at_the_end(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    if !events.iter().any(|event| matches!(event, Event::Start(Tag::FootnoteDefinition(_)))) {
        return events.into_iter().map(as_text).collect();
    }
    let (text, mut notes) = taken_out(events);
    let mut numbers = Numbers { order: Vec::new() };
    let mut out: Vec<Event<'_>> =
        text.into_iter().map(|event| referred(event, &notes, &mut numbers)).collect();
    out.push(html_event("<section class=\"footnotes\" aria-label=\"Footnotes\"><ol>"));
    let mut at = 0;
    // A note may name another one, which then comes after it.
    while let Some(label) = numbers.order.get(at).cloned() {
        at += 1;
        let note = notes.insert(label, Vec::new()).unwrap_or_default();
        out.push(html_event(format!("<li id=\"fn-{at}\">")));
        out.extend(note.into_iter().map(|event| referred(event, &notes, &mut numbers)));
        out.push(html_event(format!(
            "<a href=\"#fnref-{at}\" aria-label=\"Back to note {at} in the text\">↩</a></li>"
        )));
    }
    out.push(html_event("</ol></section>\n"));
    // Notes that nothing names are not shown, and without any there is no list.
    if at == 0 {
        out.truncate(out.len() - 2);
    }
    out
}

type Notes<'a> = BTreeMap<String, Vec<Event<'a>>>;

struct Numbers {
    order: Vec<String>,
}

fn taken_out(events: Vec<Event<'_>>) -> (Vec<Event<'_>>, Notes<'_>) {
    let mut text = Vec::with_capacity(events.len());
    let mut notes = Notes::new();
    let mut open: Vec<String> = Vec::new();
    for event in events {
        match event {
            Event::Start(Tag::FootnoteDefinition(label)) => {
                notes.insert(label.to_string(), Vec::new());
                open.push(label.to_string());
            }
            Event::End(TagEnd::FootnoteDefinition) => {
                open.pop();
            }
            other => match open.last().and_then(|label| notes.get_mut(label)) {
                Some(note) => note.push(other),
                None => text.push(other),
            },
        }
    }
    (text, notes)
}

fn referred<'a>(event: Event<'a>, notes: &Notes<'_>, numbers: &mut Numbers) -> Event<'a> {
    match event {
        Event::FootnoteReference(label) if notes.contains_key(&*label) => {
            let known = numbers.order.iter().position(|name| *name == *label);
            // Only the first reference can be come back to.
            let id = match known {
                Some(_) => String::new(),
                None => {
                    numbers.order.push(label.to_string());
                    format!(" id=\"fnref-{}\"", numbers.order.len())
                }
            };
            let number = known.map_or(numbers.order.len(), |at| at + 1);
            Event::InlineHtml(CowStr::from(format!(
                "<sup class=\"note-ref\"><a href=\"#fn-{number}\"{id} aria-label=\"Note {number}\">{number}</a></sup>"
            )))
        }
        other => as_text(other),
    }
}

/// A reference to a note that is not there is what was typed.
fn as_text(event: Event<'_>) -> Event<'_> {
    match event {
        Event::FootnoteReference(label) => Event::Text(CowStr::from(format!("[^{label}]"))),
        other => other,
    }
}
