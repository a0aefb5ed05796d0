//! What time brings by itself: the end of trials and periods, renewals, retries of failed payments.
//!
//! What always holds: for one customer, things happen in the order of their times, however far the clock jumped; each of
//! them moves its own time on or ends something, so there is an end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    cards::OffSession,
    fault::Fault,
    fields::{int, text},
    invoices::{self, By, Head},
    params::Params,
    subscriptions::{self, book::Book, discounts, plan, proration},
    world::World,
};

const DAY: i64 = 86_400;
/// A trial's end is announced this long before.
const TRIAL_NOTICE: i64 = 3 * DAY;
/// Who has not paid the first invoice by then has not subscribed.
const INCOMPLETE_FOR: i64 = 23 * 3_600;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    TrialSoon(String),
    PeriodEnd(String),
    /// Of a subscription whose first invoice nobody paid.
    Expiry(String),
    /// Of an invoice.
    Retry(String),
}

/// The next thing of each customer that is due, earliest first. `until` says up to when a customer's things are due;
/// without an answer they are not looked at.
pub fn due(world: &World, until: impl Fn(&str) -> Option<i64>) -> Vec<(i64, Due)> {
    let mut next: BTreeMap<String, (i64, Due)> = BTreeMap::new();
    let mut consider = |customer: &str, at: i64, due: Due| {
        if until(customer).is_none_or(|until| at > until) {
            return;
        }
        let earlier = next.get(customer).is_some_and(|(other, _)| *other <= at);
        if !earlier {
            next.insert(customer.to_owned(), (at, due));
        }
    };
    for invoice in world.all("invoice").filter(|invoice| invoice["status"] == "open") {
        if let Some(at) = invoice["next_payment_attempt"].as_i64() {
            consider(text(invoice, "customer"), at, Due::Retry(text(invoice, "id").to_owned()));
        }
    }
    for subscription in world.all("subscription") {
        let (id, customer) = (text(subscription, "id").to_owned(), text(subscription, "customer"));
        let (_, end) = subscriptions::period(subscription);
        match text(subscription, "status") {
            "trialing"
                if end - TRIAL_NOTICE > int(subscription, "created") && !Book::of(world, &id).trial_told =>
            {
                consider(customer, end - TRIAL_NOTICE, Due::TrialSoon(id));
            }
            "trialing" | "active" | "past_due" | "unpaid" => consider(customer, end, Due::PeriodEnd(id)),
            "incomplete" => {
                consider(customer, int(subscription, "created") + INCOMPLETE_FOR, Due::Expiry(id));
            }
            _ => {}
        }
    }
    let mut all: Vec<(i64, Due)> = next.into_values().collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

pub fn carry_out(world: &mut World, at: i64, due: &Due) {
    match due {
        Due::TrialSoon(id) => {
            let mut book = Book::of(world, id);
            book.trial_told = true;
            book.keep(world, id);
            world.emit("customer.subscription.trial_will_end", id);
        }
        Due::PeriodEnd(id) => period_end(world, id, at),
        Due::Expiry(id) => expire(world, id, at),
        Due::Retry(id) => retry(world, id, at),
    }
}

fn period_end(world: &mut World, id: &str, at: i64) {
    let Some(subscription) = world.get(id).cloned() else { return };
    if subscription["cancel_at_period_end"] == true {
        subscriptions::end(world, id, "cancellation_requested", at);
        return;
    }
    let without_card =
        subscription["status"] == "trialing" && subscriptions::card(world, &subscription).is_none();
    match text(&subscription["trial_settings"]["end_behavior"], "missing_payment_method") {
        "cancel" if without_card => {
            subscriptions::end(world, id, "cancellation_requested", at);
        }
        "pause" if without_card => {
            world.change(id, |subscription| subscription["status"] = json!("paused"));
            world.emit("customer.subscription.paused", id);
        }
        _ => cycle(world, subscription, at, "subscription_cycle"),
    }
}

/// Moves a subscription into the period that begins now, and says what that is billed at.
pub fn turn(
    world: &mut World,
    subscription: &mut Value,
    book: &mut Book,
    discounts: &[Value],
    at: i64,
) -> Vec<Value> {
    let anchor = int(subscription, "billing_cycle_anchor");
    let end = plan::interval(subscription).next(anchor, at);
    plan::set_period(subscription, at, end);
    let holds = |discount: &&Value| discount["end"].as_i64().is_none_or(|end| at < end);
    let discounts: Vec<Value> = discounts.iter().filter(holds).cloned().collect();
    proration::full(world, subscription, &discounts, book)
}

/// The next period, with its invoice.
fn cycle(world: &mut World, mut subscription: Value, at: i64, reason: &str) {
    let id = text(&subscription, "id").to_owned();
    let mut book = Book::of(world, &id);
    let mut lines = std::mem::take(&mut book.pending);
    let (before, _) = subscriptions::period(&subscription);
    let discounts = discounts::live(world, &subscription, at);
    lines.extend(turn(world, &mut subscription, &mut book, &discounts, at));
    if matches!(text(&subscription, "status"), "trialing" | "paused") {
        subscription["status"] = json!("active");
    }
    let head = Head { subscription: &subscription, reason, at, period: (before, at) };
    let invoice = invoices::invoice(world, &head, lines.clone());
    subscription["latest_invoice"] = invoice["id"].clone();
    discounts::use_up(world, &mut subscription, &lines, at);
    let card = subscriptions::card(world, &subscription);
    world.put(subscription);
    book.keep(world, &id);
    world.emit("customer.subscription.updated", &id);
    invoices::post(world, &invoice);
    if int(&invoice, "amount_due") > 0 {
        // A decline is written down by the attempt, and tried again later.
        let _ = invoices::attempt(world, text(&invoice, "id"), card, By::Schedule(at), OffSession::Yes);
    }
}

fn retry(world: &mut World, id: &str, at: i64) {
    let Some(invoice) = world.get(id).cloned() else { return };
    let subscription = invoices::subscription_of(&invoice);
    let card =
        world.get(subscription).cloned().and_then(|subscription| subscriptions::card(world, &subscription));
    if invoices::attempt(world, id, card, By::Schedule(at), OffSession::Yes).is_ok() {
        return;
    }
    let last = world.get(id).is_some_and(|invoice| invoice["next_payment_attempt"].is_null());
    if last {
        invoices::give_up(world, id);
        subscriptions::end(world, subscription, "payment_failed", at);
    }
}

fn expire(world: &mut World, id: &str, at: i64) {
    world.change(id, |subscription| {
        subscription["status"] = json!("incomplete_expired");
        subscription["ended_at"] = json!(at);
    });
    for invoice in invoices::open_of(world, id) {
        // It is open, so it can be voided.
        let _ = invoices::void(world, &invoice);
    }
    world.emit("customer.subscription.updated", id);
}

/// Goes on with a subscription that was paused at the end of its trial.
pub fn resume(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["billing_cycle_anchor", "proration_behavior", "proration_date"])?;
    let mut subscription = world.find("subscription", id)?;
    if subscription["status"] != "paused" {
        return Err(Fault::invalid("id", "Only a paused subscription can be resumed."));
    }
    let at = world.now_for(text(&subscription, "customer"));
    subscription["billing_cycle_anchor"] = json!(at);
    cycle(world, subscription, at, "subscription_update");
    world.emit("customer.subscription.resumed", id);
    world.find("subscription", id)
}
