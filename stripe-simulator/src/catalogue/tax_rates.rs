//! Tax rates, which invoices apply line by line.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    fields::{self, referred, set_texts},
    http::Request,
    params::Params,
    world::World,
};

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["tax_rates"]) => create(world, params),
        ("GET", ["tax_rates"]) => list(world, params),
        ("GET", ["tax_rates", id]) => world.find("tax_rate", id),
        ("POST", ["tax_rates", id]) => update(world, id, params),
        _ => return None,
    })
}

const KNOWN: [&str; 8] =
    ["active", "country", "description", "display_name", "jurisdiction", "metadata", "state", "tax_type"];

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&[&KNOWN[..], &["inclusive", "percentage"]].concat())?;
    let name = params.required("display_name")?;
    let percentage = params.required("percentage")?;
    let percentage = match percentage.parse::<f64>() {
        Ok(value) if (0.0..=100.0).contains(&value) => value,
        _ => return Err(Fault::invalid("percentage", "This value must be a number from 0 to 100.")),
    };
    let inclusive = params.bool("inclusive")?.ok_or_else(|| Fault::missing("inclusive"))?;
    let country = params.text("country");
    if country.is_some_and(|country| country.len() != 2) {
        return Err(Fault::invalid("country", "Country must be a two-letter code."));
    }
    let metadata = fields::metadata(&json!({}), params)?;
    let id = world.new_id("txr");
    let rate = world.put(json!({
        "id": id, "object": "tax_rate", "active": params.bool("active")?.unwrap_or(true), "country": country,
        "created": world.now(), "description": params.text("description"), "display_name": name,
        "effective_percentage": null, "flat_amount": null, "inclusive": inclusive,
        "jurisdiction": params.text("jurisdiction"), "jurisdiction_level": null, "livemode": false,
        "metadata": metadata, "percentage": percentage, "rate_type": "percentage", "state": params.text("state"),
        "tax_type": params.text("tax_type"),
    }));
    world.emit("tax_rate.created", &id);
    Ok(rate)
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let (active, inclusive) = (params.bool("active")?, params.bool("inclusive")?);
    world.list("tax_rate", "/v1/tax_rates", params, |rate| {
        active.is_none_or(|active| rate["active"] == active)
            && inclusive.is_none_or(|inclusive| rate["inclusive"] == inclusive)
    })
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&KNOWN)?;
    let mut rate = world.find("tax_rate", id)?;
    rate["metadata"] = fields::metadata(&rate["metadata"], params)?;
    set_texts(
        &mut rate,
        params,
        &["country", "description", "display_name", "jurisdiction", "state", "tax_type"],
    );
    if let Some(active) = params.bool("active")? {
        rate["active"] = json!(active);
    }
    let rate = world.put(rate);
    world.emit("tax_rate.updated", id);
    Ok(rate)
}

/// Rates that a request names for something new: each there, and none archived.
pub fn usable(world: &World, ids: &[String], param: &str) -> Result<(), Fault> {
    for id in ids {
        if referred(world, "tax_rate", id, param)?["active"] != true {
            return Err(Fault::invalid(param, &format!("The tax rate {id} is archived.")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text).expect("reads")
    }

    #[test]
    fn a_rate_is_made_and_archived() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let made = create(&mut world, &params("display_name=VAT&percentage=8.1&inclusive=false&country=CH"));
        let made = made.expect("made");
        assert_eq!((&made["percentage"], &made["country"]), (&json!(8.1), &json!("CH")));
        let ids = vec![made["id"].as_str().expect("an id").to_owned()];
        assert!(usable(&world, &ids, "default_tax_rates").is_ok());
        update(&mut world, &ids[0], &params("active=false")).expect("archived");
        assert!(usable(&world, &ids, "default_tax_rates").is_err());
        assert_eq!(list(&world, &params("active=true")).expect("a list")["data"], json!([]));
    }

    #[test]
    fn nonsense_is_refused() {
        let mut world = World::open(None, 1).expect("a world in memory");
        for wrong in [
            "percentage=19&inclusive=false",
            "display_name=VAT&inclusive=false",
            "display_name=VAT&percentage=19",
            "display_name=VAT&percentage=101&inclusive=false",
            "display_name=VAT&percentage=19&inclusive=maybe",
            "display_name=VAT&percentage=19&inclusive=false&country=DEU",
        ] {
            assert_eq!(create(&mut world, &params(wrong)).expect_err(wrong).status, 400, "{wrong}");
        }
    }
}
