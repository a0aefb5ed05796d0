//! How a subscription begins: with its first invoice, paid, or with a trial.

use serde_json::{Value, json};

use crate::{
    cards::{self, Card, OffSession},
    catalogue::tax_rates,
    fault::Fault,
    fields::{self, int, items, joined, referred, text},
    invoices::{self, Head, Kind, Line},
    params::Params,
    subscriptions::{
        book::Book,
        change::set_cancel_at_period_end,
        discounts,
        plan::{self, Behaviour},
        proration, rate_ids, words,
    },
    world::World,
};

const DAY: i64 = 86_400;
const MOST_TRIAL_DAYS: i64 = 730;

/// What somebody subscribes to.
pub struct NewSubscription<'a> {
    pub customer: &'a str,
    /// Prices and how many of each.
    pub items: Vec<(String, i64)>,
    pub tax_rates: Vec<String>,
    pub coupon: Option<String>,
    /// None when it is 0.
    pub trial_days: i64,
    pub metadata: Value,
    pub payment_method: Option<String>,
}

/// Begins one for somebody who is there and pays with this card. On a decline nothing of it stays but the failed payment.
pub fn create(world: &mut World, new: &NewSubscription<'_>, pay: Card) -> Result<Value, Fault> {
    let trial = (new.trial_days > 0).then(|| world.now_for(new.customer) + new.trial_days * DAY);
    let terms = Terms {
        trial_end: trial,
        behaviour: Behaviour::Refuse,
        off_session: OffSession::No,
        no_card: "create_invoice",
    };
    begin(world, new, Some(pay), &terms)
}

struct Terms<'a> {
    trial_end: Option<i64>,
    behaviour: Behaviour,
    off_session: OffSession,
    /// What happens when a trial ends and there is no card: `create_invoice`, `pause`, `cancel`.
    no_card: &'a str,
}

const KNOWN: [&str; 15] = [
    "cancel_at_period_end",
    "collection_method",
    "currency",
    "customer",
    "default_payment_method",
    "default_tax_rates",
    "description",
    "discounts",
    "items",
    "metadata",
    "off_session",
    "payment_behavior",
    "trial_end",
    "trial_period_days",
    "trial_settings",
];

/// As the API asks for it.
pub fn create_by(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&KNOWN)?;
    fields::word(params, "collection_method", &["charge_automatically"])?;
    let customer = params.required("customer")?;
    referred(world, "customer", customer, "customer")?;
    let coupons = plan::coupons(params)?.unwrap_or_default();
    if coupons.len() > 1 {
        return Err(Fault::invalid("discounts", "The simulator takes one discount at first."));
    }
    let method = params.text("default_payment_method").map(|method| cards::method(world, method, customer));
    let method = method.transpose()?.map(|method| crate::world::id_of(&method));
    let new = NewSubscription {
        customer,
        items: wanted_items(params)?,
        tax_rates: params.texts("default_tax_rates"),
        coupon: coupons.into_iter().next(),
        trial_days: 0,
        metadata: fields::metadata(&json!({}), params)?,
        payment_method: method.clone(),
    };
    let settings = params.sub(&["trial_settings", "end_behavior"]);
    let no_card = settings
        .as_ref()
        .map(|end| fields::word(end, "missing_payment_method", &["cancel", "create_invoice", "pause"]));
    let terms = Terms {
        trial_end: trial_end(world, customer, params)?,
        behaviour: Behaviour::read(params)?,
        off_session: if params.bool("off_session")? == Some(true) { OffSession::Yes } else { OffSession::No },
        no_card: no_card.transpose()?.flatten().unwrap_or("create_invoice"),
    };
    let owner = json!({ "customer": customer, "default_payment_method": method });
    let card = super::card(world, &owner);
    let begun = begin(world, &new, card, &terms)?;
    let id = text(&begun, "id");
    let at = int(&begun, "created");
    let ends = params.bool("cancel_at_period_end")? == Some(true);
    Ok(world.change(id, |subscription| {
        fields::set_texts(subscription, params, &["description"]);
        if ends {
            set_cancel_at_period_end(subscription, true, at);
        }
    }))
}

fn wanted_items(params: &Params) -> Result<Vec<(String, i64)>, Fault> {
    let given = params.each("items");
    if given.is_empty() {
        return Err(Fault::missing("items"));
    }
    let item = |item: &Params| -> Result<(String, i64), Fault> {
        item.only(&["metadata", "price", "quantity"])?;
        let price = item.required("price").map_err(|_| Fault::missing("items[0][price]"))?;
        Ok((price.to_owned(), item.int("quantity")?.unwrap_or(1)))
    };
    given.iter().map(item).collect()
}

fn trial_end(world: &World, customer: &str, params: &Params) -> Result<Option<i64>, Fault> {
    let now = world.now_for(customer);
    match (params.int("trial_period_days")?, params.text("trial_end")) {
        (Some(_), Some(_)) => Err(Fault::invalid("trial_end", "Give either trial_end or trial_period_days.")),
        (Some(days), None) if (0..=MOST_TRIAL_DAYS).contains(&days) => {
            Ok((days > 0).then_some(now + days * DAY))
        }
        (Some(_), None) => Err(Fault::invalid("trial_period_days", "A trial has at most 730 days.")),
        (None, None | Some("now")) => Ok(None),
        (None, Some(_)) => match params.int("trial_end")? {
            Some(end) if end > now => Ok(Some(end)),
            _ => Err(Fault::invalid("trial_end", "Invalid timestamp: it must be in the future.")),
        },
    }
}

