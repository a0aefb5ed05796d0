//! One icon of the sprite. The word stands beside it, so the icon itself is hidden from screen readers.

use leptos::prelude::*;

/// Every icon of the sprite, in the order of the design's picture. The gallery shows all of them.
pub const ICON_NAMES: [&str; 69] = [
    "search",
    "download",
    "check",
    "x",
    "plus",
    "minus",
    "down",
    "right",
    "left",
    "up",
    "arrow",
    "back",
    "out",
    "menu",
    "more",
    "sun",
    "moon",
    "system",
    "copy",
    "link",
    "file",
    "folder",
    "folderopen",
    "branch",
    "run",
    "plug",
    "assist",
    "sliders",
    "user",
    "users",
    "flame",
    "key",
    "laptop",
    "server",
    "card",
    "receipt",
    "help",
    "clock",
    "bell",
    "shield",
    "star",
    "tag",
    "filter",
    "sort",
    "calendar",
    "chart",
    "table",
    "eye",
    "trash",
    "edit",
    "info",
    "warn",
    "bad",
    "ok",
    "lock",
    "refresh",
    "mail",
    "note",
    "clip",
    "send",
    "terminal",
    "offline",
    "globe",
    "book",
    "forum",
    "box",
    "ledger",
    "pulse",
    "verified",
];

#[component]
pub fn Icon(
    /// The symbol's id in `public/icons.svg`.
    #[prop(into)]
    name: String,
    #[prop(default = 18)] size: u32,
) -> impl IntoView {
    let symbol = format!("{}#{name}", crate::assets::url("icons.svg"));

    view! {
        <svg class="icon" width=size height=size viewBox="0 0 20 20" aria-hidden="true">
            <use_ href=symbol></use_>
        </svg>
    }
}
