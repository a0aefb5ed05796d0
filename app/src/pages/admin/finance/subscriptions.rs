//! The subscriptions behind each number of the first page.

use devforge::{
    billing::finance::{
        SUBSCRIPTIONS_PER_PAGE, SubscriptionList, SubscriptionPage, SubscriptionRow, Subscriptions, shown,
    },
    contract::payment::{Interval, SubscriptionStatus},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    asked::{Asked, SUBSCRIPTIONS, entries_about, subscriptions},
    parts::{Choices, Part, Quarters, head, tabs, when},
};
use crate::{
    components::{Badge, Empty, Pagination, Tab, Tabs},
    pages::forms::Mistakes,
};

/// Without `found` nothing was ever sold.
pub fn view(
    found: Option<SubscriptionPage>,
    list: SubscriptionList,
    asked: &Asked,
    wrong: &Mistakes,
    now: OffsetDateTime,
) -> AnyView {
    let (currencies, chosen) = match &found {
        Some(found) => (found.currencies.as_slice(), found.currency.as_str()),
        None => (Default::default(), asked.currency.as_deref().unwrap_or_default()),
    };
    let choices = Choices {
        path: SUBSCRIPTIONS,
        otherwise: "Last 30 days",
        quarters: Quarters::LeftOut,
        currencies,
        chosen,
        keep: Some(("list", list.as_str())),
        file: None,
    };
    let head = head("Subscriptions", choices, asked, wrong, now);
    let content = match found {
        Some(found) => page(found, list, asked),
        None => nobody(),
    };
    view! { <div class="finance">{head}{tabs(Part::Subscriptions, asked)}{content}</div> }.into_any()
}

fn nobody() -> AnyView {
    view! {
        <Empty title="No subscription here" text="What is paid for by the month or the year shows here while it runs and after."/>
    }
    .into_any()
}

fn page(found: SubscriptionPage, list: SubscriptionList, asked: &Asked) -> AnyView {
    let currency = found.currency;
    let lists = SubscriptionList::ALL
        .into_iter()
        .map(|one| Tab {
            label: one.label().to_owned(),
            href: subscriptions(asked, &currency, one),
            current: one == list,
            count: u64::try_from(one.count(&found.sums)).ok(),
        })
        .collect::<Vec<_>>();
    let sum = (list == SubscriptionList::Running).then(|| sum_words(&found.sums, &currency));
    let total = u64::try_from(list.count(&found.sums)).unwrap_or_default();
    let before = u64::from(found.page - 1) * u64::from(SUBSCRIPTIONS_PER_PAGE);
    let (first, last) = (before + 1, before + found.items.len() as u64);
    let asked = Asked { currency: Some(currency.clone()), ..asked.clone() };
    let address =
        |page: u32| asked.link_with(SUBSCRIPTIONS, &[("list", list.as_str()), ("page", &page.to_string())]);
    let previous = (found.page > 1).then(|| address(found.page - 1));
    let next = (found.page < found.last_page).then(|| address(found.page + 1));
    let content = if found.items.is_empty() {
        nobody()
    } else {
        let rows = found.items.into_iter().map(|item| row(item, &currency)).collect_view();
        view! {
            <div class="table-wrap" tabindex="0" role="region" aria-label="Subscriptions, newest first">
                <table class="table stack">
                    <thead>
                        <tr>
                            <th scope="col">"Customer"</th>
                            <th scope="col">"What"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col" class="num">"Amount"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Pagination first=first last=last total=Some(total) previous=previous next=next/>
        }
        .into_any()
    };
    view! {
        <Tabs label="Which subscriptions" tabs=lists/>
        {sum.map(|sum| view! { <p class="quiet small">{sum}</p> })}
        {content}
    }
    .into_any()
}

/// How the number of the first page comes about.
fn sum_words(sums: &Subscriptions, currency: &str) -> String {
    let [month, year, all] = [sums.each_month, sums.each_year, sums.monthly].map(|sum| shown(sum, currency));
    format!("{month} each month, and a twelfth of {year} each year: {all} a month, before discounts and tax.")
}

fn row(item: SubscriptionRow, currency: &str) -> AnyView {
    let customer = match item.person {
        Some(id) => view! { <a href=format!("/admin/users/{id}")>{item.customer}</a> }.into_any(),
        None => item.customer.into_any(),
    };
    let seats = if item.seats == 1 { "1 seat".to_owned() } else { format!("{} seats", item.seats) };
    let each = match item.interval {
        Interval::Month => "a month",
        Interval::Year => "a year",
        Interval::Once => "once",
    };
    let amount = shown(item.amount, currency);
    let id = item.id.to_string();
    let (since, at) = match (item.ended_at, item.past_due_since) {
        (Some(at), _) => ("Ended ", at),
        (None, Some(at)) => ("Due since ", at),
        (None, None) => ("", item.created_at),
    };
    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">{customer}<a class="meta" href=entries_about(&id)>"Its entries"</a></span>
            </th>
            <td data-label="What">{item.tier.label()}", "{seats}</td>
            <td data-label="State">{state(item.status)}</td>
            <td data-label="Since"><span>{since}{when(at)}</span></td>
            <td data-label="Amount" class="num">{amount}" "<span class="meta">{each}</span></td>
        </tr>
    }
    .into_any()
}

fn state(status: SubscriptionStatus) -> AnyView {
    let (tone, icon) = match status {
        SubscriptionStatus::Active => ("ok", "ok"),
        SubscriptionStatus::Trialing => ("info", "clock"),
        SubscriptionStatus::PastDue => ("warn", "warn"),
        SubscriptionStatus::Paused | SubscriptionStatus::Incomplete => ("plain", "clock"),
        SubscriptionStatus::Ended => ("plain", "x"),
    };
    view! { <Badge tone=tone icon=icon label=status.label()/> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monthly_sum_says_how_it_comes_about() {
        let sums = Subscriptions {
            each_month: 1_900,
            each_year: 18_000,
            monthly: 3_400,
            ..Subscriptions::default()
        };
        assert_eq!(
            sum_words(&sums, "usd"),
            "$19.00 each month, and a twelfth of $180.00 each year: $34.00 a month, before discounts and tax."
        );
    }
}
