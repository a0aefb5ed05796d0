//! The first page of the books: one period of one currency, with what each number is made of behind it.

use devforge::{
    billing::{
        finance::{Figure, Overview, SubscriptionList, digits, share, shown},
        ledger::ListedTransaction,
    },
    contract::money::Currency,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    asked::{Asked, CHECK, OVERVIEW, REVENUE_FILE, entries, entries_of, subscriptions, transaction},
    parts::{Choices, Part, Quarters, days_of, head, short_day, tabs},
};
use crate::{
    components::{Empty, Icon, LineChart, RelativeTime},
    pages::forms::Mistakes,
};

/// Without `found` nothing was ever sold.
pub fn view(found: Option<Overview>, asked: &Asked, wrong: &Mistakes, now: OffsetDateTime) -> AnyView {
    let (currencies, chosen) = match &found {
        Some(found) => (found.currencies.as_slice(), found.currency.as_str()),
        None => (Default::default(), asked.currency.as_deref().unwrap_or_default()),
    };
    let choices = Choices {
        path: OVERVIEW,
        otherwise: "Last 30 days",
        quarters: Quarters::LeftOut,
        currencies,
        chosen,
        keep: None,
        file: found.as_ref().map(|_| REVENUE_FILE),
    };
    let head = head("Finance", choices, asked, wrong, now);
    let content = match found {
        Some(found) => books(found, asked, now),
        None => nothing_sold(),
    };
    view! { <div class="finance">{head}{tabs(Part::Overview, asked)}{content}</div> }.into_any()
}

fn nothing_sold() -> AnyView {
    let actions = || view! { <a class="button secondary" href="/admin/catalogue">"Look at what is sold"</a> };
    view! {
        <Empty
            title="Nothing was sold yet"
            text="The first payment shows here as soon as it is made: what came in, what is owed as tax, and each entry of the ledger behind it."
            actions=actions
        />
    }
    .into_any()
}

fn books(found: Overview, asked: &Asked, now: OffsetDateTime) -> AnyView {
    let figures = figures(&found, asked);
    let chart = chart(&found);
    let statement = statement(&found);
    let all = entries(found.period, &[("currency", found.currency.as_str())]);
    let currency = found.currency;
    let newest = newest(found.newest, &currency, all, now);
    view! {
        {figures}
        <section class="panel" aria-label="Net revenue by day">{chart}</section>
        {statement}
        {newest}
    }
    .into_any()
}

/// The four that are asked for first, in one panel split by hairlines.
fn figures(found: &Overview, asked: &Asked) -> AnyView {
    let list = |list| subscriptions(asked, &found.currency, list);
    let sums = found.subscriptions;
    let net = found.figures.net;
    let churn = share(sums.ended, sums.at_start).map_or_else(|| "None".to_owned(), |rate| rate.to_string());
    let churned = if sums.at_start == 0 {
        "nobody at its start".to_owned()
    } else {
        format!("{} of {} ended", sums.ended, sums.at_start)
    };
    let trials = (sums.trials > 0).then(|| {
        view! { ", " <a href=list(SubscriptionList::Trials)>{sums.trials.to_string()}" on trial"</a> }
    });
    let before: i64 = found.days_before.iter().sum();
    view! {
        <dl class="panel flush finance-figures">
            <div>
                <dt>"Net revenue"</dt>
                <dd><a href=entries_of(Figure::Net, found.period, &found.currency)>{shown(net, &found.currency)}</a></dd>
                <dd class="meta">{compared(net, before, &found.currency)}</dd>
            </div>
            <div>
                <dt>"Each month, as of now"</dt>
                <dd><a href=list(SubscriptionList::Running)>{shown(sums.monthly, &found.currency)}</a></dd>
                <dd class="meta">{sums.running.to_string()}" paying"{trials}", "
                    <a href=list(SubscriptionList::New)>{sums.new.to_string()}" new"</a>
                </dd>
            </div>
            <div>
                <dt>"Churn"</dt>
                <dd><a href=list(SubscriptionList::Ended)>{churn}</a></dd>
                <dd class="meta">{churned}</dd>
            </div>
            <div>
                <dt>"Renewals not paid"</dt>
                <dd><a href=list(SubscriptionList::PastDue)>{sums.past_due.to_string()}</a></dd>
                <dd class="meta">"as of now"</dd>
            </div>
        </dl>
    }
    .into_any()
}

/// A share of what was before, where there was something to compare with.
fn compared(now: i64, before: i64, currency: &str) -> String {
    let change = now.saturating_sub(before);
    match share(change.saturating_abs(), before) {
        Some(_) if change == 0 => "as in the period before".to_owned(),
        Some(rate) if change > 0 => format!("{rate} more than before"),
        Some(rate) => format!("{rate} less than before"),
        None => format!("{} before", shown(before, currency)),
    }
}

