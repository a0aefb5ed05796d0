//! SQL of orders and their lines.

use std::collections::HashMap;

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Filter, Order, OrderLine, Owner};
use crate::{
    billing::Error,
    contract::{
        id::{CouponId, CustomerId, OrderId, OrderLineId, PriceId, UserId},
        money::{Currency, Rate},
        payment::{Interval, Line, LineTax, OrderStatus, PaymentMethod, Tier},
    },
};

struct OrderRow {
    id: Uuid,
    customer_id: Uuid,
    account_id: Option<Uuid>,
    email: String,
    status: String,
    tier: String,
    interval: String,
    seats: i32,
    currency: String,
    subtotal: i64,
    discount: i64,
    tax: i64,
    total: i64,
    trial_days: i16,
    coupon: Option<String>,
    payment_method: String,
    attempt: i16,
    session_id: Option<String>,
    session_url: Option<String>,
    refunded: i64,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    paid_at: Option<OffsetDateTime>,
    fulfilled_at: Option<OffsetDateTime>,
}

/// A word of the database that this version knows, or an error that says which it does not.
fn word<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(text).ok_or_else(|| Error::Stored(text.to_owned()))
}

fn count<T: TryFrom<i64>>(number: i64) -> Result<T, Error> {
    T::try_from(number).map_err(|_| Error::Stored(number.to_string()))
}

impl OrderRow {
    fn into_order(self, lines: Vec<OrderLine>) -> Result<Order, Error> {
        let currency = word(&self.currency, Currency::parse)?;
        Ok(Order {
            id: OrderId::from_uuid(self.id),
            status: word(&self.status, OrderStatus::parse)?,
            account: self.account_id.map(UserId::from_uuid),
            customer: CustomerId::from_uuid(self.customer_id),
            email: self.email,
            tier: word(&self.tier, Tier::parse)?,
            interval: word(&self.interval, Interval::parse)?,
            seats: count(self.seats.into())?,
            currency,
            subtotal: currency.of(self.subtotal),
            discount: currency.of(self.discount),
            tax: currency.of(self.tax),
            total: currency.of(self.total),
            refunded: currency.of(self.refunded),
            trial_days: count(self.trial_days.into())?,
            coupon: self.coupon,
            payment_method: if self.payment_method == "element" {
                PaymentMethod::Element
            } else {
                PaymentMethod::Checkout
            },
            lines,
            session_id: self.session_id,
            session_url: self.session_url,
            attempt: self.attempt,
            created_at: self.created_at,
            expires_at: self.expires_at,
            paid_at: self.paid_at,
            fulfilled_at: self.fulfilled_at,
        })
    }
}

