//! What it is, in one headline and three lines, over the grain; then the editor itself.

use leptos::prelude::*;

use super::editor::editor;
use crate::components::{Icon, grain::HOME_HOT_LINE};

pub(super) fn hero() -> AnyView {
    view! {
        <section class="hero">
            <div class="hero-top">
                {grain()}
                <div class="page hero-head">
                    <h1 class="hero-title">"Code with any model, "<br/>"or with none."</h1>
                    <p class="lead measure">
                        "Dev Forge is a desktop code editor. Connect the AI provider you already pay, run a model on your own machine, or switch AI off. The editor is whole either way."
                    </p>
                    <div class="hero-actions">
                        <a class="button primary large" href="#download"><Icon name="download"/>"Download Dev Forge"</a>
                        <a class="button secondary large" href="/docs/api">"Read the API reference"</a>
                        <p class="meta">"For Linux, macOS and Windows. The free tier needs no account."</p>
                    </div>
                </div>
            </div>
            <div class="page">{editor()}</div>
        </section>
    }
    .into_any()
}

/// The cold lines are a mask of the style sheet. The hot one is here, because its colours are the theme's.
fn grain() -> AnyView {
    view! {
        <div class="grain" aria-hidden="true">
            <div class="grain-lines"></div>
            <svg class="grain-hot" viewBox="0 0 1600 620">
                <linearGradient id="hot-line" gradientUnits="userSpaceOnUse" x2="1600">
                    <stop stop-opacity="0"></stop>
                    <stop offset=".3" stop-opacity=".12"></stop>
                    <stop offset=".55" stop-opacity=".55"></stop>
                    <stop offset=".8"></stop>
                    <stop offset="1"></stop>
                </linearGradient>
                <path d=HOME_HOT_LINE stroke="url(#hot-line)"></path>
            </svg>
        </div>
    }
    .into_any()
}
