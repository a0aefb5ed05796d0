//! Everything about one person, panel by panel, and what an administrator can do about them.

use devforge::{
    account::{
        Permission,
        administration::{AccountState, Person},
    },
    audit::AuditItem,
    contract::{
        account::{PersonalToken, Session, SessionKind, User},
        id::UserId,
    },
    license::License,
    mail::{MailState, MailSummary},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    actions::{Tried, actions},
    entries::entries,
    frame::Viewer,
    licenses::license_rows,
    people::state_badge,
};
use crate::{
    components::{Badge, Breadcrumb, Notice, RelativeTime},
    pages::{forms::Mistakes, moments::day},
};

/// What the page shows beside the person: what was done, or what went wrong with trying.
#[derive(Debug, Default)]
pub struct Answer {
    /// What was done, and what follows from it.
    pub done: Option<(&'static str, &'static str)>,
    pub mistakes: Mistakes,
    pub tried: Option<Tried>,
}

pub fn person(
    person: Person,
    licenses: &[License],
    viewer: Viewer,
    answer: &Answer,
    now: OffsetDateTime,
) -> AnyView {
    let trail = vec![("People".to_owned(), "/admin/users".to_owned())];
    let summary = answer.mistakes.summary();
    let done = answer.done.map(|(title, text)| {
        view! { <Notice tone="ok" title=title live=true><p>{text}</p></Notice> }
    });
    let actions = actions(&person, viewer, answer);
    let facts = facts(&person, now);
    let notices = notices(&person);
    let name = person.user.name.clone();
    let Person { user, state, sessions, tokens, mails, audit, .. } = person;

    // The panels in the order they are asked about. A later feature (tickets, extensions) puts its own after the licenses.
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here=name.clone()/>
            <h1 class="app-title">{name}</h1>
            {state_badge(state)}
        </header>
        {summary}
        {done}
        {notices}
        {facts}
        {panel("sessions", "Where they are signed in", sessions_panel(sessions, now))}
        {panel("licenses", "Licenses", licenses_panel(licenses, now))}
        {panel("tokens", "Personal tokens", tokens_panel(tokens, now))}
        {panel("mail", "Mail about this account", mail_panel(mails, now))}
        {panel("history", "What happened", history_panel(audit, user.id, viewer, now))}
        {actions}
    }
    .into_any()
}

/// What must not be overlooked about an account.
fn notices(person: &Person) -> AnyView {
    let locked = person.locked.clone().map(|locked| {
        let title = format!("Locked on {}", day(locked.at));
        view! { <Notice tone="bad" icon="lock" title=title><p class="admin-reason">{locked.reason}</p></Notice> }
    });
    let leaving = person.delete_after.filter(|_| person.state != AccountState::Deleted).map(|at| {
        let title = format!("Will be deleted on {}", day(at));
        view! { <Notice tone="warn" title=title><p>"They asked for it, and can keep the account until then."</p></Notice> }
    });
    let deleted = (person.state == AccountState::Deleted).then(|| {
        view! {
            <Notice tone="info" title="This account was deleted">
                <p>"What stays is an empty row that invoices refer to."</p>
            </Notice>
        }
    });
    view! { {locked}{leaving}{deleted} }.into_any()
}

fn facts(person: &Person, now: OffsetDateTime) -> AnyView {
    let User { email, email_verified, role, created_at, id, .. } = person.user.clone();
    let confirmed = if email_verified { "confirmed" } else { "not confirmed" };
    let password = match person.password_changed_at {
        Some(at) => view! { "Set " <RelativeTime at=at now=now/> }.into_any(),
        None => "As it was at the start".into_any(),
    };
    let second_step = match person.two_factor_since {
        Some(at) => {
            let codes = count(person.recovery_codes_left, "recovery code", "recovery codes");
            view! { "On since " {day(at)} ", " {codes} " left" }.into_any()
        }
        None => "Off".into_any(),
    };

    view! {
        <dl class="facts">
            <div><dt>"Mail address"</dt><dd>{email}" "<span class="meta">{confirmed}</span></dd></div>
            <div><dt>"Role"</dt><dd>{role.label()}</dd></div>
            <div><dt>"Joined"</dt><dd><RelativeTime at=created_at now=now/></dd></div>
            <div><dt>"Password"</dt><dd>{password}</dd></div>
            <div><dt>"Second step"</dt><dd>{second_step}</dd></div>
            <div><dt>"Passkeys"</dt><dd>{person.passkeys.to_string()}</dd></div>
            <div><dt>"Id"</dt><dd><code>{id.to_string()}</code></dd></div>
        </dl>
    }
    .into_any()
}

