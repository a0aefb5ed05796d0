//! Products, whose ids may be chosen by whoever makes them.

use serde_json::{Value, json};

use crate::{
    catalogue::own_id,
    fault::Fault,
    fields::{self, set_texts},
    http::Request,
    params::Params,
    world::World,
};

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["products"]) => create(world, params),
        ("GET", ["products"]) => list(world, params),
        ("GET", ["products", id]) => world.find("product", id),
        ("POST", ["products", id]) => update(world, id, params),
        ("DELETE", ["products", id]) => delete(world, id),
        _ => return None,
    })
}

const KNOWN: [&str; 9] = [
    "active",
    "description",
    "images",
    "metadata",
    "name",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
];

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&[&KNOWN[..], &["id"]].concat())?;
    params.required("name")?;
    let id = own_id(world, params.text("id"), "product", |world| world.new_id("prod"))?;
    put(world, &id, params)
}

/// A product under this id. Also what a price makes that brings its own product.
pub fn put(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    let name = params.required("name")?;
    let now = world.now();
    let product = world.put(json!({
        "id": id, "object": "product", "active": params.bool("active")?.unwrap_or(true), "created": now,
        "default_price": null, "description": params.text("description"), "images": params.texts("images"),
        "livemode": false, "marketing_features": [], "metadata": fields::metadata(&json!({}), params)?,
        "name": name, "package_dimensions": null, "shippable": null,
        "statement_descriptor": params.text("statement_descriptor"), "tax_code": params.text("tax_code"),
        "type": "service", "unit_label": params.text("unit_label"), "updated": now, "url": params.text("url"),
    }));
    world.emit("product.created", id);
    Ok(product)
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let (active, ids) = (params.bool("active")?, params.texts("ids"));
    world.list("product", "/v1/products", params, |product| {
        product["deleted"] != true
            && active.is_none_or(|active| product["active"] == active)
            && (ids.is_empty() || ids.iter().any(|id| product["id"] == id.as_str()))
    })
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&[&KNOWN[..], &["default_price"]].concat())?;
    let mut product = world.find("product", id)?;
    product["metadata"] = fields::metadata(&product["metadata"], params)?;
    set_texts(
        &mut product,
        params,
        &["description", "statement_descriptor", "tax_code", "unit_label", "url"],
    );
    if params.has("name") {
        product["name"] = json!(params.required("name")?);
    }
    if let Some(active) = params.bool("active")? {
        product["active"] = json!(active);
    }
    if params.has("default_price") {
        product["default_price"] = json!(params.text("default_price"));
    }
    product["updated"] = json!(world.now());
    let product = world.put(product);
    world.emit("product.updated", id);
    Ok(product)
}

fn delete(world: &mut World, id: &str) -> Result<Value, Fault> {
    world.find("product", id)?;
    if world.all("price").any(|price| price["product"] == id) {
        let words = "This product cannot be deleted because it has one or more user-created prices.";
        return Err(Fault::invalid("id", words));
    }
    world.change(id, |product| product["deleted"] = json!(true));
    world.emit("product.deleted", id);
    Ok(json!({ "id": id, "object": "product", "deleted": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_id_is_taken_once() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let params = Params::parse("id=pro&name=Pro").expect("reads");
        assert_eq!(create(&mut world, &params).expect("made")["id"], "pro");
        let fault = create(&mut world, &params).expect_err("taken");
        assert_eq!((fault.status, fault.code.as_deref()), (400, Some("resource_already_exists")));
        let renamed = Params::parse("name=Pro 2&active=false").expect("reads");
        let renamed = update(&mut world, "pro", &renamed).expect("changed");
        assert_eq!((&renamed["name"], &renamed["active"]), (&json!("Pro 2"), &json!(false)));
        delete(&mut world, "pro").expect("deleted");
        assert_eq!(create(&mut world, &params).expect("free again")["name"], "Pro");
    }

    #[test]
    fn a_product_without_a_name_is_refused() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let fault = create(&mut world, &Params::parse("id=pro").expect("reads")).expect_err("no name");
        assert_eq!(
            (fault.code.as_deref(), fault.param.as_deref()),
            (Some("parameter_missing"), Some("name"))
        );
    }
}
