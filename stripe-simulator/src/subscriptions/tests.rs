//! What subscriptions do over time, through the API's own door.

use proptest::prelude::*;

use super::*;
use crate::http::dispatch;

/// 31 January 2027, one o'clock.
const START: i64 = 1_801_357_200;
const DAY: i64 = 86_400;
/// Two seats of 19.00 and their tax.
const TWO_SEATS: i64 = 4_522;

/// A customer on a clock of their own, and something to subscribe to.
pub struct Shop {
    pub world: World,
    pub customer: String,
    clock: String,
    monthly: String,
    larger: String,
    yearly: String,
    vat: String,
}

pub fn shop() -> Shop {
    let nobody = String::new();
    let mut shop = Shop {
        world: World::open(None, 5).expect("a world in memory"),
        customer: nobody.clone(),
        clock: nobody.clone(),
        monthly: nobody.clone(),
        larger: nobody.clone(),
        yearly: nobody.clone(),
        vat: nobody,
    };
    shop.clock = shop.made("test_helpers/test_clocks", &format!("frozen_time={START}"));
    shop.customer = shop.made("customers", &format!("email=ada@example.com&test_clock={}", shop.clock));
    shop.made("products", "id=pro&name=Pro");
    let price = |amount: i64, interval: &str| {
        format!("product=pro&currency=eur&unit_amount={amount}&recurring[interval]={interval}")
    };
    shop.monthly = shop.made("prices", &price(1_900, "month"));
    shop.larger = shop.made("prices", &price(4_900, "month"));
    shop.yearly = shop.made("prices", &price(19_000, "year"));
    shop.vat = shop.made("tax_rates", "display_name=VAT&percentage=19&inclusive=false&country=DE");
    shop
}

impl Shop {
    fn call(&mut self, method: &str, path: &str, form: &str) -> Result<Value, Fault> {
        let params = Params::parse(form).expect("reads");
        let request = Request { method, path: path.split('/').collect(), params, base: String::new() };
        self.world.whole(|world| dispatch(world, &request))
    }

    fn post(&mut self, path: &str, form: &str) -> Value {
        self.call("POST", path, form).unwrap_or_else(|fault| panic!("POST {path} {form}: {fault:?}"))
    }

    fn made(&mut self, path: &str, form: &str) -> String {
        crate::world::id_of(&self.post(path, form))
    }

    fn try_to_subscribe(
        &mut self,
        coupon: Option<&str>,
        trial_days: i64,
        card: Card,
    ) -> Result<Value, Fault> {
        let method = crate::world::id_of(&cards::payment_method(&mut self.world, &self.customer, card));
        let new = NewSubscription {
            customer: &self.customer,
            items: vec![(self.monthly.clone(), 2)],
            tax_rates: vec![self.vat.clone()],
            coupon: coupon.map(str::to_owned),
            trial_days,
            metadata: json!({ "order": "ord_1" }),
            payment_method: Some(method),
        };
        self.world.whole(|world| create(world, &new, card))
    }

    /// Two seats by the month.
    pub fn subscribe(&mut self, coupons: &[&str], card: Card) -> String {
        let begun = self.try_to_subscribe(coupons.first().copied(), 0, card).expect("begins");
        crate::world::id_of(&begun)
    }

    pub fn subscription(&self, id: &str) -> Value {
        self.world.find("subscription", id).expect("is there")
    }

    fn item(&self, id: &str) -> String {
        text(&self.subscription(id)["items"]["data"][0], "id").to_owned()
    }

    fn advance_to(&mut self, at: i64) {
        let clock = self.clock.clone();
        self.post(&format!("test_helpers/test_clocks/{clock}/advance"), &format!("frozen_time={at}"));
    }

    /// Newest first.
    fn invoices(&self) -> Vec<Value> {
        self.world.all("invoice").cloned().collect()
    }

