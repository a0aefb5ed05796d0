//! The load generators, and what they print.
//!
//! A run with a single error in it is an error: a benchmark that has measured refusals is worth nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use private_postgres::Cluster;

use super::{
    statistics::percentile,
    usage::{self, Tree},
};
use crate::process::{command, interrupted, output};

/// One round on one side.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub per_second: f64,
    /// Processor time of the server for one request.
    pub cpu_micros: f64,
    /// That of the database behind the server.
    pub database_micros: Option<f64>,
    pub p99_micros: Option<f64>,
    /// How much of its one thread the load generator has used. At 1 it is the generator that was measured.
    pub generator_busy: Option<f64>,
}

/// What `wrk` asks for.
pub struct Wrk<'a> {
    pub program: &'a Path,
    pub url: String,
    pub header: Option<String>,
    pub script: Option<Script>,
    pub connections: u32,
    /// Whose time is counted.
    pub server: Tree,
    pub database: Option<Tree>,
    pub ticks_per_second: f64,
}

/// What says what is asked, where it is not always the same.
pub struct Script {
    pub path: PathBuf,
    pub args: Vec<String>,
}

impl Wrk<'_> {
    pub fn run(&self, seconds: u32) -> Result<Sample> {
        let mut wrk = command(self.program);
        wrk.args(["-t1", "--latency", &format!("-c{}", self.connections), &format!("-d{seconds}s")]);
        if let Some(header) = &self.header {
            wrk.args(["-H", header]);
        }
        if let Some(script) = &self.script {
            wrk.arg("-s").arg(&script.path);
        }
        wrk.arg(&self.url);
        if let Some(script) = &self.script {
            wrk.arg("--").args(&script.args);
        }
        let database_seconds = || self.database.map(|tree| tree.cpu_seconds()).transpose();
        let generator = usage::ended_children_seconds(self.ticks_per_second)?;
        let database = database_seconds()?;
        let server = self.server.cpu_seconds()?;
        let printed = output(&mut wrk)?;
        let server = self.server.cpu_seconds()? - server;
        let database = database_seconds()?.zip(database).map(|(after, before)| after - before);
        let generator = usage::ended_children_seconds(self.ticks_per_second)? - generator;
        // A generator that was stopped early prints what it has, as if that were all.
        if interrupted() {
            bail!("stopped");
        }
        let report = WrkReport::parse(&printed).with_context(|| format!("wrk on {}", self.url))?;
        let micros = |seconds: f64| seconds * 1e6 / report.requests as f64;
        Ok(Sample {
            per_second: report.per_second,
            cpu_micros: micros(server),
            database_micros: database.map(micros),
            p99_micros: Some(report.p99_micros),
            generator_busy: Some(generator / f64::from(seconds)),
        })
    }
}

/// Rows of the standard data set: ten times 100,000.
const SCALE: &str = "10";
const PGBENCH: &str = "pgbench";

pub fn prepare_pgbench(cluster: &Cluster) -> Result<()> {
    cluster.create_database(PGBENCH)?;
    let mut fill = cluster.client("pgbench", PGBENCH);
    // It removes tables first, and says of each that it was not there.
    fill.env("PGOPTIONS", "--client-min-messages=warning");
    output(fill.args(["--initialize", "--quiet", "--scale", SCALE]))?;
    // So that nothing of the filling is still to be written while we measure.
    let mut checkpoint = cluster.client("psql", PGBENCH);
    output(checkpoint.args(["--no-psqlrc", "--quiet", "--command", "CHECKPOINT"]))?;
    Ok(())
}

/// One row by its key, prepared, over the same kind of connection as devforge's, and as many.
pub fn pgbench(cluster: &Cluster, server: Tree, seconds: u32) -> Result<Sample> {
    let mut pgbench = cluster.client("pgbench", PGBENCH);
    pgbench.arg("--select-only");
    run_pgbench(pgbench, server, seconds)
}

/// The same with a question of our own.
pub fn pgbench_with(
    cluster: &Cluster,
    database: &str,
    script: &Path,
    server: Tree,
    seconds: u32,
) -> Result<Sample> {
    let mut pgbench = cluster.client("pgbench", database);
    pgbench.arg("--file").arg(script);
    run_pgbench(pgbench, server, seconds)
}

