//! SQL of documents and of the series that number them.

use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{Document, NewDocument, content::Content, rules::Part};
use crate::{
    billing::{Error, customer::Customer},
    contract::{
        id::{CustomerId, InvoiceId, OrderId, PaymentId, RefundId, SubscriptionId, UserId},
        payment::DocumentKind,
    },
};

struct Row {
    id: Uuid,
    customer_id: Uuid,
    account_id: Option<Uuid>,
    order_id: Option<Uuid>,
    subscription_id: Option<Uuid>,
    payment_id: Option<Uuid>,
    content: Value,
    credited: i64,
    reversed: bool,
}

impl TryFrom<Row> for Document {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: InvoiceId::from_uuid(row.id),
            customer: CustomerId::from_uuid(row.customer_id),
            account: row.account_id.map(UserId::from_uuid),
            order: row.order_id.map(OrderId::from_uuid),
            subscription: row.subscription_id.map(SubscriptionId::from_uuid),
            payment: row.payment_id.map(PaymentId::from_uuid),
            content: serde_json::from_value(row.content)?,
            credited: row.credited,
            reversed: row.reversed,
        })
    }
}

/// What a refund says about the credit note of it.
pub struct RefundRow {
    pub payment: PaymentId,
    pub reason: String,
}

/// The number is taken with the transaction: rolled back, it is there for the next.
pub async fn take_number(conn: &mut PgConnection, series: &str) -> Result<i64, sqlx::Error> {
    sqlx::query!(
        "insert into document_series (code, next_number) values ($1, 1) on conflict do nothing",
        series
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        r#"update document_series set next_number = next_number + 1 where code = $1
           returning next_number - 1 as "number!""#,
        series,
    )
    .fetch_one(conn)
    .await
}

pub async fn insert(
    conn: &mut PgConnection,
    id: InvoiceId,
    (series, number): (&str, i64),
    new: &NewDocument<'_>,
    content: &Content,
) -> Result<(), Error> {
    sqlx::query!(
        "insert into document (id, kind, series, number_in_series, number, customer_id, account_id, order_id,
                               subscription_id, payment_id, refund_id, corrects_id, currency, subtotal, tax, total,
                               issued_at, content)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        id.uuid(),
        content.kind.as_str(),
        series,
        number,
        content.number,
        new.customer.uuid(),
        new.account.map(UserId::uuid),
        new.order.map(OrderId::uuid),
        new.subscription.map(SubscriptionId::uuid),
        new.payment.map(PaymentId::uuid),
        new.refund.map(RefundId::uuid),
        new.corrects.map(InvoiceId::uuid),
        content.currency.as_str(),
        content.subtotal,
        content.tax,
        content.total,
        content.issued_at,
        serde_json::to_value(content)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(db: impl PgExecutor<'_>, id: InvoiceId) -> Result<Option<Document>, Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select d.id, d.customer_id, d.account_id, d.order_id, d.subscription_id, d.payment_id, d.content,
                  coalesce((select sum(c.total - coalesce(r.total, 0))
                            from document c left join document r on r.corrects_id = c.id
                            where c.corrects_id = d.id and d.kind = 'invoice'), 0)::bigint as "credited!",
                  exists(select 1 from document r where r.corrects_id = d.id and d.kind = 'credit_note')
                      as "reversed!"
           from document d where d.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(db)
    .await?;
    row.map(Document::try_from).transpose()
}

/// An account's documents before this one, newest first.
pub async fn of_account(
    pool: &PgPool,
    account: UserId,
    before: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Document>, Error> {
    let (at, id) = before.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"select d.id, d.customer_id, d.account_id, d.order_id, d.subscription_id, d.payment_id, d.content,
                  coalesce((select sum(c.total - coalesce(r.total, 0))
                            from document c left join document r on r.corrects_id = c.id
                            where c.corrects_id = d.id and d.kind = 'invoice'), 0)::bigint as "credited!",
                  exists(select 1 from document r where r.corrects_id = d.id and d.kind = 'credit_note')
                      as "reversed!"
           from document d
           where d.account_id = $1 and ($2::timestamptz is null or (d.issued_at, d.id) < ($2, $3::uuid))
           order by d.issued_at desc, d.id desc limit $4"#,
        account.uuid(),
        at,
        id,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Document::try_from).collect()
}

/// The documents of an order: those about its payments, and that of nothing to pay. Oldest first.
pub async fn of_order(pool: &PgPool, order: OrderId) -> Result<Vec<(InvoiceId, Content)>, Error> {
    let rows = sqlx::query!(
        "select id, content from document where order_id = $1 order by issued_at, id limit 500",
        order.uuid()
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| Ok((InvoiceId::from_uuid(row.id), serde_json::from_value(row.content)?)))
        .collect()
}

/// The documents about the same payment. Oldest first.
pub async fn of_payment(pool: &PgPool, payment: PaymentId) -> Result<Vec<(InvoiceId, Content)>, Error> {
    let rows = sqlx::query!(
        "select id, content from document where payment_id = $1 order by issued_at, id limit 500",
        payment.uuid()
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| Ok((InvoiceId::from_uuid(row.id), serde_json::from_value(row.content)?)))
        .collect()
}

pub async fn invoice_of_payment(
    conn: &mut PgConnection,
    payment: PaymentId,
) -> Result<Option<InvoiceId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select id from document where payment_id = $1 and kind = 'invoice'",
        payment.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(InvoiceId::from_uuid))
}

