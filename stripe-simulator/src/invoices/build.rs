//! How an invoice is put together from its lines.
//!
//! What always holds: discount and tax are worked out line by line, and the invoice's sums are sums of its lines. A total
//! below zero is no payment: it becomes the customer's balance and pays for later invoices.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    fields::{self, int, items, joined, text},
    sums,
    world::World,
};

/// What one discount takes off a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Discounted {
    pub discount: String,
    pub amount: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Period,
    Proration,
}

pub struct Line<'a> {
    pub subscription: &'a Value,
    /// The subscription item's id.
    pub item: &'a str,
    pub price: &'a Value,
    pub quantity: i64,
    /// Before discount and tax. Below zero for what is given back, and its discounts then too.
    pub amount: i64,
    pub discounts: Vec<Discounted>,
    pub tax_rates: &'a [String],
    pub period: (i64, i64),
    pub kind: Kind,
    pub description: String,
}

/// A line as Stripe shows it, on no invoice yet.
pub fn line(world: &mut World, line: &Line<'_>) -> Value {
    let id = world.new_id("il");
    let off: i64 = line.discounts.iter().map(|off| off.amount).sum();
    let discounts: Vec<&str> = line.discounts.iter().map(|off| off.discount.as_str()).collect();
    let subscription = text(line.subscription, "id");
    let proration = line.kind == Kind::Proration;
    joined(
        json!({
            "id": id, "object": "line_item", "amount": line.amount, "currency": line.subscription["currency"],
            "description": line.description, "discount_amounts": line.discounts, "discountable": !proration,
            "discounts": discounts, "invoice": null, "livemode": false, "metadata": line.subscription["metadata"],
            "parent": {
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null, "proration": proration, "proration_details": { "credited_items": null },
                    "subscription": subscription, "subscription_item": line.item,
                },
                "type": "subscription_item_details",
            },
        }),
        json!({
            "period": { "end": line.period.1, "start": line.period.0 }, "pretax_credit_amounts": [],
            "pricing": {
                "price_details": { "price": line.price["id"], "product": line.price["product"] },
                "type": "price_details", "unit_amount_decimal": line.price["unit_amount_decimal"],
            },
            "quantity": line.quantity, "quantity_decimal": line.quantity.to_string(), "subscription": subscription,
            "subtotal": line.amount, "taxes": taxes(world, line.amount - off, line.tax_rates),
        }),
    )
}

fn taxes(world: &World, net: i64, rates: &[String]) -> Vec<Value> {
    let rates = rates.iter().filter_map(|id| world.get(id));
    rates
        .map(|rate| {
            let tax = sums::tax(net, rate);
            let (behaviour, taxable) =
                if tax.inclusive { ("inclusive", net - tax.amount) } else { ("exclusive", net) };
            json!({
                "amount": tax.amount, "tax_behavior": behaviour, "tax_rate_details": { "tax_rate": rate["id"] },
                "taxability_reason": "not_available", "taxable_amount": taxable, "type": "tax_rate_details",
            })
        })
        .collect()
}

/// What lines come to.
#[derive(Debug, Default, PartialEq)]
struct Totals {
    subtotal: i64,
    discount: i64,
    /// On top of the amounts.
    exclusive: i64,
    /// Within them.
    inclusive: i64,
}

impl Totals {
    fn of(lines: &[Value]) -> Self {
        let mut totals = Self::default();
        for line in lines {
            totals.subtotal += int(line, "amount");
            totals.discount +=
                items(&line["discount_amounts"]).iter().map(|off| int(off, "amount")).sum::<i64>();
            for tax in items(&line["taxes"]) {
                let sum = match text(tax, "tax_behavior") {
                    "inclusive" => &mut totals.inclusive,
                    _ => &mut totals.exclusive,
                };
                *sum += int(tax, "amount");
            }
        }
        totals
    }

    fn total(&self) -> i64 {
        self.subtotal - self.discount + self.exclusive
    }
}

