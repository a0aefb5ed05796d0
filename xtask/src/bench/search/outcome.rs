//! The figures about search, and whether they are what is aimed at.

use std::time::Duration;

use super::{
    articles::{ARTICLES, QUESTIONS},
    inside::Inside,
    peer::{Matches, Sizes},
};
use crate::bench::{
    load::Sample,
    report::{Aim, BUSY, Row, duration, grouped, machine, median, megabytes, most, table},
};

/// One round of everybody.
#[derive(Clone, Copy)]
pub struct Round {
    pub inside: Inside,
    pub devforge: Sample,
    pub postgres: Sample,
}

pub struct Outcome {
    pub seconds: u32,
    pub rounds: Vec<Round>,
    /// How many documents devforge's index has: the articles, and what else the site holds.
    pub documents: u64,
    pub built_in: Duration,
    /// In bytes, on disk.
    pub index: u64,
    /// In bytes: before the rounds and after them.
    pub resident: (u64, u64),
    pub sizes: Sizes,
    pub matches: Matches,
}

const INSIDE_MICROS: f64 = 5e3;
const THROUGH_HTTP_MICROS: f64 = 20e3;
const RATIO: f64 = 20.0;

impl Outcome {
    pub fn render(&self) -> String {
        let row = Row {
            what: "Search, 16 connections",
            peer: "PostgreSQL's search",
            aim: None,
            rounds: self.rounds.iter().map(|round| (round.devforge, round.postgres)).collect(),
        };
        let mut text = table(&[row]);
        let aims: Vec<_> = self.aims().iter().map(Aim::line).collect();
        for part in [aims, self.notes()] {
            text.push('\n');
            text.push_str(&part.join("\n"));
            text.push('\n');
        }
        text
    }

    fn aims(&self) -> [Aim; 3] {
        let inside = |of: fn(&Inside) -> f64| median(self.rounds.iter().map(|round| of(&round.inside)));
        let p99 = inside(|inside| inside.p99);
        let in_process = Aim {
            words: format!(
                "In process, on one thread: median {}, p99 {} (medians of the rounds), longest {}, aim ≤ {} at p99",
                duration(inside(|inside| inside.p50)),
                duration(p99),
                duration(most(self.rounds.iter().map(|round| round.inside.max))),
                duration(INSIDE_MICROS),
            ),
            met: p99 <= INSIDE_MICROS,
        };
        let times =
            |of: fn(&Round) -> &Sample| self.rounds.iter().filter_map(move |round| of(round).p99_micros);
        let p99 = median(times(|round| &round.devforge));
        let through_http = Aim {
            words: format!(
                "Through HTTP with 16 connections: p99 {} (median of the rounds), in the worst round {}, aim ≤ {}",
                duration(p99),
                duration(most(times(|round| &round.devforge))),
                duration(THROUGH_HTTP_MICROS),
            ),
            met: p99 <= THROUGH_HTTP_MICROS,
        };
        let pairs = times(|round| &round.postgres).zip(times(|round| &round.devforge));
        let ratio = median(pairs.map(|(theirs, ours)| theirs / ours));
        let beside = Aim {
            words: format!(
                "p99 of PostgreSQL's search ({}) over p99 of devforge's through HTTP: {ratio:.1}, aim ≥ {RATIO:.0}",
                duration(median(times(|round| &round.postgres))),
            ),
            met: ratio >= RATIO,
        };
        [in_process, through_http, beside]
    }

