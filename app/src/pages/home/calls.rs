//! Every request the editor makes, what it carries, and what happens when nothing answers.
//! The privacy text lists the same calls field by field; the two are kept in step.

use leptos::prelude::*;

use crate::components::Icon;

struct Call {
    name: &'static str,
    sends: &'static str,
    when: &'static str,
    unanswered: &'static str,
}

const CALLS: [Call; 5] = [
    Call {
        name: "License check",
        sends: "Key, machine fingerprint, version",
        when: "On activation, then daily",
        unanswered: "The cached answer, then the signed offline token, then the free tier.",
    },
    Call {
        name: "Update check",
        sends: "Version, platform, channel",
        when: "In the background",
        unanswered: "You keep the version you have.",
    },
    Call {
        name: "Extension sync",
        sends: "Names and versions of your extensions",
        when: "In the background",
        unanswered: "What is installed stays installed and runs.",
    },
    Call {
        name: "Usage events",
        sends: "Event names and their properties",
        when: "Only after you say yes",
        unanswered: "They wait, at most 500 of them and up to 7 days. No feature waits for them.",
    },
    Call {
        name: "Model request",
        sends: "Your prompt and the files you picked",
        when: "When you ask",
        unanswered: "You see the provider’s own error. A local model needs no network.",
    },
];

pub(super) fn calls() -> AnyView {
    view! {
        <section class="section band">
            <div class="page">
                <div class="hot-bar">
                    <div class="band-head">
                        <h2 class="page-title">"Every call is optional"</h2>
                        <p>
                            "The editor makes five kinds of request. A slow or absent answer never holds up your typing. This is the whole list."
                        </p>
                    </div>
                    {table()}
                    <p class="more-links">
                        <a class="more-link" href="/legal/privacy">
                            "Every field, and how long it is kept"<Icon name="arrow" size=16/>
                        </a>
                        <a class="more-link" href="/docs/api">
                            "The same requests in the API reference"<Icon name="arrow" size=16/>
                        </a>
                    </p>
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// On phones the style sheet turns each row into a block. The roles keep it a table for screen readers there.
fn table() -> AnyView {
    let rows = CALLS
        .iter()
        .map(|call| {
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row">{call.name}</th>
                    <td role="cell" data-label="Sends">{call.sends}</td>
                    <td role="cell" data-label="When">{call.when}</td>
                    <td role="cell" data-label="No answer">{call.unanswered}</td>
                </tr>
            }
        })
        .collect_view();

    view! {
        <table class="table calls" role="table">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Request"</th>
                    <th role="columnheader" scope="col">"What is sent"</th>
                    <th role="columnheader" scope="col">"When"</th>
                    <th role="columnheader" scope="col">"If nothing answers"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows}</tbody>
        </table>
    }
    .into_any()
}
