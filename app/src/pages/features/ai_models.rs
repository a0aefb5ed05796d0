//! AI models: which there are, what each is sent, where keys are kept, and how to have none.

use leptos::prelude::*;

use super::parts::{
    above, button, closing, drawn, drawn_head, editor, file, intro, limits, line, links, more, points, rail,
    row, side, split, status, table, turned, wide,
};
use crate::components::Icon;

const WAYS: [[&str; 4]; 3] = [
    [
        "Local model",
        "A model on your own machine",
        "Nothing",
        "A model server that runs on the machine. No key, no account, no network.",
    ],
    [
        "Your provider",
        "The provider whose key you add",
        "The prompt and the files you picked",
        "Your own key. The request goes to the provider and not through this site.",
    ],
    ["No AI", "Nobody", "Nothing", "A switch. The rest of the editor stays as it is."],
];

const WITHOUT_NETWORK: [[&str; 2]; 3] = [
    ["A local model goes on", "It answers as before, because nothing between you and it needs a connection."],
    [
        "A provider's error is shown as it is",
        "The editor does not guess and does not switch models behind your back. You read what the provider or the network said, and choose.",
    ],
    ["Everything else does not notice", "Typing, searching, running and version control wait for no model."],
];

const LIMITS: [[&str; 2]; 4] = [
    [
        "It sells no model",
        "There is no model of ours and no credit to buy. You pay your provider at the provider's price, or nobody.",
    ],
    [
        "It does not read along",
        "Prompts, files and answers do not pass through our servers, so we can neither see nor keep them.",
    ],
    [
        "It does not make a provider private",
        "What you send to a provider is under that provider's terms. Read them before you send a client's code.",
    ],
    [
        "It does not know whether an answer is right",
        "A model can be wrong. A change is a suggestion until you apply it, and your tests are the judge.",
    ],
];

pub(super) fn page() -> AnyView {
    view! {
        <div class="home features">
            {intro(
                above("AI models"),
                "Any provider, a local model, or none.",
                "Connect a provider with your own key, run a model on your own machine, or switch AI off. Each project keeps its own choice, and the editor is whole either way.",
                view! {
                    {more("Connect a provider", "/docs/ai-providers")}
                    {more("Use a local model", "/docs/local-models")}
                }.into_any(),
            )}
            {picture()}
            {wide(
                "Three ways, one menu",
                "The model menu stands above every conversation and names what is in use. A switch applies to the next request.",
                table(["Choice", "Who answers", "What leaves", "You need"], &WAYS),
            )}
            {split(
                "You see what goes before it goes",
                "A request carries your question and the files or lines you picked. They are listed under the question, and you take off what should stay. Nothing is sent until you ask.",
                more("What a model gets to see", "/docs/what-ai-sees"),
                carried(),
            )}
            {turned(
                "Keys stay in the keychain",
                "Your key is kept by the operating system: Keychain on macOS, Credential Manager on Windows, the Secret Service on Linux. The editor takes it out to call the provider, and shows you the last four characters.",
                more("Add, change and remove a key", "/docs/ai-providers"),
                keychain(),
            )}
            {split(
                "Each project decides for itself",
                "One repository may go to a provider, the next one only to a model on this machine, a third to none. The editor remembers the choice with the project and says it in the status bar.",
                more("How settings are layered", "/docs/settings"),
                projects(),
            )}
            {wide(
                "With no network",
                "A plane, a train, a site with no way out: what a model does for you then depends on where it runs.",
                view! {
                    {points(&WITHOUT_NETWORK)}
                    {links(more("AI without a network", "/docs/ai-without-a-network"))}
                }.into_any(),
            )}
            {limits("What we do not do with AI, and what no editor can do for you.", &LIMITS)}
            {closing(more("Next: Extensions", "/features/extensions"))}
        </div>
    }
    .into_any()
}

fn picture() -> AnyView {
    editor(
        "The Dev Forge editor with the model menu open: a local model is in use, a provider with a key and no AI are the other choices. A suggested change to one line stands in the code.",
        "seats.ts, billing-worker",
        view! { {rail("file")}{files()}{code()}{chat()} }.into_any(),
        view! {
            {status("branch", "fix/seat-count")}
            {status("ok", "0 problems")}
            {status("assist", "Local model")}
            {status("file", "TypeScript")}
            {status("key", "Pro, offline until 4 Dec")}
        }
        .into_any(),
    )
}

fn files() -> AnyView {
    side(
        "Files",
        "",
        view! {
            {file("ed-file", "folderopen", "billing-worker")}
            {file("ed-file in-1", "folderopen", "src")}
            {file("ed-file in-2", "folderopen", "license")}
            {file("ed-file in-3", "file", "jwks.json")}
            {file("ed-file in-3", "file", "seats.test.ts")}
            {file("ed-file in-3 open", "file", "seats.ts")}
            {file("ed-file in-3", "file", "tiers.ts")}
            {file("ed-file in-2", "file", "server.ts")}
            {file("ed-file in-1", "file", "package.json")}
            {file("ed-file in-1", "file", "README.md")}
        }
        .into_any(),
    )
}

