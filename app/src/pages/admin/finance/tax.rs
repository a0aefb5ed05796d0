//! Tax by country: what was sold with tax and without, and what is owed, each with the entries it is made of.

use devforge::billing::{
    finance::{Period, TaxRow, shown},
    ledger::Account,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    asked::{Asked, TAX, TAX_FILE, country_word, entries},
    parts::{Choices, Part, Quarters, days_of, head, tabs},
};
use crate::{components::Empty, pages::forms::Mistakes};

pub fn view(rows: &[TaxRow], asked: &Asked, wrong: &Mistakes, now: OffsetDateTime) -> AnyView {
    let choices = Choices {
        path: TAX,
        otherwise: "This quarter",
        quarters: Quarters::Offered,
        currencies: &[],
        chosen: asked.currency.as_deref().unwrap_or_default(),
        keep: None,
        file: Some(TAX_FILE),
    };
    let head = head("Tax", choices, asked, wrong, now);
    let content = if rows.is_empty() {
        view! {
            <Empty
                title="Nothing was sold in this time"
                text="Each country that something is sold to gets a line here, with what is owed to it."
            />
        }
        .into_any()
    } else {
        rows.chunk_by(|one, next| one.currency == next.currency)
            .map(|rows| table(rows, asked.period))
            .collect_view()
            .into_any()
    };
    view! {
        <div class="finance">
            {head}
            {tabs(Part::Tax, asked)}
            <p class="quiet small">{days_of(asked.period)}". What was given back is taken off in the days it was given back."</p>
            {content}
        </div>
    }
    .into_any()
}

/// One currency. Amounts of another are never added to it.
fn table(rows: &[TaxRow], period: Period) -> AnyView {
    let currency = rows.first().map(|row| row.currency.clone()).unwrap_or_default();
    let code = currency.to_uppercase();
    let sum = |of: fn(&TaxRow) -> i64| shown(rows.iter().map(of).sum(), &currency);
    let documents: i64 = rows.iter().map(|row| row.documents).sum();
    let (taxed, untaxed, tax) = (sum(|row| row.taxed), sum(|row| row.untaxed), sum(|row| row.tax));
    let lines = rows.iter().map(|row| line(row, period)).collect_view();
    let label = format!("Tax in {code}");
    view! {
        <section class="panel flush">
            <div class="panel-head"><h2>{code}</h2></div>
            <div class="table-wrap" tabindex="0" role="region" aria-label=label>
                <table class="table stack">
                    <thead>
                        <tr>
                            <th scope="col">"Country"</th>
                            <th scope="col" class="num">"Sold with tax"</th>
                            <th scope="col" class="num">"Sold without"</th>
                            <th scope="col" class="num">"Tax"</th>
                            <th scope="col" class="num">"Documents"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {lines}
                        <tr class="sum">
                            <th scope="row">"Together"</th>
                            <td class="num" data-label="Sold with tax">{taxed}</td>
                            <td class="num" data-label="Sold without">{untaxed}</td>
                            <td class="num" data-label="Tax">{tax}</td>
                            <td class="num" data-label="Documents">{documents.to_string()}</td>
                        </tr>
                    </tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn line(row: &TaxRow, period: Period) -> AnyView {
    let country = country_word(&row.country);
    let name = if row.country.is_empty() { "Not known".to_owned() } else { row.country.clone() };
    let address = |account: Account, taxed: &str| {
        entries(
            period,
            &[
                ("account", account.as_str()),
                ("kind", "sales"),
                ("country", country),
                ("taxed", taxed),
                ("currency", row.currency.as_str()),
            ],
        )
    };
    let amount = |amount| shown(amount, &row.currency);
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td class="num" data-label="Sold with tax">
                <a href=address(Account::Revenue, "yes")>{amount(row.taxed)}</a>
            </td>
            <td class="num" data-label="Sold without">
                <a href=address(Account::Revenue, "no")>{amount(row.untaxed)}</a>
            </td>
            <td class="num" data-label="Tax"><a href=address(Account::TaxPayable, "")>{amount(row.tax)}</a></td>
            <td class="num" data-label="Documents">{row.documents.to_string()}</td>
        </tr>
    }
    .into_any()
}
