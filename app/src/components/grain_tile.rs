//! The tile that stands for a thing without a picture of its own.

use leptos::prelude::*;

use super::grain::{Tile, tile};

/// Above this side, in pixels, there is room for more layers.
const SMALL_UP_TO: u32 = 64;

#[component]
pub fn GrainTile(
    /// The id or the words the tile stands for.
    #[prop(into)]
    seed: String,
    #[prop(default = 44)] size: u32,
) -> impl IntoView {
    let drawing = tile(&seed, if size > SMALL_UP_TO { Tile::Large } else { Tile::Small });

    view! {
        <svg class="grain-tile" width=size height=size viewBox="0 0 64 64" aria-hidden="true" inner_html=drawing></svg>
    }
}
