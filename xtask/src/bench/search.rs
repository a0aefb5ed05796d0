//! Search over a hundred thousand articles: in process, through HTTP, and beside it PostgreSQL's own search on the same
//! articles, all in turn in one run.
//!
//! devforge's index is the one that `devforge reindex` builds of its own table; the server and the example that searches
//! in process open it as it is.

mod articles;
mod inside;
mod outcome;
mod peer;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use private_postgres::Cluster;
use serde_json::Value;

use self::{
    articles::{ARTICLES, Article, QUESTIONS, question},
    outcome::{Outcome, Round},
    peer::Peer,
    words::Words,
};
use super::{
    Programs, Settings, client, configured, fill,
    load::{Script, Wrk},
    postmaster,
    report::{duration, grouped},
    serve,
    usage::{self, Tree},
};
use crate::{
    process::{cargo, free_port, output, root, run, step, target},
    test,
};

pub const DATABASE: &str = "search";
const SEARCH: &str = "/api/search";
/// wrk's; pgbench has as many clients.
const CONNECTIONS: u32 = 16;
/// PostgreSQL answers about a hundred in a second, so in less time a handful of them would be its p99.
const LEAST_SECONDS: u32 = 10;

/// Where the server writes that the figures are about.
pub fn log(directory: &Path) -> PathBuf {
    directory.join("devforge.log")
}

/// Builds what searches in process.
pub fn example() -> Result<PathBuf> {
    step("Building the example that searches in process", || {
        run(&mut cargo([
            "build",
            "--release",
            "-p",
            "devforge",
            "--features",
            "server",
            "--example",
            "search_speed",
        ]))
    })?;
    Ok(target().join("release/examples/search_speed"))
}

pub fn measure(
    settings: &Settings,
    programs: &Programs,
    example: &Path,
    directory: &Path,
    cluster: &Cluster,
) -> Result<String> {
    let bench = Bench {
        programs,
        example,
        directory,
        cluster,
        database: cluster.url_of(DATABASE),
        password: test::random_password()?,
        port: free_port()?,
        questions: directory.join("questions.txt"),
        rounds: settings.rounds,
        seconds: settings.seconds.max(LEAST_SECONDS),
        ticks_per_second: usage::ticks_per_second()?,
    };
    let questions = bench.fill()?;
    let peer = step("Making the same articles PostgreSQL's to search", || {
        Peer::make(cluster, directory, &questions)
    })?;
    let (documents, built_in) = bench.reindex()?;
    bench.outcome(&peer, documents, built_in)
}

struct Bench<'a> {
    programs: &'a Programs,
    example: &'a Path,
    directory: &'a Path,
    cluster: &'a Cluster,
    database: String,
    password: String,
    port: u16,
    /// One on each line.
    questions: PathBuf,
    rounds: u32,
    seconds: u32,
    ticks_per_second: f64,
}

