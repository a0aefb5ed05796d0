//! `cargo xtask build`: the server with site, content and migrations inside.

use anyhow::{Context, Result};

use crate::{
    process::{cargo, run, server_program, step},
    run::server,
    site::{self, Profile},
};

pub fn build(release: bool) -> Result<()> {
    if release {
        site::build(Profile::Release)?;
        step("Building the server for production", || {
            run(&mut cargo(["build", "--release", "-p", "server", "--bin", "devforge"]))
        })?;
    } else {
        site::build(Profile::Dev)?;
        server()?;
    }
    let program = server_program(if release { "release" } else { "debug" });
    let size = program.metadata().with_context(|| format!("{} is missing", program.display()))?.len();
    println!("{} ({}.{} MB)", program.display(), size / 1_000_000, size % 1_000_000 / 100_000);
    Ok(())
}
