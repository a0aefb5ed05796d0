//! Coupons, and whether one can still be redeemed.

use serde_json::{Value, json};

use crate::{
    catalogue::own_id,
    fault::Fault,
    fields::{self, int, word},
    http::Request,
    params::Params,
    world::World,
};

const DURATIONS: [&str; 3] = ["forever", "once", "repeating"];

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["coupons"]) => create(world, params),
        ("GET", ["coupons"]) => list(world, params),
        ("GET", ["coupons", id]) => retrieve(world, id),
        ("POST", ["coupons", id]) => update(world, id, params),
        ("DELETE", ["coupons", id]) => delete(world, id),
        _ => return None,
    })
}

const NEW: [&str; 10] = [
    "amount_off",
    "currency",
    "duration",
    "duration_in_months",
    "id",
    "max_redemptions",
    "metadata",
    "name",
    "percent_off",
    "redeem_by",
];

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&NEW)?;
    let (percent, amount) = (percent_off(params)?, params.int("amount_off")?);
    if percent.is_some() == amount.is_some() {
        return Err(Fault::invalid(
            "percent_off",
            "You must specify either percent_off or amount_off, and not both.",
        ));
    }
    if amount.is_some_and(|amount| amount < 1) {
        return Err(Fault::invalid("amount_off", "This value must be greater than or equal to 1."));
    }
    let currency = amount.map(|_| fields::currency(params)).transpose()?;
    let duration = word(params, "duration", &DURATIONS)?.unwrap_or("once");
    let months = params.int("duration_in_months")?;
    match (duration, months) {
        ("repeating", None) => return Err(Fault::missing("duration_in_months")),
        ("repeating", Some(months)) if months < 1 => {
            return Err(Fault::invalid(
                "duration_in_months",
                "This value must be greater than or equal to 1.",
            ));
        }
        ("repeating", Some(_)) | (_, None) => {}
        (_, Some(_)) => {
            return Err(Fault::invalid(
                "duration_in_months",
                "Only a repeating coupon has a duration in months.",
            ));
        }
    }
    let most = params.int("max_redemptions")?;
    if most.is_some_and(|most| most < 1) {
        return Err(Fault::invalid("max_redemptions", "This value must be greater than or equal to 1."));
    }
    let until = params.int("redeem_by")?;
    if until.is_some_and(|until| until <= world.now()) {
        return Err(Fault::invalid("redeem_by", "This must be in the future."));
    }
    let metadata = fields::metadata(&json!({}), params)?;
    let make = |world: &mut World| world.new_secret("", 8).trim_start_matches('_').to_owned();
    let id = own_id(world, params.text("id"), "coupon", make)?;
    let coupon = world.put(json!({
        "id": id, "object": "coupon", "amount_off": amount, "created": world.now(), "currency": currency,
        "duration": duration, "duration_in_months": months, "livemode": false, "max_redemptions": most,
        "metadata": metadata, "name": params.text("name"), "percent_off": percent, "redeem_by": until,
        "times_redeemed": 0, "valid": true,
    }));
    world.emit("coupon.created", &id);
    Ok(coupon)
}

fn percent_off(params: &Params) -> Result<Option<f64>, Fault> {
    let Some(text) = params.text("percent_off") else { return Ok(None) };
    match text.parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(Some(percent)),
        _ => Err(Fault::invalid("percent_off", "This value must be a number above 0 and at most 100.")),
    }
}

/// A coupon as it stands now: what has run out says that it is not valid.
fn told(world: &World, coupon: &Value) -> Value {
    let used_up =
        coupon["max_redemptions"].as_i64().is_some_and(|most| int(coupon, "times_redeemed") >= most);
    let too_late = coupon["redeem_by"].as_i64().is_some_and(|until| until < world.now());
    let mut coupon = coupon.clone();
    coupon["valid"] = json!(!used_up && !too_late);
    coupon
}

fn retrieve(world: &World, id: &str) -> Result<Value, Fault> {
    world.find("coupon", id).map(|coupon| told(world, &coupon))
}

