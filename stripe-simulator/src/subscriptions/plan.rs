//! What a change to a subscription would make of it and what it would cost, worked out before anything is done.
//!
//! What always holds: a plan keeps nothing. The change carries it out, the preview only shows it.

use serde_json::{Value, json};

use crate::{
    catalogue::tax_rates,
    fault::Fault,
    fields::{int, items, referred, text, word},
    params::Params,
    subscriptions::{book::Book, calendar::Interval, create, discounts, is_over, period, proration},
    world::World,
};

/// What becomes of the rest of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proration {
    /// On the next invoice.
    Next,
    /// On an invoice of its own, at once.
    Now,
    None,
}

/// What happens when a card is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// The request fails and changes nothing.
    Refuse,
    /// The change is made and the invoice stays open.
    Keep,
    /// Nothing is charged: the invoice waits for somebody to pay it.
    Later,
}

impl Behaviour {
    pub fn read(params: &Params) -> Result<Self, Fault> {
        let words = ["allow_incomplete", "default_incomplete", "error_if_incomplete"];
        Ok(match word(params, "payment_behavior", &words)? {
            Some("error_if_incomplete") => Self::Refuse,
            Some("default_incomplete") => Self::Later,
            _ => Self::Keep,
        })
    }
}

/// A change as it was asked for.
pub struct Wanted {
    items: Vec<Params>,
    proration: Proration,
    at: Option<i64>,
    tax_rates: Option<Vec<String>>,
    coupons: Option<Vec<String>>,
    ends_trial: bool,
    starts_over: bool,
    pub behaviour: Behaviour,
    pub cancels_now: bool,
    pub cancels_at_end: bool,
}

impl Wanted {
    pub fn read(params: &Params) -> Result<Self, Fault> {
        let words = ["create_prorations", "always_invoice", "none"];
        let given = params.has("default_tax_rates");
        if params.text("trial_end").is_some_and(|end| end != "now") {
            return Err(Fault::invalid("trial_end", "The simulator can only end a trial now."));
        }
        Ok(Self {
            items: params.each("items"),
            proration: match word(params, "proration_behavior", &words)? {
                Some("always_invoice") => Proration::Now,
                Some("none") => Proration::None,
                _ => Proration::Next,
            },
            at: params.int("proration_date")?,
            tax_rates: given
                .then(|| params.texts("default_tax_rates").into_iter().filter(|id| !id.is_empty()).collect()),
            coupons: coupons(params)?,
            ends_trial: params.text("trial_end").is_some(),
            starts_over: word(params, "billing_cycle_anchor", &["now", "unchanged"])? == Some("now"),
            behaviour: Behaviour::read(params)?,
            cancels_now: params.bool("cancel_now")? == Some(true),
            cancels_at_end: params.bool("cancel_at_period_end")? == Some(true),
        })
    }

    /// As a preview asks: the change is under `subscription_details`, its proration there or beside it.
    pub fn previewed(params: &Params) -> Result<Self, Fault> {
        let empty = Params::parse("")?;
        let details = params.sub(&["subscription_details"]).unwrap_or(empty);
        details.only(&[
            "billing_cycle_anchor",
            "cancel_at_period_end",
            "cancel_now",
            "default_tax_rates",
            "items",
            "proration_behavior",
            "proration_date",
            "trial_end",
        ])?;
        let (inner, outer) = (Self::read(&details)?, Self::read(params)?);
        let proration = if details.has("proration_behavior") { inner.proration } else { outer.proration };
        Ok(Self { proration, at: inner.at.or(outer.at), coupons: outer.coupons, ..inner })
    }
}

