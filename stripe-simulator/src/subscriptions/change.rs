//! Changes to a running subscription.

use serde_json::{Value, json};

use crate::{
    cards::{self, OffSession},
    fault::Fault,
    fields::{self, text},
    invoices::{self, Head},
    params::Params,
    subscriptions::{
        discounts,
        plan::{Bill, Planned, Wanted, plan},
    },
    world::World,
};

const KNOWN: [&str; 15] = [
    "billing_cycle_anchor",
    "cancel_at_period_end",
    "cancellation_details",
    "default_payment_method",
    "default_tax_rates",
    "description",
    "discounts",
    "items",
    "metadata",
    "off_session",
    "payment_behavior",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "trial_settings",
];

/// The card is charged before anything is kept: with `error_if_incomplete` a decline leaves all as it was.
pub fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&KNOWN)?;
    let now = world.find("subscription", id)?;
    let wanted = Wanted::read(params)?;
    let mut planned = plan(world, &now, &wanted)?;
    set_fields(world, &mut planned, params)?;
    let Planned { mut next, lines, book, fresh, at, bill, .. } = planned;
    let invoice = (bill == Bill::Now && !lines.is_empty()).then(|| {
        let period = super::period(&next);
        let head = Head { subscription: &next, reason: "subscription_update", at, period };
        invoices::invoice(world, &head, lines.clone())
    });
    let card = super::card(world, &next);
    let settled = match &invoice {
        Some(invoice) => {
            Some(invoices::charge_first(world, invoice, card, wanted.behaviour, OffSession::Yes)?)
        }
        None => None,
    };
    let billed: Vec<Value> = lines.iter().chain(&book.pending).cloned().collect();
    discounts::keep(world, fresh);
    discounts::use_up(world, &mut next, &billed, at);
    if let Some(invoice) = &invoice {
        next["latest_invoice"] = invoice["id"].clone();
    }
    world.put(next);
    book.keep(world, id);
    if let (Some(invoice), Some(settled)) = (&invoice, &settled) {
        invoices::record(world, invoice, settled);
    }
    world.emit("customer.subscription.updated", id);
    world.find("subscription", id)
}

/// What costs nothing.
fn set_fields(world: &mut World, planned: &mut Planned, params: &Params) -> Result<(), Fault> {
    let next = &mut planned.next;
    next["metadata"] = fields::metadata(&next["metadata"], params)?;
    fields::set_texts(next, params, &["description"]);
    if let Some(method) = params.text("default_payment_method") {
        next["default_payment_method"] = cards::method(world, method, text(next, "customer"))?["id"].clone();
    } else if params.has("default_payment_method") {
        next["default_payment_method"] = Value::Null;
    }
    if let Some(details) = params.sub(&["cancellation_details"]) {
        fields::set_texts(&mut next["cancellation_details"], &details, &["comment", "feedback"]);
    }
    if let Some(end) = params.sub(&["trial_settings", "end_behavior"])
        && let Some(word) =
            fields::word(&end, "missing_payment_method", &["cancel", "create_invoice", "pause"])?
    {
        next["trial_settings"]["end_behavior"]["missing_payment_method"] = json!(word);
    }
    if let Some(ends) = params.bool("cancel_at_period_end")? {
        let at = world.now_for(text(next, "customer"));
        set_cancel_at_period_end(next, ends, at);
    }
    Ok(())
}

/// Whether it ends with its present period, and since when that is known.
pub fn set_cancel_at_period_end(subscription: &mut Value, ends: bool, at: i64) {
    if subscription["cancel_at_period_end"] == ends {
        return;
    }
    let (_, end) = super::period(subscription);
    subscription["cancel_at_period_end"] = json!(ends);
    subscription["cancel_at"] = if ends { json!(end) } else { Value::Null };
    subscription["canceled_at"] = if ends { json!(at) } else { Value::Null };
    subscription["cancellation_details"]["reason"] =
        if ends { json!("cancellation_requested") } else { Value::Null };
}
