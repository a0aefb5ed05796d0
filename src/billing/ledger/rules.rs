//! Which accounts a movement of money touches. A debit is positive: what we have and what we spend grows with debits,
//! what we earn and what we owe with credits.
//!
//! What always holds: whatever is made here sums to zero.

use std::collections::BTreeMap;

use super::{Account, Entry};
use crate::contract::money::{Currency, Money};

/// A customer paid `total`, of which `taxes` (country, amount) are owed on.
pub fn charge(total: Money, taxes: &[(String, i64)]) -> Vec<Entry> {
    sale(total, taxes, 1)
}

/// What the payment provider keeps of a payment, in the currency it pays out.
pub fn fee(amount: i64, currency: &str) -> Vec<Entry> {
    pair(Account::Fees, Account::StripeBalance, amount, currency)
}

/// `total` goes back to a customer, of which `taxes` are no longer owed.
pub fn refund(total: Money, taxes: &[(String, i64)]) -> Vec<Entry> {
    sale(total, taxes, -1)
}

/// The bank sent a refund back: as if it had never been made.
pub fn refund_failed(total: Money, taxes: &[(String, i64)]) -> Vec<Entry> {
    sale(total, taxes, 1)
}

/// A customer's bank took the money back until it is decided. The sale and its tax stand.
pub fn dispute(amount: Money) -> Vec<Entry> {
    pair(Account::DisputeLosses, Account::StripeBalance, amount.amount, amount.currency.as_str())
}

pub fn dispute_fee(amount: i64, currency: &str) -> Vec<Entry> {
    pair(Account::Fees, Account::StripeBalance, amount, currency)
}

/// The bank decided for us, and the money is back.
pub fn dispute_won(amount: Money) -> Vec<Entry> {
    pair(Account::StripeBalance, Account::DisputeLosses, amount.amount, amount.currency.as_str())
}

/// The first currency whose entries do not sum to zero, and by how much they are off.
pub fn imbalance(entries: &[Entry]) -> Option<(String, i128)> {
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    for entry in entries {
        *sums.entry(entry.currency.as_str()).or_default() += i128::from(entry.amount);
    }
    sums.into_iter().find(|(_, sum)| *sum != 0).map(|(currency, sum)| (currency.to_owned(), sum))
}

/// Money in or out by a sale, with the tax of each country as one entry. Entries of zero are left out.
fn sale(total: Money, taxes: &[(String, i64)], sign: i64) -> Vec<Entry> {
    let mut by_country: BTreeMap<&str, i64> = BTreeMap::new();
    for (country, amount) in taxes {
        *by_country.entry(country.as_str()).or_default() += amount;
    }
    let tax: i64 = by_country.values().sum();
    let entry = |account, amount, country: Option<&str>| Entry {
        account,
        amount,
        currency: text(total.currency),
        country: country.map(str::to_owned),
        owner: None,
    };
    let mut entries = vec![
        entry(Account::StripeBalance, sign * total.amount, None),
        entry(Account::Revenue, -sign * (total.amount - tax), None),
    ];
    entries.extend(
        by_country
            .into_iter()
            .map(|(country, amount)| entry(Account::TaxPayable, -sign * amount, Some(country))),
    );
    entries.retain(|entry| entry.amount != 0);
    entries
}

fn pair(debit: Account, credit: Account, amount: i64, currency: &str) -> Vec<Entry> {
    let entry = |account, amount| Entry {
        account,
        amount,
        currency: currency.to_owned(),
        country: None,
        owner: None,
    };
    let mut entries = vec![entry(debit, amount), entry(credit, -amount)];
    entries.retain(|entry| entry.amount != 0);
    entries
}

