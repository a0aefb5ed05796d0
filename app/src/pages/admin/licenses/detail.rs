//! One license: how it stands and why, its facts, the machines it runs on, what happened to it, and what can be done.

use devforge::{
    account::Permission,
    audit::AuditItem,
    license::{ExtraFeature, License, machine::Machine, rules::Cause},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    Done, PATH,
    actions::{Typed, Verb, actions},
    history::history,
    parts::{because, ends, is_of_the_gone, last_day, panel, status_badge, what},
};
use crate::{
    components::{Breadcrumb, Icon, Notice, RelativeTime},
    pages::{admin::frame::Viewer, forms::Mistakes, moments::day},
};

/// All that stands about a license.
pub struct Found {
    pub license: License,
    pub machines: Vec<Machine>,
    pub history: Vec<AuditItem>,
    /// Codes of what it turns on.
    pub features: Vec<String>,
    pub now: OffsetDateTime,
}

pub fn detail(
    found: &Found,
    viewer: Viewer,
    done: Option<Done>,
    wrong: &Mistakes,
    tried: Option<&(Verb, Typed)>,
) -> AnyView {
    let Found { license, now, .. } = found;
    let name = what(license);
    let trail = vec![("Licenses".to_owned(), PATH.to_owned())];
    let done = done.map(|(tone, title, text)| {
        view! { <Notice tone=tone title=title live=true><p>{text}</p></Notice> }
    });
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here=name.clone()/>
            <h1 class="app-title">{name}</h1>
            {status_badge(license.status(*now))}
        </header>
        {wrong.summary()}
        {done}
        {causes(license)}
        {facts(license, *now)}
        {panel("features", "What it turns on", features(found))}
        {panel("machines", "Machines", machines(found, viewer))}
        {actions(license, viewer, wrong, tried)}
        {panel("history", "What happened", history(&found.history, *now))}
    }
    .into_any()
}

/// Why it is not good although its time is not up.
fn causes(license: &License) -> AnyView {
    let notice = |tone: &'static str, title: &'static str, causes: &[Cause]| {
        (!causes.is_empty()).then(|| {
            let why: Vec<&str> = causes.iter().map(|cause| because(*cause)).collect();
            let why = format!("Because {}.", why.join("; and because "));
            view! { <Notice tone=tone icon="lock" title=title><p>{why}</p></Notice> }
        })
    };
    view! {
        {notice("bad", "This license was taken away", &license.revoked_by)}
        {notice("warn", "This license is held back", &license.suspended_by)}
    }
    .into_any()
}

fn facts(license: &License, now: OffsetDateTime) -> AnyView {
    let owner = match license.account {
        Some(id) => view! { <a href=format!("/admin/users/{id}")>"Their account"</a> }.into_any(),
        None if is_of_the_gone(license) => {
            view! { <span class="meta">"the account it was in is closed"</span> }.into_any()
        }
        None => view! { <span class="meta">"nobody has proven this address yet"</span> }.into_any(),
    };
    let email = license.email.clone();
    let email = (!is_of_the_gone(license)).then(|| view! { {email}" " });
    let from = match (license.order, license.split_from) {
        (Some(id), None) => view! { ", "<a href=format!("/admin/orders/{id}")>"its order"</a> }.into_any(),
        (_, Some(id)) => view! { ", from "<a href=format!("{PATH}/{id}")>"this license"</a> }.into_any(),
        (None, None) => ().into_any(),
    };
    let grace = license.good_until.filter(|until| Some(*until) != license.expires_at).map(|until| {
        view! { " "<span class="meta">{format!("taken as good until {}", last_day(until))}</span> }
    });
    let overage = (license.overage > 0)
        .then(|| view! { " "<span class="meta">{format!("and {} percent more", license.overage)}</span> });
    let covers = if license.fallback { "Versions from before it go on" } else { "Nothing goes on" };
    let locked = if license.node_locked { "On activated machines only" } else { "On any machine" };
    let created_at = license.created_at;
    view! {
        <dl class="facts">
            <div><dt>"Belongs to"</dt><dd>{email}{owner}</dd></div>
            <div><dt>"Key"</dt><dd><code>{license.masked_key()}</code></dd></div>
            <div><dt>"Where from"</dt><dd>{license.origin.label()}{from}</dd></div>
            <div><dt>"Last day"</dt><dd>{ends(license)}{grace}</dd></div>
            <div><dt>"After its end"</dt><dd>{covers}</dd></div>
            <div><dt>"Seats"</dt><dd>{license.seats.to_string()}</dd></div>
            <div>
                <dt>"Machines"</dt>
                <dd>{format!("{} of {}", license.machines_used, license.machine_limit())}{overage}</dd>
            </div>
            <div><dt>"Is good"</dt><dd>{locked}</dd></div>
            <div><dt>"Made"</dt><dd><RelativeTime at=created_at now=now/></dd></div>
            <div><dt>"Id"</dt><dd><code>{license.id.to_string()}</code></dd></div>
        </dl>
    }
    .into_any()
}

