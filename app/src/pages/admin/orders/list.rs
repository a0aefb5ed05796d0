//! The list of orders, with its search and filter in the address.

use devforge::{
    billing::order::{self, Order},
    contract::payment::OrderStatus,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{MAX_SEARCH_CHARS, PATH};
use crate::{
    components::{Empty, Icon, RelativeTime},
    pages::{
        admin::{address::with_query, frame::choice},
        checkout::{order_parts::order_badge, summary::in_words},
    },
};

/// As many as `order::list` gives at most: a list this long may go on.
const PER_PAGE: usize = order::MAX_LIST as usize;

/// What the list was asked for, as the form shows it again.
#[derive(Debug, Clone)]
pub struct Asked {
    pub q: String,
    pub status: Option<OrderStatus>,
    pub further_down: bool,
}

impl Asked {
    fn status(&self) -> &'static str {
        self.status.map_or("", OrderStatus::as_str)
    }

    fn narrows(&self) -> bool {
        !self.q.is_empty() || self.status.is_some()
    }

    fn page(&self, before: &str) -> String {
        with_query(PATH, &[("q", self.q.as_str()), ("status", self.status()), ("before", before)])
    }
}

pub fn orders(orders: &[Order], asked: &Asked, now: OffsetDateTime) -> AnyView {
    let content = if orders.is_empty() { nothing(asked) } else { table(orders, asked, now) };
    view! {
        <h1 class="app-title">"Orders"</h1>
        {filter(asked)}
        {content}
    }
    .into_any()
}

fn filter(asked: &Asked) -> AnyView {
    let statuses = OrderStatus::ALL
        .iter()
        .map(|status| choice(status.as_str(), status.label(), asked.status()))
        .collect_view();
    let clear = asked.narrows().then(|| view! { <a class="button ghost" href=PATH>"Show every order"</a> });
    view! {
        <form class="admin-filter" method="get" action=PATH role="search" aria-label="Find orders">
            <div class="field">
                <label for="orders-q">"Mail address, or the id of an order"</label>
                <span class="input-affix">
                    <Icon name="search"/>
                    <input
                        class="input"
                        id="orders-q"
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
                <label for="orders-status">"State"</label>
                <select class="select" id="orders-status" name="status">
                    <option value="">"Every state"</option>
                    {statuses}
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

fn table(orders: &[Order], asked: &Asked, now: OffsetDateTime) -> AnyView {
    let rows = orders.iter().map(|order| row(order, now)).collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Orders, newest first">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"Order"</th>
                        <th scope="col">"What"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Ordered"</th>
                        <th scope="col" class="num">"Total"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pages(orders, asked)}
    }
    .into_any()
}

fn row(order: &Order, now: OffsetDateTime) -> AnyView {
    let at = order.created_at;
    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">
                    <a href=format!("{PATH}/{}", order.id)>{order.email.clone()}</a>
                    <code class="meta">{order.id.to_string()}</code>
                </span>
            </th>
            <td data-label="What">{in_words(order.tier.label(), order.seats)}", "{order.interval.label()}</td>
            <td data-label="State">{order_badge(order.status)}</td>
            <td data-label="Ordered"><RelativeTime at=at now=now/></td>
            <td data-label="Total" class="num">{order.total.to_string()}</td>
        </tr>
    }
    .into_any()
}

/// The ways to newer and to older orders.
fn pages(orders: &[Order], asked: &Asked) -> Option<AnyView> {
    let newest = asked.further_down.then(|| {
        let address = asked.page("");
        view! { <a class="button secondary small" href=address>"Newest"</a> }
    });
    let older = orders.last().filter(|_| orders.len() >= PER_PAGE).map(|last| {
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
            <Empty title="No orders yet" text="Each order stands here from the moment somebody goes to pay, whether they do or not."/>
        }
        .into_any();
    }
    let everything = || view! { <a class="button secondary" href=PATH>"Show every order"</a> };
    view! {
        <Empty
            title="No order matches"
            text="A few letters of an address find more. An id has to be whole."
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
        let asked =
            Asked { q: "grace@".to_owned(), status: Some(OrderStatus::Disputed), further_down: false };
        assert_eq!(asked.page("ord_1"), "/admin/orders?q=grace%40&status=disputed&before=ord_1");
        assert_eq!(asked.page(""), "/admin/orders?q=grace%40&status=disputed");
    }
}
