//! Payments: intents, and the charges that settle them.
//!
//! What always holds: an intent succeeds once, with one charge; only a charge that succeeded moves the balance; a
//! declined card leaves the intent and the failed charge behind, to be looked at.

use serde_json::{Value, json};

pub use crate::cards::{Card, OffSession, card_of, method_for, payment_method};
use crate::{
    balance::{self, Movement},
    cards,
    fault::Fault,
    fields::{self, int, joined, text},
    world::{World, id_of},
};

/// A payment to make at once.
pub struct Charge<'a> {
    /// Empty for a guest.
    pub customer: &'a str,
    pub amount: i64,
    pub currency: &'a str,
    pub card: Card,
    pub metadata: Value,
    pub description: &'a str,
    pub invoice: Option<&'a str>,
    pub off_session: OffSession,
}

/// The intent: succeeded, or processing with [`Card::Slow`].
pub fn charge(world: &mut World, charge: &Charge<'_>) -> Result<Value, Fault> {
    let method = method_for(world, charge.customer, charge.card);
    let intent = new_intent(world, charge)?;
    confirm(world, &id_of(&intent), &id_of(&method), charge.off_session)
}

pub fn new_intent(world: &mut World, charge: &Charge<'_>) -> Result<Value, Fault> {
    if charge.amount < 1 {
        return Err(Fault::invalid("amount", "Invalid positive integer"));
    }
    let id = world.new_id("pi");
    let secret = world.new_secret(&format!("{id}_secret"), 24);
    let created = world.now_for(charge.customer);
    let money = json!({
        "id": id, "object": "payment_intent", "amount": charge.amount, "amount_capturable": 0,
        "amount_details": { "tip": {} }, "amount_received": 0, "application": null,
        "application_fee_amount": null, "automatic_payment_methods": null, "canceled_at": null,
        "cancellation_reason": null, "capture_method": "automatic_async", "client_secret": secret,
        "confirmation_method": "automatic", "created": created, "currency": charge.currency,
        "customer": given(charge.customer), "customer_account": null, "description": given(charge.description),
    });
    let rest = json!({
        "last_payment_error": null, "latest_charge": null, "livemode": false, "metadata": charge.metadata,
        "next_action": null, "on_behalf_of": null, "payment_method": null, "payment_method_options": {},
        "payment_method_types": ["card"], "processing": null, "receipt_email": null, "review": null,
        "setup_future_usage": null, "shipping": null, "source": null, "statement_descriptor": null,
        "statement_descriptor_suffix": null, "status": "requires_payment_method", "transfer_data": null,
        "transfer_group": null, "simulator_invoice": charge.invoice,
    });
    let intent = world.put(joined(money, rest));
    world.emit("payment_intent.created", &id);
    Ok(intent)
}

