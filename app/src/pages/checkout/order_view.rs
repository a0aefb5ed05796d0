//! The page of an order as it is shown: where it stands, what comes next, what happened, and the bill.

mod standing;

use devforge::{
    billing::{document::DocumentRef, order::Order},
    contract::{id::LicenseId, payment::OrderStatus},
};
use leptos::prelude::*;
use time::OffsetDateTime;

pub use self::standing::{Stage, Standing, of_license, standing};
use super::{
    order_parts::{document_rows, order_badge, order_bill, timeline},
    summary::in_words,
    typed::same_again,
};
use crate::components::{Badge, Breadcrumb};
use crate::pages::{forms::Mistakes, moments::moment};

/// From where somebody comes to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrived {
    FromPaying,
    #[default]
    Otherwise,
}

pub struct Shown {
    pub order: Order,
    pub documents: Vec<DocumentRef>,
    /// How what was bought stands. None as long as nobody has paid.
    pub standing: Option<Standing>,
    /// The license that came of it, for whose it is.
    pub license: Option<LicenseId>,
    /// Nobody is signed in.
    pub guest: bool,
    /// It stands in the account of who is here.
    pub owner: bool,
    /// It was opened with its link, or by whose it is. Others who may see it only look.
    pub buyer: bool,
    /// The page loads itself again.
    pub looking_again: bool,
    pub key: String,
    pub arrived: Arrived,
    pub wrong: Mistakes,
    pub now: OffsetDateTime,
}

pub fn view(shown: &Shown) -> AnyView {
    let Shown { order, wrong, .. } = shown;
    let (title, text) = state(order, shown.arrived, shown.now);
    let trail = vec![("Pricing".to_owned(), "/pricing".to_owned())];
    let spinning = shown.looking_again.then_some("true");
    view! {
        <div class="checkout order">
            <header class="checkout-head">
                <Breadcrumb trail=trail here="Your order"/>
                <h1 class="page-title">{title}</h1>
                {wrong.summary()}
                <p class="order-state">{order_badge(order.status)}</p>
                <p class="lead" aria-busy=spinning>{text}</p>
                {ways(shown)}
            </header>
            {bill(shown)}
            <div class="checkout-main">
                {next(shown)}
                {documents(&shown.documents)}
                <section aria-labelledby="happened">
                    <h2 class="panel-title" id="happened">"What happened"</h2>
                    {timeline(order, &shown.documents)}
                </section>
            </div>
        </div>
    }
    .into_any()
}

/// Where it stands: in a few words, and what that means for whoever bought it.
pub fn state(order: &Order, arrived: Arrived, now: OffsetDateTime) -> (&'static str, String) {
    let total = order.total;
    match order.status {
        OrderStatus::Open if arrived == Arrived::FromPaying => (
            "Your payment is being confirmed",
            "Stripe tells us within seconds, and this page then says so by itself. You can also close it: \
             a mail follows."
                .to_owned(),
        ),
        OrderStatus::Open if order.expires_at <= now => {
            ("The time to pay is over", "Nothing was charged. You can go on where you stopped.".to_owned())
        }
        OrderStatus::Open => (
            "Waiting for payment",
            format!("Nothing was charged yet. The order is kept until {}.", moment(order.expires_at)),
        ),
        OrderStatus::Processing => (
            "Your bank is working on it",
            format!(
                "Some ways to pay take a few days. Nothing else is needed from you: we write to {} when the \
                 money is there.",
                order.email
            ),
        ),
        OrderStatus::Paid if order.trial_days > 0 => (
            "Your trial has begun",
            format!(
                "It is free for {} days. Cancel before they are over, and nothing is charged.",
                order.trial_days
            ),
        ),
        OrderStatus::Paid if total.is_zero() => {
            ("Your order is complete", "Nothing had to be paid.".to_owned())
        }
        OrderStatus::Paid => {
            ("Your order is paid", format!("{total} came in. Thank you for buying Dev Forge."))
        }
        OrderStatus::Failed => (
            "The payment did not go through",
            "Your bank turned it down. Nothing was charged. Try again with another card, or ask the bank."
                .to_owned(),
        ),
        OrderStatus::Expired => {
            ("This order has expired", "Nobody paid in time. Nothing was charged.".to_owned())
        }
        OrderStatus::PartiallyRefunded => (
            "Part of the money goes back",
            format!(
                "{} of {total} goes back the way it came. Banks mostly take five to ten days to show it.",
                order.refunded
            ),
        ),
        OrderStatus::Refunded => (
            "Your money goes back",
            format!("{total} goes back the way it came. Banks mostly take five to ten days to show it."),
        ),
        OrderStatus::Disputed => (
            "Your bank questions this payment",
            format!(
                "{total} is held back until the bank has decided. If this is a mistake, tell your bank, and \
                 write to us."
            ),
        ),
        OrderStatus::DisputeLost => (
            "The bank gave the money back",
            format!("It decided for you, and {total} went back to you. What was bought with it ends."),
        ),
    }
}

