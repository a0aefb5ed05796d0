//! What holds for every call, in words: once here instead of at each of them.

use devforge::contract::{account::Scope, problem::ProblemCode};
use leptos::prelude::*;

use super::curl::SERVER_VARIABLE;
use crate::components::CodeBlock;

const SECTIONS: [(&str, &str); 7] = [
    ("addresses", "Addresses and formats"),
    ("who-is-calling", "Who is calling"),
    ("errors", "Errors"),
    ("lists", "Lists"),
    ("repeating", "Repeating a call safely"),
    ("limits", "Limits"),
    ("caching", "Caching and other origins"),
];

const PROBLEM: &str = r#"{
  "type": "/docs/api#invalid_request",
  "title": "The request has mistakes",
  "status": 422,
  "detail": "One field needs another look.",
  "code": "invalid_request",
  "requestId": "req_01kaf8m2q3e5ttbw4n6s9x7c1d",
  "errors": [
    { "field": "email", "code": "invalid_email", "message": "Something is missing after the @." }
  ]
}"#;

const PAGE: &str = r#"{
  "items": [],
  "nextCursor": null,
  "total": 0
}"#;

pub fn links() -> AnyView {
    SECTIONS
        .into_iter()
        .map(|(id, title)| view! { <li><a href=format!("#{id}")>{title}</a></li> })
        .collect_view()
        .into_any()
}

pub fn rules(server: Option<&str>, base: &str) -> AnyView {
    view! {
        <section class="api-rules" aria-labelledby="rules">
            <h2 class="section-title" id="rules">"Rules for every call"</h2>
            {addresses(server, base)}
            {who_is_calling()}
            {errors()}
            {lists()}
            {repeating()}
            {limits()}
            {caching()}
        </section>
    }
    .into_any()
}

fn heading(index: usize) -> AnyView {
    let (id, title) = SECTIONS[index];
    view! { <h3 id=id>{title}</h3> }.into_any()
}

fn addresses(server: Option<&str>, base: &str) -> AnyView {
    let base = format!("{}{base}", server.unwrap_or_default());
    let variable = server.is_none().then(|| {
        view! {
            <p>
                "The examples read the address of this site from " <code>{SERVER_VARIABLE}</code> "."
            </p>
        }
    });
    view! {
        {heading(0)}
        <p>
            "Every call begins with " <code>{base}</code> ". " <code>"/api/v1"</code>
            " is the same. Each answer names the version in " <code>"Api-Version"</code>
            " and its own number in " <code>"X-Request-Id"</code> "."
        </p>
        {variable}
        <ul>
            <li>"Names are camelCase. Fields you send that we do not know are ignored."</li>
            <li>"Times are RFC 3339 in UTC: " <code>"2026-11-20T10:00:00Z"</code> "."</li>
            <li>
                "Money is an amount in minor units with its currency: "
                <code>r#"{ "amount": 1900, "currency": "usd" }"#</code> "."
            </li>
            <li>
                "Ids say what they are: " <code>"usr_…"</code> ", " <code>"lic_…"</code> ", " <code>"tkt_…"</code>
                ". Extensions are " <code>"publisher.name"</code> "."
            </li>
        </ul>
    }
    .into_any()
}

fn who_is_calling() -> AnyView {
    view! {
        {heading(1)}
        <p>
            "Send " <code>"Authorization: Bearer"</code>
            " with an access token or a personal token. In a browser on this site the session cookie does the same. "
            "Without any of these a call that needs one answers 401, and with too few rights 403. What you may not know exists answers 404."
        </p>
        <ul>
            <li>
                "An access token lasts 15 minutes. Registering and signing in give one, together with a refresh token, which is good once and gets you the next two. Left unused for weeks, a session ends."
            </li>
            <li>
                "A personal token ("<code>"dfp_…"</code>
                ") is for your own programs and does what the scopes you gave it say: "{scopes()}
                ". Where a call names no scope, personal tokens cannot make it."
            </li>
            <li>
                "What protects an account, such as its second factor and its personal tokens, takes a sign-in of the last 15 minutes, which refreshing is not. Otherwise the answer is 403 "
                <code>"fresh_sign_in_required"</code> "."
            </li>
        </ul>
    }
    .into_any()
}

fn scopes() -> AnyView {
    let last = Scope::ALL.len() - 1;
    Scope::ALL
        .into_iter()
        .enumerate()
        .map(|(index, scope)| {
            let between = if index == last { "" } else { ", " };
            view! { <code>{scope.as_str()}</code>{between} }
        })
        .collect_view()
        .into_any()
}

fn errors() -> AnyView {
    view! {
        {heading(2)}
        <p>
            "An error is " <code>"application/problem+json"</code> " (RFC 9457). "
            <code>"code"</code> " is stable and made for programs, " <code>"detail"</code>
            " is made for people and says what to do. " <code>"errors"</code>
            " is there when single fields are at fault. Send us " <code>"requestId"</code>
            " when you ask about one."
        </p>
        <CodeBlock title="An error, for example" code=PROBLEM/>
        {problem_codes()}
    }
    .into_any()
}

/// Every code there is. An error's `type` is the address of its row.
fn problem_codes() -> AnyView {
    let rows = ProblemCode::ALL
        .into_iter()
        .map(|code| {
            view! {
                <tr id=code.as_str()>
                    <th scope="row"><code>{code.as_str()}</code></th>
                    <td class="num">{code.status().to_string()}</td>
                    <td>{code.title()}</td>
                </tr>
            }
        })
        .collect_view();

    view! {
        <div class="table-wrap" role="region" tabindex="0" aria-label="Error codes">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Code"</th>
                        <th class="num" scope="col">"Status"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn lists() -> AnyView {
    view! {
        {heading(3)}
        <p>
            "Lists take " <code>"limit"</code> " (20 unless you say otherwise, at most 100) and "
            <code>"cursor"</code> ". Pass " <code>"nextCursor"</code>
            " as the next " <code>"cursor"</code> " until it is " <code>"null"</code> "."
        </p>
        <CodeBlock title="A list, for example" code=PAGE/>
        <p>"Invoices and knowledge-base results are plain arrays; they page through the " <code>"Link"</code> " header."</p>
    }
    .into_any()
}

fn repeating() -> AnyView {
    view! {
        {heading(4)}
        <p>
            "When a connection breaks you cannot know whether a call was carried out. Send an "
            <code>"Idempotency-Key"</code>
            " of your own with each POST that makes money, licenses, tickets or submissions. For 24 hours the same key gets the first answer again. "
            "The same key with another body answers 422 " <code>"idempotency_key_reused"</code> "."
        </p>
    }
    .into_any()
}

fn limits() -> AnyView {
    view! {
        {heading(5)}
        <p>
            "Calls are counted per address and per account. " <code>"RateLimit-Limit"</code> ", "
            <code>"RateLimit-Remaining"</code> " and " <code>"RateLimit-Reset"</code>
            " say where you stand. Beyond the limit the answer is 429, and "
            <code>"Retry-After"</code> " says in how many seconds to try again."
        </p>
    }
    .into_any()
}

fn caching() -> AnyView {
    view! {
        {heading(6)}
        <p>
            "Public reads carry an " <code>"ETag"</code> ". Send it back in " <code>"If-None-Match"</code>
            " and an unchanged answer is a short 304. Public reads, license checks and usage events may be called from pages of any origin, without credentials."
        </p>
    }
    .into_any()
}
