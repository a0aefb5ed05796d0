//! One order: its facts and its bill, what was paid and went back, what a bank questioned, its documents, and the form
//! that gives money back.

use devforge::{
    account::Permission,
    billing::{
        dispute::DisputeItem,
        document::DocumentRef,
        order::Order,
        payment::Payment,
        refund::{Consequence, RefundItem, RefundWish},
    },
    contract::payment::{DisputeStatus, PaymentMethod},
    license::License,
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    Done, PATH,
    refund_form::{Typed, refund_forms},
};
use crate::{
    components::{Badge, Breadcrumb, Icon, Notice},
    pages::{
        admin::{frame::Viewer, licenses::license_rows, proof::proof_first},
        checkout::{
            order_parts::{document_rows, order_badge, order_bill, refund_badge, timeline},
            summary::in_words,
        },
        forms::Mistakes,
        moments::moment,
    },
};

/// All that stands about an order.
pub struct Found {
    pub order: Order,
    pub payments: Vec<Payment>,
    pub refunds: Vec<RefundItem>,
    pub disputes: Vec<DisputeItem>,
    pub documents: Vec<DocumentRef>,
    /// The customer's last wish to have their money back.
    pub wish: Option<RefundWish>,
    pub licenses: Vec<License>,
    pub now: OffsetDateTime,
    /// By which the forms of this page are known.
    pub token: String,
}

pub fn detail(
    found: &Found,
    viewer: Viewer,
    done: Option<Done>,
    wrong: &Mistakes,
    typed: Option<&Typed>,
) -> AnyView {
    let order = &found.order;
    let name = in_words(order.tier.label(), order.seats);
    let trail = vec![("Orders".to_owned(), PATH.to_owned())];
    let done = done.map(|(tone, title, text)| {
        view! { <Notice tone=tone title=title live=true><p>{text}</p></Notice> }
    });
    let entries = viewer.may(Permission::FinanceRead).then(|| {
        let address = format!("/admin/finance/ledger?about={}", order.id);
        view! { <p class="small"><a href=address>"Its entries in the ledger"</a></p> }
    });
    let bill = view! { <div class="order-bill">{order_bill(order)}</div>{entries} }.into_any();
    let licenses = (!found.licenses.is_empty() && viewer.may(Permission::LicensesFind))
        .then(|| panel("licenses", "Licenses", license_rows(&found.licenses, found.now)));
    let documents = (!found.documents.is_empty())
        .then(|| panel("documents", "Documents", document_rows(&found.documents)));
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here=name.clone()/>
            <h1 class="app-title">{name}</h1>
            {order_badge(order.status)}
        </header>
        {wrong.summary()}
        {done}
        {wish(found.wish.as_ref())}
        {facts(order)}
        {panel("bill", "Bill", bill)}
        {licenses}
        {panel("payments", "Payments", payments(&found.payments))}
        {(!found.refunds.is_empty()).then(|| panel("refunds", "Refunds", refunds(&found.refunds)))}
        {(!found.disputes.is_empty()).then(|| panel("disputes", "Disputes", disputes(&found.disputes)))}
        {documents}
        {panel("happened", "What happened", timeline(order, &found.documents))}
        {give_back(found, viewer, wrong, typed)}
    }
    .into_any()
}

