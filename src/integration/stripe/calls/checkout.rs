//! Checkout sessions: the page, or the Payment Element, on which an order is paid.

use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionDiscounts, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionPaymentIntentData, CreateCheckoutSessionSubscriptionData, ExpireCheckoutSession,
    RetrieveCheckoutSession,
};
use stripe_client_core::{RequestBuilder, StripeRequest};
use stripe_shared::{CheckoutSessionMode, CheckoutSessionUiMode};

use super::{checked, expand, metadata};
use crate::{
    contract::{
        id::OrderId,
        payment::{Interval, PaymentMethod},
    },
    integration::stripe::{Error, Stripe, objects::Session},
};

#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    pub order: OrderId,
    pub customer: &'a str,
    pub price: &'a str,
    pub quantity: u32,
    pub interval: Interval,
    pub tax_rates: &'a [String],
    pub coupon: Option<&'a str>,
    pub trial_days: u16,
    pub payment_method: PaymentMethod,
    pub success_url: &'a str,
    pub cancel_url: &'a str,
    /// Half an hour to a day from now.
    pub expires_at: i64,
}

impl Stripe {
    pub async fn create_session(&self, new: &NewSession<'_>, key: &str) -> Result<Session, Error> {
        self.transport.call(create(new), Some(key)).await
    }

    /// With its payment, charge and balance transaction.
    pub async fn session(&self, id: &str) -> Result<Session, Error> {
        let request = retrieve(checked(id)?);
        self.transport.call(request, None).await
    }

    /// Ends a session, so that nobody can pay on it any more. One that is paid or has ended is given as it is.
    pub async fn expire_session(&self, id: &str) -> Result<Session, Error> {
        let request = ExpireCheckoutSession::new(checked(id)?).build();
        match self.transport.call(request, None).await {
            Err(Error::Invalid { .. }) => {
                let session = self.session(id).await?;
                if session.status.as_deref() == Some("open") {
                    return Err(Error::Unavailable("the session is still open".to_owned()));
                }
                Ok(session)
            }
            other => other,
        }
    }
}

fn retrieve(id: &str) -> RequestBuilder {
    // Three steps below the object. A fourth is the most that Stripe takes.
    RetrieveCheckoutSession::new(id)
        .expand(expand(&["payment_intent.latest_charge.balance_transaction"]))
        .build()
}

fn create(new: &NewSession<'_>) -> RequestBuilder {
    let order = || metadata(&[("order", new.order.to_string())]);
    let tax_rates = (!new.tax_rates.is_empty()).then(|| new.tax_rates.to_vec());
    let line = CreateCheckoutSessionLineItems {
        price: Some(new.price.to_owned()),
        quantity: Some(u64::from(new.quantity)),
        tax_rates: tax_rates.clone(),
        ..CreateCheckoutSessionLineItems::new()
    };
    let mut request = CreateCheckoutSession::new()
        .customer(new.customer)
        .client_reference_id(new.order.to_string())
        .metadata(order())
        .line_items(vec![line])
        .expires_at(new.expires_at);
    request = match new.interval {
        Interval::Once => request.mode(CheckoutSessionMode::Payment).payment_intent_data(
            CreateCheckoutSessionPaymentIntentData {
                metadata: Some(order()),
                ..CreateCheckoutSessionPaymentIntentData::new()
            },
        ),
        Interval::Month | Interval::Year => request
            .mode(CheckoutSessionMode::Subscription)
            .subscription_data(CreateCheckoutSessionSubscriptionData {
                metadata: Some(order()),
                default_tax_rates: tax_rates,
                trial_period_days: (new.trial_days > 0).then_some(u32::from(new.trial_days)),
                ..CreateCheckoutSessionSubscriptionData::new()
            }),
    };
    if let Some(coupon) = new.coupon {
        request = request.discounts(vec![CreateCheckoutSessionDiscounts {
            coupon: Some(coupon.to_owned()),
            ..CreateCheckoutSessionDiscounts::new()
        }]);
    }
    match new.payment_method {
        PaymentMethod::Checkout => request.success_url(new.success_url).cancel_url(new.cancel_url),
        PaymentMethod::Element => {
            request.ui_mode(CheckoutSessionUiMode::Elements).return_url(new.success_url)
        }
    }
    .build()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn session(interval: Interval, tax_rates: &[String]) -> NewSession<'_> {
        NewSession {
            order: OrderId::from_uuid(Uuid::from_u128(7)),
            customer: "cus_1",
            price: "price_1",
            quantity: 3,
            interval,
            tax_rates,
            coupon: Some("cpn_1"),
            trial_days: 14,
            payment_method: PaymentMethod::Checkout,
            success_url: "https://devforge.example/ok?a=1&b=2",
            cancel_url: "https://devforge.example/back",
            expires_at: 1_800_000_000,
        }
    }

    /// The body as pairs, decoded.
    fn pairs(new: &NewSession<'_>) -> Vec<(String, String)> {
        let body = create(new).body.expect("a body");
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
    }

    fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_subscription_carries_order_tax_and_trial() {
        let rates = ["txr_1".to_owned()];
        let new = session(Interval::Month, &rates);
        let pairs = pairs(&new);
        let order = new.order.to_string();
        for (name, wanted) in [
            ("mode", "subscription"),
            ("client_reference_id", order.as_str()),
            ("metadata[order]", order.as_str()),
            ("subscription_data[metadata][order]", order.as_str()),
            ("subscription_data[trial_period_days]", "14"),
            ("subscription_data[default_tax_rates][0]", "txr_1"),
            ("line_items[0][price]", "price_1"),
            ("line_items[0][quantity]", "3"),
            ("line_items[0][tax_rates][0]", "txr_1"),
            ("discounts[0][coupon]", "cpn_1"),
            ("success_url", "https://devforge.example/ok?a=1&b=2"),
            ("cancel_url", "https://devforge.example/back"),
            ("expires_at", "1800000000"),
        ] {
            assert_eq!(value(&pairs, name), Some(wanted), "{name} in {pairs:?}");
        }
        assert_eq!(value(&pairs, "payment_intent_data[metadata][order]"), None);
    }

    #[test]
    fn what_is_paid_once_is_a_payment() {
        let new = NewSession { coupon: None, ..session(Interval::Once, &[]) };
        let pairs = pairs(&new);
        let order = new.order.to_string();
        assert_eq!(value(&pairs, "mode"), Some("payment"));
        assert_eq!(value(&pairs, "payment_intent_data[metadata][order]"), Some(order.as_str()));
        assert!(
            pairs
                .iter()
                .all(|(name, _)| !name.contains("tax_rates") && !name.starts_with("subscription_data"))
        );
        assert!(pairs.iter().all(|(name, _)| !name.starts_with("discounts")));
    }

    #[test]
    fn an_element_comes_back_to_one_address() {
        let new = NewSession { payment_method: PaymentMethod::Element, ..session(Interval::Year, &[]) };
        let pairs = pairs(&new);
        assert_eq!(value(&pairs, "ui_mode"), Some("elements"));
        assert_eq!(value(&pairs, "return_url"), Some(new.success_url));
        assert_eq!((value(&pairs, "success_url"), value(&pairs, "cancel_url")), (None, None));
    }

    #[test]
    fn a_session_comes_with_what_was_paid_and_what_it_cost() {
        let request = retrieve("cs_test_1");
        assert_eq!(request.path, "/checkout/sessions/cs_test_1");
        let query = request.query.expect("a query");
        assert!(query.ends_with("=payment_intent.latest_charge.balance_transaction"), "{query}");
    }
}
