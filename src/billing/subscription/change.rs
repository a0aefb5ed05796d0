//! What somebody does with their subscription: another plan, an end, a way back, another card.
//!
//! What always holds: it is looked at at Stripe before it is changed, changed there first, and read back from there; a
//! wish sent twice at once is one change, because both carry the same key, and because it names what is to be, not by how
//! much it differs; what was paid for is not paid for again.

mod step;

use serde_json::{Value, json};

use self::step::Step;
use super::{
    Details, look,
    rules::State,
    store,
    sync::{self, named},
};
use crate::{
    account::{Caller, Identity, Permission},
    billing::{
        By, Error,
        limits::{self, SUBSCRIPTION_CHANGES},
        note, order, problem,
    },
    context::Context,
    contract::{
        id::SubscriptionId,
        payment::{
            ChangeAnswer, Interval, PortalAnswer, Subscription, SubscriptionChange, SubscriptionStatus, Tier,
        },
    },
    integration::stripe::objects,
};

/// Makes the caller's subscription another one, or only says what that would cost.
pub async fn change(
    ctx: &Context,
    caller: &Caller,
    wanted: &SubscriptionChange,
) -> Result<ChangeAnswer, Error> {
    let identity = caller.require(ctx, Permission::BillingWrite)?;
    check(wanted)?;
    limits::take(ctx, SUBSCRIPTION_CHANGES, &identity.user.id.to_string()).await?;
    let (details, theirs) = fresh(ctx, identity).await?;
    may_change(&details.state)?;
    let step = Step::towards(ctx, &details, &theirs, wanted).await?;
    let preview = step.preview(ctx).await?;
    if !wanted.preview {
        let wish = json!({
            "tier": step.target.tier,
            "seats": step.target.seats,
            "interval": step.interval,
            "due_now": preview.due_now.amount,
        });
        asked_for(ctx, identity, "subscription.change_asked", details.id, wish).await?;
        let done = step.apply(ctx).await;
        noted(ctx, identity, details.id, done).await?;
    }
    let after = store::by_stripe(&ctx.db, &details.stripe_id).await?.ok_or(Error::NotFound)?;
    Ok(ChangeAnswer { preview, subscription: after.shown() })
}

/// Has the caller's subscription end with the period that is paid for. Asked again, it stays so.
pub async fn cancel(ctx: &Context, caller: &Caller) -> Result<Subscription, Error> {
    let identity = caller.require(ctx, Permission::BillingWrite)?;
    set_end(ctx, identity, End::AtPeriodEnd).await
}

/// Takes that back, as long as it has not ended.
pub async fn resume(ctx: &Context, caller: &Caller) -> Result<Subscription, Error> {
    let identity = caller.require(ctx, Permission::BillingWrite)?;
    set_end(ctx, identity, End::Never).await
}

/// The address of Stripe's page where the caller changes their card. It is good for a few minutes.
pub async fn portal(ctx: &Context, caller: &Caller) -> Result<PortalAnswer, Error> {
    let identity = caller.require(ctx, Permission::BillingWrite)?;
    limits::take(ctx, SUBSCRIPTION_CHANGES, &identity.user.id.to_string()).await?;
    let stripe = ctx.stripe()?;
    let customer = store::paying_customer(&ctx.db, identity.user.id).await?.ok_or(Error::NotFound)?;
    let theirs = order::stripe_customer(ctx, customer).await?.ok_or(Error::NotFound)?;
    let back = format!("{}/account/billing", ctx.config.http.public_url);
    let session = stripe.portal_session(&theirs, &back).await?;
    Ok(PortalAnswer { url: session.url })
}

