//! The page of a subscription as it is shown.

use devforge::contract::{
    money::Money,
    payment::{ChangePreview, Interval, Line, Subscription, SubscriptionStatus, Tier},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::subscription::{PATH, Typed};
use crate::components::{Badge, Empty, Field, Icon, Notice};
use crate::pages::{
    account::layout::{Confirm, Done, done_notice, part},
    forms::Mistakes,
    moments::day,
};

/// What a subscription can become; empty where it cannot be changed.
#[derive(Debug, Default)]
pub struct Offers {
    pub tiers: Vec<Tier>,
    pub intervals: Vec<Interval>,
}

pub struct Shown {
    pub done: Option<Done>,
    pub wrong: Mistakes,
    pub typed: Typed,
    pub preview: Option<ChangePreview>,
    pub subscription: Option<Subscription>,
    pub offers: Offers,
    pub now: OffsetDateTime,
}

pub fn subscription_view(shown: Shown) -> AnyView {
    let Shown { done, wrong, typed, preview, subscription, offers, now } = shown;
    let Some(subscription) = subscription else {
        return view! { {wrong.summary()}{done_notice(done)}{nothing()} }.into_any();
    };
    let running = subscription.status != SubscriptionStatus::Ended;
    let change = match preview {
        Some(preview) => Some(preview_part(&preview, &typed, now)),
        None => (!offers.tiers.is_empty()).then(|| change_part(&typed, &wrong, &offers)),
    };
    let rest = running.then(|| rest(&subscription));
    view! {
        {wrong.summary()}
        {done_notice(done)}
        {state_notice(&subscription, now)}
        {facts(&subscription, now)}
        {change}
        {rest}
    }
    .into_any()
}

fn nothing() -> AnyView {
    let plans = || view! { <a class="button primary" href="/pricing">"See the plans"</a> };
    view! {
        <Empty framed=true title="No subscription yet" actions=plans
            text="A plan that is paid monthly or yearly is changed and ended here."/>
    }
    .into_any()
}

/// What its owner should know or do now.
fn state_notice(subscription: &Subscription, now: OffsetDateTime) -> Option<AnyView> {
    let end = day(subscription.current_period_end);
    let (tone, title, text, actions) = match subscription.status {
        SubscriptionStatus::PastDue => {
            let grace = subscription.grace_until.filter(|until| *until > now);
            let (title, text) = match grace {
                Some(until) => (
                    "A payment is due".to_owned(),
                    format!(
                        "The bank declined the last payment. Everything works until {}. Change the card, or pay the invoice from our mail.",
                        day(until)
                    ),
                ),
                None => (
                    "The subscription has stopped".to_owned(),
                    "The payment did not arrive in time. Once it is paid, everything works again.".to_owned(),
                ),
            };
            ("bad", title, text, Some(portal_button("button primary small")))
        }
        SubscriptionStatus::Ended => {
            let plans = view! { <a class="button secondary small" href="/pricing">"See the plans"</a> };
            let text = "Nothing more is charged. Your account and your invoices stay.".to_owned();
            ("info", "The subscription has ended".to_owned(), text, Some(plans.into_any()))
        }
        SubscriptionStatus::Incomplete => {
            let text = "The first payment is missing. Finish it where you began, or begin again.".to_owned();
            ("warn", "The subscription has not begun".to_owned(), text, None)
        }
        SubscriptionStatus::Paused => {
            let text = "The trial ended without a card. Add one to go on.".to_owned();
            (
                "warn",
                "The subscription is paused".to_owned(),
                text,
                Some(portal_button("button primary small")),
            )
        }
        SubscriptionStatus::Trialing | SubscriptionStatus::Active if subscription.cancel_at_period_end => {
            let text = format!("Everything works until {end}. Nothing more is charged.");
            ("warn", format!("It ends on {end}"), text, Some(keep_button()))
        }
        SubscriptionStatus::Trialing => {
            let end = day(subscription.trial_end.unwrap_or(subscription.current_period_end));
            let text =
                "The first payment is taken that day. Cancel before it, and nothing is charged.".to_owned();
            ("info", format!("Your trial ends on {end}"), text, None)
        }
        SubscriptionStatus::Active => return None,
    };
    // Where nothing is to be pressed, there is no room kept for it.
    let notice = match actions {
        Some(actions) => {
            let actions = move || actions;
            view! { <Notice tone=tone title=title actions=actions><p>{text}</p></Notice> }.into_any()
        }
        None => view! { <Notice tone=tone title=title><p>{text}</p></Notice> }.into_any(),
    };
    Some(notice)
}

fn facts(subscription: &Subscription, now: OffsetDateTime) -> AnyView {
    let (tone, label) = match subscription.status {
        SubscriptionStatus::PastDue if subscription.grace_until.is_none_or(|until| until <= now) => {
            ("bad", "Stopped")
        }
        status => (tone_of(status), status.label()),
    };
    let next = match subscription.status {
        SubscriptionStatus::Ended | SubscriptionStatus::Incomplete => "None".to_owned(),
        _ if subscription.cancel_at_period_end => "None".to_owned(),
        SubscriptionStatus::PastDue => "Due now".to_owned(),
        _ => day(subscription.current_period_end),
    };
    let later = subscription.next.map(|next| {
        let words = format!(
            "From {} on: {} of {}.",
            day(subscription.current_period_end),
            seats_in_words(next.seats),
            next.tier.label()
        );
        view! { <p class="quiet small">{words}</p> }
    });
    let price =
        format!("{} a seat, {}", subscription.unit_amount, subscription.interval.label().to_lowercase());
    view! {
        <section class="account-part" aria-labelledby="plan">
            <h2 class="panel-title with-badge" id="plan">
                {format!("Dev Forge {}", subscription.tier.label())}<Badge tone=tone label=label/>
            </h2>
            <dl class="facts">
                <div><dt>"Seats"</dt><dd>{subscription.seats.to_string()}</dd></div>
                <div><dt>"Price before tax"</dt><dd>{price}</dd></div>
                <div><dt>"Next payment"</dt><dd>{next}</dd></div>
            </dl>
            {later}
        </section>
    }
    .into_any()
}

const fn tone_of(status: SubscriptionStatus) -> &'static str {
    match status {
        SubscriptionStatus::Active => "ok",
        SubscriptionStatus::Trialing => "info",
        SubscriptionStatus::PastDue => "bad",
        SubscriptionStatus::Paused | SubscriptionStatus::Incomplete => "warn",
        SubscriptionStatus::Ended => "plain",
    }
}

