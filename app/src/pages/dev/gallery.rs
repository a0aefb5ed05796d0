//! The living gallery, in development only: every component in every state, both themes beside each other.
//! What it shows is what pages use; names, prices and dates in it are samples.

mod controls;
mod data;
mod ways;

use leptos::prelude::*;

use crate::components::{ICON_NAMES, Icon};

const SECTIONS: [(&str, &str); 6] = [
    ("controls", "Controls"),
    ("data", "Data"),
    ("ways", "Ways"),
    ("colour", "Colour"),
    ("type", "Type"),
    ("icons", "Icons"),
];

const TYPE: [(&str, &str); 10] = [
    ("hero-title", "Code with any model"),
    ("page-title", "Every call is optional"),
    ("section-title", "Plan where the branch is"),
    ("app-title", "Get the public keys"),
    ("panel-title", "Machines"),
    ("lead", "Every license answer comes with a signed token."),
    ("measure", "Keep it. Until it expires, it says on its own which tier the machine has."),
    ("small", "Removing one frees its place at once."),
    ("meta", "Updated 14 November 2026"),
    ("mono", "DF-7Q4XT-H2W0B Il1 O0 5S 8B {}[]() => !== ::"),
];

const COLOURS: [(&str, &[&str]); 3] = [
    (
        "Steel",
        &[
            "ground",
            "sunken",
            "surface",
            "raised",
            "hover",
            "line",
            "line-strong",
            "control",
            "text-3",
            "text-2",
            "text",
        ],
    ),
    ("Ember", &["ember-wash", "ember-line", "ember-solid", "ember", "ember-hot"]),
    ("Temper", &["ok", "ok-wash", "warn", "warn-wash", "bad", "bad-wash", "info", "info-wash"]),
];

pub fn gallery() -> AnyView {
    let jump = SECTIONS.map(|(id, title)| view! { <a class="plain-link" href=format!("#{id}")>{title}</a> });
    let jump = jump.into_iter().collect_view();
    let type_samples = TYPE
        .into_iter()
        .map(|(class, sample)| {
            view! { <div class="specimen"><code>{class}</code><p class=class>{sample}</p></div> }
        })
        .collect_view();
    let icons =
        ICON_NAMES.into_iter().map(|name| view! { <li><Icon name=name size=20/>{name}</li> }).collect_view();

    view! {
        <div class="gallery page">
            <h1 class="page-title">"Gallery"</h1>
            <p class="lead">"Every component in every state, in both themes. What it says is sample data."</p>
            <nav class="gallery-jump" aria-label="Sections">{jump}</nav>

            {section(0, both(controls::controls))}
            {section(1, both(data::data))}
            {section(2, view! { <div class="themes one">{ways::ways()}</div> }.into_any())}
            {section(3, both(|_| colours()))}
            {section(4, view! { <div>{type_samples}</div> }.into_any())}
            {section(5, view! { <ul class="icons">{icons}</ul> }.into_any())}
        </div>
    }
    .into_any()
}

fn section(index: usize, content: AnyView) -> impl IntoView {
    let (id, title) = SECTIONS[index];
    view! {
        <section class="section hot-bar" id=id aria-labelledby=format!("{id}-title")>
            <h2 class="section-title" id=format!("{id}-title")>{title}</h2>
            {content}
        </section>
    }
}

/// The same content in dark and in light. Its argument goes before every id, so that none is there twice.
fn both(content: impl Fn(&'static str) -> AnyView) -> AnyView {
    view! {
        <div class="themes">
            <div data-theme="dark">{content("dark")}</div>
            <div data-theme="light">{content("light")}</div>
        </div>
    }
    .into_any()
}

/// One line of the gallery: its word on the left, what it is about on the right.
fn row(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <div class="gallery-row">
            <h3>{title}</h3>
            <div class="gallery-show">{content}</div>
        </div>
    }
    .into_any()
}

/// The same, its parts beneath each other.
fn block(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <div class="gallery-row">
            <h3>{title}</h3>
            <div class="gallery-show block">{content}</div>
        </div>
    }
    .into_any()
}

fn colours() -> AnyView {
    COLOURS
        .into_iter()
        .map(|(family, names)| {
            let swatches = names
                .iter()
                .map(|&name| view! { <li><div class=format!("swatch {name}")></div>{name}</li> })
                .collect_view();
            block(family, view! { <ul class="swatches">{swatches}</ul> }.into_any())
        })
        .collect_view()
        .into_any()
}
