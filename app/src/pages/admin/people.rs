//! The list of people, with its search and filters in the address.

use devforge::{
    account::administration::{AccountState, MAX_SEARCH_CHARS, People, PersonRow},
    contract::account::Role,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{address::with_query, frame::choice};
use crate::components::{Badge, Empty, Icon, Pagination, RelativeTime};

const PATH: &str = "/admin/users";

/// What the list was asked for, as the form shows it again.
#[derive(Debug, Clone)]
pub struct Asked {
    pub q: String,
    pub role: Option<Role>,
    pub state: Option<AccountState>,
}

impl Asked {
    fn role(&self) -> &'static str {
        self.role.map_or("", Role::as_str)
    }

    fn state(&self) -> &'static str {
        self.state.map_or("", AccountState::as_str)
    }

    fn narrows(&self) -> bool {
        !self.q.trim().is_empty() || self.role.is_some() || self.state.is_some()
    }

    fn page(&self, page: u32) -> String {
        let page = page.to_string();
        with_query(
            PATH,
            &[
                ("q", self.q.as_str()),
                ("role", self.role()),
                ("state", self.state()),
                ("page", page.as_str()),
            ],
        )
    }
}

pub fn people(people: People, asked: &Asked, now: OffsetDateTime) -> AnyView {
    let content = if people.items.is_empty() { nobody() } else { table(people, asked, now) };

    view! {
        <h1 class="app-title">"People"</h1>
        {filter(asked)}
        {content}
    }
    .into_any()
}

fn filter(asked: &Asked) -> AnyView {
    let roles = Role::ALL.map(|role| choice(role.as_str(), role.label(), asked.role())).collect_view();
    let states =
        AccountState::ALL.map(|state| choice(state.as_str(), state.label(), asked.state())).collect_view();
    let clear = asked.narrows().then(|| view! { <a class="button ghost" href=PATH>"Show everyone"</a> });

    view! {
        <form class="admin-filter" method="get" action=PATH role="search" aria-label="Find people">
            <div class="field">
                <label for="people-q">"Name, address or id"</label>
                <span class="input-affix">
                    <Icon name="search"/>
                    <input
                        class="input"
                        id="people-q"
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
                <label for="people-role">"Role"</label>
                <select class="select" id="people-role" name="role">
                    <option value="">"Every role"</option>
                    {roles}
                </select>
            </div>
            <div class="field">
                <label for="people-state">"State"</label>
                <select class="select" id="people-state" name="state">
                    <option value="">"Every state"</option>
                    {states}
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

fn table(people: People, asked: &Asked, now: OffsetDateTime) -> AnyView {
    let before = u64::from(people.page - 1) * u64::from(people.per_page);
    let (first, last) = (before + 1, before + people.items.len() as u64);
    let previous = (people.page > 1).then(|| asked.page(people.page - 1));
    let next = (people.page < people.last_page()).then(|| asked.page(people.page + 1));
    let total = people.total;
    let rows = people.items.into_iter().map(|row| person_row(row, now)).collect_view();

    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="People">
            <table class="table stack admin-people">
                <thead>
                    <tr>
                        <th scope="col">"Person"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Last seen"</th>
                        <th scope="col">"Joined"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <Pagination first=first last=last total=Some(total) previous=previous next=next/>
    }
    .into_any()
}

fn person_row(row: PersonRow, now: OffsetDateTime) -> AnyView {
    let seen = match row.last_seen {
        Some(at) => view! { <RelativeTime at=at now=now/> }.into_any(),
        None => view! { <span class="quiet">"Not signed in"</span> }.into_any(),
    };
    let joined = row.user.created_at;

    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">
                    <a href=format!("{PATH}/{}", row.user.id)>{row.user.name}</a>
                    <span class="meta">{row.user.email}</span>
                </span>
            </th>
            <td data-label="Role">{row.user.role.label()}</td>
            <td data-label="State">{state_badge(row.state)}</td>
            <td data-label="Last seen">{seen}</td>
            <td data-label="Joined"><RelativeTime at=joined now=now/></td>
        </tr>
    }
    .into_any()
}

fn nobody() -> AnyView {
    let everyone = || view! { <a class="button secondary" href=PATH>"Show everyone"</a> };
    view! {
        <Empty
            title="Nobody matches"
            text="A few letters of a name or an address find more. An id has to be whole."
            actions=everyone
        />
    }
    .into_any()
}

/// A state as a word with its shape.
pub fn state_badge(state: AccountState) -> AnyView {
    let (tone, icon) = match state {
        AccountState::Active => ("ok", "ok"),
        AccountState::Unverified => ("plain", "mail"),
        AccountState::Locked => ("bad", "lock"),
        AccountState::Leaving => ("warn", "clock"),
        AccountState::Deleted => ("plain", "trash"),
    };
    view! { <Badge tone=tone icon=icon label=state.label()/> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_keep_the_filters() {
        let asked = Asked { q: "ada".to_owned(), role: Some(Role::Support), state: None };
        assert_eq!(asked.page(2), "/admin/users?q=ada&role=support&page=2");
    }
}
