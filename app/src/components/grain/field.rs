//! The field of layers, and its iso-lines by marching squares.

use std::collections::BTreeMap;

use super::random::{Random, bell, noise};
use super::{Eye, Point};

/// f(x, y) = y · layers / height + warp · noise + eyes. Its lines are where it passes a half-integer.
pub(super) struct Field {
    pub(super) seed: u64,
    pub(super) height: f64,
    pub(super) layers: f64,
    pub(super) warp: f64,
    pub(super) scale: (f64, f64),
    /// The direction in which the layers are stacked, as (x, y) of a unit vector.
    pub(super) turn: (f64, f64),
    pub(super) eyes: Vec<Eye>,
}

impl Field {
    /// A field the width of a page: long calm waves.
    pub(super) fn wide(height: u32, seed: &str, layers: u32, eyes: &[Eye]) -> Self {
        Self {
            seed: Random::new(seed).next(),
            height: height.into(),
            layers: layers.into(),
            warp: f64::from(layers) * 0.2,
            scale: (430.0, 190.0),
            turn: (0.0, 1.0),
            eyes: eyes.to_vec(),
        }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        let across = x * self.turn.1 - y * self.turn.0;
        let up = x * self.turn.0 + y * self.turn.1;
        let (sx, sy) = self.scale;
        let noise = noise(self.seed, across / sx, up / sy)
            + 0.35 * noise(self.seed.wrapping_add(1), across / sx * 2.1, up / sy * 1.7);
        let eyes: f64 = self
            .eyes
            .iter()
            .map(|eye| {
                let (dx, dy) = ((x - eye.x) / eye.reach_x, (y - eye.y) / eye.reach_y);
                eye.strength * bell(dx * dx + dy * dy)
            })
            .sum();
        up * self.layers / self.height + self.warp * noise + eyes
    }

    /// Every line of the field in the box, with its layer: marching squares on a grid of `step`.
    pub(super) fn lines(&self, width: f64, height: f64, step: f64) -> Vec<(i32, Vec<Point>)> {
        let columns = (width / step).ceil() as usize;
        let rows = (height / step).ceil() as usize;
        let x = |column: usize| (column as f64 * step).min(width);
        let y = |row: usize| (row as f64 * step).min(height);
        let grid: Vec<Vec<f64>> =
            (0..=rows).map(|row| (0..=columns).map(|column| self.at(x(column), y(row))).collect()).collect();
        let (low, high) = grid
            .iter()
            .flatten()
            .fold((f64::MAX, f64::MIN), |(low, high), &value| (low.min(value), high.max(value)));

        let mut lines = Vec::new();
        for layer in low.floor() as i32..=high.ceil() as i32 {
            let level = f64::from(layer) + 0.5;
            let mut net = Net::default();
            for row in 0..rows {
                for column in 0..columns {
                    let corners = [(0, 0), (0, 1), (1, 1), (1, 0)].map(|(down, right)| {
                        let (row, column) = (row + down, column + right);
                        (x(column), y(row), grid[row][column] - level)
                    });
                    net.add_cell(row, column, corners);
                }
            }
            lines.extend(net.into_lines().into_iter().map(|line| (layer, line)));
        }
        lines
    }
}

/// An edge of the grid: its row, its column, and whether it goes down (or right).
type Edge = (usize, usize, bool);

/// The crossings of one level with the grid's edges, and which of them a cell joins.
#[derive(Default)]
struct Net {
    crossings: BTreeMap<Edge, (Point, Vec<Edge>)>,
}

impl Net {
    /// Corners go clockwise from the top left; a corner's number is above zero where the field is above the level.
    fn add_cell(&mut self, row: usize, column: usize, corners: [(f64, f64, f64); 4]) {
        let edges =
            [(row, column, false), (row, column + 1, true), (row + 1, column, false), (row, column, true)];
        let mut crossed = Vec::new();
        for side in 0..4 {
            let ((ax, ay, a), (bx, by, b)) = (corners[side], corners[(side + 1) % 4]);
            if (a > 0.0) != (b > 0.0) {
                let part = a / (a - b);
                self.crossings
                    .entry(edges[side])
                    .or_insert_with(|| ((ax + (bx - ax) * part, ay + (by - ay) * part), Vec::new()));
                crossed.push(edges[side]);
            }
        }
        // Four crossings are a saddle: the middle says which two corners hang together, and the lines cut off the others.
        let middle = corners.iter().map(|corner| corner.2).sum::<f64>();
        if crossed.len() == 4 && (middle > 0.0) != (corners[0].2 > 0.0) {
            crossed.rotate_right(1);
        }
        for pair in crossed.chunks_exact(2) {
            for (from, to) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                if let Some((_, joined)) = self.crossings.get_mut(&from) {
                    joined.push(to);
                }
            }
        }
    }

    /// Open lines first, from their ends; what is left are rings, whose last point is their first.
    fn into_lines(mut self) -> Vec<Vec<Point>> {
        let ends = self.crossings.iter().filter(|(_, (_, joined))| joined.len() == 1).map(|(&edge, _)| edge);
        let starts: Vec<Edge> = ends.chain(self.crossings.keys().copied()).collect();
        let mut lines = Vec::new();
        for start in starts {
            let mut line = Vec::new();
            let mut next = Some(start);
            let mut ring = false;
            while let Some((point, joined)) = next.and_then(|edge| self.crossings.remove(&edge)) {
                line.push(point);
                ring = line.len() > 2 && joined.contains(&start);
                next = joined.into_iter().find(|edge| self.crossings.contains_key(edge));
            }
            if ring {
                line.push(line[0]);
            }
            if line.len() > 1 {
                lines.push(line);
            }
        }
        lines
    }
}
