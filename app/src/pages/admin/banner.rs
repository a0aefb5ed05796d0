//! What stands on every page while an administrator looks at the site as somebody else.

use leptos::prelude::*;

use crate::components::Icon;

pub fn viewing_banner(name: &str, email: &str) -> AnyView {
    let name = name.to_owned();
    let email = email.to_owned();

    view! {
        <section class="viewing-banner" aria-label="Looking as somebody else">
            <div class="page">
                <Icon name="eye"/>
                <p role="status">
                    "You are looking at the site as " <strong>{name}</strong> ". Nothing can be changed. "
                    <span class="meta">{email}</span>
                </p>
                <form method="post" action="/admin/view/stop">
                    <button class="button secondary small" type="submit">"Stop looking"</button>
                </form>
            </div>
        </section>
    }
    .into_any()
}
