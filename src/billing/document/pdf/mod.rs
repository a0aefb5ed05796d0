//! Documents as PDF: the same content always gives the same bytes.

mod fonts;
mod layout;

use std::num::NonZeroU16;

use krilla::{
    Document as Pdf,
    color::rgb,
    geom::{Path, PathBuilder, Point, Rect, Transform},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{
        Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag, TagGroup,
        TagKind, TagTree,
    },
};
use time::{OffsetDateTime, UtcOffset};

use self::{
    fonts::{Embedded, Shaped},
    layout::{Ink, Item, PAGE, Role, Sheets, lay_out},
};
use super::content::Content;

const LANGUAGE: &str = "en";
/// How high the picture of the sign is, in its own units.
const MARK: f32 = 24.0;

#[derive(Debug, thiserror::Error)]
#[error("the PDF cannot be made: {0}")]
pub struct Error(String);

/// The document as a PDF file.
pub fn print(content: &Content) -> Result<Vec<u8>, Error> {
    let sheets = lay_out(content);
    let fonts = Embedded::default();
    let mut pdf = Pdf::new();
    let mut parts: Vec<Vec<Identifier>> = sheets.nodes.iter().map(|_| Vec::new()).collect();
    for items in &sheets.pages {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).unwrap_or_default();
        let mut page = pdf.start_page_with(settings);
        let mut surface = page.surface();
        for item in items {
            draw(&mut surface, &fonts, item, &mut parts);
        }
        surface.finish();
        page.finish();
    }
    pdf.set_metadata(metadata(content));
    pdf.set_tag_tree(structure(&sheets, &mut parts));
    pdf.finish().map_err(|error| Error(error.to_string()))
}

fn metadata(content: &Content) -> Metadata {
    Metadata::new()
        .title(format!("{} {}", content.kind.label(), content.number))
        .authors(vec![fonts::clean(&content.seller.name)])
        .creator("Dev Forge".to_owned())
        .language(LANGUAGE.to_owned())
        .creation_date(moment(content.issued_at))
        // Nothing but the number: another print of the document is the same document.
        .document_id(content.number.clone())
}

fn moment(at: OffsetDateTime) -> DateTime {
    let at = at.to_offset(UtcOffset::UTC);
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(u8::from(at.month()))
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second())
        .utc_offset_hour(0)
}

fn draw(surface: &mut Surface<'_>, fonts: &Embedded, item: &Item, parts: &mut [Vec<Identifier>]) {
    match item {
        Item::Text { x, y, text, size, ink, node } => {
            let tag = match node {
                Some(_) => ContentTag::Span(SpanTag::empty()),
                None => decoration(ArtifactType::PaginationOther),
            };
            let part = surface.start_tagged(tag);
            write(surface, fonts, Point::from_xy(*x, *y), text, *size, *ink);
            surface.end_tagged();
            if let Some(parts) = node.and_then(|node| parts.get_mut(node)) {
                parts.push(part);
            }
        }
        Item::Bar { x, y, width, height, ink } => {
            let bar = Rect::from_xywh(*x, *y, *width, *height).map(|rect| {
                let mut path = PathBuilder::new();
                path.push_rect(rect);
                path
            });
            fill(surface, bar.and_then(PathBuilder::finish), *ink);
        }
        Item::Mark { x, y, height } => {
            let place = Transform::from_row(height / MARK, 0.0, 0.0, height / MARK, *x, *y);
            surface.push_transform(&place);
            fill(surface, anvil(), Ink::Text);
            fill(surface, cursor(), Ink::Ember);
            surface.pop();
        }
    }
}

fn write(surface: &mut Surface<'_>, fonts: &Embedded, at: Point, text: &Shaped, size: f32, ink: Ink) {
    surface.set_fill(Some(filled(ink)));
    let mut x = at.x;
    for run in &text.runs {
        let at = Point::from_xy(x, at.y);
        surface.draw_glyphs(at, &run.glyphs, fonts.font(run.font), &run.text, size, false);
        x += run.width * size;
    }
}

fn fill(surface: &mut Surface<'_>, path: Option<Path>, ink: Ink) {
    let Some(path) = path else { return };
    surface.start_tagged(decoration(ArtifactType::Layout));
    surface.set_fill(Some(filled(ink)));
    surface.draw_path(&path);
    surface.end_tagged();
}

const fn decoration(kind: ArtifactType) -> ContentTag<'static> {
    ContentTag::Artifact(Artifact { kind, bbox: None })
}

/// The light theme's colours of the site, as a printer takes them.
fn filled(ink: Ink) -> Fill {
    let color = match ink {
        Ink::Text => rgb::Color::new(24, 28, 34),
        Ink::Quiet => rgb::Color::new(71, 76, 83),
        Ink::Line => rgb::Color::new(217, 220, 223),
        Ink::Ember => rgb::Color::new(227, 80, 3),
    };
    Fill { paint: color.into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

/// The anvil of the site's sign, as in its header.
fn anvil() -> Option<Path> {
    let mut path = PathBuilder::new();
    path.move_to(1.0, 11.25);
    path.line_to(23.0, 11.25);
    path.line_to(23.0, 14.75);
    path.line_to(18.5, 14.75);
    path.cubic_to(16.0, 14.75, 15.0, 15.75, 15.0, 17.75);
    path.line_to(15.0, 18.5);
    path.line_to(18.0, 18.5);
    path.line_to(18.0, 22.0);
    path.line_to(6.5, 22.0);
    path.line_to(6.5, 18.5);
    path.line_to(9.5, 18.5);
    path.line_to(9.5, 17.75);
    path.cubic_to(9.5, 15.85, 8.1, 15.0, 5.75, 14.8);
    path.cubic_to(3.0, 14.55, 1.4, 13.4, 1.0, 11.25);
    path.close();
    path.finish()
}

fn cursor() -> Option<Path> {
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(10.25, 2.0, 3.75, 6.75)?);
    path.finish()
}

/// What is what, for those who have it read to them. Children stand after their parent, so the tree is put together
/// from its end.
fn structure(sheets: &Sheets, parts: &mut [Vec<Identifier>]) -> TagTree {
    let mut children: Vec<Vec<Node>> =
        parts.iter_mut().map(|parts| std::mem::take(parts).into_iter().map(Node::from).collect()).collect();
    let mut roots = Vec::new();
    for (index, node) in sheets.nodes.iter().enumerate().rev() {
        let mut own = std::mem::take(&mut children[index]);
        if own.is_empty() {
            continue;
        }
        // Those below came last first.
        if !is_leaf(node.role) {
            own.reverse();
        }
        let group = Node::from(TagGroup::with_children(tag(node.role), own));
        match node.parent {
            Some(parent) => children[parent].push(group),
            None => roots.push(group),
        }
    }
    roots.reverse();
    TagTree::from(roots).with_lang(Some(LANGUAGE.to_owned()))
}

const fn is_leaf(role: Role) -> bool {
    matches!(role, Role::Heading | Role::Paragraph | Role::HeadCell | Role::Cell)
}

fn tag(role: Role) -> TagKind {
    match role {
        Role::Heading => Tag::Hn(NonZeroU16::MIN, None).into(),
        Role::Paragraph => Tag::P.into(),
        Role::Table => Tag::Table.into(),
        Role::Head => Tag::THead.into(),
        Role::Body => Tag::TBody.into(),
        Role::Row => Tag::TR.into(),
        Role::HeadCell => Tag::TH(TableHeaderScope::Column).into(),
        Role::Cell => Tag::TD.into(),
    }
}
