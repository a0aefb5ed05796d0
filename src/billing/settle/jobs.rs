//! Asking Stripe when nobody tells: orders that were begun and never heard of again, and fees that come later.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::record::{self, Fee};
use crate::{
    billing::{
        ledger::{Kind, Movement},
        order, payment,
    },
    context::Context,
    contract::{
        id::{OrderId, PaymentId},
        payment::OrderStatus,
    },
    integration::stripe::objects::Expandable,
    jobs::{self, Job, Options},
};

/// After how long an order is looked after, each time it is still open: soon for a lost message, then seldom.
const WATCHES: [Duration; 5] = [
    Duration::minutes(2),
    Duration::minutes(15),
    Duration::hours(2),
    Duration::hours(24),
    Duration::hours(72),
];

/// Asks how an order's payment stands, in case no message comes.
#[derive(Debug, Serialize, Deserialize)]
pub struct WatchOrder {
    pub order: OrderId,
}

/// When the job runs that looks for the `nth` time.
pub fn watch_later(since: OffsetDateTime, nth: usize) -> Options {
    Options { run_at: WATCHES.get(nth).map(|wait| since + *wait), ..Options::default() }
}

impl Job for WatchOrder {
    const NAME: &'static str = "watch_order";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(order) = order::store::find(&ctx.db, self.order).await? else { return Ok(()) };
        if let Some(session) = &order.session_id {
            super::session(&ctx, session).await.context("the session cannot be settled")?;
        }
        let Some(order) = order::store::find(&ctx.db, self.order).await? else { return Ok(()) };
        let now = ctx.clock.now();
        // Without a session nobody ever could pay it.
        let over = order.session_id.is_none() && order.expires_at <= now;
        let mut tx = ctx.db.begin().await?;
        if over && order.status == OrderStatus::Open {
            order::apply(&mut tx, &ctx, self.order, order::OrderEvent::Expired).await?;
        } else if matches!(order.status, OrderStatus::Open | OrderStatus::Processing) {
            let begun = order.expires_at - order::TIME_TO_PAY;
            if let Some(nth) = WATCHES.iter().position(|wait| *wait > now - begun) {
                jobs::enqueue_with(&mut tx, &self, watch_later(begun, nth)).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Writes down Stripe's fee, which was not known yet with its charge.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecordFee {
    pub payment: PaymentId,
}

impl RecordFee {
    pub fn later(now: OffsetDateTime) -> Options {
        Options { run_at: Some(now + Duration::minutes(1)), ..Options::default() }
    }
}

impl Job for RecordFee {
    const NAME: &'static str = "record_fee";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        let Some(payment) = payment::find(&ctx, self.payment).await? else { return Ok(()) };
        let charge = ctx.stripe()?.charge(&payment.charge_id).await?;
        let Some(balance) = charge.balance_transaction.as_ref().and_then(Expandable::object) else {
            anyhow::bail!("the fee of {} is not known yet", payment.charge_id);
        };
        let mut tx = ctx.db.begin().await?;
        payment::store::set_fee(&mut tx, payment.id, balance.fee, &balance.currency).await?;
        let of = Movement {
            kind: Kind::Fee,
            reference: String::new(),
            description: String::new(),
            occurred_at: payment.paid_at,
            account: payment.account,
            order: payment.order,
            payment: Some(payment.id),
            subscription: payment.subscription,
            entries: Vec::new(),
        };
        let fee = Fee { amount: balance.fee, currency: &balance.currency };
        record::enter_fee(&mut tx, &ctx, &of, &payment.charge_id, fee).await?;
        tx.commit().await?;
        Ok(())
    }
}
