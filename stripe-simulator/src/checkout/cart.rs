//! What a session is for: its lines with their discount and tax, and what is to be made of it once it is paid.
//!
//! What always holds: each line is a price that exists and is active, all in one currency; the sums are those of the
//! lines.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::inner_metadata;
use crate::{
    catalogue::{coupons, tax_rates},
    fault::Fault,
    fields::{int, text},
    params::Params,
    sums::{self, Tax},
    world::World,
};

const MAX_LINES: usize = 20;
const MAX_QUANTITY: i64 = 999_999;
const MAX_TRIAL_DAYS: i64 = 730;
/// Eight digits.
pub const MAX_AMOUNT: i64 = 99_999_999;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cart {
    pub items: Vec<Value>,
    pub currency: String,
    pub coupon: Option<String>,
    /// Of the subscription that comes of it.
    pub tax_rates: Vec<String>,
    pub trial_days: i64,
    /// Of the payment, or of the subscription.
    pub metadata: Map<String, Value>,
    pub description: String,
}

/// What is due today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    pub subtotal: i64,
    pub discount: i64,
    pub tax: i64,
    pub total: i64,
}

struct Line {
    price: Value,
    quantity: i64,
    tax_rates: Vec<String>,
}

impl Line {
    fn subtotal(&self) -> i64 {
        int(&self.price, "unit_amount").saturating_mul(self.quantity)
    }
}

impl Cart {
    /// Nothing is due while a trial runs.
    pub fn sums(&self) -> Sums {
        let sum = |name: &str| -> i64 { self.items.iter().map(|item| int(item, name)).sum() };
        if self.trial_days > 0 {
            return Sums { subtotal: 0, discount: 0, tax: 0, total: 0 };
        }
        Sums {
            subtotal: sum("amount_subtotal"),
            discount: sum("amount_discount"),
            tax: sum("amount_tax"),
            total: sum("amount_total"),
        }
    }

    /// Beside the session, which does not show it.
    pub fn keep(&self, world: &mut World, session: &str) {
        world.put(json!({ "id": id(session), "object": "simulator.cart", "cart": self }));
    }
}

fn id(session: &str) -> String {
    format!("cart_{session}")
}

pub fn of(world: &World, session: &str) -> Cart {
    let kept = world.get(&id(session)).map(|kept| kept["cart"].clone());
    kept.and_then(|cart| serde_json::from_value(cart).ok()).unwrap_or_default()
}

pub fn read(world: &mut World, params: &Params, mode: &str) -> Result<Cart, Fault> {
    let given = params.each("line_items");
    if given.is_empty() {
        return Err(Fault::missing("line_items"));
    }
    if given.len() > MAX_LINES {
        return Err(Fault::invalid("line_items", "There are at most 20 lines."));
    }
    let data = if mode == "subscription" { "subscription_data" } else { "payment_intent_data" };
    let other = if mode == "subscription" { "payment_intent_data" } else { "subscription_data" };
    if params.has(other) {
        return Err(Fault::invalid(other, &format!("You can not pass `{other}` in `{mode}` mode.")));
    }
    let details = params.sub(&[data]);
    let default_rates =
        details.as_ref().map(|details| details.texts("default_tax_rates")).unwrap_or_default();
    tax_rates::usable(world, &default_rates, "subscription_data[default_tax_rates]")?;
    let lines = given
        .iter()
        .enumerate()
        .map(|(index, line)| read_line(world, line, index, mode, &default_rates))
        .collect::<Result<Vec<Line>, Fault>>()?;
    let currency = text(&lines[0].price, "currency").to_owned();
    if lines.iter().any(|line| line.price["currency"] != currency.as_str()) {
        return Err(Fault::invalid("line_items", "All prices of a session must have the same currency."));
    }
    if mode == "subscription" && lines.iter().any(|line| line.tax_rates != lines[0].tax_rates) {
        return Err(Fault::invalid(
            "line_items",
            "The simulator takes the same tax rates for all lines of a subscription.",
        ));
    }
    let coupon = coupon(world, params, &currency)?;
    let items = priced(world, &lines, coupon.as_ref());
    let text_of = |name: &str| details.as_ref().and_then(|details| details.text(name)).unwrap_or_default();
    let cart = Cart {
        items,
        currency,
        coupon: coupon.as_ref().map(|coupon| text(coupon, "id").to_owned()),
        tax_rates: lines[0].tax_rates.clone(),
        trial_days: trial_days(details.as_ref())?,
        metadata: inner_metadata(params, data)?,
        description: text_of("description").to_owned(),
    };
    within_limits(&cart, mode)?;
    Ok(cart)
}

