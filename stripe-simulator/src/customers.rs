//! Customers: who pays, with which card, and whose clock their time is.

use serde_json::{Value, json};

use crate::{
    cards,
    fault::Fault,
    fields::{self, joined, referred, set_texts},
    http::Request,
    params::Params,
    subscriptions,
    world::{World, id_of},
};

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["customers"]) => create(world, params),
        ("GET", ["customers"]) => list(world, params),
        ("GET", ["customers", id]) => retrieve(world, id),
        ("POST", ["customers", id]) => update(world, id, params),
        ("DELETE", ["customers", id]) => delete(world, id),
        _ => return None,
    })
}

const KNOWN: [&str; 12] = [
    "address",
    "balance",
    "description",
    "email",
    "invoice_settings",
    "metadata",
    "name",
    "payment_method",
    "phone",
    "preferred_locales",
    "tax_exempt",
    "tax_id_data",
];

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&[&KNOWN[..], &["test_clock"]].concat())?;
    let clock = params.text("test_clock");
    let clock =
        clock.map(|clock| referred(world, "test_helpers.test_clock", clock, "test_clock")).transpose()?;
    let created = clock.as_ref().map_or_else(|| world.now(), |clock| fields::int(clock, "frozen_time"));
    check_mail(params)?;
    let metadata = fields::metadata(&json!({}), params)?;
    let id = world.new_id("cus");
    let prefix = world.new_secret("", 8).trim_start_matches('_').to_ascii_uppercase();
    let tax_ids = tax_ids(world, &id, params)?;
    let text = |name: &str| json!(params.text(name));
    let customer = joined(
        json!({
            "id": id, "object": "customer", "address": fields::address(params), "balance": params.int("balance")?.unwrap_or(0), "created": created,
            "currency": null, "customer_account": null, "default_source": null, "delinquent": false,
            "description": text("description"), "discount": null, "email": text("email"),
            "invoice_prefix": prefix, "next_invoice_sequence": 1, "livemode": false, "metadata": metadata,
        }),
        json!({
            "invoice_settings": {
                "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
            },
            "name": text("name"), "phone": text("phone"), "preferred_locales": params.texts("preferred_locales"),
            "shipping": null, "tax_exempt": params.text("tax_exempt").unwrap_or("none"), "tax_ids": tax_ids,
            "test_clock": clock.map(|clock| clock["id"].clone()),
        }),
    );
    let customer = with_card(world, customer, params)?;
    let customer = world.put(customer);
    world.emit("customer.created", &id);
    Ok(customer)
}

fn check_mail(params: &Params) -> Result<(), Fault> {
    match params.text("email") {
        Some(email) if !email.contains('@') || email.len() > 512 => Err(Fault {
            code: Some("email_invalid".to_owned()),
            ..Fault::invalid("email", &format!("Invalid email address: {email}"))
        }),
        _ => Ok(()),
    }
}

fn tax_ids(world: &mut World, customer: &str, params: &Params) -> Result<Value, Fault> {
    let mut data = Vec::new();
    for given in params.each("tax_id_data") {
        let (kind, number) = (given.required("type")?, given.required("value")?);
        let country = if kind == "eu_vat" { number.get(..2) } else { None };
        data.push(json!({
            "id": world.new_id("txi"), "object": "tax_id", "country": country, "created": world.now(),
            "customer": customer, "livemode": false, "type": kind, "value": number,
            "verification": { "status": "unavailable", "verified_address": null, "verified_name": null },
        }));
    }
    Ok(fields::list(&format!("/v1/customers/{customer}/tax_ids"), data))
}

/// The card that a request names, attached and made the one that invoices are paid with. `payment_method` attaches one that
/// belongs to nobody yet; the default has to be this customer's.
fn with_card(world: &mut World, mut customer: Value, params: &Params) -> Result<Value, Fault> {
    let id = id_of(&customer);
    if let Some(method) = params.text("payment_method") {
        let method = id_of(&cards::method(world, method, &id)?);
        let free = world
            .get(&method)
            .is_some_and(|method| method["customer"].is_null() || method["customer"] == id.as_str());
        if !free {
            return Err(Fault::invalid("payment_method", "The payment method belongs to another customer."));
        }
        world.change(&method, |method| method["customer"] = json!(id));
    }
    let Some(settings) = params.sub(&["invoice_settings"]) else { return Ok(customer) };
    if let Some(method) = settings.text("default_payment_method") {
        let method = cards::method(world, method, &id)?;
        if method["customer"] != id.as_str() {
            let words = "The payment method must be attached to this customer.";
            return Err(Fault::invalid("invoice_settings[default_payment_method]", words));
        }
        customer["invoice_settings"]["default_payment_method"] = method["id"].clone();
    } else if settings.has("default_payment_method") {
        customer["invoice_settings"]["default_payment_method"] = Value::Null;
    }
    Ok(customer)
}

