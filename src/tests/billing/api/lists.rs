//! What somebody reads of their own payments: invoices, the history, and what they are subscribed to.

use axum::http::header;
use devforge::{
    account::Caller,
    billing::payment,
    context::Context,
    contract::{
        account::Role,
        payment::{Interval, Tier},
        problem::ProblemCode,
    },
};
use serde_json::{Value, json};

use super::personal_token;
use crate::{
    api::client::{Answer, call, get, log_in},
    shop::{Shop, want},
};

const INVOICES: &str = "/api/payments/invoices";
const HISTORY: &str = "/api/payments/history";
const SUBSCRIPTION: &str = "/api/payments/subscription";

/// A new customer, and what their programs are signed in with.
async fn somebody(shop: &Shop, email: &str) -> (Caller, String) {
    let user = shop.app.person(email, Role::Customer).await;
    let opened = shop.app.sign_in(&user).await;
    (shop.app.caller(&opened).await, log_in(shop.ctx(), &user).await.access)
}

async fn read(shop: &Shop, path: &str, access: &str) -> Answer {
    call("GET", path).bearer(access).send(shop.ctx()).await
}

async fn read_well(shop: &Shop, path: &str, access: &str) -> Answer {
    let answer = read(shop, path, access).await;
    assert_eq!(answer.outcome(), (200, None), "{path} {:?}", answer.problem);
    answer
}

fn items(list: &Value) -> Vec<Value> {
    list.as_array().cloned().unwrap_or_else(|| panic!("a list: {list}"))
}

/// Where the header says that the list goes on.
fn next_page(ctx: &Context, page: &Answer) -> Option<String> {
    let (address, rest) = page.header(header::LINK).strip_prefix('<')?.split_once('>')?;
    assert_eq!(rest, "; rel=\"next\"");
    let path = address.strip_prefix(ctx.config.http.public_url.as_str());
    Some(path.unwrap_or_else(|| panic!("{address} is elsewhere")).to_owned())
}

#[tokio::test]
async fn invoices_are_ones_own_and_read_page_by_page() {
    let shop = Shop::open().await;
    let (ada, access) = somebody(&shop, "ada@example.com").await;
    let (_, other) = somebody(&shop, "eve@example.com").await;
    let mut paid = 0;
    for seats in 1..=3 {
        paid += shop.buy_as(&ada, &want("", Tier::Pro, Interval::Once, seats)).await.total.amount;
    }
    let whole = read_well(&shop, INVOICES, &access).await;
    assert_eq!(whole.header(header::LINK), "", "there is no more");
    let all = items(&whole.json());
    assert_eq!(all.len(), 3);
    assert_eq!(all.iter().filter_map(|invoice| invoice["total"]["amount"].as_i64()).sum::<i64>(), paid);
    for invoice in &all {
        for field in ["id", "number", "status", "createdAt", "paidAt"] {
            assert!(invoice[field].is_string(), "{field} of {invoice}");
        }
        assert_eq!((&invoice["kind"], &invoice["currency"]), (&json!("invoice"), &json!("usd")));
        assert_eq!(
            (&invoice["status"], invoice["lines"].as_array().map(Vec::len)),
            (&json!("paid"), Some(1))
        );
        for sum in ["subtotal", "tax", "total"] {
            assert!(
                invoice[sum]["amount"].is_i64() && invoice[sum]["currency"] == "usd",
                "{sum} of {invoice}"
            );
        }
        for url in ["pdfUrl", "htmlUrl"] {
            let url = invoice[url].as_str().unwrap_or_default();
            assert!(url.starts_with(&shop.ctx().config.http.public_url), "{url}");
        }
    }

    let (mut next, mut walked) = (Some(format!("{INVOICES}?limit=1")), Vec::new());
    while let Some(path) = next {
        let page = read_well(&shop, &path, &access).await;
        assert_eq!(items(&page.json()).len(), 1, "{path}");
        walked.extend(items(&page.json()));
        assert!(walked.len() <= all.len(), "it ends");
        next = next_page(shop.ctx(), &page);
    }
    assert_eq!(walked, all);
    assert_eq!(read_well(&shop, INVOICES, &other).await.json(), json!([]));
}

