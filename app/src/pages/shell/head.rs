//! The head of a page: what it is called, where it is, how a link to it looks elsewhere, and what it loads.
//!
//! What always holds: a page that is not public names no place of its own and asks not to be found.

use leptos::{attr::custom::CustomAttribute, prelude::*};

use super::{Page, Visit, structured};
use crate::{assets, pages::og};

/// The feeds, as (title, address, type). The changelog's are named on its own pages alone.
const FEEDS: [(&str, &str, &str); 2] = [
    ("Dev Forge: blog and changelog", "/feed.xml", "application/atom+xml"),
    ("Dev Forge: blog and changelog", "/feed.json", "application/feed+json"),
];
const CHANGELOG_FEEDS: [(&str, &str, &str); 2] = [
    ("Dev Forge: changelog", "/changelog/feed.xml", "application/atom+xml"),
    ("Dev Forge: changelog", "/changelog/feed.json", "application/feed+json"),
];

pub(super) fn head(page: &Page, visit: &Visit) -> impl IntoView + use<> {
    let title = if page.canonical.as_deref() == Some("/") {
        page.title.clone()
    } else {
        format!("{} · Dev Forge", page.title)
    };
    // Pages for one person, and errors, are nobody else's to find.
    let hidden = page.canonical.is_none().then(|| view! { <meta name="robots" content="noindex"/> });
    let nonce = page.islands.then(|| visit.nonce.clone());
    let site_script = assets::find("site.js").map(|asset| asset.integrity.clone());
    let own_script = page.script.map(|name| {
        let integrity = assets::find(name).map(|asset| asset.integrity.clone());
        view! { <script type="module" src=assets::url(name) integrity=integrity nonce=nonce.clone()></script> }
    });
    let islands = nonce.clone().map(|nonce| {
        view! {
            <link rel="modulepreload" href=assets::url("app.js") nonce=nonce.clone()/>
            <script type="module" src=assets::url("islands.js") nonce=nonce></script>
        }
    });
    let staff = (is_for_staff(&visit.path) && assets::find("staff.css").is_some())
        .then(|| view! { <link rel="stylesheet" href=assets::url("staff.css")/> });
    view! {
        <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            // As text it would be followed by a marker, which a title would show.
            <title inner_html=escape(&title)></title>
            <meta name="description" content=page.description.clone()/>
            {elsewhere(page, &visit.public_url)}
            {hidden}
            <link rel="preload" href=assets::url("fonts/archivo.woff2") r#as="font" type="font/woff2" crossorigin=""/>
            <link rel="stylesheet" href=assets::url("site.css")/>
            {staff}
            <link rel="icon" href="/favicon.ico" sizes="32x32"/>
            <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
            <link rel="manifest" href="/site.webmanifest"/>
            <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f6f8"/>
            <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0d1014"/>
            <script type="module" src=assets::url("site.js") integrity=site_script nonce=nonce></script>
            {own_script}
            {islands}
        </head>
    }
}

/// What search engines, feed readers and link previews read. Nothing for a page that is not public.
fn elsewhere(page: &Page, public_url: &str) -> Option<AnyView> {
    let path = page.canonical.as_deref()?;
    let url = format!("{public_url}{path}");
    let picture =
        page.picture.clone().or_else(|| og::for_path(path)).unwrap_or_else(|| assets::url("og-default.png"));
    let changelog = (path == "/changelog" || path.starts_with("/changelog/")).then_some(CHANGELOG_FEEDS);
    let feeds = FEEDS
        .into_iter()
        .chain(changelog.into_iter().flatten())
        .map(|(title, href, kind)| view! { <link rel="alternate" type=kind title=title href=href/> })
        .collect_view();
    let markdown = page.markdown.clone().map(|href| {
        view! { <link rel="alternate" type="text/markdown" title="This page as Markdown" href=href/> }
    });
    let times = (page.kind == "article").then(|| {
        let (published, modified) = &page.dates;
        view! {
            {published.clone().map(|day| property("article:published_time", day))}
            {modified.clone().map(|day| property("article:modified_time", day))}
        }
    });
    let home = (path == "/").then(|| structured::home(&page.description));
    let blocks = home
        .into_iter()
        .chain(page.structured.iter().cloned())
        .map(|facts| {
            let text = structured::data_block(facts, public_url);
            view! { <script type="application/ld+json" inner_html=text></script> }
        })
        .collect_view();
    let view = view! {
        <link rel="canonical" href=url.clone()/>
        {markdown}
        {feeds}
        {property("og:type", page.kind.to_owned())}
        {times}
        {property("og:site_name", "Dev Forge".to_owned())}
        {property("og:title", page.title.clone())}
        {property("og:description", page.description.clone())}
        {property("og:url", url)}
        {property("og:image", format!("{public_url}{picture}"))}
        {property("og:image:type", "image/png".to_owned())}
        {property("og:image:width", "1200".to_owned())}
        {property("og:image:height", "630".to_owned())}
        {property("og:image:alt", page.title.clone())}
        <meta name="twitter:card" content="summary_large_image"/>
        {blocks}
    };
    Some(view.into_any())
}

/// Staff and developers have a second sheet, which nobody else loads.
fn is_for_staff(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').nth(1).is_some_and(|first| first == "admin" || first == "dev")
}

/// `property` is not an attribute that HTML knows, so `view!` does not either.
fn property(name: &'static str, content: String) -> impl IntoView + use<> {
    leptos::html::meta().attr("property", name).content(content)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::is_for_staff;

    #[test]
    fn the_second_sheet_is_for_staff_and_developers() {
        for path in ["/admin", "/admin/users?x=1", "/dev", "/dev/mail", "/admin?done=1"] {
            assert!(is_for_staff(path), "{path}");
        }
        for path in ["/", "/developers", "/docs/administration", "/account", ""] {
            assert!(!is_for_staff(path), "{path}");
        }
    }
}
