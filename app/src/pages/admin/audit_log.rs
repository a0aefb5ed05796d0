//! The audit log: what was done, narrowed by the address, and whether the chain over it is whole.

use axum::{
    extract::State,
    http::StatusCode,
    response::{Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Query},
    audit::{self as log, AuditPage, Check, Filter},
    context::Context,
    contract::id::UserId,
};
use leptos::prelude::*;
use serde::Deserialize;
use time::{Date, OffsetDateTime, macros::format_description};

use super::{
    address::with_query,
    entries::entries,
    frame::{Here, Section, Viewer, frame},
};
use crate::{
    components::{Empty, Field, Notice, RelativeTime},
    pages::{
        forms::{Mistakes, mistakes},
        shell::{Page, Visit},
    },
};

const PATH: &str = "/admin/audit";
const PER_PAGE: i64 = 50;
const MAX_FILTER_CHARS: usize = 100;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    action: String,
    actor: String,
    subject: String,
    /// Days, both of them included.
    from: String,
    to: String,
    /// Where the page begins, as the page before said.
    page: String,
    done: String,
}

impl AuditQuery {
    fn filter(&self) -> (Filter, Mistakes) {
        let mut mistakes = Mistakes::default();
        let actor = present(&self.actor).and_then(|text| {
            let id = text.parse::<UserId>().ok();
            if id.is_none() {
                mistakes.add("actor", "An id is whole and begins with usr_.");
            }
            id
        });
        let mut day = |field: &str, text: &str| {
            let text = present(text)?;
            let date = Date::parse(&text, format_description!("[year]-[month]-[day]")).ok();
            // PostgreSQL knows no days as early as the earliest that can be written so.
            let date = date.filter(|date| date.year() > 0);
            if date.is_none() {
                mistakes.add(field, "A day is written like 2026-11-20.");
            }
            date
        };
        let from = day("from", self.from.as_str()).map(|date| date.midnight().assume_utc());
        let to =
            day("to", self.to.as_str()).and_then(Date::next_day).map(|date| date.midnight().assume_utc());
        let filter = Filter {
            action: present(&self.action),
            actor,
            subject: present(&self.subject),
            from,
            to,
            cursor: present(&self.page),
            limit: PER_PAGE,
        };
        (filter, mistakes)
    }

    fn narrows(&self) -> bool {
        [&self.action, &self.actor, &self.subject, &self.from, &self.to].iter().any(|text| !text.is_empty())
    }

    fn page(&self, cursor: &str) -> String {
        with_query(
            PATH,
            &[
                ("action", self.action.as_str()),
                ("actor", self.actor.as_str()),
                ("subject", self.subject.as_str()),
                ("from", self.from.as_str()),
                ("to", self.to.as_str()),
                ("page", cursor),
            ],
        )
    }
}

/// What was typed, if anything was. PostgreSQL takes no NUL, and nothing in the log holds a control character.
fn present(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_FILTER_CHARS).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub async fn audit(
    State(ctx): State<Context>,
    Query(query): Query<AuditQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let check = log::last_check(&ctx, &visit.caller).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let (filter, wrong) = query.filter();
    let nothing = || AuditPage { items: Vec::new(), next: None };
    let (status, found, wrong) = if wrong.is_empty() {
        match log::list(&ctx, &visit.caller, &filter).await {
            Ok(found) => (StatusCode::OK, found, wrong),
            Err(error) => {
                let (status, wrong) = mistakes(error)?;
                (status, nothing(), wrong)
            }
        }
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, nothing(), wrong)
    };
    let now = ctx.clock.now();
    let page = Page::new("Audit log", "What was done, by whom and to what.", move || {
        frame(Here::Page(Section::AuditLog), viewer, view(found, check, &query, &wrong, now))
    });
    Ok(page.status(status).render(&visit))
}

/// The check runs as a job: a long log takes longer than a page may.
pub async fn check_audit(State(ctx): State<Context>, visit: Visit) -> Result<Redirect, ApiError> {
    log::request_check(&ctx, &visit.caller).await?;
    Ok(Redirect::to("/admin/audit?done=check"))
}

fn view(
    found: AuditPage,
    check: Option<Check>,
    query: &AuditQuery,
    wrong: &Mistakes,
    now: OffsetDateTime,
) -> AnyView {
    let asked = (query.done == "check").then(|| {
        view! {
            <Notice tone="info" title="The check has begun" live=true>
                <p>"Load this page again in a moment to see what it found."</p>
            </Notice>
        }
    });
    let content = if !wrong.is_empty() {
        None
    } else if found.items.is_empty() {
        Some(nothing_found())
    } else {
        Some(found_entries(found, query, now))
    };

    view! {
        <h1 class="app-title">"Audit log"</h1>
        {wrong.summary()}
        {asked}
        {check_notice(check, now)}
        {filter_form(query, wrong)}
        {content}
    }
    .into_any()
}

