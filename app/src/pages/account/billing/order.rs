//! One of somebody's own orders, and asking for its money back.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::{
        document::{self, DocumentRef},
        order::{self as orders, Order, rules},
        payment::{self, Payment},
        refund::{self, RefundItem, RefundWish},
    },
    context::Context,
    contract::{id::OrderId, money::Money, payment::OrderStatus},
    license::{self, License},
};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::{
    components::{Badge, Field, Notice},
    pages::{
        account::layout::{Done, DoneQuery, Section, back_at, done_notice, page_below, part},
        checkout::{
            order_parts::{document_rows, order_badge, order_bill, refund_badge, timeline},
            order_view::{Arrived, Stage, Standing, of_license, standing, state},
            summary::in_words,
        },
        forms::{Mistakes, billing_mistakes},
        moments::{day, moment},
        shell::{Page, Visit},
    },
};

const MAX_MESSAGE_CHARS: u32 = 2000;

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<Done> {
    (word == "asked").then_some(("Your message is with us", "A person reads it and answers by mail."))
}

fn path(id: OrderId) -> String {
    format!("/account/billing/orders/{id}")
}

pub async fn order_page(
    State(ctx): State<Context>,
    Path(id): Path<OrderId>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, &visit, id, StatusCode::OK, answer).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WishForm {
    message: String,
}

pub async fn ask_for_refund(
    State(ctx): State<Context>,
    Path(id): Path<OrderId>,
    visit: Visit,
    Form(form): Form<WishForm>,
) -> Result<Response, ApiError> {
    match refund::ask(&ctx, &visit.caller, id, &form.message).await {
        Ok(_) => Ok(Redirect::to(&format!("{}?done=asked", path(id))).into_response()),
        Err(error) => {
            let (status, wrong) = billing_mistakes(error)?;
            let answer = Answer { done: None, wrong, message: form.message };
            show(&ctx, &visit, id, status, answer).await
        }
    }
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<Done>,
    wrong: Mistakes,
    message: String,
}

/// All that the page shows of an order.
struct Found {
    order: Order,
    documents: Vec<DocumentRef>,
    refunds: Vec<RefundItem>,
    /// What came of it. Those that were given to somebody else are not shown any more.
    licenses: Vec<License>,
    /// How what was bought stands, where there is no license of theirs to say it.
    standing: Option<Standing>,
    /// The last wish to have the money back.
    wish: Option<RefundWish>,
    /// What can be asked for.
    left: Option<Money>,
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    id: OrderId,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    let caller = &visit.caller;
    let order = orders::find(ctx, caller, id).await?;
    let account = caller.user().map(|user| user.id);
    // Staff sees anybody's orders in the administration; here stand one's own.
    if order.account != account {
        return Err(ApiError::not_found());
    }
    let payments = payment::of_order(ctx, id).await?;
    let left = payments.iter().map(Payment::left).find(|left| left.amount > 0);
    let now = ctx.clock.now();
    let mut licenses = license::of_order(ctx, id).await?;
    let standing = standing(&order, &licenses, now);
    licenses.retain(|license| license.account == account);
    let found = Found {
        standing: standing.filter(|_| licenses.is_empty()),
        licenses,
        left: left.filter(|_| rules::was_paid(order.status)),
        documents: document::of_order(ctx, id).await?,
        refunds: refund::of_order(ctx, caller, id).await?,
        wish: refund::open_wish(ctx, caller, id).await?,
        order,
    };
    let page = Page::new("Your order", "What was bought, what it cost, and where it stands.", move || {
        page_below(Section::Billing, "Your order", view(&found, answer, now))
    });
    Ok(page.status(status).render(&back_at(visit, &path(id))))
}

fn view(found: &Found, answer: Answer, now: OffsetDateTime) -> AnyView {
    let Found { order, documents, refunds, licenses, standing, wish, left } = found;
    let Answer { done, wrong, message } = answer;
    let (_, text) = state(order, Arrived::Otherwise, now);
    let bill = view! { <div class="order-bill">{order_bill(order)}</div> }.into_any();
    let licenses_part = (!licenses.is_empty() || standing.is_some()).then(|| {
        let rows = licenses.iter().map(|license| license_row(license, now)).collect_view();
        let none = standing.clone().map(|standing| standing_row(order, standing));
        part("license", "License", None, view! { <ul class="rows">{rows}{none}</ul> }.into_any())
    });
    let documents_part =
        (!documents.is_empty()).then(|| part("documents", "Documents", None, document_rows(documents)));
    let refunds_part = (!refunds.is_empty()).then(|| part("refunds", "Refunds", None, refund_rows(refunds)));
    let waits = wish.as_ref().is_some_and(|wish| wish.decided_at.is_none());
    let ask = left.filter(|_| !waits).map(|left| ask(order.id, left, message, &wrong));
    view! {
        {wrong.summary()}
        {done_notice(done)}
        <div class="order-wish">
            <p>{order_badge(order.status)}</p>
            <p class="lead">{text}</p>
            {way_to_pay(order)}
        </div>
        {wish.as_ref().map(asked)}
        {licenses_part}
        {part("bill", "Bill", None, bill)}
        {facts(order)}
        {documents_part}
        {refunds_part}
        {part("happened", "What happened", None, timeline(order, documents))}
        {ask}
    }
    .into_any()
}

