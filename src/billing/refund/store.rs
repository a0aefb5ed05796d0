//! SQL of refunds and of customers' wishes for one.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{requests::RefundWish, rules::Consequence};
use crate::{
    billing::Error,
    contract::{
        id::{InvoiceId, OrderId, PaymentId, RefundId, RefundRequestId, UserId},
        money::{Currency, Money},
        payment::RefundStatus,
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundItem {
    pub id: RefundId,
    pub payment: PaymentId,
    pub order: Option<OrderId>,
    pub amount: Money,
    pub reason: String,
    pub consequence: Consequence,
    pub status: RefundStatus,
    pub stripe_id: Option<String>,
    pub failure: Option<String>,
    pub requested_by: Option<UserId>,
    pub created_at: OffsetDateTime,
}

struct RefundRow {
    id: Uuid,
    payment_id: Uuid,
    order_id: Option<Uuid>,
    amount: i64,
    currency: String,
    reason: String,
    consequence: String,
    status: String,
    stripe_id: Option<String>,
    failure: Option<String>,
    requested_by: Option<Uuid>,
    created_at: OffsetDateTime,
}

impl RefundRow {
    fn into_item(self) -> Result<RefundItem, Error> {
        let unknown = |text: &str| Error::Stored(text.to_owned());
        let currency = Currency::parse(&self.currency).ok_or_else(|| unknown(&self.currency))?;
        Ok(RefundItem {
            id: RefundId::from_uuid(self.id),
            payment: PaymentId::from_uuid(self.payment_id),
            order: self.order_id.map(OrderId::from_uuid),
            amount: currency.of(self.amount),
            consequence: Consequence::parse(&self.consequence).ok_or_else(|| unknown(&self.consequence))?,
            status: RefundStatus::parse(&self.status).ok_or_else(|| unknown(&self.status))?,
            reason: self.reason,
            stripe_id: self.stripe_id,
            failure: self.failure,
            requested_by: self.requested_by.map(UserId::from_uuid),
            created_at: self.created_at,
        })
    }
}

pub struct NewRefund<'a> {
    pub id: RefundId,
    pub payment: PaymentId,
    pub order: Option<OrderId>,
    pub amount: Money,
    pub tax: i64,
    pub reason: &'a str,
    pub consequence: Consequence,
    pub stripe_id: Option<&'a str>,
    pub requested_by: Option<UserId>,
    pub request_key: Option<&'a str>,
    pub created_at: OffsetDateTime,
}

pub async fn insert(conn: &mut PgConnection, new: &NewRefund<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into refund (id, payment_id, order_id, amount, tax, currency, reason, consequence, status, stripe_id,
             requested_by, request_key, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', $9, $10, $11, $12, $12)",
        new.id.uuid(),
        new.payment.uuid(),
        new.order.map(OrderId::uuid),
        new.amount.amount,
        new.tax,
        new.amount.currency.as_str(),
        new.reason,
        new.consequence.as_str(),
        new.stripe_id,
        new.requested_by.map(UserId::uuid),
        new.request_key,
        new.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(pool: &PgPool, id: RefundId) -> Result<Option<RefundItem>, Error> {
    let row = sqlx::query_as!(
        RefundRow,
        "select id, payment_id, order_id, amount, currency, reason, consequence, status, stripe_id, failure,
                requested_by, created_at from refund where id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(RefundRow::into_item).transpose()
}

pub async fn lock(conn: &mut PgConnection, id: RefundId) -> Result<Option<RefundItem>, Error> {
    let row = sqlx::query_as!(
        RefundRow,
        "select id, payment_id, order_id, amount, currency, reason, consequence, status, stripe_id, failure,
                requested_by, created_at from refund where id = $1 for update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(RefundRow::into_item).transpose()
}

pub async fn of_order(pool: &PgPool, order: OrderId) -> Result<Vec<RefundItem>, Error> {
    let rows = sqlx::query_as!(
        RefundRow,
        "select id, payment_id, order_id, amount, currency, reason, consequence, status, stripe_id, failure,
                requested_by, created_at from refund where order_id = $1 order by created_at, id",
        order.uuid(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(RefundRow::into_item).collect()
}

pub async fn by_stripe(pool: &PgPool, stripe_id: &str) -> Result<Option<RefundId>, sqlx::Error> {
    let id = sqlx::query_scalar!("select id from refund where stripe_id = $1", stripe_id)
        .fetch_optional(pool)
        .await?;
    Ok(id.map(RefundId::from_uuid))
}

pub async fn by_stripe_in(conn: &mut PgConnection, stripe_id: &str) -> Result<Option<RefundId>, sqlx::Error> {
    let id = sqlx::query_scalar!("select id from refund where stripe_id = $1", stripe_id)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(RefundId::from_uuid))
}

pub async fn by_request_in(conn: &mut PgConnection, key: &str) -> Result<Option<RefundId>, sqlx::Error> {
    let id =
        sqlx::query_scalar!("select id from refund where request_key = $1", key).fetch_optional(conn).await?;
    Ok(id.map(RefundId::from_uuid))
}

pub async fn set_status(
    conn: &mut PgConnection,
    id: RefundId,
    status: RefundStatus,
    stripe_id: Option<&str>,
    failure: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refund set status = $2, stripe_id = coalesce(stripe_id, $3), failure = coalesce($4, failure),
             updated_at = $5 where id = $1",
        id.uuid(),
        status.as_str(),
        stripe_id,
        failure,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What of a payment went back, or is with the bank.
pub async fn gone_back(conn: &mut PgConnection, payment: PaymentId) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(amount), 0)::bigint as "sum!" from refund
           where payment_id = $1 and status in ('pending', 'succeeded')"#,
        payment.uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Refunds of a payment that Stripe has not been told of, as far as we know: newest first, those in `except` left out.
pub async fn waiting(
    conn: &mut PgConnection,
    payment: PaymentId,
    except: &[RefundId],
) -> Result<Vec<(RefundId, i64)>, sqlx::Error> {
    let except: Vec<Uuid> = except.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "select id, amount from refund
         where payment_id = $1 and status = 'requested' and stripe_id is null and id <> all($2)
         order by created_at desc, id desc for update",
        payment.uuid(),
        &except,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (RefundId::from_uuid(row.id), row.amount)).collect())
}

/// Where mail about a payment goes.
pub async fn address_of(conn: &mut PgConnection, payment: PaymentId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select c.email from payment p join billing_customer c on c.id = p.customer_id where p.id = $1",
        payment.uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// What was paid of an order, by all its payments, and what went back of it.
pub struct Sums {
    pub refunded: i64,
    pub total: i64,
}

pub async fn sums_of_order(conn: &mut PgConnection, order: OrderId) -> Result<Sums, sqlx::Error> {
    let row = sqlx::query!(
        r#"select greatest(o.total, coalesce((select sum(p.amount) from payment p where p.order_id = o.id), 0))::bigint
                      as "total!",
                  coalesce((select sum(r.amount) from refund r
                      where r.order_id = o.id and r.status in ('pending', 'succeeded')), 0)::bigint as "refunded!"
           from billing_order o where o.id = $1"#,
        order.uuid(),
    )
    .fetch_one(conn)
    .await?;
    Ok(Sums { refunded: row.refunded.min(row.total), total: row.total })
}

/// Whether money that went back, or is about to, takes the license with it: of the order's payments, or of a renewal of
/// what began with it.
pub async fn revokes(conn: &mut PgConnection, order: OrderId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from refund
               where consequence = 'revoke' and status not in ('failed', 'canceled') and payment_id in (
                   select id from payment where order_id = $1
                   union
                   select p.id from payment p join subscription s on s.id = p.subscription_id where s.order_id = $1))
               as "revokes!""#,
        order.uuid(),
    )
    .fetch_one(conn)
    .await
}

/// The payment that an invoice is for.
pub async fn payment_of_invoice(pool: &PgPool, invoice: InvoiceId) -> Result<Option<PaymentId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "select payment_id from document where id = $1 and kind = 'invoice'",
        invoice.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(id.flatten().map(PaymentId::from_uuid))
}

struct WishRow {
    id: Uuid,
    order_id: Uuid,
    account_id: Uuid,
    email: String,
    message: String,
    status: String,
    answer: Option<String>,
    created_at: OffsetDateTime,
    decided_at: Option<OffsetDateTime>,
}

impl WishRow {
    fn into_wish(self) -> RefundWish {
        RefundWish {
            id: RefundRequestId::from_uuid(self.id),
            order: OrderId::from_uuid(self.order_id),
            account: UserId::from_uuid(self.account_id),
            email: self.email,
            message: self.message,
            status: self.status,
            answer: self.answer,
            created_at: self.created_at,
            decided_at: self.decided_at,
        }
    }
}

pub async fn insert_wish(
    conn: &mut PgConnection,
    id: RefundRequestId,
    order: OrderId,
    account: UserId,
    message: &str,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into refund_request (id, order_id, account_id, message, status, created_at)
         values ($1, $2, $3, $4, 'open', $5)",
        id.uuid(),
        order.uuid(),
        account.uuid(),
        message,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those that wait first, oldest first; then the decided ones, newest first.
pub async fn wishes(pool: &PgPool, limit: i64) -> Result<Vec<RefundWish>, sqlx::Error> {
    let rows = sqlx::query_as!(
        WishRow,
        "select r.id, r.order_id, r.account_id, o.email, r.message, r.status, r.answer, r.created_at, r.decided_at
         from refund_request r join billing_order o on o.id = r.order_id
         order by r.decided_at desc nulls first, r.created_at limit $1",
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(WishRow::into_wish).collect())
}

pub async fn wish_of_order(pool: &PgPool, order: OrderId) -> Result<Option<RefundWish>, sqlx::Error> {
    let row = sqlx::query_as!(
        WishRow,
        "select r.id, r.order_id, r.account_id, o.email, r.message, r.status, r.answer, r.created_at, r.decided_at
         from refund_request r join billing_order o on o.id = r.order_id
         where r.order_id = $1 order by r.created_at desc limit 1",
        order.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(WishRow::into_wish))
}

pub async fn wish(pool: &PgPool, id: RefundRequestId) -> Result<Option<RefundWish>, sqlx::Error> {
    let row = sqlx::query_as!(
        WishRow,
        "select r.id, r.order_id, r.account_id, o.email, r.message, r.status, r.answer, r.created_at, r.decided_at
         from refund_request r join billing_order o on o.id = r.order_id where r.id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(WishRow::into_wish))
}

pub async fn lock_wish(
    conn: &mut PgConnection,
    id: RefundRequestId,
) -> Result<Option<RefundWish>, sqlx::Error> {
    let row = sqlx::query_as!(
        WishRow,
        "select r.id, r.order_id, r.account_id, o.email, r.message, r.status, r.answer, r.created_at, r.decided_at
         from refund_request r join billing_order o on o.id = r.order_id where r.id = $1 for update of r",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(WishRow::into_wish))
}

pub async fn close_wish(
    conn: &mut PgConnection,
    id: RefundRequestId,
    status: &str,
    answer: &str,
    by: UserId,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update refund_request set status = $2, answer = $3, decided_by = $4, decided_at = $5 where id = $1",
        id.uuid(),
        status,
        answer,
        by.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
