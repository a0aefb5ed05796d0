//! The list of licenses, with its search and filters in the address, and a field for a whole key, which is not.

use devforge::{
    account::Permission,
    contract::license::{LicenseOrigin, LicenseStatus},
    license::{License, MAX_LIST, staff::MAX_SEARCH_CHARS},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    PATH,
    parts::{ends, machines, panel, status_badge, what, whose},
};
use crate::{
    components::{Empty, Field, Icon, RelativeTime},
    pages::{
        admin::{
            address::with_query,
            frame::{Viewer, choice},
        },
        forms::Mistakes,
    },
};

/// As many as `staff::list` gives at most: a list this long may go on.
const PER_PAGE: usize = MAX_LIST as usize;
/// Room for a key in any way of writing it down.
const MAX_KEY_CHARS: u32 = 128;

/// What the list was asked for, as the form shows it again.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub q: String,
    pub status: Option<LicenseStatus>,
    pub origin: Option<LicenseOrigin>,
    pub further_down: bool,
}

impl Asked {
    fn status(&self) -> &'static str {
        self.status.map_or("", LicenseStatus::as_str)
    }

    fn origin(&self) -> &'static str {
        self.origin.map_or("", LicenseOrigin::as_str)
    }

    fn narrows(&self) -> bool {
        !self.q.is_empty() || self.status.is_some() || self.origin.is_some()
    }

    fn page(&self, before: &str) -> String {
        with_query(
            PATH,
            &[
                ("q", self.q.as_str()),
                ("status", self.status()),
                ("origin", self.origin()),
                ("before", before),
            ],
        )
    }
}

pub fn licenses(
    licenses: &[License],
    asked: &Asked,
    wrong: &Mistakes,
    viewer: Viewer,
    now: OffsetDateTime,
) -> AnyView {
    let content = if licenses.is_empty() { nothing(asked) } else { table(licenses, asked, now) };
    let give = viewer.may(Permission::LicensesIssue).then(|| {
        view! { <a class="button secondary small" href="/admin/licenses/new"><Icon name="plus" size=16/>"Give licenses"</a> }
    });
    view! {
        <header class="admin-head">
            <h1 class="app-title">"Licenses"</h1>
            {give}
            <a class="button ghost small" href="/admin/licenses/versions">"Versions of the editor"</a>
        </header>
        {wrong.summary()}
        {filter(asked)}
        {content}
        {by_key(wrong)}
    }
    .into_any()
}

fn filter(asked: &Asked) -> AnyView {
    let statuses = LicenseStatus::ALL
        .iter()
        .map(|status| choice(status.as_str(), status.label(), asked.status()))
        .collect_view();
    let origins = LicenseOrigin::ALL
        .iter()
        .map(|origin| choice(origin.as_str(), origin.label(), asked.origin()))
        .collect_view();
    let clear = asked.narrows().then(|| view! { <a class="button ghost" href=PATH>"Show every license"</a> });
    view! {
        <form class="admin-filter" method="get" action=PATH role="search" aria-label="Find licenses">
            <div class="field">
                <label for="licenses-q">"Address, end of a key, or an id"</label>
                <span class="input-affix">
                    <Icon name="search"/>
                    <input
                        class="input"
                        id="licenses-q"
                        type="search"
                        name="q"
                        value=asked.q.clone()
                        maxlength=MAX_SEARCH_CHARS.to_string()
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                    />
                </span>
            </div>
            <div class="field">
                <label for="licenses-status">"State"</label>
                <select class="select" id="licenses-status" name="status">
                    <option value="">"Every state"</option>
                    {statuses}
                </select>
            </div>
            <div class="field">
                <label for="licenses-origin">"Where from"</label>
                <select class="select" id="licenses-origin" name="origin">
                    <option value="">"Anywhere"</option>
                    {origins}
                </select>
            </div>
            <div class="button-row">
                <button class="button secondary" type="submit">"Search"</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

/// A key is a secret: its field hides it, and its form is posted.
fn by_key(wrong: &Mistakes) -> AnyView {
    let form = view! {
        <form class="measure" method="post" action="/admin/licenses/find" novalidate=true>
            <Field name="key" label="License key" kind="password" error=wrong.of("key") maxlength=MAX_KEY_CHARS
                autocomplete="off" hint="However it was written down. One that was replaced is found too."/>
            <div class="form-actions">
                <button class="button secondary" type="submit">"Find license"</button>
            </div>
        </form>
    };
    panel("by-key", "Find by a whole key", form.into_any())
}

fn table(licenses: &[License], asked: &Asked, now: OffsetDateTime) -> AnyView {
    let rows = licenses.iter().map(|license| row(license, now)).collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Licenses, newest first">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"License"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Machines"</th>
                        <th scope="col">"Last day"</th>
                        <th scope="col">"Made"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pages(licenses, asked)}
    }
    .into_any()
}

fn row(license: &License, now: OffsetDateTime) -> AnyView {
    let at = license.created_at;
    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">
                    <a href=format!("{PATH}/{}", license.id)>{whose(license)}</a>
                    <code class="meta">{format!("…-{}", license.key_end)}</code>
                </span>
            </th>
            <td data-label="What">{what(license)}", "{license.origin.label()}</td>
            <td data-label="State">{status_badge(license.status(now))}</td>
            <td data-label="Machines">{machines(license)}</td>
            <td data-label="Last day">{ends(license)}</td>
            <td data-label="Made"><RelativeTime at=at now=now/></td>
        </tr>
    }
    .into_any()
}

/// The ways to newer and to older licenses.
fn pages(licenses: &[License], asked: &Asked) -> Option<AnyView> {
    let newest = asked.further_down.then(|| {
        let address = asked.page("");
        view! { <a class="button secondary small" href=address>"Newest"</a> }
    });
    let older = licenses.last().filter(|_| licenses.len() >= PER_PAGE).map(|last| {
        let address = asked.page(&last.id.to_string());
        view! { <a class="button secondary small" href=address rel="next">"Older"</a> }
    });
    (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pagination" aria-label="Pages"><div class="button-row">{newest}{older}</div></nav> }
            .into_any()
    })
}

fn nothing(asked: &Asked) -> AnyView {
    if !asked.narrows() && !asked.further_down {
        return view! {
            <Empty title="No licenses yet" text="Each stands here from the moment it is bought, tried or given."/>
        }
        .into_any();
    }
    let everything = || view! { <a class="button secondary" href=PATH>"Show every license"</a> };
    view! {
        <Empty
            title="No license matches"
            text="A few letters of an address find more. An id has to be whole, and of a key it is the last five letters."
            actions=everything
        />
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_the_filters() {
        let asked = Asked {
            q: "ada@".to_owned(),
            status: Some(LicenseStatus::Grace),
            origin: Some(LicenseOrigin::Staff),
            further_down: true,
        };
        assert_eq!(asked.page("x"), "/admin/licenses?q=ada%40&status=grace&origin=staff&before=x");
        assert_eq!(Asked::default().page(""), PATH);
    }
}
