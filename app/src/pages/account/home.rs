//! The account at a glance: who it is, how they sign in, and where they are signed in.

use std::cmp::Reverse;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Permission, Profile, two_factor},
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::{
        account::{Session, User},
        license::{License, LicenseStatus},
    },
    license, session,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    delete::leaving_notice,
    layout::{Done, DoneQuery, Section, back_at, done_notice, part, section_page, setting},
    sessions,
};
use crate::components::{Badge, Icon, Notice};
use crate::pages::{
    forms::{Mistakes, mistakes},
    license_parts::{end_in_words, machines_in_words, status_badge, what},
    moments::day,
    shell::{Page, Visit},
};

const SESSIONS_SHOWN: usize = 3;
const LICENSES_SHOWN: usize = 3;
/// The most licenses that are looked at for those to show.
const LICENSES_LOOKED_AT: i64 = 50;

fn done(word: &str) -> Option<Done> {
    match word {
        "registered" => {
            Some(("Your account is made", "A mail with a link is on its way, to confirm your address."))
        }
        "verified" => Some(("Your address is confirmed", "Mail about your account reaches you there.")),
        "verified-other" => Some((
            "The address is confirmed",
            "It is that of another account, not of the one you are signed in to.",
        )),
        "mail-sent" => Some(("The mail is on its way", "Open the link in it to confirm your address.")),
        "kept" => Some((
            "Your account stays",
            "Personal tokens ended when you left: make new ones where you need them.",
        )),
        _ => None,
    }
}

pub async fn home_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    show(&ctx, &visit, done(&query.done), Mistakes::default(), StatusCode::OK).await
}

pub async fn verify_again(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match account::send_verification(&ctx, &visit.caller).await {
        Ok(()) => Ok(Redirect::to("/account?done=mail-sent").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show(&ctx, &visit, None, wrong, status).await
        }
    }
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    done: Option<Done>,
    wrong: Mistakes,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let profile = account::profile(ctx, &visit.caller).await?;
    let two_factor = two_factor::status(ctx, &visit.caller).await?;
    let sessions = session::list(ctx, &visit.caller).await?;
    let now = ctx.clock.now();
    let licenses = Licenses::of(ctx, visit).await?;
    let page = Page::new("Account", "Your account and where you are signed in.", move || {
        let content = view! {
            {wrong.summary()}
            {done_notice(done)}
            {profile.delete_after.map(leaving_notice)}
            {person(&profile.user)}
            {unconfirmed(&profile.user)}
            {signing_in(&profile, &two_factor)}
            {licenses.map(|licenses| your_licenses(&licenses, now))}
            {billing()}
            {places(sessions, now)}
        };
        section_page(Section::Overview, Some(sign_out()), content.into_any())
    });
    Ok(page.status(status).render(&back_at(visit, Section::Overview.path())))
}

fn sign_out() -> AnyView {
    view! {
        <form method="post" action="/sign-out">
            <button class="button secondary" type="submit">"Sign out"</button>
        </form>
    }
    .into_any()
}

fn person(user: &User) -> AnyView {
    let badge = if user.email_verified {
        view! { <Badge tone="ok" label="Confirmed"/> }.into_any()
    } else {
        view! { <Badge tone="warn" label="Not confirmed"/> }.into_any()
    };
    view! {
        <div class="person">
            <img class="person-tile" src=user.avatar_url.clone() alt="" width="56" height="56"/>
            <dl class="facts">
                <div><dt>"Name"</dt><dd>{user.name.clone()}</dd></div>
                <div><dt>"Mail address"</dt><dd class="with-badge"><span>{user.email.clone()}</span>{badge}</dd></div>
                <div><dt>"Role"</dt><dd>{user.role.label()}</dd></div>
                <div><dt>"Here since"</dt><dd>{day(user.created_at)}</dd></div>
            </dl>
        </div>
    }
    .into_any()
}

fn unconfirmed(user: &User) -> Option<AnyView> {
    if user.email_verified {
        return None;
    }
    let send = || {
        view! {
            <form method="post" action="/account/verify">
                <button class="button secondary small" type="submit"><Icon name="mail" size=16/>"Send the mail again"</button>
            </form>
        }
    };
    Some(
        view! {
            <Notice tone="warn" title="Your mail address is not confirmed" actions=send>
                <p>"Open the link we sent you. Until then we do not know that you get our mail."</p>
            </Notice>
        }
        .into_any(),
    )
}

