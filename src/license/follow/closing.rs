//! What becomes of the licenses of an account that ends.
//!
//! What always holds: what was paid for, or given, goes on to work on the machines it is active on, and names nobody;
//! a trial ends.

use serde_json::json;
use sqlx::PgConnection;

use super::store;
use crate::{
    context::Context,
    contract::id::UserId,
    license::{By, Error, note},
};

/// Takes its owner out of each license of an account, in the transaction in which the account ends, with the account
/// locked.
pub(crate) async fn account_ended(
    conn: &mut PgConnection,
    ctx: &Context,
    account: UserId,
) -> Result<(), Error> {
    // A license before its machines, as everywhere.
    let ids = store::lock_of_account(&mut *conn, account).await?;
    if ids.is_empty() {
        return Ok(());
    }
    store::empty_machines(&mut *conn, account).await?;
    store::empty(&mut *conn, account, ctx.clock.now()).await?;
    for id in ids {
        note(&mut *conn, ctx, By::SYSTEM, "license.owner_left", id, json!({})).await?;
    }
    Ok(())
}
