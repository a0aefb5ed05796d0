//! `cargo xtask …`: everything that is done with this repository, each as one command.
//!
//! Nothing here needs a tool that takes minutes to install. What is missing is added when that can be done without
//! asking (a compiler target, a system package as root), and named with the exact line to type otherwise.

mod audit;
mod bench;
mod check;
mod dev;
mod invariants;
mod prepare;
mod process;
mod release;
mod run;
mod site;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", about = "Everything that is done with this repository")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the site and serve it on http://localhost:3000, with its own database and demo data.
    Run {
        /// Build both parts for production.
        #[arg(long)]
        release: bool,
    },
    /// As `run`; rebuild and restart when a file changes.
    Dev,
    /// The fast part of the tests: format, invariants, and the compiler's and clippy's opinion.
    Check,
    /// Every test, or one part of them.
    Test {
        /// Only this part.
        part: Option<test::Part>,
        /// Given on to the test runner of the parts `rust` and `browser`.
        #[arg(last = true, requires = "part")]
        args: Vec<String>,
    },
    /// Make the `.sqlx` files and `openapi.json` anew.
    Prepare,
    /// Build the server with the site inside it.
    Build {
        /// Small and fast: this is the one to deploy.
        #[arg(long)]
        release: bool,
    },
    /// Check dependencies for advisories, licenses and sources.
    Audit,
    /// Measure throughput beside nginx, Fastify and pgbench on this machine, search beside PostgreSQL's, and what
    /// guarding accounts costs.
    Bench {
        /// Only this part.
        part: Option<bench::Part>,
    },
}

fn main() -> ExitCode {
    let result = process::watch_signals().and_then(|()| match Cli::parse().task {
        Task::Run { release } => run::run(release),
        Task::Dev => dev::dev(),
        Task::Check => check::check(),
        Task::Test { part, args } => test::test(part, &args),
        Task::Prepare => prepare::prepare(),
        Task::Build { release } => release::build(release),
        Task::Audit => audit::audit(),
        Task::Bench { part } => bench::run(part),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if process::interrupted() => ExitCode::from(130),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
