//! The drawings that are committed, and how they are made anew.

use super::*;

const WIDTH: u32 = 1600;
const HEIGHT: u32 = 620;

struct Drawing {
    seed: &'static str,
    layers: u32,
    eyes: &'static [Eye],
    hot: i32,
}

const fn eye(x: f64, y: f64, reach_x: f64, reach_y: f64, strength: f64) -> Eye {
    Eye { x, y, reach_x, reach_y, strength }
}

// The numbers in the seeds were chosen for how the hot line runs: on the home page it sinks behind the editor and
// comes up again under the buttons, on the 404 it climbs beside the words and falls off to the right.
const HOME: Drawing = Drawing {
    seed: "home 40132",
    layers: 40,
    eyes: &[
        eye(800.0, 350.0, 150.0, 80.0, -2.0),
        eye(1590.0, 130.0, 110.0, 50.0, 5.0),
        eye(490.0, 90.0, 140.0, 60.0, -2.0),
    ],
    hot: 20,
};

const NOT_FOUND: Drawing = Drawing {
    seed: "not found 70001",
    layers: 36,
    eyes: &[
        eye(912.0, 60.0, 95.0, 36.0, 5.0),
        eye(1190.0, 262.0, 80.0, 40.0, 4.5),
        eye(1320.0, 275.0, 90.0, 45.0, -4.5),
        eye(900.0, 390.0, 110.0, 60.0, -3.0),
        eye(500.0, 330.0, 100.0, 50.0, 3.0),
    ],
    hot: 11,
};

impl Drawing {
    fn svg(&self) -> String {
        field_svg(WIDTH, HEIGHT, self.seed, self.layers, self.eyes, self.hot)
    }

    /// The hot layer's longest line between two columns.
    fn hot_line(&self, from: f64, to: f64) -> String {
        let field = Field::wide(HEIGHT, self.seed, self.layers, self.eyes);
        let mut line = field
            .lines(WIDTH.into(), HEIGHT.into(), 8.0)
            .into_iter()
            .filter(|&(layer, _)| layer == self.hot)
            .map(|(_, line)| line)
            .max_by(|a, b| length(a).total_cmp(&length(b)))
            .expect("the hot layer is in the drawing");
        if line[0].0 > line[line.len() - 1].0 {
            line.reverse();
        }
        line.retain(|&(x, _)| (from..=to).contains(&x));
        path(&simplify(&line, TOLERANCE))
    }
}

/// Reads M, L, Q and T with their numbers, and fails on anything else.
fn points(d: &str) -> Vec<Point> {
    let mut points = Vec::new();
    let starts: Vec<usize> = d.match_indices(|c: char| c.is_ascii_alphabetic()).map(|(at, _)| at).collect();
    assert_eq!(starts.first(), Some(&0));
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(d.len());
        let numbers: Vec<f64> =
            d[start + 1..end].split(' ').map(|number| number.parse().expect("a number")).collect();
        let wanted = match &d[start..=start] {
            "M" | "L" | "T" => 2,
            "Q" => 4,
            other => panic!("unexpected command {other}"),
        };
        assert_eq!(numbers.len(), wanted, "{}", &d[start..end]);
        points.extend(numbers.chunks(2).map(|pair| (pair[0], pair[1])));
    }
    points
}

fn paths(markup: &str) -> Vec<&str> {
    markup.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn a_seed_always_draws_the_same_tile_and_another_one_a_different_tile() {
    for class in [Tile::Small, Tile::Large] {
        assert_eq!(tile("northbeam.sql-lens", class), tile("northbeam.sql-lens", class));
        assert_ne!(tile("northbeam.sql-lens", class), tile("forge.rust-tools", class));
    }
    assert_ne!(tile("northbeam.sql-lens", Tile::Small), tile("northbeam.sql-lens", Tile::Large));
}

#[test]
fn every_tile_stays_in_its_box_and_has_one_hot_line_among_cold_ones() {
    for seed in 0..300 {
        for class in [Tile::Small, Tile::Large] {
            let markup = tile(&format!("publisher.extension-{seed}"), class);
            let [cold, hot] = paths(&markup)[..] else { panic!("two paths in {markup}") };
            assert!(cold.matches('M').count() >= 4, "{markup}");
            assert_eq!(hot.matches('M').count(), 1);
            let inside = |&(x, y): &Point| (0.0..=TILE).contains(&x) && (0.0..=TILE).contains(&y);
            assert!(points(cold).iter().chain(&points(hot)).all(inside), "{markup}");
        }
    }
}

#[test]
fn the_committed_drawings_are_what_the_field_gives() {
    // After a change to the field: `DRAW_GRAIN=1 cargo test -p app grain -- --nocapture`, and take over the lines.
    if std::env::var_os("DRAW_GRAIN").is_some() {
        let public = concat!(env!("CARGO_MANIFEST_DIR"), "/../public");
        for (name, drawing) in [("grain-home.svg", HOME), ("grain-404.svg", NOT_FOUND)] {
            std::fs::write(format!("{public}/{name}"), drawing.svg()).expect("the file is writable");
        }
        println!("{}", HOME.hot_line(0.0, 1600.0));
        println!("{}\n{}", NOT_FOUND.hot_line(690.0, 958.0), NOT_FOUND.hot_line(1010.0, 1600.0));
        return;
    }
    assert_eq!(HOME.svg(), include_str!("../../../../public/grain-home.svg"));
    assert_eq!(NOT_FOUND.svg(), include_str!("../../../../public/grain-404.svg"));
    assert_eq!(HOME.hot_line(0.0, 1600.0), HOME_HOT_LINE);
    assert_eq!(
        (NOT_FOUND.hot_line(690.0, 958.0), NOT_FOUND.hot_line(1010.0, 1600.0)),
        (NOT_FOUND_HOT_LINE.0.to_owned(), NOT_FOUND_HOT_LINE.1.to_owned())
    );
}

#[test]
fn the_drawings_stay_in_their_box_and_small() {
    for drawing in [HOME, NOT_FOUND] {
        let svg = drawing.svg();
        assert!(svg.len() <= 16 * 1024, "{} bytes", svg.len());
        let inside =
            |&(x, y): &Point| (0.0..=WIDTH.into()).contains(&x) && (0.0..=HEIGHT.into()).contains(&y);
        assert!(points(paths(&svg)[0]).iter().all(inside));
    }
}
