//! Writing a payment down.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{buyer, jobs::RecordFee, lines};
use crate::{
    billing::{
        By, Error, Outcome, catalogue,
        document::{self, NewInvoice},
        ledger::{self, Kind, Movement},
        note, order,
        order::{Order, OrderEvent},
        payment::store::{self as payments, NewPayment},
        subscription,
    },
    context::Context,
    contract::{
        id::{CustomerId, OrderId, PaymentId, SubscriptionId, UserId},
        money::{Currency, Money},
        payment::{Line, OrderStatus},
    },
    integration::stripe::objects::{Charge, Expandable, Invoice},
    jobs, outbox,
};

/// A charge that succeeded, and what it is for.
pub struct Received<'a> {
    pub order: Option<OrderId>,
    /// The order that it goes back to: of a renewal, the one that its subscription began with.
    pub began_with: Option<OrderId>,
    pub subscription: Option<SubscriptionId>,
    pub customer: CustomerId,
    pub account: Option<UserId>,
    pub intent: &'a str,
    pub charge: &'a Charge,
    pub invoice: Option<&'a Invoice>,
}

/// Writes a charge down, if it is not yet: payment, ledger, invoice, order, and what comes next.
pub async fn received(ctx: &Context, received: &Received<'_>) -> Result<Outcome, Error> {
    let charge = received.charge;
    let currency = Currency::parse(&charge.currency)
        .ok_or_else(|| Error::Unexpected(format!("{} is in {}", charge.id, charge.currency)))?;
    let amount = currency.of(charge.amount);
    let paid_at = OffsetDateTime::from_unix_timestamp(charge.created).unwrap_or_else(|_| ctx.clock.now());
    let began_with = match received.began_with {
        Some(id) => order::store::find(&ctx.db, id).await?,
        None => None,
    };
    let ordered = began_with.as_ref().filter(|order| received.order == Some(order.id));
    let taxed_as = began_with.as_ref().and_then(|order| order.lines.first()).map(|line| &line.line.tax);
    let lines = lines::of_payment(ctx, ordered, taxed_as, received.invoice, amount).await?;
    let description = lines.first().map_or_else(|| "Dev Forge".to_owned(), |line| line.description.clone());
    let balance = charge.balance_transaction.as_ref().and_then(Expandable::object);
    let now = ctx.clock.now();

    let mut tx = ctx.db.begin().await?;
    // The account first, then the order, as everywhere.
    let account = match received.order {
        Some(order) => buyer::settle(&mut tx, ctx, order).await?.or(received.account),
        None => received.account,
    };
    let payment = PaymentId::from_uuid(ctx.random.uuid_v7(now));
    let new = NewPayment {
        id: payment,
        customer: received.customer,
        account,
        order: received.order,
        subscription: received.subscription,
        charge_id: &charge.id,
        payment_intent_id: received.intent,
        stripe_invoice_id: received.invoice.map(|invoice| invoice.id.as_str()),
        amount,
        fee: balance.map_or(0, |balance| balance.fee),
        fee_currency: balance.map_or(charge.currency.as_str(), |balance| balance.currency.as_str()),
        description: &description,
        paid_at,
        recorded_at: now,
    };
    if !payments::insert(&mut tx, &new).await? {
        return Ok(Outcome::NothingToDo);
    }
    enter(&mut tx, ctx, &new, &lines).await?;
    if balance.is_none() {
        jobs::enqueue_with(&mut tx, &RecordFee { payment }, RecordFee::later(now)).await?;
    }
    let invoice = NewInvoice {
        customer: received.customer,
        account,
        order: received.order,
        subscription: received.subscription,
        payment: Some(payment),
        currency,
        lines,
        paid_at,
        note: None,
    };
    let document = document::issue_invoice(&mut tx, ctx, &invoice).await?;
    document::mail_document(&mut tx, ctx, document).await?;
    let detail = json!({ "amount": amount, "charge": charge.id, "invoice": document });
    note(&mut tx, ctx, By::SYSTEM, "payment.received", ("payment", payment.to_string()), detail).await?;
    if let Some(order) = ordered {
        towards(&mut tx, ctx, order, payment, amount).await?;
    } else if let Some(subscription) = received.subscription {
        let payload = json!({ "subscription": subscription, "payment": payment, "amount": amount });
        outbox::publish(&mut tx, ctx, "subscription.renewed", &subscription.to_string(), &payload).await?;
    }
    tx.commit().await?;
    metrics::counter!("devforge_payments_total", "currency" => currency.as_str()).increment(1);
    Ok(Outcome::Applied)
}

/// What a payment does to its order. Exactly what it costs, and once, is what it is fulfilled for. All else is written
/// down all the same, and for somebody to look at: that money has to go back.
async fn towards(
    conn: &mut PgConnection,
    ctx: &Context,
    order: &Order,
    payment: PaymentId,
    amount: Money,
) -> Result<(), Error> {
    let action = if amount != order.total {
        "order.paid_wrongly"
    } else if fulfil(&mut *conn, ctx, order.id).await? {
        return Ok(());
    } else {
        "order.paid_again"
    };
    tracing::error!(order = %order.id, %payment, action, "the money of an order has to go back");
    let detail = json!({ "payment": payment, "amount": amount, "total": order.total });
    note(conn, ctx, By::SYSTEM, action, ("order", order.id.to_string()), detail).await
}

