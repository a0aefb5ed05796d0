//! The simulator as the program beside it sees it: over HTTP, and by what it is told.

use axum::{body::Bytes, http::HeaderMap, routing::post};
use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::*;

const SECRET: &str = "whsec_test";
const PATIENCE: Duration = Duration::from_secs(20);

struct Told {
    signature: String,
    body: Bytes,
}

/// Listens for events. The first `refused` of them are answered with 500.
async fn listener(refused: usize) -> (Webhook, UnboundedReceiver<Told>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let left = Arc::new(Mutex::new(refused));
    let handler = move |headers: HeaderMap, body: Bytes| {
        let signature = headers["stripe-signature"].to_str().expect("text").to_owned();
        let mut left = left.lock().expect("not poisoned");
        let refuse = *left > 0;
        *left = left.saturating_sub(1);
        sender.send(Told { signature, body }).expect("somebody listens");
        async move { if refuse { http_status(500) } else { http_status(200) } }
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/events", socket.local_addr().expect("bound"));
    let router: Router = Router::new().route("/events", post(handler));
    tokio::spawn(async move { axum::serve(socket, router).await });
    (Webhook { url, secret: SECRET.to_owned() }, receiver)
}

fn http_status(status: u16) -> axum::http::StatusCode {
    axum::http::StatusCode::from_u16(status).expect("a status")
}

async fn next(told: &mut UnboundedReceiver<Told>) -> Told {
    tokio::time::timeout(PATIENCE, told.recv()).await.expect("in time").expect("the listener lives")
}

fn settings(webhook: Option<Webhook>, weather: Weather) -> Settings {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Settings { address: ([127, 0, 0, 1], 0).into(), webhook, journal: None, seed: 1, weather }
}

fn happen(simulator: &Simulator) -> String {
    simulator.world(|world| {
        world.put(json!({ "id": "th_1", "object": "thing" }));
        world.emit("thing.created", "th_1");
        world.undelivered.last().cloned().expect("was emitted")
    })
}

#[tokio::test]
async fn an_event_is_signed_and_told_again_until_it_is_received() {
    let (webhook, mut told) = listener(2).await;
    let simulator = start(settings(Some(webhook), Weather::default())).expect("starts");
    let event = happen(&simulator);
    for _ in 0..3 {
        let heard = next(&mut told).await;
        let body: Value = serde_json::from_slice(&heard.body).expect("JSON");
        assert_eq!(body["id"], event.as_str());
        let time =
            heard.signature.split_once("t=").and_then(|(_, rest)| rest.split_once(',')).expect("a time").0;
        assert_eq!(heard.signature, sign(SECRET, time.parse().expect("seconds"), &heard.body));
    }
    simulator.stop().await;
}

#[tokio::test]
async fn bad_weather_tells_an_event_twice() {
    let (webhook, mut told) = listener(0).await;
    let weather = Weather { duplicate: 1.0, delay_ms: (1, 20), shuffle: true, ..Weather::default() };
    let simulator = start(settings(Some(webhook), weather)).expect("starts");
    happen(&simulator);
    assert_eq!(next(&mut told).await.body, next(&mut told).await.body);
    simulator.stop().await;
}

#[tokio::test]
async fn what_nobody_received_is_told_after_a_restart() {
    let journal = std::env::temp_dir().join(format!("stripe-simulator-{}.restart", std::process::id()));
    let _ = std::fs::remove_file(&journal);
    let before = Settings { journal: Some(journal.clone()), ..settings(None, Weather::default()) };
    let simulator = start(before).expect("starts");
    let event = happen(&simulator);
    simulator.stop().await;

    let (webhook, mut told) = listener(0).await;
    let after = Settings { journal: Some(journal.clone()), ..settings(Some(webhook), Weather::default()) };
    let simulator = start(after).expect("starts");
    let body: Value = serde_json::from_slice(&next(&mut told).await.body).expect("JSON");
    assert_eq!(body["id"], event.as_str());
    simulator.stop().await;
    std::fs::remove_file(&journal).expect("was written");
}

#[tokio::test]
async fn events_are_taken_once_and_in_order() {
    let simulator = start(settings(None, Weather::default())).expect("starts");
    let events = [happen(&simulator), happen(&simulator)];
    let taken: Vec<Value> = simulator.take_events();
    assert_eq!(taken.iter().map(world::id_of).collect::<Vec<_>>(), events);
    assert!(simulator.take_events().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_found_under_its_key() {
    let weather = Weather { lose_answer: 1.0, slow_ms: (1, 2), ..Weather::default() };
    let simulator = start(settings(None, weather)).expect("starts");
    let client = delivery::client().expect("a client");
    let ask = || {
        client
            .post(format!("{}/v1/payment_intents", simulator.url()))
            .header("authorization", "Bearer sk_test_1")
            .header("idempotency-key", "order-1")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("amount=1900&currency=usd&payment_method=pm_card_visa&confirm=true")
            .send()
    };
    let lost = ask().await.expect("an answer");
    assert_eq!(lost.status().as_u16(), 500);
    assert_eq!(lost.headers()["stripe-should-retry"], "true");
    simulator.set_weather(Weather::default());
    let found = ask().await.expect("an answer");
    assert_eq!(found.status().as_u16(), 200);
    assert_eq!(found.headers()["idempotent-replayed"], "true");
    assert!(found.headers()["request-id"].to_str().expect("text").starts_with("req_"));
    assert_eq!(simulator.world(|world| world.all("charge").count()), 1);
}

#[tokio::test]
async fn it_is_on_loopback_only() {
    let everywhere = Settings { address: ([0, 0, 0, 0], 0).into(), ..settings(None, Weather::default()) };
    assert!(start(everywhere).is_err());
}

#[tokio::test]
async fn a_name_turned_to_loopback_opens_nothing() {
    let simulator = start(settings(None, Weather::default())).expect("starts");
    let client = delivery::client().expect("a client");
    let port = simulator.url().rsplit_once(':').expect("a port").1;
    for (host, status) in [(format!("evil.example:{port}"), 421), (format!("localhost:{port}"), 200)] {
        let answer = client.get(simulator.url()).header("host", &host).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{host}");
    }
    let form = client.post(simulator.url()).header("origin", "http://evil.example").body("action=refund");
    assert_eq!(form.send().await.expect("an answer").status().as_u16(), 403);
}

#[tokio::test]
async fn a_session_is_paid_on_its_page() {
    let simulator = start(settings(None, Weather::default())).expect("starts");
    let client = delivery::client().expect("a client");
    simulator.world(|world| {
        world.put(json!({ "id": "prod_1", "object": "product", "name": "Pro <seat>" }));
        world.put(json!({
            "id": "price_1", "object": "price", "active": true, "currency": "eur", "unit_amount": 1_900,
            "type": "one_time", "product": "prod_1",
        }));
    });
    let session: Value = client
        .post(format!("{}/v1/checkout/sessions", simulator.url()))
        .header("authorization", "Bearer sk_test_1")
        .body(
            "mode=payment&success_url=https://shop.test/done&customer_email=a@b.test\
             &line_items[0][price]=price_1&line_items[0][quantity]=2",
        )
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let url = session["url"].as_str().expect("a page");
    let page = client.get(url).send().await.expect("an answer").text().await.expect("text");
    assert!(page.contains("Test mode.") && page.contains("Pay €38.00") && page.contains("Pro &lt;seat&gt;"));

    let declined =
        client.post(url).body("email=a@b.test&card=4000000000000002").send().await.expect("an answer");
    assert_eq!(declined.status().as_u16(), 422);
    assert!(declined.text().await.expect("text").contains("Your card was declined."));

    let asked =
        client.post(url).body("email=a@b.test&card=4000002500003155").send().await.expect("an answer");
    let ask = format!("{url}/authenticate");
    assert!(ask.ends_with(asked.headers()["location"].to_str().expect("text")));
    let elsewhere = client.post(&ask).header("sec-fetch-site", "cross-site").body("decision=approve");
    assert_eq!(elsewhere.send().await.expect("an answer").status().as_u16(), 403);
    let failed = client.post(&ask).body("decision=fail").send().await.expect("an answer");
    assert_eq!(failed.status().as_u16(), 422);
    let paid = client.post(&ask).body("decision=approve").send().await.expect("an answer");
    assert_eq!(
        (paid.status().as_u16(), &paid.headers()["location"]),
        (303, &"https://shop.test/done".parse().expect("a value"))
    );

    let again = client.get(url).send().await.expect("an answer").text().await.expect("text");
    assert!(again.contains("paid already"));
    let dashboard = client.get(simulator.url()).send().await.expect("an answer").text().await.expect("text");
    assert!(dashboard.contains("checkout.session.completed") && dashboard.contains("Make it happen"));
}
