//! The catalogue at Stripe: a product for each tier, a price for each price, coupons and tax rates.
//!
//! What always holds: a thing is made at Stripe when it is first needed and remembered for the account that the key
//! belongs to; made by two at once, or by one that is killed before it could remember, it is still there once, because
//! its name or its key at Stripe is made from our id. Telling the same again does nothing.

mod store;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use self::store::Thing;
use super::{Coupon, PriceDetails, TierWords, coupon, price, store as catalogue};
use crate::{
    billing::Error,
    context::Context,
    contract::{
        id::PriceId,
        money::percent_text,
        payment::{LineTax, Tier},
    },
    crypto,
    integration::stripe::{self, NewCoupon, NewPrice, NewTaxRate, Stripe},
    jobs::{self, Job},
};

const PRODUCT: &str = "product";
const PRICE: &str = "price";
const COUPON: &str = "coupon";
const TAX_RATE: &str = "tax_rate";
/// What Stripe was last told of a price: that it is sold, or that it no longer is.
const SOLD: &str = "sold";
const ARCHIVED: &str = "archived";
/// How many prices and coupons are looked at in one go; what is in force comes first.
const MAX_PRICES: i64 = 1_000;
const MAX_COUPONS: i64 = 1_000;
/// Stripe takes no coupon that can be used for more than five years from now.
const LONGEST_COUPON: Duration = Duration::days(5 * 365 - 1);

/// What telling Stripe of the catalogue came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SyncReport {
    pub created: u32,
    pub updated: u32,
    pub archived: u32,
    pub unchanged: u32,
}

