//! The table at the end.

use std::fs;

use super::load::Sample;

/// From here on the load generator is the narrowest place.
pub const BUSY: f64 = 0.95;

/// One comparison: the same rounds on both sides.
pub struct Row {
    pub what: &'static str,
    pub peer: &'static str,
    pub aim: Option<f64>,
    pub rounds: Vec<(Sample, Sample)>,
}

/// What else there is to know.
pub struct Facts {
    pub seconds: u32,
    pub devforge_resident: u64,
    pub nginx_resident: u64,
}

const HEAD: [&str; 10] = ["", "devforge", "peer", "", "ratio", "aim", "devforge", "peer", "devforge", "peer"];
const UNITS: [&str; 10] = ["", "req/s", "", "req/s", "", "", "CPU µs/req", "CPU µs/req", "p99", "p99"];

pub fn render(rows: &[Row], facts: &Facts) -> String {
    let mut text = table(rows);
    text.push('\n');
    for line in notes(rows, facts) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The figures alone.
pub fn table(rows: &[Row]) -> String {
    let mut cells: Vec<Vec<String>> =
        vec![HEAD.map(str::to_owned).to_vec(), UNITS.map(str::to_owned).to_vec()];
    cells.extend(rows.iter().map(Row::cells));
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let line: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| match column {
                // Words begin, figures end in one line.
                0 | 2 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let ours = |of: fn(&Sample) -> f64| median(self.rounds.iter().map(|(ours, _)| of(ours)));
        let theirs = |of: fn(&Sample) -> f64| median(self.rounds.iter().map(|(_, theirs)| of(theirs)));
        let ratio = self.ratio();
        let aim = self.aim.map_or_else(String::new, |aim| {
            let verdict = if ratio >= aim { "met" } else { "missed" };
            format!("≥ {aim:.1} {verdict}")
        });
        vec![
            self.what.to_owned(),
            grouped(ours(|sample| sample.per_second)),
            self.peer.to_owned(),
            grouped(theirs(|sample| sample.per_second)),
            format!("{ratio:.2}"),
            aim,
            format!("{:.1}", ours(|sample| sample.cpu_micros)),
            format!("{:.1}", theirs(|sample| sample.cpu_micros)),
            latency(self.rounds.iter().map(|(ours, _)| ours.p99_micros)),
            latency(self.rounds.iter().map(|(_, theirs)| theirs.p99_micros)),
        ]
    }

    /// The machine's own mood changes over minutes and hits both sides of a round alike.
    fn ratio(&self) -> f64 {
        median(self.rounds.iter().map(|(ours, theirs)| ours.per_second / theirs.per_second))
    }
}

fn notes(rows: &[Row], facts: &Facts) -> Vec<String> {
    let rounds = rows.iter().map(|row| row.rounds.len()).min().unwrap_or(0);
    let mut notes = vec![
        format!(
            "Each figure is the median of {rounds} rounds of {} s, devforge and its peer in turn; a ratio is the median of the rounds' ratios.",
            facts.seconds
        ),
        format!("{}. Load generators and servers share it.", machine()),
        format!(
            "Resident memory at the end: devforge {}, nginx {} with its workers.",
            megabytes(facts.devforge_resident),
            megabytes(facts.nginx_resident)
        ),
    ];
    for row in rows {
        let database: Vec<f64> = row.rounds.iter().filter_map(|(ours, _)| ours.database_micros).collect();
        if !database.is_empty() {
            notes.push(format!(
                "{}: PostgreSQL spends another {:.1} µs on each request to devforge; pgbench's figure is PostgreSQL's alone.",
                row.what,
                median(database)
            ));
        }
        let ours = row.rounds.iter().filter_map(|(ours, _)| ours.generator_busy);
        let theirs = row.rounds.iter().filter_map(|(_, theirs)| theirs.generator_busy);
        for (name, busy) in [("devforge", ours.collect::<Vec<_>>()), (row.peer, theirs.collect())] {
            if !busy.is_empty() && median(busy.iter().copied()) >= BUSY {
                notes.push(format!(
                    "{}: wrk used its whole core on {name}, which could serve more: compare the CPU time per request.",
                    row.what
                ));
            }
        }
    }
    notes
}

/// An aim that is no ratio of throughputs, and whether it is reached.
pub struct Aim {
    pub words: String,
    pub met: bool,
}

impl Aim {
    pub fn line(&self) -> String {
        format!("{}: {}.", self.words, if self.met { "met" } else { "missed" })
    }
}

pub fn most(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, f64::max)
}

pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map(|(_, model)| format!(" of {}", model.trim()))
        .unwrap_or_default();
    let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    format!("{cores}{model}")
}

/// The middle one, or the mean of the two in the middle. Never asked without a figure.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn latency(values: impl Iterator<Item = Option<f64>>) -> String {
    let known: Vec<f64> = values.flatten().collect();
    if known.is_empty() {
        return "–".to_owned();
    }
    duration(median(known))
}

pub fn duration(micros: f64) -> String {
    match micros {
        micros if micros < 1e3 => format!("{micros:.0} µs"),
        micros if micros < 1e6 => format!("{:.2} ms", micros / 1e3),
        micros => format!("{:.2} s", micros / 1e6),
    }
}

/// A whole number with a comma before every third digit.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(per_second: f64, busy: Option<f64>) -> Sample {
        Sample {
            per_second,
            cpu_micros: 11.0,
            database_micros: busy.map(|_| 4.0),
            p99_micros: busy.map(|_| 1_500.0),
            generator_busy: busy,
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }

    #[test]
    fn figures_are_easy_to_read() {
        assert_eq!(grouped(7.4), "7");
        assert_eq!(grouped(1_234.5), "1,234");
        assert_eq!(grouped(123_456.0), "123,456");
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(latency([Some(940.0)].into_iter()), "940 µs");
        assert_eq!(latency([Some(1_520.0), None].into_iter()), "1.52 ms");
        assert_eq!(latency([None].into_iter()), "–");
    }

    #[test]
    fn a_row_says_whether_the_aim_is_met() {
        let rounds =
            [10.0, 60.0, 61.0, 62.0, 90.0].map(|ours| (sample(ours, Some(1.0)), sample(100.0, None)));
        let row = |aim| Row { what: "Read", peer: "pgbench", aim: Some(aim), rounds: rounds.to_vec() };
        let facts = Facts { seconds: 3, devforge_resident: 50_000_000, nginx_resident: 9_500_000 };
        let text = render(&[row(0.6), row(0.7)], &facts);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Read 61 pgbench 100 0.61 ≥ 0.6 met"), "{text}");
        assert!(words.contains("0.61 ≥ 0.7 missed"), "{text}");
        assert!(text.contains("median of 5 rounds of 3 s"), "{text}");
        assert!(text.contains("devforge 50.0 MB, nginx 9.5 MB"), "{text}");
        assert!(text.contains("another 4.0 µs"), "{text}");
        assert!(text.contains("wrk used its whole core on devforge"), "{text}");
    }
}
