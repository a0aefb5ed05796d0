//! Five hundred orders while Stripe's messages come twice, late, in any order or only at the second try, its answers get
//! lost, and the program is killed and started again. At the end what Stripe took, what we wrote down, the ledger and
//! the invoices have to agree to the cent.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use devforge::{billing::ledger, context::Context};
use serde_json::{Value, json};
use stripe_simulator::{Card, Settings, Simulator, Verdict, Weather, Webhook};
use tokio::time::{Instant, sleep};

use crate::{
    context_with,
    program::{Program, free_port},
};

/// So many by themselves; `DEVFORGE_CHAOS_ORDERS` asks for more. With 500 it takes five minutes.
const ORDERS: usize = 200;
const BUYERS: usize = 12;
const KILLS: usize = 10;
const SECRET: &str = "whsec_a_secret_of_the_chaos_test";
/// A dead process's jobs go to others after a minute; the last retries of messages come within another.
const QUIET_WITHIN: Duration = Duration::from_secs(330);

fn orders() -> usize {
    let asked = std::env::var("DEVFORGE_CHAOS_ORDERS").ok();
    asked.map_or(ORDERS, |asked| asked.parse().expect("DEVFORGE_CHAOS_ORDERS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_in_bad_weather_balance_to_the_cent() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let stripe = Arc::new(bad_weather(port));
    let url = stripe.url().to_owned();
    let environment = [
        ("STRIPE_SECRET_KEY", "sk_test_chaos"),
        ("STRIPE_WEBHOOK_SECRET", SECRET),
        ("DEVFORGE_STRIPE_URL", url.as_str()),
        // Each buyer comes from an address of their own, as far as limits are concerned.
        ("DEVFORGE_HTTP_TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let start = |folder: &Path| Program::with(folder, port, "a password for demo people", &environment);
    let mut program = start(folder.path());
    program.wait_until_ready().await;
    let base = program.base();

    let next = Arc::new(AtomicUsize::new(0));
    let buyers: Vec<_> = (0..BUYERS)
        .map(|_| tokio::spawn(buy_until_done(base.clone(), Arc::clone(&stripe), Arc::clone(&next))))
        .collect();
    // Killed whenever another part of the orders was begun, so at another point of everything each time.
    for kill in 1..=KILLS {
        let reached = kill * orders() / (KILLS + 1);
        while next.load(Ordering::Relaxed) < reached {
            sleep(Duration::from_millis(20)).await;
        }
        program.kill();
        program = start(folder.path());
        program.wait_until_ready().await;
    }
    for buyer in buyers {
        buyer.await.expect("every buyer gets their orders");
    }
    // From here on the weather is good: what is left to be told is told.
    stripe.set_weather(Weather::default());

    let ctx = context_with(&program, folder.path(), &environment).await;
    let deadline = Instant::now() + QUIET_WITHIN;
    let mut differences = compare(&ctx, &stripe).await;
    while !differences.is_empty() {
        assert!(Instant::now() < deadline, "they do not agree: {differences:#?}");
        sleep(Duration::from_secs(1)).await;
        differences = compare(&ctx, &stripe).await;
    }
    let paid = stripe.world(|world| world.all("charge").filter(|charge| charge["paid"] == true).count());
    assert!(paid > orders() * 3 / 4, "most orders were paid: {paid}");
    ctx.db.close().await;
    program.stop();
}

fn bad_weather(port: u16) -> Simulator {
    // The simulator's client wants a TLS provider even for plain HTTP. A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    stripe_simulator::start(Settings {
        address,
        webhook: Some(Webhook {
            url: format!("http://127.0.0.1:{port}/api/payments/webhook"),
            secret: SECRET.to_owned(),
        }),
        journal: None,
        seed: 20_261_121,
        weather: Weather {
            duplicate: 0.3,
            drop: 0.05,
            delay_ms: (0, 1_500),
            shuffle: true,
            lose_answer: 0.05,
            slow_ms: (0, 20),
        },
    })
    .expect("the simulator starts")
}

async fn buy_until_done(base: String, stripe: Arc<Simulator>, next: Arc<AtomicUsize>) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("a client");
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= orders() {
            return;
        }
        let session = order(&http, &base, number).await;
        pay(&stripe, &session, number).await;
    }
}

