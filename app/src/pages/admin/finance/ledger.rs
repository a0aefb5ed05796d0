//! The ledger: entries that fit a filter with what they add up to, and one transaction with all of its own.

use devforge::billing::{
    finance::shown,
    ledger::{Account, Entry, Filter, Kind, Kinds, Listed, ListedEntry, PER_PAGE, Sum, Transaction},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    asked::{
        LEDGER, LEDGER_FILE, LedgerQuery, OVERVIEW, PeriodQuery, entries_about, last_month, order,
        transaction as page_of,
    },
    parts::{Part, every_currency, file_form, option, sides, tabs, when},
};
use crate::{
    components::{Breadcrumb, Empty, Field, Pagination},
    pages::forms::Mistakes,
};

pub fn view(
    found: Listed,
    filter: &Filter,
    query: &LedgerQuery,
    wrong: &Mistakes,
    now: OffsetDateTime,
) -> AnyView {
    // The ledger has days of its own, so the pages beside it begin with theirs.
    let (asked, _) = PeriodQuery::default().read(last_month(now));
    let file = file_form(LEDGER_FILE, &query.fields());
    let content = if found.items.is_empty() { nothing(query) } else { entries(found, filter, query) };
    view! {
        <div class="finance">
            <header class="finance-head">
                <h1 class="app-title">"Ledger"</h1>
                {file}
            </header>
            {tabs(Part::Ledger, &asked)}
            {wrong.summary()}
            {form(query, wrong)}
            {content}
        </div>
    }
    .into_any()
}

