//! The API of payment intents and charges.
//!
//! What always holds: amounts and owners are checked before anything is written.

use serde_json::{Value, json};

use crate::{
    cards,
    fault::Fault,
    fields::{self, text},
    http::Request,
    params::Params,
    payments::{Card, Charge, OffSession, confirm, new_intent, unexpected, world_time},
    world::{World, id_of},
};

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("GET", ["payment_intents"]) => {
            let customer = params.text("customer");
            world.list("payment_intent", "/v1/payment_intents", params, |intent| {
                customer.is_none_or(|customer| intent["customer"] == customer)
            })
        }
        ("POST", ["payment_intents"]) => create(world, params),
        ("GET", ["payment_intents", id]) => world.find("payment_intent", id),
        ("POST", ["payment_intents", id]) => update(world, id, params),
        ("POST", ["payment_intents", id, "confirm"]) => confirm_by(world, id, params),
        ("POST", ["payment_intents", id, "cancel"]) => cancel(world, id),
        ("GET", ["charges"]) => {
            let (customer, intent) = (params.text("customer"), params.text("payment_intent"));
            world.list("charge", "/v1/charges", params, |charge| {
                customer.is_none_or(|customer| charge["customer"] == customer)
                    && intent.is_none_or(|intent| charge["payment_intent"] == intent)
            })
        }
        ("GET", ["charges", id]) => world.find("charge", id),
        _ => return None,
    })
}

const NEW: [&str; 10] = [
    "amount",
    "automatic_payment_methods",
    "confirm",
    "currency",
    "customer",
    "description",
    "metadata",
    "off_session",
    "payment_method",
    "payment_method_types",
];

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&NEW)?;
    let amount = params.int("amount")?.ok_or_else(|| Fault::missing("amount"))?;
    let customer = params.text("customer").unwrap_or_default();
    if !customer.is_empty() {
        fields::referred(world, "customer", customer, "customer")?;
    }
    let intent = new_intent(
        world,
        &Charge {
            customer,
            amount,
            currency: &fields::currency(params)?,
            // Said when it is confirmed.
            card: Card::Good,
            metadata: fields::metadata(&json!({}), params)?,
            description: params.text("description").unwrap_or_default(),
            invoice: None,
            off_session: OffSession::No,
        },
    )?;
    if let Some(method) = params.text("payment_method") {
        remember_method(world, &intent, method)?;
    }
    let id = id_of(&intent);
    if params.bool("confirm")? == Some(true) {
        return confirm_by(world, &id, params);
    }
    world.find("payment_intent", &id)
}

fn remember_method(world: &mut World, intent: &Value, method: &str) -> Result<(), Fault> {
    let method = cards::method(world, method, text(intent, "customer"))?;
    world.change(text(intent, "id"), |intent| {
        intent["payment_method"] = method["id"].clone();
        intent["status"] = json!("requires_confirmation");
    });
    Ok(())
}

fn confirm_by(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    let intent = world.find("payment_intent", id)?;
    let method = match params.text("payment_method") {
        Some(method) => id_of(&cards::method(world, method, text(&intent, "customer"))?),
        None => text(&intent, "payment_method").to_owned(),
    };
    if method.is_empty() {
        return Err(Fault::missing("payment_method"));
    }
    let off_session =
        if params.bool("off_session")? == Some(true) { OffSession::Yes } else { OffSession::No };
    confirm(world, id, &method, off_session)
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["metadata", "description"])?;
    let intent = world.find("payment_intent", id)?;
    let metadata = fields::metadata(&intent["metadata"], params)?;
    Ok(world.change(id, |intent| {
        intent["metadata"] = metadata;
        fields::set_texts(intent, params, &["description"]);
    }))
}

fn cancel(world: &mut World, id: &str) -> Result<Value, Fault> {
    let intent = world.find("payment_intent", id)?;
    if matches!(text(&intent, "status"), "succeeded" | "processing" | "canceled") {
        return Err(unexpected(&intent, "canceled"));
    }
    let now = world_time(world, &intent);
    let intent = world.change(id, |intent| {
        intent["status"] = json!("canceled");
        intent["canceled_at"] = json!(now);
    });
    world.emit("payment_intent.canceled", id);
    Ok(intent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::tests::paid_with;

    #[test]
    fn an_intent_is_confirmed_once() {
        let mut world = World::open(None, 3).expect("opens");
        let intent = id_of(&paid_with(&mut world, Card::Good).expect("pays"));
        let params = Params::parse("payment_method=pm_card_visa").expect("reads");
        let fault = confirm_by(&mut world, &intent, &params).expect_err("was paid");
        assert_eq!(fault.code.as_deref(), Some("payment_intent_unexpected_state"));
    }

    #[test]
    fn a_mistyped_name_is_refused() {
        let mut world = World::open(None, 3).expect("opens");
        let params = Params::parse("amount=5&currency=usd&costumer=cus_1").expect("reads");
        assert_eq!(
            create(&mut world, &params).expect_err("refused").code.as_deref(),
            Some("parameter_unknown")
        );
        assert_eq!(world.all("payment_intent").count(), 0);
    }
}
