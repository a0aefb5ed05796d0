//! The home page.
//!
//! What always holds: it reads fully without script and loads nothing to be made; the four drawn pieces (editor,
//! wiring, sprint, review) are markup and not pictures; every link leads to a page that exists.

mod calls;
mod downloads;
mod editor;
mod hero;
mod machine;
mod plan;
mod review;

pub use self::downloads::downloads as download_section;
use leptos::prelude::*;

/// The sections, in the order they are read.
pub fn home() -> AnyView {
    view! {
        <div class="home">
            {hero::hero()}
            {machine::machine()}
            {calls::calls()}
            {plan::plan()}
            {review::review()}
            {downloads::downloads()}
        </div>
    }
    .into_any()
}

/// The team of the drawn editor and of its sprint.
fn people() -> AnyView {
    view! {
        <span class="people">
            <span class="avatar">"ML"</span>
            <span class="avatar">"TR"</span>
            <span class="avatar">"IK"</span>
        </span>
    }
    .into_any()
}