fn form(query: &LedgerQuery, wrong: &Mistakes) -> AnyView {
    let accounts =
        Account::ALL.map(|account| option(account.as_str(), account.label(), &query.account)).collect_view();
    let kinds = Kinds::GROUPS
        .into_iter()
        .chain(Kind::ALL.map(Kinds::One))
        .map(|kinds| option(kinds.as_str(), kinds.label(), &query.kind))
        .collect_view();
    let taxed = [("yes", "With tax"), ("no", "Without tax")]
        .map(|(value, label)| option(value, label, &query.taxed))
        .collect_view();
    let clear = query.narrows().then(|| view! { <a class="button ghost" href=LEDGER>"Show everything"</a> });
    view! {
        <form class="admin-filter" method="get" action=LEDGER role="search" aria-label="Narrow the ledger" novalidate=true>
            {select("account", "Account", "Every account", accounts.into_any())}
            {select("kind", "Kind", "Every kind", kinds.into_any())}
            <div class="field">
                <label for="ledger-currency">"Currency"</label>
                <select class="select" id="ledger-currency" name="currency">{every_currency(&query.currency)}</select>
            </div>
            {select("taxed", "Tax", "With and without", taxed.into_any())}
            <Field name="country" label="Country" value=query.country.clone() error=wrong.of("country") maxlength=4 optional=true/>
            <Field name="from" label="From" kind="date" value=query.from.clone() error=wrong.of("from") optional=true/>
            <Field name="to" label="To" kind="date" value=query.to.clone() error=wrong.of("to") optional=true/>
            <Field name="about" label="Id or reference" value=query.about.clone() maxlength=200 optional=true/>
            <div class="button-row">
                <button class="button secondary" type="submit">"Show"</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

fn select(name: &'static str, label: &'static str, all: &'static str, options: AnyView) -> AnyView {
    let id = format!("ledger-{name}");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select class="select" id=id name=name>
                <option value="">{all}</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

fn nothing(query: &LedgerQuery) -> AnyView {
    if !query.narrows() {
        return view! {
            <Empty
                title="The ledger is empty"
                text="Every payment, fee, refund and dispute is written here, in entries that add up to nothing."
            />
        }
        .into_any();
    }
    let everything = || view! { <a class="button secondary" href=LEDGER>"Show everything"</a> };
    view! {
        <Empty
            title="No entry fits"
            text="Longer days find more. A reference is found by all of it, or by the id in it."
            actions=everything
        />
    }
    .into_any()
}

fn entries(found: Listed, filter: &Filter, query: &LedgerQuery) -> AnyView {
    let sums =
        found.sums.iter().map(|sum| view! { <li>{sum_words(sum, filter.account)}</li> }).collect_view();
    let before = u64::from(found.page - 1) * u64::from(PER_PAGE);
    let (first, last) = (before + 1, before + found.items.len() as u64);
    let address = |page: u32| query.link(LEDGER, &page.to_string());
    let previous = (found.page > 1).then(|| address(found.page - 1));
    let next = (found.page < found.last_page()).then(|| address(found.page + 1));
    let total = found.total;
    let rows = found.items.into_iter().map(entry_row).collect_view();
    view! {
        <ul class="finance-sums" aria-label="What these entries add up to">{sums}</ul>
        <div class="table-wrap" tabindex="0" role="region" aria-label="Entries, newest first">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"What"</th>
                        <th scope="col">"When"</th>
                        <th scope="col">"Account"</th>
                        <th scope="col">"Reference"</th>
                        <th scope="col" class="num">"Debit"</th>
                        <th scope="col" class="num">"Credit"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <Pagination first=first last=last total=Some(total) previous=previous next=next/>
    }
    .into_any()
}

/// "3 entries in USD: debits $19.00, credits $5.00. Revenue grew by −$14.00."
fn sum_words(sum: &Sum, account: Option<Account>) -> String {
    let Sum { currency, entries, debits, credits } = sum;
    let (entries, word) = (entries.to_string(), if *entries == 1 { "entry" } else { "entries" });
    let (code, debits, credits) =
        (currency.to_uppercase(), shown(*debits, currency), shown(*credits, currency));
    let grown = account
        .map(|account| format!(" “{}” grew by {}.", account.label(), shown(sum.growth(account), currency)));
    format!("{entries} {word} in {code}: debits {debits}, credits {credits}.{}", grown.unwrap_or_default())
}

fn entry_row(entry: ListedEntry) -> AnyView {
    let (debit, credit) = sides(entry.amount, &entry.currency);
    let account = of_country(entry.account, entry.country.as_deref());
    let order = entry.order.map(|id| view! { <a href=order(id)>"Order"</a> });
    view! {
        <tr>
            <th scope="row">
                <span class="admin-who">
                    <a href=page_of(entry.transaction)>{entry.kind.label()}</a>
                    <span class="meta">{entry.description}</span>
                </span>
            </th>
            <td data-label="When">{when(entry.occurred_at)}</td>
            <td data-label="Account">{account}</td>
            <td data-label="Reference"><span class="admin-who"><code>{entry.reference}</code>{order}</span></td>
            <td data-label="Debit" class="num">{debit}</td>
            <td data-label="Credit" class="num">{credit}</td>
        </tr>
    }
    .into_any()
}

/// Of tax, whose it is; of anything else the country is where it was sold.
fn of_country(account: Account, country: Option<&str>) -> String {
    match country {
        Some(country) if !country.is_empty() => format!("{}, {country}", account.label()),
        _ => account.label().to_owned(),
    }
}

pub fn transaction(found: Transaction) -> AnyView {
    let movement = found.movement;
    let trail = vec![("Finance".to_owned(), OVERVIEW.to_owned()), ("Ledger".to_owned(), LEDGER.to_owned())];
    let customer = match (found.customer, movement.account) {
        (name, Some(id)) => {
            let name = name.unwrap_or_else(|| id.to_string());
            view! { <a href=format!("/admin/users/{id}")>{name}</a> }.into_any()
        }
        (Some(name), None) => name.into_any(),
        (None, None) => "Nobody".into_any(),
    };
    let order = movement
        .order
        .map(|id| view! { <div><dt>"Order"</dt><dd><a href=order(id)>{id.to_string()}</a></dd></div> });
    let ids = [
        ("Payment", movement.payment.map(|id| id.to_string())),
        ("Subscription", movement.subscription.map(|id| id.to_string())),
    ];
    let about = ids
        .into_iter()
        .filter_map(|(label, id)| Some((label, id?)))
        .map(|(label, id)| {
            let address = entries_about(&id);
            view! { <div><dt>{label}</dt><dd><a href=address>{id}</a></dd></div> }
        })
        .collect_view();
    let rows = movement.entries.iter().map(own_entry).collect_view();
    view! {
        <div class="finance">
            <header class="admin-head">
                <Breadcrumb trail=trail here=movement.kind.label()/>
                <h1 class="app-title">{movement.kind.label()}</h1>
                <code>{movement.reference}</code>
            </header>
            <p>{movement.description}</p>
            <dl class="facts">
                <div><dt>"Happened"</dt><dd>{when(movement.occurred_at)}</dd></div>
                <div><dt>"Written down"</dt><dd>{when(found.recorded_at)}</dd></div>
                <div><dt>"Customer"</dt><dd>{customer}</dd></div>
                {order}
                {about}
                <div><dt>"Id"</dt><dd><code>{found.id.to_string()}</code></dd></div>
            </dl>
            <div class="table-wrap" tabindex="0" role="region" aria-label="Entries">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">"Account"</th>
                            <th scope="col" class="num">"Debit"</th>
                            <th scope="col" class="num">"Credit"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <p class="meta">"Debits and credits are equal in each currency. Nothing here can be changed; a mistake is put right by another transaction."</p>
        </div>
    }
    .into_any()
}

fn own_entry(entry: &Entry) -> AnyView {
    let (debit, credit) = sides(entry.amount, &entry.currency);
    let account = of_country(entry.account, entry.country.as_deref());
    view! {
        <tr>
            <th scope="row">{account}</th>
            <td class="num">{debit}</td>
            <td class="num">{credit}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_told_with_its_currency_and_what_the_account_grew_by() {
        let sum = Sum { currency: "usd".to_owned(), entries: 3, debits: 500, credits: 1_900 };
        assert_eq!(sum_words(&sum, None), "3 entries in USD: debits $5.00, credits $19.00.");
        assert_eq!(
            sum_words(&sum, Some(Account::Revenue)),
            "3 entries in USD: debits $5.00, credits $19.00. “Revenue” grew by $14.00."
        );
    }
}
