//! What lines of invoices and the portal say of a price and a day.

use serde_json::Value;

use crate::{fields::text, pages::money, subscriptions::calendar, world::World};

pub fn product(world: &World, price: &Value) -> String {
    let product = world.get(text(price, "product"));
    product.map_or_else(|| "Subscription".to_owned(), |product| text(product, "name").to_owned())
}

/// `21 Nov 2026`
pub fn day(at: i64) -> String {
    calendar::day_text(at)
}

/// `month`, `3 months`
fn interval(price: &Value) -> String {
    let interval = text(&price["recurring"], "interval");
    match price["recurring"]["interval_count"].as_i64() {
        Some(count) if count > 1 => format!("{count} {interval}s"),
        _ => interval.to_owned(),
    }
}

/// `2 × Pro (at €19.00 / month)`
pub fn line(world: &World, price: &Value, quantity: i64) -> String {
    let each = money(price["unit_amount"].as_i64().unwrap_or(0), text(price, "currency"));
    format!("{quantity} × {} (at {each} / {})", product(world, price), interval(price))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_it_is_for() {
        let mut world = World::open(None, 1).expect("a world in memory");
        world.put(json!({ "id": "pro", "object": "product", "name": "Pro" }));
        let recurring = json!({ "interval": "month", "interval_count": 3 });
        let price =
            json!({ "product": "pro", "unit_amount": 1900, "currency": "eur", "recurring": recurring });
        assert_eq!(line(&world, &price, 2), "2 × Pro (at €19.00 / 3 months)");
        assert_eq!(day(0), "1 Jan 1970");
    }
}