impl SyncReport {
    const fn count(&mut self, told: Told) {
        match told {
            Told::Created => self.created += 1,
            Told::Updated => self.updated += 1,
            Told::Unchanged => self.unchanged += 1,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Created,
    Updated,
    Unchanged,
}

/// Tells Stripe of every change of the catalogue. Queued with each of them.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SyncCatalogue {}

impl Job for SyncCatalogue {
    const NAME: &'static str = "sync_catalogue";

    async fn run(self, ctx: Context) -> anyhow::Result<()> {
        // Without payments there is nobody to tell.
        if ctx.stripe.is_some() {
            sync(&ctx).await?;
        }
        Ok(())
    }
}

/// While one waits, another change adds none; two never run at once, so that the last word is the newest.
pub(super) fn sync_soon() -> jobs::Options {
    let name = || Some(SyncCatalogue::NAME.to_owned());
    jobs::Options { key: name(), queue: name(), ..jobs::Options::default() }
}

/// The id at Stripe of a price, made when Stripe does not know it yet.
pub async fn stripe_price(ctx: &Context, details: &PriceDetails) -> Result<String, Error> {
    let stripe = ctx.stripe()?;
    let key = details.price.id.to_string();
    if let Some(known) = store::find(&ctx.db, thing(stripe, PRICE, &key)).await? {
        return Ok(known.stripe_id);
    }
    let words = catalogue::tiers(&ctx.db).await?.into_iter().find(|words| words.tier == details.tier);
    let (product, _) = put_product(ctx, stripe, &words.ok_or(Error::NotFound)?).await?;
    // Whoever was killed before they could remember it may have made it.
    let at_stripe = stripe.price_by_lookup_key(&key).await?.map(|price| price.id);
    make_price(ctx, stripe, details, &product, at_stripe).await
}

/// The id at Stripe of a coupon, made when Stripe does not know it yet.
pub async fn stripe_coupon(ctx: &Context, coupon: &Coupon) -> Result<String, Error> {
    put_coupon(ctx, ctx.stripe()?, coupon).await.map(|(id, _)| id)
}

/// The id at Stripe of the rate a line is taxed with, made when Stripe does not know it yet. None for no tax.
pub async fn stripe_tax_rate(ctx: &Context, tax: &LineTax) -> Result<Option<String>, Error> {
    if tax.rate.0 == 0 {
        return Ok(None);
    }
    let stripe = ctx.stripe()?;
    let percent = percent_text(tax.rate);
    // Read back where a renewal is written down (`settle::lines`).
    let key = format!("{}:{}", tax.country, tax.rate.0);
    let rate = thing(stripe, TAX_RATE, &key);
    if let Some(known) = store::find(&ctx.db, rate).await? {
        return Ok(Some(known.stripe_id));
    }
    let new =
        NewTaxRate { percentage: tax.rate, country: &tax.country, display_name: name_of_tax(&tax.country) };
    let made = stripe.create_tax_rate(&new, &format!("tax-rate-{}-{percent}", tax.country)).await?;
    Ok(Some(store::keep(&ctx.db, rate, made.id, &percent, now(ctx)).await?))
}

/// The price that goes by this name at Stripe.
pub async fn price_by_stripe(ctx: &Context, stripe_price_id: &str) -> Result<Option<PriceDetails>, Error> {
    let environment = ctx.stripe()?.environment();
    let key = store::our_key(&ctx.db, environment, PRICE, stripe_price_id).await?;
    match key.and_then(|key| key.parse::<PriceId>().ok()) {
        Some(id) => price(ctx, id).await,
        None => Ok(None),
    }
}

/// Forgets what everything is called at Stripe, so that it is made anew when it is next needed. For when the key
/// belongs to another account than before, which knows none of it.
pub async fn forget_at_stripe(ctx: &Context) -> Result<(), Error> {
    let environment = ctx.stripe()?.environment();
    let things = store::forget_all(&ctx.db, environment).await?;
    tracing::warn!(environment, things, "Stripe knows nothing of what was made there; it is made anew");
    Ok(())
}

/// Tells Stripe of the whole catalogue: makes what is missing, renames what has other words, archives what was
/// withdrawn. A second time it changes nothing.
pub async fn sync(ctx: &Context) -> Result<SyncReport, Error> {
    let stripe = ctx.stripe()?;
    let mut report = SyncReport::default();
    let history = catalogue::price_history(&ctx.db, MAX_PRICES).await?;
    let in_force: Vec<PriceDetails> =
        history.into_iter().map(|price| price.details).filter(|details| !details.withdrawn).collect();
    let at_stripe = look_up(ctx, stripe, &in_force).await?;

    let mut products = HashMap::new();
    for words in catalogue::tiers(&ctx.db).await? {
        if in_force.iter().any(|details| details.tier == words.tier) {
            let (product, told) = put_product(ctx, stripe, &words).await?;
            report.count(told);
            products.insert(words.tier, product);
        }
    }
    for details in &in_force {
        let found = at_stripe.get(&details.price.id);
        if let Some(product) = products.get(&details.tier) {
            make_price(ctx, stripe, details, product, found.cloned()).await?;
        }
        report.count(if found.is_some() { Told::Unchanged } else { Told::Created });
    }
    report.archived = archive(ctx, stripe, &in_force).await?;
    for coupon in coupon::store::list(&ctx.db, MAX_COUPONS).await? {
        let is_over = coupon.expires_at.is_some_and(|at| at <= now(ctx));
        if coupon.withdrawn_at.is_none() && !is_over {
            let (_, told) = put_coupon(ctx, stripe, &coupon).await?;
            report.count(told);
        }
    }
    Ok(report)
}

/// What of these prices Stripe knows, by our ids. What we remember of it otherwise is put right.
async fn look_up(
    ctx: &Context,
    stripe: &Stripe,
    in_force: &[PriceDetails],
) -> Result<HashMap<PriceId, String>, Error> {
    let mut at_stripe = HashMap::new();
    let mut lost = Vec::new();
    for details in in_force {
        let key = details.price.id.to_string();
        let known = store::find(&ctx.db, thing(stripe, PRICE, &key)).await?;
        let found = stripe.price_by_lookup_key(&key).await?.map(|price| price.id);
        if known.is_some_and(|known| Some(&known.stripe_id) != found.as_ref()) {
            lost.push(key);
        }
        if let Some(id) = found {
            at_stripe.insert(details.price.id, id);
        }
    }
    if lost.is_empty() {
        return Ok(at_stripe);
    }
    if at_stripe.is_empty() {
        forget_at_stripe(ctx).await?;
    }
    for key in lost {
        store::forget(&ctx.db, thing(stripe, PRICE, &key)).await?;
    }
    Ok(at_stripe)
}

/// Makes a product, or gives it the words of its tier.
async fn put_product(ctx: &Context, stripe: &Stripe, words: &TierWords) -> Result<(String, Told), Error> {
    let product = thing(stripe, PRODUCT, words.tier.as_str());
    let fingerprint = fingerprint(words);
    let known = store::find(&ctx.db, product).await?;
    let told = match known {
        Some(known) if known.fingerprint == fingerprint => return Ok((known.stripe_id, Told::Unchanged)),
        Some(_) => Told::Updated,
        None => Told::Created,
    };
    let at = now(ctx);
    let key = format!("product-{}-{fingerprint}", words.tier.as_str());
    let name = format!("Dev Forge {}", words.name);
    let made = stripe.put_product(&product_id(words.tier), &name, &words.description, &key).await?;
    let id = store::keep(&ctx.db, product, made.id, &fingerprint, at).await?;
    store::note(&ctx.db, product, &fingerprint, at).await?;
    Ok((id, told))
}

/// `at_stripe` is what it is called there, when it is there.
async fn make_price(
    ctx: &Context,
    stripe: &Stripe,
    details: &PriceDetails,
    product: &str,
    at_stripe: Option<String>,
) -> Result<String, Error> {
    let price = &details.price;
    let key = price.id.to_string();
    let id = match at_stripe {
        Some(id) => id,
        None => {
            let new = NewPrice {
                product,
                currency: price.currency,
                unit_amount: price.amount,
                interval: price.interval,
                lookup_key: &key,
            };
            stripe.create_price(&new, &format!("price-{key}")).await?.id
        }
    };
    Ok(store::keep(&ctx.db, thing(stripe, PRICE, &key), id, SOLD, now(ctx)).await?)
}

/// Takes what was withdrawn out of sale. Subscriptions that run at it go on.
async fn archive(ctx: &Context, stripe: &Stripe, in_force: &[PriceDetails]) -> Result<u32, Error> {
    let mut archived = 0;
    for (key, id) in store::told_otherwise(&ctx.db, stripe.environment(), PRICE, ARCHIVED).await? {
        if in_force.iter().any(|details| details.price.id.to_string() == key) {
            continue;
        }
        match stripe.archive_price(&id).await {
            Ok(_) | Err(stripe::Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        store::note(&ctx.db, thing(stripe, PRICE, &key), ARCHIVED, now(ctx)).await?;
        archived += 1;
    }
    Ok(archived)
}

async fn put_coupon(ctx: &Context, stripe: &Stripe, coupon: &Coupon) -> Result<(String, Told), Error> {
    let key = coupon.id.to_string();
    let known = store::find(&ctx.db, thing(stripe, COUPON, &key)).await?;
    if let Some(known) = known {
        return Ok((known.stripe_id, Told::Unchanged));
    }
    // One that lasts longer than Stripe lets it is ended by us.
    let until = coupon.expires_at.filter(|at| *at < now(ctx) + LONGEST_COUPON);
    let new = NewCoupon {
        id: &key,
        name: &coupon.code,
        off: coupon.off,
        duration: coupon.duration,
        max_redemptions: coupon.max_redemptions,
        expires_at: until.map(OffsetDateTime::unix_timestamp),
    };
    let made = stripe.create_coupon(&new, &format!("coupon-{key}")).await?;
    let id = store::keep(&ctx.db, thing(stripe, COUPON, &key), made.id, &coupon.code, now(ctx)).await?;
    Ok((id, Told::Created))
}

fn thing<'a>(stripe: &'a Stripe, kind: &'static str, our_key: &'a str) -> Thing<'a> {
    Thing { environment: stripe.environment(), kind, our_key }
}

fn product_id(tier: Tier) -> String {
    format!("df_{}", tier.as_str())
}

fn fingerprint(words: &TierWords) -> String {
    let text = format!("{}\n{}", words.name, words.description);
    crypto::to_hex(&crypto::sha256(text.as_bytes())[..16])
}

/// As it stands on receipts, Stripe's and ours.
pub fn name_of_tax(country: &str) -> &'static str {
    match country {
        "US" => "Sales tax",
        "JP" => "Consumption tax",
        "AU" | "CA" | "IN" | "NZ" | "SG" => "GST",
        _ => "VAT",
    }
}

fn now(ctx: &Context) -> OffsetDateTime {
    ctx.clock.now()
}
