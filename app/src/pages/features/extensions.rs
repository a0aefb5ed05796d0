//! Extensions: what a package is, what it must declare, how it is reviewed, and what its author earns.

use leptos::prelude::*;

use super::parts::{
    above, button, closing, drawn, drawn_head, editor, intro, limits, links, more, points, rail, row, sheet,
    side, split, status, turned, wide,
};
use crate::components::{Badge, GrainTile, Icon};

const USE: [[&str; 2]; 4] = [
    ["Install", "The list of what it asks for comes first. Nothing of the extension runs before you agree."],
    [
        "Update",
        "The editor asks whether there is a newer version. You can turn that off and keep what you have.",
    ],
    ["Work offline", "What is installed stays installed and runs. It needs no answer from us to start."],
    ["Remove", "The extension goes, and your files stay as they are."],
];

const LIMITS: [[&str; 2]; 4] = [
    [
        "The marketplace is not open yet",
        "The rules stand, and the docs tell authors how to prepare. The roadmap says what comes next.",
    ],
    [
        "A review does not find everything",
        "Checks read a package and report what they see. They make harm harder and visible, and are no promise that there is none.",
    ],
    [
        "Not every extension runs",
        "Packages written for VS Code-compatible editors are read as they are. One that calls an interface Dev Forge does not have is told so; the docs list what there is.",
    ],
    [
        "It does not judge for you",
        "What an extension does with a host you let it reach is between you and its author. The list says which hosts those are.",
    ],
];

pub(super) fn page() -> AnyView {
    view! {
        <div class="home features">
            {intro(
                above("Extensions"),
                "Extensions that say what they need.",
                "An extension is an ordinary VSIX package that declares what it wants to reach. You read that before you install, and its author reads why a review said no.",
                view! {
                    {more("Use extensions", "/docs/use-extensions")}
                    {more("Write an extension", "/docs/write-an-extension")}
                }.into_any(),
            )}
            {picture()}
            {split(
                "The packages you know",
                "Dev Forge reads the VSIX format that VS Code-compatible tools make. Authors keep their editor, their build and their packaging command. A package is a zip file, so you can look inside.",
                view! {
                    {more("Write an extension", "/docs/write-an-extension")}
                    {more("What the API has", "/docs/extension-api")}
                }.into_any(),
                package(),
            )}
            {turned(
                "Permissions come first",
                "Hosts it connects to, files it reads, programs it starts: what an extension wants stands in its manifest, and in front of you before it is installed. What is not declared there is a finding in the review.",
                more("The manifest, field by field", "/docs/extension-manifest"),
                declared(),
            )}
            {split(
                "A review that says why",
                "Each check reports what it found, in which file and on which line. A version that is held comes back with what to change, and the author can ask a person to look again.",
                more("The rules of the review", "/docs/review-rules"),
                review(),
            )}
            {turned(
                "Authors earn 70\u{a0}%",
                "Of every sale 70\u{a0}% of the price goes to the author, and is paid out automatically. Author and platform count from one ledger, so the statistics and the payout agree.",
                view! {
                    {more("Prices and payouts", "/docs/extension-pricing")}
                    {more("Publish an extension", "/docs/publish-an-extension")}
                }.into_any(),
                share(),
            )}
            {wide(
                "From install to removal",
                "An extension is a guest. It comes when you let it in, and goes when you say so.",
                view! {
                    {points(&USE)}
                    {links(more("Use extensions", "/docs/use-extensions"))}
                }.into_any(),
            )}
            {limits("Where the marketplace stands, and what neither a list nor a review can do.", &LIMITS)}
            {closing(view! {
                {more("Next: Teams", "/features/teams")}
                {more("What comes when", "/roadmap")}
            }.into_any())}
        </div>
    }
    .into_any()
}

fn picture() -> AnyView {
    editor(
        "The Dev Forge editor before an extension is installed: it lists one host to connect to and one kind of file to read, and the checks of its review stand beside it.",
        "SQL Lens, billing-worker",
        view! {
            {rail("plug")}
            {installed()}
            {sheet("plug", "SQL Lens", asks())}
            {checks()}
        }
        .into_any(),
        view! {
            {status("branch", "main")}
            {status("ok", "0 problems")}
            {status("plug", "2 extensions on")}
        }
        .into_any(),
    )
}

fn installed() -> AnyView {
    side(
        "Extensions",
        "2 on",
        view! {
            {extension("forge.rust-tools", "Rust Tools", "forge 2.8.1", "On")}
            {extension("hollis.todo-index", "Todo Index", "hollis 0.9.3", "On")}
            <span class="ed-head"><b>"Found for “sql”"</b></span>
            {extension("northbeam.sql-lens", "SQL Lens", "northbeam 1.4.0", "")}
        }
        .into_any(),
    )
}

fn extension(id: &'static str, name: &'static str, version: &'static str, state: &'static str) -> AnyView {
    view! {
        <span class="ed-ext">
            <GrainTile seed=id size=30/>
            <span><b>{name}</b>{version}</span>
            <i>{state}</i>
        </span>
    }
    .into_any()
}

