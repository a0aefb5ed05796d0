//! Customers' wishes to have their money back: those that wait, each with the form that decides, and those that were
//! decided.

mod view;

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
        order,
        payment::{self, Payment},
        refund::{self, Decision, RefundWish},
    },
    context::Context,
    contract::{id::RefundRequestId, payment::RefundStatus},
};
use serde::Deserialize;

use self::view::{Listed, Typed, Waiting, refunds};
use super::{
    DoneQuery,
    frame::{Here, Section, Viewer, frame},
    orders::{outcome, read_amount},
};
use crate::pages::{
    forms::{Mistakes, billing_mistakes},
    shell::{Page, Visit},
};

const PATH: &str = "/admin/refunds";

pub async fn refunds_page(
    State(ctx): State<Context>,
    Query(query): Query<DoneQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let answer = Answer { done: done(&query.done), ..Answer::default() };
    show(&ctx, visit, StatusCode::OK, answer).await
}

/// What was done: a tone, what it is, and what follows from it.
type Done = (&'static str, &'static str, &'static str);

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<Done> {
    Some(match word {
        "refunded" => ("ok", "The money goes back", "The customer gets your answer by mail."),
        "refused" => (
            "bad",
            "The payment provider did not take the refund",
            "The customer has your answer. Why it failed stands with the order, where the money can be given back \
             again.",
        ),
        "declined" => ("ok", "The wish is declined", "The customer gets your answer by mail."),
        _ => return None,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DecisionForm {
    amount: String,
    answer: String,
    /// `accept` or `decline`: the button that was used.
    decision: String,
}

pub async fn decide_refund(
    State(ctx): State<Context>,
    Path(id): Path<RefundRequestId>,
    visit: Visit,
    Form(form): Form<DecisionForm>,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::PaymentsRefund)?;
    let DecisionForm { amount, answer, decision } = form;
    let typed = Typed { wish: id, amount, answer };
    match decide(&ctx, &visit, &typed, &decision).await? {
        Ok(status) => {
            let word = status.map_or("declined", outcome);
            Ok(Redirect::to(&format!("{PATH}?done={word}")).into_response())
        }
        Err((status, wrong)) => {
            show(&ctx, visit, status, Answer { done: None, wrong, typed: Some(typed) }).await
        }
    }
}

/// How the refund stands, if there is one, or what of the form needs another look.
async fn decide(
    ctx: &Context,
    visit: &Visit,
    typed: &Typed,
    decision: &str,
) -> Result<Result<Option<RefundStatus>, (StatusCode, Mistakes)>, ApiError> {
    let decision = match decision {
        "decline" => Decision::Decline,
        "accept" => {
            let mut wrong = Mistakes::default();
            let amount = amount(ctx, visit, typed, &mut wrong).await?;
            if !wrong.is_empty() {
                return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, wrong)));
            }
            Decision::Accept { amount }
        }
        _ => {
            let wrong = Mistakes::general("Choose whether to give the money back.");
            return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, wrong)));
        }
    };
    match Box::pin(refund::decide(ctx, &visit.caller, typed.wish, decision, &typed.answer)).await {
        Ok(answer) => Ok(Ok(answer.map(|answer| answer.status))),
        Err(error) => billing_mistakes(error).map(Err),
    }
}

/// What was typed, in the currency of the order that it is about.
async fn amount(
    ctx: &Context,
    visit: &Visit,
    typed: &Typed,
    wrong: &mut Mistakes,
) -> Result<Option<i64>, ApiError> {
    let wishes = refund::wishes(ctx, &visit.caller).await?;
    let wish = wishes.iter().find(|wish| wish.id == typed.wish).ok_or_else(ApiError::not_found)?;
    let order = order::find(ctx, &visit.caller, wish.order).await?;
    let amount = read_amount(&typed.amount, order.currency, wrong);
    if amount == Some(0) {
        wrong.add("amount", "Give back more than nothing.");
    }
    Ok(amount)
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
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    let wishes = refund::wishes(ctx, &visit.caller).await?;
    let (waiting, decided): (Vec<_>, Vec<_>) = wishes.into_iter().partition(|wish| wish.decided_at.is_none());
    let mut found = Vec::with_capacity(waiting.len());
    for wish in waiting {
        found.push(with_order(ctx, &visit, wish).await?);
    }
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let Answer { done, wrong, typed } = answer;
    let page =
        Page::new("Refund requests", "Who asks for their money back, and what was answered.", move || {
            let listed = Listed { waiting: found, decided, now };
            frame(
                Here::Page(Section::Refunds),
                viewer,
                refunds(&listed, viewer, done, &wrong, typed.as_ref()),
            )
        });
    // The address of a form cannot be come back to.
    PATH.clone_into(&mut visit.path);
    Ok(page.status(status).render(&visit))
}

/// A wish with what can be given back on it.
async fn with_order(ctx: &Context, visit: &Visit, wish: RefundWish) -> Result<Waiting, ApiError> {
    let order = order::find(ctx, &visit.caller, wish.order).await?;
    let payments = payment::of_order(ctx, wish.order).await?;
    let left = payments.iter().map(Payment::left).find(|left| left.amount > 0);
    Ok(Waiting { wish, order, left })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_our_own_are_answered() {
        for status in RefundStatus::ALL {
            assert!(done(outcome(*status)).is_some());
        }
        assert!(done("declined").is_some());
        assert_eq!(done("<script>"), None);
    }
}
