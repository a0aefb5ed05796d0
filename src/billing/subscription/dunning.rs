//! What happens when a renewal is not paid: mails on their days, and the end of what it paid for when the grace is over.
//!
//! What always holds: each mail is written once, however often its occasion is heard of, because which was the last
//! stands in the locked row; nobody is written to about an invoice that is paid.

use serde_json::json;

use super::{
    mails::{self, Unpaid},
    rules::{Stage, Told},
    store,
    sync::{self, named},
};
use crate::{
    billing::{By, Error, Outcome, note},
    context::Context,
    contract::{money::Currency, payment::SubscriptionStatus},
    integration::stripe::{self, objects},
};

/// A payment for a subscription's invoice failed, or needs its customer.
pub async fn payment_failed(ctx: &Context, stripe_invoice_id: &str) -> Result<Outcome, Error> {
    let Some(invoice) = invoice(ctx, stripe_invoice_id).await? else { return Ok(Outcome::NothingToDo) };
    let Some(details) = invoice.subscription() else { return Ok(Outcome::NothingToDo) };
    let stripe_id = details.subscription.id();
    let looked = sync::look(ctx, stripe_id).await?;
    let latest = looked.theirs.as_ref().and_then(|theirs| theirs.latest_invoice.as_ref());
    if latest.is_none_or(|latest| latest.id() != invoice.id) || !is_unpaid(&invoice) {
        return Ok(looked.outcome);
    }
    Ok(remind(ctx, stripe_id, Some(&invoice)).await?.or(looked.outcome))
}

/// A payment has been due for a while: asks once more whether it still is, then writes.
pub(super) async fn chase(ctx: &Context, stripe_id: &str) -> Result<Outcome, Error> {
    let looked = sync::look(ctx, stripe_id).await?;
    let latest = looked.theirs.as_ref().and_then(|theirs| theirs.latest_invoice.as_ref());
    let latest = match latest {
        Some(latest) => invoice(ctx, latest.id()).await?.filter(is_unpaid),
        None => None,
    };
    Ok(remind(ctx, stripe_id, latest.as_ref()).await?.or(looked.outcome))
}

async fn invoice(ctx: &Context, id: &str) -> Result<Option<objects::Invoice>, Error> {
    match ctx.stripe()?.invoice(id).await {
        Ok(invoice) => Ok(Some(invoice)),
        Err(stripe::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_unpaid(invoice: &objects::Invoice) -> bool {
    matches!(invoice.status.as_deref(), Some("open" | "uncollectible"))
}

/// Writes the mail that is due, if it was not written yet. The last one ends what the subscription gives: its status
/// stays what Stripe says, so that a payment that comes late brings it back.
async fn remind(
    ctx: &Context,
    stripe_id: &str,
    invoice: Option<&objects::Invoice>,
) -> Result<Outcome, Error> {
    let mut tx = ctx.db.begin().await?;
    let Some(details) = store::lock(&mut tx, stripe_id).await? else { return Ok(Outcome::NothingToDo) };
    let state = &details.state;
    let Some((since, until)) = state.past_due_since.zip(state.grace_until) else {
        return Ok(Outcome::NothingToDo);
    };
    let stage = Stage::at(since, until, ctx.clock.now());
    if state.status != SubscriptionStatus::PastDue || state.told.stage >= stage.number() {
        return Ok(Outcome::NothingToDo);
    }
    let about = invoice.map(|invoice| invoice.id.clone()).or_else(|| state.told.about.clone());
    store::set_told(&mut tx, details.id, &Told { about, stage: stage.number() }).await?;
    let detail = json!({ "stage": stage.number(), "grace_until": until.to_string() });
    note(&mut tx, ctx, By::SYSTEM, "subscription.payment_due", named(details.id), detail).await?;
    if stage == Stage::Over {
        sync::ended(&mut tx, ctx, &details, "unpaid").await?;
    }
    let unpaid = Unpaid {
        amount: invoice.and_then(|invoice| Some(Currency::parse(&invoice.currency)?.of(invoice.amount_due))),
        pay_url: invoice.and_then(|invoice| invoice.hosted_invoice_url.clone()),
    };
    let message = mails::payment_due(ctx, state, stage, until, &unpaid);
    let kind = if stage == Stage::Over { "subscription_unpaid" } else { "payment_due" };
    mails::send(&mut tx, ctx, details.id, kind, message).await?;
    tx.commit().await?;
    Ok(Outcome::Applied)
}

/// A trial ends in a few days.
pub async fn trial_will_end(ctx: &Context, stripe_id: &str) -> Result<Outcome, Error> {
    let looked = sync::look(ctx, stripe_id).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(details) = store::lock(&mut tx, stripe_id).await? else { return Ok(looked.outcome) };
    let state = &details.state;
    let ends = state.trial_end.filter(|end| *end > ctx.clock.now());
    let was_told = state.told.about.as_deref() == Some(Told::TRIAL);
    let (SubscriptionStatus::Trialing, Some(ends), false) = (state.status, ends, was_told) else {
        return Ok(looked.outcome);
    };
    let told = Told { about: Some(Told::TRIAL.to_owned()), stage: Stage::Failed.number() };
    store::set_told(&mut tx, details.id, &told).await?;
    let message = mails::trial_ends(ctx, state, ends);
    mails::send(&mut tx, ctx, details.id, "trial_ends", message).await?;
    tx.commit().await?;
    Ok(Outcome::Applied)
}
