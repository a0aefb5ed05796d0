//! A license key: groups split by hairlines, only the last one readable until "Show".

use leptos::prelude::*;

use crate::components::Icon;

#[island]
pub fn KeyPlate(
    /// The whole key, its groups joined by hyphens.
    key: String,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    let groups: Vec<String> = key.split('-').map(str::to_owned).collect();
    let last = groups.len().saturating_sub(1);
    let end = groups.last().cloned().unwrap_or_default();
    let said = move || {
        if shown.get() { format!("License key {key}") } else { format!("License key ending in {end}") }
    };
    let plates = groups
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            // The product's prefix and the last group tell keys apart and open nothing.
            let readable = index == 0 || index == last;
            let masked = "•".repeat(group.chars().count());
            let text = move || {
                if readable || shown.get() { group.clone() } else { masked.clone() }
            };
            view! { <span class:masked=move || !(readable || shown.get())>{text}</span> }
        })
        .collect_view();

    view! {
        <div class="key-plate">
            <p class="visually-hidden">{said}</p>
            <div class="key-groups" aria-hidden="true">{plates}</div>
            <div class="actions">
                <button
                    class="button ghost small"
                    type="button"
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    <Icon name="eye" size=16/>
                    {move || if shown.get() { "Hide" } else { "Show" }}
                    <span class="visually-hidden">"the key"</span>
                </button>
            </div>
        </div>
    }
}
