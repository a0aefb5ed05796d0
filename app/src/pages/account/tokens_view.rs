//! The page of personal tokens as it is shown.

use devforge::{
    account::personal_token::PREFIX,
    contract::account::{CreatedPersonalToken, PersonalToken, Scope},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    layout::{Confirm, Done, ProofFirst, done_notice, part},
    tokens::Typed,
};
use crate::components::{Badge, CodeBlock, Empty, Field, Icon, Notice, RelativeTime};
use crate::pages::{forms::Mistakes, moments::day};

const LIFETIMES: [(u32, &str); 4] = [(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year")];

pub struct Shown {
    pub done: Option<Done>,
    pub wrong: Mistakes,
    pub typed: Typed,
    /// Told now and never again.
    pub created: Option<CreatedPersonalToken>,
    pub tokens: Vec<PersonalToken>,
    /// What somebody of this role can give a token.
    pub scopes: Vec<Scope>,
    pub proof: Option<ProofFirst>,
    pub now: OffsetDateTime,
}

pub fn tokens_view(shown: Shown) -> AnyView {
    let Shown { done, wrong, typed, created, tokens, scopes, proof, now } = shown;
    view! {
        {wrong.summary()}
        {done_notice(done)}
        {created.map(just_created)}
        <p class="lead">
            "A token lets a program of yours use the "<a href="/docs/api">"API"</a>" in your name, as far as you allow it."
        </p>
        {list(&tokens, now)}
        {new_token(&typed, &wrong, &scopes, proof)}
    }
    .into_any()
}

fn just_created(created: CreatedPersonalToken) -> AnyView {
    let title = format!("“{}” is made", created.details.name);
    view! {
        <div class="once">
            <Notice tone="ok" title=title live=true>
                <p>"Copy the token now. It is not shown again."</p>
            </Notice>
            <CodeBlock title="Personal token" code=created.token/>
        </div>
    }
    .into_any()
}

fn list(tokens: &[PersonalToken], now: OffsetDateTime) -> AnyView {
    if tokens.is_empty() {
        let empty = view! {
            <Empty framed=true title="No tokens yet" text="Those you make are listed here, with when each was last used."/>
        };
        return view! { <div class="account-part">{empty}</div> }.into_any();
    }
    let rows = tokens.iter().map(|token| row(token, now)).collect_view();
    part("tokens", "Your tokens", None, view! { <ul class="rows">{rows}</ul> }.into_any())
}

fn row(token: &PersonalToken, now: OffsetDateTime) -> AnyView {
    let ended = token.expires_at.is_some_and(|at| at <= now);
    let badge = ended.then(|| view! { <Badge tone="warn" icon="clock" label="Ended"/> });
    let ends = token.expires_at.map(|at| format!(", {} {}", if ended { "ended" } else { "ends" }, day(at)));
    let created = format!("Made {}", day(token.created_at));
    let used = match token.last_used_at {
        Some(at) => view! { ", last used " <RelativeTime at=at now=now/> }.into_any(),
        None => view! { ", not used yet" }.into_any(),
    };
    let may = token.scopes.iter().map(|scope| view! { <li>{scope.label()}</li> }).collect_view();
    let revoke = Confirm {
        open: "Revoke",
        about: token.name.clone(),
        consequence: "Programs that use it are refused at once. This cannot be undone.",
        action: format!("/account/security/tokens/{}/revoke", token.id),
        verb: "Revoke token",
        one_of_several: true,
    };
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">{token.name.clone()}<code>{format!("{PREFIX}…{}", token.hint)}</code>{badge}</h3>
                <ul class="scopes">{may}</ul>
                <p class="meta">{created}{ends}{used}</p>
            </div>
            {revoke.view()}
        </li>
    }
    .into_any()
}

fn new_token(typed: &Typed, wrong: &Mistakes, scopes: &[Scope], proof: Option<ProofFirst>) -> AnyView {
    let content = view! {
        {proof.map(ProofFirst::view)}
        <form class="account-form" method="post" action="/account/security/tokens" novalidate=true>
            <Field name="name" label="Name" value=typed.name.clone() maxlength=100 autocomplete="off"
                error=wrong.of("name") hint="What it is for, such as “Build server”."/>
            {scope_choices(typed, wrong, scopes)}
            {lifetime(typed, wrong)}
            <div class="form-actions">
                <button class="button primary" type="submit">"Make token"</button>
            </div>
        </form>
    };
    part("new-token", "New token", None, content.into_any())
}

/// The first box has the name of the field as its id, so that the list of mistakes leads to it.
fn scope_choices(typed: &Typed, wrong: &Mistakes, scopes: &[Scope]) -> AnyView {
    let error = wrong.of("scopes");
    let described_by = error.is_some().then_some("scopes-error");
    let boxes = scopes
        .iter()
        .enumerate()
        .map(|(index, scope)| {
            let id = (index == 0).then_some("scopes");
            let checked = typed.scopes.contains(scope);
            view! {
                <label class="check">
                    <input type="checkbox" name="scopes" value=scope.as_str() id=id checked=checked/>
                    <span>{scope.label()}<small><code>{scope.as_str()}</code></small></span>
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field" aria-describedby=described_by>
            <legend>"It may"</legend>
            {boxes}
            {field_error("scopes-error", error)}
        </fieldset>
    }
    .into_any()
}

fn lifetime(typed: &Typed, wrong: &Mistakes) -> AnyView {
    let error = wrong.of("expiresInDays");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("expiresInDays-error");
    let options = LIFETIMES
        .into_iter()
        .map(|(days, label)| {
            let chosen = days == typed.days;
            view! { <option value=days.to_string() selected=chosen>{label}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="expiresInDays">"It ends after"</label>
            <select class="select" id="expiresInDays" name="expiresInDays" aria-invalid=invalid
                aria-describedby=described_by>{options}</select>
            {field_error("expiresInDays-error", error)}
        </div>
    }
    .into_any()
}

fn field_error(id: &'static str, error: Option<String>) -> Option<AnyView> {
    error.map(|error| {
        view! { <p class="field-error" id=id><Icon name="bad" size=16/><span>{error}</span></p> }.into_any()
    })
}
