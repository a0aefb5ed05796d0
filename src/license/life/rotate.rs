//! Another key for the same license, such as when the old one got around.
//!
//! What always holds: from the commit on the old key is worth nothing and is known for what it was, and everything else
//! of the license stays, its machines too.

use std::time::Duration;

use serde_json::json;
use sqlx::PgConnection;

use super::{change, key, licenses, locked, mails, responsible, store};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{id::LicenseId, license_key::LicenseKey},
    crypto::Purpose,
    license::{Error, License, issue::Issued},
    rate_limit::{self, Limit, Verdict},
};

/// Every new key is a mail, and every old one a row that stays.
const ROTATIONS: Limit =
    Limit { name: "license_rotations", times: 10, per: Duration::from_secs(24 * 60 * 60) };

/// Gives a license another key. Its owner may, and staff.
pub async fn rotate(ctx: &Context, caller: &Caller, id: LicenseId) -> Result<Issued, Error> {
    let identity = caller.require(ctx, Permission::LicensesSecure)?;
    // Who it belongs to comes before the counting: nobody uses up what is somebody else's.
    let license = licenses::find(&ctx.db, id).await?.ok_or(Error::NotFound)?;
    responsible(ctx, caller, identity, &license)?;
    let counted = ctx.hashers.keyed(Purpose::RateLimitKey, id.uuid().as_bytes());
    if let Verdict::Wait(retry_after) = rate_limit::take(ctx, ROTATIONS, &counted).await? {
        return Err(Error::TooManyTries { retry_after });
    }
    let mut tx = ctx.db.begin().await?;
    let mut license = locked(&mut tx, id).await?;
    let by = responsible(ctx, caller, identity, &license)?;
    if !license.revoked_by.is_empty() {
        return Err(Error::Conflict("This license was taken away. A new key would open nothing."));
    }
    let key = replace_key(&mut tx, ctx, &mut license).await?;
    change(&mut tx, ctx, by.into(), &mut license, "license.rotated", json!({})).await?;
    mails::rotated(&mut tx, ctx, &license, &key).await?;
    tx.commit().await?;
    Ok(Issued { license, key })
}

/// Puts a new key in the place of the old one, with the license locked.
pub(super) async fn replace_key(
    conn: &mut PgConnection,
    ctx: &Context,
    license: &mut License,
) -> Result<LicenseKey, Error> {
    let now = ctx.clock.now();
    let new = key::make(ctx, license.id);
    store::retire_key(&mut *conn, license.id, now).await?;
    store::set_key(conn, license.id, &new, now).await?;
    license.key_end = new.end;
    Ok(new.key)
}
