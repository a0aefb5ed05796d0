//! A form or a request that comes twice: what it made the first time is given again.
//!
//! What always holds: only who sent it the first time, and says the same, is given anything; a key that is somebody
//! else's by now, or took another's place, is not shown; after a day nothing is shown any more, and nothing made.

use serde_json::{Value, json};
use sqlx::PgConnection;
use time::Duration;

use super::{Error, Issued, key, licenses, store};
use crate::{
    context::Context,
    contract::id::{LicenseId, UserId},
    crypto::{sha256, to_hex},
};

/// As long as an `Idempotency-Key` is kept.
const KEEP: Duration = Duration::hours(24);

/// What all that a request makes carries. Another for whoever else sends it, and for whatever else it says.
pub(super) fn request_key(caller: UserId, request: &str, what: &Value) -> String {
    to_hex(&sha256(json!([caller, request, what]).to_string().as_bytes()))
}

/// What the same request made before for this owner, after `first`, which was there already. Nothing when it comes for
/// the first time.
pub(super) async fn made_before(
    conn: &mut PgConnection,
    ctx: &Context,
    request_key: &str,
    owner: UserId,
    first: Option<LicenseId>,
) -> Result<Vec<Issued>, Error> {
    let made = store::hold_of_request(&mut *conn, request_key).await?;
    let Some((_, since)) = made.first().copied() else { return Ok(Vec::new()) };
    if since <= ctx.clock.now() - KEEP {
        return Err(Error::Conflict(
            "This was sent and done more than a day ago. Load the page again to do it once more.",
        ));
    }
    let ids: Vec<LicenseId> = first.into_iter().chain(made.into_iter().map(|(id, _)| id)).collect();
    let moved = Error::Conflict(
        "This was done before, and a license that came of it has a new key or a new owner by now. Look at the licenses.",
    );
    if store::has_new_key(&mut *conn, &ids, since).await? {
        return Err(moved);
    }
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let license = licenses::find(&mut *conn, id).await?.ok_or(Error::NotFound)?;
        if license.account != Some(owner) {
            return Err(moved);
        }
        let sealed = licenses::sealed_key(&mut *conn, id).await?.ok_or(Error::NotFound)?;
        let key = key::open(ctx, id, &sealed).ok_or_else(|| Error::Stored("a sealed key".to_owned()))?;
        all.push(Issued { license, key });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_request_is_the_same_only_from_the_same_sender_with_the_same_words() {
        let user = |number| UserId::from_uuid(Uuid::from_u128(number));
        let key = request_key(user(1), "form:1", &json!(["pro", 1]));
        assert_eq!(key, request_key(user(1), "form:1", &json!(["pro", 1])));
        for other in [
            request_key(user(2), "form:1", &json!(["pro", 1])),
            request_key(user(1), "form:2", &json!(["pro", 1])),
            request_key(user(1), "form:1", &json!(["pro", 11])),
        ] {
            assert_ne!(key, other);
        }
        assert!(!key.contains("form"));
    }
}
