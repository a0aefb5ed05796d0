//! Pictures of `public/`, written as `![what it shows](/assets/name.svg)`. They say how large they are, so nothing
//! moves when they arrive.

use rust_embed::RustEmbed;

use super::{Author, asset, escape};

/// From disk in a debug build, inside the binary in a release build.
#[derive(RustEmbed)]
#[folder = "public/"]
#[include = "*.svg"]
#[include = "*.png"]
#[include = "*.webp"]
#[include = "*.jpg"]
#[exclude = "root/*"]
#[exclude = "icons.svg"]
struct Pictures;

/// Whether `public/` has it.
pub(in crate::content) fn is_there(name: &str) -> bool {
    Pictures::get(name).is_some()
}

pub(super) fn html(address: &str, alt: &str, author: Author) -> String {
    let alt = escape(alt);
    match address.strip_prefix("/assets/") {
        Some(name) => {
            let (path, size) = (escape(&asset(name)), size(name));
            let size = size.map(|(width, height)| format!(" width=\"{width}\" height=\"{height}\""));
            format!("<img src=\"{path}\" alt=\"{alt}\"{} loading=\"lazy\">", size.unwrap_or_default())
        }
        // Nothing is loaded from anybody else: it can be gone to.
        None => {
            let label = if alt.trim().is_empty() { "Picture" } else { &alt };
            let rel = if author == Author::Ourselves { " rel=\"noopener\"" } else { "" };
            format!("<a href=\"{}\"{rel}>{label}</a>", escape(address))
        }
    }
}

fn size(name: &str) -> Option<(usize, usize)> {
    let file = Pictures::get(name)?;
    if name.ends_with(".svg") {
        return view_box(std::str::from_utf8(&file.data).ok()?);
    }
    let size = imagesize::blob_size(&file.data).ok()?;
    Some((size.width, size.height))
}

/// The last two numbers of `viewBox="0 0 1600 620"`, rounded up.
fn view_box(svg: &str) -> Option<(usize, usize)> {
    let numbers = svg.split_once("viewBox=\"")?.1.split_once('"')?.0;
    let mut sides = numbers.split([' ', ',']).filter(|part| !part.is_empty()).skip(2).map(|side| {
        let side = side.parse::<f64>().ok()?.ceil();
        // A picture is no larger than that, so the cast keeps the number.
        (1.0..100_000.0).contains(&side).then_some(side as usize)
    });
    Some((sides.next()??, sides.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_says_how_large_it_is() {
        assert_eq!(
            html("/assets/grain-home.svg", "Folded \"steel\"", Author::Ourselves),
            format!(
                "<img src=\"{}\" alt=\"Folded &quot;steel&quot;\" width=\"1600\" height=\"620\" loading=\"lazy\">",
                asset("grain-home.svg")
            )
        );
        assert_eq!(size("og-default.png"), Some((1200, 630)));
        assert_eq!(size("none.png"), None);
    }

    #[test]
    fn a_foreign_picture_is_a_link() {
        let html = html("https://example.com/x.png", "A chart", Author::Somebody);
        assert_eq!(html, "<a href=\"https://example.com/x.png\">A chart</a>");
    }

    #[test]
    fn odd_view_boxes_have_no_size() {
        assert_eq!(view_box("<svg viewBox=\"0 0 10.5 20\">"), Some((11, 20)));
        for odd in ["<svg>", "<svg viewBox=\"", "<svg viewBox=\"0 0\">", "<svg viewBox=\"0 0 -1 NaN\">"] {
            assert_eq!(view_box(odd), None, "{odd}");
        }
    }
}