/// What is wrong with a wish, whatever it is about.
fn check(wanted: &SubscriptionChange) -> Result<(), Error> {
    let mut problems = Vec::new();
    if wanted.seats.is_some_and(|seats| !(1..=order::MAX_SEATS).contains(&seats)) {
        problems.push(problem("seats", "out_of_range", "Choose 1 to 10,000 seats."));
    }
    if wanted.tier == Some(Tier::Free) {
        problems.push(problem(
            "tier",
            "not_allowed",
            "To go back to the free plan, cancel the subscription.",
        ));
    }
    if wanted.interval == Some(Interval::Once) {
        problems.push(problem("interval", "not_allowed", "A subscription is paid monthly or yearly."));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// Whether it stands in a way in which it can become another.
fn may_change(state: &State) -> Result<(), Error> {
    let why_not = match state.status {
        SubscriptionStatus::PastDue => "A payment is due. Pay it first, then change the plan.",
        SubscriptionStatus::Paused => "The subscription is paused. Give a card first, then change the plan.",
        SubscriptionStatus::Incomplete => {
            "The first payment is still missing. Pay it first, then change the plan."
        }
        SubscriptionStatus::Ended => "The subscription has ended. Subscribe again to have a plan.",
        SubscriptionStatus::Trialing | SubscriptionStatus::Active if state.cancel_at_period_end => {
            "The subscription is set to end. Keep it first, then change the plan."
        }
        SubscriptionStatus::Trialing | SubscriptionStatus::Active => return Ok(()),
    };
    Err(Error::Conflict(why_not))
}

/// The caller's subscription as it is at Stripe in this moment, written down.
async fn fresh(ctx: &Context, identity: &Identity) -> Result<(Details, objects::Subscription), Error> {
    let newest = store::newest(&ctx.db, identity.user.id).await?.ok_or(Error::NotFound)?;
    if !newest.state.is_running() {
        return Err(Error::Conflict("The subscription has ended. Subscribe again to have a plan."));
    }
    let theirs = look(ctx, &newest.stripe_id).await?.theirs;
    let theirs = theirs.ok_or_else(|| Error::Unexpected(format!("no subscription {}", newest.stripe_id)))?;
    let details = store::by_stripe(&ctx.db, &newest.stripe_id).await?.ok_or(Error::NotFound)?;
    Ok((details, theirs))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    AtPeriodEnd,
    Never,
}

async fn set_end(ctx: &Context, identity: &Identity, end: End) -> Result<Subscription, Error> {
    limits::take(ctx, SUBSCRIPTION_CHANGES, &identity.user.id.to_string()).await?;
    let (details, _) = fresh(ctx, identity).await?;
    let state = &details.state;
    if !state.is_running() {
        return Err(Error::Conflict("The subscription has ended. Subscribe again to have a plan."));
    }
    let (action, word) = match (end, state.cancel_at_period_end) {
        (End::AtPeriodEnd, true) => return Ok(details.shown()),
        (End::AtPeriodEnd, false) => ("subscription.cancel_asked", "cancel"),
        (End::Never, true) => ("subscription.resume_asked", "resume"),
        (End::Never, false) => {
            return Err(Error::Conflict(
                "The subscription is not set to end. There is nothing to take back.",
            ));
        }
    };
    asked_for(ctx, identity, action, details.id, json!({})).await?;
    let changes = store::changes(&ctx.db, details.id).await?;
    let key = format!("subscription-{}-{word}-{changes}", details.id);
    let at_period_end = end == End::AtPeriodEnd;
    let stripe = ctx.stripe()?;
    let done = stripe.set_cancel_at_period_end(&details.stripe_id, at_period_end, &key).await;
    noted(ctx, identity, details.id, done.map_err(Error::from)).await?;
    sync::sync(ctx, &details.stripe_id).await?;
    let after = store::by_stripe(&ctx.db, &details.stripe_id).await?.ok_or(Error::NotFound)?;
    Ok(after.shown())
}

/// Who wanted it stands in the audit log before Stripe is told: what comes of it is written by itself.
async fn asked_for(
    ctx: &Context,
    identity: &Identity,
    action: &'static str,
    id: SubscriptionId,
    detail: Value,
) -> Result<(), Error> {
    let mut tx = ctx.db.begin().await?;
    note(&mut tx, ctx, By::from(identity), action, named(id), detail).await?;
    tx.commit().await?;
    Ok(())
}

/// That a wish failed stands in the audit log as well. The next try is another one for Stripe, which would repeat its
/// first answer.
async fn noted<T>(
    ctx: &Context,
    identity: &Identity,
    id: SubscriptionId,
    done: Result<T, Error>,
) -> Result<T, Error> {
    if let Err(error) = &done {
        let detail = json!({ "why": error.to_string() });
        asked_for(ctx, identity, "subscription.change_failed", id, detail).await?;
    }
    done
}
