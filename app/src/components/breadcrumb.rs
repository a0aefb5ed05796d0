//! The way from the top to this page. The last entry is the page itself and is not a link.

use leptos::prelude::*;

#[component]
pub fn Breadcrumb(
    /// Words and addresses of the pages above this one, the nearest last.
    trail: Vec<(String, String)>,
    #[prop(into)] here: String,
) -> impl IntoView {
    let above = trail
        .into_iter()
        .map(|(label, address)| view! { <li><a href=address>{label}</a></li> })
        .collect_view();

    view! {
        <nav class="breadcrumb" aria-label="Breadcrumb">
            <ol>
                {above}
                <li><span aria-current="page">{here}</span></li>
            </ol>
        </nav>
    }
}