fn change_part(typed: &Typed, wrong: &Mistakes, offers: &Offers) -> AnyView {
    let tiers = (offers.tiers.len() > 1).then(|| {
        let options = offers.tiers.iter().map(|tier| (tier.as_str(), tier.label())).collect();
        choice("tier", "Plan", options, &typed.tier, wrong.of("tier"))
    });
    let intervals = (offers.intervals.len() > 1).then(|| {
        let options = offers.intervals.iter().map(|interval| (interval.as_str(), interval.label())).collect();
        choice("interval", "Paid", options, &typed.interval, wrong.of("interval"))
    });
    let form = view! {
        <form class="account-form" method="post" action=PATH novalidate=true>
            <div class="field-row">
                <Field name="seats" label="Seats" value=typed.seats.clone() inputmode="numeric" autocomplete="off"
                    maxlength=6 error=wrong.of("seats")/>
                {tiers}
                {intervals}
            </div>
            <div class="form-actions">
                <button class="button secondary" type="submit" name="step" value="preview">"See what it costs"</button>
            </div>
        </form>
    };
    part(
        "change",
        "Change it",
        Some(
            "More is yours at once, and the rest of the period is paid for. Less comes with the next period.",
        ),
        form.into_any(),
    )
}

fn choice(
    name: &'static str,
    label: &'static str,
    options: Vec<(&'static str, &'static str)>,
    chosen: &str,
    error: Option<String>,
) -> AnyView {
    let invalid = error.is_some().then_some("true");
    let error_id = format!("{name}-error");
    let described_by = error.is_some().then(|| error_id.clone());
    let options = options
        .into_iter()
        .map(|(value, label)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{label}</option> }
        })
        .collect_view();
    let error = error.map(|error| {
        view! { <p class="field-error" id=error_id><Icon name="bad" size=16/><span>{error}</span></p> }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="select" id=name name=name aria-invalid=invalid aria-describedby=described_by>{options}</select>
            {error}
        </div>
    }
    .into_any()
}

