//! What somebody buys and pays for: subscription, orders, documents and payments, on one page.

mod order;
mod subscription;
mod subscription_view;
mod view;

use axum::{extract::State, response::Response};
use devforge::{
    api::{error::ApiError, extract::Query},
    billing::{document, history, order as orders, subscription as subscriptions},
    context::Context,
    contract::{
        list::Page as Part,
        payment::{HistoryItem, Invoice, Subscription},
    },
};
use serde::Deserialize;

use self::view::billing_view;
pub use self::{
    order::{ask_for_refund, order_page},
    subscription::{
        cancel_subscription, change_subscription, open_portal, resume_subscription, subscription_page,
    },
    view::state_of,
};
use super::layout::{Section, section_page};
use crate::pages::shell::{Page, Visit};

/// Entries of each list on one page.
const SHOWN: u32 = 20;

#[derive(Debug, Deserialize)]
pub struct BillingQuery {
    /// Where the documents go on.
    documents: Option<String>,
    /// Where the payments go on.
    payments: Option<String>,
}

/// All that the page shows.
struct Billing {
    subscription: Option<Subscription>,
    orders: Vec<orders::Order>,
    documents: Part<Invoice>,
    payments: Part<HistoryItem>,
    /// A page further down is not the whole of it.
    further_down: bool,
}

pub async fn billing_page(
    State(ctx): State<Context>,
    Query(query): Query<BillingQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let caller = &visit.caller;
    let billing = Billing {
        subscription: subscriptions::current(&ctx, caller).await?,
        orders: orders::list_own(&ctx, caller).await?,
        documents: document::list(&ctx, caller, query.documents.as_deref(), SHOWN).await?,
        payments: history::list(&ctx, caller, query.payments.as_deref(), SHOWN).await?,
        further_down: query.documents.is_some() || query.payments.is_some(),
    };
    let page = Page::new("Billing", "Your subscription, orders, invoices and payments.", move || {
        section_page(Section::Billing, None, billing_view(&billing))
    });
    Ok(page.render(&visit))
}
