//! What is sold: an empty catalogue is filled, and prices, words and coupons change.

mod at_stripe;

use axum::http::header;
use devforge::{
    account::{Caller, Denied},
    billing::{
        Error,
        catalogue::{
            self, Cell, Coupon, CouponDuration, NewCoupon, NewPrice, Off, describe_tier, make_coupon,
            overview, preview_price, set_price, withdraw_coupon, withdraw_price,
        },
    },
    context::Context,
    contract::{
        account::Role,
        id::{CouponId, PriceId},
        money::{Currency, Rate},
        payment::{Interval, Tier},
    },
};
use time::Duration;
use uuid::Uuid;

use crate::{
    api::client::{call, get},
    support::TestApp,
};

/// Prices of `content/catalogue.toml`: Pro in three ways and Enterprise in one, in four currencies.
const PRICES: usize = 16;

async fn filled() -> TestApp {
    let app = TestApp::start().await;
    assert!(catalogue::seed(&app.ctx).await.expect("asked"));
    app
}

async fn id_of(ctx: &Context, interval: Interval, currency: Currency) -> PriceId {
    let offered = catalogue::offered(ctx, Tier::Pro, interval, currency).await.expect("asked");
    offered.expect("it is sold").price.id
}

fn monthly(amount: i64, replaces: PriceId) -> NewPrice {
    NewPrice {
        tier: Tier::Pro,
        interval: Interval::Month,
        currency: Currency::Usd,
        amount,
        trial_days: 14,
        replaces: Some(replaces),
    }
}

fn coupon(code: &str, off: Off) -> NewCoupon {
    NewCoupon {
        code: code.to_owned(),
        off,
        duration: CouponDuration::Once,
        tiers: Vec::new(),
        max_redemptions: None,
        expires_at: None,
    }
}

async fn audited(ctx: &Context) -> Vec<String> {
    let mut actions: Vec<String> =
        sqlx::query_scalar("select action from audit_event where subject_kind = 'catalogue'")
            .fetch_all(&ctx.db)
            .await
            .expect("read");
    actions.sort();
    actions
}

async fn cleared(ctx: &Context) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where topic = 'content.catalogue'")
        .fetch_one(&ctx.db)
        .await
        .expect("counted")
}

#[tokio::test]
async fn an_empty_catalogue_is_filled_once_by_nodes_that_start_together() {
    let app = TestApp::start().await;
    let second = app.second().await;
    let (one, other) = tokio::join!(catalogue::seed(&app.ctx), catalogue::seed(&second));
    assert_ne!(one.expect("done"), other.expect("done"), "one of the two filled it");
    assert!(!catalogue::seed(&app.ctx).await.expect("asked"));
    let prices: i64 =
        sqlx::query_scalar("select count(*) from price").fetch_one(&app.ctx.db).await.expect("counted");
    assert_eq!(prices, PRICES as i64);
    assert_eq!(audited(&app.ctx).await, ["catalogue.seeded"]);
}

#[tokio::test]
async fn what_an_administrator_changed_is_not_filled_in_again() {
    let app = filled().await;
    sqlx::query("update tier set name = 'Mine' where code = 'pro'").execute(&app.ctx.db).await.expect("done");
    assert!(!catalogue::seed(&app.ctx).await.expect("asked"));
    let pricing = catalogue::pricing(&app.ctx, Currency::Usd).await.expect("read");
    assert_eq!(pricing.tiers[1].name, "Mine");
}

#[tokio::test]
async fn the_pricing_answer_says_what_is_sold() {
    let app = filled().await;
    let pricing = catalogue::pricing(&app.ctx, Currency::Eur).await.expect("read");
    assert_eq!(pricing.currencies, Currency::ALL);
    let tiers: Vec<Tier> = pricing.tiers.iter().map(|offer| offer.tier).collect();
    assert_eq!(tiers, Tier::ALL);
    let [free, pro, enterprise] = &pricing.tiers[..] else { panic!("three tiers") };
    assert!(free.prices.is_empty() && enterprise.prices.is_empty(), "by quote, and for nothing");
    let sold: Vec<_> =
        pro.prices.iter().map(|price| (price.interval, price.amount, price.trial_days)).collect();
    assert_eq!(sold, [(Interval::Month, 1_800, 0), (Interval::Year, 18_000, 0), (Interval::Once, 37_900, 0)]);
    assert!(pro.prices.iter().all(|price| price.per_seat && price.currency == Currency::Eur));
    let names: Vec<&str> = pro.features.iter().map(|feature| feature.name.as_str()).collect();
    assert!(names.contains(&"Machines per seat: 3") && names.contains(&"Local models"), "{names:?}");
    assert!(!names.contains(&"Audit trail"));

    let groups = catalogue::comparison(&app.ctx).await.expect("read");
    let named: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(named, ["Editor", "Models", "Teams", "Control", "Help"]);
    let machines = groups[2].rows.iter().find(|row| row.code == "machines").expect("there");
    assert_eq!(machines.tiers, ["1", "3", "5"].map(|words| Cell::Words(words.to_owned())));
    let policy = groups[1].rows.last().expect("there");
    assert_eq!(policy.tiers, [Cell::No, Cell::No, Cell::Yes]);
}

