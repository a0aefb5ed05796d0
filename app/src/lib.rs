//! What people see. `islands` and `components` reach the browser; `pages` are made on the server only.
//!
//! This file is the only place in the crate that says which build has what.

pub mod components;
pub mod islands;

#[cfg(feature = "ssr")]
pub mod pages;

/// Addresses of static files. On the server from the build's manifest, in the browser from the page itself.
#[cfg(feature = "ssr")]
#[path = "assets/server.rs"]
pub mod assets;
#[cfg(not(feature = "ssr"))]
#[path = "assets/browser.rs"]
pub mod assets;

/// What only a browser can do; on the server these do nothing.
#[cfg(feature = "hydrate")]
#[path = "browser/real.rs"]
pub mod browser;
#[cfg(not(feature = "hydrate"))]
#[path = "browser/none.rs"]
pub mod browser;

/// Called once by the page's loader; it then wakes the islands one by one.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}

/// Called by the page's loader when the search palette is first opened: fills the dialog it has made.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn search_palette() {
    islands::search_palette();
}
