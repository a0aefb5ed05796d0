//! What moved on the seller's balance, one transaction for each movement.
//!
//! What always holds: `net` is `amount` less `fee`, and a transaction never changes.

use serde_json::{Value, json};

use crate::{fault::Fault, http::Request, sums, world::World};

const FEE_PERCENT: f64 = 2.9;
const FEE_FIXED: i64 = 30;
const HELD_FOR: i64 = 2 * 24 * 60 * 60;

pub struct Movement<'a> {
    /// `charge`, `refund`, `refund_failure`, `adjustment`.
    pub kind: &'a str,
    /// What reports call it: as `kind`, but `dispute` and `dispute_reversal` for adjustments.
    pub category: &'a str,
    /// Id of the charge, refund or dispute.
    pub source: &'a str,
    pub amount: i64,
    pub fee: i64,
    pub currency: &'a Value,
    pub description: &'a str,
    pub created: i64,
}

/// What Stripe keeps of a payment.
pub fn fee_of(amount: i64) -> i64 {
    sums::share(amount, FEE_PERCENT) + FEE_FIXED
}

/// Writes a movement down and gives the transaction.
pub fn record(world: &mut World, movement: &Movement<'_>) -> Value {
    let id = world.new_id("txn");
    let fees = if movement.fee == 0 {
        json!([])
    } else {
        json!([{
            "amount": movement.fee, "application": null, "currency": movement.currency,
            "description": "Stripe processing fees", "type": "stripe_fee",
        }])
    };
    world.put(json!({
        "id": id, "object": "balance_transaction", "amount": movement.amount,
        "available_on": movement.created + HELD_FOR, "balance_type": "payments", "created": movement.created,
        "currency": movement.currency, "description": movement.description, "exchange_rate": null,
        "fee": movement.fee, "fee_details": fees, "net": movement.amount - movement.fee,
        "reporting_category": movement.category, "source": movement.source, "status": "available",
        "type": movement.kind,
    }))
}

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    match (request.method, request.path.as_slice()) {
        ("GET", ["balance_transactions"]) => {
            let (source, kind) = (request.params.text("source"), request.params.text("type"));
            Some(world.list(
                "balance_transaction",
                "/v1/balance_transactions",
                &request.params,
                |transaction| {
                    source.is_none_or(|source| transaction["source"] == source)
                        && kind.is_none_or(|kind| transaction["type"] == kind)
                },
            ))
        }
        ("GET", ["balance_transactions", id]) => Some(world.find("balance_transaction", id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_half_up() {
        assert_eq!(fee_of(1_900), 55 + 30);
        assert_eq!(fee_of(500), 15 + 30);
        assert_eq!(fee_of(100), 3 + 30);
    }

    #[test]
    fn net_is_amount_less_fee() {
        let mut world = World::open(None, 1).expect("opens");
        let movement = Movement {
            kind: "charge",
            category: "charge",
            source: "ch_1",
            amount: 1_900,
            fee: 85,
            currency: &json!("usd"),
            description: "",
            created: 0,
        };
        assert_eq!(record(&mut world, &movement)["net"], 1_815);
    }
}
