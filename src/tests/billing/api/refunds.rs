//! Money that goes back, over the API.

use axum::http::header;
use devforge::{
    billing::document,
    contract::{
        account::Role,
        id::{InvoiceId, OrderId},
        money::Money,
        payment::{Interval, OrderStatus, Tier},
        problem::ProblemCode,
    },
};
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

use super::{KEY, REPLAYED, personal_token};
use crate::{
    api::client::{Answer, call, cookie, log_in, post},
    shop::Shop,
};

const REFUND: &str = "/api/payments/refund";

/// What somebody paid for, and what they are to get back.
struct Bought {
    shop: Shop,
    order: OrderId,
    total: Money,
    invoice: InvoiceId,
}

impl Bought {
    async fn something() -> Self {
        let shop = Shop::open().await;
        let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 2).await;
        let documents = document::of_order(shop.ctx(), order.id).await.expect("read");
        Self { order: order.id, total: order.total, invoice: documents[0].id, shop }
    }

    /// A token of somebody who may give money back, and has just signed in.
    async fn staff(&self) -> String {
        let staff = self.shop.app.person("staff@example.com", Role::Support).await;
        log_in(self.shop.ctx(), &staff).await.access
    }

    fn all(&self) -> Value {
        json!({ "invoiceId": self.invoice, "reason": "Bought twice" })
    }

    fn some(&self, amount: i64) -> Value {
        json!({ "invoiceId": self.invoice, "amount": amount, "reason": "Bought twice" })
    }

    async fn refund(&self, access: &str, body: &Value) -> Answer {
        call("POST", REFUND).bearer(access).json(body).send(self.shop.ctx()).await
    }

    /// How many refunds Stripe has, and how many we have.
    async fn refunds(&self) -> (usize, i64) {
        let there = self.shop.stripe.world(|world| world.all("refund").count());
        let here = sqlx::query_scalar("select count(*) from refund").fetch_one(&self.shop.ctx().db).await;
        (there, here.expect("counted"))
    }
}

#[tokio::test]
async fn staff_gives_a_part_back_and_then_the_rest() {
    let bought = Bought::something().await;
    let staff = bought.staff().await;
    let part = bought.refund(&staff, &bought.some(500)).await;
    assert_eq!(part.outcome(), (201, None), "{:?}", part.problem);
    let told = part.json();
    let mut fields: Vec<&String> = told.as_object().expect("an object").keys().collect();
    fields.sort();
    assert_eq!(fields, ["amount", "refundId", "status"]);
    assert!(part.text("refundId").starts_with("rfd_"), "{told}");
    assert_eq!(
        (&told["status"], &told["amount"]),
        (&json!("succeeded"), &json!({ "amount": 500, "currency": "usd" }))
    );

    let rest = bought.refund(&staff, &bought.all()).await;
    assert_eq!(rest.outcome(), (201, None), "{:?}", rest.problem);
    assert_eq!(rest.json()["amount"]["amount"], bought.total.amount - 500);
    let more = bought.refund(&staff, &bought.some(1)).await;
    assert_eq!(more.outcome(), (422, Some(ProblemCode::RefundExceedsPayment)));
    bought.shop.deliver().await;
    assert_eq!(bought.shop.read(bought.order).await.status, OrderStatus::Refunded);
    assert_eq!(bought.refunds().await, (2, 2));
}

#[tokio::test]
async fn never_more_goes_back_than_was_paid() {
    let bought = Bought::something().await;
    let staff = bought.staff().await;
    for amount in [bought.total.amount + 1, i64::MAX] {
        let refused = bought.refund(&staff, &bought.some(amount)).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::RefundExceedsPayment)), "{amount}");
    }
    // Each of them alone would be fine.
    let most = bought.some(bought.total.amount - 1);
    let tries = (0..4).map(|_| bought.refund(&staff, &most));
    let mut statuses: Vec<u16> =
        futures::future::join_all(tries).await.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422, 422, 422]);
    assert_eq!(bought.refunds().await, (1, 1));
    bought.shop.deliver().await;
}

