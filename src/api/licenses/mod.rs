//! Licenses: what the editor asks without signing in, what owners do with theirs, and what staff does with anybody's.
//!
//! What always holds: whoever has a key may ask about it, from a page of any site too, and nothing but the key counts
//! there, no cookie and no token; everything else has a caller; a key in an address is read and never repeated.

mod activation;
mod check;
mod generate;
mod machines;
mod own;
mod staff;

use axum::{
    Json as JsonAnswer,
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
    routing::options,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    error::ApiError,
    open::{Open, open, preflight_get, preflight_post},
};
use crate::{
    account::{Caller, Permission},
    context::Context,
    contract::{
        id::{LicenseId, MachineId},
        license::Generated,
    },
    license::{self, issue::Issued, life},
};

pub(super) fn routes() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(check::validate))
        .route("/licenses/validate", options(preflight_post))
        .routes(routes!(activation::activate))
        .route("/licenses/activate", options(preflight_post))
        .routes(routes!(activation::deactivate))
        .route("/licenses/deactivate", options(preflight_post))
        .routes(routes!(own::list))
        .routes(routes!(generate::generate))
        .routes(routes!(generate::trial))
        .routes(routes!(check::brief))
        .routes(routes!(staff::revoke))
        .route("/licenses/{license}", options(preflight_get))
        .routes(routes!(own::reveal))
        .routes(routes!(own::rotate))
        .routes(routes!(own::transfer))
        .routes(routes!(generate::split))
        .routes(routes!(machines::list))
        .routes(routes!(machines::remove, machines::rename))
        .routes(routes!(machines::machine_file))
        .routes(routes!(staff::renew))
        .routes(routes!(staff::suspend))
        .routes(routes!(staff::reinstate))
}

/// Which license the address names: by its key, however that was written and escaped, or by its id. What cannot be
/// read names none.
struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(in_path(parts, state, "license").await.unwrap_or_default()))
    }
}

impl Named {
    /// Its id, for a caller who may do something of this kind. A key is looked up for nobody else.
    async fn id(
        &self,
        ctx: &Context,
        caller: &Caller,
        permission: Permission,
    ) -> Result<LicenseId, ApiError> {
        caller.require(ctx, permission)?;
        match self.0.parse::<LicenseId>() {
            Ok(id) => Ok(id),
            Err(_) => Ok(life::id_of_key(ctx, &self.0).await?),
        }
    }
}

/// Which machine the address names.
struct NamedMachine(MachineId);

impl<S: Send + Sync> FromRequestParts<S> for NamedMachine {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = in_path(parts, state, "machine").await;
        text.and_then(|text| text.parse().ok()).map(Self).ok_or_else(ApiError::not_found)
    }
}

async fn in_path<S: Send + Sync>(parts: &mut Parts, state: &S, name: &str) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    params.iter().find(|(known, _)| *known == name).map(|(_, text)| text.to_owned())
}

/// A license as its owner sees it.
async fn shown(ctx: &Context, license: &license::License) -> JsonAnswer<crate::contract::license::License> {
    let tiers = ctx.licenses.tiers(ctx).await;
    JsonAnswer(license.shown(ctx, &tiers))
}

/// Licenses with their keys, for who made them.
async fn generated(ctx: &Context, issued: &[Issued]) -> Generated {
    let tiers = ctx.licenses.tiers(ctx).await;
    let license_keys: Vec<String> = issued.iter().map(|issued| issued.key.expose()).collect();
    Generated {
        license_key: license_keys.first().cloned().unwrap_or_default(),
        license_keys,
        download_url: license::download_url(ctx),
        licenses: issued.iter().map(|issued| issued.license.shown(ctx, &tiers)).collect(),
    }
}
