//! What stands on a document: a copy of everything, made when it is issued, so that nothing that changes later changes
//! what was printed. The layout's number says how to read it.

use serde::{Deserialize, Serialize};
use time::{
    OffsetDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description,
};

use super::rules::Part;
use crate::{
    billing::customer::Customer,
    context::Context,
    contract::{
        country,
        id::OrderId,
        money::{Currency, Money, Rate},
        payment::{Address, DocumentKind, Line, LineTax},
    },
};

/// The layout that is written now. An older one stays readable.
const LAYOUT: u8 = 1;
const DAY: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");
/// How reasons of tax that the recipient owes begin.
const REVERSE_CHARGE: &str = "Reverse charge";
const REVERSE_CHARGE_NOTE: &str =
    "Reverse charge: the recipient owes the VAT (Article 196 of Directive 2006/112/EC).";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    pub layout: u8,
    pub kind: DocumentKind,
    pub number: String,
    pub currency: Currency,
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// Of an invoice: when it was paid.
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
    pub seller: Party,
    pub buyer: Party,
    pub order: Option<OrderId>,
    /// Of a credit note as many as its invoice has, in the same order: nothing where nothing was credited.
    pub lines: Vec<Line>,
    pub taxes: Vec<TaxSum>,
    pub subtotal: i64,
    pub tax: i64,
    pub total: i64,
    /// What the law wants said.
    pub note: Option<String>,
    pub corrects: Option<Corrected>,
}

/// Seller or buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    pub name: String,
    /// Line by line, with the country.
    pub address: Vec<String>,
    pub email: String,
    pub tax_id: Option<String>,
}

/// The tax of all lines that are taxed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxSum {
    pub country: String,
    pub rate: Rate,
    pub reason: String,
    pub net: i64,
    pub tax: i64,
}

/// The document that this one corrects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Corrected {
    pub number: String,
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// Why, for people.
    pub reason: String,
}

impl Content {
    /// An invoice that has no number yet.
    pub fn of_invoice(ctx: &Context, customer: &Customer, currency: Currency, lines: Vec<Line>) -> Self {
        let mut content = Self {
            layout: LAYOUT,
            kind: DocumentKind::Invoice,
            number: String::new(),
            currency,
            issued_at: ctx.clock.now(),
            paid_at: None,
            seller: seller(ctx),
            buyer: buyer(customer),
            order: None,
            lines: Vec::new(),
            taxes: Vec::new(),
            subtotal: 0,
            tax: 0,
            total: 0,
            note: None,
            corrects: None,
        };
        content.note = is_reverse_charge(&lines).then(|| REVERSE_CHARGE_NOTE.to_owned());
        content.fill(lines);
        content
    }

    /// What of this invoice is credited, without a number yet. The buyer is whom the invoice names.
    pub fn credited(&self, ctx: &Context, parts: &[Part], reason: &str) -> Self {
        let lines = self.lines.iter().zip(parts).map(|(line, part)| credited(line, *part)).collect();
        let mut content = Self {
            kind: DocumentKind::CreditNote,
            corrects: Some(self.as_corrected(reason)),
            paid_at: None,
            issued_at: ctx.clock.now(),
            seller: seller(ctx),
            ..self.clone()
        };
        content.fill(lines);
        content
    }

    /// This credit note taken back.
    pub fn reversed(&self, ctx: &Context, reason: &str) -> Self {
        Self {
            kind: DocumentKind::CreditNoteReversal,
            corrects: Some(self.as_corrected(reason)),
            issued_at: ctx.clock.now(),
            seller: seller(ctx),
            ..self.clone()
        }
    }

    fn as_corrected(&self, reason: &str) -> Corrected {
        Corrected { number: self.number.clone(), issued_at: self.issued_at, reason: reason.to_owned() }
    }

    fn fill(&mut self, lines: Vec<Line>) {
        self.subtotal = lines.iter().map(|line| line.net).sum();
        self.tax = lines.iter().map(|line| line.tax.amount).sum();
        self.total = self.subtotal + self.tax;
        self.taxes = summed(&lines);
        self.lines = lines;
    }

    pub fn money(&self, amount: i64) -> Money {
        self.currency.of(amount)
    }

    /// The lines that say something. All of an invoice do, also those that cost nothing.
    pub fn shown_lines(&self) -> impl Iterator<Item = &Line> {
        let all = self.kind == DocumentKind::Invoice;
        self.lines.iter().filter(move |line| all || line.net != 0 || line.tax.amount != 0)
    }

