//! From the events of the parser to those that are written: everything our pages have that Markdown does not.

use std::{collections::HashMap, slice, vec};

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Tag, TagEnd};

use super::{Author, Heading, code, escape, html_event, icon, outline, picture, tabs};

/// The kinds of notices: what is written, the word for it, its tone.
const NOTICES: [(&str, &str, &str); 4] = [
    ("[!NOTE]", "Note", "info"),
    ("[!TIP]", "Tip", "ok"),
    ("[!CAUTION]", "Caution", "warn"),
    ("[!DANGER]", "Danger", "bad"),
];

#[derive(Debug, Clone, Copy)]
pub(super) struct Notice {
    word: &'static str,
    tone: &'static str,
}

/// `[!NOTE] The first line`: the kind and the line.
pub(super) fn notice(text: &str) -> Option<(Notice, &str)> {
    NOTICES.iter().find_map(|&(mark, word, tone)| {
        let title = text.strip_prefix(mark)?;
        Some((Notice { word, tone }, title.trim_start()))
    })
}

pub(super) fn write<'a>(events: Vec<Event<'a>>, headings: &'a [Heading], author: Author) -> Vec<Event<'a>> {
    let mut writer = Writer {
        out: Vec::with_capacity(events.len() + 32),
        events: events.into_iter(),
        headings: headings.iter(),
        author,
        depth: 0,
        in_title: false,
        quotes: Vec::new(),
        table: None,
        under: None,
        table_names: HashMap::new(),
        tabs: tabs::Tabs::default(),
    };
    while let Some(event) = writer.events.next() {
        writer.event(event);
    }
    writer.tabs.close(&mut writer.out, author);
    writer.out
}

struct Writer<'a> {
    out: Vec<Event<'a>>,
    events: vec::IntoIter<Event<'a>>,
    headings: slice::Iter<'a, Heading>,
    author: Author,
    depth: usize,
    /// In the first line of a notice.
    in_title: bool,
    /// Which of the open quotes are notices.
    quotes: Vec<bool>,
    table: Option<Table>,
    /// The heading that was written last.
    under: Option<&'a str>,
    table_names: HashMap<String, usize>,
    tabs: tabs::Tabs,
}

struct Table {
    alignment: Vec<Alignment>,
    in_head: bool,
    column: usize,
}

