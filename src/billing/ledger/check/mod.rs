//! Whether the books agree with everything else that was written down about the same money.

mod store;

use self::store::Found;
use super::Error;
use crate::context::Context;

/// Of each kind of difference this many are named.
const MOST_NAMED: i64 = 50;

/// What comparing everything found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCheck {
    pub transactions: i64,
    /// Of each currency, the sum of all debits. The credits are as much, or it is a difference.
    pub currencies: Vec<(String, i64)>,
    /// In words; empty when all is well.
    pub differences: Vec<String>,
}

/// Compares the ledger with payments, fees, refunds, disputes and documents, each by itself, as they were at one moment.
pub async fn check(ctx: &Context) -> Result<LedgerCheck, Error> {
    let mut tx = ctx.db.begin_with("begin isolation level repeatable read read only").await?;
    let transactions = store::count(&mut tx).await?;
    let sums = store::sums(&mut tx).await?;
    let mut differences: Vec<String> = sums
        .iter()
        .filter(|sum| sum.debits != sum.credits)
        .map(|sum| format!("All of {}: debits are {}, credits {}", sum.currency, sum.debits, sum.credits))
        .collect();
    let unbalanced = store::unbalanced(&mut tx, MOST_NAMED).await?;
    let unrecorded = store::payments(&mut tx, MOST_NAMED).await?;
    let fees = store::fees(&mut tx, MOST_NAMED).await?;
    let refunds = store::refunds(&mut tx, MOST_NAMED).await?;
    let refund_taxes = store::refund_taxes(&mut tx, MOST_NAMED).await?;
    let refunded = store::refunded(&mut tx, MOST_NAMED).await?;
    let disputes = store::disputes(&mut tx, MOST_NAMED).await?;
    let dispute_fees = store::dispute_fees(&mut tx, MOST_NAMED).await?;
    let strays = store::strays(&mut tx, MOST_NAMED).await?;
    let invoices = store::invoices(&mut tx, MOST_NAMED).await?;
    let invoice_taxes = store::invoice_taxes(&mut tx, MOST_NAMED).await?;
    let credit_notes = store::credit_notes(&mut tx, MOST_NAMED).await?;
    let free = store::invoices_without_payment(&mut tx, MOST_NAMED).await?;
    let series = store::series(&mut tx, MOST_NAMED).await?;
    tx.rollback().await?;
    for (what, found) in [
        ("Entries of a transaction", unbalanced),
        ("A payment and its ledger transaction", unrecorded),
        ("A fee and its ledger transaction", fees),
        ("A refund and its ledger transactions", refunds),
        ("The tax of credit notes and of the refund's ledger transactions", refund_taxes),
        ("What a payment says was refunded, and its refunds", refunded),
        ("A dispute and its ledger transactions", disputes),
        ("The fee of a dispute and its ledger transaction", dispute_fees),
        ("A ledger transaction and what it records", strays),
        ("A payment and its invoice", invoices),
        ("The tax of an invoice and of its ledger transaction", invoice_taxes),
        ("A refund and its credit notes", credit_notes),
        ("An invoice that nothing was paid for", free),
        ("The numbers of a series", series),
    ] {
        differences.extend(found.iter().map(|found| words(what, found)));
    }
    let currencies = sums.into_iter().map(|sum| (sum.currency, sum.debits)).collect();
    Ok(LedgerCheck { transactions, currencies, differences })
}

fn words(what: &str, found: &Found) -> String {
    let Found { subject, expected, found } = found;
    match found {
        Some(found) => format!("{what}: {subject} should be {expected}, and is {found}"),
        None => format!("{what}: {subject} should be {expected}, and is not there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_what_should_be_and_what_is() {
        let found = |found| Found { subject: "charge:ch_1".to_owned(), expected: 1900, found };
        assert_eq!(
            words("A payment", &found(Some(1800))),
            "A payment: charge:ch_1 should be 1900, and is 1800"
        );
        assert_eq!(
            words("A payment", &found(None)),
            "A payment: charge:ch_1 should be 1900, and is not there"
        );
    }
}
