//! What administrators see of the catalogue and change about it.
//!
//! What always holds: a change names the price it replaces as it was seen, so that nobody overwrites what they did not
//! see; whoever has bought keeps what they bought at.

use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    CHANGED, Coupon, CouponDuration, MAX_MONTHS, MAX_REDEMPTIONS, MAX_TIER_DESCRIPTION_CHARS,
    MAX_TIER_NAME_CHARS, Off, PriceDetails, PriceHistory, TierWords, coupon, coupon_code,
    file::PriceEntry,
    rules::{is_one_line, price_problems},
    store,
    stripe::{SyncCatalogue, sync_soon},
};
use crate::{
    account::{Caller, Identity, Permission},
    billing::{By, Error, note, problem},
    context::Context,
    contract::{
        id::{CouponId, PriceId},
        money::Currency,
        payment::{Interval, Price, Tier},
        problem::FieldProblem,
    },
    db, jobs, outbox,
};

const MAX_LIST: i64 = 500;
const CHANGED_MEANWHILE: &str =
    "Somebody changed this price meanwhile. Look at what it is now, then decide again.";

/// All of the catalogue, with what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    pub tiers: Vec<TierWords>,
    /// Those in force first, then the newest.
    pub prices: Vec<PriceHistory>,
    /// Newest first.
    pub coupons: Vec<Coupon>,
}

/// A price to be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPrice {
    pub tier: Tier,
    pub interval: Interval,
    pub currency: Currency,
    /// In minor units.
    pub amount: i64,
    pub trial_days: u16,
    /// The price in force when it was looked at; none when there was none.
    pub replaces: Option<PriceId>,
}

/// What setting a price would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricePreview {
    pub tier: TierWords,
    pub old: Option<Price>,
    /// As it will be; its id is not made yet.
    pub new: Price,
    /// How many subscriptions run at the old price, and go on doing so.
    pub keep_the_old: u64,
}

/// A coupon to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCoupon {
    pub code: String,
    pub off: Off,
    pub duration: CouponDuration,
    /// Empty for every tier.
    pub tiers: Vec<Tier>,
    pub max_redemptions: Option<u32>,
    pub expires_at: Option<OffsetDateTime>,
}

pub async fn overview(ctx: &Context, caller: &Caller) -> Result<Overview, Error> {
    caller.require(ctx, Permission::CatalogueManage)?;
    Ok(Overview {
        tiers: store::tiers(&ctx.db).await?,
        prices: store::price_history(&ctx.db, MAX_LIST).await?,
        coupons: coupon::store::list(&ctx.db, MAX_LIST).await?,
    })
}

/// What a new price would change. Nothing is changed.
pub async fn preview_price(ctx: &Context, caller: &Caller, new: &NewPrice) -> Result<PricePreview, Error> {
    caller.require(ctx, Permission::CatalogueManage)?;
    check_price(new)?;
    let mut tx = ctx.db.begin().await?;
    let tier = store::lock_tier(&mut tx, new.tier).await?.ok_or(Error::NotFound)?;
    let old = current(&mut tx, new).await?.map(|details| details.price);
    tx.rollback().await?;
    let keep_the_old = match &old {
        Some(old) => store::subscriptions_at(&ctx.db, old.id).await?,
        None => 0,
    };
    let new = Price {
        id: PriceId::from_uuid(Uuid::nil()),
        interval: new.interval,
        amount: new.amount,
        currency: new.currency,
        per_seat: true,
        trial_days: new.trial_days,
    };
    Ok(PricePreview { tier, old, new, keep_the_old })
}

