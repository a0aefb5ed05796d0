//! Nothing here: what would be here, and the one action that brings it.

use leptos::prelude::*;

use super::GrainTile;

#[component]
pub fn Empty(
    #[prop(into)] title: String,
    /// One or two sentences.
    #[prop(into)]
    text: String,
    /// In a dashed frame, where it stands for one part of a page.
    #[prop(optional)]
    framed: bool,
    /// The buttons.
    #[prop(optional, into)]
    actions: Option<ViewFnOnce>,
) -> impl IntoView {
    let seed = title.clone();
    let (class, size) = if framed { ("empty framed", 64) } else { ("empty", 96) };

    view! {
        <div class=class>
            <GrainTile seed=seed size=size/>
            <div>
                <h2>{title}</h2>
                <p>{text}</p>
                {actions.map(|actions| view! { <div class="button-row">{actions.run()}</div> })}
            </div>
        </div>
    }
}
