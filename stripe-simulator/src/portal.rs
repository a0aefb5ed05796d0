//! The customer portal: what somebody subscribes to, with a way to end it, to keep it after all, and to change the card.
//!
//! What always holds: a portal session shows and changes what its own customer has, and nothing else.

use std::{fmt::Write, sync::Arc};

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Shared,
    cards::{self, Card, NOT_FOR_TESTS},
    fault::Fault,
    fields::{int, items, referred, text},
    http::Request,
    pages,
    params::Params,
    subscriptions::{self, words},
    world::{World, id_of},
};

const KIND: &str = "billing_portal.session";

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    match (request.method, request.path.as_slice()) {
        ("POST", ["billing_portal", "sessions"]) => Some(create(world, request)),
        _ => None,
    }
}

fn create(world: &mut World, request: &Request<'_>) -> Result<Value, Fault> {
    let params = &request.params;
    params.only(&["configuration", "customer", "locale", "return_url"])?;
    let customer = params.required("customer")?;
    referred(world, "customer", customer, "customer")?;
    let back = params.text("return_url");
    let usable = |back: &str| Url::parse(back).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if back.is_some_and(|back| !usable(back)) {
        let words = "Not a valid URL. URLs must begin with http or https.";
        return Err(Fault { code: Some("url_invalid".to_owned()), ..Fault::invalid("return_url", words) });
    }
    let id = world.new_secret("bps", 24);
    Ok(world.put(json!({
        "id": id, "object": KIND, "configuration": "bpc_simulator", "created": world.now(), "customer": customer,
        "customer_account": null, "flow": null, "livemode": false, "locale": params.text("locale"),
        "on_behalf_of": null, "return_url": back, "url": format!("{}/portal/{id}", request.base),
    })))
}

pub async fn show(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match pages::act(&shared, |world| page(world, &id)) {
        Ok(html) => pages::page(StatusCode::OK, "Your subscriptions", &html),
        Err(fault) => pages::fault_page(&fault),
    }
}

pub async fn submit(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if !pages::is_ours(&headers) {
        return pages::not_ours();
    }
    let done = Params::parse(&body).and_then(|form| pages::act(&shared, |world| act(world, &id, &form)));
    match done {
        Ok(place) => pages::see_other(&place),
        Err(fault) => pages::fault_page(&fault),
    }
}

/// The main part of the page.
fn page(world: &World, id: &str) -> Result<String, Fault> {
    let session = world.find(KIND, id)?;
    let customer = text(&session, "customer");
    let mut html = String::from("<h1>Your subscriptions</h1>");
    let mut any = false;
    let own =
        |subscription: &&Value| subscription["customer"] == customer && !subscriptions::is_over(subscription);
    for subscription in world.all("subscription").filter(own) {
        any = true;
        html.push_str(&shown(world, id, subscription));
    }
    if !any {
        html.push_str("<p>There is no subscription.</p>");
    }
    let open = |invoice: &&Value| invoice["customer"] == customer && invoice["status"] == "open";
    for invoice in world.all("invoice").filter(open) {
        let due = pages::money(int(invoice, "amount_due"), text(invoice, "currency"));
        let (place, number) = (pages::escape(text(invoice, "id")), pages::escape(text(invoice, "number")));
        let _ = write!(html, "<p><a href=\"/invoice/{place}\">Pay invoice {number}</a>: {due} is due.</p>");
    }
    html.push_str(&card_form(world, id, customer));
    if let Some(back) = session["return_url"].as_str() {
        let _ = write!(html, "<p><a href=\"{}\">Back to the shop</a></p>", pages::escape(back));
    }
    Ok(html)
}

