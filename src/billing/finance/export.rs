//! Figures to take along. Who took what is in the audit log.

use serde_json::{Value, json};

use super::{
    csv,
    rules::{Period, day_text},
    store, tax,
};
use crate::{
    account::{Caller, Permission},
    billing::{
        self, Error,
        ledger::{self, Account, Filter},
    },
    context::Context,
};

/// A file has no more rows of entries than this, and says so where it ends.
pub const MOST_ROWS: u32 = 100_000;

/// What can be taken along.
#[derive(Debug, Clone)]
pub enum Export {
    Ledger(Filter),
    Tax { period: Period, currency: Option<String> },
    Revenue { period: Period, currency: Option<String> },
}

impl Export {
    const fn file_name(&self) -> &'static str {
        match self {
            Self::Ledger(_) => "ledger.csv",
            Self::Tax { .. } => "tax.csv",
            Self::Revenue { .. } => "revenue.csv",
        }
    }
}

/// A table as a file (RFC 4180).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: &'static str,
    pub text: String,
    /// Without the head.
    pub rows: usize,
}

/// Makes a file, and notes that somebody took it along.
pub async fn export(ctx: &Context, caller: &Caller, what: &Export) -> Result<File, Error> {
    let identity = caller.require(ctx, Permission::FinanceRead)?;
    let name = what.file_name();
    let (text, rows, narrowed) = match what {
        Export::Ledger(filter) => {
            let entries = ledger::everything(ctx, caller, filter, MOST_ROWS + 1).await?;
            let text = csv::ledger(&entries, MOST_ROWS as usize);
            let narrowed = json!({
                "from": filter.from.map(|at| day_text(at.date())),
                "to_before": filter.to.map(|at| day_text(at.date())),
                "currency": filter.currency,
                "account": filter.account.map(Account::as_str),
                "kind": filter.kinds.as_str(),
            });
            (text, entries.len().min(MOST_ROWS as usize), narrowed)
        }
        Export::Tax { period, currency } => {
            let rows = tax(ctx, caller, *period, currency.as_deref()).await?;
            (csv::tax(*period, &rows), rows.len(), told(*period, currency.as_deref()))
        }
        Export::Revenue { period, currency } => {
            let days = store::days(&ctx.db, *period, currency.as_deref()).await?;
            (csv::revenue(&days), days.len(), told(*period, currency.as_deref()))
        }
    };
    let detail = json!({ "rows": rows, "narrowed_to": narrowed });
    let mut tx = ctx.db.begin().await?;
    billing::note(&mut tx, ctx, identity.into(), "finance.exported", ("finance", name.to_owned()), detail)
        .await?;
    tx.commit().await?;
    Ok(File { name, text, rows })
}

fn told(period: Period, currency: Option<&str>) -> Value {
    json!({ "from": day_text(period.first()), "to": day_text(period.last()), "currency": currency })
}
