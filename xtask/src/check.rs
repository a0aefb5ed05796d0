//! `cargo xtask check`: the fast part of the tests, and the single checks that `test` is made of.

use anyhow::Result;

use crate::{
    invariants,
    process::{cargo, run, step},
    site, tools,
};

pub fn check() -> Result<()> {
    step("Format", format)?;
    step("Invariants", invariants::check)?;
    step("The contract for the browser", contract)?;
    step("Clippy", clippy)?;
    step("Clippy for the browser", clippy_wasm)
}

pub fn format() -> Result<()> {
    run(&mut cargo(["fmt", "--all", "--check"]))
}

/// `contract` compiles for the browser without any feature.
pub fn contract() -> Result<()> {
    tools::wasm_target()?;
    run(&mut cargo(["check", "-p", "devforge", "--target", tools::WASM]))
}

/// The whole workspace at once, xtask included: clippy shares nothing with a build but build scripts and macros, so
/// there is one set of features for it and nothing is checked twice.
pub fn clippy() -> Result<()> {
    site::ensure_exists()?;
    run(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

pub fn clippy_wasm() -> Result<()> {
    tools::wasm_target()?;
    let mut clippy =
        cargo(["clippy", "-p", "app", "--lib", "--target", tools::WASM, "--features", "hydrate"]);
    run(clippy.args(["--", "-D", "warnings"]))
}
