//! Passwords: what one has to be, how it is changed, and how it is set anew when it is forgotten.
//!
//! What always holds: a password is brought into one form before it is judged, hashed or compared, so that every
//! keyboard types the same one; a new one ends every other session and all that was begun under the old one.

mod change;
mod estimates;
mod policy;
mod reset;

use sqlx::PgConnection;

pub(crate) use self::policy::{check_aside, check_briefly, normalize};
pub use self::{
    change::change_password,
    reset::{StartReset, check_reset, finish_reset, start_reset},
};
use super::{
    Error, store,
    ticket::{self, Kind},
    two_factor,
};
use crate::{
    context::Context,
    contract::id::{SessionId, UserId},
    session,
};

/// Stores a new password and ends what was begun under the one before.
async fn replace(
    conn: &mut PgConnection,
    ctx: &Context,
    user: UserId,
    password_hash: &str,
    keep: Option<SessionId>,
) -> Result<(), Error> {
    store::set_password(&mut *conn, user, password_hash, ctx.clock.now()).await?;
    session::end_all(&mut *conn, ctx, user, keep).await?;
    for kind in [Kind::SecondStep, Kind::ResetPassword] {
        ticket::void(&mut *conn, kind, user).await?;
    }
    // Whoever knew the old password may have read the secret that is being set up.
    two_factor::call_off(conn, user).await?;
    Ok(())
}
