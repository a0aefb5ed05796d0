//! From what somebody wants to the page where they pay.

use serde_json::json;
use time::Duration;

use super::{MAX_SEATS, Order, OrderLine, Quote, Want, buyer, checks, link, quote, store};
use crate::{
    account::{Caller, Client, Identity, rules as account_rules},
    audit::Actor,
    billing::{
        By, Error, catalogue, customer, customer::Particulars, limits, note, problem, settle,
        settle::WatchOrder,
    },
    context::Context,
    contract::{
        id::{OrderId, OrderLineId},
        payment::{Address, CheckoutAnswer, CheckoutRequest, Interval, OrderStatus, PaymentMethod, Tier},
        problem::FieldProblem,
    },
    crypto::{self, sha256},
    integration::stripe::{NewSession, Session},
    jobs,
};

/// How long a try at paying lasts. Stripe allows a day at most; the rest is for a late first call.
pub const TIME_TO_PAY: Duration = Duration::hours(23);
/// Stripe takes no session that ends sooner.
const STRIPE_MINIMUM: Duration = Duration::minutes(35);
const LENGTHS: [(&str, usize); 7] = [
    ("name", 200),
    ("line1", 200),
    ("line2", 200),
    ("postalCode", 20),
    ("city", 100),
    ("region", 100),
    ("country", 2),
];

/// Writes an order down and gets it a page to be paid on. The same `request_key` gives the same order.
pub async fn checkout(
    ctx: &Context,
    caller: &Caller,
    client: &Client,
    request: &CheckoutRequest,
    request_key: Option<&str>,
) -> Result<CheckoutAnswer, Error> {
    let identity = buyer(ctx, caller)?;
    ctx.stripe()?;
    let who = identity.map_or_else(|| client.network.clone(), |identity| identity.user.id.to_string());
    limits::take(ctx, limits::CHECKOUTS, &who).await?;
    let request_key = request_key.map(|key| scoped(identity, key));
    if let Some(key) = &request_key
        && let Some(order) = store::by_request(&ctx.db, key).await?
    {
        return answer(ctx, &order).await;
    }
    if request.tier == Tier::Free {
        return Err(Error::Conflict("The Free tier costs nothing. Download the editor and use it."));
    }
    let wanted = Wanted::read(ctx, identity, request)?;
    let quote = match quote(ctx, &wanted.want).await {
        // Guessing coupons is slow.
        Err(wrong @ Error::InvalidCoupon(_)) => {
            limits::take(ctx, limits::WRONG_COUPONS, &who).await?;
            return Err(wrong);
        }
        other => other?,
    };
    let account = identity.map(|identity| identity.user.id);
    checks::no_second_subscription(ctx, account, request.interval).await?;
    let order = match write(ctx, identity, client, &wanted, &quote, request_key.as_deref()).await {
        // Of two with one key the other was first.
        Err(Error::Database(error))
            if crate::db::violated_constraint(&error) == Some("billing_order_request") =>
        {
            let key = request_key.as_deref().unwrap_or_default();
            store::by_request(&ctx.db, key).await?.ok_or(Error::NotFound)?
        }
        other => other?,
    };
    answer(ctx, &order).await
}

/// One's own keys are one's own: another's do not meet them.
fn scoped(identity: Option<&Identity>, key: &str) -> String {
    let who = identity.map_or_else(String::new, |identity| identity.user.id.to_string());
    crypto::to_hex(&sha256(format!("{who}\n{key}").as_bytes()))
}

/// A request, read and completed.
struct Wanted {
    want: Want,
    email: String,
    name: String,
    payment_method: PaymentMethod,
}