    /// `Paid on 20 November 2026`, or what a correction is about.
    pub fn settled(&self) -> Option<String> {
        match (self.kind, &self.corrects) {
            (DocumentKind::Invoice, _) if self.total == 0 => Some("Nothing to pay".to_owned()),
            (DocumentKind::Invoice, _) => self.paid_at.map(|at| format!("Paid on {}", day(at))),
            (DocumentKind::CreditNote, Some(of)) => {
                Some(format!("Corrects invoice {} of {}", of.number, day(of.issued_at)))
            }
            (DocumentKind::CreditNoteReversal, Some(of)) => {
                Some(format!("Takes back credit note {} of {}", of.number, day(of.issued_at)))
            }
            (DocumentKind::CreditNote | DocumentKind::CreditNoteReversal, None) => None,
        }
    }
}

/// As a document writes a day. It holds nothing that a date could lack.
pub fn day(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC).format(DAY).unwrap_or_default()
}

fn summed(lines: &[Line]) -> Vec<TaxSum> {
    let mut sums: Vec<TaxSum> = Vec::new();
    for Line { net, tax, .. } in lines.iter().filter(|line| line.net != 0 || line.tax.amount != 0) {
        let same = |sum: &&mut TaxSum| {
            (&sum.country, sum.rate, &sum.reason) == (&tax.country, tax.rate, &tax.reason)
        };
        if let Some(sum) = sums.iter_mut().find(same) {
            sum.net += net;
            sum.tax += tax.amount;
        } else {
            sums.push(TaxSum {
                country: tax.country.clone(),
                rate: tax.rate,
                reason: tax.reason.clone(),
                net: *net,
                tax: tax.amount,
            });
        }
    }
    sums
}

/// A line of which all goes back is credited as it was sold. Of a part, only the amount can be told.
fn credited(line: &Line, part: Part) -> Line {
    if Part::from(line) == part {
        return line.clone();
    }
    Line {
        description: line.description.clone(),
        quantity: 1,
        unit_amount: part.net,
        discount: 0,
        net: part.net,
        tax: LineTax { amount: part.tax, ..line.tax.clone() },
    }
}

fn is_reverse_charge(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.tax.reason.starts_with(REVERSE_CHARGE))
}

fn seller(ctx: &Context) -> Party {
    let operator = &ctx.config.operator;
    let parts = operator.address.split(['\n', ',']).chain([operator.country.as_str()]);
    let tax_id = ctx.config.payments.seller_tax_id.trim();
    Party {
        name: operator.name.clone(),
        address: without_empty(parts),
        email: operator.email.clone(),
        tax_id: (!tax_id.is_empty()).then(|| tax_id.to_owned()),
    }
}

fn buyer(customer: &Customer) -> Party {
    let Address { line1, line2, postal_code, city, region, country } = &customer.address;
    let place = format!("{postal_code} {city}");
    let country = country::name(country).unwrap_or(country);
    Party {
        name: customer.name.clone(),
        address: without_empty([line1.as_str(), line2.as_str(), place.as_str(), region.as_str(), country]),
        email: customer.email.clone(),
        tax_id: customer.tax_id.clone(),
    }
}

fn without_empty<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    lines.into_iter().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(net: i64, tax: i64, reason: &str) -> Line {
        let tax = LineTax {
            rate: Rate::percent(19),
            amount: tax,
            country: "DE".to_owned(),
            reason: reason.to_owned(),
        };
        Line { description: "Pro".to_owned(), quantity: 2, unit_amount: net / 2, discount: 0, net, tax }
    }

    #[test]
    fn what_is_taxed_alike_is_summed() {
        let sums =
            summed(&[line(1000, 190, "VAT"), line(0, 0, "VAT"), line(500, 95, "VAT"), line(10, 0, "None")]);
        let seen: Vec<_> = sums.iter().map(|sum| (sum.reason.as_str(), sum.net, sum.tax)).collect();
        assert_eq!(seen, [("VAT", 1500, 285), ("None", 10, 0)]);
    }

    #[test]
    fn a_line_credited_whole_is_the_line_as_it_was_sold() {
        let sold = line(1000, 190, "VAT");
        assert_eq!(credited(&sold, Part { net: 1000, tax: 190 }), sold);
        let part = credited(&sold, Part { net: 300, tax: 57 });
        assert_eq!((part.quantity, part.unit_amount, part.net, part.tax.amount), (1, 300, 300, 57));
    }

    #[test]
    fn the_law_s_words_stand_where_the_recipient_owes_the_tax() {
        assert!(is_reverse_charge(&[line(1, 0, "Reverse charge")]));
        assert!(!is_reverse_charge(&[line(1, 0, "VAT 19 % (Germany)")]));
    }
}
