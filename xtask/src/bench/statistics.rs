//! Whether two lots of figures come from the same source, as far as figures can tell.

use super::report::median;

pub struct Difference {
    /// Of the first lot and of the second.
    pub medians: (f64, f64),
    /// Between the quarters of both lots together: where the middle half lies.
    pub spread: f64,
    /// How often two lots from one source would differ as much as these, by chance.
    pub p: f64,
}

impl Difference {
    pub fn between(first: &[f64], second: &[f64]) -> Self {
        let mut both = [first, second].concat();
        both.sort_by(f64::total_cmp);
        Self {
            medians: (median(first.iter().copied()), median(second.iter().copied())),
            spread: quantile(&both, 0.75) - quantile(&both, 0.25),
            p: mann_whitney(first, second),
        }
    }
}

/// The two-sided U test of Mann and Whitney, which supposes nothing about how times are distributed: with the normal
/// approximation, corrected for ties and for steps. Fit for lots of twenty and more.
fn mann_whitney(first: &[f64], second: &[f64]) -> f64 {
    let (n, m) = (first.len() as f64, second.len() as f64);
    let all = n + m;
    let mut ranked: Vec<(f64, bool)> = first.iter().map(|value| (*value, true)).collect();
    ranked.extend(second.iter().map(|value| (*value, false)));
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0.0);
    for equal in ranked.chunk_by(|one, other| one.0 == other.0) {
        let count = equal.len() as f64;
        // Equals share the mean of the ranks they take up.
        let rank = before + (count + 1.0) / 2.0;
        rank_sum += rank * equal.iter().filter(|(_, is_first)| *is_first).count() as f64;
        ties += count.powi(3) - count;
        before += count;
    }
    let u = rank_sum - n * (n + 1.0) / 2.0;
    let deviation = (n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)))).sqrt();
    // All the same, or none at all: nothing differs.
    if deviation.is_nan() || deviation == 0.0 {
        return 1.0;
    }
    let z = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / deviation;
    erfc(z / std::f64::consts::SQRT_2).min(1.0)
}

/// The complementary error function from 0 on, to seven digits (Press et al., Numerical Recipes, 6.2).
fn erfc(x: f64) -> f64 {
    const SERIES: [f64; 10] = [
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = SERIES.iter().rev().fold(0.0, |sum, term| sum * t + term);
    t * (sum - x * x).exp()
}

/// The figure of sorted ones that so large a part of them does not exceed (the nearest rank). None of none.
pub fn percentile(sorted: &[f64], part: f64) -> Option<f64> {
    sorted.get(((sorted.len() as f64 * part).ceil() as usize).saturating_sub(1)).copied()
}

/// Of sorted figures, with a straight line between two of them.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = part * last as f64;
    let below = sorted[position.floor() as usize];
    let above = sorted[position.ceil() as usize];
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= expected.abs() * 1e-6
    }

    #[test]
    fn the_test_agrees_with_a_known_example() {
        // From the documentation of SciPy's mannwhitneyu: U is 17, p is 0.11134688653314041.
        let (men, women) = ([19.0, 22.0, 16.0, 29.0, 24.0], [20.0, 11.0, 17.0, 12.0]);
        assert!(close(mann_whitney(&men, &women), 0.111_346_886_5));
        assert!(close(mann_whitney(&women, &men), 0.111_346_886_5));
    }

    #[test]
    fn ties_are_corrected_for() {
        let p = mann_whitney(&[1.0, 2.0, 2.0, 3.0, 4.0], &[2.0, 3.0, 3.0, 5.0, 6.0]);
        assert!(close(p, 0.198_828_944_0), "{p}");
    }

    #[test]
    fn sameness_and_difference_are_told_apart() {
        let lot = |from: u32| (from..from + 100).map(f64::from).collect::<Vec<_>>();
        assert!(mann_whitney(&lot(0), &lot(0)) > 0.99);
        assert!(mann_whitney(&lot(0), &lot(50)) < 1e-15);
        assert_eq!(mann_whitney(&[1.0; 20], &[1.0; 20]), 1.0);
        assert_eq!(mann_whitney(&[], &[]), 1.0);
    }

    #[test]
    fn the_error_function_meets_its_table() {
        for (x, expected) in [(0.0, 1.0), (0.5, 0.479_500_122), (1.0, 0.157_299_207), (2.0, 0.004_677_735)] {
            assert!(close(erfc(x), expected), "erfc({x})");
        }
    }

    #[test]
    fn a_percentile_is_one_of_the_figures() {
        let figures: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&figures, 0.5), Some(100.0));
        assert_eq!(percentile(&figures, 0.99), Some(198.0));
        assert_eq!(percentile(&figures, 1.0), Some(200.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.99), None);
    }

    #[test]
    fn the_spread_is_that_of_the_middle_half() {
        let difference = Difference::between(&[1.0, 2.0, 3.0], &[4.0, 5.0]);
        assert_eq!((difference.medians, difference.spread), ((2.0, 4.5), 2.0));
        assert_eq!(quantile(&[1.0, 2.0], 0.25), 1.25);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
