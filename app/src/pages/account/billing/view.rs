//! The lists of the billing page.

use devforge::{
    billing::order::Order,
    contract::payment::{
        DisputeStatus, DocumentKind, HistoryItem, HistoryKind, Interval, Invoice, InvoiceStatus, OrderStatus,
        RefundStatus, Subscription, SubscriptionStatus,
    },
};
use leptos::prelude::*;

use super::Billing;
use crate::components::{Badge, Empty, Icon};
use crate::pages::{account::layout::part, moments::day};

pub fn billing_view(billing: &Billing) -> AnyView {
    let nothing = billing.subscription.is_none()
        && billing.orders.is_empty()
        && billing.documents.items.is_empty()
        && billing.payments.items.is_empty();
    if nothing && !billing.further_down {
        return empty();
    }
    view! {
        <div class="billing">
            {billing.subscription.as_ref().map(subscription)}
            {(!billing.orders.is_empty()).then(|| orders(&billing.orders))}
            {documents(&billing.documents.items, billing.documents.next_cursor.as_deref())}
            {payments(&billing.payments.items, billing.payments.next_cursor.as_deref())}
        </div>
    }
    .into_any()
}

fn empty() -> AnyView {
    let pricing = || view! { <a class="button primary" href="/pricing">"See pricing"</a> };
    view! {
        <Empty
            title="No purchases yet"
            text="What you buy stands here, with its invoices and payments. The free tier needs no purchase."
            actions=pricing
        />
    }
    .into_any()
}

fn subscription(subscription: &Subscription) -> AnyView {
    let ended = subscription.status == SubscriptionStatus::Ended;
    let control = if ended {
        view! { <a class="button secondary small" href="/pricing">"See pricing"</a> }.into_any()
    } else {
        view! {
            <a class="button secondary small" href="/account/billing/subscription">"Change plan or seats"</a>
        }
        .into_any()
    };
    let title = format!("{}, {}", subscription.tier.label(), seats(subscription.seats));
    let badge = view! {
        <Badge tone=subscription_tone(subscription.status) label=subscription.status.label()/>
    };
    let state = subscription_state(subscription);
    let rows = view! {
        <ul class="rows">
            <li class="row">
                <div>
                    <h3 class="with-badge">{title}{badge}</h3>
                    <p>{state}</p>
                </div>
                {control}
            </li>
        </ul>
    };
    part("subscription", "Subscription", None, rows.into_any())
}

fn subscription_state(subscription: &Subscription) -> String {
    let end = day(subscription.current_period_end);
    let each = match subscription.interval {
        Interval::Year => "a year",
        Interval::Month | Interval::Once => "a month",
    };
    let price = format!("{} a seat, {each}, before tax.", subscription.unit_amount);
    let what = match subscription.status {
        SubscriptionStatus::Ended => format!("It ended on {end}."),
        _ if subscription.cancel_at_period_end => format!("It ends on {end} and is not paid again."),
        SubscriptionStatus::Trialing => {
            let first = subscription.trial_end.map_or(end, day);
            format!("The trial is free until {first}, when the first payment is due.")
        }
        SubscriptionStatus::PastDue => match subscription.grace_until {
            Some(until) => format!("A payment is due. Everything works until {}.", day(until)),
            None => "A payment is due.".to_owned(),
        },
        _ => format!("The next payment is on {end}."),
    };
    if subscription.status == SubscriptionStatus::Ended { what } else { format!("{price} {what}") }
}

const fn subscription_tone(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Active | SubscriptionStatus::Trialing => "ok",
        SubscriptionStatus::PastDue => "warn",
        SubscriptionStatus::Paused | SubscriptionStatus::Incomplete | SubscriptionStatus::Ended => "plain",
    }
}

fn orders(orders: &[Order]) -> AnyView {
    let rows = orders.iter().map(order).collect_view();
    part("orders", "Orders", None, view! { <ul class="rows">{rows}</ul> }.into_any())
}

fn order(order: &Order) -> AnyView {
    let title = format!("{}, {}", order.tier.label(), seats(order.seats));
    let about = format!("{} · {} · {}", day(order.created_at), order.interval.label(), order.total);
    let heard = format!(" the order of {}", day(order.created_at));
    let address = format!("/account/billing/orders/{}", order.id);
    view! {
        <li class="row">
            <div>
                <h3 class="with-badge">
                    {title}<Badge tone=order_tone(order.status) label=order.status.label()/>
                </h3>
                <p class="meta">{about}</p>
            </div>
            <a class="button secondary small" href=address>
                <span>"Open"<span class="visually-hidden">{heard}</span></span>
            </a>
        </li>
    }
    .into_any()
}

const fn order_tone(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Paid => "ok",
        OrderStatus::Open | OrderStatus::Processing | OrderStatus::Expired => "plain",
        OrderStatus::PartiallyRefunded | OrderStatus::Refunded => "info",
        OrderStatus::Disputed => "warn",
        OrderStatus::Failed | OrderStatus::DisputeLost => "bad",
    }
}

