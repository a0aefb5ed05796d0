//! Charts, tables, code and the states of what is loaded: empty, loading, failed.

use leptos::prelude::*;

use super::block;
use crate::components::{CodeBlock, Empty, GrainTile, Icon, LineChart, Pagination};

const REVENUE: [f64; 31] = [
    1350.0, 1250.0, 1300.0, 1280.0, 1390.0, 960.0, 1060.0, 1270.0, 1150.0, 1390.0, 1430.0, 1250.0, 950.0,
    1110.0, 1300.0, 1240.0, 1270.0, 1430.0, 1470.0, 980.0, 970.0, 1400.0, 2620.0, 1350.0, 1280.0, 1400.0,
    1010.0, 940.0, 1560.0, 1310.0, 1270.0,
];

const BEFORE: [f64; 31] = [
    1220.0, 1080.0, 1170.0, 1070.0, 1050.0, 930.0, 840.0, 1190.0, 1100.0, 1230.0, 1260.0, 1110.0, 840.0,
    830.0, 1220.0, 1250.0, 1130.0, 1190.0, 1250.0, 930.0, 920.0, 1230.0, 1210.0, 1170.0, 1080.0, 1080.0,
    1000.0, 870.0, 1200.0, 1260.0, 1270.0,
];

const LEDGER: [(&str, &str, &str, &str); 4] = [
    ("14:02:11", "Northbeam", "Sale", "+57.00"),
    ("13:58:40", "Mara Lindqvist", "Renewal", "+19.00"),
    ("13:41:07", "Kilnworks", "Author share, 70 %", "−9.80"),
    ("13:22:55", "Okada Ltd", "Refund", "−38.00"),
];

/// Months since purchase: (heat step, per cent).
const COHORTS: [(&str, &[(u8, u8)]); 3] = [
    ("Feb", &[(6, 100), (5, 91), (4, 85), (4, 81), (3, 78), (2, 72), (1, 64)]),
    ("Mar", &[(6, 100), (4, 83), (3, 79), (3, 75), (2, 69)]),
    ("Apr", &[(6, 100), (4, 85), (0, 55)]),
];

const HIGHLIGHTED: &str = "<span class=\"line\"><span class=\"tk-keyword\">const</span> { payload } = \
<span class=\"tk-keyword\">await</span> <span class=\"tk-function\">jwtVerify</span>(token, jwks, {</span>\
<span class=\"line marked\">  algorithms: [<span class=\"tk-string\">\"EdDSA\"</span>],</span>\
<span class=\"line removed\">  clockTolerance: <span class=\"tk-number\">0</span>,</span>\
<span class=\"line added\">  clockTolerance: <span class=\"tk-string\">\"5 minutes\"</span>,</span>\
<span class=\"line\">}); <span class=\"tk-comment\">// needs no network</span></span>";

pub fn data(theme: &'static str) -> AnyView {
    view! {
        {block("Chart", view! { <div class="panel">{chart()}</div> }.into_any())}
        {block("Cohorts", cohorts())}
        {block("Table", table(theme))}
        {block("Code", view! {
            <CodeBlock title="license.ts" code="" highlighted=HIGHLIGHTED/>
            <CodeBlock title="Terminal" code="curl -s https://devforge.example/.well-known/jwks.json > jwks.json"/>
        }.into_any())}
        {block("Figures", figures())}
        {block("Empty", empty())}
        {block("Loading", loading())}
    }
    .into_any()
}

fn chart() -> AnyView {
    let labels =
        (21..=31).map(|day| format!("{day} Oct")).chain((1..=20).map(|day| format!("{day} Nov"))).collect();
    view! {
        <LineChart
            title="Net revenue by day"
            labels=labels
            values=REVENUE.to_vec()
            previous=BEFORE.to_vec()
            unit="$"
            period="21 Oct – 20 Nov"
        />
    }
    .into_any()
}

