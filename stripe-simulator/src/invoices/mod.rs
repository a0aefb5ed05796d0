//! Invoices of subscriptions: looked at, paid, given up, and previewed.
//!
//! What always holds: an invoice that was sent out keeps its lines and sums for ever; only its state and its payments
//! change.

use serde_json::Value;

use crate::{
    cards::{Card, OffSession},
    fault::Fault,
    fields::{referred, text},
    http::Request,
    params::Params,
    world::World,
};

mod build;
mod payment;
mod preview;

pub use build::{Discounted, Head, Kind, Line, invoice, line};
pub use payment::{By, attempt, charge_first, give_up, open_of, post, record, stop_collecting, void};

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("GET", ["invoices"]) => list(world, params),
        ("POST", ["invoices", "create_preview"]) => preview::preview(world, params),
        ("GET", ["invoices", id]) => world.find("invoice", id),
        ("GET", ["invoices", id, "lines"]) => {
            world.find("invoice", id).map(|invoice| invoice["lines"].clone())
        }
        ("POST", ["invoices", id, "pay"]) => pay_by(world, id, params),
        ("POST", ["invoices", id, "void"]) => void(world, id),
        ("POST", ["invoices", id, "mark_uncollectible"]) => give_up_by(world, id),
        _ => return None,
    })
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let (customer, status) = (params.text("customer"), params.text("status"));
    let subscription = params.text("subscription");
    world.list("invoice", "/v1/invoices", params, |invoice| {
        customer.is_none_or(|customer| invoice["customer"] == customer)
            && status.is_none_or(|status| invoice["status"] == status)
            && subscription.is_none_or(|subscription| subscription_of(invoice) == subscription)
    })
}

/// The id of the subscription that an invoice is for.
pub fn subscription_of(invoice: &Value) -> &str {
    text(&invoice["parent"]["subscription_details"], "subscription")
}

/// Pays an open invoice while its owner is there, as its page does.
pub fn pay(world: &mut World, id: &str, card: Card) -> Result<Value, Fault> {
    attempt(world, id, Some(card), By::Hand, OffSession::No)
}

fn pay_by(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["off_session", "payment_method"])?;
    let invoice = world.find("invoice", id)?;
    let card = match params.text("payment_method") {
        Some(method) => {
            let method = crate::cards::method(world, method, text(&invoice, "customer"))?;
            Some(crate::cards::card_of(world, text(&method, "id")))
        }
        None => {
            let subscription = referred(world, "subscription", subscription_of(&invoice), "subscription")?;
            crate::subscriptions::card(world, &subscription)
        }
    };
    if card.is_none() {
        return Err(payment::no_card());
    }
    let off_session =
        if params.bool("off_session")? == Some(false) { OffSession::No } else { OffSession::Yes };
    attempt(world, id, card, By::Hand, off_session)
}

fn give_up_by(world: &mut World, id: &str) -> Result<Value, Fault> {
    let invoice = world.find("invoice", id)?;
    if text(&invoice, "status") != "open" {
        return Err(Fault::invalid("id", "You can only mark an open invoice as uncollectible."));
    }
    Ok(give_up(world, id))
}
