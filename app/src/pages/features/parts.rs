//! What the pages about the product are made of: their head, their sections, and the pieces of the drawn editor.

use leptos::prelude::*;

use crate::components::{Breadcrumb, Icon};

/// The icons of the editor's left edge; the one that is open is marked.
const RAIL: [&str; 8] = ["file", "search", "branch", "run", "plug", "flame", "user", "sliders"];

pub fn intro(above: AnyView, title: &'static str, lead: &'static str, more: AnyView) -> AnyView {
    view! {
        <header class="page intro">
            {above}
            <h1 class="hero-title">{title}</h1>
            <p class="lead">{lead}</p>
            <p class="more-links">{more}</p>
        </header>
    }
    .into_any()
}

/// The way up from one of the four pages.
pub fn above(here: &'static str) -> AnyView {
    let trail = vec![("Features".to_owned(), "/features".to_owned())];
    view! { <Breadcrumb trail=trail here=here/> }.into_any()
}

pub fn more(label: &'static str, address: &'static str) -> AnyView {
    view! { <a class="more-link" href=address>{label}<Icon name="arrow" size=16/></a> }.into_any()
}

/// Words on the left, a picture on the right.
pub fn split(title: &'static str, text: &'static str, links: AnyView, picture: AnyView) -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar split">{words(title, text, links)}{picture}</div>
        </section>
    }
    .into_any()
}

/// The same, turned: where there is room for one column only, the words still come first.
pub fn turned(title: &'static str, text: &'static str, links: AnyView, picture: AnyView) -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar split turned">{picture}{words(title, text, links)}</div>
        </section>
    }
    .into_any()
}

fn words(title: &'static str, text: &'static str, links: AnyView) -> AnyView {
    view! {
        <div>
            <h2 class="section-title">{title}</h2>
            <p>{text}</p>
            <p class="more-links">{links}</p>
        </div>
    }
    .into_any()
}

/// A section over the full width: its head in two columns, and what is below.
pub fn wide(title: &'static str, text: &'static str, body: AnyView) -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar">{head(title, text)}{body}</div>
        </section>
    }
    .into_any()
}

fn head(title: &'static str, text: &'static str) -> AnyView {
    view! {
        <div class="band-head">
            <h2 class="section-title">{title}</h2>
            <p>{text}</p>
        </div>
    }
    .into_any()
}

/// Facts in rows: what it is about, and one or two sentences.
pub fn points(items: &'static [[&'static str; 2]]) -> AnyView {
    let items =
        items.iter().map(|[name, text]| view! { <li><h3>{*name}</h3><p>{*text}</p></li> }).collect_view();
    view! { <ul class="points">{items}</ul> }.into_any()
}

