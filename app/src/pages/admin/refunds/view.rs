//! The wishes as they are shown.

use devforge::{
    account::Permission,
    billing::{order::Order, refund::RefundWish},
    contract::{id::RefundRequestId, money::Money},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{Done, PATH};
use crate::{
    components::{Badge, Empty, Field, Icon, Notice, RelativeTime},
    pages::{
        admin::{frame::Viewer, proof::proof_first},
        checkout::summary::in_words,
        forms::Mistakes,
    },
};

const MAX_ANSWER_CHARS: u32 = 2000;

/// A wish that nobody has decided about, with what it is about.
pub struct Waiting {
    pub wish: RefundWish,
    pub order: Order,
    /// What can still be given back; nothing, when somebody gave it back meanwhile.
    pub left: Option<Money>,
}

pub struct Listed {
    pub waiting: Vec<Waiting>,
    pub decided: Vec<RefundWish>,
    pub now: OffsetDateTime,
}

/// What was typed, to be shown again when something in it is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub wish: RefundRequestId,
    pub amount: String,
    pub answer: String,
}

pub fn refunds(
    listed: &Listed,
    viewer: Viewer,
    done: Option<Done>,
    wrong: &Mistakes,
    typed: Option<&Typed>,
) -> AnyView {
    let done = done.map(|(tone, title, text)| {
        view! { <Notice tone=tone title=title live=true><p>{text}</p></Notice> }
    });
    let decides = viewer.may(Permission::PaymentsRefund);
    let proof = if decides && !listed.waiting.is_empty() { proof_first(viewer, PATH) } else { None };
    let waiting = if listed.waiting.is_empty() {
        view! { <Empty framed=true title="Nobody waits" text="Who asks for their money back stands here until somebody answers."/> }
            .into_any()
    } else {
        let rows = listed
            .waiting
            .iter()
            .map(|waiting| {
                let form = decides.then(|| form(waiting, wrong, typed));
                waiting_row(waiting, form, listed.now)
            })
            .collect_view();
        panel("waiting", "Waiting for an answer", rows.into_any())
    };
    let decided = (!listed.decided.is_empty()).then(|| {
        let rows = listed.decided.iter().map(|wish| decided_row(wish, listed.now)).collect_view();
        panel("decided", "Answered", rows.into_any())
    });
    view! {
        <h1 class="app-title">"Refunds"</h1>
        {wrong.summary()}
        {done}
        {proof}
        {waiting}
        {decided}
    }
    .into_any()
}

fn panel(id: &'static str, title: &'static str, rows: AnyView) -> AnyView {
    view! {
        <section class="admin-panel" aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}

fn order_link(wish: &RefundWish) -> AnyView {
    view! { <h3><a href=format!("/admin/orders/{}", wish.order)>{wish.email.clone()}</a></h3> }.into_any()
}

fn waiting_row(waiting: &Waiting, form: Option<AnyView>, now: OffsetDateTime) -> AnyView {
    let Waiting { wish, order, left } = waiting;
    let left =
        left.map_or_else(|| "nothing is left of it".to_owned(), |left| format!("{left} is left of it"));
    let what = format!("{}, {}, {left}", in_words(order.tier.label(), order.seats), order.total);
    let at = wish.created_at;
    view! {
        <li class="row">
            <div class="order-wish">
                {order_link(wish)}
                <p class="meta">{what}". Asked "<RelativeTime at=at now=now/></p>
                <p class="admin-reason" dir="auto">{wish.message.clone()}</p>
                {form}
            </div>
        </li>
    }
    .into_any()
}

fn form(waiting: &Waiting, wrong: &Mistakes, typed: Option<&Typed>) -> AnyView {
    let wish = &waiting.wish;
    let typed = typed.filter(|typed| typed.wish == wish.id);
    // The list of mistakes leads to the fields of the form that was sent.
    let id = |name: &str| if typed.is_some() { name.to_owned() } else { format!("{name}-{}", wish.id) };
    let error = |name: &str| typed.and_then(|_| wrong.of(name));
    let (amount, answer) =
        typed.map(|typed| (typed.amount.clone(), typed.answer.clone())).unwrap_or_default();
    let hint = waiting.left.map_or_else(
        || "Nothing is left to give back.".to_owned(),
        |left| format!("{left} is left. Leave this empty to give all of it back."),
    );
    let about = format!(" {}", wish.email);
    view! {
        <div class="admin-actions">
            <details open=typed.is_some()>
                <summary>
                    <Icon name="right" size=16/>
                    <span>"Answer"<span class="visually-hidden">{about}</span></span>
                </summary>
                <form method="post" action=format!("{PATH}/{}", wish.id) novalidate=true>
                    <Field name="answer" id=id("answer") label="Answer" kind="textarea" value=answer
                        error=error("answer") hint="The customer gets it by mail, whatever you decide."
                        maxlength=MAX_ANSWER_CHARS/>
                    <Field name="amount" id=id("amount") label="Amount" value=amount hint=hint
                        error=error("amount") inputmode="decimal" maxlength=20 autocomplete="off" optional=true/>
                    <div class="button-row">
                        <button class="button primary" type="submit" name="decision" value="accept">
                            "Give it back"
                        </button>
                        <button class="button secondary" type="submit" name="decision" value="decline">
                            "Decline"
                        </button>
                    </div>
                </form>
            </details>
        </div>
    }
    .into_any()
}

fn decided_row(wish: &RefundWish, now: OffsetDateTime) -> AnyView {
    let (tone, icon, label) = match wish.status.as_str() {
        "accepted" => ("ok", "back", "Given back"),
        _ => ("plain", "x", "Declined"),
    };
    let answer = wish.answer.clone().map(|answer| {
        view! { <p class="admin-reason" dir="auto">{answer}</p> }
    });
    let at = wish.decided_at.unwrap_or(wish.created_at);
    view! {
        <li class="row">
            <div class="order-wish">
                {order_link(wish)}
                <p class="admin-reason meta" dir="auto">{wish.message.clone()}</p>
                {answer}
                <p class="meta">"Answered "<RelativeTime at=at now=now/></p>
            </div>
            <Badge tone=tone icon=icon label=label/>
        </li>
    }
    .into_any()
}
