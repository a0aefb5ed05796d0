//! Licenses follow what they hang on: the order they were bought with, its refunds and disputes, its subscription, and
//! the account of their owner.
//!
//! What always holds: what buying says is read anew each time, with the order locked, so that a message is only a hint,
//! and repeating it, or hearing of things in another order, changes nothing; a paid line has one license; each cause is
//! set and lifted by itself, and what staff decided stays; what happens to several licenses of an order is one mail to
//! whoever has them.

mod closing;
mod jobs;
mod rules;
mod store;

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::PgConnection;

pub(crate) use self::closing::account_ended;
pub use self::jobs::{FollowOrder, FollowSubscription, SetLicensesRight};
use self::rules::{Follows, News, Word};
use super::{
    By, Error, License,
    issue::{NewLicense, issue, mails},
    life, note,
    rules::Cause,
    store as licenses,
};
use crate::{
    billing::{
        dispute,
        order::{self as orders, Followed, FollowedLine},
        refund, subscription as subscriptions,
    },
    context::Context,
    contract::{
        id::{OrderId, SubscriptionId},
        license::LicenseOrigin,
        payment::{OrderStatus, Tier},
    },
    outbox,
};

/// Brings the licenses of an order to what the order, its refunds, its disputes and its subscription say now. Those that
/// are missing are made, and their keys mailed.
pub async fn order(ctx: &Context, id: OrderId) -> Result<(), Error> {
    let mut tx = ctx.db.begin().await?;
    // Accounts before orders, as everywhere: licenses and mails name theirs.
    store::hold_accounts(&mut tx, id).await?;
    let Some(order) = orders::for_following(&mut tx, id).await? else { return Ok(()) };
    if !orders::rules::was_paid(order.status) {
        return Ok(());
    }
    let word = hear(&mut tx, &order).await?;
    if order.is_recurring && word.subscribed.is_none() {
        // Its subscription is about to be written down, and that will be told.
        tracing::warn!(order = %id, "an order is paid, and its subscription is not known yet");
        return Ok(());
    }
    let known = licenses::lock_of_order(&mut tx, id).await?;
    let mut brought = Vec::new();
    for license in &known {
        let follows = follows(&mut tx, &order, &word, license).await?;
        brought.extend(bring(&mut tx, ctx, license, &word, follows).await?);
    }
    write(&mut tx, ctx, &brought).await?;
    // What was given back before it was given out is not given out. Should the money stay here after all, it will be.
    let lets_give = word.is_settled();
    if lets_give {
        for line in &order.lines {
            if !known.iter().any(|license| license.order_line == Some(line.id)) {
                give(&mut tx, ctx, &order, line, &word).await?;
            }
        }
    }
    if !order.is_fulfilled && (lets_give || !known.is_empty()) {
        orders::fulfilled(&mut tx, ctx, id).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The same for the order that a subscription began with.
pub async fn subscription(ctx: &Context, id: SubscriptionId) -> Result<(), Error> {
    match subscriptions::order_of(ctx, id).await? {
        Some(id) => order(ctx, id).await,
        None => Ok(()),
    }
}

/// What buying says about an order's licenses.
async fn hear(conn: &mut PgConnection, order: &Followed) -> Result<Word, Error> {
    let renewals = dispute::of_renewals(&mut *conn, order.id).await?;
    let refunded = refund::revokes(&mut *conn, order.id).await?;
    let subscribed = if order.is_recurring { subscriptions::of_order(conn, order.id).await? } else { None };
    Ok(Word {
        refunded,
        questioned: order.status == OrderStatus::Disputed || renewals.questioned,
        lost: order.status == OrderStatus::DisputeLost || renewals.lost,
        subscribed: subscribed.map(|details| rules::subscribed(&details.state, order.is_of_the_gone)),
    })
}

/// In what a license follows its subscription.
async fn follows(
    conn: &mut PgConnection,
    order: &Followed,
    word: &Word,
    license: &License,
) -> Result<Follows, Error> {
    let bought = license.origin == LicenseOrigin::Order;
    let ended_at = word.subscribed.as_ref().and_then(|subscribed| subscribed.ended_at);
    let prolonged = match ended_at {
        // Nothing but staff moves it on from there.
        Some(at) => store::was_prolonged(conn, license.id, at).await?,
        None => false,
    };
    Ok(Follows { end: bought && !prolonged, plan: bought && has_one_line(order) })
}

/// A subscription has one plan: of an order with several lines, it does not say which one is more or less now.
fn has_one_line(order: &Followed) -> bool {
    order.lines.len() == 1
}

/// Brings one license in line. What its owner is to be told, if anything changed.
async fn bring(
    conn: &mut PgConnection,
    ctx: &Context,
    before: &License,
    word: &Word,
    follows: Follows,
) -> Result<Option<(News, License)>, Error> {
    let after = rules::followed(before, word, follows);
    if after == *before {
        return Ok(None);
    }
    let now = ctx.clock.now();
    licenses::save(&mut *conn, &after, now).await?;
    let news = rules::news(before, &after, now);
    let action = match news {
        News::Revoked(_) => "license.revoked",
        News::Suspended(_) => "license.suspended",
        News::Reinstated => "license.reinstated",
        News::Changed => "license.changed",
    };
    note(&mut *conn, ctx, By::SYSTEM, action, after.id, rules::differences(before, &after)).await?;
    tell(conn, ctx, &after).await?;
    Ok(Some((news, after)))
}

/// Writes to whoever has the licenses, once about all of theirs to which the same happened.
async fn write(conn: &mut PgConnection, ctx: &Context, brought: &[(News, License)]) -> Result<(), Error> {
    let mut groups: BTreeMap<_, (&License, usize)> = BTreeMap::new();
    for (news, license) in brought {
        groups.entry((mails::owner(license), *news)).or_insert((license, 0)).1 += 1;
    }
    for ((_, news), (first, count)) in groups {
        match news {
            News::Revoked(why) => mails::revoked(&mut *conn, ctx, first, count, why).await?,
            News::Suspended(why) => mails::suspended(&mut *conn, ctx, first, count, why).await?,
            News::Reinstated => mails::reinstated(&mut *conn, ctx, first, count).await?,
            News::Changed => {}
        }
    }
    Ok(())
}

/// Makes the license of a paid line.
async fn give(
    conn: &mut PgConnection,
    ctx: &Context,
    order: &Followed,
    line: &FollowedLine,
    word: &Word,
) -> Result<(), Error> {
    let plan = word.plan().filter(|_| has_one_line(order));
    let (tier, seats) = plan.map_or((line.tier, line.seats), |plan| (plan.tier, plan.seats));
    if tier == Tier::Free {
        return Ok(());
    }
    let account = match order.account {
        Some(account) => Some(account).filter(|_| !order.is_of_the_gone),
        // A second subscription is not given to whoever has one, but its license is theirs when the address is.
        None => store::who_has_proven(&mut *conn, &order.email).await?,
    };
    let new = NewLicense {
        account,
        email: if order.is_of_the_gone { String::new() } else { order.email.clone() },
        origin: LicenseOrigin::Order,
        order: Some(order.id),
        order_line: Some(line.id),
        split_from: None,
        tier,
        seats,
        end: word.end(),
        overage: 0,
        node_locked: true,
        fallback: false,
        suspended_by: if word.is_paused() { vec![Cause::Subscription] } else { Vec::new() },
        revoked_by: Vec::new(),
    };
    let Some(issued) = issue(&mut *conn, ctx, By::SYSTEM, new, json!({ "line": line.id })).await? else {
        return Ok(());
    };
    let mut license = issued.license;
    let now = ctx.clock.now();
    if license.standing().is_over(now) {
        // Nobody has use for the key of what is over, nor for word that it has ended.
        (license.reminded, license.reminded_for) = (life::ENDED, license.expires_at);
        return licenses::save(conn, &license, now).await;
    }
    mails::issued(conn, ctx, &license, &issued.key).await
}

async fn tell(conn: &mut PgConnection, ctx: &Context, license: &License) -> Result<(), Error> {
    let told = json!({ "status": license.status(ctx.clock.now()), "seats": license.seats });
    Ok(outbox::publish(conn, ctx, "license.changed", &license.id.to_string(), &told).await?)
}
