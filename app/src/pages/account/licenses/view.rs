//! The page of one license as it is shown.

use devforge::{
    contract::{
        license::{License as Wire, LicenseStatus},
        license_key::LicenseKey,
        payment::SubscriptionStatus,
    },
    license::{License, issue::Issued, machine::Machine},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    detail::{Answer, Tried},
    machines::machines_part,
    notices::state_notice,
    offers::{Offers, Transfer, end_with},
    path,
};
use crate::{
    components::{CodeBlock, Field, Icon},
    pages::{
        account::layout::{Confirm, ProofFirst, Section, done_notice, page_about, part},
        forms::Mistakes,
        license_parts::{editor_link, end_of, feature_list, masked_plate, open_plate, status_badge, title},
    },
};

pub struct Shown {
    pub license: License,
    /// The same with its key masked and its features counted out.
    pub wire: Wire,
    /// What it turns on, in words.
    pub features: Vec<String>,
    pub machines: Vec<Machine>,
    /// How its subscription stands, where it has or had one.
    pub paid_by: Option<SubscriptionStatus>,
    /// For what is done once, however often its form is sent.
    pub token: String,
    pub proof: Option<ProofFirst>,
    pub support: String,
    pub answer: Answer,
    pub now: OffsetDateTime,
}

pub fn license_view(shown: Shown) -> AnyView {
    let Shown { license, wire, features, machines, paid_by, token, proof, support, answer, now } = shown;
    let name = title(license.tier);
    let badge = status_badge(wire.status);
    let good = matches!(wire.status, LicenseStatus::Active | LicenseStatus::Grace);
    let activate = good.then(|| {
        view! { <a class="button secondary" href="/activate"><Icon name="out" size=16/>"Open in the editor"</a> }.into_any()
    });
    let offers = Offers::of(&license, &machines, paid_by, now);
    let turned_on = part("turned-on", "What it turns on", None, feature_list(features));
    let content = view! {
        <div class="license">
            {answer.wrong.summary()}
            {done_notice(answer.done)}
            {split_keys(&answer.split)}
            {state_notice(&license, paid_by, &support, now)}
            {key(&license, answer.key.as_ref(), &wire.key)}
            {facts(&license, &wire, paid_by, now)}
            {machines_part(&license, &wire, &machines, &answer, now)}
            {this_key(&license, offers, &token, &support, proof, &answer)}
            {turned_on}
        </div>
    };
    page_about(Section::Licenses, name, Some(badge), activate, content.into_any())
}

/// The key, hidden until it is asked for by whoever has proven who they are.
fn key(license: &License, key: Option<&LicenseKey>, masked: &str) -> AnyView {
    let Some(key) = key else {
        let action = format!("{}/reveal", path(license.id));
        let show = view! {
            <form method="post" action=action>
                <button class="button ghost small" type="submit">
                    <Icon name="eye" size=16/><span>"Show"<span class="visually-hidden">" the key"</span></span>
                </button>
            </form>
        };
        return masked_plate(masked, show.into_any());
    };
    view! {
        <div class="once">
            {open_plate(key)}
            <div class="button-row">
                <a class="button primary" href=editor_link(key, &license.email)><Icon name="out" size=16/>"Open Dev Forge"</a>
                <a class="button ghost" href=path(license.id)>"Hide the key"</a>
            </div>
        </div>
    }
    .into_any()
}

fn facts(
    license: &License,
    wire: &Wire,
    paid_by: Option<SubscriptionStatus>,
    now: OffsetDateTime,
) -> AnyView {
    let (ends, day) = end_of(wire, now);
    let ends = end_with(paid_by, license.expires_at.map(|at| at <= now)).unwrap_or(ends);
    let origin = match license.order {
        Some(order) => {
            let address = format!("/account/billing/orders/{order}");
            view! { <a href=address>"Your order"</a> }.into_any()
        }
        None => license.origin.label().into_any(),
    };
    view! {
        <dl class="facts">
            <div><dt>{ends}</dt><dd>{day}</dd></div>
            <div><dt>"Seats"</dt><dd>{license.seats.to_string()}</dd></div>
            <div><dt>"For"</dt><dd>{license.email.clone()}</dd></div>
            <div><dt>"From"</dt><dd>{origin}</dd></div>
        </dl>
    }
    .into_any()
}

/// All keys of a license that was just split.
fn split_keys(issued: &[Issued]) -> Option<AnyView> {
    if issued.is_empty() {
        return None;
    }
    let keys: Vec<String> = issued.iter().map(|issued| issued.key.expose()).collect();
    Some(view! { <CodeBlock title="License keys" code=keys.join("\n")/> }.into_any())
}

