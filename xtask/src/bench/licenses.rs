//! What the editor asks every day, asked as fast as it goes: a million licenses, the whole program, and beside it a
//! small Fastify service and PostgreSQL alone, all in turn in one run.
//!
//! The licenses are good on any machine, so that a check is a read and an answer. One row is about checks that are
//! answered with a signature. Then two nodes that keep licenses in memory, and how soon both know of a revocation.

mod keys;
mod latency;
mod outcome;
mod peer;

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use private_postgres::Cluster;
use serde_json::{Value, json};

use self::{
    keys::{FINGERPRINT, HOT, Keys, LICENSES, ON_A_MACHINE, TO_REVOKE},
    latency::{Latency, Load},
    outcome::{Memory, Outcome, Round},
};
use super::{
    Programs, Settings, client,
    load::{self, Script, Wrk},
    postmaster,
    report::{duration, grouped, median},
    serve,
    usage::{self, Tree},
};
use crate::{
    process::{Server, free_port, interrupted, root, step},
    test,
};

pub const DATABASE: &str = "licenses";
const VALIDATE: &str = "/api/licenses/validate";
const ADMIN: &str = "admin@devforge.test";
/// wrk's, all on its one thread.
const CONNECTIONS: u32 = 64;
/// Of the load that does not wait.
const PACED_CONNECTIONS: u32 = 32;
/// So long that what was kept at the beginning is kept at the end.
const KEPT_FOR: &str = "3600";
const REVOCATIONS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(10);
/// The read of a check, of a random license: `pgbench` knows whole numbers only, and hashes lie evenly between them.
const SELECT: &str = "\\set n random(-2147483648, 2147483647)
select id, tier, seats, machines_per_seat, overage, node_locked, machines_used, expires_at, good_until, fallback, \
suspended_by, revoked_by, extra_features, updated_at from license where key_hash >= int4send(:n) order by key_hash limit 1;
";

/// Where the node writes that the figures are about.
pub fn log(directory: &Path) -> PathBuf {
    directory.join("fresh.log")
}

pub fn measure(
    settings: &Settings,
    programs: &Programs,
    directory: &Path,
    cluster: &Cluster,
) -> Result<String> {
    let bench = Bench {
        settings,
        programs,
        directory,
        cluster,
        secret: [test::random_password()?, test::random_password()?].concat(),
        password: test::random_password()?,
        ticks_per_second: usage::ticks_per_second()?,
    };
    let fresh = bench.node("fresh", "0")?;
    let keys = step("Making a million keys", || Keys::make(directory))?;
    step("Filling the table with a million licenses", || {
        keys::fill(cluster, DATABASE, &bench.secret, &keys)
    })?;
    let warm = bench.node("warm", KEPT_FOR)?;
    let features = check(fresh.port, &keys, 0)?["features"].to_string();
    let log = directory.join("fastify.log");
    let peer = peer::start(cluster, DATABASE, &bench.secret, &features, &log)?;
    step("Comparing the answers", || same_answers(&keys, &[fresh.port, warm.port, peer.port]))?;

    let rounds = bench.rounds(&keys, &fresh, &warm, &peer)?;
    let memory = Memory {
        fresh: fresh.tree.resident_bytes()?,
        warm: warm.tree.resident_bytes()?,
        fastify: Tree::of(peer.server.id(), bench.ticks_per_second).resident_bytes()?,
    };
    drop(peer);
    let paced = |name, node: &Node, numbers: Range<usize>, rate: fn(&Round) -> f64| {
        let keys: Vec<String> = numbers.step_by(10).map(|number| keys.written(number)).collect();
        bench.latencies(name, node.port, &keys, median(rounds.iter().map(rate)) / 2.0)
    };
    let unhurried = [
        ("no cache", paced("no cache", &fresh, 0..LICENSES, |round| round.fresh.per_second)?),
        ("warm cache", paced("a warm cache", &warm, HOT, |round| round.warm.per_second)?),
    ];
    let other = bench.node("other", KEPT_FOR)?;
    let revoked = step("Revoking", || bench.revocations(&keys, &warm, &other))?;
    Ok(Outcome { seconds: settings.seconds, rounds, memory, unhurried, revoked }.render())
}

struct Bench<'a> {
    settings: &'a Settings,
    programs: &'a Programs,
    directory: &'a Path,
    cluster: &'a Cluster,
    secret: String,
    password: String,
    ticks_per_second: f64,
}