    fn latest(&self, id: &str) -> Value {
        let subscription = self.subscription(id);
        self.world.find("invoice", text(&subscription, "latest_invoice")).expect("is there")
    }

    fn told(&self, topic: &str) -> usize {
        self.world.all("event").filter(|event| event["type"] == topic).count()
    }

    fn balance(&self) -> i64 {
        int(self.world.get(&self.customer).expect("is there"), "balance")
    }
}

fn total(invoice: &Value) -> i64 {
    int(invoice, "total")
}

#[test]
fn the_first_invoice_is_paid_and_told() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    let subscription = shop.subscription(&id);
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["metadata"]["order"], "ord_1");
    assert_eq!(period(&subscription), (START, START + 28 * DAY), "to the last day of February");
    let invoice = shop.latest(&id);
    assert_eq!((total(&invoice), int(&invoice, "amount_paid")), (TWO_SEATS, TWO_SEATS));
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"]),
        (&json!("paid"), &json!("subscription_create"))
    );
    assert_eq!(invoices::subscription_of(&invoice), id);
    assert_eq!(invoice["parent"]["subscription_details"]["metadata"]["order"], "ord_1");
    let paid_by = text(&invoice["payments"]["data"][0]["payment"], "payment_intent");
    assert_eq!(shop.world.find("payment_intent", paid_by).expect("is there")["amount"], TWO_SEATS);
    let tax = &invoice["lines"]["data"][0]["taxes"][0];
    assert_eq!((&tax["amount"], &tax["tax_rate_details"]["tax_rate"]), (&json!(722), &json!(shop.vat)));
    for topic in ["customer.subscription.created", "invoice.created", "invoice.finalized", "invoice.paid"] {
        assert_eq!(shop.told(topic), 1, "{topic}");
    }
}

#[test]
fn of_a_declined_beginning_nothing_stays() {
    let mut shop = shop();
    shop.post("coupons", "id=TEN&percent_off=10");
    let fault = shop.try_to_subscribe(Some("TEN"), 0, Card::Declined).expect_err("is declined");
    assert_eq!((fault.status, fault.kind), (402, "card_error"));
    assert_eq!(shop.world.all("subscription").count() + shop.world.all("invoice").count(), 0);
    assert_eq!(shop.world.get("TEN").expect("is there")["times_redeemed"], 0);
}

#[test]
fn a_trial_is_free_and_its_end_is_announced() {
    let mut shop = shop();
    let begun = shop.try_to_subscribe(None, 14, Card::Good).expect("begins");
    let id = crate::world::id_of(&begun);
    assert_eq!((&begun["status"], &begun["trial_end"]), (&json!("trialing"), &json!(START + 14 * DAY)));
    assert_eq!((total(&shop.latest(&id)), &shop.latest(&id)["status"]), (0, &json!("paid")));
    shop.advance_to(START + 10 * DAY);
    assert_eq!(shop.told("customer.subscription.trial_will_end"), 0);
    shop.advance_to(START + 12 * DAY);
    assert_eq!(shop.told("customer.subscription.trial_will_end"), 1);
    shop.advance_to(START + 15 * DAY);
    assert_eq!(shop.told("customer.subscription.trial_will_end"), 1);
    assert_eq!(shop.subscription(&id)["status"], "active");
    let invoice = shop.latest(&id);
    assert_eq!((total(&invoice), &invoice["status"]), (TWO_SEATS, &json!("paid")));
    assert_eq!(period(&shop.subscription(&id)).0, START + 14 * DAY);
}