impl Wanted {
    fn read(ctx: &Context, identity: Option<&Identity>, request: &CheckoutRequest) -> Result<Self, Error> {
        let mut wrong = Vec::new();
        let email = match identity {
            Some(identity) => identity.user.email.clone(),
            None => {
                let typed = request.email.as_deref().unwrap_or_default();
                account_rules::normalize_email(typed)
                    .filter(|email| crate::billing::rules::plausible_address(email))
                    .unwrap_or_else(|| {
                        wrong.push(account_rules::email_problem("email"));
                        String::new()
                    })
            }
        };
        let mut address = request.address.as_ref().map(trimmed).unwrap_or_default();
        // As people call two countries that have other letters.
        match address.country.as_str() {
            "UK" => "GB".clone_into(&mut address.country),
            "EL" => "GR".clone_into(&mut address.country),
            _ => {}
        }
        let typed_name = request.name.as_deref().map(str::trim).unwrap_or_default();
        wrong.extend(too_long(typed_name, &address));
        let country = &address.country;
        if !country.is_empty() && crate::contract::country::name(country).is_none() {
            wrong.push(problem("country", "invalid", "Choose a country."));
        }
        let seats = request.seats.unwrap_or(1);
        if !(1..=MAX_SEATS).contains(&seats) {
            wrong.push(problem("seats", "out_of_range", "Choose 1 to 10,000 seats."));
        }
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let name = match identity {
            _ if !typed_name.is_empty() => typed_name.to_owned(),
            Some(identity) => identity.user.name.clone(),
            // An address may be longer than a name.
            None => email.chars().take(200).collect(),
        };
        let want = Want {
            tier: request.tier,
            interval: request.interval,
            currency: request.currency.unwrap_or(crate::contract::money::Currency::Usd),
            seats,
            coupon: request.coupon.clone(),
            tax_id: request.tax_id.clone(),
            address: Address {
                country: if address.country.is_empty() {
                    ctx.config.payments.home_country.clone()
                } else {
                    address.country.clone()
                },
                ..address
            },
            buyer: identity.map(|identity| identity.user.id),
        };
        Ok(Self { want, email, name, payment_method: request.payment_method })
    }
}

fn trimmed(address: &Address) -> Address {
    let trim = |text: &str| text.trim().to_owned();
    Address {
        line1: trim(&address.line1),
        line2: trim(&address.line2),
        postal_code: trim(&address.postal_code),
        city: trim(&address.city),
        region: trim(&address.region),
        country: trim(&address.country).to_ascii_uppercase(),
    }
}

fn too_long(name: &str, address: &Address) -> Vec<FieldProblem> {
    let values = [
        name,
        &address.line1,
        &address.line2,
        &address.postal_code,
        &address.city,
        &address.region,
        &address.country,
    ];
    LENGTHS
        .iter()
        .zip(values)
        .filter(|((_, longest), value)| {
            value.chars().count() > *longest || value.chars().any(char::is_control)
        })
        .map(|((field, longest), _)| {
            problem(field, "too_long", format!("Write at most {longest} characters, on one line."))
        })
        .collect()
}

async fn write(
    ctx: &Context,
    identity: Option<&Identity>,
    client: &Client,
    wanted: &Wanted,
    quote: &Quote,
    request_key: Option<&str>,
) -> Result<Order, Error> {
    let now = ctx.clock.now();
    let account = identity.map(|identity| identity.user.id);
    let mut tx = ctx.db.begin().await?;
    let particulars = Particulars {
        account,
        email: &wanted.email,
        name: &wanted.name,
        tax_id: quote.tax_id.as_ref().map(|tax_id| tax_id.number.as_str()),
        address: &wanted.want.address,
    };
    let customer = customer::create(&mut tx, ctx, &particulars).await?;
    let order = Order {
        id: OrderId::from_uuid(ctx.random.uuid_v7(now)),
        status: OrderStatus::Open,
        account,
        customer,
        email: wanted.email.clone(),
        tier: wanted.want.tier,
        interval: wanted.want.interval,
        seats: wanted.want.seats,
        currency: wanted.want.currency,
        subtotal: quote.subtotal,
        discount: quote.discount,
        tax: quote.tax,
        total: quote.total,
        refunded: crate::contract::money::Money::zero(wanted.want.currency),
        trial_days: quote.trial_days,
        coupon: quote.coupon.as_ref().map(|coupon| coupon.code.clone()),
        payment_method: wanted.payment_method,
        lines: quote
            .lines
            .iter()
            .map(|line| OrderLine {
                id: OrderLineId::from_uuid(ctx.random.uuid_v7(now)),
                tier: wanted.want.tier,
                line: line.clone(),
            })
            .collect(),
        session_id: None,
        session_url: None,
        attempt: 1,
        created_at: now,
        expires_at: now + TIME_TO_PAY,
        paid_at: None,
        fulfilled_at: None,
    };
    let coupon = quote.coupon.as_ref().map(|coupon| coupon.id);
    store::insert(&mut tx, &order, quote.price.price.id, coupon, request_key).await?;
    if !checks::coupon_has_room(&mut tx, ctx, coupon).await? {
        return Err(Error::InvalidCoupon(checks::USED_UP));
    }
    let by = identity.map_or(By { actor: Actor::Anonymous, request: Some(client.request) }, By::from);
    let detail = json!({ "total": order.total, "tier": order.tier, "seats": order.seats });
    note(&mut tx, ctx, by, "order.created", ("order", order.id.to_string()), detail).await?;
    // Should nobody ever come back to tell us, Stripe is asked.
    jobs::enqueue_with(&mut tx, &WatchOrder { order: order.id }, settle::watch_later(now, 0)).await?;
    tx.commit().await?;
    Ok(order)
}

