//! A line as points, and as path data.

use std::fmt::Write;

use super::Point;

/// Douglas and Peucker: leaves out the points that lie within the tolerance of the line without them.
pub(super) fn simplify(line: &[Point], tolerance: f64) -> Vec<Point> {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else {
        return Vec::new();
    };
    let (dx, dy) = (last.0 - first.0, last.1 - first.1);
    let span = (dx * dx + dy * dy).sqrt();
    let away = |&(x, y): &Point| {
        let (px, py) = (x - first.0, y - first.1);
        // A ring begins where it ends, so there the distance is the one to that point.
        if span == 0.0 { (px * px + py * py).sqrt() } else { (px * dy - py * dx).abs() / span }
    };
    let farthest = (0..line.len()).max_by(|&a, &b| away(&line[a]).total_cmp(&away(&line[b])));
    match farthest {
        Some(index) if away(&line[index]) > tolerance => {
            let mut points = simplify(&line[..=index], tolerance);
            points.pop();
            points.extend(simplify(&line[index..], tolerance));
            points
        }
        _ => vec![first, last],
    }
}

/// The line as path data: its points steer quadratic curves that meet halfway between them. That is what `T` assumes, so
/// after the first curve only the meeting points are written. Each is rounded with the steering point that its reader
/// will work out, not with the true one, so that rounding does not add up along the line.
pub(super) fn path(line: &[Point]) -> String {
    let [first, .., last] = line else {
        return String::new();
    };
    if line.len() == 2 {
        return format!("M{}L{}", Tenths::of(*first), Tenths::of(*last));
    }
    let ring = first == last;
    let start = if ring { middle(*first, line[1]) } else { *first };
    let mut steer = Tenths::of(line[1]);
    let mut d = format!("M{}Q{steer} ", Tenths::of(start));
    for (at, &point) in line.iter().enumerate().skip(2) {
        let closing = at + 1 == line.len();
        let end = if closing && !ring { Tenths::of(point) } else { Tenths::of(middle(steer.point(), point)) };
        let _ = write!(d, "{}{end}", if at == 2 { "" } else { "T" });
        steer = Tenths(2 * end.0 - steer.0, 2 * end.1 - steer.1);
    }
    if ring {
        let _ = write!(d, "T{}", Tenths::of(start));
    }
    d
}

fn middle(a: Point, b: Point) -> Point {
    ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
}

/// A point in tenths, as it is written.
#[derive(Clone, Copy)]
struct Tenths(i64, i64);

impl Tenths {
    fn of((x, y): Point) -> Self {
        Self((x * 10.0).round() as i64, (y * 10.0).round() as i64)
    }

    fn point(self) -> Point {
        (self.0 as f64 / 10.0, self.1 as f64 / 10.0)
    }
}

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (x, y) = self.point();
        write!(f, "{x} {y}")
    }
}

pub(super) fn length(line: &[Point]) -> f64 {
    line.windows(2)
        .map(|pair| {
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            (dx * dx + dy * dy).sqrt()
        })
        .sum()
}
