//! The drawing of a link picture: the site's steel, the mark, what kind of page it is, and its title.
//!
//! What always holds: a title is measured with the font it is set in, stands on at most four lines of like length, and
//! whatever is in it is only ever text. The same words give the same picture on every machine.

use std::sync::{Arc, LazyLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use crate::components::grain::HOME_HOT_LINE;

pub const WIDTH: u32 = 1_200;
pub const HEIGHT: u32 = 630;
/// Changes when the drawing does, so that pictures which are kept elsewhere are asked for anew.
pub const FORMAT: &str = "1";

/// The site's Archivo as two files of its own: weight 600 at width 108, and weight 400.
const HEADING: &[u8] = include_bytes!("../../../fonts/heading.ttf");
const TEXT: &[u8] = include_bytes!("../../../fonts/text.ttf");
const GRAIN: &str = include_str!("../../../../public/grain-home.svg");

/// What the title has of the picture's width.
const MEASURE: f32 = 1_056.0;
/// Sizes with the number of lines that may have them, in the order in which they are tried.
const SIZES: [(f32, usize); 3] = [(82.0, 2), (68.0, 3), (57.0, 4)];
/// Headings are set tighter, in parts of their size.
const TRACKING: f32 = -0.022;
const MEASURED_AT: f32 = 100.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(HEADING.to_vec());
    fonts.load_font_data(TEXT.to_vec());
    fonts.set_serif_family("Forge Text");
    Arc::new(fonts)
});

/// What a picture says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Words {
    /// What kind of page it is: "Docs · Licenses".
    pub label: String,
    pub title: String,
    /// Where it is: the host of this site.
    pub place: String,
}

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The picture as PNG.
pub fn png(words: &Words) -> Result<Vec<u8>, Failure> {
    let tree = Tree::from_str(&svg(words), &options())?;
    let mut pixmap = Pixmap::new(WIDTH, HEIGHT).ok_or("a picture has a size")?;
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    Ok(pixmap.encode_png()?)
}

fn options() -> Options<'static> {
    Options { fontdb: Arc::clone(&FONTS), font_family: "Forge Text".to_owned(), ..Options::default() }
}

fn svg(words: &Words) -> String {
    let (size, lines) = set(&words.title);
    let step = size * 1.1;
    let first = 206.0 + size;
    let tracking = size * TRACKING;
    let title: String = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let y = first + step * index as f32;
            format!("<text x=\"70\" y=\"{y:.1}\">{}</text>", escape(line))
        })
        .collect();
    let grain = GRAIN.split(" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let (label, place) = (escape(&words.label), escape(&words.place));
    // The values are those of the dark theme in `style/tokens.css`: a picture knows no tokens.
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\
         <defs>\
         <linearGradient id=\"cold\" gradientUnits=\"userSpaceOnUse\" x1=\"400\" y1=\"0\" x2=\"1600\" y2=\"0\">\
         <stop offset=\"0.2\" stop-color=\"#40454c\" stop-opacity=\"0.06\"/><stop offset=\"0.9\" stop-color=\"#40454c\" stop-opacity=\"0.8\"/></linearGradient>\
         <linearGradient id=\"hot\" gradientUnits=\"userSpaceOnUse\" x1=\"400\" y1=\"0\" x2=\"1600\" y2=\"0\">\
         <stop offset=\"0.02\" stop-color=\"#eb6120\" stop-opacity=\"0\"/><stop offset=\"0.45\" stop-color=\"#eb6120\"/>\
         <stop offset=\"0.84\" stop-color=\"#eb6120\"/><stop offset=\"1\" stop-color=\"#ffdb98\"/></linearGradient>\
         <linearGradient id=\"bar\" gradientUnits=\"userSpaceOnUse\" x1=\"0\" y1=\"0\" x2=\"270\" y2=\"0\">\
         <stop offset=\"0\" stop-color=\"#ffdb98\"/><stop offset=\"0.38\" stop-color=\"#eb6120\"/><stop offset=\"1\" stop-color=\"#eb6120\" stop-opacity=\"0\"/></linearGradient>\
         </defs>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#0d1014\"/>\
         <g transform=\"translate(-400 196)\" fill=\"none\"><path d=\"{grain}\" stroke=\"url(#cold)\"/>\
         <path d=\"{HOME_HOT_LINE}\" stroke=\"url(#hot)\" stroke-width=\"3\" stroke-linecap=\"round\"/></g>\
         <rect width=\"{WIDTH}\" height=\"1\" fill=\"#40454c\"/><rect width=\"270\" height=\"4\" fill=\"url(#bar)\"/>\
         <g transform=\"translate(72 62) scale(2.1)\">\
         <path fill=\"#eceef0\" d=\"M1 11.25h22v3.5h-4.5c-2.5 0-3.5 1-3.5 3v.75h3v3.5H6.5v-3.5h3v-.75c0-1.9-1.4-2.75-3.75-2.95C3 14.55 1.4 13.4 1 11.25z\"/>\
         <path fill=\"#f9761e\" d=\"M10.25 2H14v6.75h-3.75z\"/></g>\
         <text x=\"140\" y=\"101\" font-family=\"Forge Heading\" font-size=\"34\" letter-spacing=\"-0.5\" fill=\"#eceef0\">Dev Forge</text>\
         <text x=\"72\" y=\"186\" font-size=\"28\" fill=\"#ff8b3d\">{label}</text>\
         <g font-family=\"Forge Heading\" font-size=\"{size:.0}\" letter-spacing=\"{tracking:.2}\" fill=\"#eceef0\">{title}</g>\
         <text x=\"72\" y=\"582\" font-size=\"26\" fill=\"#9499a0\">{place}</text>\
         </svg>"
    )
}

