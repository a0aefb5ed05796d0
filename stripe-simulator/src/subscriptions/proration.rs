//! What a change in the middle of a period costs: the rest of the old is given back, the rest of the new is charged.
//!
//! What always holds: shares are by the second, each rounded by itself, half away from zero; what is given back is a share
//! of what was billed, discount and tax with it, so that changing to and fro at one moment comes to nothing.

use serde_json::Value;

use crate::{
    fields::{int, items, text},
    invoices::{self, Discounted, Kind, Line},
    subscriptions::{
        book::{Billed, Book},
        discounts, rate_ids, words,
    },
    world::World,
};

/// The share of an amount for what is left of its period.
pub fn left(amount: i64, at: i64, (start, end): (i64, i64)) -> i64 {
    let whole = end - start;
    if whole <= 0 {
        return 0;
    }
    let exact = i128::from(amount) * i128::from((end - at).clamp(0, whole));
    let magnitude = (2 * exact.abs() + i128::from(whole)) / (2 * i128::from(whole));
    let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
    if exact < 0 { -magnitude } else { magnitude }
}

fn shares(discounts: &[Discounted], sign: i64, at: i64, period: (i64, i64)) -> Vec<Discounted> {
    let share = |off: &Discounted| Discounted { amount: sign * left(off.amount, at, period), ..off.clone() };
    discounts.iter().map(share).filter(|off| off.amount != 0).collect()
}

/// The rest of what was billed for these items, given back.
pub fn credits(
    world: &mut World,
    subscription: &Value,
    book: &Book,
    touched: impl Fn(&str) -> bool,
    at: i64,
) -> Vec<Value> {
    let period = period(subscription);
    let mut lines = Vec::new();
    for billed in book.billed.iter().filter(|billed| touched(&billed.item)) {
        let amount = -left(billed.amount, at, period);
        let Some(price) = world.get(&billed.price).cloned() else { continue };
        if amount == 0 {
            continue;
        }
        let product = words::product(world, &price);
        let day = words::day(at);
        let line = Line {
            subscription,
            item: &billed.item,
            price: &price,
            quantity: billed.quantity,
            amount,
            discounts: shares(&billed.discounts, -1, at, period),
            tax_rates: &billed.tax_rates,
            period: (at, period.1),
            kind: Kind::Proration,
            description: format!("Unused time on {} × {product} after {day}", billed.quantity),
        };
        lines.push(invoices::line(world, &line));
    }
    lines
}

/// The rest of the period for these items as they are now. The book then says what their whole period costs.
pub fn charges(
    world: &mut World,
    subscription: &Value,
    discounts: &[Value],
    touched: &[String],
    at: i64,
    book: &mut Book,
) -> Vec<Value> {
    let period = period(subscription);
    book.billed.retain(|billed| !touched.contains(&billed.item));
    let mut lines = Vec::new();
    for billed in whole_period(world, subscription, discounts) {
        if !touched.contains(&billed.item) {
            continue;
        }
        let amount = left(billed.amount, at, period);
        let price = world.get(&billed.price).cloned().unwrap_or_default();
        let product = words::product(world, &price);
        let day = words::day(at);
        if amount != 0 {
            let line = Line {
                subscription,
                item: &billed.item,
                price: &price,
                quantity: billed.quantity,
                amount,
                discounts: shares(&billed.discounts, 1, at, period),
                tax_rates: &billed.tax_rates,
                period: (at, period.1),
                kind: Kind::Proration,
                description: format!("Remaining time on {} × {product} after {day}", billed.quantity),
            };
            lines.push(invoices::line(world, &line));
        }
        book.billed.push(billed);
    }
    lines
}

/// A whole period of all items, billed in advance.
pub fn full(world: &mut World, subscription: &Value, discounts: &[Value], book: &mut Book) -> Vec<Value> {
    let period = period(subscription);
    book.billed = whole_period(world, subscription, discounts);
    let mut lines = Vec::new();
    for billed in &book.billed {
        let price = world.get(&billed.price).cloned().unwrap_or_default();
        let line = Line {
            subscription,
            item: &billed.item,
            price: &price,
            quantity: billed.quantity,
            amount: billed.amount,
            discounts: billed.discounts.clone(),
            tax_rates: &billed.tax_rates,
            period,
            kind: Kind::Period,
            description: words::line(world, &price, billed.quantity),
        };
        lines.push(invoices::line(world, &line));
    }
    lines
}

/// What a whole period of each item costs as things stand.
fn whole_period(world: &World, subscription: &Value, discounts: &[Value]) -> Vec<Billed> {
    let all = items(&subscription["items"]);
    let cost = |item: &Value| int(&item["price"], "unit_amount").saturating_mul(int(item, "quantity"));
    let amounts: Vec<i64> = all.iter().map(cost).collect();
    let taken = discounts::taken(world, discounts, &amounts);
    let billed = |(item, (amount, discounts)): (&Value, (&i64, Vec<Discounted>))| Billed {
        item: text(item, "id").to_owned(),
        price: text(&item["price"], "id").to_owned(),
        quantity: int(item, "quantity"),
        amount: *amount,
        discounts,
        tax_rates: rate_ids(subscription),
    };
    all.iter().zip(amounts.iter().zip(taken)).map(billed).collect()
}

pub fn period(subscription: &Value) -> (i64, i64) {
    let item = &subscription["items"]["data"][0];
    (int(item, "current_period_start"), int(item, "current_period_end"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_period_is_half_the_amount() {
        assert_eq!(left(1_901, 50, (0, 100)), 951);
        assert_eq!(left(-1_901, 50, (0, 100)), -951);
        assert_eq!(left(1_900, 0, (0, 100)), 1_900);
        assert_eq!(left(1_900, 100, (0, 100)), 0);
        assert_eq!(left(1_900, 7, (7, 7)), 0);
    }

    proptest! {
        #[test]
        fn a_share_stays_within_its_amount_and_credit_mirrors_charge(
            amount in 0_i64..10_000_000_000, length in 1_i64..40_000_000, passed in 0_i64..40_000_000,
        ) {
            let period = (1_000, 1_000 + length);
            let share = left(amount, 1_000 + passed, period);
            prop_assert!((0..=amount).contains(&share));
            prop_assert_eq!(left(-amount, 1_000 + passed, period), -share);
            // What was used and what is left differ from the whole by at most the rounding of a half each.
            let used = left(amount, 1_000 + (length - passed).max(0), period);
            if passed <= length {
                prop_assert!((share + used - amount).abs() <= 1);
            }
        }

        #[test]
        fn later_is_never_dearer(amount in 0_i64..10_000_000, first in 0_i64..1_000, then in 0_i64..1_000) {
            let (early, late) = (first.min(then), first.max(then));
            prop_assert!(left(amount, late, (0, 1_000)) <= left(amount, early, (0, 1_000)));
        }
    }
}
