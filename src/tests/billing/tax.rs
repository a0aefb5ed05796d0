//! The makers of tax that are asked over the network: Stripe Tax, by the simulator, and TaxJar, by a server that answers
//! as TaxJar's manual says.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use devforge::{
    billing::tax_id,
    clock::Clock,
    config::{PaymentsConfig, Secret},
    contract::{
        money::{Currency, Rate},
        payment::{Address, LineTax},
    },
    integration::tax::{Error, Purchase, TaxCalculator},
};
use serde_json::{Value, json};

use super::stripe_client::{config, simulated};

const KEY: &str = "0123456789abcdef";

fn calculator(config: &PaymentsConfig) -> TaxCalculator {
    let stripe = devforge::integration::stripe::Stripe::new(config);
    TaxCalculator::from_config(config, stripe.as_ref(), &Clock::System)
}

async fn taxes(
    calculator: &TaxCalculator,
    address: &Address,
    number: Option<&str>,
    nets: &[i64],
) -> Result<Vec<LineTax>, Error> {
    let tax_id = number.map(|number| tax_id::parse(number, &address.country).expect("a VAT number"));
    let purchase = Purchase { currency: Currency::Usd, address, tax_id: tax_id.as_ref(), nets };
    calculator.calculate(&purchase).await
}

fn address(country: &str, region: &str, postal_code: &str) -> Address {
    Address {
        country: country.to_owned(),
        region: region.to_owned(),
        postal_code: postal_code.to_owned(),
        city: "Los Angeles".to_owned(),
        line1: "1335 E 103rd St".to_owned(),
        ..Address::default()
    }
}

fn read(taxes: &[LineTax]) -> Vec<(i64, &str)> {
    taxes.iter().map(|tax| (tax.amount, tax.reason.as_str())).collect()
}

#[tokio::test]
async fn stripe_tax_is_asked_where_it_is_on() {
    let (simulator, _stripe) = simulated();
    let on = calculator(&PaymentsConfig { stripe_tax: true, ..config(simulator.url()) });
    assert_eq!(on.maker(), "stripe_tax");
    let germany = address("", "", "10115");
    let taxed = taxes(&on, &germany, None, &[1900, 0]).await.expect("taxes");
    assert_eq!(read(&taxed), [(361, "VAT 19 % (Germany)"), (0, "VAT 19 % (Germany)")]);
    assert_eq!(taxed[0].country, "DE");
    let reversed =
        taxes(&on, &address("FR", "", "75001"), Some("FR40303265045"), &[1900]).await.expect("taxes");
    assert_eq!(read(&reversed), [(0, "Reverse charge: the buyer owes the VAT")]);
    assert_eq!((reversed[0].rate, reversed[0].country.as_str()), (Rate::ZERO, ""));
    let nowhere = taxes(&on, &address("JP", "", ""), None, &[1900]).await.expect("taxes");
    assert_eq!(read(&nowhere), [(0, "No tax: outside the places where we collect it")]);
    let off = calculator(&config(simulator.url()));
    assert_eq!(off.maker(), "table");
    assert_eq!(
        read(&taxes(&off, &germany, None, &[1900]).await.expect("taxes")),
        [(361, "VAT 19 % (Germany)")]
    );
}

#[tokio::test]
async fn an_address_that_stripe_cannot_place_is_the_buyers_to_put_right() {
    let (simulator, _stripe) = simulated();
    let on = calculator(&PaymentsConfig { stripe_tax: true, ..config(simulator.url()) });
    let error = taxes(&on, &address("Germany", "", ""), None, &[1900]).await.expect_err("no country");
    assert!(matches!(error, Error::Address(_)) && !error.is_temporary(), "{error:?}");
}

