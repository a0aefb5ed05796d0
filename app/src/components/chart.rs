//! A line chart drawn on the server. The plot is an SVG that stretches; the words around it are HTML and never do.
//! The table behind it carries the same numbers for everyone who cannot or does not want to read a picture.

use std::fmt::Write;

use leptos::prelude::*;

use super::Icon;

/// The plot's own units. Strokes do not scale with them.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

#[component]
pub fn LineChart(
    #[prop(into)] title: String,
    /// One label a value, in order.
    labels: Vec<String>,
    values: Vec<f64>,
    /// The period before, drawn dashed behind. As many values, or none.
    #[prop(optional)]
    previous: Vec<f64>,
    /// `$` and other signs that go before a number, or a word such as `ms` that goes after it.
    #[prop(optional, into)]
    unit: String,
    /// The words of the key: this period and the one before.
    #[prop(optional, into)]
    period: String,
) -> impl IntoView {
    let scale = Scale::over(values.iter().chain(&previous).copied());
    let sentence = sentence(&title, &labels, &values, &unit);
    let grid = scale.grid();
    let zero = format!("M0 {0:.1}H{WIDTH}", scale.y(0.0));
    let line = scale.line(&values);
    let area = scale.area(&values);
    let last = scale.last(&values);
    let before = (!previous.is_empty()).then(|| scale.line(&previous));
    let key = (!previous.is_empty()).then(move || {
        view! { <ul class="chart-key"><li>{period}</li><li class="prev">"The period before"</li></ul> }
    });
    let steps = scale.steps().map(|step| view! { <span>{amount(step, &unit, true)}</span> }).collect_view();
    let ticks = ticks(labels.len())
        .into_iter()
        .filter_map(|index| labels.get(index).cloned())
        .map(|label| view! { <span>{label}</span> })
        .collect_view();
    let table = table(&title, &labels, &values, &previous, &unit);

    view! {
        <figure class="chart">
            <figcaption class="chart-head"><b>{title}</b>{key}</figcaption>
            <div class="chart-y" aria-hidden="true">{steps}</div>
            <svg class="chart-plot" viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label=sentence>
                <path class="chart-grid" d=grid></path>
                <path class="chart-zero" d=zero></path>
                <path class="chart-area" d=area></path>
                {before.map(|d| view! { <path class="chart-prev" d=d></path> })}
                <path class="chart-line" d=line></path>
                <path class="chart-last" d=last></path>
            </svg>
            <div class="chart-x" aria-hidden="true">{ticks}</div>
            <details class="chart-foot">
                <summary><Icon name="table" size=16/>"Show as table"</summary>
                {table}
            </details>
        </figure>
    }
}

