//! The page of an order: for whoever has its link, and for whose it is. Its address is a secret, and is told to nobody.

use axum::{
    Form,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::{
        document,
        order::{self as orders, Order, rules},
    },
    context::Context,
    contract::{
        id::{LicenseId, OrderId},
        payment::OrderStatus,
    },
    license::{self, License},
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use super::order_view::{Arrived, Shown, Stage, Standing, standing, view};
use crate::pages::{
    forms::{Mistakes, billing_mistakes},
    shell::{Page, Visit},
};

/// Asks the browser to load the page again after some seconds. It needs no script.
const REFRESH: HeaderName = HeaderName::from_static("refresh");
/// How long somebody who comes from paying is looked after every second, and then every ten.
const LOOK_OFTEN: Duration = Duration::hours(1);
/// How long what follows a payment may take before the page stops looking for it by itself.
const LOOK_FOR_DOCUMENTS: Duration = Duration::seconds(30);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Arrival {
    key: String,
    /// Stripe sends people back with it.
    paid: String,
}

pub async fn order_page(
    State(ctx): State<Context>,
    Path(id): Path<OrderId>,
    Query(arrival): Query<Arrival>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let order = open(&ctx, &visit, id, &arrival.key).await?;
    let arrived = if arrival.paid == "1" { Arrived::FromPaying } else { Arrived::Otherwise };
    show(&ctx, visit, order, Answer { key: arrival.key, arrived, ..Answer::default() }).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Again {
    key: String,
}

pub async fn pay(
    State(ctx): State<Context>,
    Path(id): Path<OrderId>,
    visit: Visit,
    Form(sent): Form<Again>,
) -> Result<Response, ApiError> {
    let order = if sent.key.is_empty() {
        own(&ctx, &visit, id).await?
    } else {
        open(&ctx, &visit, id, &sent.key).await?
    };
    match Box::pin(orders::pay_again(&ctx, &order)).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(error) => {
            let (status, wrong) = billing_mistakes(error)?;
            show(&ctx, visit, order, Answer { key: sent.key, status, wrong, ..Answer::default() }).await
        }
    }
}

/// With a key the link counts, and without one who is signed in.
async fn open(ctx: &Context, visit: &Visit, id: OrderId, key: &str) -> Result<Order, ApiError> {
    let order = if key.is_empty() {
        orders::find(ctx, &visit.caller, id).await?
    } else {
        orders::by_link(ctx, id, key).await?
    };
    Ok(order)
}

/// Without a key only whose order it is pays it: who may look at it otherwise, looks.
async fn own(ctx: &Context, visit: &Visit, id: OrderId) -> Result<Order, ApiError> {
    let buyer = visit.caller.require(ctx, Permission::BillingWrite)?.user.id;
    let order = orders::find(ctx, &visit.caller, id).await?;
    if order.account == Some(buyer) { Ok(order) } else { Err(ApiError::not_found()) }
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    key: String,
    arrived: Arrived,
    status: StatusCode,
    wrong: Mistakes,
}

async fn show(ctx: &Context, visit: Visit, order: Order, answer: Answer) -> Result<Response, ApiError> {
    let Answer { key, arrived, status, wrong } = answer;
    let now = ctx.clock.now();
    let (documents, licenses) = if rules::was_paid(order.status) {
        (document::of_order(ctx, order.id).await?, license::of_order(ctx, order.id).await?)
    } else {
        (Vec::new(), Vec::new())
    };
    let standing = standing(&order, &licenses, now);
    let wait = look_again(&order, arrived, documents.is_empty(), standing.as_ref(), now);
    let to_be_paid = match order.status {
        OrderStatus::Open => arrived == Arrived::Otherwise,
        status => status == OrderStatus::Failed,
    };
    let by_link = !key.is_empty();
    let owner = order.account.is_some() && order.account == visit.caller.user().map(|user| user.id);
    let shown = Shown {
        order,
        documents,
        standing,
        license: own_license(&visit, &licenses),
        guest: visit.caller.user().is_none(),
        owner,
        buyer: by_link || owner,
        looking_again: wait.is_some(),
        key,
        arrived,
        wrong,
        now,
    };
    let page =
        Page::new("Your order", "What was bought, what it cost, and where it stands.", move || view(&shown));
    let page = if to_be_paid { page.paying().bare() } else { page };
    let mut response = page.status(status).render(&if by_link { visit.without_address() } else { visit });
    let headers = response.headers_mut();
    // Our own pages still learn it: without an origin the form on this one would be refused.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Some(seconds) = wait {
        headers.insert(REFRESH, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The license that came of an order, where it belongs to who is here.
fn own_license(visit: &Visit, licenses: &[License]) -> Option<LicenseId> {
    let here = visit.caller.user().map(|user| user.id)?;
    licenses.iter().find(|license| license.account == Some(here)).map(|license| license.id)
}

/// After how many seconds the page looks by itself whether something has changed. It ends: a page left open for days
/// asks for nothing.
fn look_again(
    order: &Order,
    arrived: Arrived,
    without_documents: bool,
    standing: Option<&Standing>,
    now: OffsetDateTime,
) -> Option<u16> {
    let soon = now - order.created_at < LOOK_OFTEN;
    match order.status {
        OrderStatus::Open if arrived == Arrived::FromPaying => {
            return (now < order.expires_at).then_some(if soon { 1 } else { 10 });
        }
        // A bank that has not answered within the hour takes days: a mail tells.
        OrderStatus::Processing => return soon.then_some(5),
        _ => {}
    }
    let just_paid = order.paid_at.is_some_and(|at| now - at < LOOK_FOR_DOCUMENTS);
    let to_come = standing.is_some_and(|standing| standing.stage == Stage::ToCome);
    let expected = without_documents && !order.total.is_zero() || to_come;
    (order.status == OrderStatus::Paid && just_paid && expected).then_some(2)
}