fn begin(
    world: &mut World,
    new: &NewSubscription<'_>,
    card: Option<Card>,
    terms: &Terms<'_>,
) -> Result<Value, Fault> {
    let mut subscription = described(world, new, terms)?;
    let at = int(&subscription, "created");
    let mut fresh = Vec::new();
    if let Some(coupon) = &new.coupon {
        fresh.push(discounts::redeemed(world, coupon, &subscription, at)?);
    }
    subscription["discounts"] = fresh.iter().map(|discount| discount["id"].clone()).collect();
    let mut book = Book::default();
    let lines = if terms.trial_end.is_some() {
        trial_lines(world, &subscription)
    } else {
        proration::full(world, &subscription, &fresh, &mut book)
    };
    let head = Head { subscription: &subscription, reason: "subscription_create", at, period: (at, at) };
    let invoice = invoices::invoice(world, &head, lines.clone());
    let settled = invoices::charge_first(world, &invoice, card, terms.behaviour, terms.off_session)?;
    subscription["latest_invoice"] = invoice["id"].clone();
    if int(&invoice, "amount_due") > 0 && !settled.is_paid() {
        subscription["status"] = json!("incomplete");
    }
    discounts::keep(world, fresh);
    discounts::use_up(world, &mut subscription, &lines, at);
    let id = text(&subscription, "id");
    world.put(subscription.clone());
    book.keep(world, id);
    world.emit("customer.subscription.created", id);
    invoices::record(world, &invoice, &settled);
    world.find("subscription", id)
}

/// A trial is on the first invoice too, for nothing.
fn trial_lines(world: &mut World, subscription: &Value) -> Vec<Value> {
    let rates = rate_ids(subscription);
    let mut lines = Vec::new();
    for item in items(&subscription["items"]) {
        let product = words::product(world, &item["price"]);
        let line = Line {
            subscription,
            item: text(item, "id"),
            price: &item["price"],
            quantity: int(item, "quantity"),
            amount: 0,
            discounts: Vec::new(),
            tax_rates: &rates,
            period: super::period(subscription),
            kind: Kind::Period,
            description: format!("Trial period for {product}"),
        };
        lines.push(invoices::line(world, &line));
    }
    lines
}

/// The subscription as it will be when its first invoice is paid. Nothing is kept yet.
fn described(world: &mut World, new: &NewSubscription<'_>, terms: &Terms<'_>) -> Result<Value, Fault> {
    let customer = referred(world, "customer", new.customer, "customer")?;
    tax_rates::usable(world, &new.tax_rates, "default_tax_rates")?;
    let at = world.now_for(new.customer);
    let id = world.new_id("sub");
    let mut made = Vec::new();
    for (price, quantity) in &new.items {
        let price = plan::recurring_price(world, price)?;
        made.push(item(world, &id, &price, *quantity, at)?);
    }
    let currency = made.first().map(|item: &Value| item["price"]["currency"].clone()).unwrap_or_default();
    let rates: Vec<&Value> = new.tax_rates.iter().filter_map(|id| world.get(id)).collect();
    let trial = terms.trial_end;
    let status = if trial.is_some() { "trialing" } else { "active" };
    let mut subscription = [
        json!({
            "id": id, "object": "subscription", "created": at, "start_date": at, "currency": currency,
            "customer": new.customer, "metadata": new.metadata, "status": status,
            "billing_cycle_anchor": trial.unwrap_or(at), "default_payment_method": new.payment_method,
            "default_tax_rates": rates, "items": fields::list("/v1/subscription_items", made),
            "test_clock": customer["test_clock"], "trial_end": trial, "trial_start": trial.map(|_| at),
            "trial_settings": { "end_behavior": { "missing_payment_method": terms.no_card } },
        }),
        at_rest(),
    ]
    .into_iter()
    .fold(json!({}), joined);
    plan::checked(&subscription)?;
    let end = trial.unwrap_or_else(|| plan::interval(&subscription).next(at, at));
    plan::set_period(&mut subscription, at, end);
    Ok(subscription)
}

/// The fields that every subscription begins with.
fn at_rest() -> Value {
    joined(
        json!({
            "application": null, "application_fee_percent": null,
            "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null },
            "billing_cycle_anchor_config": null,
            "billing_mode": { "flexible": { "proration_discounts": "included" }, "type": "flexible", "updated_at": null },
            "billing_schedules": [], "billing_thresholds": null, "cancel_at": null, "cancel_at_period_end": false,
            "canceled_at": null, "cancellation_details": { "comment": null, "feedback": null, "reason": null },
            "collection_method": "charge_automatically", "customer_account": null, "days_until_due": null,
            "default_source": null, "description": null, "discounts": [], "ended_at": null,
        }),
        json!({
            "invoice_settings": { "account_tax_ids": null, "issuer": { "type": "self" } }, "latest_invoice": null,
            "livemode": false, "managed_payments": null, "next_pending_invoice_item_invoice": null,
            "on_behalf_of": null, "pause_collection": null,
            "payment_settings": {
                "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": null, "pending_setup_intent": null, "pending_update": null,
            "presentment_details": null, "schedule": null, "transfer_data": null,
        }),
    )
}

/// An item with a price. Its period is set with that of the others.
pub fn item(
    world: &mut World,
    subscription: &str,
    price: &Value,
    quantity: i64,
    at: i64,
) -> Result<Value, Fault> {
    let id = world.new_id("si");
    let mut item = json!({
        "id": id, "object": "subscription_item", "billed_until": null, "billing_thresholds": null, "created": at,
        "current_period_end": at, "current_period_start": at, "current_trial": null, "discounts": [],
        "metadata": {}, "subscription": subscription, "tax_rates": [],
    });
    plan::set_item(&mut item, price, quantity)?;
    Ok(item)
}