fn table(
    title: &str,
    labels: &[String],
    values: &[f64],
    previous: &[f64],
    unit: &str,
) -> impl IntoView + use<> {
    let compared = !previous.is_empty();
    let rows = labels
        .iter()
        .zip(values)
        .enumerate()
        .map(|(index, (label, &value))| {
            let before = previous.get(index).map(|&value| amount(value, unit, false)).unwrap_or_default();
            view! {
                <tr>
                    <th scope="row">{label.clone()}</th>
                    <td class="num">{amount(value, unit, false)}</td>
                    {compared.then(|| view! { <td class="num">{before}</td> })}
                </tr>
            }
        })
        .collect_view();

    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label=format!("{title}, as a table")>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"When"</th>
                        <th scope="col" class="num">"Value"</th>
                        {compared.then(|| view! { <th scope="col" class="num">"The period before"</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// The vertical scale: from a round number to a round number, in steps of 1, 2, 2.5 or 5 times a power of ten.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// Zero is always on the scale, so that a line's height can be compared with another's.
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let span = if high > low { high - low } else { 1.0 };
        let power = 10.0_f64.powf((span / 5.0).log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .map(|part| part * power)
            .into_iter()
            // A hair of tolerance, so that 5 × 0.2 counts as reaching 1.
            .find(|step| span / step <= 5.0 + 1e-9)
            .unwrap_or(10.0 * power);
        let low = (low / step).floor() * step;
        let high = (high / step - 1e-9).ceil() * step;
        Self { low, high: if high > low { high } else { low + step }, step }
    }

    fn count(&self) -> u32 {
        ((self.high - self.low) / self.step).round() as u32
    }

    /// From the bottom up.
    fn steps(&self) -> impl Iterator<Item = f64> {
        (0..=self.count()).map(|index| self.low + f64::from(index) * self.step)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT * (self.high - value) / (self.high - self.low)
    }

    fn grid(&self) -> String {
        self.steps().fold(String::new(), |mut path, step| {
            let _ = write!(path, "M0 {:.1}H{WIDTH}", self.y(step));
            path
        })
    }

    fn points(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let gaps = (values.len().max(2) - 1) as f64;
        values
            .iter()
            .enumerate()
            .map(|(index, &value)| (index as f64 * WIDTH / gaps, self.y(value)))
            .collect()
    }

    fn line(&self, values: &[f64]) -> String {
        self.points(values).iter().enumerate().fold(String::new(), |mut path, (index, (x, y))| {
            let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
            path
        })
    }

    /// The line, closed along zero.
    fn area(&self, values: &[f64]) -> String {
        let points = self.points(values);
        let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else {
            return String::new();
        };
        let zero = self.y(0.0);
        format!("{}L{last:.1} {zero:.1}L{first:.1} {zero:.1}Z", self.line(values))
    }

    /// A stroke without length: with round ends it is a dot that stays round however the plot is stretched.
    fn last(&self, values: &[f64]) -> String {
        self.points(values).last().map(|(x, y)| format!("M{x:.1} {y:.1}h0")).unwrap_or_default()
    }
}

/// Which labels are shown: first and last, and as many evenly between as divide the way, seven at most.
fn ticks(count: usize) -> Vec<usize> {
    match count {
        0 => Vec::new(),
        1 => vec![0],
        _ => {
            let way = count - 1;
            let parts = (1..=6).rev().find(|parts| way.is_multiple_of(*parts)).unwrap_or(1);
            // A prime way divides by nothing; then the nearest values stand in.
            let parts = if parts < 3 { way.min(5) } else { parts };
            (0..=parts).map(|part| (part * way + parts / 2) / parts).collect()
        }
    }
}

fn sentence(title: &str, labels: &[String], values: &[f64], unit: &str) -> String {
    let (Some(from), Some(to), Some(&last)) = (labels.first(), labels.last(), values.last()) else {
        return format!("{title}: nothing to show yet.");
    };
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let [low, high, last] = [low, high, last].map(|value| amount(value, unit, false));
    format!("{title}, {from} to {to}: between {low} and {high}, last {last}.")
}

/// A number with its unit: signs go before it, words after it. On the axis thousands are shortened.
fn amount(value: f64, unit: &str, short: bool) -> String {
    let size = value.abs();
    let digits = match size {
        _ if short && size >= 1e6 => format!("{}M", trimmed(size / 1e6)),
        _ if short && size >= 1e3 => format!("{}k", trimmed(size / 1e3)),
        _ => grouped(size),
    };
    let sign = if value < 0.0 && digits != "0" { "−" } else { "" };
    if unit.is_empty() {
        format!("{sign}{digits}")
    } else if unit.chars().next().is_some_and(char::is_alphabetic) || unit == "%" {
        format!("{sign}{digits} {unit}")
    } else {
        format!("{sign}{unit}{digits}")
    }
}

/// At most two decimals, none for nothing.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// 12345.6 as "12,345.6".
fn grouped(value: f64) -> String {
    let text = trimmed(value);
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(values: &[f64]) -> Vec<f64> {
        Scale::over(values.iter().copied()).steps().collect()
    }

    #[test]
    fn steps_are_round_and_include_zero() {
        assert_eq!(steps(&[900.0, 2600.0]), [0.0, 1000.0, 2000.0, 3000.0]);
        assert_eq!(steps(&[10.0]), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(steps(&[-400.0, 10_900.0]), [-2500.0, 0.0, 2500.0, 5000.0, 7500.0, 10_000.0, 12_500.0]);
        assert_eq!(steps(&[]), steps(&[0.0]));
    }

    #[test]
    fn every_value_is_inside_the_plot() {
        for values in [vec![0.3, 0.7], vec![-5.0, -1.0], vec![1e9], vec![0.0, f64::NAN]] {
            let scale = Scale::over(values.iter().copied());
            for value in values.into_iter().filter(|value| value.is_finite()) {
                assert!((0.0..=HEIGHT).contains(&scale.y(value)), "{value}");
            }
        }
    }

    #[test]
    fn the_first_and_last_label_are_always_shown() {
        for count in 2..400 {
            let shown = ticks(count);
            assert_eq!((shown[0], shown[shown.len() - 1]), (0, count - 1));
            assert!(shown.len() <= 7 && shown.is_sorted_by(|a, b| a < b), "{count}: {shown:?}");
        }
    }

    #[test]
    fn amounts_carry_their_unit() {
        assert_eq!(amount(12_500.0, "$", true), "$12.5k");
        assert_eq!(amount(-2500.0, "$", false), "−$2,500");
        assert_eq!(amount(40.25, "ms", false), "40.25 ms");
        assert_eq!(amount(1_284.0, "", false), "1,284");
        assert_eq!(amount(-0.001, "", false), "0");
    }

    #[test]
    fn the_sentence_gives_range_and_last_value() {
        let labels = ["Mon".to_owned(), "Tue".to_owned()];
        assert_eq!(
            sentence("Checks", &labels, &[3.0, 5.0], ""),
            "Checks, Mon to Tue: between 3 and 5, last 5."
        );
        assert_eq!(sentence("Checks", &[], &[], ""), "Checks: nothing to show yet.");
    }
}
