//! QR codes as small SVG pictures, with nothing in them that a content security policy would refuse.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// What the standard asks for around a code. Readers need it to find the corners.
const QUIET: usize = 4;

/// `text` as a picture, dark on light in every theme. None when it is too long for a QR code.
pub fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let side = width + 2 * QUIET;
    let path = dark_runs(&code.into_colors(), width);
    Some(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img" shape-rendering="crispEdges"><title>QR code for your authenticator app</title><rect width="{side}" height="{side}" fill="#fff"/><path fill="#000" d="{path}"/></svg>"##
    ))
}

/// One path for all that is dark: a box for each run of modules in a row.
fn dark_runs(modules: &[Color], width: usize) -> String {
    let mut path = String::new();
    for (row, modules) in modules.chunks(width).enumerate() {
        let y = row + QUIET;
        let mut x = QUIET;
        for run in modules.chunk_by(|a, b| a == b) {
            let length = run.len();
            if run[0] == Color::Dark {
                let _ = write!(path, "M{x} {y}h{length}v1H{x}z");
            }
            x += length;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture read back: its modules row by row, without the quiet zone.
    fn read(svg: &str) -> Vec<Vec<bool>> {
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let between = |start: &str, end: &str| {
            let rest = svg.split_once(start).expect("the start is there").1;
            rest.split_once(end).expect("the end is there").0
        };
        let side = number(between("viewBox=\"0 0 ", " "));
        let mut dark = vec![vec![false; side]; side];
        for run in between(" d=\"M", "\"").split('M') {
            let (x, rest) = run.split_once(' ').expect("a place");
            let (y, rest) = rest.split_once('h').expect("a length");
            let (length, _) = rest.split_once('v').expect("a height");
            dark[number(y)][number(x)..][..number(length)].fill(true);
        }
        let quiet = |place: usize| place < QUIET || place >= side - QUIET;
        for (y, row) in dark.iter().enumerate() {
            for (x, dark) in row.iter().enumerate() {
                assert!(!(*dark && (quiet(x) || quiet(y))), "the quiet zone is light at {x}, {y}");
            }
        }
        dark[QUIET..side - QUIET].iter().map(|row| row[QUIET..side - QUIET].to_vec()).collect()
    }

    /// A square of three within a ring of seven, as it stands in three of the corners.
    fn is_finder(modules: &[Vec<bool>], left: usize, top: usize) -> bool {
        (0..7).all(|y| {
            (0..7).all(|x| {
                let ring = x == 0 || x == 6 || y == 0 || y == 6;
                let core = (2..5).contains(&x) && (2..5).contains(&y);
                modules[top + y][left + x] == (ring || core)
            })
        })
    }

    #[test]
    fn the_picture_is_a_qr_code() {
        let modules = read(&svg("otpauth://totp/Dev%20Forge:ada%40example.com?secret=ABC").expect("fits"));
        let width = modules.len();
        // Every version is four modules wider than the one before.
        assert_eq!((width - 17) % 4, 0, "{width}");
        assert!(is_finder(&modules, 0, 0));
        assert!(is_finder(&modules, width - 7, 0));
        assert!(is_finder(&modules, 0, width - 7));
        assert!(!is_finder(&modules, width - 7, width - 7));
        for (place, row) in modules.iter().enumerate().take(width - 8).skip(8) {
            assert_eq!(modules[6][place], place % 2 == 0, "the timing pattern at {place}");
            assert_eq!(row[6], place % 2 == 0, "the timing pattern at {place}");
        }
        assert!(modules[width - 8][8], "the module that is always dark");
    }

    #[test]
    fn the_modules_are_those_of_the_encoder() {
        let text = "otpauth://totp/Dev%20Forge:grace%40example.com?secret=DEF";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("fits");
        let expected: Vec<bool> = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        assert_eq!(read(&svg(text).expect("fits")).concat(), expected);
    }

    #[test]
    fn the_picture_has_a_name_and_no_inline_style() {
        let svg = svg("x").expect("fits");
        assert!(svg.contains("role=\"img\"") && svg.contains("<title>") && !svg.contains("style="), "{svg}");
    }

    #[test]
    fn what_is_too_long_is_no_picture() {
        assert!(svg(&"x".repeat(3_000)).is_none());
    }
}