/// What TaxJar's stand-in is to answer, and what it was asked.
#[derive(Clone)]
struct Desk {
    answers: Arc<Mutex<Vec<(u16, Value)>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Desk {
    /// Answers are given last first.
    async fn start(answers: Vec<(u16, Value)>) -> (Self, TaxCalculator) {
        let desk = Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/v2/taxes", post(Self::answer)).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = PaymentsConfig { taxjar_key: Some(Secret::new(KEY.to_owned())), ..config(&url) };
        let calculator = calculator(&config);
        assert_eq!(calculator.maker(), "taxjar");
        (desk, calculator)
    }

    async fn answer(State(desk): State<Self>, headers: HeaderMap, body: String) -> (StatusCode, String) {
        let body = serde_json::from_str(&body).expect("JSON");
        desk.asked.lock().expect("a lock").push((headers, body));
        let (status, answer) = desk.answers.lock().expect("a lock").pop().expect("another answer");
        (StatusCode::from_u16(status).expect("a status"), answer.to_string())
    }

    fn asked(&self) -> Vec<(HeaderMap, Value)> {
        self.asked.lock().expect("a lock").clone()
    }
}

/// As the manual's example for Los Angeles, with two lines.
fn los_angeles() -> Value {
    json!({ "tax": {
        "order_total_amount": 20.0, "shipping": 0.0, "taxable_amount": 20.0, "amount_to_collect": 1.95, "rate": 0.0975,
        "has_nexus": true, "freight_taxable": false, "tax_source": "destination",
        "jurisdictions": { "country": "US", "state": "CA", "county": "LOS ANGELES", "city": "LOS ANGELES" },
        "breakdown": {
            "taxable_amount": 20.0, "tax_collectable": 1.95, "combined_tax_rate": 0.0975,
            "line_items": [
                { "id": "0", "taxable_amount": 19.0, "tax_collectable": 1.85, "combined_tax_rate": 0.0975 },
                { "id": "1", "taxable_amount": 1.0, "tax_collectable": 0.1, "combined_tax_rate": 0.0975 },
            ],
        },
    } })
}

#[tokio::test]
async fn taxjar_is_asked_as_its_manual_says() {
    let (desk, calculator) = Desk::start(vec![(200, los_angeles())]).await;
    let taxed = taxes(&calculator, &address("US", "CA", "90002"), None, &[1900, 100]).await.expect("taxes");
    let reason = "Sales tax 9.75 % (CA, United States)";
    assert_eq!(read(&taxed), [(185, reason), (10, reason)]);
    let asked = desk.asked();
    let (headers, question) = &asked[0];
    assert_eq!(headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(
        *question,
        json!({
            "from_country": "DE", "to_country": "US", "to_zip": "90002", "to_state": "CA", "to_city": "Los Angeles",
            "to_street": "1335 E 103rd St", "amount": 20.0, "shipping": 0,
            "line_items": [
                { "id": "0", "quantity": 1, "unit_price": 19.0 },
                { "id": "1", "quantity": 1, "unit_price": 1.0 },
            ],
        })
    );
}

#[tokio::test]
async fn where_taxjar_collects_nothing_that_is_said() {
    let nothing = json!({ "tax": {
        "order_total_amount": 19.0, "shipping": 0.0, "taxable_amount": 0, "amount_to_collect": 0, "rate": 0,
        "has_nexus": false, "freight_taxable": false, "tax_source": null,
    } });
    let (_desk, calculator) = Desk::start(vec![(200, nothing)]).await;
    let taxed = taxes(&calculator, &address("US", "OR", "97201"), None, &[1900]).await.expect("taxes");
    assert_eq!(read(&taxed), [(0, "No tax: outside the places where we collect it")]);
}

#[tokio::test]
async fn taxjar_is_not_asked_what_is_known_without_it() {
    let (desk, calculator) = Desk::start(Vec::new()).await;
    let business = taxes(&calculator, &address("FR", "", "75001"), Some("FR40303265045"), &[1900]).await;
    assert_eq!(read(&business.expect("taxes")), [(0, "Reverse charge: the buyer owes the VAT")]);
    let free = taxes(&calculator, &address("US", "CA", "90002"), None, &[0]).await;
    assert_eq!(read(&free.expect("taxes")), [(0, "No tax: nothing is paid")]);
    let nowhere = taxes(&calculator, &address("US", "", "90002"), None, &[1900]).await;
    assert!(matches!(nowhere, Err(Error::Address(_))), "{nowhere:?}");
    assert!(desk.asked().is_empty());
}

#[tokio::test]
async fn what_taxjar_cannot_answer_is_never_no_tax() {
    let germany = address("DE", "", "10115");
    let (desk, calculator) = Desk::start(vec![(200, los_angeles()), (503, json!({}))]).await;
    let taxed = taxes(&calculator, &address("US", "CA", "90002"), None, &[1900, 100]).await;
    assert_eq!(taxed.expect("the second time").len(), 2);
    assert_eq!(desk.asked().len(), 2);
    let (_desk, calculator) = Desk::start(vec![(503, json!({})), (503, json!({}))]).await;
    let away = taxes(&calculator, &germany, None, &[1900]).await.expect_err("away");
    assert!(matches!(away, Error::Unavailable(_)) && away.is_temporary(), "{away:?}");
    for (status, answer) in [(401, json!({})), (200, json!({})), (200, json!({ "tax": {} }))] {
        let (_desk, calculator) = Desk::start(vec![(status, answer)]).await;
        let error = taxes(&calculator, &germany, None, &[1900]).await.expect_err("no answer");
        assert!(
            matches!(error, Error::Unauthorized | Error::Unreadable(_)) && !error.is_temporary(),
            "{error:?}"
        );
    }
    let refused =
        json!({ "error": "Bad Request", "detail": "to_zip 1 is not used within to_state CA", "status": 400 });
    let (_desk, calculator) = Desk::start(vec![(400, refused)]).await;
    let error = taxes(&calculator, &address("US", "CA", "1"), None, &[1900]).await.expect_err("no place");
    assert!(matches!(error, Error::Address(_)), "{error:?}");
}