/// Sends the same order until it is answered.
async fn order(http: &reqwest::Client, base: &str, number: usize) -> String {
    let intervals = ["once", "month", "year"];
    let currencies = ["usd", "eur", "gbp", "jpy"];
    let countries = ["US", "DE", "GB", "CH", "NO", "FR", "JP"];
    let body = json!({
        "tier": "pro",
        "interval": intervals[number % intervals.len()],
        "seats": 1 + number % 7,
        "currency": currencies[number % currencies.len()],
        "email": format!("buyer{number}@example.com"),
        "name": "A buyer",
        "address": { "country": countries[number % countries.len()], "postalCode": "10115", "city": "There" },
        // Nobody asks what it is to cost.
        "amount": 1,
    });
    // A request that died holds its key for a minute, and one order may meet several kills.
    let deadline = Instant::now() + Duration::from_secs(600);
    loop {
        let sent = http
            .post(format!("{base}/api/payments/checkout"))
            .header("idempotency-key", format!("order-{number}"))
            .header("x-forwarded-for", format!("203.0.{}.{}", number / 250, 1 + number % 250))
            .json(&body)
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => {
                let status = answer.status();
                let text = answer.text().await.unwrap_or_default();
                let body: Value = serde_json::from_str(&text).unwrap_or_default();
                if status == 201
                    && let Some(session) = body["checkoutSessionId"].as_str()
                {
                    return session.to_owned();
                }
                format!("{status} {text}")
            }
            Err(error) => error.to_string(),
        };
        assert!(Instant::now() < deadline, "order {number} is never answered: {answer}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// What a buyer does on Stripe's page, and what banks and staff do afterwards.
async fn pay(stripe: &Simulator, session: &str, number: usize) {
    if number.is_multiple_of(17) {
        // Goes away.
        return;
    }
    if number.is_multiple_of(11) {
        stripe.pay(session, Card::Declined).expect_err("declined");
    }
    let card = if number.is_multiple_of(13) { Card::RefundFailsLater } else { Card::Good };
    stripe.pay(session, card).expect("paid");
    let again = stripe.pay(session, card);
    assert!(again.is_err(), "a session is paid once");
    let charge = stripe.world(|world| {
        let session = world.get(session).cloned().unwrap_or_default();
        world
            .all("charge")
            .find(|charge| charge["paid"] == true && charge["customer"] == session["customer"])
            .and_then(|charge| charge["id"].as_str().map(str::to_owned))
    });
    let charge = charge.expect("a charge");
    if number.is_multiple_of(7) {
        let part = i64::try_from(100 + number).expect("small");
        let refund = stripe.refund(&charge, Some(part)).expect("refunded");
        if number.is_multiple_of(13) {
            sleep(Duration::from_millis(200)).await;
            stripe.fail_refund(refund["id"].as_str().expect("an id")).expect("failed");
        }
    }
    if number.is_multiple_of(19) {
        let dispute = stripe.open_dispute(&charge).expect("opened");
        if number.is_multiple_of(2) {
            sleep(Duration::from_millis(200)).await;
            let verdict = if number.is_multiple_of(4) { Verdict::Won } else { Verdict::Lost };
            stripe.close_dispute(dispute["id"].as_str().expect("an id"), verdict).expect("closed");
        }
    }
}

/// Every way in which Stripe, our rows, the ledger and the invoices differ.
async fn compare(ctx: &Context, stripe: &Simulator) -> Vec<String> {
    let mut differences = Vec::new();
    let theirs: BTreeMap<String, i64> = stripe.world(|world| {
        world
            .all("charge")
            .filter(|charge| charge["paid"] == true)
            .map(|charge| {
                (
                    charge["id"].as_str().unwrap_or_default().to_owned(),
                    charge["amount"].as_i64().unwrap_or_default(),
                )
            })
            .collect()
    });
    let ours: BTreeMap<String, i64> = rows(ctx, "select charge_id, amount from payment").await;
    for (id, amount) in &theirs {
        if ours.get(id) != Some(amount) {
            differences.push(format!("charge {id} of {amount} is {:?} here", ours.get(id)));
        }
    }
    differences.extend(
        ours.keys().filter(|id| !theirs.contains_key(*id)).map(|id| format!("{id} is unknown there")),
    );

    let paid_there: BTreeSet<String> = stripe.world(|world| {
        world
            .all("checkout.session")
            .filter(|session| session["payment_status"] == "paid")
            .map(|session| session["client_reference_id"].as_str().unwrap_or_default().to_owned())
            .collect()
    });
    let paid_here: i64 = number(ctx, "select count(*) from billing_order where paid_at is not null").await;
    if i64::try_from(paid_there.len()) != Ok(paid_here) {
        differences.push(format!("{} orders are paid there, {paid_here} here", paid_there.len()));
    }
    let refunded_there: i64 = stripe.world(|world| {
        world
            .all("refund")
            .filter(|refund| refund["status"] == "succeeded")
            .filter_map(|refund| refund["amount"].as_i64())
            .sum()
    });
    let of_refunds =
        "select coalesce(sum(amount), 0)::bigint from refund where status in ('pending', 'succeeded')";
    let refunded_here = number(ctx, of_refunds).await;
    if refunded_there != refunded_here {
        differences.push(format!("{refunded_there} went back there, {refunded_here} here"));
    }
    for (what, query) in [
        ("orders", "select count(*) from billing_order"),
        ("orders that were asked for", "select count(distinct email) from billing_order"),
    ] {
        let found = number(ctx, query).await;
        if i64::try_from(orders()) != Ok(found) {
            differences.push(format!("{found} {what}"));
        }
    }
    for (what, query) in [
        (
            "orders were charged twice",
            "select count(*) from (select 1 from payment where order_id is not null group by order_id
                                   having count(*) > 1) as twice",
        ),
        (
            "payments have not one invoice",
            "select count(*) from payment p where 1 <>
                 (select count(*) from document d where d.payment_id = p.id and d.kind = 'invoice')",
        ),
        (
            "invoices differ from their payments",
            "select count(*) from document d join payment p on p.id = d.payment_id
             where d.kind = 'invoice' and d.total <> p.amount",
        ),
        (
            "series of numbers have gaps or twins",
            "select count(*) from (select s.code from document_series s left join document d on d.series = s.code
                 group by s.code, s.next_number
                 having count(d.id) <> s.next_number - 1 or coalesce(max(d.number_in_series), 0) <> s.next_number - 1
             ) as broken",
        ),
        (
            "currencies of the ledger do not add up to nothing",
            "select count(*) from (select 1 from ledger_entry group by currency having sum(amount) <> 0) as broken",
        ),
        (
            "orders were told of more than once",
            "select count(*) from (select 1 from outbox where topic = 'order.paid' group by key
                                   having count(*) > 1) as twice",
        ),
        ("messages wait", "select count(*) from webhook_inbox where handled_at is null"),
    ] {
        let found = number(ctx, query).await;
        if found != 0 {
            differences.push(format!("{found} {what}"));
        }
    }
    match ledger::check(ctx).await {
        Ok(check) => differences.extend(check.differences),
        Err(error) => differences.push(error.to_string()),
    }
    differences
}

async fn number(ctx: &Context, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&ctx.db).await.expect("counted")
}

async fn rows(ctx: &Context, query: &'static str) -> BTreeMap<String, i64> {
    sqlx::query_as::<_, (String, i64)>(query).fetch_all(&ctx.db).await.expect("read").into_iter().collect()
}