fn panel(id: &'static str, title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="admin-panel" aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

fn nothing(text: &'static str) -> AnyView {
    view! { <p class="quiet small">{text}</p> }.into_any()
}

fn sessions_panel(sessions: Vec<Session>, now: OffsetDateTime) -> AnyView {
    if sessions.is_empty() {
        return nothing("Nowhere at the moment.");
    }
    let rows = sessions
        .into_iter()
        .map(|session| {
            let kind = match session.kind {
                SessionKind::Browser => "on the site",
                SessionKind::Api => "in a program",
            };
            let seen = session.last_seen_at;
            view! {
                <li class="row">
                    <div>
                        <p class="row-title">{session.device}</p>
                        <p class="meta">{session.place}", "{kind}</p>
                    </div>
                    <p class="meta">"Last used " <RelativeTime at=seen now=now/></p>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn licenses_panel(licenses: &[License], now: OffsetDateTime) -> AnyView {
    if licenses.is_empty() { nothing("None.") } else { license_rows(licenses, now) }
}

fn tokens_panel(tokens: Vec<PersonalToken>, now: OffsetDateTime) -> AnyView {
    if tokens.is_empty() {
        return nothing("None.");
    }
    let rows = tokens.into_iter().map(|token| token_row(token, now)).collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn token_row(token: PersonalToken, now: OffsetDateTime) -> AnyView {
    let scopes = token.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
    let used = match token.last_used_at {
        Some(at) => view! { "Last used " <RelativeTime at=at now=now/> }.into_any(),
        None => "Never used".into_any(),
    };
    let ends = match token.expires_at {
        Some(at) if at <= now => view! { <Badge tone="plain" icon="clock" label="Ended"/> }.into_any(),
        Some(at) => view! { <p class="meta">"Ends on " {day(at)}</p> }.into_any(),
        None => ().into_any(),
    };

    view! {
        <li class="row">
            <div>
                <p class="row-title">{token.name}" "<code>{format!("…{}", token.hint)}</code></p>
                <p class="meta">{scopes}</p>
            </div>
            <div class="admin-ends"><p class="meta">{used}</p>{ends}</div>
        </li>
    }
    .into_any()
}

fn mail_panel(mails: Vec<MailSummary>, now: OffsetDateTime) -> AnyView {
    if mails.is_empty() {
        return nothing("None was sent.");
    }
    let rows = mails
        .into_iter()
        .map(|mail| {
            let at = mail.created_at;
            view! {
                <li class="row">
                    <div class="admin-who">
                        <p class="row-title">{mail.subject}</p>
                        <p class="meta">{mail.kind.replace('_', " ")}", to "{mail.to_address}</p>
                    </div>
                    {mail_badge(mail.state)}
                    <p class="meta"><RelativeTime at=at now=now/></p>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn mail_badge(state: MailState) -> AnyView {
    let (tone, icon, label) = match state {
        MailState::Sent => ("ok", "ok", "Sent"),
        MailState::Queued => ("plain", "clock", "Waiting"),
        MailState::Suppressed => ("warn", "warn", "Held back"),
        MailState::Failed => ("bad", "bad", "Refused"),
    };
    view! { <Badge tone=tone icon=icon label=label/> }.into_any()
}

fn history_panel(items: Vec<AuditItem>, id: UserId, viewer: Viewer, now: OffsetDateTime) -> AnyView {
    if items.is_empty() {
        return nothing("Nothing is written about this account.");
    }
    let all = viewer.may(Permission::AuditRead).then(|| {
        let address = format!("/admin/audit?subject={id}");
        view! { <p class="small"><a href=address>"Everything in the audit log"</a></p> }
    });
    view! { {entries(items, now)}{all} }.into_any()
}

fn count(number: u32, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
