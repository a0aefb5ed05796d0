//! Stripe Tax, as far as one of our tests has to see it: a small table of standard rates, and reverse charge.
//!
//! What always holds: tax is worked out line by line; where the table has nothing, no tax is collected, and the answer says
//! why.

use serde_json::{Value, json};

use crate::{
    fault::Fault,
    fields::{self, joined, word},
    http::Request,
    params::Params,
    sums,
    world::World,
};

/// Where the seller is.
const HOME: &str = "DE";
const VALID_FOR: i64 = 90 * 86_400;

const UNION: [(&str, f64); 27] = [
    ("AT", 20.0),
    ("BE", 21.0),
    ("BG", 20.0),
    ("CY", 19.0),
    ("CZ", 21.0),
    ("DE", 19.0),
    ("DK", 25.0),
    ("EE", 24.0),
    ("ES", 21.0),
    ("FI", 25.5),
    ("FR", 20.0),
    ("GR", 24.0),
    ("HR", 25.0),
    ("HU", 27.0),
    ("IE", 23.0),
    ("IT", 22.0),
    ("LT", 21.0),
    ("LU", 17.0),
    ("LV", 21.0),
    ("MT", 18.0),
    ("NL", 21.0),
    ("PL", 23.0),
    ("PT", 23.0),
    ("RO", 21.0),
    ("SE", 25.0),
    ("SI", 22.0),
    ("SK", 23.0),
];

const ELSEWHERE: [(&str, f64); 3] = [("CH", 8.1), ("GB", 20.0), ("NO", 25.0)];
const STATES: [(&str, f64); 4] = [("CA", 7.25), ("NY", 4.0), ("TX", 6.25), ("WA", 6.5)];

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    match (request.method, request.path.as_slice()) {
        ("POST", ["tax", "calculations"]) => Some(calculate(world, &request.params)),
        ("GET", ["tax", "calculations", id]) => Some(world.find("tax.calculation", id)),
        ("GET", ["tax", "calculations", id, "line_items"]) => {
            Some(world.find("tax.calculation", id).map(|calculation| calculation["line_items"].clone()))
        }
        _ => None,
    }
}

/// How things bought from one place are taxed.
struct Treatment {
    country: String,
    state: Option<String>,
    percentage: f64,
    reason: &'static str,
    kind: &'static str,
}

fn rate(table: &[(&str, f64)], code: &str) -> Option<f64> {
    table.iter().find(|(other, _)| *other == code).map(|(_, rate)| *rate)
}

fn treatment(country: &str, state: Option<&str>, tax_ids: &[Params]) -> Treatment {
    let mut treatment = Treatment {
        country: country.to_owned(),
        state: None,
        percentage: 0.0,
        reason: "not_collecting",
        kind: "vat",
    };
    if country == "US" {
        treatment.kind = "sales_tax";
        treatment.state = state.map(str::to_owned);
        if let Some(rate) = state.and_then(|state| rate(&STATES, state)) {
            (treatment.percentage, treatment.reason) = (rate, "standard_rated");
        }
        return treatment;
    }
    let in_union = rate(&UNION, country);
    if in_union.is_some() && country != HOME && tax_ids.iter().any(of_another_country) {
        treatment.reason = "reverse_charge";
    } else if let Some(rate) = in_union.or_else(|| rate(&ELSEWHERE, country)) {
        (treatment.percentage, treatment.reason) = (rate, "standard_rated");
    }
    treatment
}

/// Whether this is a number for VAT from another country of the union than the seller's.
fn of_another_country(tax_id: &Params) -> bool {
    let number = tax_id.text("value").unwrap_or_default();
    let prefix = match number.get(..2) {
        // Greece's numbers do not begin with its code.
        Some("EL") => "GR",
        Some(prefix) => prefix,
        None => return false,
    };
    tax_id.text("type") == Some("eu_vat") && prefix != HOME && rate(&UNION, prefix).is_some()
}

