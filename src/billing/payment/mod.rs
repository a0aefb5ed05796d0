//! Money that came in: one row a charge that succeeded.

pub(super) mod store;

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::Error;
use crate::{
    context::Context,
    contract::{
        id::{CustomerId, OrderId, PaymentId, SubscriptionId, UserId},
        money::Money,
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub order: Option<OrderId>,
    pub subscription: Option<SubscriptionId>,
    pub charge_id: String,
    pub amount: Money,
    /// Refunds that have not failed, those that are only requested included.
    pub refunded: i64,
    pub description: String,
    pub paid_at: OffsetDateTime,
}

impl Payment {
    /// What may still be given back.
    pub const fn left(&self) -> Money {
        self.amount.currency.of(self.amount.amount - self.refunded)
    }
}

pub async fn by_charge(ctx: &Context, charge: &str) -> Result<Option<Payment>, Error> {
    store::by_charge(&ctx.db, charge).await
}

pub async fn find(ctx: &Context, id: PaymentId) -> Result<Option<Payment>, Error> {
    store::find(&ctx.db, id).await
}

/// The payment as nobody else changes it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: PaymentId) -> Result<Option<Payment>, Error> {
    store::lock(conn, id).await
}

/// Oldest first.
pub async fn of_order(ctx: &Context, order: OrderId) -> Result<Vec<Payment>, Error> {
    store::of_order(&ctx.db, order).await
}

/// How much of a payment is given back, or about to be, from now on. The database refuses more than was paid.
pub async fn set_refunded(conn: &mut PgConnection, id: PaymentId, refunded: i64) -> Result<(), Error> {
    Ok(store::set_refunded(conn, id, refunded).await?)
}
