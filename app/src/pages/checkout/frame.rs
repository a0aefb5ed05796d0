//! What stands around the checkout: its own header without ways elsewhere, and the one message of its dead ends.

use leptos::prelude::*;

use crate::components::Icon;
use crate::pages::chrome::mark;

/// In place of the site's header while somebody pays: nothing in it leads away by accident.
pub fn bare_header() -> AnyView {
    view! {
        <a class="skip-link" href="#main">"Skip to the content"</a>
        <header class="site-header bare-header">
            <div class="page">
                <a class="brand" href="/">{mark(22)}"Dev Forge"</a>
                <p><Icon name="lock" size=16/>"Paid through Stripe"</p>
                <a class="header-link" href="/legal/imprint">"Help"</a>
            </div>
        </header>
    }
    .into_any()
}

/// What cannot be done here, and where to go.
pub fn message(title: &'static str, text: &'static str) -> AnyView {
    view! {
        <div class="error-page">
            <div class="page">
                <div class="error-body">
                    <h1 class="page-title">{title}</h1>
                    <p class="lead">{text}</p>
                    <p class="error-actions">
                        <a class="button primary" href="/pricing">"See the prices"</a>
                        <a class="button secondary" href="/legal/imprint">"Write to us"</a>
                    </p>
                </div>
            </div>
        </div>
    }
    .into_any()
}