fn cohorts() -> AnyView {
    let rows = COHORTS
        .into_iter()
        .map(|(month, cells)| {
            let cells = cells
                .iter()
                .map(|(heat, part)| view! { <td><span class=format!("h{heat}")>{part.to_string()}</span></td> })
                .collect_view();
            view! { <tr><th scope="row">{month}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="panel">
            <table class="table cohorts tabular">
                <caption>"Still paying, by month of purchase, in per cent"</caption>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn table(theme: &'static str) -> AnyView {
    let filter = format!("{theme}-filter");
    let rows = LEDGER
        .into_iter()
        .map(|(time, account, entry, amount)| {
            view! {
                <tr>
                    <th scope="row" class="tabular">{time}</th>
                    <td data-label="Account">{account}</td>
                    <td data-label="Entry">{entry}</td>
                    <td data-label="Amount" class="num">{amount}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="panel flush">
            <div class="panel-head">
                <h3 id=format!("{theme}-ledger")>"Ledger"</h3>
                <div class="input-affix">
                    <label class="visually-hidden" for=filter.clone()>"Filter the ledger"</label>
                    <Icon name="search" size=16/>
                    <input class="input small" id=filter type="search" placeholder="Filter"/>
                </div>
            </div>
            <div class="table-wrap" role="region" tabindex="0" aria-label=format!("Ledger, {theme}")>
                <table class="table stack">
                    <thead>
                        <tr>
                            <th scope="col" aria-sort="descending">
                                <a href="#data">"Today"<Icon name="down" size=14/></a>
                            </th>
                            <th scope="col"><a href="#data">"Account"</a></th>
                            <th scope="col">"Entry"</th>
                            <th scope="col" class="num">"Amount"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Pagination
                first=1
                last=4
                total=Some(218)
                next=Some("#data".to_owned())
                label=format!("Pages of the ledger, {theme}")
            />
        </div>
    }
    .into_any()
}

fn figures() -> AnyView {
    view! {
        <dl class="facts">
            <div><dt>"Renews"</dt><dd>"4 December 2026"</dd></div>
            <div><dt>"Price"</dt><dd>"$57.00 a month"</dd></div>
        </dl>
        <svg class="sparkline hot" viewBox="0 0 92 28" role="img" aria-label="Seven days, rising">
            <path d="M1 22 16 18 31 20 46 12 61 15 76 8 90 5"></path>
        </svg>
        <div class="meter">
            <p><b>"4"</b>" of 9 in use"</p>
            <div class="meter-track" aria-hidden="true">
                <span class="on"></span><span class="on"></span><span class="on"></span><span class="on"></span>
                <span></span><span></span><span></span><span></span><span></span>
            </div>
        </div>
        <div class="rows">
            <div class="row">
                <div>
                    <p class="row-title">"Rotate the key"</p>
                    <p>"Makes a new key and ends the old one. Machines stay active for a day while they pick it up."</p>
                </div>
                <button class="button secondary" type="button">"Rotate key"</button>
            </div>
            <div class="row">
                <div>
                    <p class="row-title">"Cancel the renewal"</p>
                    <p>"The license works until 4 December, then the editor uses the free tier."</p>
                </div>
                <button class="button bad" type="button">"Cancel renewal"</button>
            </div>
        </div>
    }
    .into_any()
}

fn empty() -> AnyView {
    let open = || {
        view! {
            <button class="button primary" type="button"><Icon name="out" size=16/>"Open Dev Forge"</button>
            <button class="button secondary" type="button">"Copy the key"</button>
        }
    };
    let show = || view! { <button class="button primary" type="button">"Show both"</button> };
    let tiles = [
        "northbeam.sql-lens",
        "forge.rust-tools",
        "hollis.todo-index",
        "ostrander.token-counter",
        "kilnworks.theme",
    ]
    .into_iter()
    .map(|seed| view! { <GrainTile seed=seed/> })
    .collect_view();
    view! {
        <Empty
            title="No machine yet"
            text="Open Dev Forge on a machine and choose Activate. It appears here within a second."
            framed=true
            actions=open
        />
        <Empty
            title="No extension matches “cobol formatter”"
            text="With the filters off there are two that come close."
            actions=show
        />
        <div class="button-row">{tiles}</div>
    }
    .into_any()
}

fn loading() -> AnyView {
    view! {
        <div class="panel" role="status">
            <span class="visually-hidden">"Loading"</span>
            <span class="skeleton title"></span>
            <span class="skeleton long"></span>
            <span class="skeleton"></span>
            <span class="skeleton short"></span>
        </div>
    }
    .into_any()
}