fn retrieve(world: &World, id: &str) -> Result<Value, Fault> {
    // One that was deleted is still shown, and says so.
    match world.get(id) {
        Some(customer) if customer["object"] == "customer" && customer["deleted"] == true => {
            Ok(json!({ "id": id, "object": "customer", "deleted": true }))
        }
        _ => world.find("customer", id),
    }
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let (email, clock) = (params.text("email"), params.text("test_clock"));
    world.list("customer", "/v1/customers", params, |customer| {
        customer["deleted"] != true
            && email.is_none_or(|email| customer["email"] == email)
            && clock.is_none_or(|clock| customer["test_clock"] == clock)
    })
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&KNOWN)?;
    let mut customer = world.find("customer", id)?;
    check_mail(params)?;
    customer["metadata"] = fields::metadata(&customer["metadata"], params)?;
    set_texts(&mut customer, params, &["description", "email", "name", "phone", "tax_exempt"]);
    if params.has("address") {
        customer["address"] = fields::address(params);
    }
    if let Some(balance) = params.int("balance")? {
        customer["balance"] = json!(balance);
    }
    if params.has("preferred_locales") {
        customer["preferred_locales"] = json!(params.texts("preferred_locales"));
    }
    let customer = with_card(world, customer, params)?;
    let customer = world.put(customer);
    world.emit("customer.updated", id);
    Ok(customer)
}

/// Deleting a customer ends what they subscribed to, as Stripe does.
pub fn delete(world: &mut World, id: &str) -> Result<Value, Fault> {
    world.find("customer", id)?;
    let own = |subscription: &&Value| subscription["customer"] == id && !subscriptions::is_over(subscription);
    let running: Vec<String> = world.all("subscription").filter(own).map(id_of).collect();
    let at = world.now_for(id);
    for subscription in running {
        subscriptions::end(world, &subscription, "cancellation_requested", at);
    }
    world.change(id, |customer| customer["deleted"] = json!(true));
    world.emit("customer.deleted", id);
    Ok(json!({ "id": id, "object": "customer", "deleted": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        World::open(None, 1).expect("a world in memory")
    }

    fn params(text: &str) -> Params {
        Params::parse(text).expect("reads")
    }

    #[test]
    fn a_customer_is_made_changed_and_deleted() {
        let mut world = world();
        let made = create(&mut world, &params("email=ada@example.com&metadata[a]=1&address[country]=DE"))
            .expect("made");
        let id = made["id"].as_str().expect("an id").to_owned();
        assert!(id.starts_with("cus_"));
        assert_eq!(made["address"]["country"], "DE");
        let changed = update(&mut world, &id, &params("name=Ada&metadata[b]=2&email=")).expect("changed");
        assert_eq!(changed["metadata"], json!({ "a": "1", "b": "2" }));
        assert_eq!((&changed["name"], &changed["email"]), (&json!("Ada"), &Value::Null));
        delete(&mut world, &id).expect("deleted");
        assert_eq!(retrieve(&world, &id).expect("still shown")["deleted"], true);
        assert_eq!(update(&mut world, &id, &params("name=B")).expect_err("gone").status, 404);
        assert_eq!(list(&world, &params("")).expect("a list")["data"], json!([]));
    }

    #[test]
    fn a_wrong_address_and_a_missing_card_are_refused() {
        let mut world = world();
        let fault = create(&mut world, &params("email=nobody")).expect_err("no mail address");
        assert_eq!(fault.code.as_deref(), Some("email_invalid"));
        let fault = create(&mut world, &params("payment_method=pm_none")).expect_err("no such card");
        assert_eq!((fault.status, fault.param.as_deref()), (400, Some("payment_method")));
    }

    #[test]
    fn lists_are_paged_from_the_newest() {
        let mut world = world();
        for number in 0..5 {
            create(&mut world, &params(&format!("name={number}"))).expect("made");
        }
        let first = list(&world, &params("limit=2")).expect("a page");
        assert_eq!((&first["data"][0]["name"], &first["has_more"]), (&json!("4"), &json!(true)));
        let last = first["data"][1]["id"].as_str().expect("an id");
        let second = list(&world, &params(&format!("limit=10&starting_after={last}"))).expect("a page");
        assert_eq!(second["data"].as_array().map(Vec::len), Some(3));
        assert_eq!(second["has_more"], false);
    }
}
