//! The form of activation: licenses to pick from, and the fields for a key.

use devforge::contract::license::License;
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{EDITOR, PATH, Typed, words::Refusal};
use crate::{
    components::{Field, Icon, Notice},
    pages::{
        forms::Mistakes,
        license_parts::{end_in_words, machines_in_words, what},
    },
};

pub struct Shown {
    pub wrong: Mistakes,
    pub typed: Typed,
    pub refused: Option<Refusal>,
    /// The newest licenses of who is signed in that are good.
    pub own: Vec<License>,
    /// There are older ones than those that were looked at.
    pub others: bool,
    pub signed_in: bool,
    pub now: OffsetDateTime,
}

pub fn form(shown: Shown) -> AnyView {
    let Shown { wrong, typed, refused, own, others, signed_in, now } = shown;
    let picks = !own.is_empty();
    let lead = if typed.from_editor {
        "Choose the license that the editor is to use. It then opens with it."
    } else {
        "Choose a license, and the editor opens with it."
    };
    let others = others.then(|| {
        view! {
            <p class="small quiet">
                "You have older licenses too. "<a href="/account/licenses">"Open one of them"</a>
                " to see its key, and enter it here."
            </p>
        }
    });
    let sign_in = (!signed_in).then(|| sign_in(&typed));
    view! {
        <div class="activate page">
            <header>
                <h1 class="page-title">"Activate Dev Forge"</h1>
                <p class="lead">{lead}</p>
            </header>
            {wrong.summary()}
            {refused.map(refusal)}
            {picks.then(|| pick(&own, &typed, &wrong, now))}
            {others}
            {by_key(&typed, &wrong, picks)}
            {sign_in}
        </div>
    }
    .into_any()
}

fn refusal(refusal: Refusal) -> AnyView {
    let Refusal { tone, icon, title, text, ways } = refusal;
    let ways = move || {
        ways.into_iter()
            .map(|(address, words)| view! { <a class="button secondary small" href=address>{words}</a> })
            .collect_view()
    };
    view! { <Notice tone=tone icon=icon title=title live=true actions=ways><p>{text}</p></Notice> }.into_any()
}

/// The first box has the name of the field as its id, so that the list of mistakes leads to it.
fn pick(own: &[License], typed: &Typed, wrong: &Mistakes, now: OffsetDateTime) -> AnyView {
    let known = own.iter().any(|license| license.id.to_string() == typed.license);
    let boxes = own
        .iter()
        .enumerate()
        .map(|(index, license)| {
            let id = license.id.to_string();
            let checked = if known { id == typed.license } else { index == 0 };
            let machines = machines_in_words(license.machines);
            let about = format!("Machines: {machines} · {}", end_in_words(license, now));
            view! {
                <label class="radio">
                    <input type="radio" name="license" value=id id=(index == 0).then_some("license") checked=checked/>
                    <span>{what(license)}<small><code>{license.key.clone()}</code></small><small>{about}</small></span>
                </label>
            }
        })
        .collect_view();
    let error = wrong.of("license").map(|error| {
        view! { <p class="field-error" id="license-error"><Icon name="bad" size=16/><span>{error}</span></p> }
    });
    view! {
        <section aria-labelledby="yours">
            <h2 class="panel-title" id="yours">"Your licenses"</h2>
            <form method="post" action=PATH>
                {editor_field(typed)}
                <fieldset class="field">
                    <legend class="visually-hidden">"Which license"</legend>
                    {boxes}
                    {error}
                </fieldset>
                <div class="form-actions">
                    <button class="button primary" type="submit">"Use this license"</button>
                </div>
            </form>
        </section>
    }
    .into_any()
}

fn by_key(typed: &Typed, wrong: &Mistakes, picks: bool) -> AnyView {
    let title = if picks { "Another key" } else { "Your key" };
    let class = if picks { "button secondary" } else { "button primary" };
    view! {
        <section aria-labelledby="by-key">
            <h2 class="panel-title" id="by-key">{title}</h2>
            <form method="post" action=PATH novalidate=true>
                {editor_field(typed)}
                <Field name="licenseKey" label="License key" value=typed.key.clone() autocomplete="off" maxlength=200
                    error=wrong.of("licenseKey") hint="From the mail with your license: DF and five groups. Case and hyphens do not matter."/>
                <Field name="email" label="Mail address" kind="email" value=typed.email.clone() autocomplete="email"
                    inputmode="email" maxlength=254 error=wrong.of("email") hint="The one that the license is for. With several seats, that of whoever uses it here."/>
                <div class="form-actions"><button class=class type="submit">"Use this key"</button></div>
            </form>
        </section>
    }
    .into_any()
}

fn editor_field(typed: &Typed) -> Option<AnyView> {
    let (name, value) = EDITOR;
    typed.from_editor.then(|| view! { <input type="hidden" name=name value=value/> }.into_any())
}

fn sign_in(typed: &Typed) -> AnyView {
    let next = if typed.from_editor {
        "/sign-in?next=/activate%3Fapp%3Delectron"
    } else {
        "/sign-in?next=/activate"
    };
    view! {
        <p class="small quiet">
            "With an account you pick from your licenses instead: "<a href=next>"sign in"</a>
            ". No license yet? "<a href="/pricing">"See pricing"</a>"."
        </p>
    }
    .into_any()
}
