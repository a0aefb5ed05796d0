//! How an invoice is sent out and settled.
//!
//! What always holds: an invoice is paid once; each attempt is told of; retries end.

use serde_json::{Value, json};

use crate::{
    cards::{Card, OffSession},
    fault::Fault,
    fields::{self, int, text},
    payments::{self, Charge},
    subscriptions::{self, Behaviour},
    world::World,
};

/// After how many more days a payment is tried again, attempt by attempt.
const RETRY_AFTER_DAYS: [i64; 3] = [3, 5, 7];
const DAY: i64 = 86_400;

/// Who tries to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The calendar, at this moment of it: what fails is tried again.
    Schedule(i64),
    /// Somebody. That does not move the next attempt of the calendar.
    Hand,
}

/// Sends an invoice out: it takes its number and settles the customer's balance, and the world is told. One with nothing to
/// pay is paid by that.
pub fn post(world: &mut World, invoice: &Value) {
    let id = text(invoice, "id");
    world.change(text(invoice, "customer"), |customer| {
        customer["next_invoice_sequence"] = json!(int(customer, "next_invoice_sequence") + 1);
        customer["balance"] = invoice["ending_balance"].clone();
        customer["currency"] = invoice["currency"].clone();
    });
    world.put(invoice.clone());
    world.emit("invoice.created", id);
    world.emit("invoice.finalized", id);
    if int(invoice, "amount_due") == 0 {
        paid(world, id, None);
    }
}

pub fn no_card() -> Fault {
    Fault::state(
        "resource_missing",
        "This customer has no attached payment source or default payment method. Please consider adding a default \
         payment method.",
    )
}

/// Charges what an invoice comes to, without touching the invoice: it may not have been sent out yet.
fn charge(world: &mut World, invoice: &Value, card: Card, off_session: OffSession) -> Result<Value, Fault> {
    if card == Card::Slow {
        return Err(Fault::declined(
            "card_declined",
            "not_permitted",
            "This card is for one-off payments only.",
        ));
    }
    let description = match text(invoice, "billing_reason") {
        "subscription_create" => "Subscription creation",
        "subscription_cycle" => "Subscription renewal",
        _ => "Subscription update",
    };
    payments::charge(
        world,
        &Charge {
            customer: text(invoice, "customer"),
            amount: int(invoice, "amount_remaining"),
            currency: text(invoice, "currency"),
            card,
            metadata: json!({}),
            description,
            invoice: Some(text(invoice, "id")),
            off_session,
        },
    )
}

/// What became of the payment of an invoice that is not sent out yet.
pub enum Settled {
    Paid(Value),
    Failed(Fault),
    /// Nothing was charged: there is nothing to pay, or somebody is to pay it later.
    Waits,
}

impl Settled {
    pub fn is_paid(&self) -> bool {
        matches!(self, Self::Paid(_))
    }
}

/// Charges an invoice before it is sent out. A decline is a fault where it is to be refused, and is passed on otherwise.
pub fn charge_first(
    world: &mut World,
    invoice: &Value,
    card: Option<Card>,
    behaviour: Behaviour,
    off_session: OffSession,
) -> Result<Settled, Fault> {
    if int(invoice, "amount_due") == 0 || behaviour == Behaviour::Later {
        return Ok(Settled::Waits);
    }
    let card = card.ok_or_else(no_card)?;
    match charge(world, invoice, card, off_session) {
        Ok(intent) => Ok(Settled::Paid(intent)),
        Err(fault) if fault.status == 402 && behaviour == Behaviour::Keep => Ok(Settled::Failed(fault)),
        Err(fault) => Err(fault),
    }
}

/// Sends out an invoice that was charged before.
pub fn record(world: &mut World, invoice: &Value, settled: &Settled) {
    let id = text(invoice, "id");
    post(world, invoice);
    match settled {
        Settled::Paid(intent) => {
            paid(world, id, Some(intent));
        }
        Settled::Failed(fault) => {
            world.change(id, |invoice| invoice["attempt_count"] = json!(1));
            failed(world, id, fault, By::Schedule(int(invoice, "created")));
        }
        Settled::Waits => {}
    }
}

/// Tries to pay an open invoice. Without a card that fails like a declined one.
pub fn attempt(
    world: &mut World,
    id: &str,
    card: Option<Card>,
    by: By,
    off_session: OffSession,
) -> Result<Value, Fault> {
    let invoice = world.find("invoice", id)?;
    match text(&invoice, "status") {
        "open" | "uncollectible" => {}
        "paid" => return Err(Fault::invalid("id", "Invoice is already paid")),
        _ => return Err(Fault::invalid("id", "This invoice can no longer be paid.")),
    }
    let charged = match card {
        Some(card) => charge(world, &invoice, card, off_session),
        None => Err(no_card()),
    };
    if by != By::Hand || int(&invoice, "attempt_count") == 0 {
        world.change(id, |invoice| invoice["attempt_count"] = json!(int(invoice, "attempt_count") + 1));
    }
    match charged {
        Ok(intent) => Ok(paid(world, id, Some(&intent))),
        Err(fault) => {
            failed(world, id, &fault, by);
            Err(fault)
        }
    }
}