#[tokio::test]
async fn the_history_has_what_came_and_what_went_back() {
    let shop = Shop::open().await;
    let (ada, access) = somebody(&shop, "ada@example.com").await;
    let (_, other) = somebody(&shop, "eve@example.com").await;
    let order = shop.buy_as(&ada, &want("", Tier::Pro, Interval::Once, 1)).await;
    let payments = payment::of_order(shop.ctx(), order.id).await.expect("read");
    shop.stripe.refund(&payments[0].charge_id, Some(700)).expect("refunded");
    shop.deliver().await;

    let whole = read_well(&shop, HISTORY, &access).await.json();
    assert_eq!(whole["nextCursor"], Value::Null);
    let all = items(&whole["items"]);
    let of_kind = |kind: &str| {
        let found: Vec<&Value> = all.iter().filter(|item| item["kind"] == kind).collect();
        assert_eq!(found.len(), 1, "one {kind} in {all:?}");
        found[0]
    };
    assert_eq!(all.len(), 2);
    let (payment, refund) = (of_kind("payment"), of_kind("refund"));
    assert_eq!(payment["amount"], json!({ "amount": order.total.amount, "currency": "usd" }));
    assert_eq!((&payment["id"], &payment["status"]), (&json!(payments[0].id), &json!("succeeded")));
    assert_eq!((&refund["amount"]["amount"], &refund["status"]), (&json!(700), &json!("succeeded")));
    for item in [payment, refund] {
        assert_eq!(item["orderId"], json!(order.id));
        assert!(item["invoiceId"].is_string() && item["createdAt"].is_string(), "{item}");
    }

    let first = read_well(&shop, &format!("{HISTORY}?limit=1"), &access).await.json();
    let cursor = first["nextCursor"].as_str().expect("there is more");
    let second = read_well(&shop, &format!("{HISTORY}?limit=1&cursor={cursor}"), &access).await.json();
    assert_eq!(second["nextCursor"], Value::Null);
    assert_eq!([items(&first["items"]), items(&second["items"])].concat(), all);
    assert_eq!(read_well(&shop, HISTORY, &other).await.json(), json!({ "items": [], "nextCursor": null }));
}

#[tokio::test]
async fn a_subscription_is_ones_own_or_null() {
    let shop = Shop::open().await;
    let (ada, access) = somebody(&shop, "ada@example.com").await;
    let (_, other) = somebody(&shop, "eve@example.com").await;
    let none = json!({ "subscription": null });
    assert_eq!(read_well(&shop, SUBSCRIPTION, &access).await.json(), none);
    let order = shop.buy_as(&ada, &want("", Tier::Pro, Interval::Month, 2)).await;
    let told = read_well(&shop, SUBSCRIPTION, &access).await.json()["subscription"].clone();
    assert!(told["id"].as_str().is_some_and(|id| id.starts_with("sub_")), "{told}");
    assert_eq!(
        (&told["tier"], &told["interval"], &told["seats"]),
        (&json!("pro"), &json!("month"), &json!(2))
    );
    assert_eq!(told["unitAmount"], json!({ "amount": order.lines[0].line.unit_amount, "currency": "usd" }));
    assert_eq!((&told["cancelAtPeriodEnd"], &told["next"]), (&json!(false), &Value::Null));
    assert!(told["currentPeriodEnd"].is_string());
    assert_eq!(read_well(&shop, SUBSCRIPTION, &other).await.json(), none);
}

#[tokio::test]
async fn programs_read_with_the_scope_for_it() {
    let shop = Shop::open().await;
    let (_, access) = somebody(&shop, "ada@example.com").await;
    let reads = personal_token(&shop, &access, "account:read").await;
    let other = personal_token(&shop, &access, "licenses:read").await;
    for path in [INVOICES, HISTORY, SUBSCRIPTION] {
        assert_eq!(
            get(shop.ctx(), path).await.outcome(),
            (401, Some(ProblemCode::Unauthenticated)),
            "{path}"
        );
        assert_eq!(read(&shop, path, &reads).await.outcome(), (200, None), "{path}");
        let refused = read(&shop, path, &other).await.outcome();
        assert_eq!(refused, (403, Some(ProblemCode::InsufficientScope)), "{path}");
    }
}

#[tokio::test]
async fn a_place_that_is_none_of_ours_is_told() {
    let shop = Shop::open().await;
    let (_, access) = somebody(&shop, "ada@example.com").await;
    for path in [INVOICES, HISTORY] {
        let refused = read(&shop, &format!("{path}?cursor=nowhere"), &access).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path}");
        assert_eq!(refused.mistakes(), [("cursor".to_owned(), "invalid_cursor".to_owned())], "{path}");
        for limit in ["many", "-1", "1.5"] {
            let refused = read(&shop, &format!("{path}?limit={limit}"), &access).await;
            assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{path} {limit}");
        }
        for limit in ["0", "100", "4000000"] {
            let answer = read(&shop, &format!("{path}?limit={limit}"), &access).await;
            assert_eq!(answer.outcome(), (200, None), "{path} {limit}");
        }
    }
}
