//! What the buttons of the dashboard do.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::json;

use super::{act as whole, is_ours, not_ours, see_other};
use crate::{
    Shared, Weather, checkout,
    disputes::{self, Verdict},
    fault::Fault,
    fields::{int, items, text},
    params::Params,
    refunds,
};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Longer than anything is worth waiting for.
const MAX_WAIT_MS: u64 = 60_000;

pub async fn act(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    if !is_ours(&headers) {
        return not_ours();
    }
    let done = Params::parse(&body).and_then(|form| carry_out(&shared, &form));
    let (name, words) = match done {
        Ok(words) => ("done", words),
        Err(fault) => ("failed", fault.message),
    };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &words).finish();
    see_other(&format!("/?{query}"))
}

fn carry_out(shared: &Shared, form: &Params) -> Result<String, Fault> {
    let id = form.text("id").unwrap_or_default();
    let done = |words: &str| Ok(words.to_owned());
    match form.required("action")? {
        "refund" => {
            whole(shared, |world| {
                let charge = world.find("charge", id)?;
                refunds::refund(world, &charge, None, None, &json!({}))
            })?;
            done("The payment is refunded.")
        }
        "fail_refund" => {
            whole(shared, |world| refunds::fail(world, id))?;
            done("The refund has failed.")
        }
        "dispute" => {
            whole(shared, |world| disputes::open(world, id))?;
            done("The payment is disputed.")
        }
        "win" => {
            whole(shared, |world| disputes::close(world, id, Verdict::Won))?;
            done("The dispute is won.")
        }
        "lose" => {
            whole(shared, |world| disputes::close(world, id, Verdict::Lost))?;
            done("The dispute is lost.")
        }
        "settle" => {
            whole(shared, |world| checkout::settle_slow(world, id, true))?;
            done("The slow payment has succeeded.")
        }
        "fail" => {
            whole(shared, |world| checkout::settle_slow(world, id, false))?;
            done("The slow payment has failed.")
        }
        "expire" => {
            whole(shared, |world| checkout::expire(world, id))?;
            done("The session has expired.")
        }
        "next_period" => next_period(shared, id),
        "send_again" => send_again(shared, id),
        "advance" => advance(shared, days(form)? * DAY),
        "weather" => set_weather(shared, form),
        _ => Err(Fault::invalid("action", "There is no such button.")),
    }
}

fn days(form: &Params) -> Result<i64, Fault> {
    form.int("days")?
        .filter(|days| (1..=366).contains(days))
        .ok_or_else(|| Fault::invalid("days", "Between 1 and 366 days."))
}

fn advance(shared: &Shared, seconds: i64) -> Result<String, Fault> {
    shared.advance(seconds).map_err(|error| {
        tracing::error!(%error, "the journal cannot be written");
        Fault::broken()
    })?;
    Ok("Time was moved ahead.".to_owned())
}

/// Moves the whole world to just after the end of this subscription's period.
fn next_period(shared: &Shared, id: &str) -> Result<String, Fault> {
    let left = whole(shared, |world| {
        let subscription = world.find("subscription", id)?;
        let end = items(&subscription["items"]).iter().map(|item| int(item, "current_period_end")).max();
        let now = world.now_for(text(&subscription, "customer"));
        Ok(end.unwrap_or(now) - now + HOUR + 1)
    })?;
    advance(shared, left)
}

fn send_again(shared: &Shared, id: &str) -> Result<String, Fault> {
    whole(shared, |world| {
        world.find("event", id)?;
        world.change(id, |event| event["pending_webhooks"] = json!(1));
        world.undelivered.push(id.to_owned());
        Ok(())
    })?;
    Ok("The event is sent again.".to_owned())
}

fn set_weather(shared: &Shared, form: &Params) -> Result<String, Fault> {
    let weather = Weather {
        lose_answer: share(form, "lose_answer")?,
        slow_ms: range(form, "slow")?,
        duplicate: share(form, "duplicate")?,
        drop: share(form, "drop")?,
        delay_ms: range(form, "delay")?,
        shuffle: form.text("shuffle") == Some("yes"),
    };
    *shared.lock_weather() = weather;
    Ok("The weather has changed.".to_owned())
}

/// A percentage as a probability.
fn share(form: &Params, name: &str) -> Result<f64, Fault> {
    let percent: f64 = form.text(name).unwrap_or("0").parse().unwrap_or(-1.0);
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err(Fault::invalid(name, "A probability is between 0 and 100 %."))
    }
}

fn range(form: &Params, name: &str) -> Result<(u64, u64), Fault> {
    let bound = |end: &str| form.text(&format!("{name}_{end}")).unwrap_or("0").parse::<u64>().ok();
    match (bound("from"), bound("to")) {
        (Some(from), Some(to)) if from <= to && to <= MAX_WAIT_MS => Ok((from, to)),
        _ => Err(Fault::invalid(name, "Waits are from 0 to 60000 ms, the shorter one first.")),
    }
}