/// The largest size at which the title has room, and its lines there.
fn set(title: &str) -> (f32, Vec<String>) {
    let words: Vec<&str> = title.split_whitespace().collect();
    let (widths, space) = measure(&words);
    let fits = |&&(size, most): &&(f32, usize)| {
        let limit = MEASURE * MEASURED_AT / size;
        widths.iter().all(|width| *width <= limit) && wrap(&widths, space, limit).len() <= most
    };
    let (size, most) = SIZES.iter().find(fits).copied().unwrap_or(SIZES[SIZES.len() - 1]);
    let mut lines: Vec<String> = balanced(&widths, space, MEASURE * MEASURED_AT / size)
        .into_iter()
        .map(|(from, to)| words[from..to].join(" "))
        .collect();
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    (size, lines)
}

/// The widths of the words at [`MEASURED_AT`], and that of a space.
fn measure(words: &[&str]) -> (Vec<f32>, f32) {
    let text = |id: usize, word: &str| format!("<text id=\"w{id}\" y=\"200\">{}</text>", escape(word));
    // The width of "nn" and of "n n" differ by a space.
    let spaces = [text(words.len(), "nn"), text(words.len() + 1, "n n")].concat();
    let texts: String = words.iter().enumerate().map(|(id, word)| text(id, word)).collect();
    let tracking = MEASURED_AT * TRACKING;
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"10\"><g font-family=\"Forge Heading\" \
         font-size=\"{MEASURED_AT}\" letter-spacing=\"{tracking}\">{texts}{spaces}</g></svg>"
    );
    let tree = Tree::from_str(&svg, &options()).ok();
    let width = |id: usize| {
        let node = tree.as_ref().and_then(|tree| tree.node_by_id(&format!("w{id}")));
        node.map_or(0.0, |node| node.bounding_box().width())
    };
    ((0..words.len()).map(width).collect(), width(words.len() + 1) - width(words.len()))
}

/// As many words on each line as have room: ranges of words.
fn wrap(widths: &[f32], space: f32, limit: f32) -> Vec<(usize, usize)> {
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut used = 0.0;
    for (index, width) in widths.iter().enumerate() {
        match lines.last_mut() {
            Some(line) if used + space + width <= limit => {
                line.1 = index + 1;
                used += space + width;
            }
            _ => {
                lines.push((index, index + 1));
                used = *width;
            }
        }
    }
    lines
}

/// As few lines as there must be, and none of them longer than it has to be.
fn balanced(widths: &[f32], space: f32, limit: f32) -> Vec<(usize, usize)> {
    let mut best = wrap(widths, space, limit);
    let (mut too_narrow, mut wide) = (0.0, limit);
    // Halving twelve times leaves less than a pixel.
    for _ in 0..12 {
        let middle = f32::midpoint(too_narrow, wide);
        let lines = wrap(widths, space, middle);
        if lines.len() <= best.len() && widths.iter().all(|width| *width <= middle) {
            best = lines;
            wide = middle;
        } else {
            too_narrow = middle;
        }
    }
    best
}

fn escape(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(title: &str) -> Words {
        Words {
            label: "Docs · Licenses".to_owned(),
            title: title.to_owned(),
            place: "devforge.test".to_owned(),
        }
    }

    #[test]
    fn a_picture_has_its_size_and_its_words() {
        let picture = png(&words("Activate a license")).expect("a picture");
        assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
        let side =
            |at: usize| u32::from_be_bytes([picture[at], picture[at + 1], picture[at + 2], picture[at + 3]]);
        assert_eq!((side(16), side(20)), (WIDTH, HEIGHT));
        assert_ne!(picture, png(&words("Renew a license")).expect("a picture"), "the title is in it");
        assert_eq!(
            picture,
            png(&words("Activate a license")).expect("a picture"),
            "and nothing else changes"
        );
    }

    #[test]
    fn the_font_is_there_and_measures() {
        let (widths, space) = measure(&["i", "mmmm"]);
        assert!(widths[0] > 10.0 && widths[1] > 5.0 * widths[0], "{widths:?}");
        assert!((10.0..60.0).contains(&space), "{space}");
    }

    #[test]
    fn titles_stand_on_lines_of_like_length_that_have_room() {
        for (title, lines) in [
            ("Refunds", 1),
            ("Every call is optional for the editor", 2),
            ("Run Dev Forge on many machines behind one address and keep it up", 3),
        ] {
            let (size, set) = set(title);
            assert_eq!(set.len(), lines, "{set:?}");
            assert_eq!(set.join(" "), title);
            for line in &set {
                let one: Vec<&str> = line.split(' ').collect();
                let (widths, space) = measure(&one);
                let width = widths.iter().sum::<f32>() + space * (one.len() - 1) as f32;
                assert!(width * size / MEASURED_AT <= MEASURE + 1.0, "{line}");
            }
        }
        let (_, set) = set(&"word ".repeat(80));
        assert!(set.len() == 4 && set[3].ends_with('…'), "{set:?}");
    }

    #[test]
    fn words_stay_words() {
        let hostile = words("</text><script>alert(1)</script> & \u{0} \"<image href='file:///etc/passwd'/>");
        assert!(!svg(&hostile).contains("<script") && !svg(&hostile).contains("<image"));
        assert!(png(&hostile).is_ok());
    }
}