fn chart(found: &Overview) -> AnyView {
    let unit = 10_f64.powi(i32::try_from(digits(&found.currency)).unwrap_or_default());
    let whole =
        |amounts: &[i64]| -> Vec<f64> { amounts.iter().map(|&amount| amount as f64 / unit).collect() };
    let sign = Currency::parse(&found.currency)
        .map_or_else(|| found.currency.to_uppercase(), |currency| currency.symbol().to_owned());
    let labels = found.period.each_day().map(short_day).collect();
    let equal = equal(found);
    view! {
        <LineChart
            title="Net revenue by day"
            labels=labels
            values=whole(&found.days)
            previous=whole(&found.days_before)
            unit=sign
            period=days_of(found.period)
        />
        {equal}
    }
    .into_any()
}

/// Under a chart of money stands whether it equals the ledger.
fn equal(found: &Overview) -> AnyView {
    let drawn: i64 = found.days.iter().sum();
    let address = entries_of(Figure::Net, found.period, &found.currency);
    let count = match found.ledger_entries {
        1 => "one entry".to_owned(),
        count => format!("{count} entries"),
    };
    let (class, icon, words) = if drawn == found.ledger_net {
        ("finance-equal", "ok", format!("Equals the ledger exactly: {}", shown(drawn, &found.currency)))
    } else {
        let (drawn, booked) = (shown(drawn, &found.currency), shown(found.ledger_net, &found.currency));
        ("finance-equal bad", "bad", format!("The days add up to {drawn}, the ledger to {booked}"))
    };
    view! { <p class=class><Icon name=icon size=16/><span>{words}" in "<a href=address>{count}</a>"."</span></p> }
        .into_any()
}

/// What net revenue is left of, and what it cost.
fn statement(found: &Overview) -> AnyView {
    let row = |figure: Figure, amount: i64, class: &'static str| {
        let address = entries_of(figure, found.period, &found.currency);
        let amount = shown(amount, &found.currency);
        view! {
            <tr class=class>
                <th scope="row">{figure.label()}</th>
                <td class="num"><a href=address>{amount}</a></td>
            </tr>
        }
    };
    let figures = found.figures;
    let other = (figures.other != 0).then(|| row(Figure::Other, figures.other, ""));
    view! {
        <section class="panel finance-statement" aria-labelledby="made-of">
            <div class="panel-head">
                <h2 id="made-of">"What it is made of"</h2>
                <form method="post" action=CHECK>
                    <button class="button secondary small" type="submit"><Icon name="shield" size=16/>"Check the books"</button>
                </form>
            </div>
            <table class="table">
                <thead class="visually-hidden">
                    <tr><th scope="col">"What"</th><th scope="col">"Amount"</th></tr>
                </thead>
                <tbody>
                    {row(Figure::Gross, figures.gross, "")}
                    {row(Figure::Refunds, figures.refunds.saturating_neg(), "")}
                    {row(Figure::Tax, figures.tax.saturating_neg(), "")}
                    {other}
                    {row(Figure::Net, figures.net, "sum")}
                    {row(Figure::Disputes, figures.disputes.saturating_neg(), "")}
                    {row(Figure::Fees, figures.fees.saturating_neg(), "")}
                </tbody>
            </table>
            <p class="meta">"Disputes and fees are costs. Net revenue is before them."</p>
        </section>
    }
    .into_any()
}

fn newest(items: Vec<ListedTransaction>, currency: &str, all: String, now: OffsetDateTime) -> AnyView {
    let rows = items
        .into_iter()
        .map(|item| {
            let class = if item.amount < 0 { "num finance-minus" } else { "num" };
            let amount = match item.amount {
                0 => "none".to_owned(),
                amount if amount > 0 => format!("+{}", shown(amount, currency)),
                amount => shown(amount, currency),
            };
            let at = item.occurred_at;
            view! {
                <tr>
                    <th scope="row"><a href=transaction(item.id)>{item.kind.label()}</a></th>
                    <td data-label="When"><RelativeTime at=at now=now/></td>
                    <td data-label="Customer">{item.customer.unwrap_or_default()}</td>
                    <td data-label="Reference"><code>{item.reference}</code></td>
                    <td data-label="Amount" class=class>{amount}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="panel flush" aria-labelledby="newest">
            <div class="panel-head">
                <h2 id="newest">"Ledger"</h2>
                <a href=all>"All entries of the period"</a>
            </div>
            <div class="table-wrap" tabindex="0" role="region" aria-label="The newest transactions">
                <table class="table stack">
                    <thead>
                        <tr>
                            <th scope="col">"What"</th>
                            <th scope="col">"When"</th>
                            <th scope="col">"Customer"</th>
                            <th scope="col">"Reference"</th>
                            <th scope="col" class="num">"Amount"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::compared;

    #[test]
    fn a_change_is_a_share_of_what_was_before_where_there_was_something() {
        assert_eq!(compared(11_680, 10_000, "usd"), "16.8 % more than before");
        assert_eq!(compared(-5_000, 10_000, "usd"), "150 % less than before");
        assert_eq!(compared(10, 10, "usd"), "as in the period before");
        assert_eq!(compared(10, 0, "usd"), "$0.00 before");
        assert_eq!(compared(10, -500, "usd"), "−$5.00 before");
    }
}
