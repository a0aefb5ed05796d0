//! Copies a text and says so for a moment, where the reader is looking and to a screen reader.

use std::time::Duration;

use leptos::prelude::*;

use crate::{browser, components::Icon};

const SHOWN_FOR: Duration = Duration::from_secs(2);

#[island]
pub fn CopyButton(
    /// What is copied.
    text: String,
    /// What the button says: "Copy key".
    label: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        browser::copy_text(&text);
        copied.set(true);
        set_timeout(move || copied.set(false), SHOWN_FOR);
    };
    let said = move || if copied.get() { "Copied" } else { "" };

    view! {
        <span class="copy">
            <button class="button secondary" class:done=move || copied.get() type="button" on:click=copy>
                <span class="copy-idle"><Icon name="copy" size=16/>{label}</span>
                <span class="copy-done" aria-hidden="true"><Icon name="check" size=16/>"Copied"</span>
            </button>
            <span class="visually-hidden" role="status">{said}</span>
        </span>
    }
}