/// Withdraws the price in force and puts a new one in its place. Whoever bought at the old one keeps it.
pub async fn set_price(ctx: &Context, caller: &Caller, new: &NewPrice) -> Result<PriceId, Error> {
    let identity = caller.require(ctx, Permission::CatalogueManage)?;
    check_price(new)?;
    let now = ctx.clock.now();
    let id = PriceId::from_uuid(ctx.random.uuid_v7(now));
    let mut tx = ctx.db.begin().await?;
    // Of two who set a price at once, one waits and then sees what the other did.
    store::lock_tier(&mut tx, new.tier).await?.ok_or(Error::NotFound)?;
    let old = current(&mut tx, new).await?;
    let old_id = old.as_ref().map(|old| old.price.id);
    if old_id != new.replaces {
        return Err(Error::Conflict(CHANGED_MEANWHILE));
    }
    if let Some(old) = old_id {
        store::withdraw_price(&mut tx, old, now).await?;
    }
    let entry = PriceEntry {
        tier: new.tier,
        interval: new.interval,
        currency: new.currency,
        amount: new.amount,
        trial_days: new.trial_days,
    };
    store::insert_price(&mut tx, id, &entry, now).await?;
    let detail = json!({
        "tier": new.tier,
        "interval": new.interval,
        "price": new.currency.of(new.amount).to_string(),
        "trial_days": new.trial_days,
        "replaces": old_id,
        "before": old.map(|old| old.price.currency.of(old.price.amount).to_string()),
    });
    changed(&mut tx, ctx, identity, "catalogue.price_set", id.to_string(), detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Takes a price out of sale. Whoever bought at it keeps it.
pub async fn withdraw_price(ctx: &Context, caller: &Caller, id: PriceId) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::CatalogueManage)?;
    let mut tx = ctx.db.begin().await?;
    let price = store::price(&mut *tx, id).await?.ok_or(Error::NotFound)?;
    // The same lock as for setting one.
    store::lock_tier(&mut tx, price.tier).await?.ok_or(Error::NotFound)?;
    if !store::withdraw_price(&mut tx, id, ctx.clock.now()).await? {
        return Err(Error::Conflict("This price is withdrawn already."));
    }
    let detail = json!({
        "tier": price.tier,
        "interval": price.price.interval,
        "price": price.price.currency.of(price.price.amount).to_string(),
    });
    changed(&mut tx, ctx, identity, "catalogue.price_withdrawn", id.to_string(), detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a tier other words.
pub async fn describe_tier(
    ctx: &Context,
    caller: &Caller,
    tier: Tier,
    name: &str,
    description: &str,
) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::CatalogueManage)?;
    let (name, description) = (name.trim(), description.trim());
    let mut wrong = Vec::new();
    if !is_one_line(name, MAX_TIER_NAME_CHARS) {
        wrong.push(problem("name", "invalid", "A name has 1 to 60 letters, on one line."));
    }
    if !is_one_line(description, MAX_TIER_DESCRIPTION_CHARS) {
        let message = "A description has 1 to 300 letters, on one line.";
        wrong.push(problem("description", "invalid", message));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    let mut tx = ctx.db.begin().await?;
    let before = store::lock_tier(&mut tx, tier).await?.ok_or(Error::NotFound)?;
    if before.name == name && before.description == description {
        return Ok(());
    }
    store::set_words(&mut tx, tier, name, description).await?;
    let detail = json!({
        "name": name, "description": description,
        "name_before": before.name, "description_before": before.description,
    });
    changed(&mut tx, ctx, identity, "catalogue.tier_described", tier.as_str().to_owned(), detail).await?;
    tx.commit().await?;
    Ok(())
}

pub async fn make_coupon(ctx: &Context, caller: &Caller, new: &NewCoupon) -> Result<CouponId, Error> {
    let identity = caller.require(ctx, Permission::CatalogueManage)?;
    let now = ctx.clock.now();
    let coupon = check_coupon(ctx, new, now)?;
    let mut tx = ctx.db.begin().await?;
    match coupon::store::insert(&mut tx, &coupon).await {
        Err(error) if db::violated_constraint(&error) == Some("coupon_code") => {
            return Err(Error::Conflict("There is or was a coupon with this code. Choose another code."));
        }
        other => other?,
    }
    let off = match coupon.off {
        Off::Share(rate) => rate.to_string(),
        Off::Amount(money) => money.to_string(),
    };
    let detail = json!({
        "code": coupon.code, "off": off, "tiers": coupon.tiers, "most": coupon.max_redemptions,
        "ends": coupon.expires_at.map(|at| at.date().to_string()),
    });
    changed(&mut tx, ctx, identity, "catalogue.coupon_made", coupon.id.to_string(), detail).await?;
    tx.commit().await?;
    Ok(coupon.id)
}

/// Ends a coupon. Whoever used it keeps what it gave them.
pub async fn withdraw_coupon(ctx: &Context, caller: &Caller, id: CouponId) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::CatalogueManage)?;
    coupon::store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    let mut tx = ctx.db.begin().await?;
    let Some(code) = coupon::store::withdraw(&mut tx, id, ctx.clock.now()).await? else {
        return Err(Error::Conflict("This coupon is withdrawn already."));
    };
    let detail = json!({ "code": code });
    changed(&mut tx, ctx, identity, "catalogue.coupon_withdrawn", id.to_string(), detail).await?;
    tx.commit().await?;
    Ok(())
}

