//! How a refund falls on the lines of its invoice, and where an invoice stands.
//!
//! What always holds: whatever the order and the size of the refunds, no line gives back more than it has, and once all
//! is refunded every line has given back its net and its tax to the last unit. Each refund is taken from what the ones
//! before it left, so nothing that was rounded is ever made up for elsewhere.

use std::collections::BTreeMap;

use crate::contract::{
    money::split,
    payment::{InvoiceStatus, Line},
};

/// Net and tax of a line, or what is left of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part {
    pub net: i64,
    pub tax: i64,
}

impl Part {
    pub const fn total(self) -> i64 {
        self.net + self.tax
    }

    pub const fn less(self, other: Self) -> Self {
        Self { net: self.net - other.net, tax: self.tax - other.tax }
    }
}

impl From<&Line> for Part {
    fn from(line: &Line) -> Self {
        Self { net: line.net, tax: line.tax.amount }
    }
}

/// What of each line can be given back. A line below zero, such as the unused rest of a period, is taken off the
/// others in proportion: what was never paid for them is not refunded either.
pub fn refundable(lines: &[Part]) -> Vec<Part> {
    let nets: Vec<i64> = lines.iter().map(|line| line.net).collect();
    let taxes: Vec<i64> = lines.iter().map(|line| line.tax).collect();
    let parts = offset(&nets).into_iter().zip(offset(&taxes));
    parts.map(|(net, tax)| Part { net, tax }).collect()
}

/// The same sum without an amount below zero. A sum below zero leaves nothing.
fn offset(amounts: &[i64]) -> Vec<i64> {
    let sum = amounts.iter().sum::<i64>().max(0);
    let weights: Vec<u64> = amounts.iter().map(|amount| weight(*amount)).collect();
    if weights.iter().all(|weight| *weight == 0) {
        return vec![0; amounts.len()];
    }
    // The sum is no more than what is above zero, so no part is more than what it is a part of.
    split(sum, &weights)
}

/// How much of each line goes back with a refund of `amount`. None when it is nothing, or more than is left.
pub fn share(left: &[Part], amount: i64) -> Option<Vec<Part>> {
    let total: i64 = left.iter().map(|part| part.total()).sum();
    if amount < 1 || amount > total {
        return None;
    }
    let weights: Vec<u64> = left.iter().map(|part| weight(part.total())).collect();
    let parts = split(amount, &weights).into_iter().zip(left);
    Some(parts.map(|(amount, line)| inside(amount, *line)).collect())
}

/// Net and tax of a part of a line.
fn inside(amount: i64, line: Part) -> Part {
    let tax = split(amount, &[weight(line.net), weight(line.tax)]).last().copied().unwrap_or_default();
    Part { net: amount - tax, tax }
}

fn weight(amount: i64) -> u64 {
    u64::try_from(amount).unwrap_or(0)
}

/// Tax by the country that it is owed to, without those to which nothing is.
pub fn by_country<'a>(taxes: impl IntoIterator<Item = (&'a str, i64)>) -> Vec<(String, i64)> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (country, amount) in taxes {
        *sums.entry(country).or_default() += amount;
    }
    sums.into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|(country, amount)| (country.to_owned(), amount))
        .collect()
}

