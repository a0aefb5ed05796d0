//! Mails about licenses: who gets them, in the transaction of what they tell.
//!
//! What always holds: a mail goes to the owner's address as it is now, or to the address that a license without an
//! account belongs to; nobody is written to whose account is gone; an address that cannot receive mail does not keep the
//! rest from being written down. What happens to several licenses of one owner at once is one mail.

mod words;

use sqlx::PgConnection;

use self::words::{About, Paying};
use super::{Error, License, store};
use crate::{
    billing::subscription,
    context::Context,
    contract::{id::UserId, license_key::LicenseKey},
    license::rules::Cause,
    mail::{self, Message, Recipient},
};

/// A license is there: its key, and what to do with it.
pub(crate) async fn issued(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    key: &LicenseKey,
) -> Result<(), Error> {
    let message = words::issued(&about(conn, ctx, license, 1).await?, key);
    to_owner(conn, ctx, license, "license_issued", message).await
}

/// Several licenses of one kind are there. Too many for a mail: it says where they are.
pub(crate) async fn several_issued(
    conn: &mut PgConnection,
    ctx: &Context,
    first: &License,
    count: usize,
) -> Result<(), Error> {
    let message = words::several_issued(&about(conn, ctx, first, count).await?);
    to_owner(conn, ctx, first, "license_issued", message).await
}

/// One license has become so many.
pub(super) async fn split_up(
    conn: &mut PgConnection,
    ctx: &Context,
    first: &License,
    count: u32,
) -> Result<(), Error> {
    let message = words::split_up(&about(conn, ctx, first, 1).await?, count);
    to_owner(conn, ctx, first, "license_issued", message).await
}

/// A license ends in so many days, or in fewer; or `count` of its owner's do.
pub(crate) async fn reminder(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    count: usize,
    days: i64,
) -> Result<(), Error> {
    let message = words::reminder(&about(conn, ctx, license, count).await?, days);
    to_owner(conn, ctx, license, "license_reminder", message).await
}

/// A license is past its end, or `count` of its owner's are, and may be taken as good for a while yet.
pub(crate) async fn expired(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    count: usize,
) -> Result<(), Error> {
    let message = words::expired(&about(conn, ctx, license, count).await?, ctx.clock.now());
    to_owner(conn, ctx, license, "license_expired", message).await
}

/// A license has another key.
pub(crate) async fn rotated(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    key: &LicenseKey,
) -> Result<(), Error> {
    let message = words::rotated(&about(conn, ctx, license, 1).await?, key);
    to_owner(conn, ctx, license, "license_rotated", message).await
}

/// A license is somebody else's now: to them, with its new key.
pub(crate) async fn transferred_to(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    key: &LicenseKey,
) -> Result<(), Error> {
    let message = words::transferred_to(&about(conn, ctx, license, 1).await?, key);
    to_owner(conn, ctx, license, "license_transferred", message).await
}

/// The same, to whoever had it. `license` is as it is now.
pub(crate) async fn transferred_from(
    conn: &mut PgConnection,
    ctx: &Context,
    old_email: &str,
    license: &License,
) -> Result<(), Error> {
    let message = words::transferred_from(license).greeting("Hello,");
    send(conn, ctx, None, &Recipient::nameless(old_email), "license_transferred", &message).await
}

/// A license was taken away, or `count` of its owner's were.
pub(crate) async fn revoked(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    count: usize,
    why: Cause,
) -> Result<(), Error> {
    let message = words::revoked(&about(conn, ctx, license, count).await?, why);
    to_owner(conn, ctx, license, "license_revoked", message).await
}

/// A license is held back, or `count` of its owner's are.
pub(crate) async fn suspended(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    count: usize,
    why: Cause,
) -> Result<(), Error> {
    let message = words::suspended(&about(conn, ctx, license, count).await?, why);
    to_owner(conn, ctx, license, "license_suspended", message).await
}

/// Nothing holds a license back any more, or `count` of its owner's.
pub(crate) async fn reinstated(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    count: usize,
) -> Result<(), Error> {
    let message = words::reinstated(&about(conn, ctx, license, count).await?);
    to_owner(conn, ctx, license, "license_suspended", message).await
}

/// Whose mails go together: an account's, or those to an address that has none.
pub(in crate::license) fn owner(license: &License) -> (Option<UserId>, String) {
    let address = if license.account.is_some() { String::new() } else { license.email.to_lowercase() };
    (license.account, address)
}

async fn about<'a>(
    conn: &mut PgConnection,
    ctx: &'a Context,
    license: &'a License,
    count: usize,
) -> Result<About<'a>, Error> {
    Ok(About { site: &ctx.config.http.public_url, license, count, paying: paying(conn, license).await? })
}

/// What was split off another follows no subscription, whatever its order.
async fn paying(conn: &mut PgConnection, license: &License) -> Result<Paying, Error> {
    let order = license.order.filter(|_| license.order_line.is_some());
    let Some(order) = order else { return Ok(Paying::Nothing) };
    let runs = subscription::of_order(conn, order).await?.is_some_and(|found| found.state.is_running());
    Ok(if runs { Paying::Subscription } else { Paying::Nothing })
}

async fn to_owner(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    kind: &'static str,
    message: Message,
) -> Result<(), Error> {
    let to = match license.account {
        Some(account) => {
            let Some(reader) = store::reader(&mut *conn, account).await? else { return Ok(()) };
            Recipient { address: reader.email, name: reader.name }
        }
        None => Recipient::nameless(license.email.as_str()),
    };
    let greeting = match to.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => format!("Hello {name},"),
        None => "Hello,".to_owned(),
    };
    send(conn, ctx, license.account, &to, kind, &message.greeting(greeting)).await
}

async fn send(
    conn: &mut PgConnection,
    ctx: &Context,
    account: Option<UserId>,
    to: &Recipient,
    kind: &'static str,
    message: &Message,
) -> Result<(), Error> {
    if !mail::accepts(to.address.trim()) {
        return Ok(());
    }
    match account {
        Some(account) => mail::send_to_account(conn, ctx, account, to, kind, message).await?,
        None => mail::send(conn, ctx, to, kind, message).await?,
    };
    Ok(())
}
