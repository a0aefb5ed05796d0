//! What of an order its licenses follow, for whoever brings them in line with it. There is no caller: it is asked for by
//! a job, because something happened.
//!
//! What always holds: it is read with the order locked, so that of two who follow at once the second sees what the first
//! has done.

mod store;

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::{
    billing::Error,
    context::Context,
    contract::{
        id::{OrderId, OrderLineId, UserId},
        payment::{OrderStatus, Tier},
    },
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    pub id: OrderId,
    pub status: OrderStatus,
    pub account: Option<UserId>,
    pub email: String,
    /// Whether it is paid again and again.
    pub is_recurring: bool,
    pub is_fulfilled: bool,
    /// Whether the account that it belongs to has ended.
    pub is_of_the_gone: bool,
    pub lines: Vec<FollowedLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowedLine {
    pub id: OrderLineId,
    pub tier: Tier,
    pub seats: u32,
}

/// Which paid orders may not have been followed.
#[derive(Debug, Clone, Copy)]
pub struct Missed {
    /// Unfulfilled, and paid since this: what was paid back before it was given out is not looked at for good.
    pub paid_since: OffsetDateTime,
    /// And before this.
    pub paid_before: OffsetDateTime,
    /// Or something of it changed since this.
    pub changed_since: OffsetDateTime,
}

/// An order, locked.
pub async fn for_following(conn: &mut PgConnection, id: OrderId) -> Result<Option<Followed>, Error> {
    store::lock(conn, id).await
}

/// Writes down that the licenses of an order were given out. The first time counts.
pub async fn fulfilled(conn: &mut PgConnection, ctx: &Context, id: OrderId) -> Result<(), Error> {
    Ok(store::set_fulfilled(conn, id, ctx.clock.now()).await?)
}

/// Paid orders that may not have been followed, in the order of their ids.
pub async fn missed(
    ctx: &Context,
    missed: Missed,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderId>, Error> {
    Ok(store::missed(&ctx.db, missed, after, limit).await?)
}
