//! HTML that we wrote ourselves, taken apart at its tags.
//!
//! What always holds: put together again, the pieces are the text they came from. Attributes have double quotes around
//! them, as all our HTML has.

pub(super) enum Piece<'a> {
    /// What stands between tags.
    Words(&'a str),
    /// From `<` to `>`.
    Tag(&'a str),
}

pub(super) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_tag = rest.starts_with('<');
        let end = if is_tag { end_of_tag(rest) } else { rest.find('<').unwrap_or(rest.len()) };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(if is_tag { Piece::Tag(piece) } else { Piece::Words(piece) })
    })
}

/// Behind the first `>` that stands in no quotes.
fn end_of_tag(text: &str) -> usize {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c == '>' && !quoted
    });
    end.map_or(text.len(), |at| at + 1)
}

/// `a` of `<a href="/">`; of an end tag with its slash.
pub(super) fn name(tag: &str) -> &str {
    let inside = tag.trim_start_matches('<').trim_end_matches('>');
    inside.split([' ', '\n', '\t']).next().unwrap_or_default()
}

/// The value of an attribute, as it is written.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    Some(after.split_once('"')?.0)
}
