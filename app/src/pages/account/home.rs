//! Who is signed in, and where: the list of sessions, each with a button that ends it.

use leptos::prelude::*;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::components::Badge;

pub struct SessionRow {
    pub id: String,
    /// The browser and system, in words.
    pub device: String,
    /// RFC 3339, as is `last_seen`.
    pub created: String,
    pub last_seen: String,
    /// The session that asks.
    pub current: bool,
}

pub fn account_home(name: &str, email: &str, role: &str, sessions: Vec<SessionRow>) -> AnyView {
    let name = name.to_owned();
    let email = email.to_owned();
    let role = role_in_words(role);
    let rows = sessions.into_iter().map(session_row).collect_view();

    view! {
        <div class="account-home page">
            <header class="account-head">
                <h1 class="page-title">"Your account"</h1>
                <form method="post" action="/sign-out">
                    <button class="button secondary" type="submit">"Sign out"</button>
                </form>
            </header>
            <dl class="facts">
                <div><dt>"Name"</dt><dd>{name}</dd></div>
                <div><dt>"Mail address"</dt><dd>{email}</dd></div>
                <div><dt>"Role"</dt><dd>{role}</dd></div>
            </dl>
            <section class="account-sessions" aria-labelledby="sessions">
                <h2 class="panel-title" id="sessions">"Where you are signed in"</h2>
                <p class="quiet">
                    "End a session you do not recognise. The browser there is signed out at its next request."
                </p>
                <ul class="rows">{rows}</ul>
            </section>
        </div>
    }
    .into_any()
}

fn session_row(session: SessionRow) -> AnyView {
    let heading = format!("session-{}", session.id);
    let action = format!("/account/sessions/{}/end", session.id);
    let button = format!("end-{}", session.id);
    let labels = format!("{button} {heading}");
    let badge = session.current.then(|| view! { <Badge tone="ok" label="This session"/> });
    let last_seen = moment(&session.last_seen);
    let created = moment(&session.created);

    view! {
        <li class="row session">
            <div class="session-what">
                <p class="session-device"><span id=heading>{session.device}</span>{badge}</p>
                <p class="meta">
                    "Last used " <time datetime=session.last_seen>{last_seen}</time>
                    ", signed in " <time datetime=session.created>{created}</time>
                </p>
            </div>
            <form method="post" action=action>
                <button class="button secondary small" type="submit" id=button aria-labelledby=labels>"End session"</button>
            </form>
        </li>
    }
    .into_any()
}

fn role_in_words(role: &str) -> String {
    match role {
        "customer" => "Customer",
        "developer" => "Extension author",
        "support" => "Support",
        "admin" => "Administrator",
        other => other,
    }
    .to_owned()
}

/// A moment in UTC, written out. What cannot be read as one is shown as it is.
fn moment(rfc3339: &str) -> String {
    let format = format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    OffsetDateTime::parse(rfc3339, &Rfc3339)
        .ok()
        .and_then(|at| at.to_offset(UtcOffset::UTC).format(format).ok())
        .unwrap_or_else(|| rfc3339.to_owned())
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_written_in_utc() {
        assert_eq!(moment("2026-11-20T10:05:00Z"), "20 November 2026, 10:05 UTC");
        assert_eq!(moment("2026-11-20T00:30:00+02:00"), "19 November 2026, 22:30 UTC");
    }

    #[test]
    fn what_is_no_moment_stays() {
        assert_eq!(moment("never"), "never");
    }
}
