//! The browser part: `target/site`, which the server takes into itself.
//!
//! `assets/` holds every file of `public/`, the style sheet and the islands, each with a hash of its content in its
//! name; `root/` holds what must be at a fixed address; `manifest.json` says what became of each name. All of it is
//! made in a directory of its own and put in place at once, and nothing is touched when nothing has changed, so that
//! the server is not built again for nothing.

mod assets;
mod css;
mod script;
mod wasm;

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::process::{root, step};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

/// Where the server looks for it when it is compiled, whatever cargo's own target directory is.
fn directory() -> PathBuf {
    root().join("target/site")
}

/// Makes `target/site`.
pub fn build(profile: Profile) -> Result<()> {
    let module = step("Building the browser part", || wasm::compile(profile))?;
    let boot = root().join("app/src/islands/boot.js");
    let stamp = stamp(profile, &[root().join("style"), root().join("public"), boot.clone(), module.clone()])?;
    let stamp_file = root().join("target/site.stamp");
    let known = fs::read_to_string(&stamp_file).unwrap_or_default();
    if known == stamp && directory().join("manifest.json").is_file() {
        return Ok(());
    }
    step("Putting the site together", || {
        let new = root().join("target/site.new");
        remove(&new)?;
        let mut assets = assets::Assets::new(&new, profile)?;
        assets.add_islands(wasm::bind(&module, profile)?, &boot)?;
        assets.add_public(&root().join("public"))?;
        assets.add("site.css", css::bundle(&root().join("style/main.css"))?.into_bytes())?;
        assets.add("staff.css", css::bundle(&root().join("style/staff.css"))?.into_bytes())?;
        assets.finish()?;
        replace(&new)?;
        fs::write(&stamp_file, &stamp).context("writing target/site.stamp")
    })
}

/// An empty site where there is none: the server cannot be compiled without the directory.
pub fn ensure_exists() -> Result<()> {
    let manifest = directory().join("manifest.json");
    if manifest.is_file() {
        return Ok(());
    }
    fs::create_dir_all(directory().join("assets")).context("making target/site/assets")?;
    fs::create_dir_all(directory().join("root")).context("making target/site/root")?;
    fs::write(manifest, "{\"assets\":{}}\n").context("writing target/site/manifest.json")
}

fn replace(new: &Path) -> Result<()> {
    let (site, old) = (directory(), root().join("target/site.old"));
    let manifest = |directory: &Path| fs::read(directory.join("manifest.json")).ok();
    if manifest(&site).is_some_and(|present| manifest(new) == Some(present)) {
        return remove(new);
    }
    remove(&old)?;
    if site.exists() {
        fs::rename(&site, &old).context("moving the old site away")?;
    }
    fs::rename(new, &site).context("putting the new site in place")?;
    remove(&old)
}

/// What the site is made from: names, sizes and times are enough to see a change, and quick to read.
/// Our own program is among them, because it is what makes the site.
fn stamp(profile: Profile, inputs: &[PathBuf]) -> Result<String> {
    let mut lines = vec![format!("{profile:?}")];
    for input in inputs {
        describe(input, &mut lines)?;
    }
    describe(&std::env::current_exe().context("finding our own program")?, &mut lines)?;
    Ok(hex::encode(Sha256::digest(lines.join("\n"))))
}

fn describe(path: &Path, lines: &mut Vec<String>) -> Result<()> {
    let metadata = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    if metadata.is_dir() {
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
            entries.push(entry.with_context(|| format!("reading {}", path.display()))?.path());
        }
        entries.sort();
        return entries.iter().try_for_each(|entry| describe(entry, lines));
    }
    let modified = metadata.modified().context("reading the time of a file")?;
    let time = modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    lines.push(format!("{} {} {time}", path.display(), metadata.len()));
    Ok(())
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(refusal) if refusal.kind() != std::io::ErrorKind::NotFound => {
            Err(refusal).with_context(|| format!("removing {}", directory.display()))
        }
        _ => Ok(()),
    }
}
