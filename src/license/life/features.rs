//! What a license has beyond its tier, such as an extension that was bought with it.
//!
//! What always holds: a source gives a feature once, and takes away what it gave and nothing else.

use serde_json::json;
use sqlx::PgConnection;

use super::{change, locked};
use crate::{
    context::Context,
    contract::id::LicenseId,
    license::{By, Error, ExtraFeature},
};

/// The most that one license has of them: each travels in every answer about it.
const MAX_FEATURES: usize = 500;

/// Gives a license a feature, in the transaction of the reason for it. The same feature of the same source is replaced.
pub async fn set_features(
    ctx: &Context,
    conn: &mut PgConnection,
    id: LicenseId,
    feature: ExtraFeature,
) -> Result<(), Error> {
    let mut license = locked(&mut *conn, id).await?;
    if license.extra_features.contains(&feature) {
        return Ok(());
    }
    let is_other = |known: &ExtraFeature| known.feature != feature.feature || known.source != feature.source;
    license.extra_features.retain(is_other);
    if license.extra_features.len() >= MAX_FEATURES {
        return Err(Error::Conflict("This license has as many extra features as a license can have."));
    }
    let detail = json!({ "feature": feature.feature, "source": feature.source });
    license.extra_features.push(feature);
    change(conn, ctx, By::SYSTEM, &mut license, "license.feature_added", detail).await
}

/// Takes away what a source gave.
pub async fn remove_features(
    ctx: &Context,
    conn: &mut PgConnection,
    id: LicenseId,
    source: &str,
) -> Result<(), Error> {
    let mut license = locked(&mut *conn, id).await?;
    let before = license.extra_features.len();
    license.extra_features.retain(|feature| feature.source != source);
    if license.extra_features.len() == before {
        return Ok(());
    }
    change(conn, ctx, By::SYSTEM, &mut license, "license.features_removed", json!({ "source": source })).await
}