/// Null where nothing is given.
fn given(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

pub fn confirm(world: &mut World, id: &str, method: &str, off_session: OffSession) -> Result<Value, Fault> {
    let intent = world.find("payment_intent", id)?;
    if !matches!(
        text(&intent, "status"),
        "requires_payment_method" | "requires_confirmation" | "requires_action"
    ) {
        return Err(unexpected(&intent, "confirmed"));
    }
    let card = card_of(world, method);
    let refusal = card.refusal(off_session);
    let charge = new_charge(world, &intent, method, card, refusal.as_ref());
    let charge_id = id_of(&charge);
    let intent = world.change(id, |intent| {
        intent["payment_method"] = json!(method);
        intent["latest_charge"] = json!(charge_id);
        intent["last_payment_error"] = Value::Null;
    });
    if let Some(fault) = refusal {
        return Err(declined(world, &intent, &charge_id, fault));
    }
    if card == Card::Slow {
        let intent = world.change(id, |intent| intent["status"] = json!("processing"));
        world.emit("payment_intent.processing", id);
        world.emit("charge.pending", &charge_id);
        return Ok(intent);
    }
    Ok(succeeded(world, id, &charge_id))
}

pub fn unexpected(intent: &Value, what: &str) -> Fault {
    let status = text(intent, "status");
    Fault::state(
        "payment_intent_unexpected_state",
        format!("This PaymentIntent could not be {what} because it has a status of {status}."),
    )
}

/// Writes down why it was declined, and tells of it.
fn declined(world: &mut World, intent: &Value, charge: &str, fault: Fault) -> Fault {
    let id = id_of(intent);
    let mut error = fault.body()["error"].take();
    error["charge"] = json!(charge);
    error["payment_method"] = world.get(text(intent, "payment_method")).cloned().unwrap_or_default();
    let asks = fault.code.as_deref() == Some("authentication_required");
    let intent = world.change(&id, |intent| {
        intent["status"] = json!(if asks { "requires_action" } else { "requires_payment_method" });
        intent["last_payment_error"] = error;
    });
    world.emit("payment_intent.payment_failed", &id);
    world.emit("charge.failed", charge);
    Fault { payment_intent: Some(Box::new(intent)), ..fault }
}

/// Moves the money of a charge, and tells of it.
fn succeeded(world: &mut World, intent: &str, charge: &str) -> Value {
    let paid = world.get(charge).cloned().unwrap_or_default();
    let amount = int(&paid, "amount");
    let movement = Movement {
        kind: "charge",
        category: "charge",
        source: charge,
        amount,
        fee: balance::fee_of(amount),
        currency: &paid["currency"],
        description: text(&paid, "description"),
        created: world_time(world, &paid),
    };
    let (transaction, base) = (id_of(&balance::record(world, &movement)), world.base.clone());
    world.change(charge, |charge| {
        charge["status"] = json!("succeeded");
        charge["paid"] = json!(true);
        charge["amount_captured"] = json!(amount);
        charge["balance_transaction"] = json!(transaction);
        charge["receipt_url"] = json!(format!("{base}/receipt/{}", text(charge, "id")));
    });
    let intent = world.change(intent, |intent| {
        intent["status"] = json!("succeeded");
        intent["amount_received"] = json!(amount);
    });
    world.emit("charge.succeeded", charge);
    world.emit("payment_intent.succeeded", text(&intent, "id"));
    intent
}

/// The time for whom an object belongs to.
pub fn world_time(world: &World, object: &Value) -> i64 {
    world.now_for(text(object, "customer"))
}

fn new_charge(world: &mut World, intent: &Value, method: &str, card: Card, refusal: Option<&Fault>) -> Value {
    let id = world.new_id("ch");
    let owner = world.get(text(intent, "customer")).cloned().unwrap_or_default();
    let money = json!({
        "id": id, "object": "charge", "amount": intent["amount"], "amount_captured": 0, "amount_refunded": 0,
        "application": null, "application_fee": null, "application_fee_amount": null,
        "balance_transaction": null, "billing_details": cards::billing_details(&owner),
        "calculated_statement_descriptor": "SIMULATOR", "captured": refusal.is_none(),
        "created": world_time(world, intent), "currency": intent["currency"], "customer": intent["customer"],
        "description": intent["description"], "disputed": false, "failure_balance_transaction": null,
        "failure_code": refusal.and_then(|fault| fault.code.clone()),
        "failure_message": refusal.map(|fault| fault.message.clone()), "fraud_details": {}, "livemode": false,
    });
    let rest = json!({
        "metadata": intent["metadata"], "on_behalf_of": null, "outcome": outcome(refusal), "paid": false,
        "payment_intent": intent["id"], "payment_method": method,
        "payment_method_details": { "type": "card", "card": cards::details(card) }, "radar_options": {},
        "receipt_email": null, "receipt_number": null, "receipt_url": null, "refunded": false,
        "refunds": fields::list(&format!("/v1/charges/{id}/refunds"), Vec::new()), "review": null,
        "shipping": null, "source": null, "source_transfer": null, "statement_descriptor": null,
        "statement_descriptor_suffix": null, "status": if refusal.is_some() { "failed" } else { "pending" },
        "transfer_data": null, "transfer_group": null,
    });
    world.put(joined(money, rest))
}

fn outcome(refusal: Option<&Fault>) -> Value {
    match refusal {
        None => json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 12,
            "seller_message": "Payment complete.", "type": "authorized",
        }),
        Some(fault) => json!({
            "advice_code": "try_again_later", "network_advice_code": null, "network_decline_code": null,
            "network_status": "declined_by_network", "reason": fault.decline_code, "risk_level": "normal",
            "risk_score": 12, "seller_message": "The bank did not accept the payment.", "type": "issuer_declined",
        }),
    }
}

