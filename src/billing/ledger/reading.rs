//! The books as staff read them: entry by entry, newest first, and what they add up to.
//!
//! What always holds: a list and its sums are asked with the same filter, so a number and the entries it is made of are
//! found by the same words.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Account, Error, Kind, Movement, store};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::id::{LedgerTransactionId, OrderId, PaymentId, SubscriptionId, UserId},
};

pub const PER_PAGE: u32 = 50;
/// What is further down is found by a shorter period.
pub const LAST_PAGE: u32 = 400;
const MOST_NEWEST: i64 = 50;

/// Kinds that are looked for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kinds {
    #[default]
    All,
    /// Payments, refunds, and refunds that failed: what revenue and tax come from.
    Sales,
    /// Refunds, and those that failed.
    Refunds,
    /// What moves revenue without a customer paying or getting money back.
    Other,
    One(Kind),
}

impl Kinds {
    pub const GROUPS: [Self; 3] = [Self::Sales, Self::Refunds, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Sales => "sales",
            Self::Refunds => "refunds",
            Self::Other => "other",
            Self::One(kind) => kind.as_str(),
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::All => "Every kind",
            Self::Sales => "Payments and refunds",
            Self::Refunds => "Refunds, failed ones taken off",
            Self::Other => "Shares, payouts, corrections",
            Self::One(kind) => kind.label(),
        }
    }

    /// What is no kind narrows nothing.
    pub fn parse(text: &str) -> Self {
        Self::GROUPS
            .into_iter()
            .find(|group| group.as_str() == text)
            .or_else(|| Kind::parse(text).map(Self::One))
            .unwrap_or_default()
    }

    /// Empty for all.
    pub fn members(self) -> Vec<Kind> {
        match self {
            Self::All => Vec::new(),
            Self::Sales => vec![Kind::Charge, Kind::Refund, Kind::RefundFailed],
            Self::Refunds => vec![Kind::Refund, Kind::RefundFailed],
            Self::Other => vec![Kind::Share, Kind::Payout, Kind::Correction],
            Self::One(kind) => vec![kind],
        }
    }
}

/// Which entries; what is absent leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub account: Option<Account>,
    pub kinds: Kinds,
    /// Three lower-case letters.
    pub currency: Option<String>,
    /// Two letters: whose tax it is; without tax, where the buyer is. Empty text finds what says neither.
    pub country: Option<String>,
    /// Of sales with tax, or of those without.
    pub taxed: Option<bool>,
    pub from: Option<OffsetDateTime>,
    /// Not including this moment.
    pub to: Option<OffsetDateTime>,
    /// An id of ours, a reference, or the provider's id in one.
    pub about: Option<String>,
}

impl Filter {
    /// The id of ours that is asked about.
    fn id(&self) -> Option<Uuid> {
        let text = self.about.as_deref()?;
        let order = text.parse().map(OrderId::uuid).ok();
        let payment = || text.parse().map(PaymentId::uuid).ok();
        let subscription = || text.parse().map(SubscriptionId::uuid).ok();
        let transaction = || text.parse().map(LedgerTransactionId::uuid).ok();
        order.or_else(payment).or_else(subscription).or_else(transaction)
    }

    fn kinds(&self) -> Vec<String> {
        self.kinds.members().into_iter().map(|kind| kind.as_str().to_owned()).collect()
    }

    fn asked<'a>(&'a self, kinds: &'a [String]) -> store::Asked<'a> {
        let id = self.id();
        store::Asked {
            account: self.account.map(Account::as_str),
            kinds,
            currency: self.currency.as_deref(),
            country: self.country.as_deref(),
            taxed: self.taxed,
            from: self.from,
            to: self.to,
            id,
            reference: self.about.as_deref().filter(|_| id.is_none()),
        }
    }
}

/// One entry with the transaction it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    pub transaction: LedgerTransactionId,
    pub kind: Kind,
    pub reference: String,
    pub description: String,
    pub occurred_at: OffsetDateTime,
    pub person: Option<UserId>,
    pub order: Option<OrderId>,
    pub payment: Option<PaymentId>,
    pub subscription: Option<SubscriptionId>,
    pub account: Account,
    pub amount: i64,
    pub currency: String,
    pub country: Option<String>,
}

/// A transaction as one line: what it did to the money we have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTransaction {
    pub id: LedgerTransactionId,
    pub kind: Kind,
    pub reference: String,
    pub description: String,
    pub occurred_at: OffsetDateTime,
    pub customer: Option<String>,
    pub amount: i64,
}