fn license_row(license: &License, now: OffsetDateTime) -> AnyView {
    let address = format!("/account/licenses/{}", license.id);
    let Standing { tone, icon, word, text, .. } = of_license(license, now);
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">
                    {in_words(license.tier.label(), license.seats)}<Badge tone=tone icon=icon label=word/>
                </h3>
                <p><code>{license.masked_key()}</code></p>
                <p class="meta">{text}</p>
            </div>
            <a class="button secondary small" href=address>"Open license"</a>
        </li>
    }
    .into_any()
}

/// In the place of a license that is not theirs, or not there.
fn standing_row(order: &Order, standing: Standing) -> AnyView {
    let Standing { tone, icon, word, text, stage } = standing;
    let text = match stage {
        Stage::ToCome => format!("{text} A mail to {} brings the key.", order.email),
        _ => text,
    };
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">
                    {in_words(order.tier.label(), order.seats)}<Badge tone=tone icon=icon label=word/>
                </h3>
                <p>{text}</p>
            </div>
        </li>
    }
    .into_any()
}

/// Paying goes on at the page of the order.
fn way_to_pay(order: &Order) -> Option<AnyView> {
    matches!(order.status, OrderStatus::Open | OrderStatus::Failed).then(|| {
        let address = format!("/checkout/orders/{}", order.id);
        view! { <p><a class="button primary" href=address>"Continue to payment"</a></p> }.into_any()
    })
}

fn facts(order: &Order) -> AnyView {
    view! {
        <dl class="facts">
            <div><dt>"Ordered"</dt><dd>{moment(order.created_at)}</dd></div>
            <div><dt>"Paid"</dt><dd>{order.interval.label()}</dd></div>
            <div><dt>"For"</dt><dd>{order.email.clone()}</dd></div>
            <div><dt>"Order"</dt><dd><code>{order.id.to_string()}</code></dd></div>
        </dl>
    }
    .into_any()
}

fn refund_rows(refunds: &[RefundItem]) -> AnyView {
    let rows = refunds
        .iter()
        .map(|refund| {
            view! {
                <li class="row">
                    <div>
                        <h3>{refund.amount.to_string()}</h3>
                        <p class="meta">{moment(refund.created_at)}</p>
                    </div>
                    {refund_badge(refund.status)}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

/// A wish, and what was answered to it.
fn asked(wish: &RefundWish) -> AnyView {
    let on = day(wish.created_at);
    let message = wish.message.clone();
    if wish.decided_at.is_none() {
        let title = format!("You asked for your money back on {on}");
        let text = format!("We answer by mail to {}.", wish.email);
        return view! {
            <Notice tone="info" icon="back" title=title>
                <p class="order-words" dir="auto">{message}</p>
                <p>{text}</p>
            </Notice>
        }
        .into_any();
    }
    let (tone, title) = match wish.status.as_str() {
        "accepted" => ("ok", "Your money goes back"),
        _ => ("info", "We do not give this money back"),
    };
    let text = format!("You asked on {on}. Our answer:");
    let answer = wish.answer.clone().unwrap_or_default();
    view! {
        <Notice tone=tone title=title>
            <p>{text}</p>
            <p class="order-words" dir="auto">{answer}</p>
        </Notice>
    }
    .into_any()
}

fn ask(id: OrderId, left: Money, message: String, wrong: &Mistakes) -> AnyView {
    let action = format!("{}/refund-request", path(id));
    let button = format!("Ask for {left} back");
    let form = view! {
        <form class="account-form" method="post" action=action novalidate=true>
            <Field name="message" label="Why you want it back" kind="textarea" value=message
                error=wrong.of("message") maxlength=MAX_MESSAGE_CHARS/>
            <div class="form-actions"><button class="button secondary" type="submit">{button}</button></div>
        </form>
    };
    let about = "A person reads it and answers by mail. Who gets all of the money back loses the license.";
    part("ask", "Ask for a refund", Some(about), form.into_any())
}

#[cfg(test)]
mod tests {
    use super::done;

    #[test]
    fn only_words_of_our_own_are_answered() {
        assert!(done("asked").is_some());
        assert_eq!(done("<script>"), None);
        assert_eq!(done(""), None);
    }
}