/// Where an invoice stands, by what was credited of it and not taken back.
pub const fn status(total: i64, credited: i64) -> InvoiceStatus {
    if credited <= 0 {
        InvoiceStatus::Paid
    } else if credited < total {
        InvoiceStatus::PartiallyRefunded
    } else {
        InvoiceStatus::Refunded
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(parts: &[Part]) -> Part {
        parts
            .iter()
            .fold(Part::default(), |sum, part| Part { net: sum.net + part.net, tax: sum.tax + part.tax })
    }

    #[test]
    fn a_refund_falls_on_lines_and_tax_in_proportion() {
        let lines = [Part { net: 1000, tax: 190 }, Part { net: 500, tax: 95 }];
        assert_eq!(share(&lines, 1785), Some(lines.to_vec()));
        let half = share(&lines, 893).expect("there is enough");
        assert_eq!(half, [Part { net: 500, tax: 95 }, Part { net: 250, tax: 48 }]);
        for amount in [0, -1, 1786] {
            assert_eq!(share(&lines, amount), None, "{amount}");
        }
    }

    #[test]
    fn the_unused_rest_of_a_period_is_not_refunded() {
        let lines = [Part { net: -600, tax: -114 }, Part { net: 2400, tax: 456 }];
        assert_eq!(refundable(&lines), [Part::default(), Part { net: 1800, tax: 342 }]);
        assert_eq!(refundable(&[Part { net: -1, tax: 0 }]), [Part::default()]);
    }

    #[test]
    fn taxes_are_summed_by_country() {
        let taxes = [("DE", 19), ("", 0), ("FR", 20), ("DE", 1)];
        assert_eq!(by_country(taxes), [("DE".to_owned(), 20), ("FR".to_owned(), 20)]);
    }

    #[test]
    fn an_invoice_stands_where_its_credit_notes_leave_it() {
        assert_eq!(status(100, 0), InvoiceStatus::Paid);
        assert_eq!(status(100, 1), InvoiceStatus::PartiallyRefunded);
        assert_eq!(status(100, 100), InvoiceStatus::Refunded);
        assert_eq!(status(0, 0), InvoiceStatus::Paid);
    }

    fn lines() -> impl Strategy<Value = Vec<Part>> {
        prop::collection::vec((0_i64..2_000_000, 0_i64..500_000), 1..8)
            .prop_map(|lines| lines.into_iter().map(|(net, tax)| Part { net, tax }).collect())
    }

    fn any_lines() -> impl Strategy<Value = Vec<Part>> {
        prop::collection::vec((-1_000_000_i64..2_000_000, -200_000_i64..400_000), 1..8)
            .prop_map(|lines| lines.into_iter().map(|(net, tax)| Part { net, tax }).collect())
    }

    proptest! {
        #[test]
        fn refunds_of_any_size_give_back_every_line_exactly(lines in lines(), cuts in prop::collection::vec(1_i64..400_000, 1..60)) {
            let mut left = lines.clone();
            let mut given = vec![Part::default(); lines.len()];
            for cut in cuts.into_iter().chain([i64::MAX]) {
                let amount = cut.min(sum(&left).total());
                if amount == 0 {
                    break;
                }
                let parts = share(&left, amount).expect("there is enough");
                prop_assert_eq!(sum(&parts).total(), amount);
                for (index, part) in parts.iter().enumerate() {
                    prop_assert!(part.net >= 0 && part.tax >= 0);
                    prop_assert!(part.net <= left[index].net && part.tax <= left[index].tax);
                    left[index] = left[index].less(*part);
                    given[index] = Part { net: given[index].net + part.net, tax: given[index].tax + part.tax };
                }
            }
            prop_assert_eq!(given, lines);
        }

        #[test]
        fn a_refund_that_failed_can_be_made_again(lines in lines(), first in 1_i64..3_000_000, second in 1_i64..3_000_000) {
            let total = sum(&lines).total();
            prop_assume!(total > 1);
            let (first, second) = (first.min(total - 1), second.min(total));
            // The first fails: what it took is there again, so any other up to the whole fits.
            let failed = share(&lines, first).expect("there is enough");
            let left: Vec<Part> = lines.iter().zip(&failed).map(|(line, part)| line.less(*part)).collect();
            prop_assert_eq!(sum(&left).total(), total - first);
            prop_assert_eq!(sum(&share(&lines, second).expect("there is enough")).total(), second);
        }

        #[test]
        fn what_can_be_refunded_is_what_was_paid(lines in any_lines()) {
            let paid = sum(&lines);
            let parts = refundable(&lines);
            prop_assert_eq!(sum(&parts), Part { net: paid.net.max(0), tax: paid.tax.max(0) });
            for (part, line) in parts.iter().zip(&lines) {
                prop_assert!((0..=line.net.max(0)).contains(&part.net));
                prop_assert!((0..=line.tax.max(0)).contains(&part.tax));
            }
        }
    }
}
