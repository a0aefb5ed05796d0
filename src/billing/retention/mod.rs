//! How long we know who wanted to buy: what was never paid is forgotten after a while, and at once with its account.
//!
//! What always holds: what was paid stays as it is, with its customer, payments and documents, because the law wants
//! invoices kept; of what was not paid, only what was wanted and for how much stays; what is emptied can be paid no more.

mod store;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::Duration;

use super::{
    Error,
    order::{self, Order, OrderEvent},
    settle,
    subscription::{self, Leaving},
};
use crate::{
    context::Context,
    contract::id::{OrderId, UserId},
    db,
    integration::stripe,
    jobs::{self, Job},
};

/// How long after the last try to pay an order is kept whole: somebody may come back to it, or ask what went wrong.
pub const KEEP_UNPAID: Duration = Duration::days(30);
/// What stands where an address was.
const GONE_EMAIL: &str = "removed@removed.invalid";
const GONE_MESSAGE: &str = "(removed)";
const BATCH: i64 = 500;

/// Whether nobody knows any more whose an order was.
pub fn is_emptied(order: &Order) -> bool {
    order.email == GONE_EMAIL
}

/// Empties orders that were never paid. Runs by the schedule, once a day.
#[derive(Debug, Serialize, Deserialize)]
pub struct EmptyUnpaid {}

impl Job for EmptyUnpaid {
    const NAME: &'static str = "empty_unpaid";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let now = ctx.clock.now();
        let before = now - KEEP_UNPAID;
        db::in_batches(BATCH, |limit| store::empty_older(&ctx.db, before, now, limit)).await?;
        Ok(())
    }
}

/// Forgets what an account began to buy and did not pay, and what it wrote to get money back, in the transaction in which
/// the account ends. Pages on which something of it could still be paid are ended after the commit.
pub(crate) async fn forget_unpaid(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
) -> Result<(), Error> {
    let open = store::open_of(&mut *conn, account).await?;
    for id in &open {
        order::apply(&mut *conn, ctx, *id, OrderEvent::Expired).await?;
    }
    store::empty_of(&mut *conn, account, ctx.clock.now()).await?;
    store::empty_wishes_of(&mut *conn, account).await?;
    if !open.is_empty() {
        jobs::enqueue(conn, &EndSessions { account, orders: open }).await?;
    }
    Ok(())
}

/// Ends the pages at Stripe on which the orders of an account that is gone could still be paid.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndSessions {
    pub account: UserId,
    pub orders: Vec<OrderId>,
}

impl Job for EndSessions {
    const NAME: &'static str = "end_sessions_of_account";
    const MAX_ATTEMPTS: i16 = 25;

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(payments) = &ctx.stripe else { return Ok(()) };
        for id in &self.orders {
            // Read now: a page may have been made while the account ended.
            let Some(session) = store::session_of(&ctx.db, *id).await? else { continue };
            match payments.expire_session(&session).await {
                // Of another account of ours at Stripe, as after a change of keys: nobody can pay on it.
                Err(stripe::Error::NotFound) => continue,
                other => other?,
            };
            // Whoever was faster has paid, and that counts.
            settle::session(&ctx, &session).await?;
        }
        // And what began with it in that moment ends like the rest.
        let mut tx = ctx.db.begin().await?;
        subscription::leave(&mut tx, self.account, Leaving::Gone).await?;
        tx.commit().await?;
        Ok(())
    }
}
