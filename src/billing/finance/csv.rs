//! Figures as files for programs that calculate.
//!
//! What always holds: amounts are decimal numbers with a point, days and moments are ISO 8601 in UTC, and no text can
//! become a formula.

use std::borrow::Cow;

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::{
    TaxRow,
    rules::{Period, day_text, decimal},
    store::Day,
};
use crate::billing::ledger::ListedEntry;

const LEDGER: [&str; 14] = [
    "transaction",
    "occurred_at",
    "kind",
    "reference",
    "description",
    "account",
    "country",
    "currency",
    "debit",
    "credit",
    "person",
    "order",
    "payment",
    "subscription",
];
const TAX: [&str; 8] = ["from", "to", "country", "currency", "net_taxed", "net_untaxed", "tax", "documents"];
const REVENUE: [&str; 9] =
    ["day", "currency", "paid", "given_back", "tax", "other", "net_revenue", "disputes", "fees"];

/// A table as it grows. Every row has as many cells as the head.
struct Table {
    writer: ::csv::Writer<Vec<u8>>,
    cells: usize,
}

impl Table {
    fn new<const N: usize>(head: [&str; N]) -> Self {
        let writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
        let mut table = Self { writer, cells: N };
        table.row(head);
        table
    }

    fn row<const N: usize>(&mut self, cells: [impl AsRef<str>; N]) {
        debug_assert_eq!(N, self.cells, "a row is as long as the head");
        let mut record = ::csv::StringRecord::new();
        for cell in cells {
            record.push_field(cell.as_ref());
        }
        self.writer.write_record(&record).expect("memory takes rows that are as long as the first");
    }

    fn text(self) -> String {
        let bytes = self.writer.into_inner().expect("memory takes what is still in the buffer");
        String::from_utf8(bytes).expect("text was written")
    }
}

/// Entry by entry; at most so many, and then a line that says it is not all.
pub fn ledger(entries: &[ListedEntry], most: usize) -> String {
    let mut table = Table::new(LEDGER);
    for entry in entries.iter().take(most) {
        let (debit, credit) = match entry.amount {
            amount if amount < 0 => (String::new(), decimal(amount.saturating_neg(), &entry.currency)),
            amount => (decimal(amount, &entry.currency), String::new()),
        };
        table.row([
            Cow::Owned(entry.transaction.to_string()),
            Cow::Owned(moment(entry.occurred_at)),
            Cow::Borrowed(entry.kind.as_str()),
            safe(&entry.reference),
            safe(&entry.description),
            Cow::Borrowed(entry.account.as_str()),
            safe(entry.country.as_deref().unwrap_or_default()),
            safe(&entry.currency),
            Cow::Owned(debit),
            Cow::Owned(credit),
            Cow::Owned(entry.person.map(|id| id.to_string()).unwrap_or_default()),
            Cow::Owned(entry.order.map(|id| id.to_string()).unwrap_or_default()),
            Cow::Owned(entry.payment.map(|id| id.to_string()).unwrap_or_default()),
            Cow::Owned(entry.subscription.map(|id| id.to_string()).unwrap_or_default()),
        ]);
    }
    if entries.len() > most {
        let mut last = [const { String::new() }; LEDGER.len()];
        last[0] = format!("Only the newest {most} entries are here. Choose a shorter period for the rest.");
        table.row(last);
    }
    table.text()
}

pub fn tax(period: Period, rows: &[TaxRow]) -> String {
    let mut table = Table::new(TAX);
    for row in rows {
        table.row([
            Cow::Owned(day_text(period.first())),
            Cow::Owned(day_text(period.last())),
            safe(&row.country),
            safe(&row.currency),
            Cow::Owned(decimal(row.taxed, &row.currency)),
            Cow::Owned(decimal(row.untaxed, &row.currency)),
            Cow::Owned(decimal(row.tax, &row.currency)),
            Cow::Owned(row.documents.to_string()),
        ]);
    }
    table.text()
}

/// Days on which nothing happened are left out.
pub fn revenue(days: &[Day]) -> String {
    let mut table = Table::new(REVENUE);
    for Day { day, currency, figures } in days {
        let amount = |amount| Cow::<str>::Owned(decimal(amount, currency));
        table.row([
            Cow::Owned(day_text(*day)),
            safe(currency),
            amount(figures.gross),
            amount(figures.refunds),
            amount(figures.tax),
            amount(figures.other),
            amount(figures.net),
            amount(figures.disputes),
            amount(figures.fees),
        ]);
    }
    table.text()
}

fn moment(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(&Rfc3339).unwrap_or_default()
}

/// Text that a spreadsheet would calculate gets an apostrophe in front.
fn safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};
    use uuid::Uuid;

    use super::*;
    use crate::{
        billing::{
            finance::rules::Figures,
            ledger::{Account, Kind},
        },
        contract::id::{LedgerTransactionId, OrderId},
    };

    fn entry(description: &str, amount: i64) -> ListedEntry {
        ListedEntry {
            transaction: LedgerTransactionId::from_uuid(Uuid::from_u128(1)),
            kind: Kind::Charge,
            reference: "charge:ch_1".to_owned(),
            description: description.to_owned(),
            occurred_at: datetime!(2026-11-20 10:05 UTC),
            person: None,
            order: Some(OrderId::from_uuid(Uuid::from_u128(2))),
            payment: None,
            subscription: None,
            account: Account::Revenue,
            amount,
            currency: "usd".to_owned(),
            country: None,
        }
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_cell_never_becomes_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(safe(text), format!("'{text}"));
        }
        assert_eq!(safe("Pro, 3 seats"), "Pro, 3 seats");
        let rows = cells(&ledger(&[entry("=HYPERLINK(\"http://x\",\"y\")", -1_900)], 10));
        assert_eq!(rows[1][4], "'=HYPERLINK(\"http://x\",\"y\")");
    }

    #[test]
    fn entries_stand_on_their_side_and_in_decimals() {
        let rows = cells(&ledger(&[entry("Pro", -1_900), entry("Pro", 5)], 10));
        assert_eq!(rows[0], LEDGER);
        assert_eq!((rows[1][8].as_str(), rows[1][9].as_str()), ("", "19.00"));
        assert_eq!((rows[2][8].as_str(), rows[2][9].as_str()), ("0.05", ""));
        assert_eq!(rows[1][1], "2026-11-20T10:05:00Z");
    }

    #[test]
    fn a_file_that_is_cut_says_so_at_its_end() {
        let rows = cells(&ledger(&[entry("a", 1), entry("b", 1), entry("c", 1)], 2));
        assert_eq!(rows.len(), 4);
        assert!(rows[3][0].starts_with("Only the newest 2 entries"));
        assert_eq!(cells(&ledger(&[entry("a", 1), entry("b", 1)], 2)).len(), 3);
    }

    #[test]
    fn amounts_below_zero_stay_numbers() {
        let figures = Figures { refunds: 500, net: -500, ..Figures::default() };
        let day = Day { day: date!(2026 - 11 - 20), currency: "jpy".to_owned(), figures };
        let rows = cells(&revenue(&[day]));
        assert_eq!(rows[1], ["2026-11-20", "jpy", "0", "500", "0", "0", "-500", "0", "0"]);

        let row =
            TaxRow { country: "DE".to_owned(), currency: "eur".to_owned(), tax: -19, ..TaxRow::default() };
        let period = Period::parse("2026-Q4").expect("a quarter");
        let rows = cells(&tax(period, &[row]));
        assert_eq!(rows[1], ["2026-10-01", "2026-12-31", "DE", "eur", "0.00", "0.00", "-0.19", "0"]);
    }
}
