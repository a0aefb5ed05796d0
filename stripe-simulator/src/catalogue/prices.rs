//! Prices. Their amount never changes; what is found under a lookup key may.

use serde_json::{Value, json};

use crate::{
    catalogue::products,
    fault::Fault,
    fields::{self, referred, word},
    http::Request,
    params::Params,
    world::World,
};

const INTERVALS: [&str; 4] = ["day", "week", "month", "year"];
const BEHAVIOURS: [&str; 3] = ["exclusive", "inclusive", "unspecified"];
/// Eight digits, as Stripe has it.
const MAX_AMOUNT: i64 = 99_999_999;

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["prices"]) => create(world, params),
        ("GET", ["prices"]) => list(world, params),
        ("GET", ["prices", id]) => world.find("price", id),
        ("POST", ["prices", id]) => update(world, id, params),
        _ => return None,
    })
}

const NEW: [&str; 11] = [
    "active",
    "currency",
    "lookup_key",
    "metadata",
    "nickname",
    "product",
    "product_data",
    "recurring",
    "tax_behavior",
    "transfer_lookup_key",
    "unit_amount",
];
/// What can be changed later. The amount cannot.
const CHANGEABLE: [&str; 6] =
    ["active", "lookup_key", "metadata", "nickname", "tax_behavior", "transfer_lookup_key"];

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&NEW)?;
    let currency = fields::currency(params)?;
    let amount = params.int("unit_amount")?.ok_or_else(|| Fault::missing("unit_amount"))?;
    if !(0..=MAX_AMOUNT).contains(&amount) {
        return Err(Fault::invalid("unit_amount", "Invalid integer: it must be between 0 and 99999999."));
    }
    let recurring = recurring(params)?;
    let behaviour = word(params, "tax_behavior", &BEHAVIOURS)?.unwrap_or("unspecified");
    let metadata = fields::metadata(&json!({}), params)?;
    let key = free_lookup_key(world, None, params)?;
    let product = product(world, params)?;
    let id = world.new_id("price");
    let kind = if recurring.is_null() { "one_time" } else { "recurring" };
    let price = world.put(json!({
        "id": id, "object": "price", "active": params.bool("active")?.unwrap_or(true), "billing_scheme": "per_unit",
        "created": world.now(), "currency": currency, "custom_unit_amount": null, "livemode": false,
        "lookup_key": key, "metadata": metadata, "nickname": params.text("nickname"), "product": product,
        "recurring": recurring, "tax_behavior": behaviour, "tiers_mode": null, "transform_quantity": null,
        "type": kind, "unit_amount": amount, "unit_amount_decimal": amount.to_string(),
    }));
    world.emit("price.created", &id);
    Ok(price)
}

fn recurring(params: &Params) -> Result<Value, Fault> {
    let Some(given) = params.sub(&["recurring"]) else { return Ok(Value::Null) };
    let interval =
        word(&given, "interval", &INTERVALS)?.ok_or_else(|| Fault::missing("recurring[interval]"))?;
    let count = given.int("interval_count")?.unwrap_or(1);
    let most = match interval {
        "year" => 3,
        "month" => 36,
        "week" => 156,
        _ => 1_095,
    };
    if !(1..=most).contains(&count) {
        return Err(Fault::invalid("recurring[interval_count]", "An interval is at most three years."));
    }
    Ok(json!({
        "interval": interval, "interval_count": count, "meter": null, "trial_period_days": null,
        "usage_type": "licensed",
    }))
}

fn product(world: &mut World, params: &Params) -> Result<Value, Fault> {
    if let Some(id) = params.text("product") {
        return Ok(referred(world, "product", id, "product")?["id"].clone());
    }
    let data = params.sub(&["product_data"]).ok_or_else(|| Fault::missing("product"))?;
    data.required("name").map_err(|_| Fault::missing("product_data[name]"))?;
    let id = world.new_id("prod");
    Ok(products::put(world, &id, &data)?["id"].clone())
}

