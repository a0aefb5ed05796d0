//! The islands: compiled, given their JavaScript side, and made small for production.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::Profile;
use crate::{
    process::{cargo, command, root, run, step, target},
    tools,
};

/// What rustc turns on for this target. Every browser we support has all of it.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-mutable-globals",
];

pub struct Islands {
    pub script: String,
    pub module: Vec<u8>,
    /// JavaScript that crates bring along: path under `snippets/`, text.
    pub snippets: Vec<(String, String)>,
}

/// Compiles `app` for the browser.
pub fn compile(profile: Profile) -> Result<PathBuf> {
    tools::wasm_target()?;
    // The crate type is named here, so that the server's build links no second, native library from the same crate.
    let mut build = cargo(["rustc", "-p", "app", "--lib", "--crate-type", "cdylib", "--target", tools::WASM]);
    build.args(["--features", "hydrate"]);
    let directory = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            build.args(["--profile", "wasm"]);
            "wasm"
        }
    };
    run(&mut build)?;
    Ok(target().join(tools::WASM).join(directory).join("app.wasm"))
}

/// Makes the JavaScript side, as the program `wasm-bindgen` would.
pub fn bind(compiled: &Path, profile: Profile) -> Result<Islands> {
    let release = profile == Profile::Release;
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?;
    bindgen.input_path(compiled).out_name("app").typescript(false).omit_default_module_path(true);
    bindgen.remove_name_section(release).remove_producers_section(release);
    let mut output = bindgen.generate_output().context("making the JavaScript side of the islands")?;
    let mut snippets = Vec::new();
    for (directory, texts) in output.snippets() {
        let named = texts
            .iter()
            .enumerate()
            .map(|(index, text)| (format!("{directory}/inline{index}.js"), text.clone()));
        snippets.extend(named);
    }
    snippets.extend(output.local_modules().iter().map(|(path, text)| (path.clone(), text.clone())));
    snippets.sort();
    let script = output.js().to_owned();
    let module = output.wasm_mut().emit_wasm();
    let module = if release { step("Making the islands small", || optimise(&module))? } else { module };
    Ok(Islands { script, module, snippets })
}

fn optimise(module: &[u8]) -> Result<Vec<u8>> {
    let program = tools::wasm_opt()?;
    let (input, output) = (root().join("target/islands.wasm"), root().join("target/islands.small.wasm"));
    fs::write(&input, module).with_context(|| format!("writing {}", input.display()))?;
    run(command(program).arg("-Oz").args(FEATURES).arg(&input).arg("-o").arg(&output))?;
    let small = fs::read(&output).with_context(|| format!("reading {}", output.display()))?;
    for file in [input, output] {
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(small)
}
