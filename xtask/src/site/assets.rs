//! Files under hashed names, what refers to them rewritten, and each one compressed beside itself.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Profile, script, wasm::Islands};

const COMPRESSIBLE: [&str; 8] = ["css", "js", "wasm", "svg", "json", "webmanifest", "txt", "xml"];

pub struct Assets {
    site: PathBuf,
    profile: Profile,
    /// Name under `public/` to its entry in the manifest.
    known: BTreeMap<String, Asset>,
    root: BTreeMap<String, Asset>,
}

struct Asset {
    path: String,
    integrity: String,
    size: usize,
}

impl Assets {
    pub fn new(site: &Path, profile: Profile) -> Result<Self> {
        for part in ["assets", "root"] {
            fs::create_dir_all(site.join(part))
                .with_context(|| format!("making {}", site.join(part).display()))?;
        }
        Ok(Self { site: site.to_owned(), profile, known: BTreeMap::new(), root: BTreeMap::new() })
    }

    /// Everything in `public/`: first what refers to nothing, then what may refer to that.
    pub fn add_public(&mut self, public: &Path) -> Result<()> {
        let mut names = Vec::new();
        list(public, public, &mut names)?;
        names.sort_by_key(|name| (rank(name), name.clone()));
        for name in names {
            let path = public.join(&name);
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            match name.strip_prefix("root/") {
                Some(fixed) => {
                    self.write(&format!("root/{fixed}"), &bytes)?;
                    self.root.insert(fixed.to_owned(), Asset::of(fixed.to_owned(), &bytes));
                }
                None => self.add(&name, bytes)?,
            }
        }
        Ok(())
    }

    /// The islands' module, its JavaScript side, and the loader that fetches both on pages that have an island.
    pub fn add_islands(&mut self, islands: Islands, boot: &Path) -> Result<()> {
        let mut script = islands.script;
        for (path, text) in islands.snippets {
            let name = format!("snippets/{path}");
            self.add(&name, text.into_bytes())?;
            script = script.replace(&format!("./{name}"), &self.address(&name)?);
        }
        self.add("app.wasm", islands.module)?;
        self.add("app.js", script.into_bytes())?;
        let loader = fs::read_to_string(boot).with_context(|| format!("reading {}", boot.display()))?;
        let loader = loader.replace("__APP_JS__", &self.address("app.js")?);
        let loader = loader.replace("__APP_WASM__", &self.address("app.wasm")?);
        self.add("islands.js", loader.into_bytes())
    }

    /// One file, under the name that pages know it by.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let bytes = match kind(name) {
            "css" | "webmanifest" => self.rewrite(name, &text(name, bytes)?)?.into_bytes(),
            "js" => script::shorten(&self.rewrite(name, &text(name, bytes)?)?).into_bytes(),
            _ => bytes,
        };
        let path = hashed(name, &Sha256::digest(&bytes));
        self.write(&format!("assets/{path}"), &bytes)?;
        self.known.insert(name.to_owned(), Asset::of(path, &bytes));
        Ok(())
    }

    /// Compresses everything and writes the manifest.
    pub fn finish(self) -> Result<()> {
        let files = self.known.values().map(|asset| format!("assets/{}", asset.path));
        let files = files.chain(self.root.keys().map(|name| format!("root/{name}")));
        let waiting: Vec<PathBuf> = files
            .filter(|file| COMPRESSIBLE.contains(&kind(file)))
            .map(|file| self.site.join(file))
            .collect();
        compress_all(waiting, self.profile)?;
        let profile = match self.profile {
            Profile::Dev => "dev",
            Profile::Release => "release",
        };
        let manifest =
            json!({ "assets": entries(self.known), "profile": profile, "root": entries(self.root) });
        let text = serde_json::to_string_pretty(&manifest).context("writing the manifest")?;
        fs::write(self.site.join("manifest.json"), text + "\n").context("writing the manifest")
    }

    fn address(&self, name: &str) -> Result<String> {
        match self.known.get(name) {
            Some(asset) => Ok(format!("/assets/{}", asset.path)),
            None => bail!("there is no asset {name}"),
        }
    }

    /// Puts the hashed name in place of every `/assets/name`.
    fn rewrite(&self, of: &str, text: &str) -> Result<String> {
        const PREFIX: &str = "/assets/";
        let mut rewritten = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(PREFIX) {
            let (before, found) = rest.split_at(at);
            let name = &found[PREFIX.len()..];
            let end =
                name.find(|c: char| !(c.is_ascii_alphanumeric() || "._/-".contains(c))).unwrap_or(name.len());
            let name = &name[..end];
            rewritten.push_str(before);
            if name.is_empty() || self.known.values().any(|asset| asset.path == name) {
                rewritten.push_str(&found[..PREFIX.len() + end]);
            } else {
                let address = self.address(name).with_context(|| format!("{of} names /assets/{name}"))?;
                rewritten.push_str(&address);
            }
            rest = &found[PREFIX.len() + end..];
        }
        rewritten.push_str(rest);
        Ok(rewritten)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.site.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))
    }
}

