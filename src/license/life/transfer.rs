//! A license that goes to somebody else.
//!
//! What always holds: whoever had it keeps nothing of it, neither its key nor a machine; it belongs to an account only
//! where that has proven the address, and waits for that proof otherwise.

use serde_json::json;
use sqlx::PgConnection;

use super::{change, follows_running, locked, mails, problem, responsible, rotate::replace_key, store};
use crate::{
    account::{Caller, Permission, rules as accounts},
    context::Context,
    contract::{
        id::{LicenseId, UserId},
        license::LicenseOrigin,
    },
    license::{By, Error, License, machine},
};

/// Gives a license to whoever has this address. Its owner may, and staff.
pub async fn transfer(ctx: &Context, caller: &Caller, id: LicenseId, email: &str) -> Result<License, Error> {
    let identity = caller.require(ctx, Permission::LicensesSecure)?;
    let Some(email) = accounts::normalize_email(email) else {
        let message = "Type a mail address, such as ada@example.com.";
        return Err(Error::Invalid(vec![problem("email", "invalid_email", message)]));
    };
    let mut tx = ctx.db.begin().await?;
    // Accounts before licenses, and held: a proof of the address comes before this or after it, never amid.
    let account = store::hold_proven(&mut tx, &email).await?;
    let mut license = locked(&mut tx, id).await?;
    let by = responsible(ctx, caller, identity, &license)?;
    let owns = license.account == Some(by.user.id);
    refuse(&mut tx, ctx, &license, &email, account).await?;
    // A file goes on working wherever it is: who takes some along and gives the license away would have it twice.
    if owns && machine::store::any_file(&mut tx, id, ctx.clock.now()).await? {
        return Err(Error::Conflict(
            "A machine without a connection still has a file of this license. Write to support to have it moved.",
        ));
    }
    let by: By = by.into();
    let before = match license.account {
        Some(account) => store::address_of(&mut tx, account).await?,
        None => Some(license.email.clone()),
    };
    machine::release_all(&mut tx, ctx, by, &mut license, "transferred").await?;
    let key = replace_key(&mut tx, ctx, &mut license).await?;
    let detail = json!({ "from": license.account, "to": account });
    (license.account, license.email) = (account, email);
    // Its new owner has not been told of its end.
    (license.reminded, license.reminded_for) = (0, None);
    change(&mut tx, ctx, by, &mut license, "license.transferred", detail).await?;
    mails::transferred_to(&mut tx, ctx, &license, &key).await?;
    if let Some(before) = before {
        mails::transferred_from(&mut tx, ctx, &before, &license).await?;
    }
    tx.commit().await?;
    Ok(license)
}

async fn refuse(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &License,
    email: &str,
    account: Option<UserId>,
) -> Result<(), Error> {
    let is_same_address = accounts::is_same_email(&license.email, email);
    let why = if license.account == account && (account.is_some() || is_same_address) {
        "This license belongs to this address already."
    } else if license.origin == LicenseOrigin::Trial {
        "A trial stays with whoever began it. Everybody can begin their own."
    } else if !license.revoked_by.is_empty() || !license.suspended_by.is_empty() {
        "This license is held back or was taken away, so it cannot be given to somebody else."
    } else if license.standing().is_over(ctx.clock.now()) && !license.fallback {
        "This license has expired. Renew it first."
    } else if follows_running(conn, license).await? {
        "This license follows your subscription. Cancel that first, or buy seats for others."
    } else {
        return Ok(());
    };
    Err(Error::Conflict(why))
}