fn calculate(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&["currency", "customer", "customer_details", "line_items", "tax_date"])?;
    let currency = fields::currency(params)?;
    let details = params.sub(&["customer_details"]).ok_or_else(|| Fault::missing("customer_details"))?;
    let address = details.sub(&["address"]).ok_or_else(|| Fault::missing("customer_details[address]"))?;
    let country =
        address.text("country").ok_or_else(|| Fault::missing("customer_details[address][country]"))?;
    if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let words =
            "We could not determine the customer's tax location based on the provided customer address.";
        return Err(Fault {
            code: Some("customer_tax_location_invalid".to_owned()),
            ..Fault::invalid("customer_details[address][country]", words)
        });
    }
    let tax_ids = details.each("tax_ids");
    let treatment = treatment(country, address.text("state"), &tax_ids);
    let given = params.each("line_items");
    if given.is_empty() {
        return Err(Fault::missing("line_items"));
    }
    let mut lines = Vec::new();
    for (index, item) in given.iter().enumerate() {
        lines.push(line(world, index, item, &treatment)?);
    }
    let ids: Vec<Value> =
        tax_ids.iter().map(|id| json!({ "type": id.text("type"), "value": id.text("value") })).collect();
    let customer_details = json!({
        "address": fields::address(&details), "address_source": details.text("address_source").unwrap_or("billing"),
        "ip_address": null, "tax_ids": ids, "taxability_override": "none",
    });
    let calculation = answer(world, params, &currency, lines, &treatment);
    Ok(world.put(joined(calculation, json!({ "customer_details": customer_details }))))
}

fn line(world: &mut World, index: usize, item: &Params, treatment: &Treatment) -> Result<Value, Fault> {
    item.only(&["amount", "metadata", "product", "quantity", "reference", "tax_behavior", "tax_code"])?;
    let amount =
        item.int("amount")?.ok_or_else(|| Fault::missing(&format!("line_items[{index}][amount]")))?;
    let behaviour = word(item, "tax_behavior", &["exclusive", "inclusive"])?.unwrap_or("exclusive");
    let rate = json!({ "percentage": treatment.percentage, "inclusive": behaviour == "inclusive" });
    let tax = sums::tax(amount, &rate).amount;
    let taxable = match (treatment.reason, behaviour) {
        ("standard_rated", "inclusive") => amount - tax,
        ("standard_rated", _) => amount,
        _ => 0,
    };
    let reference = item.text("reference").map_or_else(|| format!("L{}", index + 1), str::to_owned);
    Ok(json!({
        "id": world.new_id("tax_li"), "object": "tax.calculation_line_item", "amount": amount, "amount_tax": tax,
        "livemode": false, "metadata": fields::metadata(&json!({}), item)?, "product": item.text("product"),
        "quantity": item.int("quantity")?.unwrap_or(1), "reference": reference, "tax_behavior": behaviour,
        "tax_breakdown": [{
            "amount": tax,
            "jurisdiction": {
                "country": treatment.country, "display_name": treatment.country,
                "level": if treatment.state.is_some() { "state" } else { "country" }, "state": treatment.state,
            },
            "sourcing": "destination",
            "tax_rate_details": (treatment.reason != "not_collecting").then(|| json!({
                "display_name": if treatment.kind == "vat" { "VAT" } else { "Sales tax" },
                "percentage_decimal": decimal(treatment.percentage), "tax_type": treatment.kind,
            })),
            "taxability_reason": treatment.reason, "taxable_amount": taxable,
        }],
        "tax_code": item.text("tax_code").unwrap_or("txcd_10103000"),
    }))
}

/// `19.0`, `8.1`
fn decimal(percentage: f64) -> String {
    format!("{percentage:?}")
}

