//! `cargo xtask bench`: devforge beside nginx, Fastify and PostgreSQL alone, on this machine, in one run.
//!
//! Absolute figures say more about the machine and the hour than about us, so every figure has a peer that was
//! measured in turn with it, and the table is about ratios. What is measured is the release build as it would be
//! deployed, with the flood gate set so high that a load generator passes. All of it is on loopback.

mod accounts;
mod client;
mod fill;
mod licenses;
mod load;
mod nginx;
mod report;
mod search;
mod statistics;
mod usage;

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use private_postgres::{Cluster, Options};

use self::{
    load::{Sample, Wrk},
    report::{Facts, Row, grouped},
    usage::Tree,
};
use crate::{
    process::{Server, command, free_port, interrupted, server_program, step, target},
    release, test, tools,
};

/// With fewer, one bad moment of the machine decides.
const FEWEST_ROUNDS: u32 = 5;
const READER: &str = "ada@devforge.test";
const ACCEPT_BROTLI: &str = "Accept-Encoding: br";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Pages and a read, beside nginx and pgbench.
    Throughput,
    /// Whether sign-ins tell who has an account, and what a flood of them does to the site.
    Accounts,
    /// A million licenses asked about, beside Fastify and pgbench, and how soon a revocation is known everywhere.
    Licenses,
    /// A hundred thousand articles searched, in process and through HTTP, beside PostgreSQL's own search.
    Search,
}

struct Settings {
    rounds: u32,
    seconds: u32,
}

struct Programs {
    devforge: PathBuf,
    wrk: PathBuf,
    /// What searches in process, for the part that measures it.
    search_speed: Option<PathBuf>,
}

pub fn run(part: Option<Part>) -> Result<()> {
    let parts = part.as_ref().map_or(Part::value_variants(), std::slice::from_ref);
    let settings = Settings {
        rounds: from_environment("BENCH_ROUNDS", 5, FEWEST_ROUNDS)?,
        seconds: from_environment("BENCH_SECONDS", 3, 1)?,
    };
    tools::postgres()?;
    let nginx = parts.contains(&Part::Throughput).then(tools::nginx).transpose()?;
    let search_speed = parts.contains(&Part::Search).then(search::example).transpose()?;
    let programs = Programs { wrk: tools::wrk()?, devforge: devforge()?, search_speed };
    let cluster = step("Starting a throwaway PostgreSQL", throwaway_cluster)?;
    let measured = measure(parts, &settings, &programs, nginx.as_deref(), &cluster);
    let removed = cluster.remove();
    println!("\n{}", measured?);
    Ok(removed?)
}

fn from_environment(name: &str, default: u32, least: u32) -> Result<u32> {
    let Ok(text) = env::var(name) else {
        return Ok(default);
    };
    match text.trim().parse() {
        Ok(number) if number >= least => Ok(number),
        _ => bail!("{name} is `{text}`: a number from {least} on is needed"),
    }
}

/// The program to measure: `BENCH_BINARY`, or this tree's, built for production.
fn devforge() -> Result<PathBuf> {
    if let Some(named) = env::var_os("BENCH_BINARY") {
        let path = fs::canonicalize(&named);
        return path.with_context(|| format!("BENCH_BINARY is {}", named.to_string_lossy()));
    }
    release::build(true)?;
    Ok(server_program("release"))
}

/// Set up as for production: pgbench and devforge share it. What a killed run has left is removed first.
fn throwaway_cluster() -> Result<Cluster> {
    let options = Options {
        data_dir: target().join("bench-postgres"),
        durable: true,
        max_connections: 100,
        shared_buffers_mb: 256,
    };
    if options.data_dir.exists() {
        private_postgres::start(&options)?.remove()?;
    }
    Ok(private_postgres::start(&options)?)
}

/// A directory that goes when we are done with it.
struct Directory(PathBuf);

