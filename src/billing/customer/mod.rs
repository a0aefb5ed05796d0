//! Who pays: name, address and tax id as they stand on an invoice, and their counterpart at Stripe.
//!
//! What always holds: a customer at Stripe is made once for each of ours and each of Stripe's accounts, under a key made
//! from our id.

pub(super) mod store;

use sqlx::PgConnection;

use super::Error;
use crate::{
    context::Context,
    contract::{
        id::{CustomerId, UserId},
        payment::Address,
    },
    integration::stripe::NewCustomer,
};

const KIND: &str = "customer";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    pub id: CustomerId,
    pub account: Option<UserId>,
    pub email: String,
    pub name: String,
    pub tax_id: Option<String>,
    pub address: Address,
}

/// What is known of a buyer at the checkout.
#[derive(Debug, Clone, Copy)]
pub struct Particulars<'a> {
    pub account: Option<UserId>,
    pub email: &'a str,
    pub name: &'a str,
    pub tax_id: Option<&'a str>,
    pub address: &'a Address,
}

/// The customer of an order. Each order has its own, so that what a later order says of its buyer changes nothing of an
/// earlier one; only a subscriber's next invoices follow what they said last.
pub(super) async fn create(
    conn: &mut PgConnection,
    ctx: &Context,
    particulars: &Particulars<'_>,
) -> Result<CustomerId, Error> {
    let now = ctx.clock.now();
    let id = CustomerId::from_uuid(ctx.random.uuid_v7(now));
    store::insert(conn, id, particulars, now).await?;
    Ok(id)
}

pub async fn find(ctx: &Context, id: CustomerId) -> Result<Option<Customer>, Error> {
    store::find(&ctx.db, id).await
}

/// The customer's id at Stripe, where there is one.
pub async fn stripe_id(ctx: &Context, id: CustomerId) -> Result<Option<String>, Error> {
    let environment = ctx.stripe()?.environment();
    Ok(store::stripe_id(&ctx.db, environment, KIND, &id.to_string()).await?)
}

/// The customer's id at Stripe, made when there is none yet.
pub(super) async fn ensure_at_stripe(ctx: &Context, id: CustomerId) -> Result<String, Error> {
    if let Some(known) = stripe_id(ctx, id).await? {
        return Ok(known);
    }
    let stripe = ctx.stripe()?;
    let customer = find(ctx, id).await?.ok_or(Error::NotFound)?;
    let new = NewCustomer {
        email: &customer.email,
        name: &customer.name,
        address: &customer.address,
        metadata: &[("customer", id.to_string())],
    };
    let made = stripe.create_customer(&new, &format!("customer-{id}")).await?;
    store::remember(&ctx.db, stripe.environment(), KIND, &id.to_string(), &made.id, ctx.clock.now()).await?;
    Ok(made.id)
}
