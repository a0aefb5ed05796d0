//! What the lines of a session come to: discounts and taxes in whole minor units.
//!
//! What always holds: each line is rounded by itself, half away from zero, and the parts of an amount add up to it.

use serde_json::{Value, json};

/// A percentage has four digits behind the point, so a whole is a million.
const WHOLE: i128 = 1_000_000;

/// A percentage as Stripe writes it (19, 8.1) in ten-thousandths of a percent.
pub fn parts(percentage: f64) -> i128 {
    (percentage * 10_000.0).round() as i128
}

/// A percentage of an amount, rounded half away from zero.
pub fn share(amount: i64, percentage: f64) -> i64 {
    rounded(i128::from(amount) * parts(percentage), WHOLE)
}

/// The tax that an amount already has in it.
fn share_within(amount: i64, percentage: f64) -> i64 {
    rounded(i128::from(amount) * parts(percentage), WHOLE + parts(percentage))
}

fn rounded(exact: i128, whole: i128) -> i64 {
    let twice = 2 * exact.abs() + whole;
    let magnitude = i64::try_from(twice / (2 * whole)).unwrap_or(i64::MAX);
    if exact < 0 { -magnitude } else { magnitude }
}

/// Parts that add up to the amount, in proportion to the weights: rounded down, and what is left goes one by one to
/// the largest remainders, the first of equals first.
pub fn split(amount: i64, weights: &[i64]) -> Vec<i64> {
    let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
    if total <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |index: usize| i128::from(amount) * i128::from(weights[index]);
    let mut parts: Vec<i64> =
        (0..weights.len()).map(|index| i64::try_from(exact(index) / total).unwrap_or(0)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(exact(index) % total));
    let left = amount - parts.iter().sum::<i64>();
    for &index in order.iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[index] += 1;
    }
    parts
}

/// What a coupon takes off each line; never more than there is.
pub fn discounts(coupon: Option<&Value>, subtotals: &[i64]) -> Vec<i64> {
    let Some(coupon) = coupon else { return vec![0; subtotals.len()] };
    if let Some(percent) = coupon["percent_off"].as_f64() {
        return subtotals.iter().map(|&subtotal| share(subtotal, percent)).collect();
    }
    let off = coupon["amount_off"].as_i64().unwrap_or(0);
    split(off.clamp(0, subtotals.iter().sum()), subtotals)
}

pub struct Tax {
    pub amount: i64,
    pub inclusive: bool,
    pub rate: Value,
}

/// The tax on what is left of a line after its discount.
pub fn tax(net: i64, rate: &Value) -> Tax {
    let percentage = rate["percentage"].as_f64().unwrap_or(0.0);
    let inclusive = rate["inclusive"] == true;
    let amount = if inclusive { share_within(net, percentage) } else { share(net, percentage) };
    Tax { amount, inclusive, rate: rate.clone() }
}

/// A line of a session as Stripe shows it.
pub fn item(
    id: &str,
    price: &Value,
    description: &Value,
    quantity: i64,
    discount: i64,
    taxes: &[Tax],
) -> Value {
    let subtotal = price["unit_amount"].as_i64().unwrap_or(0).saturating_mul(quantity);
    let net = subtotal - discount;
    let exclusive: i64 = taxes.iter().filter(|tax| !tax.inclusive).map(|tax| tax.amount).sum();
    let tax: i64 = taxes.iter().map(|tax| tax.amount).sum();
    json!({
        "id": id, "object": "item", "amount_discount": discount, "amount_subtotal": subtotal, "amount_tax": tax,
        "amount_total": net + exclusive, "currency": price["currency"], "description": description,
        "price": price, "quantity": quantity, "metadata": {},
        "taxes": taxes.iter().map(|tax| json!({
            "amount": tax.amount, "rate": tax.rate, "taxability_reason": "standard_rated", "taxable_amount": net,
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(share(50, 1.0), 1);
        assert_eq!(share(-50, 1.0), -1);
        assert_eq!(share(1900, 19.0), 361);
        assert_eq!(share(1234, 8.1), 100);
        assert_eq!(share(49, 1.0), 0);
    }

    #[test]
    fn an_inclusive_tax_is_within_the_amount() {
        let rate = json!({ "percentage": 19, "inclusive": true });
        assert_eq!(tax(11_900, &rate).amount, 1_900);
    }

    #[test]
    fn a_coupon_never_takes_more_than_there_is() {
        assert_eq!(discounts(Some(&json!({ "amount_off": 9_000 })), &[1_000, 500]), [1_000, 500]);
        assert_eq!(discounts(Some(&json!({ "percent_off": 50.0 })), &[3, 5]), [2, 3]);
        assert_eq!(discounts(None, &[3]), [0]);
    }

    proptest! {
        #[test]
        fn parts_add_up(amount in 0_i64..1_000_000_000, weights in prop::collection::vec(0_i64..1_000_000, 1..9)) {
            let parts = split(amount, &weights);
            if weights.iter().sum::<i64>() > 0 {
                prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            }
            prop_assert!(parts.iter().all(|&part| part >= 0));
        }
    }
}