/// What can be done now.
fn ways(shown: &Shown) -> Option<AnyView> {
    let (address, label) = match shown.order.status {
        OrderStatus::Open | OrderStatus::Failed if !shown.buyer => return None,
        OrderStatus::Open if shown.arrived == Arrived::Otherwise => {
            return Some(pay_form(shown, "Continue to payment"));
        }
        OrderStatus::Failed => return Some(pay_form(shown, "Try to pay again")),
        OrderStatus::Expired => (same_again(&shown.order), "Order the same again"),
        // Whoever has just paid is not asked to pay again.
        OrderStatus::Open | OrderStatus::Processing => return None,
        _ if shown.guest => return None,
        _ => ("/account".to_owned(), "Go to your account"),
    };
    let way =
        view! { <div class="form-actions"><a class="button primary large" href=address>{label}</a></div> };
    Some(way.into_any())
}

fn pay_form(shown: &Shown, label: &'static str) -> AnyView {
    let action = format!("/checkout/orders/{}/pay", shown.order.id);
    let again = same_again(&shown.order);
    view! {
        <form class="form-actions" method="post" action=action>
            <input type="hidden" name="key" value=shown.key.clone() autocomplete="off"/>
            <button class="button primary large" type="submit">{label}</button>
            <a class="button secondary large" href=again>"Choose something else"</a>
        </form>
    }
    .into_any()
}

fn bill(shown: &Shown) -> AnyView {
    let order = &shown.order;
    view! {
        <section class="checkout-bill" aria-labelledby="summary">
            <div>
                <div class="bill-head"><h2 id="summary">{in_words(order.tier.label(), order.seats)}</h2></div>
                {order_bill(order)}
                <dl class="order-facts">
                    <div><dt>"Order"</dt><dd><code>{order.id.to_string()}</code></dd></div>
                    <div><dt>"For"</dt><dd>{order.email.clone()}</dd></div>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

/// What a paid order leads to.
fn next(shown: &Shown) -> Option<AnyView> {
    let Standing { tone, icon, word, text, stage } = shown.standing.clone()?;
    let text = match stage {
        Stage::ToCome | Stage::Ready => format!("{text} {}", where_the_key_is(shown, stage)),
        Stage::NotGood | Stage::Gone => text,
    };
    // Whose it is opens it; whoever has the link has the key by mail, and activates with it.
    let way = match (stage, shown.license) {
        (Stage::Ready | Stage::NotGood, Some(id)) => {
            Some((format!("/account/licenses/{id}"), "Open license"))
        }
        (Stage::Ready, None) => Some(("/activate".to_owned(), "Activate it")),
        _ => None,
    };
    let way =
        way.map(|(address, words)| view! { <a class="button secondary small" href=address>{words}</a> });
    let title = match stage {
        Stage::ToCome | Stage::Ready => "What comes next",
        Stage::NotGood | Stage::Gone => "What you bought",
    };
    Some(
        view! {
            <section aria-labelledby="next">
                <h2 class="panel-title" id="next">{title}</h2>
                <ul class="rows">
                    <li class="row">
                        <div>
                            <h3>"Your license"</h3>
                            <p>{text}</p>
                        </div>
                        <Badge tone=tone icon=icon label=word/>
                        {way}
                    </li>
                    {account(shown)}
                </ul>
            </section>
        }
        .into_any(),
    )
}

/// Whether there is an account with an address is told to nobody but whose it is.
fn where_the_key_is(shown: &Shown, stage: Stage) -> String {
    let email = &shown.order.email;
    let own = shown.license.is_some() || shown.owner;
    match (stage, own) {
        (Stage::Ready, true) => format!("The key is in the mail to {email}, and in your account."),
        (Stage::Ready, false) => format!("The key is in the mail to {email}."),
        (_, true) => format!("A mail to {email} brings the key, and it then stands in your account."),
        (_, false) => format!("A mail to {email} brings the key."),
    }
}

fn account(shown: &Shown) -> Option<AnyView> {
    let order = &shown.order;
    let keeps =
        matches!(order.status, OrderStatus::Paid | OrderStatus::PartiallyRefunded | OrderStatus::Disputed);
    if !shown.guest || !keeps {
        return None;
    }
    let text = format!(
        "We have sent a mail to {}. If there is no account with this address yet, it has a link to set your \
         password: order, invoice and license are then in your account.",
        order.email
    );
    Some(
        view! {
            <li class="row">
                <div><h3>"Your account"</h3><p>{text}</p></div>
                <a class="button secondary small" href="/sign-in">"Sign in"</a>
            </li>
        }
        .into_any(),
    )
}

fn documents(documents: &[DocumentRef]) -> Option<AnyView> {
    if documents.is_empty() {
        return None;
    }
    Some(
        view! {
            <section aria-labelledby="documents">
                <h2 class="panel-title" id="documents">"Documents"</h2>
                {document_rows(documents)}
            </section>
        }
        .into_any(),
    )
}