/// Marks an invoice as paid, by this payment or because there is nothing to pay, and tells of it.
fn paid(world: &mut World, id: &str, intent: Option<&Value>) -> Value {
    let invoice = world.get(id).cloned().unwrap_or_default();
    let at = world.now_for(text(&invoice, "customer"));
    let payments = intent.map(|intent| payments_with(world, &invoice, &intent["id"], "paid", at));
    let invoice = world.change(id, |invoice| {
        invoice["status"] = json!("paid");
        invoice["attempted"] = json!(true);
        invoice["auto_advance"] = json!(false);
        invoice["amount_paid"] = invoice["amount_due"].clone();
        invoice["amount_remaining"] = json!(0);
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["paid_at"] = json!(at);
        if let Some(payments) = payments {
            invoice["attempt_count"] = json!(int(invoice, "attempt_count").max(1));
            invoice["payments"] = payments;
        }
    });
    world.emit("invoice.paid", id);
    world.emit("invoice.payment_succeeded", id);
    subscriptions::paid(world, &invoice);
    invoice
}

/// Writes a failed attempt down and tells of it.
fn failed(world: &mut World, id: &str, fault: &Fault, by: By) {
    let invoice = world.get(id).cloned().unwrap_or_default();
    let at = world.now_for(text(&invoice, "customer"));
    let count = int(&invoice, "attempt_count");
    let next = match by {
        By::Schedule(from) if subscriptions::is_dunned(world, super::subscription_of(&invoice)) => {
            let gap = usize::try_from(count - 1).ok().and_then(|index| RETRY_AFTER_DAYS.get(index));
            gap.map(|days| from + days * DAY)
        }
        By::Schedule(_) => None,
        By::Hand => invoice["next_payment_attempt"].as_i64(),
    };
    let intent = fault.payment_intent.as_ref().map(|intent| intent["id"].clone());
    let payments = intent.map(|intent| payments_with(world, &invoice, &intent, "open", at));
    world.change(id, |invoice| {
        invoice["attempted"] = json!(true);
        invoice["next_payment_attempt"] = json!(next);
        if let Some(payments) = payments {
            invoice["payments"] = payments;
        }
    });
    if fault.code.as_deref() == Some("authentication_required") {
        world.emit("invoice.payment_action_required", id);
    }
    world.emit("invoice.payment_failed", id);
    subscriptions::unpaid(world, super::subscription_of(&invoice));
}

/// The list of payments with the one that is under way or done. An attempt that failed gives way to the next.
fn payments_with(world: &mut World, invoice: &Value, intent: &Value, status: &str, at: i64) -> Value {
    let id = world.new_id("inpay");
    let paid = status == "paid";
    let entry = json!({
        "id": id, "object": "invoice_payment", "amount_paid": paid.then(|| invoice["amount_due"].clone()),
        "amount_requested": invoice["amount_due"], "created": at, "currency": invoice["currency"],
        "invoice": invoice["id"], "is_default": true, "livemode": false,
        "payment": { "payment_intent": intent, "type": "payment_intent" }, "status": status,
        "status_transitions": { "canceled_at": null, "paid_at": paid.then_some(at) },
    });
    fields::list("/v1/invoice_payments", vec![entry])
}

/// Nobody expects this invoice to be paid any more, though it still can be.
pub fn give_up(world: &mut World, id: &str) -> Value {
    let at = world.get(id).map_or(0, |invoice| world.now_for(text(invoice, "customer")));
    let invoice = world.change(id, |invoice| {
        invoice["status"] = json!("uncollectible");
        invoice["auto_advance"] = json!(false);
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["marked_uncollectible_at"] = json!(at);
    });
    world.emit("invoice.marked_uncollectible", id);
    invoice
}

/// Open invoices of what has ended are not tried again.
pub fn stop_collecting(world: &mut World, subscription: &str) {
    for id in open_of(world, subscription) {
        world.change(&id, |invoice| {
            invoice["auto_advance"] = json!(false);
            invoice["next_payment_attempt"] = Value::Null;
        });
    }
}

/// The invoices of a subscription that wait for a payment, newest first.
pub fn open_of(world: &World, subscription: &str) -> Vec<String> {
    let open =
        |invoice: &&Value| invoice["status"] == "open" && super::subscription_of(invoice) == subscription;
    world.all("invoice").filter(open).map(crate::world::id_of).collect()
}

pub fn void(world: &mut World, id: &str) -> Result<Value, Fault> {
    let invoice = world.find("invoice", id)?;
    if !matches!(text(&invoice, "status"), "open" | "uncollectible") {
        let words = "You can only pass in open or uncollectible invoices. This invoice isn't one.";
        return Err(Fault::invalid("id", words));
    }
    let at = world.now_for(text(&invoice, "customer"));
    let invoice = world.change(id, |invoice| {
        invoice["status"] = json!("void");
        invoice["auto_advance"] = json!(false);
        invoice["next_payment_attempt"] = Value::Null;
        invoice["status_transitions"]["voided_at"] = json!(at);
    });
    world.emit("invoice.voided", id);
    Ok(invoice)
}
