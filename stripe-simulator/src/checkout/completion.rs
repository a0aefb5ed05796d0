//! Paying a session, and what comes of it.
//!
//! What always holds: a session is completed once; when its card is declined it stays open, and nothing of what it would
//! have made is there.

use serde_json::{Value, json};

use super::{
    DAY,
    cart::{self, Cart},
    current,
};
use crate::{
    catalogue::coupons,
    fault::Fault,
    fields::{int, text},
    http::{self, Request},
    params::Params,
    payments::{self, Card, Charge, OffSession},
    subscriptions::{self, NewSubscription},
    world::{World, id_of},
};

/// What a payment has made of a session.
struct Paid {
    status: &'static str,
    customer: Value,
    payment_intent: Value,
    subscription: Value,
    invoice: Value,
}

/// Pays with this card. [`Card::NeedsAuthentication`] counts as approved.
pub fn complete(world: &mut World, id: &str, card: Card) -> Result<Value, Fault> {
    let session = current(world, id)?;
    match text(&session, "status") {
        "open" => {}
        "complete" => {
            return Err(Fault::state("session_complete", "This Checkout Session was paid already."));
        }
        _ => return Err(Fault::state("session_expired", "This Checkout Session has expired.")),
    }
    let cart = cart::of(world, id);
    let paid = if session["mode"] == "subscription" {
        subscribe(world, &session, &cart, card)?
    } else {
        pay(world, &session, &cart, card)?
    };
    let known = world.get(paid.customer.as_str().unwrap_or_default()).cloned().unwrap_or_default();
    let session = world.change(id, |session| {
        session["status"] = json!("complete");
        session["payment_status"] = json!(paid.status);
        session["url"] = Value::Null;
        session["payment_intent"] = paid.payment_intent;
        session["subscription"] = paid.subscription;
        session["invoice"] = paid.invoice;
        session["customer"] = paid.customer;
        if session["customer_details"].is_null() {
            session["customer_details"] = json!({ "email": known["email"], "name": known["name"] });
        }
    });
    world.emit("checkout.session.completed", id);
    Ok(session)
}

fn pay(world: &mut World, session: &Value, cart: &Cart, card: Card) -> Result<Paid, Fault> {
    let total = cart.sums().total;
    let mut paid = Paid {
        status: "no_payment_required",
        customer: session["customer"].clone(),
        payment_intent: Value::Null,
        subscription: Value::Null,
        invoice: Value::Null,
    };
    if total > 0 {
        let intent = payments::charge(
            world,
            &Charge {
                customer: text(session, "customer"),
                amount: total,
                currency: &cart.currency,
                card,
                metadata: Value::Object(cart.metadata.clone()),
                description: &cart.description,
                invoice: None,
                off_session: OffSession::No,
            },
        )?;
        paid.status = if intent["status"] == "succeeded" { "paid" } else { "unpaid" };
        paid.payment_intent = intent["id"].clone();
    }
    if let Some(coupon) = &cart.coupon {
        coupons::redeem(world, coupon);
    }
    Ok(paid)
}

fn subscribe(world: &mut World, session: &Value, cart: &Cart, card: Card) -> Result<Paid, Fault> {
    if card == Card::Slow {
        return Err(Fault::declined(
            "payment_method_not_available",
            "transaction_not_allowed",
            "This way to pay is for one-off payments.",
        ));
    }
    let (customer, made) = owner(world, session)?;
    let before =
        world.get(&customer).map(|owner| owner["invoice_settings"]["default_payment_method"].clone());
    let method = id_of(&payments::payment_method(world, &customer, card));
    let items = cart.items.iter().map(|item| (text(&item["price"], "id").to_owned(), int(item, "quantity")));
    let wanted = NewSubscription {
        customer: &customer,
        items: items.collect(),
        tax_rates: cart.tax_rates.clone(),
        coupon: cart.coupon.clone(),
        trial_days: cart.trial_days,
        metadata: Value::Object(cart.metadata.clone()),
        payment_method: Some(method.clone()),
    };
    match subscriptions::create(world, &wanted, card) {
        Ok(subscription) => Ok(Paid {
            status: if cart.sums().total > 0 { "paid" } else { "no_payment_required" },
            customer: json!(customer),
            payment_intent: Value::Null,
            subscription: subscription["id"].clone(),
            invoice: match &subscription["latest_invoice"] {
                Value::Object(invoice) => invoice["id"].clone(),
                id => id.clone(),
            },
        }),
        Err(fault) => {
            world.change(&method, |method| method["customer"] = Value::Null);
            world.change(&customer, |owner| {
                owner["invoice_settings"]["default_payment_method"] = before.unwrap_or_default();
            });
            if made == Made::Now {
                // The next try is the same person's.
                world.change(text(session, "id"), |session| session["customer"] = json!(customer));
            }
            Err(fault)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Before,
    Now,
}

/// A subscription belongs to a customer; a guest becomes one.
fn owner(world: &mut World, session: &Value) -> Result<(String, Made), Fault> {
    if let Some(customer) = session["customer"].as_str() {
        return Ok((customer.to_owned(), Made::Before));
    }
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for name in ["email", "name"] {
        if let Some(value) = session["customer_details"][name].as_str() {
            form.append_pair(name, value);
        }
    }
    let request = Request {
        method: "POST",
        path: vec!["customers"],
        params: Params::parse(&form.finish())?,
        base: world.base.clone(),
    };
    http::dispatch(world, &request).map(|customer| (id_of(&customer), Made::Now))
}

/// Ends the wait for a payment by [`Card::Slow`].
pub fn settle_slow(world: &mut World, id: &str, paid: bool) -> Result<Value, Fault> {
    let session = world.find("checkout.session", id)?;
    if !waits(&session) {
        return Err(Fault::state("session_settled", "This Checkout Session waits for no payment."));
    }
    payments::settle(world, text(&session, "payment_intent"), paid)?;
    if paid {
        world.change(id, |session| session["payment_status"] = json!("paid"));
    } else {
        world.change(id, |session| session["simulator_failed"] = json!(true));
    }
    let outcome = if paid { "succeeded" } else { "failed" };
    world.emit(&format!("checkout.session.async_payment_{outcome}"), id);
    world.find("checkout.session", id)
}

fn waits(session: &Value) -> bool {
    session["status"] == "complete"
        && session["payment_status"] == "unpaid"
        && session["payment_intent"].is_string()
        && session["simulator_failed"] != true
}

/// Slow payments succeed after a day when nobody decides before.
pub fn settle_due(world: &mut World) {
    let due: Vec<String> = world
        .all("checkout.session")
        .filter(|session| waits(session))
        .filter(|session| {
            let intent = world.get(text(session, "payment_intent"));
            intent.is_some_and(|intent| int(intent, "created") + DAY <= payments::world_time(world, intent))
        })
        .map(id_of)
        .collect();
    for id in due {
        if let Err(fault) = world.whole(|world| settle_slow(world, &id, true)) {
            tracing::warn!(session = id, fault = fault.message, "a slow payment could not be settled");
        }
    }
}
