//! Figures for whoever keeps the books: revenue, tax, what is subscribed to, and the same as files.
//!
//! What always holds: nothing is added up over two currencies; every figure of money is a sum of ledger entries, and
//! [`Figure::filter`] says of which; whatever is taken along as a file stands in the audit log.

mod csv;
mod export;
mod rules;
mod store;
mod subscriptions;

use std::collections::BTreeMap;

use time::Date;

pub use self::{
    export::{Export, File, MOST_ROWS, export},
    rules::{Figures, Period, day_text, decimal, digits, parse_day, share, shown},
    subscriptions::{
        SUBSCRIPTIONS_PER_PAGE, SubscriptionList, SubscriptionPage, SubscriptionRow, Subscriptions,
        subscriptions,
    },
};
use super::{
    Error,
    ledger::{self, Account, Filter, Kinds, LedgerCheck, ListedTransaction},
};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::money::Currency,
};

const NEWEST_SHOWN: i64 = 8;

/// A sum of ledger entries that stands on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Gross,
    Refunds,
    Tax,
    Other,
    Net,
    Disputes,
    Fees,
}

impl Figure {
    pub const ALL: [Self; 7] =
        [Self::Gross, Self::Refunds, Self::Tax, Self::Other, Self::Net, Self::Disputes, Self::Fees];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Gross => "Paid by customers",
            Self::Refunds => "Given back",
            Self::Tax => "Tax owed",
            Self::Other => "Shares and corrections",
            Self::Net => "Net revenue",
            Self::Disputes => "Lost to disputes",
            Self::Fees => "Fees",
        }
    }

    pub const fn of(self, figures: &Figures) -> i64 {
        match self {
            Self::Gross => figures.gross,
            Self::Refunds => figures.refunds,
            Self::Tax => figures.tax,
            Self::Other => figures.other,
            Self::Net => figures.net,
            Self::Disputes => figures.disputes,
            Self::Fees => figures.fees,
        }
    }

    /// The account whose growth it is, and by which kinds of movement.
    pub const fn made_of(self) -> (Account, Kinds) {
        match self {
            Self::Gross => (Account::StripeBalance, Kinds::One(ledger::Kind::Charge)),
            Self::Refunds => (Account::StripeBalance, Kinds::Refunds),
            Self::Tax => (Account::TaxPayable, Kinds::Sales),
            Self::Other => (Account::Revenue, Kinds::Other),
            Self::Net => (Account::Revenue, Kinds::All),
            Self::Disputes => (Account::DisputeLosses, Kinds::All),
            Self::Fees => (Account::Fees, Kinds::All),
        }
    }

    /// Finds exactly the entries that the figure is made of.
    pub fn filter(self, period: Period, currency: &str) -> Filter {
        let (account, kinds) = self.made_of();
        Filter {
            account: Some(account),
            kinds,
            currency: Some(currency.to_owned()),
            from: Some(period.start()),
            to: Some(period.end()),
            ..Filter::default()
        }
    }

    /// What entries found by [`Self::filter`] come to, with the sign the figure has.
    pub const fn read(self, sum: &ledger::Sum) -> i64 {
        let (account, _) = self.made_of();
        let growth = sum.growth(account);
        // Money that goes back leaves the balance, and stands as an amount of its own.
        if matches!(self, Self::Refunds) { -growth } else { growth }
    }
}

/// A period of one currency, with everything that stands on the first page.
#[derive(Debug, Clone)]
pub struct Overview {
    pub period: Period,
    pub currency: String,
    /// What there is to choose from, the most used first.
    pub currencies: Vec<String>,
    pub figures: Figures,
    /// Net revenue of each day.
    pub days: Vec<i64>,
    /// The same of as many days before.
    pub days_before: Vec<i64>,
    /// What the entries of the ledger say that the days add up to, and how many they are.
    pub ledger_net: i64,
    pub ledger_entries: i64,
    pub subscriptions: Subscriptions,
    pub newest: Vec<ListedTransaction>,
}

