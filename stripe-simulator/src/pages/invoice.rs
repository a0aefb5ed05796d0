//! An invoice of a subscription, with a way to pay it while it is open, and the receipt of a charge.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::Value;

use super::{
    act, bill, card_fields, card_of, escape, fault_page, is_ours, money, not_ours, notice, page, see_other,
};
use crate::{
    Shared,
    cards::{Card, NOT_FOR_TESTS},
    fields::{int, items, text},
    invoices,
    params::Params,
};

pub async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match act(&shared, |world| world.find("invoice", &id)) {
        Ok(invoice) => draw(&invoice, StatusCode::OK, Card::Good, None),
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
    let read =
        Params::parse(&body).and_then(|form| Ok((form, act(&shared, |world| world.find("invoice", &id))?)));
    let (form, invoice) = match read {
        Ok(read) => read,
        Err(fault) => return fault_page(&fault),
    };
    let Some(card) = card_of(&form) else {
        return draw(&invoice, StatusCode::UNPROCESSABLE_ENTITY, Card::Good, Some(NOT_FOR_TESTS));
    };
    let paid = act(&shared, |world| invoices::pay(world, &id, card));
    match (paid, act(&shared, |world| world.find("invoice", &id))) {
        (Ok(_), _) => see_other(&format!("/invoice/{id}")),
        (Err(fault), Ok(invoice)) => {
            draw(&invoice, StatusCode::UNPROCESSABLE_ENTITY, card, Some(&fault.message))
        }
        (Err(fault), Err(_)) => fault_page(&fault),
    }
}

fn draw(invoice: &Value, status: StatusCode, card: Card, words: Option<&str>) -> Response {
    let currency = text(invoice, "currency");
    let due = int(invoice, "amount_due");
    let sum = |name: &str| -> i64 { items(&invoice[name]).iter().map(|part| int(part, "amount")).sum() };
    let sums = [
        ("Subtotal", int(invoice, "subtotal")),
        ("Discount", -sum("total_discount_amounts")),
        ("Tax", sum("total_taxes")),
        ("Total", int(invoice, "total")),
        ("Due", due),
    ];
    let number = invoice["number"].as_str().unwrap_or_default();
    let form = if invoice["status"] == "open" {
        format!(
            "<form method=\"post\" aria-labelledby=\"payment\"><h2 id=\"payment\">Payment</h2>{}\
             <p><button>Pay {}</button></p></form>",
            card_fields(card),
            money(due, currency),
        )
    } else {
        String::new()
    };
    let html = format!(
        "<h1>Invoice {number}</h1>{words}<p>This invoice is <strong>{state}</strong>.</p>\
         <div class=\"columns\"><section aria-labelledby=\"lines\"><h2 id=\"lines\">Lines</h2>{bill}</section>{form}</div>",
        number = escape(number),
        words = words.map(notice).unwrap_or_default(),
        state = escape(text(invoice, "status")),
        bill = bill(&invoice["lines"], currency, &sums),
    );
    page(status, &format!("Invoice {number}"), &html)
}

pub async fn receipt(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let charge = match act(&shared, |world| world.find("charge", &id)) {
        Ok(charge) => charge,
        Err(fault) => return fault_page(&fault),
    };
    let currency = text(&charge, "currency");
    let card = &charge["payment_method_details"]["card"];
    let html = format!(
        "<h1>Receipt</h1><dl><dt>Paid</dt><dd>{}</dd><dt>Given back</dt><dd>{}</dd><dt>Card</dt><dd>{} •••• {}</dd>\
         <dt>Payment</dt><dd><code>{}</code></dd></dl>",
        money(int(&charge, "amount_captured"), currency),
        money(int(&charge, "amount_refunded"), currency),
        escape(text(card, "brand")),
        escape(text(card, "last4")),
        escape(&id),
    );
    page(StatusCode::OK, "Receipt", &html)
}