/// What the product does not do, on the sunken band.
pub fn limits(text: &'static str, items: &'static [[&'static str; 2]]) -> AnyView {
    let title = "What it does not do";
    view! {
        <section class="section band">
            <div class="page">
                <div class="hot-bar">{head(title, text)}{points(items)}</div>
            </div>
        </section>
    }
    .into_any()
}

/// Four columns of facts. On phones the style sheet turns each row into a block; the roles keep it a table there.
pub fn table(heads: [&'static str; 4], rows: &'static [[&'static str; 4]]) -> AnyView {
    let columns =
        heads.iter().map(|&head| view! { <th role="columnheader" scope="col">{head}</th> }).collect_view();
    let rows = rows
        .iter()
        .map(|&[name, second, third, fourth]| {
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row">{name}</th>
                    <td role="cell" data-label=heads[1]>{second}</td>
                    <td role="cell" data-label=heads[2]>{third}</td>
                    <td role="cell" data-label=heads[3]>{fourth}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="table calls" role="table">
            <thead role="rowgroup"><tr role="row">{columns}</tr></thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
    .into_any()
}

pub fn links(items: AnyView) -> AnyView {
    view! { <p class="more-links">{items}</p> }.into_any()
}

/// The end of each page: the editor, what it costs, and where to read on.
pub fn closing(next: AnyView) -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar closing">
                <div>
                    <h2 class="section-title">"Take it to your machine"</h2>
                    <p class="quiet">
                        "For Linux, macOS and Windows. The free tier needs no account and no license."
                    </p>
                </div>
                <p class="button-row">
                    <a class="button primary large" href="/download"><Icon name="download"/>"Download Dev Forge"</a>
                    <a class="button secondary large" href="/pricing">"Compare the plans"</a>
                </p>
            </div>
            <p class="more-links">{next}</p>
        </section>
    }
    .into_any()
}

/// A small drawing in a panel: one image with one sentence.
pub fn drawn(about: &'static str, content: AnyView) -> AnyView {
    view! {
        <div class="panel flush drawn" role="img" aria-label=about>
            <div aria-hidden="true">{content}</div>
        </div>
    }
    .into_any()
}

pub fn drawn_head(name: &'static str, end: &'static str) -> AnyView {
    view! { <span class="d-head"><b>{name}</b><i>{end}</i></span> }.into_any()
}

/// A row of a drawing: what it is, something about it, and how it stands.
pub fn row(
    class: &'static str,
    icon: &'static str,
    name: &'static str,
    text: &'static str,
    end: &'static str,
) -> AnyView {
    view! {
        <span class=class>
            <Icon name=icon size=16/>
            <span><b>{name}</b>{text}</span>
            <i>{end}</i>
        </span>
    }
    .into_any()
}

/// The same for what somebody does: their initials stand where the icon stood.
pub fn task(
    class: &'static str,
    who: &'static str,
    name: &'static str,
    text: &'static str,
    end: &'static str,
) -> AnyView {
    view! {
        <span class=class>
            <span class="avatar">{who}</span>
            <span><b>{name}</b>{text}</span>
            <i>{end}</i>
        </span>
    }
    .into_any()
}

/// The whole drawn editor, between its title and its status bar.
pub fn editor(about: &'static str, title: &'static str, body: AnyView, status: AnyView) -> AnyView {
    view! {
        <div class="page">
            <div class="editor" role="img" aria-label=about>
                <div aria-hidden="true">
                    <div class="ed-bar">
                        <span class="ed-title"><i></i><i></i><i></i>{title}</span>
                        <span class="ed-find">
                            <Icon name="search" size=14/>"Go to file or command"<span class="kbd">"Ctrl P"</span>
                        </span>
                    </div>
                    <div class="ed-body">{body}</div>
                    <div class="ed-status">{status}</div>
                </div>
            </div>
        </div>
    }
    .into_any()
}

pub fn rail(here: &'static str) -> AnyView {
    let icons = RAIL
        .into_iter()
        .map(|name| {
            let class = if name == here { "here" } else { "there" };
            view! { <span class=class><Icon name=name size=20/></span> }
        })
        .collect_view();
    view! { <span class="ed-rail">{icons}</span> }.into_any()
}

pub fn side(title: &'static str, count: &'static str, content: AnyView) -> AnyView {
    view! {
        <span class="ed-side">
            <span class="ed-head"><b>{title}</b>{count}</span>
            {content}
        </span>
    }
    .into_any()
}

pub fn file(class: &'static str, icon: &'static str, name: &'static str) -> AnyView {
    view! { <span class=class><Icon name=icon size=14/>{name}</span> }.into_any()
}

/// The middle of the editor with a page of its own in place of a file.
pub fn sheet(icon: &'static str, tab: &'static str, content: AnyView) -> AnyView {
    view! {
        <span class="ed-main">
            <span class="ed-tabs"><span class="open"><Icon name=icon size=14/>{tab}</span></span>
            <span class="ed-sheet">{content}</span>
        </span>
    }
    .into_any()
}

pub fn status(icon: &'static str, text: &'static str) -> AnyView {
    view! { <span><Icon name=icon size=14/>{text}</span> }.into_any()
}

/// A line of drawn code, already marked up.
pub fn line(class: &'static str, html: &'static str) -> AnyView {
    view! { <span class=class inner_html=html></span> }.into_any()
}

pub fn button(kind: &'static str, label: &'static str) -> AnyView {
    view! { <span class=kind>{label}</span> }.into_any()
}
