//! Events: what happened at Stripe, for when its messages did not arrive.

use stripe_client_core::{RequestBuilder, StripeRequest};
use stripe_core::event::ListEvent;
use stripe_types::RangeQueryTs;

use super::PAGE;
use crate::integration::stripe::{
    Error, Stripe,
    objects::{Event, List},
};

impl Stripe {
    /// Newest first. Pages follow by the id of the last event of the page before.
    pub async fn events_since(&self, created_gte: i64, after: Option<&str>) -> Result<List<Event>, Error> {
        self.transport.call(list(created_gte, after), None).await
    }
}

fn list(created_gte: i64, after: Option<&str>) -> RequestBuilder {
    let request = ListEvent::new().created(RangeQueryTs::gte(created_gte)).limit(PAGE);
    match after {
        Some(after) => request.starting_after(after),
        None => request,
    }
    .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_after_the_last() {
        let query = list(7, Some("evt_1")).query.expect("a query");
        assert!(query.contains("limit=100") && query.contains("starting_after=evt_1"), "{query}");
        assert!(query.contains("gte") && query.contains("=7"), "{query}");
    }
}
