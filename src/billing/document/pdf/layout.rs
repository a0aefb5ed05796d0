//! Where everything on a printed document stands: A4, from top to bottom, on as many pages as it takes.
//!
//! What always holds: nothing is drawn below the bottom margin; a row of the table is never torn; every text belongs to
//! a node of the document's structure, in the order in which it is read.

use super::fonts::{Shaped, Weight, shape, wrap};
use crate::{
    billing::document::content::{Content, Party, day},
    contract::{
        money::Money,
        payment::{DocumentKind, Line},
    },
};

pub const PAGE: (f32, f32) = (595.0, 842.0);
const LEFT: f32 = 48.0;
const RIGHT: f32 = PAGE.0 - LEFT;
const TOP: f32 = 52.0;
const BOTTOM: f32 = PAGE.1 - 72.0;
const FOOT: f32 = PAGE.1 - 40.0;
const GUTTER: f32 = 24.0;
const LEADING: f32 = 13.0;
const BODY: f32 = 9.0;
const SMALL: f32 = 8.0;

/// Right edges of the columns of figures, and how wide the description may be.
const QUANTITY: f32 = LEFT + 270.0;
const UNIT: f32 = LEFT + 352.0;
const RATE: f32 = LEFT + 408.0;
const DESCRIPTION_WIDTH: f32 = 228.0;
const TOTALS: f32 = LEFT + 230.0;
const TOTALS_WIDTH: f32 = 180.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Text,
    Quiet,
    Line,
    Ember,
}

/// What a text is, for those who have it read to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Heading,
    Paragraph,
    Table,
    Head,
    Body,
    Row,
    HeadCell,
    Cell,
}

#[derive(Debug)]
pub struct Node {
    pub role: Role,
    pub parent: Option<usize>,
}

#[derive(Debug)]
pub enum Item {
    /// On its base line. Without a node it is for the eye only, such as a page's number.
    Text { x: f32, y: f32, text: Shaped, size: f32, ink: Ink, node: Option<usize> },
    /// Filled, `y` being its upper edge.
    Bar { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    /// The site's sign, this high.
    Mark { x: f32, y: f32, height: f32 },
}

#[derive(Debug, Default)]
pub struct Sheets {
    pub pages: Vec<Vec<Item>>,
    pub nodes: Vec<Node>,
    y: f32,
}

#[derive(Clone, Copy)]
struct Style {
    size: f32,
    weight: Weight,
    ink: Ink,
}

const PLAIN: Style = Style { size: BODY, weight: Weight::Regular, ink: Ink::Text };
const QUIET: Style = Style { size: BODY, weight: Weight::Regular, ink: Ink::Quiet };
const STRONG: Style = Style { size: BODY, weight: Weight::SemiBold, ink: Ink::Text };
const HEAD: Style = Style { size: SMALL, weight: Weight::Regular, ink: Ink::Quiet };

/// The whole document.
pub fn lay_out(content: &Content) -> Sheets {
    let mut sheets = Sheets::default();
    sheets.start_page();
    sheets.title(content);
    sheets.parties(content);
    sheets.headline(content);
    sheets.table(content);
    sheets.totals(content);
    sheets.notes(content);
    sheets.feet(content);
    sheets
}

impl Sheets {
    fn start_page(&mut self) {
        self.pages.push(vec![Item::Bar { x: 0.0, y: 0.0, width: PAGE.0, height: 4.0, ink: Ink::Ember }]);
        self.y = TOP;
    }

    /// Makes sure that this much fits on the page. True when a new one was begun for it.
    fn room(&mut self, height: f32) -> bool {
        let full = self.y + height > BOTTOM;
        if full {
            self.start_page();
        }
        full
    }

