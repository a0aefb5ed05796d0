//! Refunds: money back to the card, and the ones that come back because the card's bank did not take them.
//!
//! What always holds: what is refunded of a charge never exceeds it; `amount_refunded`, `refunded` and `refunds` of a
//! charge are what its refunds that stand add up to.

use serde_json::{Value, json};

use crate::{
    balance::{self, Movement},
    fault::Fault,
    fields::{self, int, text},
    http::Request,
    params::Params,
    payments::{self, Card},
    world::{World, id_of},
};

const DAY: i64 = 24 * 60 * 60;
const REASONS: [&str; 3] = ["duplicate", "fraudulent", "requested_by_customer"];
const NEW: [&str; 9] = [
    "amount",
    "charge",
    "instructions_email",
    "metadata",
    "origin",
    "payment_intent",
    "reason",
    "refund_application_fee",
    "reverse_transfer",
];

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["refunds"]) => create(world, params),
        ("GET", ["refunds"]) => list(world, params.text("charge"), params),
        ("GET", ["charges", charge, "refunds"]) => list(world, Some(*charge), params),
        ("GET", ["refunds", id] | ["charges", _, "refunds", id]) => world.find("refund", id),
        ("POST", ["refunds", id]) => update(world, id, params),
        ("POST", ["refunds", id, "cancel"]) => cancel(world, id),
        _ => return None,
    })
}

fn list(world: &World, charge: Option<&str>, params: &Params) -> Result<Value, Fault> {
    let intent = params.text("payment_intent");
    world.list("refund", "/v1/refunds", params, |refund| {
        charge.is_none_or(|charge| refund["charge"] == charge)
            && intent.is_none_or(|intent| refund["payment_intent"] == intent)
    })
}

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&NEW)?;
    let charge = charge_of(world, params)?;
    let reason = fields::word(params, "reason", &REASONS)?;
    let metadata = fields::metadata(&json!({}), params)?;
    refund(world, &charge, params.int("amount")?, reason, &metadata)
}

fn charge_of(world: &World, params: &Params) -> Result<Value, Fault> {
    if let Some(charge) = params.text("charge") {
        return fields::referred(world, "charge", charge, "charge");
    }
    let Some(intent) = params.text("payment_intent") else {
        return Err(Fault::invalid(
            "charge",
            "One of the following params should be provided for this request: payment_intent or charge.",
        ));
    };
    let intent = fields::referred(world, "payment_intent", intent, "payment_intent")?;
    world.find("charge", text(&intent, "latest_charge")).map_err(|_| {
        Fault::state(
            "payment_intent_unexpected_state",
            "This PaymentIntent does not have a successful charge to refund.",
        )
    })
}

/// Gives back a part of a charge, or all that is left of it.
pub fn refund(
    world: &mut World,
    charge: &Value,
    amount: Option<i64>,
    reason: Option<&str>,
    metadata: &Value,
) -> Result<Value, Fault> {
    let id = id_of(charge);
    if text(charge, "status") != "succeeded" {
        return Err(Fault::state("charge_not_refundable", format!("Charge {id} has not succeeded.")));
    }
    if charge["disputed"] == true {
        return Err(Fault::state(
            "charge_disputed",
            format!("Charge {id} has been charged back; cannot issue a refund."),
        ));
    }
    let left = int(charge, "amount") - int(charge, "amount_refunded");
    if left == 0 {
        return Err(Fault::state(
            "charge_already_refunded",
            format!("Charge {id} has already been refunded."),
        ));
    }
    let amount = amount.unwrap_or(left);
    if amount < 1 {
        return Err(Fault::invalid("amount", "Invalid positive integer"));
    }
    if amount > left {
        return Err(Fault::invalid(
            "amount",
            &format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})."),
        ));
    }
    let refund = world.new_id("re");
    let created = payments::world_time(world, charge);
    let transaction = moved(world, charge, &refund, "refund", -amount);
    let made = world.put(json!({
        "id": refund, "object": "refund", "amount": amount, "balance_transaction": transaction, "charge": id,
        "created": created, "currency": charge["currency"], "customer": charge["customer"],
        "destination_details": { "type": "card", "card": {
            "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
        } },
        "failure_balance_transaction": null, "failure_reason": null, "metadata": metadata, "next_action": null,
        "payment_intent": charge["payment_intent"], "payment_method": charge["payment_method"],
        "pending_reason": null, "reason": reason, "receipt_number": null, "source_transfer_reversal": null,
        "status": "succeeded", "transfer_reversal": null,
    }));
    add_up(world, &id);
    world.emit("refund.created", &refund);
    world.emit("charge.refunded", &id);
    Ok(made)
}

fn moved(world: &mut World, charge: &Value, refund: &str, kind: &str, amount: i64) -> Value {
    let movement = Movement {
        kind,
        category: kind,
        source: refund,
        amount,
        fee: 0,
        currency: &charge["currency"],
        description: "REFUND FOR CHARGE",
        created: payments::world_time(world, charge),
    };
    balance::record(world, &movement)["id"].take()
}

/// What stands of a charge's refunds, put into the charge.
fn add_up(world: &mut World, charge: &str) {
    let all: Vec<Value> = world.all("refund").filter(|refund| refund["charge"] == charge).cloned().collect();
    let stands = |refund: &&Value| !matches!(text(refund, "status"), "failed" | "canceled");
    let refunded: i64 = all.iter().filter(stands).map(|refund| int(refund, "amount")).sum();
    let refunds = fields::list(&format!("/v1/charges/{charge}/refunds"), all);
    world.change(charge, |charge| {
        charge["amount_refunded"] = json!(refunded);
        charge["refunded"] = json!(refunded == int(charge, "amount"));
        charge["refunds"] = refunds;
    });
}

