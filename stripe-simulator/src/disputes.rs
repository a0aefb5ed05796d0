//! Disputes: the bank of who paid takes the money, and gives it back or not.
//!
//! What always holds: a charge is disputed once; what was taken comes back once, when it is won, and the fee never.

use serde_json::{Map, Value, json};

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
const FEE: i64 = 1_500;
/// How long one may answer.
const DUE_AFTER: i64 = 9 * DAY;
/// Stripe's words for tests: evidence that decides at once.
const WINNING: &str = "winning_evidence";
const LOSING: &str = "losing_evidence";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Won,
    Lost,
}

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("GET", ["disputes"]) => {
            let (charge, intent) = (params.text("charge"), params.text("payment_intent"));
            world.list("dispute", "/v1/disputes", params, |dispute| {
                charge.is_none_or(|charge| dispute["charge"] == charge)
                    && intent.is_none_or(|intent| dispute["payment_intent"] == intent)
            })
        }
        ("GET", ["disputes", id]) => world.find("dispute", id),
        ("POST", ["disputes", id]) => update(world, id, params),
        // To accept it is to lose it.
        ("POST", ["disputes", id, "close"]) => close(world, id, Verdict::Lost),
        _ => return None,
    })
}

/// The bank takes what is left of a charge, and Stripe its fee.
pub fn open(world: &mut World, charge: &str) -> Result<Value, Fault> {
    let paid = world.find("charge", charge)?;
    let amount = int(&paid, "amount") - int(&paid, "amount_refunded");
    if text(&paid, "status") != "succeeded" || paid["disputed"] == true || amount == 0 {
        return Err(Fault::state("charge_not_disputable", format!("Charge {charge} cannot be disputed.")));
    }
    let id = world.new_id("dp");
    let now = payments::world_time(world, &paid);
    let taken = moved(world, &paid, &id, "dispute", -amount, FEE);
    world.put(json!({
        "id": id, "object": "dispute", "amount": amount, "balance_transactions": [taken], "charge": charge,
        "created": now, "currency": paid["currency"], "customer": paid["customer"],
        "enhanced_eligibility_types": [], "evidence": { "uncategorized_text": null, "enhanced_evidence": {} },
        "evidence_details": {
            "due_by": now + DUE_AFTER, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": false, "livemode": false, "metadata": {},
        "payment_intent": paid["payment_intent"],
        "payment_method_details": { "type": "card", "card": {
            "brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4",
        } },
        "reason": "fraudulent", "status": "needs_response",
    }));
    world.change(charge, |charge| charge["disputed"] = json!(true));
    world.emit("charge.dispute.created", &id);
    world.emit("charge.dispute.funds_withdrawn", &id);
    world.find("dispute", &id)
}

fn moved(world: &mut World, charge: &Value, dispute: &str, category: &str, amount: i64, fee: i64) -> Value {
    let movement = Movement {
        kind: "adjustment",
        category,
        source: dispute,
        amount,
        fee,
        currency: &charge["currency"],
        description: "Chargeback withdrawal or reversal",
        created: payments::world_time(world, charge),
    };
    balance::record(world, &movement)
}

/// Decides a dispute that is still open.
pub fn close(world: &mut World, id: &str, verdict: Verdict) -> Result<Value, Fault> {
    let dispute = open_one(world, id)?;
    let charge = world.find("charge", text(&dispute, "charge"))?;
    let back = match verdict {
        Verdict::Won => Some(moved(world, &charge, id, "dispute_reversal", int(&dispute, "amount"), 0)),
        Verdict::Lost => None,
    };
    let status = if back.is_some() { "won" } else { "lost" };
    let won = back.is_some();
    world.change(id, |dispute| {
        dispute["status"] = json!(status);
        if let (Some(back), Some(moved)) = (back, dispute["balance_transactions"].as_array_mut()) {
            moved.push(back);
        }
    });
    world.emit("charge.dispute.updated", id);
    world.emit("charge.dispute.closed", id);
    if won {
        world.emit("charge.dispute.funds_reinstated", id);
    }
    world.find("dispute", id)
}

fn open_one(world: &World, id: &str) -> Result<Value, Fault> {
    let dispute = world.find("dispute", id)?;
    if matches!(text(&dispute, "status"), "won" | "lost") {
        return Err(Fault::state("dispute_closed", "This dispute is already closed."));
    }
    Ok(dispute)
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["evidence", "metadata", "submit"])?;
    let dispute = open_one(world, id)?;
    let metadata = fields::metadata(&dispute["metadata"], params)?;
    let evidence = params.object("evidence");
    let submitted = !evidence.is_empty() && params.bool("submit")? != Some(false);
    let decision = evidence.get("uncategorized_text").and_then(Value::as_str).map(str::to_owned);
    world.change(id, |dispute| {
        dispute["metadata"] = metadata;
        add_evidence(dispute, evidence, submitted);
    });
    match decision.as_deref() {
        Some(WINNING) if submitted => return close(world, id, Verdict::Won),
        Some(LOSING) if submitted => return close(world, id, Verdict::Lost),
        _ => {}
    }
    world.emit("charge.dispute.updated", id);
    world.find("dispute", id)
}

