//! `cargo xtask run`: from a fresh clone to a site that answers.

use std::{env, os::unix::process::CommandExt};

use anyhow::{Context, Result};

use crate::{
    process::{cargo, command, run as execute, server_program, step},
    release,
    site::{self, Profile},
    tools,
};

pub fn run(release: bool) -> Result<()> {
    if env::var_os("DATABASE_URL").is_none() {
        tools::postgres()?;
    }
    if release {
        release::build(true)?;
    } else {
        site::build(Profile::Dev)?;
        server()?;
    }
    let program = server_program(if release { "release" } else { "debug" });
    let mut serve = command(&program);
    serve.arg("serve");
    if env::var_os("DEVFORGE_SEED").is_none() {
        serve.env("DEVFORGE_SEED", "demo");
    }
    // The server takes our place: Ctrl-C and its exit code are its own. It only comes back when it cannot.
    let refusal = serve.exec();
    Err(refusal).with_context(|| format!("cannot start {}", program.display()))
}

/// The server as `run`, `dev` and the browser tests use it.
///
/// Which features a dependency is built with depends on the packages cargo is asked for. `server` depends on every
/// other package but xtask, so asking for it gives the same features as the tests, which ask for the whole workspace
/// without xtask. xtask stays out: its CSS and wasm libraries would switch on features, and all would be built again.
pub fn server() -> Result<()> {
    step("Building the server", || execute(&mut cargo(["build", "-p", "server", "--bin", "devforge"])))
}
