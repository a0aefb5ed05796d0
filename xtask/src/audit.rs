//! `cargo xtask audit`: what `deny.toml` says about advisories, licenses and sources.

use anyhow::{Result, bail};

use crate::process::{cargo, run, succeeds};

pub fn audit() -> Result<()> {
    if !succeeds(&mut cargo(["deny", "--version"])) {
        bail!("cargo-deny is not installed: type `cargo install --locked cargo-deny`");
    }
    run(&mut cargo(["deny", "check"]))
}
