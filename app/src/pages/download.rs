//! Where the editor can be had. As long as no release is published, the page says so.

use axum::response::Response;
use leptos::prelude::*;

use super::{
    home::download_section,
    shell::{Page, Visit},
};

pub async fn download_page(visit: Visit) -> Response {
    Page::new(
        "Download",
        "Dev Forge for Linux, macOS and Windows: every build signed, with its checksum beside it.",
        download,
    )
    .public("/download")
    .render(&visit)
}

fn download() -> AnyView {
    view! {
        <div class="home download">
            <header class="page">
                <h1 class="page-title">"Download Dev Forge"</h1>
                <p class="lead">
                    "One program for every tier. Without a license it is the free tier, and a license turns the rest on."
                </p>
                <p class="small quiet">
                    "You have a license already? "<a href="/activate">"Activate it"</a>"."
                </p>
            </header>
            {download_section()}
        </div>
    }
    .into_any()
}
