//! What somebody paid, got back, and what their bank questioned: one list, newest first.

mod store;

use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use self::store::{export, export_subscriptions};
use super::{
    Error,
    document::{Cursor, page},
};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{
        id::{DisputeId, InvoiceId, OrderId, PaymentId, RefundId},
        list::{MAX_LIMIT, Page},
        money::Currency,
        payment::{HistoryId, HistoryItem, HistoryKind},
    },
};

/// An entry as it stands in the database, whichever table it is from.
pub(crate) struct Entry {
    kind: String,
    id: Uuid,
    amount: i64,
    currency: String,
    status: String,
    description: String,
    invoice_id: Option<Uuid>,
    order_id: Option<Uuid>,
    at: OffsetDateTime,
}

/// The caller's payments, refunds and disputes, newest first.
pub async fn list(
    ctx: &Context,
    caller: &Caller,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<HistoryItem>, Error> {
    let identity = caller.require(ctx, Permission::BillingRead)?;
    let before = Cursor::read(cursor)?.map(Cursor::pair);
    let limit = i64::from(limit.clamp(1, MAX_LIMIT));
    // One more than is given tells whether there is a next page.
    let found = store::of_account(&ctx.db, identity.user.id, before, limit + 1).await?;
    let (entries, next_cursor) = page(found, limit, |entry| Cursor { at: entry.at, id: entry.id });
    let items = entries.into_iter().map(HistoryItem::try_from).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor, total: None })
}

impl TryFrom<Entry> for HistoryItem {
    type Error = Error;

    fn try_from(entry: Entry) -> Result<Self, Error> {
        let unknown = |what: &str| Error::Stored(what.to_owned());
        let kind = HistoryKind::parse(&entry.kind).ok_or_else(|| unknown(&entry.kind))?;
        let currency = Currency::parse(&entry.currency).ok_or_else(|| unknown(&entry.currency))?;
        let id = match kind {
            HistoryKind::Payment => HistoryId::Payment(PaymentId::from_uuid(entry.id)),
            HistoryKind::Refund => HistoryId::Refund(RefundId::from_uuid(entry.id)),
            HistoryKind::Dispute => HistoryId::Dispute(DisputeId::from_uuid(entry.id)),
        };
        Ok(Self {
            id: id.to_string(),
            kind,
            amount: currency.of(entry.amount),
            status: entry.status,
            description: entry.description,
            invoice_id: entry.invoice_id.map(InvoiceId::from_uuid),
            order_id: entry.order_id.map(OrderId::from_uuid),
            created_at: entry.at,
        })
    }
}