#[test]
fn a_trial_without_a_card_ends_as_it_was_told_to() {
    for (word, status) in [("pause", "paused"), ("cancel", "canceled"), ("create_invoice", "past_due")] {
        let mut shop = shop();
        let form = format!(
            "customer={}&items[0][price]={}&trial_period_days=5&trial_settings[end_behavior][missing_payment_method]={word}",
            shop.customer, shop.monthly,
        );
        let id = shop.made("subscriptions", &form);
        shop.advance_to(START + 6 * DAY);
        assert_eq!(shop.subscription(&id)["status"], status);
        if word == "pause" {
            cards::payment_method(&mut shop.world, &shop.customer.clone(), Card::Good);
            assert_eq!(shop.post(&format!("subscriptions/{id}/resume"), "")["status"], "active");
            assert_eq!(total(&shop.latest(&id)), 1_900);
        }
    }
}

#[test]
fn an_upgrade_is_previewed_to_the_cent_and_billed_at_once() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    shop.advance_to(START + 14 * DAY);
    let (item, larger) = (shop.item(&id), shop.larger.clone());
    let change = format!("[0][id]={item}&ITEMS[0][price]={larger}&ITEMS[0][quantity]=3");
    let asked = format!(
        "subscription={id}&subscription_details[proration_behavior]=always_invoice&{}",
        format!("ITEMS{change}").replace("ITEMS", "subscription_details[items]"),
    );
    let before = shop.subscription(&id);
    let preview = shop.post("invoices/create_preview", &asked);
    assert_eq!(shop.subscription(&id), before, "a preview changes nothing");
    let made =
        format!("proration_behavior=always_invoice&{}", format!("ITEMS{change}").replace("ITEMS", "items"));
    let after = shop.post(&format!("subscriptions/{id}"), &made);
    let invoice = shop.latest(&id);
    // Half of 2 × 19.00 back, half of 3 × 49.00 due, and tax on each.
    assert_eq!(int(&invoice, "subtotal"), -1_900 + 7_350);
    assert_eq!(total(&invoice), 5_450 - 361 + 1_397);
    for sum in ["subtotal", "total", "amount_due"] {
        assert_eq!(preview[sum], invoice[sum], "{sum}");
    }
    assert_eq!(
        (&invoice["status"], &invoice["billing_reason"]),
        (&json!("paid"), &json!("subscription_update"))
    );
    assert_eq!(after["items"]["data"][0]["quantity"], 3);
    assert_eq!(period(&after), period(&before), "the period stays");
    shop.advance_to(START + 29 * DAY);
    assert_eq!(int(&shop.latest(&id), "subtotal"), 3 * 4_900);
}

#[test]
fn a_declined_change_changes_nothing() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::DeclinesRenewals);
    shop.advance_to(START + 14 * DAY);
    let (before, invoices, item) = (shop.subscription(&id), shop.invoices(), shop.item(&id));
    let form = format!(
        "items[0][id]={item}&items[0][quantity]=9&proration_behavior=always_invoice&payment_behavior=error_if_incomplete"
    );
    let fault = shop.call("POST", &format!("subscriptions/{id}"), &form).expect_err("is declined");
    assert_eq!((fault.status, fault.kind), (402, "card_error"));
    assert_eq!(shop.subscription(&id), before);
    assert_eq!(shop.invoices(), invoices);
    assert_eq!(shop.told("customer.subscription.updated"), 0);
}

#[test]
fn without_proration_only_the_next_period_changes() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    shop.advance_to(START + 14 * DAY);
    let item = shop.item(&id);
    shop.post(
        &format!("subscriptions/{id}"),
        &format!("items[0][id]={item}&items[0][quantity]=1&proration_behavior=none"),
    );
    assert_eq!(shop.invoices().len(), 1);
    // What was paid for is still two seats: that is what an unused rest is worth.
    let at = START + 14 * DAY;
    let subscription = shop.subscription(&id);
    let rest = rest(&mut shop.world, &subscription, at);
    assert_eq!(int(&rest[0], "amount"), -1_900);
    shop.advance_to(START + 29 * DAY);
    assert_eq!(int(&shop.latest(&id), "subtotal"), 1_900);
}

