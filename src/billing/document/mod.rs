//! Invoices, credit notes and their reversals.
//!
//! What always holds: numbers of a series have no gap and no twin, whatever is rolled back or done at the same time; a
//! document is never changed, and holds a copy of all that it says; where an invoice stands is read from the documents
//! that correct it. Amounts of credit notes and reversals are positive: the kind says which way they go.
//!
//! Locks are taken in this order: order, subscription, payment, refund, series. The series comes last, because whoever
//! has it keeps all others from issuing.

mod content;
mod cursor;
mod issue;
mod mails;
mod pdf;
mod rules;
mod store;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub(super) use self::cursor::{Cursor, page};
pub(crate) use self::store::{export, export_orders};
pub use self::{
    content::{Content, Corrected, Party, TaxSum},
    issue::{NewInvoice, issue_credit_note, issue_invoice, issue_reversal, taxes_of, taxes_of_refund},
    mails::mail_document,
    pdf::Error as PdfError,
};
use super::Error;
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{
        id::{CustomerId, InvoiceId, OrderId, PaymentId, RefundId, SubscriptionId, UserId},
        list::{MAX_LIMIT, Page},
        money::Money,
        payment::{DocumentKind, Invoice, InvoiceStatus},
    },
    crypto::Purpose,
};

/// The length of the key in a link.
const LINK_KEY_CHARS: usize = 43;

#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub id: InvoiceId,
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub order: Option<OrderId>,
    pub subscription: Option<SubscriptionId>,
    pub payment: Option<PaymentId>,
    pub content: Content,
    /// Of an invoice: what its credit notes gave back and no reversal took again.
    credited: i64,
    /// Of a credit note: whether it was taken back.
    pub reversed: bool,
}

/// A document as a list beside something else names it.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRef {
    pub id: InvoiceId,
    pub kind: DocumentKind,
    pub number: String,
    pub total: Money,
    pub issued_at: OffsetDateTime,
    /// Within this site, for whoever may see what it stands beside.
    pub url: String,
    pub pdf_url: String,
}

/// What a document belongs to.
pub(crate) struct NewDocument<'a> {
    customer: CustomerId,
    account: Option<UserId>,
    order: Option<OrderId>,
    subscription: Option<SubscriptionId>,
    payment: Option<PaymentId>,
    refund: Option<RefundId>,
    corrects: Option<InvoiceId>,
    /// Without the year.
    series: &'a str,
}

impl NewDocument<'_> {
    /// One that corrects this and belongs to the same.
    fn correcting(document: &Document) -> Self {
        Self {
            customer: document.customer,
            account: document.account,
            order: document.order,
            subscription: document.subscription,
            payment: document.payment,
            refund: None,
            corrects: Some(document.id),
            series: "",
        }
    }
}

impl Document {
    /// Of an invoice, what became of it. A credit note that holds is refunded; one that was taken back is not.
    pub const fn status(&self) -> InvoiceStatus {
        match self.content.kind {
            DocumentKind::Invoice => rules::status(self.content.total, self.credited),
            DocumentKind::CreditNote if !self.reversed => InvoiceStatus::Refunded,
            DocumentKind::CreditNote | DocumentKind::CreditNoteReversal => InvoiceStatus::Paid,
        }
    }

    pub fn file_name(&self) -> String {
        format!("{}.pdf", self.content.number)
    }

    /// As it travels.
    pub fn as_invoice(&self, ctx: &Context) -> Invoice {
        let content = &self.content;
        let site = &ctx.config.http.public_url;
        Invoice {
            id: self.id,
            kind: content.kind,
            number: content.number.clone(),
            status: self.status(),
            subtotal: content.money(content.subtotal),
            tax: content.money(content.tax),
            total: content.money(content.total),
            currency: content.currency,
            lines: content.shown_lines().cloned().collect(),
            created_at: content.issued_at,
            paid_at: content.paid_at,
            pdf_url: format!("{site}{}", pdf_path(ctx, self.id)),
            html_url: link(ctx, self.id),
        }
    }
}

