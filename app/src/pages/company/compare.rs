//! Dev Forge beside other editors. Only what is commonly known of them and does not change from month to month; what
//! cannot be said of all of them in one line is not in the table.

use leptos::prelude::*;

use super::head;
use crate::components::Icon;

const EDITORS: [&str; 5] = ["Dev Forge", "VS Code", "Zed", "JetBrains IDEs", "Cursor"];

/// What is compared, and what is so of each of [`EDITORS`].
const ROWS: [(&str, [&str; 5]); 5] = [
    (
        "License of the editor",
        [
            "Commercial, with a Free tier; parts of it are open source",
            "The source is under MIT, Microsoft’s builds under a license of their own",
            "Open source, GPL-3.0",
            "Commercial; the IntelliJ Platform under them is open source, Apache 2.0",
            "Commercial",
        ],
    ),
    (
        "Made with",
        [
            "Electron",
            "Electron",
            "Rust, a native program with an interface of its own",
            "Java and Kotlin, on a Java runtime that comes along",
            "Electron, from the open source of VS Code",
        ],
    ),
    (
        "Runs on",
        [
            "Linux, macOS, Windows",
            "Linux, macOS, Windows, and in a browser",
            "Linux, macOS, Windows",
            "Linux, macOS, Windows",
            "Linux, macOS, Windows",
        ],
    ),
    (
        "Extensions",
        [
            "VSIX packages",
            "VSIX packages, in JavaScript or TypeScript",
            "WebAssembly modules, in Rust",
            "Plugins for the Java runtime, in Kotlin or Java",
            "VSIX packages",
        ],
    ),
    (
        "Your own key for AI models",
        ["Yes, in every tier", "Yes, in chat", "Yes", "Yes, in AI Assistant", "Yes, in chat"],
    ),
];

/// Where another one is the better choice.
const BETTER: [(&str, &str); 4] = [
    (
        "VS Code",
        "when you want a very large choice of extensions, the same editor in a browser, or an editor that costs nothing at all.",
    ),
    (
        "Zed",
        "when you want a native program rather than Electron, source that you can read and build in full, or shared editing that was part of the design from the start.",
    ),
    (
        "JetBrains IDEs",
        "when most of your work is in a language that one of them is made for, such as Java, Kotlin, C# or Python, and you live by refactorings and inspections that know the whole project.",
    ),
    (
        "Cursor",
        "when you want AI as its maker has set it up, with the models in the subscription, rather than keys and models of your own choice.",
    ),
];

pub fn compare() -> AnyView {
    view! {
        <div class="company page">
            {head(
                "Compare",
                "Dev Forge beside other editors",
                "Five good ways to write code. This is what differs between them, and when to take which.",
            )}
            <section aria-labelledby="table">
                <h2 class="section-title" id="table">"Side by side"</h2>
                {table()}
                <p class="small quiet">
                    "As of November 2026. Corrections are welcome: "
                    <a href="/contact?topic=other">"tell us what is wrong"</a>
                    ". The names belong to their owners, who have no part in this page."
                </p>
            </section>
            <section aria-labelledby="better">
                <h2 class="section-title" id="better">"When another one is the better choice"</h2>
                <dl class="rows">{BETTER.map(|(editor, when)| choice(editor, when)).collect_view()}</dl>
            </section>
            <section aria-labelledby="ours">
                <h2 class="section-title" id="ours">"When it is Dev Forge"</h2>
                <p class="measure">
                    "When you want to choose the model yourself, to run one on your own machine, or to have none. When an
                    editor has to go on without a connection and without its maker. And when a small group plans its work
                    where the code is, in fire teams and sprints."
                </p>
                <p class="button-row">
                    <a class="button secondary" href="/features">"Read what it does"</a>
                    <a class="button secondary" href="/pricing">"Compare its tiers"</a>
                    <a class="more-link" href="/download">"Download Dev Forge"<Icon name="arrow" size=16/></a>
                </p>
            </section>
        </div>
    }
    .into_any()
}

fn table() -> AnyView {
    let heads = EDITORS.map(|editor| view! { <th scope="col">{editor}</th> }).collect_view();
    let rows = ROWS
        .map(|(what, cells)| {
            let cells = EDITORS
                .into_iter()
                .zip(cells)
                .map(|(editor, cell)| view! { <td data-label=editor>{cell}</td> })
                .collect_view();
            view! { <tr><th scope="row">{what}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Five editors compared">
            <table class="table stack">
                <thead><tr><td></td>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn choice(editor: &'static str, when: &'static str) -> AnyView {
    view! { <div class="company-fact"><dt>{editor}</dt><dd>{when}</dd></div> }.into_any()
}