fn panel(id: &'static str, title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="admin-panel" aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// A customer who waits must not be overlooked.
fn wish(wish: Option<&RefundWish>) -> Option<AnyView> {
    let wish = wish.filter(|wish| wish.decided_at.is_none())?;
    let message = wish.message.clone();
    let answer = || view! { <a class="button secondary small" href="/admin/refunds">"Answer"</a> };
    Some(
        view! {
            <Notice tone="warn" icon="back" title="The customer asks for their money back" actions=answer>
                <p class="admin-reason" dir="auto">{message}</p>
            </Notice>
        }
        .into_any(),
    )
}

fn facts(order: &Order) -> AnyView {
    let account = match order.account {
        Some(id) => view! { <a href=format!("/admin/users/{id}")>"Their account"</a> }.into_any(),
        None => view! { <span class="meta">"a guest"</span> }.into_any(),
    };
    let paid = order.paid_at.map_or_else(|| "Not yet".to_owned(), moment);
    let license =
        order.fulfilled_at.map_or_else(|| "Not made".to_owned(), |at| format!("Made on {}", moment(at)));
    let way = match order.payment_method {
        PaymentMethod::Checkout => "Stripe's page",
        PaymentMethod::Element => "The Payment Element",
    };
    let coupon =
        order.coupon.clone().map(|code| view! { <div><dt>"Coupon"</dt><dd><code>{code}</code></dd></div> });
    let trial = (order.trial_days > 0)
        .then(|| view! { <div><dt>"Trial"</dt><dd>{format!("{} days", order.trial_days)}</dd></div> });
    let session = order
        .session_id
        .clone()
        .map(|id| view! { <div><dt>"Session at Stripe"</dt><dd><code>{id}</code></dd></div> });
    view! {
        <dl class="facts">
            <div><dt>"Bought by"</dt><dd>{order.email.clone()}" "{account}</dd></div>
            <div><dt>"How often it is paid"</dt><dd>{order.interval.label()}</dd></div>
            <div><dt>"Ordered"</dt><dd>{moment(order.created_at)}</dd></div>
            <div><dt>"Paid"</dt><dd>{paid}</dd></div>
            <div><dt>"License"</dt><dd>{license}</dd></div>
            {coupon}
            {trial}
            <div><dt>"Way to pay"</dt><dd>{way}", try "{order.attempt.to_string()}</dd></div>
            {session}
            <div><dt>"Id"</dt><dd><code>{order.id.to_string()}</code></dd></div>
        </dl>
    }
    .into_any()
}

fn payments(payments: &[Payment]) -> AnyView {
    if payments.is_empty() {
        return view! { <p class="quiet small">"Nothing has come in for it."</p> }.into_any();
    }
    let rows = payments
        .iter()
        .map(|paid| {
            let left = if paid.refunded > 0 {
                format!("{} is left of it", paid.left())
            } else {
                "All of it is here".to_owned()
            };
            view! {
                <li class="row">
                    <div class="admin-who">
                        <p class="row-title">{paid.amount.to_string()}</p>
                        <p>{paid.description.clone()}</p>
                        <p class="meta">{moment(paid.paid_at)}", "<code>{paid.charge_id.clone()}</code></p>
                    </div>
                    <p class="meta">{left}</p>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn refunds(refunds: &[RefundItem]) -> AnyView {
    let rows = refunds
        .iter()
        .map(|refund| {
            let license = match refund.consequence {
                Consequence::Keep => "The license stays.",
                Consequence::Revoke => "The license ends.",
            };
            let at_stripe = refund.stripe_id.clone().map(|id| view! { ", "<code>{id}</code> });
            let failure = refund.failure.clone().map(|why| {
                view! { <p class="field-error"><Icon name="bad" size=16/><span>{why}</span></p> }
            });
            view! {
                <li class="row">
                    <div class="admin-who">
                        <p class="row-title">{refund.amount.to_string()}</p>
                        <p class="admin-reason" dir="auto">{refund.reason.clone()}</p>
                        {failure}
                        <p class="meta">{license}" "{moment(refund.created_at)}{at_stripe}</p>
                    </div>
                    {refund_badge(refund.status)}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn disputes(disputes: &[DisputeItem]) -> AnyView {
    let rows = disputes
        .iter()
        .map(|dispute| {
            let open = matches!(dispute.status, DisputeStatus::NeedsResponse | DisputeStatus::UnderReview);
            let tone = match dispute.status {
                DisputeStatus::NeedsResponse => "warn",
                DisputeStatus::UnderReview => "info",
                DisputeStatus::Won => "ok",
                DisputeStatus::Lost => "bad",
            };
            let due = dispute.evidence_due_by.filter(|_| open).map(|at| {
                view! { <p>{format!("Evidence is due by {}.", moment(at))}</p> }
            });
            view! {
                <li class="row">
                    <div class="admin-who">
                        <p class="row-title">{dispute.amount.to_string()}", "{dispute.reason.replace('_', " ")}</p>
                        {due}
                        <p class="meta">"Opened "{moment(dispute.opened_at)}", "<code>{dispute.id.to_string()}</code></p>
                    </div>
                    <Badge tone=tone label=dispute.status.label()/>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="rows">{rows}</ul> }.into_any()
}

fn give_back(found: &Found, viewer: Viewer, wrong: &Mistakes, typed: Option<&Typed>) -> Option<AnyView> {
    if !viewer.may(Permission::PaymentsRefund) {
        return None;
    }
    let id = found.order.id.to_string();
    let forms = refund_forms(&id, &found.payments, &found.token, wrong, typed)?;
    let proof = proof_first(viewer, &format!("{PATH}/{id}"));
    Some(panel("give-back", "Give money back", view! { {proof}{forms} }.into_any()))
}
