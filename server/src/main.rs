//! The `devforge` command.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use devforge::{
    account::{self, NewAccount},
    api::openapi,
    billing::catalogue,
    clock::Clock,
    config::{Config, Fallback, KEYS, Key, Mode, Sources},
    contract::account::Role,
    jobs,
    random::Random,
    search, seed,
    signing::{self, KeyPurpose},
};
use server::{doctor, payments, postgres, serve, telemetry};

/// Requests are many short-lived allocations on several threads: a quarter of the time per request went into the
/// system's allocator and its locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    name = "devforge",
    version,
    about = "Dev Forge: site, shop, licenses, updates and extensions in one program"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the site and the API, and run jobs beside them
    #[command(after_long_help = keys_help())]
    Serve,
    /// Run jobs only
    Worker,
    /// Bring the database up to date
    Migrate,
    /// Fill an empty database with demo data
    Seed,
    /// Build the search index anew; a server that runs goes on with it
    Reindex,
    /// Administrators
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Jobs that failed for good
    Jobs {
        #[command(subcommand)]
        command: JobsCommand,
    },
    /// What is sold
    Catalogue {
        #[command(subcommand)]
        command: CatalogueCommand,
    },
    /// The keys that sign the tokens of the API
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Check configuration, database, storage, mail and index, and say what is wrong
    Doctor {
        /// Only what a load balancer would want to know
        #[arg(long)]
        quick: bool,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Subcommand)]
enum JobsCommand {
    /// List them, newest first
    Dead,
    /// Let one run again
    Revive { id: i64 },
}

#[derive(Subcommand)]
enum CatalogueCommand {
    /// Bring Stripe's products, prices and coupons to what the catalogue says; again changes nothing
    Sync,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make new ones ahead of time; nobody is signed out by it
    Rotate {
        /// Also the one that signs files for machines that are always offline. The editor brings that key along, so it is
        /// published 90 days before it signs: bring out a release with it meanwhile
        #[arg(long)]
        machine_files: bool,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make an administrator; the password is read from standard input
    Create {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
    },
}

fn keys_help() -> String {
    let mut text = String::from(
        "Configuration comes from the environment, then from devforge.toml (or the file that DEVFORGE_CONFIG names), \
         then from these defaults:\n\n",
    );
    for Key { env, file, default, help } in KEYS {
        let default = match default {
            Fallback::Value("") => "empty".to_owned(),
            Fallback::Value(value) => (*value).to_owned(),
            Fallback::Unset(without) => format!("not set: {without}"),
        };
        text.push_str(&format!("  {env}  ({file})\n      {help}\n      default: {default}\n"));
    }
    text
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("devforge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    if matches!(command, Command::Openapi) {
        print!("{}", openapi::pretty());
        return Ok(ExitCode::SUCCESS);
    }
    // Two parts of the program bring TLS; both use this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sources = Sources::from_process()?;
    let config = Config::load(&sources, &Random::System)?;
    telemetry::install(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("threads cannot be started")?;
    runtime.block_on(async {
        match command {
            Command::Serve => serve::serve(config, &sources).await.map(|()| ExitCode::SUCCESS),
            Command::Worker => serve::worker(config).await.map(|()| ExitCode::SUCCESS),
            Command::Doctor { quick } => doctor::run(config, quick).await,
            Command::Openapi => Ok(ExitCode::SUCCESS),
            other => one_off(other, config, &sources).await.map(|()| ExitCode::SUCCESS),
        }
    })
}

/// Commands that need a database for a moment.
async fn one_off(command: Command, config: Config, sources: &Sources) -> anyhow::Result<()> {
    let site = config.http.address;
    let (config, simulator) = payments::ensure(config, site).await?;
    let (config, cluster) = postgres::ensure(config).await?;
    let ctx = devforge::context::Context::open(config, Clock::System, Random::System).await?;
    serve::prepare_database(&ctx).await?;
    match command {
        Command::Migrate => {
            serve::bring_articles(&ctx).await?;
            println!("The database is up to date.");
        }
        Command::Seed if ctx.config.mode == Mode::Production => {
            anyhow::bail!("demo accounts are for development; set DEVFORGE_MODE=development")
        }
        Command::Seed => {
            serve::bring_articles(&ctx).await?;
            if !seed::demo(&ctx, sources.get("DEVFORGE_DEMO_PASSWORD")).await? {
                println!("There are accounts already: nothing was changed.");
            }
            serve::print_demo(&ctx.config);
        }
        Command::Reindex => {
            search::rebuild(&ctx, openapi::document()).await?;
            println!("{} documents can be found.", ctx.search.document_count()?);
        }
        Command::Jobs { command: JobsCommand::Dead } => {
            for job in jobs::dead(&ctx, 200).await? {
                let error = job.last_error.unwrap_or_default();
                println!("{:>8}  {}  after {} attempts: {error}", job.id, job.name, job.attempts);
            }
        }
        Command::Jobs { command: JobsCommand::Revive { id } } => {
            anyhow::ensure!(
                jobs::revive(&ctx, id).await?,
                "there is no dead job {id}; `devforge jobs dead` lists them"
            );
            println!("It runs again.");
        }
        Command::Catalogue { command: CatalogueCommand::Sync } => {
            let report = catalogue::sync(&ctx).await?;
            println!(
                "{} made, {} changed, {} archived, {} as they were.",
                report.created, report.updated, report.archived, report.unchanged
            );
        }
        Command::Keys { command: KeysCommand::Rotate { machine_files } } => {
            for purpose in KeyPurpose::ALL {
                if !purpose.changes_by_itself() && !machine_files {
                    continue;
                }
                let key = signing::rotate(&ctx, purpose).await?;
                let from = if purpose.changes_by_itself() { "in an hour" } else { "in 90 days" };
                println!(
                    "{}: the new key {key} is published. It signs {from}, or at once when there was none.",
                    purpose.as_str()
                );
            }
        }
        Command::Admin { command: AdminCommand::Create { email, name } } => {
            let password = read_password()?;
            let new = NewAccount { email: &email, name: &name, role: Role::Admin, password: &password };
            let user = account::create(&ctx, new).await.map_err(|error| match error {
                account::Error::Invalid(problems) => {
                    let lines: Vec<String> = problems
                        .into_iter()
                        .map(|problem| format!("{}: {}", problem.field, problem.message))
                        .collect();
                    anyhow::anyhow!(lines.join("; "))
                }
                other => other.into(),
            })?;
            println!("{} is an administrator now ({}).", user.email, user.id);
        }
        Command::Serve | Command::Worker | Command::Doctor { .. } | Command::Openapi => {}
    }
    ctx.db.close().await;
    payments::stop(simulator).await;
    postgres::stop(cluster).await;
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    use std::io::IsTerminal;
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("Password (it is shown while you type): ");
    }
    let mut line = String::new();
    stdin.read_line(&mut line).context("the password cannot be read from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
