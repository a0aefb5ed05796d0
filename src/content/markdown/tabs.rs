//! Tabs: `:::tabs`, then `::tab Name` before each part, then `:::`. Radio buttons choose, so no script is needed.

use std::borrow::Cow;

use pulldown_cmark::{Event, TagEnd};

use super::{Author, escape, html_event};

/// The style sheet knows so many. More are shown one below the other.
const MOST: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Open,
    Tab(String),
    Close,
}

impl Mark {
    fn parse(line: &str) -> Option<Self> {
        match line.trim_end() {
            ":::tabs" => Some(Self::Open),
            ":::" => Some(Self::Close),
            line => {
                let label = line.strip_prefix("::tab ")?.trim();
                (!label.is_empty()).then(|| Self::Tab(label.to_owned()))
            }
        }
    }

    /// The mark that a paragraph is, whose start was just taken off `rest`.
    pub(super) fn of_paragraph(rest: &[Event<'_>]) -> Option<Self> {
        match rest {
            [Event::Text(text), Event::End(TagEnd::Paragraph), ..] => Self::parse(text),
            _ => None,
        }
    }
}

/// Each mark stands in a paragraph of its own, whatever is around it.
pub(super) fn apart(markdown: &str) -> Cow<'_, str> {
    if !markdown.contains("::tab") {
        return Cow::Borrowed(markdown);
    }
    let mut out = String::with_capacity(markdown.len() + 64);
    for (line, mark) in marks(markdown) {
        match mark {
            Some(_) => {
                out.push('\n');
                out.push_str(line.trim_end());
                out.push_str("\n\n");
            }
            None => out.push_str(line),
        }
    }
    Cow::Owned(out)
}

/// Whether a text has any of the marks.
pub(super) fn are_in(markdown: &str) -> bool {
    marks(markdown).any(|(_, mark)| mark.is_some())
}

/// What is wrong with the marks, in words. Readers see something sensible all the same.
pub(super) fn check(markdown: &str) -> Result<(), String> {
    let mut tabs: Option<usize> = None;
    for (_, mark) in marks(markdown) {
        match mark {
            Some(Mark::Open) if tabs.is_some() => return Err("has :::tabs inside :::tabs".to_owned()),
            Some(Mark::Open) => tabs = Some(0),
            Some(Mark::Tab(label)) => match &mut tabs {
                Some(count) => *count += 1,
                None => return Err(format!("has ::tab {label} outside :::tabs")),
            },
            Some(Mark::Close) => match tabs.take() {
                Some(count) if !(2..=MOST).contains(&count) => {
                    return Err(format!("has {count} tabs: 2 to {MOST} can be shown"));
                }
                _ => {}
            },
            None => {}
        }
    }
    if tabs.is_some() { Err("has :::tabs that never ends (a line of :::)".to_owned()) } else { Ok(()) }
}

/// The lines with their ends, and which of them are marks: none inside a block of code.
fn marks(markdown: &str) -> impl Iterator<Item = (&str, Option<Mark>)> {
    let mut fence: Option<&str> = None;
    markdown.split_inclusive('\n').map(move |line| {
        let trimmed = line.trim();
        match fence {
            Some(open) => {
                if trimmed.starts_with(open) && trimmed.trim_start_matches(&open[..1]).is_empty() {
                    fence = None;
                }
                (line, None)
            }
            None => {
                fence = opening(trimmed);
                (line, Mark::parse(line))
            }
        }
    })
}

fn opening(line: &str) -> Option<&str> {
    let sign = line.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    let fence = &line[..line.len() - line.trim_start_matches(sign).len()];
    // A line of inline code closes itself.
    let inline = sign == '`' && line[fence.len()..].contains('`');
    (fence.len() >= 3 && !inline).then_some(fence)
}

/// Tabs while they are written. What stands before a part is known only when all parts are.
#[derive(Default)]
pub(super) struct Tabs {
    /// Of this text so far.
    count: usize,
    open: Option<Open>,
}

struct Open {
    start: usize,
    parts: Vec<(String, usize)>,
}

impl Tabs {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether the mark means something here; if not, it is text.
    pub(super) fn fits(&self, mark: &Mark) -> bool {
        self.is_open() != (*mark == Mark::Open)
    }

    pub(super) fn take(&mut self, mark: Mark, out: &mut Vec<Event<'_>>, author: Author) {
        match mark {
            Mark::Open => {
                self.count += 1;
                self.open = Some(Open { start: out.len(), parts: Vec::new() });
                out.push(html_event(""));
            }
            Mark::Tab(label) => {
                let Some(open) = &mut self.open else { return };
                if !open.parts.is_empty() {
                    out.push(html_event("</div>"));
                }
                open.parts.push((label, out.len()));
                out.push(html_event(""));
            }
            Mark::Close => self.close(out, author),
        }
    }

    pub(super) fn close(&mut self, out: &mut Vec<Event<'_>>, author: Author) {
        let Some(open) = self.open.take() else { return };
        if open.parts.is_empty() {
            return;
        }
        out.push(html_event("</div></div>\n"));
        let chosen = author == Author::Ourselves && open.parts.len() <= MOST;
        let mut head = String::from("<div class=\"tab-set\">");
        if chosen {
            let names: Vec<&str> = open.parts.iter().map(|(label, _)| label.as_str()).collect();
            head = format!(
                "<div class=\"tab-set chosen\" role=\"group\" aria-label=\"{}\">",
                escape(&names.join(", "))
            );
        }
        let set = self.count;
        for (at, (label, place)) in open.parts.iter().enumerate() {
            let (id, label) = (format!("tab-{set}-{}", at + 1), escape(label));
            if chosen {
                let checked = if at == 0 { " checked" } else { "" };
                head.push_str(&format!(
                    "<input type=\"radio\" name=\"tabs-{set}\" id=\"{id}\"{checked}><label for=\"{id}\">{label}</label>"
                ));
            }
            out[*place] = html_event(format!("<div class=\"tab-part\"><p class=\"tab-name\">{label}</p>\n"));
        }
        out[open.start] = html_event(head);
    }
}
