//! Payments, refunds and disputes.

use stripe_client_core::{RequestBuilder, StripeRequest};
use stripe_core::{
    charge::RetrieveCharge,
    dispute::RetrieveDispute,
    payment_intent::RetrievePaymentIntent,
    refund::{CreateRefund, ListRefund, RetrieveRefund},
};

use super::{PAGE, checked, expand, metadata};
use crate::{
    contract::id::RefundId,
    integration::stripe::{
        Error, Stripe,
        objects::{Charge, Dispute, List, PaymentIntent, Refund},
    },
};

/// More refunds than any charge has.
const MOST_PAGES: usize = 20;

impl Stripe {
    pub async fn payment_intent(&self, id: &str) -> Result<PaymentIntent, Error> {
        let request = retrieve_intent(checked(id)?);
        self.transport.call(request, None).await
    }

    pub async fn charge(&self, id: &str) -> Result<Charge, Error> {
        let request = RetrieveCharge::new(checked(id)?).expand(expand(&["balance_transaction"])).build();
        self.transport.call(request, None).await
    }

    /// Gives `amount` of a charge back. Its metadata say which of our refunds it is.
    pub async fn create_refund(
        &self,
        charge: &str,
        amount: i64,
        refund: RefundId,
        key: &str,
    ) -> Result<Refund, Error> {
        let request = CreateRefund::new()
            .charge(charge)
            .amount(amount)
            .metadata(metadata(&[("refund", refund.to_string())]))
            .build();
        self.transport.call(request, Some(key)).await
    }

    pub async fn refund(&self, id: &str) -> Result<Refund, Error> {
        let request = RetrieveRefund::new(checked(id)?).build();
        self.transport.call(request, None).await
    }

    /// All refunds of a charge, newest first, those made at Stripe's dashboard too.
    pub async fn refunds_of(&self, charge: &str) -> Result<Vec<Refund>, Error> {
        let mut refunds: Vec<Refund> = Vec::new();
        for _ in 0..MOST_PAGES {
            let request = list_refunds(charge, refunds.last().map(|refund| refund.id.as_str()));
            let page: List<Refund> = self.transport.call(request, None).await?;
            let more = page.has_more && !page.data.is_empty();
            refunds.extend(page.data);
            if !more {
                return Ok(refunds);
            }
        }
        Err(Error::Unavailable(format!("{charge} has more refunds than can be read")))
    }

    pub async fn dispute(&self, id: &str) -> Result<Dispute, Error> {
        let request = RetrieveDispute::new(checked(id)?).build();
        self.transport.call(request, None).await
    }
}

fn retrieve_intent(id: &str) -> RequestBuilder {
    RetrievePaymentIntent::new(id).expand(expand(&["latest_charge.balance_transaction"])).build()
}

fn list_refunds(charge: &str, after: Option<&str>) -> RequestBuilder {
    let request = ListRefund::new().charge(charge).limit(PAGE);
    match after {
        Some(after) => request.starting_after(after),
        None => request,
    }
    .build()
}
