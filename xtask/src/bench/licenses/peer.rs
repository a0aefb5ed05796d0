//! The small Fastify service that devforge is measured beside, in `peers/licenses`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result};
use private_postgres::Cluster;

use super::keys;
use crate::{
    process::{Server, command, free_port, root, run, step, target},
    tools,
};

pub struct Peer {
    pub server: Server,
    pub port: u16,
}

/// Starts it on the same database. `features` are those that devforge names.
pub fn start(cluster: &Cluster, database: &str, secret: &str, features: &str, log: &Path) -> Result<Peer> {
    let directory = installed()?;
    let port = free_port()?;
    let words = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    let mut node = command("node");
    node.arg("server.mjs")
        .current_dir(&directory)
        .env("NODE_ENV", "production")
        .env("DATABASE_URL", cluster.url_of(database))
        .env("PORT", port.to_string())
        .env("KEY", hex::encode(keys::derived(secret, keys::LICENSE_KEY)))
        .env("FINGERPRINT_KEY", hex::encode(keys::derived(secret, keys::MACHINE_FINGERPRINT)))
        .env("FEATURES", features)
        .env("ISSUER", format!("http://127.0.0.1:{port}"));
    node.stdin(Stdio::null()).stdout(words.try_clone().context("writing the peer's log")?).stderr(words);
    let mut server = Server::start(&mut node)?;
    step("Starting the Fastify service", || server.wait_until_ready(port))?;
    Ok(Peer { server, port })
}

/// A copy of it with what its lock file names, outside the source.
fn installed() -> Result<PathBuf> {
    tools::node()?;
    let source = root().join("xtask/src/bench/peers/licenses");
    let directory = target().join("bench-peers/licenses");
    fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
    let read = |path: PathBuf| fs::read(&path).with_context(|| format!("reading {}", path.display()));
    // npm writes the second file when it has finished.
    let done = directory.join("node_modules/.package-lock.json").is_file();
    let lock = read(source.join("package-lock.json"))?;
    let same = done && fs::read(directory.join("package-lock.json")).is_ok_and(|kept| kept == lock);
    for name in ["package.json", "package-lock.json", "server.mjs"] {
        let to = directory.join(name);
        fs::write(&to, read(source.join(name))?).with_context(|| format!("writing {}", to.display()))?;
    }
    if !same {
        step("Installing Fastify from the peer's package-lock.json", || {
            run(command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory))
        })?;
    }
    Ok(directory)
}