struct Node {
    _server: Server,
    port: u16,
    tree: Tree,
}

impl Bench<'_> {
    /// A node on the one database, with files of its own.
    fn node(&self, name: &str, cache_seconds: &str) -> Result<Node> {
        let directory = self.directory.join(name);
        fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
        let log = self.directory.join(format!("{name}.log"));
        let more = [("DEVFORGE_SECRET", &*self.secret), ("DEVFORGE_LICENSE_CACHE_SECONDS", cache_seconds)];
        let port = free_port()?;
        let database = self.cluster.url_of(DATABASE);
        let mut server =
            serve(&self.programs.devforge, &directory, &log, port, &database, &self.password, &more)?;
        step(&format!("Starting devforge ({name})"), || server.wait_until_ready(port))?;
        let tree = Tree::of(server.id(), self.ticks_per_second);
        Ok(Node { _server: server, port, tree })
    }

    /// All in turn, after a second of each that does not count.
    fn rounds(&self, keys: &Keys, fresh: &Node, warm: &Node, peer: &peer::Peer) -> Result<Vec<Round>> {
        let database = Tree::of(postmaster(self.cluster)?, self.ticks_per_second);
        let theirs = Tree::of(peer.server.id(), self.ticks_per_second);
        let select = self.directory.join("select.sql");
        fs::write(&select, SELECT).with_context(|| format!("writing {}", select.display()))?;
        let wrk = |server, port: u16, numbers: Range<usize>, kind: &str| Wrk {
            program: &self.programs.wrk,
            url: format!("http://127.0.0.1:{port}{VALIDATE}"),
            header: None,
            script: Some(Script {
                path: root().join("xtask/src/bench/licenses/validate.lua"),
                args: vec![
                    keys.file.display().to_string(),
                    (numbers.start + 1).to_string(),
                    numbers.end.to_string(),
                    kind.to_owned(),
                ],
            }),
            connections: CONNECTIONS,
            server,
            database: Some(database),
            ticks_per_second: self.ticks_per_second,
        };
        let all = 0..LICENSES;
        let [fresh_all, fresh_signed] = [(all.clone(), "plain"), (ON_A_MACHINE, "signed")]
            .map(|(numbers, kind)| wrk(fresh.tree, fresh.port, numbers, kind));
        let warm_hot = wrk(warm.tree, warm.port, HOT, "plain");
        let [fastify_all, fastify_hot, fastify_signed] =
            [(all, "plain"), (HOT, "plain"), (ON_A_MACHINE, "signed")]
                .map(|(numbers, kind)| wrk(theirs, peer.port, numbers, kind));
        let round = |seconds| {
            anyhow::Ok(Round {
                fresh: fresh_all.run(seconds)?,
                fastify: fastify_all.run(seconds)?,
                pgbench: load::pgbench(self.cluster, database, seconds)?,
                select: load::pgbench_with(self.cluster, DATABASE, &select, database, seconds)?,
                warm: warm_hot.run(seconds)?,
                fastify_hot: fastify_hot.run(seconds)?,
                signed: fresh_signed.run(seconds)?,
                fastify_signed: fastify_signed.run(seconds)?,
            })
        };
        eprintln!("Checks of licenses: devforge, Fastify and pgbench");
        // Every license of the hot set is asked about many times before it counts.
        warm_hot.run(5)?;
        round(1)?;
        let mut rounds = Vec::new();
        for number in 1..=self.settings.rounds {
            let done = round(self.settings.seconds)?;
            eprintln!(
                "  round {number} of {}: no cache {:>7}/s, Fastify {:>7}/s, pgbench -S {:>7}/s, warm cache {:>7}/s",
                self.settings.rounds,
                grouped(done.fresh.per_second),
                grouped(done.fastify.per_second),
                grouped(done.pgbench.per_second),
                grouped(done.warm.per_second),
            );
            rounds.push(done);
        }
        Ok(rounds)
    }

    fn latencies(
        &self,
        name: &str,
        port: u16,
        keys: &[String],
        per_second: f64,
    ) -> Result<(f64, Vec<Latency>)> {
        eprintln!("Latency with {name} at half of saturation, {}/s", grouped(per_second));
        let load = |seconds| Load { port, keys, per_second, connections: PACED_CONNECTIONS, seconds }.run();
        load(1)?;
        let mut all = Vec::new();
        for number in 1..=self.settings.rounds {
            let latency = load(self.settings.seconds)?;
            eprintln!(
                "  round {number} of {}: p99.9 {}, longest {}",
                self.settings.rounds,
                duration(latency.p999),
                duration(latency.max)
            );
            all.push(latency);
        }
        Ok((per_second, all))
    }

    /// How long after a revocation was asked for on one of two nodes each of them says so, in microseconds.
    fn revocations(&self, keys: &Keys, one: &Node, two: &Node) -> Result<Vec<f64>> {
        let person = json!({ "email": ADMIN, "password": self.password });
        // The two have addresses of their own here, so each takes only its own tokens.
        let sign_in = |node: &Node| {
            let answer = client::ask(node.port, "POST", "/api/auth/login", None, &person.to_string())?;
            let token = json_of(&answer)?["token"].as_str().map(str::to_owned);
            token.context("the administrator was not signed in")
        };
        let tokens = [sign_in(one)?, sign_in(two)?];
        let mut times = Vec::new();
        for (turn, number) in TO_REVOKE.take(REVOCATIONS).enumerate() {
            // Once through each, so that neither is only told of what it did itself.
            let (asked, other, token) =
                if turn % 2 == 0 { (one, two, &tokens[0]) } else { (two, one, &tokens[1]) };
            for port in [asked.port, other.port, asked.port, other.port] {
                if check(port, keys, number)?["code"] != "VALID" {
                    bail!("a license was not good before it was revoked");
                }
            }
            let start = Instant::now();
            let path = format!("/api/licenses/{}", keys.written(number));
            let answer = client::ask(asked.port, "DELETE", &path, Some(token), "{\"reason\":\"bench\"}")?;
            if answer.status != 200 {
                bail!("revoking a license was answered {}", answer.status);
            }
            let mut waiting = vec![other.port, asked.port];
            while !waiting.is_empty() {
                if interrupted() {
                    bail!("stopped");
                }
                if start.elapsed() > PATIENCE {
                    bail!("a node does not hear of a revocation");
                }
                let mut left = Vec::new();
                for port in waiting {
                    if check(port, keys, number)?["code"] == "REVOKED" {
                        times.push(start.elapsed().as_secs_f64() * 1e6);
                    } else {
                        left.push(port);
                    }
                }
                waiting = left;
                thread::sleep(Duration::from_micros(500));
            }
        }
        Ok(times)
    }
}

