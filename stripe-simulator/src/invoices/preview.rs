//! What an invoice would say: of a change that is not made yet, or of the next period.
//!
//! What always holds: it goes through the same plan as the change itself, so it comes to the same cent; nothing is kept.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    fields::{referred, text},
    invoices::{Head, invoice},
    params::Params,
    subscriptions::{self, Bill, Planned, Wanted},
    world::World,
};

pub fn preview(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&[
        "customer",
        "discounts",
        "proration_behavior",
        "proration_date",
        "subscription",
        "subscription_details",
    ])?;
    let id = params.required("subscription")?;
    let subscription = referred(world, "subscription", id, "subscription")?;
    if params.text("customer").is_some_and(|customer| subscription["customer"] != customer) {
        return Err(Fault::invalid("subscription", "The subscription belongs to another customer."));
    }
    let wanted = Wanted::previewed(params)?;
    if wanted.cancels_now {
        let at = world.now_for(text(&subscription, "customer"));
        let lines = subscriptions::rest(world, &subscription, at);
        return Ok(shown(world, &subscription, "upcoming", at, lines));
    }
    let planned = subscriptions::plan(world, &subscription, &wanted)?;
    if planned.bill == Bill::Now && !planned.lines.is_empty() {
        let Planned { next, lines, at, .. } = planned;
        return Ok(shown(world, &next, "subscription_update", at, lines));
    }
    next_period(world, planned, &wanted)
}

/// The invoice at the end of the present period, with what waits for it.
fn next_period(world: &mut World, planned: Planned, wanted: &Wanted) -> Result<Value, Fault> {
    let Planned { mut next, mut book, discounts, .. } = planned;
    if next["cancel_at_period_end"] == true || wanted.cancels_at_end || subscriptions::is_over(&next) {
        return Err(Fault {
            status: 404,
            ..Fault::state(
                "invoice_upcoming_none",
                format!("No upcoming invoices for customer: {}", next["customer"]),
            )
        });
    }
    let (_, at) = subscriptions::period(&next);
    let mut lines = std::mem::take(&mut book.pending);
    lines.extend(subscriptions::turn(world, &mut next, &mut book, &discounts, at));
    Ok(shown(world, &next, "upcoming", at, lines))
}

fn shown(world: &mut World, subscription: &Value, reason: &str, at: i64, lines: Vec<Value>) -> Value {
    let period = subscriptions::period(subscription);
    let mut invoice = invoice(world, &Head { subscription, reason, at, period }, lines);
    let id = format!("upcoming_{}", text(&invoice, "id"));
    if let Some(lines) = invoice["lines"]["data"].as_array_mut() {
        for line in lines {
            line["invoice"] = json!(id);
        }
    }
    invoice["id"] = json!(id);
    invoice["status"] = json!("draft");
    for nothing in ["number", "hosted_invoice_url", "invoice_pdf", "effective_at", "confirmation_secret"] {
        invoice[nothing] = Value::Null;
    }
    invoice["status_transitions"]["finalized_at"] = Value::Null;
    invoice
}
