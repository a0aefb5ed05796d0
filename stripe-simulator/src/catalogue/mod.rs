//! What is sold: products, prices, coupons and tax rates.

use serde_json::Value;

use crate::{fault::Fault, http::Request, world::World};

pub mod coupons;
pub mod prices;
pub mod products;
pub mod tax_rates;

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    match request.path.first().copied() {
        Some("products") => products::route(world, request),
        Some("prices") => prices::route(world, request),
        Some("coupons") => coupons::route(world, request),
        Some("tax_rates") => tax_rates::route(world, request),
        _ => None,
    }
}

/// An id that the caller chose, or one of ours. A chosen one that is taken, if by something deleted, is refused.
fn own_id(
    world: &mut World,
    chosen: Option<&str>,
    kind: &str,
    make: impl FnOnce(&mut World) -> String,
) -> Result<String, Fault> {
    match chosen {
        Some(id)
            if world.get(id).is_some_and(|object| object["deleted"] != true || object["object"] != kind) =>
        {
            let words = format!("{}{} already exists.", kind[..1].to_ascii_uppercase(), &kind[1..]);
            Err(Fault { param: Some("id".to_owned()), ..Fault::state("resource_already_exists", words) })
        }
        Some(id) => Ok(id.to_owned()),
        None => Ok(make(world)),
    }
}