/// Whoever is measured says the same of the same licenses, and says that they are good.
fn same_answers(keys: &Keys, ports: &[u16]) -> Result<()> {
    let numbers = (0..LICENSES).step_by(LICENSES / 40).chain([HOT.end - 1, ON_A_MACHINE.start, LICENSES - 1]);
    for number in numbers {
        let answers = ports.iter().map(|port| check(*port, keys, number)).collect::<Result<Vec<_>>>()?;
        for answer in &answers {
            if answer["code"] != "VALID"
                || ["code", "valid", "tier", "expiresAt", "features", "machines"]
                    .iter()
                    .any(|name| answer[name] != answers[0][name])
            {
                bail!("license {number} is answered {answer} by one and {} by another", answers[0]);
            }
        }
    }
    for port in ports {
        let body = json!({ "licenseKey": keys.written(ON_A_MACHINE.start), "fingerprint": FINGERPRINT, "nonce": "n-1" });
        let answer = json_of(&client::ask(*port, "POST", VALIDATE, None, &body.to_string())?)?;
        let token = answer["offlineToken"].as_str().unwrap_or_default();
        if token.split('.').count() != 3 || answer["nonce"] != "n-1" {
            bail!("a license on a machine is answered without a signature: {answer}");
        }
    }
    Ok(())
}

fn check(port: u16, keys: &Keys, number: usize) -> Result<Value> {
    let body = json!({ "licenseKey": keys.written(number) });
    json_of(&client::ask(port, "POST", VALIDATE, None, &body.to_string())?)
}

fn json_of(answer: &client::Answer) -> Result<Value> {
    let body = String::from_utf8_lossy(&answer.body);
    if answer.status != 200 {
        bail!("a request was answered {}: {body}", answer.status);
    }
    serde_json::from_str(&body).context("an answer is not JSON")
}
