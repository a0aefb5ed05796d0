//! When each version of the editor came out. A license that has expired may go on covering those from before its end.

mod store;

use std::collections::HashMap;

use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{Error, problem};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::license::MAX_VERSION,
    license::By,
};

/// The most versions that are kept in mind.
const MAX_VERSIONS: i64 = 10_000;

/// A version and the day it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    pub version: String,
    pub released_at: OffsetDateTime,
}

/// Writes down when a version came out, in the transaction of its release. Said again, the earlier day stays: a license
/// that covered it goes on doing so.
pub async fn announce(
    conn: &mut PgConnection,
    version: &str,
    released_at: OffsetDateTime,
) -> Result<(), Error> {
    let version = version.trim();
    if !is_version(version) {
        let message = "Write a version as 2.4.1 or 2.5.0-beta.1.";
        return Err(Error::Invalid(vec![problem("version", "invalid", message)]));
    }
    Ok(store::insert(conn, version, released_at).await?)
}

/// The same, by hand.
pub async fn announce_by(
    ctx: &Context,
    caller: &Caller,
    version: &str,
    released_at: OffsetDateTime,
) -> Result<(), Error> {
    let identity = caller.require(ctx, Permission::LicensesIssue)?;
    let by = By::from(identity);
    let mut tx = ctx.db.begin().await?;
    announce(&mut tx, version, released_at).await?;
    let subject = version.trim().to_owned();
    let entry = crate::audit::Entry {
        actor: by.actor,
        action: "license_version.announced",
        subject_kind: "license_version",
        subject_id: &subject,
        detail: json!({ "releasedAt": released_at.unix_timestamp() }),
        request_id: by.request,
    };
    crate::audit::record(&mut tx, ctx, entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Those that are known, newest first.
pub async fn list(ctx: &Context, caller: &Caller) -> Result<Vec<Released>, Error> {
    caller.require(ctx, Permission::LicensesFind)?;
    Ok(store::newest(&ctx.db, MAX_VERSIONS).await?)
}

pub(super) async fn all(pool: &sqlx::PgPool) -> Result<HashMap<String, OffsetDateTime>, sqlx::Error> {
    let known = store::newest(pool, MAX_VERSIONS).await?;
    Ok(known.into_iter().map(|released| (released.version, released.released_at)).collect())
}

fn is_version(text: &str) -> bool {
    text.len() <= MAX_VERSION
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}
