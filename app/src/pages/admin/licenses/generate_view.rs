//! The form for giving licenses, and the page that shows their keys once.

use devforge::{
    contract::{account::User, payment::Tier},
    license::issue::Issued,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    PATH,
    actions::MAX_REASON_CHARS,
    generate::{NEW, Typed},
    parts::{license_rows, select},
};
use crate::{
    components::{Breadcrumb, CodeBlock, Field, Icon, Notice},
    pages::{
        admin::{
            frame::{Viewer, choice},
            proof::proof_first,
        },
        forms::Mistakes,
    },
};

const FILE: &str = "/admin/licenses/keys.csv";
/// The most licenses that are linked to on the page that shows their keys.
const LINKED: usize = 20;

fn head(title: String) -> AnyView {
    let trail = vec![("Licenses".to_owned(), PATH.to_owned())];
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here=title.clone()/>
            <h1 class="app-title">{title}</h1>
        </header>
    }
    .into_any()
}

pub fn keys_view(issued: &[Issued], person: Option<&User>, now: OffsetDateTime) -> AnyView {
    let title = match issued.len() {
        1 => "A license is given".to_owned(),
        many => format!("{many} licenses are given"),
    };
    let keys: Vec<String> = issued.iter().map(|issued| issued.key.expose()).collect();
    let licenses: Vec<_> = issued.iter().take(LINKED).map(|issued| issued.license.clone()).collect();
    let whose = person.map(|person| {
        view! {
            <p class="small">
                <a href=format!("/admin/users/{}", person.id)>"Everything about "{person.email.clone()}</a>
            </p>
        }
    });
    view! {
        {head(title)}
        <Notice tone="ok" title="Copy the keys now" live=true>
            <p>"They are not shown to you again. Whoever they belong to sees them in their account."</p>
        </Notice>
        <CodeBlock title="License keys" code=keys.join("\n")/>
        <form method="post" action=FILE>
            <input type="hidden" name="keys" value=keys.join(" ") autocomplete="off"/>
            <div class="button-row">
                <button class="button secondary" type="submit"><Icon name="download" size=16/>"Download as CSV"</button>
                <a class="button ghost" href=NEW>"Give more"</a>
            </div>
        </form>
        {license_rows(&licenses, now)}
        {whose}
    }
    .into_any()
}

pub fn form_view(typed: &Typed, wrong: &Mistakes, viewer: Viewer) -> AnyView {
    let tiers = [Tier::Pro, Tier::Enterprise]
        .map(|tier| choice(tier.as_str(), tier.label(), &typed.tier))
        .into_iter()
        .collect_view()
        .into_any();
    view! {
        {head("Give licenses".to_owned())}
        {wrong.summary()}
        {proof_first(viewer, NEW)}
        <form class="measure" method="post" action=NEW novalidate=true>
            <Field name="email" label="Mail address of who gets them" kind="email" value=typed.email.clone()
                error=wrong.of("email") maxlength=254 autocomplete="off" hint="They need an account."/>
            <div class="field-row">
                {select("tier", "Tier", tiers, wrong)}
                <Field name="seats" label="Seats of each" value=typed.seats.clone() inputmode="numeric" maxlength=6
                    autocomplete="off" error=wrong.of("seats")/>
                <Field name="count" label="Licenses" value=typed.count.clone() inputmode="numeric" maxlength=5
                    autocomplete="off" error=wrong.of("count") hint="Each has its own key."/>
            </div>
            <div class="field-row">
                <Field name="expiresAt" label="Last day" kind="date" value=typed.expires_at.clone() optional=true
                    error=wrong.of("expiresAt") hint="To its end in UTC. Without one it does not end."/>
                <Field name="overage" label="Percent more machines" value=typed.overage.clone() inputmode="numeric"
                    maxlength=3 autocomplete="off" optional=true error=wrong.of("overage")
                    hint="How far beyond its limit it may go."/>
            </div>
            {choices(typed)}
            <input type="hidden" name="form" value=typed.form.clone() autocomplete="off"/>
            <Field name="reason" label="Reason" kind="textarea" value=typed.reason.clone() error=wrong.of("reason")
                hint="For staff. It stays in the history for good, so leave out what is private."
                maxlength=MAX_REASON_CHARS/>
            <div class="form-actions">
                <button class="button primary" type="submit">"Give licenses"</button>
                <a class="button ghost" href=PATH><Icon name="back" size=16/>"Licenses"</a>
            </div>
        </form>
    }
    .into_any()
}

fn choices(typed: &Typed) -> AnyView {
    let boxes = [
        (
            "fallback",
            &typed.fallback,
            "Keeps what came out before its end",
            "Versions from before its last day go on.",
        ),
        ("floating", &typed.floating, "Good on any machine", "Without it, on activated machines only."),
        (
            "mail",
            &typed.mail,
            "Tell them by mail",
            "With the key when it is one license, otherwise where to see them.",
        ),
    ]
    .into_iter()
    .map(|(name, value, label, about)| {
        let checked = !value.is_empty();
        view! {
            <label class="check">
                <input type="checkbox" name=name value="yes" checked=checked/>
                <span>{label}<small>{about}</small></span>
            </label>
        }
    })
    .collect_view();
    view! {
        <fieldset class="field">
            <legend>"How they are"</legend>
            {boxes}
        </fieldset>
    }
    .into_any()
}
