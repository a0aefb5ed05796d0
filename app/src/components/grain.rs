//! The grain: folded steel as the iso-lines of a layered field. It draws the home page, the 404 and the tile of a thing
//! that has no picture of its own.
//!
//! The same seed gives the same drawing on every machine and in every build. The drawings are committed and cached under
//! a content hash, and a tile is how people recognise an extension, so nothing here may depend on a platform: the random
//! numbers are our own, and the arithmetic keeps to the operations that IEEE 754 fixes to the last bit (no `exp`, no `sin`).

use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt::Write;

use field::Field;
use line::{length, path, simplify};
use random::Random;

mod field;
mod line;
mod random;
#[cfg(test)]
mod tests;

/// The hot line of the home page, in the box of `grain-home.svg`. It is one of the field's own lines, which the field
/// leaves out: it comes in from the left, dips behind the editor and leaves to the right.
pub const HOME_HOT_LINE: &str = "M0 324.1Q104 311.5 120 310.3T192 310.3T300 307T368 303.1T420 306.9T496 307.5T548 305T576 307.6T624 321.4T679.1 338.4T743.1 349.9T812 357.9T864 358.1T932 346.8T1004 332.9T1108 318.2T1200 306.7T1244 306T1328 315.8T1404 326.9T1440 329.2T1484 326T1524 322T1548 322.3T1600 328.4";

/// The line that breaks on the 404, in the box of `grain-404.svg`: its hot part, and what goes on cold after the gap.
pub const NOT_FOUND_HOT_LINE: (&str, &str) = (
    "M696 226.7Q751.2 216 807.6 209.6T952 191.1",
    "M1016 187.3Q1056 187.5 1096 190.2T1216 190.7T1316 189.1T1356 193.3T1428 211.9T1496 229.8T1528 231.8T1600 216.7",
);

/// How many layers a tile has: more where there is room to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// Up to 64 px: 7 to 10 layers.
    Small,
    /// Above 64 px: 12 to 15 layers.
    Large,
}

/// A place where the layers bend around something: positive lifts the lines, negative lets them sag.
#[derive(Clone, Copy, Debug)]
pub struct Eye {
    pub x: f64,
    pub y: f64,
    pub reach_x: f64,
    pub reach_y: f64,
    /// In layers.
    pub strength: f64,
}

/// The tile's side, in its own units.
const TILE: f64 = 64.0;
/// A simplified line may leave the true one by this much, in pixels of the drawing.
const TOLERANCE: f64 = 1.1;

type Point = (f64, f64);

/// The markup inside a tile's `<svg viewBox="0 0 64 64">`: the cold lines in one path, and one line with class `hot`.
pub fn tile(seed: &str, size_class: Tile) -> String {
    let mut random = Random::new(seed);
    let layers = match size_class {
        Tile::Small => random.between(7, 10),
        Tile::Large => random.between(12, 15),
    };
    let turn = [(0.0, 1.0), (-FRAC_1_SQRT_2, FRAC_1_SQRT_2), (1.0, 0.0)][random.between(0, 2) as usize];
    let restless = random.unit();
    let field = Field {
        seed: random.next(),
        height: TILE,
        layers: f64::from(layers),
        warp: f64::from(layers) * (0.2 + 0.2 * restless),
        scale: (30.0 - 14.0 * random.unit(), 34.0),
        turn,
        eyes: (0..random.between(1, 2))
            .map(|_| Eye {
                x: TILE * random.unit(),
                y: TILE * random.unit(),
                reach_x: 10.0 + 10.0 * random.unit(),
                reach_y: 8.0 + 8.0 * random.unit(),
                strength: f64::from(layers) * (0.3 * random.unit() - 0.15),
            })
            .collect(),
    };

    let lines: Vec<Vec<Point>> = field
        .lines(TILE, TILE, 2.0)
        .into_iter()
        .map(|(_, line)| simplify(&line, TOLERANCE / 2.0))
        .filter(|line| length(line) > 6.0)
        .collect();
    // The hot line runs through: its ends are far apart, and it lies near a depth that the seed chooses.
    let depth = TILE * (0.3 * random.unit() - 0.15);
    let merit = |line: &[Point]| {
        let ends = length(&[line[0], line[line.len() - 1]]);
        let lies = |&(x, y): &Point| (x - TILE / 2.0) * turn.0 + (y - TILE / 2.0) * turn.1;
        let mean = line.iter().map(lies).sum::<f64>() / line.len() as f64;
        ends.min(TILE) - 2.0 * (mean - depth).abs()
    };
    let hot = (0..lines.len()).max_by(|&a, &b| merit(&lines[a]).total_cmp(&merit(&lines[b])));

    let mut cold = String::new();
    for (index, line) in lines.iter().enumerate() {
        if Some(index) != hot {
            cold.push_str(&path(line));
        }
    }
    let mut markup = format!("<path d=\"{cold}\"/>");
    if let Some(index) = hot {
        let _ = write!(markup, "<path class=\"hot\" d=\"{}\"/>", path(&lines[index]));
    }
    markup
}

/// A whole drawing as an SVG that serves as a mask: black lines, 1 px. `left_out` is the layer whose line is drawn
/// elsewhere, in ember.
pub fn field_svg(width: u32, height: u32, seed: &str, layers: u32, eyes: &[Eye], left_out: i32) -> String {
    let mut d = String::new();
    for (layer, line) in Field::wide(height, seed, layers, eyes).lines(width.into(), height.into(), 8.0) {
        let line = simplify(&line, TOLERANCE);
        // A ring of a few pixels reads as dirt.
        if layer != left_out && length(&line) > 60.0 {
            d.push_str(&path(&line));
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\
         <path fill=\"none\" stroke=\"#000\" d=\"{d}\"/></svg>\n"
    )
}