fn add_evidence(dispute: &mut Value, evidence: Map<String, Value>, submitted: bool) {
    if !evidence.is_empty() {
        dispute["evidence_details"]["has_evidence"] = json!(true);
    }
    if let Some(kept) = dispute["evidence"].as_object_mut() {
        kept.extend(evidence);
    }
    if submitted {
        dispute["status"] = json!("under_review");
        let count = int(&dispute["evidence_details"], "submission_count");
        dispute["evidence_details"]["submission_count"] = json!(count + 1);
    }
}

/// Opens those that their card promised, a day after it paid.
pub fn open_due(world: &mut World) {
    let due: Vec<String> = world
        .all("charge")
        .filter(|charge| charge["disputed"] == false && charge["refunded"] == false && charge["paid"] == true)
        .filter(|charge| int(charge, "created") + DAY <= payments::world_time(world, charge))
        .filter(|charge| payments::card_of(world, text(charge, "payment_method")) == Card::DisputedLater)
        .map(id_of)
        .collect();
    for id in due {
        if let Err(fault) = world.whole(|world| open(world, &id)) {
            tracing::warn!(charge = id, fault = fault.message, "a dispute could not be opened");
        }
    }
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

    fn net(world: &World) -> i64 {
        world.all("balance_transaction").map(|moved| int(moved, "net")).sum()
    }

    #[test]
    fn what_was_taken_comes_back_when_it_is_won_but_for_the_fee() {
        for (verdict, status, back) in [(Verdict::Won, "won", 1_900), (Verdict::Lost, "lost", 0)] {
            let (mut world, charge) = paid(Card::Good);
            let before = net(&world);
            let dispute = open(&mut world, &charge).expect("opens");
            assert_eq!(net(&world), before - 1_900 - FEE);
            assert_eq!(dispute["balance_transactions"][0]["amount"], -1_900);
            let closed = close(&mut world, text(&dispute, "id"), verdict).expect("closes");
            assert_eq!(closed["status"], status);
            assert_eq!(net(&world), before - 1_900 - FEE + back);
            assert!(close(&mut world, text(&dispute, "id"), verdict).is_err(), "once");
            assert!(open(&mut world, &charge).is_err(), "once");
        }
    }

    #[test]
    fn a_disputed_charge_is_not_refunded() {
        let (mut world, charge) = paid(Card::Good);
        open(&mut world, &charge).expect("opens");
        let charge = world.find("charge", &charge).expect("there");
        let fault = crate::refunds::refund(&mut world, &charge, None, None, &json!({})).expect_err("refused");
        assert_eq!(fault.code.as_deref(), Some("charge_disputed"));
    }

    #[test]
    fn evidence_is_reviewed_and_words_for_tests_decide() {
        let (mut world, charge) = paid(Card::Good);
        let id = id_of(&open(&mut world, &charge).expect("opens"));
        let params = Params::parse("evidence[product_description]=Software").expect("reads");
        assert_eq!(update(&mut world, &id, &params).expect("takes it")["status"], "under_review");
        let params = Params::parse("evidence[uncategorized_text]=winning_evidence").expect("reads");
        assert_eq!(update(&mut world, &id, &params).expect("takes it")["status"], "won");
    }

    #[test]
    fn the_card_that_is_disputed_later_is_disputed_a_day_later() {
        let (mut world, _) = paid(Card::DisputedLater);
        open_due(&mut world);
        assert_eq!(world.all("dispute").count(), 0);
        world.advance(DAY).expect("advances");
        open_due(&mut world);
        open_due(&mut world);
        assert_eq!(world.all("dispute").count(), 1);
    }
}