fn shown(world: &World, session: &str, subscription: &Value) -> String {
    let (_, end) = subscriptions::period(subscription);
    let id = pages::escape(text(subscription, "id"));
    let mut html = format!("<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">Subscription</h2><ul>");
    for item in items(&subscription["items"]) {
        let line = words::line(world, &item["price"], int(item, "quantity"));
        let _ = write!(html, "<li>{}</li>", pages::escape(&line));
    }
    let day = words::day(end);
    let (what, action, button) = if subscription["cancel_at_period_end"] == true {
        ("Ends on", "keep", "Keep it")
    } else if subscription["status"] == "trialing" {
        ("The trial ends on", "cancel", "End it with the trial")
    } else {
        ("Renews on", "cancel", "End it with this period")
    };
    let state = pages::escape(text(subscription, "status"));
    let _ = write!(
        html,
        "</ul><p>{what} {day}. Its state is <strong>{state}</strong>.</p>\
         <form method=\"post\" action=\"/portal/{session}\"><input type=\"hidden\" name=\"subscription\" value=\"{id}\">\
         <p><button name=\"action\" value=\"{action}\">{button}</button></p></form></section>",
        session = pages::escape(session),
    );
    html
}

fn card_form(world: &World, session: &str, customer: &str) -> String {
    let customer = world.get(customer).cloned().unwrap_or_default();
    let method = customer["invoice_settings"]["default_payment_method"].as_str();
    let card = method.map(|method| cards::card_of(world, method));
    let present = card.map_or_else(
        || "No card is on file.".to_owned(),
        |card| format!("The card on file ends in {}.", card.last4()),
    );
    format!(
        "<form method=\"post\" action=\"/portal/{}\" aria-labelledby=\"card\"><h2 id=\"card\">Card</h2><p>{present}</p>{}\
         <p><button name=\"action\" value=\"card\">Change the card</button></p></form>",
        pages::escape(session),
        pages::card_fields(card.unwrap_or(Card::Good)),
    )
}

/// Carries a form of the page out, and says where to go then.
fn act(world: &mut World, id: &str, form: &Params) -> Result<String, Fault> {
    let session = world.find(KIND, id)?;
    let customer = text(&session, "customer");
    match form.required("action")? {
        action @ ("cancel" | "keep") => {
            let subscription = world.find("subscription", form.required("subscription")?)?;
            if subscription["customer"] != customer || subscriptions::is_over(&subscription) {
                return Err(Fault::not_found("subscription", text(&subscription, "id")));
            }
            let at = world.now_for(customer);
            let subscription = text(&subscription, "id");
            world.change(subscription, |subscription| {
                subscriptions::set_cancel_at_period_end(subscription, action == "cancel", at);
            });
            world.emit("customer.subscription.updated", subscription);
        }
        "card" => {
            let card = pages::card_of(form).ok_or_else(|| Fault::invalid("number", NOT_FOR_TESTS))?;
            change_card(world, customer, card);
        }
        _ => return Err(Fault::invalid("action", "There is no such action.")),
    }
    Ok(format!("/portal/{id}"))
}

/// From now on everything of this customer is charged to the new card.
fn change_card(world: &mut World, customer: &str, card: Card) {
    let method = id_of(&cards::payment_method(world, customer, card));
    world.emit("customer.updated", customer);
    let own = |subscription: &&Value| {
        subscription["customer"] == customer
            && subscription["default_payment_method"].is_string()
            && !subscriptions::is_over(subscription)
    };
    let subscriptions: Vec<String> = world.all("subscription").filter(own).map(id_of).collect();
    for subscription in subscriptions {
        world.change(&subscription, |subscription| subscription["default_payment_method"] = json!(method));
        world.emit("customer.subscription.updated", &subscription);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::tests::{Shop, shop};

    fn opened(shop: &mut Shop) -> String {
        let request = Request {
            method: "POST",
            path: vec!["billing_portal", "sessions"],
            params: Params::parse(&format!("customer={}&return_url=https://example.com/a", shop.customer))
                .expect("reads"),
            base: "http://127.0.0.1:1".to_owned(),
        };
        let session = create(&mut shop.world, &request).expect("made");
        assert_eq!(session["url"], format!("http://127.0.0.1:1/portal/{}", id_of(&session)));
        id_of(&session)
    }

    #[test]
    fn one_ends_a_subscription_and_keeps_it_after_all() {
        let mut shop = shop();
        let subscription = shop.subscribe(&[], Card::Good);
        let session = opened(&mut shop);
        for (action, ends) in [("cancel", true), ("keep", false)] {
            let form = Params::parse(&format!("action={action}&subscription={subscription}")).expect("reads");
            assert_eq!(act(&mut shop.world, &session, &form).expect("done"), format!("/portal/{session}"));
            assert_eq!(shop.subscription(&subscription)["cancel_at_period_end"], ends);
        }
        let html = page(&shop.world, &session).expect("drawn");
        assert!(
            html.contains("https://example.com/a")
                && html.contains("Renews on")
                && html.contains("ends in 4242")
        );
    }

    #[test]
    fn the_card_changes_and_other_peoples_things_do_not() {
        let mut shop = shop();
        let subscription = shop.subscribe(&[], Card::Good);
        let session = opened(&mut shop);
        let form = Params::parse("action=card&card=4000000000000341").expect("reads");
        act(&mut shop.world, &session, &form).expect("changed");
        let found = shop.subscription(&subscription);
        assert_eq!(subscriptions::card(&shop.world, &found), Some(Card::DeclinesRenewals));
        let real = Params::parse("action=card&number=4111111111111111").expect("reads");
        assert!(act(&mut shop.world, &session, &real).is_err(), "no card that could be real");

        shop.world.put(json!({ "id": "sub_other", "object": "subscription", "customer": "cus_other", "status": "active" }));
        let form = Params::parse("action=cancel&subscription=sub_other").expect("reads");
        assert_eq!(act(&mut shop.world, &session, &form).expect_err("not theirs").status, 404);
    }
}