fn answer(
    world: &mut World,
    params: &Params,
    currency: &str,
    lines: Vec<Value>,
    treatment: &Treatment,
) -> Value {
    let id = world.new_id("taxcalc");
    let now = world.now();
    let sum = |name: &str, behaviour: &str| -> i64 {
        let fitting = lines.iter().filter(|line| line["tax_behavior"] == behaviour);
        fitting.map(|line| fields::int(line, name)).sum()
    };
    let (exclusive, inclusive) = (sum("amount_tax", "exclusive"), sum("amount_tax", "inclusive"));
    let amounts = sum("amount", "exclusive") + sum("amount", "inclusive");
    let breakdown: Vec<Value> = [("exclusive", exclusive), ("inclusive", inclusive)]
        .into_iter()
        .filter(|(behaviour, _)| lines.iter().any(|line| line["tax_behavior"] == *behaviour))
        .map(|(behaviour, tax)| {
            let net = sum("amount", behaviour) - if behaviour == "inclusive" { tax } else { 0 };
            json!({
                "amount": tax, "inclusive": behaviour == "inclusive",
                "tax_rate_details": {
                    "country": treatment.country, "flat_amount": null,
                    "percentage_decimal": decimal(treatment.percentage), "rate_type": "percentage",
                    "state": treatment.state, "tax_type": treatment.kind,
                },
                "taxability_reason": treatment.reason,
                "taxable_amount": if treatment.reason == "standard_rated" { net } else { 0 },
            })
        })
        .collect();
    json!({
        "id": id, "object": "tax.calculation", "amount_total": amounts + exclusive, "created": now,
        "currency": currency, "customer": params.text("customer"), "expires_at": now + VALID_FOR,
        "line_items": fields::list(&format!("/v1/tax/calculations/{id}/line_items"), lines),
        "livemode": false, "ship_from_details": null, "shipping_cost": null, "tax_amount_exclusive": exclusive,
        "tax_amount_inclusive": inclusive, "tax_breakdown": breakdown, "tax_date": now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Value, Fault> {
        let mut world = World::open(None, 1).expect("a world in memory");
        calculate(&mut world, &Params::parse(text).expect("reads"))
    }

    const TWO: &str =
        "currency=eur&line_items[0][amount]=1900&line_items[0][reference]=a&line_items[1][amount]=50";

    #[test]
    fn each_place_has_its_rate() {
        for (place, percentage, tax) in [
            ("[country]=DE", "19.0", 371),
            ("[country]=FR", "20.0", 390),
            ("[country]=CH", "8.1", 158),
            ("[country]=US&customer_details[address][state]=CA", "7.25", 142),
        ] {
            let answer = asked(&format!("{TWO}&customer_details[address]{place}")).expect("calculated");
            let first = &answer["line_items"]["data"][0];
            assert_eq!(
                first["tax_breakdown"][0]["tax_rate_details"]["percentage_decimal"], percentage,
                "{place}"
            );
            assert_eq!(answer["tax_amount_exclusive"], tax, "{place}");
            assert_eq!(answer["amount_total"], 1_950 + tax, "{place}");
        }
    }

    #[test]
    fn a_business_abroad_accounts_for_the_tax_itself() {
        let business = "customer_details[tax_ids][0][type]=eu_vat&customer_details[tax_ids][0][value]";
        let reason = |address: &str, number: &str| {
            let text = format!("{TWO}&customer_details[address][country]={address}&{business}={number}");
            let answer = asked(&text).expect("calculated");
            answer["line_items"]["data"][0]["tax_breakdown"][0]["taxability_reason"].clone()
        };
        assert_eq!(reason("FR", "FR40303265045"), "reverse_charge");
        assert_eq!(reason("GR", "EL094259216"), "reverse_charge");
        assert_eq!(reason("DE", "DE136695976"), "standard_rated");
        assert_eq!(reason("FR", "DE136695976"), "standard_rated");
        assert_eq!(reason("BR", "FR40303265045"), "not_collecting");
    }

    #[test]
    fn an_inclusive_price_has_its_tax_within() {
        let text = "currency=eur&line_items[0][amount]=1190&line_items[0][tax_behavior]=inclusive\
                    &customer_details[address][country]=DE";
        let answer = asked(text).expect("calculated");
        assert_eq!((&answer["tax_amount_inclusive"], &answer["amount_total"]), (&json!(190), &json!(1_190)));
        assert_eq!(answer["tax_breakdown"][0]["taxable_amount"], 1_000);
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, param) in [
            ("line_items[0][amount]=1&customer_details[address][country]=DE", "currency"),
            ("currency=eur&customer_details[address][country]=DE", "line_items"),
            ("currency=eur&line_items[0][amount]=1", "customer_details"),
            (
                "currency=eur&line_items[0][reference]=a&customer_details[address][country]=DE",
                "line_items[0][amount]",
            ),
        ] {
            assert_eq!(asked(text).expect_err(text).param.as_deref(), Some(param));
        }
    }
}
