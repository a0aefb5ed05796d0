//! The customer portal: where a subscriber changes the card that is charged.

use stripe_billing::billing_portal_session::CreateBillingPortalSession;
use stripe_client_core::{RequestBuilder, StripeRequest};

use crate::integration::stripe::{Error, Stripe, objects::PortalSession};

impl Stripe {
    /// Has no key: each visit gets an address of its own, and one that nobody opens ends by itself.
    pub async fn portal_session(&self, customer: &str, return_url: &str) -> Result<PortalSession, Error> {
        self.transport.call(create(customer, return_url), None).await
    }
}

fn create(customer: &str, return_url: &str) -> RequestBuilder {
    CreateBillingPortalSession::new().customer(customer).return_url(return_url).build()
}
