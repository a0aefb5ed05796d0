//! What is remembered about a subscription besides what Stripe shows of it: what its present period was billed at, which
//! is what an unused rest is worth, and the lines that wait for the next invoice.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{invoices::Discounted, world::World};

/// One item at what its whole present period costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Billed {
    pub item: String,
    pub price: String,
    pub quantity: i64,
    pub amount: i64,
    pub discounts: Vec<Discounted>,
    pub tax_rates: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub billed: Vec<Billed>,
    pub pending: Vec<Value>,
    /// Whether its trial's end was announced.
    pub trial_told: bool,
}

impl Book {
    pub fn of(world: &World, subscription: &str) -> Self {
        let kept = world.get(&id(subscription)).map(|kept| kept["book"].clone());
        kept.and_then(|book| serde_json::from_value(book).ok()).unwrap_or_default()
    }

    pub fn keep(&self, world: &mut World, subscription: &str) {
        world.put(json!({ "id": id(subscription), "object": "simulator.book", "book": self }));
    }
}

fn id(subscription: &str) -> String {
    format!("book_{subscription}")
}
