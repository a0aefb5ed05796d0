//! A shop in a test: the domain, the catalogue, and a simulated Stripe that tells what happened when it is asked to.

use devforge::{
    account::Caller,
    billing::{
        catalogue, inbox,
        order::{self, Order},
    },
    clock::Clock,
    config::Secret,
    context::Context,
    contract::{
        account::Role,
        id::OrderId,
        money::Currency,
        payment::{Address, CheckoutRequest, Interval, PaymentMethod, Tier},
    },
};
use stripe_simulator::{Card, Settings, Simulator, Weather};

use crate::support::{TestApp, client};

pub const WEBHOOK_SECRET: &str = "whsec_a_secret_for_tests_only";

pub struct Shop {
    pub app: TestApp,
    pub stripe: Simulator,
}

impl Shop {
    pub async fn open() -> Self {
        let stripe = stripe_simulator::start(Settings {
            address: "127.0.0.1:0".parse().expect("an address"),
            webhook: None,
            journal: None,
            seed: 7,
            weather: Weather::default(),
        })
        .expect("the simulator starts");
        let url = stripe.url().to_owned();
        let app = TestApp::start_at(Clock::fixed(now()), |config| {
            config.payments.stripe_secret_key = Some(Secret::new("sk_test_simulator".to_owned()));
            config.payments.stripe_url = url;
            config.payments.stripe_webhook_secrets = vec![Secret::new(WEBHOOK_SECRET.to_owned())];
            config.payments.simulated = true;
        })
        .await;
        assert!(catalogue::seed(&app.ctx).await.expect("seeded"));
        Self { app, stripe }
    }

    /// The same, where the first two weeks of a subscription are free.
    pub async fn open_with_trials() -> Self {
        let shop = Self::open().await;
        sqlx::query("update price set trial_days = 14 where interval <> 'once'")
            .execute(&shop.ctx().db)
            .await
            .expect("trials are offered");
        shop
    }

    pub fn ctx(&self) -> &Context {
        &self.app.ctx
    }

    /// Hands over what Stripe has to tell, and works until there is nothing more of it.
    pub async fn deliver(&self) {
        for _ in 0..20 {
            let events = self.stripe.take_events();
            let quiet = events.is_empty();
            for event in events {
                self.tell(&event).await;
            }
            self.app.run_jobs().await;
            if quiet {
                return;
            }
        }
        panic!("Stripe does not stop telling things");
    }

    /// One event, signed as Stripe signs.
    pub async fn tell(&self, event: &serde_json::Value) {
        let body = event.to_string();
        let at = self.ctx().clock.now().unix_timestamp();
        let signature = stripe_simulator::sign(WEBHOOK_SECRET, at, body.as_bytes());
        inbox::receive(self.ctx(), Some(&signature), body.as_bytes()).await.expect("received");
    }

    /// An order of a guest that waits to be paid.
    pub async fn order(&self, request: &CheckoutRequest) -> Order {
        self.order_of(&Caller::Anonymous, request).await
    }

    pub async fn order_of(&self, caller: &Caller, request: &CheckoutRequest) -> Order {
        let answer = order::checkout(self.ctx(), caller, &client(), request, None).await.expect("an order");
        self.read(answer.order_id).await
    }

    /// Pays an order on Stripe's page.
    pub fn pay(&self, order: &Order, card: Card) {
        let session = order.session_id.as_deref().expect("it has a session");
        self.stripe.pay(session, card).expect("paid");
    }

    /// A guest buys, pays with a good card, and everything is told.
    pub async fn buy(&self, email: &str, tier: Tier, interval: Interval, seats: u32) -> Order {
        self.buy_as(&Caller::Anonymous, &want(email, tier, interval, seats)).await
    }

    pub async fn buy_as(&self, caller: &Caller, request: &CheckoutRequest) -> Order {
        let order = self.order_of(caller, request).await;
        self.pay(&order, Card::Good);
        self.deliver().await;
        self.read(order.id).await
    }

    pub async fn read(&self, id: OrderId) -> Order {
        let key = order::link(self.ctx(), id);
        let key = key.rsplit_once("key=").expect("a link has a key").1;
        order::by_link(self.ctx(), id, key).await.expect("the order")
    }

    pub async fn admin(&self) -> Caller {
        self.app.signed_in("finance@example.com", Role::Admin).await
    }
}

/// What somebody in the United States wants: no tax.
pub fn want(email: &str, tier: Tier, interval: Interval, seats: u32) -> CheckoutRequest {
    CheckoutRequest {
        tier,
        interval,
        currency: Some(Currency::Usd),
        seats: Some(seats),
        coupon: None,
        payment_method: PaymentMethod::Checkout,
        tax_id: None,
        email: Some(email.to_owned()),
        name: Some("Grace Hopper".to_owned()),
        address: Some(Address {
            line1: "1 Main Street".to_owned(),
            postal_code: "94105".to_owned(),
            city: "San Francisco".to_owned(),
            region: "CA".to_owned(),
            country: "US".to_owned(),
            ..Address::default()
        }),
    }
}

/// The simulator goes by the machine's clock, so the shop begins at it.
#[expect(clippy::disallowed_methods, reason = "two clocks of a test begin at one time")]
fn now() -> time::OffsetDateTime {
    let now = time::OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}
