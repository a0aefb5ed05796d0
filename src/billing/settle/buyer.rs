//! Whose a paid order is. A guest gets an account by paying: the one their address has, once that is proven, or a new
//! one. An account that somebody else may have made with that address gets nothing before the address is proven.

use sqlx::PgConnection;

use crate::{
    account::{self, Buyer},
    billing::{Error, order, subscription},
    context::Context,
    contract::id::{OrderId, UserId},
};

/// The account that the order belongs to from now on, if any can be known. Account and order stay locked.
pub async fn settle(conn: &mut PgConnection, ctx: &Context, id: OrderId) -> Result<Option<UserId>, Error> {
    let Some(owner) = order::owner_of(&mut *conn, id).await? else { return Err(Error::NotFound) };
    if let Some(account) = owner.account {
        order::store::lock_account(&mut *conn, account).await?;
        order::store::lock(conn, id).await?;
        return Ok(Some(account));
    }
    let found = account::for_buyer(&mut *conn, ctx, &owner.email, &order::link(ctx, id)).await?;
    order::store::lock(&mut *conn, id).await?;
    // Another message about the same order may have been faster.
    if let Some(account) = order::owner_of(&mut *conn, id).await?.and_then(|owner| owner.account) {
        return Ok(Some(account));
    }
    match found {
        Buyer::Known(account) | Buyer::New(account) => {
            // An account has one subscription. One that somebody else paid for must not stand before it.
            if owner.recurring && subscription::any_running(&mut *conn, account).await? {
                tracing::warn!(order = %id, "a guest has subscribed for somebody who is subscribed");
                return Ok(None);
            }
            order::store::give(conn, id, account).await?;
            Ok(Some(account))
        }
        Buyer::Unproven => Ok(None),
    }
}
