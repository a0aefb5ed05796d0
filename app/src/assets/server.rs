//! The manifest that the browser build left: which name has which hashed address.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Manifest {
    pub assets: BTreeMap<String, Asset>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Asset {
    /// Below `/assets/`.
    pub path: String,
    /// `sha256-…`, for policies and `integrity`.
    pub integrity: String,
}

static MANIFEST: OnceLock<Manifest> = OnceLock::new();

/// Told once, at start. A second call changes nothing.
pub fn install(manifest: Manifest) {
    let _ = MANIFEST.set(manifest);
}

pub fn find(name: &str) -> Option<&'static Asset> {
    MANIFEST.get()?.assets.get(name)
}

/// The address of `public/<name>`. `cargo xtask check` sees to it that every name used here exists.
pub fn url(name: &str) -> String {
    match find(name) {
        Some(asset) => format!("/assets/{}", asset.path),
        None => format!("/assets/{name}"),
    }
}
