//! What looking through all the books found.

use devforge::billing::{finance::shown, ledger::LedgerCheck};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::asked::{CHECK, OVERVIEW};
use crate::{
    components::{Breadcrumb, Notice},
    pages::moments::moment,
};

pub fn view(found: LedgerCheck, now: OffsetDateTime) -> AnyView {
    let trail = vec![("Finance".to_owned(), OVERVIEW.to_owned())];
    let count = found.differences.len();
    let answer = if count == 0 {
        view! {
            <Notice tone="ok" title="Everything agrees" live=true>
                <p>"Payments, fees, refunds, disputes and documents say what the ledger says, and no number is missing."</p>
            </Notice>
        }
        .into_any()
    } else {
        let title = if count == 1 { "One difference".to_owned() } else { format!("{count} differences") };
        view! {
            <Notice tone="bad" title=title live=true>
                <p>"Amounts are in the smallest unit of their currency. A difference can be a moment old: check again before you look into it."</p>
            </Notice>
        }
        .into_any()
    };
    let differences = (count > 0).then(|| {
        let rows =
            found.differences.into_iter().map(|words| view! { <li class="row">{words}</li> }).collect_view();
        view! { <ul class="rows finance-differences" aria-label="Differences">{rows}</ul> }
    });
    let sums = found
        .currencies
        .into_iter()
        .map(|(currency, debits)| {
            let amount = shown(debits, &currency);
            view! { <div><dt>{currency.to_uppercase()}" on each side"</dt><dd>{amount}</dd></div> }
        })
        .collect_view();
    view! {
        <div class="finance">
            <header class="admin-head">
                <Breadcrumb trail=trail here="Check"/>
                <h1 class="app-title">"The books were checked"</h1>
            </header>
            {answer}
            {differences}
            <dl class="facts">
                <div><dt>"Transactions"</dt><dd>{found.transactions.to_string()}</dd></div>
                {sums}
                <div><dt>"Checked"</dt><dd>{moment(now)}</dd></div>
            </dl>
            <form method="post" action=CHECK>
                <button class="button secondary" type="submit">"Check again"</button>
            </form>
        </div>
    }
    .into_any()
}