fn documents(documents: &[Invoice], next: Option<&str>) -> AnyView {
    if documents.is_empty() {
        let nothing = view! { <p class="nothing">"An invoice comes with each payment."</p> };
        return part("documents", "Invoices", None, nothing.into_any());
    }
    let rows = documents.iter().map(document).collect_view();
    let more = next.map(|next| older(format!("?documents={next}#documents"), "Older invoices"));
    let content = view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Invoices and credit notes">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"Number"</th>
                        <th scope="col">"Date"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="num">"Amount"</th>
                        <th scope="col"><span class="visually-hidden">"As PDF"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {more}
    };
    part("documents", "Invoices", None, content.into_any())
}

fn document(document: &Invoice) -> AnyView {
    let page = format!("/invoices/{}", document.id);
    let file = format!("{page}/pdf");
    let heard = format!(" of {}", document.number);
    view! {
        <tr>
            <th scope="row"><a href=page>{document.number.clone()}</a></th>
            <td data-label="Date">{day(document.created_at)}</td>
            <td data-label="State">{state_of(document.kind, document.status)}</td>
            <td class="num" data-label="Amount">{document.total.to_string()}</td>
            <td class="actions">
                <a href=file><Icon name="download" size=16/>"PDF"<span class="visually-hidden">{heard}</span></a>
            </td>
        </tr>
    }
    .into_any()
}

/// The kind of a correction, and where an invoice stands.
pub fn state_of(kind: DocumentKind, status: InvoiceStatus) -> AnyView {
    let (tone, label) = match (kind, status) {
        (DocumentKind::Invoice, InvoiceStatus::Paid) => ("ok", status.label()),
        (DocumentKind::Invoice, _) => ("info", status.label()),
        (DocumentKind::CreditNote, InvoiceStatus::Paid) => ("plain", "Credit note, taken back"),
        (DocumentKind::CreditNote | DocumentKind::CreditNoteReversal, _) => ("plain", kind.label()),
    };
    view! { <Badge tone=tone icon=icon_of(tone) label=label/> }.into_any()
}

fn icon_of(tone: &str) -> &'static str {
    match tone {
        "ok" => "ok",
        "info" => "info",
        _ => "receipt",
    }
}

fn payments(items: &[HistoryItem], next: Option<&str>) -> AnyView {
    if items.is_empty() {
        let nothing = view! { <p class="nothing">"Nothing has been paid yet."</p> };
        return part("payments", "Payments", None, nothing.into_any());
    }
    let rows = items.iter().map(payment).collect_view();
    let more = next.map(|next| older(format!("?payments={next}#payments"), "Older payments"));
    let content = view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="Payments, refunds and disputes">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"What"</th>
                        <th scope="col">"Date"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="num">"Amount"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {more}
    };
    part("payments", "Payments", None, content.into_any())
}

fn payment(item: &HistoryItem) -> AnyView {
    let (tone, state) = payment_state(item);
    let what = match item.kind {
        HistoryKind::Payment => item.description.clone(),
        kind => format!("{}: {}", kind.label(), item.description),
    };
    let amount = match item.kind {
        HistoryKind::Refund => item.amount.currency.of(-item.amount.amount),
        HistoryKind::Payment | HistoryKind::Dispute => item.amount,
    };
    view! {
        <tr>
            <th scope="row">{what}</th>
            <td data-label="Date">{day(item.created_at)}</td>
            <td data-label="State"><Badge tone=tone label=state/></td>
            <td class="num" data-label="Amount">{amount.to_string()}</td>
        </tr>
    }
    .into_any()
}

/// The word of a status as people read it. One that is not known stands as it came.
fn payment_state(item: &HistoryItem) -> (&'static str, String) {
    let (tone, label) = match item.kind {
        HistoryKind::Payment => ("ok", Some("Paid")),
        HistoryKind::Refund => match RefundStatus::parse(&item.status) {
            Some(status @ (RefundStatus::Requested | RefundStatus::Pending)) => {
                ("plain", Some(status.label()))
            }
            Some(status @ RefundStatus::Succeeded) => ("ok", Some(status.label())),
            Some(status @ (RefundStatus::Failed | RefundStatus::Canceled)) => ("bad", Some(status.label())),
            None => ("plain", None),
        },
        HistoryKind::Dispute => {
            let status = DisputeStatus::parse(&item.status);
            (if status.is_some_and(is_open) { "warn" } else { "plain" }, status.map(DisputeStatus::label))
        }
    };
    (tone, label.unwrap_or(&item.status).to_owned())
}

const fn is_open(status: DisputeStatus) -> bool {
    matches!(status, DisputeStatus::NeedsResponse | DisputeStatus::UnderReview)
}

fn older(address: String, label: &'static str) -> AnyView {
    view! {
        <p class="part-foot"><a class="more-link" href=address>{label}<Icon name="arrow" size=16/></a></p>
    }
    .into_any()
}

fn seats(count: u32) -> String {
    if count == 1 { "1 seat".to_owned() } else { format!("{count} seats") }
}