/// The caller's documents, newest first.
pub async fn list(
    ctx: &Context,
    caller: &Caller,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Invoice>, Error> {
    let identity = caller.require(ctx, Permission::BillingRead)?;
    let before = Cursor::read(cursor)?.map(Cursor::pair);
    let limit = i64::from(limit.clamp(1, MAX_LIMIT));
    // One more than is given tells whether there is a next page.
    let found = store::of_account(&ctx.db, identity.user.id, before, limit + 1).await?;
    let place = |document: &Document| Cursor { at: document.content.issued_at, id: document.id.uuid() };
    let (documents, next_cursor) = page(found, limit, place);
    let items = documents.iter().map(|document| document.as_invoice(ctx)).collect();
    Ok(Page { items, next_cursor, total: None })
}

/// A document of the caller, or anybody's for staff.
pub async fn open(ctx: &Context, caller: &Caller, id: InvoiceId) -> Result<Document, Error> {
    let identity = caller.require(ctx, Permission::BillingRead)?;
    let document = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    if document.account == Some(identity.user.id) || caller.require(ctx, Permission::PaymentsRead).is_ok() {
        Ok(document)
    } else {
        Err(Error::NotFound)
    }
}

/// A document by the link that its buyer has.
pub async fn by_link(ctx: &Context, id: InvoiceId, key: &str) -> Result<Document, Error> {
    if !is_link_key(ctx, id, key) {
        return Err(Error::NotFound);
    }
    store::find(&ctx.db, id).await?.ok_or(Error::NotFound)
}

/// The other documents about the same payment, for whoever may see this one. Oldest first.
pub async fn beside(ctx: &Context, document: &Document) -> Result<Vec<DocumentRef>, Error> {
    let Some(payment) = document.payment else { return Ok(Vec::new()) };
    let mut found = store::of_payment(&ctx.db, payment).await?;
    found.retain(|(id, _)| *id != document.id);
    Ok(found.into_iter().map(|(id, content)| reference(ctx, id, &content)).collect())
}

/// The documents of an order, for whoever may see it. Oldest first.
pub async fn of_order(ctx: &Context, order: OrderId) -> Result<Vec<DocumentRef>, Error> {
    let found = store::of_order(&ctx.db, order).await?;
    Ok(found.into_iter().map(|(id, content)| reference(ctx, id, &content)).collect())
}

/// The address at which a document's buyer sees it, signed in or not.
pub fn link(ctx: &Context, id: InvoiceId) -> String {
    format!("{}{}", ctx.config.http.public_url, path(ctx, id))
}

/// [`link`] within this site.
pub fn path(ctx: &Context, id: InvoiceId) -> String {
    format!("/invoices/{id}?key={}", link_key(ctx, id))
}

/// The printed form of [`path`].
pub fn pdf_path(ctx: &Context, id: InvoiceId) -> String {
    format!("/invoices/{id}/pdf?key={}", link_key(ctx, id))
}

/// The document as a PDF file: always the same bytes.
pub fn pdf(document: &Document) -> Result<Vec<u8>, PdfError> {
    pdf::print(&document.content)
}

/// Gives a guest's documents to the account that has proven their address.
pub async fn claim(conn: &mut PgConnection, account: UserId, email: &str) -> Result<(), Error> {
    Ok(store::claim(conn, account, email).await?)
}

fn reference(ctx: &Context, id: InvoiceId, content: &Content) -> DocumentRef {
    DocumentRef {
        id,
        kind: content.kind,
        number: content.number.clone(),
        total: content.money(content.total),
        issued_at: content.issued_at,
        url: path(ctx, id),
        pdf_url: pdf_path(ctx, id),
    }
}

fn link_key(ctx: &Context, id: InvoiceId) -> String {
    URL_SAFE_NO_PAD.encode(ctx.hashers.keyed(Purpose::DocumentLink, id.uuid().as_bytes()))
}

fn is_link_key(ctx: &Context, id: InvoiceId, key: &str) -> bool {
    if key.len() != LINK_KEY_CHARS {
        return false;
    }
    // Hashed once more, so that how alike the two are does not show in the time it takes.
    let hashed = |key: &str| ctx.hashers.keyed(Purpose::DocumentLink, key.as_bytes());
    hashed(key) == hashed(&link_key(ctx, id))
}