fn read_line(
    world: &World,
    line: &Params,
    index: usize,
    mode: &str,
    default_rates: &[String],
) -> Result<Line, Fault> {
    let param = |name: &str| format!("line_items[{index}][{name}]");
    for name in ["price_data", "adjustable_quantity", "dynamic_tax_rates"] {
        if line.has(name) {
            return Err(Fault::invalid(&param(name), "The simulator takes prices that exist, as they are."));
        }
    }
    line.only(&["price", "quantity", "tax_rates"])?;
    let id = line.text("price").ok_or_else(|| Fault::missing(&param("price")))?;
    let price = crate::fields::referred(world, "price", id, &param("price"))?;
    if price["active"] != true {
        let words = format!("The price specified is inactive. This field only accepts active prices: {id}");
        return Err(Fault::invalid(&param("price"), &words));
    }
    let quantity = line.int("quantity")?.ok_or_else(|| Fault::missing(&param("quantity")))?;
    if !(1..=MAX_QUANTITY).contains(&quantity) {
        return Err(Fault::invalid(&param("quantity"), "This value must be between 1 and 999999."));
    }
    match (mode, price["type"] == "recurring") {
        ("payment", true) => {
            return Err(Fault::invalid(
                &param("price"),
                "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
            ));
        }
        ("subscription", false) => {
            return Err(Fault::invalid(
                &param("price"),
                "The simulator takes recurring prices only in `subscription` mode.",
            ));
        }
        _ => {}
    }
    let mut rates = line.texts("tax_rates");
    tax_rates::usable(world, &rates, &param("tax_rates"))?;
    if rates.is_empty() {
        rates = default_rates.to_vec();
    }
    Ok(Line { price, quantity, tax_rates: rates })
}

fn coupon(world: &World, params: &Params, currency: &str) -> Result<Option<Value>, Fault> {
    match params.each("discounts").as_slice() {
        [] => Ok(None),
        [one] => {
            one.only(&["coupon"])?;
            let id = one.text("coupon").ok_or_else(|| Fault::missing("discounts[0][coupon]"))?;
            coupons::redeemable(world, id, currency, "discounts[0][coupon]").map(Some)
        }
        _ => Err(Fault::invalid("discounts", "There is at most one discount.")),
    }
}

fn priced(world: &mut World, lines: &[Line], coupon: Option<&Value>) -> Vec<Value> {
    let subtotals: Vec<i64> = lines.iter().map(Line::subtotal).collect();
    let discounts = sums::discounts(coupon, &subtotals);
    let mut items = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let net = subtotals[index] - discounts[index];
        let rates = line.tax_rates.iter().filter_map(|rate| world.get(rate));
        let taxes: Vec<Tax> = rates.map(|rate| sums::tax(net, rate)).collect();
        let product = world.get(text(&line.price, "product")).map(|product| product["name"].clone());
        let id = world.new_id("li");
        let description = product.unwrap_or_default();
        items.push(sums::item(&id, &line.price, &description, line.quantity, discounts[index], &taxes));
    }
    items
}

fn trial_days(details: Option<&Params>) -> Result<i64, Fault> {
    let Some(details) = details else { return Ok(0) };
    let days = details.int("trial_period_days")?.unwrap_or(0);
    if details.has("trial_period_days") && !(1..=MAX_TRIAL_DAYS).contains(&days) {
        return Err(Fault::invalid(
            "subscription_data[trial_period_days]",
            "This value must be between 1 and 730.",
        ));
    }
    Ok(days)
}

/// The least that Stripe charges in a currency.
fn least(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        _ => 50,
    }
}

fn within_limits(cart: &Cart, mode: &str) -> Result<(), Fault> {
    let total = cart.sums().total;
    if total > MAX_AMOUNT {
        return Err(Fault::state("amount_too_large", "The total amount due must be no more than 99999999."));
    }
    if mode == "payment" && (1..least(&cart.currency)).contains(&total) {
        return Err(Fault::state(
            "amount_too_small",
            "The total amount due must add up to at least 50 cents.",
        ));
    }
    Ok(())
}