/// A transaction with all its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    pub id: LedgerTransactionId,
    pub movement: Movement,
    pub recorded_at: OffsetDateTime,
    pub customer: Option<String>,
}

/// What the entries of one currency add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    pub currency: String,
    pub entries: i64,
    pub debits: i64,
    pub credits: i64,
}

impl Sum {
    /// What an account grew by.
    pub const fn growth(&self, account: Account) -> i64 {
        if account.grows_with_credits() { self.credits - self.debits } else { self.debits - self.credits }
    }
}

/// A page of the entries that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub items: Vec<ListedEntry>,
    /// Of all that fit, not of this page. The currency with the most entries first.
    pub sums: Vec<Sum>,
    pub total: u64,
    /// Counted from one.
    pub page: u32,
}

impl Listed {
    /// The last page that can be asked for.
    pub fn last_page(&self) -> u32 {
        last_page(self.total)
    }
}

/// Entries, newest first. A page outside the list becomes its nearest.
pub async fn list(ctx: &Context, caller: &Caller, filter: &Filter, page: u32) -> Result<Listed, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    let kinds = filter.kinds();
    let asked = filter.asked(&kinds);
    let sums = store::sums(&ctx.db, &asked).await?;
    let total = sums.iter().map(|sum| u64::try_from(sum.entries).unwrap_or_default()).sum();
    let page = page.clamp(1, last_page(total));
    let before = i64::from(page - 1) * i64::from(PER_PAGE);
    let items = store::list(&ctx.db, &asked, i64::from(PER_PAGE), before).await?;
    Ok(Listed { items, sums, total, page })
}

/// What the entries that fit add up to, the currency with the most of them first.
pub async fn sums(ctx: &Context, caller: &Caller, filter: &Filter) -> Result<Vec<Sum>, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    let kinds = filter.kinds();
    Ok(store::sums(&ctx.db, &filter.asked(&kinds)).await?)
}

/// All entries that fit up to a number, for taking along.
pub async fn everything(
    ctx: &Context,
    caller: &Caller,
    filter: &Filter,
    most: u32,
) -> Result<Vec<ListedEntry>, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    let kinds = filter.kinds();
    store::list(&ctx.db, &filter.asked(&kinds), i64::from(most), 0).await
}

/// The newest transactions that touch a currency.
pub async fn newest(
    ctx: &Context,
    caller: &Caller,
    currency: &str,
    limit: i64,
) -> Result<Vec<ListedTransaction>, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    store::newest(&ctx.db, currency, limit.clamp(1, MOST_NEWEST)).await
}

pub async fn find(ctx: &Context, caller: &Caller, id: LedgerTransactionId) -> Result<Transaction, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    store::find(&ctx.db, id).await?.ok_or(Error::NotFound)
}

fn last_page(total: u64) -> u32 {
    let pages = u32::try_from(total.div_ceil(u64::from(PER_PAGE))).unwrap_or(LAST_PAGE);
    pages.clamp(1, LAST_PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_kinds_read_back_and_anything_else_narrows_nothing() {
        for kinds in Kinds::GROUPS.into_iter().chain(Kind::ALL.map(Kinds::One)) {
            assert_eq!(Kinds::parse(kinds.as_str()), kinds);
        }
        assert_eq!(Kinds::parse("' or 1=1"), Kinds::All);
        assert!(Kinds::All.members().is_empty());
    }

    #[test]
    fn an_id_of_ours_is_looked_up_and_anything_else_is_a_reference() {
        let id = OrderId::from_uuid(Uuid::from_u128(7));
        let filter = Filter { about: Some(id.to_string()), ..Filter::default() };
        assert_eq!(filter.asked(&[]).id, Some(id.uuid()));
        assert_eq!(filter.asked(&[]).reference, None);

        let filter = Filter { about: Some("ch_1".to_owned()), ..Filter::default() };
        assert_eq!((filter.asked(&[]).id, filter.asked(&[]).reference), (None, Some("ch_1")));
    }

    #[test]
    fn an_account_grows_on_its_own_side() {
        let sum = Sum { currency: "usd".to_owned(), entries: 2, debits: 100, credits: 1900 };
        assert_eq!(sum.growth(Account::Revenue), 1800);
        assert_eq!(sum.growth(Account::StripeBalance), -1800);
    }
}
