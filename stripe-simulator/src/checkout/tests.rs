use super::*;
use crate::{payments::Card, world::id_of};

fn world() -> World {
    let mut world = World::open(None, 11).expect("opens");
    world.put(json!({ "id": "prod_pro", "object": "product", "name": "Pro", "active": true }));
    for (id, kind) in [("price_once", "one_time"), ("price_month", "recurring")] {
        let recurring = (kind == "recurring").then(|| json!({ "interval": "month", "interval_count": 1 }));
        world.put(json!({
            "id": id, "object": "price", "active": true, "currency": "eur", "unit_amount": 1_900, "type": kind,
            "product": "prod_pro", "recurring": recurring,
        }));
    }
    world.put(
        json!({ "id": "price_old", "object": "price", "active": false, "currency": "eur", "unit_amount": 1,
        "type": "one_time", "product": "prod_pro" }),
    );
    world.put(json!({ "id": "txr_de", "object": "tax_rate", "percentage": 19.0, "inclusive": false, "active": true }));
    world.put(
        json!({ "id": "TEN", "object": "coupon", "percent_off": 10.0, "times_redeemed": 0, "valid": true }),
    );
    world.put(
        json!({ "id": "ALL", "object": "coupon", "percent_off": 100.0, "times_redeemed": 0, "valid": true }),
    );
    world
}

fn ask(world: &mut World, form: &str) -> Result<Value, Fault> {
    let request = Request {
        method: "POST",
        path: vec!["checkout", "sessions"],
        params: Params::parse(form)?,
        base: "http://127.0.0.1:1".to_owned(),
    };
    world.whole(|world| route(world, &request).expect("is ours"))
}

const ONCE: &str = "mode=payment&success_url=https://shop.test/done?s={CHECKOUT_SESSION_ID}\
    &line_items[0][price]=price_once&line_items[0][quantity]=3";

fn topics(world: &World) -> Vec<&str> {
    world.all("event").map(|event| text(event, "type")).collect()
}

#[test]
fn discount_and_tax_are_rounded_line_by_line() {
    let mut world = world();
    let form = format!("{ONCE}&line_items[0][tax_rates][0]=txr_de&discounts[0][coupon]=TEN");
    let session = ask(&mut world, &form).expect("opens");
    // 57.00 − 5.70 = 51.30, and 19 % of it is 9.747.
    assert_eq!(session["amount_subtotal"], 5_700);
    assert_eq!(session["total_details"]["amount_discount"], 570);
    assert_eq!(session["total_details"]["amount_tax"], 975);
    assert_eq!(session["amount_total"], 6_105);
    assert_eq!(session["url"], format!("http://127.0.0.1:1/pay/{}", id_of(&session)));
    assert_eq!(session["line_items"], Value::Null);
    assert_eq!(lines(&world, &session)["data"][0]["amount_total"], 6_105);
}

#[test]
fn what_stripe_refuses_is_refused() {
    for form in [
        "mode=payment".to_owned(),
        "mode=gift&success_url=https://a.test".to_owned(),
        "mode=payment&success_url=https://a.test".to_owned(),
        ONCE.replace("success_url=https://shop.test", "success_url=shop"),
        ONCE.replace("price_once", "price_none"),
        ONCE.replace("price_once", "price_old"),
        ONCE.replace("price_once", "price_month"),
        ONCE.replace("quantity]=3", "quantity]=0"),
        ONCE.replace("quantity]=3", "quantity]=1000000"),
        ONCE.replace("quantity]=3", "quantity]=two"),
        format!("{ONCE}&discounts[0][coupon]=NONE"),
        format!("{ONCE}&customer=cus_none"),
        format!("{ONCE}&sucess_url=https://a.test"),
        format!("{ONCE}&expires_at={}", World::machine_time() + 60),
        format!("{ONCE}&expires_at={}", World::machine_time() + 2 * DAY),
        format!("{ONCE}&ui_mode=elements"),
        format!("{ONCE}&automatic_tax[enabled]=true"),
        format!("{ONCE}&subscription_data[trial_period_days]=3"),
    ] {
        let mut world = world();
        assert_eq!(ask(&mut world, &form).expect_err(&form).status, 400, "{form}");
        assert_eq!(world.all("checkout.session").count(), 0, "{form}");
    }
}

