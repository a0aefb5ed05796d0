//! The books, in double entry: every movement of money is a transaction whose entries add up to nothing.
//!
//! What always holds: the same thing is recorded once, by the provider's id; the entries of a transaction sum to zero in
//! each currency, which is refused here first and by the database at the latest; nothing is changed or taken out. What
//! was wrong is put right by a transaction the other way round.

mod check;
mod reading;
pub mod rules;
mod store;

use sqlx::PgConnection;
use time::OffsetDateTime;

pub use self::{
    check::{LedgerCheck, check},
    reading::{
        Filter, Kinds, LAST_PAGE, Listed, ListedEntry, ListedTransaction, PER_PAGE, Sum, Transaction,
        everything, find, list, newest, sums,
    },
};
use super::Error;
use crate::{
    context::Context,
    contract::id::{LedgerTransactionId, OrderId, PaymentId, SubscriptionId, UserId},
};

/// Where money is, or what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What the payment provider holds for us.
    StripeBalance,
    Bank,
    /// What was sold, before tax and less what was given back.
    Revenue,
    /// Taken for a country, and owed to it.
    TaxPayable,
    /// What the payment provider keeps.
    Fees,
    /// What banks took back.
    DisputeLosses,
    /// Owed to authors of extensions.
    AuthorPayable,
}

impl Account {
    pub const ALL: [Self; 7] = [
        Self::StripeBalance,
        Self::Bank,
        Self::Revenue,
        Self::TaxPayable,
        Self::Fees,
        Self::DisputeLosses,
        Self::AuthorPayable,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StripeBalance => "stripe_balance",
            Self::Bank => "bank",
            Self::Revenue => "revenue",
            Self::TaxPayable => "tax_payable",
            Self::Fees => "fees",
            Self::DisputeLosses => "dispute_losses",
            Self::AuthorPayable => "author_payable",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::StripeBalance => "Stripe balance",
            Self::Bank => "Bank",
            Self::Revenue => "Revenue",
            Self::TaxPayable => "Tax owed",
            Self::Fees => "Fees",
            Self::DisputeLosses => "Lost to disputes",
            Self::AuthorPayable => "Owed to authors",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether the account grows with credits: income and debts do, assets and expenses grow with debits.
    pub const fn grows_with_credits(self) -> bool {
        matches!(self, Self::Revenue | Self::TaxPayable | Self::AuthorPayable)
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Charge,
    Fee,
    Refund,
    /// A refund that the bank sent back to us.
    RefundFailed,
    Dispute,
    DisputeFee,
    DisputeWon,
    /// An author's part of a sale.
    Share,
    Payout,
    Correction,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Charge,
        Self::Fee,
        Self::Refund,
        Self::RefundFailed,
        Self::Dispute,
        Self::DisputeFee,
        Self::DisputeWon,
        Self::Share,
        Self::Payout,
        Self::Correction,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Fee => "fee",
            Self::Refund => "refund",
            Self::RefundFailed => "refund_failed",
            Self::Dispute => "dispute",
            Self::DisputeFee => "dispute_fee",
            Self::DisputeWon => "dispute_won",
            Self::Share => "share",
            Self::Payout => "payout",
            Self::Correction => "correction",
        }
    }

    /// As people read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Charge => "Payment",
            Self::Fee => "Fee",
            Self::Refund => "Refund",
            Self::RefundFailed => "Refund failed",
            Self::Dispute => "Dispute",
            Self::DisputeFee => "Dispute fee",
            Self::DisputeWon => "Dispute won",
            Self::Share => "Author's share",
            Self::Payout => "Payout",
            Self::Correction => "Correction",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub account: Account,
    /// In minor units; a debit is positive.
    pub amount: i64,
    /// Three lower-case letters. Fees can be in another currency than what was sold.
    pub currency: String,
    /// Of tax: whose it is.
    pub country: Option<String>,
    /// Of an author's balance: whose it is.
    pub owner: Option<UserId>,
}

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub kind: Kind,
    /// `charge:{id}` and the like: what it records, by the provider's id.
    pub reference: String,
    pub description: String,
    pub occurred_at: OffsetDateTime,
    pub account: Option<UserId>,
    pub order: Option<OrderId>,
    pub payment: Option<PaymentId>,
    pub subscription: Option<SubscriptionId>,
    pub entries: Vec<Entry>,
}

/// A mistake of ours: no such movement exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reference} is off by {off} {currency}")]
pub struct Unbalanced {
    pub reference: String,
    pub currency: String,
    pub off: i128,
}

/// Writes a movement into the caller's transaction. False when that reference is recorded already, or when nothing of it
/// is left without entries of zero.
pub async fn record(conn: &mut PgConnection, ctx: &Context, movement: &Movement) -> Result<bool, Error> {
    if let Some((currency, off)) = rules::imbalance(&movement.entries) {
        return Err(Unbalanced { reference: movement.reference.clone(), currency, off }.into());
    }
    let entries: Vec<&Entry> = movement.entries.iter().filter(|entry| entry.amount != 0).collect();
    if entries.is_empty() {
        return Ok(false);
    }
    let now = ctx.clock.now();
    let id = LedgerTransactionId::from_uuid(ctx.random.uuid_v7(now));
    if !store::insert(conn, id, movement, now).await? {
        return Ok(false);
    }
    store::insert_entries(conn, id, &entries).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for account in Account::ALL {
            assert_eq!(Account::parse(account.as_str()), Some(account));
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
    }
}
