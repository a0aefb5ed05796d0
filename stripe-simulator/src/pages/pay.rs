//! The page to pay a session on, and the one where the card's owner approves.
//!
//! What always holds: what is shown is the session as it is now; a declined card brings the page back with its reason.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use url::Url;

use super::{
    act, bill, card_fields, card_of, escape, fault_page, is_ours, money, not_ours, notice, page, see_other,
};
use crate::{
    Shared,
    cards::{Card, NOT_FOR_TESTS},
    checkout,
    fault::Fault,
    fields::{int, items, text},
    params::Params,
};

/// A session with its lines.
struct Shown {
    session: Value,
    lines: Value,
}

fn look(shared: &Shared, id: &str) -> Result<Shown, Fault> {
    act(shared, |world| {
        let session = checkout::current(world, id)?;
        let lines = checkout::lines(world, &session);
        Ok(Shown { session, lines })
    })
}

pub async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match look(&shared, &id) {
        Ok(shown) => to_pay(&shown, StatusCode::OK, Card::Good, None),
        Err(fault) => fault_page(&fault),
    }
}

pub async fn pay(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if !is_ours(&headers) {
        return not_ours();
    }
    let (form, shown) = match Params::parse(&body).and_then(|form| Ok((form, look(&shared, &id)?))) {
        Ok(read) => read,
        Err(fault) => return fault_page(&fault),
    };
    if shown.session["status"] != "open" {
        return to_pay(&shown, StatusCode::CONFLICT, Card::Good, None);
    }
    let card = if needs_card(&shown.session) { card_of(&form) } else { Some(Card::Good) };
    let Some(card) = card else {
        return to_pay(&shown, StatusCode::UNPROCESSABLE_ENTITY, Card::Good, Some(NOT_FOR_TESTS));
    };
    if let Err(fault) = keep_email(&shared, &shown.session, &form) {
        return to_pay(&shown, StatusCode::UNPROCESSABLE_ENTITY, card, Some(&fault.message));
    }
    if card == Card::NeedsAuthentication {
        return see_other(&format!("/pay/{id}/authenticate"));
    }
    complete(&shared, &id, card)
}

fn complete(shared: &Shared, id: &str, card: Card) -> Response {
    let paid = act(shared, |world| checkout::complete(world, id, card));
    match (paid, look(shared, id)) {
        (Ok(session), _) if checkout::afterwards(&session).is_some() => {
            see_other(&checkout::afterwards(&session).unwrap_or_default())
        }
        (Ok(_), Ok(shown)) => to_pay(&shown, StatusCode::OK, card, None),
        (Err(fault), Ok(shown)) => {
            let status =
                if fault.status == 402 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
            to_pay(&shown, status, card, Some(&fault.message))
        }
        (_, Err(fault)) => fault_page(&fault),
    }
}

/// Who is no customer yet says where the receipt goes.
fn keep_email(shared: &Shared, session: &Value, form: &Params) -> Result<(), Fault> {
    if session["customer"].is_string() {
        return Ok(());
    }
    let email = form.text("email").map(str::trim).filter(|email| email.contains('@') && email.len() <= 254);
    let email = email.ok_or_else(|| Fault::invalid("email", "Enter an e-mail address."))?;
    act(shared, |world| {
        world.change(text(session, "id"), |session| {
            if session["customer_details"].is_null() {
                session["customer_details"] = json!({
                    "address": null, "business_name": null, "individual_name": null, "name": null, "phone": null,
                    "tax_exempt": "none", "tax_ids": [],
                });
            }
            session["customer_details"]["email"] = json!(email);
        });
        Ok(())
    })
}

/// A subscription takes a card even when nothing is due today.
fn needs_card(session: &Value) -> bool {
    int(session, "amount_total") > 0 || session["mode"] == "subscription"
}

fn to_pay(shown: &Shown, status: StatusCode, card: Card, words: Option<&str>) -> Response {
    let session = &shown.session;
    match text(session, "status") {
        "open" => page(status, "Pay", &form(shown, card, words)),
        "complete" => {
            let onward =
                checkout::afterwards(session).map(|place| link(&place, "Continue")).unwrap_or_default();
            let html =
                format!("<h1>Paid</h1><p>This order was paid already. Nothing more is charged.</p>{onward}");
            page(status, "Paid", &html)
        }
        _ => {
            let status = if status == StatusCode::OK { StatusCode::GONE } else { status };
            let back = back(session);
            page(
                status,
                "Expired",
                &format!("<h1>Expired</h1><p>The time to pay here is over. Start again.</p>{back}"),
            )
        }
    }
}