fn asks() -> AnyView {
    view! {
        {name()}
        {permissions()}
        <span class="ed-do">
            {button("button primary small", "Install SQL Lens")}
            {button("button secondary small", "Not now")}
        </span>
    }
    .into_any()
}

fn name() -> AnyView {
    view! {
        <span class="d-title">
            <GrainTile seed="northbeam.sql-lens" size=56/>
            <span><b>"SQL Lens"</b>"northbeam 1.4.0, 1.9 MB"</span>
            <Badge tone="ok" label="Reviewed"/>
        </span>
    }
    .into_any()
}

fn permissions() -> AnyView {
    view! {
        <span class="d-menu">
            {drawn_head("SQL Lens asks for", "")}
            {row("d-row", "globe", "Connect to localhost:5432", "To show tables and columns as you type", "Network")}
            {row("d-row", "file", "Read .sql files of this project", "To check them against the database", "Files")}
            {row("d-row off", "terminal", "Start programs", "Not asked for", "None")}
            {row("d-row off", "key", "Read the keychain", "Not asked for", "None")}
        </span>
    }
    .into_any()
}

/// The request alone, for the overview.
pub(super) fn request() -> AnyView {
    drawn(
        "What an extension asks for before it is installed: one host to connect to and one kind of file to read. It starts no programs and does not read the keychain.",
        view! {
            {name()}
            {permissions()}
        }
        .into_any(),
    )
}

fn checks() -> AnyView {
    view! {
        <span class="ed-chat">
            <span class="ed-tabs"><Icon name="shield" size=16/>"Review of 1.4.0"</span>
            <span class="d-list">
                {row("d-row", "ok", "Package and manifest", "204 files, 1.9 MB unpacked", "")}
                {row("d-row", "ok", "Secrets", "None found", "")}
                {row("d-row", "ok", "Name", "No look-alike among published names", "")}
                {row("d-row", "ok", "Declared permissions", "The code asks for what it declares", "")}
                {row("d-row", "ok", "Known weaknesses", "None in what it brings along", "")}
            </span>
            <span class="ed-note"><Icon name="info" size=14/>"Anybody can read this review."</span>
        </span>
    }
    .into_any()
}

fn package() -> AnyView {
    drawn(
        "A terminal that makes a VSIX package, and the files in it.",
        view! {
            {drawn_head("Terminal", "sql-lens")}
            <span class="d-code">
                <span>"$ npx vsce package"</span>
                <span><span class="pass">"DONE"</span>"  sql-lens-1.5.0.vsix (218 files)"</span>
                <span>"$ unzip -l sql-lens-1.5.0.vsix"</span>
                <span>"  extension.vsixmanifest"</span>
                <span>"  extension/package.json"</span>
                <span>"  extension/readme.md"</span>
                <span>"  extension/dist/main.js"</span>
            </span>
        }
        .into_any(),
    )
}

fn declared() -> AnyView {
    drawn(
        "A part of a manifest that declares one host to connect to.",
        view! {
            {drawn_head("package.json", "")}
            <span class="d-code">
                <span inner_html=r#"<span class="tk-property">"name"</span>: <span class="tk-string">"sql-lens"</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"publisher"</span>: <span class="tk-string">"northbeam"</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"version"</span>: <span class="tk-string">"1.5.0"</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"permissions"</span>: {"#></span>
                <span class="marked" inner_html=r#"  <span class="tk-property">"network"</span>: [<span class="tk-string">"localhost:5432"</span>]"#></span>
                <span>"}"</span>
            </span>
        }
        .into_any(),
    )
}

fn review() -> AnyView {
    drawn(
        "The way of one version: submitted, held for an undeclared host in line 41 of a file, corrected, approved.",
        view! {
            {drawn_head("northbeam.sql-lens 1.5.0", "Review")}
            {row("d-row", "send", "Submitted", "By northbeam, 218 files", "10:02")}
            {row("d-row warn", "warn", "Held: undeclared host", "src/net.ts:41 connects to a host that permissions.network does not list", "10:04")}
            {row("d-row", "refresh", "Submitted again", "The call is gone", "10:31")}
            {row("d-row ok", "ok", "Approved", "Every check passed", "10:33")}
        }
        .into_any(),
    )
}

fn share() -> AnyView {
    drawn(
        "A sale divided: seventy percent to the author, thirty percent to the platform.",
        view! {
            {drawn_head("One sale", "Price before tax")}
            <span class="d-share"><span>"70\u{a0}%"<b>"Author"</b></span><span>"30\u{a0}%"<b>"Platform"</b></span></span>
            {row("d-row", "ledger", "Written to the ledger", "The same entries that statistics are counted from", "")}
            {row("d-row", "card", "Paid out automatically", "To the account the author connected", "")}
        }
        .into_any(),
    )
}
