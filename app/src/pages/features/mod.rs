//! The product, told in one overview and four pages.
//!
//! What always holds: the pages are the same for everyone and read nothing to be made; each drawn picture is one image
//! with one sentence to a screen reader and takes no focus; what is said of the editor stands in its docs as well, and
//! what it does not do stands on the page.

mod ai_models;
mod extensions;
mod local_first;
mod overview;
pub(super) mod parts;
mod teams;

use axum::response::Response;
use devforge::api::{error::ApiError, extract::Path};
use leptos::prelude::AnyView;

use super::shell::{Area, Page, Visit};

pub use self::local_first::machine_file;

const INDEX: (&str, &str) = ("Features", "/features");
const INDEX_ABOUT: &str = "What Dev Forge does: AI models of your choice or none, extensions that say what they need, teams with one plan, and an editor that works without us.";

/// One of the four pages.
pub struct Pillar {
    pub slug: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    view: fn() -> AnyView,
}

/// In the order they are read.
pub static PILLARS: [Pillar; 4] = [
    Pillar {
        slug: "ai-models",
        name: "AI models",
        description: "Connect a provider with your own key, run a model on your own machine, or switch AI off. What is sent, when, and to whom.",
        view: ai_models::page,
    },
    Pillar {
        slug: "extensions",
        name: "Extensions",
        description: "Ordinary VSIX packages that declare what they reach, shown before you install, after a review that says why.",
        view: extensions::page,
    },
    Pillar {
        slug: "teams",
        name: "Teams",
        description: "Fire teams and sprints: a few people, one plan, beside the branches the work happens on.",
        view: teams::page,
    },
    Pillar {
        slug: "local-first",
        name: "Local-first and privacy",
        description: "The editor works without us: every call is optional, events wait for your yes, and a license can be checked with no connection.",
        view: local_first::page,
    },
];

impl Pillar {
    pub fn path(&self) -> String {
        format!("{}/{}", INDEX.1, self.slug)
    }
}

pub async fn index(visit: Visit) -> Response {
    Page::new(INDEX.0, INDEX_ABOUT, overview::page)
        .area(Area::Features)
        .public(INDEX.1)
        .breadcrumbs(&[("Dev Forge", "/"), INDEX])
        .render(&visit)
}

pub async fn pillar(Path(slug): Path<String>, visit: Visit) -> Result<Response, ApiError> {
    let pillar = PILLARS.iter().find(|pillar| pillar.slug == slug).ok_or_else(ApiError::not_found)?;
    let path = pillar.path();
    let page = Page::new(pillar.name, pillar.description, pillar.view)
        .area(Area::Features)
        .breadcrumbs(&[("Dev Forge", "/"), INDEX, (pillar.name, path.as_str())])
        .public(path);
    Ok(page.render(&visit))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::PILLARS;

    #[test]
    fn each_pillar_has_an_address_and_a_description_of_its_own() {
        let slugs: HashSet<&str> = PILLARS.iter().map(|pillar| pillar.slug).collect();
        let descriptions: HashSet<&str> = PILLARS.iter().map(|pillar| pillar.description).collect();
        assert_eq!((slugs.len(), descriptions.len()), (PILLARS.len(), PILLARS.len()));
    }
}
