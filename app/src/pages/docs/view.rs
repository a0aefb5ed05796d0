//! What the pages of the docs look like: the tree, one topic, all groups, and a topic that is not there.

use devforge::{
    content::{DOC_GROUPS, Document, Heading},
    contract::search::SearchHit,
};
use leptos::prelude::*;

use crate::{
    components::{Breadcrumb, Helpful, Icon},
    pages::text::updated_line,
};

/// What the groups are about, in their order.
const ABOUT: [&str; DOC_GROUPS.len()] = [
    "Install the editor, open a project, and find your way around.",
    "Editing, settings, keys, the terminal, version control and debugging.",
    "Connect a provider with your own key, run a local model, or use none.",
    "Find, use, write and publish them.",
    "Fire teams, sprints, and who may do what.",
    "Activate a license, move it, and work offline.",
    "Your sign-in, your devices, your data.",
    "Plans, payment, invoices and refunds.",
    "Channels and versions, and what leaves your machine.",
    "What to do when something does not work.",
    "The JSON API, and how the editor uses it.",
    "Set up, run and look after this program on machines of your own.",
];

/// What the tree and the way on show of a page.
pub(super) struct Entry {
    title: String,
    description: String,
    path: String,
    group: String,
}

impl From<&Document> for Entry {
    fn from(page: &Document) -> Self {
        Self {
            title: page.title.clone(),
            description: page.description.clone(),
            path: page.path(),
            group: page.group.clone(),
        }
    }
}

/// One topic, and all others for the tree.
pub(super) struct Shown {
    here: Entry,
    updated: Option<String>,
    audience: Option<String>,
    headings: Vec<Heading>,
    html: String,
    entries: Vec<Entry>,
}

impl Shown {
    pub(super) fn of(page: &Document, entries: Vec<Entry>) -> Self {
        Self {
            here: Entry::from(page),
            updated: page.updated.clone(),
            audience: page.audience.clone(),
            headings: page.headings.iter().filter(|heading| heading.level <= 3).cloned().collect(),
            html: page.html().to_owned(),
            entries,
        }
    }
}

fn group_id(group: &str) -> String {
    group.to_lowercase().replace(' ', "-")
}

/// Where a group stands among all.
pub(super) fn group_address(group: &str) -> String {
    format!("/docs#{}", group_id(group))
}

/// What the bar says where no page is read.
const ALL: &str = "All pages";

/// On a phone: where one is, and the way to everything else.
fn bar(section: &str, here: &str) -> AnyView {
    // Whoever sees the bar sees by its marks that it opens something.
    let opens = (here != ALL).then(|| view! { <span class="visually-hidden">{ALL}": "</span> });
    let section = section.to_owned();
    let here = here.to_owned();
    view! {
        <button class="docs-bar" type="button" popovertarget="docs-tree">
            <Icon name="menu" size=16/>
            {opens}
            <span>{section}</span>
            <b class="truncate">{here}</b>
            <Icon name="down" size=14/>
        </button>
    }
    .into_any()
}

/// All pages by their groups; the group that is read is open.
fn tree(entries: &[Entry], here: &str, open: &str) -> AnyView {
    let groups = DOC_GROUPS
        .into_iter()
        .filter(|group| entries.iter().any(|entry| entry.group == *group))
        .map(|group| {
            let links = entries
                .iter()
                .filter(|entry| entry.group == group)
                .map(|entry| {
                    let current = (entry.path == here).then_some("page");
                    view! { <li><a href=entry.path.clone() aria-current=current>{entry.title.clone()}</a></li> }
                })
                .collect_view();
            view! {
                <details open=group == open>
                    <summary>{group}<Icon name="right" size=14/></summary>
                    <ul>{links}</ul>
                </details>
            }
        })
        .collect_view();
    view! {
        <div class="docs-tree" id="docs-tree" popover="auto">
            <nav class="side-nav" aria-label="Docs">
                {groups}
                <p class="docs-more"><a href="/docs/api">"API reference"</a></p>
            </nav>
        </div>
    }
    .into_any()
}

/// Headings of the page, where there is more than one to choose from.
fn contents(headings: &[Heading]) -> Option<AnyView> {
    if headings.len() < 2 {
        return None;
    }
    let items = headings
        .iter()
        .map(|heading| {
            let class = (heading.level > 2).then_some("deeper");
            view! { <li class=class><a href=format!("#{}", heading.id)>{heading.text.clone()}</a></li> }
        })
        .collect_view();
    let list = view! {
        <nav class="on-this-page" aria-labelledby="on-this-page">
            <h2 class="sub-title" id="on-this-page">"On this page"</h2>
            <ul>{items}</ul>
        </nav>
    };
    Some(list.into_any())
}