#[tokio::test]
async fn anybody_reads_prices_over_the_api_and_asks_again_for_nothing() {
    let app = filled().await;
    let answer = get(&app.ctx, "/api/payments/pricing?currency=jpy").await;
    assert_eq!(answer.outcome(), (200, None));
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    let body = answer.json();
    assert_eq!(body["currency"], "jpy");
    assert_eq!(body["tiers"][1]["prices"][0]["amount"], 2_900);
    assert_eq!(body["tiers"][1]["prices"][0]["perSeat"], true);
    assert_eq!(body["tiers"][1]["prices"][0]["trialDays"], 0);

    let again = async |etag: &str| {
        let call = call("GET", "/api/payments/pricing?currency=jpy").header(header::IF_NONE_MATCH, etag);
        call.send(&app.ctx).await.outcome().0
    };
    let etag = answer.header(header::ETAG).to_owned();
    assert_eq!(again(&etag).await, 304);
    assert_eq!(again(&format!("\"x\", W/{etag}")).await, 304);
    assert_eq!(again("\"x\"").await, 200);
    assert_eq!(get(&app.ctx, "/api/payments/pricing").await.json()["currency"], "usd");
    assert_eq!(get(&app.ctx, "/api/payments/pricing?currency=chf").await.outcome().0, 422);
}

#[tokio::test]
async fn only_what_is_in_force_and_not_by_quote_is_offered() {
    let app = filled().await;
    let asked = catalogue::offered(&app.ctx, Tier::Enterprise, Interval::Year, Currency::Usd).await;
    assert_eq!(asked.expect("asked"), None);
    let unknown = catalogue::price(&app.ctx, PriceId::from_uuid(Uuid::nil())).await;
    assert_eq!(unknown.expect("asked"), None);

    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let once = id_of(&app.ctx, Interval::Once, Currency::Usd).await;
    withdraw_price(&app.ctx, &admin, once).await.expect("withdrawn");
    let asked = catalogue::offered(&app.ctx, Tier::Pro, Interval::Once, Currency::Usd).await;
    assert_eq!(asked.expect("asked"), None);
    // Whoever bought at it still finds it.
    assert!(catalogue::price(&app.ctx, once).await.expect("asked").expect("kept").withdrawn);
    app.run_jobs().await;
}

#[tokio::test]
async fn only_administrators_with_a_recent_proof_see_and_change_the_catalogue() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let id = id_of(&app.ctx, Interval::Month, Currency::Usd).await;
    let mut refused = vec![(Caller::Anonymous, Denied::Unauthenticated)];
    for (email, role) in [("ada@example.com", Role::Customer), ("sam@example.com", Role::Support)] {
        refused.push((app.signed_in(email, role).await, Denied::Forbidden));
    }
    for (caller, why) in &refused {
        assert_denied(&app.ctx, caller, id, *why).await;
    }
    app.ctx.clock.advance(Duration::minutes(16));
    assert_denied(&app.ctx, &admin, id, Denied::NotFresh).await;
    assert_eq!(audited(&app.ctx).await, ["catalogue.seeded"]);
    app.run_jobs().await;
}

