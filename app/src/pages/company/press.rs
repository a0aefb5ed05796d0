//! For who writes about Dev Forge: the same facts in three lengths, how the name is written, and the mark to take along.

use leptos::prelude::*;

use super::head;
use crate::{assets, components::Icon, pages::chrome::mark};

/// What the installation knows of who runs it. Either may be empty.
pub struct Facts {
    pub operator: String,
    pub country: String,
}

/// Files that are served here, as (words, name of the file, address).
fn files() -> [(&'static str, &'static str, String); 4] {
    [
        ("The mark, as SVG", "dev-forge-mark.svg", assets::url("mark.svg")),
        ("The mark on steel, as SVG", "dev-forge-icon.svg", "/favicon.svg".to_owned()),
        ("The mark on steel, 512 by 512, as PNG", "dev-forge-icon.png", "/icon-512.png".to_owned()),
        ("Name and sentence, 1200 by 630, as PNG", "dev-forge.png", assets::url("og-default.png")),
    ]
}

/// Name, value, and what it is for.
const COLOURS: [(&str, &str, &str); 6] = [
    ("Ember, on dark", "#fd7627", "what is current, running, or the one next action"),
    ("Ember, on light", "#f66b17", "the same on a light ground"),
    ("Dark steel", "#0d1014", "the ground of the dark theme"),
    ("Light steel", "#f4f6f8", "the ground of the light theme"),
    ("Ink, on dark", "#eceff1", "text and the anvil"),
    ("Ink, on light", "#181c22", "text and the anvil"),
];

const FACTS: [(&str, &str); 8] = [
    ("What it is", "A code editor for the desktop, made with Electron."),
    ("Runs on", "Linux, macOS and Windows."),
    (
        "AI models",
        "People connect a provider with a key of their own, run a model on their own machine, or switch AI off. Prompts do not pass through our servers.",
    ),
    ("Extensions", "VSIX packages."),
    ("Teams", "Fire teams are small groups with a shared plan. They work in sprints, inside the editor."),
    (
        "Without us",
        "Every call the editor makes to this site is optional. A license goes on for up to 14 days without a connection. After that the editor is the Free tier, and it locks no file.",
    ),
    (
        "Tiers",
        "Free needs no account and may be used for commercial work. Pro and Enterprise are licensed by the seat.",
    ),
    (
        "Privacy",
        "Usage events are sent after consent and not before. This site has no trackers, no advertising, and nothing from anybody else.",
    ),
];

pub fn press(facts: Facts) -> AnyView {
    view! {
        <div class="company page">
            {head("Press", "Press", "What you need to write about Dev Forge. Take any of it, as it stands or in your own words.")}
            {sentences()}
            {fact_list(facts)}
            {name()}
            {the_mark()}
            {colours()}
            <section aria-labelledby="pictures">
                <h2 class="section-title" id="pictures">"Pictures"</h2>
                <p class="measure">
                    "The pictures of the editor on "<a href="/">"the front page"</a>" and under "
                    <a href="/features">"Features"</a>
                    " are drawn, not photographed. There are no screenshots to download yet. Ask us for one, and say what it
                    is to show."
                </p>
            </section>
            <section aria-labelledby="ask">
                <h2 class="section-title" id="ask">"Ask us"</h2>
                <p class="measure">"Questions, quotes, and things that are wrong on this page: we answer in writing."</p>
                <p class="button-row"><a class="button secondary" href="/contact?topic=press">"Write to us"</a></p>
            </section>
        </div>
    }
    .into_any()
}

fn sentences() -> AnyView {
    view! {
        <section aria-labelledby="sentence">
            <h2 class="section-title" id="sentence">"In one sentence"</h2>
            <p class="lead">"Dev Forge is a desktop code editor that is whole with any AI model, or with none."</p>
            <h2 class="section-title" id="paragraph">"In one paragraph"</h2>
            <p class="measure">
                "Dev Forge is a code editor for Linux, macOS and Windows. It works with the AI providers that people choose, under
                their own keys, with models that run on their own machine, and without any model. Extensions are ordinary
                VSIX packages, and small groups plan their work in it. It needs no connection and no account: a license turns
                features on, and when its maker cannot be reached, the editor keeps working."
            </p>
        </section>
    }
    .into_any()
}

fn fact_list(facts: Facts) -> AnyView {
    let Facts { operator, country } = facts;
    let place = if country.is_empty() { String::new() } else { format!(", {country}") };
    let runs = (!operator.is_empty()).then(|| row("Who runs this site", format!("{operator}{place}.")));
    view! {
        <section aria-labelledby="facts">
            <h2 class="section-title" id="facts">"On one page"</h2>
            <dl class="rows">
                {FACTS.map(|(what, fact)| row(what, fact.to_owned())).collect_view()}
                {runs}
            </dl>
            <p class="small quiet">
                "Prices are on the "<a href="/pricing">"pricing page"</a>", what is built and what comes next on the "
                <a href="/roadmap">"roadmap"</a>", and who is responsible in the "<a href="/legal/imprint">"imprint"</a>"."
            </p>
        </section>
    }
    .into_any()
}

fn row(what: &'static str, fact: String) -> AnyView {
    view! { <div class="company-fact"><dt>{what}</dt><dd>{fact}</dd></div> }.into_any()
}

fn name() -> AnyView {
    view! {
        <section aria-labelledby="name">
            <h2 class="section-title" id="name">"The name"</h2>
            <dl class="rows">
                {row("Dev Forge", "Two words, each with a capital. Not DevForge, Devforge or DEV FORGE.".to_owned())}
                {row("devforge", "One word in small letters, in code and in file names alone.".to_owned())}
                {row("Free, Pro, Enterprise", "The tiers, with a capital: “Dev Forge Pro”.".to_owned())}
                {row("Fire team, sprint", "Ordinary words, in small letters.".to_owned())}
            </dl>
        </section>
    }
    .into_any()
}

fn the_mark() -> AnyView {
    let files = files()
        .map(|(words, file, address)| {
            view! {
                <li class="row">
                    <span>{words}</span>
                    <a class="button secondary small" href=address download=file>
                        <Icon name="download" size=16/>"Download "{file}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="mark">
            <h2 class="section-title" id="mark">"The mark"</h2>
            <p class="measure">
                "An anvil with a block cursor on it. The anvil has the colour of the text beside it, and the cursor is ember.
                Leave as much room around it as the cursor is high. Don’t turn it, outline it or give it another colour."
            </p>
            <div class="company-plates">
                <div data-theme="dark">{mark(96)}</div>
                <div data-theme="light">{mark(96)}</div>
            </div>
            <ul class="rows">{files}</ul>
        </section>
    }
    .into_any()
}

/// The policy of the pages allows no style in a tag, so a colour is painted as a picture of itself.
fn colours() -> AnyView {
    let rows = COLOURS
        .map(|(name, value, about)| {
            view! {
                <li class="company-colour">
                    <svg width="40" height="40" viewBox="0 0 40 40" aria-hidden="true">
                        <path d="M0 0h40v40H0z" fill=value></path>
                    </svg>
                    <p><b>{name}</b><br/><code>{value}</code></p>
                    <p class="small quiet">{about}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="colours">
            <h2 class="section-title" id="colours">"Colours"</h2>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}
