//! What has to be on the machine: found, added when we may, named with the line to type otherwise.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};
use private_postgres::{Cluster, Options};

use crate::process::{command, interrupted, output, root, run, step, succeeds, target};

pub const WASM: &str = "wasm32-unknown-unknown";

/// The compiler's part for the browser.
pub fn wasm_target() -> Result<()> {
    let directory = output(command("rustc").args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(directory.trim()).is_dir() {
        return Ok(());
    }
    if !succeeds(command("rustup").arg("--version")) {
        bail!(
            "this Rust cannot build for {WASM} and there is no rustup: install Rust from https://rustup.rs, or your distribution's package with that target"
        );
    }
    step(
        "Adding the compiler target for the browser",
        || run(command("rustup").args(["target", "add", WASM])),
    )
}

/// PostgreSQL's programs. Nobody needs its service: we start a cluster of our own.
pub fn postgres() -> Result<()> {
    if private_postgres::find_binaries().is_err() {
        install("PostgreSQL", "postgresql")?;
        private_postgres::find_binaries()?;
    }
    Ok(())
}

/// A cluster for one run of the tests, gone at its end. What a killed run has left is removed first.
pub fn throwaway_postgres() -> Result<Cluster> {
    postgres()?;
    let data_dir = target().join("test-postgres");
    let options = Options { data_dir, durable: false, max_connections: 200, shared_buffers_mb: 64 };
    if options.data_dir.exists() {
        private_postgres::start(&options)?.remove()?;
    }
    Ok(private_postgres::start(&options)?)
}

/// Node and npm, for the browser tests and for wasm-opt.
pub fn node() -> Result<()> {
    let found = output(command("node").arg("--version"));
    let Ok(version) = found else {
        bail!(
            "Node 20 or newer is not installed: type `sudo apt-get install nodejs npm` (Debian 13, Ubuntu 25.04 and later), or take it from https://nodejs.org"
        );
    };
    if node_major(&version).is_none_or(|major| major < 20) {
        bail!("Node is {}, and 20 or newer is needed: take it from https://nodejs.org", version.trim());
    }
    if !succeeds(command("npm").arg("--version")) {
        bail!("npm is not installed: type `sudo apt-get install npm`");
    }
    Ok(())
}

fn node_major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The tools of the journeys, and of the site's build.
pub fn node_modules() -> Result<PathBuf> {
    node_modules_of("end2end")
}

/// What a folder's `package-lock.json` names, installed when the lock is newer than what is there.
pub fn node_modules_of(folder: &str) -> Result<PathBuf> {
    node()?;
    let directory = root().join(folder);
    let modified = |path: PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let installed = modified(directory.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(directory.join("package-lock.json")) {
        step(&format!("Installing what {folder}/package-lock.json names"), || {
            run(command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory))
        })?;
    }
    Ok(directory.join("node_modules"))
}

/// The browser of the journeys.
pub fn chromium() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    let find = || {
        let places = [
            "/usr/bin/chromium",
            "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome",
            "/snap/bin/chromium",
        ];
        places.iter().map(PathBuf::from).find(|path| path.exists())
    };
    if let Some(path) = find() {
        return Ok(path);
    }
    install("Chromium", "chromium")?;
    match find() {
        Some(path) => Ok(path),
        None => bail!("Chromium is still not there: install it and set CHROMIUM to its path"),
    }
}

/// `wasm-opt`, by preference the version that our lock file names: an old one does not know what rustc emits.
pub fn wasm_opt() -> Result<PathBuf> {
    let pinned = node_modules().map(|modules| modules.join(".bin/wasm-opt"));
    match pinned {
        Ok(program) if program.exists() => Ok(program),
        _ => match on_path("wasm-opt") {
            Some(program) => Ok(program),
            None => bail!(
                "wasm-opt is missing: install Node 20 or newer with npm, or type `sudo apt-get install binaryen`"
            ),
        },
    }
}

/// What the examples of the docs are typed with.
pub fn example_programs() -> Result<()> {
    for program in ["curl", "jq"] {
        if on_path(program).is_none() {
            install(program, program)?;
        }
    }
    Ok(())
}

/// The load generator of the bench.
pub fn wrk() -> Result<PathBuf> {
    if let Some(program) = on_path("wrk") {
        return Ok(program);
    }
    install("wrk", "wrk")?;
    match on_path("wrk") {
        Some(program) => Ok(program),
        None => bail!("wrk is still not on the PATH: see where `dpkg --listfiles wrk` says that it is"),
    }
}

/// nginx's program, which the bench measures against. Nobody needs its service.
pub fn nginx() -> Result<PathBuf> {
    // Debian puts it where only root looks.
    let find = || {
        let beside = PathBuf::from("/usr/sbin/nginx");
        on_path("nginx").or_else(|| Some(beside).filter(|path| path.is_file()))
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    install("nginx", "nginx-light")?;
    // The package has started a service on port 80 that nobody asked for. Without it there is nothing to stop.
    let _ = if Path::new("/run/systemd/system").is_dir() {
        succeeds(privileged("systemctl").args(["disable", "--now", "nginx"]))
    } else {
        succeeds(privileged("service").args(["nginx", "stop"]))
    };
    match find() {
        Some(program) => Ok(program),
        None => bail!("nginx is still not there: see where `dpkg --listfiles nginx` says that it is"),
    }
}

pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(program)).find(|path| path.is_file())
}

/// Installs a Debian package when we are root or may become it without a password.
fn install(name: &str, package: &str) -> Result<()> {
    let line = format!("sudo apt-get install {package}");
    if on_path("apt-get").is_none() {
        bail!(
            "{name} is not installed: install it with this system's package manager (on Debian and Ubuntu: `{line}`)"
        );
    }
    let root = rustix::process::geteuid().is_root();
    if !root && !succeeds(command("sudo").args(["-n", "true"])) {
        bail!("{name} is not installed: type `{line}`");
    }
    let apt = |args: &[&str]| {
        let mut apt = privileged("env");
        run(apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(args))
    };
    let install = ["install", "--yes", "--no-install-recommends", package];
    step(&format!("Installing {name} with apt"), || {
        // On a fresh machine the list of packages is missing or old.
        if apt(&install).is_err() && !interrupted() {
            apt(&["update"])?;
            apt(&install)?;
        }
        Ok(())
    })
    .map_err(|error| error.context(format!("{name} could not be installed: type `{line}`")))
}

/// A command as root, for whoever is root or may become it without a password.
fn privileged(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return command(program);
    }
    let mut sudo = command("sudo");
    sudo.args(["-n", program]);
    sudo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_read() {
        assert_eq!(node_major("v20.19.5\n"), Some(20));
        assert_eq!(node_major("20"), None);
        assert_eq!(node_major(""), None);
    }
}
