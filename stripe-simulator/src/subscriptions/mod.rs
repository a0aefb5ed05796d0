//! Subscriptions: begun, changed, renewed, ended.
//!
//! What always holds: the state follows from time and payments alone; what is declined changes nothing that was asked for
//! with `error_if_incomplete`; every change is told.

use serde_json::{Value, json};

use crate::{
    cards::{self, Card, OffSession},
    fault::Fault,
    fields::{self, int, items, text},
    http::Request,
    invoices::{self, By, Head},
    params::Params,
    world::World,
};

mod book;
mod calendar;
mod change;
mod create;
mod discounts;
mod plan;
mod proration;
pub mod renewal;
pub mod words;

pub use change::set_cancel_at_period_end;
pub use create::{NewSubscription, create};
pub use plan::{Behaviour, Bill, Planned, Wanted, plan};
pub use proration::period;
pub use renewal::turn;

use self::book::Book;

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["subscriptions"]) => create::create_by(world, params),
        ("GET", ["subscriptions"]) => list(world, params),
        ("GET", ["subscriptions", id]) => world.find("subscription", id),
        ("POST", ["subscriptions", id]) => change::update(world, id, params),
        ("DELETE", ["subscriptions", id]) => cancel(world, id, params),
        ("POST", ["subscriptions", id, "resume"]) => renewal::resume(world, id, params),
        _ => return None,
    })
}

/// Without a status, everything but what was canceled.
fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let (customer, price) = (params.text("customer"), params.text("price"));
    let status = params.text("status");
    world.list("subscription", "/v1/subscriptions", params, |subscription| {
        let fits = match status {
            None => subscription["status"] != "canceled",
            Some("all") => true,
            Some("ended") => is_over(subscription),
            Some(status) => subscription["status"] == status,
        };
        fits && customer.is_none_or(|customer| subscription["customer"] == customer)
            && price.is_none_or(|price| {
                items(&subscription["items"]).iter().any(|item| item["price"]["id"] == price)
            })
    })
}

pub fn is_over(subscription: &Value) -> bool {
    matches!(text(subscription, "status"), "canceled" | "incomplete_expired")
}

/// Whether failed payments of it are tried again: not before its first one, nor after its end.
pub fn is_dunned(world: &World, id: &str) -> bool {
    world.get(id).is_some_and(|subscription| {
        matches!(text(subscription, "status"), "trialing" | "active" | "past_due" | "unpaid")
    })
}

/// The card that it is charged to: its own, or the customer's.
pub fn card(world: &World, subscription: &Value) -> Option<Card> {
    let customer = world.get(text(subscription, "customer"));
    let own = subscription["default_payment_method"].as_str();
    let general =
        customer.and_then(|customer| customer["invoice_settings"]["default_payment_method"].as_str());
    own.or(general).map(|method| cards::card_of(world, method))
}

/// The tax rates on its lines.
fn rate_ids(subscription: &Value) -> Vec<String> {
    items(&subscription["default_tax_rates"]).iter().map(crate::world::id_of).collect()
}

/// What a last invoice would say: the lines that wait, and what is left of what was billed, given back.
pub fn rest(world: &mut World, subscription: &Value, at: i64) -> Vec<Value> {
    let book = Book::of(world, text(subscription, "id"));
    let mut lines = book.pending.clone();
    lines.extend(proration::credits(world, subscription, &book, |_| true, at));
    lines
}

/// One of its invoices was paid: with none left open, it is in order again.
pub fn paid(world: &mut World, invoice: &Value) {
    let id = invoices::subscription_of(invoice);
    let waits = world.get(id).is_some_and(|subscription| {
        matches!(text(subscription, "status"), "past_due" | "unpaid" | "incomplete")
    });
    if waits && invoices::open_of(world, id).is_empty() {
        world.change(id, |subscription| subscription["status"] = json!("active"));
        world.emit("customer.subscription.updated", id);
    }
}

/// One of its invoices could not be paid.
pub fn unpaid(world: &mut World, id: &str) {
    let ran = world
        .get(id)
        .is_some_and(|subscription| matches!(text(subscription, "status"), "trialing" | "active"));
    if ran {
        world.change(id, |subscription| subscription["status"] = json!("past_due"));
        world.emit("customer.subscription.updated", id);
    }
}

/// Ends it, at this moment of its customer's time.
pub fn end(world: &mut World, id: &str, reason: &str, at: i64) -> Value {
    let subscription = world.change(id, |subscription| {
        subscription["status"] = json!("canceled");
        subscription["ended_at"] = json!(at);
        if subscription["canceled_at"].is_null() {
            subscription["canceled_at"] = json!(at);
        }
        subscription["cancellation_details"]["reason"] = json!(reason);
    });
    invoices::stop_collecting(world, id);
    world.emit("customer.subscription.deleted", id);
    subscription
}

fn cancel(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["cancellation_details", "invoice_now", "prorate"])?;
    let subscription = world.find("subscription", id)?;
    if is_over(&subscription) {
        return Err(Fault::not_found("subscription", id));
    }
    let at = world.now_for(text(&subscription, "customer"));
    if params.bool("prorate")? == Some(true) && params.bool("invoice_now")? == Some(true) {
        bill_rest(world, &subscription, at);
    }
    if let Some(details) = params.sub(&["cancellation_details"]) {
        world.change(id, |subscription| {
            fields::set_texts(&mut subscription["cancellation_details"], &details, &["comment", "feedback"]);
        });
    }
    Ok(end(world, id, "cancellation_requested", at))
}

/// A last invoice: what waits, and what was paid for and is not used.
fn bill_rest(world: &mut World, subscription: &Value, at: i64) {
    let id = text(subscription, "id");
    let lines = rest(world, subscription, at);
    let mut book = Book::of(world, id);
    book.billed.clear();
    book.pending.clear();
    book.keep(world, id);
    if lines.is_empty() {
        return;
    }
    let head = Head { subscription, reason: "subscription_update", at, period: period(subscription) };
    let invoice = invoices::invoice(world, &head, lines);
    world.change(id, |subscription| subscription["latest_invoice"] = invoice["id"].clone());
    invoices::post(world, &invoice);
    if int(&invoice, "amount_due") > 0 {
        let card = card(world, subscription);
        // A decline leaves the invoice open. The subscription ends all the same.
        let _ = invoices::attempt(world, text(&invoice, "id"), card, By::Hand, OffSession::Yes);
    }
}

#[cfg(test)]
pub mod tests;
