//! Where sequences happen: the domain on a database, with versions of the editor for centuries, and a shop where there
//! is something bought.

use devforge::{
    account::{Caller, Identity, Via},
    billing::{
        order::Order,
        payment,
        refund::{self, Wanted},
    },
    context::Context,
    contract::{account::Role, id::RefundId, license_key::LicenseKey, payment::Interval},
    license::{
        self, License,
        issue::{self, GenerateOrder, Issued},
        life,
    },
};
use stripe_simulator::Card;
use time::{Duration, OffsetDateTime};

use super::steps::{Asking, Terms};
use crate::{
    shop::{Shop, want},
    support::TestApp,
};

pub const OWNER: &str = "ada@example.com";
pub const OTHER: &str = "eve@example.com";
/// Bought before the clock is moved: the simulated Stripe goes by the machine's.
const BOUGHT: usize = 8;
/// How far apart versions come out.
const APART: Duration = Duration::days(30);
const VERSIONS: i32 = 5_000;
/// Beyond this it is begun anew, long before versions end.
const LONGEST: Duration = Duration::days(200 * 365);

enum Place {
    Plain(Box<TestApp>),
    Selling(Box<Shop>),
}

pub struct World {
    place: Place,
    began: OffsetDateTime,
    admin: Caller,
    owner: Caller,
    bought: Vec<(License, LicenseKey, Order)>,
}

impl World {
    pub async fn plain() -> Self {
        Self::of(Place::Plain(Box::new(TestApp::start().await))).await
    }

    pub async fn selling() -> Self {
        let mut world = Self::of(Place::Selling(Box::new(Shop::open().await))).await;
        for _ in 0..BOUGHT {
            let bought = world.buy().await;
            world.bought.push(bought);
        }
        world
    }

    async fn of(place: Place) -> Self {
        let app = place.app();
        let admin = app.signed_in("admin@example.com", Role::Admin).await;
        let owner = app.signed_in(OWNER, Role::Customer).await;
        let began = app.ctx.clock.now();
        sqlx::query(
            "insert into license_version (version, released_at)
             select '1.' || n || '.0', $1 + n * interval '30 days' from generate_series(0, $2) as n",
        )
        .bind(began - APART * 10)
        .bind(VERSIONS)
        .execute(&app.ctx.db)
        .await
        .expect("versions came out");
        Self { place, began, admin, owner, bought: Vec::new() }
    }

    pub fn is_used_up(&self) -> bool {
        let sells = matches!(self.place, Place::Selling(_));
        self.ctx().clock.now() - self.began > LONGEST || (sells && self.bought.is_empty())
    }

    pub fn app(&self) -> &TestApp {
        self.place.app()
    }

    pub fn ctx(&self) -> &Context {
        &self.app().ctx
    }

    /// Somebody of ours, who has just proven who they are.
    pub fn admin(&self) -> Caller {
        fresh(&self.admin, self.ctx().clock.now())
    }

    fn owner(&self) -> Caller {
        fresh(&self.owner, self.ctx().clock.now())
    }

    pub async fn give(&self, terms: Terms) -> (License, LicenseKey) {
        let order = GenerateOrder {
            account: self.owner.identity().expect("signed in").user.id,
            tier: terms.tier,
            seats: terms.seats,
            count: 1,
            expires_at: terms.days.map(|days| self.ctx().clock.now() + Duration::days(days)),
            fallback: terms.fallback,
            floating: terms.floating,
            overage: u16::try_from(terms.overage).expect("a percentage"),
            reason: "for a test".to_owned(),
            mail: false,
            request: None,
        };
        let issued = Box::pin(issue::generate(self.ctx(), &self.admin(), &order)).await.expect("given");
        let Some(Issued { license, key }) = issued.into_iter().next() else { panic!("one license") };
        (license, key)
    }

    /// One that was bought, and nothing has happened to it.
    pub fn take_bought(&mut self) -> (License, LicenseKey, Order) {
        self.bought.pop().expect("a world that is used up is not used")
    }

    async fn buy(&self) -> (License, LicenseKey, Order) {
        let shop = self.shop();
        let request = want(OWNER, Terms::BOUGHT.tier, Interval::Once, Terms::BOUGHT.seats);
        let order = shop.order_of(&self.owner(), &request).await;
        shop.pay(&order, Card::RefundFailsLater);
        Box::pin(shop.deliver()).await;
        let license = license::of_order(self.ctx(), order.id).await.expect("read").remove(0);
        let key = life::reveal(self.ctx(), &self.owner(), license.id).await.expect("shown");
        (license, key, order)
    }

    /// Gives back all that was paid.
    pub async fn refund(&self, order: &Order) -> RefundId {
        let payment = payment::of_order(self.ctx(), order.id).await.expect("read").remove(0);
        let wanted = Wanted { amount: None, reason: "for a test", consequence: None, request_key: None };
        let given = Box::pin(refund::of_payment(self.ctx(), &self.admin(), payment.id, &wanted)).await;
        let id = given.expect("given back").refund_id;
        Box::pin(self.shop().deliver()).await;
        id
    }

    /// The customer's bank did not take it.
    pub async fn fail_refund(&self, order: &Order, id: RefundId) {
        let all = refund::of_order(self.ctx(), &self.admin(), order.id).await.expect("read");
        let refund = all.into_iter().find(|refund| refund.id == id).expect("there");
        let at_stripe = refund.stripe_id.expect("known there");
        self.shop().stripe.fail_refund(&at_stripe).expect("failed");
        Box::pin(self.shop().deliver()).await;
    }

    fn shop(&self) -> &Shop {
        match &self.place {
            Place::Selling(shop) => shop,
            Place::Plain(_) => panic!("nothing is sold here"),
        }
    }

    /// The name of a version, seen from the end of a license.
    pub fn version(&self, asking: Asking, end: Option<OffsetDateTime>) -> Option<String> {
        let end = end.unwrap_or_else(|| self.ctx().clock.now());
        let before = (end - self.began).whole_seconds().div_euclid(APART.whole_seconds()) + 10;
        match asking {
            Asking::Unnamed => None,
            Asking::Covered => Some(format!("1.{before}.0")),
            Asking::Beyond => Some(format!("1.{}.0", before + 1)),
            Asking::Unheard => Some("0.9.9".to_owned()),
        }
    }
}

impl Place {
    fn app(&self) -> &TestApp {
        match self {
            Self::Plain(app) => app,
            Self::Selling(shop) => &shop.app,
        }
    }
}

fn fresh(caller: &Caller, now: OffsetDateTime) -> Caller {
    let identity = caller.identity().expect("signed in");
    let Via::Session { id, impersonator, .. } = identity.via else { panic!("with a session") };
    let via = Via::Session { id, authenticated_at: Some(now), impersonator };
    Caller::User(Identity { user: identity.user.clone(), via, request: identity.request })
}