fn check_price(new: &NewPrice) -> Result<(), Error> {
    let wrong = price_problems(new.tier, new.interval, new.amount, new.trial_days);
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// The price in force. One that is the same in everything leaves nothing to set.
async fn current(conn: &mut PgConnection, new: &NewPrice) -> Result<Option<PriceDetails>, Error> {
    let old = store::lock_current(conn, new.tier, new.interval, new.currency).await?;
    let same = |old: &PriceDetails| (old.price.amount, old.price.trial_days) == (new.amount, new.trial_days);
    if old.as_ref().is_some_and(same) {
        return Err(Error::Conflict("This is the price already. There is nothing to change."));
    }
    Ok(old)
}

fn check_coupon(ctx: &Context, new: &NewCoupon, now: OffsetDateTime) -> Result<Coupon, Error> {
    let mut wrong: Vec<FieldProblem> = Vec::new();
    let code = coupon_code(&new.code).unwrap_or_else(|| {
        let message = "A code has 3 to 40 letters, digits and hyphens, and begins with no hyphen.";
        wrong.push(problem("code", "invalid", message));
        String::new()
    });
    match new.off {
        Off::Share(rate) if !(1..=1_000_000).contains(&rate.0) => {
            wrong.push(problem("share", "out_of_range", "A share is above 0 and at most 100 percent."));
        }
        Off::Amount(money) if !(1..=99_999_999).contains(&money.amount) => {
            wrong.push(problem("amount", "out_of_range", "An amount is above nothing."));
        }
        Off::Share(_) | Off::Amount(_) => {}
    }
    if let CouponDuration::Repeating(months) = new.duration
        && !(1..=MAX_MONTHS).contains(&months)
    {
        wrong.push(problem("months", "out_of_range", "It can last 1 to 36 months."));
    }
    if new.max_redemptions.is_some_and(|most| !(1..=MAX_REDEMPTIONS).contains(&most)) {
        wrong.push(problem("maxRedemptions", "out_of_range", "It can be used 1 to 1,000,000 times."));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        wrong.push(problem("expires", "out_of_range", "Choose a day that is not over."));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(Coupon {
        id: CouponId::from_uuid(ctx.random.uuid_v7(now)),
        code,
        off: new.off,
        duration: new.duration,
        tiers: new.tiers.clone(),
        max_redemptions: new.max_redemptions,
        redeemed: 0,
        expires_at: new.expires_at,
        created_at: now,
        withdrawn_at: None,
    })
}

/// The audit entry, the event that clears cached pages, and the job that tells Stripe.
async fn changed(
    conn: &mut PgConnection,
    ctx: &Context,
    identity: &Identity,
    action: &'static str,
    subject: String,
    detail: Value,
) -> Result<(), Error> {
    outbox::publish(&mut *conn, ctx, CHANGED, &subject, &detail).await?;
    note(&mut *conn, ctx, By::from(identity), action, ("catalogue", subject), detail).await?;
    jobs::enqueue_with(conn, &SyncCatalogue {}, sync_soon()).await?;
    Ok(())
}
