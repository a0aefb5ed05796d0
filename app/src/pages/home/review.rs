//! The review of an extension, as its author reads it: an example with three checks passed and one that held it.

use leptos::prelude::*;

use crate::components::{Badge, GrainTile, Icon};

const PASSED: [(&str, &str); 3] = [
    ("Package and manifest", "218 files, 1.9 MB unpacked"),
    ("Secrets", "None found"),
    ("Name", "No look-alike among published names"),
];

pub(super) fn review() -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar split">
                <div>
                    <h2 class="section-title">"An extension review that says why"</h2>
                    <p>
                        "Publish with the tools you already use. Each check reports what it found, in which file and on which line. Authors keep 70\u{a0}% of every sale, paid out automatically."
                    </p>
                </div>
                {example()}
            </div>
        </section>
    }
    .into_any()
}

fn example() -> AnyView {
    let passed = PASSED
        .into_iter()
        .map(|(check, found)| view! { <li class="check"><Icon name="ok"/><b>{check}</b><span>{found}</span></li> })
        .collect_view();

    view! {
        <figure class="panel flush review" aria-label="An example of a review">
            <div class="review-head">
                <GrainTile seed="northbeam.sql-lens" size=38/>
                <p><b>"northbeam.sql-lens 1.5.0"</b>"Submitted 12 minutes ago"</p>
                <Badge tone="warn" label="Held"/>
            </div>
            <ul>
                {passed}
                <li class="check held">
                    <Icon name="warn"/>
                    <b>"Declared permissions"</b>
                    <span>"1 finding"</span>
                    <p>
                        <code>"src/net.ts:41"</code>" opens a connection to a host that "
                        <code>"permissions.network"</code>" does not list."
                    </p>
                    <p>"Add the host to the manifest, or remove the call, and submit 1.5.0 again."</p>
                </li>
            </ul>
        </figure>
    }
    .into_any()
}
