//! How documents come to be: an invoice with its payment, a credit note with its refund, a reversal when the refund
//! failed in the end.
//!
//! Every verb here runs in the transaction of what it is about, whose payment row the caller has locked. The number
//! comes last: from then on, until the transaction ends, nobody else gets one of that series.

use serde_json::json;
use sqlx::PgConnection;
use time::{OffsetDateTime, UtcOffset};

use super::{
    Document, NewDocument,
    content::Content,
    rules::{Part, by_country, refundable, share},
    store,
};
use crate::{
    billing::{By, Error, note},
    context::Context,
    contract::{
        id::{CustomerId, InvoiceId, OrderId, PaymentId, RefundId, SubscriptionId, UserId},
        money::Currency,
        payment::{DocumentKind, Line},
    },
};

/// An invoice that is to be. It is paid already, or there is nothing to pay.
#[derive(Debug, Clone)]
pub struct NewInvoice<'a> {
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub order: Option<OrderId>,
    pub subscription: Option<SubscriptionId>,
    pub payment: Option<PaymentId>,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub paid_at: OffsetDateTime,
    /// What the law wants said; without it, what the lines call for.
    pub note: Option<&'a str>,
}

/// Issues the invoice of a payment, or of an order for which nothing is paid. Done again, it answers the first.
pub async fn issue_invoice(
    conn: &mut PgConnection,
    ctx: &Context,
    new: &NewInvoice<'_>,
) -> Result<InvoiceId, Error> {
    let known = match (new.payment, new.order) {
        (Some(payment), _) => store::invoice_of_payment(conn, payment).await?,
        (None, Some(order)) => store::invoice_of_free_order(conn, order).await?,
        (None, None) => None,
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let customer = store::customer(conn, new.customer).await?.ok_or(Error::NotFound)?;
    let mut content = Content::of_invoice(ctx, &customer, new.currency, new.lines.clone());
    content.paid_at = Some(new.paid_at);
    content.order = new.order;
    if let Some(words) = new.note {
        content.note = Some(words.to_owned());
    }
    let row = NewDocument {
        customer: new.customer,
        account: new.account,
        order: new.order,
        subscription: new.subscription,
        payment: new.payment,
        refund: None,
        corrects: None,
        series: "DF",
    };
    issue(conn, ctx, &row, content).await
}

/// Issues the credit note of a refund: this much of the payment's invoice, line by line in proportion. Done again, it
/// answers the first.
pub async fn issue_credit_note(
    conn: &mut PgConnection,
    ctx: &Context,
    refund: RefundId,
    payment: PaymentId,
    amount: i64,
) -> Result<InvoiceId, Error> {
    if let Some(known) = store::of_refund(conn, refund, DocumentKind::CreditNote).await? {
        return Ok(known);
    }
    let reason = store::refund(conn, refund).await?.filter(|row| row.payment == payment);
    let reason = reason.ok_or(Error::NotFound)?.reason;
    let (invoice, parts) = parts_of_refund(conn, payment, amount).await?;
    let content = invoice.content.credited(ctx, &parts, &reason);
    let row = NewDocument { refund: Some(refund), series: "CN", ..NewDocument::correcting(&invoice) };
    issue(conn, ctx, &row, content).await
}

/// Takes back the credit note of a refund that failed after all. What it credited can be refunded again. None when the
/// refund has no credit note.
pub async fn issue_reversal(
    conn: &mut PgConnection,
    ctx: &Context,
    refund: RefundId,
) -> Result<Option<InvoiceId>, Error> {
    if let Some(known) = store::of_refund(conn, refund, DocumentKind::CreditNoteReversal).await? {
        return Ok(Some(known));
    }
    let Some(note) = store::of_refund(conn, refund, DocumentKind::CreditNote).await? else {
        return Ok(None);
    };
    let note = store::find(&mut *conn, note).await?.ok_or(Error::NotFound)?;
    let content = note.content.reversed(ctx, "The bank sent the refund back.");
    let row = NewDocument { refund: Some(refund), series: "RV", ..NewDocument::correcting(&note) };
    issue(conn, ctx, &row, content).await.map(Some)
}

/// How much of a refund is tax, by the country it is owed to: what the credit note of the same amount would say if it
/// were issued now. Of one that was issued, [`taxes_of`] tells it.
pub async fn taxes_of_refund(
    conn: &mut PgConnection,
    payment: PaymentId,
    amount: i64,
) -> Result<Vec<(String, i64)>, Error> {
    let (invoice, parts) = parts_of_refund(conn, payment, amount).await?;
    let lines = invoice.content.lines.iter().zip(&parts);
    Ok(by_country(lines.map(|(line, part)| (line.tax.country.as_str(), part.tax))))
}

/// How much of a document is tax, by the country it is owed to.
pub async fn taxes_of(conn: &mut PgConnection, id: InvoiceId) -> Result<Vec<(String, i64)>, Error> {
    let document = store::find(&mut *conn, id).await?.ok_or(Error::NotFound)?;
    let lines = document.content.lines.iter();
    Ok(by_country(lines.map(|line| (line.tax.country.as_str(), line.tax.amount))))
}

/// The invoice of a payment, and what of each of its lines a refund of `amount` gives back.
async fn parts_of_refund(
    conn: &mut PgConnection,
    payment: PaymentId,
    amount: i64,
) -> Result<(Document, Vec<Part>), Error> {
    let id = store::invoice_of_payment(conn, payment).await?.ok_or(Error::NotFound)?;
    let invoice = store::find(&mut *conn, id).await?.ok_or(Error::NotFound)?;
    let lines: Vec<Part> = invoice.content.lines.iter().map(Part::from).collect();
    let mut left = refundable(&lines);
    for note in store::credited(conn, id).await? {
        for (left, given) in left.iter_mut().zip(note) {
            *left = left.less(given);
        }
    }
    let total = left.iter().map(|part| part.total()).sum();
    let left_over = Error::RefundExceedsPayment { left: invoice.content.money(total) };
    let parts = share(&left, amount).ok_or(left_over)?;
    Ok((invoice, parts))
}

async fn issue(
    conn: &mut PgConnection,
    ctx: &Context,
    row: &NewDocument<'_>,
    mut content: Content,
) -> Result<InvoiceId, Error> {
    let id = InvoiceId::from_uuid(ctx.random.uuid_v7(content.issued_at));
    let series = format!("{}-{}", row.series, content.issued_at.to_offset(UtcOffset::UTC).year());
    let number = store::take_number(conn, &series).await?;
    content.number = format!("{series}-{number:06}");
    store::insert(conn, id, (series.as_str(), number), row, &content).await?;
    let detail =
        json!({ "number": content.number, "kind": content.kind, "total": content.money(content.total) });
    note(conn, ctx, By::SYSTEM, "document.issued", ("document", id.to_string()), detail).await?;
    Ok(id)
}