/// As `pgbench_with`, with the time of every single transaction taken down in `logs`, a folder that is ours alone.
pub fn pgbench_timed(
    cluster: &Cluster,
    database: &str,
    script: &Path,
    logs: &Path,
    server: Tree,
    seconds: u32,
) -> Result<Sample> {
    let doing = || format!("the logs of pgbench in {}", logs.display());
    // Each run adds files with the number of its process in their names.
    if logs.exists() {
        fs::remove_dir_all(logs).with_context(doing)?;
    }
    fs::create_dir_all(logs).with_context(doing)?;
    let mut pgbench = cluster.client("pgbench", database);
    pgbench.arg("--file").arg(script).arg("--log");
    pgbench.arg(format!("--log-prefix={}", logs.join("transactions").display()));
    // It says of some questions that nothing is left of them without their stop words.
    pgbench.env("PGOPTIONS", "--client-min-messages=warning");
    let sample = run_pgbench(pgbench, server, seconds)?;
    let mut times = Vec::new();
    for file in fs::read_dir(logs).with_context(doing)? {
        let text = fs::read_to_string(file.with_context(doing)?.path()).with_context(doing)?;
        times.extend(transaction_micros(&text)?);
    }
    times.sort_by(f64::total_cmp);
    Ok(Sample { p99_micros: percentile(&times, 0.99), ..sample })
}

/// How long each transaction took: the third figure of its line (client, transaction, microseconds, script, when).
fn transaction_micros(log: &str) -> Result<Vec<f64>> {
    let time = |line: &str| line.split(' ').nth(2)?.parse::<f64>().ok();
    log.lines()
        .map(|line| {
            time(line).with_context(|| format!("a line of pgbench's log has an unknown form: {line}"))
        })
        .collect()
}

fn run_pgbench(mut pgbench: Command, server: Tree, seconds: u32) -> Result<Sample> {
    pgbench.args(["--no-vacuum", "--protocol=prepared", "--client=16", "--jobs=2"]);
    pgbench.arg(format!("--time={seconds}"));
    let before = server.cpu_seconds()?;
    let printed = output(&mut pgbench)?;
    let used = server.cpu_seconds()? - before;
    if interrupted() {
        bail!("stopped");
    }
    let report = PgbenchReport::parse(&printed)?;
    Ok(Sample {
        per_second: report.per_second,
        cpu_micros: used * 1e6 / report.transactions as f64,
        database_micros: None,
        p99_micros: None,
        generator_busy: None,
    })
}

#[derive(Debug, PartialEq)]
struct WrkReport {
    requests: u64,
    per_second: f64,
    p99_micros: f64,
}

impl WrkReport {
    fn parse(text: &str) -> Result<Self> {
        let (mut requests, mut per_second, mut p99_micros) = (None, None, None);
        for line in text.lines().map(str::trim) {
            if line.starts_with("Socket errors:") || line.starts_with("Non-2xx") {
                bail!("not every request was answered well: {line}");
            }
            if let Some((count, _)) = line.split_once(" requests in ") {
                requests = count.parse::<u64>().ok();
            } else if let Some(rate) = line.strip_prefix("Requests/sec:") {
                per_second = rate.trim().parse::<f64>().ok();
            } else if let Some(time) = line.strip_prefix("99%") {
                p99_micros = micros(time.trim());
            }
        }
        match (requests, per_second, p99_micros) {
            (Some(0), ..) => bail!("not a single request was answered"),
            (Some(requests), Some(per_second), Some(p99_micros)) => {
                Ok(Self { requests, per_second, p99_micros })
            }
            _ => bail!("the report has an unknown form:\n{text}"),
        }
    }
}

/// wrk's times: `940.00us`, `1.52ms`, `2.00s`, `1.10m`.
fn micros(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 60e6,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * unit)
}

#[derive(Debug, PartialEq)]
struct PgbenchReport {
    transactions: u64,
    per_second: f64,
}

