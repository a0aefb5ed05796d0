//! What happened, for whoever asks instead of being told.

use serde_json::Value;

use crate::{fault::Fault, http::Request, params::Params, world::World};

const MAX_TYPES: usize = 20;

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    match (request.method, request.path.as_slice()) {
        ("GET", ["events"]) => Some(list(world, &request.params)),
        ("GET", ["events", id]) => Some(world.find("event", id)),
        _ => None,
    }
}

/// A type may end in a star: `invoice.*`.
fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    params.only(&[
        "created",
        "delivery_success",
        "ending_before",
        "limit",
        "starting_after",
        "type",
        "types",
    ])?;
    let (one, many) = (params.text("type"), params.texts("types"));
    if many.len() > MAX_TYPES {
        return Err(Fault::invalid("types", "You may only specify up to 20 types."));
    }
    let fits = |topic: &str, wanted: &str| match wanted.strip_suffix('*') {
        Some(start) => topic.starts_with(start),
        None => topic == wanted,
    };
    let delivered = params.bool("delivery_success")?;
    world.list("event", "/v1/events", params, |event| {
        let topic = event["type"].as_str().unwrap_or_default();
        one.is_none_or(|one| fits(topic, one))
            && (many.is_empty() || many.iter().any(|wanted| fits(topic, wanted)))
            && delivered.is_none_or(|delivered| (event["pending_webhooks"] == 0) == delivered)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn topics(world: &World, query: &str) -> Vec<String> {
        let page = list(world, &Params::parse(query).expect("reads")).expect("a page");
        let events = page["data"].as_array().expect("a list").clone();
        events.iter().map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn events_are_found_by_type_and_place() {
        let mut world = World::open(None, 1).expect("a world in memory");
        world.put(json!({ "id": "cus_1", "object": "customer" }));
        for topic in ["customer.created", "invoice.paid", "invoice.created"] {
            world.emit(topic, "cus_1");
        }
        assert_eq!(topics(&world, ""), ["invoice.created", "invoice.paid", "customer.created"]);
        assert_eq!(topics(&world, "type=invoice.*"), ["invoice.created", "invoice.paid"]);
        assert_eq!(topics(&world, "types[]=invoice.paid&types[]=customer.created").len(), 2);
        let newest =
            world.all("event").next().and_then(|event| event["id"].as_str()).expect("an event").to_owned();
        assert_eq!(topics(&world, &format!("starting_after={newest}")), ["invoice.paid", "customer.created"]);
        let far = world.now() + 60;
        assert!(topics(&world, &format!("created[gte]={far}")).is_empty());
        assert_eq!(world.find("event", &newest).expect("there")["data"]["object"]["id"], "cus_1");
    }
}
