//! Stripe: what we ask of it, and whether a message is from it.
//!
//! Requests are built by async-stripe's typed builders, and sent and read by us. Its own client opens a connection for
//! each call, makes a new idempotency key for each of its retries, and fails on objects that gained or lost a field.
//! Ours keeps connections, sends one key with every try, and reads only the fields that we use.
//!
//! What always holds: no call takes part in a database transaction; whatever must not happen twice carries a key made
//! from our ids; ids of Stripe's are letters, digits and underscores before they become part of a path; bodies and keys
//! are never logged.

mod calls;
pub mod objects;
pub mod signature;
mod transport;

pub use calls::{
    catalogue::{NewCoupon, NewPrice, NewTaxRate},
    checkout::NewSession,
    customer::NewCustomer,
    subscription::{Change, Proration},
    tax::{BuyerTaxId, NewTaxCalculation},
};
pub use objects::{
    Charge, Coupon, Customer, Dispute, Event, Expandable, Invoice, List, PaymentIntent, PortalSession, Price,
    Product, Refund, Session, Subscription, TaxCalculation, TaxRate,
};

use crate::config::PaymentsConfig;
use transport::Transport;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bank said no. The message is for the person who pays.
    #[error("the payment was declined ({code})")]
    Declined { code: String, decline_code: Option<String>, message: String },
    /// Ours to put right: what was asked makes no sense to Stripe.
    #[error("Stripe does not take the request: {message}")]
    Invalid { param: Option<String>, code: Option<String>, message: String },
    #[error("Stripe has no such thing")]
    NotFound,
    #[error("Stripe does not take our key, or the key may not do this")]
    Unauthorized,
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    #[error("Stripe asks us to be slower")]
    RateLimited,
    #[error("Stripe is not available: {0}")]
    Unavailable(String),
    #[error("Stripe's answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

impl Error {
    /// Whether the same request may do better later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable(_))
    }

    /// Stripe's word for what is wrong with a request.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Declined { code, .. } => Some(code),
            Self::Invalid { code, .. } => code.as_deref(),
            _ => None,
        }
    }
}

/// An account at Stripe, or the simulator. Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Stripe {
    transport: Transport,
    environment: &'static str,
}

impl Stripe {
    /// None when there is no key: nothing can be bought then.
    pub fn new(config: &PaymentsConfig) -> Option<Self> {
        let key = config.stripe_secret_key.clone()?;
        let live = ["sk_live_", "rk_live_"].iter().any(|prefix| key.expose().starts_with(prefix));
        let environment = match (config.simulated, live) {
            (true, _) => "simulator",
            (false, true) => "live",
            (false, false) => "test",
        };
        Some(Self { transport: Transport::new(&config.stripe_url, key), environment })
    }

    /// `simulator`, `test` or `live`: each knows other objects than the others.
    pub const fn environment(&self) -> &'static str {
        self.environment
    }
}
