//! Tabs are links to addresses, so they work without script and can be shared.

use leptos::prelude::*;

pub struct Tab {
    pub label: String,
    pub href: String,
    pub current: bool,
    /// How many entries stand behind the tab, when that helps to choose.
    pub count: Option<u64>,
}

#[component]
pub fn Tabs(
    /// What the tabs choose between, for screen readers.
    #[prop(into)]
    label: String,
    tabs: Vec<Tab>,
) -> impl IntoView {
    let links = tabs
        .into_iter()
        .map(|tab| {
            let here = tab.current.then_some("page");
            let count =
                tab.count.map(|count| view! { <span class="count tabular">{count.to_string()}</span> });
            view! { <a href=tab.href aria-current=here>{tab.label}{count}</a> }
        })
        .collect_view();

    view! { <nav class="tabs" aria-label=label>{links}</nav> }
}