fn code() -> AnyView {
    view! {
        <span class="ed-main">
            <span class="ed-tabs">
                <span class="open"><Icon name="file" size=14/>"seats.ts"<i class="dot"></i></span>
                <span><Icon name="file" size=14/>"seats.test.ts"</span>
            </span>
            <span class="ed-path">"src"<i>"/"</i>"license"<i>"/"</i>"seats.ts"<i>"/"</i>"room"</span>
            <span class="ed-code">
                {line("line", r#"<span class="tk-keyword">import</span> { machines } <span class="tk-keyword">from</span> <span class="tk-string">"./tiers"</span>;"#)}
                {line("line", r#"<span class="tk-keyword">import type</span> { <span class="tk-type">License</span> } <span class="tk-keyword">from</span> <span class="tk-string">"./license"</span>;"#)}
                {line("line", "")}
                {signature()}
                <span class="ed-hint">
                    <Icon name="assist" size=14/>
                    "One line from Assistant"
                    <span class="kbd">"Tab"</span><i>"apply"</i><span class="kbd">"Esc"</span><i>"discard"</i>
                </span>
                {change()}
            </span>
            <span class="ed-term">
                <span class="ed-panes"><b>"Terminal"</b><i>"Problems"</i><i>"Output"</i></span>
                <span>"$ npm test -- seats"</span>
                <span><span class="pass">"pass"</span>"  counts the machines of all seats together"</span>
                <span><span class="run">"run"</span>"   has no room after seats were given up"</span>
            </span>
        </span>
    }
    .into_any()
}

/// The function that the example is about, down to the line in question.
fn signature() -> AnyView {
    view! {
        {line("line", r#"<span class="tk-comment">/** How many machines may still be added. */</span>"#)}
        {line("line", r#"<span class="tk-keyword">export function</span> <span class="tk-function">room</span>(license: <span class="tk-type">License</span>): <span class="tk-type">number</span> {"#)}
        {line("line", r#"  <span class="tk-keyword">const</span> places = machines[license.<span class="tk-property">tier</span>] * license.<span class="tk-property">seats</span>;"#)}
        {line("line", r#"  <span class="tk-keyword">const</span> taken = license.<span class="tk-property">machines</span>.<span class="tk-property">length</span>;"#)}
    }
    .into_any()
}

fn change() -> AnyView {
    view! {
        {line("line removed", r#"  <span class="tk-keyword">return</span> places - taken;"#)}
        {line("line added", r#"  <span class="tk-keyword">return</span> Math.<span class="tk-function">max</span>(<span class="tk-number">0</span>, places - taken);<i class="caret"></i>"#)}
        {line("line", "}")}
    }
    .into_any()
}

fn chat() -> AnyView {
    view! {
        <span class="ed-chat">
            <span class="ed-tabs">
                <Icon name="assist" size=16/>
                "Assistant"
                <span class="ed-model"><i class="dot"></i>"Local model"<Icon name="up" size=14/></span>
            </span>
            <span class="ed-talk">
                {menu()}
                <span class="ed-ask">"Can room() be negative?"</span>
                <span>
                    "Yes. After seats were given up, more machines can be active than there are places. Nothing here expects a number below zero."
                </span>
            </span>
            <span class="ed-box">
                <span>"Ask about this file"</span>
                <span class="ed-chip"><Icon name="file" size=14/>"seats.ts 5–9"</span>
                <span class="ed-chip send"><Icon name="send" size=16/></span>
            </span>
            <span class="ed-note"><Icon name="lock" size=14/>"Runs on this machine. Nothing is sent."</span>
        </span>
    }
    .into_any()
}

/// The menu beside the code it is asked about, for the overview.
pub(super) fn choice() -> AnyView {
    drawn(
        "A suggested change to one line of code, and the model menu: a local model is in use, a provider with a key and no AI are the other choices.",
        view! {
            <span class="d-pair">
                <span class="ed-code">
                    {signature()}
                    {change()}
                </span>
                {menu()}
            </span>
        }
        .into_any(),
    )
}

fn menu() -> AnyView {
    view! {
        <span class="d-menu">
            {drawn_head("Model for billing-worker", "")}
            {row("d-row now", "server", "Local model", "On this machine", "In use")}
            {row("d-row", "globe", "Your provider", "With the key in your keychain", "")}
            {row("d-row", "x", "No AI", "Nothing is suggested or sent", "")}
        </span>
    }
    .into_any()
}

pub(super) fn carried() -> AnyView {
    drawn(
        "The list of what a question carries: the question, five lines of one file and one whole file. The rest of the project is not sent.",
        view! {
            {drawn_head("This question carries", "To: Your provider")}
            {row("d-row", "assist", "Your question", "Can room() be negative?", "Sent")}
            {row("d-row", "file", "seats.ts", "Lines 5 to 9", "Sent")}
            {row("d-row", "file", "seats.test.ts", "The whole file", "Sent")}
            {row("d-row off", "folder", "The rest of billing-worker", "You did not pick it", "Stays here")}
        }
        .into_any(),
    )
}

fn keychain() -> AnyView {
    drawn(
        "A provider in the settings: its key is masked but for the last four characters and is kept in the system's keychain.",
        view! {
            {drawn_head("Your provider", "Connected")}
            <span class="d-key"><span>"••••"</span><span>"••••"</span><span>"••••"</span><b>"k7Qd"</b></span>
            {row("d-row", "lock", "Kept by the system's keychain", "Not in settings, not in the project, not in a commit", "")}
            {row("d-row", "globe", "Goes to the provider alone", "With each request you make", "")}
            <span class="d-end">{button("button secondary small", "Replace key")}{button("button bad small", "Remove key")}</span>
        }
        .into_any(),
    )
}

fn projects() -> AnyView {
    drawn(
        "Three projects with a choice each: one uses a local model, one a provider, one has no AI.",
        view! {
            {drawn_head("Projects", "Model")}
            {row("d-row now", "folderopen", "billing-worker", "Open now", "Local model")}
            {row("d-row", "folder", "website", "Opened yesterday", "Your provider")}
            {row("d-row", "folder", "client-archive", "Opened on 3 November", "No AI")}
        }
        .into_any(),
    )
}
