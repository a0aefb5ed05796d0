//! Checkout sessions: what somebody is about to buy, on a page of ours to pay on.
//!
//! What always holds: a session is open, then complete or expired, and never changes back; its amounts are computed here
//! from prices that exist; it is paid once.

use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    fault::Fault,
    fields::{self, int, joined, text},
    http::Request,
    params::Params,
    world::World,
};

mod cart;
mod completion;

pub use completion::{complete, settle_due, settle_slow};

const DAY: i64 = 24 * 60 * 60;
const SHORTEST: i64 = 30 * 60;
/// Who asks for 30 minutes has spent a moment of it asking, and clocks differ a little.
const SLACK: i64 = 60;
const MAX_REFERENCE: usize = 200;

const KNOWN: [&str; 32] = [
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "branding_settings",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "currency",
    "custom_text",
    "customer",
    "customer_creation",
    "customer_email",
    "customer_update",
    "discounts",
    "expires_at",
    "invoice_creation",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "payment_method_collection",
    "payment_method_types",
    "phone_number_collection",
    "return_url",
    "submit_type",
    "subscription_data",
    "success_url",
    "tax_id_collection",
    "ui_mode",
];

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["checkout", "sessions"]) => {
            create(world, request).map(|session| with_lines(world, session, params))
        }
        ("GET", ["checkout", "sessions"]) => list(world, params),
        ("GET", ["checkout", "sessions", id]) => {
            current(world, id).map(|session| with_lines(world, session, params))
        }
        ("POST", ["checkout", "sessions", id]) => update(world, id, params),
        ("POST", ["checkout", "sessions", id, "expire"]) => expire(world, id),
        ("GET", ["checkout", "sessions", id, "line_items"]) => {
            current(world, id).map(|session| lines(world, &session))
        }
        _ => return None,
    })
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let asked: Vec<(&str, &str)> = ["customer", "payment_intent", "status", "subscription"]
        .into_iter()
        .filter_map(|name| Some((name, params.text(name)?)))
        .collect();
    world.list("checkout.session", "/v1/checkout/sessions", params, |session| {
        asked.iter().all(|(name, value)| session[*name] == *value)
    })
}

/// What is bought, as the page and the API show it.
pub fn lines(world: &World, session: &Value) -> Value {
    let id = text(session, "id");
    fields::list(&format!("/v1/checkout/sessions/{id}/line_items"), cart::of(world, id).items)
}

/// The lines are in a session only for those who ask.
fn with_lines(world: &World, mut session: Value, params: &Params) -> Value {
    if params.texts("expand").iter().any(|path| path == "line_items" || path.starts_with("line_items.")) {
        session["line_items"] = lines(world, &session);
    }
    session
}

fn create(world: &mut World, request: &Request<'_>) -> Result<Value, Fault> {
    let params = &request.params;
    params.only(&KNOWN)?;
    simulated(params)?;
    let mode =
        fields::word(params, "mode", &["payment", "subscription"])?.ok_or_else(|| Fault::missing("mode"))?;
    let place = place(params)?;
    let owner = params.text("customer").unwrap_or_default();
    if !owner.is_empty() {
        fields::referred(world, "customer", owner, "customer")?;
    }
    if params.text("client_reference_id").is_some_and(|text| text.len() > MAX_REFERENCE) {
        return Err(Fault::invalid("client_reference_id", "Invalid string: at most 200 characters."));
    }
    let expires_at = expires_at(world, owner, params)?;
    let cart = cart::read(world, params, mode)?;
    let metadata = fields::metadata(&json!({}), params)?;
    let id = world.new_secret("cs_test", 40);
    let secret = world.new_secret(&format!("{id}_secret"), 24);
    let sums = cart.sums();
    cart.keep(world, &id);
    let mut session = joined(
        joined(resting(params), place),
        json!({
            "id": id, "object": "checkout.session", "amount_subtotal": sums.subtotal, "amount_total": sums.total,
            "total_details": {
                "amount_discount": sums.discount, "amount_shipping": 0, "amount_tax": sums.tax,
            },
            "client_reference_id": params.text("client_reference_id"), "created": world.now_for(owner),
            "currency": cart.currency, "customer": params.text("customer"),
            "customer_details": details(world, owner, params), "customer_email": params.text("customer_email"),
            "discounts": cart.coupon.iter().map(|coupon| json!({ "coupon": coupon, "promotion_code": null }))
                .collect::<Vec<_>>(),
            "expires_at": expires_at, "metadata": metadata, "mode": mode, "payment_status": "unpaid",
            "status": "open",
        }),
    );
    if session["ui_mode"] == "elements" {
        session["client_secret"] = json!(secret);
    } else {
        session["url"] = json!(format!("{}/pay/{id}", request.base));
    }
    Ok(world.put(session))
}

