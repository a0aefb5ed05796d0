//! Buying, with a simulated Stripe behind real HTTP.

mod api;
mod catalogue;
mod corners;
mod documents;
mod finance;
mod idempotency;
mod ledger;
mod orders;
mod privacy;
mod reconcile;
mod refunds;
mod stripe_client;
mod subscriptions;
mod tax;