fn text(currency: Currency) -> String {
    currency.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::money::split;

    const COUNTRIES: [&str; 3] = ["DE", "FR", "US"];

    fn by_account(entries: &[Entry]) -> BTreeMap<(Account, Option<String>), i64> {
        let mut sums = BTreeMap::new();
        for entry in entries {
            *sums.entry((entry.account, entry.country.clone())).or_default() += entry.amount;
        }
        sums.retain(|_, amount: &mut i64| *amount != 0);
        sums
    }

    fn taxed(parts: &[i64]) -> Vec<(String, i64)> {
        COUNTRIES.iter().zip(parts).map(|(country, &amount)| ((*country).to_owned(), amount)).collect()
    }

    #[test]
    fn a_sale_is_revenue_and_tax() {
        let entries = charge(Currency::Eur.of(11_900), &[("DE".to_owned(), 1_900)]);
        let told: Vec<_> = entries.iter().map(|entry| (entry.account, entry.amount)).collect();
        assert_eq!(
            told,
            [(Account::StripeBalance, 11_900), (Account::Revenue, -10_000), (Account::TaxPayable, -1_900)]
        );
        assert_eq!(entries[2].country.as_deref(), Some("DE"));
    }

    #[test]
    fn nothing_is_recorded_of_nothing() {
        assert!(fee(0, "usd").is_empty());
        assert!(charge(Currency::Usd.of(0), &[]).is_empty());
        let untaxed = charge(Currency::Usd.of(100), &[(String::new(), 0)]);
        assert!(untaxed.iter().all(|entry| entry.account != Account::TaxPayable));
    }

    #[test]
    fn a_sum_over_two_currencies_is_no_balance() {
        let mut entries = fee(100, "usd");
        entries[1].currency = "eur".to_owned();
        assert_eq!(imbalance(&entries), Some(("eur".to_owned(), -100)));
    }

    prop_compose! {
        /// A payment, how its taxes lie, and a series of refunds that adds up to it.
        fn story()(
            net in 1_i64..1_000_000,
            taxes in prop::collection::vec(0_i64..100_000, 0..=COUNTRIES.len()),
            weights in prop::collection::vec(1_u64..1000, 1..8),
        ) -> (i64, Vec<i64>, Vec<u64>) {
            (net + taxes.iter().sum::<i64>(), taxes, weights)
        }
    }

    proptest! {
        #[test]
        fn every_movement_sums_to_zero((total, taxes, _) in story(), amount in 0_i64..1_000_000, index in 0_usize..4) {
            let currency = Currency::ALL[index];
            let (total, taxes) = (currency.of(total), taxed(&taxes));
            for entries in [
                charge(total, &taxes),
                refund(total, &taxes),
                refund_failed(total, &taxes),
                fee(amount, "chf"),
                dispute(currency.of(amount)),
                dispute_fee(amount, currency.as_str()),
                dispute_won(currency.of(amount)),
            ] {
                prop_assert_eq!(imbalance(&entries), None);
                prop_assert!(entries.iter().all(|entry| entry.amount != 0));
                prop_assert!(entries.iter().all(|entry| (entry.account == Account::TaxPayable) == entry.country.is_some()));
            }
        }

        #[test]
        fn a_full_refund_leaves_only_the_fee((total, taxes, _) in story(), kept in 1_i64..10_000) {
            let (total, taxes) = (Currency::Eur.of(total), taxed(&taxes));
            let all = [charge(total, &taxes), fee(kept, "eur"), refund(total, &taxes)].concat();
            let left: Vec<_> = by_account(&all).into_iter().map(|((account, _), amount)| (account, amount)).collect();
            prop_assert_eq!(left, [(Account::StripeBalance, -kept), (Account::Fees, kept)]);
        }

        #[test]
        fn refunds_in_parts_undo_the_payment_exactly((total, taxes, weights) in story()) {
            let paid = Currency::Usd.of(total);
            let mut all = charge(paid, &taxed(&taxes));
            let tax_parts: Vec<Vec<i64>> = taxes.iter().map(|&tax| split(tax, &weights)).collect();
            for (index, part) in split(total, &weights).into_iter().enumerate() {
                let taxes: Vec<i64> = tax_parts.iter().map(|parts| parts[index]).collect();
                all.extend(refund(Currency::Usd.of(part), &taxed(&taxes)));
            }
            prop_assert_eq!(by_account(&all), BTreeMap::new());
        }

        #[test]
        fn what_comes_back_nets_to_nothing((total, taxes, _) in story()) {
            let (amount, taxes) = (Currency::Gbp.of(total), taxed(&taxes));
            prop_assert_eq!(by_account(&[dispute(amount), dispute_won(amount)].concat()), BTreeMap::new());
            let refunds = [refund(amount, &taxes), refund_failed(amount, &taxes)].concat();
            prop_assert_eq!(by_account(&refunds), BTreeMap::new());
        }
    }
}
