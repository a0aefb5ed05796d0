//! What stands about an order wherever it is shown: on its own page, in an account, and in the administration.

use devforge::{
    billing::{
        document::DocumentRef,
        order::{Order, rules},
    },
    contract::payment::{DocumentKind, OrderStatus, RefundStatus},
};
use leptos::prelude::*;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::summary::Bill;
use crate::components::{Badge, Icon};
use crate::pages::moments::moment;

/// Where an order stands, as a word with its shape.
pub fn order_badge(status: OrderStatus) -> AnyView {
    let (tone, icon) = look(status);
    view! { <Badge tone=tone icon=icon label=status.label()/> }.into_any()
}

const fn look(status: OrderStatus) -> (&'static str, &'static str) {
    match status {
        OrderStatus::Open => ("plain", "clock"),
        OrderStatus::Processing => ("info", "clock"),
        OrderStatus::Paid => ("ok", "ok"),
        OrderStatus::Failed | OrderStatus::DisputeLost => ("bad", "bad"),
        OrderStatus::Expired => ("plain", "x"),
        OrderStatus::PartiallyRefunded | OrderStatus::Refunded => ("info", "back"),
        OrderStatus::Disputed => ("warn", "warn"),
    }
}

/// Where a refund stands, as a word with its shape.
pub fn refund_badge(status: RefundStatus) -> AnyView {
    let (tone, icon) = match status {
        RefundStatus::Requested => ("plain", "clock"),
        RefundStatus::Pending => ("info", "clock"),
        RefundStatus::Succeeded => ("ok", "ok"),
        RefundStatus::Failed | RefundStatus::Canceled => ("bad", "bad"),
    };
    view! { <Badge tone=tone icon=icon label=status.label()/> }.into_any()
}

/// What an order costs, and what went back of it.
pub fn order_bill(order: &Order) -> AnyView {
    let refunded = (order.refunded.amount > 0).then(|| {
        let back = order.currency.of(-order.refunded.amount).to_string();
        view! { <p class="bill-after"><span>"Refunded"</span><span>{back}</span></p> }
    });
    view! { {Bill::of_order(order).view()}{refunded} }.into_any()
}

/// Documents, each with the way to it.
pub fn document_rows(documents: &[DocumentRef]) -> AnyView {
    let rows = documents
        .iter()
        .map(|document| {
            let name = format!("{} {}", document.kind.label(), document.number);
            let about = format!("{}, {}", document.total, moment(document.issued_at));
            let heard = format!(" {name}");
            view! {
                <li class="row">
                    <div><h3>{name}</h3><p>{about}</p></div>
                    <a class="button secondary small" href=document.url.clone()>
                        <Icon name="receipt" size=16/>"Open"<span class="visually-hidden">{heard}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

/// What happened, the oldest first.
pub fn timeline(order: &Order, documents: &[DocumentRef]) -> AnyView {
    let events = events(order, documents);
    let last = events.len().saturating_sub(1);
    let items = events
        .into_iter()
        .enumerate()
        .map(|(index, (at, what))| {
            let current = (index == last).then_some("step");
            let machine = at.format(&Rfc3339).unwrap_or_default();
            view! { <li aria-current=current><span>{what}</span><time datetime=machine>{moment(at)}</time></li> }
        })
        .collect_view();
    view! { <ol class="timeline">{items}</ol> }.into_any()
}

fn events(order: &Order, documents: &[DocumentRef]) -> Vec<(OffsetDateTime, String)> {
    let mut events = vec![(order.created_at, "Ordered".to_owned())];
    let paid = if order.total.is_zero() { "Completed".to_owned() } else { format!("{} paid", order.total) };
    events.extend(order.paid_at.filter(|_| rules::was_paid(order.status)).map(|at| (at, paid)));
    events.extend(documents.iter().map(|document| {
        let what = match document.kind {
            DocumentKind::Invoice => format!("Invoice {} issued", document.number),
            DocumentKind::CreditNote => {
                format!("{} refunded, credit note {}", positive(document), document.number)
            }
            DocumentKind::CreditNoteReversal => {
                format!("The bank sent {} back to us, {}", positive(document), document.number)
            }
        };
        (document.issued_at, what)
    }));
    events.extend(order.fulfilled_at.map(|at| (at, "License made".to_owned())));
    if order.status == OrderStatus::Expired {
        events.push((order.expires_at, "Expired".to_owned()));
    }
    // What happened in the same moment stays in the order in which it is written here.
    events.sort_by_key(|(at, _)| *at);
    events
}

/// A credit note may be written with its sums below zero; in a sentence they are not.
fn positive(document: &DocumentRef) -> String {
    document.total.currency.of(document.total.amount.abs()).to_string()
}
