//! What leaves the machine: the editor's four routes, drawn as wiring and readable as two lists.

use leptos::prelude::*;

use crate::{components::Icon, pages::chrome::mark};

pub(super) fn machine() -> AnyView {
    view! {
        <section class="section page" id="features">
            <div class="hot-bar split">
                <div>
                    <h2 class="section-title">"You choose what leaves your machine"</h2>
                    <p>
                        "A prompt goes to a local model, to the provider whose key you add, or nowhere. The model menu shows which one is in use, and a switch applies to the next request."
                    </p>
                </div>
                {wiring()}
            </div>
        </section>
    }
    .into_any()
}

fn wiring() -> AnyView {
    view! {
        <div class="wiring">
            <div class="machine">
                <p class="machine-name"><Icon name="laptop"/>"Your machine"</p>
                <p class="node source"><Icon name="terminal" size=16/>"Editor"</p>
                <ul class="wires">
                    {wire("wire now", "In use", "Prompt and picked files", icon("server"), "Local model")}
                    {wire("wire", "Checked offline", "Signature, tier, expiry", icon("key"), "License token")}
                </ul>
            </div>
            <ul class="wires outside">
                {wire("wire", "With a key you add", "Prompt and picked files", icon("globe"), "Your provider")}
                {wire("wire asked", "Optional", "License check, updates, extensions", mark(16).into_any(), "Dev Forge")}
            </ul>
        </div>
    }
    .into_any()
}

fn icon(name: &'static str) -> AnyView {
    view! { <Icon name=name size=16/> }.into_any()
}

/// One route: when it is taken, what it carries, and what answers at its end.
fn wire(
    class: &'static str,
    when: &'static str,
    carries: &'static str,
    picture: AnyView,
    answers: &'static str,
) -> AnyView {
    view! {
        <li class=class>
            <p class="wire-label"><b>{when}</b><span>{carries}</span></p>
            <p class="node">{picture}{answers}</p>
        </li>
    }
    .into_any()
}