fn search_form(words: &str) -> AnyView {
    let words = words.to_owned();
    view! {
        <form class="docs-search" method="get" action="/search" role="search" aria-label="Search the docs">
            <label class="visually-hidden" for="docs-search">"Search the docs"</label>
            <div class="input-affix">
                <Icon name="search"/>
                <input class="input" id="docs-search" type="search" name="q" value=words maxlength="200"/>
            </div>
            <button class="button secondary" type="submit">"Search"</button>
        </form>
    }
    .into_any()
}

pub(super) fn topic(shown: Shown) -> AnyView {
    let Shown { here, updated, audience, headings, html, entries } = shown;
    let place = entries.iter().position(|entry| entry.path == here.path);
    let before = place.and_then(|at| at.checked_sub(1)).and_then(|at| entries.get(at));
    let after = place.and_then(|at| entries.get(at + 1));
    let trail =
        vec![("Docs".to_owned(), "/docs".to_owned()), (here.group.clone(), group_address(&here.group))];
    let contents = contents(&headings);
    let audience = audience.map(|audience| view! { <p class="meta">"For "{audience}</p> });
    view! {
        <div class="docs page">
            {bar(&here.group, &here.title)}
            <article class="docs-main">
                <Breadcrumb trail=trail here=here.title.clone()/>
                <h1 class="page-title">{here.title.clone()}</h1>
                <p class="lead">{here.description.clone()}</p>
                <div class="docs-meta">
                    {updated.as_deref().map(updated_line)}
                    {audience}
                    <a href=format!("{}.md", here.path)>"View as Markdown"</a>
                </div>
                <div class="prose" inner_html=html></div>
                <Helpful path=here.path.clone()/>
                <nav class="docs-way" aria-label="Pages before and after this one">
                    {way(before, "Previous", "before")}
                    {way(after, "Next", "after")}
                </nav>
            </article>
            {tree(&entries, &here.path, &here.group)}
            {contents}
        </div>
    }
    .into_any()
}

fn way(entry: Option<&Entry>, word: &'static str, class: &'static str) -> Option<AnyView> {
    let entry = entry?;
    let (path, title) = (entry.path.clone(), entry.title.clone());
    let link = view! {
        <a class=class href=path>
            <span class="meta">{word}</span>
            <b>{title}</b>
        </a>
    };
    Some(link.into_any())
}

pub(super) fn index(entries: &[Entry], description: &'static str) -> AnyView {
    let groups = DOC_GROUPS
        .into_iter()
        .zip(ABOUT)
        .filter(|(group, _)| entries.iter().any(|entry| entry.group == *group))
        .map(|(group, about)| {
            let pages = entries
                .iter()
                .filter(|entry| entry.group == group)
                .map(|entry| {
                    view! {
                        <li>
                            <a href=entry.path.clone()>{entry.title.clone()}</a>
                            <p>{entry.description.clone()}</p>
                        </li>
                    }
                })
                .collect_view();
            view! {
                <section>
                    <h2 class="section-title" id=group_id(group)>{group}</h2>
                    <p class="quiet">{about}</p>
                    <ul class="docs-list">{pages}</ul>
                </section>
            }
        })
        .collect_view();
    view! {
        <div class="docs page">
            {bar("Docs", ALL)}
            <div class="docs-main">
                <h1 class="page-title">"Docs"</h1>
                <p class="lead">{description}</p>
                {search_form("")}
                {groups}
            </div>
            {tree(entries, "/docs", "")}
        </div>
    }
    .into_any()
}

pub(super) fn missing(title: &str, words: &str, found: Vec<SearchHit>, entries: &[Entry]) -> AnyView {
    let title = title.to_owned();
    let explained = if found.is_empty() {
        "The address may be misspelt, or the page may have been taken down."
    } else {
        "The address may be misspelt, or the page may have been taken down. These come closest."
    };
    let hits = found
        .into_iter()
        .map(|hit| {
            let place = std::iter::once(hit.kind.label().to_owned()).chain(hit.trail);
            let place: Vec<String> = place.collect();
            view! {
                <li>
                    <a href=hit.url>{hit.title}</a>
                    <p>{place.join(" / ")}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="docs page">
            {bar("Docs", "Not found")}
            <div class="docs-main">
                <Breadcrumb trail=vec![("Docs".to_owned(), "/docs".to_owned())] here="Not found"/>
                <h1 class="page-title">{title}</h1>
                <p class="lead">{explained}</p>
                {search_form(words)}
                <ul class="docs-list">{hits}</ul>
                <p class="docs-more"><a href="/docs">"All pages of the docs"</a></p>
            </div>
            {tree(entries, "/docs", "")}
        </div>
    }
    .into_any()
}