async fn assert_denied(ctx: &Context, caller: &Caller, id: PriceId, why: Denied) {
    let new = coupon("FORGE", Off::Share(Rate::percent(10)));
    let cpn = CouponId::from_uuid(id.uuid());
    let outcomes = [
        overview(ctx, caller).await.map(drop),
        preview_price(ctx, caller, &monthly(2_100, id)).await.map(drop),
        set_price(ctx, caller, &monthly(2_100, id)).await.map(drop),
        withdraw_price(ctx, caller, id).await,
        describe_tier(ctx, caller, Tier::Pro, "Pro", "x").await,
        make_coupon(ctx, caller, &new).await.map(drop),
        withdraw_coupon(ctx, caller, cpn).await,
    ];
    for outcome in outcomes {
        assert!(matches!(&outcome, Err(Error::Denied(denied)) if *denied == why), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_new_price_takes_the_place_of_the_old_and_is_seen_before() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let old = id_of(&app.ctx, Interval::Month, Currency::Usd).await;
    let new = monthly(2_100, old);
    let seen = preview_price(&app.ctx, &admin, &new).await.expect("previewed");
    assert_eq!((seen.old.expect("there is one").amount, seen.new.amount), (1_900, 2_100));
    assert_eq!(seen.keep_the_old, 0);
    assert_eq!(id_of(&app.ctx, Interval::Month, Currency::Usd).await, old, "looking changes nothing");

    let before = cleared(&app.ctx).await;
    let set = set_price(&app.ctx, &admin, &new).await.expect("set");
    let offered = catalogue::offered(&app.ctx, Tier::Pro, Interval::Month, Currency::Usd).await;
    let offered = offered.expect("asked").expect("sold");
    assert_eq!((offered.price.id, offered.price.amount), (set, 2_100));
    assert!(catalogue::price(&app.ctx, old).await.expect("asked").expect("kept").withdrawn);
    assert_eq!(audited(&app.ctx).await, ["catalogue.price_set", "catalogue.seeded"]);
    assert_eq!(cleared(&app.ctx).await, before + 1, "cached pages are cleared");

    // Sent a second time it is about a price that is no longer in force, and about one that is the same.
    for again in [new, monthly(2_100, set)] {
        let refused = set_price(&app.ctx, &admin, &again).await;
        assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    }
    let found = overview(&app.ctx, &admin).await.expect("read");
    assert_eq!(found.prices.len(), PRICES + 1);
    assert_eq!(found.prices.iter().filter(|price| price.withdrawn_at.is_some()).count(), 1);
    app.run_jobs().await;
}

#[tokio::test]
async fn of_two_who_set_a_price_at_once_one_is_told_that_it_changed() {
    let app = filled().await;
    let second = app.second().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let old = id_of(&app.ctx, Interval::Month, Currency::Usd).await;
    let (cheap, dear) = (monthly(2_000, old), monthly(2_200, old));
    let (one, other) = tokio::join!(set_price(&app.ctx, &admin, &cheap), set_price(&second, &admin, &dear));
    let outcomes = [&one, &other];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(Error::Conflict(_)))), "{outcomes:?}");
    let in_force: i64 = sqlx::query_scalar(
        "select count(*) from price
         where tier = 'pro' and interval = 'month' and currency = 'usd' and withdrawn_at is null",
    )
    .fetch_one(&app.ctx.db)
    .await
    .expect("counted");
    assert_eq!(in_force, 1);
    app.run_jobs().await;
}

#[tokio::test]
async fn a_price_that_cannot_be_is_refused_field_by_field() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let old = id_of(&app.ctx, Interval::Month, Currency::Usd).await;
    for (wrong, field) in [
        (monthly(0, old), "amount"),
        (monthly(-1_900, old), "amount"),
        (monthly(100_000_000, old), "amount"),
        (NewPrice { trial_days: 366, ..monthly(2_100, old) }, "trialDays"),
        (NewPrice { interval: Interval::Once, ..monthly(2_100, old) }, "trialDays"),
        (NewPrice { tier: Tier::Free, ..monthly(2_100, old) }, "tier"),
    ] {
        match set_price(&app.ctx, &admin, &wrong).await {
            Err(Error::Invalid(problems)) => assert_eq!(problems[0].field, field),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
    assert_eq!(audited(&app.ctx).await, ["catalogue.seeded"]);
}

#[tokio::test]
async fn withdrawing_twice_and_what_is_not_there_is_told() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let id = id_of(&app.ctx, Interval::Month, Currency::Jpy).await;
    withdraw_price(&app.ctx, &admin, id).await.expect("withdrawn");
    let again = withdraw_price(&app.ctx, &admin, id).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let missing = withdraw_price(&app.ctx, &admin, PriceId::from_uuid(Uuid::nil())).await;
    assert!(matches!(missing, Err(Error::NotFound)), "{missing:?}");
    // What is not sold can be sold again.
    let new =
        NewPrice { currency: Currency::Jpy, amount: 3_100, trial_days: 0, replaces: None, ..monthly(0, id) };
    set_price(&app.ctx, &admin, &new).await.expect("set");
    app.run_jobs().await;
}

#[tokio::test]
async fn a_tier_gets_other_words() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    describe_tier(&app.ctx, &admin, Tier::Pro, " Pro ", "For all of a team.").await.expect("changed");
    let pricing = catalogue::pricing(&app.ctx, Currency::Usd).await.expect("read");
    let words = (pricing.tiers[1].name.as_str(), pricing.tiers[1].description.as_str());
    assert_eq!(words, ("Pro", "For all of a team."));
    // The same words again are no change.
    describe_tier(&app.ctx, &admin, Tier::Pro, "Pro", "For all of a team.").await.expect("asked");
    assert_eq!(audited(&app.ctx).await, ["catalogue.seeded", "catalogue.tier_described"]);
    let (long, lines) = ("é".repeat(61), "two\nlines");
    for (name, description, field) in
        [("", "x", "name"), (long.as_str(), "x", "name"), ("Pro", lines, "description")]
    {
        match describe_tier(&app.ctx, &admin, Tier::Pro, name, description).await {
            Err(Error::Invalid(problems)) => assert_eq!(problems[0].field, field),
            other => panic!("{name} {description}: {other:?}"),
        }
    }
    app.run_jobs().await;
}

