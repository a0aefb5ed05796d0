//! What is sold: tiers, what each of them includes, prices and coupons.
//!
//! What always holds: a price is never changed but to be withdrawn, so whoever bought at it keeps it; of one tier,
//! interval and currency one price is in force at the most; every change is audited, clears the cached pages and is
//! told to Stripe.

mod admin;
mod coupon;
mod file;
mod rules;
mod store;
mod stripe;

use std::collections::HashMap;

use serde_json::json;
use time::OffsetDateTime;

pub use self::{
    admin::{
        NewCoupon, NewPrice, Overview, PricePreview, describe_tier, make_coupon, overview, preview_price,
        set_price, withdraw_coupon, withdraw_price,
    },
    coupon::{
        Coupon, CouponDuration, MAX_CODE_CHARS, MAX_MONTHS, MAX_REDEMPTIONS, Off, coupon, coupon_code,
        has_room, parse_percent, redeem, usable_coupon,
    },
    rules::{MAX_TIER_DESCRIPTION_CHARS, MAX_TIER_NAME_CHARS, MAX_TRIAL_DAYS},
    stripe::{
        SyncCatalogue, SyncReport, forget_at_stripe, name_of_tax, price_by_stripe, stripe_coupon,
        stripe_price, stripe_tax_rate, sync,
    },
};
use super::{By, Error, note};
use crate::{
    context::Context,
    contract::{
        id::PriceId,
        money::Currency,
        payment::{Feature, Interval, Price, Pricing, Tier, TierOffer},
    },
    outbox,
};

/// Pages that show the catalogue leave the cache with every event of this kind.
const CHANGED: &str = "content.catalogue";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceDetails {
    pub price: Price,
    pub tier: Tier,
    pub withdrawn: bool,
}

/// A price as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceHistory {
    pub details: PriceDetails,
    pub created_at: OffsetDateTime,
    pub withdrawn_at: Option<OffsetDateTime>,
    /// How many subscriptions run at it.
    pub subscriptions: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierWords {
    pub tier: Tier,
    pub name: String,
    pub description: String,
    /// Sold by talking to us, whatever prices it has.
    pub by_quote: bool,
}

/// Rows of the comparison that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureGroup {
    pub name: String,
    pub rows: Vec<FeatureRow>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureRow {
    pub code: String,
    pub name: String,
    /// In the order of [`Tier::ALL`].
    pub tiers: [Cell; 3],
}

/// Whether a tier has a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    No,
    Yes,
    /// How much of it, where yes is not enough.
    Words(String),
}

/// Everything that can be bought in this currency, with what each tier includes.
pub async fn pricing(ctx: &Context, currency: Currency) -> Result<Pricing, Error> {
    let tiers = store::tiers(&ctx.db).await?;
    let features = store::features(&ctx.db).await?;
    let prices = store::offered_in(&ctx.db, currency).await?;
    let currencies = store::currencies(&ctx.db).await?;
    let offer = |words: TierWords| TierOffer {
        tier: words.tier,
        name: words.name,
        description: words.description,
        features: features.iter().filter(|row| row.tier == Some(words.tier)).map(named).collect(),
        prices: prices
            .iter()
            .filter(|details| details.tier == words.tier)
            .map(|details| details.price.clone())
            .collect(),
    };
    Ok(Pricing { currency, currencies, tiers: tiers.into_iter().map(offer).collect() })
}

fn named(row: &store::FeatureOfTier) -> Feature {
    let name = match &row.words {
        Some(words) => format!("{}: {words}", row.name),
        None => row.name.clone(),
    };
    Feature { code: row.code.clone(), name }
}

/// What each tier has, feature by feature.
pub async fn comparison(ctx: &Context) -> Result<Vec<FeatureGroup>, Error> {
    let mut groups: Vec<FeatureGroup> = Vec::new();
    for feature in store::features(&ctx.db).await? {
        let group = match groups.iter_mut().position(|group| group.name == feature.group) {
            Some(index) => &mut groups[index],
            None => {
                groups.push(FeatureGroup { name: feature.group, rows: Vec::new() });
                groups.last_mut().expect("one was put there")
            }
        };
        if group.rows.last().is_none_or(|row| row.code != feature.code) {
            let tiers = [Cell::No, Cell::No, Cell::No];
            group.rows.push(FeatureRow { code: feature.code, name: feature.name, tiers });
        }
        let place = Tier::ALL.iter().position(|tier| Some(*tier) == feature.tier);
        if let (Some(place), Some(row)) = (place, group.rows.last_mut()) {
            row.tiers[place] = feature.words.map_or(Cell::Yes, Cell::Words);
        }
    }
    Ok(groups)
}

/// The price in force, when the tier can be bought without talking to us.
pub async fn offered(
    ctx: &Context,
    tier: Tier,
    interval: Interval,
    currency: Currency,
) -> Result<Option<PriceDetails>, Error> {
    store::offered(&ctx.db, tier, interval, currency).await
}

/// Any price there ever was.
pub async fn price(ctx: &Context, id: PriceId) -> Result<Option<PriceDetails>, Error> {
    store::price(&ctx.db, id).await
}

/// Fills an empty catalogue from `content/catalogue.toml`. False when there is one. Of two nodes that start together
/// one fills it.
pub async fn seed(ctx: &Context) -> Result<bool, Error> {
    let ours = file::ours();
    let mut tx = ctx.db.begin().await?;
    store::lock_seeding(&mut tx).await?;
    if store::has_tiers(&mut tx).await? {
        return Ok(false);
    }
    for (position, tier) in (0_i16..).zip(&ours.tiers) {
        store::insert_tier(&mut tx, tier, position).await?;
    }
    for (position, feature) in (0_i16..).zip(&ours.features) {
        store::insert_feature(&mut tx, feature, position).await?;
    }
    let now = ctx.clock.now();
    for price in &ours.prices {
        let id = PriceId::from_uuid(ctx.random.uuid_v7(now));
        store::insert_price(&mut tx, id, price, now).await?;
    }
    let detail = json!({ "prices": ours.prices.len() });
    let subject = ("catalogue", "catalogue".to_owned());
    note(&mut tx, ctx, By::SYSTEM, "catalogue.seeded", subject, detail.clone()).await?;
    outbox::publish(&mut tx, ctx, CHANGED, "catalogue", &detail).await?;
    tx.commit().await?;
    Ok(true)
}

/// The codes of what each tier includes.
pub async fn tier_features(ctx: &Context) -> Result<HashMap<Tier, Vec<String>>, Error> {
    let rows = store::features(&ctx.db).await?;
    Ok(by_tier(rows.into_iter().filter_map(|row| Some((row.tier?, row.code)))))
}

/// The same as an empty database begins with.
pub fn first_features() -> HashMap<Tier, Vec<String>> {
    let features = file::ours().features.iter();
    by_tier(features.flat_map(|feature| feature.tiers.iter().map(|(tier, _)| (*tier, feature.code.clone()))))
}

fn by_tier(features: impl Iterator<Item = (Tier, String)>) -> HashMap<Tier, Vec<String>> {
    let mut of = HashMap::<Tier, Vec<String>>::new();
    for (tier, code) in features {
        of.entry(tier).or_default().push(code);
    }
    of
}
