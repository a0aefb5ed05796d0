//! What answers a license that is good: what it turns on, and the way to the editor with it.

use devforge::contract::{license::License, license_key::LicenseKey};
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::{
    components::{Icon, Notice},
    pages::license_parts::{
        editor_link, end_of, feature_list, machines_in_words, masked_plate, open_plate, what,
    },
};

pub struct Ready {
    pub license: License,
    /// What it turns on, in words.
    pub features: Vec<String>,
    /// Without one a proof of who is there comes first.
    pub key: Option<LicenseKey>,
    pub email: String,
    /// It stands in the account of who is here.
    pub owner: bool,
    /// The form, as whoever is here came to it.
    pub again: &'static str,
    pub now: OffsetDateTime,
}

pub fn ready(shown: Ready) -> AnyView {
    let Ready { license, features, key, email, owner, again, now } = shown;
    let title = format!("{} is yours to use", license.tier.label());
    let open = key.as_ref().map(|key| open_editor(editor_link(key, &email)));
    let proof = key.is_none().then(|| confirm(again));
    let (plate, typed) = match &key {
        Some(key) => (open_plate(key), "this key"),
        None => (masked_plate(&license.key, ().into_any()), "the key from your mail"),
    };
    let by_hand = format!("Open Dev Forge, choose Activate, and enter {typed} and {email}.");
    view! {
        <div class="activate page">
            <header>
                <h1 class="page-title">{title}</h1>
                <p class="lead">"This license is good. One step is left: open the editor with it."</p>
            </header>
            {proof}
            {open}
            {full(&license, owner)}
            {facts(&license, now)}
            <section aria-labelledby="by-hand">
                <h2 class="panel-title" id="by-hand">"When nothing opens"</h2>
                <ol class="by-hand">
                    <li>"Dev Forge may not be on this computer yet: "<a href="/download">"download it"</a>"."</li>
                    <li>{by_hand}</li>
                </ol>
                {plate}
            </section>
            <section aria-labelledby="turned-on">
                <h2 class="panel-title" id="turned-on">"What it turns on"</h2>
                {feature_list(features)}
            </section>
        </div>
    }
    .into_any()
}

fn open_editor(address: String) -> AnyView {
    view! {
        <div class="button-row">
            <a class="button primary large" href=address><Icon name="out"/>"Open Dev Forge"</a>
            <a class="button secondary large" href="/download"><Icon name="download"/>"Download Dev Forge"</a>
        </div>
    }
    .into_any()
}

fn confirm(again: &'static str) -> AnyView {
    let address = format!("/account/confirm?next={}", again.replace('?', "%3F").replace('=', "%3D"));
    let confirm = move || view! { <a class="button primary small" href=address>"Confirm"</a> };
    view! {
        <Notice tone="info" icon="lock" title="Confirm that it is you" actions=confirm>
            <p>"The editor needs the key, and your sign-in is a while ago. Confirm, then pick the license again."</p>
        </Notice>
    }
    .into_any()
}

/// Said before the editor says it.
fn full(license: &License, owner: bool) -> Option<AnyView> {
    if license.machines.used < license.machines.limit {
        return None;
    }
    let page = format!("/account/licenses/{}", license.id);
    let (address, words) = if owner {
        (page, "Remove a machine")
    } else {
        (format!("/sign-in?next={page}"), "Sign in to remove one")
    };
    let title = format!("All {} places are taken", license.machines.limit);
    let way = move || view! { <a class="button secondary small" href=address>{words}</a> };
    Some(
        view! {
            <Notice tone="warn" title=title actions=way>
                <p>"A machine that has it goes on. For another one, remove a machine that is not used any more."</p>
            </Notice>
        }
        .into_any(),
    )
}

fn facts(license: &License, now: OffsetDateTime) -> AnyView {
    let (ends, day) = end_of(license, now);
    view! {
        <dl class="facts">
            <div><dt>"License"</dt><dd>{what(license)}</dd></div>
            <div><dt>"Machines"</dt><dd>{machines_in_words(license.machines)}</dd></div>
            <div><dt>{ends}</dt><dd>{day}</dd></div>
        </dl>
    }
    .into_any()
}