fn form(shown: &Shown, card: Card, words: Option<&str>) -> String {
    let session = &shown.session;
    let currency = text(session, "currency");
    let total = int(session, "amount_total");
    let details = &session["total_details"];
    let email = text(&session["customer_details"], "email");
    let known = if session["customer"].is_string() && !email.is_empty() { " readonly" } else { "" };
    let subscription = session["mode"] == "subscription";
    let button = match (subscription, total) {
        (true, 0) => "Start the subscription".to_owned(),
        (true, _) => format!("Subscribe and pay {}", money(total, currency)),
        (false, 0) => "Complete the order".to_owned(),
        (false, _) => format!("Pay {}", money(total, currency)),
    };
    let sums = [
        ("Subtotal", int(session, "amount_subtotal")),
        ("Discount", -int(details, "amount_discount")),
        ("Tax", int(details, "amount_tax")),
        ("Total today", total),
    ];
    // A line that says nothing is left out; the total never is.
    let sums: Vec<(&str, i64)> =
        sums.into_iter().filter(|(words, amount)| *amount != 0 || *words == "Total today").collect();
    format!(
        "<h1>Pay {total}</h1>{words}<div class=\"columns\"><section aria-labelledby=\"order\">\
         <h2 id=\"order\">Your order</h2>{bill}{later}</section>\
         <form method=\"post\" aria-labelledby=\"payment\"><h2 id=\"payment\">Payment</h2>\
         <p class=\"field\"><label for=\"email\">E-mail</label><input id=\"email\" name=\"email\" type=\"email\" \
         autocomplete=\"email\" required value=\"{email}\"{known}></p>{card}\
         <p><button>{button}</button></p></form></div>{back}",
        total = money(total, currency),
        words = words.map(notice).unwrap_or_default(),
        bill = bill(&shown.lines, currency, &sums),
        later = later(shown),
        email = escape(email),
        card = if needs_card(session) { card_fields(card) } else { String::new() },
        back = back(session),
    )
}

/// What a subscription costs from its next period on, as far as its lines tell.
fn later(shown: &Shown) -> String {
    if shown.session["mode"] != "subscription" {
        return String::new();
    }
    let each: i64 =
        items(&shown.lines).iter().map(|line| int(line, "amount_subtotal") + int(line, "amount_tax")).sum();
    let interval = items(&shown.lines)
        .first()
        .map(|line| text(&line["price"]["recurring"], "interval"))
        .unwrap_or_default();
    let each = money(each, text(&shown.session, "currency"));
    format!(
        "<p class=\"hint\">A subscription of {each} every {}, until it is canceled.</p>",
        escape(interval)
    )
}

fn back(session: &Value) -> String {
    session["cancel_url"].as_str().map(|place| link(place, "Back to the shop")).unwrap_or_default()
}

/// Only to where a browser may go.
fn link(place: &str, words: &str) -> String {
    match Url::parse(place) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            format!("<p><a href=\"{}\">{words}</a></p>", escape(url.as_str()))
        }
        _ => String::new(),
    }
}

pub async fn ask(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let shown = match look(&shared, &id) {
        Ok(shown) => shown,
        Err(fault) => return fault_page(&fault),
    };
    if shown.session["status"] != "open" {
        return to_pay(&shown, StatusCode::OK, Card::NeedsAuthentication, None);
    }
    let amount = money(int(&shown.session, "amount_total"), text(&shown.session, "currency"));
    let html = format!(
        "<h1>Approve this payment</h1><p>The bank of this card asks its owner to approve {amount}. \
         In test mode, that is you.</p><form method=\"post\"><p class=\"buttons\">\
         <button name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"fail\" class=\"plain\">Fail</button></p></form>",
    );
    page(StatusCode::OK, "Approve", &html)
}

pub async fn decide(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if !is_ours(&headers) {
        return not_ours();
    }
    let (form, shown) = match Params::parse(&body).and_then(|form| Ok((form, look(&shared, &id)?))) {
        Ok(read) => read,
        Err(fault) => return fault_page(&fault),
    };
    if form.text("decision") == Some("approve") {
        return complete(&shared, &id, Card::NeedsAuthentication);
    }
    let words = "The payment was not approved. Choose another card, or try again.";
    to_pay(&shown, StatusCode::UNPROCESSABLE_ENTITY, Card::NeedsAuthentication, Some(words))
}