/// What a change costs, and the button that makes it.
fn preview_part(preview: &ChangePreview, typed: &Typed, now: OffsetDateTime) -> AnyView {
    let later = preview.effective_at > now;
    let verb = if preview.due_now.amount > 0 {
        format!("Pay {} now", preview.due_now)
    } else if later {
        "Change at the end of the period".to_owned()
    } else {
        "Change now".to_owned()
    };
    let when = if later {
        format!("It comes with the next period, on {}. Nothing is due today.", day(preview.effective_at))
    } else if preview.due_now.amount > 0 {
        "It counts as soon as it is paid, with the card that is on file.".to_owned()
    } else {
        "It counts at once. Nothing is due today.".to_owned()
    };
    let renewal = format!("Each later period costs {}, tax included.", preview.renewal);
    let bill = (!preview.lines.is_empty()).then(|| bill(preview));
    let hidden = [
        ("tier", typed.tier.clone()),
        ("interval", typed.interval.clone()),
        ("seats", typed.seats.clone()),
        ("due", preview.due_now.amount.to_string()),
        ("step", "apply".to_owned()),
    ]
    .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
    .into_iter()
    .collect_view();
    let content = view! {
        <p>{when}</p>
        {bill}
        <p class="quiet small">{renewal}</p>
        <form method="post" action=PATH>
            {hidden}
            <div class="form-actions">
                <button class="button primary" type="submit">{verb}</button>
                <a class="button ghost" href=PATH>"Change nothing"</a>
            </div>
        </form>
    };
    part("cost", "What it costs", None, content.into_any())
}

fn bill(preview: &ChangePreview) -> AnyView {
    let currency = preview.due_now.currency;
    let rows = preview.lines.iter().map(|line| bill_row(line, currency.of(line.net))).collect_view();
    let tax = currency.of(preview.lines.iter().map(|line| line.tax.amount).sum());
    let total: i64 = preview.lines.iter().map(Line::total).sum();
    // What is left of an earlier payment is taken first.
    let credit = currency.of(preview.due_now.amount - total);
    let credit = (!credit.is_zero()).then(|| sum_row("Credit from before", credit));
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="What is due now">
            <table class="table">
                <thead>
                    <tr><th scope="col">"For"</th><th class="num" scope="col">"Amount"</th></tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    {sum_row("Tax", tax)}
                    {credit}
                    {sum_row("Due now", preview.due_now)}
                </tfoot>
            </table>
        </div>
    }
    .into_any()
}

fn bill_row(line: &Line, net: Money) -> AnyView {
    view! { <tr><td>{line.description.clone()}</td><td class="num">{net.to_string()}</td></tr> }.into_any()
}

fn sum_row(label: &'static str, amount: Money) -> AnyView {
    view! { <tr><th scope="row">{label}</th><td class="num">{amount.to_string()}</td></tr> }.into_any()
}

/// The card, and the end.
fn rest(subscription: &Subscription) -> AnyView {
    let cancel = (!subscription.cancel_at_period_end).then(|| {
        let confirm = Confirm {
            open: "Cancel",
            about: "the subscription".to_owned(),
            consequence: if subscription.status == SubscriptionStatus::Trialing {
                "The trial goes on to its end. Nothing is charged, and you can take this back until then."
            } else {
                "Everything works until the period ends that is paid for. Nothing more is charged, and you can take this back until then."
            },
            action: format!("{PATH}/cancel"),
            verb: "Cancel at the end of the period",
            one_of_several: false,
        };
        view! {
            <li class="row">
                <div>
                    <h3>"End the subscription"</h3>
                    <p>"It ends with its period. Your account and your invoices stay."</p>
                </div>
                {confirm.view()}
            </li>
        }
    });
    let content = view! {
        <ul class="rows">
            <li class="row">
                <div>
                    <h3>"Card"</h3>
                    <p>"The payment provider keeps it. We never see its number."</p>
                </div>
                {portal_button("button secondary small")}
            </li>
            {cancel}
        </ul>
    };
    part("payment", "Payment", None, content.into_any())
}

fn portal_button(class: &'static str) -> AnyView {
    view! {
        <form method="post" action="/account/billing/portal">
            <button class=class type="submit">"Change the card"</button>
        </form>
    }
    .into_any()
}

fn keep_button() -> AnyView {
    view! {
        <form method="post" action=format!("{PATH}/resume")>
            <button class="button primary small" type="submit">"Keep the subscription"</button>
        </form>
    }
    .into_any()
}

fn seats_in_words(seats: u32) -> String {
    if seats == 1 { "1 seat".to_owned() } else { format!("{seats} seats") }
}
