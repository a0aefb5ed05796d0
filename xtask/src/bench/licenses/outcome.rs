//! The figures about licenses, and whether they are what is aimed at.

use super::latency::Latency;
use crate::bench::{
    load::Sample,
    report::{Aim, BUSY, Row, duration, grouped, machine, median, megabytes, most, table},
};

/// One round of everybody.
#[derive(Clone, Copy)]
pub struct Round {
    pub fresh: Sample,
    pub fastify: Sample,
    pub pgbench: Sample,
    pub select: Sample,
    pub warm: Sample,
    pub fastify_hot: Sample,
    pub signed: Sample,
    pub fastify_signed: Sample,
}

/// Resident, in bytes.
pub struct Memory {
    pub fresh: u64,
    pub warm: u64,
    pub fastify: u64,
}

pub struct Outcome {
    pub seconds: u32,
    pub rounds: Vec<Round>,
    pub memory: Memory,
    /// What was asked how often in a second, and how long answers took.
    pub unhurried: [(&'static str, (f64, Vec<Latency>)); 2],
    /// In microseconds.
    pub revoked: Vec<f64>,
}

const FASTIFY: &str = "Fastify + pg";
/// Of Fastify's processor time for one request.
const CPU: f64 = 0.5;
const P999_MICROS: f64 = 20e3;
const LONGEST_MICROS: f64 = 200e3;
const KNOWN_WITHIN_MICROS: f64 = 1e6;
const RESIDENT_BYTES: u64 = 60_000_000;

type Of = fn(&Round) -> &Sample;

impl Outcome {
    pub fn render(&self) -> String {
        let row = |what, peer, aim, pair: fn(&Round) -> (Sample, Sample)| Row {
            what,
            peer,
            aim,
            rounds: self.rounds.iter().map(pair).collect(),
        };
        let rows = [
            row("License check, no cache", FASTIFY, Some(2.5), |round| (round.fresh, round.fastify)),
            row("License check, no cache", "pgbench -S", Some(0.7), |round| (round.fresh, round.pgbench)),
            row("License check, no cache", "pgbench, the same read", None, |round| {
                (round.fresh, round.select)
            }),
            row("License check, warm cache", FASTIFY, Some(4.0), |round| (round.warm, round.fastify_hot)),
            row("License check, signed, no cache", FASTIFY, None, |round| {
                (round.signed, round.fastify_signed)
            }),
        ];
        let mut text = table(&rows);
        let aims: Vec<_> = self.aims().iter().map(Aim::line).collect();
        for part in [aims, self.notes()] {
            text.push('\n');
            text.push_str(&part.join("\n"));
            text.push('\n');
        }
        text
    }

    fn aims(&self) -> Vec<Aim> {
        let ratio = median(self.rounds.iter().map(|round| round.fresh.cpu_micros / round.fastify.cpu_micros));
        let words =
            format!("Processor time for a check without a cache: {ratio:.2} of Fastify's, aim ≤ {CPU:.1}");
        let mut aims = vec![Aim { words, met: ratio <= CPU }];
        aims.extend(self.unhurried.iter().map(|(what, (rate, latencies))| at_half(what, *rate, latencies)));
        let longest = most(self.revoked.iter().copied());
        let words = format!(
            "A revocation, from its request until a node says so, {} times on two nodes that keep licenses: median {}, \
             longest {}, aim ≤ {}",
            self.revoked.len(),
            duration(median(self.revoked.iter().copied())),
            duration(longest),
            duration(KNOWN_WITHIN_MICROS),
        );
        aims.push(Aim { words, met: longest <= KNOWN_WITHIN_MICROS });
        let words = format!(
            "Resident memory after the rounds: Fastify {}, devforge with the cache {}, without {}, aim ≤ {} for that",
            megabytes(self.memory.fastify),
            megabytes(self.memory.warm),
            megabytes(self.memory.fresh),
            megabytes(RESIDENT_BYTES),
        );
        aims.push(Aim { words, met: self.memory.fresh <= RESIDENT_BYTES });
        aims
    }

    fn notes(&self) -> Vec<String> {
        let all: [(&str, Of); 6] = [
            ("devforge without a cache", |round| &round.fresh),
            ("Fastify", |round| &round.fastify),
            ("devforge with a warm cache", |round| &round.warm),
            ("Fastify on the same licenses", |round| &round.fastify_hot),
            ("devforge signing", |round| &round.signed),
            ("Fastify signing", |round| &round.fastify_signed),
        ];
        let mut notes = vec![
            format!(
                "Each figure is the median of {} rounds of {} s, all in turn; a ratio is the median of the rounds' ratios.",
                self.rounds.len(),
                self.seconds
            ),
            format!("{}. Load generators and servers share it.", machine()),
        ];
        let behind = all.map(|(name, of)| {
            let micros = median(self.rounds.iter().filter_map(|round| of(round).database_micros));
            format!("{name} {micros:.1} µs")
        });
        notes.push(format!(
            "PostgreSQL's part of a request, which is not in the figures above: {}.",
            behind.join(", ")
        ));
        for (name, of) in all {
            if median(self.rounds.iter().filter_map(|round| of(round).generator_busy)) >= BUSY {
                notes.push(format!(
                    "wrk used its whole core on {name}, which could serve more: compare the CPU time per request."
                ));
            }
        }
        notes
    }
}

fn at_half(what: &str, rate: f64, latencies: &[Latency]) -> Aim {
    let p999 = median(latencies.iter().map(|latency| latency.p999));
    let longest = most(latencies.iter().map(|latency| latency.max));
    let words = format!(
        "Half of saturation ({}/s), {what}: median {}, p99.9 {} (medians of the rounds), longest {}, aims ≤ {} and ≤ {}",
        grouped(rate),
        duration(median(latencies.iter().map(|latency| latency.median))),
        duration(p999),
        duration(longest),
        duration(P999_MICROS),
        duration(LONGEST_MICROS),
    );
    Aim { words, met: p999 <= P999_MICROS && longest <= LONGEST_MICROS }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(per_second: f64, cpu_micros: f64) -> Sample {
        Sample {
            per_second,
            cpu_micros,
            database_micros: Some(7.5),
            p99_micros: Some(2_000.0),
            generator_busy: Some(0.5),
        }
    }

    fn outcome(fresh: Sample, latency: Latency, revoked: f64) -> String {
        let round = Round {
            fresh,
            fastify: sample(10_000.0, 50.0),
            pgbench: sample(40_000.0, 9.0),
            select: sample(35_000.0, 9.0),
            warm: Sample { generator_busy: Some(0.97), ..sample(41_000.0, 10.0) },
            fastify_hot: sample(10_000.0, 50.0),
            signed: sample(15_000.0, 40.0),
            fastify_signed: sample(5_000.0, 120.0),
        };
        let unhurried = |what| (what, (15_000.0, vec![latency; 5]));
        Outcome {
            seconds: 3,
            rounds: vec![round; 5],
            memory: Memory { fresh: 40_000_000, warm: 90_000_000, fastify: 80_000_000 },
            unhurried: [unhurried("no cache"), unhurried("warm cache")],
            revoked: vec![4_000.0, revoked, 3_000.0],
        }
        .render()
    }

    #[test]
    fn what_is_reached_is_said_to_be() {
        let latency = Latency { median: 300.0, p999: 4_000.0, max: 30_000.0 };
        let text = outcome(sample(30_000.0, 20.0), latency, 5_000.0);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("no cache 30,000 Fastify + pg 10,000 3.00 ≥ 2.5 met 20.0 50.0"), "{text}");
        assert!(words.contains("30,000 pgbench -S 40,000 0.75 ≥ 0.7 met"), "{text}");
        assert!(words.contains("pgbench, the same read 35,000 0.86 20.0"), "{text}");
        assert!(words.contains("warm cache 41,000 Fastify + pg 10,000 4.10 ≥ 4.0 met"), "{text}");
        assert!(text.contains("0.40 of Fastify's, aim ≤ 0.5: met."), "{text}");
        assert!(text.contains(
            "p99.9 4.00 ms (medians of the rounds), longest 30.00 ms, aims ≤ 20.00 ms and ≤ 200.00 ms: met."
        ));
        assert!(text.contains("median 4.00 ms, longest 5.00 ms, aim ≤ 1.00 s: met."), "{text}");
        assert!(text.contains("wrk used its whole core on devforge with a warm cache"), "{text}");
        assert!(!text.contains("missed"), "{text}");
    }

    #[test]
    fn what_is_not_reached_is_said_too() {
        let latency = Latency { median: 300.0, p999: 4_000.0, max: 201_000.0 };
        let text = outcome(sample(20_000.0, 30.0), latency, 1_100_000.0);
        // Both throughputs, the processor time, two loads, the revocation.
        assert_eq!(text.matches("missed").count(), 6, "{text}");
    }
}