/// Entries that say the same but for their amounts, with the amounts added up.
fn merged(entries: impl Iterator<Item = Value>, amounts: &[&str]) -> Vec<Value> {
    let mut sums: Vec<Value> = Vec::new();
    for entry in entries {
        if let Some(sum) = sums.iter_mut().find(|sum| blank(sum, amounts) == blank(&entry, amounts)) {
            for name in amounts {
                sum[*name] = json!(int(sum, name) + int(&entry, name));
            }
        } else {
            sums.push(entry);
        }
    }
    sums
}

fn blank(entry: &Value, amounts: &[&str]) -> Value {
    let mut blank = entry.clone();
    for name in amounts {
        blank[*name] = Value::Null;
    }
    blank
}

pub struct Head<'a> {
    pub subscription: &'a Value,
    /// `subscription_create`, `subscription_cycle`, `subscription_update`
    pub reason: &'a str,
    pub at: i64,
    pub period: (i64, i64),
}

/// An open invoice with a number, that nobody was told of yet: [`super::post`] sends it out.
pub fn invoice(world: &mut World, head: &Head<'_>, lines: Vec<Value>) -> Value {
    let id = world.new_id("in");
    let secret = world.new_secret("inst", 24);
    let subscription = head.subscription;
    let customer = world.get(text(subscription, "customer")).cloned().unwrap_or_default();
    let number =
        format!("{}-{:04}", text(&customer, "invoice_prefix"), int(&customer, "next_invoice_sequence"));
    let on_it = |mut line: Value| {
        line["invoice"] = json!(id);
        line
    };
    let lines: Vec<Value> = lines.into_iter().map(on_it).collect();
    let url = format!("{}/invoice/{id}", world.base);
    [
        first_part(&id, head, &customer),
        json!({
            "hosted_invoice_url": url, "invoice_pdf": format!("{url}/pdf"), "number": number,
            "confirmation_secret": { "client_secret": secret, "type": "payment_intent" },
            "lines": fields::list(&format!("/v1/invoices/{id}/lines"), lines.clone()),
            "payments": fields::list("/v1/invoice_payments", Vec::new()),
        }),
        last_part(head),
        amounts(&lines, int(&customer, "balance")),
    ]
    .into_iter()
    .fold(json!({}), joined)
}

fn first_part(id: &str, head: &Head<'_>, customer: &Value) -> Value {
    let subscription = head.subscription;
    json!({
        "id": id, "object": "invoice", "account_country": null, "account_name": "Simulator", "account_tax_ids": null,
        "application": null, "attempt_count": 0, "attempted": false, "auto_advance": true,
        "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null },
        "automatically_finalizes_at": null, "billing_reason": head.reason,
        "collection_method": "charge_automatically", "created": head.at, "currency": subscription["currency"],
        "custom_fields": null, "customer": customer["id"], "customer_account": null,
        "customer_address": customer["address"], "customer_email": customer["email"],
        "customer_name": customer["name"], "customer_phone": customer["phone"], "customer_shipping": null,
        "customer_tax_exempt": customer["tax_exempt"], "customer_tax_ids": [],
    })
}

fn last_part(head: &Head<'_>) -> Value {
    let subscription = head.subscription;
    joined(
        json!({
            "default_payment_method": null, "default_source": null,
            "default_tax_rates": subscription["default_tax_rates"], "description": null,
            "discounts": subscription["discounts"], "due_date": null, "effective_at": head.at, "footer": null,
            "from_invoice": null, "issuer": { "type": "self" }, "last_finalization_error": null,
            "latest_revision": null, "livemode": false, "metadata": {}, "next_payment_attempt": null,
            "on_behalf_of": null,
        }),
        json!({
            "parent": {
                "quote_details": null,
                "subscription_details": {
                    "metadata": subscription["metadata"], "subscription": subscription["id"],
                    "subscription_proration_date": null,
                },
                "type": "subscription_details",
            },
            "payment_settings": { "default_mandate": null, "payment_method_options": null, "payment_method_types": null },
            "period_end": head.period.1, "period_start": head.period.0, "receipt_number": null, "rendering": null,
            "shipping_cost": null, "shipping_details": null, "statement_descriptor": null, "status": "open",
            "status_transitions": {
                "finalized_at": head.at, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null,
            },
            "test_clock": subscription["test_clock"], "threshold_reason": null, "webhooks_delivered_at": head.at,
        }),
    )
}