    fn put(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    fn node(&mut self, role: Role, parent: Option<usize>) -> usize {
        self.nodes.push(Node { role, parent });
        self.nodes.len() - 1
    }

    fn paragraph(&mut self) -> Option<usize> {
        Some(self.node(Role::Paragraph, None))
    }

    fn text(&mut self, x: f32, y: f32, text: Shaped, style: Style, node: Option<usize>) {
        self.put(Item::Text { x, y, text, size: style.size, ink: style.ink, node });
    }

    fn left(&mut self, x: f32, y: f32, text: &str, style: Style, node: Option<usize>) {
        self.text(x, y, shape(text, style.weight), style, node);
    }

    /// Ending at `x`.
    fn right(&mut self, x: f32, y: f32, text: &str, style: Style, node: Option<usize>) {
        let text = shape(text, style.weight);
        self.text(x - text.width * style.size, y, text, style, node);
    }

    fn rule(&mut self, x: f32, y: f32, ink: Ink) {
        self.put(Item::Bar { x, y, width: RIGHT - x, height: 0.75, ink });
    }

    /// One under another from `y` on. The answer is where the next one would stand.
    fn block(&mut self, x: f32, mut y: f32, width: f32, text: &str, style: Style) -> f32 {
        let node = self.paragraph();
        for line in wrap(text, style.weight, style.size, width) {
            self.text(x, y, line, style, node);
            y += LEADING;
        }
        y
    }

    fn title(&mut self, content: &Content) {
        let heading = Some(self.node(Role::Heading, None));
        let style = Style { size: 22.0, weight: Weight::SemiBold, ink: Ink::Text };
        self.left(LEFT, self.y + 18.0, content.kind.label(), style, heading);
        self.put(Item::Mark { x: RIGHT - 30.0, y: self.y - 4.0, height: 30.0 });
        self.y += 46.0;
        for (label, value) in facts(content) {
            let node = self.paragraph();
            self.left(LEFT, self.y, label, STRONG, node);
            self.left(LEFT + 96.0, self.y, &value, PLAIN, node);
            self.y += LEADING + 1.0;
        }
        self.y += 16.0;
    }

    fn parties(&mut self, content: &Content) {
        let width = (RIGHT - LEFT - GUTTER) / 2.0;
        let seller = self.party(LEFT, width, None, &content.seller);
        let buyer = self.party(LEFT + width + GUTTER, width, Some("Bill to"), &content.buyer);
        self.y = seller.max(buyer) + 18.0;
    }

    fn party(&mut self, x: f32, width: f32, head: Option<&str>, party: &Party) -> f32 {
        let mut y = self.y;
        let name = if party.name.trim().is_empty() { &party.email } else { &party.name };
        if let Some(head) = head {
            y = self.block(x, y, width, head, STRONG);
            y = self.block(x, y, width, name, PLAIN);
        } else {
            y = self.block(x, y, width, name, STRONG);
        }
        for line in &party.address {
            y = self.block(x, y, width, line, PLAIN);
        }
        if *name != party.email {
            y = self.block(x, y, width, &party.email, PLAIN);
        }
        if let Some(tax_id) = &party.tax_id {
            y = self.block(x, y, width, &format!("Tax ID {tax_id}"), PLAIN);
        }
        y
    }

    /// The one sum that matters, and what became of it.
    fn headline(&mut self, content: &Content) {
        let total = content.money(content.total);
        let text = match (content.kind, content.settled()) {
            (DocumentKind::Invoice, Some(settled)) if content.total != 0 => {
                // Read on as one sentence: “€23.80 paid on …”.
                format!("{total} {}", settled.replacen("Paid", "paid", 1))
            }
            (DocumentKind::Invoice, Some(settled)) => settled,
            (DocumentKind::Invoice, None) => format!("{total} due"),
            (DocumentKind::CreditNote, _) => format!("{total} credited"),
            (DocumentKind::CreditNoteReversal, _) => format!("{total} of credit taken back"),
        };
        let style = Style { size: 15.0, weight: Weight::SemiBold, ink: Ink::Text };
        self.room(60.0);
        self.y += 6.0;
        let node = self.paragraph();
        self.left(LEFT, self.y, &text, style, node);
        self.y += 26.0;
    }

    fn table(&mut self, content: &Content) {
        let table = self.node(Role::Table, None);
        let head = self.node(Role::Head, Some(table));
        let row = self.node(Role::Row, Some(head));
        self.head(Some(row));
        let body = self.node(Role::Body, Some(table));
        for line in content.shown_lines() {
            let row = self.node(Role::Row, Some(body));
            self.line(content, line, row);
        }
        self.y += 8.0;
    }

    /// The words over the columns. On a page that goes on with a table they are for the eye only.
    fn head(&mut self, row: Option<usize>) {
        self.y += SMALL;
        let columns = [("Quantity", QUANTITY), ("Unit price", UNIT), ("Tax", RATE), ("Amount", RIGHT)];
        let cell = row.map(|row| self.node(Role::HeadCell, Some(row)));
        self.left(LEFT, self.y, "Description", HEAD, cell);
        for (word, x) in columns {
            let cell = row.map(|row| self.node(Role::HeadCell, Some(row)));
            self.right(x, self.y, word, HEAD, cell);
        }
        self.y += 6.0;
        self.rule(LEFT, self.y, Ink::Text);
        self.y += 4.0;
    }

    fn line(&mut self, content: &Content, line: &Line, row: usize) {
        let words = wrap(&line.description, STRONG.weight, BODY, DESCRIPTION_WIDTH);
        let discount = (line.discount != 0).then(|| format!("Discount {}", content.money(-line.discount)));
        let rows = words.len().max(1) + usize::from(discount.is_some());
        let height = rows as f32 * LEADING + 8.0;
        if self.room(height) {
            self.head(None);
        }
        let first = self.y + LEADING;
        let description = Some(self.node(Role::Cell, Some(row)));
        let mut y = first;
        for words in words {
            self.text(LEFT, y, words, STRONG, description);
            y += LEADING;
        }
        if let Some(discount) = discount {
            self.left(LEFT, y, &discount, QUIET, description);
        }
        for (x, text) in [
            (QUANTITY, line.quantity.to_string()),
            (UNIT, content.money(line.unit_amount).to_string()),
            (RATE, line.tax.rate.to_string()),
            (RIGHT, content.money(line.net).to_string()),
        ] {
            let cell = Some(self.node(Role::Cell, Some(row)));
            self.right(x, first, &text, PLAIN, cell);
        }
        self.y += height;
        self.rule(LEFT, self.y, Ink::Line);
    }

    fn totals(&mut self, content: &Content) {
        self.sum("Subtotal", content.money(content.subtotal), PLAIN);
        for tax in &content.taxes {
            let words = format!("{} on {}", tax.reason, content.money(tax.net));
            self.sum(&words, content.money(tax.tax), PLAIN);
        }
        let (total, done) = match content.kind {
            DocumentKind::Invoice => ("Total", content.paid_at.map(|_| "Amount paid")),
            DocumentKind::CreditNote => ("Total credited", None),
            DocumentKind::CreditNoteReversal => ("Total taken back", None),
        };
        self.sum(total, content.money(content.total), STRONG);
        if let Some(done) = done {
            self.sum(done, content.money(content.total), PLAIN);
        }
        self.y += 20.0;
    }

    fn sum(&mut self, label: &str, amount: Money, style: Style) {
        let words = wrap(label, style.weight, style.size, TOTALS_WIDTH);
        let height = words.len().max(1) as f32 * LEADING + 6.0;
        self.room(height);
        let first = self.y + LEADING;
        let node = self.paragraph();
        let mut y = first;
        for words in words {
            self.text(TOTALS, y, words, style, node);
            y += LEADING;
        }
        self.right(RIGHT, first, &amount.to_string(), style, node);
        self.y += height;
        self.rule(TOTALS, self.y, Ink::Line);
    }

    fn notes(&mut self, content: &Content) {
        let reason = content.corrects.as_ref().map(|of| format!("Reason: {}", of.reason));
        let about = content.settled().filter(|_| content.corrects.is_some());
        for note in [about, reason, content.note.clone()].into_iter().flatten() {
            let node = self.paragraph();
            for line in wrap(&note, PLAIN.weight, PLAIN.size, RIGHT - LEFT) {
                self.room(LEADING);
                self.y += LEADING;
                self.text(LEFT, self.y, line, QUIET, node);
            }
            self.y += 6.0;
        }
    }

    fn feet(&mut self, content: &Content) {
        let of = self.pages.len();
        let left = format!("{} · {}", content.number, content.money(content.total));
        for (index, page) in self.pages.iter_mut().enumerate() {
            let here = shape(&format!("Page {} of {of}", index + 1), HEAD.weight);
            let x = RIGHT - here.width * SMALL;
            let text = |x: f32, text: Shaped| Item::Text {
                x,
                y: FOOT,
                text,
                size: SMALL,
                ink: Ink::Quiet,
                node: None,
            };
            page.push(Item::Bar {
                x: LEFT,
                y: FOOT - 16.0,
                width: RIGHT - LEFT,
                height: 0.75,
                ink: Ink::Line,
            });
            page.push(text(LEFT, shape(&left, HEAD.weight)));
            page.push(text(x, here));
        }
    }
}

/// Number and dates, beside the words for them.
fn facts(content: &Content) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Number", content.number.clone()), ("Date of issue", day(content.issued_at))];
    facts.extend(content.paid_at.map(|at| ("Date paid", day(at))));
    if let Some(of) = &content.corrects {
        let what = if content.kind == DocumentKind::CreditNote { "For invoice" } else { "For credit note" };
        facts.push((what, format!("{} of {}", of.number, day(of.issued_at))));
    }
    facts
}
