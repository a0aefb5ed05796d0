//! What a release is made as, and that there is none yet. The reason stands where the buttons will stand.

use leptos::prelude::*;

use crate::components::GrainTile;

const BUILDS: [(&str, &str, &str); 3] = [
    ("Linux", "x64, arm64", "AppImage, deb"),
    ("macOS", "Apple silicon, Intel", "dmg"),
    ("Windows", "x64, arm64", "exe"),
];

pub fn downloads() -> AnyView {
    let builds = BUILDS
        .into_iter()
        .map(|(system, processors, files)| {
            view! {
                <li class="build">
                    <h3>{system}</h3>
                    <p>{processors}</p>
                    <p class="mono">{files}</p>
                </li>
            }
        })
        .collect_view();

    view! {
        <section class="section page" id="download">
            <div class="hot-bar split wide">
                <div>
                    <h2 class="section-title">"Take it to your machine"</h2>
                    <p>"Every build is signed. Checksums stand beside each file."</p>
                </div>
                <div class="builds">
                    <ul>{builds}</ul>
                    <div class="no-release">
                        <GrainTile seed="The first release" size=48/>
                        <div>
                            <p><b>"No release is published yet."</b></p>
                            <p>"The first one appears here."</p>
                        </div>
                    </div>
                </div>
            </div>
        </section>
    }
    .into_any()
}
