//! A block of code with its name and a copy button. It scrolls inside itself and can take focus for that.

use leptos::prelude::*;

use super::Icon;

#[component]
pub fn CodeBlock(
    /// The file's name, or what the code is for: "Terminal".
    #[prop(into)]
    title: String,
    /// The code as plain text. It is what a screen reader reads and what is copied.
    #[prop(into)]
    code: String,
    /// The same code as HTML with `tk-…` spans and `line` rows, when it has been highlighted. Trusted.
    #[prop(optional, into)]
    highlighted: Option<String>,
) -> impl IntoView {
    let name = title.clone();
    let body = match highlighted {
        Some(html) => view! { <code inner_html=html></code> }.into_any(),
        None => view! { <code>{code}</code> }.into_any(),
    };

    view! {
        <figure class="code-block">
            <figcaption class="code-bar">
                <span>{title}</span>
                <button class="button ghost small" type="button" data-copy="" hidden=true>
                    <Icon name="copy" size=16/>
                    "Copy"
                </button>
            </figcaption>
            <pre tabindex="0" role="group" aria-label=name>{body}</pre>
        </figure>
    }
}
