//! SQL of payments.

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Payment;
use crate::{
    billing::Error,
    contract::{
        id::{CustomerId, OrderId, PaymentId, SubscriptionId, UserId},
        money::{Currency, Money},
    },
};

struct PaymentRow {
    id: Uuid,
    customer_id: Uuid,
    account_id: Option<Uuid>,
    order_id: Option<Uuid>,
    subscription_id: Option<Uuid>,
    charge_id: String,
    amount: i64,
    currency: String,
    refunded: i64,
    description: String,
    paid_at: OffsetDateTime,
}

impl PaymentRow {
    fn into_payment(self) -> Result<Payment, Error> {
        let currency = Currency::parse(&self.currency).ok_or_else(|| Error::Stored(self.currency.clone()))?;
        Ok(Payment {
            id: PaymentId::from_uuid(self.id),
            customer: CustomerId::from_uuid(self.customer_id),
            account: self.account_id.map(UserId::from_uuid),
            order: self.order_id.map(OrderId::from_uuid),
            subscription: self.subscription_id.map(SubscriptionId::from_uuid),
            charge_id: self.charge_id,
            amount: currency.of(self.amount),
            refunded: self.refunded,
            description: self.description,
            paid_at: self.paid_at,
        })
    }
}

/// What is written down of a charge.
pub struct NewPayment<'a> {
    pub id: PaymentId,
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub order: Option<OrderId>,
    pub subscription: Option<SubscriptionId>,
    pub charge_id: &'a str,
    pub payment_intent_id: &'a str,
    pub stripe_invoice_id: Option<&'a str>,
    pub amount: Money,
    pub fee: i64,
    pub fee_currency: &'a str,
    pub description: &'a str,
    pub paid_at: OffsetDateTime,
    pub recorded_at: OffsetDateTime,
}

/// False when that charge is written down already.
pub async fn insert(conn: &mut PgConnection, new: &NewPayment<'_>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into payment (id, customer_id, account_id, order_id, subscription_id, charge_id, payment_intent_id,
             stripe_invoice_id, amount, currency, fee, fee_currency, refunded, description, paid_at, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $15)
         on conflict on constraint payment_charge do nothing",
        new.id.uuid(),
        new.customer.uuid(),
        new.account.map(UserId::uuid),
        new.order.map(OrderId::uuid),
        new.subscription.map(SubscriptionId::uuid),
        new.charge_id,
        new.payment_intent_id,
        new.stripe_invoice_id,
        new.amount.amount,
        new.amount.currency.as_str(),
        new.fee,
        new.fee_currency,
        new.description,
        new.paid_at,
        new.recorded_at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn find(pool: &PgPool, id: PaymentId) -> Result<Option<Payment>, Error> {
    let row = sqlx::query_as!(
        PaymentRow,
        "select id, customer_id, account_id, order_id, subscription_id, charge_id, amount, currency, refunded,
                description, paid_at from payment where id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(PaymentRow::into_payment).transpose()
}

pub async fn by_charge(pool: &PgPool, charge: &str) -> Result<Option<Payment>, Error> {
    let row = sqlx::query_as!(
        PaymentRow,
        "select id, customer_id, account_id, order_id, subscription_id, charge_id, amount, currency, refunded,
                description, paid_at from payment where charge_id = $1",
        charge,
    )
    .fetch_optional(pool)
    .await?;
    row.map(PaymentRow::into_payment).transpose()
}

/// The order that a payment is for, if it is for one.
pub async fn order_of(conn: &mut PgConnection, id: PaymentId) -> Result<Option<OrderId>, sqlx::Error> {
    let order = sqlx::query_scalar!("select order_id from payment where id = $1", id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(order.flatten().map(OrderId::from_uuid))
}

pub async fn lock(conn: &mut PgConnection, id: PaymentId) -> Result<Option<Payment>, Error> {
    let row = sqlx::query_as!(
        PaymentRow,
        "select id, customer_id, account_id, order_id, subscription_id, charge_id, amount, currency, refunded,
                description, paid_at from payment where id = $1 for update",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(PaymentRow::into_payment).transpose()
}

pub async fn of_order(pool: &PgPool, order: OrderId) -> Result<Vec<Payment>, Error> {
    let rows = sqlx::query_as!(
        PaymentRow,
        "select id, customer_id, account_id, order_id, subscription_id, charge_id, amount, currency, refunded,
                description, paid_at from payment where order_id = $1 order by paid_at, id",
        order.uuid(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(PaymentRow::into_payment).collect()
}

/// What was paid of an order by all its payments, and what of that went back or is about to.
pub struct Sums {
    pub paid: i64,
    pub refunded: i64,
}

pub async fn sums_of_order(conn: &mut PgConnection, order: OrderId) -> Result<Sums, sqlx::Error> {
    sqlx::query_as!(
        Sums,
        r#"select coalesce(sum(amount), 0)::bigint as "paid!", coalesce(sum(refunded), 0)::bigint as "refunded!"
           from payment where order_id = $1"#,
        order.uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Whether its order was paid by another payment as well, for another subscription.
pub async fn is_one_of_two(conn: &mut PgConnection, payment: &Payment) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from payment
               where order_id = $1 and id <> $2 and subscription_id is distinct from $3) as "is_one!""#,
        payment.order.map(OrderId::uuid),
        payment.id.uuid(),
        payment.subscription.map(SubscriptionId::uuid),
    )
    .fetch_one(conn)
    .await
}

pub async fn set_refunded(conn: &mut PgConnection, id: PaymentId, refunded: i64) -> Result<(), sqlx::Error> {
    sqlx::query!("update payment set refunded = $2 where id = $1", id.uuid(), refunded).execute(conn).await?;
    Ok(())
}

/// A fee that was not known yet when the charge was written down.
pub async fn set_fee(
    conn: &mut PgConnection,
    id: PaymentId,
    fee: i64,
    fee_currency: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update payment set fee = $2, fee_currency = $3 where id = $1",
        id.uuid(),
        fee,
        fee_currency,
    )
    .execute(conn)
    .await?;
    Ok(())
}