impl Bench<'_> {
    /// One of our programs, set up as the server is.
    fn command(&self, program: &Path) -> Command {
        let quiet = [("DEVFORGE_LOG", "warn")];
        configured(program, self.directory, self.port, &self.database, &self.password, &quiet)
    }

    /// Writes the articles into devforge's table and the questions into a file.
    fn fill(&self) -> Result<Vec<String>> {
        step("Making devforge's tables", || output(self.command(&self.programs.devforge).arg("migrate")))?;
        let words = Words::read(&root().join("content"))?;
        let columns = "kb_article (id, slug, category, title, description, markdown, status, created_at, updated_at, \
             published_at)";
        step("Writing a hundred thousand articles", || {
            fill::copy(self.cluster, DATABASE, columns, 0..ARTICLES, |out, number| {
                let Article { title, description, category, paragraphs } = Article::of(&words, number);
                // As `copy` has line ends within a value.
                let markdown = paragraphs.join("\\n\\n");
                writeln!(
                    out,
                    "01930000-0000-7000-8000-{number:012x}\tbench-{number}\t{category}\t{title}\t{description}\t{markdown}\t\
                     published\tnow\tnow\tnow"
                )
            })
        })?;
        let questions: Vec<String> = (0..QUESTIONS).map(|number| question(&words, number)).collect();
        fs::write(&self.questions, questions.join("\n") + "\n")
            .with_context(|| format!("writing {}", self.questions.display()))?;
        Ok(questions)
    }

    /// How many documents are in the index, and how long building it took.
    fn reindex(&self) -> Result<(u64, Duration)> {
        let start = Instant::now();
        let printed = step("Building devforge's index", || {
            output(self.command(&self.programs.devforge).arg("reindex"))
        })?;
        let built_in = start.elapsed();
        let documents = documents(&printed)?;
        if documents < ARTICLES as u64 {
            bail!("devforge's index holds {documents} documents, and there are {ARTICLES} articles");
        }
        Ok((documents, built_in))
    }

    fn outcome(&self, peer: &Peer, documents: u64, built_in: Duration) -> Result<String> {
        let mut server = serve(
            &self.programs.devforge,
            self.directory,
            &log(self.directory),
            self.port,
            &self.database,
            &self.password,
            &[],
        )?;
        step("Starting devforge", || server.wait_until_ready(self.port))?;
        self.look()?;
        let tree = Tree::of(server.id(), self.ticks_per_second);
        let before = tree.resident_bytes()?;
        let rounds = self.rounds(peer, tree)?;
        let outcome = Outcome {
            seconds: self.seconds,
            rounds,
            documents,
            built_in,
            index: bytes_in(&self.directory.join("data/index"))?,
            resident: (before, tree.resident_bytes()?),
            sizes: peer.sizes,
            matches: peer.matches,
        };
        Ok(outcome.render())
    }

    /// All in turn, after a while of each that does not count.
    fn rounds(&self, peer: &Peer, server: Tree) -> Result<Vec<Round>> {
        let database = Tree::of(postmaster(self.cluster)?, self.ticks_per_second);
        let devforge = Wrk {
            program: &self.programs.wrk,
            url: format!("http://127.0.0.1:{}{SEARCH}", self.port),
            header: None,
            script: Some(Script {
                path: root().join("xtask/src/bench/search/ask.lua"),
                args: vec![self.questions.display().to_string()],
            }),
            connections: CONNECTIONS,
            server,
            database: None,
            ticks_per_second: self.ticks_per_second,
        };
        let round = |seconds| {
            anyhow::Ok(Round {
                inside: inside::run(self.command(self.example), &self.questions)?,
                devforge: devforge.run(seconds)?,
                postgres: peer.run(self.cluster, database, seconds)?,
            })
        };
        eprintln!("Search: in process, devforge and PostgreSQL");
        round(3)?;
        let mut rounds = Vec::new();
        for number in 1..=self.rounds {
            let done = round(self.seconds)?;
            let p99 = |micros: Option<f64>| duration(micros.unwrap_or(f64::NAN));
            eprintln!(
                "  round {number} of {}: in process p99 {}; devforge {:>6}/s, p99 {}; PostgreSQL {:>5}/s, p99 {}",
                self.rounds,
                duration(done.inside.p99),
                grouped(done.devforge.per_second),
                p99(done.devforge.p99_micros),
                grouped(done.postgres.per_second),
                p99(done.postgres.p99_micros),
            );
            rounds.push(done);
        }
        Ok(rounds)
    }

    /// Whether the server finds the articles, before it is measured how fast it does.
    fn look(&self) -> Result<()> {
        let text = fs::read_to_string(&self.questions).context("reading the questions")?;
        // Names need no escapes in an address, and stand in an article.
        for name in text.lines().filter(|text| text.contains('_')).take(10) {
            let path = format!("{SEARCH}?q={name}&kind=article&limit=20&typing=true");
            let answer = client::get(self.port, &path, &[])?;
            let found: Value = serde_json::from_slice(&answer.body).context("an answer is not JSON")?;
            let mut urls =
                found["items"].as_array().into_iter().flatten().filter_map(|item| item["url"].as_str());
            if !urls.any(|url| url.contains("/bench-")) {
                bail!("{name} stands in an article, and is answered {found}");
            }
        }
        Ok(())
    }
}

/// What `devforge reindex` says of it.
fn documents(printed: &str) -> Result<u64> {
    let number = |line: &str| line.strip_suffix(" documents can be found.")?.parse().ok();
    let documents = printed.lines().find_map(number);
    documents.with_context(|| format!("`devforge reindex` does not say how much can be found: {printed}"))
}

/// Of all files in a folder and in those in it.
fn bytes_in(folder: &Path) -> Result<u64> {
    let doing = || format!("reading {}", folder.display());
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(doing)? {
        let entry = entry.with_context(doing)?;
        let metadata = entry.metadata().with_context(doing)?;
        bytes += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_documents_is_read() {
        assert_eq!(documents("100912 documents can be found.\n").expect("it is said"), 100_912);
        assert!(documents("no documents can be found.\n").is_err());
        assert!(documents("").is_err());
    }
}
