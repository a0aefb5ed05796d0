//! What takes an `Idempotency-Key`, and who is given a kept answer.

use axum::http::header;
use devforge::{
    billing::document,
    contract::{
        account::Role,
        payment::{Interval, Tier},
        problem::ProblemCode,
    },
};
use serde_json::{Value, json};
use time::Duration;

use super::{CHECKOUT, KEY, REPLAYED, REUSED, order_of, wanted};
use crate::{
    api::client::{call, cookie, log_in},
    shop::{Shop, want},
};

const REFUND: &str = "/api/payments/refund";
const CHANGE: &str = "/api/payments/subscription/change";

/// How many keys there are.
async fn keys(shop: &Shop) -> i64 {
    let count = sqlx::query_scalar("select count(*) from idempotency_key").fetch_one(&shop.ctx().db).await;
    count.expect("counted")
}

async fn give_role(shop: &Shop, email: &str, role: Role) {
    let done = sqlx::query("update account set role = $2 where email = $1")
        .bind(email)
        .bind(role.as_str())
        .execute(&shop.ctx().db)
        .await;
    assert_eq!(done.expect("changed").rows_affected(), 1);
}

#[tokio::test]
async fn a_kept_refund_is_told_only_to_who_may_still_give_one() {
    let shop = Shop::open().await;
    let order = shop.buy("grace@example.com", Tier::Pro, Interval::Once, 1).await;
    let documents = document::of_order(shop.ctx(), order.id).await.expect("read");
    let body = json!({ "invoiceId": documents[0].id, "amount": 500, "reason": "Bought twice" });
    let staff = shop.app.person("staff@example.com", Role::Support).await;
    let cookie = cookie(&shop.app, &staff).await;
    let refund = async || {
        let call = call("POST", REFUND).header(header::COOKIE, &cookie).header(KEY, "refund-1");
        call.json(&body).send(shop.ctx()).await
    };
    let given = refund().await;
    assert_eq!((given.outcome(), given.header(REPLAYED)), ((201, None), ""));
    assert_eq!(refund().await.header(REPLAYED), "true");

    give_role(&shop, "staff@example.com", Role::Customer).await;
    assert_eq!(refund().await.outcome(), (403, Some(ProblemCode::Forbidden)));
    give_role(&shop, "staff@example.com", Role::Support).await;
    assert_eq!(refund().await.header(REPLAYED), "true");
    shop.ctx().clock.advance(Duration::minutes(16));
    assert_eq!(refund().await.outcome(), (403, Some(ProblemCode::FreshSignInRequired)));
    shop.deliver().await;
}

#[tokio::test]
async fn a_kept_order_is_not_told_to_a_token_nor_a_key_kept_for_one() {
    let shop = Shop::open().await;
    let ada = shop.app.person("ada@example.com", Role::Customer).await;
    let access = log_in(shop.ctx(), &ada).await.access;
    let scopes = json!({ "name": "Build server", "scopes": ["account:read"] });
    let made = call("POST", "/api/auth/tokens").bearer(&access).json(&scopes).send(shop.ctx()).await;
    let token = made.text("token");
    let body = wanted(&json!({}));
    let buy = async |who: &str, key: &str| {
        call("POST", CHECKOUT).bearer(who).header(KEY, key).json(&body).send(shop.ctx()).await
    };
    order_of(&buy(&access, "order-1").await);
    for key in ["order-1", "order-2"] {
        let refused = buy(&token, key).await;
        assert_eq!(refused.outcome(), (403, Some(ProblemCode::InsufficientScope)), "{key}");
    }
    assert_eq!(keys(&shop).await, 1);
}

#[tokio::test]
async fn a_subscription_is_changed_once_for_a_key_and_previewed_without() {
    let shop = Shop::open().await;
    let ada = shop.app.person("ada@example.com", Role::Customer).await;
    let caller = shop.app.caller(&shop.app.sign_in(&ada).await).await;
    shop.buy_as(&caller, &want("ada@example.com", Tier::Pro, Interval::Month, 2)).await;
    let access = log_in(shop.ctx(), &ada).await.access;
    let change = async |body: Value| {
        call("POST", CHANGE).bearer(&access).header(KEY, "change-1").json(&body).send(shop.ctx()).await
    };
    let invoices = || shop.stripe.world(|world| world.all("invoice").count());

    // The first of these does not take the key.
    for seats in [4, 5] {
        let preview = change(json!({ "seats": seats, "preview": true })).await;
        assert_eq!((preview.outcome(), preview.header(REPLAYED)), ((200, None), ""));
    }
    assert_eq!(keys(&shop).await, 0);

    let changed = change(json!({ "seats": 5 })).await;
    assert_eq!((changed.outcome(), changed.header(REPLAYED)), ((200, None), ""));
    assert_eq!(changed.json()["subscription"]["seats"], 5);
    let paid = invoices();
    let again = change(json!({ "seats": 5 })).await;
    assert_eq!((again.outcome(), again.header(REPLAYED)), ((200, None), "true"));
    assert_eq!(again.json(), changed.json());
    assert_eq!(change(json!({ "seats": 6 })).await.outcome(), REUSED);
    assert_eq!(invoices(), paid);
    shop.deliver().await;
}
