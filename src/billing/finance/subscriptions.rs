//! What is subscribed to, as it stands and as it came and went, and the subscriptions that each number counts.

use time::OffsetDateTime;

use super::{
    choose,
    rules::{self, Period},
    store,
};
use crate::{
    account::{Caller, Permission},
    billing::Error,
    context::Context,
    contract::{
        id::{SubscriptionId, UserId},
        payment::{Interval, SubscriptionStatus, Tier},
    },
};

pub const SUBSCRIPTIONS_PER_PAGE: u32 = 50;
const LAST_PAGE: u32 = 400;

/// What is subscribed to in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subscriptions {
    /// Now. Trials and paused ones pay nothing and are not among them.
    pub running: i64,
    pub trials: i64,
    /// What the running ones bring each month, before discounts and tax.
    pub monthly: i64,
    pub each_month: i64,
    pub each_year: i64,
    /// Begun in the period.
    pub new: i64,
    /// There when the period began, and of those, how many ended in it.
    pub at_start: i64,
    pub ended: i64,
    /// Now: a renewal was not paid.
    pub past_due: i64,
}

/// The subscriptions that a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubscriptionList {
    #[default]
    Running,
    Trials,
    New,
    AtStart,
    Ended,
    PastDue,
}

impl SubscriptionList {
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Trials, Self::New, Self::AtStart, Self::Ended, Self::PastDue];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Trials => "trials",
            Self::New => "new",
            Self::AtStart => "at_start",
            Self::Ended => "ended",
            Self::PastDue => "past_due",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "Paying now",
            Self::Trials => "On trial now",
            Self::New => "New in the period",
            Self::AtStart => "There at its start",
            Self::Ended => "Ended in it",
            Self::PastDue => "Renewal not paid",
        }
    }

    /// How many there are.
    pub const fn count(self, subscriptions: &Subscriptions) -> i64 {
        match self {
            Self::Running => subscriptions.running,
            Self::Trials => subscriptions.trials,
            Self::New => subscriptions.new,
            Self::AtStart => subscriptions.at_start,
            Self::Ended => subscriptions.ended,
            Self::PastDue => subscriptions.past_due,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    pub id: SubscriptionId,
    pub person: Option<UserId>,
    pub customer: String,
    pub status: SubscriptionStatus,
    pub tier: Tier,
    pub interval: Interval,
    pub seats: i32,
    /// Each interval, for all seats, before discounts and tax.
    pub amount: i64,
    pub created_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
    pub past_due_since: Option<OffsetDateTime>,
}

/// One page of the subscriptions of a currency.
#[derive(Debug, Clone)]
pub struct SubscriptionPage {
    pub currency: String,
    pub currencies: Vec<String>,
    pub sums: Subscriptions,
    pub items: Vec<SubscriptionRow>,
    pub page: u32,
    pub last_page: u32,
}

pub(super) async fn sums(ctx: &Context, currency: &str, period: Period) -> Result<Subscriptions, Error> {
    let sums = store::subscription_sums(&ctx.db, currency, period).await?;
    Ok(Subscriptions {
        running: sums.running,
        trials: sums.trials,
        monthly: rules::monthly(sums.each_month, sums.each_year),
        each_month: sums.each_month,
        each_year: sums.each_year,
        new: sums.new,
        at_start: sums.at_start,
        ended: sums.ended,
        past_due: sums.past_due,
    })
}

/// The subscriptions that a number counts, newest first. None while there is nothing of any currency.
pub async fn subscriptions(
    ctx: &Context,
    caller: &Caller,
    list: SubscriptionList,
    period: Period,
    currency: Option<&str>,
    page: u32,
) -> Result<Option<SubscriptionPage>, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    let Some((currency, currencies)) = choose(ctx, period, currency).await? else {
        return Ok(None);
    };
    let sums = sums(ctx, &currency, period).await?;
    let total = u64::try_from(list.count(&sums)).unwrap_or_default();
    let pages = total.div_ceil(u64::from(SUBSCRIPTIONS_PER_PAGE));
    let last_page = u32::try_from(pages).unwrap_or(LAST_PAGE).clamp(1, LAST_PAGE);
    let page = page.clamp(1, last_page);
    let limit = i64::from(SUBSCRIPTIONS_PER_PAGE);
    let before = i64::from(page - 1) * limit;
    let items = store::subscriptions(&ctx.db, list, &currency, period, limit, before).await?;
    Ok(Some(SubscriptionPage { currency, currencies, sums, items, page, last_page }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_subscriptions_read_back() {
        for list in SubscriptionList::ALL {
            assert_eq!(SubscriptionList::parse(list.as_str()), Some(list));
        }
        assert_eq!(SubscriptionList::parse(""), None);
    }
}