async fn usable(ctx: &Context, code: &str, tier: Tier, currency: Currency) -> Result<Coupon, &'static str> {
    match catalogue::usable_coupon(ctx, code, tier, currency).await {
        Ok(coupon) => Ok(coupon),
        Err(Error::InvalidCoupon(why)) => Err(why),
        Err(other) => panic!("{code}: {other:?}"),
    }
}

#[tokio::test]
async fn a_coupon_is_found_by_its_code_however_it_is_typed() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let new = NewCoupon {
        tiers: vec![Tier::Pro],
        max_redemptions: Some(1),
        expires_at: Some(app.ctx.clock.now() + Duration::days(1)),
        ..coupon(" forge-20 ", Off::Amount(Currency::Usd.of(2_000)))
    };
    let id = make_coupon(&app.ctx, &admin, &new).await.expect("made");
    let found = usable(&app.ctx, "\tForge-20 ", Tier::Pro, Currency::Usd).await.expect("usable");
    assert_eq!((found.id, found.code.as_str()), (id, "FORGE-20"));
    assert_eq!(found.discount(Currency::Usd.of(1_900)), Currency::Usd.of(1_900), "no more than all of it");
    assert_eq!(catalogue::coupon(&app.ctx, id).await.expect("asked"), Some(found));

    let refusal = async |code: &str, tier, currency| {
        usable(&app.ctx, code, tier, currency).await.expect_err("it is refused")
    };
    for code in ["", "FORGE-21", "forge 20", "FORGE-20\0", "'; drop table coupon; --"] {
        assert!(refusal(code, Tier::Pro, Currency::Usd).await.contains("no coupon"), "{code}");
    }
    assert!(refusal("FORGE-20", Tier::Enterprise, Currency::Usd).await.contains("another tier"));
    assert!(refusal("FORGE-20", Tier::Pro, Currency::Eur).await.contains("another currency"));

    let mut tx = app.ctx.db.begin().await.expect("begun");
    assert!(catalogue::redeem(&mut tx, id).await.expect("counted"));
    assert!(!catalogue::redeem(&mut tx, id).await.expect("asked"), "there is no use left");
    tx.commit().await.expect("committed");
    assert!(refusal("FORGE-20", Tier::Pro, Currency::Usd).await.contains("as often"));
    app.ctx.clock.advance(Duration::days(1));
    assert!(refusal("FORGE-20", Tier::Pro, Currency::Usd).await.contains("ended"));
    app.run_jobs().await;
}

#[tokio::test]
async fn a_coupon_is_made_once_and_withdrawn_once() {
    let app = filled().await;
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let tenth = coupon("FORGE-10", Off::Share(Rate::percent(10)));
    let id = make_coupon(&app.ctx, &admin, &tenth).await.expect("made");
    let again = make_coupon(&app.ctx, &admin, &tenth).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    withdraw_coupon(&app.ctx, &admin, id).await.expect("withdrawn");
    let refused = usable(&app.ctx, "FORGE-10", Tier::Pro, Currency::Usd).await;
    assert!(refused.expect_err("it is refused").contains("no longer"));
    let again = withdraw_coupon(&app.ctx, &admin, id).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let missing = withdraw_coupon(&app.ctx, &admin, CouponId::from_uuid(Uuid::nil())).await;
    assert!(matches!(missing, Err(Error::NotFound)), "{missing:?}");
    assert_eq!(
        audited(&app.ctx).await,
        ["catalogue.coupon_made", "catalogue.coupon_withdrawn", "catalogue.seeded"]
    );
    let over = Some(app.ctx.clock.now());
    for (wrong, field) in [
        (coupon("x", Off::Share(Rate::percent(10))), "code"),
        (coupon("NOTHING", Off::Share(Rate::ZERO)), "share"),
        (coupon("NOTHING", Off::Amount(Currency::Usd.of(0))), "amount"),
        (NewCoupon { duration: CouponDuration::Repeating(0), ..tenth.clone() }, "months"),
        (NewCoupon { max_redemptions: Some(0), ..tenth.clone() }, "maxRedemptions"),
        (NewCoupon { expires_at: over, ..tenth.clone() }, "expires"),
    ] {
        match make_coupon(&app.ctx, &admin, &wrong).await {
            Err(Error::Invalid(problems)) => assert_eq!(problems[0].field, field),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
    app.run_jobs().await;
}
