//! What mails about subscriptions say.
//!
//! What always holds: a mail about money that is due says how much, until when everything works, and what to do; it
//! greets by name only whoever has proven the address, and nobody is written to whose account is gone.

use sqlx::PgConnection;
use time::{
    OffsetDateTime, UtcOffset, format_description::StaticFormatDescription, macros::format_description,
};

use super::{
    rules::{Plan, Stage, State},
    store,
};
use crate::{
    billing::Error,
    context::Context,
    contract::{
        id::SubscriptionId,
        money::Money,
        payment::{Interval, SubscriptionStatus},
    },
    mail::{self, Message, Recipient},
};

const DAY: StaticFormatDescription = format_description!("[day padding:none] [month repr:long] [year]");

/// The invoice that waits, as far as it is known.
pub(super) struct Unpaid {
    pub amount: Option<Money>,
    /// Where anybody who has this address can pay it.
    pub pay_url: Option<String>,
}

/// Queues a mail to whoever has the subscription, in the transaction of what it tells.
pub(super) async fn send(
    conn: &mut PgConnection,
    ctx: &Context,
    id: SubscriptionId,
    kind: &'static str,
    message: Message,
) -> Result<(), Error> {
    // An address that cannot receive mail must not keep the rest from being written down.
    let Some(reader) = store::reader(&mut *conn, id).await?.filter(|reader| mail::accepts(&reader.email))
    else {
        return Ok(());
    };
    let name = reader.name.filter(|name| !name.trim().is_empty());
    let (greeting, to) = match name {
        Some(name) => (format!("Hello {name},"), Recipient::new(&reader.email, name)),
        None => ("Hello,".to_owned(), Recipient::nameless(&reader.email)),
    };
    let message = message.greeting(greeting);
    match reader.account {
        Some(account) => mail::send_to_account(conn, ctx, account, &to, kind, &message).await?,
        None => mail::send(conn, ctx, &to, kind, &message).await?,
    };
    Ok(())
}

/// The mail that a change of state asks for, if it asks for one.
pub(super) fn of_change(ctx: &Context, before: &State, after: &State) -> Option<(&'static str, Message)> {
    use SubscriptionStatus as Status;
    let was_off = before.told.stage >= Stage::Over.number();
    match (before.status, after.status) {
        // What was switched off for want of a payment was told of then; what never began is missed by nobody.
        (Status::Incomplete, Status::Ended) => None,
        (_, Status::Ended) => (!was_off).then(|| ("subscription_ended", ended(ctx, before))),
        (Status::PastDue, Status::Active) if before.told.stage > 0 => {
            Some(("payment_recovered", recovered(ctx, after)))
        }
        _ if after.cancel_at_period_end && !before.cancel_at_period_end => {
            Some(("subscription_cancelled", set_to_end(ctx, after)))
        }
        _ => None,
    }
}

/// A renewal was not paid: at once, on the days after it, and when the grace is over.
pub(super) fn payment_due(
    ctx: &Context,
    state: &State,
    stage: Stage,
    until: OffsetDateTime,
    unpaid: &Unpaid,
) -> Message {
    let what = name(state);
    let message = match stage {
        Stage::Failed => Message::new("A payment did not go through")
            .paragraph(format!("we could not take the payment for {what}. We try again in the next days.")),
        Stage::Reminded | Stage::RemindedAgain => Message::new("A payment is still due")
            .paragraph(format!("the payment for {what} has not gone through yet.")),
        Stage::LastWarning => Message::new(format!("Your subscription stops on {}", day(until)))
            .paragraph(format!("the payment for {what} is still due, and the time for it is nearly over.")),
        Stage::Over => Message::new("Your subscription has stopped")
            .paragraph(format!("the payment for {what} did not arrive in time, so it has stopped working.")),
    };
    let mut facts = vec![("Subscription", in_words(state.plan(), state.terms.interval))];
    facts.extend(unpaid.amount.map(|amount| ("Amount", amount.to_string())));
    if stage != Stage::Over {
        facts.push(("Everything works until", day(until)));
    }
    let message = message.facts(facts);
    let message = if stage == Stage::Over {
        message.paragraph("Once it is paid, everything works again.")
    } else {
        message
    };
    let page = page(ctx);
    match &unpaid.pay_url {
        Some(url) => message
            .action("Pay this invoice", url)
            .note(format!("To pay with another card from now on, change it at {page}."))
            // Whoever has the link sees the invoice.
            .sensitive(),
        None => message
            .action("Change the card", &page)
            .note("The page asks you to sign in. The bank can tell you why it said no."),
    }
}

pub(super) fn trial_ends(ctx: &Context, state: &State, ends: OffsetDateTime) -> Message {
    let message = Message::new(format!("Your trial ends on {}", day(ends)));
    let message = if state.cancel_at_period_end {
        message.paragraph(format!("the trial of {} ends then, and nothing is charged.", name(state)))
    } else {
        let each = each(state);
        message
            .paragraph(format!("the trial of {} ends then, and the subscription begins.", name(state)))
            .facts(vec![
                ("First payment", day(ends)),
                ("Subscription", in_words(state.target(), state.terms.interval)),
                ("Price", each),
            ])
            .paragraph(
                "There is nothing to do to go on. To stop, cancel before that day: nothing is charged.",
            )
    };
    message.action("See your subscription", page(ctx))
}

fn recovered(ctx: &Context, state: &State) -> Message {
    Message::new("Your payment went through")
        .paragraph(format!(
            "the payment for {} has arrived. Everything works, and nothing is due.",
            name(state)
        ))
        .facts(vec![("Paid until", day(state.period_end))])
        .action("See your subscription", page(ctx))
}

fn set_to_end(ctx: &Context, state: &State) -> Message {
    Message::new(format!("Your subscription ends on {}", day(state.period_end)))
        .paragraph(format!(
            "{} is cancelled. Everything works until {}, and nothing more is charged.",
            name(state),
            day(state.period_end)
        ))
        .paragraph("Until that day you can keep it with one press.")
        .action("Keep the subscription", page(ctx))
        .note("If it was not you who cancelled, keep it there and set a new password.")
}

fn ended(ctx: &Context, state: &State) -> Message {
    Message::new("Your subscription has ended")
        .paragraph(format!("{} has ended, and nothing more is charged.", name(state)))
        .paragraph("Your account and your invoices stay. You can subscribe again whenever you like.")
        .action("See the plans", format!("{}/pricing", ctx.config.http.public_url))
}

/// “your Dev Forge Pro subscription”.
fn name(state: &State) -> String {
    format!("your Dev Forge {} subscription", state.terms.tier.label())
}

/// “5 seats of Pro, monthly”.
fn in_words(plan: Plan, interval: Interval) -> String {
    let seats = if plan.seats == 1 { "1 seat".to_owned() } else { format!("{} seats", plan.seats) };
    format!("{seats} of {}, {}", plan.tier.label(), interval.label().to_lowercase())
}

/// “$19.00 a seat each month, before tax”.
fn each(state: &State) -> String {
    let period = if state.terms.interval == Interval::Year { "year" } else { "month" };
    let price = state.terms.currency.of(state.terms.unit_amount);
    format!("{price} a seat each {period}, before tax")
}

fn page(ctx: &Context) -> String {
    format!("{}/account/billing/subscription", ctx.config.http.public_url)
}

/// The description holds nothing that a date could lack.
fn day(when: OffsetDateTime) -> String {
    when.to_offset(UtcOffset::UTC).format(DAY).unwrap_or_default()
}
