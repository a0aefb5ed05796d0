//! What has happened, newest first, with buttons to make more of it happen.

use std::{fmt::Write, sync::Arc};

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use serde_json::Value;

use super::{act, escape, fault_page, money, notice, page};
use crate::{
    Shared, Weather,
    fields::{int, items, text},
    params::Params,
    world::World,
};

const NEWEST: usize = 12;

/// A button: what it does, and what stands on it.
type Button = (&'static str, &'static str);

/// A table of one kind of thing.
struct Section {
    title: &'static str,
    kind: &'static str,
    /// HTML of the middle of a row.
    about: fn(&Value) -> String,
    buttons: fn(&Value) -> Vec<Button>,
}

const SECTIONS: [Section; 6] = [
    Section { title: "Sessions", kind: "checkout.session", about: session, buttons: session_buttons },
    Section { title: "Payments", kind: "charge", about: charge, buttons: charge_buttons },
    Section { title: "Refunds", kind: "refund", about: sum, buttons: refund_buttons },
    Section { title: "Disputes", kind: "dispute", about: sum, buttons: dispute_buttons },
    Section {
        title: "Subscriptions",
        kind: "subscription",
        about: subscription,
        buttons: subscription_buttons,
    },
    Section { title: "Events", kind: "event", about: event, buttons: event_buttons },
];

pub async fn show(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(&query.unwrap_or_default());
    let told = query.ok().and_then(|query| {
        let done = query
            .text("done")
            .map(|words| format!("<p class=\"done\" role=\"status\">{}</p>", escape(words)));
        done.or_else(|| query.text("failed").map(notice))
    });
    let weather = shared.weather();
    let drawn = act(&shared, |world| {
        let mut html = String::from("<h1>Simulator of Stripe</h1>");
        html.push_str(&told.unwrap_or_default());
        html.push_str(&time(world));
        for part in &SECTIONS {
            html.push_str(&section(world, part));
        }
        html.push_str(&weather_form(weather));
        Ok(html)
    });
    match drawn {
        Ok(html) => page(StatusCode::OK, "Simulator of Stripe", &html),
        Err(fault) => fault_page(&fault),
    }
}

fn time(world: &World) -> String {
    let days = world.ahead() / (24 * 60 * 60);
    let words = match days {
        0 => "This world keeps the machine's time.".to_owned(),
        1 => "This world is a day ahead.".to_owned(),
        days => format!("This world is {days} days ahead."),
    };
    let mut buttons = String::new();
    for (days, words) in [(1, "1 day"), (31, "1 month"), (366, "1 year")] {
        let _ = write!(
            buttons,
            "<form method=\"post\"><input type=\"hidden\" name=\"days\" value=\"{days}\">\
             <button name=\"action\" value=\"advance\" class=\"plain\">Advance time by {words}</button></form>",
        );
    }
    format!(
        "<section aria-labelledby=\"time\"><h2 id=\"time\">Time</h2><p>{words}</p><div class=\"buttons\">{buttons}</div></section>"
    )
}

fn section(world: &World, part: &Section) -> String {
    let (title, anchor) = (part.title, part.title.to_ascii_lowercase());
    let mut rows = String::new();
    for object in world.all(part.kind).take(NEWEST) {
        let id = escape(text(object, "id"));
        let _ =
            write!(rows, "<tr><th scope=\"row\"><code>{id}</code></th><td>{}</td><td>", (part.about)(object));
        for (action, words) in (part.buttons)(object) {
            let _ = write!(
                rows,
                "<form method=\"post\"><input type=\"hidden\" name=\"id\" value=\"{id}\">\
                 <button name=\"action\" value=\"{action}\" class=\"small\" aria-label=\"{words}: {id}\">{words}</button></form>",
            );
        }
        rows.push_str("</td></tr>");
    }
    let table = if rows.is_empty() {
        "<p class=\"hint\">None yet.</p>".to_owned()
    } else {
        format!(
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\"><table><thead><tr>\
             <th scope=\"col\">Id</th><th scope=\"col\">What</th><th scope=\"col\">Make it happen</th></tr></thead>\
             <tbody>{rows}</tbody></table></div>",
        )
    };
    format!("<section aria-labelledby=\"{anchor}\"><h2 id=\"{anchor}\">{title}</h2>{table}</section>")
}

fn amount(object: &Value) -> String {
    money(int(object, "amount"), text(object, "currency"))
}

fn sum(object: &Value) -> String {
    let charge = escape(text(object, "charge"));
    format!("{} of <code>{charge}</code>, {}", amount(object), state(object))
}

fn state(object: &Value) -> String {
    escape(&text(object, "status").replace('_', " "))
}

