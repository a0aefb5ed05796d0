//! The cards one can pay with here, and payment methods, which remember one.
//!
//! What always holds: only numbers that Stripe publishes for tests are taken. A number of a real card is refused.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    fields::{self, joined},
    http::Request,
    params::Params,
    world::{World, id_of},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    Good,
    Declined,
    InsufficientFunds,
    Expired,
    /// Its owner is asked each time. With nobody there to ask, it is declined.
    NeedsAuthentication,
    DisputedLater,
    RefundFailsLater,
    /// Pays while its owner is there, and declines every later charge.
    DeclinesRenewals,
    /// Takes days, as a bank does, and only then succeeds or fails.
    Slow,
}

/// Whether the one who pays is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffSession {
    Yes,
    No,
}

/// Stripe's other numbers that succeed.
const ALSO_GOOD: [&str; 4] = ["4000056655665556", "5555555555554444", "2223003122003222", "378282246310005"];

impl Card {
    pub const ALL: [Self; 9] = [
        Self::Good,
        Self::Declined,
        Self::InsufficientFunds,
        Self::Expired,
        Self::NeedsAuthentication,
        Self::DisputedLater,
        Self::RefundFailsLater,
        Self::DeclinesRenewals,
        Self::Slow,
    ];

    pub const fn number(self) -> &'static str {
        match self {
            Self::Good => "4242424242424242",
            Self::Declined => "4000000000000002",
            Self::InsufficientFunds => "4000000000009995",
            Self::Expired => "4000000000000069",
            Self::NeedsAuthentication => "4000002500003155",
            Self::DisputedLater => "4000000000000259",
            Self::RefundFailsLater => "4000000000005126",
            Self::DeclinesRenewals => "4000000000000341",
            Self::Slow => "4000000000000077",
        }
    }

    /// What it does, for the page to pay on.
    pub const fn does(self) -> &'static str {
        match self {
            Self::Good => "Pays",
            Self::Declined => "Is declined",
            Self::InsufficientFunds => "Has insufficient funds",
            Self::Expired => "Has expired",
            Self::NeedsAuthentication => "Asks its owner to approve, each time",
            Self::DisputedLater => "Pays, and is disputed a day later",
            Self::RefundFailsLater => "Pays; a refund to it fails a day later",
            Self::DeclinesRenewals => "Pays now and declines renewals",
            Self::Slow => "Takes a day to pay; for one-off payments",
        }
    }

    /// As payment methods remember it.
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Declined => "declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::Expired => "expired",
            Self::NeedsAuthentication => "needs_authentication",
            Self::DisputedLater => "disputed_later",
            Self::RefundFailsLater => "refund_fails_later",
            Self::DeclinesRenewals => "declines_renewals",
            Self::Slow => "slow",
        }
    }

    /// None for a number that is not for tests. Spaces and hyphens do not matter.
    pub fn parse(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
        if ALSO_GOOD.contains(&digits.as_str()) {
            return Some(Self::Good);
        }
        // Stripe's second number that asks its owner.
        if digits == "4000002760003184" {
            return Some(Self::NeedsAuthentication);
        }
        Self::ALL.into_iter().find(|card| card.number() == digits)
    }

    /// Stripe's names for test payment methods and tokens.
    fn named(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("pm_card_").or_else(|| name.strip_prefix("tok_"))? {
            "visa" | "mastercard" | "amex" | "visa_debit" => Self::Good,
            "chargeDeclined" | "visa_chargeDeclined" => Self::Declined,
            "chargeDeclinedInsufficientFunds" | "visa_chargeDeclinedInsufficientFunds" => {
                Self::InsufficientFunds
            }
            "chargeDeclinedExpiredCard" => Self::Expired,
            "authenticationRequired" | "threeDSecure2Required" => Self::NeedsAuthentication,
            "createDispute" => Self::DisputedLater,
            "refundFail" => Self::RefundFailsLater,
            "chargeCustomerFail" => Self::DeclinesRenewals,
            _ => return None,
        })
    }

    /// Why it does not pay. None: it does.
    pub fn refusal(self, off_session: OffSession) -> Option<Fault> {
        let declined = |reason: &str, message: &str| Some(Fault::declined("card_declined", reason, message));
        match (self, off_session) {
            (Self::Declined, _) | (Self::DeclinesRenewals, OffSession::Yes) => {
                declined("generic_decline", "Your card was declined.")
            }
            (Self::InsufficientFunds, _) => {
                declined("insufficient_funds", "Your card has insufficient funds.")
            }
            (Self::Expired, _) => {
                Some(Fault::declined("expired_card", "expired_card", "Your card has expired."))
            }
            (Self::NeedsAuthentication, OffSession::Yes) => Some(Fault::declined(
                "authentication_required",
                "authentication_required",
                "Your card was declined. This transaction requires authentication.",
            )),
            _ => None,
        }
    }

    pub fn last4(self) -> &'static str {
        &self.number()[12..]
    }
}

/// A payment method of this customer, who pays with it from now on.
pub fn payment_method(world: &mut World, customer: &str, card: Card) -> Value {
    let method = keep_method(world, customer, card);
    let id = method["id"].clone();
    world.change(customer, |customer| customer["invoice_settings"]["default_payment_method"] = id);
    method
}

/// The one that this customer has for the card already, or another, without making it their default.
pub fn method_for(world: &mut World, customer: &str, card: Card) -> Value {
    let same = |method: &&Value| method["customer"] == customer && method["simulator_card"] == card.word();
    if !customer.is_empty()
        && let Some(method) = world.all("payment_method").find(same)
    {
        return method.clone();
    }
    keep_method(world, customer, card)
}

