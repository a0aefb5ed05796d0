//! `cargo xtask prepare`: the `.sqlx` files and `openapi.json`, made anew from the code and the migrations.
//!
//! With a database at hand sqlx's macros ask it about every query and write down the answers. Our queries touch only
//! our own tables, so psql and the migrations are enough, also when there is no `.sqlx` yet and nothing compiles.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use private_postgres::Cluster;

use crate::{
    process::{cargo, command, output, root, run, server_program, step, target},
    run::server,
    site::{self, Profile},
    tools,
};

pub fn prepare() -> Result<()> {
    let cluster = step("Starting a throwaway PostgreSQL", tools::throwaway_postgres)?;
    let prepared = queries(&cluster);
    cluster.remove()?;
    prepared?;
    site::build(Profile::Dev)?;
    server()?;
    let document = openapi()?;
    fs::write(root().join("openapi.json"), document).context("writing openapi.json")?;
    eprintln!(".sqlx and openapi.json are up to date");
    Ok(())
}

/// The OpenAPI document as the server prints it.
pub fn openapi() -> Result<String> {
    output(command(server_program("debug")).arg("openapi"))
}

fn queries(cluster: &Cluster) -> Result<()> {
    let database = format!("prepare_{}", std::process::id());
    cluster.create_database(&database)?;
    step("Applying the migrations", || {
        for file in migrations()? {
            apply(cluster, &database, &file)?;
        }
        Ok(())
    })?;

    let new = target().join("sqlx-new");
    clear(&new)?;
    fs::create_dir_all(&new).with_context(|| format!("making {}", new.display()))?;
    // The macros run only when the compiler does: written again with the same words, the file is newer than what
    // was built from it.
    let library = root().join("src/lib.rs");
    let text = fs::read(&library).context("reading src/lib.rs")?;
    fs::write(&library, text).context("writing src/lib.rs")?;
    step("Asking the database about every query", || {
        let mut check = cargo(["check", "-p", "devforge", "--features", "server", "--all-targets"]);
        check
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &new)
            .env("DATABASE_URL", cluster.url_of(&database));
        run(&mut check)
    })?;

    // Only now, with all of them there, the old ones go, and with them those of queries that are no more.
    let kept = root().join(".sqlx");
    clear(&kept)?;
    fs::create_dir_all(&kept).context("making .sqlx")?;
    for entry in fs::read_dir(&new).context("reading the new query files")? {
        let entry = entry.context("reading the new query files")?;
        fs::copy(entry.path(), kept.join(entry.file_name())).context("writing .sqlx")?;
    }
    clear(&new)
}

fn migrations() -> Result<Vec<PathBuf>> {
    let directory = root().join("migrations");
    let mut files = Vec::new();
    for entry in fs::read_dir(&directory).context("reading migrations")? {
        let path = entry.context("reading migrations")?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    // Their numbers have leading zeros, so names sort as numbers do.
    files.sort();
    Ok(files)
}

fn apply(cluster: &Cluster, database: &str, file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut psql = cluster.client("psql", database);
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
    // As sqlx does it when the server starts.
    if !text.starts_with("-- no-transaction") {
        psql.arg("--single-transaction");
    }
    let output = psql
        .arg("--file")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .context("starting psql")?;
    if !output.status.success() {
        bail!(
            "{} does not apply: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")
        );
    }
    Ok(())
}

fn clear(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(refusal) if refusal.kind() != std::io::ErrorKind::NotFound => {
            Err(refusal).with_context(|| format!("removing {}", directory.display()))
        }
        _ => Ok(()),
    }
}
