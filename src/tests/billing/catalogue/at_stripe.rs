//! The catalogue at Stripe: each thing is there once, whatever happens in between.

use devforge::{
    billing::{
        Error,
        catalogue::{self, Off, SyncReport, describe_tier, make_coupon, set_price},
    },
    context::Context,
    contract::{
        account::Role,
        money::{Currency, Rate},
        payment::{Interval, LineTax, Tier},
    },
    random::Random,
};
use stripe_simulator::{Settings, Weather};

use super::{PRICES, coupon, filled, id_of, monthly};
use crate::shop::Shop;

/// How many products and prices the simulated Stripe has.
fn at_stripe(shop: &Shop) -> (usize, usize) {
    shop.stripe.world(|world| (world.all("product").count(), world.all("price").count()))
}

const NOTHING_NEW: SyncReport =
    SyncReport { created: 0, updated: 0, archived: 0, unchanged: PRICES as u32 + 2 };

#[tokio::test]
async fn stripe_is_told_of_everything_once() {
    let shop = Shop::open().await;
    let first = catalogue::sync(shop.ctx()).await.expect("told");
    assert_eq!(first, SyncReport { created: PRICES as u32 + 2, ..SyncReport::default() });
    assert_eq!(at_stripe(&shop), (2, PRICES));
    assert_eq!(catalogue::sync(shop.ctx()).await.expect("told"), NOTHING_NEW);
    assert_eq!(at_stripe(&shop), (2, PRICES));

    let offered = catalogue::offered(shop.ctx(), Tier::Pro, Interval::Year, Currency::Eur).await;
    let offered = offered.expect("asked").expect("sold");
    let id = catalogue::stripe_price(shop.ctx(), &offered).await.expect("known");
    let theirs = shop.stripe.world(|world| world.get(&id).cloned()).expect("there");
    assert_eq!(theirs["lookup_key"], offered.price.id.to_string());
    assert_eq!(theirs["unit_amount"], 18_000);
    assert_eq!(theirs["product"], "df_pro");
    let found = catalogue::price_by_stripe(shop.ctx(), &id).await.expect("asked");
    assert_eq!(found, Some(offered));
    assert_eq!(catalogue::price_by_stripe(shop.ctx(), "price_unknown").await.expect("asked"), None);
}

#[tokio::test]
async fn two_who_tell_stripe_at_once_make_everything_once() {
    let shop = Shop::open().await;
    let second = shop.app.second().await;
    let (one, other) = tokio::join!(catalogue::sync(shop.ctx()), catalogue::sync(&second));
    one.expect("told");
    other.expect("told");
    assert_eq!(at_stripe(&shop), (2, PRICES));
    assert_eq!(catalogue::sync(shop.ctx()).await.expect("told"), NOTHING_NEW);
}

#[tokio::test]
async fn who_was_killed_before_they_could_remember_makes_no_second_price() {
    let shop = Shop::open().await;
    catalogue::sync(shop.ctx()).await.expect("told");
    let offered = catalogue::offered(shop.ctx(), Tier::Pro, Interval::Month, Currency::Usd).await;
    let offered = offered.expect("asked").expect("sold");
    let id = catalogue::stripe_price(shop.ctx(), &offered).await.expect("known");
    sqlx::query("delete from stripe_object").execute(&shop.ctx().db).await.expect("forgotten");
    assert_eq!(catalogue::stripe_price(shop.ctx(), &offered).await.expect("found again"), id);
    catalogue::sync(shop.ctx()).await.expect("told");
    assert_eq!(at_stripe(&shop), (2, PRICES));
}

