//! Subscriptions and their invoices.

use stripe_billing::{
    invoice::{
        CreatePreviewInvoice, CreatePreviewInvoiceSubscriptionDetails,
        CreatePreviewInvoiceSubscriptionDetailsItems,
        CreatePreviewInvoiceSubscriptionDetailsProrationBehavior as PreviewProration, RetrieveInvoice,
    },
    subscription::{
        CancelSubscription, ListSubscription, ListSubscriptionStatus, RetrieveSubscription,
        UpdateSubscription, UpdateSubscriptionItems, UpdateSubscriptionPaymentBehavior,
        UpdateSubscriptionProrationBehavior,
    },
};
use stripe_client_core::{RequestBuilder, StripeRequest};

use super::{PAGE, checked, expand};
use crate::integration::stripe::{
    Error, Stripe,
    objects::{Invoice, List, Subscription},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proration {
    /// The rest of the period is settled now. When it cannot be paid, nothing changes.
    InvoiceNow,
    None,
}

/// What the one item of a subscription becomes.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The item's id.
    pub item: &'a str,
    pub price: &'a str,
    pub quantity: u32,
    pub proration: Proration,
}

impl Stripe {
    pub async fn subscription(&self, id: &str) -> Result<Subscription, Error> {
        let request = RetrieveSubscription::new(checked(id)?).build();
        self.transport.call(request, None).await
    }

    /// A page of all there are, newest first, those that ended too.
    pub async fn subscriptions_after(&self, after: Option<&str>) -> Result<List<Subscription>, Error> {
        self.transport.call(list(after), None).await
    }

    pub async fn change_subscription(
        &self,
        id: &str,
        change: &Change<'_>,
        key: &str,
    ) -> Result<Subscription, Error> {
        let request = update(checked(id)?, change);
        self.transport.call(request, Some(key)).await
    }

    pub async fn set_cancel_at_period_end(
        &self,
        id: &str,
        cancel: bool,
        key: &str,
    ) -> Result<Subscription, Error> {
        let request = UpdateSubscription::new(checked(id)?).cancel_at_period_end(cancel).build();
        self.transport.call(request, Some(key)).await
    }

    /// Ends a subscription at once. One that has ended is given as it is: Stripe calls that one missing, and a try whose
    /// answer was lost has already ended it.
    pub async fn cancel_now(&self, id: &str, key: &str) -> Result<Subscription, Error> {
        let request = CancelSubscription::new(checked(id)?).build();
        match self.transport.call(request, Some(key)).await {
            Err(Error::NotFound | Error::Invalid { .. }) => {
                let subscription = self.subscription(id).await?;
                if matches!(subscription.status.as_str(), "canceled" | "incomplete_expired") {
                    return Ok(subscription);
                }
                Err(Error::Unavailable("the subscription was not ended".to_owned()))
            }
            other => other,
        }
    }

    /// With what paid it.
    pub async fn invoice(&self, id: &str) -> Result<Invoice, Error> {
        let request = RetrieveInvoice::new(checked(id)?).expand(expand(&["payments"])).build();
        self.transport.call(request, None).await
    }

    /// What a change would cost. Nothing is changed.
    pub async fn preview_change(&self, subscription: &str, change: &Change<'_>) -> Result<Invoice, Error> {
        self.transport.call(preview(subscription, change), None).await
    }
}

fn list(after: Option<&str>) -> RequestBuilder {
    let request = ListSubscription::new().status(ListSubscriptionStatus::All).limit(PAGE);
    match after {
        Some(after) => request.starting_after(after),
        None => request,
    }
    .build()
}

fn update(id: &str, change: &Change<'_>) -> RequestBuilder {
    let request = UpdateSubscription::new(id).items(vec![UpdateSubscriptionItems {
        id: Some(change.item.to_owned()),
        price: Some(change.price.to_owned()),
        quantity: Some(u64::from(change.quantity)),
        ..UpdateSubscriptionItems::new()
    }]);
    match change.proration {
        Proration::InvoiceNow => request
            .proration_behavior(UpdateSubscriptionProrationBehavior::AlwaysInvoice)
            .payment_behavior(UpdateSubscriptionPaymentBehavior::ErrorIfIncomplete),
        Proration::None => request.proration_behavior(UpdateSubscriptionProrationBehavior::None),
    }
    .build()
}

fn preview(subscription: &str, change: &Change<'_>) -> RequestBuilder {
    let item = CreatePreviewInvoiceSubscriptionDetailsItems {
        id: Some(change.item.to_owned()),
        price: Some(change.price.to_owned()),
        quantity: Some(u64::from(change.quantity)),
        ..CreatePreviewInvoiceSubscriptionDetailsItems::new()
    };
    let proration = match change.proration {
        Proration::InvoiceNow => PreviewProration::AlwaysInvoice,
        Proration::None => PreviewProration::None,
    };
    let details = CreatePreviewInvoiceSubscriptionDetails {
        items: Some(vec![item]),
        proration_behavior: Some(proration),
        ..CreatePreviewInvoiceSubscriptionDetails::new()
    };
    CreatePreviewInvoice::new().subscription(subscription).subscription_details(details).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: Change<'_> =
        Change { item: "si_1", price: "price_2", quantity: 5, proration: Proration::InvoiceNow };

    fn decoded(request: RequestBuilder) -> String {
        let body = request.body.expect("a body");
        let pairs =
            url::form_urlencoded::parse(body.as_bytes()).map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    #[test]
    fn a_change_that_cannot_be_paid_changes_nothing() {
        let body = decoded(update("sub_1", &CHANGE));
        for part in [
            "items[0][id]=si_1",
            "items[0][price]=price_2",
            "items[0][quantity]=5",
            "proration_behavior=always_invoice",
            "payment_behavior=error_if_incomplete",
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
        let later = decoded(update("sub_1", &Change { proration: Proration::None, ..CHANGE }));
        assert!(later.contains("proration_behavior=none") && !later.contains("payment_behavior"), "{later}");
    }

    #[test]
    fn a_preview_asks_for_the_same_change() {
        let body = decoded(preview("sub_1", &CHANGE));
        for part in [
            "subscription=sub_1",
            "subscription_details[items][0][id]=si_1",
            "subscription_details[items][0][quantity]=5",
            "subscription_details[proration_behavior]=always_invoice",
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
}