/// Ends the wait for a slow payment.
pub fn settle(world: &mut World, id: &str, paid: bool) -> Result<Value, Fault> {
    let intent = world.find("payment_intent", id)?;
    if text(&intent, "status") != "processing" {
        return Err(unexpected(&intent, "settled"));
    }
    let charge = text(&intent, "latest_charge").to_owned();
    if paid {
        return Ok(succeeded(world, id, &charge));
    }
    let fault = Fault::declined(
        "payment_intent_payment_attempt_failed",
        "insufficient_funds",
        "The bank did not pay.",
    );
    world.change(&charge, |charge| {
        charge["status"] = json!("failed");
        charge["failure_code"] = json!(fault.code);
        charge["failure_message"] = json!(fault.message);
        charge["outcome"] = outcome(Some(&fault));
    });
    declined(world, &intent, &charge, fault);
    world.find("payment_intent", id)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A guest's payment of 19.00.
    pub fn paid_with(world: &mut World, card: Card) -> Result<Value, Fault> {
        charge(
            world,
            &Charge {
                customer: "",
                amount: 1_900,
                currency: "usd",
                card,
                metadata: json!({ "order": "ord_1" }),
                description: "Pro",
                invoice: None,
                off_session: OffSession::No,
            },
        )
    }

    fn world() -> World {
        World::open(None, 3).expect("opens")
    }

    fn told(world: &World) -> Vec<&str> {
        let mut topics: Vec<&str> = world.all("event").map(|event| text(event, "type")).collect();
        topics.reverse();
        topics
    }

    #[test]
    fn a_good_card_moves_the_money_and_tells_of_it() {
        let mut world = world();
        let intent = paid_with(&mut world, Card::Good).expect("pays");
        assert_eq!(intent["status"], "succeeded");
        let charge = world.find("charge", text(&intent, "latest_charge")).expect("is there");
        assert_eq!((&charge["paid"], &charge["amount_captured"]), (&json!(true), &json!(1_900)));
        assert_eq!(charge["metadata"]["order"], "ord_1");
        let moved =
            world.find("balance_transaction", text(&charge, "balance_transaction")).expect("is there");
        assert_eq!((&moved["fee"], &moved["net"]), (&json!(85), &json!(1_815)));
        assert_eq!(told(&world), ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]);
    }

    #[test]
    fn a_declined_card_moves_nothing() {
        for card in [Card::Declined, Card::InsufficientFunds, Card::Expired] {
            let mut world = world();
            let fault = paid_with(&mut world, card).expect_err("is declined");
            assert_eq!(fault.status, 402);
            assert_eq!(fault.payment_intent.expect("is told")["status"], "requires_payment_method");
            assert_eq!(world.all("balance_transaction").count(), 0);
            assert_eq!(
                told(&world),
                ["payment_intent.created", "payment_intent.payment_failed", "charge.failed"]
            );
        }
    }

    #[test]
    fn a_slow_payment_ends_either_way() {
        for (paid, status) in [(true, "succeeded"), (false, "requires_payment_method")] {
            let mut world = world();
            let intent = paid_with(&mut world, Card::Slow).expect("begins");
            assert_eq!(intent["status"], "processing");
            assert_eq!(world.all("balance_transaction").count(), 0);
            let id = id_of(&intent);
            assert_eq!(settle(&mut world, &id, paid).expect("settles")["status"], status);
            assert!(settle(&mut world, &id, paid).is_err(), "once");
            assert_eq!(world.all("balance_transaction").count(), usize::from(paid));
        }
    }
}