/// The card's bank sent it back: the money is on the balance again.
pub fn fail(world: &mut World, id: &str) -> Result<Value, Fault> {
    let refund = world.find("refund", id)?;
    if !matches!(text(&refund, "status"), "succeeded" | "pending") {
        return Err(Fault::state("refund_unexpected_state", format!("Refund {id} cannot fail any more.")));
    }
    let charge = world.find("charge", text(&refund, "charge"))?;
    let transaction = moved(world, &charge, id, "refund_failure", int(&refund, "amount"));
    world.change(id, |refund| {
        refund["status"] = json!("failed");
        refund["failure_reason"] = json!("expired_or_canceled_card");
        refund["failure_balance_transaction"] = transaction;
    });
    add_up(world, text(&charge, "id"));
    world.emit("refund.updated", id);
    world.emit("charge.refund.updated", id);
    world.emit("refund.failed", id);
    world.find("refund", id)
}

/// Fails those that their card promised to, a day after they were made.
pub fn fail_due(world: &mut World) {
    let due: Vec<String> = world
        .all("refund")
        .filter(|refund| refund["status"] == "succeeded")
        .filter(|refund| int(refund, "created") + DAY <= payments::world_time(world, refund))
        .filter(|refund| payments::card_of(world, text(refund, "payment_method")) == Card::RefundFailsLater)
        .map(id_of)
        .collect();
    for id in due {
        if let Err(fault) = world.whole(|world| fail(world, &id)) {
            tracing::warn!(refund = id, fault = fault.message, "a refund could not fail");
        }
    }
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["metadata"])?;
    let refund = world.find("refund", id)?;
    let metadata = fields::metadata(&refund["metadata"], params)?;
    world.change(id, |refund| refund["metadata"] = metadata);
    add_up(world, text(&refund, "charge"));
    world.emit("refund.updated", id);
    world.emit("charge.refund.updated", id);
    world.find("refund", id)
}

fn cancel(world: &mut World, id: &str) -> Result<Value, Fault> {
    let refund = world.find("refund", id)?;
    if text(&refund, "status") != "requires_action" {
        return Err(Fault::state(
            "refund_unexpected_state",
            "Only refunds that wait for an action of the customer can be canceled.",
        ));
    }
    world.change(id, |refund| refund["status"] = json!("canceled"));
    add_up(world, text(&refund, "charge"));
    world.emit("refund.updated", id);
    world.find("refund", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(card: Card) -> (World, String) {
        let mut world = World::open(None, 5).expect("opens");
        let intent = payments::tests::paid_with(&mut world, card).expect("pays");
        let charge = text(&intent, "latest_charge").to_owned();
        (world, charge)
    }

    fn ask(world: &mut World, query: &str) -> Result<Value, Fault> {
        let params = Params::parse(query)?;
        world.whole(|world| create(world, &params))
    }

    fn on_balance(world: &World) -> i64 {
        world.all("balance_transaction").map(|moved| int(moved, "amount")).sum()
    }

    #[test]
    fn no_more_than_was_paid_goes_back() {
        let (mut world, charge) = paid(Card::Good);
        ask(&mut world, &format!("charge={charge}&amount=500&reason=duplicate")).expect("refunds");
        assert_eq!(world.find("charge", &charge).expect("there")["amount_refunded"], 500);
        let too_much = ask(&mut world, &format!("charge={charge}&amount=1401")).expect_err("too much");
        assert_eq!(too_much.param.as_deref(), Some("amount"));
        let rest = ask(&mut world, &format!("charge={charge}")).expect("refunds");
        assert_eq!(rest["amount"], 1_400);
        assert_eq!(world.find("charge", &charge).expect("there")["refunded"], true);
        let again = ask(&mut world, &format!("charge={charge}")).expect_err("nothing left");
        assert_eq!(again.code.as_deref(), Some("charge_already_refunded"));
        assert_eq!(on_balance(&world), 0);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let (mut world, charge) = paid(Card::Good);
        for query in [
            String::from("amount=5"),
            String::from("charge=ch_none"),
            format!("charge={charge}&amount=0"),
            format!("charge={charge}&amount=-5"),
            format!("charge={charge}&reason=mood"),
            format!("charge={charge}&ammount=5"),
        ] {
            assert_eq!(ask(&mut world, &query).expect_err("refused").status, 400, "{query}");
        }
        assert_eq!(world.all("refund").count(), 0);
    }

    #[test]
    fn a_refund_that_failed_can_be_made_again() {
        let (mut world, charge) = paid(Card::RefundFailsLater);
        let refund = id_of(&ask(&mut world, &format!("charge={charge}")).expect("refunds"));
        fail_due(&mut world);
        assert_eq!(world.find("refund", &refund).expect("there")["status"], "succeeded");
        world.advance(DAY).expect("advances");
        fail_due(&mut world);
        let failed = world.find("refund", &refund).expect("there");
        assert_eq!(failed["status"], "failed");
        assert!(failed["failure_balance_transaction"].is_string());
        assert!(fail(&mut world, &refund).is_err(), "once");
        let charged = world.find("charge", &charge).expect("there");
        assert_eq!((&charged["amount_refunded"], &charged["refunded"]), (&json!(0), &json!(false)));
        assert_eq!(on_balance(&world), 1_900);
        ask(&mut world, &format!("charge={charge}")).expect("refunds again");
    }
}
