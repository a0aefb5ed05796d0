//! Buying: prices, checkout, what came of it, and Stripe's messages.

mod checkout;
mod history;
mod invoices;
mod pricing;
mod refund;
mod subscription;
mod webhook;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::context::Context;

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(pricing::pricing))
        .routes(routes!(checkout::checkout))
        .routes(routes!(webhook::webhook))
        .routes(routes!(invoices::list))
        .routes(routes!(history::list))
        .routes(routes!(subscription::current))
        .routes(routes!(subscription::change))
        .routes(routes!(subscription::cancel))
        .routes(routes!(subscription::resume))
        .routes(routes!(subscription::portal))
        .routes(routes!(refund::refund))
}