fn features(found: &Found) -> AnyView {
    let list = if found.features.is_empty() {
        view! { <p class="quiet small">"Nothing beyond the free features."</p> }.into_any()
    } else {
        let codes = found.features.iter().map(|code| view! { <code>{code.clone()}</code>" " }).collect_view();
        view! { <p class="small">{codes}</p> }.into_any()
    };
    let extra = (!found.license.extra_features.is_empty()).then(|| {
        let rows =
            found.license.extra_features.iter().map(|extra| extra_row(extra, found.now)).collect_view();
        view! { <ul class="rows">{rows}</ul> }
    });
    view! { {list}{extra} }.into_any()
}

fn extra_row(extra: &ExtraFeature, now: OffsetDateTime) -> AnyView {
    let until = match extra.until {
        Some(until) if until <= now => format!("ended {}", last_day(until)),
        Some(until) => format!("until {}", last_day(until)),
        None => "without an end".to_owned(),
    };
    view! {
        <li class="row">
            <div class="admin-who">
                <p class="row-title"><code>{extra.feature.clone()}</code></p>
                <p class="meta">"Beyond its tier, from "{extra.source.clone()}</p>
            </div>
            <p class="meta">{until}</p>
        </li>
    }
    .into_any()
}

fn machines(found: &Found, viewer: Viewer) -> AnyView {
    if found.machines.is_empty() {
        return view! { <p class="quiet small">"It is not active on any machine."</p> }.into_any();
    }
    let removes = viewer.may(Permission::LicensesManage);
    let rows = found.machines.iter().map(|machine| machine_row(machine, removes, found.now)).collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn machine_row(machine: &Machine, removes: bool, now: OffsetDateTime) -> AnyView {
    let name =
        if machine.name.is_empty() { "A machine without a name".to_owned() } else { machine.name.clone() };
    let activated = format!("activated {}", day(machine.activated_at));
    let about = [machine.platform.as_str(), machine.email.as_str(), activated.as_str()];
    let about: Vec<&str> = about.into_iter().filter(|part| !part.is_empty()).collect();
    let about = about.join(", ");
    let seen = machine.last_seen_at;
    let file_until = machine.file_until.filter(|until| *until > now).map(day);
    let file = file_until.clone().map(|until| {
        view! { <p class="meta">{format!("Has a file that is good until {until}.")}</p> }
    });
    let consequence = removed(file_until);
    let remove = removes.then(|| {
        let action = format!("{PATH}/{}/machines/{}/remove", machine.license, machine.id);
        let heard = format!(" {name}");
        view! {
            <div class="admin-actions">
                <details>
                    <summary>
                        <Icon name="right" size=16/>
                        <span>"Take it off"<span class="visually-hidden">{heard.clone()}</span></span>
                    </summary>
                    <form method="post" action=action>
                        <p>{consequence}</p>
                        <div class="button-row">
                            <button class="button bad-solid" type="submit">
                                <span>"Take machine off"<span class="visually-hidden">{heard}</span></span>
                            </button>
                        </div>
                    </form>
                </details>
            </div>
        }
    });
    view! {
        <li class="row">
            <div class="order-wish">
                <h3 dir="auto">{name}</h3>
                <p class="meta">
                    {about}", last seen "<RelativeTime at=seen now=now/>
                </p>
                {file}
                {remove}
            </div>
        </li>
    }
    .into_any()
}

/// What follows for a machine that is taken off.
fn removed(file_until: Option<String>) -> String {
    match file_until {
        Some(until) => format!(
            "Its place is free. A file cannot be called back: until {until}, the editor there goes on without a \
             connection."
        ),
        None => "The editor there goes back to its free features when it next asks. It can be activated again while \
                 there is room."
            .to_owned(),
    }
}