/// A coupon that can be redeemed on something in this currency.
pub fn redeemable(world: &World, id: &str, currency: &str, param: &str) -> Result<Value, Fault> {
    let coupon = fields::referred(world, "coupon", id, param)?;
    let coupon = told(world, &coupon);
    if coupon["valid"] != true {
        let words = format!("Coupon {id} is expired and cannot be applied.");
        return Err(Fault { param: Some(param.to_owned()), ..Fault::state("coupon_expired", words) });
    }
    if coupon["currency"].as_str().is_some_and(|own| own != currency) {
        return Err(Fault::invalid(
            param,
            "The coupon's currency differs from the currency of what it is applied to.",
        ));
    }
    Ok(coupon)
}

/// Counts one use.
pub fn redeem(world: &mut World, id: &str) {
    let used = world.get(id).map_or(0, |coupon| int(coupon, "times_redeemed"));
    world.change(id, |coupon| coupon["times_redeemed"] = json!(used + 1));
}

fn list(world: &World, params: &Params) -> Result<Value, Fault> {
    let mut page = world.list("coupon", "/v1/coupons", params, |coupon| coupon["deleted"] != true)?;
    page["data"] = fields::items(&page).iter().map(|coupon| told(world, coupon)).collect();
    Ok(page)
}

fn update(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["metadata", "name"])?;
    let mut coupon = world.find("coupon", id)?;
    coupon["metadata"] = fields::metadata(&coupon["metadata"], params)?;
    fields::set_texts(&mut coupon, params, &["name"]);
    let coupon = world.put(coupon);
    world.emit("coupon.updated", id);
    Ok(told(world, &coupon))
}

/// Whoever has redeemed it keeps the discount.
fn delete(world: &mut World, id: &str) -> Result<Value, Fault> {
    world.find("coupon", id)?;
    world.change(id, |coupon| coupon["deleted"] = json!(true));
    world.emit("coupon.deleted", id);
    Ok(json!({ "id": id, "object": "coupon", "deleted": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::parse(text).expect("reads")
    }

    #[test]
    fn a_coupon_runs_out_by_use() {
        let mut world = World::open(None, 1).expect("a world in memory");
        create(&mut world, &params("id=TEN&percent_off=10&max_redemptions=1")).expect("made");
        assert!(redeemable(&world, "TEN", "eur", "coupon").is_ok());
        redeem(&mut world, "TEN");
        assert_eq!(retrieve(&world, "TEN").expect("there")["valid"], false);
        let fault = redeemable(&world, "TEN", "eur", "coupon").expect_err("used up");
        assert_eq!(fault.code.as_deref(), Some("coupon_expired"));
        assert_eq!(list(&world, &params("")).expect("a list")["data"][0]["valid"], false);
    }

    #[test]
    fn an_amount_has_a_currency_and_holds_to_it() {
        let mut world = World::open(None, 1).expect("a world in memory");
        assert!(create(&mut world, &params("amount_off=500")).is_err());
        create(&mut world, &params("id=FIVE&amount_off=500&currency=eur&duration=forever")).expect("made");
        assert!(redeemable(&world, "FIVE", "usd", "coupon").is_err());
        assert!(redeemable(&world, "FIVE", "eur", "coupon").is_ok());
    }

    #[test]
    fn an_id_is_taken_once_and_nonsense_is_refused() {
        let mut world = World::open(None, 1).expect("a world in memory");
        create(&mut world, &params("id=TEN&percent_off=10")).expect("made");
        let fault = create(&mut world, &params("id=TEN&percent_off=10")).expect_err("taken");
        assert_eq!(fault.code.as_deref(), Some("resource_already_exists"));
        for wrong in [
            "",
            "percent_off=0",
            "percent_off=101",
            "percent_off=x",
            "percent_off=10&amount_off=1&currency=eur",
            "amount_off=0&currency=eur",
            "percent_off=10&duration=repeating",
            "percent_off=10&duration=sometimes",
            "percent_off=10&duration=once&duration_in_months=2",
            "percent_off=10&redeem_by=1",
        ] {
            assert_eq!(create(&mut world, &params(wrong)).expect_err(wrong).status, 400, "{wrong}");
        }
        delete(&mut world, "TEN").expect("deleted");
        assert_eq!(retrieve(&world, "TEN").expect_err("gone").status, 404);
    }
}
