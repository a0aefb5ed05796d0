//! `cargo xtask dev`: build, serve, and do both again when a file changes.
//!
//! Looking at the files twice a second costs a few milliseconds and needs no library, no limit to raise and no
//! special case for editors that replace files instead of writing them.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use private_postgres::{Cluster, Options};

use crate::{
    process::{Server, command, interrupted, root, server_program},
    run,
    site::{self, Profile},
    tools,
};

const WATCHED: [&str; 9] =
    ["src", "app", "server", "private-postgres", "style", "public", "content", "migrations", "Cargo.toml"];

type Times = HashMap<PathBuf, SystemTime>;

pub fn dev() -> Result<()> {
    let cluster = database()?;
    let mut seen = times();
    let mut served = None;
    let mut server = None;
    rebuild(&mut server, &mut served);
    while !interrupted() {
        thread::sleep(Duration::from_millis(500));
        if let Some(running) = &mut server
            && let Ok(Some(status)) = Server::ended(running)
        {
            eprintln!("The server ended ({status}). It starts again when a file changes.");
            server = None;
            served = None;
        }
        let now = times();
        if now == seen {
            continue;
        }
        for path in changed(&seen, &now).iter().take(5) {
            eprintln!("Changed: {}", path.strip_prefix(root()).unwrap_or(path).display());
        }
        seen = now;
        rebuild(&mut server, &mut served);
    }
    drop(server);
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }
    Ok(())
}

/// While we hold a share in the private cluster it keeps running between two servers, which makes a restart short.
fn database() -> Result<Option<Cluster>> {
    if env::var_os("DATABASE_URL").is_some() {
        return Ok(None);
    }
    tools::postgres()?;
    let data = env::var_os("DEVFORGE_DATA_DIR").map_or_else(|| PathBuf::from(".devforge"), PathBuf::from);
    let data_dir = root().join(data).join("postgres");
    let options = Options { data_dir, durable: true, max_connections: 100, shared_buffers_mb: 128 };
    Ok(Some(private_postgres::start(&options)?))
}

/// The old server answers until the new one is built, and goes on when the code does not compile.
fn rebuild(server: &mut Option<Server>, served: &mut Option<SystemTime>) {
    let built = site::build(Profile::Dev).and_then(|()| run::server());
    if interrupted() {
        return;
    }
    if let Err(error) = built {
        eprintln!("error: {error:#}");
        eprintln!("Waiting for the next change.");
        return;
    }
    let program = server_program("debug");
    let modified = program.metadata().and_then(|metadata| metadata.modified()).ok();
    if server.is_some() && modified == *served {
        return;
    }
    // The old one has to leave its port before the new one can take it.
    *server = None;
    let mut serve = command(&program);
    serve.arg("serve");
    if env::var_os("DEVFORGE_SEED").is_none() {
        serve.env("DEVFORGE_SEED", "demo");
    }
    match Server::start(&mut serve) {
        Ok(started) => {
            *server = Some(started);
            *served = modified;
        }
        Err(error) => eprintln!("error: {error:#}"),
    }
}

fn times() -> Times {
    let mut times = Times::new();
    for name in WATCHED {
        collect(&root().join(name), &mut times);
    }
    times
}

fn collect(path: &Path, times: &mut Times) {
    // Editors keep their own files beside ours.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') || name.ends_with('~') {
        return;
    }
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), times);
        }
    } else if let Ok(modified) = metadata.modified() {
        times.insert(path.to_owned(), modified);
    }
}

fn changed(before: &Times, now: &Times) -> Vec<PathBuf> {
    let touched = now.iter().filter(|(path, time)| before.get(*path) != Some(*time));
    let gone = before.keys().filter(|path| !now.contains_key(*path));
    let mut paths: Vec<PathBuf> = touched.map(|(path, _)| path).chain(gone).cloned().collect();
    paths.sort();
    paths
}
