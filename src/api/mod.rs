//! The JSON API: one file per feature, each handler extracts, calls a verb, and answers.
//!
//! What always holds: errors leave as `application/problem+json` through [`error::ApiError`]; nothing internal
//! is in them; every route is in the OpenAPI document, because the routes are made from it.

mod auth;
pub mod error;
pub mod extract;
mod licenses;
mod open;
pub mod openapi;
mod payments;
mod problems;
mod search;
mod support;

use axum::Router;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::open::{is_asked_often, is_open};
use crate::context::Context;

fn documented() -> OpenApiRouter<Context> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(auth::routes())
        .merge(payments::routes())
        .merge(licenses::routes())
        .merge(support::routes())
        .routes(routes!(search::search))
}

/// Everything under `/api`. `/api/v1` is the same.
pub fn router() -> Router<Context> {
    let (api, _) = documented().split_for_parts();
    let api =
        api.route("/openapi.json", axum::routing::get(openapi::serve)).fallback(error::no_such_endpoint);
    Router::new().nest("/api/v1", api.clone()).nest("/api", api)
}

/// Every documented operation, as method and path under `/api`: what the role and origin matrices must cover.
pub fn operations() -> Vec<(String, String)> {
    let document = openapi::document();
    let mut operations = Vec::new();
    if let Some(paths) = document["paths"].as_object() {
        for (path, methods) in paths {
            for method in methods.as_object().into_iter().flat_map(|methods| methods.keys()) {
                operations.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    operations
}
