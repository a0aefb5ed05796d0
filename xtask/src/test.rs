//! `cargo xtask test`: every test there is, in parts, with one line for each at the end.
//!
//! A part that fails does not keep the others from running. A part that cannot run fails: nothing is skipped.
//!
//! The site comes before everything that compiles the server, because the server takes the site into itself. The
//! native build asks for the workspace without xtask and with all targets, once: `cargo test` and nextest then find
//! everything built with the same features, the program `devforge` for the last two parts included.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use private_postgres::Cluster;

use crate::{
    check, invariants, prepare,
    process::{Server, cargo, command, free_port, interrupted, root, run, server_program, succeeds, target},
    run::server,
    site::{self, Profile},
    tools,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Format,
    Invariants,
    ContractWasm,
    Site,
    Clippy,
    ClippyWasm,
    Rust,
    Openapi,
    Sdk,
    Browser,
}

/// What one part has made and a later one needs.
#[derive(Default)]
struct Session {
    cluster: Option<Cluster>,
    built: bool,
}

struct Line {
    name: String,
    passed: bool,
    seconds: f64,
}

pub fn test(part: Option<Part>, args: &[String]) -> Result<()> {
    if !args.is_empty() && !matches!(part, Some(Part::Rust | Part::Browser)) {
        bail!("only the parts rust and browser take arguments: `cargo xtask test browser -- home.spec.ts`");
    }
    let parts = part.as_ref().map_or(Part::value_variants(), std::slice::from_ref);
    let mut session = Session::default();
    let mut lines = Vec::new();
    for part in parts {
        let name = part.to_possible_value().expect("no part is hidden").get_name().to_owned();
        eprintln!("\n== {name}");
        let start = Instant::now();
        let result = session.run(*part, args);
        if interrupted() {
            break;
        }
        if let Err(error) = &result {
            eprintln!("error: {error:#}");
        }
        lines.push(Line { name, passed: result.is_ok(), seconds: start.elapsed().as_secs_f64() });
    }
    let removed = session.cluster.take().map_or(Ok(()), Cluster::remove);
    if interrupted() {
        bail!("stopped");
    }
    report(&lines);
    removed?;
    let failed: Vec<&str> = lines.iter().filter(|line| !line.passed).map(|line| line.name.as_str()).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn report(lines: &[Line]) {
    println!("\npart            result    seconds");
    for line in lines {
        let result = if line.passed { "passed" } else { "failed" };
        println!("{:<16}{result:<8}{:>9.1}", line.name, line.seconds);
    }
    let failed = lines.iter().filter(|line| !line.passed).count();
    println!("{} passed, {failed} failed", lines.len() - failed);
}

impl Session {
    fn run(&mut self, part: Part, args: &[String]) -> Result<()> {
        match part {
            Part::Format => check::format(),
            Part::Invariants => invariants::check(),
            Part::ContractWasm => check::contract(),
            Part::Site => site::build(Profile::Release),
            Part::Clippy => check::clippy(),
            Part::ClippyWasm => check::clippy_wasm(),
            Part::Rust => self.rust(args),
            Part::Openapi => self.openapi(),
            Part::Sdk => self.sdk(),
            Part::Browser => self.browser(args),
        }
    }

    fn cluster(&mut self) -> Result<&Cluster> {
        match &mut self.cluster {
            Some(cluster) => Ok(cluster),
            none => Ok(none.insert(tools::throwaway_postgres()?)),
        }
    }

    fn rust(&mut self, args: &[String]) -> Result<()> {
        site::ensure_exists()?;
        run(&mut cargo(["build", "--workspace", "--exclude", "xtask", "--all-targets"]))?;
        self.built = true;
        let url = self.cluster()?.url();
        let tests = |words: &[&str]| run(cargo([]).args(words).args(args).env("DATABASE_URL", &url));
        let selection = ["--workspace", "--exclude", "xtask"];
        if succeeds(&mut cargo(["nextest", "--version"])) {
            tests(&[&["nextest", "run"][..], &selection].concat())?;
            // Examples in comments are beyond nextest.
            if args.is_empty() {
                tests(&[&["test", "--doc"][..], &selection].concat())?;
            }
        } else {
            tests(&[&["test", "--no-fail-fast"][..], &selection].concat())?;
        }
        // Apart from the others, so that its libraries do not change their features.
        if args.is_empty() {
            tests(&["test", "-p", "xtask"])?;
        }
        Ok(())
    }

    /// The program `devforge`, with the site inside.
    fn binary(&mut self) -> Result<()> {
        if !self.built {
            site::build(Profile::Release)?;
            server()?;
            self.built = true;
        }
        Ok(())
    }

    fn openapi(&mut self) -> Result<()> {
        self.binary()?;
        let committed = fs::read_to_string(root().join("openapi.json"))
            .context("openapi.json is missing: type `cargo xtask prepare` and commit what it writes")?;
        if prepare::openapi()? != committed {
            bail!(
                "openapi.json is not what the code says: type `cargo xtask prepare`, look at the difference, commit it"
            );
        }
        Ok(())
    }

    /// The editor's client against the real server, which its tests start and stop themselves.
    fn sdk(&mut self) -> Result<()> {
        tools::node_modules_of("sdk")?;
        self.binary()?;
        let database = format!("sdk_{}", std::process::id());
        let cluster = self.cluster()?;
        cluster.create_database(&database)?;
        let url = cluster.url_of(&database);
        let sdk = root().join("sdk");
        run(command("npm").args(["run", "--silent", "build"]).current_dir(&sdk))?;
        let mut tests = command("npm");
        tests.args(["run", "--silent", "test"]).current_dir(&sdk);
        run(tests.env("DATABASE_URL", url).env("DEVFORGE_BIN", server_program("debug")))
    }

    fn browser(&mut self, args: &[String]) -> Result<()> {
        tools::example_programs()?;
        let modules = tools::node_modules()?;
        let chromium = tools::chromium()?;
        self.binary()?;
        let database = format!("browser_{}", std::process::id());
        let cluster = self.cluster()?;
        cluster.create_database(&database)?;
        let url = cluster.url_of(&database);

        let data = target().join(format!("test-browser-{}", std::process::id()));
        let log = target().join("test-browser.log");
        let password = random_password()?;
        let port = free_port()?;
        let words = File::create(&log).with_context(|| format!("writing {}", log.display()))?;
        let mut serve = command(server_program("debug"));
        serve.arg("serve").env("DATABASE_URL", url).env("DEVFORGE_DATA_DIR", &data);
        serve.env("DEVFORGE_HTTP_ADDRESS", format!("127.0.0.1:{port}"));
        serve.env("DEVFORGE_SEED", "demo").env("DEVFORGE_DEMO_PASSWORD", &password);
        // All journeys come from one address at a speed no person has. The headers are still there to be seen.
        serve.env("DEVFORGE_HTTP_RATE_PER_MINUTE", "1000000");
        serve.stdout(words.try_clone().context("writing the server's log")?).stderr(words);
        let result = Server::start(&mut serve).and_then(|mut server| {
            server.wait_until_ready(port)?;
            let mut playwright = command(modules.join(".bin/playwright"));
            playwright.arg("test").args(args).current_dir(root().join("end2end"));
            playwright.env("BASE_URL", format!("http://localhost:{port}")).env("DEMO_PASSWORD", &password);
            run(playwright.env("CHROMIUM", chromium))
        });
        // Not there when the server never came up.
        let _ = fs::remove_dir_all(&data);
        if result.is_err() && !interrupted() {
            eprintln!("The server's last words, of {}:\n{}", log.display(), last_lines(&log, 30));
        }
        result
    }
}

pub fn random_password() -> Result<String> {
    let mut random = [0_u8; 12];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .context("reading /dev/urandom")?;
    Ok(hex::encode(random))
}

pub fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
