//! What is paid for again and again: how it stands, how it is changed, and what happens when a payment fails.
//!
//! What always holds: a row here is what Stripe said when it was asked last, with what was paid for kept until its period
//! is over ([`rules`]); an answer to an earlier question never overwrites a later one; a change is made at Stripe first
//! and read back from there, so that a killed process leaves nothing that is only half true; what has ended stays ended.

mod change;
mod dunning;
mod jobs;
mod mails;
pub mod rules;
mod store;
mod sync;

use sqlx::PgConnection;
use time::OffsetDateTime;

pub(super) use self::sync::{Read, look, read, subject};
pub use self::{
    change::{cancel, change, portal, resume},
    dunning::{payment_failed, trial_will_end},
    jobs::{Dunning, EndSubscription, EndWithAccount, Leaving},
    rules::{GRACE, Plan},
    sync::sync,
};
use super::Error;
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{
        id::{CustomerId, OrderId, SubscriptionId, UserId},
        payment::{NextPlan, Subscription},
    },
    jobs::enqueue,
};

/// A subscription with what only billing looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    pub id: SubscriptionId,
    pub stripe_id: String,
    /// What it began with.
    pub order: Option<OrderId>,
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub state: rules::State,
    pub created_at: OffsetDateTime,
    /// When Stripe was asked for what stands here.
    pub synced_at: OffsetDateTime,
}

impl Details {
    /// As its owner sees it.
    pub fn shown(&self) -> Subscription {
        let state = &self.state;
        Subscription {
            id: self.id,
            status: state.status,
            tier: state.terms.tier,
            interval: state.terms.interval,
            seats: state.seats,
            unit_amount: state.terms.currency.of(state.terms.unit_amount),
            current_period_end: state.period_end,
            trial_end: state.trial_end,
            cancel_at_period_end: state.cancel_at_period_end,
            grace_until: state.grace_until,
            next: state.next.map(|next| NextPlan { tier: next.tier, seats: next.seats }),
        }
    }
}

pub async fn by_stripe(ctx: &Context, stripe_id: &str) -> Result<Option<Details>, Error> {
    store::by_stripe(&ctx.db, stripe_id).await
}

/// The one that an order's license follows: where there were two, the one that runs.
pub async fn of_order(conn: &mut PgConnection, order: OrderId) -> Result<Option<Details>, Error> {
    store::of_order(conn, order).await
}

/// The order that one began with.
pub async fn order_of(ctx: &Context, id: SubscriptionId) -> Result<Option<OrderId>, Error> {
    Ok(store::by_id(&ctx.db, id).await?.and_then(|details| details.order))
}

/// Whether an account has one that has not ended.
pub(super) async fn any_running(conn: &mut PgConnection, account: UserId) -> Result<bool, Error> {
    Ok(store::any_running(conn, account).await?)
}

/// Has what began with an order ended after the caller's transaction.
pub(super) async fn end_of_order(conn: &mut PgConnection, order: OrderId) -> Result<(), Error> {
    for id in store::running_of_order(&mut *conn, order).await? {
        end(&mut *conn, id).await?;
    }
    Ok(())
}

/// Sees to it, after the caller's transaction, that nobody is charged for an account that is being given up.
pub(crate) async fn leave(conn: &mut PgConnection, account: UserId, when: Leaving) -> Result<(), Error> {
    if store::any_running(&mut *conn, account).await? {
        enqueue(conn, &EndWithAccount { account, when }).await?;
    }
    Ok(())
}

/// Has a subscription ended after the caller's transaction, whatever its period.
pub(super) async fn end(conn: &mut PgConnection, id: SubscriptionId) -> Result<(), Error> {
    Ok(enqueue(conn, &EndSubscription { id }).await?)
}

/// What the caller is subscribed to: their newest that runs, or the last that has ended.
pub async fn current(ctx: &Context, caller: &Caller) -> Result<Option<Subscription>, Error> {
    let identity = caller.require(ctx, Permission::BillingRead)?;
    let newest = store::newest(&ctx.db, identity.user.id).await?;
    Ok(newest.map(|details| details.shown()))
}