/// The fields that stay as they are whatever is bought.
fn resting(params: &Params) -> Value {
    let off = |name: &str| json!({ name: false });
    joined(
        json!({
            "adaptive_pricing": off("enabled"), "after_expiration": null, "allow_promotion_codes": null,
            "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
            "billing_address_collection": params.text("billing_address_collection"), "cancel_url": null,
            "client_secret": null, "collected_information": null, "consent": null, "consent_collection": null,
            "currency_conversion": null, "custom_fields": [], "customer_account": null,
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
            },
            "customer_creation": null, "invoice": null, "invoice_creation": null,
        }),
        json!({
            "livemode": false, "locale": params.text("locale"), "origin_context": null, "payment_intent": null,
            "payment_link": null, "payment_method_collection": params.text("payment_method_collection"),
            "payment_method_configuration_details": null, "payment_method_options": {},
            "payment_method_types": ["card"], "permissions": null, "phone_number_collection": off("enabled"),
            "recovered_from": null, "saved_payment_method_options": null, "setup_intent": null,
            "shipping_address_collection": null, "shipping_cost": null, "shipping_options": [],
            "submit_type": params.text("submit_type"), "subscription": null, "url": null, "wallet_options": null,
        }),
    )
}

/// What is not simulated is refused rather than passed over.
fn simulated(params: &Params) -> Result<(), Fault> {
    for name in ["automatic_tax", "invoice_creation", "tax_id_collection", "adaptive_pricing"] {
        if params.at(&[name, "enabled"]).and_then(Value::as_str) == Some("true") {
            return Err(Fault::invalid(&format!("{name}[enabled]"), "The simulator does not do this."));
        }
    }
    if params.bool("allow_promotion_codes")? == Some(true) {
        return Err(Fault::invalid("allow_promotion_codes", "The simulator has no promotion codes."));
    }
    let types = params.texts("payment_method_types");
    if types.iter().any(|kind| kind != "card") {
        return Err(Fault::invalid("payment_method_types", "The simulator takes cards only."));
    }
    Ok(())
}

/// How it is shown, and where one goes from there.
fn place(params: &Params) -> Result<Value, Fault> {
    let modes = ["hosted_page", "hosted", "elements", "custom"];
    let elements = match fields::word(params, "ui_mode", &modes)? {
        Some("elements" | "custom") => true,
        Some(_) | None => false,
    };
    let address = |name: &str| match params.text(name) {
        Some(text) if Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) => {
            Ok(Some(text))
        }
        Some(_) => {
            let words = "Not a valid URL. URLs must begin with http or https.";
            Err(Fault { code: Some("url_invalid".to_owned()), ..Fault::invalid(name, words) })
        }
        None => Ok(None),
    };
    let (success, back, cancel) = (address("success_url")?, address("return_url")?, address("cancel_url")?);
    match (elements, success, back) {
        (true, Some(_), _) => return Err(Fault::invalid("success_url", "Elements return to return_url.")),
        (true, None, None) => return Err(Fault::missing("return_url")),
        (false, None, _) => return Err(Fault::missing("success_url")),
        (false, _, Some(_)) => return Err(Fault::invalid("return_url", "A hosted page has a success_url.")),
        _ => {}
    }
    Ok(json!({
        "ui_mode": if elements { "elements" } else { "hosted_page" }, "success_url": success,
        "return_url": back, "cancel_url": cancel,
    }))
}

