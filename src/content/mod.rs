//! Pages that are written rather than programmed: Markdown with front matter under `content/`.
//!
//! What always holds: the catalogue is whole or not there. A page without a title, with an unknown key, with a
//! date that is none or with an include that goes round in a circle fails the start (and the tests), never a
//! reader. What a page looks like is made at its first use and kept; what the search and the checks need of it
//! is read when it is loaded.

mod catalogue;
mod fill;
mod front_matter;
mod highlight;
mod links;
mod markdown;
mod programmed;
mod reload;

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::config::OperatorConfig;

pub use catalogue::Catalogue;
pub use links::LinkCheck;
pub use markdown::{Rendered, plain, render, render_foreign, sections_of_foreign, set_asset_address};
pub use programmed::{PROGRAMMED, Programmed};

/// The groups of the docs, in the order in which they are read.
pub const DOC_GROUPS: [&str; 12] = [
    "Get started",
    "The editor",
    "AI models",
    "Extensions",
    "Teams",
    "Licenses",
    "Account",
    "Buying",
    "Updates and privacy",
    "Help",
    "Developers",
    "Running Dev Forge",
];

/// The categories of the knowledge base, in their order.
pub const KB_CATEGORIES: [&str; 10] = [
    "Getting started",
    "Licenses",
    "Billing",
    "Account",
    "The editor",
    "AI models",
    "Extensions",
    "Teams",
    "Updates",
    "Privacy and network",
];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("content/{path}: {what}")]
    Page { path: String, what: String },
}

/// What is written, as it is now. In development it changes when a file does; a snapshot never does.
#[derive(Debug, Clone)]
pub struct Content(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    now: RwLock<Arc<Catalogue>>,
}

impl Content {
    pub fn load(operator: &OperatorConfig) -> Result<Self, Error> {
        let catalogue = Arc::new(Catalogue::load(operator)?);
        Ok(Self(Arc::new(Shared { now: RwLock::new(catalogue) })))
    }

    /// What is there now. Whoever answers a request takes one and keeps it to the end.
    pub fn now(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, catalogue: Catalogue) {
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalogue);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 2 to 6: level 1 is the title of the page.
    pub level: u8,
    pub id: String,
    pub text: String,
}

/// The words under one heading; the first section of a page may stand before any heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    pub heading: Option<Heading>,
    /// What is written, with inline code in its place and without blocks of code.
    pub text: String,
    /// Blocks of code and inline code, each on lines of its own.
    pub code: String,
}

/// One written page.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The folder it lies in: `docs`, `blog`, `changelog`, `legal`, `site`, `kb`.
    pub section: String,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub order: u32,
    /// `2026-11-20`.
    pub updated: Option<String>,
    /// Which of [`DOC_GROUPS`] it belongs to, or of [`KB_CATEGORIES`]; empty elsewhere.
    pub group: String,
    /// Other topics that lead here.
    pub aliases: Vec<String>,
    pub tags: Vec<String>,
    /// Whom it is for, in a word or two.
    pub audience: Option<String>,
    pub author: Option<String>,
    /// `2026-11-20`; every post and every release has one.
    pub date: Option<String>,
    /// What it was made of: without front matter, with its includes.
    pub markdown: String,
    pub headings: Vec<Heading>,
    pub sections: Vec<Section>,
    /// Where its links and pictures point, as they are written.
    pub links: Vec<String>,
    html: OnceLock<String>,
}

impl Document {
    /// Where the page is on the site.
    pub fn path(&self) -> String {
        match self.section.as_str() {
            "site" => format!("/{}", self.slug),
            "kb" => format!("/support/articles/{}", self.slug),
            section => format!("/{section}/{}", self.slug),
        }
    }

    /// The page itself, made at its first use: highlighting takes a while.
    pub fn html(&self) -> &str {
        self.html.get_or_init(|| markdown::html(&self.markdown))
    }

    /// The file it comes from, below `content/`.
    fn file(&self) -> String {
        format!("{}/{}.md", self.section, self.slug)
    }
}

/// An operator whose name is known, for tests of this module.
#[cfg(test)]
fn operator() -> OperatorConfig {
    OperatorConfig {
        name: "Example AB".to_owned(),
        address: String::new(),
        email: "post@example.com".to_owned(),
        country: "Sweden".to_owned(),
    }
}