fn amounts(lines: &[Value], balance: i64) -> Value {
    let totals = Totals::of(lines);
    let total = totals.total();
    // Below zero, the balance is what the customer has to their credit.
    let due = total + balance;
    let all = |name: &'static str| lines.iter().flat_map(move |line| items(&line[name]).to_vec());
    json!({
        "amount_due": due.max(0), "amount_overpaid": 0, "amount_paid": 0, "amount_remaining": due.max(0),
        "amount_shipping": 0, "ending_balance": due.min(0), "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "starting_balance": balance, "subtotal": totals.subtotal,
        "subtotal_excluding_tax": totals.subtotal - totals.inclusive, "total": total,
        "total_discount_amounts": merged(all("discount_amounts"), &["amount"]),
        "total_excluding_tax": total - totals.exclusive - totals.inclusive, "total_pretax_credit_amounts": [],
        "total_taxes": merged(all("taxes"), &["amount", "taxable_amount"]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line_of(amount: i64, off: i64, tax: i64, behaviour: &str) -> Value {
        json!({
            "amount": amount,
            "discount_amounts": [{ "amount": off, "discount": "di_1" }],
            "taxes": [{
                "amount": tax, "tax_behavior": behaviour, "taxable_amount": amount - off,
                "tax_rate_details": { "tax_rate": "txr_1" },
            }],
        })
    }

    #[test]
    fn a_total_below_zero_becomes_a_balance() {
        let amounts = amounts(&[line_of(-1_000, 0, -190, "exclusive")], -50);
        assert_eq!(amounts["total"], -1_190);
        assert_eq!((&amounts["amount_due"], &amounts["ending_balance"]), (&json!(0), &json!(-1_240)));
    }

    #[test]
    fn a_balance_pays_first() {
        let amounts = amounts(&[line_of(1_000, 100, 171, "exclusive")], -71);
        assert_eq!((&amounts["total"], &amounts["amount_due"]), (&json!(1_071), &json!(1_000)));
        assert_eq!((&amounts["starting_balance"], &amounts["ending_balance"]), (&json!(-71), &json!(0)));
        assert_eq!(amounts["total_taxes"][0]["amount"], 171);
    }

    #[test]
    fn an_inclusive_tax_is_not_added() {
        let amounts = amounts(&[line_of(1_190, 0, 190, "inclusive")], 0);
        assert_eq!((&amounts["total"], &amounts["total_excluding_tax"]), (&json!(1_190), &json!(1_000)));
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_lines(
            lines in prop::collection::vec((-1_000_000_i64..1_000_000, 0_i64..1_000, -100_000_i64..100_000), 0..8),
            balance in -100_000_i64..100_000,
        ) {
            let lines: Vec<Value> =
                lines.into_iter().map(|(amount, off, tax)| line_of(amount, off, tax, "exclusive")).collect();
            let amounts = amounts(&lines, balance);
            let sum = |name: &str| int(&amounts, name);
            let taxes: i64 = items(&amounts["total_taxes"]).iter().map(|tax| int(tax, "amount")).sum();
            let offs: i64 = items(&amounts["total_discount_amounts"]).iter().map(|off| int(off, "amount")).sum();
            prop_assert_eq!(sum("total"), sum("subtotal") - offs + taxes);
            prop_assert_eq!(sum("total_excluding_tax") + taxes, sum("total"));
            // Nothing is made or lost between what is owed, what is due and the balance.
            prop_assert_eq!(sum("total") + balance, sum("amount_due") + sum("ending_balance"));
            prop_assert!(sum("amount_due") >= 0 && sum("ending_balance") <= 0);
        }
    }
}