/// Where the one who paid goes. None for a session that has no such place.
pub fn afterwards(session: &Value) -> Option<String> {
    let place = session["success_url"].as_str().or_else(|| session["return_url"].as_str())?;
    // A browser's form may have encoded the braces.
    let id = text(session, "id");
    Some(place.replace("{CHECKOUT_SESSION_ID}", id).replace("%7BCHECKOUT_SESSION_ID%7D", id))
}

/// Between half an hour and a day from now. The one who asks may not know that this world's time was moved ahead; then
/// the time is theirs, and is moved likewise.
fn expires_at(world: &World, owner: &str, params: &Params) -> Result<i64, Fault> {
    let now = world.now_for(owner);
    let Some(at) = params.int("expires_at")? else { return Ok(now + DAY) };
    let allowed = SHORTEST - SLACK..=DAY + SLACK;
    let theirs = World::machine_time();
    if allowed.contains(&(at - now)) {
        Ok(at)
    } else if allowed.contains(&(at - theirs)) {
        Ok(at - theirs + now)
    } else {
        Err(Fault::invalid(
            "expires_at",
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from the creation of the session.",
        ))
    }
}

fn details(world: &World, owner: &str, params: &Params) -> Value {
    match (world.get(owner), params.text("customer_email")) {
        (Some(owner), _) => json!({
            "address": owner["address"], "business_name": null, "email": owner["email"],
            "individual_name": null, "name": owner["name"], "phone": owner["phone"],
            "tax_exempt": owner["tax_exempt"], "tax_ids": [],
        }),
        (None, Some(email)) => json!({
            "address": null, "business_name": null, "email": email, "individual_name": null, "name": null,
            "phone": null, "tax_exempt": "none", "tax_ids": [],
        }),
        (None, None) => Value::Null,
    }
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["metadata"])?;
    let session = current(world, id)?;
    let metadata = fields::metadata(&session["metadata"], params)?;
    Ok(world.change(id, |session| session["metadata"] = metadata))
}

/// The session as it is now: one whose time is over has expired.
pub fn current(world: &mut World, id: &str) -> Result<Value, Fault> {
    let session = world.find("checkout.session", id)?;
    if is_due(world, &session) { Ok(end(world, id)) } else { Ok(session) }
}

fn is_due(world: &World, session: &Value) -> bool {
    session["status"] == "open" && int(session, "expires_at") <= world.now_for(text(session, "customer"))
}

fn end(world: &mut World, id: &str) -> Value {
    let session = world.change(id, |session| {
        session["status"] = json!("expired");
        session["url"] = Value::Null;
    });
    world.emit("checkout.session.expired", id);
    session
}

pub fn expire(world: &mut World, id: &str) -> Result<Value, Fault> {
    let session = current(world, id)?;
    match text(&session, "status") {
        "open" => Ok(end(world, id)),
        status => Err(Fault::invalid(
            "session",
            &format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {status}."
            ),
        )),
    }
}

/// Ends those whose time is over.
pub fn expire_due(world: &mut World) {
    let due: Vec<String> = world
        .all("checkout.session")
        .filter(|session| is_due(world, session))
        .map(crate::world::id_of)
        .collect();
    for id in due {
        end(world, &id);
    }
}

/// The texts of an object such as `subscription_data[metadata]`.
fn inner_metadata(params: &Params, name: &str) -> Result<Map<String, Value>, Fault> {
    let Some(inner) = params.sub(&[name]) else { return Ok(Map::new()) };
    match fields::metadata(&json!({}), &inner)? {
        Value::Object(metadata) => Ok(metadata),
        _ => Ok(Map::new()),
    }
}

#[cfg(test)]
mod tests;