impl PgbenchReport {
    fn parse(text: &str) -> Result<Self> {
        let (mut transactions, mut per_second) = (None, None);
        for line in text.lines().map(str::trim) {
            if let Some(failed) = line.strip_prefix("number of failed transactions:")
                && !failed.trim().starts_with("0 ")
            {
                bail!("not every transaction of pgbench succeeded: {line}");
            }
            if let Some(count) = line.strip_prefix("number of transactions actually processed:") {
                // With a fixed number of them it is `done/wanted`.
                transactions = count.trim().split('/').next().and_then(|count| count.parse::<u64>().ok());
            } else if let Some(rate) = line.strip_prefix("tps = ")
                // Versions before 14 print a second figure that counts the connecting.
                && !rate.contains("including connections")
            {
                per_second = rate.split(' ').next().and_then(|rate| rate.parse::<f64>().ok());
            }
        }
        match (transactions, per_second) {
            (Some(0), _) => bail!("pgbench finished no transaction"),
            (Some(transactions), Some(per_second)) => Ok(Self { transactions, per_second }),
            _ => bail!("the report of pgbench has an unknown form:\n{text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRK: &str = "Running 1s test @ http://127.0.0.1:8765/\n  1 threads and 4 connections\n  \
        Thread Stats   Avg      Stdev     Max   +/- Stdev\n    Latency     5.37ms    3.12ms  19.30ms   73.67%\n    \
        Req/Sec   556.10    176.83     0.89k    70.00%\n  Latency Distribution\n     50%    4.30ms\n     \
        75%    7.39ms\n     90%    9.84ms\n     99%   15.00ms\n  555 requests in 1.00s, 3.34MB read\n";

    #[test]
    fn the_report_of_wrk_is_read() {
        let text = format!("{WRK}Requests/sec:    553.75\nTransfer/sec:      3.33MB\n");
        let report = WrkReport::parse(&text).expect("it is whole");
        assert_eq!(report, WrkReport { requests: 555, per_second: 553.75, p99_micros: 15_000.0 });
    }

    #[test]
    fn errors_make_a_run_worthless() {
        for line in
            ["  Non-2xx or 3xx responses: 762", "  Socket errors: connect 0, read 5, write 0, timeout 0"]
        {
            let text = format!("{WRK}{line}\nRequests/sec:    553.75\n");
            let error = WrkReport::parse(&text).expect_err("it has errors").to_string();
            assert!(error.contains(line.trim()), "{error}");
        }
        let none = WRK.replace("555 requests", "0 requests");
        assert!(WrkReport::parse(&format!("{none}Requests/sec:      0.00\n")).is_err());
        assert!(WrkReport::parse(WRK).is_err());
        assert!(WrkReport::parse("").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(micros("940.00us"), Some(940.0));
        assert_eq!(micros("1.50ms"), Some(1_500.0));
        assert_eq!(micros("2.00s"), Some(2_000_000.0));
        assert_eq!(micros("1.00m"), Some(60_000_000.0));
        assert_eq!(micros("12"), None);
        assert_eq!(micros("-nanus"), None);
        assert_eq!(micros(""), None);
    }

    #[test]
    fn the_report_of_pgbench_is_read() {
        let text = "pgbench (15.14)\ntransaction type: <builtin: select only>\nquery mode: prepared\n\
            number of transactions actually processed: 181842\nnumber of failed transactions: 0 (0.000%)\n\
            latency average = 0.264 ms\ninitial connection time = 21.001 ms\n\
            tps = 60610.241 (without initial connection time)\n";
        let report = PgbenchReport::parse(text).expect("it is whole");
        assert_eq!(report, PgbenchReport { transactions: 181_842, per_second: 60_610.241 });
        let failed = text.replace("transactions: 0 (0.000%)", "transactions: 10 (0.005%)");
        assert!(PgbenchReport::parse(&failed).is_err());
        assert!(PgbenchReport::parse("pgbench (15.14)\n").is_err());
    }

    #[test]
    fn the_log_of_pgbench_has_a_time_for_each_transaction() {
        let log =
            "2 1 45905 0 1795306646 553991\n4 1 35045 0 1795306646 554033\n2 2 1203 0 1795306646 555194\n";
        let times = transaction_micros(log).expect("it is whole");
        assert_eq!(times, [45_905.0, 35_045.0, 1_203.0]);
        assert_eq!(transaction_micros("").expect("nothing was done"), [0.0; 0]);
        // Neither a summary over a while nor a failure counts as a time.
        assert!(transaction_micros("2 1 failed 0 1795306646 553991\n").is_err());
        assert!(transaction_micros("1 2\n").is_err());
    }

    #[test]
    fn an_older_pgbench_prints_two_rates() {
        let text = "number of transactions actually processed: 10\n\
            tps = 90.5 (including connections establishing)\ntps = 100.5 (excluding connections establishing)\n";
        let report = PgbenchReport::parse(text).expect("it is whole");
        assert_eq!(report, PgbenchReport { transactions: 10, per_second: 100.5 });
    }
}