#[test]
fn a_session_is_paid_once() {
    let mut world = world();
    let session =
        ask(&mut world, &format!("{ONCE}&payment_intent_data[metadata][order]=ord_1")).expect("opens");
    let id = id_of(&session);
    let paid = complete(&mut world, &id, Card::Good).expect("pays");
    assert_eq!((&paid["status"], &paid["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(paid["url"], Value::Null);
    let intent = world.find("payment_intent", text(&paid, "payment_intent")).expect("is there");
    assert_eq!(intent["metadata"]["order"], "ord_1");
    assert_eq!(afterwards(&paid), Some(format!("https://shop.test/done?s={id}")));
    let again = complete(&mut world, &id, Card::Good).expect_err("once");
    assert_eq!(again.code.as_deref(), Some("session_complete"));
    assert_eq!(world.all("charge").count(), 1);
    assert_eq!(topics(&world).iter().filter(|topic| **topic == "checkout.session.completed").count(), 1);
    assert!(expire(&mut world, &id).is_err());
}

#[test]
fn a_declined_card_leaves_the_session_open() {
    let mut world = world();
    let id = id_of(&ask(&mut world, ONCE).expect("opens"));
    let fault = world.whole(|world| complete(world, &id, Card::Declined)).expect_err("is declined");
    assert_eq!(fault.status, 402);
    assert_eq!(current(&mut world, &id).expect("is there")["status"], "open");
    complete(&mut world, &id, Card::Good).expect("pays");
}

#[test]
fn nothing_to_pay_needs_no_payment() {
    let mut world = world();
    let id = id_of(&ask(&mut world, &format!("{ONCE}&discounts[0][coupon]=ALL")).expect("opens"));
    let session = complete(&mut world, &id, Card::Declined).expect("needs no card");
    assert_eq!(session["payment_status"], "no_payment_required");
    assert_eq!(world.all("charge").count(), 0);
    assert_eq!(world.get("ALL").expect("there")["times_redeemed"], 1);
}

#[test]
fn a_session_expires_by_itself_and_by_hand() {
    let mut world = world();
    let first = id_of(&ask(&mut world, ONCE).expect("opens"));
    let second = id_of(&ask(&mut world, ONCE).expect("opens"));
    assert_eq!(expire(&mut world, &first).expect("expires")["status"], "expired");
    expire_due(&mut world);
    assert_eq!(current(&mut world, &second).expect("there")["status"], "open");
    world.advance(DAY + 1).expect("advances");
    expire_due(&mut world);
    expire_due(&mut world);
    assert_eq!(current(&mut world, &second).expect("there")["status"], "expired");
    assert_eq!(topics(&world), ["checkout.session.expired", "checkout.session.expired"]);
    assert!(complete(&mut world, &second, Card::Good).is_err());
}

#[test]
fn a_time_asked_for_by_a_clock_left_behind_is_moved_likewise() {
    let mut world = world();
    world.advance(30 * DAY).expect("advances");
    let at = World::machine_time() + 3_600;
    let session = ask(&mut world, &format!("{ONCE}&expires_at={at}")).expect("opens");
    let left = int(&session, "expires_at") - world.now();
    assert!((3_590..=3_600).contains(&left), "{left}");
}

#[test]
fn a_slow_payment_ends_later_either_way() {
    for (paid, topic, status) in [
        (true, "checkout.session.async_payment_succeeded", "paid"),
        (false, "checkout.session.async_payment_failed", "unpaid"),
    ] {
        let mut world = world();
        let id = id_of(&ask(&mut world, ONCE).expect("opens"));
        let session = complete(&mut world, &id, Card::Slow).expect("begins");
        assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("unpaid")));
        assert_eq!(settle_slow(&mut world, &id, paid).expect("settles")["payment_status"], status);
        assert!(topics(&world).contains(&topic));
        assert!(settle_slow(&mut world, &id, paid).is_err(), "once");
        world.advance(2 * DAY).expect("advances");
        settle_due(&mut world);
        assert_eq!(current(&mut world, &id).expect("there")["payment_status"], status);
    }
}

#[test]
fn a_trial_costs_nothing_today() {
    let mut world = world();
    let form = "mode=subscription&success_url=https://shop.test&line_items[0][price]=price_month\
        &line_items[0][quantity]=2&subscription_data[trial_period_days]=14&subscription_data[metadata][order]=ord_1";
    let session = ask(&mut world, form).expect("opens");
    assert_eq!(session["amount_total"], 0);
    let cart = cart::of(&world, &id_of(&session));
    assert_eq!((cart.trial_days, &cart.metadata["order"]), (14, &json!("ord_1")));
    assert_eq!(cart.items[0]["amount_total"], 3_800);
}

#[test]
fn elements_get_a_secret_and_no_page_of_their_own() {
    let mut world = world();
    let form = ONCE.replace("success_url", "ui_mode=elements&return_url");
    let session = ask(&mut world, &form).expect("opens");
    assert_eq!(session["url"], Value::Null);
    assert!(session["client_secret"].as_str().is_some_and(|secret| secret.starts_with("cs_test_")));
}