/// An order for which nothing has to be paid now: a trial, or a discount of all of it.
pub async fn without_payment(ctx: &Context, id: OrderId) -> Result<Outcome, Error> {
    let found = order::store::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    if !found.total.is_zero() {
        tracing::error!(order = %id, total = %found.total, "nothing was paid for an order that costs something");
        return Ok(Outcome::NothingToDo);
    }
    let mut tx = ctx.db.begin().await?;
    let account = buyer::settle(&mut tx, ctx, id).await?;
    let Some(status) = order::store::lock(&mut tx, id).await? else { return Err(Error::NotFound) };
    if order::rules::was_paid(status) {
        return Ok(Outcome::NothingToDo);
    }
    // Two trials were begun before either was had. The account is locked by now.
    if found.trial_days > 0 && order::store::other_trial(&mut tx, id, account, &found.email).await? {
        if status == OrderStatus::Failed {
            return Ok(Outcome::NothingToDo);
        }
        subscription::end_of_order(&mut tx, id).await?;
        order::apply(&mut tx, ctx, id, OrderEvent::PaymentFailed).await?;
        let detail = json!({ "account": account });
        note(&mut tx, ctx, By::SYSTEM, "order.trial_again", ("order", id.to_string()), detail).await?;
        tx.commit().await?;
        return Ok(Outcome::Applied);
    }
    // A trial's first invoice comes with its first payment.
    if found.trial_days == 0 {
        let document = document::issue_invoice(&mut tx, ctx, &free_invoice(&found, account, ctx)).await?;
        document::mail_document(&mut tx, ctx, document).await?;
    }
    fulfil(&mut tx, ctx, id).await?;
    tx.commit().await?;
    Ok(Outcome::Applied)
}

fn free_invoice(order: &Order, account: Option<UserId>, ctx: &Context) -> NewInvoice<'static> {
    NewInvoice {
        customer: order.customer,
        account,
        order: Some(order.id),
        subscription: None,
        payment: None,
        currency: order.currency,
        lines: order.lines.iter().map(|line| line.line.clone()).collect(),
        paid_at: ctx.clock.now(),
        note: None,
    }
}

/// What being paid does to an order: its state, its coupon, and the event that issues its license.
/// False when it was paid before.
async fn fulfil(conn: &mut PgConnection, ctx: &Context, id: OrderId) -> Result<bool, Error> {
    if order::apply(&mut *conn, ctx, id, OrderEvent::Paid).await? != Some(OrderStatus::Paid) {
        return Ok(false);
    }
    if let Some(coupon) = order::store::coupon_of(&mut *conn, id).await? {
        // It was paid for at that price, so it holds.
        if !catalogue::redeem(&mut *conn, coupon).await? {
            tracing::warn!(order = %id, %coupon, "a coupon was used more often than it should be");
        }
    }
    outbox::publish(conn, ctx, "order.paid", &id.to_string(), &json!({ "order": id })).await?;
    Ok(true)
}

/// The charge and Stripe's fee in the ledger.
async fn enter(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &NewPayment<'_>,
    lines: &[Line],
) -> Result<(), Error> {
    let movement = Movement {
        kind: Kind::Charge,
        reference: format!("charge:{}", payment.charge_id),
        description: payment.description.to_owned(),
        occurred_at: payment.paid_at,
        account: payment.account,
        order: payment.order,
        payment: Some(payment.id),
        subscription: payment.subscription,
        entries: ledger::rules::charge(payment.amount, &taxes(lines)),
    };
    ledger::record(&mut *conn, ctx, &movement).await?;
    if payment.fee > 0 {
        let fee = Fee { amount: payment.fee, currency: payment.fee_currency };
        enter_fee(conn, ctx, &movement, payment.charge_id, fee).await?;
    }
    Ok(())
}

/// What Stripe keeps of a charge, in the currency in which it keeps it.
#[derive(Clone, Copy)]
pub struct Fee<'a> {
    pub amount: i64,
    pub currency: &'a str,
}

pub async fn enter_fee(
    conn: &mut PgConnection,
    ctx: &Context,
    of: &Movement,
    charge_id: &str,
    fee: Fee<'_>,
) -> Result<(), Error> {
    let movement = Movement {
        kind: Kind::Fee,
        reference: format!("fee:{charge_id}"),
        description: "Stripe's fee".to_owned(),
        entries: ledger::rules::fee(fee.amount, fee.currency),
        ..of.clone()
    };
    ledger::record(conn, ctx, &movement).await?;
    Ok(())
}

/// The tax of each country in some lines.
pub fn taxes(lines: &[Line]) -> Vec<(String, i64)> {
    let mut taxes: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        *taxes.entry(&line.tax.country).or_default() += line.tax.amount;
    }
    taxes
        .into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|(country, amount)| (country.to_owned(), amount))
        .collect()
}