#[tokio::test]
async fn only_staff_who_have_just_signed_in_give_money_back() {
    let bought = Bought::something().await;
    let shop = &bought.shop;
    let nobody = post(shop.ctx(), REFUND, &bought.all()).await;
    assert_eq!(nobody.outcome(), (401, Some(ProblemCode::Unauthenticated)));
    let ada = shop.app.person("ada@example.com", Role::Customer).await;
    let customer = log_in(shop.ctx(), &ada).await.access;
    let refused = bought.refund(&customer, &bought.all()).await;
    assert_eq!(refused.outcome(), (403, Some(ProblemCode::Forbidden)));
    // Whether there is such an invoice is not theirs to know either.
    let unknown = json!({ "invoiceId": InvoiceId::from_uuid(Uuid::from_u128(7)), "reason": "Mine" });
    assert_eq!(bought.refund(&customer, &unknown).await.outcome(), (403, Some(ProblemCode::Forbidden)));

    let admin = shop.app.person("admin@example.com", Role::Admin).await;
    let access = log_in(shop.ctx(), &admin).await.access;
    let token = personal_token(shop, &access, "account:read").await;
    let refused = bought.refund(&token, &bought.all()).await;
    assert_eq!(refused.outcome(), (403, Some(ProblemCode::InsufficientScope)));
    let cookie = cookie(&shop.app, &admin).await;
    shop.ctx().clock.advance(Duration::minutes(16));
    let stale =
        call("POST", REFUND).header(header::COOKIE, cookie).json(&bought.all()).send(shop.ctx()).await;
    assert_eq!(stale.outcome(), (403, Some(ProblemCode::FreshSignInRequired)));
    assert_eq!(bought.refunds().await, (0, 0));
}

#[tokio::test]
async fn a_refund_with_mistakes_is_refused_by_name() {
    let bought = Bought::something().await;
    let staff = bought.staff().await;
    let long = "x".repeat(501);
    for (body, field) in [
        (json!({ "invoiceId": bought.invoice, "reason": " " }), "reason"),
        (json!({ "invoiceId": bought.invoice, "reason": long }), "reason"),
        (json!({ "invoiceId": bought.invoice }), "reason"),
        (bought.some(0), "amount"),
        (bought.some(-500), "amount"),
        (json!({ "invoiceId": bought.invoice, "amount": 5.5, "reason": "Half" }), "amount"),
        (json!({ "invoiceId": "inv_1", "reason": "Bought twice" }), "invoiceId"),
        (json!({ "invoiceId": bought.order, "reason": "Bought twice" }), "invoiceId"),
    ] {
        let refused = bought.refund(&staff, &body).await;
        assert_eq!(refused.outcome(), (422, Some(ProblemCode::InvalidRequest)), "{body}");
        assert_eq!(refused.mistakes(), [(field.to_owned(), "invalid".to_owned())], "{body}");
    }
    let unknown = json!({ "invoiceId": InvoiceId::from_uuid(Uuid::from_u128(7)), "reason": "Bought twice" });
    assert_eq!(bought.refund(&staff, &unknown).await.outcome(), (404, Some(ProblemCode::NotFound)));
    assert_eq!(bought.refunds().await, (0, 0));
}

#[tokio::test]
async fn the_same_key_gives_back_once() {
    let bought = Bought::something().await;
    let staff = bought.staff().await;
    let send = |body: &Value| {
        let call = call("POST", REFUND).bearer(&staff).header(KEY, "refund-1").json(body);
        call.send(bought.shop.ctx())
    };
    let body = bought.some(500);
    for answer in futures::future::join_all((0..4).map(|_| send(&body))).await {
        let in_progress = (409, Some(ProblemCode::IdempotencyInProgress));
        assert!(answer.outcome() == (201, None) || answer.outcome() == in_progress, "{:?}", answer.problem);
    }
    let first = send(&body).await;
    assert_eq!((first.outcome(), first.header(REPLAYED)), ((201, None), "true"));
    assert_eq!(send(&body).await.json(), first.json());
    assert_eq!(bought.refunds().await, (1, 1));
    let other = send(&bought.some(501)).await;
    assert_eq!(other.outcome(), (422, Some(ProblemCode::IdempotencyKeyReused)));

    // Without the key, it is another refund of as much.
    assert_eq!(bought.refund(&staff, &body).await.outcome(), (201, None));
    assert_eq!(bought.refunds().await, (2, 2));
    bought.shop.deliver().await;
    assert_eq!(bought.shop.read(bought.order).await.refunded.amount, 1_000);
}