#[test]
fn another_interval_begins_a_period_now() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    let at = START + 14 * DAY;
    shop.advance_to(at);
    let (item, yearly) = (shop.item(&id), shop.yearly.clone());
    let after =
        shop.post(&format!("subscriptions/{id}"), &format!("items[0][id]={item}&items[0][price]={yearly}"));
    assert_eq!(period(&after), (at, at + 365 * DAY));
    assert_eq!(after["billing_cycle_anchor"], at);
    assert_eq!(int(&shop.latest(&id), "subtotal"), 2 * 19_000 - 1_900);
}

#[test]
fn a_smaller_plan_leaves_a_balance_that_pays_the_next_invoice() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    shop.advance_to(START + 14 * DAY);
    let item = shop.item(&id);
    let form = format!("items[0][id]={item}&items[0][quantity]=1&proration_behavior=always_invoice");
    shop.post(&format!("subscriptions/{id}"), &form);
    let invoice = shop.latest(&id);
    assert_eq!((total(&invoice), int(&invoice, "amount_due")), (-1_900 - 361 + 950 + 181, 0));
    assert_eq!((shop.balance(), &invoice["status"]), (-1_130, &json!("paid")));
    shop.advance_to(START + 29 * DAY);
    let next = shop.latest(&id);
    assert_eq!((total(&next), int(&next, "amount_paid"), shop.balance()), (2_261, 1_131, 0));
}

#[test]
fn it_ends_with_its_period_or_goes_on_after_all() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    let ends = shop.post(&format!("subscriptions/{id}"), "cancel_at_period_end=true");
    assert_eq!((&ends["cancel_at"], &ends["status"]), (&json!(START + 28 * DAY), &json!("active")));
    let none = shop
        .call("POST", "invoices/create_preview", &format!("subscription={id}"))
        .expect_err("no next invoice");
    assert_eq!((none.status, none.code.as_deref()), (404, Some("invoice_upcoming_none")));
    let stays = shop.post(&format!("subscriptions/{id}"), "cancel_at_period_end=false");
    assert_eq!((&stays["cancel_at"], &stays["canceled_at"]), (&Value::Null, &Value::Null));
    shop.post(&format!("subscriptions/{id}"), "cancel_at_period_end=true");
    shop.advance_to(START + 29 * DAY);
    let ended = shop.subscription(&id);
    assert_eq!((&ended["status"], &ended["ended_at"]), (&json!("canceled"), &json!(START + 28 * DAY)));
    assert_eq!((shop.told("customer.subscription.deleted"), shop.invoices().len()), (1, 1));
    assert_eq!(shop.call("DELETE", &format!("subscriptions/{id}"), "").expect_err("once").status, 404);
    let listed = |shop: &mut Shop, query: &str| {
        let page = shop.call("GET", "subscriptions", query).expect("a list");
        items(&page).len()
    };
    assert_eq!((listed(&mut shop, ""), listed(&mut shop, "status=all")), (0, 1));
}

#[test]
fn a_year_passes_at_once() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    shop.advance_to(START + 365 * DAY);
    assert_eq!(shop.invoices().len(), 13);
    let ends: Vec<String> =
        shop.invoices().iter().rev().take(4).map(|invoice| words::day(int(invoice, "created"))).collect();
    assert_eq!(ends, ["31 Jan 2027", "28 Feb 2027", "31 Mar 2027", "30 Apr 2027"]);
    assert!(shop.invoices().iter().all(|invoice| invoice["status"] == "paid" && total(invoice) == TWO_SEATS));
    assert_eq!(words::day(period(&shop.subscription(&id)).1), "29 Feb 2028");
    let mut numbers: Vec<String> =
        shop.invoices().iter().map(|invoice| text(invoice, "number").to_owned()).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 13, "each has a number of its own");
}

