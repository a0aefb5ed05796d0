//! Orders: what somebody wants to buy, what it costs, and what became of it.
//!
//! What always holds: an order is written down before Stripe hears of it, and Stripe is told under a key made from the
//! order's id and the number of the try; so whatever is killed, lost or sent twice in between, there is one order and at
//! most one charge. Its state moves by [`rules::next`] only.

mod again;
mod checkout;
mod checks;
mod following;
mod quote;
pub mod rules;
pub(super) mod store;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

pub use self::{
    again::pay_again,
    checkout::{TIME_TO_PAY, checkout},
    following::{Followed, FollowedLine, Missed, for_following, fulfilled, missed},
    quote::{Quote, Want, quote},
    rules::OrderEvent,
};
use super::{By, Error, customer, note};
use crate::{
    account::{Caller, Denied, Permission},
    context::Context,
    contract::{
        id::{CustomerId, OrderId, OrderLineId, UserId},
        money::{Currency, Money},
        payment::{Interval, Line, OrderStatus, PaymentMethod, Tier},
    },
    crypto::Purpose,
    outbox,
};

/// The most seats of one order.
pub const MAX_SEATS: u32 = 10_000;
/// The most orders of one list.
pub const MAX_LIST: i64 = 100;
/// The longest key that a link can carry.
const LINK_KEY_CHARS: usize = 43;

#[derive(Debug, Clone, PartialEq)]
pub struct OrderLine {
    pub id: OrderLineId,
    pub tier: Tier,
    pub line: Line,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub id: OrderId,
    pub status: OrderStatus,
    pub account: Option<UserId>,
    pub customer: CustomerId,
    pub email: String,
    pub tier: Tier,
    pub interval: Interval,
    pub seats: u32,
    pub currency: Currency,
    pub subtotal: Money,
    pub discount: Money,
    pub tax: Money,
    pub total: Money,
    pub refunded: Money,
    pub trial_days: u16,
    pub coupon: Option<String>,
    pub payment_method: PaymentMethod,
    pub lines: Vec<OrderLine>,
    pub session_id: Option<String>,
    pub session_url: Option<String>,
    /// Which try at paying this is, from 1.
    pub attempt: i16,
    pub created_at: OffsetDateTime,
    /// Until when it can be paid, in this try.
    pub expires_at: OffsetDateTime,
    pub paid_at: Option<OffsetDateTime>,
    pub fulfilled_at: Option<OffsetDateTime>,
}

/// Whose an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub email: String,
    /// Whether it is paid again and again.
    pub recurring: bool,
}

/// An order of the caller, or anybody's for staff.
pub async fn find(ctx: &Context, caller: &Caller, id: OrderId) -> Result<Order, Error> {
    let identity = caller.require(ctx, Permission::BillingRead)?;
    let order = store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    if order.account == Some(identity.user.id) || caller.require(ctx, Permission::PaymentsRead).is_ok() {
        Ok(order)
    } else {
        Err(Error::NotFound)
    }
}

/// An order by the link that its buyer has.
pub async fn by_link(ctx: &Context, id: OrderId, key: &str) -> Result<Order, Error> {
    if !is_link_key(ctx, id, key) {
        return Err(Error::NotFound);
    }
    store::find(&ctx.db, id).await?.ok_or(Error::NotFound)
}

/// The caller's orders, newest first.
pub async fn list_own(ctx: &Context, caller: &Caller) -> Result<Vec<Order>, Error> {
    let identity = caller.require(ctx, Permission::BillingRead)?;
    store::of_account(&ctx.db, identity.user.id, MAX_LIST).await
}

/// Which orders a list for staff holds.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An address, or an order's id.
    pub search: String,
    pub status: Option<OrderStatus>,
    /// Those older than this one.
    pub before: Option<OrderId>,
}

/// Everybody's orders, newest first.
pub async fn list(ctx: &Context, caller: &Caller, filter: &Filter) -> Result<Vec<Order>, Error> {
    caller.require(ctx, Permission::PaymentsRead)?;
    store::list(&ctx.db, filter, MAX_LIST).await
}

/// The address at which an order's buyer sees it, signed in or not.
pub fn link(ctx: &Context, id: OrderId) -> String {
    format!("{}{}", ctx.config.http.public_url, path(ctx, id))
}

/// [`link`] within this site.
pub fn path(ctx: &Context, id: OrderId) -> String {
    format!("/checkout/orders/{id}?key={}", link_key(ctx, id))
}

fn link_key(ctx: &Context, id: OrderId) -> String {
    URL_SAFE_NO_PAD.encode(ctx.hashers.keyed(Purpose::OrderLink, id.uuid().as_bytes()))
}

fn is_link_key(ctx: &Context, id: OrderId, key: &str) -> bool {
    if key.len() != LINK_KEY_CHARS {
        return false;
    }
    // Hashed once more, so that how alike the two are does not show in the time it takes.
    let hashed = |key: &str| ctx.hashers.keyed(Purpose::OrderLink, key.as_bytes());
    hashed(key) == hashed(&link_key(ctx, id))
}

/// Lets an event happen to an order: the one way its state changes. None when it changes nothing.
pub async fn apply(
    conn: &mut PgConnection,
    ctx: &Context,
    id: OrderId,
    event: OrderEvent,
) -> Result<Option<OrderStatus>, Error> {
    let Some(status) = store::lock(&mut *conn, id).await? else { return Err(Error::NotFound) };
    if let OrderEvent::Refunded { refunded, .. } | OrderEvent::DisputeWon { refunded, .. } = event {
        store::set_refunded(&mut *conn, id, refunded, ctx.clock.now()).await?;
    }
    let Some(next) = rules::next(status, event) else { return Ok(None) };
    store::set_status(&mut *conn, id, next, ctx.clock.now()).await?;
    let detail = json!({ "from": status, "to": next });
    note(&mut *conn, ctx, By::SYSTEM, "order.changed", ("order", id.to_string()), detail).await?;
    outbox::publish(conn, ctx, "order.changed", &id.to_string(), &json!({ "status": next })).await?;
    Ok(Some(next))
}

/// Whose an order is.
pub async fn owner_of(conn: &mut PgConnection, id: OrderId) -> Result<Option<Owner>, Error> {
    Ok(store::owner(conn, id).await?)
}

/// The id at Stripe of a customer of ours.
pub async fn stripe_customer(ctx: &Context, id: CustomerId) -> Result<Option<String>, Error> {
    customer::stripe_id(ctx, id).await
}

/// Gives a guest's orders, and all that belongs to them, to the account that has proven their address.
pub async fn claim(conn: &mut PgConnection, account: UserId, email: &str) -> Result<(), Error> {
    store::claim(&mut *conn, account, email).await?;
    super::document::claim(conn, account, email).await
}

/// Who may buy, and for which account: a guest is nobody, and somebody signed in has to be allowed to.
fn buyer<'a>(ctx: &Context, caller: &'a Caller) -> Result<Option<&'a crate::account::Identity>, Denied> {
    match caller {
        Caller::Anonymous => Ok(None),
        Caller::User(_) => caller.require(ctx, Permission::BillingWrite).map(Some),
    }
}