fn session(session: &Value) -> String {
    let (id, total) =
        (escape(text(session, "id")), money(int(session, "amount_total"), text(session, "currency")));
    let paid = escape(&text(session, "payment_status").replace('_', " "));
    format!("<a href=\"/pay/{id}\">{total}</a>, {}, {paid}", state(session))
}

fn session_buttons(session: &Value) -> Vec<Button> {
    match (text(session, "status"), text(session, "payment_status")) {
        ("open", _) => vec![("expire", "Expire")],
        ("complete", "unpaid") => vec![("settle", "Succeed"), ("fail", "Fail")],
        _ => Vec::new(),
    }
}

fn charge(charge: &Value) -> String {
    let refunded = int(charge, "amount_refunded");
    let back = match refunded {
        0 => String::new(),
        _ => format!(", {} given back", money(refunded, text(charge, "currency"))),
    };
    let disputed = if charge["disputed"] == true { ", disputed" } else { "" };
    format!("{}, {}{back}{disputed}", amount(charge), state(charge))
}

fn charge_buttons(charge: &Value) -> Vec<Button> {
    let open = charge["status"] == "succeeded" && charge["refunded"] == false && charge["disputed"] == false;
    if open { vec![("refund", "Refund"), ("dispute", "Dispute")] } else { Vec::new() }
}

fn refund_buttons(refund: &Value) -> Vec<Button> {
    if refund["status"] == "succeeded" { vec![("fail_refund", "Make it fail")] } else { Vec::new() }
}

fn dispute_buttons(dispute: &Value) -> Vec<Button> {
    match text(dispute, "status") {
        "won" | "lost" => Vec::new(),
        _ => vec![("win", "Win"), ("lose", "Lose")],
    }
}

fn subscription(subscription: &Value) -> String {
    let seats: i64 = items(&subscription["items"]).iter().map(|item| int(item, "quantity")).sum();
    let ends = if subscription["cancel_at_period_end"] == true { ", ends with its period" } else { "" };
    format!(
        "{seats} × <code>{}</code>, {}{ends}",
        escape(text(subscription, "customer")),
        state(subscription)
    )
}

fn subscription_buttons(subscription: &Value) -> Vec<Button> {
    match text(subscription, "status") {
        "canceled" | "incomplete_expired" => Vec::new(),
        _ => vec![("next_period", "Go to the next period")],
    }
}

fn event(event: &Value) -> String {
    let told = if int(event, "pending_webhooks") > 0 { "waits" } else { "received" };
    let about = escape(text(&event["data"]["object"], "id"));
    format!("{} of <code>{about}</code>, {told}", escape(text(event, "type")))
}

fn event_buttons(event: &Value) -> Vec<Button> {
    // One that waits is sent without anybody's help.
    if int(event, "pending_webhooks") > 0 { Vec::new() } else { vec![("send_again", "Send again")] }
}

fn weather_form(weather: Weather) -> String {
    let mut fields = String::new();
    for (name, words, value) in [
        ("lose_answer", "Lost answers, %", weather.lose_answer),
        ("duplicate", "Events delivered twice, %", weather.duplicate),
        ("drop", "Deliveries lost, %", weather.drop),
    ] {
        let percent = value * 100.0;
        let _ = write!(
            fields,
            "<p class=\"field\"><label for=\"{name}\">{words}</label><input id=\"{name}\" name=\"{name}\" \
             type=\"number\" min=\"0\" max=\"100\" step=\"any\" value=\"{percent}\"></p>",
        );
    }
    for (name, words, value) in [
        ("slow_from", "Answers take at least, ms", weather.slow_ms.0),
        ("slow_to", "Answers take at most, ms", weather.slow_ms.1),
        ("delay_from", "Events wait at least, ms", weather.delay_ms.0),
        ("delay_to", "Events wait at most, ms", weather.delay_ms.1),
    ] {
        let _ = write!(
            fields,
            "<p class=\"field\"><label for=\"{name}\">{words}</label><input id=\"{name}\" name=\"{name}\" \
             type=\"number\" min=\"0\" max=\"60000\" value=\"{value}\"></p>",
        );
    }
    let checked = if weather.shuffle { " checked" } else { "" };
    format!(
        "<section aria-labelledby=\"weather\"><h2 id=\"weather\">Weather</h2>\
         <form method=\"post\"><div class=\"fields\">{fields}</div><label class=\"choice\">\
         <input type=\"checkbox\" name=\"shuffle\" value=\"yes\"{checked}><span>Events overtake each other</span></label>\
         <p><button name=\"action\" value=\"weather\">Change the weather</button></p></form></section>",
    )
}
