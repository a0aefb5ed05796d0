//! Discounts on subscriptions: coupons that were redeemed, for as long as they last.

use serde_json::{Value, json};

use crate::{
    catalogue::coupons,
    fault::Fault,
    fields::{items, text, texts},
    invoices::Discounted,
    subscriptions::calendar::Interval,
    sums,
    world::World,
};

/// A discount that is not kept yet: whatever it is for may still be declined.
pub fn redeemed(world: &mut World, coupon: &str, subscription: &Value, at: i64) -> Result<Value, Fault> {
    let coupon = coupons::redeemable(world, coupon, text(subscription, "currency"), "discounts[0][coupon]")?;
    let months = coupon["duration_in_months"].as_i64();
    let end = months.map(|months| Interval::Months(months).next(at, at));
    Ok(json!({
        "id": world.new_id("di"), "object": "discount", "checkout_session": null,
        "customer": subscription["customer"], "customer_account": null, "end": end, "invoice": null,
        "invoice_item": null, "promotion_code": null, "source": { "coupon": coupon["id"], "type": "coupon" },
        "start": at, "subscription": subscription["id"], "subscription_item": null,
    }))
}

/// Keeps what was redeemed, and counts it.
pub fn keep(world: &mut World, fresh: Vec<Value>) {
    for discount in fresh {
        coupons::redeem(world, text(&discount["source"], "coupon"));
        world.put(discount);
    }
}

/// Those that hold for a period that begins now.
pub fn live(world: &World, subscription: &Value, at: i64) -> Vec<Value> {
    let ids = texts(&subscription["discounts"]);
    let kept = ids.iter().filter_map(|id| world.get(id));
    kept.filter(|discount| discount["end"].as_i64().is_none_or(|end| at < end)).cloned().collect()
}

/// What each line gets off, one discount after the other on what the one before left.
pub fn taken(world: &World, discounts: &[Value], amounts: &[i64]) -> Vec<Vec<Discounted>> {
    let mut left = amounts.to_vec();
    let mut taken = vec![Vec::new(); amounts.len()];
    for discount in discounts {
        let coupon = world.get(text(&discount["source"], "coupon"));
        for (index, off) in sums::discounts(coupon, &left).into_iter().enumerate() {
            if off > 0 {
                left[index] -= off;
                taken[index].push(Discounted { discount: text(discount, "id").to_owned(), amount: off });
            }
        }
    }
    taken
}

/// Takes away the discounts that are for one invoice, once they were on one, and those whose time is over.
pub fn use_up(world: &World, subscription: &mut Value, lines: &[Value], at: i64) {
    let offs = lines.iter().flat_map(|line| items(&line["discount_amounts"]));
    let used: Vec<String> = offs.map(|off| text(off, "discount").to_owned()).collect();
    let mut kept = texts(&subscription["discounts"]);
    kept.retain(|id| {
        world.get(id).is_some_and(|discount| {
            let coupon = world.get(text(&discount["source"], "coupon"));
            let once = coupon.is_some_and(|coupon| coupon["duration"] == "once");
            let over = discount["end"].as_i64().is_some_and(|end| end <= at);
            !(over || once && used.contains(id))
        })
    });
    subscription["discounts"] = json!(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discount(world: &mut World, id: &str, coupon: &Value) -> Value {
        let coupon_id = format!("coupon_{id}");
        let mut kept = json!({ "id": coupon_id, "object": "coupon" });
        for (name, value) in coupon.as_object().expect("an object") {
            kept[name.as_str()] = value.clone();
        }
        world.put(kept);
        world.put(json!({ "id": id, "object": "discount", "end": null, "source": { "coupon": coupon_id } }))
    }

    #[test]
    fn each_discount_takes_from_what_the_one_before_left() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let half = discount(&mut world, "di_half", &json!({ "percent_off": 50.0 }));
        let much = discount(&mut world, "di_much", &json!({ "amount_off": 1_000 }));
        let taken = taken(&world, &[half, much], &[1_001, 500]);
        let sums: Vec<i64> = taken.iter().map(|line| line.iter().map(|off| off.amount).sum()).collect();
        assert_eq!(sums, [1_001, 500], "never more than there is");
        assert_eq!(taken[0][0], Discounted { discount: "di_half".to_owned(), amount: 501 });
    }

    #[test]
    fn what_is_for_one_invoice_goes_when_it_was_on_one() {
        let mut world = World::open(None, 1).expect("a world in memory");
        discount(&mut world, "di_once", &json!({ "percent_off": 50.0, "duration": "once" }));
        discount(&mut world, "di_ever", &json!({ "percent_off": 10.0, "duration": "forever" }));
        discount(&mut world, "di_over", &json!({ "percent_off": 10.0, "duration": "repeating" }));
        world.change("di_over", |discount| discount["end"] = json!(100));
        let mut subscription = json!({ "discounts": ["di_once", "di_ever", "di_over"] });
        use_up(&world, &mut subscription, &[], 99);
        assert_eq!(subscription["discounts"], json!(["di_once", "di_ever", "di_over"]));
        let line = json!({ "discount_amounts": [{ "amount": 1, "discount": "di_once" }] });
        use_up(&world, &mut subscription, &[line], 100);
        assert_eq!(subscription["discounts"], json!(["di_ever"]));
        assert_eq!(live(&world, &subscription, 100).len(), 1);
    }
}