impl Asset {
    fn of(path: String, bytes: &[u8]) -> Self {
        let integrity = format!("sha256-{}", STANDARD.encode(Sha256::digest(bytes)));
        Self { path, integrity, size: bytes.len() }
    }
}

fn entries(assets: BTreeMap<String, Asset>) -> Map<String, Value> {
    let entry =
        |asset: Asset| json!({ "path": asset.path, "integrity": asset.integrity, "size": asset.size });
    assets.into_iter().map(|(name, asset)| (name, entry(asset))).collect()
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))
}

fn kind(name: &str) -> &str {
    Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

/// What may refer to others comes after them.
fn rank(name: &str) -> u8 {
    match kind(name) {
        "webmanifest" | "css" => 1,
        "js" => 2,
        _ => 0,
    }
}

/// `fonts/archivo.woff2` becomes `fonts/archivo.0123456789ab.woff2`.
fn hashed(name: &str, digest: &[u8]) -> String {
    let hash = hex::encode(&digest[..6]);
    let (directory, file) = name.rsplit_once('/').map_or(("", name), |(directory, file)| (directory, file));
    let file = match file.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{file}.{hash}"),
    };
    if directory.is_empty() { file } else { format!("{directory}/{file}") }
}

fn list(public: &Path, directory: &Path, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))? {
        let path = entry.with_context(|| format!("reading {}", directory.display()))?.path();
        let name = path.strip_prefix(public).unwrap_or(&path).to_str();
        let name =
            name.with_context(|| format!("{} is not a name for an address", path.display()))?.to_owned();
        if path.is_dir() {
            list(public, &path, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

fn compress_all(waiting: Vec<PathBuf>, profile: Profile) -> Result<()> {
    let waiting = Mutex::new(waiting);
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.pop());
    let work = || -> Result<()> {
        while let Some(path) = next() {
            compress(&path, profile)?;
        }
        Ok(())
    };
    let count = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("compressing does not panic"))
    })
}

fn compress(path: &Path, profile: Profile) -> Result<()> {
    let (brotli, gzip) = match profile {
        Profile::Dev => (5, 5),
        Profile::Release => (11, 9),
    };
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let beside = |extension: &str| PathBuf::from(format!("{}.{extension}", path.display()));

    let mut writer = CompressorWriter::new(Vec::new(), 64 * 1024, brotli, 22);
    writer.write_all(&bytes).context("compressing with brotli")?;
    fs::write(beside("br"), writer.into_inner()).with_context(|| format!("writing {}.br", path.display()))?;

    let mut writer = GzEncoder::new(Vec::new(), Compression::new(gzip));
    writer.write_all(&bytes).context("compressing with gzip")?;
    let zipped = writer.finish().context("compressing with gzip")?;
    fs::write(beside("gz"), zipped).with_context(|| format!("writing {}.gz", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Assets {
        let asset = Asset::of("fonts/a.0123456789ab.woff2".to_owned(), b"font");
        let known = BTreeMap::from([("fonts/a.woff2".to_owned(), asset)]);
        Assets { site: PathBuf::new(), profile: Profile::Dev, known, root: BTreeMap::new() }
    }

    #[test]
    fn hashes_stand_before_the_extension() {
        let digest = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd];
        assert_eq!(hashed("fonts/archivo.woff2", &digest), "fonts/archivo.0123456789ab.woff2");
        assert_eq!(hashed("site.css", &digest), "site.0123456789ab.css");
        assert_eq!(hashed("license", &digest), "license.0123456789ab");
    }

    #[test]
    fn references_get_the_hashed_name() {
        let assets = assets();
        let css = assets
            .rewrite("site.css", "src:url(/assets/fonts/a.woff2)format(\"woff2\")")
            .expect("it is known");
        assert_eq!(css, "src:url(/assets/fonts/a.0123456789ab.woff2)format(\"woff2\")");
        assert_eq!(assets.rewrite("a.js", &css).expect("it is hashed already"), css);
        assert_eq!(
            assets.rewrite("a.js", "path + '/assets/' + name").expect("it names nothing"),
            "path + '/assets/' + name"
        );
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        let error = assets().rewrite("site.css", "url(/assets/none.svg)").expect_err("it is not known");
        assert_eq!(format!("{error:#}"), "site.css names /assets/none.svg: there is no asset none.svg");
    }

    #[test]
    fn integrity_is_that_of_the_standard() {
        // From the W3C's document: the hash of `alert('Hello, world.');`.
        let asset = Asset::of("a.js".to_owned(), b"alert('Hello, world.');");
        assert_eq!(asset.integrity, "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }
}