fn this_key(
    license: &License,
    offers: Offers,
    token: &str,
    support: &str,
    proof: Option<ProofFirst>,
    answer: &Answer,
) -> Option<AnyView> {
    if !license.revoked_by.is_empty() {
        return None;
    }
    let Answer { wrong, tried, typed, .. } = answer;
    let is_tried = |what: Tried| *tried == Some(what);
    let given_away = match offers.transfer {
        Transfer::Here => Some(transfer(license, wrong, typed, is_tried(Tried::Transfer))),
        Transfer::BySupport => Some(transfer_by_support(support)),
        Transfer::No => None,
    };
    let content = view! {
        {proof.map(ProofFirst::view)}
        <ul class="rows">
            {rotate(license)}
            {offers.file.then(|| file(license, wrong, is_tried(Tried::File)))}
            {given_away}
            {offers.split.then(|| split(license, token, is_tried(Tried::Split)))}
        </ul>
    };
    Some(part("this-key", "This license", None, content.into_any()))
}

fn rotate(license: &License) -> AnyView {
    let confirm = Confirm {
        open: "Replace key",
        about: "of this license".to_owned(),
        consequence: "The old key is worth nothing from then on. Your machines keep their places, and their editors need the new key.",
        action: format!("{}/rotate", path(license.id)),
        verb: "Replace the key",
        one_of_several: false,
    };
    row("Replace the key", "When it got around. The new one is shown here and comes by mail.", confirm.view())
}

fn file(license: &License, wrong: &Mistakes, open: bool) -> AnyView {
    let error = wrong.of("file").map(|error| {
        view! { <p class="field-error" id="file-error"><Icon name="bad" size=16/><span>{error}</span></p> }
    });
    let described_by = if error.is_some() { "file-error file-hint" } else { "file-hint" };
    let invalid = error.is_some().then_some("true");
    // The method stands at the button: no page follows a file, so the form is not one that waits for the next.
    let form = view! {
        <form action=format!("{}/machine-file", path(license.id)) enctype="multipart/form-data">
            <div class="field">
                <label for="file">"Request file"</label>
                <input class="input" type="file" id="file" name="file" accept=".json,application/json"
                    aria-invalid=invalid aria-describedby=described_by/>
                {error}
                <p class="hint" id="file-hint">"The editor writes it on that machine. It takes one of the places."</p>
            </div>
            <button class="button secondary small" type="submit" formmethod="post">
                <Icon name="download" size=16/>"Get the signed file"
            </button>
        </form>
    };
    row(
        "A machine without a connection",
        "Bring its request file here and take the signed file back. It is good for up to a year.",
        disclosure("Make a file", open, form.into_any()),
    )
}

fn transfer(license: &License, wrong: &Mistakes, typed: &str, open: bool) -> AnyView {
    let value = if open { typed.to_owned() } else { String::new() };
    let form = view! {
        <form method="post" action=format!("{}/transfer", path(license.id)) novalidate=true>
            <p>"They get a new key by mail. Yours is worth nothing from then on, and every machine is taken off."</p>
            <Field name="email" label="Mail address of the new owner" kind="email" value=value autocomplete="off"
                inputmode="email" maxlength=254 error=wrong.of("email").filter(|_| open)/>
            <button class="button bad-solid small" type="submit">"Give the license away"</button>
        </form>
    };
    row(
        "Give it to somebody else",
        "The whole license, with all its seats.",
        disclosure("Give away", open, form.into_any()),
    )
}

/// A file goes on working wherever it is, so its license does not leave its owner by a form.
fn transfer_by_support(support: &str) -> AnyView {
    let write = view! { <a class="button secondary small" href=support.to_owned()>"Write to support"</a> };
    row(
        "Give it to somebody else",
        "A machine without a connection still has a file of this license, so we move it for you.",
        write.into_any(),
    )
}

fn split(license: &License, token: &str, open: bool) -> AnyView {
    let consequence = format!(
        "It becomes {} licenses of one seat, each with a key of its own. This one keeps its key. They are not put together again.",
        license.seats
    );
    // The method stands at the buttons: after a file no page follows.
    let form = view! {
        <form action=format!("{}/split", path(license.id))>
            <p>{consequence}</p>
            <input type="hidden" name="form" value=token.to_owned() autocomplete="off"/>
            <div class="button-row">
                <button class="button secondary small" type="submit" formmethod="post" name="as" value="page">
                    {format!("Split into {} and show the keys", license.seats)}
                </button>
                <button class="button ghost small" type="submit" formmethod="post" name="as" value="csv">
                    <Icon name="download" size=16/>"Split and download a CSV"
                </button>
            </div>
        </form>
    };
    row(
        "Split it into single seats",
        "To give each person a key of their own.",
        disclosure("Split", open, form.into_any()),
    )
}

fn row(title: &'static str, text: &'static str, control: AnyView) -> AnyView {
    view! { <li class="row"><div><h3>{title}</h3><p>{text}</p></div>{control}</li> }.into_any()
}

/// A button that opens a form in its place. It opens without script.
fn disclosure(open_with: &'static str, open: bool, form: AnyView) -> AnyView {
    view! {
        <details class="confirm calm" open=open>
            <summary class="button secondary small"><span>{open_with}</span></summary>
            {form}
        </details>
    }
    .into_any()
}