#[test]
fn failed_renewals_are_tried_again_and_then_it_ends() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::DeclinesRenewals);
    let renewal = START + 28 * DAY;
    for (days, status, attempts, next) in [
        (0, "past_due", 1, Some(3)),
        (3, "past_due", 2, Some(8)),
        (8, "past_due", 3, Some(15)),
        (15, "canceled", 4, None),
    ] {
        shop.advance_to(renewal + days * DAY);
        assert_eq!(shop.subscription(&id)["status"], status, "after {days} days");
        let invoice = shop.latest(&id);
        assert_eq!(invoice["attempt_count"], attempts, "after {days} days");
        assert_eq!(invoice["next_payment_attempt"].as_i64(), next.map(|days: i64| renewal + days * DAY));
    }
    assert_eq!(shop.latest(&id)["status"], "uncollectible");
    assert_eq!(shop.told("invoice.payment_failed"), 4);
    assert_eq!(shop.told("customer.subscription.deleted"), 1);
    assert_eq!(shop.subscription(&id)["cancellation_details"]["reason"], "payment_failed");
}

#[test]
fn paying_by_hand_brings_it_back() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::DeclinesRenewals);
    shop.advance_to(START + 29 * DAY);
    let invoice = crate::world::id_of(&shop.latest(&id));
    let fault = invoices::pay(&mut shop.world, &invoice, Card::Declined).expect_err("is declined");
    assert_eq!(fault.status, 402);
    assert_eq!(shop.latest(&id)["attempt_count"], 1, "only the calendar counts");
    assert!(shop.latest(&id)["next_payment_attempt"].is_i64(), "the calendar goes on");
    invoices::pay(&mut shop.world, &invoice, Card::Good).expect("pays");
    assert_eq!(shop.subscription(&id)["status"], "active");
    assert_eq!(shop.latest(&id)["next_payment_attempt"], Value::Null);
    assert!(invoices::pay(&mut shop.world, &invoice, Card::Good).is_err(), "once");
}

#[test]
fn coupons_last_as_long_as_they_say() {
    for (coupon, nets) in [
        ("percent_off=50&duration=once", [1_900, 3_800, 3_800]),
        ("amount_off=800&currency=eur&duration=repeating&duration_in_months=2", [3_000, 3_000, 3_800]),
        ("percent_off=10&duration=forever", [3_420, 3_420, 3_420]),
    ] {
        let mut shop = shop();
        shop.post("coupons", &format!("id=OFF&{coupon}"));
        shop.subscribe(&["OFF"], Card::Good);
        shop.advance_to(START + 60 * DAY);
        let mut billed: Vec<i64> =
            shop.invoices().iter().map(|invoice| int(invoice, "total_excluding_tax")).collect();
        billed.reverse();
        assert_eq!(billed, nets, "{coupon}");
        assert_eq!(shop.world.get("OFF").expect("is there")["times_redeemed"], 1);
    }
}

#[test]
fn what_nobody_pays_for_expires() {
    let mut shop = shop();
    cards::payment_method(&mut shop.world, &shop.customer.clone(), Card::Declined);
    let form = format!("customer={}&items[0][price]={}", shop.customer, shop.monthly);
    let id = shop.made("subscriptions", &form);
    assert_eq!(shop.subscription(&id)["status"], "incomplete");
    assert_eq!(
        (&shop.latest(&id)["status"], &shop.latest(&id)["next_payment_attempt"]),
        (&json!("open"), &Value::Null)
    );
    let refused = shop.call("POST", "subscriptions", &format!("{form}&payment_behavior=error_if_incomplete"));
    assert_eq!(refused.expect_err("is declined").status, 402);
    shop.advance_to(START + DAY);
    assert_eq!(shop.subscription(&id)["status"], "incomplete_expired");
    assert_eq!(shop.latest(&id)["status"], "void");
}

