//! Dev Forge for companies: how it is bought, how seats and machines are kept, and what a security review asks.
//!
//! What always holds: what is said of security is done by the code of this repository; what is not there yet is called
//! planned; and no price stands here, because prices are the catalogue's.

use axum::response::Response;
use leptos::prelude::*;

use super::{
    features::{
        machine_file,
        parts::{drawn, drawn_head, intro, limits, links, more, points, row, split, table, turned, wide},
    },
    shell::{Page, Visit},
};
use crate::components::{Badge, Icon};

const PATH: &str = "/enterprise";
const ABOUT: &str = "Dev Forge for companies: seats by quote, invoices, machines without a connection, and the facts a security review asks for.";

const BUYING: [[&str; 2]; 4] = [
    [
        "Quote",
        "You write how many seats you need and where the company is. The answer comes by mail and names price, term and tax.",
    ],
    ["Order", "By purchase order or on the paper your rules ask for. The agreement can be signed."],
    ["Invoice", "A numbered invoice with your address and tax ID, as a page and as a PDF, in your account."],
    [
        "Change",
        "Seats are added when people come. What an order cost, what was refunded and why stays readable.",
    ],
];

const SECURITY: [[&str; 4]; 8] = [
    [
        "Passwords",
        "argon2id",
        "A password is never stored, and a guess waits longer each time.",
        "Two-step sign-in and passkeys for everyone",
    ],
    [
        "License keys",
        "A keyed hash, and a sealed copy",
        "A copy of the database without the main secret shows no key.",
        "Shown again only after a fresh proof of who asks",
    ],
    [
        "Machines",
        "A keyed hash of the fingerprint",
        "The fingerprint itself is not kept.",
        "Each machine can be named and removed",
    ],
    [
        "Sessions and tokens",
        "Keyed hashes",
        "They can be listed, ended and limited in what they may do.",
        "Ended at once, on every node",
    ],
    [
        "Credentials",
        "Sealed with authenticated encryption",
        "The key to them is kept apart from the database.",
        "Keys that sign tokens change every 30 days",
    ],
    [
        "Offline tokens",
        "Ed25519, published keys",
        "Any JOSE library verifies them.",
        "A token counts for one machine, 14 days at the most",
    ],
    [
        "Audit log",
        "Append-only, chained by hashes",
        "A changed or missing entry breaks the chain, which is walked every day.",
        "One transaction holds a change and its entry",
    ],
    [
        "Personal data",
        "Data processing agreement",
        "It applies without a signature, and can be signed.",
        "Export from the account, deletion on request",
    ],
];

const LIMITS: [[&str; 2]; 4] = [
    [
        "No single sign-on yet",
        "Sign-in through your identity provider and directory sync are planned, and the roadmap says where they stand.",
    ],
    ["No copy of your code", "There is nothing of it here to protect, to search or to hand over."],
    [
        "No control over a provider",
        "Which models may be used is yours to decide. What a provider does with a request is between you and the provider.",
    ],
    [
        "No recall of a machine file",
        "A signed file counts on its machine until it ends, a refund or a new key notwithstanding. Give one to machines that stay.",
    ],
];

pub async fn enterprise_page(visit: Visit) -> Response {
    Page::new("Enterprise", ABOUT, page)
        .public(PATH)
        .breadcrumbs(&[("Dev Forge", "/"), ("Enterprise", PATH)])
        .render(&visit)
}

fn page() -> AnyView {
    view! {
        <div class="home features">
            {intro(
                ().into_any(),
                "Seats, invoices, and answers for your auditor.",
                "Enterprise is Dev Forge for a company that buys by quote, keeps machines apart from the internet, and wants to know what is stored before it signs.",
                view! {
                    {more("Ask for a quote", "/contact?topic=sales")}
                    {more("Compare the plans", "/pricing")}
                }.into_any(),
            )}
            {split(
                "Seats you can see",
                "One license of many seats with one key, or a key for each person. Every machine stands on the license’s page with its name, platform and the day it was last seen, and is removed there.",
                view! {
                    {more("Teams and seats", "/docs/teams-and-seats")}
                    {more("Machines", "/docs/machines")}
                }.into_any(),
                license(),
            )}
            {wide(
                "Bought the way you buy",
                "Enterprise is sold by quote, by the seat and year. Nothing has to go through a card.",
                view! {
                    {points(&BUYING)}
                    {links(view! {
                        {more("Ask for a quote", "/contact?topic=sales")}
                        {more("Invoices", "/docs/invoices")}
                        {more("Taxes and VAT", "/docs/taxes-and-vat")}
                    }.into_any())}
                }.into_any(),
            )}
            {turned(
                "Machines that never connect",
                "A computer without a network takes a signed file instead of asking us. It counts for up to a year, and never longer than the license. No proxy, no exception in a firewall.",
                more("Machines without a connection", "/docs/air-gapped"),
                machine_file(),
            )}
            {wide(
                "What a security review asks",
                "How the service that holds your licenses is built. Each line is how the program works today.",
                view! {
                    {table(["What", "How it is kept", "What follows", "More"], &SECURITY)}
                    {links(view! {
                        {more("Data processing agreement", "/legal/dpa")}
                        {more("Privacy", "/legal/privacy")}
                        {more("Report a security problem", "/.well-known/security.txt")}
                    }.into_any())}
                }.into_any(),
            )}
            {split(
                "Your directory, later",
                "Sign-in through your identity provider and directory sync, by way of WorkOS, are planned for Enterprise. They are not there today, so do not buy for them alone.",
                more("The roadmap", "/roadmap"),
                planned(),
            )}
            {limits("What to know before you sign.", &LIMITS)}
            {quote()}
        </div>
    }
    .into_any()
}

fn license() -> AnyView {
    drawn(
        "A license of forty seats with three of its machines: two are active by a check, one by a machine file.",
        view! {
            {drawn_head("Enterprise, 40 seats", "Active")}
            {row("d-row", "laptop", "studio-07", "linux-x64, seen today", "Active")}
            {row("d-row", "laptop", "studio-12", "macos-arm64, seen yesterday", "Active")}
            {row("d-row", "server", "Lab bench 2", "linux-x64, no connection", "Machine file")}
        }
        .into_any(),
    )
}

fn planned() -> AnyView {
    view! {
        <ul class="panel flush drawn">
            <li class="d-row">
                <Icon name="users" size=16/>
                <span><b>"Sign-in through your identity provider"</b>"By way of WorkOS"</span>
                <Badge tone="plain" label="Planned"/>
            </li>
            <li class="d-row">
                <Icon name="refresh" size=16/>
                <span><b>"Directory sync"</b>"Seats that follow who joins and who leaves"</span>
                <Badge tone="plain" label="Planned"/>
            </li>
        </ul>
    }
    .into_any()
}

fn quote() -> AnyView {
    view! {
        <section class="section page">
            <div class="hot-bar closing">
                <div>
                    <h2 class="section-title">"Ask for a quote"</h2>
                    <p class="quiet">"Write how many seats you need and when. A person answers by mail."</p>
                </div>
                <p class="button-row">
                    <a class="button primary large" href="/contact?topic=sales"><Icon name="mail"/>"Ask for a quote"</a>
                    <a class="button secondary large" href="/download">"Try the editor first"</a>
                </p>
            </div>
            <p class="more-links">{more("What the editor does", "/features")}</p>
        </section>
    }
    .into_any()
}
