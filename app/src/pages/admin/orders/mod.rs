//! Orders for staff: finding one, all that stands about it, and giving its money back.
//!
//! What always holds: a refund belongs to a payment of the order it is asked for at; the same form sent twice gives
//! money back once.

mod detail;
mod list;
mod refund_form;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    billing::{
        dispute, document,
        order::{self, Filter},
        payment::{self, Payment},
        refund,
    },
    context::Context,
    contract::{
        id::OrderId,
        payment::{OrderStatus, RefundStatus},
    },
    crypto, license,
};
use serde::Deserialize;

pub(super) use self::refund_form::read_amount;
use self::{
    detail::{Found, detail},
    list::{Asked, orders},
    refund_form::Typed,
};
use super::{
    DoneQuery,
    frame::{Here, Section, Viewer, frame},
};
use crate::pages::{
    forms::{Mistakes, billing_mistakes},
    shell::{Page, Visit},
};

const PATH: &str = "/admin/orders";
const MAX_SEARCH_CHARS: usize = 254;

/// All as text: what is no status or id narrows nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OrdersQuery {
    q: String,
    status: String,
    before: String,
}

pub async fn orders_page(
    State(ctx): State<Context>,
    Query(query): Query<OrdersQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    // PostgreSQL takes no NUL, and no address holds a control character.
    let search: String = query.q.chars().filter(|c| !c.is_control()).take(MAX_SEARCH_CHARS).collect();
    let filter = Filter {
        search: search.trim().to_owned(),
        status: OrderStatus::parse(&query.status),
        before: query.before.parse().ok(),
    };
    let found = order::list(&ctx, &visit.caller, &filter).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let asked = Asked { q: filter.search, status: filter.status, further_down: filter.before.is_some() };
    let page = Page::new("Orders", "What was ordered, and where it stands.", move || {
        frame(Here::Page(Section::Orders), viewer, orders(&found, &asked, now))
    });
    Ok(page.render(&visit))
}

pub async fn order_page(
    State(ctx): State<Context>,
    Path(id): Path<OrderId>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, visit, id, StatusCode::OK, answer).await
}

/// What was done: a tone, what it is, and what follows from it.
type Done = (&'static str, &'static str, &'static str);

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<Done> {
    Some(match word {
        "refunded" => (
            "ok",
            "The money goes back",
            "The way it came. How far it is stands under Refunds, and a mail tells the customer.",
        ),
        "refused" => (
            "bad",
            "The payment provider did not take the refund",
            "Why stands under Refunds. The money can be given back again.",
        ),
        _ => return None,
    })
}

/// What a refund came to when it was asked for, as a redirect says it.
pub(super) const fn outcome(status: RefundStatus) -> &'static str {
    match status {
        RefundStatus::Failed | RefundStatus::Canceled => "refused",
        RefundStatus::Requested | RefundStatus::Pending | RefundStatus::Succeeded => "refunded",
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RefundForm {
    payment: String,
    amount: String,
    reason: String,
    license: String,
    form: String,
}

pub async fn refund_order(
    State(ctx): State<Context>,
    Path(id): Path<OrderId>,
    visit: Visit,
    Form(form): Form<RefundForm>,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::PaymentsRefund)?;
    order::find(&ctx, &visit.caller, id).await?;
    let payments = payment::of_order(&ctx, id).await?;
    let Some(paid) = payments.iter().find(|paid| paid.id.to_string() == form.payment) else {
        return Err(ApiError::not_found());
    };
    let RefundForm { amount, reason, license, form, .. } = form;
    let typed = Typed { payment: paid.id, amount, reason, license, form };
    match give_back(&ctx, &visit, paid, &typed).await? {
        Ok(status) => {
            let word = outcome(status);
            Ok(Redirect::to(&format!("{PATH}/{id}?done={word}")).into_response())
        }
        Err((status, wrong)) => {
            let answer = Answer { done: None, wrong, typed: Some(typed) };
            show(&ctx, visit, id, status, answer).await
        }
    }
}

/// How the refund stands, or what of the form needs another look.
async fn give_back(
    ctx: &Context,
    visit: &Visit,
    paid: &Payment,
    typed: &Typed,
) -> Result<Result<RefundStatus, (StatusCode, Mistakes)>, ApiError> {
    let (amount, consequence) = match typed.read(paid.amount.currency) {
        Ok(read) => read,
        Err(wrong) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, wrong))),
    };
    let key = typed.request_key(amount);
    let wanted = refund::Wanted { amount, reason: &typed.reason, consequence, request_key: key.as_deref() };
    match Box::pin(refund::of_payment(ctx, &visit.caller, paid.id, &wanted)).await {
        Ok(answer) => Ok(Ok(answer.status)),
        Err(error) => billing_mistakes(error).map(Err),
    }
}

/// What a request adds to the page.
#[derive(Default)]
struct Answer {
    done: Option<Done>,
    wrong: Mistakes,
    typed: Option<Typed>,
}

async fn show(
    ctx: &Context,
    mut visit: Visit,
    id: OrderId,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    // Whose order it is may see it elsewhere; here is what staff sees.
    visit.caller.require(ctx, Permission::PaymentsRead)?;
    let caller = &visit.caller;
    let order = order::find(ctx, caller, id).await?;
    let found = Found {
        payments: payment::of_order(ctx, id).await?,
        refunds: refund::of_order(ctx, caller, id).await?,
        disputes: dispute::of_order(ctx, caller, id).await?,
        documents: document::of_order(ctx, id).await?,
        wish: refund::open_wish(ctx, caller, id).await?,
        licenses: license::of_order(ctx, id).await?,
        order,
        now: ctx.clock.now(),
        token: crypto::to_hex(&ctx.random.bytes::<{ refund_form::TOKEN_DIGITS / 2 }>()),
    };
    let viewer = Viewer::of(ctx, caller)?;
    let Answer { done, wrong, typed } = answer;
    let title = format!("Order of {}", found.order.email);
    let page = Page::new(title, "One order, and all that stands about it.", move || {
        let content = detail(&found, viewer, done, &wrong, typed.as_ref());
        frame(Here::Below(Section::Orders), viewer, content)
    });
    // The address of a form cannot be come back to.
    visit.path = format!("{PATH}/{id}");
    Ok(page.status(status).render(&visit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_our_own_are_answered() {
        for status in RefundStatus::ALL {
            assert!(done(outcome(*status)).is_some());
        }
        assert_eq!(done("<script>"), None);
        assert_eq!(done(""), None);
    }
}