#[test]
fn nonsense_is_refused() {
    let mut shop = shop();
    let id = shop.subscribe(&[], Card::Good);
    let one_off = shop.made("prices", "product=pro&currency=eur&unit_amount=1");
    let dollars = shop.made("prices", "product=pro&currency=usd&unit_amount=1&recurring[interval]=month");
    let item = shop.item(&id);
    for form in [
        format!("items[0][id]={item}&items[0][price]={one_off}"),
        format!("items[0][id]={item}&items[0][price]={dollars}"),
        format!("items[0][id]={item}&items[0][quantity]=-1"),
        format!("items[0][id]={item}&items[0][deleted]=true"),
        "items[0][id]=si_none&items[0][quantity]=1".to_owned(),
        "proration_date=1".to_owned(),
        "proration_behavior=sometimes".to_owned(),
        "discounts[0][coupon]=NONE".to_owned(),
        "cancel_at_perod_end=true".to_owned(),
    ] {
        let before = shop.subscription(&id);
        let fault = shop.call("POST", &format!("subscriptions/{id}"), &form).expect_err(&form);
        assert_eq!(fault.status, 400, "{form}");
        assert_eq!(shop.subscription(&id), before, "{form}");
    }
    let unpaid = shop.made("customers", "email=b@example.com");
    let form = format!("customer={unpaid}&items[0][price]={}", shop.monthly);
    assert_eq!(
        shop.call("POST", "subscriptions", &form).expect_err("no card").code.as_deref(),
        Some("resource_missing")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// To and fro at one moment comes to nothing, whatever the moment, the coupon and the number of seats.
    #[test]
    fn to_and_fro_comes_to_nothing(seats in 1_i64..500, at in 1_i64..28 * DAY, off in 0_i64..100) {
        let mut shop = shop();
        let coupons: &[&str] = if off > 0 {
            shop.post("coupons", &format!("id=OFF&percent_off={off}&duration=forever"));
            &["OFF"]
        } else {
            &[]
        };
        let id = shop.subscribe(coupons, Card::Good);
        shop.advance_to(START + at);
        let (item, larger, monthly) = (shop.item(&id), shop.larger.clone(), shop.monthly.clone());
        shop.post(&format!("subscriptions/{id}"), &format!("items[0][id]={item}&items[0][price]={larger}&items[0][quantity]={seats}"));
        shop.post(&format!("subscriptions/{id}"), &format!("items[0][id]={item}&items[0][price]={monthly}&items[0][quantity]=2"));
        let waiting = Book::of(&shop.world, &id).pending;
        let sum: i64 = waiting
            .iter()
            .map(|line| {
                let part = |name: &str| items(&line[name]).iter().map(|part| int(part, "amount")).sum::<i64>();
                int(line, "amount") - part("discount_amounts") + part("taxes")
            })
            .sum();
        prop_assert_eq!(sum, 0);
    }

    /// The preview of a change and the invoice of the change are the same, at any moment.
    #[test]
    fn a_preview_is_what_is_billed(seats in 1_i64..500, at in 1_i64..27 * DAY, behaviour in 0_usize..2, yearly in any::<bool>()) {
        let mut shop = shop();
        let id = shop.subscribe(&[], Card::Good);
        shop.advance_to(START + at);
        let item = shop.item(&id);
        let price = if yearly { shop.yearly.clone() } else { shop.larger.clone() };
        let behaviour = ["always_invoice", "none"][behaviour];
        let items = |name: &str| format!("{name}[0][id]={item}&{name}[0][price]={price}&{name}[0][quantity]={seats}");
        let preview = shop.post("invoices/create_preview", &format!(
            "subscription={id}&subscription_details[proration_behavior]={behaviour}&{}", items("subscription_details[items]"),
        ));
        shop.post(&format!("subscriptions/{id}"), &format!("proration_behavior={behaviour}&{}", items("items")));
        if behaviour == "none" && !yearly {
            shop.advance_to(START + 28 * DAY);
        }
        let invoice = shop.latest(&id);
        for sum in ["subtotal", "total", "amount_due", "ending_balance"] {
            prop_assert_eq!(&preview[sum], &invoice[sum]);
        }
    }
}