    fn notes(&self) -> Vec<String> {
        let nothing = median(self.rounds.iter().map(|round| round.inside.nothing_percent));
        let mut notes = vec![
            format!(
                "Each figure is the median of {} rounds of {} s, in process, devforge and PostgreSQL in turn; a ratio is the \
                 median of the rounds' ratios.",
                self.rounds.len(),
                self.seconds
            ),
            format!("{}. Load generators and servers share it.", machine()),
            format!(
                "{} articles made of our own pages' sentences, {} questions of one to four words. devforge also searches its \
                 pages ({} documents in all), takes misspelt words for others, finds words that are not finished and counts \
                 what it found by kind.",
                grouped(ARTICLES as f64),
                grouped(QUESTIONS as f64),
                grouped(self.documents as f64),
            ),
            "PostgreSQL: websearch_to_tsquery, ts_rank_cd, the best 20 with ts_headline, over a stored tsvector with a GIN \
             index; one prepared statement by pgbench with 16 clients, each transaction timed. It neither counts nor \
             corrects, and wants all words."
                .to_owned(),
            format!(
                "For PostgreSQL {} % of the questions have no answer (devforge {nothing:.0} %), half have at least {}, one of a \
                 hundred at least {}.",
                self.matches.nothing_percent,
                grouped(self.matches.median as f64),
                grouped(self.matches.p99 as f64),
            ),
            format!(
                "devforge built its index in {:.1} s; it takes {} on disk. PostgreSQL's takes {}, {} with its table.",
                self.built_in.as_secs_f64(),
                megabytes(self.index),
                megabytes(self.sizes.index),
                megabytes(self.sizes.table),
            ),
            format!(
                "Resident memory of devforge: {} before the rounds, {} after them. Pages of the index that are mapped count.",
                megabytes(self.resident.0),
                megabytes(self.resident.1),
            ),
        ];
        if median(self.rounds.iter().filter_map(|round| round.devforge.generator_busy)) >= BUSY {
            notes.push("wrk used its whole core on devforge, which could serve more.".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(per_second: f64, p99_micros: f64) -> Sample {
        Sample {
            per_second,
            cpu_micros: 400.0,
            database_micros: None,
            p99_micros: Some(p99_micros),
            generator_busy: Some(0.2),
        }
    }

    fn outcome(inside: f64, through_http: f64, postgres: f64) -> String {
        let inside = Inside { p50: 300.0, p99: inside, max: 9_000.0, nothing_percent: 2.0 };
        let round = Round {
            inside,
            devforge: sample(3_000.0, through_http),
            postgres: Sample { generator_busy: None, ..sample(100.0, postgres) },
        };
        Outcome {
            seconds: 10,
            rounds: vec![round; 5],
            documents: 100_900,
            built_in: Duration::from_millis(21_500),
            index: 150_000_000,
            resident: (90_000_000, 190_000_000),
            sizes: Sizes { index: 18_000_000, table: 188_000_000 },
            matches: Matches { nothing_percent: 18, median: 204, p99: 55_394 },
        }
        .render()
    }

    #[test]
    fn what_is_reached_is_said_to_be() {
        let text = outcome(2_400.0, 12_000.0, 850_000.0);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("3,000 PostgreSQL's search 100 30.00 400.0 400.0 12.00 ms 850.00 ms"),
            "{text}"
        );
        assert!(text.contains(
            "median 300 µs, p99 2.40 ms (medians of the rounds), longest 9.00 ms, aim ≤ 5.00 ms at p99: met."
        ));
        assert!(text.contains(
            "p99 12.00 ms (median of the rounds), in the worst round 12.00 ms, aim ≤ 20.00 ms: met."
        ));
        assert!(
            text.contains("(850.00 ms) over p99 of devforge's through HTTP: 70.8, aim ≥ 20: met."),
            "{text}"
        );
        assert!(
            text.contains("100,000 articles")
                && text.contains("2,000 questions")
                && text.contains("in 21.5 s"),
            "{text}"
        );
        assert!(!text.contains("missed") && !text.contains("whole core"), "{text}");
    }

    #[test]
    fn what_is_not_reached_is_said_too() {
        assert_eq!(outcome(5_100.0, 21_000.0, 400_000.0).matches("missed").count(), 3);
        assert_eq!(outcome(4_900.0, 21_000.0, 430_000.0).matches("missed").count(), 1);
    }
}
