//! Local-first and privacy: what works without us, what is sent and when, and what a signed license is.

use leptos::prelude::*;

use super::parts::{
    above, button, closing, drawn, drawn_head, editor, file, intro, limits, links, more, points, rail, row,
    sheet, side, split, status, turned, wide,
};
use crate::components::Icon;

const SITE: [[&str; 2]; 5] = [
    [
        "Two reasons for a cookie",
        "You sign in, or you choose a theme. There is no banner, because there is nothing to ask.",
    ],
    [
        "Nothing from anybody else",
        "No trackers, no advertising, no fonts or scripts of others. Pages read fully without JavaScript.",
    ],
    ["Your archive", "An account can download what we keep about it, as JSON, from its own page."],
    ["Deletion", "You ask for it in the account. It comes 14 days later, so that you can change your mind."],
    [
        "Your code is not there",
        "Code, files and what you write to a model provider do not reach us. We cannot lose what we do not have.",
    ],
];

const LIMITS: [[&str; 2]; 4] = [
    [
        "It makes no backup",
        "Your files are on your machine and nowhere of ours. Keep a copy, as you would with any editor.",
    ],
    [
        "It cannot call back what is signed",
        "A license that is taken away can go on counting on a machine without a connection until its token or file ends.",
    ],
    [
        "It does not hide you from a provider",
        "With a provider’s key the request comes from your machine, and the provider sees that.",
    ],
    [
        "It does not stop extensions you let in",
        "An extension that may connect to a host does so without us. The list you agreed to says which.",
    ],
];

pub(super) fn page() -> AnyView {
    view! {
        <div class="home features">
            {intro(
                above("Local-first and privacy"),
                "It works without us.",
                "No account, no connection, no permission of ours. Every call the editor makes is optional, events wait for your yes, and a license is signed so that your machine can check it by itself.",
                view! {
                    {more("Every call there is", "/docs/network-calls")}
                    {more("Privacy in the editor", "/docs/privacy")}
                }.into_any(),
            )}
            {picture()}
            {wide(
                "When we do not answer",
                "An outage of ours is not a refusal. What your machine holds counts, for as long as it says, and no file is ever locked.",
                view! {
                    {timeline()}
                    {links(view! {
                        {more("Work offline", "/docs/offline")}
                        {more("The Free tier", "/docs/free-tier")}
                    }.into_any())}
                }.into_any(),
            )}
            {split(
                "A license your machine can check",
                "A check brings a token, signed with Ed25519, that says what is on, for which machine and until when. The keys to verify it are public, and any JOSE library can do it.",
                more("Verify a token yourself", "/docs/verify-offline-tokens"),
                token(),
            )}
            {turned(
                "Events wait for a yes",
                "The default is no. With a yes, events say which parts of the editor are used and which fail. They hold no code, no file names and no text you typed. Without one, our server refuses them.",
                view! {
                    {more("Privacy in the editor", "/docs/privacy")}
                    {more("Take a yes back", "/docs/your-data")}
                }.into_any(),
                consent(),
            )}
            {split(
                "Machines that never connect",
                "A computer without a network writes a request into a file. You carry it to your account and carry a signed file back. It counts for up to a year, and never longer than the license.",
                more("Machines without a connection", "/docs/air-gapped"),
                machine_file(),
            )}
            {wide(
                "The same on this site",
                "What is true of the editor should be true of the place you get it from.",
                view! {
                    {points(&SITE)}
                    {links(view! {
                        {more("The privacy policy", "/legal/privacy")}
                        {more("Your data", "/docs/your-data")}
                    }.into_any())}
                }.into_any(),
            )}
            {limits("What follows from working without us, and is yours to know.", &LIMITS)}
            {closing(more("Next: AI models", "/features/ai-models"))}
        </div>
    }
    .into_any()
}

fn picture() -> AnyView {
    editor(
        "The Dev Forge editor without a connection, with its network settings open: license check, update check and extension sync are on and have no answer, usage events are off, and a local model is in use.",
        "Settings",
        view! {
            {rail("sliders")}
            {settings()}
            {sheet("sliders", "Network", calls())}
            {state()}
        }
        .into_any(),
        view! {
            {status("offline", "No connection")}
            {status("branch", "main")}
            {status("ok", "0 problems")}
            {status("key", "Pro, offline until 4 Dec")}
        }
        .into_any(),
    )
}