#[tokio::test]
async fn changes_reach_stripe_by_a_job() {
    let shop = Shop::open().await;
    catalogue::sync(shop.ctx()).await.expect("told");
    let admin = shop.admin().await;
    let ctx = shop.ctx();
    let offered = catalogue::offered(ctx, Tier::Pro, Interval::Month, Currency::Usd).await;
    let old = offered.expect("asked").expect("sold");
    let old_at_stripe = catalogue::stripe_price(ctx, &old).await.expect("known");
    set_price(ctx, &admin, &monthly(2_100, old.price.id)).await.expect("set");
    describe_tier(ctx, &admin, Tier::Pro, "Professional", "For a living.").await.expect("changed");
    let half = coupon("HALF", Off::Share(Rate::percent(50)));
    let half = make_coupon(ctx, &admin, &half).await.expect("made");
    shop.app.run_jobs().await;

    let (archived, product, coupon) = shop.stripe.world(|world| {
        let get = |id: &str| world.get(id).cloned().unwrap_or_default();
        (get(&old_at_stripe), get("df_pro"), get(&half.to_string()))
    });
    assert_eq!(archived["active"], false);
    assert_eq!(product["name"], "Dev Forge Professional");
    assert_eq!(coupon["percent_off"].as_f64(), Some(50.0));
    assert_eq!(at_stripe(&shop), (2, PRICES + 1));
    // The price is no longer sold, and who pays it is still known.
    let found = catalogue::price_by_stripe(ctx, &old_at_stripe).await.expect("asked").expect("kept");
    assert!(found.withdrawn);
    let again = catalogue::sync(ctx).await.expect("told");
    assert_eq!(again, SyncReport { unchanged: PRICES as u32 + 3, ..SyncReport::default() });
}

#[tokio::test]
async fn another_account_behind_the_same_key_gets_everything_anew() {
    let shop = Shop::open().await;
    catalogue::sync(shop.ctx()).await.expect("told");
    let other = stripe_simulator::start(Settings {
        address: "127.0.0.1:0".parse().expect("an address"),
        webhook: None,
        journal: None,
        seed: 8,
        weather: Weather::default(),
    })
    .expect("the simulator starts");
    let mut config = shop.ctx().config.clone();
    config.payments.stripe_url = other.url().to_owned();
    let ctx = Context::open(config, shop.ctx().clock.clone(), Random::seeded(2)).await.expect("a context");
    let report = catalogue::sync(&ctx).await.expect("told");
    assert_eq!(report.created, PRICES as u32 + 2);
    let offered = catalogue::offered(&ctx, Tier::Pro, Interval::Month, Currency::Usd).await;
    let offered = offered.expect("asked").expect("sold");
    let id = catalogue::stripe_price(&ctx, &offered).await.expect("known");
    assert!(other.world(|world| world.get(&id).is_some()));
}

#[tokio::test]
async fn a_rate_of_tax_is_made_once_and_none_for_no_tax() {
    let shop = Shop::open().await;
    let tax = |rate: Rate, country: &str| LineTax {
        rate,
        amount: 0,
        country: country.to_owned(),
        reason: String::new(),
    };
    let germany = tax(Rate::percent(19), "DE");
    let second = shop.app.second().await;
    let (one, other) = tokio::join!(
        catalogue::stripe_tax_rate(shop.ctx(), &germany),
        catalogue::stripe_tax_rate(&second, &germany)
    );
    let one = one.expect("made").expect("there is tax");
    assert_eq!(other.expect("made"), Some(one.clone()));
    let austria = catalogue::stripe_tax_rate(shop.ctx(), &tax(Rate::percent(20), "AT")).await;
    assert_ne!(austria.expect("made"), Some(one));
    let nothing = catalogue::stripe_tax_rate(shop.ctx(), &tax(Rate::ZERO, "DE")).await;
    assert_eq!(nothing.expect("asked"), None);
    assert_eq!(shop.stripe.world(|world| world.all("tax_rate").count()), 2);
}

#[tokio::test]
async fn without_payments_a_change_is_made_and_nobody_is_told() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let id = id_of(&app.ctx, Interval::Month, Currency::Usd).await;
    set_price(&app.ctx, &admin, &monthly(2_100, id)).await.expect("set");
    app.run_jobs().await;
    let refused = catalogue::sync(&app.ctx).await;
    assert!(matches!(refused, Err(Error::PaymentsUnavailable)), "{refused:?}");
}