pub async fn insert(
    conn: &mut PgConnection,
    order: &Order,
    price: PriceId,
    coupon: Option<CouponId>,
    request_key: Option<&str>,
) -> Result<(), Error> {
    let method = match order.payment_method {
        PaymentMethod::Checkout => "checkout",
        PaymentMethod::Element => "element",
    };
    sqlx::query!(
        "insert into billing_order (id, customer_id, account_id, email, status, tier, interval, seats, currency,
             subtotal, discount, tax, total, trial_days, coupon_id, payment_method, attempt, refunded, request_key,
             created_at, expires_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, $18, $19, $20, $19)",
        order.id.uuid(),
        order.customer.uuid(),
        order.account.map(UserId::uuid),
        order.email,
        order.status.as_str(),
        order.tier.as_str(),
        order.interval.as_str(),
        count::<i32>(order.seats.into())?,
        order.currency.as_str(),
        order.subtotal.amount,
        order.discount.amount,
        order.tax.amount,
        order.total.amount,
        count::<i16>(order.trial_days.into())?,
        coupon.map(CouponId::uuid),
        method,
        order.attempt,
        request_key,
        order.created_at,
        order.expires_at,
    )
    .execute(&mut *conn)
    .await?;
    for (position, OrderLine { id, tier, line }) in (0_i16..).zip(&order.lines) {
        sqlx::query!(
            "insert into order_line (id, order_id, position, price_id, tier, description, quantity, unit_amount,
                 discount, net, tax_rate, tax, tax_country, tax_reason)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            id.uuid(),
            order.id.uuid(),
            position,
            price.uuid(),
            tier.as_str(),
            line.description,
            count::<i32>(line.quantity.into())?,
            line.unit_amount,
            line.discount,
            line.net,
            count::<i32>(line.tax.rate.0.into())?,
            line.tax.amount,
            line.tax.country,
            line.tax.reason,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

pub async fn find(pool: &PgPool, id: OrderId) -> Result<Option<Order>, Error> {
    let row = sqlx::query_as!(
        OrderRow,
        r#"select o.id, o.customer_id, o.account_id, o.email, o.status, o.tier, o.interval, o.seats, o.currency,
                  o.subtotal, o.discount, o.tax, o.total, o.trial_days, c.code as "coupon?", o.payment_method,
                  o.attempt, o.session_id, o.session_url, o.refunded, o.created_at, o.expires_at, o.paid_at,
                  o.fulfilled_at
           from billing_order o left join coupon c on c.id = o.coupon_id where o.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(with_lines(pool, vec![row]).await?.pop())
}

pub async fn by_request(pool: &PgPool, request_key: &str) -> Result<Option<Order>, Error> {
    let id = sqlx::query_scalar!("select id from billing_order where request_key = $1", request_key)
        .fetch_optional(pool)
        .await?;
    match id {
        Some(id) => find(pool, OrderId::from_uuid(id)).await,
        None => Ok(None),
    }
}

pub async fn of_account(pool: &PgPool, account: UserId, limit: i64) -> Result<Vec<Order>, Error> {
    let rows = sqlx::query_as!(
        OrderRow,
        r#"select o.id, o.customer_id, o.account_id, o.email, o.status, o.tier, o.interval, o.seats, o.currency,
                  o.subtotal, o.discount, o.tax, o.total, o.trial_days, c.code as "coupon?", o.payment_method,
                  o.attempt, o.session_id, o.session_url, o.refunded, o.created_at, o.expires_at, o.paid_at,
                  o.fulfilled_at
           from billing_order o left join coupon c on c.id = o.coupon_id
           where o.account_id = $1 order by o.created_at desc, o.id desc limit $2"#,
        account.uuid(),
        limit,
    )
    .fetch_all(pool)
    .await?;
    with_lines(pool, rows).await
}

pub async fn list(pool: &PgPool, filter: &Filter, limit: i64) -> Result<Vec<Order>, Error> {
    let search = filter.search.trim();
    let by_id = search.parse::<OrderId>().ok().map(OrderId::uuid);
    // What is typed stands for itself.
    let escaped = search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let pattern = (by_id.is_none() && !search.is_empty()).then(|| format!("%{}%", escaped.to_lowercase()));
    let rows = sqlx::query_as!(
        OrderRow,
        r#"select o.id, o.customer_id, o.account_id, o.email, o.status, o.tier, o.interval, o.seats, o.currency,
                  o.subtotal, o.discount, o.tax, o.total, o.trial_days, c.code as "coupon?", o.payment_method,
                  o.attempt, o.session_id, o.session_url, o.refunded, o.created_at, o.expires_at, o.paid_at,
                  o.fulfilled_at
           from billing_order o left join coupon c on c.id = o.coupon_id
           where ($1::uuid is null or o.id = $1) and ($2::text is null or lower(o.email) like $2)
             and ($3::text is null or o.status = $3)
             and ($4::uuid is null
                  or (o.created_at, o.id) < (select b.created_at, b.id from billing_order b where b.id = $4))
           order by o.created_at desc, o.id desc limit $5"#,
        by_id,
        pattern,
        filter.status.map(OrderStatus::as_str),
        filter.before.map(OrderId::uuid),
        limit,
    )
    .fetch_all(pool)
    .await?;
    with_lines(pool, rows).await
}

async fn with_lines(pool: &PgPool, rows: Vec<OrderRow>) -> Result<Vec<Order>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let found = sqlx::query!(
        "select id, order_id, tier, description, quantity, unit_amount, discount, net, tax_rate, tax, tax_country,
                tax_reason
         from order_line where order_id = any($1) order by order_id, position",
        &ids,
    )
    .fetch_all(pool)
    .await?;
    let mut lines: HashMap<Uuid, Vec<OrderLine>> = HashMap::new();
    for row in found {
        let line = OrderLine {
            id: OrderLineId::from_uuid(row.id),
            tier: word(&row.tier, Tier::parse)?,
            line: Line {
                description: row.description,
                quantity: count(row.quantity.into())?,
                unit_amount: row.unit_amount,
                discount: row.discount,
                net: row.net,
                tax: LineTax {
                    rate: Rate(count(row.tax_rate.into())?),
                    amount: row.tax,
                    country: row.tax_country,
                    reason: row.tax_reason,
                },
            },
        };
        lines.entry(row.order_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| {
            let of_it = lines.remove(&row.id).unwrap_or_default();
            row.into_order(of_it)
        })
        .collect()
}

/// The order's state, as nobody else changes it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: OrderId) -> Result<Option<OrderStatus>, Error> {
    let status = sqlx::query_scalar!("select status from billing_order where id = $1 for update", id.uuid())
        .fetch_optional(conn)
        .await?;
    status.map(|status| word(&status, OrderStatus::parse)).transpose()
}

pub async fn set_status(
    conn: &mut PgConnection,
    id: OrderId,
    status: OrderStatus,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update billing_order
         set status = $2, updated_at = $3, paid_at = case when $2 = 'paid' then coalesce(paid_at, $3) else paid_at end
         where id = $1",
        id.uuid(),
        status.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn set_refunded(
    conn: &mut PgConnection,
    id: OrderId,
    refunded: i64,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    // Of an order that was paid twice, more can go back than it cost.
    sqlx::query!(
        "update billing_order set refunded = least($2, total), updated_at = $3
         where id = $1 and refunded <> least($2, total)",
        id.uuid(),
        refunded,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A later try has a session of its own: the answer to an earlier one does not overwrite it.
pub async fn set_session(
    pool: &PgPool,
    id: OrderId,
    attempt: i16,
    session_id: &str,
    session_url: Option<&str>,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update billing_order set session_id = $3, session_url = $4, updated_at = $5 where id = $1 and attempt = $2",
        id.uuid(),
        attempt,
        session_id,
        session_url,
        now,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The try after `attempt`, unless somebody has begun it. It is made on Stripe's page: who comes back has no page of ours
/// with an element any more.
pub async fn next_attempt(
    conn: &mut PgConnection,
    id: OrderId,
    attempt: i16,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update billing_order
         set attempt = attempt + 1, session_id = null, session_url = null, payment_method = 'checkout',
             expires_at = $3, updated_at = $4
         where id = $1 and attempt = $2 and status = 'open'",
        id.uuid(),
        attempt,
        expires_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What an order is made with at Stripe.
pub struct Bought {
    pub price: PriceId,
    pub coupon: Option<CouponId>,
}

pub async fn bought(pool: &PgPool, id: OrderId) -> Result<Option<Bought>, sqlx::Error> {
    let row = sqlx::query!(
        "select l.price_id, o.coupon_id from billing_order o join order_line l on l.order_id = o.id
         where o.id = $1 and l.position = 0",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Bought {
        price: PriceId::from_uuid(row.price_id),
        coupon: row.coupon_id.map(CouponId::from_uuid),
    }))
}

pub async fn coupon_of(conn: &mut PgConnection, id: OrderId) -> Result<Option<CouponId>, sqlx::Error> {
    let coupon = sqlx::query_scalar!("select coupon_id from billing_order where id = $1", id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(coupon.flatten().map(CouponId::from_uuid))
}

pub async fn owner(conn: &mut PgConnection, id: OrderId) -> Result<Option<Owner>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select customer_id, account_id, email, interval <> 'once' as "recurring!"
               from billing_order where id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Owner {
        customer: CustomerId::from_uuid(row.customer_id),
        account: row.account_id.map(UserId::from_uuid),
        email: row.email,
        recurring: row.recurring,
    }))
}

/// Whatever else is settled for an account waits until the transaction ends.
pub async fn lock_account(conn: &mut PgConnection, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("select id from account where id = $1 for no key update", account.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(())
}

/// Whether the account that an order belongs to is gone.
pub async fn is_of_the_gone(pool: &PgPool, id: OrderId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from billing_order o join account a on a.id = o.account_id
               where o.id = $1 and a.deleted_at is not null) as "gone!""#,
        id.uuid(),
    )
    .fetch_one(pool)
    .await
}

/// Gives one order, and what was begun with it, to an account.
pub async fn give(conn: &mut PgConnection, id: OrderId, account: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with given as (update billing_order set account_id = $2 where id = $1 and account_id is null
                        returning customer_id),
         subscriptions as (
             update subscription s set account_id = $2 from given where s.customer_id = given.customer_id)
         update billing_customer c set account_id = $2 from given where c.id = given.customer_id",
        id.uuid(),
        account.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives what guests with a proven address have paid for to its account: orders, subscriptions and payments. What was
/// only begun under an address may be anybody's doing.
pub async fn claim(conn: &mut PgConnection, account: UserId, email: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with claimed as (
             update billing_order set account_id = $1
             where account_id is null and lower(email) = lower($2) and paid_at is not null
               -- A second subscription stays where it is: it would stand before one's own.
               and (interval = 'once' or not exists
                    (select from subscription own where own.account_id = $1 and own.status <> 'ended'))
             returning id, customer_id),
         customers as (
             update billing_customer c set account_id = $1 from claimed where c.id = claimed.customer_id),
         subscriptions as (
             update subscription s set account_id = $1 from claimed where s.customer_id = claimed.customer_id)
         update payment p set account_id = $1 from claimed where p.customer_id = claimed.customer_id",
        account.uuid(),
        email,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether somebody has had a trial.
pub async fn had_trial(pool: &PgPool, account: UserId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from billing_order where account_id = $1 and trial_days > 0 and paid_at is not null)
               as "had!""#,
        account.uuid(),
    )
    .fetch_one(pool)
    .await
}

/// The same, with another order than this one. Without an account, whoever has the address counts.
pub async fn other_trial(
    conn: &mut PgConnection,
    id: OrderId,
    account: Option<UserId>,
    email: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from billing_order
               where id <> $1 and trial_days > 0 and paid_at is not null
                   and (account_id = $2 or ($2::uuid is null and lower(email) = lower($3)))) as "had!""#,
        id.uuid(),
        account.map(UserId::uuid),
        email,
    )
    .fetch_one(conn)
    .await
}