fn signing_in(profile: &Profile, two_factor: &two_factor::Status) -> AnyView {
    let password = match profile.password_changed_at {
        Some(at) => format!("Changed on {}.", day(at)),
        None => "Not changed since the account was made.".to_owned(),
    };
    let change = view! { <a class="button secondary small" href="/account/security#password-part">"Change password"</a> };
    let (badge, state, control) = match two_factor.since {
        Some(since) => (
            view! { <Badge tone="ok" label="On"/> }.into_any(),
            format!("On since {}.", day(since)),
            view! { <a class="button secondary small" href="/account/security#two-factor">"Manage"</a> }
                .into_any(),
        ),
        None => (
            view! { <Badge tone="plain" icon="minus" label="Off"/> }.into_any(),
            "With it, a password alone opens nothing: a code from your phone is asked for as well."
                .to_owned(),
            view! {
                <form method="post" action="/account/security/two-factor/begin">
                    <button class="button secondary small" type="submit">
                        "Set up"<span class="visually-hidden">" two-factor sign-in"</span>
                    </button>
                </form>
            }
            .into_any(),
        ),
    };
    let rows = view! {
        <ul class="rows">
            {setting("Password", None, password.into_any(), change.into_any())}
            {setting("Two-factor sign-in", Some(badge), state.into_any(), control)}
        </ul>
    };
    part("signing-in", "How you sign in", None, rows.into_any())
}

/// Somebody's licenses at a glance.
struct Licenses {
    newest: Vec<License>,
    all: i64,
}

impl Licenses {
    /// None for a personal token that is for other things: the rest of the page is shown to it.
    async fn of(ctx: &Context, visit: &Visit) -> Result<Option<Self>, ApiError> {
        if visit.caller.require(ctx, Permission::LicensesRead).is_err() {
            return Ok(None);
        }
        let tiers = ctx.licenses.tiers(ctx).await;
        let newest = license::list_own(ctx, &visit.caller, None, LICENSES_LOOKED_AT).await?;
        let newest = newest.iter().map(|license| license.shown(ctx, &tiers)).collect();
        Ok(Some(Self { newest, all: license::count_own(ctx, &visit.caller).await? }))
    }
}

/// The newest that are good; of others there is more to say than fits here.
fn your_licenses(licenses: &Licenses, now: OffsetDateTime) -> AnyView {
    let Licenses { newest, all } = licenses;
    let is_good = |license: &&License| matches!(license.status, LicenseStatus::Active | LicenseStatus::Grace);
    let good: Vec<&License> = newest.iter().filter(is_good).take(LICENSES_SHOWN).collect();
    let content = if good.is_empty() {
        no_license_in_use(*all)
    } else {
        let rows = good.into_iter().map(|license| license_row(license, now)).collect_view();
        let more = match *all {
            1 => "Keys and machines".to_owned(),
            all => format!("All {all} licenses"),
        };
        view! {
            <ul class="rows">{rows}</ul>
            <p class="part-foot">
                <a class="more-link" href=Section::Licenses.path()>{more}<Icon name="arrow" size=16/></a>
            </p>
        }
        .into_any()
    };
    part("licenses", "Licenses", None, content)
}

/// Of very many licenses, older ones may be good that were not looked at.
fn no_license_in_use(all: i64) -> AnyView {
    let (title, text) = if all > LICENSES_LOOKED_AT {
        ("None of your newest licenses is good", format!("You have {all}. Older ones may be good."))
    } else {
        ("No license in use", "You use the free tier. A license turns the rest on.".to_owned())
    };
    let open = view! { <a class="button secondary small" href=Section::Licenses.path()>"Open licenses"</a> };
    view! { <ul class="rows">{setting(title, None, text.into_any(), open.into_any())}</ul> }.into_any()
}

fn license_row(license: &License, now: OffsetDateTime) -> AnyView {
    let machines = machines_in_words(license.machines);
    let about = format!("Machines: {machines} · {}", end_in_words(license, now));
    let address = format!("{}/{}", Section::Licenses.path(), license.id);
    let heard = format!(" {}", what(license));
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">{what(license)}{status_badge(license.status)}</h3>
                <p>{about}</p>
            </div>
            <a class="button secondary small" href=address>
                <span>"Open"<span class="visually-hidden">{heard}</span></span>
            </a>
        </li>
    }
    .into_any()
}

fn billing() -> AnyView {
    let text = "Your subscription, orders, invoices and payments.";
    let open = view! { <a class="button secondary small" href=Section::Billing.path()>"Open billing"</a> };
    let rows = view! {
        <ul class="rows">{setting("What you pay for", None, text.into_any(), open.into_any())}</ul>
    };
    part("billing", "Billing", None, rows.into_any())
}

fn places(mut sessions: Vec<Session>, now: OffsetDateTime) -> AnyView {
    sessions.sort_by_key(|session| (!session.current, Reverse(session.last_seen_at)));
    let all = sessions.len();
    let rows = sessions.iter().take(SESSIONS_SHOWN).map(|session| sessions::row(session, now)).collect_view();
    let more = if all > SESSIONS_SHOWN { format!("All {all} places") } else { "End a session".to_owned() };
    let content = view! {
        <ul class="rows">{rows}</ul>
        <p class="part-foot">
            <a class="more-link" href="/account/security#sessions">{more}<Icon name="arrow" size=16/></a>
        </p>
    };
    part("places", "Where you are signed in", None, content.into_any())
}