fn settings() -> AnyView {
    side(
        "Settings",
        "",
        view! {
            {file("ed-file", "edit", "Text editor")}
            {file("ed-file", "terminal", "Keyboard")}
            {file("ed-file", "assist", "AI models")}
            {file("ed-file", "plug", "Extensions")}
            {file("ed-file", "flame", "Teams")}
            {file("ed-file open", "globe", "Network")}
            {file("ed-file", "eye", "Privacy")}
            {file("ed-file", "key", "License")}
        }
        .into_any(),
    )
}

fn calls() -> AnyView {
    view! {
        <span class="d-title"><span><b>"Every call, and its switch"</b>"None of them holds up your typing."</span></span>
        <span class="d-menu">
            {row("d-row", "key", "License check", "Key, fingerprint, version. About once a day", "On")}
            {row("d-row", "download", "Update check", "Version, platform, channel. In the background", "On")}
            {row("d-row", "plug", "Extension sync", "Names and versions of your extensions", "On")}
            {row("d-row off", "chart", "Usage events", "Only after you say yes", "Off")}
            {row("d-row now", "assist", "Model request", "Goes to the local model on this machine", "Local")}
        </span>
    }
    .into_any()
}

fn state() -> AnyView {
    view! {
        <span class="ed-chat">
            <span class="ed-tabs"><Icon name="offline" size=16/>"Offline since 09:12"</span>
            <span class="d-list">
                {row("d-row", "key", "License", "The token counts until 4 December", "")}
                {row("d-row", "download", "Updates", "You keep the version you have", "")}
                {row("d-row", "plug", "Extensions", "3 installed, 3 running", "")}
                {row("d-row", "assist", "Model", "Local, needs no network", "")}
                {row("d-row", "file", "Your files", "As always", "")}
            </span>
            <span class="ed-note"><Icon name="ok" size=14/>"Nothing waits for the connection."</span>
        </span>
    }
    .into_any()
}

pub(super) fn timeline() -> AnyView {
    view! {
        <ol class="unanswered">
            <li><b>"The first day"</b><span>"The last good answer counts."</span></li>
            <li><b>"Up to 14 days"</b><span>"The signed token counts, with all that your tier has."</span></li>
            <li><b>"After that"</b><span>"The free tier, until we answer again. Files and settings stay as they are."</span></li>
        </ol>
    }
    .into_any()
}

fn token() -> AnyView {
    drawn(
        "The content of an offline token: tier, features, the fingerprint of the machine, and when it ends.",
        view! {
            {drawn_head("Offline token", "Signature good")}
            <span class="d-code">
                <span inner_html=r#"<span class="tk-property">"aud"</span>: <span class="tk-string">"devforge-editor"</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"tier"</span>: <span class="tk-string">"pro"</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"features"</span>: [<span class="tk-string">"editor"</span>, <span class="tk-string">"fire_teams"</span>, …],"#></span>
                <span inner_html=r#"<span class="tk-property">"fingerprint"</span>: <span class="tk-string">"sha256:7f3a…"</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"iat"</span>: <span class="tk-number">1795168800</span>,"#></span>
                <span inner_html=r#"<span class="tk-property">"exp"</span>: <span class="tk-number">1796378400</span>"#></span>
            </span>
        }
        .into_any(),
    )
}

fn consent() -> AnyView {
    drawn(
        "The editor's question about usage events, with the answers Send events and Do not send. Nothing is sent until it is answered.",
        view! {
            {drawn_head("Send usage events?", "Asked once")}
            {row("d-row", "check", "Which parts you use and what fails", "A name, its properties, a time", "")}
            {row("d-row", "x", "Code, file names, text you typed", "Never in an event", "")}
            {row("d-row", "x", "Your network address", "Not stored with an event", "")}
            <span class="d-end">{button("button secondary small", "Do not send")}{button("button secondary small", "Send events")}</span>
        }
        .into_any(),
    )
}

pub fn machine_file() -> AnyView {
    drawn(
        "Three steps: the editor writes a request file, your account signs it, the editor takes the signed file.",
        view! {
            {drawn_head("Lab bench 2", "No connection")}
            {row("d-row", "file", "1. The editor writes a request", "On the machine without a network", "")}
            {row("d-row", "shield", "2. Your account signs it", "On any machine with a browser", "")}
            {row("d-row now", "key", "3. The editor takes the signed file", "devforge-machine-file.json", "Up to 365 days")}
        }
        .into_any(),
    )
}