impl Directory {
    fn make() -> Result<Self> {
        let path = target().join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nothing in it is needed any more, and the next run has one of its own.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn measure(
    parts: &[Part],
    settings: &Settings,
    programs: &Programs,
    nginx: Option<&Path>,
    cluster: &Cluster,
) -> Result<String> {
    // Declared first, so that it goes last, after the servers that write in it.
    let directory = Directory::make()?;
    let mut reports = Vec::new();
    if nginx.is_some() || parts.contains(&Part::Licenses) {
        step("Filling pgbench's tables", || load::prepare_pgbench(cluster))?;
    }
    if let Some(nginx) = nginx {
        let log = directory.0.join("devforge.log");
        let measured = throughput(&directory.0, &log, settings, programs, nginx, cluster);
        reports.push(with_last_words(measured, &log)?);
    }
    if parts.contains(&Part::Accounts) {
        // Apart from the server above, which believes no proxy and whose database holds no accounts of ours.
        let own = directory.0.join("accounts");
        fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
        cluster.create_database("accounts")?;
        let log = directory.0.join("accounts.log");
        let measured = accounts::measure(settings, programs, &own, &log, &cluster.url_of("accounts"));
        reports.push(with_last_words(measured, &log)?);
    }
    if parts.contains(&Part::Licenses) {
        let own = directory.0.join("licenses");
        fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
        cluster.create_database(licenses::DATABASE)?;
        let measured = licenses::measure(settings, programs, &own, cluster);
        reports.push(with_last_words(measured, &licenses::log(&own))?);
    }
    if let Some(example) = &programs.search_speed {
        let own = directory.0.join("search");
        fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
        cluster.create_database(search::DATABASE)?;
        let measured = search::measure(settings, programs, example, &own, cluster);
        reports.push(with_last_words(measured, &search::log(&own))?);
    }
    Ok(reports.join("\n"))
}

fn with_last_words<T>(measured: Result<T>, log: &Path) -> Result<T> {
    if measured.is_err() && !interrupted() {
        eprintln!("The server's last words:\n{}", test::last_lines(log, 20));
    }
    measured
}

fn throughput(
    directory: &Path,
    log: &Path,
    settings: &Settings,
    programs: &Programs,
    nginx: &Path,
    cluster: &Cluster,
) -> Result<String> {
    let ticks_per_second = usage::ticks_per_second()?;
    let password = test::random_password()?;
    let port = free_port()?;
    let mut devforge = serve(&programs.devforge, directory, log, port, &cluster.url(), &password, &[])?;
    step("Starting devforge with demo data", || devforge.wait_until_ready(port))?;
    let cookie = client::sign_in(port, READER, &password)?;
    let cookie = format!("Cookie: {cookie}");
    client::get(port, "/api/auth/me", &[&cookie])?;
    let brotli = client::get(port, "/", &[ACCEPT_BROTLI])?;
    let plain = client::get(port, "/", &[])?;
    if brotli.header("content-encoding") != Some("br") || plain.header("content-encoding").is_some() {
        bail!("the home page does not come in the encodings that were asked for");
    }
    let nginx = nginx::start(nginx, &directory.join("nginx"), &brotli, &plain)?;

    let tree = |pid| Tree::of(pid, ticks_per_second);
    let (ours, theirs, database) = (tree(devforge.id()), tree(nginx.server.id()), tree(postmaster(cluster)?));
    let wrk = |server, port: u16, path: &str, header: Option<&str>, connections| Wrk {
        program: &programs.wrk,
        url: format!("http://127.0.0.1:{port}{path}"),
        header: header.map(str::to_owned),
        script: None,
        connections,
        server,
        database: None,
        ticks_per_second,
    };
    let home = |what, path, header, connections, aim| {
        let devforge = wrk(ours, port, "/", header, connections);
        let beside = wrk(theirs, nginx.port, path, header, connections);
        let row = Row { what, peer: "nginx", aim, rounds: Vec::new() };
        compare(row, settings, |seconds| devforge.run(seconds), |seconds| beside.run(seconds))
    };
    let read = || {
        let read = Wrk { database: Some(database), ..wrk(ours, port, "/api/auth/me", Some(&cookie), 64) };
        let row = Row { what: "One-row API read", peer: "pgbench -S", aim: Some(0.6), rounds: Vec::new() };
        let beside = |seconds| load::pgbench(cluster, database, seconds);
        compare(row, settings, |seconds| read.run(seconds), beside)
    };
    let rows = [
        home("Home page, brotli", nginx::BROTLI, Some(ACCEPT_BROTLI), 32, Some(0.5))?,
        home("Home page, plain", nginx::PLAIN, None, 32, Some(0.5))?,
        home("Home page, brotli, one visitor", nginx::BROTLI, Some(ACCEPT_BROTLI), 1, None)?,
        read()?,
    ];
    let facts = Facts {
        seconds: settings.seconds,
        devforge_resident: ours.resident_bytes()?,
        nginx_resident: theirs.resident_bytes()?,
    };
    Ok(report::render(&rows, &facts))
}

/// One round of each in turn, after a second of each that does not count.
fn compare(
    mut row: Row,
    settings: &Settings,
    ours: impl Fn(u32) -> Result<Sample>,
    theirs: impl Fn(u32) -> Result<Sample>,
) -> Result<Row> {
    eprintln!("{}: devforge and {}", row.what, row.peer);
    ours(1)?;
    theirs(1)?;
    for round in 1..=settings.rounds {
        let pair = (ours(settings.seconds)?, theirs(settings.seconds)?);
        eprintln!(
            "  round {round} of {}: {:>9}/s and {:>9}/s",
            settings.rounds,
            grouped(pair.0.per_second),
            grouped(pair.1.per_second)
        );
        row.rounds.push(pair);
    }
    Ok(row)
}

fn serve(
    program: &Path,
    directory: &Path,
    log: &Path,
    port: u16,
    database: &str,
    password: &str,
    more: &[(&str, &str)],
) -> Result<Server> {
    let words = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    let mut serve = configured(program, directory, port, database, password, more);
    serve.arg("serve");
    serve.stdin(Stdio::null()).stdout(words.try_clone().context("writing the server's log")?).stderr(words);
    Server::start(&mut serve)
}

/// devforge as it comes: nobody's configuration file, and nothing set but what the bench needs.
fn configured(
    program: &Path,
    directory: &Path,
    port: u16,
    database: &str,
    password: &str,
    more: &[(&str, &str)],
) -> Command {
    let mut devforge = command(program);
    devforge.current_dir(directory);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("DEVFORGE_") {
            devforge.env_remove(name);
        }
    }
    devforge
        .env("DATABASE_URL", database)
        .env("DEVFORGE_DATA_DIR", directory.join("data"))
        .env("DEVFORGE_HTTP_ADDRESS", format!("127.0.0.1:{port}"))
        .env("DEVFORGE_HTTP_RATE_PER_MINUTE", "1000000000")
        .env("DEVFORGE_SEED", "demo")
        .env("DEVFORGE_DEMO_PASSWORD", password)
        .envs(more.iter().copied());
    devforge
}

/// PostgreSQL's first process, which is the parent of all others.
fn postmaster(cluster: &Cluster) -> Result<u32> {
    let file = cluster.directory().join("data/postmaster.pid");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
    pid.with_context(|| format!("{} does not begin with a number", file.display()))
}