impl<'a> Writer<'a> {
    fn html(&mut self, html: impl Into<String>) {
        self.out.push(html_event(html));
    }

    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(text),
            Event::SoftBreak | Event::HardBreak if self.in_title => {
                self.title_ends();
                self.out.push(Event::Start(Tag::Paragraph));
            }
            other => self.out.push(other),
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Paragraph if self.depth == 0 && self.mark() => {}
            Tag::BlockQuote(kind) => {
                self.depth += 1;
                let is_notice = self.notice_starts();
                self.quotes.push(is_notice);
                if !is_notice {
                    self.out.push(Event::Start(Tag::BlockQuote(kind)));
                }
            }
            Tag::CodeBlock(kind) => {
                let info: &str = match &kind {
                    CodeBlockKind::Fenced(info) => info,
                    CodeBlockKind::Indented => "",
                };
                let text = self.words();
                self.html(code::block(info, &text, self.author));
            }
            Tag::Image { dest_url, .. } => {
                let alt = self.words();
                self.out.push(Event::InlineHtml(CowStr::from(picture::html(&dest_url, &alt, self.author))));
            }
            Tag::Heading { level, classes, attrs, .. } => {
                self.depth += 1;
                let id = self.headings.as_slice().first().map(|heading| CowStr::from(heading.id.as_str()));
                self.out.push(Event::Start(Tag::Heading { level, id, classes, attrs }));
            }
            Tag::Link { ref dest_url, .. } if self.author == Author::Ourselves && is_external(dest_url) => {
                self.depth += 1;
                let link = format!("<a href=\"{}\" rel=\"noopener\">", escape(dest_url));
                self.out.push(Event::InlineHtml(CowStr::from(link)));
            }
            tag => {
                self.depth += 1;
                self.open_table(tag);
            }
        }
    }

    fn end(&mut self, tag: TagEnd) {
        self.depth = self.depth.saturating_sub(1);
        match tag {
            TagEnd::Paragraph if self.in_title => self.title_ends(),
            TagEnd::BlockQuote(_) if self.quotes.pop() == Some(true) => self.html("</div></div>\n"),
            TagEnd::Heading(level) => {
                if let Some(heading) = self.headings.next() {
                    self.under = Some(&heading.text);
                    let (id, text) = (&heading.id, escape(&heading.text));
                    let icon = icon("link", 16, self.author);
                    let link = format!(
                        " <a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to “{text}”\">{icon}</a>"
                    );
                    self.out.push(Event::InlineHtml(CowStr::from(link)));
                }
                self.out.push(Event::End(TagEnd::Heading(level)));
            }
            tag => self.close_table(tag),
        }
    }

    /// Whether the paragraph is a mark of tabs; if so, it is gone.
    fn mark(&mut self) -> bool {
        let mark = tabs::Mark::of_paragraph(self.events.as_slice());
        let Some(mark) = mark.filter(|mark| self.tabs.fits(mark)) else { return false };
        self.events.nth(1);
        self.tabs.take(mark, &mut self.out, self.author);
        true
    }

    /// Whether a notice begins here; if so, up to its first line.
    fn notice_starts(&mut self) -> bool {
        let [Event::Start(Tag::Paragraph), Event::Text(text), after, ..] = self.events.as_slice() else {
            return false;
        };
        let Some((notice, title)) = notice(text) else { return false };
        let alone = title.is_empty() && matches!(after, Event::SoftBreak | Event::HardBreak | Event::End(_));
        let title = if alone { notice.word.to_owned() } else { title.to_owned() };
        self.events.nth(1);
        self.depth += 1;
        self.in_title = true;
        // State is a word first: the tone alone says nothing to who cannot see it.
        let word = if alone {
            String::new()
        } else {
            format!("<span class=\"visually-hidden\">{}: </span>", notice.word)
        };
        let icon = icon(notice.tone, 18, self.author);
        let tone = notice.tone;
        self.html(format!("<div class=\"notice {tone}\">{icon}<p class=\"notice-title\">{word}"));
        self.text(CowStr::from(title));
        true
    }

    fn title_ends(&mut self) {
        self.in_title = false;
        self.html("</p><div>\n");
    }

    /// The words up to the end of what has just begun, without what is around them.
    fn words(&mut self) -> String {
        let mut words = String::new();
        let mut within = 0;
        for event in self.events.by_ref() {
            match event {
                Event::Start(_) => within += 1,
                Event::End(_) if within == 0 => break,
                Event::End(_) => within -= 1,
                Event::Text(text) | Event::Code(text) => words.push_str(&text),
                Event::SoftBreak | Event::HardBreak => words.push(' '),
                _ => {}
            }
        }
        words
    }

    /// `[[Ctrl+K|Cmd+K]]` among words: the first for Windows and Linux, the second for macOS.
    fn text(&mut self, text: CowStr<'a>) {
        if !text.contains("[[") {
            self.out.push(Event::Text(text));
            return;
        }
        let mut rest: &str = &text;
        let mut plain = String::new();
        while let Some(at) = rest.find("[[") {
            let inside = &rest[at + 2..];
            let keys = inside.split_once("]]").filter(|(keys, _)| {
                !keys.trim().is_empty() && keys.len() <= 60 && !keys.contains(['[', ']', '\n'])
            });
            let Some((keys, after)) = keys else {
                plain.push_str(&rest[..at + 2]);
                rest = inside;
                continue;
            };
            plain.push_str(&rest[..at]);
            self.out.push(Event::Text(CowStr::from(std::mem::take(&mut plain))));
            self.out.push(Event::InlineHtml(CowStr::from(keys_html(keys))));
            rest = after;
        }
        plain.push_str(rest);
        self.out.push(Event::Text(CowStr::from(plain)));
    }

    fn open_table(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Table(alignment) => {
                // A wide table scrolls in a region of its own, which keyboards reach and screen readers name.
                let name =
                    self.under.map_or_else(|| "Table".to_owned(), |heading| format!("Table: {heading}"));
                let name = escape(&outline::unique(&name, ", ", &mut self.table_names));
                self.html(format!(
                    "<div class=\"table-wrap\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\"><table class=\"table\">"
                ));
                self.table = Some(Table { alignment, in_head: false, column: 0 });
            }
            Tag::TableHead => {
                if let Some(table) = &mut self.table {
                    (table.in_head, table.column) = (true, 0);
                }
                self.html("<thead><tr>");
            }
            Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.column = 0;
                }
                self.html("<tr>");
            }
            Tag::TableCell => {
                let cell = self.table.as_mut().map_or("<td>", Table::cell);
                self.html(cell);
            }
            tag => self.out.push(Event::Start(tag)),
        }
    }

    fn close_table(&mut self, tag: TagEnd) {
        let in_head = self.table.as_ref().is_some_and(|table| table.in_head);
        match tag {
            TagEnd::Table => {
                self.table = None;
                self.html("</tbody></table></div>\n");
            }
            TagEnd::TableHead => {
                if let Some(table) = &mut self.table {
                    table.in_head = false;
                }
                self.html("</tr></thead><tbody>\n");
            }
            TagEnd::TableRow => self.html("</tr>\n"),
            TagEnd::TableCell => self.html(if in_head { "</th>" } else { "</td>" }),
            tag => self.out.push(Event::End(tag)),
        }
    }
}

impl Table {
    /// The start of the next cell. Alignment is a class: inline styles are not allowed.
    fn cell(&mut self) -> &'static str {
        let number = matches!(self.alignment.get(self.column), Some(Alignment::Right));
        self.column += 1;
        match (self.in_head, number) {
            (true, true) => "<th scope=\"col\" class=\"num\">",
            (true, false) => "<th scope=\"col\">",
            (false, true) => "<td class=\"num\">",
            (false, false) => "<td>",
        }
    }
}

fn keys_html(keys: &str) -> String {
    let one = |keys: &str| format!("<kbd class=\"kbd\">{}</kbd>", escape(keys.trim()));
    match keys.split_once('|') {
        Some((others, mac)) if others.trim() != mac.trim() && !mac.trim().is_empty() => {
            format!("{} (macOS: {})", one(others), one(mac))
        }
        Some((keys, _)) => one(keys),
        None => one(keys),
    }
}

fn is_external(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}