/// What the last walk over the chain found, and the button for another.
fn check_notice(check: Option<Check>, now: OffsetDateTime) -> AnyView {
    let again = || {
        view! {
            <form method="post" action="/admin/audit/check">
                <button class="button secondary small" type="submit">"Check the whole chain now"</button>
            </form>
        }
    };
    let Some(check) = check else {
        return view! {
            <Notice tone="info" title="The chain was not checked yet" actions=again>
                <p>"It is checked every day. A check finds entries that were changed or removed."</p>
            </Notice>
        }
        .into_any();
    };
    let at = check.checked_at;
    match check.broken {
        None => {
            let counted =
                format!("{} entries in the chain, {} still to be added. ", check.sealed, check.unsealed);
            view! {
                <Notice tone="ok" title="The chain is whole" actions=again>
                    <p>{counted}"Checked "<RelativeTime at=at now=now/>"."</p>
                </Notice>
            }
            .into_any()
        }
        Some(broken) => {
            let title = format!("The chain is broken at number {}", broken.at);
            let why = format!("What was found: {}. ", broken.why);
            view! {
                <Notice tone="bad" title=title actions=again>
                    <p>{why}"Checked "<RelativeTime at=at now=now/>". Keep the database as it is, and compare it with a backup."</p>
                </Notice>
            }
            .into_any()
        }
    }
}

fn filter_form(query: &AuditQuery, wrong: &Mistakes) -> AnyView {
    let clear = query.narrows().then(|| view! { <a class="button ghost" href=PATH>"Show everything"</a> });

    view! {
        <form class="admin-filter" method="get" action=PATH role="search" aria-label="Narrow the log" novalidate=true>
            <Field name="action" label="Action begins with" value=query.action.clone() maxlength=100 optional=true/>
            <Field
                name="actor"
                label="Done by, an id"
                value=query.actor.clone()
                error=wrong.of("actor")
                maxlength=100
                optional=true
            />
            <Field name="subject" label="About, an id" value=query.subject.clone() maxlength=100 optional=true/>
            <Field
                name="from"
                label="From"
                kind="date"
                value=query.from.clone()
                error=wrong.of("from")
                optional=true
            />
            <Field name="to" label="To" kind="date" value=query.to.clone() error=wrong.of("to") optional=true/>
            <div class="button-row">
                <button class="button secondary" type="submit">"Show"</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

fn found_entries(found: AuditPage, query: &AuditQuery, now: OffsetDateTime) -> AnyView {
    let newest = (!query.page.is_empty()).then(|| {
        let address = query.page("");
        view! { <a class="button secondary small" href=address>"Newest entries"</a> }
    });
    let older = found.next.map(|next| {
        let address = query.page(&next);
        view! { <a class="button secondary small" href=address rel="next">"Older entries"</a> }
    });
    let pages = (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pagination" aria-label="Pages"><div class="button-row">{newest}{older}</div></nav> }
    });
    view! {
        <h2 class="visually-hidden">"Entries, newest first"</h2>
        {entries(found.items, now)}
        {pages}
    }
    .into_any()
}

fn nothing_found() -> AnyView {
    let everything = || view! { <a class="button secondary" href=PATH>"Show everything"</a> };
    view! {
        <Empty
            title="Nothing was written that fits"
            text="An action is found by how it begins, a person and a thing by their whole id."
            actions=everything
        />
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn both_days_are_included() {
        let query = AuditQuery {
            from: "2026-11-20".to_owned(),
            to: "2026-11-20".to_owned(),
            ..AuditQuery::default()
        };
        let (filter, mistakes) = query.filter();
        assert!(mistakes.is_empty());
        assert_eq!(filter.from, Some(datetime!(2026-11-20 00:00 UTC)));
        assert_eq!(filter.to, Some(datetime!(2026-11-21 00:00 UTC)));
    }

    #[test]
    fn what_cannot_be_read_is_said_at_its_field() {
        let query = AuditQuery {
            actor: "ada".to_owned(),
            from: "yesterday".to_owned(),
            to: "9999-12-31".to_owned(),
            ..AuditQuery::default()
        };
        let (_, mistakes) = query.filter();
        assert!(mistakes.of("actor").is_some() && mistakes.of("from").is_some());
        assert_eq!(mistakes.of("to"), None);
    }

    #[test]
    fn a_page_keeps_the_filters() {
        let query = AuditQuery { action: "account.".to_owned(), ..AuditQuery::default() };
        assert_eq!(query.page("17.a"), "/admin/audit?action=account.&page=17.a");
    }
}