/// Who has lost their payment method has nothing to pay with.
pub fn card_of(world: &World, payment_method: &str) -> Card {
    let word = world.get(payment_method).and_then(|method| method["simulator_card"].as_str());
    Card::ALL
        .into_iter()
        .find(|card| Some(card.word()) == word)
        .or_else(|| Card::named(payment_method))
        .unwrap_or(Card::Declined)
}

/// The payment method of this id; Stripe's names for tests make one.
pub fn method(world: &mut World, id: &str, customer: &str) -> Result<Value, Fault> {
    match Card::named(id) {
        Some(card) => Ok(method_for(world, customer, card)),
        None => fields::referred(world, "payment_method", id, "payment_method"),
    }
}

fn keep_method(world: &mut World, customer: &str, card: Card) -> Value {
    let id = world.new_id("pm");
    let fingerprint = world.new_secret("fp", 16);
    let known = world.get(customer).cloned().unwrap_or_default();
    let created = world.now_for(customer);
    world.put(json!({
        "id": id, "object": "payment_method", "allow_redisplay": "limited",
        "billing_details": billing_details(&known), "created": created,
        "customer": (!customer.is_empty()).then_some(customer), "customer_account": null, "livemode": false,
        "metadata": {}, "radar_options": {}, "type": "card", "simulator_card": card.word(),
        "card": joined(details(card), json!({
            "display_brand": "visa", "fingerprint": fingerprint, "generated_from": null,
            "three_d_secure_usage": { "supported": true },
        })),
    }))
}

/// What is said about a card wherever it is shown.
pub fn details(card: Card) -> Value {
    json!({
        "brand": "visa", "country": "US", "exp_month": 12,
        "exp_year": if card == Card::Expired { 2020 } else { 2034 },
        "funding": "credit", "last4": card.last4(), "network": "visa", "wallet": null,
        "networks": { "available": ["visa"], "preferred": null }, "regulated_status": "unregulated",
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
    })
}

pub fn billing_details(customer: &Value) -> Value {
    json!({
        "address": customer["address"], "email": customer["email"], "name": customer["name"],
        "phone": customer["phone"], "tax_id": null,
    })
}

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("GET", ["payment_methods"]) => list(world, params.text("customer"), params),
        ("GET", ["customers", customer, "payment_methods"]) => list(world, Some(*customer), params),
        ("GET", ["payment_methods", id] | ["customers", _, "payment_methods", id]) => {
            world.find("payment_method", id)
        }
        ("POST", ["payment_methods"]) => create(world, params),
        ("POST", ["payment_methods", id, "attach"]) => attach(world, id, params),
        ("POST", ["payment_methods", id, "detach"]) => world
            .find("payment_method", id)
            .map(|_| world.change(id, |method| method["customer"] = Value::Null)),
        _ => return None,
    })
}

fn list(world: &World, customer: Option<&str>, params: &Params) -> Result<Value, Fault> {
    world.list("payment_method", "/v1/payment_methods", params, |method| {
        customer.is_none_or(|customer| method["customer"] == customer)
    })
}

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    let given = |name: &str| params.at(&["card", name]).and_then(Value::as_str);
    let card = match (given("token"), given("number")) {
        (Some(token), _) => Card::named(token),
        (None, Some(number)) => Card::parse(number),
        (None, None) => return Err(Fault::missing("card")),
    };
    let card = card.ok_or_else(|| Fault::declined("incorrect_number", "incorrect_number", NOT_FOR_TESTS))?;
    Ok(keep_method(world, "", card))
}

pub const NOT_FOR_TESTS: &str = "This is not a card for tests. No real card is taken here.";

fn attach(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    let customer = id_of(&fields::referred(world, "customer", params.required("customer")?, "customer")?);
    if let Some(card) = Card::named(id) {
        return Ok(method_for(world, &customer, card));
    }
    let method = world.find("payment_method", id)?;
    if method["customer"].as_str().is_some_and(|owner| owner != customer) {
        return Err(Fault::state(
            "payment_method_unexpected_state",
            "The payment method you provided has already been attached to a customer.",
        ));
    }
    Ok(world.change(id, |method| method["customer"] = json!(customer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_known_by_its_number_however_it_is_typed() {
        for card in Card::ALL {
            assert_eq!(Card::parse(card.number()), Some(card));
        }
        assert_eq!(Card::parse("4242 4242-4242 4242"), Some(Card::Good));
        assert_eq!(Card::parse("4111111111111111"), None);
        assert_eq!(Card::parse(""), None);
    }

    #[test]
    fn a_payment_method_remembers_its_card() {
        let mut world = World::open(None, 1).expect("opens");
        world.put(json!({ "id": "cus_1", "object": "customer", "invoice_settings": {} }));
        for card in Card::ALL {
            let method = payment_method(&mut world, "cus_1", card);
            assert_eq!(card_of(&world, &id_of(&method)), card);
            assert_eq!(
                world.get("cus_1").expect("there")["invoice_settings"]["default_payment_method"],
                method["id"]
            );
        }
        assert_eq!(card_of(&world, "pm_gone"), Card::Declined);
        assert_eq!(card_of(&world, "pm_card_visa"), Card::Good);
    }

    #[test]
    fn renewals_are_declined_where_nobody_is_there() {
        assert!(Card::DeclinesRenewals.refusal(OffSession::No).is_none());
        assert!(Card::DeclinesRenewals.refusal(OffSession::Yes).is_some());
        assert!(Card::NeedsAuthentication.refusal(OffSession::No).is_none());
        assert!(Card::Good.refusal(OffSession::Yes).is_none());
    }
}