/// Where the buyer of an order goes next. Asks Stripe for the session of this try: for a new one the first time, and for
/// the same one, by its key, ever after.
pub(super) async fn answer(ctx: &Context, order: &Order) -> Result<CheckoutAnswer, Error> {
    let on_the_order = |session: Option<String>| CheckoutAnswer {
        order_id: order.id,
        checkout_session_id: session,
        client_secret: None,
        url: link(ctx, order.id),
    };
    if order.status != OrderStatus::Open {
        return Ok(on_the_order(order.session_id.clone()));
    }
    let known = order.payment_method == PaymentMethod::Checkout && order.session_url.is_some();
    if known || order.expires_at - ctx.clock.now() < STRIPE_MINIMUM {
        let url = order.session_url.clone();
        return Ok(match url {
            Some(url) => CheckoutAnswer { url, ..on_the_order(order.session_id.clone()) },
            None => on_the_order(order.session_id.clone()),
        });
    }
    let session = create_session(ctx, order).await?;
    store::set_session(
        &ctx.db,
        order.id,
        order.attempt,
        &session.id,
        session.url.as_deref(),
        ctx.clock.now(),
    )
    .await?;
    Ok(CheckoutAnswer {
        order_id: order.id,
        url: session.url.unwrap_or_else(|| link(ctx, order.id)),
        checkout_session_id: Some(session.id),
        client_secret: session.client_secret,
    })
}

async fn create_session(ctx: &Context, order: &Order) -> Result<Session, Error> {
    let stripe = ctx.stripe()?;
    checks::no_second_trial(ctx, order).await?;
    let customer = customer::ensure_at_stripe(ctx, order.customer).await?;
    let bought = store::bought(&ctx.db, order.id).await?.ok_or(Error::NotFound)?;
    let price = catalogue::price(ctx, bought.price).await?.ok_or(Error::PriceUnavailable)?;
    let price = catalogue::stripe_price(ctx, &price).await?;
    let coupon = match bought.coupon {
        Some(id) => catalogue::coupon(ctx, id).await?,
        None => None,
    };
    let coupon = match &coupon {
        Some(coupon) => Some(catalogue::stripe_coupon(ctx, coupon).await?),
        None => None,
    };
    let line = order.lines.first().ok_or_else(|| Error::Stored(format!("{} has no line", order.id)))?;
    let tax_rates: Vec<String> = catalogue::stripe_tax_rate(ctx, &line.line.tax).await?.into_iter().collect();
    let back = link(ctx, order.id);
    let session = NewSession {
        order: order.id,
        customer: &customer,
        price: &price,
        quantity: line.line.quantity,
        interval: order.interval,
        tax_rates: &tax_rates,
        coupon: coupon.as_deref(),
        trial_days: if order.interval == Interval::Once { 0 } else { order.trial_days },
        payment_method: order.payment_method,
        success_url: &format!("{back}&paid=1"),
        cancel_url: &back,
        expires_at: order.expires_at.unix_timestamp(),
    };
    Ok(stripe.create_session(&session, &format!("order-{}-{}", order.id, order.attempt)).await?)
}
