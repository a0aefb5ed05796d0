//! "Was this page helpful?": two buttons at the end of a page, which work without script and on kept pages.

use leptos::prelude::*;

#[component]
pub fn Helpful(
    /// The page that is asked about.
    #[prop(into)]
    path: String,
) -> impl IntoView {
    view! {
        <form class="helpful" method="post" action="/feedback">
            <input type="hidden" name="path" value=path/>
            <p id="helpful">"Was this page helpful?"</p>
            <div class="button-row" role="group" aria-labelledby="helpful">
                <button class="button secondary small" type="submit" name="helpful" value="yes">"Yes"</button>
                <button class="button secondary small" type="submit" name="helpful" value="no">"No"</button>
            </div>
        </form>
    }
}