/// The coupons under `discounts`: none for an emptied list, nothing where it was not given.
pub fn coupons(params: &Params) -> Result<Option<Vec<String>>, Fault> {
    if !params.has("discounts") {
        return Ok(None);
    }
    let coupon = |discount: &Params| -> Result<String, Fault> {
        discount.only(&["coupon"])?;
        discount.text("coupon").map(str::to_owned).ok_or_else(|| Fault::missing("discounts[0][coupon]"))
    };
    params.each("discounts").iter().map(coupon).collect::<Result<_, _>>().map(Some)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bill {
    Now,
    /// What there is to bill waits in the book.
    Later,
}

pub struct Planned {
    /// The subscription after the change.
    pub next: Value,
    /// What is invoiced now.
    pub lines: Vec<Value>,
    pub book: Book,
    /// All discounts that hold then.
    pub discounts: Vec<Value>,
    /// Those of them that are redeemed by this change.
    pub fresh: Vec<Value>,
    pub at: i64,
    pub bill: Bill,
}

pub fn plan(world: &mut World, now: &Value, wanted: &Wanted) -> Result<Planned, Fault> {
    if is_over(now) {
        let words = "A canceled subscription can only update its cancellation_details and metadata.";
        return Err(Fault::invalid("id", words));
    }
    let at = moment(world, now, wanted)?;
    let mut next = now.clone();
    if let Some(ids) = &wanted.tax_rates {
        tax_rates::usable(world, ids, "default_tax_rates")?;
        next["default_tax_rates"] = ids.iter().filter_map(|id| world.get(id)).cloned().collect();
    }
    let (discounts, fresh) = discounted(world, &mut next, wanted, at)?;
    let touched = change_items(world, &mut next, wanted, at)?;
    let mut book = Book::of(world, text(now, "id"));
    let trial = now["status"] == "trialing";
    let length_changes = interval(now) != interval(&next);
    let starts_over = if trial { wanted.ends_trial } else { length_changes || wanted.starts_over };
    let prorated = !trial && wanted.proration != Proration::None;
    let mut lines = Vec::new();
    if prorated {
        let gone = |item: &str| starts_over || touched.iter().any(|other| other == item);
        lines.extend(proration::credits(world, now, &book, gone, at));
    }
    if starts_over {
        next["billing_cycle_anchor"] = json!(at);
        let end = interval(&next).next(at, at);
        set_period(&mut next, at, end);
        if trial {
            next["status"] = json!("active");
            next["trial_end"] = json!(at);
        }
        lines.extend(proration::full(world, &next, &discounts, &mut book));
    } else if prorated && !touched.is_empty() {
        lines.extend(proration::charges(world, &next, &discounts, &touched, at, &mut book));
    }
    let bill = if starts_over || wanted.proration == Proration::Now { Bill::Now } else { Bill::Later };
    if lines.is_empty() {
        return Ok(Planned { next, lines, book, discounts, fresh, at, bill });
    }
    book.pending.append(&mut lines);
    if bill == Bill::Now {
        lines = std::mem::take(&mut book.pending);
    }
    Ok(Planned { next, lines, book, discounts, fresh, at, bill })
}

/// The moment that shares are counted from.
fn moment(world: &World, now: &Value, wanted: &Wanted) -> Result<i64, Fault> {
    let (start, end) = period(now);
    match wanted.at {
        Some(at) if (start..=end).contains(&at) => Ok(at),
        Some(_) => {
            Err(Fault::invalid("proration_date", "The proration date must be within the present period."))
        }
        None => Ok(world.now_for(text(now, "customer")).min(end)),
    }
}

/// All discounts after the change, and the new ones among them.
fn discounted(
    world: &mut World,
    next: &mut Value,
    wanted: &Wanted,
    at: i64,
) -> Result<(Vec<Value>, Vec<Value>), Fault> {
    let Some(coupons) = &wanted.coupons else { return Ok((discounts::live(world, next, at), Vec::new())) };
    let mut fresh = Vec::new();
    for coupon in coupons {
        fresh.push(discounts::redeemed(world, coupon, next, at)?);
    }
    next["discounts"] = fresh.iter().map(|discount| discount["id"].clone()).collect();
    Ok((fresh.clone(), fresh))
}

/// Changes, adds and removes items, and says which ones.
fn change_items(world: &mut World, next: &mut Value, wanted: &Wanted, at: i64) -> Result<Vec<String>, Fault> {
    let (start, end) = period(next);
    let mut all = items(&next["items"]).to_vec();
    let mut touched = Vec::new();
    for given in &wanted.items {
        given.only(&["deleted", "id", "metadata", "price", "quantity"])?;
        let price = given.text("price").map(|price| recurring_price(world, price)).transpose()?;
        let quantity = given.int("quantity")?;
        let Some(id) = given.text("id") else {
            let price = price.ok_or_else(|| Fault::missing("items[0][price]"))?;
            if all.iter().any(|item| item["price"]["id"] == price["id"]) {
                return Err(Fault::invalid(
                    "items[0][price]",
                    "A subscription item with this price already exists.",
                ));
            }
            let item = create::item(world, text(next, "id"), &price, quantity.unwrap_or(1), at)?;
            touched.push(text(&item, "id").to_owned());
            all.push(item);
            continue;
        };
        let Some(place) = all.iter().position(|item| item["id"] == id) else {
            return Err(Fault::invalid("items[0][id]", &format!("No such subscription item: '{id}'")));
        };
        if given.bool("deleted")? == Some(true) {
            all.remove(place);
            touched.push(id.to_owned());
            continue;
        }
        let before = all[place].clone();
        let price = price.unwrap_or_else(|| before["price"].clone());
        let same = price["id"] == before["price"]["id"];
        set_item(&mut all[place], &price, quantity.unwrap_or_else(|| int(&before, "quantity")))?;
        if !same || all[place]["quantity"] != before["quantity"] {
            touched.push(id.to_owned());
        }
    }
    next["items"]["total_count"] = json!(all.len());
    next["items"]["data"] = Value::Array(all);
    checked(next)?;
    // What was added joins the period of the others.
    set_period(next, start, end);
    Ok(touched)
}

/// A price that can be subscribed to.
pub fn recurring_price(world: &World, id: &str) -> Result<Value, Fault> {
    let price = referred(world, "price", id, "items[0][price]")?;
    if price["active"] != true {
        return Err(Fault::invalid(
            "items[0][price]",
            "The price specified is inactive. This field only accepts active prices.",
        ));
    }
    if price["recurring"].is_null() {
        return Err(Fault::invalid(
            "items[0][price]",
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
        ));
    }
    Ok(price)
}

/// Gives an item its price and quantity.
pub fn set_item(item: &mut Value, price: &Value, quantity: i64) -> Result<(), Fault> {
    if !(0..=1_000_000).contains(&quantity) {
        return Err(Fault::invalid("items[0][quantity]", "This value must be between 0 and 1000000."));
    }
    item["price"] = price.clone();
    item["plan"] = plan_of(price);
    item["quantity"] = json!(quantity);
    Ok(())
}

/// The price in the words of Stripe's older API, which items still carry.
fn plan_of(price: &Value) -> Value {
    let recurring = &price["recurring"];
    json!({
        "id": price["id"], "object": "plan", "active": price["active"], "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"], "billing_scheme": "per_unit", "created": price["created"],
        "currency": price["currency"], "interval": recurring["interval"],
        "interval_count": recurring["interval_count"], "livemode": false, "metadata": price["metadata"],
        "meter": null, "nickname": price["nickname"], "product": price["product"], "tiers_mode": null,
        "transform_usage": null, "trial_period_days": null, "usage_type": "licensed",
    })
}

/// All items have one currency and one interval, and there is at least one.
pub fn checked(subscription: &Value) -> Result<(), Fault> {
    let all = items(&subscription["items"]);
    let Some(first) = all.first() else {
        return Err(Fault::invalid("items", "A subscription must have at least one active plan."));
    };
    for item in all {
        if item["price"]["currency"] != subscription["currency"] {
            return Err(Fault::invalid("items", "All prices on a subscription must have the same currency."));
        }
        if Interval::of(&item["price"]) != Interval::of(&first["price"]) {
            return Err(Fault::invalid("items", "All prices on a subscription must have the same interval."));
        }
    }
    Ok(())
}

/// How long its periods are.
pub fn interval(subscription: &Value) -> Interval {
    // What has no interval was refused when it was to become an item.
    Interval::of(&subscription["items"]["data"][0]["price"]).unwrap_or(Interval::Months(1))
}

pub fn set_period(subscription: &mut Value, start: i64, end: i64) {
    if let Some(items) = subscription["items"]["data"].as_array_mut() {
        for item in items {
            item["current_period_start"] = json!(start);
            item["current_period_end"] = json!(end);
        }
    }
}