/// The invoice of an order for which nothing was paid.
pub async fn invoice_of_free_order(
    conn: &mut PgConnection,
    order: OrderId,
) -> Result<Option<InvoiceId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select id from document where order_id = $1 and payment_id is null and kind = 'invoice'",
        order.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(InvoiceId::from_uuid))
}

pub async fn of_refund(
    conn: &mut PgConnection,
    refund: RefundId,
    kind: DocumentKind,
) -> Result<Option<InvoiceId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select id from document where refund_id = $1 and kind = $2",
        refund.uuid(),
        kind.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(InvoiceId::from_uuid))
}

/// What the credit notes of an invoice gave back of each of its lines, but for those that were taken back.
pub async fn credited(conn: &mut PgConnection, invoice: InvoiceId) -> Result<Vec<Vec<Part>>, Error> {
    let rows = sqlx::query_scalar!(
        "select c.content from document c
         where c.corrects_id = $1 and not exists (select 1 from document r where r.corrects_id = c.id)",
        invoice.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|content| {
            let content: Content = serde_json::from_value(content)?;
            Ok(content.lines.iter().map(Part::from).collect())
        })
        .collect()
}

/// Read on the transaction's own connection: who holds one must not wait for another.
pub async fn customer(conn: &mut PgConnection, id: CustomerId) -> Result<Option<Customer>, Error> {
    let row = sqlx::query!(
        "select account_id, email, name, tax_id, address from billing_customer where id = $1",
        id.uuid()
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Customer {
            id,
            account: row.account_id.map(UserId::from_uuid),
            email: row.email,
            name: row.name,
            tax_id: row.tax_id,
            address: serde_json::from_value(row.address)?,
        })
    })
    .transpose()
}

/// Whether the owner of an account has shown that they read its mail.
pub async fn is_proven(conn: &mut PgConnection, account: UserId) -> Result<bool, sqlx::Error> {
    let proven = sqlx::query_scalar!(
        r#"select email_verified_at is not null as "proven!" from account where id = $1"#,
        account.uuid()
    )
    .fetch_optional(conn)
    .await?;
    Ok(proven.unwrap_or(false))
}

pub async fn refund(conn: &mut PgConnection, id: RefundId) -> Result<Option<RefundRow>, sqlx::Error> {
    let row = sqlx::query!("select payment_id, reason from refund where id = $1", id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| RefundRow { payment: PaymentId::from_uuid(row.payment_id), reason: row.reason }))
}

/// A guest's documents go to the account that has proven their address.
pub async fn claim(conn: &mut PgConnection, account: UserId, email: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update document d set account_id = $1 from billing_customer c
         where c.id = d.customer_id and d.account_id is null and lower(c.email) = lower($2)",
        account.uuid(),
        email,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// For the archive of what we keep about somebody: their documents as they were issued.
pub async fn export(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<Value>, sqlx::Error> {
    sqlx::query_scalar!(
        "select content from document where account_id = $1 order by issued_at desc, id desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await
}

/// For the archive: what somebody ordered.
pub async fn export_orders(pool: &PgPool, owner: UserId, limit: i64) -> Result<Vec<Value>, sqlx::Error> {
    let rows = sqlx::query!(
        "select o.id, o.status, o.tier, o.interval, o.seats, o.currency, o.subtotal, o.discount, o.tax, o.total,
                o.refunded, o.email, o.created_at, o.paid_at, c.name, c.tax_id, c.address
         from billing_order o join billing_customer c on c.id = o.customer_id
         where o.account_id = $1 order by o.created_at desc, o.id desc limit $2",
        owner.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    let told = rows.into_iter().map(|row| {
        json!({
            "id": OrderId::from_uuid(row.id), "status": row.status, "tier": row.tier, "interval": row.interval,
            "seats": row.seats, "currency": row.currency, "subtotal": row.subtotal, "discount": row.discount,
            "tax": row.tax, "total": row.total, "refunded": row.refunded, "email": row.email, "name": row.name,
            "taxId": row.tax_id, "address": row.address, "createdAt": row.created_at.format(&Rfc3339).ok(),
            "paidAt": row.paid_at.and_then(|at| at.format(&Rfc3339).ok()),
        })
    });
    Ok(told.collect())
}