/// The lookup key that a request gives, taken from whoever had it when the request says so.
fn free_lookup_key(world: &mut World, own: Option<&str>, params: &Params) -> Result<Value, Fault> {
    let Some(key) = params.text("lookup_key") else { return Ok(Value::Null) };
    let holds = |price: &&Value| price["lookup_key"] == key && own.is_none_or(|own| price["id"] != own);
    let holder = world.all("price").find(holds).map(crate::world::id_of);
    match holder {
        Some(holder) if params.bool("transfer_lookup_key")?.unwrap_or(false) => {
            world.change(&holder, |price| price["lookup_key"] = Value::Null);
            world.emit("price.updated", &holder);
        }
        Some(holder) => {
            let words = format!("A price (`{holder}`) already uses that lookup key.");
            return Err(Fault::invalid("lookup_key", &words));
        }
        None => {}
    }
    Ok(json!(key))
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let (active, keys) = (params.bool("active")?, params.texts("lookup_keys"));
    if keys.len() > 10 {
        return Err(Fault::invalid("lookup_keys", "You may only specify up to 10 lookup_keys."));
    }
    let (product, currency, kind) = (params.text("product"), params.text("currency"), params.text("type"));
    world.list("price", "/v1/prices", params, |price| {
        active.is_none_or(|active| price["active"] == active)
            && product.is_none_or(|product| price["product"] == product)
            && currency.is_none_or(|currency| price["currency"] == currency)
            && kind.is_none_or(|kind| price["type"] == kind)
            && (keys.is_empty() || keys.iter().any(|key| price["lookup_key"] == key.as_str()))
    })
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&CHANGEABLE)?;
    let mut price = world.find("price", id)?;
    price["metadata"] = fields::metadata(&price["metadata"], params)?;
    if let Some(active) = params.bool("active")? {
        price["active"] = json!(active);
    }
    if params.has("nickname") {
        price["nickname"] = json!(params.text("nickname"));
    }
    if let Some(behaviour) = word(params, "tax_behavior", &BEHAVIOURS)? {
        if price["tax_behavior"] != "unspecified" && price["tax_behavior"] != behaviour {
            return Err(Fault::invalid(
                "tax_behavior",
                "Once specified as inclusive or exclusive, it cannot be changed.",
            ));
        }
        price["tax_behavior"] = json!(behaviour);
    }
    if params.has("lookup_key") {
        price["lookup_key"] = free_lookup_key(world, Some(id), params)?;
    }
    let price = world.put(price);
    world.emit("price.updated", id);
    Ok(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text).expect("reads")
    }

    const MONTHLY: &str =
        "currency=EUR&unit_amount=1900&recurring[interval]=month&product_data[name]=Pro&lookup_key=pro";

    #[test]
    fn a_price_is_made_with_its_product() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let price = create(&mut world, &params(MONTHLY)).expect("made");
        assert_eq!((&price["currency"], &price["unit_amount"]), (&json!("eur"), &json!(1900)));
        assert_eq!((&price["type"], &price["recurring"]["interval"]), (&json!("recurring"), &json!("month")));
        let product = price["product"].as_str().expect("an id");
        assert_eq!(world.find("product", product).expect("there")["name"], "Pro");
    }

    #[test]
    fn a_lookup_key_belongs_to_one_price_at_a_time() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let first = create(&mut world, &params(MONTHLY)).expect("made");
        let fault = create(&mut world, &params(MONTHLY)).expect_err("the key is taken");
        assert_eq!(fault.param.as_deref(), Some("lookup_key"));
        let taken =
            create(&mut world, &params(&format!("{MONTHLY}&transfer_lookup_key=true"))).expect("taken over");
        let found = list(&world, &params("lookup_keys[]=pro")).expect("a list");
        assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(found["data"][0]["id"], taken["id"]);
        let first = world.find("price", first["id"].as_str().expect("an id")).expect("still there");
        assert_eq!(first["lookup_key"], Value::Null);
    }

    #[test]
    fn the_amount_never_changes_and_nonsense_is_refused() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let price = create(&mut world, &params(MONTHLY)).expect("made");
        let id = price["id"].as_str().expect("an id");
        assert!(update(&mut world, id, &params("unit_amount=1")).is_err());
        assert_eq!(update(&mut world, id, &params("active=false")).expect("archived")["active"], false);
        for wrong in [
            "unit_amount=1&product_data[name]=A",
            "currency=euro&unit_amount=1&product_data[name]=A",
            "currency=eur&product_data[name]=A",
            "currency=eur&unit_amount=-1&product_data[name]=A",
            "currency=eur&unit_amount=1.5&product_data[name]=A",
            "currency=eur&unit_amount=1",
            "currency=eur&unit_amount=1&product=none",
            "currency=eur&unit_amount=1&product_data[name]=A&recurring[interval]=fortnight",
            "currency=eur&unit_amount=1&product_data[name]=A&recurring[interval]=year&recurring[interval_count]=4",
        ] {
            assert_eq!(create(&mut world, &params(wrong)).expect_err(wrong).status, 400, "{wrong}");
        }
    }
}
