//! The pictures that stand beside links to pages of this site: `/og/{section}/{slug}.png`.
//!
//! What always holds: only a page that is there has a picture. A picture is drawn once and then kept, for a while and up
//! to a limit; drawing never holds up other requests.

use std::sync::LazyLock;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    content::Catalogue,
    context::Context,
    crypto,
};
use moka::sync::Cache;
use tokio::sync::Semaphore;

use self::drawing::{FORMAT, Words};
use super::{features::PILLARS, text::long_date};

mod drawing;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// The address stays when a title changes, so it is asked for again after a day, and may be shown meanwhile.
const KEEP: &str = "public, max-age=86400, stale-while-revalidate=604800";
const MAX_KEPT_BYTES: u64 = 24 * 1024 * 1024;
/// Drawing takes a processor for some milliseconds: two at a time leave the others to readers.
static DRAWING: Semaphore = Semaphore::const_new(2);

static KEPT: LazyLock<Cache<Words, Bytes>> = LazyLock::new(|| {
    Cache::builder()
        .weigher(|_, picture: &Bytes| u32::try_from(picture.len()).unwrap_or(u32::MAX))
        .max_capacity(MAX_KEPT_BYTES)
        .build()
});

/// Pages that are programmed rather than written: section, slug, label and title. Section `site` stands for the root.
const PAGES: [(&str, &str, &str, &str); 16] = [
    ("site", "features", "Features", "An editor that is whole with any model, or with none"),
    ("site", "enterprise", "Enterprise", "Dev Forge for companies"),
    ("site", "compare", "Compare", "Free, Pro and Enterprise, side by side"),
    ("site", "contact", "Contact", "Write to us"),
    ("site", "press", "Press", "Names, marks and facts"),
    ("site", "roadmap", "Roadmap", "What is there, and what comes next"),
    ("site", "status", "Status", "How this site is doing"),
    ("site", "pricing", "Pricing", "What it costs"),
    ("site", "download", "Download", "Get Dev Forge"),
    ("site", "docs", "Docs", "How to use Dev Forge, call its API, and run it yourself"),
    ("docs", "api", "Docs · Developers", "API reference"),
    ("site", "blog", "Blog", "How Dev Forge is made"),
    ("site", "changelog", "Changelog", "What changed, and when"),
    ("site", "support", "Help", "Answers to common questions"),
    ("site", "search", "Search", "Search every page of this site"),
    ("site", "about", "About", "About Dev Forge"),
];

/// Sections whose pages are written, with what they are called.
const WRITTEN: [(&str, &str); 5] = [
    ("docs", "Docs"),
    ("blog", "Blog"),
    ("changelog", "Changelog"),
    ("legal", "Legal"),
    ("site", "Dev Forge"),
];

/// The picture of the page at `path`, when it has one of its own. Whether a written page is there is not asked here: who
/// asks is about to show it.
pub fn for_path(path: &str) -> Option<String> {
    let path = path.strip_prefix('/').filter(|path| !path.is_empty())?;
    let (section, slug) = match path.split_once('/') {
        Some(("site", _)) => return None,
        Some(parts) => parts,
        None => ("site", path),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let programmed = programmed(section, slug).is_some();
    let written = section != "site" && WRITTEN.iter().any(|known| known.0 == section);
    ((programmed || written) && slug.chars().all(plain)).then(|| format!("/og/{section}/{slug}.png"))
}

/// `/og/{section}/{slug}.png`
pub async fn picture(
    State(ctx): State<Context>,
    Path((section, file)): Path<(String, String)>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let slug = file.strip_suffix(".png").ok_or_else(ApiError::not_found)?;
    let words = words(&ctx, &section, slug).ok_or_else(ApiError::not_found)?;
    let said = format!("{FORMAT}\n{}\n{}\n{}", words.label, words.title, words.place);
    let etag = format!("\"{}\"", &crypto::to_hex(&crypto::sha256(said.as_bytes()))[..16]);
    let headers = [
        (header::ETAG, HeaderValue::from_str(&etag).map_err(|error| ApiError::internal(&error))?),
        (header::CACHE_CONTROL, HeaderValue::from_static(KEEP)),
        // Other sites show it beside their links to us.
        (RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
    ];
    if super::feeds::is_known(&asked, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let picture = drawn(words).await?;
    Ok((headers, [(header::CONTENT_TYPE, "image/png")], picture).into_response())
}

async fn drawn(words: Words) -> Result<Bytes, ApiError> {
    if let Some(picture) = KEPT.get(&words) {
        return Ok(picture);
    }
    let turn = DRAWING.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let drawing = tokio::task::spawn_blocking(move || {
        // Held to the end of the drawing, also when nobody waits for it any more.
        let _turn = turn;
        KEPT.try_get_with(words.clone(), || drawing::png(&words).map(Bytes::from))
    });
    let picture = drawing.await.map_err(|error| ApiError::internal(&error))?;
    picture.map_err(|error| ApiError::internal(&**error))
}

fn words(ctx: &Context, section: &str, slug: &str) -> Option<Words> {
    let content = ctx.content.now();
    let (label, title) = programmed(section, slug).or_else(|| written(&content, section, slug))?;
    let place = ctx.config.http.public_url.split("://").last().unwrap_or_default().to_owned();
    Some(Words { label, title, place })
}

fn programmed(section: &str, slug: &str) -> Option<(String, String)> {
    if section == "features" {
        let pillar = PILLARS.iter().find(|pillar| pillar.slug == slug)?;
        return Some(("Features".to_owned(), pillar.name.to_owned()));
    }
    let page = PAGES.iter().find(|page| (page.0, page.1) == (section, slug))?;
    Some((page.2.to_owned(), page.3.to_owned()))
}

fn written(content: &Catalogue, section: &str, slug: &str) -> Option<(String, String)> {
    let (_, name) = WRITTEN.iter().find(|known| known.0 == section)?;
    let page = content.find(section, slug)?;
    let more = match section {
        "docs" => Some(page.group.clone()),
        _ => page.date.as_deref().map(long_date),
    };
    let label = more.map_or_else(|| (*name).to_owned(), |more| format!("{name} · {more}"));
    Some((label, page.title.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_know_their_pictures() {
        assert_eq!(for_path("/docs/activate").as_deref(), Some("/og/docs/activate.png"));
        assert_eq!(for_path("/docs").as_deref(), Some("/og/site/docs.png"));
        assert_eq!(for_path("/features/teams").as_deref(), Some("/og/features/teams.png"));
        for path in
            ["/", "/blog/tags/licenses", "/site/docs", "/account", "/docs/a.md", "/support/articles/x"]
        {
            assert_eq!(for_path(path), None, "{path}");
        }
    }

    #[test]
    fn every_programmed_page_has_one_picture() {
        for (index, page) in PAGES.iter().enumerate() {
            let again = PAGES[index + 1..].iter().any(|other| (other.0, other.1) == (page.0, page.1));
            assert!(!again, "{}/{}", page.0, page.1);
            assert!(programmed(page.0, page.1).is_some());
        }
    }
}