/// What was sold into a country in a period, less what was given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxRow {
    /// Two letters; empty where nothing says where it went.
    pub country: String,
    pub currency: String,
    /// Before tax: what tax was taken on, and what none was.
    pub taxed: i64,
    pub untaxed: i64,
    pub tax: i64,
    pub documents: i64,
}

/// Everything of a period. None while nothing was ever sold. Without a currency it is the most used one.
pub async fn overview(
    ctx: &Context,
    caller: &Caller,
    period: Period,
    currency: Option<&str>,
) -> Result<Option<Overview>, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    let Some((currency, currencies)) = choose(ctx, period, currency).await? else {
        return Ok(None);
    };
    let before = period.before();
    let mut figures = Figures::default();
    let mut days = vec![0; period.days()];
    for row in store::days(&ctx.db, period, Some(&currency)).await? {
        figures += row.figures;
        add_at(&mut days, period, row.day, row.figures.net);
    }
    let mut days_before = vec![0; before.days()];
    for row in store::days(&ctx.db, before, Some(&currency)).await? {
        add_at(&mut days_before, before, row.day, row.figures.net);
    }
    let sums = ledger::sums(ctx, caller, &Figure::Net.filter(period, &currency)).await?;
    let subscriptions = subscriptions::sums(ctx, &currency, period).await?;
    let newest = ledger::newest(ctx, caller, &currency, NEWEST_SHOWN).await?;
    Ok(Some(Overview {
        period,
        currency,
        currencies,
        figures,
        days,
        days_before,
        ledger_net: sums.first().map_or(0, |sum| Figure::Net.read(sum)),
        ledger_entries: sums.first().map_or(0, |sum| sum.entries),
        subscriptions,
        newest,
    }))
}

/// The currency that is looked at, and those there are. None while there is nothing of any.
async fn choose(
    ctx: &Context,
    period: Period,
    asked: Option<&str>,
) -> Result<Option<(String, Vec<String>)>, Error> {
    let mut found = store::currencies(&ctx.db, period.before().start(), period.end()).await?;
    if found.is_empty() {
        found.extend(store::newest_currency(&ctx.db).await?);
    }
    let Some(most_used) = found.first().cloned() else {
        return Ok(None);
    };
    // One that we sell in is shown when it is asked for, with nothing in it if need be.
    let asked = asked.map(str::to_owned).filter(|one| found.contains(one) || Currency::parse(one).is_some());
    if let Some(asked) = asked.clone().filter(|asked| !found.contains(asked)) {
        found.push(asked);
    }
    Ok(Some((asked.unwrap_or(most_used), found)))
}

fn add_at(days: &mut [i64], period: Period, day: Date, amount: i64) {
    if let Some(place) = period.place_of(day).and_then(|place| days.get_mut(place)) {
        *place += amount;
    }
}

/// Tax by country, ordered by currency and country.
pub async fn tax(
    ctx: &Context,
    caller: &Caller,
    period: Period,
    currency: Option<&str>,
) -> Result<Vec<TaxRow>, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    let mut rows: BTreeMap<(String, String), TaxRow> = BTreeMap::new();
    for sums in store::taxes(&ctx.db, period, currency).await? {
        let row = rows.entry((sums.currency, sums.country)).or_default();
        (row.taxed, row.untaxed, row.tax) = (sums.taxed, sums.untaxed, sums.tax);
    }
    for found in store::documents(&ctx.db, period, currency).await? {
        rows.entry((found.currency, found.country)).or_default().documents = found.documents;
    }
    Ok(rows.into_iter().map(|((currency, country), row)| TaxRow { country, currency, ..row }).collect())
}

/// Whether the ledger agrees with payments, refunds, disputes and documents.
pub async fn check(ctx: &Context, caller: &Caller) -> Result<LedgerCheck, Error> {
    caller.require(ctx, Permission::FinanceRead)?;
    ledger::check(ctx).await
}
